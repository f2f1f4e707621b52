//! There and back: sizes at the edges of segments, pieces of any size, several keys, ranges, edits, and one body under many headers.

use std::io::{Read as _, Write as _};

use super::super::edits::Edits;
use super::super::segment::{SEALED_BYTES, plain_bytes, sealed_bytes, span};
use super::super::stream::{Opening, Sealing};
use super::*;

/// Around a segment and around two.
const SIZES: [usize; 8] = [0, 1, 1_000, 65_535, 65_536, 65_537, 131_072, 131_073];

#[test]
fn every_size_comes_back_in_pieces_of_any_size() {
    for size in SIZES {
        let plain = plain(size);
        let sealed = body(&plain, 70_000);
        assert_eq!(Some(sealed.len() as u64), sealed_bytes(size as u64));
        assert_eq!(plain_bytes(sealed.len() as u64), Some(size as u64));
        // The same nonces: the same bytes, however they came in.
        for piece in [4_096, 65_536, 200_000] {
            assert_eq!(body(&plain, piece), sealed, "{size} in pieces of {piece}");
        }
        for piece in [4_096, SEALED_BYTES, 200_000] {
            let header = header::open(&head(), &reader(), None).expect("for this reader");
            let (back, summary) = opened(header, &sealed, piece, Expect::PlainBytes(size as u64)).expect("whole");
            assert_eq!(back, plain);
            assert_eq!(summary.plain_bytes, size as u64);
            assert_eq!(summary.segments, (size as u64).div_ceil(65_536));
        }
    }
}

#[test]
fn an_empty_file_is_only_believed_when_it_is_expected() {
    assert_eq!(file(&head(), Expect::PlainBytes(0)), Ok(Vec::new()));
    assert!(file(&head(), Expect::Anything).expect_err("nothing there").contains("no body"));
    // Another writer's segment with nothing in it says the same, and proves it.
    let mut one = [0; 28];
    super::super::segment::Cipher::new(&data_key()).seal([3; 12], &[], &mut one);
    assert_eq!(file(&[head(), one.to_vec()].concat(), Expect::Anything), Ok(Vec::new()));
}

#[test]
fn one_body_serves_every_recipient_and_a_new_one() {
    let body = body(&plain(70_000), 70_000);
    let (first, second, third) = (reader(), SecretKey::new(&[3; 32]), SecretKey::new(&[4; 32]));
    let mut nonce = nonces();
    let header = header_for(&data_key(), &first.public(), &writer(), &mut nonce).expect("no weak key");
    assert_eq!(header.len(), 124);
    assert_eq!(header.len(), header::ONE_READER_BYTES);
    let again = header::reissue(&header, &first, &second.public(), &writer(), &mut nonce).expect("readable");
    for (header, key) in [(&header, &first), (&again, &second)] {
        let header = header::open(header, key, Some(&writer().public())).expect("for this key");
        assert_eq!(opened(header, &body, 65_536, Expect::PlainBytes(70_000)).expect("whole").0, plain(70_000));
    }
    for (header, key) in [(&header, &second), (&again, &first), (&again, &third)] {
        let refused = header::open(header, key, None).err();
        assert_eq!(refused, Some(header::Error::NotForThisKey { packets: 1 }));
    }
    // Whoever did not write it is not taken for its writer.
    assert!(header::open(&header, &first, Some(&second.public())).is_err());
    let all = [first.public(), second.public(), third.public()];
    let header = header::header_for_all(&data_key(), &all, &writer(), nonce).expect("no weak key");
    assert_eq!(header.len(), 16 + 3 * 108);
    let opened = header::open(&[header, body].concat(), &third, None).expect("for this key");
    assert_eq!((opened.skipped_packets, opened.data_keys.len(), opened.bytes), (2, 1, 340));
}

#[test]
fn nothing_is_encrypted_to_a_key_that_everybody_has() {
    let weak = PublicKey([0; 32]);
    assert_eq!(header_for(&data_key(), &weak, &writer(), nonces()), Err(packet::WeakKey));
    let again = header::reissue(&head(), &reader(), &weak, &writer(), nonces());
    assert_eq!(again, Err(header::Error::Weak(packet::WeakKey)));
}

#[test]
fn segments_of_several_data_keys_are_one_file() {
    let other = DataKey::new(&[6; 32]);
    let mut sealed = vec![0; 2 * SEALED_BYTES + 29];
    let (one, two) = (plain(PLAIN_BYTES), vec![7; PLAIN_BYTES]);
    let ciphers = [&other, &data_key()].map(super::super::segment::Cipher::new);
    ciphers[0].seal([1; 12], &one, &mut sealed[..SEALED_BYTES]);
    ciphers[1].seal([2; 12], &two, &mut sealed[SEALED_BYTES..2 * SEALED_BYTES]);
    ciphers[0].seal([3; 12], b"x", &mut sealed[2 * SEALED_BYTES..]);
    let header = Header { data_keys: vec![data_key(), other], edits: None, bytes: 0, skipped_packets: 0 };
    let (back, _) = opened(header, &sealed, 50_000, Expect::Anything).expect("whole");
    assert_eq!(back, [one, two, b"x".to_vec()].concat());
}

