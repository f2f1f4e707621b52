//! Reading for reports: by page and by index, so that a page costs the same however much there is.

use sqlx::sqlite::SqliteRow;
use sqlx::{FromRow, Row};

use super::Reader;
use crate::clock::Micros;
use crate::store::Error;
use crate::store::rows::report::{Omitted, OrderTimes, ProgressLine};

/// A text of `sql/` twice: its rows, and how many there are.
macro_rules! listed {
    ($name:literal) => {
        Query {
            rows: include_str!(concat!("../sql/", $name, ".sql")),
            count: concat!("select count(*) from (\n", include_str!(concat!("../sql/", $name, ".sql")), ") as listed"),
        }
    };
}

#[derive(Clone, Copy)]
struct Query {
    rows: &'static str,
    count: &'static str,
}

const SPECIMENS: Query = listed!("omitted_specimens");
const RECORDS: Query = listed!("omitted_records");
const CONSENTS: Query = listed!("omitted_consents");
const DATA: Query = listed!("omitted_data");
const ANSWERS: Query = listed!("omitted_answers");
const LETTERS: Query = listed!("omitted_letters");
const RECEIPTS: Query = listed!("omitted_receipts");

/// What is looked for. Each is found by an index of its own, which holds little else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Omitting {
    /// Specimens that nothing was ever ordered for.
    Specimens,
    /// Records of a kind (first) in a status (second).
    Records(&'static str, &'static str),
    /// Order lines that go on without consent.
    Consents,
    /// Order lines whose data was expected by this time and is not there.
    Data(Micros),
    /// Notices whose answer was due by this time and is not there.
    Answers(Micros),
    /// Notices of which a letter was given up: those of withdrawals too, or not.
    Letters(bool),
    /// Deliveries whose receipt was due by this time and is not there.
    Receipts(Micros),
}

/// Which part of it.
#[derive(Clone, Debug, Default)]
pub struct OmittedFilter {
    /// Only this institution's.
    pub institution: Option<String>,
    /// Only what follows this: the last row's id, and its due time (which orders only what is late).
    pub after: Option<(i64, String)>,
    /// At most so many.
    pub limit: i64,
}

impl Omitting {
    fn query(self) -> Query {
        match self {
            Self::Specimens => SPECIMENS,
            Self::Records(..) => RECORDS,
            Self::Consents => CONSENTS,
            Self::Data(_) => DATA,
            Self::Answers(_) => ANSWERS,
            Self::Letters(_) => LETTERS,
            Self::Receipts(_) => RECEIPTS,
        }
    }
}

