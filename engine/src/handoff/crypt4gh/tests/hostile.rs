//! Changed, cut off, or never meant well: an error in words, always, and soon.

use std::time::Instant;

use super::super::keyfile;
use super::super::stream::read_header;
use super::*;

const SMALL: &[u8] = b"a small file";

fn small() -> Vec<u8> {
    [head(), body(SMALL, 100)].concat()
}

/// Files in `engine/corpus`, each named by what is wrong with it. What is encrypted in them is for the keys of these tests, so that it is
/// the inside that is refused.
fn corpus(folder: &str) -> Vec<(String, Vec<u8>)> {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(folder);
    let files = std::fs::read_dir(folder).expect("the corpus").map(|file| file.expect("a file").path());
    files.map(|path| (path.display().to_string(), std::fs::read(&path).expect("bytes"))).collect()
}

#[test]
fn every_changed_byte_of_a_small_file_is_found() {
    let whole = small();
    assert_eq!(file(&whole, Expect::Anything).as_deref(), Ok(SMALL));
    for at in 0..whole.len() {
        for flip in [1, 0x80, 0xff] {
            let mut changed = whole.clone();
            changed[at] ^= flip;
            assert!(file(&changed, Expect::Anything).is_err(), "byte {at} changed by {flip:#x} was not found");
        }
    }
}

#[test]
fn a_small_file_that_is_cut_off_anywhere_is_no_file() {
    let whole = small();
    for end in 0..whole.len() {
        for expect in [Expect::Anything, Expect::PlainBytes(SMALL.len() as u64)] {
            assert!(file(&whole[..end], expect).is_err(), "cut off at byte {end} it was accepted");
            let streamed = super::super::stream::Opening::new(&whole[..end], &reader(), None, expect);
            let read = streamed.map(|mut opening| std::io::Read::read_to_end(&mut opening, &mut Vec::new()));
            assert!(!matches!(read, Ok(Ok(_))), "cut off at byte {end} it was read");
        }
    }
}

#[test]
fn a_body_that_is_cut_off_between_segments_is_short_when_its_size_is_known() {
    let whole = [head(), body(&plain(3 * PLAIN_BYTES), 65_536)].concat();
    for segments in 0..3_u64 {
        let cut = &whole[..124 + 65_564 * segments as usize];
        let refused = file(cut, Expect::PlainBytes(196_608)).expect_err("cut off");
        assert_eq!(
            refused,
            format!(
                "the body holds {} plain bytes where 196608 are expected: it is cut off, or another file's",
                65_536 * segments
            )
        );
    }
    assert!(file(&whole, Expect::PlainBytes(196_607)).expect_err("too long").contains("at least 196608"));
}

#[test]
fn a_body_that_was_refused_stays_refused() {
    let mut bytes = body(&plain(200_000), 65_536);
    bytes[70_000] ^= 1;
    let header = header::open(&head(), &reader(), None).expect("for this reader");
    let mut decryptor = Decryptor::new(header, Expect::Anything);
    let (mut rest, refused) = (bytes.as_slice(), Error::Segment { segment: 2, at: 65_564 });
    assert!(matches!(decryptor.push(&mut rest), Ok(Some(_))));
    assert_eq!(decryptor.push(&mut rest), Err(refused));
    assert_eq!(decryptor.push(&mut rest), Err(refused));
    assert_eq!(decryptor.finish().err(), Some(refused));
}

#[test]
fn every_file_of_the_corpus_is_refused_in_words() {
    let corpus = corpus("crypt4gh");
    assert!(corpus.len() > 50);
    let began = Instant::now();
    for (name, bytes) in corpus {
        let refused = file(&bytes, Expect::Anything).expect_err(&name);
        assert!(refused.len() > 20 && !refused.contains(char::is_control), "{name}: {refused}");
        // As a stream, no more is held than is there.
        if let Ok(header) = read_header(&mut bytes.as_slice()) {
            assert!(header.len() <= bytes.len(), "{name}");
        }
    }
    assert!(began.elapsed().as_secs() < 30, "hostile files cost {:?}", began.elapsed());
}

#[test]
fn every_key_file_of_the_corpus_is_refused_in_words() {
    let corpus = corpus("keyfile");
    assert!(corpus.len() > 40);
    let began = Instant::now();
    for (name, bytes) in corpus {
        let text = String::from_utf8_lossy(&bytes);
        for refused in [keyfile::read_public(&text).err(), keyfile::read_secret(&text, Some("x")).err()] {
            let refused = refused.unwrap_or_else(|| panic!("{name} was accepted")).to_string();
            assert!(refused.len() > 20 && !refused.contains(char::is_control), "{name}: {refused}");
        }
    }
    assert!(began.elapsed().as_secs() < 30, "hostile key files cost {:?}", began.elapsed());
}

