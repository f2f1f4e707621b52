//! Checkpoints: the site's key says that the chain stood like this. It knows no files: the key comes in as 32 random bytes.

use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::{hex, unhex};
use crate::clock::Micros;

/// Says what is signed, and in which version.
const TAG: &str = "kentai audit checkpoint 1\n";

/// The site's signing key. It cannot be printed.
#[derive(Clone)]
pub struct Secret(SigningKey);

impl Secret {
    /// From 32 random bytes.
    #[must_use]
    pub fn from_bytes(bytes: &[u8; 32]) -> Self {
        Self(SigningKey::from_bytes(bytes))
    }

    /// As its file holds it: 64 hexadecimal digits.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        unhex(text.trim_end_matches('\n')).map(|bytes| Self::from_bytes(&bytes))
    }

    /// What others check its signatures with.
    #[must_use]
    pub fn public(&self) -> Public {
        Public(self.0.verifying_key())
    }

    /// Signs a message of the site, which no checkpoint can be mistaken for; hex.
    #[must_use]
    pub fn sign_text(&self, text: &str) -> String {
        hex(&self.0.sign(format!("kentai notice 1\n{text}").as_bytes()).to_bytes())
    }

    /// Signs a certificate of the site: that something is gone. No notice and no checkpoint can be mistaken for it; hex.
    #[must_use]
    pub fn sign_certificate(&self, text: &str) -> String {
        hex(&self.0.sign(format!("kentai certificate 1\n{text}").as_bytes()).to_bytes())
    }

    /// Signs bytes whose own head keeps them from being mistaken for anything else that this key signs.
    pub(crate) fn sign_bytes(&self, bytes: &[u8]) -> [u8; 64] {
        self.0.sign(bytes).to_bytes()
    }

    /// Signs what a checkpoint says.
    #[must_use]
    pub fn sign(&self, stand: &Stand) -> Checkpoint {
        let key = self.public().id();
        let signature = self.0.sign(statement(stand, &key).as_bytes());
        Checkpoint { stand: stand.clone(), key, signature: hex(&signature.to_bytes()) }
    }
}

/// The key that anybody may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Public(VerifyingKey);

impl Public {
    /// As its file holds it: 64 hexadecimal digits.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let bytes = unhex(text.trim_end_matches('\n'))?;
        VerifyingKey::from_bytes(&bytes).ok().map(Self)
    }

    /// From its 32 bytes, unless they are no key.
    #[must_use]
    pub fn from_bytes(bytes: &[u8; 32]) -> Option<Self> {
        VerifyingKey::from_bytes(bytes).ok().map(Self)
    }

    /// Its 32 bytes.
    #[must_use]
    pub fn bytes(&self) -> &[u8; 32] {
        self.0.as_bytes()
    }

    /// Did this key sign these bytes? Strict: no second signature over the same bytes passes.
    pub(crate) fn signed_bytes(&self, bytes: &[u8], signature: &[u8; 64]) -> bool {
        self.0.verify_strict(bytes, &Signature::from_bytes(signature)).is_ok()
    }

    /// 64 hexadecimal digits.
    #[must_use]
    pub fn text(&self) -> String {
        hex(self.0.as_bytes())
    }

    /// Its name: the first 16 digits of its SHA-256.
    #[must_use]
    pub fn id(&self) -> String {
        hex(&Sha256::digest(self.0.as_bytes())[..8])
    }

    /// Did this key sign it?
    #[must_use]
    pub fn signed(&self, checkpoint: &Checkpoint) -> bool {
        let Some(bytes) = unhex(&checkpoint.signature) else { return false };
        let statement = statement(&checkpoint.stand, &checkpoint.key);
        // Strict: no second signature over the same bytes passes.
        checkpoint.key == self.id()
            && self.0.verify_strict(statement.as_bytes(), &Signature::from_bytes(&bytes)).is_ok()
    }
}

/// How the chain stands.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Stand {
    /// Number of the newest event.
    pub events: i64,
    /// Its hash, hex.
    pub head: String,
    /// When this was signed.
    pub at_us: Micros,
    /// SHA-256 of every byte of the export before, hex; empty in the log itself.
    #[serde(default)]
    pub sha256: String,
}

/// A signed stand.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Checkpoint {
    /// What is signed.
    #[serde(flatten)]
    pub stand: Stand,
    /// Id of the key.
    pub key: String,
    /// Ed25519, hex.
    pub signature: String,
}

/// The bytes that are signed. Every text in it is hexadecimal or a number: the lines cannot be shifted against each other.
fn statement(stand: &Stand, key: &str) -> String {
    format!("{TAG}{}\n{}\n{}\n{}\n{key}\n", stand.events, stand.head, stand.at_us, stand.sha256)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stand() -> Stand {
        Stand { events: 7, head: hex(&[3; 32]), at_us: 5, sha256: String::new() }
    }

    #[test]
    fn a_key_signs_what_only_it_can_sign() {
        let (ours, theirs) = (Secret::from_bytes(&[1; 32]), Secret::from_bytes(&[2; 32]));
        let signed = ours.sign(&stand());
        assert!(ours.public().signed(&signed));
        assert!(!theirs.public().signed(&signed));
        let mut other = signed.clone();
        other.stand.events += 1;
        assert!(!ours.public().signed(&other));
        let again = Public::parse(&ours.public().text()).expect("what it wrote");
        assert_eq!(again, ours.public());
    }

    #[test]
    fn a_signature_has_one_spelling() {
        let key = Secret::from_bytes(&[1; 32]);
        let mut signed = key.sign(&stand());
        signed.signature = signed.signature.to_uppercase();
        assert!(!key.public().signed(&signed));
    }
}
