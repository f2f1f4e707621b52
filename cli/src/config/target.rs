//! `targets:` where hand-offs go, and in which form. It reads no key: that is for whoever puts the rooms together.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::Duration;

/// One of `targets:`
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Target {
    /// `directory`, or `pull`: the receiver fetches it.
    pub kind: String,
    /// Directory; relative to the site's.
    #[serde(default, skip_serializing_if = "is_empty")]
    pub path: PathBuf,
    /// `none`, or `crypt4gh`.
    #[serde(default = "none")]
    pub encrypt: String,
    /// File of the public key that files are encrypted for; relative to the site's directory.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recipient: Option<PathBuf>,
    /// File of the key with which the receiver signs receipts; unsigned ones do not count then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub receipt_key: Option<PathBuf>,
    /// How long a delivery is offered; 0: without end.
    #[serde(default)]
    pub keep: Duration,
    /// Consent scope that this use needs.
    #[serde(default)]
    pub consent_use: Option<String>,
}

fn none() -> String {
    "none".into()
}

fn is_empty(path: &std::path::Path) -> bool {
    path.as_os_str().is_empty()
}

impl Target {
    /// A directory that gets plain files for whatever use.
    pub(super) fn directory(path: &str) -> Self {
        Self {
            kind: "directory".into(),
            path: path.into(),
            encrypt: none(),
            recipient: None,
            receipt_key: None,
            keep: Duration(0),
            consent_use: None,
        }
    }

    /// What is wrong with it, and what would be right.
    pub(super) fn check(&self, name: &str) -> Result<(), String> {
        let wrong = |reason: String| Err(format!("target `{name}`: {reason}"));
        match (self.kind.as_str(), is_empty(&self.path)) {
            ("directory", false) | ("pull", true) => {}
            ("directory", true) => return wrong("the kind `directory` needs `path:`".into()),
            ("pull", false) => return wrong("the kind `pull` has no `path:`: the receiver fetches it".into()),
            (kind, _) => return wrong(format!("this version knows the kinds directory and pull, not `{kind}`")),
        }
        match (self.encrypt.as_str(), &self.recipient) {
            ("none", None) | ("crypt4gh", Some(_)) => Ok(()),
            ("none", Some(_)) => wrong("it has a `recipient:`, and `encrypt: none` sends plain".into()),
            ("crypt4gh", None) => {
                wrong("`encrypt: crypt4gh` needs `recipient:`, the file of the receiver's public key".into())
            }
            (other, _) => wrong(format!("`encrypt` is none or crypt4gh, not `{other}`")),
        }
    }
}
