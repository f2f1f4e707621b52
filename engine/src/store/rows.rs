//! Rows as the database holds them: text and numbers only. A promise; changing one is a migration.

pub mod board;
pub mod center;
pub mod detail;
pub mod kept;
pub mod line;
pub mod quality;
pub mod report;
pub mod run;

use serde::Serialize;
use sqlx::FromRow;

use crate::id::{AttemptId, DeliveryId, RunId, StepKey, SubmissionId};

/// `workflow`
#[derive(Clone, Debug, Serialize, FromRow)]
#[expect(missing_docs, reason = "columns; the migration says what they hold")]
pub struct Workflow {
    pub digest: String,
    pub workflow_id: String,
    pub version: String,
    pub path: String,
    pub source: String,
    pub called: String,
    pub registered: i64,
    pub created_us: i64,
}

/// `specimen`
#[derive(Clone, Debug, Serialize, FromRow)]
#[expect(missing_docs, reason = "columns; the migration says what they hold")]
pub struct Specimen {
    pub specimen_id: String,
    pub document: String,
    pub source: String,
    pub created_us: i64,
    pub updated_us: i64,
}

/// `submission`
#[derive(Clone, Debug, Serialize, FromRow)]
#[expect(missing_docs, reason = "columns; the migration says what they hold")]
pub struct Submission {
    pub submission_id: SubmissionId,
    pub intent: String,
    pub digest: String,
    pub params: String,
    pub images: String,
    pub submitted_by: String,
    pub created_us: i64,
}

/// `run`
#[derive(Clone, Debug, Serialize, FromRow)]
#[expect(missing_docs, reason = "columns; the migration says what they hold")]
pub struct Run {
    pub run_id: RunId,
    pub submission_id: SubmissionId,
    pub intent: String,
    pub specimen_id: String,
    pub digest: String,
    pub status: String,
    pub hold: String,
    pub priority: i64,
    pub parent: String,
    pub plan: String,
    pub steps_left: i64,
    pub attempts_made: i64,
    pub events: i64,
    pub submitted_by: String,
    pub created_us: i64,
    pub updated_us: i64,
    pub version: i64,
    pub order_line_id: String,
    pub participant_id: String,
}

/// `step`
#[derive(Clone, Debug, Serialize, FromRow)]
#[expect(missing_docs, reason = "columns; the migration says what they hold")]
pub struct Step {
    pub run_id: RunId,
    pub step_key: StepKey,
    pub position: i64,
    pub step: String,
    pub status: String,
    pub outputs: String,
    pub detail: String,
    pub updated_us: i64,
    pub version: i64,
}

/// `attempt`
#[derive(Clone, Debug, Serialize, FromRow)]
#[expect(missing_docs, reason = "columns; the migration says what they hold")]
pub struct Attempt {
    pub attempt_id: AttemptId,
    pub run_id: RunId,
    pub step_key: StepKey,
    pub number: i64,
    pub round: i64,
    pub status: String,
    pub executor: String,
    pub task: String,
    pub expected: String,
    pub cause: String,
    pub evidence: String,
    pub log_bytes: i64,
    pub epoch: i64,
    pub created_us: i64,
    pub updated_us: i64,
    pub version: i64,
}

/// `event`
#[derive(Clone, Debug, Serialize, FromRow)]
#[expect(missing_docs, reason = "columns; the migration says what they hold")]
pub struct Event {
    /// Given by the writer, as `hash` is.
    pub seq: i64,
    pub stream: String,
    pub n: i64,
    pub at_us: i64,
    pub kind: String,
    pub subject: String,
    pub actor: String,
    pub role: String,
    pub body: String,
    pub hash: String,
}

/// `artifact`
#[derive(Clone, Debug, Serialize, FromRow)]
#[expect(missing_docs, reason = "columns; the migration says what they hold")]
pub struct Artifact {
    pub sha256: String,
    pub size: i64,
    pub dir: i64,
    pub created_us: i64,
    /// The withdrawal case that sealed it, or empty.
    pub sealed: String,
}

/// `made`
#[derive(Clone, Debug, Serialize, FromRow)]
#[expect(missing_docs, reason = "columns; the migration says what they hold")]
pub struct Made {
    pub attempt_id: AttemptId,
    pub run_id: RunId,
    pub step_key: StepKey,
    pub output: String,
    pub position: i64,
    pub name: String,
    pub sha256: String,
}

/// `decision`
#[derive(Clone, Debug, Serialize, FromRow)]
#[expect(missing_docs, reason = "columns; the migration says what they hold")]
pub struct Decision {
    pub decision_id: String,
    pub run_id: RunId,
    pub step_key: StepKey,
    pub kind: String,
    pub verdict: String,
    pub reason: String,
    pub person: String,
    pub roles: String,
    pub bound: String,
    pub at_us: i64,
}

/// `measurement`
#[derive(Clone, Debug, Serialize, FromRow)]
#[expect(missing_docs, reason = "columns; the migration says what they hold")]
pub struct Measurement {
    pub run_id: RunId,
    pub step_key: StepKey,
    pub metric: String,
    pub item: String,
    pub value: String,
    pub unit: String,
    pub verdict: String,
    pub tracked: i64,
    pub at_us: i64,
}

/// `delivery`
#[derive(Clone, Debug, Serialize, FromRow)]
#[expect(missing_docs, reason = "columns; the migration says what they hold")]
pub struct Delivery {
    pub delivery_id: DeliveryId,
    pub run_id: RunId,
    pub step_key: StepKey,
    pub specimen_id: String,
    pub target: String,
    pub status: String,
    pub content: String,
    pub parcel: String,
    pub place: String,
    pub manifest_sha256: String,
    pub created_us: i64,
    pub updated_us: i64,
}

/// `package_file`
#[derive(Clone, Debug, Serialize, FromRow)]
#[expect(missing_docs, reason = "columns; the migration says what they hold")]
pub struct PackageFile {
    pub delivery_id: DeliveryId,
    pub path: String,
    pub size: i64,
    pub sha256: String,
    pub md5: String,
    pub artifact: String,
    pub header: String,
    pub plain_size: i64,
    pub plain_md5: String,
    pub content: String,
    pub created_us: i64,
}

/// `feed`
#[derive(Clone, Debug, Serialize, FromRow)]
#[expect(missing_docs, reason = "columns; the migration says what they hold")]
pub struct Feed {
    /// Given by the database.
    pub seq: i64,
    pub target: String,
    pub delivery_id: DeliveryId,
    pub change: String,
    pub at_us: i64,
}