#[test]
fn edits_are_applied_across_segments() {
    let plain = plain(200_000);
    let sealed = body(&plain, 65_536);
    let lengths = vec![10, 20, 100_000, 50_000];
    let expected = [&plain[10..30], &plain[100_030..150_030]].concat();
    let header = Header { data_keys: vec![data_key()], edits: Some(Edits::new(lengths)), bytes: 0, skipped_packets: 0 };
    let (back, summary) = opened(header.clone(), &sealed, 9_999, Expect::PlainBytes(50_020)).expect("whole");
    assert_eq!(back, expected);
    assert_eq!((summary.segments, summary.missing_bytes), (4, 0));
    // Cut off behind the second segment, what was to be kept is missing.
    let cut = &sealed[..2 * SEALED_BYTES];
    assert_eq!(opened(header.clone(), cut, 9_999, Expect::Anything).expect("allowed").1.missing_bytes, 18_958);
    let short = Error::Short { expected: 50_020, found: 31_062 };
    assert_eq!(opened(header, cut, 9_999, Expect::PlainBytes(50_020)), Err(short));
}

#[test]
fn a_header_for_another_key_keeps_the_edit_list() {
    let mut edit_list = 1_u32.to_le_bytes().to_vec();
    edit_list.extend_from_slice(&2_u32.to_le_bytes());
    edit_list.extend([3_u64, 4].iter().flat_map(|length| length.to_le_bytes()));
    let key = [[0; 8].as_slice(), &[5; 32]].concat();
    let payloads = [edit_list, key].map(zeroize::Zeroizing::new);
    let old = header::write(&payloads, &[reader().public()], &writer(), nonces()).expect("no weak key");
    let other = SecretKey::new(&[3; 32]);
    let new = header::reissue(&old, &reader(), &other.public(), &writer(), nonces()).expect("readable");
    let header = header::open(&new, &other, None).expect("for this key");
    assert_eq!(header.edits.as_ref().map(|edits| edits.lengths().to_vec()), Some(vec![3, 4]));
    assert_eq!(opened(header, &body(b"0123456789", 3), 5, Expect::PlainBytes(4)).expect("whole").0, b"3456");
}

#[test]
fn a_range_is_read_from_its_segments_alone() {
    let plain = plain(200_000);
    let sealed = body(&plain, 65_536);
    let header = header::open(&head(), &reader(), None).expect("for this reader");
    for range in [0..1, 65_535..65_537, 65_536..131_072, 70_000..199_999, 199_999..200_000, 0..200_000] {
        let span = span(range.start..range.end, 200_000).expect("in the file");
        let bytes = &sealed[span.sealed.start as usize..span.sealed.end as usize];
        let decryptor = Decryptor::within(&header, Expect::PlainBytes(span.plain_bytes));
        let (part, _) = decrypted(decryptor, bytes, bytes.len()).expect("whole segments");
        let taken = &part[span.skip..span.skip + span.take as usize];
        assert_eq!(taken, &plain[range.start as usize..range.end as usize]);
    }
}

/// Gives little at a time, as a network does.
struct Little<'a>(&'a [u8]);

impl std::io::Read for Little<'_> {
    fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
        let most = out.len().min(1_500);
        self.0.read(&mut out[..most])
    }
}

#[test]
fn readers_and_writers_do_the_same() {
    let plain = plain(150_000);
    let mut sealing = Sealing::new(head(), &data_key(), nonces());
    for piece in plain.chunks(7_777) {
        sealing.write_all(piece).expect("a vector takes everything");
    }
    let bytes = sealing.finish().expect("a vector takes everything");
    for size in [1, 5_000, 200_000] {
        let expect = Expect::PlainBytes(150_000);
        let mut opening = Opening::new(Little(&bytes), &reader(), None, expect).expect("for this reader");
        let mut back = Vec::new();
        let mut buffer = vec![0; size];
        loop {
            let bytes = opening.read(&mut buffer).expect("whole");
            back.extend_from_slice(&buffer[..bytes]);
            if bytes == 0 {
                break;
            }
        }
        assert_eq!(back, plain);
        assert_eq!(opening.summary().map(|summary| summary.segments), Some(3));
    }
}

#[test]
fn an_error_while_reading_is_never_followed_by_an_end() {
    let mut bytes = [head(), body(&plain(70_000), 70_000)].concat();
    let cut = bytes.len() - 1;
    bytes.truncate(cut);
    let mut opening = Opening::new(bytes.as_slice(), &reader(), None, Expect::Anything).expect("for this reader");
    let mut out = Vec::new();
    assert!(opening.read_to_end(&mut out).is_err());
    assert!(opening.read_to_end(&mut out).is_err());
    assert!(opening.summary().is_none());
    let short = Opening::new(&bytes[..100], &reader(), None, Expect::Anything).err().expect("cut off");
    assert_eq!(short.to_string(), "the header is cut off: 100 bytes of at least 124");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]
    #[test]
    fn any_bytes_come_back_through_any_pieces(
        size in 0_usize..140_000,
        inward in 1_usize..100_000,
        outward in 1_usize..100_000,
        secret: [u8; 32],
    ) {
        let plain = plain(size);
        let (own, sealed) = (SecretKey::new(&secret), body(&plain, inward));
        let header = header_for(&data_key(), &own.public(), &writer(), nonces()).expect("no weak key");
        let header = header::open(&header, &own, None).expect("for this key");
        let (back, _) = opened(header, &sealed, outward, Expect::PlainBytes(size as u64)).expect("whole");
        prop_assert_eq!(back, plain);
    }
}
