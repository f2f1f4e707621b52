//! A signature holds for one key, one use and one message, and has one spelling.

use super::*;

fn secret() -> Secret {
    Secret::from_bytes(&[7; 32])
}

/// Made by `ssh-keygen -Y sign -n kentai-delivery` (OpenSSH 9.2) over `hello\n`, with a key that was made for it and thrown away.
const THEIRS: &str = include_str!("tests/hello.sig");
const THEIR_KEY: &str = include_str!("tests/hello.pub");

#[test]
fn what_ssh_keygen_signed_is_signed() {
    let key = parse_line(THEIR_KEY).expect("a public key");
    assert_eq!(verify(THEIRS.as_bytes(), NAMESPACE, b"hello\n", Some(&key)), Ok(key));
    assert_eq!(verify(THEIRS.as_bytes(), NAMESPACE, b"hello", Some(&key)), Err(Error::Signature));
    assert!(THEIR_KEY.starts_with(&line(&key)));
}

#[test]
fn a_signature_holds_for_one_key_one_use_and_one_message() {
    let ours = sign(&secret(), NAMESPACE, b"tags");
    let key = secret().public();
    assert_eq!(verify(ours.as_bytes(), NAMESPACE, b"tags", Some(&key)), Ok(key));
    assert_eq!(verify(ours.as_bytes(), NAMESPACE, b"tags", None), Ok(key));
    assert_eq!(verify(ours.as_bytes(), NAMESPACE, b"tagz", None), Err(Error::Signature));
    let wanted = Error::Namespace { found: NAMESPACE.into(), wanted: "file".into() };
    assert_eq!(verify(ours.as_bytes(), "file", b"tags", None), Err(wanted));
    let other = Secret::from_bytes(&[8; 32]).public();
    assert_eq!(verify(ours.as_bytes(), NAMESPACE, b"tags", Some(&other)), Err(Error::OtherKey(line(&key))));
}

#[test]
fn every_flipped_bit_of_an_armor_is_refused() {
    let key = secret().public();
    for armored in [sign(&secret(), NAMESPACE, b"hello\n"), THEIRS.to_owned()] {
        let signer = if armored == THEIRS { parse_line(THEIR_KEY).expect("a public key") } else { key };
        for at in 0..armored.len() {
            for bit in 0..8 {
                let mut flipped = armored.clone().into_bytes();
                flipped[at] ^= 1 << bit;
                assert!(verify(&flipped, NAMESPACE, b"hello\n", Some(&signer)).is_err(), "byte {at}, bit {bit}");
            }
        }
    }
}

#[test]
fn an_armor_has_one_spelling() {
    let ours = sign(&secret(), NAMESPACE, b"x");
    let spelled = [
        ours.replace('\n', "\r\n"),
        format!("{ours}\n"),
        format!(" {ours}"),
        ours.trim_end().to_owned(),
        ours.replacen("\nU", "\n\nU", 1),
        String::new(),
        format!("{BEGIN}{END}"),
    ];
    for other in spelled {
        assert!(verify(other.as_bytes(), NAMESPACE, b"x", None).is_err(), "{other:?}");
    }
}

#[test]
fn a_content_that_is_cut_anywhere_is_refused() {
    let content = disarm(sign(&secret(), NAMESPACE, b"x").as_bytes()).expect("an armor");
    for length in 0..content.len() {
        assert!(verify(armor(&content[..length]).as_bytes(), NAMESPACE, b"x", None).is_err(), "{length} bytes");
    }
    let longer = [content, vec![0]].concat();
    assert_eq!(verify(armor(&longer).as_bytes(), NAMESPACE, b"x", None), Err(Error::Content));
}
