//! Inside of a Crypt4GH private key file: `c4gh-v1`, then fields with two bytes of length, most significant first.

use chacha20poly1305::{AeadInOut as _, ChaCha20Poly1305, KeyInit as _};
use zeroize::Zeroizing;

use super::super::key::{KEY_BYTES, SecretKey};
use super::super::{MAC_BYTES, NONCE_BYTES, Nonce};
use super::kdf::Kdf;
use super::{Error, SECRET, dress, shown, take};

const MAGIC: &[u8] = b"c4gh-v1";
const CIPHER: &[u8] = b"chacha20_poly1305";
const NONE: &[u8] = b"none";

/// What a private key is locked with; both random values fresh from a cryptographically secure generator.
pub struct Lock<'a> {
    /// Not empty.
    pub passphrase: &'a str,
    /// For the derivation.
    pub salt: [u8; 16],
    /// For the encryption.
    pub nonce: Nonce,
}

/// Writes a private key's file: locked by scrypt, or, without a lock, open to whoever can read the file.
#[must_use]
pub fn write_secret(key: &SecretKey, lock: Option<&Lock<'_>>) -> Zeroizing<String> {
    // Large enough at once, so that no smaller copy of a secret stays behind.
    let mut bytes = Zeroizing::new(Vec::with_capacity(256));
    bytes.extend_from_slice(MAGIC);
    match lock {
        None => {
            for part in [NONE, NONE, key.bytes()] {
                put(&mut bytes, part);
            }
        }
        Some(lock) => {
            put(&mut bytes, b"scrypt");
            // scrypt has no rounds; the field is there all the same.
            put(&mut bytes, &[[0; 4].as_slice(), &lock.salt].concat());
            put(&mut bytes, CIPHER);
            put(&mut bytes, &locked(key, lock));
        }
    }
    Zeroizing::new(dress(SECRET, &bytes))
}

fn locked(key: &SecretKey, lock: &Lock<'_>) -> Vec<u8> {
    let derived = Kdf::Scrypt.derive(lock.passphrase, &lock.salt, 0).expect("scrypt takes any passphrase");
    let cipher = ChaCha20Poly1305::new((&*derived).into());
    let mut sealed = Zeroizing::new(*key.bytes());
    let mac = cipher
        .encrypt_inout_detached(&lock.nonce.into(), &[], sealed.as_mut_slice().into())
        .expect("a key is shorter than what one nonce may encrypt");
    [lock.nonce.as_slice(), sealed.as_slice(), mac.as_slice()].concat()
}

pub(super) fn read_secret(bytes: &[u8], passphrase: Option<&str>) -> Result<SecretKey, Error> {
    let mut rest = bytes.strip_prefix(MAGIC).ok_or(Error::Field { field: "its first word, `c4gh-v1`" })?;
    let kdf = match field(&mut rest, "the name of its key derivation")? {
        NONE => None,
        name => Some((Kdf::named(name)?, field(&mut rest, "the rounds and salt of its key derivation")?)),
    };
    let cipher = field(&mut rest, "the name of its cipher")?;
    let private = field(&mut rest, "the key")?;
    // A comment may follow, and nothing behind it.
    if !rest.is_empty() {
        field(&mut rest, "its comment")?;
    }
    if !rest.is_empty() {
        return Err(Error::Trailing);
    }
    match (kdf, cipher) {
        (None, NONE) => key(private),
        (Some((kdf, options)), CIPHER) => unlock(kdf, options, private, passphrase.ok_or(Error::Locked)?),
        (None, CIPHER) => Err(Error::Kdf("none".to_owned())),
        (_, other) => Err(Error::Cipher(shown(other))),
    }
}

fn unlock(kdf: Kdf, options: &[u8], private: &[u8], passphrase: &str) -> Result<SecretKey, Error> {
    let (rounds, salt) =
        options.split_first_chunk::<4>().ok_or(Error::Field { field: "the rounds of its key derivation" })?;
    let short = Error::Field { field: "the encrypted key" };
    let (nonce, rest) = private.split_first_chunk::<NONCE_BYTES>().ok_or_else(|| short.clone())?;
    let (sealed, mac) = rest.split_last_chunk::<MAC_BYTES>().ok_or(short)?;
    let derived = kdf.derive(passphrase, salt, u32::from_be_bytes(*rounds))?;
    let cipher = ChaCha20Poly1305::new((&*derived).into());
    let mut plain = Zeroizing::new(sealed.to_vec());
    cipher
        .decrypt_inout_detached(nonce.into(), &[], plain.as_mut_slice().into(), mac.into())
        .map_err(|_| Error::Passphrase)?;
    key(&plain)
}

fn key(bytes: &[u8]) -> Result<SecretKey, Error> {
    let bytes: &[u8; KEY_BYTES] = bytes.try_into().map_err(|_| Error::Field { field: "the key, 32 bytes" })?;
    Ok(SecretKey::new(bytes))
}

fn put(bytes: &mut Vec<u8>, part: &[u8]) {
    let length = u16::try_from(part.len()).expect("our own parts are short");
    bytes.extend_from_slice(&length.to_be_bytes());
    bytes.extend_from_slice(part);
}

fn field<'a>(rest: &mut &'a [u8], name: &'static str) -> Result<&'a [u8], Error> {
    let length = take(rest, 2, name)?;
    take(rest, usize::from(length[0]) << 8 | usize::from(length[1]), name)
}
