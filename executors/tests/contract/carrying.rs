//! What every courier promises: packages that are whole, that coreutils can check, that can be carried again and never mix.
//!
//! Each promise is one function over a target; the files beside this one say what a target is, and what it promises besides.

mod cuts;
mod directory;
mod s3;
mod sftp;

use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use kentai_engine::port::courier::{Carried, Courier, Entry, Error, Package, Piece};

use crate::support::package::{Files, files, package, small, text};

/// A place that packages are carried to, and the receiver's own look at it.
pub(crate) trait Target {
    fn courier(&self) -> Arc<dyn Courier>;
    /// One whose target is not there, and what it must say to do.
    fn unreachable(&self) -> (Arc<dyn Courier>, &'static str);
    /// What lies under the package's name.
    fn files(&self) -> Files;
    /// Whatever else lies there: folders that are half made, uploads that nobody completed.
    fn leftovers(&self) -> Vec<String>;
    /// Where the package must be said to lie.
    fn place(&self) -> String;
    /// Somebody else's file under the package's name.
    fn plant(&self, path: &str, bytes: &[u8]);
    /// What a carrier has left that died while it carried this file.
    fn plant_half(&self, path: &str, bytes: &[u8]);
}

/// The promises of a target; `$start` makes one, or none where the tests go without it.
macro_rules! promises {
    ($start:expr; $($promise:ident)+) => {
        $(
            #[tokio::test]
            async fn $promise() {
                if let Some(target) = $start {
                    crate::contract::carrying::$promise(&target).await;
                }
            }
        )+
    };
    ($start:expr) => {
        $crate::contract::carrying::promises! { $start;
            a_package_is_whole_and_coreutils_can_check_it
            a_package_carried_twice_or_at_once_is_one_package
            what_a_carrier_left_that_died_is_made_whole
            another_package_in_its_place_is_a_conflict_and_stays_as_it_was
            a_package_with_another_document_is_a_conflict
            an_artifact_that_changed_on_disk_does_not_leave_the_house
            a_target_that_is_not_there_is_unreachable_and_says_what_to_do
            names_that_could_lead_elsewhere_are_refused
        }
    };
}
pub(crate) use promises;

struct House {
    directory: tempfile::TempDir,
    package: Package,
}

impl House {
    fn new() -> Self {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let package = small(directory.path());
        Self { directory, package }
    }

