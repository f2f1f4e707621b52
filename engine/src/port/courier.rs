//! The seam to couriers: a finished, checked list of files goes to one target, whole or not at all.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::BoxFuture;

/// What a courier is given. The same parcel may be given again after a crash and must end in the same package.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Parcel {
    /// Delivery id.
    pub delivery: String,
    /// Folder name of the package, safe on every file system.
    pub folder: String,
    /// Files in the order of their names.
    pub files: Vec<ParcelFile>,
    /// `delivery.json` without checksums of the package's bytes; the courier adds `files[].md5`.
    pub document: serde_json::Value,
}

/// One file of a parcel.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ParcelFile {
    /// Name in the package, `[A-Za-z0-9._-]+`.
    pub name: String,
    /// Absolute path in the artifact store.
    pub source: PathBuf,
    /// Lowercase hex of the plain bytes.
    pub sha256: String,
    /// Bytes.
    pub size: u64,
}

/// What was carried.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Carried {
    /// Where the package lies.
    pub place: String,
    /// Lowercase hex SHA-256 of the package's `manifest-sha256.txt`.
    pub manifest_sha256: String,
}

/// Why a parcel did not arrive.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "each variant's message says it")]
pub enum Error {
    #[error("target `{target}` cannot be reached: {reason}")]
    Unreachable { target: String, reason: String },
    #[error("another package lies at {place} already")]
    Conflict { place: String },
    #[error("artifact {sha256} does not have its checksum any more")]
    Corrupt { sha256: String },
}

/// Carries parcels to one target.
pub trait Courier: Send + Sync + 'static {
    /// Carries the parcel; idempotent.
    ///
    /// # Errors
    /// When it did not arrive whole.
    fn carry<'a>(&'a self, parcel: &'a Parcel) -> BoxFuture<'a, Result<Carried, Error>>;
}
