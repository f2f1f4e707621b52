//! A package that holds together is good; one whose parts say different things is not, even when everything in it is signed anew.

use std::collections::BTreeMap;

use md5::{Digest as _, Md5};
use sha2::Sha256;

use super::*;
use crate::audit::checkpoint::{Secret, Stand};
use crate::audit::hex;
use crate::handoff::bag::info::Info;
use crate::handoff::delivery::{self, Delivered, Document};
use crate::handoff::qc;
use crate::provenance::{self, example, ro_crate};

fn secret() -> Secret {
    Secret::from_bytes(&[7; 32])
}

fn measured(name: &str, bytes: &[u8]) -> File {
    File {
        name: name.into(),
        size_bytes: bytes.len() as u64,
        sha256: hex(&Sha256::digest(bytes)),
        md5: hex(&Md5::digest(bytes)),
    }
}

/// A package in the making: every part may be changed before it is put together and signed.
struct Package {
    delivery: Document,
    quality: qc::Document,
    crated: Vec<(String, Vec<u8>)>,
    /// Not told to the crate.
    behind: Vec<(String, Vec<u8>)>,
    about: String,
    info: Info,
    signer: Secret,
}

fn delivered(name: &str, bytes: &[u8]) -> Delivered {
    let File { name, size_bytes: size, sha256, md5 } = measured(name, bytes);
    Delivered { name, size, sha256, md5, ..Delivered::default() }
}

fn package() -> Package {
    let content = |name: &str| {
        let found = example::PAYLOAD.iter().find(|(known, _)| *known == name).expect("a file of the example");
        (name.to_owned(), found.1.as_bytes().to_vec())
    };
    let crated = ["S1.cram", "S1.report.txt.c4gh", "workflow.yaml"].map(content);
    let within = Plain { size: 11, sha256: "12".repeat(32), md5: "34".repeat(16) };
    let mut files = vec![delivered("S1.cram", &crated[0].1), delivered("S1.report.txt.c4gh", &crated[1].1)];
    files[1].plain = Some(within);
    let stand = Stand { events: 7, head: "ab".repeat(32), at_us: 5, sha256: String::new() };
    let delivery = Document {
        delivery: "d1".into(),
        sender: "tokyo".into(),
        receiver: "archive".into(),
        recipient_key: Some("5f".into()),
        specimen: "S1".into(),
        run: "r1".into(),
        files,
        audit: Some(secret().sign(&stand)),
        ..Document::at(0)
    };
    let info = Info {
        source_organization: "tokyo".into(),
        bagging_date: jiff::civil::date(2026, 11, 25),
        external_identifier: "d1".into(),
        internal_sender_identifier: Some("r1".into()),
        ..Info::default()
    };
    let quality = qc::Document { delivery: "d1".into(), specimen: "S1".into(), ..qc::Document::default() };
    Package { delivery, quality, crated: crated.into(), behind: Vec::new(), about: "d1".into(), info, signer: secret() }
}

impl Package {
    fn found(&self) -> Found {
        let mut payload = self.crated.clone();
        payload.push((delivery::NAME.into(), self.delivery.write().into_bytes()));
        payload.push((qc::NAME.into(), self.quality.write().into_bytes()));
        let told = |(name, bytes): &(String, Vec<u8>)| {
            let known = example::description().files.into_iter().find(|file| file.name == *name);
            let File { name, size_bytes, sha256, .. } = measured(name, bytes);
            provenance::Delivered { artifact: None, name, size_bytes, sha256, ..known.expect("a file of the example") }
        };
        let files = payload.iter().map(told).collect();
        let description = provenance::Description { delivery: self.about.clone(), files, ..example::description() };
        let crated = ro_crate::write(&description).expect("a description that holds together");
        payload.push((ro_crate::NAME.into(), crated.into_bytes()));
        payload.extend(self.behind.clone());
        let files: Vec<File> = payload.iter().map(|(name, bytes)| measured(name, bytes)).collect();
        let mut tags = bag::write(&files, &self.info, None).expect("a package");
        tags.push(bag::sign(&tags, &self.signer).expect("a tag manifest"));
        let documents = payload.into_iter().filter(|(name, _)| DOCUMENTS.contains(&name.as_str()));
        Found {
            tags: tags.into_iter().map(|tag| (tag.name.to_owned(), tag.text.into_bytes())).collect(),
            payload: files.into_iter().map(|file| Measured { file, plain: None }).collect(),
            documents: documents.collect(),
            strange: Vec::new(),
        }
    }

