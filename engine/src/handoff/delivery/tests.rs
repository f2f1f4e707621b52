//! The document as a promise: what is written is read, by older and newer readers too.

use super::*;
use crate::handoff::qc::Said;
use crate::store::rows::detail::{CheckReport, GateReport, Verdict};

/// As packages said it before there was a version.
const BEFORE: &str = r#"{
  "barcode": "T1", "consent": { "record": "C-1", "status": "given", "scopes": ["sequencing"] },
  "decisions": [{ "step": "depth", "decision": { "person": "tanaka", "verdict": "release", "reason": "deep enough", "at_us": 7 } }],
  "delivery": "d1", "files": [{ "name": "S1.vcf", "size": 6, "sha256": "ab", "md5": "cd" }],
  "images": { "kentai/seqtools:1": "sha256:ef" }, "params": { "reference": "tiny@1" }, "participant": null,
  "quality": [{ "step": "depth", "report": { "verdict": "pass", "checks": [
    { "metric": "reads", "verdict": "pass", "value": 2.0, "unit": "count", "pass": ">= 1", "tracked": true } ] } }],
  "receiver": "outbox", "run": "r1", "sender": "tokyo", "specimen": "S1",
  "workflow": { "id": "germline_wgs", "version": "1", "sha256": "01" } }"#;

fn document() -> Document {
    let check = CheckReport {
        metric: "reads".into(),
        verdict: Verdict::Pass,
        value: Some(2.0),
        unit: "count".into(),
        pass: ">= 1".into(),
        warn: None,
        items: Vec::new(),
        tracked: false,
    };
    let said = Said {
        person: "tanaka".into(),
        roles: vec!["reviewer".into()],
        verdict: "release".into(),
        reason: "deep enough".into(),
        at_us: 7,
    };
    let plain = Plain { size: 4, sha256: "12".into(), md5: "34".into() };
    Document {
        delivery: "d1".into(),
        sender: "tokyo".into(),
        receiver: "archive".into(),
        recipient_key: Some("5f".into()),
        specimen: "S1".into(),
        participant: Some("P1".into()),
        assay: Some(Assay { id: "wgs".into(), version: "3".into() }),
        consent: Some(Consent { record: Some("C-1".into()), scopes: vec!["research".into()], ..Consent::default() }),
        files: vec![
            Delivered { name: "b".into(), ..Delivered::default() },
            Delivered { name: "a.c4gh".into(), kind: "cram".into(), plain: Some(plain), ..Delivered::default() },
        ],
        quality: vec![Quality {
            step: "depth".into(),
            criteria: String::new(),
            report: GateReport { verdict: Verdict::Pass, checks: vec![check] },
            findings: Vec::new(),
        }],
        decisions: vec![Decision { step: "depth".into(), kind: "qc".into(), decision: said }],
        audit: Some(Checkpoint::default()),
        ..Document::at(1_700_000_000_123_456)
    }
}

#[test]
fn what_is_written_is_read_with_files_in_the_order_of_their_names() {
    let text = document().write();
    let read = Document::read(&text).expect("a document");
    assert_eq!(read.created, "2023-11-14T22:13:20.123456Z");
    assert_eq!(read.files.iter().map(|file| file.name.as_str()).collect::<Vec<_>>(), ["a.c4gh", "b"]);
    assert_eq!(read.write(), text);
    assert_eq!(read.payload().count(), 2);
}

#[test]
fn a_package_from_before_there_was_a_version_is_read() {
    let read = Document::read(BEFORE).expect("a document");
    assert_eq!(read.files[0].md5, "cd");
    assert_eq!(read.decisions[0].decision.person, "tanaka");
    assert_eq!(read.quality[0].report.checks[0].pass, ">= 1");
    assert_eq!(read.consent.and_then(|consent| consent.status).as_deref(), Some("given"));
}

#[test]
fn a_reader_from_before_finds_what_it_looked_for() {
    let old: serde_json::Value = serde_json::from_str(BEFORE).expect("JSON");
    let new: serde_json::Value = serde_json::from_str(&document().write()).expect("JSON");
    for (key, value) in old.as_object().expect("an object") {
        assert!(new.get(key).is_some(), "{key} is gone");
        if let Some(fields) = value.get(0).and_then(serde_json::Value::as_object) {
            for field in fields.keys() {
                assert!(new[key][0].get(field).is_some(), "{key}[].{field} is gone");
            }
        }
    }
}

#[test]
fn a_reader_passes_over_what_a_later_writer_adds_and_refuses_what_means_something_else() {
    let more = document().write().replacen('{', "{ \"later\": [1],", 1);
    assert_eq!(Document::read(&more).expect("a document").delivery, "d1");
    let other = document().write().replace("\"kentai_delivery\": 1", "\"kentai_delivery\": 2");
    assert!(matches!(Document::read(&other), Err(Unreadable::Version(2))));
}
