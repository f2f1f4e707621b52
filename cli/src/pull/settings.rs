//! `pull.json`: what a pull directory is for. No secret is in it: those lie in files of their own, and it says where.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// Version of the format.
pub(crate) const VERSION: u32 = 1;
/// Its name in the pull directory.
pub(crate) const NAME: &str = "pull.json";

/// Settings of a pull directory.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Settings {
    /// Version of the format.
    pub kentai_pull: u32,
    /// The center: `https://center.example:8443`.
    pub base: String,
    /// Whom to believe instead of the machine's list, PEM.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ca: Option<PathBuf>,
    /// The client's certificate with its chain, PEM.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certificate: Option<PathBuf>,
    /// Its private key, PEM.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<PathBuf>,
    /// Whose signature packages must have, as a line of OpenSSH.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signer: Option<String>,
    /// While there is no signer: the first package's becomes it.
    #[serde(default)]
    pub trust_first: bool,
    /// File of the secret key that opens what is encrypted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret_key: Option<PathBuf>,
    /// File of the OpenSSH key that signs receipts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub receipt_key: Option<PathBuf>,
}