    fn faults(&self) -> Vec<String> {
        let report = verify(&self.found(), Some(&secret().public()));
        report.faults.iter().map(|fault| format!("{}: {}", fault.file, fault.reason)).collect()
    }
}

/// The one thing that is wrong after a change.
fn changed(change: impl Fn(&mut Package)) -> String {
    let mut package = package();
    change(&mut package);
    let mut faults = package.faults();
    assert_eq!(faults.len(), 1, "{faults:#?}");
    faults.remove(0)
}

#[test]
fn a_package_that_holds_together_is_good_and_says_what_it_is() {
    let report = verify(&package().found(), Some(&secret().public()));
    assert_eq!((report.faults, report.notes), (vec![], vec![]));
    assert_eq!((report.delivery.as_str(), report.specimen.as_str()), ("d1", "S1"));
    assert_eq!((report.files, report.signed_by), (6, Some(secret().public())));
    assert_eq!(report.checkpoint.map(|checkpoint| checkpoint.stand.events), Some(7));
}

#[test]
fn a_key_that_only_the_package_names_is_told_with_a_warning() {
    let report = verify(&package().found(), None);
    assert!(report.faults.is_empty());
    assert!(report.notes[0].contains("which nobody vouched for"), "{:?}", report.notes);
    let other = verify(&package().found(), Some(&Secret::from_bytes(&[8; 32]).public()));
    assert!(other.faults.iter().any(|fault| fault.reason.contains("another key signed it")), "{:?}", other.faults);
}

#[test]
fn a_package_that_nobody_signed_is_refused_whoever_asks() {
    let mut found = package().found();
    found.tags.remove(bag::SIGNATURE);
    for key in [None, Some(secret().public())] {
        let report = verify(&found, key.as_ref());
        assert!(report.faults.iter().any(|fault| fault.reason == "nobody signed the package"), "{:?}", report.faults);
    }
}

#[test]
fn documents_that_say_different_things_are_found_though_signed() {
    let told = changed(|package| package.delivery.files[0].md5 = "0".repeat(32));
    assert_eq!(told, "data/S1.cram: delivery.json gives another size or checksum");
    let told = changed(|package| package.delivery.files[0].size += 1);
    assert_eq!(told, "data/S1.cram: delivery.json gives another size or checksum");
    let told = changed(|package| _ = package.delivery.files.remove(0));
    assert_eq!(told, "data/S1.cram: delivery.json does not list it");
    let told = changed(|package| package.delivery.files.push(delivered("S1.cram", b"aligned reads\n")));
    assert_eq!(told, "data/S1.cram: delivery.json lists it twice");
    let told = changed(|package| package.delivery.files.push(delivered("S2.cram", b"")));
    assert_eq!(told, "data/S2.cram: delivery.json lists it, and it is not there");
    let told = changed(|package| package.delivery.recipient_key = None);
    assert!(told.contains("not to whose key"), "{told}");
    let told = changed(|package| package.quality.delivery = "d2".into());
    assert_eq!(told, "data/qc.json: it is about delivery `d2`, specimen `S1`");
    let told = changed(|package| package.about = "d2".into());
    assert_eq!(told, "data/ro-crate-metadata.json: it is about delivery `d2`");
    let told = changed(|package| package.info.external_identifier = "d2".into());
    assert_eq!(told, "bag-info.txt: it is about delivery `d2`, and not `d1`");
    let told = changed(|package| package.info.internal_sender_identifier = Some("r2".into()));
    assert!(told.starts_with("bag-info.txt: it names neither"), "{told}");
    let told = changed(|package| package.behind.push(("workflow.more.yaml".into(), Vec::new())));
    assert_eq!(told, "data/workflow.more.yaml: the crate does not describe it");
}

#[test]
fn a_checkpoint_of_another_chain_is_found() {
    let stand = Stand { events: 7, head: "ab".repeat(32), at_us: 5, sha256: String::new() };
    let told = changed(|package| package.delivery.audit = Some(Secret::from_bytes(&[8; 32]).sign(&stand)));
    assert!(told.contains("audit checkpoint is not signed"), "{told}");
    // One that was signed over an export says something else than how the chain stood.
    let exported = Stand { sha256: "cd".repeat(32), ..stand };
    let told = changed(|package| package.delivery.audit = Some(secret().sign(&exported)));
    assert!(told.contains("audit checkpoint is not signed"), "{told}");
    let mut without = package();
    without.delivery.audit = None;
    let report = verify(&without.found(), Some(&secret().public()));
    assert_eq!((report.faults.len(), report.notes.len()), (0, 1));
}

