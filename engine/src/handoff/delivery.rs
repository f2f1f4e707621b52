//! `delivery.json`: everything that a receiver must know about one delivery. It knows no path of the site and nothing clinical.
//!
//! A promise: fields are only added, and a reader passes over those that it does not know. What packages said before there was a
//! version is read as well.

use std::collections::BTreeMap;

use kentai_workflows::value::Map;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::qc::{Decision, Quality};
use super::{File, time};
use crate::audit::checkpoint::Checkpoint;
use crate::clock::Micros;

/// Its name within `data/`.
pub const NAME: &str = "delivery.json";
/// Version of the format; packages before it had none.
const VERSION: u32 = 1;

/// One delivery.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Document {
    /// Version of the format; [`Document::write`] sets it.
    pub kentai_delivery: u32,
    /// Its id.
    pub delivery: String,
    /// The delivery that this one takes the place of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub supersedes: Option<String>,
    /// When it was begun, RFC 3339 in UTC; see [`Document::at`].
    pub created: String,
    /// The site.
    pub sender: String,
    /// The target.
    pub receiver: String,
    /// Id of the recipient's key; absent when the files are not encrypted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recipient_key: Option<String>,
    /// Specimen.
    pub specimen: String,
    /// The participant's pseudonym: the link to everything clinical, which never travels with us.
    pub participant: Option<String>,
    /// What is on the tube.
    pub barcode: Option<String>,
    /// The center's unit of delivery.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub order_line: Option<String>,
    /// What was ordered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub assay: Option<Assay>,
    /// Consent as it stood when this was released.
    pub consent: Option<Consent>,
    /// What made it.
    pub workflow: Workflow,
    /// Execution that made it.
    pub run: String,
    /// Reference bundle, `NAME@VERSION`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    /// Tool images: as the workflow names them → by digest.
    pub images: BTreeMap<String, String>,
    /// Parameters; files among them by name and checksum.
    pub params: Map,
    /// In the order of their names; without this document and whatever describes the package.
    pub files: Vec<Delivered>,
    /// Values against criteria.
    pub quality: Vec<Quality>,
    /// What people said, oldest first.
    pub decisions: Vec<Decision>,
    /// What was not as it should have been.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub deviations: Vec<Deviation>,
    /// How the audit chain stood: by it either side can prove this delivery later.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub audit: Option<Checkpoint>,
}

/// What was ordered.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Assay {
    /// Name.
    pub id: String,
    /// Version.
    pub version: String,
}

/// A workflow version.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Workflow {
    /// Id.
    pub id: String,
    /// Version, as its author wrote it.
    pub version: String,
    /// Lowercase hex, of its file.
    pub sha256: String,
}

/// Consent at the hour of the release.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Consent {
    /// Id of the record.
    pub record: Option<String>,
    /// Version of the form that was signed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// Where it stands, where the center knows the participant.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    /// Uses that it covers.
    pub scopes: Vec<String>,
}

/// A file, as it lies in the package.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Delivered {
    /// Path beneath `data/`.
    pub name: String,
    /// `cram`, `vcf`, `report` …: what it holds.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub kind: String,
    /// Bytes.
    pub size: u64,
    /// Lowercase hex.
    pub sha256: String,
    /// Lowercase hex.
    pub md5: String,
    /// The bytes within, of an encrypted file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub plain: Option<Plain>,
}

/// What an encrypted file holds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Plain {
    /// Bytes.
    pub size: u64,
    /// Lowercase hex.
    pub sha256: String,
    /// Lowercase hex.
    pub md5: String,
}

/// Something that was not as it should have been.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Deviation {
    /// Id.
    pub id: String,
    /// How bad.
    pub severity: String,
    /// What.
    pub description: String,
    /// What was done.
    pub action: String,
    /// Nobody has to do anything any more.
    pub closed: bool,
}

/// Why a document cannot be read.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "each variant's message says it")]
pub enum Unreadable {
    #[error("it is no such document: {0}")]
    Json(#[from] serde_json::Error),
    #[error("it is of version {0}, which this program does not know")]
    Version(u32),
}

impl Document {
    /// A document of a delivery that was begun at `created_us`, with everything else to be filled in.
    #[must_use]
    pub fn at(created_us: Micros) -> Self {
        Self { created: time(created_us), ..Self::default() }
    }

    /// Its bytes.
    #[must_use]
    pub fn write(&self) -> String {
        let mut document = Self { kentai_delivery: VERSION, ..self.clone() };
        document.files.sort_by(|one, other| one.name.cmp(&other.name));
        written(&document)
    }

    /// What such bytes say; fields of later versions are passed over.
    ///
    /// # Errors
    /// When it is no such document, or of a version that says other things by the same names.
    pub fn read(text: &str) -> Result<Self, Unreadable> {
        let document: Self = readable(text)?;
        if document.kentai_delivery <= VERSION {
            Ok(document)
        } else {
            Err(Unreadable::Version(document.kentai_delivery))
        }
    }

    /// The payload as it names it, to be held against the manifests.
    pub fn payload(&self) -> impl Iterator<Item = File> {
        self.files.iter().map(|file| File {
            name: file.name.clone(),
            size_bytes: file.size,
            sha256: file.sha256.clone(),
            md5: file.md5.clone(),
        })
    }
}

/// The one way to write a document: indented, fields in their order, LF at the end.
pub(super) fn written(document: &impl Serialize) -> String {
    let mut text = serde_json::to_string_pretty(document).expect("texts, numbers and maps of texts are JSON");
    text.push('\n');
    text
}

pub(super) fn readable<T: DeserializeOwned>(text: &str) -> Result<T, Unreadable> {
    Ok(serde_json::from_str(text)?)
}

#[cfg(test)]
mod tests;
