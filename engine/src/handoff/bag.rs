//! BagIt 1.0 (RFC 8493): the texts around a package's payload, in canonical bytes. It knows no disk; what lies in the payload it is told.
//!
//! Canonical: manifests in the order of their paths, one label of `bag-info.txt` after the other in a fixed order, LF, nothing folded.
//! The same package gives the same bytes, and whoever reads writes again and compares.

pub mod info;
pub mod read;

use sha2::{Digest as _, Sha256};

use self::info::Info;
use super::fetch::Source;
use super::{File, name, sshsig};
use crate::audit::checkpoint::Secret;
use crate::audit::hex;

/// The folder of the payload.
pub const DATA: &str = "data/";
/// Declares the layout (section 2.1.1).
pub const DECLARATION: &str = "bagit.txt";
/// Its bytes.
pub(super) const DECLARED: &str = "BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n";
/// Facts about the package (section 2.2.2).
pub const INFO: &str = "bag-info.txt";
/// Where what is not there can be fetched (section 2.2.3).
pub const FETCH: &str = "fetch.txt";
/// The payload by SHA-256 (section 2.1.3); its digest names the package.
pub const MANIFEST_SHA256: &str = "manifest-sha256.txt";
/// The payload by MD5.
pub const MANIFEST_MD5: &str = "manifest-md5.txt";
/// Covers every other tag file (section 2.2.1).
pub const TAG_MANIFEST: &str = "tagmanifest-sha256.txt";
/// The tag manifest's signature, which by that covers the whole package.
pub const SIGNATURE: &str = "tagmanifest-sha256.txt.sig";

/// Every tag file that a package may have.
pub const TAG_FILES: [&str; 7] = [DECLARATION, INFO, FETCH, MANIFEST_MD5, MANIFEST_SHA256, TAG_MANIFEST, SIGNATURE];

/// A file of the package outside `data/`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TagFile {
    /// Its name in the package's folder.
    pub name: &'static str,
    /// UTF-8.
    pub text: String,
}

/// Why there can be no such package.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "each variant's message says it")]
pub enum Error {
    #[error("a file cannot be called so: {0}")]
    Name(#[from] name::Error),
    #[error("`{name}` comes with `{found}`, which is no {algorithm} digest in lowercase hex")]
    Digest { name: String, algorithm: &'static str, found: String },
    #[error("`{label}` must be one line without blanks at its ends, and not empty")]
    Info { label: &'static str },
    #[error("`{0}` is no address that a file could be fetched from")]
    Address(String),
}

/// The tag files of a package, ready to be written, the tag manifest last. With a `source` the payload need not travel along: a holey bag.
///
/// # Errors
/// When a name, a digest, a fact or the source's address cannot stand in a package.
pub fn write(payload: &[File], info: &Info, source: Option<&Source>) -> Result<Vec<TagFile>, Error> {
    check(payload)?;
    let mut tags = vec![
        TagFile { name: DECLARATION, text: DECLARED.to_owned() },
        TagFile { name: INFO, text: info.write(Oxum::of(payload))? },
        TagFile { name: MANIFEST_MD5, text: manifest(payload, |file| &file.md5) },
        TagFile { name: MANIFEST_SHA256, text: manifest(payload, |file| &file.sha256) },
    ];
    if let Some(source) = source {
        tags.push(TagFile { name: FETCH, text: source.fetch(payload)? });
    }
    let listed: Vec<(String, &str)> = tags.iter().map(|tag| (digest(&tag.text), tag.name)).collect();
    let text = lines(listed.iter().map(|(digest, name)| (digest.as_str(), (*name).to_owned())).collect());
    tags.push(TagFile { name: TAG_MANIFEST, text });
    Ok(tags)
}

/// The signature's own tag file. It is in no manifest: it covers the one that covers everything else.
#[must_use]
pub fn sign(tags: &[TagFile], secret: &Secret) -> Option<TagFile> {
    let signed = tags.iter().find(|tag| tag.name == TAG_MANIFEST)?;
    Some(TagFile { name: SIGNATURE, text: sshsig::sign(secret, sshsig::NAMESPACE, signed.text.as_bytes()) })
}

/// `Payload-Oxum` (section 2.2.2): bytes and number of the payload's files.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Oxum {
    /// Of all files together.
    pub bytes: u64,
    /// Number.
    pub files: u64,
}

impl Oxum {
    /// Of these files.
    #[must_use]
    pub fn of(payload: &[File]) -> Self {
        let bytes = payload.iter().fold(0, |sum: u64, file| sum.saturating_add(file.size_bytes));
        Self { bytes, files: payload.len() as u64 }
    }
}

fn check(payload: &[File]) -> Result<(), Error> {
    name::check_all(payload.iter().map(|file| file.name.as_str()))?;
    for file in payload {
        for (algorithm, found, length) in [("SHA-256", &file.sha256, 64), ("MD5", &file.md5, 32)] {
            if !is_digest(found, length) {
                return Err(Error::Digest { name: file.name.clone(), algorithm, found: found.clone() });
            }
        }
    }
    Ok(())
}

pub(super) fn is_digest(text: &str, length: usize) -> bool {
    text.len() == length && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

fn manifest(payload: &[File], digest: impl Fn(&File) -> &str) -> String {
    lines(payload.iter().map(|file| (digest(file), path(&file.name))).collect())
}

/// A payload file's path as manifests and `fetch.txt` spell it.
pub(super) fn path(name: &str) -> String {
    format!("{DATA}{}", name::encode(name))
}

/// Two blanks, as coreutils reads them; in the order of the paths' bytes.
fn lines(mut listed: Vec<(&str, String)>) -> String {
    listed.sort_by(|one, other| one.1.cmp(&other.1));
    listed.iter().map(|(digest, path)| format!("{digest}  {path}\n")).collect()
}

fn digest(text: &str) -> String {
    hex(&Sha256::digest(text.as_bytes()))
}

#[cfg(test)]
mod tests;
