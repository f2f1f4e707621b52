//! What a center offers to a receiver: the feed, one offer, its files. Both sides of the wire share these types; it knows no network.
//!
//! A promise: fields are only added, and a reader passes over those that it does not know. Nothing in it is believed before
//! [`Detail::check`]: names become paths at the receiver's.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::delivery::Plain;
use super::{bag, name};

/// Files of one offer; a package has far fewer.
pub const FILES_MAX: usize = 100_000;
/// Bytes of an id or a folder's name.
const ID_BYTES_MAX: usize = 200;

/// A page of the feed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Feed {
    /// In the order of their last change.
    pub items: Vec<Offer>,
    /// Where to go on; the same cursor again when nothing is new.
    pub next: String,
}

/// One delivery, as its receiver is shown it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Offer {
    /// Its id.
    pub delivery: String,
    /// Name of the package's folder: one part of a path.
    pub folder: String,
    /// Specimen.
    pub specimen: String,
    /// The participant's pseudonym.
    #[serde(default)]
    pub participant: Option<String>,
    /// The center's unit of delivery.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order_line: Option<String>,
    /// What consent allowed when this was offered.
    #[serde(default)]
    pub uses: Vec<String>,
    /// Where it stands.
    pub status: Status,
    /// RFC 3339.
    #[serde(default)]
    pub offered: String,
    /// RFC 3339; afterwards it cannot be pulled any more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<String>,
    /// The delivery that this one takes the place of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub supersedes: Option<String>,
    /// Bytes of all files, as they are served.
    pub size: u64,
    /// Number of files.
    pub files: u64,
    /// SHA-256 of `manifest-sha256.txt`, lowercase hex: it names the package.
    pub manifest_sha256: String,
    /// Where the files are, beneath the center's own address: `/deliveries/ID/`.
    pub url: String,
}

/// Where an offer stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// It can be pulled.
    #[default]
    Offered,
    /// Bytes of it were asked for.
    Pulling,
    /// Every byte was sent; nobody said yet that it arrived.
    Delivered,
    /// Some files were accepted.
    PartlyAcknowledged,
    /// All files were accepted.
    Acknowledged,
    /// The receiver did not want it.
    Refused,
    /// Its time is over.
    Expired,
    /// The center took it back.
    Recalled,
    /// Another delivery took its place.
    Superseded,
    /// Every file was accepted, and the center keeps no copy any more.
    Retired,
    /// Something that a later version says.
    #[serde(other)]
    Unknown,
}

impl Status {
    /// As it is written.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Offered => "offered",
            Self::Pulling => "pulling",
            Self::Delivered => "delivered",
            Self::PartlyAcknowledged => "partly_acknowledged",
            Self::Acknowledged => "acknowledged",
            Self::Refused => "refused",
            Self::Expired => "expired",
            Self::Recalled => "recalled",
            Self::Superseded => "superseded",
            Self::Retired => "retired",
            Self::Unknown => "unknown",
        }
    }

    /// May its files be asked for?
    #[must_use]
    pub fn is_open(self) -> bool {
        match self {
            Self::Offered
            | Self::Pulling
            | Self::Delivered
            | Self::PartlyAcknowledged
            | Self::Acknowledged
            | Self::Refused => true,
            Self::Expired | Self::Recalled | Self::Superseded | Self::Retired | Self::Unknown => false,
        }
    }
}

/// An offer with its files.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Detail {
    /// What the feed says of it.
    #[serde(flatten)]
    pub offer: Offer,
    /// Every file of the package, tag files too.
    pub entries: Vec<Entry>,
}

/// One file that is offered.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Within the package: `bagit.txt`, `data/S1.cram.c4gh`.
    pub path: String,
    /// Where, beneath the center's own address.
    pub url: String,
    /// Bytes, as served.
    pub size: u64,
    /// Of the bytes as served, lowercase hex; its strong ETag.
    pub sha256: String,
    /// Of the bytes as served, lowercase hex.
    pub md5: String,
    /// The bytes within, of an encrypted file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plain: Option<Plain>,
    /// What the receiver said of it.
    #[serde(default)]
    pub status: FileStatus,
    /// Why it was refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// What the receiver calls it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accession: Option<String>,
}

/// What the receiver said of one file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum FileStatus {
    /// Nothing yet.
    #[default]
    Offered,
    /// It has the right bytes.
    Accepted,
    /// It does not want it.
    Refused,
    /// It said yes to other bytes than were offered: an alarm, and the file stays offered.
    Mismatch,
    /// Something that a later version says.
    #[serde(other)]
    Unknown,
}

