//! Reading for control charts, failures and capacity: what is newest, by an index in that order.

use sqlx::Row;

use super::Reader;
use super::page::id_object;
use crate::clock::Micros;
use crate::store::Error;
use crate::store::rows::center::Record;
use crate::store::rows::quality::{FailedAttempt, FailureCount, GateValue, Grown, MadeOf, ResourcesUsed, Taken};
use crate::store::rows::{self};

/// After every id.
const LAST: &str = "\u{10ffff}";

/// Which values of a tracked metric.
#[derive(Clone, Debug, Default)]
pub struct GateFilter {
    /// Metric.
    pub metric: String,
    /// Only what was measured then or later, microseconds.
    pub since_us: Micros,
    /// Only of this workflow.
    pub workflow: Option<String>,
    /// Only of this specimen.
    pub specimen: Option<String>,
    /// At most so many, the newest.
    pub limit: i64,
}

/// Which failures.
#[derive(Clone, Debug, Default)]
pub struct FailureFilter {
    /// Only what failed then or later, microseconds.
    pub since_us: Micros,
    /// Only of this cause.
    pub cause: Option<String>,
    /// Only of this workflow.
    pub workflow: Option<String>,
    /// Only of this step.
    pub step: Option<String>,
    /// Only what comes after this time and attempt.
    pub after: Option<(Micros, String)>,
    /// At most so many, the newest.
    pub limit: i64,
}

