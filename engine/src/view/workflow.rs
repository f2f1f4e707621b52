//! Workflows as everybody sees them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::center::Refused;
use super::{Page, time};
use crate::store::Error;
use crate::store::read::Reader;
use crate::store::rows::line;

/// One workflow that is known here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
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

/// A page of them, newest first. `after` is the `next` of an earlier page.
///
/// # Errors
/// When `after` is no place of a page, or the database cannot be read.
pub async fn workflows_page(reader: &Reader, after: Option<&str>, limit: i64) -> Result<Page<WorkflowView>, Refused> {
    let after = match after {
        Some(text) => {
            let place = text.split_once('-').and_then(|(at, digest)| Some((at.parse().ok()?, digest)));
            place.ok_or_else(|| Refused::Bad(format!("`{}` is no place in this list", text.escape_debug())))?
        }
        None => (i64::MAX, ""),
    };
    let rows = reader.workflows_page(after, limit).await?;
    let full = i64::try_from(rows.len()).is_ok_and(|len| len >= limit);
    let next = rows.last().filter(|_| full).map(|row| format!("{}-{}", row.created_us, row.digest));
    Ok(Page { items: rows.into_iter().map(WorkflowView::of).collect(), next })
}
