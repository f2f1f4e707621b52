//! BagIt 1.0 (RFC 8493): the texts around a package's files. Pure, and the same parcel gives the same bytes.

use std::fmt::Write;

use kentai_engine::port::courier::Parcel;
use serde_json::Value;

/// The document's name within `data/`.
pub(super) const DOCUMENT: &str = "delivery.json";
/// The manifest whose digest names the package.
pub(super) const MANIFEST_SHA256: &str = "manifest-sha256.txt";
/// For receivers that know nothing newer.
pub(super) const MANIFEST_MD5: &str = "manifest-md5.txt";
/// Covers every other file outside `data/`.
pub(super) const TAG_MANIFEST: &str = "tagmanifest-sha256.txt";
/// Declares the layout.
pub(super) const DECLARATION: (&str, &str) = ("bagit.txt", "BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n");
/// Facts about the package.
pub(super) const INFO: &str = "bag-info.txt";

/// A file of the package, as it lies there.
#[derive(Clone, Debug)]
pub(super) struct Packed {
    /// Name within its folder.
    pub name: String,
    /// Lowercase hex.
    pub sha256: String,
    /// Lowercase hex.
    pub md5: String,
    /// Bytes.
    pub size: u64,
}

/// A manifest that `sha256sum -c` or `md5sum -c` reads from the package's folder; lines in the order of names.
pub(super) fn manifest(folder: &str, files: &[Packed], digest: impl Fn(&Packed) -> &str) -> String {
    let mut lines: Vec<String> =
        files.iter().map(|file| format!("{}  {folder}{}\n", digest(file), file.name)).collect();
    lines.sort_by(|one, other| one.split_once("  ").map(|line| line.1).cmp(&other.split_once("  ").map(|line| line.1)));
    lines.concat()
}

/// `bag-info.txt`. Without a date: a package made again after a crash must have the same bytes.
pub(super) fn info(parcel: &Parcel, files: &[Packed]) -> String {
    let mut text = String::new();
    let bytes: u64 = files.iter().map(|file| file.size).sum();
    if let Some(sender) = parcel.document.get("sender").and_then(Value::as_str) {
        let _ = writeln!(text, "Source-Organization: {}", one_line(sender));
    }
    let _ = writeln!(text, "External-Identifier: {}", one_line(&parcel.delivery));
    let _ = writeln!(text, "Payload-Oxum: {bytes}.{}", files.len());
    text
}

/// The document as it travels: with each file's MD5.
pub(super) fn document(parcel: &Parcel, files: &[Packed]) -> String {
    let mut document = parcel.document.clone();
    for entry in document.get_mut("files").and_then(Value::as_array_mut).into_iter().flatten() {
        let packed = files.iter().find(|file| entry.get("name").and_then(Value::as_str) == Some(file.name.as_str()));
        if let (Some(packed), Some(fields)) = (packed, entry.as_object_mut()) {
            fields.insert("md5".to_owned(), Value::String(packed.md5.clone()));
        }
    }
    let mut text = serde_json::to_string_pretty(&document).expect("a JSON value is JSON");
    text.push('\n');
    text
}

/// A document without what the courier added.
pub(super) fn without_md5(mut document: Value) -> Value {
    for entry in document.get_mut("files").and_then(Value::as_array_mut).into_iter().flatten() {
        if let Some(fields) = entry.as_object_mut() {
            fields.remove("md5");
        }
    }
    document
}

/// A name that every file system takes and no checksum file has to escape.
pub(super) fn is_safe(name: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    (1..=200).contains(&name.len()) && !name.starts_with('.') && name.bytes().all(allowed)
}

fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_could_lead_elsewhere_are_not_safe() {
        for name in ["", ".", "..", "../x", "a/b", "a b", ".hidden", "a\n", "検体"] {
            assert!(!is_safe(name), "{name:?}");
        }
        assert!(is_safe("S1.vcf.gz") && is_safe("S1_2-x.cram"));
    }

    #[test]
    fn a_manifest_is_sorted_by_name_not_by_digest() {
        let packed =
            |name: &str, sha256: &str| Packed { name: name.into(), sha256: sha256.into(), md5: String::new(), size: 0 };
        let files = [packed("b", "1"), packed("a", "2")];
        assert_eq!(manifest("data/", &files, |file| &file.sha256), "2  data/a\n1  data/b\n");
    }
}
