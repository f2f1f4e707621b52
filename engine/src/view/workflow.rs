//! Workflows as everybody sees them.

use serde::{Deserialize, Serialize};

use super::time;
use crate::store::Error;
use crate::store::read::Reader;
use crate::store::rows::line;

/// One workflow that is known here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkflowView {
    /// `workflow:`
    pub id: String,
    /// `version:`
    pub version: String,
    /// SHA-256 of its text.
    pub digest: String,
    /// Where it was read.
    pub path: String,
    /// It was registered, not only run.
    pub registered: bool,
    /// Since when it is known.
    pub created: String,
}

impl WorkflowView {
    fn of(row: line::WorkflowLine) -> Self {
        Self {
            id: row.workflow_id,
            version: row.version,
            digest: row.digest,
            path: row.path,
            registered: row.registered != 0,
            created: time(row.created_us),
        }
    }
}

/// Every workflow that is known here, newest first.
///
/// # Errors
/// When the database cannot be read.
pub async fn workflows(reader: &Reader) -> Result<Vec<WorkflowView>, Error> {
    Ok(reader.workflows().await?.into_iter().map(WorkflowView::of).collect())
}
