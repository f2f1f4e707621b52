//! The seam to couriers: a finished, checked package goes to one target, whole or not at all.

use std::fs::File;
use std::io::{self, Read};
use std::path::PathBuf;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::BoxFuture;
use crate::handoff::bag::MANIFEST_SHA256;

/// What a hand-off step gives: decided once, kept, and packed from. The same parcel given again is the same package.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Parcel {
    /// Delivery id.
    pub delivery: String,
    /// Folder name of the package, safe on every file system.
    pub folder: String,
    /// Files in the order of their names.
    pub files: Vec<ParcelFile>,
    /// `delivery.json` as far as it was known when the step began: a `handoff::delivery::Document`.
    pub document: serde_json::Value,
}

/// One file of a parcel.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ParcelFile {
    /// Name in the package before it is encrypted, `[A-Za-z0-9._-]+`.
    pub name: String,
    /// Absolute path in the artifact store.
    pub source: PathBuf,
    /// Lowercase hex of the plain bytes.
    pub sha256: String,
    /// Bytes.
    pub size: u64,
}

/// What a courier is given: every file of the package's folder, tag files included. The same package may be given again after a crash.
#[derive(Clone, Debug)]
pub struct Package {
    /// Delivery id.
    pub delivery: String,
    /// Folder name.
    pub folder: String,
    /// In the order of their paths.
    pub entries: Vec<Entry>,
}

impl Package {
    /// SHA-256 of its manifest, which names it; none of a package without one.
    #[must_use]
    pub fn manifest_sha256(&self) -> Option<&str> {
        self.entries.iter().find(|entry| entry.path == MANIFEST_SHA256).map(|entry| entry.sha256.as_str())
    }
}

/// One file of a package, as it travels.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Path in the folder: `bagit.txt`, `data/S1.cram`. At most one `/`.
    pub path: String,
    /// Bytes.
    pub size: u64,
    /// Lowercase hex.
    pub sha256: String,
    /// Lowercase hex.
    pub md5: String,
    /// Its bytes, one piece after the other.
    pub pieces: Vec<Piece>,
}

/// Some of a file's bytes.
#[derive(Clone, Debug)]
pub enum Piece {
    /// These.
    Bytes(Arc<[u8]>),
    /// All of a stored file.
    File {
        /// Where it lies.
        path: PathBuf,
        /// Bytes.
        size: u64,
        /// SHA-256 of the artifact that it is, or holds.
        artifact: String,
    },
}

impl Entry {
    /// The artifact that it is or holds; none for what the engine wrote.
    #[must_use]
    pub fn artifact(&self) -> Option<&str> {
        self.pieces.iter().find_map(|piece| match piece {
            Piece::File { artifact, .. } => Some(artifact.as_str()),
            Piece::Bytes(_) => None,
        })
    }

    /// Opens it for reading from its beginning.
    ///
    /// # Errors
    /// When a stored file cannot be opened.
    pub fn open(&self) -> io::Result<impl Read + Send + use<>> {
        let mut whole: Box<dyn Read + Send> = Box::new(io::empty());
        for piece in &self.pieces {
            whole = match piece {
                Piece::Bytes(bytes) => Box::new(whole.chain(io::Cursor::new(Arc::clone(bytes)))),
                Piece::File { path, size, .. } => Box::new(whole.chain(File::open(path)?.take(*size))),
            };
        }
        Ok(whole)
    }
}

/// What was carried.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Carried {
    /// Where the package lies.
    pub place: String,
}

/// Why a package did not arrive.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "each variant's message says it")]
pub enum Error {
    #[error("target `{target}` cannot be reached: {reason}")]
    Unreachable { target: String, reason: String },
    #[error("another package lies at {place} already")]
    Conflict { place: String },
    #[error("artifact {sha256} does not have its checksum any more")]
    Corrupt { sha256: String },
    #[error("it cannot be packed: {0}")]
    Refused(String),
}

/// Carries packages to one target.
pub trait Courier: Send + Sync + 'static {
    /// Carries the package; idempotent.
    ///
    /// # Errors
    /// When it did not arrive whole.
    fn carry<'a>(&'a self, package: &'a Package) -> BoxFuture<'a, Result<Carried, Error>>;
}
