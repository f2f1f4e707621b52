//! The hand-off package: bytes and values in, documents out. Pure; it knows neither disk nor network, nor who carries a package.

pub mod bag;
pub(crate) mod base64;
pub mod crypt4gh;
pub mod delivery;
pub mod fetch;
pub mod metalink;
pub mod name;
pub mod offer;
pub mod qc;
pub mod receipt;
pub mod sshsig;
pub mod verify;

/// One file of a package's payload, as it lies there: encrypted, if it travels encrypted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    /// Path beneath `data/`, with `/` between its parts.
    pub name: String,
    /// Bytes.
    pub size_bytes: u64,
    /// Lowercase hex.
    pub sha256: String,
    /// Lowercase hex; for receivers that know nothing newer.
    pub md5: String,
}

/// `2026-11-22T01:02:03.000004Z`
fn time(at: crate::clock::Micros) -> String {
    // Only a broken row holds a time outside of the years that a timestamp can say.
    jiff::Timestamp::from_microsecond(at).map_or_else(|_| at.to_string(), |at| format!("{at:.6}"))
}