#[test]
fn what_is_encrypted_is_held_against_what_was_encrypted() {
    let found = |plain: Result<Plain, String>| {
        let mut found = package().found();
        found.payload[1].plain = Some(plain);
        verify(&found, Some(&secret().public()))
    };
    let within = Plain { size: 11, sha256: "12".repeat(32), md5: "34".repeat(16) };
    let good = found(Ok(within.clone()));
    assert_eq!((good.decrypted, good.faults.len()), (1, 0));
    let other = found(Ok(Plain { md5: "35".repeat(16), ..within }));
    assert!(other.faults[0].reason.contains("another size or checksum"), "{:?}", other.faults);
    let broken = found(Err("no packet is for this key".into()));
    assert!(broken.faults[0].reason.contains("cannot be decrypted"), "{:?}", broken.faults);
}

#[test]
fn every_fault_is_told_and_not_the_first_alone() {
    let mut found = package().found();
    found.payload.remove(1);
    found.payload[0].file.sha256 = "0".repeat(64);
    found.tags.insert("notes.txt".into(), Vec::new());
    found.strange.push(Fault { file: "data/link".into(), reason: "it is a link".into() });
    let report = verify(&found, Some(&secret().public()));
    let files: std::collections::BTreeSet<&str> = report.faults.iter().map(|fault| fault.file.as_str()).collect();
    for file in ["data/S1.cram", "data/S1.report.txt.c4gh", "notes.txt", "data/link", "bag-info.txt"] {
        assert!(files.contains(file), "{file}: {files:?}");
    }
}

#[test]
fn every_flipped_byte_of_every_document_is_found() {
    let whole = package().found();
    let key = secret().public();
    for (name, bytes) in &whole.documents {
        // A stride that meets every kind of place, in the time that a test may take.
        for at in (0..bytes.len()).step_by(if bytes.len() > 10_000 { 97 } else { 7 }) {
            let mut found = whole.clone();
            let flipped = found.documents.get_mut(name).expect("it is there");
            flipped[at] ^= 1;
            let again = measured(name, flipped);
            let place = found.payload.iter_mut().find(|measured| measured.file.name == *name).expect("it is there");
            place.file = again;
            assert!(!verify(&found, Some(&key)).faults.is_empty(), "byte {at} of {name}");
        }
    }
}

#[test]
fn a_document_that_changed_between_two_looks_is_not_believed() {
    let mut found = package().found();
    let changed: BTreeMap<String, Vec<u8>> =
        found.documents.iter().map(|(name, bytes)| (name.clone(), [bytes.as_slice(), b" "].concat())).collect();
    found.documents = changed;
    let report = verify(&found, Some(&secret().public()));
    assert_eq!(report.faults.len(), 3, "{:?}", report.faults);
    assert!(report.faults.iter().all(|fault| fault.reason == "it changed while it was read"));
}

#[test]
fn a_checkpoint_is_found_in_the_export_that_holds_its_event() {
    use std::io::Read as _;
    let line = |seq: i64| {
        let event = crate::audit::export::EventLine {
            seq,
            stream: "run:r1".into(),
            n: seq,
            at_us: 0,
            kind: "x".into(),
            subject: String::new(),
            actor: "engine".into(),
            role: String::new(),
            body: "null".into(),
            hash: hex(&[u8::try_from(seq).expect("small"); 32]),
        };
        serde_json::to_string(&event).expect("JSON") + "\n"
    };
    let text: String = (1..=9).map(line).collect();
    let found = |events: i64, byte: u8| {
        let wanted = secret().sign(&Stand { events, head: hex(&[byte; 32]), at_us: 5, sha256: String::new() });
        let mut watched = Watched::new(text.as_bytes(), &wanted);
        // In pieces that fall into the middle of lines.
        let mut piece = [0; 13];
        while watched.read(&mut piece).expect("bytes") > 0 {}
        watched.found()
    };
    assert!(found(7, 7) && found(1, 1) && found(9, 9) && found(0, 0));
    assert!(!found(7, 8) && !found(10, 10) && !found(0, 1));
}
