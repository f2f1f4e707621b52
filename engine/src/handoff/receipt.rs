//! What a receiver says of a delivery, file by file, and what the center answers. It knows no network, and who may say it is known
//! elsewhere.
//!
//! A receipt may be signed. What is signed is [`Receipt::statement`], a text of its own and not the JSON, so that both sides get the
//! same bytes whatever their libraries make of the JSON. Unlike an offer, a receipt is read strictly: a field that this program does
//! not know could be the one that matters.

pub mod proof;
mod reason;

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};
use sha2::{Digest as _, Sha256};

pub use self::reason::Reason;
use super::offer::{FILES_MAX, FileStatus, Status};
use super::{bag, name, sshsig};
use crate::audit::checkpoint::{Checkpoint, Public, Secret};
use crate::audit::hex;
use crate::audit::proof::Proof;

/// What a signature of a receipt is for: none of a package's passes for it.
pub const NAMESPACE: &str = "kentai-receipt";

/// First line of what is signed.
const TAG: &str = "kentai receipt 1\n";
/// The same where the receipt says how many copies there are, on a line of its own before the files.
const TAG_COPIES: &str = "kentai receipt 2\n";
/// Copies that a receiver may say it has.
const COPIES_MAX: u32 = 99;
/// Bytes of a receipt's id and of an accession.
const ID_BYTES_MAX: usize = 200;
/// Bytes of a refusal's words.
const TEXT_BYTES_MAX: usize = 2_000;
/// Bytes of a signature's armor; ssh-keygen's have some 300.
const ARMOR_BYTES_MAX: usize = 4_096;

/// A receiver's acknowledgement. Whoever has one knows that it was checked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(into = "Wire", try_from = "Wire")]
pub struct Receipt {
    receipt: String,
    /// Of what is accepted; none: it is not said.
    copies: Option<u32>,
    /// In the order of their paths.
    files: Vec<Said>,
    signature: Option<String>,
}

/// What is said of one file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    /// Within the package: `data/S1.cram.c4gh`.
    pub path: String,
    /// Yes or no.
    pub outcome: Outcome,
}

/// Yes or no, and what belongs to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It is there.
    Accepted {
        /// Computed by the receiver over the bytes that it has, lowercase hex.
        sha256: String,
        /// Of the decrypted bytes, where it decrypted them.
        plain_sha256: Option<String>,
        /// What the receiver calls the file.
        accession: Option<String>,
    },
    /// It is not wanted.
    Refused {
        /// Why.
        reason: Reason,
        /// The same in words.
        text: Option<String>,
    },
}

/// Why a receipt is none.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "each variant's message says it")]
pub enum Wrong {
    #[error("it is no such document: {0}")]
    Json(String),
    #[error("{what} is not 1 to {most} bytes without control characters: {found:?}")]
    Text { what: &'static str, most: usize, found: String },
    #[error("it speaks of no file")]
    Empty,
    #[error("{0} files are more than {FILES_MAX}")]
    Many(usize),
    #[error("a file cannot be called so: {0}")]
    Name(#[from] name::Error),
    #[error("`{0}` is there twice")]
    Twice(String),
    #[error("`{path}`: the outcome is `{found}`; known are accepted and refused")]
    Outcome { path: String, found: String },
    #[error("`{path}`: the reason is `{found}`; known are checksum, key, metadata, unknown_sample, consent and policy")]
    Reason { path: String, found: String },
    #[error("`{path}`: what is {outcome} has no `{field}`")]
    Field { path: String, outcome: &'static str, field: &'static str },
    #[error("`{path}`: what is {outcome} needs its `{field}`")]
    Missing { path: String, outcome: &'static str, field: &'static str },
    #[error("`{path}`: {found:?} is no SHA-256 in lowercase hex")]
    Digest { path: String, found: String },
    #[error("{0} is no number of copies: 1 to {COPIES_MAX}")]
    Copies(u32),
    #[error("the receipt is not signed")]
    Unsigned,
    #[error("the receipt's signature does not count: {0}")]
    Signature(sshsig::Error),
}

/// What the center says to a receipt.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// The receiver's own id.
    pub receipt: String,
    /// Delivery.
    pub delivery: String,
    /// Where the delivery stands now.
    pub status: Status,
    /// Each file that the receipt spoke of.
    pub files: Vec<Taken>,
    /// How the audit chain stood with this receipt as its newest event.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub audit: Option<Checkpoint>,
    /// The receipt's event, and what its place in the chain is proven with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proof: Option<Proof>,
}

/// How one file stands after a receipt.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Taken {
    /// Within the package.
    pub path: String,
    /// `mismatch` is an alarm on both sides.
    pub status: FileStatus,
    /// Why it is not accepted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

impl Receipt {
    /// A receipt that says this, unsigned.
    ///
    /// # Errors
    /// The first thing that a receipt must not say.
    pub fn new(receipt: &str, mut files: Vec<Said>) -> Result<Self, Wrong> {
        text("the receipt's id", ID_BYTES_MAX, receipt)?;
        if files.is_empty() {
            return Err(Wrong::Empty);
        }
        if files.len() > FILES_MAX {
            return Err(Wrong::Many(files.len()));
        }
        let mut seen = BTreeSet::new();
        for file in &files {
            file.check()?;
            if !seen.insert(file.path.as_str()) {
                return Err(Wrong::Twice(file.path.clone()));
            }
        }
        files.sort_by(|one, other| one.path.cmp(&other.path));
        Ok(Self { receipt: receipt.to_owned(), copies: None, files, signature: None })
    }

