//! A delivery at its receiver, as it is stored. The files themselves, with their checksums, are rows of `package_file`.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::clock::Micros;
use crate::handoff::bag::DATA;
use crate::handoff::offer::FileStatus;
use crate::state::words;

words!(
    /// What happens when a receipt is not there in time, as the workflow's author wants it.
    IfLate {
        /// The receiver is told.
        Notify = "notify",
        /// The same, and the order line is held until a person looks.
        Hold = "hold",
        /// The receiver is told, the offer ends, and it is a deviation.
        Fail = "fail",
    }
);

/// What was offered or carried to a receiver, and what they said of it. The record's owner is the target, its parent the run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delivery {
    /// The receiver fetches it; else it was carried.
    #[serde(default)]
    pub pull: bool,
    /// The step that gave it.
    pub step: String,
    /// Participant; empty when the center does not know them.
    #[serde(default)]
    pub participant: String,
    /// Order line; empty when it belongs to none.
    #[serde(default)]
    pub order_line: String,
    /// Use that consent must cover; empty: none is asked for.
    #[serde(default)]
    pub consent_use: String,
    /// Until when it is offered.
    #[serde(default)]
    pub expires_us: Option<Micros>,
    /// Until when a receipt is expected.
    #[serde(default)]
    pub receipt_due_us: Option<Micros>,
    /// How long the receiver has for it, from each offer on. Zero in records of earlier versions, which count it once.
    #[serde(default)]
    pub receipt_within_us: Micros,
    /// What follows when it is late; none: it is shown, and nothing is done.
    #[serde(default)]
    pub if_late: Option<IfLate>,
    /// When that was done; none: not for this offer.
    #[serde(default)]
    pub late_us: Option<Micros>,
    /// The delivery whose place it takes.
    #[serde(default)]
    pub supersedes: String,
    /// Why it ended, in people's words.
    #[serde(default)]
    pub reason: String,
    /// Paths of the package, with what the receiver said of each.
    pub files: BTreeMap<String, FileState>,
    /// Paths of which every byte was sent.
    #[serde(default)]
    pub sent: BTreeSet<String>,
    /// Receipts by the receiver's own ids.
    #[serde(default)]
    pub receipts: BTreeMap<String, Received>,
    /// Copies of ours elsewhere, as people wrote them down.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub archives: Vec<Archive>,
}

/// A copy of ours that lies in an archive. The engine cannot see it: it is somebody's word.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Archive {
    /// Where it lies.
    pub place: String,
    /// Who says so.
    pub by: String,
    /// When they said it.
    pub at_us: Micros,
    /// What else they said.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub note: String,
}

impl Delivery {
    /// Its data: what lies around it may be answered for as well, and need not.
    pub fn payload(&self) -> impl Iterator<Item = (&String, &FileState)> {
        self.files.iter().filter(|(path, _)| path.starts_with(DATA))
    }
}

/// What the receiver said of one file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FileState {
    /// The newest word.
    #[serde(default)]
    pub status: FileStatus,
    /// Code of a refusal, or what did not match.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reason: String,
    /// The same in the receiver's words.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub text: String,
    /// What the receiver calls it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub accession: String,
    /// As the receiver computed it, lowercase hex.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub sha256: String,
    /// Of the decrypted bytes, as the receiver computed it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub plain_sha256: String,
    /// How many copies the receiver keeps, where the newest word says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub copies: Option<u32>,
}

/// A receipt that counted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Received {
    /// SHA-256 of its statement.
    pub digest: String,
    /// When.
    pub at_us: Micros,
    /// Who brought it.
    pub by: String,
    /// The receiver's key, as a line of `authorized_keys`; empty when it was not signed.
    #[serde(default)]
    pub signed_by: String,
}
