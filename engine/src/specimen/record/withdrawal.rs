//! Records of a withdrawal: the case, its things, the proof.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::clock::Micros;

/// A withdrawal, steps 0 to 8.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Case {
    /// Uses that are taken back; empty: all.
    pub scopes: Vec<String>,
    /// Where the notice lies.
    pub evidence: String,
    /// Who recorded it.
    pub recorded_by: String,
    /// When the participant said so.
    pub noticed_us: Micros,
    /// What they said of it; they owe nobody a reason.
    #[serde(default)]
    pub reason: String,
    /// When nothing of the participant ran any more.
    #[serde(default)]
    pub stopped_us: Option<Micros>,
    /// When the outputs were closed.
    #[serde(default)]
    pub sealed_us: Option<Micros>,
    /// Runs that were ended.
    #[serde(default)]
    pub runs: Vec<String>,
}

/// One thing that a withdrawal is about.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct CaseItem {
    /// `artifact`, `specimen`, `lane`, `delivery`, `backup`, `joint_output`, `run_folder`.
    pub thing: String,
    /// Its id, path or checksum.
    pub id: String,
    /// SHA-256, for files.
    #[serde(default)]
    pub sha256: String,
    /// Bytes, for files.
    #[serde(default)]
    pub size: u64,
    /// Whose else it is: such a thing is not destroyed by this case alone.
    #[serde(default)]
    pub shared_with: Vec<String>,
    /// `destroy`, `keep`, `stub`.
    #[serde(default)]
    pub decision: String,
    /// Ethics reference, for what is kept.
    #[serde(default)]
    pub reference: String,
    /// Who proposed.
    #[serde(default)]
    pub proposed_by: String,
    /// Until when the proposal waits for its second person.
    #[serde(default)]
    pub until_us: Micros,
    /// Who confirmed: somebody else.
    #[serde(default)]
    pub confirmed_by: String,
    /// What was done, and how.
    #[serde(default)]
    pub certificate: Option<Certificate>,
}

/// Proof that something is gone.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Certificate {
    /// SHA-256 of what was there.
    pub sha256: String,
    /// How it was destroyed.
    pub method: String,
    /// When.
    pub at_us: Micros,
    /// By whom.
    pub by: Vec<String>,
}
