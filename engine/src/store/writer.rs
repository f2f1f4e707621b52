//! The one writer: changes from a bounded queue, as many as are there, in one transaction, few statements per table.
//!
//! A change is all or nothing, and so is the batch it travels in; nobody is answered before the commit.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::sync::Arc;

use serde::Serialize;
use sqlx::{Connection as _, SqliteConnection};
use tokio::sync::{mpsc, oneshot};

use super::rows::{self, center::ConsentGuard};
use super::{Error, chain, pool::Pool};

/// Changes that may wait for the writer: producers stop there.
const QUEUE: usize = 256;
/// Changes per transaction.
const BATCH: usize = 256;
/// Bytes of the rows of one statement: SQLite parses them all before the first is written, which costs several times as much memory.
const STATEMENT_BYTES: usize = 1 << 20;

macro_rules! tables {
    ($($name:ident = $table:literal, $guarded:literal;)*) => {
        /// Tables in the order in which their rows are written (parents first).
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[expect(missing_docs, reason = "the names are the tables' own")]
        pub enum Table { $($name),* }

        const TABLES: &[(Table, &str, &str, bool)] =
            &[$((Table::$name, $table, include_str!(concat!("sql/put_", $table, ".sql")), $guarded)),*];
    };
}

tables! {
    Workflow = "workflow", false;
    Specimen = "specimen", false;
    Submission = "submission", false;
    Run = "run", true;
    Step = "step", true;
    Attempt = "attempt", true;
    Event = "event", false;
    Participant = "participant", true;
    OrderLine = "order_line", true;
    Record = "record", true;
    Name = "name", false;
    Artifact = "artifact", false;
    Made = "made", false;
    Decision = "decision", false;
    Measurement = "measurement", false;
    Delivery = "delivery", false;
    PackageFile = "package_file", false;
    Feed = "feed", false;
    KeptAnswer = "kept_answer", false;
}

/// Rows that become true together.
#[derive(Clone, Debug, Default)]
pub struct Change {
    rows: [Vec<String>; TABLES.len()],
    events: Vec<rows::Event>,
    guards: Vec<ConsentGuard>,
    /// Whose consent this very change moves: what it decided before and after that is one decision.
    moved: BTreeSet<String>,
}

impl Change {
    /// Adds a row; `row` serializes to an object with the columns' names.
    ///
    /// # Panics
    /// Never for the row types of this crate: they hold only text and numbers.
    pub fn put(&mut self, table: Table, row: &impl Serialize) {
        self.rows[table as usize].push(row_text(row));
    }

    /// Appends a fact. The writer gives it its place in the chain.
    pub fn event(&mut self, event: rows::Event) {
        self.events.push(event);
    }

    /// The facts that it appends.
    #[must_use]
    pub fn events(&self) -> &[rows::Event] {
        &self.events
    }

    /// Adds a participant's row.
    pub fn participant(&mut self, row: &rows::center::Participant) {
        self.moved.insert(row.participant_id.clone());
        self.put(Table::Participant, row);
    }

    /// The change holds only while the participant's consent stands where it stood when the change was decided.
    pub fn guard(&mut self, guard: ConsentGuard) {
        if !self.guards.contains(&guard) {
            self.guards.push(guard);
        }
    }

    /// Nothing to write.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.events.is_empty() && self.rows.iter().all(Vec::is_empty)
    }

    /// Takes the rows of another change into this one.
    pub fn absorb(&mut self, other: &mut Self) {
        for (mine, theirs) in self.rows.iter_mut().zip(&mut other.rows) {
            mine.append(theirs);
        }
        self.events.append(&mut other.events);
        self.guards.append(&mut other.guards);
        self.moved.append(&mut other.moved);
    }
}

fn row_text(row: &impl Serialize) -> String {
    serde_json::to_string(row).expect("rows hold only text and numbers")
}

/// One JSON object with keys `0`, `1` … : `json_each` reads it alike on both databases.
pub(super) fn rows_object(rows: &[String]) -> String {
    object(rows, usize::MAX).0
}

/// The first rows as one object of about so many bytes (but at least one of them), and how many they are.
fn object(rows: &[impl AsRef<str>], bytes: usize) -> (String, usize) {
    let (mut text, mut count) = (String::from("{"), 0);
    for row in rows.iter().map(AsRef::as_ref) {
        if count > 0 && text.len() + row.len() > bytes {
            break;
        }
        let comma = if count == 0 { "" } else { "," };
        let _ = write!(text, "{comma}\"{count}\":{row}");
        count += 1;
    }
    text.push('}');
    (text, count)
}

type Item = (Arc<Change>, oneshot::Sender<Result<(), Error>>);

/// The way in; cheap to clone.
#[derive(Clone, Debug)]
pub struct Writer {
    queue: mpsc::Sender<Item>,
}

impl Writer {
    /// Starts the writer task of the engine with this epoch; it ends when the last [`Writer`] is dropped.
    #[must_use]
    pub fn start(pool: Pool, epoch: i64) -> (Self, tokio::task::JoinHandle<()>) {
        let (queue, inbox) = mpsc::channel(QUEUE);
        (Self { queue }, tokio::spawn(serve(pool, epoch, inbox)))
    }

