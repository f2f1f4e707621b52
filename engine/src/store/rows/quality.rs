//! Rows of control charts, failures and capacity: gathered from several tables, or counted. No table of ours has these columns.

use sqlx::FromRow;

/// One value of a tracked metric.
#[derive(Clone, Debug, FromRow)]
#[expect(missing_docs, reason = "columns; `gate_values.sql` says what they hold")]
pub struct GateValue {
    pub run_id: String,
    pub step_key: String,
    /// JSON number, or null.
    pub value: String,
    pub unit: String,
    pub verdict: String,
    pub at_us: i64,
    pub specimen_id: String,
    pub order_line_id: String,
    pub workflow_id: String,
    pub workflow_version: String,
}

/// A library of a specimen, or its data on a lane.
#[derive(Clone, Debug, FromRow)]
#[expect(missing_docs, reason = "columns; `made_of.sql` says what they hold")]
pub struct MadeOf {
    pub specimen_id: String,
    pub kind: String,
    pub record_id: String,
    pub kit: String,
    pub created_us: i64,
}

/// Failures of one cause in one step of a workflow.
#[derive(Clone, Debug, FromRow)]
#[expect(missing_docs, reason = "columns; `failure_counts.sql` says what they hold")]
pub struct FailureCount {
    pub cause: String,
    pub workflow_id: String,
    pub step: String,
    pub count: i64,
    pub newer: i64,
    pub runs: i64,
    pub newest_us: i64,
}

/// One attempt that failed.
#[derive(Clone, Debug, FromRow)]
#[expect(missing_docs, reason = "columns; `failures.sql` says what they hold")]
pub struct FailedAttempt {
    pub attempt_id: String,
    pub run_id: String,
    pub step_key: String,
    pub number: i64,
    pub executor: String,
    pub cause: String,
    pub updated_us: i64,
    pub specimen_id: String,
    pub workflow_id: String,
    pub workflow_version: String,
}

/// What attempts of one step asked for, were granted and used.
#[derive(Clone, Debug, FromRow)]
#[expect(missing_docs, reason = "columns; `resources_used.sql` says what they hold")]
pub struct ResourcesUsed {
    pub workflow_id: String,
    pub step: String,
    pub count: i64,
    pub asked_most: i64,
    pub granted_most: Option<i64>,
    pub used_most: i64,
    pub took_us: i64,
    pub held_mib_ms: i64,
    pub cpus_asked_most: i64,
    pub cpus_granted_most: Option<i64>,
    pub cores_used_milli: i64,
    pub idle_core_ms: i64,
}

/// What came into the store on one day.
#[derive(Clone, Copy, Debug, FromRow)]
#[expect(missing_docs, reason = "columns; `grown.sql` says what they hold")]
pub struct Grown {
    pub day: i64,
    pub files: i64,
    pub bytes: i64,
}

/// What open attempts of an executor have asked for.
#[derive(Clone, Debug, FromRow)]
#[expect(missing_docs, reason = "columns; `taken.sql` says what they hold")]
pub struct Taken {
    pub executor: String,
    pub status: String,
    pub count: i64,
    pub cpus: i64,
    pub memory_bytes: i64,
}