#[test]
fn what_a_header_asks_for_is_bounded_whatever_it_says() {
    let start = |count: u32, length: u32| {
        let numbers = [1, count, length, 0].map(u32::to_le_bytes).concat();
        [header::MAGIC.to_vec(), numbers].concat()
    };
    assert_eq!(header::extent(&start(1_024, 1 << 20)), Ok(header::Extent::AtLeast(16 + (1 << 20))));
    let long = header::Error::LongPacket { packet: 1, at: 16, bytes: (1 << 20) + 1 };
    assert_eq!(header::extent(&start(1, (1 << 20) + 1)), Err(long));
    // Four packets of a mebibyte each are more than a header may be: seen at the fourth's length.
    let mut bytes = start(1_024, 1 << 20);
    for _ in 0..3 {
        let end = match header::extent(&bytes) {
            Ok(header::Extent::AtLeast(end)) => end,
            other => panic!("{other:?}"),
        };
        bytes.resize(end, 0);
        bytes.extend_from_slice(&[0, 0, 16, 0, 0, 0, 0, 0]);
    }
    assert_eq!(header::extent(&bytes), Err(header::Error::LongHeader { packet: 4 }));
}

#[test]
fn what_is_refused_says_what_and_where() {
    let said = |name: &str| {
        let path = format!("{}/corpus/crypt4gh/{name}.c4gh", env!("CARGO_MANIFEST_DIR"));
        file(&std::fs::read(path).expect("in the corpus"), Expect::Anything).expect_err(name)
    };
    assert_eq!(said("version_2"), "Crypt4GH version 2 at byte 8; only version 1 is known");
    assert_eq!(said("count_most"), "the header says at byte 12 that it has 4294967295 packets; at most 1024 are read");
    assert_eq!(said("edits_twice"), "header packet 3 at byte 216 is a second edit list");
    assert_eq!(
        said("data_method_1_aead"),
        "header packet 1 at byte 16 wants data encryption method 1; Crypt4GH 1.0 has only 0, chacha20_ietf_poly1305"
    );
    assert_eq!(
        said("length_1_gib"),
        "header packet 1 at byte 16 says that it is 1073741824 bytes long; at most 1048576 are read"
    );
    assert_eq!(said("edits_count_most"), "header packet 2 at byte 124 holds less than its type needs");
    assert_eq!(
        said("for_another"),
        "none of the 1 header packets gives a data key to this reader: it is for another key, from another writer, or was changed"
    );
}

proptest! {
    #[test]
    fn any_bytes_are_answered(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        prop_assert!(file(&bytes, Expect::Anything).is_err());
        prop_assert!(file(&[head(), bytes].concat(), Expect::Anything).is_err());
    }

    #[test]
    fn a_header_of_any_numbers_is_answered(
        count in prop_oneof![0_u32..5, any::<u32>()],
        packets in prop::collection::vec((prop_oneof![0_u32..200, any::<u32>()], 0_u32..3, 0_usize..120), 0..6),
    ) {
        let mut bytes = [header::MAGIC.to_vec(), [1, count].map(u32::to_le_bytes).concat()].concat();
        for (length, method, behind) in packets {
            bytes.extend_from_slice(&[length, method].map(u32::to_le_bytes).concat());
            bytes.resize(bytes.len() + behind, 9);
        }
        prop_assert!(file(&bytes, Expect::Anything).is_err());
    }

    #[test]
    fn any_payload_that_was_sealed_for_the_reader_is_answered(
        kind in 0_u32..3,
        payload in prop::collection::vec(any::<u8>(), 0..100),
    ) {
        let payload = [kind.to_le_bytes().to_vec(), payload].concat();
        let payloads = [zeroize::Zeroizing::new(payload)];
        let bytes = header::write(&payloads, &[reader().public()], &writer(), nonces()).expect("no weak key");
        let _ = header::open(&bytes, &reader(), None).map(|header| header.data_keys.len());
    }

    #[test]
    fn any_key_file_is_answered(inside in prop::collection::vec(any::<u8>(), 0..120), label in 0_usize..3) {
        use base64::Engine as _;
        let inside = if label == 0 { [b"c4gh-v1".to_vec(), inside].concat() } else { inside };
        let label = ["CRYPT4GH PRIVATE KEY", "CRYPT4GH PUBLIC KEY", "OPENSSH PRIVATE KEY"][label];
        let inside = base64::engine::general_purpose::STANDARD.encode(inside);
        let text = format!("-----BEGIN {label}-----\n{inside}\n-----END {label}-----\n");
        let _ = keyfile::read_public(&text);
        let _ = keyfile::read_secret(&text, None).err();
    }
}
