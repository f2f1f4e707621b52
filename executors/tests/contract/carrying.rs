//! The directory courier: packages that are whole, that coreutils can check, and that can be carried again.

use std::path::{Path, PathBuf};
use std::process::Command;

use kentai_engine::port::courier::{Carried, Courier, Error, Parcel, ParcelFile};
use kentai_engine::store::artifact::ArtifactStore;
use kentai_executors::courier::directory::DirectoryCourier;
use serde_json::json;

struct Site {
    directory: tempfile::TempDir,
    courier: DirectoryCourier,
    parcel: Parcel,
}

impl Site {
    fn new() -> Self {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let store = ArtifactStore::open(directory.path()).expect("a store");
        let target = directory.path().join("target");
        std::fs::create_dir(&target).expect("made");
        let files: Vec<ParcelFile> = [("S1.cram", "reads"), ("S1.vcf.gz", "calls")]
            .map(|(name, text)| {
                let made = store.import_bytes(text.as_bytes()).expect("imported");
                let source = store.path_of(&made.sha256, false);
                ParcelFile { name: name.into(), source, sha256: made.sha256, size: made.size }
            })
            .into();
        let listed: Vec<_> = files.iter().map(|file| json!({"name": file.name, "sha256": file.sha256})).collect();
        let parcel = Parcel {
            delivery: "delivery-1".into(),
            folder: "S1.run-1".into(),
            files,
            document: json!({"sender": "center", "files": listed}),
        };
        let courier = DirectoryCourier::new("partner", &target);
        Self { directory, courier, parcel }
    }

    fn target(&self) -> PathBuf {
        self.directory.path().join("target")
    }

    async fn carry(&self) -> Result<Carried, Error> {
        self.courier.carry(&self.parcel).await
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
    let document = std::fs::read_to_string(folder.join("data/delivery.json")).expect("there");
    let document: serde_json::Value = serde_json::from_str(&document).expect("JSON");
    assert_eq!(document["files"][0]["md5"].as_str().map(str::len), Some(32));
    let info = std::fs::read_to_string(folder.join("bag-info.txt")).expect("there");
    assert!(info.contains("Payload-Oxum: ") && info.contains("External-Identifier: delivery-1"), "{info}");
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
    site.parcel.document["consent"] = json!("withdrawn");
    assert!(matches!(site.carry().await, Err(Error::Conflict { .. })));
}

#[tokio::test]
async fn an_artifact_that_changed_on_disk_does_not_leave_the_house() {
    let mut site = Site::new();
    let other = site.directory.path().join("rotten");
    std::fs::write(&other, "rEads").expect("write");
    site.parcel.files[0].source = other;
    assert!(matches!(site.carry().await, Err(Error::Corrupt { .. })));
    assert!(!site.target().join("S1.run-1").exists());
    site.parcel.files[0].source = "/nowhere".into();
    assert!(matches!(site.carry().await, Err(Error::Corrupt { .. })));
}

#[tokio::test]
async fn a_target_that_is_not_mounted_is_unreachable_and_names_are_checked() {
    let mut site = Site::new();
    site.courier = DirectoryCourier::new("partner", site.directory.path().join("unmounted"));
    let said = site.carry().await.expect_err("refused").to_string();
    assert!(said.contains("make or mount it"), "{said}");
    site.courier = DirectoryCourier::new("partner", site.target());
    site.parcel.files[1].name = "../S1.vcf.gz".into();
    assert!(site.carry().await.is_err());
    site.parcel.files[1].name = "delivery.json".into();
    assert!(site.carry().await.is_err());
    assert_eq!(site.target().read_dir().expect("there").count(), 0);
}
