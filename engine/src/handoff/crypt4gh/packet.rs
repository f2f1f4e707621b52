//! One header packet: encrypted to a reader, opened by it (sections "Header Packets" and "Header packet encryption"). What is inside,
//! and how many there are, is the [header](super::header)'s business.

use blake2::{Blake2b512, Digest as _};
use chacha20poly1305::{AeadInOut as _, ChaCha20Poly1305, KeyInit as _};
use zeroize::Zeroizing;

use super::key::{KEY_BYTES, PublicKey, SecretKey};
use super::{MAC_BYTES, NONCE_BYTES, Nonce, le_u32};

/// `X25519_chacha20_ietf_poly1305`.
pub(super) const METHOD: u32 = 0;
/// Length and method, of whatever method.
pub(super) const PREFIX_BYTES: usize = 8;
/// Everything of a packet of our method but its payload.
pub(super) const OVERHEAD_BYTES: usize = PREFIX_BYTES + KEY_BYTES + NONCE_BYTES + MAC_BYTES;

/// The key is of small order: what is encrypted to it can be read by everybody.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the public key is of small order: what is encrypted to it could be read by everybody")]
pub struct WeakKey;

/// K_shared = the first 32 bytes of Blake2b(K_dh || K_pr || K_pw).
fn cipher(own: &SecretKey, other: &PublicKey, reader: &PublicKey, writer: &PublicKey) -> Option<ChaCha20Poly1305> {
    let agreed = own.agree(other)?;
    let hash = Blake2b512::new().chain_update(agreed.as_bytes()).chain_update(reader.0).chain_update(writer.0);
    let mut shared = Zeroizing::new([0; 64]);
    hash.finalize_into((&mut *shared).into());
    let (key, _) = shared.split_first_chunk::<KEY_BYTES>()?;
    Some(ChaCha20Poly1305::new(key.into()))
}

/// Appends the packet with this payload, its length in front.
pub(super) fn seal(
    payload: &[u8],
    recipient: &PublicKey,
    sender: &SecretKey,
    nonce: Nonce,
    out: &mut Vec<u8>,
) -> Result<(), WeakKey> {
    let writer = sender.public();
    let cipher = cipher(sender, recipient, recipient, &writer).ok_or(WeakKey)?;
    let length = u32::try_from(OVERHEAD_BYTES + payload.len()).expect("payloads are bounded far below");
    out.reserve(OVERHEAD_BYTES + payload.len());
    out.extend_from_slice(&length.to_le_bytes());
    out.extend_from_slice(&METHOD.to_le_bytes());
    out.extend_from_slice(&writer.0);
    out.extend_from_slice(&nonce);
    let start = out.len();
    out.extend_from_slice(payload);
    let mac = cipher
        .encrypt_inout_detached(&nonce.into(), &[], (&mut out[start..]).into())
        .expect("a payload is far shorter than what one nonce may encrypt");
    out.extend_from_slice(&mac);
    Ok(())
}

/// Payload of a packet, given whole; none when it is not for this reader, not from this writer, of another method, or was changed.
/// Nobody can tell these apart, and the specification wants all of them ignored.
pub(super) fn open(packet: &[u8], reader: &SecretKey, writer: Option<&PublicKey>) -> Option<Zeroizing<Vec<u8>>> {
    let (method, rest) = le_u32(packet.get(4..)?)?;
    if method != METHOD {
        return None;
    }
    let (from, rest) = rest.split_first_chunk::<KEY_BYTES>()?;
    let (nonce, rest) = rest.split_first_chunk::<NONCE_BYTES>()?;
    let (sealed, mac) = rest.split_last_chunk::<MAC_BYTES>()?;
    let from = PublicKey(*from);
    if writer.is_some_and(|writer| *writer != from) {
        return None;
    }
    let cipher = cipher(reader, &from, &reader.public(), &from)?;
    let mut payload = Zeroizing::new(sealed.to_vec());
    cipher.decrypt_inout_detached(nonce.into(), &[], payload.as_mut_slice().into(), mac.into()).ok()?;
    Some(payload)
}
