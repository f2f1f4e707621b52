//! Segments (section "Encrypted Data"): 64 KiB of plain bytes each, encrypted on their own; where they lie, and one of them sealed and
//! opened. It does not know how bytes come and go.
//!
//! Places are bytes from the start of the body, or of the plain file; ranges are half-open.

use std::ops::Range;

use chacha20poly1305::aead::inout::InOutBuf;
use chacha20poly1305::{AeadInOut as _, ChaCha20Poly1305, KeyInit as _};

use super::key::DataKey;
use super::{MAC_BYTES, NONCE_BYTES, Nonce};

/// Plain bytes of every segment but the last, which may have fewer.
pub const PLAIN_BYTES: usize = 65_536;
/// What a segment has besides: its nonce in front, its MAC behind.
pub const OVERHEAD_BYTES: usize = NONCE_BYTES + MAC_BYTES;
/// Bytes of an encrypted segment.
pub const SEALED_BYTES: usize = PLAIN_BYTES + OVERHEAD_BYTES;

const PLAIN: u64 = PLAIN_BYTES as u64;
const SEALED: u64 = SEALED_BYTES as u64;
const OVERHEAD: u64 = OVERHEAD_BYTES as u64;

/// Bytes of the body of a file of so many plain bytes; none when it would be more than can be counted. An empty file has an empty body.
#[must_use]
pub fn sealed_bytes(plain_bytes: u64) -> Option<u64> {
    plain_bytes.div_ceil(PLAIN).checked_mul(OVERHEAD)?.checked_add(plain_bytes)
}

/// Plain bytes in a body of so many bytes, before any edit list; none when no body is so long.
#[must_use]
pub fn plain_bytes(sealed_bytes: u64) -> Option<u64> {
    let (whole, rest) = (sealed_bytes / SEALED, sealed_bytes % SEALED);
    match rest {
        0 => Some(whole * PLAIN),
        // A last segment of nothing is opened, though we write none: other writers might.
        OVERHEAD.. => Some(whole * PLAIN + rest - OVERHEAD),
        _ => None,
    }
}

/// The segment, counted from 0, that holds this plain byte, and the byte's place in it.
#[must_use]
pub fn place(plain_offset: u64) -> (u64, usize) {
    let within = usize::try_from(plain_offset % PLAIN).expect("less than a segment");
    (plain_offset / PLAIN, within)
}

/// What must be read of a body for a range of plain bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Span {
    /// Segments, counted from 0.
    pub segments: Range<u64>,
    /// Bytes of the body.
    pub sealed: Range<u64>,
    /// Plain bytes in these segments together.
    pub plain_bytes: u64,
    /// Plain bytes to drop from the front of them.
    pub skip: usize,
    /// Plain bytes to take behind those.
    pub take: u64,
}

/// Says what must be read for a range of plain bytes of a file of so many; none when the range is not in the file. An empty range needs
/// nothing.
#[must_use]
pub fn span(range: Range<u64>, file_plain_bytes: u64) -> Option<Span> {
    if range.start > range.end || range.end > file_plain_bytes {
        return None;
    }
    let take = range.end - range.start;
    if take == 0 {
        return Some(Span { segments: 0..0, sealed: 0..0, plain_bytes: 0, skip: 0, take });
    }
    let (first, skip) = place(range.start);
    let end = range.end.div_ceil(PLAIN);
    // The last one may be shorter; nothing before it is.
    let plain_end = end.saturating_mul(PLAIN).min(file_plain_bytes);
    let sealed = first.checked_mul(SEALED)?..sealed_bytes(plain_end)?;
    Some(Span { segments: first..end, sealed, plain_bytes: plain_end - first * PLAIN, skip, take })
}

/// A data key, ready. Wiped when it is dropped.
pub(super) struct Cipher(ChaCha20Poly1305);

impl Cipher {
    pub(super) fn new(key: &DataKey) -> Self {
        Self(ChaCha20Poly1305::new(key.bytes().into()))
    }

    /// Seals plain bytes into a place that is [`OVERHEAD_BYTES`] longer.
    pub(super) fn seal(&self, nonce: Nonce, plain: &[u8], out: &mut [u8]) {
        let (head, rest) = out.split_at_mut(NONCE_BYTES);
        let (body, mac) = rest.split_at_mut(plain.len());
        head.copy_from_slice(&nonce);
        // From one place into the other: no copy before it.
        let buffer = InOutBuf::new(plain, body).expect("the place was split to this length");
        mac.copy_from_slice(&self.encrypt(&nonce, buffer));
    }

