//! Files in their folders as bundles in bundles, with sizes and checksums as DRS reckons them. Pure.

use std::collections::BTreeSet;

use md5::Md5;
use sha2::{Digest as _, Sha256};

use super::id::Id;
use crate::audit::hex;
use crate::store::rows::PackageFile;

/// A file, or a bundle of such.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Node {
    pub(super) name: String,
    pub(super) id: String,
    /// Bytes of everything in it.
    pub(super) size: u64,
    /// Lowercase hex; of a bundle over its members' (see [`over`]).
    pub(super) sha256: String,
    pub(super) md5: String,
    /// None: it is a file.
    pub(super) contents: Option<Vec<Node>>,
}

impl Node {
    fn file(name: &str, row: &PackageFile) -> Self {
        Self {
            name: portable(name),
            id: Id::file(&row.sha256),
            size: u64::try_from(row.size).unwrap_or(0),
            sha256: row.sha256.clone(),
            md5: row.md5.clone(),
            contents: None,
        }
    }

    /// A bundle of these, no two of one name.
    pub(super) fn bundle(name: &str, id: String, mut contents: Vec<Self>) -> Self {
        let mut names = BTreeSet::new();
        for node in &mut contents {
            // Two open packages of a specimen may be called the same.
            if !names.insert(node.name.clone()) {
                node.name = format!("{}.{}", node.name, short(&node.id));
                names.insert(node.name.clone());
            }
        }
        Self {
            name: portable(name),
            id,
            size: contents.iter().fold(0, |sum, node| sum.saturating_add(node.size)),
            sha256: over(contents.iter().map(|node| node.sha256.as_str()), |text| hex(&Sha256::digest(text))),
            md5: over(contents.iter().map(|node| node.md5.as_str()), |text| hex(&Md5::digest(text))),
            contents: Some(contents),
        }
    }

    /// The bundle of this id in it.
    pub(super) fn find(&self, id: &str) -> Option<&Self> {
        let contents = self.contents.as_ref()?;
        if self.id == id { Some(self) } else { contents.iter().find_map(|node| node.find(id)) }
    }
}

/// A package as a bundle: its tag files, and its folders as bundles in it.
pub(super) fn delivery(folder: &str, manifest: &str, files: &[PackageFile]) -> Node {
    let files: Vec<&PackageFile> = files.iter().collect();
    Node::bundle(folder, Id::delivery(manifest), inside(manifest, "", &files))
}

/// What lies in a folder, whose path ends with a slash or is empty. `files` are those beneath it, sorted by path.
fn inside(manifest: &str, folder: &str, files: &[&PackageFile]) -> Vec<Node> {
    let mut nodes = Vec::new();
    let part = |file: &PackageFile| file.path[folder.len()..].split_once('/').map(|(part, _)| part.to_owned());
    let mut rest = files;
    while let Some((first, others)) = rest.split_first() {
        let Some(name) = part(first) else {
            nodes.push(Node::file(&first.path[folder.len()..], first));
            rest = others;
            continue;
        };
        // Sorted by bytes, all of a folder lie together: they begin with the same text.
        let count = rest.iter().take_while(|file| part(file).as_ref() == Some(&name)).count();
        let (within, others) = rest.split_at(count);
        let path = format!("{folder}{name}/");
        nodes.push(Node::bundle(&name, Id::folder(manifest, &path), inside(manifest, &path, within)));
        rest = others;
    }
    nodes
}

/// DRS 1.5, `DrsObject.checksums`: over the members' digests, sorted and put behind each other.
fn over<'a>(members: impl Iterator<Item = &'a str>, digest: impl Fn(String) -> String) -> String {
    let mut members: Vec<&str> = members.collect();
    members.sort_unstable();
    digest(members.concat())
}

/// As DRS allows names: letters, digits, hyphen, period, underscore. Another one keeps what it can, and says by a digest which it was.
pub(super) fn portable(name: &str) -> String {
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
    if !name.is_empty() && name.chars().all(fits) {
        return name.to_owned();
    }
    let kept: String = name.chars().map(|c| if fits(c) { c } else { '_' }).collect();
    format!("{kept}.{}", short(name))
}

fn short(text: &str) -> String {
    hex(&Sha256::digest(text))[..8].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(path: &str, digit: &str) -> PackageFile {
        PackageFile {
            delivery_id: "d".into(),
            path: path.into(),
            size: 3,
            sha256: digit.repeat(64),
            md5: digit.repeat(32),
            artifact: String::new(),
            header: String::new(),
            plain_size: 0,
            plain_md5: String::new(),
            content: String::new(),
            created_us: 0,
        }
    }

    #[test]
    fn folders_are_bundles_with_the_sizes_of_what_they_hold() {
        let rows = [row("bagit.txt", "1"), row("data/a", "2"), row("data/lanes/b", "3"), row("manifest", "4")];
        let root = delivery("S1", "m", &rows);
        let names =
            |node: &Node| -> Vec<String> { node.contents.iter().flatten().map(|node| node.name.clone()).collect() };
        assert_eq!((names(&root), root.size), (vec!["bagit.txt".into(), "data".into(), "manifest".into()], 12));
        let data = root.find(&Id::folder("m", "data/")).expect("a folder");
        assert_eq!((names(data), data.size), (vec!["a".into(), "lanes".into()], 6));
        assert!(
            root.find(&Id::folder("m", "data/lanes/")).is_some() && root.find(&Id::file(&"1".repeat(64))).is_none()
        );
    }

    #[test]
    fn names_are_such_as_every_system_can_write_and_no_two_are_one() {
        assert_eq!(portable("S1.cram"), "S1.cram");
        assert_ne!(portable("検体"), portable("標本"));
        assert!(portable("a b").starts_with("a_b.") && !portable("").is_empty());
        let twice = vec![Node::file("x", &row("x", "1")), Node::file("x", &row("x", "2"))];
        let bundle = Node::bundle("S", "s".into(), twice);
        let names: BTreeSet<&str> = bundle.contents.iter().flatten().map(|node| node.name.as_str()).collect();
        assert_eq!(names.len(), 2);
    }

    #[test]
    fn a_bundles_checksum_is_that_of_the_standards_rule() {
        // md5sum of `5e089d2972794b6d`, and not what the standard prints, which is made up.
        let sum = over(["72794b6d", "5e089d29"].into_iter(), |text| hex(&Md5::digest(text)));
        assert_eq!(sum, "d1e304fe6e1551623cfd3b919e1d6077");
    }
}
