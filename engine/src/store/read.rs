//! Reading: one function per question, over the reader pool.

use sqlx::sqlite::SqliteRow;
use sqlx::{FromRow, Row};

use super::{Error, pool::Pool, rows};

mod board;
mod center;
mod kept;
mod list;
mod narrowed;
mod package;
mod page;
mod people;
mod quality;
mod report;
mod run;
mod search;
mod story;
mod withdrawal;

pub use center::{EvaluationFilter, OrderFilter, RecordFilter};
pub use list::{LineFilter, Listing, SpecimenFilter};
pub use narrowed::{DecisionFilter, NoticeFilter};
pub use page::DeliveryFilter;
pub use people::AuditFilter;
pub use quality::{FailureFilter, GateFilter};
pub use report::{OmittedFilter, Omitting};
pub use run::{FileFilter, TaskFilter};

/// Reads rows; cheap to clone.
#[derive(Clone, Debug)]
pub struct Reader {
    pool: Pool,
}

macro_rules! sql {
    ($name:literal) => {
        include_str!(concat!("sql/", $name, ".sql"))
    };
}

/// How to narrow a list of runs.
#[derive(Clone, Debug, Default)]
pub struct RunFilter {
    /// Only this status: the stored word for [`Reader::runs`], the public one for `view::runs`.
    pub status: Option<String>,
    /// Only this specimen.
    pub specimen: Option<String>,
    /// Only this submission.
    pub submission: Option<String>,
    /// Only ids before this one (the last of the page before); [`Reader::runs`] does not look at it.
    pub after: Option<String>,
    /// At most so many; newest first.
    pub limit: i64,
}

impl Reader {
    /// Reads from `pool`.
    #[must_use]
    pub fn new(pool: Pool) -> Self {
        Self { pool }
    }

    async fn all<T>(&self, sql: &'static str, binds: &[&str]) -> Result<Vec<T>, Error>
    where
        T: for<'r> FromRow<'r, SqliteRow> + Send + Unpin,
    {
        let mut query = sqlx::query_as(sql);
        for bind in binds {
            query = query.bind(*bind);
        }
        query.fetch_all(&self.pool.read).await.map_err(|source| self.pool.error(source))
    }

    async fn one<T>(&self, sql: &'static str, bind: &str) -> Result<Option<T>, Error>
    where
        T: for<'r> FromRow<'r, SqliteRow> + Send + Unpin,
    {
        sqlx::query_as(sql).bind(bind).fetch_optional(&self.pool.read).await.map_err(|source| self.pool.error(source))
    }

    /// Ids of runs that are not at their end, in the order in which they may start.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn open_runs(&self) -> Result<Vec<String>, Error> {
        let rows = sqlx::query(sql!("open_runs"))
            .fetch_all(&self.pool.read)
            .await
            .map_err(|source| self.pool.error(source))?;
        Ok(rows.iter().map(|row| row.get(0)).collect())
    }

    /// How many runs of a submission are in each status.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn submission_tally(&self, submission: &str) -> Result<Vec<(String, i64)>, Error> {
        let rows = sqlx::query(sql!("submission_tally"))
            .bind(submission)
            .fetch_all(&self.pool.read)
            .await
            .map_err(|source| self.pool.error(source))?;
        Ok(rows.iter().map(|row| (row.get(0), row.get(1))).collect())
    }

    /// The run with this id, or the only one whose id begins so.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn run(&self, id: &str) -> Result<Option<rows::Run>, Error> {
        self.one(sql!("run"), id).await
    }

    /// Runs whose id begins with `prefix` (at most 2: enough to know that it is ambiguous).
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn runs_like(&self, prefix: &str) -> Result<Vec<rows::Run>, Error> {
        self.all(sql!("runs_like"), &[prefix]).await
    }

    /// The run that was made for this intent.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn run_by_intent(&self, intent: &str) -> Result<Option<rows::Run>, Error> {
        self.one(sql!("run_by_intent"), intent).await
    }

    /// Runs, newest first.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn runs(&self, filter: &RunFilter) -> Result<Vec<rows::Run>, Error> {
        sqlx::query_as(sql!("runs"))
            .bind(&filter.status)
            .bind(&filter.specimen)
            .bind(&filter.submission)
            .bind(filter.limit)
            .fetch_all(&self.pool.read)
            .await
            .map_err(|source| self.pool.error(source))
    }

    /// Steps of a run in plan order.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn steps(&self, run: &str) -> Result<Vec<rows::Step>, Error> {
        self.all(sql!("steps"), &[run]).await
    }

    /// Attempts of a run, oldest first.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn attempts(&self, run: &str) -> Result<Vec<rows::Attempt>, Error> {
        self.all(sql!("attempts"), &[run]).await
    }

    /// Attempt ids that are terminal and whose directories may be removed: ended before `before_us`.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn open_attempts(&self) -> Result<Vec<rows::Attempt>, Error> {
        self.all(sql!("open_attempts"), &[]).await
    }

    /// One attempt.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn attempt(&self, id: &str) -> Result<Option<rows::Attempt>, Error> {
        self.one(sql!("attempt"), id).await
    }

    /// Events of a run in order.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn events(&self, run: &str) -> Result<Vec<rows::Event>, Error> {
        self.all(sql!("events"), &[run]).await
    }

    /// A submission by its intent.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn submission_by_intent(&self, intent: &str) -> Result<Option<rows::Submission>, Error> {
        self.one(sql!("submission_by_intent"), intent).await
    }

    /// A submission by id.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn submission(&self, id: &str) -> Result<Option<rows::Submission>, Error> {
        self.one(sql!("submission"), id).await
    }

    /// A workflow by the digest of its text.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn workflow(&self, digest: &str) -> Result<Option<rows::Workflow>, Error> {
        self.one(sql!("workflow"), digest).await
    }

    /// Registered workflows, newest first.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn registered_workflows(&self) -> Result<Vec<rows::Workflow>, Error> {
        self.all(sql!("registered_workflows"), &[]).await
    }

    /// Specimens by id.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn specimens(&self) -> Result<Vec<rows::Specimen>, Error> {
        self.all(sql!("specimens"), &[]).await
    }

    /// One specimen.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn specimen(&self, id: &str) -> Result<Option<rows::Specimen>, Error> {
        self.one(sql!("specimen"), id).await
    }

    /// Deliveries, newest first.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn deliveries(&self) -> Result<Vec<rows::Delivery>, Error> {
        self.all(sql!("deliveries"), &[]).await
    }

    /// Deliveries of a run.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn deliveries_of(&self, run: &str) -> Result<Vec<rows::Delivery>, Error> {
        self.all(sql!("deliveries_of"), &[run]).await
    }

    /// Decisions about a run in order.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn decisions(&self, run: &str) -> Result<Vec<rows::Decision>, Error> {
        self.all(sql!("decisions"), &[run]).await
    }

    /// Measurements of a run.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn measurements(&self, run: &str) -> Result<Vec<rows::Measurement>, Error> {
        self.all(sql!("measurements"), &[run]).await
    }

    /// Artifacts that a run made.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn made(&self, run: &str) -> Result<Vec<rows::Made>, Error> {
        self.all(sql!("made"), &[run]).await
    }

    /// Child runs of `call` steps (the parent's document names run and step).
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn children(&self, parent: &str) -> Result<Vec<rows::Run>, Error> {
        self.all(sql!("children"), &[parent]).await
    }
}
