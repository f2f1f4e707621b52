//! What is written is read; whatever happens to it on its way is found, and named.

use std::collections::BTreeMap;

use super::read::{Wrong, read};
use super::*;

fn secret() -> Secret {
    Secret::from_bytes(&[7; 32])
}

fn info() -> Info {
    Info {
        source_organization: "北 center".into(),
        bagging_date: jiff::civil::date(2026, 11, 25),
        external_identifier: "d1".into(),
        internal_sender_identifier: Some("O1".into()),
        ..Info::default()
    }
}

fn file(name: &str, content: &str) -> File {
    use md5::{Digest as _, Md5};
    let (size_bytes, md5) = (content.len() as u64, hex(&Md5::digest(content.as_bytes())));
    File { name: name.into(), size_bytes, sha256: digest(content), md5 }
}

fn payload() -> Vec<File> {
    vec![file("S1.vcf", "calls\n"), file("50%\nof it", ""), file("S1.cram", "reads\n")]
}

fn signed(source: Option<&Source>) -> BTreeMap<String, Vec<u8>> {
    let mut tags = write(&payload(), &info(), source).expect("a package");
    tags.push(sign(&tags, &secret()).expect("a tag manifest"));
    tags.into_iter().map(|tag| (tag.name.to_owned(), tag.text.into_bytes())).collect()
}

fn source() -> Source {
    Source { base: "https://center.example/D1".into() }
}

#[test]
fn the_texts_are_these() {
    let tags = write(&[file("b", "2"), file("50%", "1")], &info(), Some(&source())).expect("a package");
    let shown: Vec<String> = tags.iter().map(|tag| format!("--- {}\n{}", tag.name, tag.text)).collect();
    assert_eq!(shown.concat(), include_str!("tests/small.txt"));
}

#[test]
fn what_is_written_is_read() {
    for source in [None, Some(source())] {
        let read = read(&signed(source.as_ref()), Some(&secret().public())).expect("a package");
        assert_eq!((read.info.clone(), read.signed_by), (info(), Some(secret().public())));
        assert_eq!((read.oxum, read.holes.len()), (Oxum { bytes: 12, files: 3 }, if source.is_some() { 3 } else { 0 }));
        assert_eq!(read.payload(&payload()), Ok(()));
    }
}

#[test]
fn every_flipped_bit_of_every_tag_file_is_found() {
    for source in [None, Some(source())] {
        let whole = signed(source.as_ref());
        let key = secret().public();
        // Also by whoever has no key, and in a package that nobody signed.
        let mut unsigned = whole.clone();
        unsigned.remove(SIGNATURE);
        for (tags, key) in [(&whole, Some(&key)), (&unsigned, None)] {
            for (name, bytes) in tags {
                for (at, bit) in (0..bytes.len()).flat_map(|at| (0..8).map(move |bit| (at, bit))) {
                    let mut flipped = tags.clone();
                    flipped.get_mut(name).expect("it is there")[at] ^= 1 << bit;
                    let found = read(&flipped, key).and_then(|read| read.payload(&payload()));
                    assert!(found.is_err(), "bit {bit} of byte {at} of {name}");
                }
            }
        }
    }
}

#[test]
fn every_tag_file_that_is_cut_missing_or_foreign_is_found() {
    let whole = signed(Some(&source()));
    for (name, bytes) in &whole {
        let mut without = whole.clone();
        without.remove(name);
        assert!(read(&without, Some(&secret().public())).is_err(), "without {name}");
        for cut in 0..bytes.len() {
            let mut shorter = whole.clone();
            shorter.insert(name.clone(), bytes[..cut].to_vec());
            assert!(read(&shorter, Some(&secret().public())).is_err(), "{name} of {cut} bytes");
        }
    }
    let mut more = whole;
    more.insert("notes.txt".into(), Vec::new());
    assert_eq!(read(&more, None), Err(Wrong::Foreign("notes.txt".into())));
}

/// Another text with everything made right again by whoever changed it, but for the signature.
fn forged(name: &str, from: &str, to: &str) -> Wrong {
    let mut tags = signed(None);
    tags.remove(SIGNATURE);
    let old = String::from_utf8(tags[name].clone()).expect("text");
    let new = old.replacen(from, to, 1);
    assert_ne!(old, new, "{from:?} is not in {name}");
    let manifest = String::from_utf8(tags[TAG_MANIFEST].clone()).expect("text");
    tags.insert(TAG_MANIFEST.into(), manifest.replace(&digest(&old), &digest(&new)).into_bytes());
    tags.insert(name.into(), new.into_bytes());
    read(&tags, None).and_then(|read| read.payload(&payload())).expect_err("something is wrong with it")
}