    /// The same, unsigned, of so many copies that the receiver keeps of each accepted file, in places that do not perish together.
    ///
    /// # Errors
    /// When that is no number of copies.
    pub fn of_copies(self, copies: u32) -> Result<Self, Wrong> {
        if copies == 0 || copies > COPIES_MAX {
            return Err(Wrong::Copies(copies));
        }
        Ok(Self { copies: Some(copies), signature: None, ..self })
    }

    /// What a receiver sent.
    ///
    /// # Errors
    /// The first thing that is not as a receipt is. Whether a signature holds is another question: [`Self::verify`].
    pub fn read(json: &[u8]) -> Result<Self, Wrong> {
        let wire: Wire = serde_json::from_slice(json).map_err(|error| Wrong::Json(error.to_string()))?;
        Self::try_from(wire)
    }

    /// The receiver's own id of it.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.receipt
    }

    /// In the order of their paths.
    #[must_use]
    pub fn files(&self) -> &[Said] {
        &self.files
    }

    /// How many copies the receiver keeps; none: it did not say.
    #[must_use]
    pub fn copies(&self) -> Option<u32> {
        self.copies
    }

    /// The armor, when there is one. It was not verified.
    #[must_use]
    pub fn signature(&self) -> Option<&str> {
        self.signature.as_deref()
    }

    /// What is signed: `kentai receipt 1`, the delivery, the receipt's id, then a line for each file in the order of their paths:
    /// path, `accepted`, sha256, plain sha256, accession; or path, `refused`, reason, words. Separated by tabs, absent fields empty.
    /// Where copies are told, `kentai receipt 2`, and their number on a line before the files.
    ///
    /// # Errors
    /// When the delivery's id could be read as more than one line.
    pub fn statement(&self, delivery: &str) -> Result<String, Wrong> {
        text("the delivery's id", ID_BYTES_MAX, delivery)?;
        let mut statement = match self.copies {
            None => format!("{TAG}{delivery}\n{}\n", self.receipt),
            Some(copies) => format!("{TAG_COPIES}{delivery}\n{}\n{copies}\n", self.receipt),
        };
        for file in &self.files {
            statement.push_str(&file.path);
            let fields = match &file.outcome {
                Outcome::Accepted { sha256, plain_sha256, accession } => {
                    vec!["accepted", sha256, or_empty(plain_sha256), or_empty(accession)]
                }
                Outcome::Refused { reason, text } => vec!["refused", reason.word(), or_empty(text)],
            };
            statement.extend(fields.iter().flat_map(|field| ["\t", field]));
            statement.push('\n');
        }
        Ok(statement)
    }

    /// SHA-256 of the statement, lowercase hex: two receipts say the same when it is the same. The signature is no part of it.
    ///
    /// # Errors
    /// As [`Self::statement`].
    pub fn digest(&self, delivery: &str) -> Result<String, Wrong> {
        Ok(hex(&Sha256::digest(self.statement(delivery)?)))
    }

    /// The same receipt, signed.
    ///
    /// # Errors
    /// As [`Self::statement`].
    pub fn sign(self, delivery: &str, secret: &Secret) -> Result<Self, Wrong> {
        let armor = sshsig::sign(secret, NAMESPACE, self.statement(delivery)?.as_bytes());
        Ok(Self { signature: Some(armor), ..self })
    }

    /// The same receipt with a signature that another program made (`ssh-keygen -Y sign -n kentai-receipt`).
    ///
    /// # Errors
    /// When it is not a signature of this receipt.
    pub fn signed(self, delivery: &str, armor: String) -> Result<Self, Wrong> {
        let signed = Self { signature: Some(armor), ..self };
        signed.verify(delivery, None)?;
        Ok(signed)
    }

    /// Whose signature it is. With a `key` only that one's counts.
    ///
    /// # Errors
    /// When it is not signed, by another key, over something else, or for another use.
    pub fn verify(&self, delivery: &str, key: Option<&Public>) -> Result<Public, Wrong> {
        let armor = self.signature.as_deref().ok_or(Wrong::Unsigned)?;
        let statement = self.statement(delivery)?;
        sshsig::verify(armor.as_bytes(), NAMESPACE, statement.as_bytes(), key).map_err(Wrong::Signature)
    }
}