impl FileStatus {
    /// As it is written.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Offered => "offered",
            Self::Accepted => "accepted",
            Self::Refused => "refused",
            Self::Mismatch => "mismatch",
            Self::Unknown => "unknown",
        }
    }
}

/// Why an offer cannot be taken as it is.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "each variant's message says it")]
pub enum Wrong {
    #[error(
        "{what} {found:?} is not 1 to {ID_BYTES_MAX} bytes without `/`, blanks and control characters, or begins with a dot"
    )]
    Id { what: &'static str, found: String },
    #[error("a file cannot be called so: {0}")]
    Name(#[from] name::Error),
    #[error("{0:?} holds a control character")]
    Control(String),
    #[error("`{0}` is neither a tag file of a package nor beneath data/")]
    Foreign(String),
    #[error("`{path}` comes with {found:?}, which is no {algorithm} digest in lowercase hex")]
    Digest { path: String, algorithm: &'static str, found: String },
    #[error("{0} files are more than {FILES_MAX}")]
    Many(usize),
    #[error("its files are larger together than can be counted")]
    Large,
    #[error("{} is not offered with the checksum that names the package", bag::MANIFEST_SHA256)]
    Manifest,
}

impl Offer {
    /// May this be believed so far that a folder is named after it?
    ///
    /// # Errors
    /// When its id or its folder would be something else than one part of a path.
    pub fn check(&self) -> Result<(), Wrong> {
        check_id("the delivery's id", &self.delivery)?;
        check_id("the folder", &self.folder)?;
        name::check(&self.folder)?;
        digest(bag::MANIFEST_SHA256, "SHA-256", &self.manifest_sha256, 64)
    }
}

impl Detail {
    /// May these be fetched? Every path is one that a package can have, no two are one file, every digest is one.
    ///
    /// # Errors
    /// The first thing that is not so.
    pub fn check(&self) -> Result<(), Wrong> {
        self.offer.check()?;
        if self.entries.len() > FILES_MAX {
            return Err(Wrong::Many(self.entries.len()));
        }
        let mut tags = BTreeSet::new();
        for entry in &self.entries {
            entry.check()?;
            if entry.payload().is_none() && !tags.insert(entry.path.as_str()) {
                return Err(name::Error::Taken(entry.path.clone()).into());
            }
        }
        name::check_all(self.entries.iter().filter_map(Entry::payload))?;
        let sum = self.entries.iter().try_fold(0_u64, |sum, entry| sum.checked_add(entry.size));
        sum.ok_or(Wrong::Large)?;
        let manifest = self.entries.iter().find(|entry| entry.path == bag::MANIFEST_SHA256);
        match manifest {
            Some(manifest) if manifest.sha256 == self.offer.manifest_sha256 => Ok(()),
            _ => Err(Wrong::Manifest),
        }
    }

    /// Bytes of all files.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.entries.iter().fold(0, |sum, entry| sum.saturating_add(entry.size))
    }

    /// Entries by path.
    #[must_use]
    pub fn by_path(&self) -> BTreeMap<&str, &Entry> {
        self.entries.iter().map(|entry| (entry.path.as_str(), entry)).collect()
    }
}

impl Entry {
    /// Path beneath `data/`, of a payload file.
    #[must_use]
    pub fn payload(&self) -> Option<&str> {
        self.path.strip_prefix(bag::DATA)
    }

    fn check(&self) -> Result<(), Wrong> {
        if self.path.contains(char::is_control) {
            return Err(Wrong::Control(self.path.clone()));
        }
        match self.payload() {
            Some(name) => name::check(name)?,
            None if bag::TAG_FILES.contains(&self.path.as_str()) => {}
            None => {
                name::check(&self.path)?;
                return Err(Wrong::Foreign(self.path.clone()));
            }
        }
        digest(&self.path, "SHA-256", &self.sha256, 64)?;
        digest(&self.path, "MD5", &self.md5, 32)?;
        if let Some(plain) = &self.plain {
            digest(&self.path, "SHA-256", &plain.sha256, 64)?;
        }
        Ok(())
    }
}

fn check_id(what: &'static str, found: &str) -> Result<(), Wrong> {
    let odd = |c: char| c == '/' || c.is_whitespace() || c.is_control();
    let good = !found.is_empty() && found.len() <= ID_BYTES_MAX && !found.starts_with('.') && !found.contains(odd);
    if good { Ok(()) } else { Err(Wrong::Id { what, found: found.to_owned() }) }
}

fn digest(path: &str, algorithm: &'static str, found: &str, length: usize) -> Result<(), Wrong> {
    if bag::is_digest(found, length) {
        return Ok(());
    }
    Err(Wrong::Digest { path: path.to_owned(), algorithm, found: found.to_owned() })
}

#[cfg(test)]
mod tests;
