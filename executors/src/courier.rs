//! Couriers: they carry a finished package to one target, whole or not at all. They do not decide what is in it.

pub mod directory;
pub mod s3;
mod secret;
pub mod sftp;
mod source;
mod turns;

use kentai_engine::port::courier::{Entry, Error, Package};

/// A name that every file system takes and no checksum file has to escape.
fn is_safe(name: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    (1..=200).contains(&name.len()) && !name.starts_with('.') && name.bytes().all(allowed)
}

/// Refuses a package in which any name could lead elsewhere.
fn check_names(package: &Package) -> Result<(), Error> {
    let parts = package.entries.iter().flat_map(|entry| entry.path.split('/'));
    if let Some(name) = parts.chain([package.folder.as_str(), &package.delivery]).find(|name| !is_safe(name)) {
        return Err(Error::Refused(format!("`{}` is not a safe name", name.escape_debug())));
    }
    match package.entries.iter().find(|entry| entry.path.matches('/').count() > 1) {
        Some(entry) => Err(Error::Refused(format!("`{}` lies deeper than one folder", entry.path))),
        None => Ok(()),
    }
}

/// The payload first, then what names it, its signature at the very end: who waits for the last file sees a whole package.
fn in_sending_order(package: &Package) -> Vec<&Entry> {
    let rank = |entry: &&Entry| match entry.path.as_str() {
        path if path.contains('/') => 0,
        path if path.ends_with(".sig") => 4,
        path if path.starts_with("tagmanifest") => 3,
        path if path.starts_with("manifest") => 2,
        _ => 1,
    };
    let mut entries: Vec<&Entry> = package.entries.iter().collect();
    // Stable: within a rank they stay in the order of their paths.
    entries.sort_by_key(rank);
    entries
}

#[cfg(test)]
mod tests {
    use super::*;

    fn package(paths: &[&str]) -> Package {
        let entry = |path: &&str| Entry {
            path: (*path).into(),
            size: 0,
            sha256: String::new(),
            md5: String::new(),
            pieces: Vec::new(),
        };
        Package { delivery: "d".into(), folder: "f".into(), entries: paths.iter().map(entry).collect() }
    }

    #[test]
    fn names_that_could_lead_elsewhere_are_not_safe() {
        for name in ["", ".", "..", "../x", "a/b", "a b", ".hidden", "a\n", "検体"] {
            assert!(!is_safe(name), "{name:?}");
        }
        assert!(is_safe("S1.vcf.gz") && is_safe("S1_2-x.cram"));
    }

    #[test]
    fn a_path_has_one_folder_at_most() {
        assert!(check_names(&package(&["data/S1.cram", "bagit.txt"])).is_ok());
        assert!(matches!(check_names(&package(&["data/a/S1.cram"])), Err(Error::Refused(_))));
    }

    #[test]
    fn what_says_that_a_package_is_whole_leaves_last() {
        let paths = ["bagit.txt", "data/S1.cram", "manifest-md5.txt", "tagmanifest-sha256.txt"];
        let package = package(&[&["tagmanifest-sha256.txt.sig"], &paths[..], &["z.txt"]].concat());
        let order: Vec<&str> = in_sending_order(&package).iter().map(|entry| entry.path.as_str()).collect();
        let expected = ["data/S1.cram", "bagit.txt", "z.txt", "manifest-md5.txt", "tagmanifest-sha256.txt"];
        assert_eq!(order, [&expected[..], &["tagmanifest-sha256.txt.sig"]].concat());
    }
}
