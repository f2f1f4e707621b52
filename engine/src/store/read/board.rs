//! Reading for the first page. What goes over all of something walks an index and no row; it is asked once for all readers.

use sqlx::FromRow;
use sqlx::sqlite::SqliteRow;

use super::Reader;
use crate::clock::Micros;
use crate::store::Error;
use crate::store::rows::board::{DeliveryCount, Due, Moved, NeedyOrder, NeedyRun, NeedyStep};
use crate::store::rows::center::{OrderLine, Record};

impl Reader {
    /// Since when the order line stands in a stage before which `skip` others stand there longer.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn stage_since(&self, stage: &str, skip: i64) -> Result<Option<Micros>, Error> {
        sqlx::query_scalar(include_str!("../sql/board_middle.sql"))
            .bind(stage)
            .bind(skip)
            .fetch_optional(&self.pool.read)
            .await
            .map_err(|source| self.pool.error(source))
    }

    /// How many order lines of a stage expected something by now.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn stage_lapsed(&self, stage: &str, now: Micros) -> Result<i64, Error> {
        sqlx::query_scalar(include_str!("../sql/board_lapsed.sql"))
            .bind(stage)
            .bind(now)
            .fetch_one(&self.pool.read)
            .await
            .map_err(|source| self.pool.error(source))
    }

    /// Order lines of a stage that changed since then.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn moved(&self, stage: &str, since: Micros) -> Result<Vec<Moved>, Error> {
        sqlx::query_as(include_str!("../sql/board_moved.sql"))
            .bind(stage)
            .bind(since)
            .fetch_all(&self.pool.read)
            .await
            .map_err(|source| self.pool.error(source))
    }

    /// How many order lines of each stage are late, due until `soon`, and have lapsed beside.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn due_counts(&self, now: Micros, soon: Micros) -> Result<Vec<Due>, Error> {
        self.two(include_str!("../sql/board_due.sql"), now, soon).await
    }

    /// Order lines whose whole order is due by then, the longest ago first.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn due(&self, until: Micros, limit: i64) -> Result<Vec<OrderLine>, Error> {
        self.two(include_str!("../sql/due.sql"), until, limit).await
    }

    /// Deliveries by receiver and status.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn delivery_counts(&self) -> Result<Vec<DeliveryCount>, Error> {
        self.all(include_str!("../sql/board_deliveries.sql"), &[]).await
    }

    /// Since when the oldest delivery of each receiver waits for its receipt.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn unanswered(&self) -> Result<Vec<(String, Micros)>, Error> {
        self.all(include_str!("../sql/board_unanswered.sql"), &[]).await
    }

    /// Order lines of a stage that nobody holds, those that have been there longest first.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn needy_orders(&self, stage: &str, limit: i64) -> Result<Vec<NeedyOrder>, Error> {
        sqlx::query_as(include_str!("../sql/needs_orders.sql"))
            .bind(stage)
            .bind(limit)
            .fetch_all(&self.pool.read)
            .await
            .map_err(|source| self.pool.error(source))
    }

    /// Steps of open runs that wait for a person's answer.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn needy_steps(&self, limit: i64) -> Result<Vec<NeedyStep>, Error> {
        self.numbered(include_str!("../sql/needs_steps.sql"), limit).await
    }

    /// Failed runs of no order line that nobody has answered by another run.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn needy_runs(&self, limit: i64) -> Result<Vec<NeedyRun>, Error> {
        self.numbered(include_str!("../sql/needs_runs.sql"), limit).await
    }

    /// Deliveries whose receipt was due by now and is not there.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn receipts_due(&self, now: Micros, limit: i64) -> Result<Vec<Record>, Error> {
        self.two(include_str!("../sql/needs_receipts.sql"), now, limit).await
    }

    /// How many runs stand in each status.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn run_counts(&self) -> Result<Vec<(String, i64)>, Error> {
        self.all(include_str!("../sql/run_counts.sql"), &[]).await
    }

    /// How many instrument runs, shipments, cases, schedules and notices stand in each status: kind, status, how many.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn record_counts(&self) -> Result<Vec<(String, String, i64)>, Error> {
        self.all(include_str!("../sql/record_counts.sql"), &[]).await
    }

    /// The newest records of a kind.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn newest_records(&self, kind: &str, limit: i64) -> Result<Vec<Record>, Error> {
        sqlx::query_as(include_str!("../sql/newest_records.sql"))
            .bind(kind)
            .bind(limit)
            .fetch_all(&self.pool.read)
            .await
            .map_err(|source| self.pool.error(source))
    }

    /// Why attempts failed since then: cause, how many.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn causes_since(&self, since_us: Micros) -> Result<Vec<(String, i64)>, Error> {
        self.numbered(include_str!("../sql/causes_since.sql"), since_us).await
    }

    /// Bytes that the newest attempts asked for, bytes that they used, and how many of them say both.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn newest_memory(&self, looked_at: i64) -> Result<(i64, i64, i64), Error> {
        let rows = self.numbered(include_str!("../sql/newest_memory.sql"), looked_at).await?;
        Ok(rows.into_iter().next().unwrap_or_default())
    }

    async fn numbered<T>(&self, sql: &'static str, number: i64) -> Result<Vec<T>, Error>
    where
        T: for<'r> FromRow<'r, SqliteRow> + Send + Unpin,
    {
        let rows = sqlx::query_as(sql).bind(number).fetch_all(&self.pool.read).await;
        rows.map_err(|source| self.pool.error(source))
    }

    async fn two<T>(&self, sql: &'static str, one: i64, other: i64) -> Result<Vec<T>, Error>
    where
        T: for<'r> FromRow<'r, SqliteRow> + Send + Unpin,
    {
        let rows = sqlx::query_as(sql).bind(one).bind(other).fetch_all(&self.pool.read).await;
        rows.map_err(|source| self.pool.error(source))
    }
}

#[cfg(test)]
mod tests {
    use sqlx::Row;

    use crate::store::pool::Pool;

    macro_rules! explained {
        ($name:literal) => {
            concat!("explain query plan\n", include_str!(concat!("../sql/", $name, ".sql")))
        };
    }

    #[tokio::test]
    async fn what_the_first_page_asks_is_answered_by_an_index() {
        let site = tempfile::tempdir().expect("a temporary directory");
        let pool = Pool::open(&site.path().join("kentai.db")).await.expect("opened");
        let wanted: [(&'static str, &str); 14] = [
            (explained!("board_middle"), "order_line_since (stage=?)"),
            (explained!("board_lapsed"), "COVERING INDEX order_line_lapses (stage=? AND expect_us<?)"),
            (explained!("board_moved"), "order_line_age (stage=? AND updated_us>?)"),
            (explained!("board_due"), "COVERING INDEX order_line_due (due_us<?)"),
            (explained!("due"), "order_line_due (due_us<?)"),
            (explained!("board_deliveries"), "COVERING INDEX record_delivery_board"),
            (explained!("board_unanswered"), "INDEX record_delivery_board"),
            (explained!("needs_orders"), "order_line_since (stage=?)"),
            (explained!("needs_steps"), "run_open (status=?)"),
            (explained!("needs_runs"), "run_open (status=?)"),
            (explained!("needs_receipts"), "record_receipt_due (<expr><?)"),
            (explained!("run_counts"), "COVERING INDEX run_open"),
            (explained!("record_counts"), "COVERING INDEX record_status (kind=?)"),
            (explained!("newest_records"), "sqlite_autoindex_record_1 (kind=?)"),
        ];
        for (sql, index) in wanted {
            let rows = sqlx::query(sql).fetch_all(&pool.read).await.expect("explained");
            let plan = rows.iter().map(|row| row.get::<String, _>("detail")).collect::<Vec<_>>().join("\n");
            assert!(plan.contains(index), "no {index} in:\n{plan}\n{sql}");
            // Only what counts all runs or all deliveries walks an index from end to end.
            assert!(!plan.contains("SCAN") || plan.contains("record_") || plan.contains("run_open"), "{sql}\n{plan}");
        }
    }
}
