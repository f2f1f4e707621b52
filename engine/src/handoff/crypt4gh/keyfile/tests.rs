//! Key files written and read again; foreign ones are in the tests of the whole.

use super::*;

fn key() -> SecretKey {
    SecretKey::new(&[7; 32])
}

fn lock(passphrase: &str) -> Lock<'_> {
    Lock { passphrase, salt: [1; 16], nonce: [2; 12] }
}

#[test]
fn what_is_written_is_read() {
    assert_eq!(read_public(&write_public(&key().public())), Ok(key().public()));
    let open = write_secret(&key(), None);
    assert_eq!(read_secret(&open, None).map(|key| key.public()).ok(), Some(key().public()));
    // A passphrase that nobody asked for does no harm.
    assert!(read_secret(&open, Some("unneeded")).is_ok());
    let locked = write_secret(&key(), Some(&lock("長い合言葉")));
    assert_eq!(read_secret(&locked, Some("長い合言葉")).map(|key| key.public()).ok(), Some(key().public()));
    assert_eq!(read_secret(&locked, Some("短い合言葉")).err(), Some(Error::Passphrase));
    assert_eq!(read_secret(&locked, None).err(), Some(Error::Locked));
}

#[test]
fn lines_may_be_broken_and_ended_as_elsewhere() {
    let public = write_public(&key().public());
    let broken = public.replace("\n-----END", "\r\n\r\n-----END").replacen("KEY-----\n", "KEY-----\r\n", 1);
    assert_eq!(read_public(&format!("\n  {broken}\n\n")), Ok(key().public()));
    let (head, rest) = public.split_at(60);
    assert_eq!(read_public(&format!("{head}\n{rest}")), Ok(key().public()));
}

#[test]
fn the_one_is_not_taken_for_the_other() {
    assert_eq!(read_public(&write_secret(&key(), None)), Err(Error::Secret));
    assert_eq!(read_secret(&write_public(&key().public()), None).err(), Some(Error::Public));
}

#[test]
fn every_changed_byte_of_a_locked_key_is_found() {
    use base64::Engine as _;
    let locked = write_secret(&key(), Some(&lock("x")));
    let bytes = undress(locked.lines().nth(1).expect("three lines")).expect("base64");
    // Behind the derivation's name and options; the four bytes of rounds say nothing to scrypt.
    let from = bytes.len() - (2 + 60);
    for at in from..bytes.len() {
        let mut changed = bytes.to_vec();
        changed[at] ^= 1;
        let text = format!("-----BEGIN {SECRET}-----\n{}\n-----END {SECRET}-----", STANDARD.encode(changed));
        assert!(read_secret(&text, Some("x")).is_err(), "byte {at}");
    }
}

#[test]
fn too_much_text_is_not_looked_at() {
    assert_eq!(read_public(&" ".repeat(TEXT_BYTES_MAX + 1)), Err(Error::Long));
}
