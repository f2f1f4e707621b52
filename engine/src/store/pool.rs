//! Opening the database: one write connection, a pool of readers, the pragmas and their reasons.
//!
//! SQLite only, for now: the SQL in `sql/` is one text for both databases, and PostgreSQL becomes the second arm here.

use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous};

use super::Error;

/// The open database.
#[derive(Clone, Debug)]
pub struct Pool {
    /// One connection, used by the writer task only.
    pub(super) write: Option<SqlitePool>,
    /// Read-only connections.
    pub(super) read: SqlitePool,
    path: PathBuf,
}

/// Before this version a reset of the write-ahead log could race with a writer.
const SQLITE_MIN: (u32, u32, u32) = (3, 51, 3);

static MIGRATIONS: sqlx::migrate::Migrator = sqlx::migrate!("./migrations/sqlite");

/// The number of the newest migration of this program.
fn newest() -> i64 {
    MIGRATIONS.iter().map(|one| one.version).max().unwrap_or(0)
}

impl Pool {
    /// Carries out what a test wants of the database behind everybody's back.
    #[cfg(test)]
    pub(crate) async fn carry_out(&self, sql: &'static str) {
        sqlx::query(sql).execute(self.write.as_ref().expect("a writer")).await.expect("carried out");
    }

    /// Opens (and creates, and migrates) the database at `path` for writing. The caller holds the site's lock.
    ///
    /// # Errors
    /// When it cannot be opened, is on a network file system, or is newer than this program.
    pub async fn open(path: &Path) -> Result<Self, Error> {
        refuse_network(path)?;
        let at = |source| Error::Database { path: path.display().to_string(), source };
        let options = options(path).map_err(at)?.create_if_missing(true);
        let write =
            SqlitePoolOptions::new().max_connections(1).min_connections(1).connect_with(options).await.map_err(at)?;
        check_version(&write, path).await?;
        MIGRATIONS.run(&write).await.map_err(|source| Error::Migrate { path: path.display().to_string(), source })?;
        // The readers can only open after the writer has made the file.
        let read = readers(path).await.map_err(at)?;
        Ok(Self { write: Some(write), read, path: path.to_owned() })
    }

    /// Opens an existing database for reading only; an engine may be running on it.
    ///
    /// # Errors
    /// When there is none or it cannot be opened.
    pub async fn open_read_only(path: &Path) -> Result<Self, Error> {
        let read =
            readers(path).await.map_err(|source| Error::Database { path: path.display().to_string(), source })?;
        let pool = Self { write: None, read, path: path.to_owned() };
        // Reading never changes a database: an engine of this version brings it up to date when it starts.
        if pool.about().await?.1 < newest() {
            return Err(Error::Older { path: path.display().to_string() });
        }
        Ok(pool)
    }

    /// Version of the SQLite in this program, and the number of the database's last migration.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn about(&self) -> Result<(String, i64), Error> {
        let about = "select sqlite_version(), coalesce(max(version), 0) from _sqlx_migrations where success";
        sqlx::query_as(about).fetch_one(&self.read).await.map_err(|source| self.error(source))
    }

    /// Adds the database's path to an error.
    pub(super) fn error(&self, source: sqlx::Error) -> Error {
        Error::Database { path: self.path.display().to_string(), source }
    }

    /// Ends all connections; the write-ahead log is checkpointed by the last one.
    pub async fn close(&self) {
        self.read.close().await;
        if let Some(write) = &self.write {
            write.close().await;
        }
    }
}

fn options(path: &Path) -> Result<SqliteConnectOptions, sqlx::Error> {
    Ok(SqliteConnectOptions::from_str("sqlite:")?
        .filename(path)
        .journal_mode(SqliteJournalMode::Wal)
        // FULL: a commit that was answered survives a power cut. NORMAL loses the newest ones.
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .busy_timeout(Duration::from_secs(10))
        // Measured: a later checkpoint and 16 MiB of cache hold the rate over a million events.
        .pragma("cache_size", "-16384")
        .pragma("wal_autocheckpoint", "8000")
        // What a statement sets aside would else be a file in the system's temporary directory, made and deleted each time.
        .pragma("temp_store", "memory"))
}

async fn readers(path: &Path) -> Result<SqlitePool, sqlx::Error> {
    let options = SqliteConnectOptions::from_str("sqlite:")?
        .filename(path)
        .read_only(true)
        .busy_timeout(Duration::from_secs(10))
        .pragma("cache_size", "-4096");
    SqlitePoolOptions::new().max_connections(4).connect_with(options).await
}

async fn check_version(pool: &SqlitePool, path: &Path) -> Result<(), Error> {
    let found: String = sqlx::query_scalar("select sqlite_version()")
        .fetch_one(pool)
        .await
        .map_err(|source| Error::Database { path: path.display().to_string(), source })?;
    let mut numbers = found.split('.').map(|part| part.parse().unwrap_or(0));
    let mut next = || numbers.next().unwrap_or(0);
    if (next(), next(), next()) < SQLITE_MIN { Err(Error::OldSqlite { found }) } else { Ok(()) }
}