    /// Writes `change` and comes back when it is durable. Shared, since whoever is told that nothing was written may try again.
    ///
    /// # Errors
    /// When nothing of it was written.
    pub async fn commit(&self, change: impl Into<Arc<Change>>) -> Result<(), Error> {
        let (answer, wait) = oneshot::channel();
        self.queue.send((change.into(), answer)).await.map_err(|_| Error::Closed)?;
        wait.await.map_err(|_| Error::Closed)?
    }
}

async fn serve(pool: Pool, epoch: i64, mut inbox: mpsc::Receiver<Item>) {
    let mut items = Vec::with_capacity(BATCH);
    while inbox.recv_many(&mut items, BATCH).await > 0 {
        let batch: Vec<&Change> = items.iter().map(|(change, _)| change.as_ref()).collect();
        let mut result = write(&pool, epoch, &batch).await;
        for (_, answer) in items.drain(..) {
            // The first gets the error itself, the others that it failed: they shared its fate.
            let answer_with = std::mem::replace(&mut result, Ok(()));
            let told = match &answer_with {
                Ok(()) => Ok(()),
                Err(error) => {
                    Err(Error::Unknown { what: "the outcome of a shared transaction", found: error.to_string() })
                }
            };
            if let Err(error) = told {
                result = Err(error);
            }
            let _ = answer.send(answer_with);
        }
    }
}

async fn write(pool: &Pool, epoch: i64, batch: &[&Change]) -> Result<(), Error> {
    if batch.iter().all(|change| change.is_empty()) {
        return Ok(());
    }
    let writer = pool.write.as_ref().ok_or(Error::Closed)?;
    let mut connection = writer.acquire().await.map_err(|source| pool.error(source))?;
    let result = apply(pool, epoch, &mut connection, batch).await;
    if result.is_err() {
        // After a full disk SQLite has rolled back by itself and sqlx still counts a transaction: only a new connection is clean.
        let _ = connection.detach().close_hard().await;
    }
    result
}

async fn apply(pool: &Pool, epoch: i64, connection: &mut SqliteConnection, batch: &[&Change]) -> Result<(), Error> {
    let mut tx = connection.begin_with("begin immediate").await.map_err(|source| pool.error(source))?;
    // The lock keeps a second engine out; should it ever be lost, the older one writes nothing more, about whatever.
    let now: Option<i64> = sqlx::query_scalar(include_str!("sql/epoch.sql"))
        .fetch_optional(&mut *tx)
        .await
        .map_err(|source| pool.error(source))?;
    if now != Some(epoch) {
        return Err(Error::Stale { table: "engine", missing: 1 });
    }
    let moved: BTreeSet<&String> = batch.iter().flat_map(|change| &change.moved).collect();
    let guards = batch.iter().flat_map(|change| &change.guards).filter(|guard| !moved.contains(&guard.participant_id));
    let guards: Vec<String> = guards.map(row_text).collect();
    check_consent(pool, &mut tx, &guards).await?;
    let mut events: Vec<rows::Event> = batch.iter().flat_map(|change| &change.events).cloned().collect();
    chain::append(pool, &mut tx, &mut events).await?;
    let events: Vec<String> = events.iter().map(row_text).collect();
    for (table, name, sql, guarded) in TABLES {
        let rows = if *table == Table::Event { events.iter().collect() } else { rows_of(batch, *table) };
        let changed = put(pool, &mut tx, sql, &rows).await?;
        if *guarded && changed != rows.len() {
            return Err(Error::Stale { table: name, missing: rows.len().saturating_sub(changed) });
        }
    }
    // A specimen that something is ordered for is no omission any more. After the rows themselves: its own may be of the same batch.
    put(pool, &mut tx, include_str!("sql/mark_ordered.sql"), &rows_of(batch, Table::OrderLine)).await?;
    // Answers are kept for a day; whatever adds one takes away what is older, so that there are never more than a day brings.
    put(pool, &mut tx, include_str!("sql/forget_answers.sql"), &rows_of(batch, Table::KeptAnswer)).await?;
    tx.commit().await.map_err(|source| pool.error(source))
}

/// Rows of one table, in the order in which they were decided.
fn rows_of<'b>(batch: &[&'b Change], table: Table) -> Vec<&'b String> {
    batch.iter().flat_map(|change| &change.rows[table as usize]).collect()
}

/// Writes rows; gives how many took effect.
async fn put(pool: &Pool, tx: &mut SqliteConnection, sql: &'static str, rows: &[&String]) -> Result<usize, Error> {
    let (mut rest, mut changed) = (rows, 0);
    while !rest.is_empty() {
        let (text, count) = object(rest, STATEMENT_BYTES);
        let done = sqlx::query(sql).bind(text).execute(&mut *tx).await.map_err(|source| pool.error(source))?;
        changed += usize::try_from(done.rows_affected()).unwrap_or(usize::MAX);
        rest = &rest[count..];
    }
    Ok(changed)
}

