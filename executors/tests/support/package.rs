//! Packages to carry: a bag around a payload, stored as the engine stores it.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::Path;

use kentai_engine::handoff::File;
use kentai_engine::handoff::bag::{self, info::Info};
use kentai_engine::port::courier::{Entry, Package, Piece};
use kentai_engine::store::artifact::ArtifactStore;
use kentai_engine::store::artifact::digest::digests;

/// Folder of every package here.
pub(crate) const FOLDER: &str = "S1.run-1";

/// Files by their path in the folder.
pub(crate) type Files = BTreeMap<String, Vec<u8>>;

/// A file of the payload out of these pieces.
pub(crate) fn entry(path: &str, pieces: Vec<Piece>) -> Entry {
    let mut entry = Entry { path: path.into(), size: 0, sha256: String::new(), md5: String::new(), pieces };
    let found = digests(&mut entry.open().expect("there")).expect("read");
    (entry.size, entry.sha256, entry.md5) = (found.size, found.sha256, found.md5);
    entry
}

pub(crate) fn text(path: &str, text: &str) -> Entry {
    entry(path, vec![Piece::Bytes(text.as_bytes().into())])
}

/// A piece that lies in the artifact store of this directory.
pub(crate) fn stored(directory: &Path, content: &[u8]) -> Piece {
    let store = ArtifactStore::open(directory).expect("a store");
    let made = store.import_bytes(content).expect("imported");
    Piece::File { path: store.path_of(&made.sha256, false), size: made.size, artifact: made.sha256 }
}

/// The package around a payload, with something in the place of a signature.
pub(crate) fn package(payload: Vec<Entry>) -> Package {
    let file = |entry: &Entry| File {
        name: entry.path.trim_start_matches(bag::DATA).into(),
        size_bytes: entry.size,
        sha256: entry.sha256.clone(),
        md5: entry.md5.clone(),
    };
    let files: Vec<File> = payload.iter().map(file).collect();
    let info =
        Info { source_organization: "center".into(), external_identifier: "delivery-1".into(), ..Info::default() };
    let tags = bag::write(&files, &info, None).expect("a bag");
    let tags = tags.iter().map(|tag| text(tag.name, &tag.text));
    let signature = text("tagmanifest-sha256.txt.sig", "-----BEGIN SSH SIGNATURE-----\n");
    let entries = payload.into_iter().chain(tags).chain([signature]).collect();
    Package { delivery: "delivery-1".into(), folder: FOLDER.into(), entries }
}

/// A package of three small files.
pub(crate) fn small(directory: &Path) -> Package {
    package(vec![
        entry("data/S1.cram", vec![stored(directory, b"reads")]),
        // As an encrypted file is: its header, and a body that is stored.
        entry("data/S1.vcf.gz.c4gh", vec![Piece::Bytes(b"header ".as_slice().into()), stored(directory, b"calls")]),
        text("data/delivery.json", "{}\n"),
    ])
}

/// A package whose first file has so many bytes, no two MiB of them alike.
pub(crate) fn large(directory: &Path, size: usize) -> Package {
    let bytes: Vec<u8> = (0..size).map(|at| (at >> 12 ^ at >> 20 ^ at) as u8).collect();
    package(vec![
        entry("data/S1.cram", vec![Piece::Bytes(b"header ".as_slice().into()), stored(directory, &bytes)]),
        text("data/delivery.json", "{}\n"),
    ])
}

/// What must arrive.
pub(crate) fn files(package: &Package) -> Files {
    let read = |entry: &Entry| {
        let mut bytes = Vec::new();
        entry.open().and_then(|mut source| source.read_to_end(&mut bytes)).expect("read");
        (entry.path.clone(), bytes)
    };
    package.entries.iter().map(read).collect()
}

/// Every file beneath a folder, by its path in it.
pub(crate) fn read_folder(folder: &Path, prefix: &str, found: &mut Files) {
    for entry in folder.read_dir().into_iter().flatten().flatten() {
        let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
        if entry.path().is_dir() {
            read_folder(&entry.path(), &format!("{name}/"), found);
        } else {
            found.insert(name, std::fs::read(entry.path()).expect("readable"));
        }
    }
}
