//! Rows of the center: participants, order lines, and every other record as one typed document.

use serde::Serialize;
use sqlx::FromRow;

/// `participant`
#[derive(Clone, Debug, Serialize, FromRow)]
#[expect(missing_docs, reason = "columns; the migration says what they hold")]
pub struct Participant {
    pub participant_id: String,
    pub program: String,
    pub pseudonym: String,
    pub institution: String,
    pub consent: String,
    pub scopes: String,
    pub consent_epoch: i64,
    pub family: String,
    pub document: String,
    pub events: i64,
    pub created_us: i64,
    pub updated_us: i64,
    pub version: i64,
    pub expires_us: i64,
}

/// `order_line`
#[derive(Clone, Debug, Serialize, FromRow)]
#[expect(missing_docs, reason = "columns; the migration says what they hold")]
pub struct OrderLine {
    pub order_line_id: String,
    pub specimen_id: String,
    pub participant_id: String,
    pub institution: String,
    pub program: String,
    pub assay: String,
    pub assay_version: String,
    pub stage: String,
    pub round: i64,
    pub priority: i64,
    pub hold: String,
    pub run_id: String,
    pub expect_us: i64,
    pub due_us: i64,
    pub document: String,
    pub events: i64,
    pub created_us: i64,
    pub updated_us: i64,
    pub version: i64,
}

/// `record`
#[derive(Clone, Debug, Serialize, FromRow)]
#[expect(missing_docs, reason = "columns; the migration says what they hold")]
pub struct Record {
    pub kind: String,
    pub record_id: String,
    pub parent: String,
    pub specimen_id: String,
    pub owner: String,
    pub status: String,
    pub document: String,
    pub events: i64,
    pub created_us: i64,
    pub updated_us: i64,
    pub version: i64,
}

/// `name`
#[derive(Clone, Debug, Serialize, FromRow)]
#[expect(missing_docs, reason = "columns; the migration says what they hold")]
pub struct Name {
    pub kind: String,
    pub name: String,
    pub record_id: String,
}

/// For which state of consent something was decided.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[expect(missing_docs, reason = "columns of `participant`")]
pub struct ConsentGuard {
    pub participant_id: String,
    pub consent_epoch: i64,
}

/// How many order lines stand in a stage, and how old the middle one is.
#[derive(Clone, Debug, FromRow)]
#[expect(missing_docs, reason = "columns; `stage_counts.sql` says what they hold")]
pub struct StageCount {
    pub stage: String,
    pub count: i64,
    pub oldest_us: i64,
}

/// What was measured of an order line, with the order line's own columns beside it.
#[derive(Clone, Debug, FromRow)]
#[expect(missing_docs, reason = "columns; `evaluations.sql` says what they hold")]
pub struct OrderEvaluation {
    pub evaluation_id: String,
    pub order_line_id: String,
    pub specimen_id: String,
    pub assay: String,
    pub assay_version: String,
    pub order_document: String,
    pub document: String,
    pub created_us: i64,
}