    async fn carry(&self, target: &impl Target) -> Result<Carried, Error> {
        target.courier().carry(&self.package).await
    }
}

fn checks(program: &str, manifest: &str, folder: &Path) -> bool {
    let output = Command::new(program).args(["--strict", "-c", manifest]).current_dir(folder).output();
    output.expect(program).status.success()
}

/// The package as it was packed, and nothing beside it.
pub(crate) fn assert_whole(target: &impl Target, package: &Package) {
    assert!(target.files() == files(package), "what arrived is not what was packed");
    assert_eq!(target.leftovers(), Vec::<String>::new(), "nothing else lies beside it");
}

pub(crate) async fn a_package_is_whole_and_coreutils_can_check_it(target: &impl Target) {
    let house = House::new();
    assert_eq!(house.carry(target).await.expect("carried").place, target.place());
    assert_whole(target, &house.package);
    let folder = house.directory.path().join("received");
    for (path, bytes) in target.files() {
        let path = folder.join(path);
        std::fs::create_dir_all(path.parent().expect("in the folder")).expect("made");
        std::fs::write(path, bytes).expect("written");
    }
    assert!(checks("sha256sum", "manifest-sha256.txt", &folder));
    assert!(checks("md5sum", "manifest-md5.txt", &folder));
    assert!(checks("sha256sum", "tagmanifest-sha256.txt", &folder));
    assert_eq!(target.files()["data/S1.vcf.gz.c4gh"], b"header calls", "its pieces follow each other");
}

pub(crate) async fn a_package_carried_twice_or_at_once_is_one_package(target: &impl Target) {
    let house = House::new();
    let courier = target.courier();
    let (first, second) = tokio::join!(courier.carry(&house.package), courier.carry(&house.package));
    let first = first.expect("carried");
    assert_eq!(first, second.expect("carried"));
    assert_eq!(first, house.carry(target).await.expect("carried again"));
    assert_whole(target, &house.package);
}

pub(crate) async fn what_a_carrier_left_that_died_is_made_whole(target: &impl Target) {
    let house = House::new();
    target.plant_half("data/S1.cram", b"half");
    target.plant_half("data/S1.vcf.gz.c4gh", b"a file that is longer than the one that it should be");
    target.plant_half("data/delivery.json", b"{");
    target.plant_half("junk", b"of another package under the same name");
    target.plant_half("data/junk", b"of another package under the same name");
    house.carry(target).await.expect("carried");
    assert_whole(target, &house.package);
}

pub(crate) async fn another_package_in_its_place_is_a_conflict_and_stays_as_it_was(target: &impl Target) {
    let house = House::new();
    target.plant("manifest-sha256.txt", b"other");
    let said = house.carry(target).await;
    assert!(matches!(&said, Err(Error::Conflict { place }) if place.starts_with(&target.place())), "{said:?}");
    assert_eq!(target.files(), Files::from([("manifest-sha256.txt".into(), b"other".to_vec())]));
    assert!(target.leftovers().is_empty());
}

pub(crate) async fn a_package_with_another_document_is_a_conflict(target: &impl Target) {
    let mut house = House::new();
    house.carry(target).await.expect("carried");
    let first = house.package.clone();
    let payload: Vec<Entry> = first.entries.iter().take(2).cloned().collect();
    // As long as the one before: a size tells nothing.
    let document = text("data/delivery.json", "[]\n");
    house.package = package(payload.into_iter().chain([document]).collect());
    assert!(matches!(house.carry(target).await, Err(Error::Conflict { .. })));
    assert_whole(target, &first);
}

pub(crate) async fn an_artifact_that_changed_on_disk_does_not_leave_the_house(target: &impl Target) {
    let mut house = House::new();
    let other = house.directory.path().join("rotten");
    std::fs::write(&other, "rEads").expect("write");
    let stored = |place: &Path| Piece::File { path: place.to_owned(), size: 5, artifact: "a".repeat(64) };
    for place in [other.as_path(), Path::new("/nowhere")] {
        house.package.entries[0].pieces = vec![stored(place)];
        let said = house.carry(target).await;
        assert!(matches!(&said, Err(Error::Corrupt { sha256 }) if *sha256 == "a".repeat(64)), "{said:?}");
        assert!(target.files().is_empty());
    }
}

pub(crate) async fn a_target_that_is_not_there_is_unreachable_and_says_what_to_do(target: &impl Target) {
    let house = House::new();
    let (courier, remedy) = target.unreachable();
    let said = courier.carry(&house.package).await.expect_err("refused").to_string();
    assert!(said.contains("`partner` cannot be reached") && said.contains(remedy), "{said}");
}

pub(crate) async fn names_that_could_lead_elsewhere_are_refused(target: &impl Target) {
    let mut house = House::new();
    for path in ["data/../../S1.vcf.gz", "../S1.vcf.gz", "/S1.vcf.gz", "data/.hidden", "data/a/b", ""] {
        house.package.entries[1].path = path.into();
        assert!(matches!(house.carry(target).await, Err(Error::Refused(_))), "{path}");
    }
    house.package = small(house.directory.path());
    house.package.folder = "../elsewhere".into();
    assert!(matches!(house.carry(target).await, Err(Error::Refused(_))));
    assert!(target.files().is_empty() && target.leftovers().is_empty());
}

/// Everything in a directory but the package.
fn others_in(directory: &Path) -> Vec<String> {
    let names = directory.read_dir().expect("there").flatten().map(|entry| entry.file_name());
    names
        .map(|name| name.to_string_lossy().into_owned())
        .filter(|name| name != crate::support::package::FOLDER)
        .collect()
}