impl Reader {
    /// Metrics that gates track, by name.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn gate_metrics(&self) -> Result<Vec<String>, Error> {
        let found = sqlx::query(include_str!("../sql/gate_metrics.sql")).fetch_all(&self.pool.read).await;
        let rows = found.map_err(|source| self.pool.error(source))?;
        Ok(rows.iter().map(|row| row.get(0)).collect())
    }

    /// Values of a tracked metric, the newest first.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn gate_values(&self, filter: &GateFilter) -> Result<Vec<GateValue>, Error> {
        let sql = match filter.specimen {
            None => include_str!("../sql/gate_values.sql"),
            Some(_) => include_str!("../sql/control_values.sql"),
        };
        let query = sqlx::query_as(sql).bind(&filter.metric).bind(filter.since_us).bind(&filter.workflow);
        let query = query.bind(filter.limit);
        let query = if filter.specimen.is_some() { query.bind(&filter.specimen) } else { query };
        query.fetch_all(&self.pool.read).await.map_err(|source| self.pool.error(source))
    }

    /// Libraries of these specimens and their data on lanes, oldest first.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn made_of(&self, specimens: &[String]) -> Result<Vec<MadeOf>, Error> {
        self.all(include_str!("../sql/made_of.sql"), &[&id_object(specimens)]).await
    }

    /// What people decided about gates since then, the newest first.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn qc_decisions(&self, since_us: Micros, limit: i64) -> Result<Vec<rows::Decision>, Error> {
        let query = sqlx::query_as(include_str!("../sql/qc_decisions.sql")).bind(since_us).bind(limit);
        query.fetch_all(&self.pool.read).await.map_err(|source| self.pool.error(source))
    }

    /// Records of a kind whose ids sort by time, the newest first.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn newest_first(
        &self,
        kind: &str,
        status: Option<&str>,
        before: Option<&str>,
        limit: i64,
    ) -> Result<Vec<Record>, Error> {
        sqlx::query_as(include_str!("../sql/newest_first.sql"))
            .bind(kind)
            .bind(status)
            .bind(before.unwrap_or(LAST))
            .bind(limit)
            .fetch_all(&self.pool.read)
            .await
            .map_err(|source| self.pool.error(source))
    }

    /// Failures since `since_us`, counted by cause, workflow and step; `newer_us` parts them.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn failure_counts(&self, since_us: Micros, newer_us: Micros) -> Result<Vec<FailureCount>, Error> {
        let query = sqlx::query_as(include_str!("../sql/failure_counts.sql")).bind(since_us).bind(newer_us);
        query.fetch_all(&self.pool.read).await.map_err(|source| self.pool.error(source))
    }

    /// Attempts that failed, the newest first.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn failures(&self, filter: &FailureFilter) -> Result<Vec<FailedAttempt>, Error> {
        let (at, id) = filter.after.clone().unwrap_or((Micros::MAX, LAST.to_owned()));
        sqlx::query_as(include_str!("../sql/failures.sql"))
            .bind(filter.since_us)
            .bind(&filter.cause)
            .bind(&filter.workflow)
            .bind(&filter.step)
            .bind(at)
            .bind(id)
            .bind(filter.limit)
            .fetch_all(&self.pool.read)
            .await
            .map_err(|source| self.pool.error(source))
    }

    /// What the newest attempts asked for, were granted and used, by workflow and step; `looked_at` attempts are read.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn resources_used(&self, looked_at: i64) -> Result<Vec<ResourcesUsed>, Error> {
        let query = sqlx::query_as(include_str!("../sql/resources_used.sql")).bind(looked_at);
        query.fetch_all(&self.pool.read).await.map_err(|source| self.pool.error(source))
    }

    /// What came into the store since then, by day.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn grown(&self, since_us: Micros) -> Result<Vec<Grown>, Error> {
        let query = sqlx::query_as(include_str!("../sql/grown.sql")).bind(since_us);
        query.fetch_all(&self.pool.read).await.map_err(|source| self.pool.error(source))
    }

    /// What open attempts have asked for, by executor.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn taken(&self) -> Result<Vec<Taken>, Error> {
        self.all(include_str!("../sql/taken.sql"), &[]).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::pool::Pool;

    macro_rules! explained {
        ($name:literal) => {
            concat!("explain query plan\n", include_str!(concat!("../sql/", $name, ".sql")))
        };
    }

    #[tokio::test]
    async fn what_is_newest_is_read_by_an_index_in_that_order() {
        let site = tempfile::tempdir().expect("a temporary directory");
        let pool = Pool::open(&site.path().join("kentai.db")).await.expect("opened");
        // The second: whether it may sort what it found (few rows of one specimen, or counts that are kept for a while).
        let wanted: [(&'static str, &str, bool); 10] = [
            (explained!("gate_metrics"), "measurement_tracked", false),
            (explained!("gate_values"), "measurement_tracked (metric=? AND at_us>?)", false),
            (explained!("control_values"), "run_of_specimen (specimen_id=?)", false),
            (explained!("control_values"), "sqlite_autoindex_measurement_1 (run_id=?", false),
            (explained!("made_of"), "record_specimen (specimen_id=?)", true),
            (explained!("qc_decisions"), "decision_qc (at_us>?)", false),
            (explained!("newest_first"), "sqlite_autoindex_record_1 (kind=? AND record_id<?)", false),
            (explained!("failures"), "attempt_failed (", false),
            (explained!("failure_counts"), "attempt_failed (updated_us>?)", true),
            (explained!("grown"), "artifact_created (created_us>?)", true),
        ];
        for (sql, index, may_sort) in wanted {
            let rows = sqlx::query(sql).fetch_all(&pool.read).await.expect("explained");
            let plan = rows.iter().map(|row| row.get::<String, _>("detail")).collect::<Vec<_>>().join("\n");
            assert!(plan.contains(index), "no {index} in:\n{plan}\n{sql}");
            assert!(may_sort || !plan.contains("TEMP B-TREE"), "it sorts:\n{plan}\n{sql}");
            let whole = |line: &&str| {
                line.starts_with("SCAN") && !line.starts_with("SCAN m VIRTUAL") && !line.contains("SCAN f")
            };
            let whole: Vec<&str> = plan.lines().filter(whole).filter(|line| !line.contains("CONSTANT ROW")).collect();
            assert!(whole.iter().all(|line| line.contains("SCAN found")), "it reads a whole table:\n{plan}\n{sql}");
        }
    }
}
