//! ed25519 keys of OpenSSH (PROTOCOL.key), turned into X25519 ones as the reference implementation does. Only files without a
//! passphrase: a lock of OpenSSH would bring another cipher along.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::{SigningKey, VerifyingKey};
use zeroize::Zeroizing;

use super::super::key::{KEY_BYTES, PublicKey, SecretKey};
use super::super::packet::WeakKey;
use super::{Error, shown, take};

const MAGIC: &[u8] = b"openssh-key-v1\0";
const TYPE: &[u8] = b"ssh-ed25519";

/// `ssh-ed25519 BASE64 comment`.
pub(super) fn read_public(line: &str) -> Result<PublicKey, Error> {
    let mut words = line.split_ascii_whitespace();
    let kind = words.next().unwrap_or_default();
    if kind.as_bytes() != TYPE {
        return Err(Error::SshType(shown(kind.as_bytes())));
    }
    let blob = words.next().ok_or(Error::Field { field: "the key" })?;
    let blob = STANDARD.decode(blob).map_err(|_| Error::Base64)?;
    public(&blob)
}

fn public(blob: &[u8]) -> Result<PublicKey, Error> {
    let mut rest = blob;
    expect_type(&mut rest)?;
    let key = field(&mut rest, "the public key")?;
    if !rest.is_empty() {
        return Err(Error::Trailing);
    }
    let malformed = Error::Field { field: "the public key, a point of ed25519" };
    let key: &[u8; KEY_BYTES] = key.try_into().map_err(|_| malformed.clone())?;
    let key = VerifyingKey::from_bytes(key).map_err(|_| malformed)?;
    if key.is_weak() {
        return Err(WeakKey.into());
    }
    Ok(PublicKey(key.to_montgomery().to_bytes()))
}

pub(super) fn read_secret(bytes: &[u8]) -> Result<SecretKey, Error> {
    let (seed, shown_public) = read_seed(bytes)?;
    let scalar = Zeroizing::new(SigningKey::from_bytes(&seed).to_scalar_bytes());
    let key = SecretKey::new(&scalar);
    // The two halves of a file belong together, or one of them was changed.
    if key.public() == shown_public {
        Ok(key)
    } else {
        Err(Error::Field { field: "the public key of this private key" })
    }
}

/// The seed of the ed25519 key, and the public key that the file shows for it.
pub(super) fn read_seed(bytes: &[u8]) -> Result<(Zeroizing<[u8; KEY_BYTES]>, PublicKey), Error> {
    let mut rest = bytes.strip_prefix(MAGIC).ok_or(Error::Field { field: "its first word, `openssh-key-v1`" })?;
    let cipher = field(&mut rest, "the name of its cipher")?;
    let kdf = field(&mut rest, "the name of its key derivation")?;
    if (cipher, kdf) != (b"none".as_slice(), b"none".as_slice()) {
        return Err(Error::SshLocked);
    }
    field(&mut rest, "the options of its key derivation")?;
    if take(&mut rest, 4, "the number of keys")? != [0, 0, 0, 1] {
        return Err(Error::Field { field: "the number of keys, which must be one" });
    }
    let shown_public = public(field(&mut rest, "the public key")?)?;
    let mut private = field(&mut rest, "the private key")?;
    if !rest.is_empty() {
        return Err(Error::Trailing);
    }
    let checks = take(&mut private, 8, "the check numbers")?;
    if checks[..4] != checks[4..] {
        return Err(Error::Field { field: "the check numbers, which must be alike" });
    }
    expect_type(&mut private)?;
    field(&mut private, "the public key")?;
    // Seed, then the public key once more. Comment and padding follow.
    let both = field(&mut private, "the private key")?;
    let seed = both.first_chunk::<KEY_BYTES>().filter(|_| both.len() == 2 * KEY_BYTES);
    let seed = seed.ok_or(Error::Field { field: "the private key, 64 bytes" })?;
    Ok((Zeroizing::new(*seed), shown_public))
}

fn expect_type(rest: &mut &[u8]) -> Result<(), Error> {
    match field(rest, "the type of the key")? {
        TYPE => Ok(()),
        other => Err(Error::SshType(shown(other))),
    }
}

/// Four bytes of length, most significant first.
fn field<'a>(rest: &mut &'a [u8], name: &'static str) -> Result<&'a [u8], Error> {
    let length = take(rest, 4, name)?;
    let length = length.iter().fold(0_usize, |sum, byte| sum << 8 | usize::from(*byte));
    take(rest, length, name)
}
