//! Signatures that every receiver can check: SSHSIG (OpenSSH's PROTOCOL.sshsig, version 1) with an Ed25519 key.
//!
//! What it signs it does not know; `ssh-keygen -Y verify` says the same of it as [`verify`] does.

use sha2::{Digest as _, Sha256, Sha512};

use super::base64;
use crate::audit::checkpoint::{Public, Secret};

/// What a signature of a package is for: none of it passes for anything else.
pub const NAMESPACE: &str = "kentai-delivery";

const MAGIC: &[u8; 6] = b"SSHSIG";
const VERSION: u32 = 1;
const KEY: &str = "ssh-ed25519";
const BEGIN: &str = "-----BEGIN SSH SIGNATURE-----\n";
const END: &str = "-----END SSH SIGNATURE-----\n";
/// Letters in a line of the armor, as ssh-keygen writes them.
const COLUMNS: usize = 70;

/// Why a signature does not count.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "each variant's message says it")]
pub enum Error {
    #[error("it is not an armored SSH signature in its one spelling")]
    Armor,
    #[error("its content is not that of an SSH signature of version 1")]
    Content,
    #[error("it is made with `{0}`, and only ssh-ed25519 is known here")]
    Algorithm(String),
    #[error("it is for `{found}`, not for `{wanted}`")]
    Namespace { found: String, wanted: String },
    #[error("another key signed it: {0}")]
    OtherKey(String),
    #[error("its key did not sign these bytes")]
    Signature,
}

/// Signs `message` for one use; the armor, as ssh-keygen writes it, with the digest that ssh-keygen takes (SHA-512).
#[must_use]
pub fn sign(secret: &Secret, namespace: &str, message: &[u8]) -> String {
    let hash = "sha512";
    let signature = secret.sign_bytes(&to_be_signed(namespace, hash, &Sha512::digest(message)));
    let public = key_blob(&secret.public());
    armor(&blob(&public, namespace, hash, &[field(KEY.as_bytes()), field(&signature)].concat()))
}

/// Checks a signature over `message` for one use, and says whose it is. Without `key` its own is believed.
///
/// # Errors
/// The first thing that does not hold. An armor has one spelling: whatever ssh-keygen would not write is refused.
pub fn verify(armored: &[u8], namespace: &str, message: &[u8], key: Option<&Public>) -> Result<Public, Error> {
    let content = disarm(armored).ok_or(Error::Armor)?;
    let parts = Parts::read(&content).ok_or(Error::Content)?;
    let public = parse_key(parts.public)?;
    if key.is_some_and(|key| *key != public) {
        return Err(Error::OtherKey(line(&public)));
    }
    if parts.namespace != namespace {
        return Err(Error::Namespace { found: parts.namespace.to_owned(), wanted: namespace.to_owned() });
    }
    let digest = match parts.hash {
        "sha512" => Sha512::digest(message).to_vec(),
        "sha256" => Sha256::digest(message).to_vec(),
        _ => return Err(Error::Content),
    };
    let mut rest = parts.signature;
    let kind = text(take(&mut rest).ok_or(Error::Content)?).ok_or(Error::Content)?;
    if kind != KEY {
        return Err(Error::Algorithm(kind.to_owned()));
    }
    let bytes = take(&mut rest).filter(|_| rest.is_empty()).and_then(|bytes| bytes.try_into().ok());
    let statement = to_be_signed(namespace, parts.hash, &digest);
    if public.signed_bytes(&statement, bytes.ok_or(Error::Content)?) { Ok(public) } else { Err(Error::Signature) }
}

/// A public key as `authorized_keys` and `.pub` files spell it, without a comment.
#[must_use]
pub fn line(key: &Public) -> String {
    format!("{KEY} {}", base64::encode(&key_blob(key)))
}

/// The key of such a line, with or without a comment.
#[must_use]
pub fn parse_line(line: &str) -> Option<Public> {
    let mut words = line.split_ascii_whitespace();
    let blob = words.next().filter(|kind| *kind == KEY).and(words.next()).and_then(base64::decode)?;
    parse_key(&blob).ok()
}

/// A line of the file that `ssh-keygen -Y verify -f` reads: `who` signs with this key, and only for this use.
#[must_use]
pub fn allowed_signer(who: &str, namespace: &str, key: &Public) -> String {
    format!("{who} namespaces=\"{namespace}\" {}\n", line(key))
}

fn to_be_signed(namespace: &str, hash: &str, digest: &[u8]) -> Vec<u8> {
    [MAGIC.to_vec(), field(namespace.as_bytes()), field(b""), field(hash.as_bytes()), field(digest)].concat()
}

fn blob(public: &[u8], namespace: &str, hash: &str, signature: &[u8]) -> Vec<u8> {
    let fields = [public, namespace.as_bytes(), b"", hash.as_bytes(), signature].map(field).concat();
    [MAGIC.as_slice(), &VERSION.to_be_bytes(), &fields].concat()
}

fn key_blob(key: &Public) -> Vec<u8> {
    [field(KEY.as_bytes()), field(key.bytes())].concat()
}

fn parse_key(mut blob: &[u8]) -> Result<Public, Error> {
    let kind = take(&mut blob).and_then(text).ok_or(Error::Content)?;
    if kind != KEY {
        return Err(Error::Algorithm(kind.to_owned()));
    }
    let bytes = take(&mut blob).filter(|_| blob.is_empty()).and_then(|bytes| bytes.try_into().ok());
    bytes.and_then(Public::from_bytes).ok_or(Error::Content)
}

/// A string of RFC 4251, section 5: its length and its bytes.
fn field(bytes: &[u8]) -> Vec<u8> {
    // Nothing that is signed here comes near 4 GiB: digests, keys and a name.
    let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
    [&length.to_be_bytes(), bytes].concat()
}

fn take<'a>(from: &mut &'a [u8]) -> Option<&'a [u8]> {
    let (length, rest) = from.split_first_chunk::<4>()?;
    let (bytes, rest) = rest.split_at_checked(usize::try_from(u32::from_be_bytes(*length)).ok()?)?;
    *from = rest;
    Some(bytes)
}

fn text(bytes: &[u8]) -> Option<&str> {
    std::str::from_utf8(bytes).ok()
}

struct Parts<'a> {
    public: &'a [u8],
    namespace: &'a str,
    hash: &'a str,
    signature: &'a [u8],
}

impl<'a> Parts<'a> {
    fn read(content: &'a [u8]) -> Option<Self> {
        let mut rest = content.strip_prefix(MAGIC)?.strip_prefix(&VERSION.to_be_bytes())?;
        let (public, namespace) = (take(&mut rest)?, text(take(&mut rest)?)?);
        // Reserved; whoever writes something there means another version.
        let reserved = take(&mut rest)?;
        let (hash, signature) = (text(take(&mut rest)?)?, take(&mut rest)?);
        (reserved.is_empty() && rest.is_empty()).then_some(Self { public, namespace, hash, signature })
    }
}

fn armor(content: &[u8]) -> String {
    let mut armored = BEGIN.to_owned();
    for line in base64::encode(content).as_bytes().chunks(COLUMNS) {
        armored.extend(line.iter().map(|letter| char::from(*letter)));
        armored.push('\n');
    }
    armored + END
}

fn disarm(armored: &[u8]) -> Option<Vec<u8>> {
    let body = text(armored)?.strip_prefix(BEGIN)?.strip_suffix(END)?;
    let content = base64::decode(&body.replace('\n', ""))?;
    (armor(&content).as_bytes() == armored).then_some(content)
}

#[cfg(test)]
mod tests;