    /// The same for plain bytes that already lie where they will be encrypted, behind the room for a nonce.
    pub(super) fn seal_in_place(&self, nonce: Nonce, out: &mut [u8]) {
        let (head, rest) = out.split_at_mut(NONCE_BYTES);
        let (body, mac) = rest.split_at_mut(rest.len() - MAC_BYTES);
        head.copy_from_slice(&nonce);
        mac.copy_from_slice(&self.encrypt(&nonce, body.into()));
    }

    fn encrypt(&self, nonce: &Nonce, buffer: InOutBuf<'_, '_, u8>) -> [u8; MAC_BYTES] {
        let mac = self.0.encrypt_inout_detached(nonce.into(), &[], buffer);
        mac.expect("a segment is far shorter than what one nonce may encrypt").into()
    }

    /// Opens a segment into a place that is [`OVERHEAD_BYTES`] shorter, which is left as it is when the segment is not of this key.
    pub(super) fn open(&self, sealed: &[u8], out: &mut [u8]) -> Option<()> {
        let (nonce, rest) = sealed.split_first_chunk::<NONCE_BYTES>()?;
        let (body, mac) = rest.split_last_chunk::<MAC_BYTES>()?;
        let buffer = InOutBuf::new(body, out).ok()?;
        self.0.decrypt_inout_detached(nonce.into(), &[], buffer, mac.into()).ok()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn sizes_are_those_of_the_specification() {
        let pairs = [(0, 0), (1, 29), (65_535, 65_563), (65_536, 65_564), (65_537, 65_593), (3_000_000, 3_001_288)];
        for (plain, sealed) in pairs {
            assert_eq!(sealed_bytes(plain), Some(sealed));
            assert_eq!(plain_bytes(sealed), Some(plain));
        }
        assert_eq!(sealed_bytes(u64::MAX), None);
        for no_body in [1, 27, SEALED + 1, SEALED + 27] {
            assert_eq!(plain_bytes(no_body), None, "{no_body}");
        }
        assert_eq!(plain_bytes(28), Some(0));
    }

    #[test]
    fn a_range_names_the_segments_around_it() {
        let span = |start, end| span(start..end, 150_000);
        assert_eq!(
            span(65_535, 65_537),
            Some(Span { segments: 0..2, sealed: 0..131_128, plain_bytes: 131_072, skip: 65_535, take: 2 })
        );
        assert_eq!(
            span(131_072, 150_000),
            Some(Span { segments: 2..3, sealed: 131_128..150_084, plain_bytes: 18_928, skip: 0, take: 18_928 })
        );
        assert_eq!(span(9, 9).map(|span| span.sealed), Some(0..0));
        assert_eq!(span(0, 150_001), None);
        assert_eq!(span(9, 8), None);
        assert_eq!(super::span(u64::MAX - 1..u64::MAX, u64::MAX), None);
    }

    proptest! {
        #[test]
        fn sizes_there_and_back(plain in 0..u64::MAX / 2) {
            let sealed = sealed_bytes(plain).expect("can be counted");
            prop_assert_eq!(plain_bytes(sealed), Some(plain));
        }

        #[test]
        fn a_span_holds_its_range_and_no_segment_more(file in 1_u64..400_000, start in 0_u64..400_000, length in 1_u64..400_000) {
            let start = start % file;
            let end = (start + length).min(file);
            let span = span(start..end, file).expect("in the file");
            prop_assert_eq!(span.take, end - start);
            prop_assert!(span.skip < PLAIN_BYTES);
            prop_assert!(span.skip as u64 + span.take <= span.plain_bytes);
            prop_assert_eq!(span.segments.start * PLAIN + span.skip as u64, start);
            prop_assert!((span.segments.end - 1) * PLAIN < end);
            prop_assert_eq!(plain_bytes(span.sealed.end - span.sealed.start), Some(span.plain_bytes));
            prop_assert!(span.sealed.end <= sealed_bytes(file).expect("can be counted"));
        }
    }
}