impl Reader {
    /// The tracked items of order lines, by id: at most `limit` of them after `after`.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn progress(
        &self,
        institution: Option<&str>,
        after: &str,
        limit: i64,
    ) -> Result<Vec<ProgressLine>, Error> {
        self.lines(include_str!("../sql/progress.sql"), institution, after, limit).await
    }

    /// When order lines reached their stages, by id: at most `limit` of them after `after`.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn order_times(
        &self,
        institution: Option<&str>,
        after: &str,
        limit: i64,
    ) -> Result<Vec<OrderTimes>, Error> {
        self.lines(include_str!("../sql/order_times.sql"), institution, after, limit).await
    }

    async fn lines<T>(
        &self,
        sql: &'static str,
        institution: Option<&str>,
        after: &str,
        limit: i64,
    ) -> Result<Vec<T>, Error>
    where
        T: for<'r> FromRow<'r, SqliteRow> + Send + Unpin,
    {
        sqlx::query_as(sql)
            .bind(institution)
            .bind(after)
            .bind(limit)
            .fetch_all(&self.pool.read)
            .await
            .map_err(|source| self.pool.error(source))
    }

    /// What is omitted, in the order that the query's text says.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn omitted(&self, what: Omitting, filter: &OmittedFilter) -> Result<Vec<Omitted>, Error> {
        let rows = self.omitting(what.query().rows, what, filter).await?;
        let read = rows.iter().map(Omitted::from_row).collect::<Result<_, _>>();
        read.map_err(|source| self.pool.error(source))
    }

    /// How many are omitted; it counts no further than the filter's limit.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn omitted_count(&self, what: Omitting, filter: &OmittedFilter) -> Result<i64, Error> {
        let rows = self.omitting(what.query().count, what, filter).await?;
        let count = rows.first().map_or(Ok(0), |row| row.try_get(0));
        count.map_err(|source| self.pool.error(source))
    }

    async fn omitting(
        &self,
        sql: &'static str,
        what: Omitting,
        filter: &OmittedFilter,
    ) -> Result<Vec<SqliteRow>, Error> {
        let (due_us, id) = filter.after.as_ref().map_or((i64::MIN, ""), |(due_us, id)| (*due_us, id.as_str()));
        let query = sqlx::query(sql).bind(filter.institution.as_deref()).bind(id).bind(filter.limit);
        let query = match what {
            Omitting::Specimens | Omitting::Consents => query,
            Omitting::Records(kind, status) => query.bind(kind).bind(status),
            Omitting::Data(now) | Omitting::Answers(now) | Omitting::Receipts(now) => query.bind(due_us).bind(now),
            Omitting::Letters(of_withdrawals) => query.bind(i64::from(of_withdrawals)),
        };
        query.fetch_all(&self.pool.read).await.map_err(|source| self.pool.error(source))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::pool::Pool;

    async fn plan(pool: &Pool, sql: &'static str) -> String {
        let rows = sqlx::query(sql).fetch_all(&pool.read).await.expect("explained");
        rows.iter().map(|row| row.get::<String, _>("detail")).collect::<Vec<_>>().join("\n")
    }

    macro_rules! explained {
        ($name:literal) => {
            concat!("explain query plan\n", include_str!(concat!("../sql/", $name, ".sql")))
        };
    }

    /// What a query may walk from end to end: what was narrowed already, and what the caller handed over.
    fn may_scan(line: &str) -> bool {
        line == "SCAN o" || line.starts_with("SCAN m VIRTUAL TABLE")
    }

    #[tokio::test]
    async fn no_query_of_a_report_reads_a_whole_table_or_sorts() {
        let site = tempfile::tempdir().expect("a temporary directory");
        let pool = Pool::open(&site.path().join("kentai.db")).await.expect("opened");
        let wanted: [(&'static str, &[&str]); 12] = [
            (
                explained!("progress"),
                &[
                    "_order_line_1 (order_line_id>?)",
                    "order_line_institution",
                    "record_specimen (specimen_id=? AND kind=?)",
                ],
            ),
            (explained!("order_times"), &["_order_line_1 (order_line_id>?)", "order_line_institution"]),
            (explained!("omitted_specimens"), &["record_unordered (record_id>?)"]),
            (explained!("omitted_records"), &["record_status (kind=? AND status=? AND record_id>?)"]),
            (
                explained!("omitted_consents"),
                &["participant_without_consent (participant_id>?)", "order_line_participant (participant_id=?)"],
            ),
            (explained!("omitted_data"), &["order_line_data_due (expect_us>? AND expect_us<?)"]),
            (explained!("omitted_answers"), &["record_notice_due (<expr>>? AND <expr><?)"]),
            (explained!("omitted_receipts"), &["record_receipt_due (<expr>>? AND <expr><?)"]),
            (explained!("receipts_late"), &["record_receipt_due (<expr><?)"]),
            (explained!("receipt_due_after"), &["record_receipt_due (<expr>>?)"]),
            (explained!("omitted_letters"), &["record_status (kind=? AND status=? AND record_id>?)"]),
            (explained!("mark_ordered"), &["record_id=?"]),
        ];
        for (sql, indexes) in wanted {
            let plan = plan(&pool, sql).await;
            for line in plan.lines().filter(|line| line.starts_with("SCAN")) {
                assert!(may_scan(line), "{sql}\n{plan}");
            }
            assert!(!plan.contains("TEMP B-TREE"), "it sorts:\n{sql}\n{plan}");
            for index in indexes {
                assert!(plan.contains(index), "no {index} in:\n{plan}\n{sql}");
            }
        }
    }
}