/// Network file systems whose locks SQLite cannot rely on, by magic number (statfs(2)).
const NETWORK: &[(i64, &str)] = &[
    (0x6969, "nfs"),
    (0x517b, "smb"),
    (0xff53_4d42, "cifs"),
    (0x0bd0_0bd0, "lustre"),
    (0x4750_4653, "gpfs"),
    (0x1983_0326, "beegfs"),
];

fn refuse_network(path: &Path) -> Result<(), Error> {
    let directory = path.parent().unwrap_or(Path::new("."));
    let Ok(stat) = rustix::fs::statfs(directory) else { return Ok(()) };
    match NETWORK.iter().find(|(magic, _)| *magic == stat.f_type) {
        Some((_, kind)) => Err(Error::NetworkFileSystem { path: path.display().to_string(), kind: (*kind).to_owned() }),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rows of a site that was used before reports had indexes: two specimens, one of them ordered, notices, deliveries, a participant.
    const FILLED: &str = r#"
        insert into record values
            ('specimen', 'S1', 'p1', 'S1', 'H1', 'registered', '{"barcode":"B1","program":"rare"}', 1, 5, 5, 1),
            ('specimen', 'S2', 'p1', 'S2', 'H1', 'registered', '{"barcode":"B2","program":"rare"}', 1, 5, 5, 1),
            ('item', 'S1', 'SH1', 'S1', 'H1', 'extra', '{"barcode":"B1"}', 1, 5, 5, 1),
            ('notice', 'n1', 'k1', '', '', 'pending', '{"to":"biobank","subject":"withdrawal","body":{},"due_us":70}', 1, 5, 5, 1),
            ('notice', 'n2', 'k1', '', '', 'answered', '{"to":"biobank","subject":"withdrawal","body":{},"due_us":60}', 1, 5, 5, 1),
            ('delivery', 'd1', 'r1', 'S1', 'dc1', 'delivered', '{"step":"give","files":{},"receipt_due_us":75}', 1, 5, 5, 1),
            ('delivery', 'd2', 'r1', 'S1', 'dc1', 'acknowledged', '{"step":"give","files":{},"receipt_due_us":75}', 1, 5, 5, 1),
            ('delivery', 'd3', 'r1', 'S1', 'dc1', 'refused', '{"step":"give","files":{},"receipt_due_us":75}', 1, 5, 5, 1),
            ('delivery', 'd4', 'r1', 'S1', 'dc1', 'offered', '{"step":"give","files":{}}', 1, 5, 5, 1);
        insert into participant values ('p1', 'rare', 'P1', 'H1', 'unknown', '[]', 1, '', '{}', 1, 5, 5, 1, 9223372036854775807);
        insert into order_line values
            ('O1', 'S1', 'p1', 'H1', 'rare', 'wgs', '1', 'in_lab', 1, 0, 'null', '', 80, 90, '{}', 1, 5, 5, 1);
    "#;

    #[tokio::test]
    async fn a_filled_database_is_brought_up_to_date_and_its_omissions_are_found() {
        use crate::store::read::{OmittedFilter, Omitting, Reader};
        let site = tempfile::tempdir().expect("a temporary directory");
        let path = site.path().join("kentai.db");
        let older = SqlitePool::connect_with(options(&path).expect("options").create_if_missing(true)).await;
        let older = older.expect("opened");
        MIGRATIONS.run_to(3, &older).await.expect("as it was before");
        sqlx::raw_sql(FILLED).execute(&older).await.expect("filled");
        older.close().await;
        let reader = Reader::new(Pool::open(&path).await.expect("brought up to date"));
        let filter = OmittedFilter { limit: 10, ..OmittedFilter::default() };
        for (what, wanted) in [
            (Omitting::Specimens, vec!["S2"]),
            (Omitting::Records("item", "extra"), vec!["S1"]),
            (Omitting::Consents, vec!["O1"]),
            (Omitting::Data(79), vec![]),
            (Omitting::Data(80), vec!["O1"]),
            (Omitting::Answers(69), vec![]),
            (Omitting::Answers(70), vec!["n1"]),
            (Omitting::Receipts(74), vec![]),
            (Omitting::Receipts(75), vec!["d1"]),
        ] {
            let found = reader.omitted(what, &filter).await.expect("read");
            assert_eq!(found.iter().map(|row| row.id.as_str()).collect::<Vec<_>>(), wanted, "{what:?}");
            let count = reader.omitted_count(what, &filter).await.expect("counted");
            assert_eq!(usize::try_from(count).ok(), Some(wanted.len()), "{what:?}");
        }
    }
}
