//! The end of a delivery's copies here, as it is stored: what goes and what stays, on whose word, and the proof.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Archive, Certificate, Received};
use crate::clock::Micros;

/// What two people decided about a delivery's copies here. The record's parent is the delivery.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Retirement {
    /// Why, in the first person's words.
    pub reason: String,
    /// Who proposed.
    pub proposed_by: String,
    /// Who confirmed: somebody else.
    pub confirmed_by: String,
    /// The site's rule as it stood: how long after the newest receipt.
    pub after_receipt_us: Micros,
    /// The same: how many copies elsewhere it asks for.
    pub copies: u32,
    /// Files of the package with bytes of their own, by path.
    pub files: Vec<RetiredFile>,
    /// How many copies the receiver said that it keeps of every file.
    pub receiver_copies: u32,
    /// Copies of ours elsewhere.
    #[serde(default)]
    pub archives: Vec<Archive>,
    /// By which every file was acknowledged.
    pub receipts: BTreeMap<String, Received>,
    /// The proof, once it was done.
    #[serde(default)]
    pub certificate: Option<Signed>,
}

/// One file of a package, and what becomes of it here.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RetiredFile {
    /// Within the package.
    pub path: String,
    /// Of the plain bytes.
    pub sha256: String,
    /// Of the bytes as they left: another one where they left encrypted.
    pub sent_sha256: String,
    /// Bytes, as they left.
    pub size: i64,
    /// What becomes of it.
    pub fate: Fate,
    /// Why it stays.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub because: String,
    /// How it went, when and by whom.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certificate: Option<Certificate>,
}

/// What becomes of a file here.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Fate {
    /// All of it goes.
    Destroyed,
    /// Only its encrypted form goes: something else needs the plain one.
    EncryptedFormDestroyed,
    /// Something else needs it as it is.
    #[default]
    Kept,
}

impl Fate {
    /// As it is written.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Destroyed => "destroyed",
            Self::EncryptedFormDestroyed => "encrypted_form_destroyed",
            Self::Kept => "kept",
        }
    }
}

/// A text that the site's key signed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Signed {
    /// JSON, byte for byte as it was signed behind the line `kentai certificate 1`.
    pub text: String,
    /// Name of the key, a colon, Ed25519 in hex.
    pub signature: String,
}
