//! Rows of the first page: counts by index, and what waits for a person. No table of ours has these columns.

use sqlx::FromRow;

/// An order line that changed lately.
#[derive(Clone, Debug, FromRow)]
#[expect(missing_docs, reason = "columns; `board_moved.sql` says what they hold")]
pub struct Moved {
    pub stage: String,
    pub created_us: i64,
    /// JSON: stage → when it was reached; none for one that never said.
    pub since: Option<String>,
}

/// What is due, of one stage.
#[derive(Clone, Debug, FromRow)]
#[expect(missing_docs, reason = "columns; `board_due.sql` says what they hold")]
pub struct Due {
    pub stage: String,
    pub late: i64,
    pub soon: i64,
    pub lapsed: i64,
}

/// Deliveries of one receiver in one status.
#[derive(Clone, Debug, FromRow)]
#[expect(missing_docs, reason = "columns; `board_deliveries.sql` says what they hold")]
pub struct DeliveryCount {
    pub owner: String,
    pub status: String,
    pub count: i64,
    pub newest_us: i64,
}

/// An order line that waits for a decision.
#[derive(Clone, Debug, FromRow)]
#[expect(missing_docs, reason = "columns; `needs_orders.sql` says what they hold")]
pub struct NeedyOrder {
    pub order_line_id: String,
    pub specimen_id: String,
    pub run_id: String,
    pub since_us: i64,
}

/// A step that waits for an answer.
#[derive(Clone, Debug, FromRow)]
#[expect(missing_docs, reason = "columns; `needs_steps.sql` says what they hold")]
pub struct NeedyStep {
    pub run_id: String,
    pub specimen_id: String,
    pub order_line_id: String,
    pub step_key: String,
    pub detail: String,
    pub updated_us: i64,
}

/// A run that failed.
#[derive(Clone, Debug, FromRow)]
#[expect(missing_docs, reason = "columns; `needs_runs.sql` says what they hold")]
pub struct NeedyRun {
    pub run_id: String,
    pub specimen_id: String,
    pub updated_us: i64,
}
