//! Reading lists: by key, never by offset, so that a page costs the same wherever it lies.

use sqlx::Row;

use super::{Reader, RunFilter};
use crate::store::Error;
use crate::store::rows::{self, line};

/// How to narrow a list of deliveries.
#[derive(Clone, Debug, Default)]
pub struct DeliveryFilter {
    /// Only this specimen.
    pub specimen: Option<String>,
    /// Only this target.
    pub target: Option<String>,
    /// Only this status.
    pub status: Option<String>,
    /// Only those whose receipt was due before this time and is not there.
    pub late_us: Option<i64>,
    /// Only ids before this one.
    pub after: Option<String>,
    /// At most so many; newest first.
    pub limit: i64,
}

impl Reader {
    /// Ids of runs in a public state (`statuses`: the stored ones that it can be made of), newest first.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn run_ids(&self, filter: &RunFilter, statuses: (&str, &str)) -> Result<Vec<String>, Error> {
        let rows = sqlx::query(include_str!("../sql/run_ids.sql"))
            .bind(&filter.status)
            .bind(&filter.specimen)
            .bind(&filter.submission)
            .bind(&filter.after)
            .bind(filter.limit)
            .bind(statuses.0)
            .bind(statuses.1)
            .fetch_all(&self.pool.read)
            .await
            .map_err(|source| self.pool.error(source))?;
        Ok(rows.iter().map(|row| row.get(0)).collect())
    }

    /// These runs as lists show them, newest first; who is not there is left out.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn run_lines(&self, ids: &[String]) -> Result<Vec<line::RunLine>, Error> {
        self.all(include_str!("../sql/run_lines.sql"), &[&id_object(ids)]).await
    }

    /// Steps that say why these runs stand where they stand, in plan order.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn run_reasons(&self, ids: &[String]) -> Result<Vec<line::StepReason>, Error> {
        self.all(include_str!("../sql/run_reasons.sql"), &[&id_object(ids)]).await
    }

    /// Attempt id and event document of every attempt of a run that ended without outputs.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn attempt_reasons(&self, run: &str) -> Result<Vec<(String, String)>, Error> {
        self.all(include_str!("../sql/attempt_reasons.sql"), &[run]).await
    }

    /// Events of a run after the one numbered `after`.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn events_after(&self, run: &str, after: i64, limit: i64) -> Result<Vec<rows::Event>, Error> {
        sqlx::query_as(include_str!("../sql/events_after.sql"))
            .bind(run)
            .bind(after)
            .bind(limit)
            .fetch_all(&self.pool.read)
            .await
            .map_err(|source| self.pool.error(source))
    }

    /// Specimens after the one named `after`, by id.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn specimens_page(&self, after: Option<&str>, limit: i64) -> Result<Vec<rows::Specimen>, Error> {
        sqlx::query_as(include_str!("../sql/specimens_page.sql"))
            .bind(after)
            .bind(limit)
            .fetch_all(&self.pool.read)
            .await
            .map_err(|source| self.pool.error(source))
    }

    /// Deliveries, newest first.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn deliveries_page(&self, filter: &DeliveryFilter) -> Result<Vec<rows::Delivery>, Error> {
        sqlx::query_as(include_str!("../sql/deliveries_page.sql"))
            .bind(&filter.specimen)
            .bind(&filter.target)
            .bind(&filter.status)
            .bind(&filter.after)
            .bind(filter.limit)
            .bind(filter.late_us)
            .fetch_all(&self.pool.read)
            .await
            .map_err(|source| self.pool.error(source))
    }

    /// One delivery.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn delivery(&self, id: &str) -> Result<Option<rows::Delivery>, Error> {
        self.one(include_str!("../sql/delivery.sql"), id).await
    }

    /// Every workflow that is known here, newest first.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn workflows(&self) -> Result<Vec<line::WorkflowLine>, Error> {
        self.all(include_str!("../sql/workflows.sql"), &[]).await
    }

    /// A page of them: those before a time, or of it and behind a digest.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn workflows_page(
        &self,
        (before_us, digest): (i64, &str),
        limit: i64,
    ) -> Result<Vec<line::WorkflowLine>, Error> {
        sqlx::query_as(include_str!("../sql/workflows_page.sql"))
            .bind(before_us)
            .bind(digest)
            .bind(limit)
            .fetch_all(&self.pool.read)
            .await
            .map_err(|source| self.pool.error(source))
    }
}

/// Ids as `json_each` reads them alike on both databases: `{"0": {"id": …}, …}`.
pub(super) fn id_object(ids: &[String]) -> String {
    let object: serde_json::Map<String, serde_json::Value> =
        ids.iter().enumerate().map(|(index, id)| (index.to_string(), serde_json::json!({ "id": id }))).collect();
    serde_json::Value::Object(object).to_string()
}
