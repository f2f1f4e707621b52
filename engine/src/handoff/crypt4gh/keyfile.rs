//! Keys as they lie in files: Crypt4GH's own format, and OpenSSH's for ed25519. Text in, keys out, and back; it does not know where the
//! files are or who is asked for a passphrase.
//!
//! The specification leaves key files open; the format is the one of the reference implementation ("Crypt4GH Key Format" of its
//! documentation), which the archives use.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use super::key::{PublicKey, SecretKey};
use super::packet::WeakKey;
use crate::audit::checkpoint::Secret;

mod c4gh;
mod kdf;
mod openssh;

pub use c4gh::{Lock, write_secret};

/// A key file is smaller; more is not looked at.
pub const TEXT_BYTES_MAX: usize = 64 * 1024;

const PUBLIC: &str = "CRYPT4GH PUBLIC KEY";
const SECRET: &str = "CRYPT4GH PRIVATE KEY";
const OPENSSH: &str = "OPENSSH PRIVATE KEY";

/// Why a key file is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "each variant's message says it")]
pub enum Error {
    #[error("a key file has at most {TEXT_BYTES_MAX} bytes")]
    Long,
    #[error(
        "not a key file: it has neither a `-----BEGIN …-----` of Crypt4GH or OpenSSH nor begins with `ssh-ed25519 `"
    )]
    Unknown,
    #[error("the key file begins with `-----BEGIN {label}-----` and does not end with `-----END {label}-----`")]
    End { label: &'static str },
    #[error("a private key where a public one is expected")]
    Secret,
    #[error("a public key where a private one is expected")]
    Public,
    #[error("what is between the first line and the last is not base64")]
    Base64,
    #[error("the key file breaks off or is malformed at {field}")]
    Field { field: &'static str },
    #[error("the key file holds something behind its key")]
    Trailing,
    #[error("the key is derived with `{0}`; known are none, scrypt, bcrypt and pbkdf2_hmac_sha256")]
    Kdf(String),
    #[error("the key is derived in {rounds} rounds; 1 to {most} are done")]
    Rounds { rounds: u32, most: u32 },
    #[error("the key is encrypted with `{0}`; known are none and chacha20_poly1305")]
    Cipher(String),
    #[error("the key file needs its passphrase")]
    Locked,
    #[error("the passphrase is not the one of this key file, or the file was changed")]
    Passphrase,
    #[error("the OpenSSH key is of type `{0}`; only ssh-ed25519 can be used")]
    SshType(String),
    #[error(
        "OpenSSH keys with a passphrase are not read; take it off a copy (`ssh-keygen -p -f COPY`) or make a Crypt4GH key"
    )]
    SshLocked,
    #[error(transparent)]
    Weak(#[from] WeakKey),
}

/// Reads a public key: a Crypt4GH file, or a line of OpenSSH for ed25519.
///
/// # Errors
/// When it is none, or one that everybody could read for.
pub fn read_public(text: &str) -> Result<PublicKey, Error> {
    let key = match armor(text)? {
        Armor::Public(bytes) => {
            PublicKey(bytes.as_slice().try_into().map_err(|_| Error::Field { field: "the key, 32 bytes" })?)
        }
        Armor::Ssh(line) => openssh::read_public(line)?,
        Armor::Secret(_) | Armor::OpenSsh(_) => return Err(Error::Secret),
    };
    if key.is_weak() { Err(WeakKey.into()) } else { Ok(key) }
}

/// Reads a private key: a Crypt4GH file, with its passphrase when it has one, or an OpenSSH file without one. Slow on purpose with a
/// passphrase: never to be called in the loop.
///
/// # Errors
/// [`Error::Locked`] when a passphrase is needed and none is given; [`Error::Passphrase`] when it is another one; else what is wrong with
/// the file.
pub fn read_secret(text: &str, passphrase: Option<&str>) -> Result<SecretKey, Error> {
    match armor(text)? {
        Armor::Secret(bytes) => c4gh::read_secret(&bytes, passphrase),
        Armor::OpenSsh(bytes) => openssh::read_secret(&bytes),
        Armor::Public(_) | Armor::Ssh(_) => Err(Error::Public),
    }
}

/// Reads a private key of OpenSSH to sign with: the same file that [`read_secret`] opens Crypt4GH files with.
///
/// # Errors
/// [`Error::SshLocked`] when it has a passphrase; else what is wrong with the file.
pub fn read_signing(text: &str) -> Result<Secret, Error> {
    match armor(text)? {
        Armor::OpenSsh(bytes) => {
            // Read whole first: halves that do not belong together sign nothing.
            openssh::read_secret(&bytes)?;
            Ok(Secret::from_bytes(&openssh::read_seed(&bytes)?.0))
        }
        Armor::Secret(_) => Err(Error::SshType("Crypt4GH".to_owned())),
        Armor::Public(_) | Armor::Ssh(_) => Err(Error::Public),
    }
}

/// Writes a public key's file.
#[must_use]
pub fn write_public(key: &PublicKey) -> String {
    dress(PUBLIC, &key.0)
}

enum Armor<'a> {
    Public(Zeroizing<Vec<u8>>),
    Secret(Zeroizing<Vec<u8>>),
    OpenSsh(Zeroizing<Vec<u8>>),
    Ssh(&'a str),
}

fn armor(text: &str) -> Result<Armor<'_>, Error> {
    if text.len() > TEXT_BYTES_MAX {
        return Err(Error::Long);
    }
    let text = text.trim();
    if text.starts_with("ssh-") {
        return Ok(Armor::Ssh(text));
    }
    for (label, kind) in [(PUBLIC, Armor::Public as fn(_) -> _), (SECRET, Armor::Secret), (OPENSSH, Armor::OpenSsh)] {
        let inside = text.strip_prefix("-----BEGIN ").and_then(|rest| rest.strip_prefix(label)?.strip_prefix("-----"));
        let Some(inside) = inside else { continue };
        let inside = inside
            .strip_suffix("-----")
            .and_then(|rest| rest.strip_suffix(label)?.strip_suffix("-----END "))
            .ok_or(Error::End { label })?;
        return Ok(kind(undress(inside)?));
    }
    Err(Error::Unknown)
}

/// Base64 over any number of lines.
fn undress(inside: &str) -> Result<Zeroizing<Vec<u8>>, Error> {
    let mut packed = Zeroizing::new(String::with_capacity(inside.len()));
    packed.extend(inside.split_ascii_whitespace());
    // Room at once, so that no smaller copy of a secret stays behind.
    let mut bytes = Zeroizing::new(Vec::with_capacity(packed.len()));
    STANDARD.decode_vec(packed.as_bytes(), &mut bytes).map_err(|_| Error::Base64)?;
    Ok(bytes)
}

fn dress(label: &str, bytes: &[u8]) -> String {
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", STANDARD.encode(bytes))
}

/// A piece from the front; the field names what is missing when there is not as much.
fn take<'a>(rest: &mut &'a [u8], bytes: usize, field: &'static str) -> Result<&'a [u8], Error> {
    let (piece, behind) = rest.split_at_checked(bytes).ok_or(Error::Field { field })?;
    *rest = behind;
    Ok(piece)
}

/// For messages: names come from a file that nobody vouches for.
fn shown(name: &[u8]) -> String {
    String::from_utf8_lossy(name).chars().filter(|character| !character.is_control()).take(40).collect()
}

#[cfg(test)]
mod tests;
