//! Rows of queries that gather from several tables, for lists. No table of ours has these columns.

use sqlx::FromRow;

use crate::id::{RunId, StepKey, SubmissionId};

/// One run of a list.
#[derive(Clone, Debug, FromRow)]
#[expect(missing_docs, reason = "columns; `run_lines.sql` says what they hold")]
pub struct RunLine {
    pub run_id: RunId,
    pub submission_id: SubmissionId,
    pub workflow_id: String,
    pub workflow_version: String,
    pub digest: String,
    pub specimen_id: String,
    pub status: String,
    pub hold: String,
    pub priority: i64,
    pub parent: String,
    pub submitted_by: String,
    pub created_us: i64,
    pub updated_us: i64,
    pub steps_total: i64,
    pub steps_done: i64,
    /// Steps that await a person.
    pub asks: i64,
}

/// A step that says why its run stands where it stands.
#[derive(Clone, Debug, FromRow)]
#[expect(missing_docs, reason = "columns; `run_reasons.sql` says what they hold")]
pub struct StepReason {
    pub run_id: RunId,
    pub step_key: StepKey,
    pub status: String,
    pub detail: String,
}

/// One workflow of a list, without its text.
#[derive(Clone, Debug, FromRow)]
#[expect(missing_docs, reason = "columns; `workflows.sql` says what they hold")]
pub struct WorkflowLine {
    pub digest: String,
    pub workflow_id: String,
    pub version: String,
    pub path: String,
    pub registered: i64,
    pub created_us: i64,
}
