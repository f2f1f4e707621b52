//! Files of the reference implementation (crypt4gh 1.8.6 for Python), kept beside the code: keys of every kind, a file for three of
//! them, and a part of it behind an edit list. The tool itself is asked in the workspace's `tests`. The keys were made
//! for this and protect nothing.

use std::path::PathBuf;

use super::super::keyfile::{self, read_public, read_secret};
use super::*;

const PASSPHRASE: &str = "correct horse";

fn fixture(name: &str) -> Vec<u8> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("src/handoff/crypt4gh/fixtures");
    std::fs::read(folder.join(name)).expect("a fixture")
}

fn text(name: &str) -> String {
    String::from_utf8(fixture(name)).expect("text")
}

fn pair(name: &str) -> (SecretKey, PublicKey) {
    let secret = read_secret(&text(&format!("{name}.sec")), Some(PASSPHRASE)).expect(name);
    (secret, read_public(&text(&format!("{name}.pub"))).expect(name))
}

#[test]
fn keys_of_every_kind_are_read() {
    for name in ["open", "scrypt", "bcrypt", "pbkdf2", "ssh"] {
        let (secret, public) = pair(name);
        assert_eq!(secret.public(), public, "{name}");
    }
}

#[test]
fn a_locked_key_needs_its_own_passphrase() {
    for name in ["scrypt.sec", "bcrypt.sec", "pbkdf2.sec"] {
        assert_eq!(read_secret(&text(name), None).err(), Some(keyfile::Error::Locked), "{name}");
        for other in ["correct hors", ""] {
            let refused = read_secret(&text(name), Some(other)).err();
            assert_eq!(refused, Some(keyfile::Error::Passphrase), "{name}");
        }
    }
    assert_eq!(read_secret(&text("ssh_locked.sec"), Some(PASSPHRASE)).err(), Some(keyfile::Error::SshLocked));
}

#[test]
fn its_file_is_read_with_each_key_and_by_nobody_else() {
    let (bytes, sender) = (fixture("small.c4gh"), pair("open").1);
    let plain = fixture("small.txt");
    for name in ["scrypt", "bcrypt", "ssh"] {
        let header = header::open(&bytes, &pair(name).0, Some(&sender)).expect(name);
        let body = &bytes[header.bytes..];
        let expect = Expect::PlainBytes(plain.len() as u64);
        assert_eq!(opened(header, body, 10, expect).expect(name).0, plain, "{name}");
    }
    assert!(header::open(&bytes, &pair("pbkdf2").0, None).is_err());
    // Not even by its writer, whose key is no reader's.
    assert!(header::open(&bytes, &pair("open").0, None).is_err());
}

#[test]
fn its_edit_list_is_applied() {
    let bytes = fixture("edited.c4gh");
    let header = header::open(&bytes, &pair("scrypt").0, None).expect("for this key");
    assert_eq!(header.edits.as_ref().map(|edits| edits.lengths().to_vec()), Some(vec![9, 13]));
    let body = &bytes[header.bytes..];
    assert_eq!(opened(header, body, 1_000, Expect::PlainBytes(13)).expect("whole").0, b"reference too");
}
