//! Rows of queries about one run: tallies and files. No table of ours has these columns.

use sqlx::FromRow;

use crate::id::{AttemptId, StepKey};

/// How many steps of a logical step are in one status.
#[derive(Clone, Debug, FromRow)]
#[expect(missing_docs, reason = "columns; `run_tally.sql` says what they hold")]
pub struct Tally {
    pub step: String,
    pub status: String,
    pub steps: i64,
    pub heads: i64,
    pub warned: i64,
    pub again: i64,
    pub position: i64,
    pub first_us: i64,
    pub last_us: i64,
}

/// One file that a run made.
#[derive(Clone, Debug, FromRow)]
#[expect(missing_docs, reason = "columns; `run_files.sql` says what they hold")]
pub struct RunFile {
    pub attempt_id: AttemptId,
    pub step_key: StepKey,
    pub output: String,
    pub position: i64,
    pub name: String,
    pub sha256: String,
    pub size: i64,
    pub dir: i64,
    pub sealed: String,
}
