//! The directory courier: packages that are whole, that coreutils can check, and that can be carried again.

use std::path::{Path, PathBuf};
use std::process::Command;

use kentai_engine::handoff::File;
use kentai_engine::handoff::bag::{self, info::Info};
use kentai_engine::port::courier::{Carried, Courier, Entry, Error, Package, Piece};
use kentai_engine::store::artifact::ArtifactStore;
use kentai_engine::store::artifact::digest::digests;
use kentai_executors::courier::directory::DirectoryCourier;

struct Site {
    directory: tempfile::TempDir,
    courier: DirectoryCourier,
    package: Package,
}

/// A file of the payload out of these pieces.
fn entry(path: &str, pieces: Vec<Piece>) -> Entry {
    let mut entry = Entry { path: path.into(), size: 0, sha256: String::new(), md5: String::new(), pieces };
    let found = digests(&mut entry.open().expect("there")).expect("read");
    (entry.size, entry.sha256, entry.md5) = (found.size, found.sha256, found.md5);
    entry
}

fn text(path: &str, text: &str) -> Entry {
    entry(path, vec![Piece::Bytes(text.as_bytes().into())])
}

/// The package around a payload.
fn package(payload: Vec<Entry>) -> Package {
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
    let entries = payload.into_iter().chain(tags).collect();
    Package { delivery: "delivery-1".into(), folder: "S1.run-1".into(), entries }
}

impl Site {
    fn new() -> Self {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let store = ArtifactStore::open(directory.path()).expect("a store");
        let target = directory.path().join("target");
        std::fs::create_dir(&target).expect("made");
        let stored = |content: &str| {
            let made = store.import_bytes(content.as_bytes()).expect("imported");
            Piece::File { path: store.path_of(&made.sha256, false), size: made.size, artifact: made.sha256 }
        };
        let payload = vec![
            entry("data/S1.cram", vec![stored("reads")]),
            // As an encrypted file is: its header, and a body that is stored.
            entry("data/S1.vcf.gz.c4gh", vec![Piece::Bytes(b"header ".as_slice().into()), stored("calls")]),
            text("data/delivery.json", "{}\n"),
        ];
        let courier = DirectoryCourier::new("partner", &target);
        Self { directory, courier, package: package(payload) }
    }

    fn target(&self) -> PathBuf {
        self.directory.path().join("target")
    }

    async fn carry(&self) -> Result<Carried, Error> {
        self.courier.carry(&self.package).await
    }
}

fn checks(program: &str, manifest: &str, folder: &Path) -> bool {
    let output = Command::new(program).args(["--strict", "-c", manifest]).current_dir(folder).output();
    output.expect(program).status.success()
}

#[tokio::test]
async fn a_package_is_whole_and_coreutils_can_check_it() {
    let site = Site::new();
    let carried = site.carry().await.expect("carried");
    let folder = PathBuf::from(&carried.place);
    assert_eq!(folder, site.target().join("S1.run-1"));
    assert!(checks("sha256sum", "manifest-sha256.txt", &folder));
    assert!(checks("md5sum", "manifest-md5.txt", &folder));
    assert!(checks("sha256sum", "tagmanifest-sha256.txt", &folder));
    let whole = std::fs::read_to_string(folder.join("data/S1.vcf.gz.c4gh")).expect("there");
    assert_eq!(whole, "header calls", "its pieces follow each other");
    assert_eq!(site.target().read_dir().expect("there").count(), 1, "nothing else lies beside it");
}

#[tokio::test]
async fn a_parcel_carried_twice_or_at_once_is_one_package() {
    let site = Site::new();
    let (first, second) = tokio::join!(site.carry(), site.carry());
    let first = first.expect("carried");
    assert_eq!(first, second.expect("carried"));
    assert_eq!(first, site.carry().await.expect("carried again"));
}

#[tokio::test]
async fn what_a_carrier_left_that_died_is_made_anew() {
    let site = Site::new();
    let partial = site.target().join(".S1.run-1.partial-delivery-1");
    std::fs::create_dir_all(partial.join("data")).expect("made");
    std::fs::write(partial.join("data/S1.cram"), "half").expect("write");
    std::fs::write(partial.join("junk"), "x").expect("write");
    let folder = PathBuf::from(site.carry().await.expect("carried").place);
    assert!(checks("sha256sum", "manifest-sha256.txt", &folder));
    assert!(!partial.exists() && !folder.join("junk").exists());
}

#[tokio::test]
async fn another_package_in_its_place_is_a_conflict_and_stays_as_it_was() {
    let site = Site::new();
    let place = site.target().join("S1.run-1");
    std::fs::create_dir(&place).expect("made");
    std::fs::write(place.join("manifest-sha256.txt"), "other").expect("write");
    assert!(matches!(site.carry().await, Err(Error::Conflict { .. })));
    assert_eq!(std::fs::read_to_string(place.join("manifest-sha256.txt")).expect("there"), "other");
}

#[tokio::test]
async fn a_package_with_another_document_is_a_conflict() {
    let mut site = Site::new();
    site.carry().await.expect("carried");
    let payload: Vec<Entry> =
        site.package.entries.iter().filter(|entry| entry.path.starts_with(bag::DATA)).cloned().collect();
    let document = text("data/delivery.json", "{\"consent\":\"withdrawn\"}\n");
    site.package = package(payload.into_iter().take(2).chain([document]).collect());
    assert!(matches!(site.carry().await, Err(Error::Conflict { .. })));
}

#[tokio::test]
async fn an_artifact_that_changed_on_disk_does_not_leave_the_house() {
    let mut site = Site::new();
    let other = site.directory.path().join("rotten");
    std::fs::write(&other, "rEads").expect("write");
    let stored = |place: &Path| Piece::File { path: place.to_owned(), size: 5, artifact: "a".repeat(64) };
    site.package.entries[0].pieces = vec![stored(&other)];
    assert!(matches!(site.carry().await, Err(Error::Corrupt { .. })));
    assert!(!site.target().join("S1.run-1").exists());
    site.package.entries[0].pieces = vec![stored(Path::new("/nowhere"))];
    assert!(matches!(site.carry().await, Err(Error::Corrupt { .. })));
}

#[tokio::test]
async fn a_target_that_is_not_mounted_is_unreachable_and_names_are_checked() {
    let mut site = Site::new();
    site.courier = DirectoryCourier::new("partner", site.directory.path().join("unmounted"));
    let said = site.carry().await.expect_err("refused").to_string();
    assert!(said.contains("make or mount it"), "{said}");
    site.courier = DirectoryCourier::new("partner", site.target());
    for path in ["data/../../S1.vcf.gz", "../S1.vcf.gz", "/S1.vcf.gz", "data/.hidden", ""] {
        site.package.entries[1].path = path.into();
        assert!(matches!(site.carry().await, Err(Error::Refused(_))), "{path}");
    }
    assert_eq!(site.target().read_dir().expect("there").count(), 0);
}
