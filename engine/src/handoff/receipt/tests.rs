//! One statement for one receipt, whatever way it came; nothing passes that could be read in two ways.

use super::*;

fn secret() -> Secret {
    Secret::from_bytes(&[7; 32])
}

fn accepted(path: &str) -> Said {
    let outcome = Outcome::Accepted { sha256: "a".repeat(64), plain_sha256: None, accession: Some("EGAF1".into()) };
    Said { path: path.into(), outcome }
}

fn refused(path: &str, text: &str) -> Said {
    Said { path: path.into(), outcome: Outcome::Refused { reason: Reason::Key, text: Some(text.into()) } }
}

fn receipt() -> Receipt {
    Receipt::new("r1", vec![refused("data/b", "no key of ours"), accepted("data/a")]).expect("a receipt")
}

fn wrong(json: &str) -> Wrong {
    Receipt::read(json.as_bytes()).expect_err("it is none")
}

fn one(line: &str) -> Wrong {
    wrong(&format!(r#"{{"receipt":"r1","files":[{line}]}}"#))
}

#[test]
fn the_statement_is_this() {
    let wanted = format!(
        "kentai receipt 1\nd1\nr1\ndata/a\taccepted\t{}\t\tEGAF1\ndata/b\trefused\tkey\tno key of ours\n",
        "a".repeat(64)
    );
    assert_eq!(receipt().statement("d1"), Ok(wanted));
}

#[test]
fn copies_are_said_in_a_statement_of_their_own_and_what_says_none_stays_as_it_was() {
    let two = receipt().of_copies(2).expect("a number");
    let statement = two.statement("d1").expect("a statement");
    assert!(statement.starts_with("kentai receipt 2\nd1\nr1\n2\ndata/a\taccepted\t"), "{statement}");
    let signed = two.clone().sign("d1", &secret()).expect("signed");
    let json = serde_json::to_string(&signed).expect("JSON");
    let read = Receipt::read(json.as_bytes()).expect("read");
    assert_eq!((read.copies(), &read), (Some(2), &signed));
    // More copies than were signed for are nobody's word.
    let more = json.replace("\"copies\":2", "\"copies\":3");
    assert!(Receipt::read(more.as_bytes()).is_ok_and(|more| more.verify("d1", None).is_err()));
    let float = json.replace("\"copies\":2", "\"copies\":2.0");
    assert_eq!(Receipt::read(float.as_bytes()).as_ref(), Ok(&signed));
    for odd in ["2.5", "-1", "1e30", "\"2\""] {
        let odd = json.replace("\"copies\":2", &format!("\"copies\":{odd}"));
        assert!(matches!(wrong(&odd), Wrong::Json(_)), "{odd}");
    }
    assert!(!serde_json::to_string(&receipt()).expect("JSON").contains("copies"));
    assert_eq!(receipt().of_copies(0), Err(Wrong::Copies(0)));
    assert_eq!(wrong(&json.replace("\"copies\":2", "\"copies\":100")), Wrong::Copies(100));
}

#[test]
fn what_is_sent_is_what_is_read() {
    let signed = receipt().sign("d1", &secret()).expect("signed");
    let json = serde_json::to_vec(&signed).expect("JSON");
    let read = Receipt::read(&json).expect("read");
    assert_eq!(read, signed);
    assert_eq!(read.verify("d1", Some(&secret().public())), Ok(secret().public()));
    let value: serde_json::Value = serde_json::from_slice(&json).expect("JSON");
    assert_eq!(value["files"][0]["outcome"], "accepted");
    assert!(value["files"][0].get("plain_sha256").is_none() && value["files"][0].get("reason").is_none());
}

#[test]
fn a_signature_holds_for_one_delivery_one_content_and_one_use() {
    let signed = receipt().sign("d1", &secret()).expect("signed");
    assert!(matches!(signed.verify("d2", None), Err(Wrong::Signature(sshsig::Error::Signature))));
    assert_eq!(receipt().verify("d1", None), Err(Wrong::Unsigned));
    let other = Receipt::new("r2", signed.files().to_vec()).expect("a receipt");
    let armor = signed.signature().expect("signed").to_owned();
    assert!(other.signed("d1", armor).is_err());
    let delivery = sshsig::sign(&secret(), sshsig::NAMESPACE, receipt().statement("d1").expect("text").as_bytes());
    assert!(matches!(receipt().signed("d1", delivery), Err(Wrong::Signature(sshsig::Error::Namespace { .. }))));
    let stranger = Secret::from_bytes(&[8; 32]).public();
    assert!(matches!(signed.verify("d1", Some(&stranger)), Err(Wrong::Signature(sshsig::Error::OtherKey(_)))));
}

#[test]
fn the_digest_is_of_what_is_said_and_not_of_the_signature() {
    let signed = receipt().sign("d1", &secret()).expect("signed");
    assert_eq!(signed.digest("d1"), receipt().digest("d1"));
    assert_ne!(receipt().digest("d1"), receipt().digest("d2"));
}

#[test]
fn what_cannot_be_understood_is_named() {
    let (digest, path) = ("a".repeat(64), "data/a".to_owned());
    assert!(matches!(wrong("[]"), Wrong::Json(_)));
    assert!(matches!(wrong(r#"{"receipt":"r","files":[],"more":1}"#), Wrong::Json(_)));
    assert_eq!(wrong(r#"{"receipt":"r","files":[]}"#), Wrong::Empty);
    let found = one(r#"{"path":"data/a","outcome":"maybe"}"#);
    assert_eq!(found, Wrong::Outcome { path: path.clone(), found: "maybe".into() });
    let found = one(r#"{"path":"data/a","outcome":"refused","reason":"mood"}"#);
    assert_eq!(found, Wrong::Reason { path: path.clone(), found: "mood".into() });
    let found = one(r#"{"path":"data/a","outcome":"accepted"}"#);
    assert_eq!(found, Wrong::Missing { path: path.clone(), outcome: "accepted", field: "sha256" });
    let found = one(&format!(r#"{{"path":"data/a","outcome":"refused","reason":"key","sha256":"{digest}"}}"#));
    assert_eq!(found, Wrong::Field { path: path.clone(), outcome: "refused", field: "sha256" });
    let found = one(r#"{"path":"data/a","outcome":"accepted","sha256":"AB"}"#);
    assert_eq!(found, Wrong::Digest { path, found: "AB".into() });
}

#[test]
fn nothing_can_be_read_in_two_ways() {
    for path in ["", "../x", "/x", "data/../x", "data/a\tb", "data/a\nb"] {
        assert!(Receipt::new("r1", vec![accepted(path)]).is_err(), "{path:?}");
    }
    assert_eq!(
        Receipt::new("r1", vec![accepted("data/a"), refused("data/a", "x")]),
        Err(Wrong::Twice("data/a".into()))
    );
    for id in ["", "r\n1", "r\u{85}1", &"r".repeat(201)] {
        assert!(matches!(Receipt::new(id, vec![accepted("data/a")]), Err(Wrong::Text { .. })), "{id:?}");
        assert!(receipt().statement(id).is_err(), "{id:?}");
    }
    for text in ["", "no\tkey", "no\nkey", &"x".repeat(2_001)] {
        assert!(Receipt::new("r1", vec![refused("data/a", text)]).is_err(), "{text:?}");
    }
    let many: Vec<Said> = (0..=FILES_MAX).map(|n| accepted(&format!("data/{n}"))).collect();
    assert_eq!(Receipt::new("r1", many), Err(Wrong::Many(FILES_MAX + 1)));
}
