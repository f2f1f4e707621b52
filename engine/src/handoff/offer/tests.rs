//! What a center sends is what a receiver reads; what would be dangerous there is refused by name.

use super::*;

fn entry(path: &str) -> Entry {
    Entry {
        path: path.into(),
        url: format!("/deliveries/d1/{path}"),
        size: 3,
        sha256: "a".repeat(64),
        md5: "b".repeat(32),
        ..Entry::default()
    }
}

fn detail(paths: &[&str]) -> Detail {
    let offer = Offer {
        delivery: "d1".into(),
        folder: "S1_d1".into(),
        specimen: "S1".into(),
        manifest_sha256: "a".repeat(64),
        url: "/deliveries/d1/".into(),
        ..Offer::default()
    };
    let mut entries = vec![entry(bag::MANIFEST_SHA256)];
    entries.extend(paths.iter().map(|path| entry(path)));
    Detail { offer, entries }
}

#[test]
fn an_offer_on_the_wire_is_flat_and_leaves_out_what_is_not_known() {
    let text = serde_json::to_value(detail(&["data/S1.cram"])).expect("JSON");
    assert_eq!((&text["delivery"], &text["status"]), (&"d1".into(), &"offered".into()));
    assert_eq!(text["entries"][1]["status"], "offered");
    assert!(text.get("expires").is_none() && text["entries"][1].get("plain").is_none());
    assert!(text["participant"].is_null());
    let read: Detail = serde_json::from_value(text).expect("read");
    assert_eq!(read, detail(&["data/S1.cram"]));
}

#[test]
fn what_a_later_center_adds_is_passed_over() {
    let text = r#"{"delivery":"d1","folder":"f","specimen":"S1","status":"embargoed","size":1,"files":1,
        "manifest_sha256":"","url":"/","later":[1]}"#;
    let read: Offer = serde_json::from_str(text).expect("read");
    assert_eq!((read.status, read.status.is_open()), (Status::Unknown, false));
    assert!(serde_json::from_str::<Offer>(r#"{"delivery":"d1"}"#).is_err());
}

#[test]
fn a_status_is_written_as_it_is_called() {
    for status in ["offered", "pulling", "delivered", "partly_acknowledged", "acknowledged", "refused", "expired"] {
        let read: Status = serde_json::from_value(status.into()).expect("known");
        assert_eq!((read.word(), serde_json::to_value(read).expect("JSON")), (status, status.into()));
    }
}

#[test]
fn what_leads_elsewhere_is_refused() {
    assert_eq!(detail(&["bagit.txt", "data/S1.cram", "data/qc/a.json"]).check(), Ok(()));
    for path in ["../x", "data/../x", "/x", "data//x", "data/", "x", "data/a\\b", "data/a\nb", "data/a\u{9b}b"] {
        assert!(detail(&[path]).check().is_err(), "{path:?}");
    }
    for paths in [["data/x", "data/X"], ["data/a", "data/a/b"], ["bagit.txt", "bagit.txt"]] {
        assert!(matches!(detail(&paths).check(), Err(Wrong::Name(_))), "{paths:?}");
    }
    for folder in ["", ".", "..", ".x", "a/b", "a b", "a\n", "~x", "C:"] {
        let mut other = detail(&[]);
        other.offer.folder = folder.into();
        assert!(other.check().is_err(), "{folder:?}");
    }
}

#[test]
fn digests_are_digests_and_the_manifest_is_the_one_that_names_the_package() {
    let mut other = detail(&["data/x"]);
    other.entries[1].sha256 = "A".repeat(64);
    assert!(matches!(other.check(), Err(Wrong::Digest { algorithm: "SHA-256", .. })));
    let mut other = detail(&["data/x"]);
    other.entries[1].plain = Some(Plain { sha256: "no".into(), ..Plain::default() });
    assert!(matches!(other.check(), Err(Wrong::Digest { .. })));
    let mut other = detail(&[]);
    other.offer.manifest_sha256 = "c".repeat(64);
    assert_eq!(other.check(), Err(Wrong::Manifest));
    let mut other = detail(&["data/x", "data/y"]);
    other.entries[1].size = u64::MAX;
    assert_eq!(other.check(), Err(Wrong::Large));
    let many: Vec<String> = (0..FILES_MAX).map(|n| format!("data/{n}")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    assert_eq!(detail(&many).check(), Err(Wrong::Many(FILES_MAX + 1)));
}