impl Said {
    fn check(&self) -> Result<(), Wrong> {
        text("a path", ID_BYTES_MAX + bag::DATA.len(), &self.path)?;
        name::check(self.path.strip_prefix(bag::DATA).unwrap_or(&self.path))?;
        match &self.outcome {
            Outcome::Accepted { sha256, plain_sha256, accession } => {
                for digest in [Some(sha256), plain_sha256.as_ref()].into_iter().flatten() {
                    if !bag::is_digest(digest, 64) {
                        return Err(Wrong::Digest { path: self.path.clone(), found: digest.clone() });
                    }
                }
                accession.as_ref().map_or(Ok(()), |found| text("an accession", ID_BYTES_MAX, found))
            }
            Outcome::Refused { text: said, .. } => {
                said.as_ref().map_or(Ok(()), |found| text("the words of a refusal", TEXT_BYTES_MAX, found))
            }
        }
    }
}

fn text(what: &'static str, most: usize, found: &str) -> Result<(), Wrong> {
    let good = !found.is_empty() && found.len() <= most && !found.contains(char::is_control);
    if good { Ok(()) } else { Err(Wrong::Text { what, most, found: found.chars().take(100).collect() }) }
}

fn or_empty(field: &Option<String>) -> &str {
    field.as_deref().unwrap_or_default()
}

/// As it is sent.
#[derive(Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "SentReceipt")]
#[serde(deny_unknown_fields)]
struct Wire {
    receipt: String,
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "whole")]
    copies: Option<u32>,
    files: Vec<Line>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    signature: Option<String>,
}

/// To JSON 2 and 2.0 are one number, and some libraries write the one for the other.
fn whole<'de, D: Deserializer<'de>>(from: D) -> Result<Option<u32>, D::Error> {
    let Some(found) = Option::<serde_json::Number>::deserialize(from)? else { return Ok(None) };
    let digits = found.to_string();
    let whole = digits.strip_suffix(".0").unwrap_or(&digits).parse();
    whole.map(Some).map_err(|_| D::Error::custom(format!("{found} copies are no whole number of them")))
}

#[derive(Default, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "SentReceiptFile")]
#[serde(deny_unknown_fields)]
struct Line {
    path: String,
    outcome: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sha256: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    plain_sha256: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    accession: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    text: Option<String>,
}

impl TryFrom<Wire> for Receipt {
    type Error = Wrong;

    fn try_from(wire: Wire) -> Result<Self, Wrong> {
        if wire.files.len() > FILES_MAX {
            return Err(Wrong::Many(wire.files.len()));
        }
        let files = wire.files.into_iter().map(Said::try_from).collect::<Result<_, _>>()?;
        if let Some(armor) = &wire.signature
            && armor.len() > ARMOR_BYTES_MAX
        {
            return Err(Wrong::Signature(sshsig::Error::Armor));
        }
        let receipt = Self::new(&wire.receipt, files)?;
        let receipt = match wire.copies {
            None => receipt,
            Some(copies) => receipt.of_copies(copies)?,
        };
        Ok(Self { signature: wire.signature, ..receipt })
    }
}

impl From<Receipt> for Wire {
    fn from(receipt: Receipt) -> Self {
        let Receipt { receipt, copies, files, signature } = receipt;
        Self { receipt, copies, files: files.into_iter().map(Line::from).collect(), signature }
    }
}

impl From<Said> for Line {
    fn from(said: Said) -> Self {
        let path = said.path;
        match said.outcome {
            Outcome::Accepted { sha256, plain_sha256, accession } => {
                let outcome = "accepted".to_owned();
                Self { path, outcome, sha256: Some(sha256), plain_sha256, accession, ..Self::default() }
            }
            Outcome::Refused { reason, text } => {
                let reason = Some(reason.word().to_owned());
                Self { path, outcome: "refused".to_owned(), reason, text, ..Self::default() }
            }
        }
    }
}

impl TryFrom<Line> for Said {
    type Error = Wrong;

    fn try_from(line: Line) -> Result<Self, Wrong> {
        let Line { path, outcome, sha256, plain_sha256, accession, reason, text } = line;
        let (outcome, foreign) = match outcome.as_str() {
            "accepted" => ("accepted", [("reason", reason.is_some()), ("text", text.is_some()), ("", false)]),
            "refused" => {
                let accepted = [sha256.is_some(), plain_sha256.is_some(), accession.is_some()];
                ("refused", [("sha256", accepted[0]), ("plain_sha256", accepted[1]), ("accession", accepted[2])])
            }
            _ => return Err(Wrong::Outcome { path, found: outcome }),
        };
        if let Some((field, _)) = foreign.into_iter().find(|(_, is_there)| *is_there) {
            return Err(Wrong::Field { path, outcome, field });
        }
        let missing = |path: &str, field| Wrong::Missing { path: path.to_owned(), outcome, field };
        let outcome = if outcome == "accepted" {
            let sha256 = sha256.ok_or_else(|| missing(&path, "sha256"))?;
            Outcome::Accepted { sha256, plain_sha256, accession }
        } else {
            let found = reason.ok_or_else(|| missing(&path, "reason"))?;
            let reason = Reason::parse(&found).ok_or(Wrong::Reason { path: path.clone(), found })?;
            Outcome::Refused { reason, text }
        };
        Ok(Self { path, outcome })
    }
}

#[cfg(test)]
mod tests;