#[test]
fn other_spellings_are_named_by_file_and_line() {
    let at = |file, line| Wrong::Spelling { file, line };
    assert_eq!(forged(MANIFEST_SHA256, "  data/S1.vcf", " *data/S1.vcf"), at(MANIFEST_SHA256, 3));
    assert_eq!(forged(MANIFEST_SHA256, "data/50%25%0Aof it", "data/50%25%0aof it"), at(MANIFEST_SHA256, 1));
    assert_eq!(forged(MANIFEST_MD5, "data/S1.vcf\n", "data/S1.vcf\n\n"), at(MANIFEST_MD5, 4));
    assert_eq!(forged(MANIFEST_MD5, "data/S1.cram", "S1.cram"), at(MANIFEST_MD5, 2));
    assert_eq!(forged(INFO, "Bagging-Date: 2026-11-25", "Bagging-Date: 20261125"), at(INFO, 2));
    assert_eq!(forged(INFO, "Payload-Oxum: 12.3", "Payload-Oxum: 012.3"), at(INFO, 4));
    assert_eq!(forged(INFO, "Internal-Sender-Identifier", "Contact-Name"), at(INFO, 5));
    assert_eq!(forged(DECLARATION, "1.0", "0.97"), at(DECLARATION, 1));
}

#[test]
fn what_does_not_fit_together_is_found() {
    let lists = Wrong::Lists { file: MANIFEST_MD5, other: MANIFEST_SHA256 };
    assert_eq!(forged(MANIFEST_MD5, "data/S1.vcf", "data/S2.vcf"), lists);
    let told = Oxum { bytes: 12, files: 4 };
    assert_eq!(forged(INFO, "12.3", "12.4"), Wrong::Oxum { told, found: Oxum { bytes: 12, files: 3 } });
    assert_eq!(
        forged(INFO, "12.3", "13.3"),
        Wrong::Oxum { told: Oxum { bytes: 13, files: 3 }, found: Oxum { bytes: 12, files: 3 } }
    );
    assert!(matches!(forged(MANIFEST_SHA256, "data/S1.vcf", "data/../vcf"), Wrong::Name(_)));
    assert_eq!(read(&signed(None), Some(&Secret::from_bytes(&[8; 32]).public())).map_err(|wrong| wrong.to_string()), {
        let ours = sshsig::line(&secret().public());
        Err(format!("the signature of {TAG_MANIFEST} does not count: another key signed it: {ours}"))
    });
}

#[test]
fn a_payload_is_whole_and_has_nothing_more() {
    let read = read(&signed(Some(&source())), None).expect("a package");
    let changed = |change: &dyn Fn(&mut Vec<File>)| {
        let mut files = payload();
        change(&mut files);
        read.payload(&files).expect_err("something is wrong with it")
    };
    assert_eq!(changed(&|files| _ = files.pop()), Wrong::Lost("S1.cram".into()));
    assert_eq!(changed(&|files| files.push(file("more", ""))), Wrong::Unlisted("more".into()));
    let wrong = changed(&|files| files[0].md5 = "0".repeat(32));
    assert_eq!(wrong, Wrong::Digest { name: "S1.vcf".into(), algorithm: "MD5" });
    let wrong = changed(&|files| files[0].size_bytes = 7);
    assert_eq!(wrong, Wrong::Size { name: "S1.vcf".into(), found: 7, wanted: 6 });
}

#[test]
fn what_no_package_can_hold_is_refused() {
    let refused = |payload: &[File], info: &Info| write(payload, info, None).expect_err("it cannot be");
    assert!(matches!(refused(&[file("../x", "")], &info()), Error::Name(_)));
    assert!(matches!(refused(&[file("x", ""), file("X", "")], &info()), Error::Name(_)));
    let upper = File { sha256: "A".repeat(64), ..file("x", "") };
    assert!(matches!(refused(&[upper], &info()), Error::Digest { algorithm: "SHA-256", .. }));
    for text in ["", " x", "a\nPayload-Oxum: 1.1", "a\rb", "a\u{85}b"] {
        let info = Info { source_organization: text.into(), ..info() };
        assert_eq!(refused(&[], &info), Error::Info { label: "Source-Organization" }, "{text:?}");
    }
}
