//! Ids of objects: what they are made of, so that other content has another id. Only letters, digits, `-` and `.`: a DRS id needs no
//! encoding in an address.

use sha2::{Digest as _, Sha256};

use crate::audit::hex;

/// An id, taken apart. Digests are SHA-256 in lowercase hex.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Id<'a> {
    /// `f-<digest of the bytes served>`
    File(&'a str),
    /// `d-<digest of the package's manifest>`
    Delivery(&'a str),
    /// `d-<digest of the package's manifest>.<digest of the folder's path>`
    Folder(&'a str),
    /// `s-<manifest of the newest delivery>.<digest of all deliveries' ids>`: the first leads to the specimen without a search.
    Specimen(&'a str),
}

impl<'a> Id<'a> {
    /// None when it is not written so.
    pub(super) fn parse(text: &'a str) -> Option<Self> {
        let (kind, rest) = text.split_once('-')?;
        let (first, second) = match rest.split_once('.') {
            Some((first, second)) => (first, Some(second)),
            None => (rest, None),
        };
        let good =
            |digest: &str| digest.len() == 64 && digest.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        if !good(first) || !second.is_none_or(good) {
            return None;
        }
        match (kind, second) {
            ("f", None) => Some(Self::File(first)),
            ("d", None) => Some(Self::Delivery(first)),
            ("d", Some(_)) => Some(Self::Folder(first)),
            ("s", Some(_)) => Some(Self::Specimen(first)),
            _ => None,
        }
    }

    pub(super) fn file(sha256: &str) -> String {
        format!("f-{sha256}")
    }

    pub(super) fn delivery(manifest: &str) -> String {
        format!("d-{manifest}")
    }

    pub(super) fn folder(manifest: &str, path: &str) -> String {
        format!("d-{manifest}.{}", hex(&Sha256::digest(path)))
    }

    pub(super) fn specimen(newest: &str, parts: &str) -> String {
        format!("s-{newest}.{parts}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_read_as_it_was_written_and_nothing_else_is_one() {
        let (one, two) = ("1".repeat(64), "a".repeat(64));
        assert_eq!(Id::parse(&Id::file(&one)), Some(Id::File(&one)));
        assert_eq!(Id::parse(&Id::delivery(&one)), Some(Id::Delivery(&one)));
        assert_eq!(Id::parse(&Id::folder(&one, "data/")), Some(Id::Folder(&one)));
        assert_eq!(Id::parse(&Id::specimen(&one, &two)), Some(Id::Specimen(&one)));
        let long = format!("f-{one}.{two}");
        for text in ["", "-", "f-", "f-xyz", "x-", &long, &one, &format!("F-{one}"), &format!("s-{one}")] {
            assert_eq!(Id::parse(text), None, "{text}");
        }
        assert_eq!(Id::parse(&format!("f-{}", "A".repeat(64))), None);
    }
}
