//! The keys of Crypt4GH (section "Keys"). Secret ones are never printed and are wiped when they are dropped; how they are stored is
//! not known here.

use subtle::ConstantTimeEq as _;
use x25519_dalek::{SharedSecret, StaticSecret};
use zeroize::Zeroizing;

/// Bytes of every key.
pub const KEY_BYTES: usize = 32;

/// What everybody may know: X25519, little-endian (RFC 7748).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct PublicKey(pub [u8; KEY_BYTES]);

impl PublicKey {
    /// Does it lie in the small subgroup? What is encrypted to such a key can be read by everybody.
    #[must_use]
    pub fn is_weak(&self) -> bool {
        // Any clamped scalar is a multiple of the cofactor, and so takes exactly the points of small order to zero.
        !StaticSecret::from([0; KEY_BYTES]).diffie_hellman(&self.0.into()).was_contributory()
    }
}

/// A reader's or a writer's own: X25519.
#[derive(Clone)]
pub struct SecretKey {
    secret: StaticSecret,
    /// Asked for with every packet, and as dear as an agreement.
    public: PublicKey,
}

impl SecretKey {
    /// From bytes of a cryptographically secure generator, or from a key file. The caller's copy is the caller's to wipe.
    #[must_use]
    pub fn new(bytes: &[u8; KEY_BYTES]) -> Self {
        let secret = StaticSecret::from(*bytes);
        let public = PublicKey(x25519_dalek::PublicKey::from(&secret).to_bytes());
        Self { secret, public }
    }

    /// The other half.
    #[must_use]
    pub fn public(&self) -> PublicKey {
        self.public
    }

    /// K_dh; none when the other key is a [weak](PublicKey::is_weak) one.
    pub(super) fn agree(&self, other: &PublicKey) -> Option<SharedSecret> {
        let agreed = self.secret.diffie_hellman(&other.0.into());
        agreed.was_contributory().then_some(agreed)
    }

    /// For key files.
    pub(super) fn bytes(&self) -> &[u8; KEY_BYTES] {
        self.secret.as_bytes()
    }
}

/// What a body is encrypted with, K_data: one per file, never one for two.
#[derive(Clone)]
pub struct DataKey(Zeroizing<[u8; KEY_BYTES]>);

impl DataKey {
    /// From bytes of a cryptographically secure generator. The caller's copy is the caller's to wipe.
    #[must_use]
    pub fn new(bytes: &[u8; KEY_BYTES]) -> Self {
        Self(Zeroizing::new(*bytes))
    }

    pub(super) fn bytes(&self) -> &[u8; KEY_BYTES] {
        &self.0
    }

    /// Are they the same? Takes as long for every other one.
    #[must_use]
    pub fn is(&self, other: &Self) -> bool {
        self.0.as_slice().ct_eq(other.0.as_slice()).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::unhex;

    fn bytes(text: &str) -> [u8; 32] {
        unhex(text).expect("hexadecimal")
    }

    #[test]
    fn public_keys_and_agreement_are_those_of_rfc_7748_section_6_1() {
        let alice = SecretKey::new(&bytes("77076d0a7318a57d3c16c17251b26645df4cd25fc4e5a5f4e0f7c4e3d5f3d1a5"));
        let bob = SecretKey::new(&bytes("5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb"));
        assert_eq!(bob.public().0, bytes("de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f"));
        let one = alice.agree(&bob.public()).expect("no weak key");
        assert_eq!(one.as_bytes(), bob.agree(&alice.public()).expect("no weak key").as_bytes());
    }

    #[test]
    fn a_key_of_small_order_agrees_with_nobody() {
        let mut one = [0; 32];
        one[0] = 1;
        let eight = bytes("e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800");
        for weak in [[0; 32], one, eight] {
            assert!(PublicKey(weak).is_weak());
            assert!(SecretKey::new(&[7; 32]).agree(&PublicKey(weak)).is_none());
        }
        assert!(!SecretKey::new(&[7; 32]).public().is_weak());
    }

    #[test]
    fn data_keys_are_compared_whole() {
        let mut other = [7; 32];
        other[31] ^= 1;
        assert!(DataKey::new(&[7; 32]).is(&DataKey::new(&[7; 32])));
        assert!(!DataKey::new(&[7; 32]).is(&DataKey::new(&other)));
    }
}
