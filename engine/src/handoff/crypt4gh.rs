//! Crypt4GH 1.0 (GA4GH File Encryption Standard; sections are named as there). Bytes in, bytes out: it knows neither files nor
//! networks, makes no random byte of its own, and does not know what is inside.
//!
//! A file is encrypted *once*: its body depends on a [data key](key::DataKey) alone. Each recipient gets a
//! [header of its own](header::header_for) over the same body, stored once, so what is served is the same bytes every time and a broken
//! transfer resumes. A header for another key [is made from an old one](header::reissue); the body is not touched.
//!
//! What the format does not give: nobody learns from it who wrote a file, and whole segments may be taken out or put in another order
//! without being noticed (section "Threat Analysis"). Whoever knows how long the plain bytes are says so
//! ([`Expect`](body::Expect)); order and origin are the business of the checksums and the signature of a package.
//!
//! The mode `chacha20_ietf_poly1305_with_AEAD` of the draft after 1.0 is refused by name.

pub mod body;
pub mod edits;
pub mod header;
pub mod key;
pub mod keyfile;
mod packet;
pub mod segment;
pub mod stream;

pub use packet::WeakKey;

#[cfg(test)]
mod tests;

/// Bytes of a nonce, of packets and of segments alike.
pub const NONCE_BYTES: usize = 12;
/// Bytes of a MAC, of packets and of segments alike.
pub const MAC_BYTES: usize = 16;

/// What is used once with a key (section "Nonce selection"). The caller brings it, fresh from a cryptographically secure generator:
/// one that comes twice under the same data key gives both plain texts away.
pub type Nonce = [u8; NONCE_BYTES];

/// Four bytes, least significant first (section "Byte Ordering"); none when there are not as many.
fn le_u32(bytes: &[u8]) -> Option<(u32, &[u8])> {
    let (number, rest) = bytes.split_first_chunk::<4>()?;
    Some((u32::from_le_bytes(*number), rest))
}
