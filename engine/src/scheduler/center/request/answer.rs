//! What the center answers.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::audit::checkpoint::Checkpoint;
use crate::people::secret::Hidden;
use crate::specimen::import::Problem;

/// What became of a request.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Outcome")]
pub struct Answer {
    /// In one sentence.
    pub said: String,
    /// Records that were made or moved, `kind id`.
    #[serde(default)]
    pub changed: Vec<String>,
    /// Records that were there already as they were asked for.
    #[serde(default)]
    pub unchanged: usize,
    /// Only said, not done.
    #[serde(default)]
    pub dry_run: bool,
    /// A second person has to confirm this proposal before anything happens.
    #[serde(default)]
    pub proposal: Option<String>,
    /// Things that somebody should look at.
    #[serde(default)]
    pub notes: Vec<String>,
    /// Rows that are wrong; then nothing was taken.
    #[serde(default)]
    pub problems: Vec<Problem>,
    /// What is told this once and never again: a token, a key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret: Option<Hidden>,
    /// What was signed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signed: Option<Checkpoint>,
}
