//! `targets:` where hand-offs go, and in which form. It reads no key: that is for whoever puts the rooms together.

use std::path::PathBuf;

use kentai_engine::decide::retain::{COPIES_MIN, Rule};
use serde::{Deserialize, Serialize};

use super::Duration;

/// One of `targets:`
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Target {
    /// `directory`, `s3`, `sftp`, or `pull`: the receiver fetches it.
    pub kind: String,
    /// Directory; relative to the site's, or on the server.
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
    /// When the copies of its deliveries here may go; absent: never.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retain: Option<Retain>,
    /// Consent scope that this use needs.
    #[serde(default)]
    pub consent_use: Option<String>,
    /// Of a bucket: `https://host[:port]`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub endpoint: Option<String>,
    /// Of a bucket: what requests are signed for; absent: us-east-1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// Bucket.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bucket: Option<String>,
    /// Of a bucket: folders before the package's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prefix: Option<String>,
    /// Of a bucket: its name is in the `path` of addresses, or in their `host`; absent: path.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub style: Option<String>,
    /// Of a bucket: PEM file of the only authorities that may certify the endpoint; relative to the site's directory.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authorities: Option<PathBuf>,
    /// Of a bucket: name of the secret with the access key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credentials: Option<String>,
    /// Of a server: its name or address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host: Option<String>,
    /// Of a server: absent: 22.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub port: Option<u16>,
    /// Of a server: account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// Of a server: name of the secret with the account's private key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// Of a server: name of the secret with the account's password.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password: Option<String>,
    /// Of a server: file with its keys, as OpenSSH keeps them; relative to the site's directory.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub known_hosts: Option<PathBuf>,
    /// How what arrived is compared: `checksums` or `read` of a bucket, `read` or `size` of a server; absent: the first one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verify: Option<String>,
}

/// `retain:` of a target. Nothing goes by itself: it says when two people may let it go.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Retain {
    /// So long after the newest receipt.
    pub after_receipt: Duration,
    /// So many copies must be known elsewhere: the receiver's, and those in archives; two at least.
    #[serde(default = "two")]
    pub copies: u32,
}

fn two() -> u32 {
    COPIES_MIN
}

impl Retain {
    /// As the engine takes it.
    pub(crate) fn rule(self) -> Rule {
        let seconds = i64::try_from(self.after_receipt.0).unwrap_or(i64::MAX);
        Rule { after_receipt_us: seconds.saturating_mul(1_000_000), copies: self.copies }
    }
}

/// What each kind needs, and what it may have besides, beside the keys that every kind may have.
const KINDS: [(&str, &[&str], &[&str]); 4] = [
    ("directory", &["path"], &[]),
    ("pull", &[], &[]),
    ("s3", &["endpoint", "bucket", "credentials"], &["region", "prefix", "style", "authorities", "verify"]),
    ("sftp", &["host", "user", "path", "known_hosts"], &["port", "key", "password", "verify"]),
];

fn none() -> String {
    "none".into()
}

fn is_empty(path: &std::path::Path) -> bool {
    path.as_os_str().is_empty()
}

impl Target {
    /// A directory that gets plain files for whatever use.
    pub(super) fn directory(path: &str) -> Self {
        Self { kind: "directory".into(), path: path.into(), encrypt: none(), ..Self::default() }
    }

    /// Names of the secrets that it uses.
    pub(crate) fn secrets(&self) -> impl Iterator<Item = &str> {
        [&self.credentials, &self.key, &self.password].into_iter().filter_map(Option::as_deref)
    }

    /// Keys that not every kind has, and whether they are set.
    fn own_keys(&self) -> [(&'static str, bool); 15] {
        [
            ("path", !is_empty(&self.path)),
            ("endpoint", self.endpoint.is_some()),
            ("region", self.region.is_some()),
            ("bucket", self.bucket.is_some()),
            ("prefix", self.prefix.is_some()),
            ("style", self.style.is_some()),
            ("authorities", self.authorities.is_some()),
            ("credentials", self.credentials.is_some()),
            ("host", self.host.is_some()),
            ("port", self.port.is_some()),
            ("user", self.user.is_some()),
            ("key", self.key.is_some()),
            ("password", self.password.is_some()),
            ("known_hosts", self.known_hosts.is_some()),
            ("verify", self.verify.is_some()),
        ]
    }

    /// Are the keys those of its kind?
    fn check_kind(&self) -> Result<(), String> {
        let Some((kind, needs, may)) = KINDS.iter().find(|(kind, ..)| *kind == self.kind) else {
            let known: Vec<&str> = KINDS.iter().map(|(kind, ..)| *kind).collect();
            return Err(format!("this version knows the kinds {}, not `{}`", known.join(", "), self.kind));
        };
        for (key, is_set) in self.own_keys() {
            if needs.contains(&key) && !is_set {
                return Err(format!("the kind `{kind}` needs `{key}:`"));
            }
            if is_set && !needs.contains(&key) && !may.contains(&key) {
                let why = if *kind == "pull" { ": the receiver fetches it" } else { "" };
                return Err(format!("the kind `{kind}` has no `{key}:`{why}"));
            }
        }
        if *kind == "sftp" && self.key.is_none() && self.password.is_none() {
            return Err("the kind `sftp` needs `key:` or `password:`, the name of a secret".into());
        }
        let is_one_of =
            |value: &Option<String>, known: &[&str]| value.as_deref().is_none_or(|one| known.contains(&one));
        let ways: &[&str] = if *kind == "sftp" { &["read", "size"] } else { &["checksums", "read"] };
        if !is_one_of(&self.verify, ways) {
            return Err(format!("`verify` of the kind `{kind}` is {}", ways.join(" or ")));
        }
        if !is_one_of(&self.style, &["path", "host"]) {
            return Err("`style` is path or host".into());
        }
        Ok(())
    }

    /// What is wrong with it, and what would be right.
    pub(super) fn check(&self, name: &str) -> Result<(), String> {
        let wrong = |reason: String| Err(format!("target `{name}`: {reason}"));
        if let Err(reason) = self.check_kind() {
            return wrong(reason);
        }
        if let Some(Retain { copies, .. }) = self.retain
            && copies < COPIES_MIN
        {
            return wrong(format!("`retain: copies` is {COPIES_MIN} at least: the receiver's and one beside it"));
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