/// Consent is looked at in the very transaction that rests on it, before the batch's own rows: fail closed.
async fn check_consent(pool: &Pool, tx: &mut SqliteConnection, guards: &[String]) -> Result<(), Error> {
    if guards.is_empty() {
        return Ok(());
    }
    let stale: i64 = sqlx::query_scalar(include_str!("sql/consent_stale.sql"))
        .bind(rows_object(guards))
        .fetch_one(tx)
        .await
        .map_err(|source| pool.error(source))?;
    match usize::try_from(stale) {
        Ok(0) => Ok(()),
        missing => Err(Error::Stale { table: "participant", missing: missing.unwrap_or(usize::MAX) }),
    }
}

/// Counts the engine's epoch up: from now on what an older engine tries to write is stale.
///
/// # Errors
/// When the database cannot be written.
pub async fn next_epoch(pool: &Pool) -> Result<i64, Error> {
    let writer = pool.write.as_ref().ok_or(Error::Closed)?;
    sqlx::query_scalar(include_str!("sql/next_epoch.sql")).fetch_one(writer).await.map_err(|source| pool.error(source))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(status: &str, version: i64) -> Change {
        let mut change = Change::default();
        let row = crate::store::rows::Step {
            run_id: "r".into(),
            step_key: "s".into(),
            position: 0,
            step: "s".into(),
            status: status.into(),
            outputs: "{}".into(),
            detail: "{}".into(),
            updated_us: 1,
            version,
        };
        change.put(Table::Step, &row);
        change
    }

    #[tokio::test]
    async fn a_row_that_another_engine_moved_is_stale_and_nothing_of_the_change_is_kept() {
        let site = tempfile::tempdir().expect("a temporary directory");
        let pool = Pool::open(&site.path().join("kentai.db")).await.expect("opened");
        // The run that the step belongs to is not what this is about.
        sqlx::query("pragma foreign_keys = off").execute(pool.write.as_ref().expect("a writer")).await.expect("off");
        let epoch = next_epoch(&pool).await.expect("counted");
        let (writer, _) = Writer::start(pool.clone(), epoch);
        writer.commit(step("waiting", 1)).await.expect("new");
        writer.commit(step("ready", 2)).await.expect("one on");
        let mut late = step("running", 2);
        late.put(
            Table::Artifact,
            &crate::store::rows::Artifact { sha256: "a".into(), size: 1, dir: 0, created_us: 1, sealed: String::new() },
        );
        let refused = writer.commit(late).await;
        assert!(matches!(refused, Err(Error::Stale { table: "step", missing: 1 })), "{refused:?}");
        let read = crate::store::read::Reader::new(pool);
        assert_eq!(read.steps("r").await.expect("read")[0].status, "ready");
    }

    #[test]
    fn rows_travel_as_one_object() {
        assert_eq!(rows_object(&["{\"a\":1}".into(), "{}".into()]), r#"{"0":{"a":1},"1":{}}"#);
    }

    #[test]
    fn many_rows_travel_as_several_objects_and_none_is_left_behind() {
        let rows = [r#"{"a":1}"#, r#"{"a":2}"#, "{}", r#"{"long":"more than all that fits"}"#];
        assert_eq!(object(&rows, 24), (r#"{"0":{"a":1},"1":{"a":2}}"#.to_owned(), 2));
        assert_eq!(object(&rows[2..], 24), (r#"{"0":{}}"#.to_owned(), 1));
        assert_eq!(object(&rows[3..], 24), (r#"{"0":{"long":"more than all that fits"}}"#.to_owned(), 1));
    }

    #[tokio::test]
    async fn rows_of_several_statements_become_true_together() {
        let site = tempfile::tempdir().expect("a temporary directory");
        let pool = Pool::open(&site.path().join("kentai.db")).await.expect("opened");
        sqlx::query("pragma foreign_keys = off").execute(pool.write.as_ref().expect("a writer")).await.expect("off");
        let epoch = next_epoch(&pool).await.expect("counted");
        let (writer, _) = Writer::start(pool.clone(), epoch);
        let row = |run: &str, number: i64, version| crate::store::rows::Step {
            run_id: run.into(),
            step_key: format!("s{number}").into(),
            position: number,
            step: "s".into(),
            status: "x".repeat(900),
            outputs: "{}".into(),
            detail: "{}".into(),
            updated_us: 1,
            version,
        };
        let many = |run: &str| {
            let mut change = Change::default();
            (0..3_000).for_each(|number| change.put(Table::Step, &row(run, number, 1)));
            change
        };
        writer.commit(many("r")).await.expect("all are new");
        let mut late = many("q");
        late.put(Table::Step, &row("r", 0, 7));
        let refused = writer.commit(late).await;
        assert!(matches!(refused, Err(Error::Stale { table: "step", missing: 1 })), "{refused:?}");
        let read = crate::store::read::Reader::new(pool);
        assert_eq!(read.steps("r").await.expect("read").len(), 3_000);
        assert_eq!(read.steps("q").await.expect("read").len(), 0, "the statements before the last one are undone");
    }
}
