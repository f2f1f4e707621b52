//! The body as a stream (section "Encrypted Data"): bytes are pushed in as they come, segments come out one at a time, from buffers that
//! are made once. It does not know where bytes come from or go to.

use zeroize::Zeroizing;

use super::edits::Cursor;
use super::header::Header;
use super::key::DataKey;
use super::segment::{Cipher, OVERHEAD_BYTES, PLAIN_BYTES, SEALED_BYTES};
use super::{NONCE_BYTES, Nonce};

/// Plain bytes in, a body out. One for one file: a data key is for one.
pub struct Encryptor<N> {
    cipher: Cipher,
    nonces: N,
    /// A segment, sealed or waiting to be: plain bytes wait where they will be encrypted, behind the room for a nonce.
    segment: Zeroizing<Vec<u8>>,
    waiting_bytes: usize,
}

impl<N: FnMut() -> Nonce> Encryptor<N> {
    /// With nonces that must never come twice for this key.
    pub fn new(key: &DataKey, nonces: N) -> Self {
        Self { cipher: Cipher::new(key), nonces, segment: Zeroizing::new(vec![0; SEALED_BYTES]), waiting_bytes: 0 }
    }

    /// Takes what it can use from the front of the plain bytes. When that fills a segment, gives it, encrypted; else everything was
    /// taken. So: call until it gives none.
    pub fn push(&mut self, plain: &mut &[u8]) -> Option<&[u8]> {
        if self.waiting_bytes == 0
            && let Some((segment, rest)) = plain.split_at_checked(PLAIN_BYTES)
        {
            *plain = rest;
            self.cipher.seal((self.nonces)(), segment, &mut self.segment);
            return Some(&self.segment);
        }
        let (some, rest) = plain.split_at(plain.len().min(PLAIN_BYTES - self.waiting_bytes));
        *plain = rest;
        let at = NONCE_BYTES + self.waiting_bytes;
        self.segment[at..at + some.len()].copy_from_slice(some);
        self.waiting_bytes += some.len();
        if self.waiting_bytes < PLAIN_BYTES {
            return None;
        }
        self.waiting_bytes = 0;
        self.cipher.seal_in_place((self.nonces)(), &mut self.segment);
        Some(&self.segment)
    }

    /// The last segment, encrypted. Empty when the plain bytes ended with a segment, as those of an empty file do.
    #[must_use]
    pub fn finish(mut self) -> Vec<u8> {
        if self.waiting_bytes == 0 {
            return Vec::new();
        }
        self.segment.truncate(self.waiting_bytes + OVERHEAD_BYTES);
        self.cipher.seal_in_place((self.nonces)(), &mut self.segment);
        std::mem::take(&mut self.segment)
    }
}

/// What is known of a file before it is decrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expect {
    /// So many plain bytes, after edits. To be used wherever a size is known: only so is a body that was cut off between two segments
    /// told from a whole one.
    PlainBytes(u64),
    /// Nothing. A body without any segment is refused then: more likely it is cut off than of an empty file.
    Anything,
}

/// Why a body is refused. What was given out before is to be thrown away with it. Segments are counted from 1, bytes from the start of
/// the body.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "each variant's message says it")]
pub enum Error {
    #[error(
        "segment {segment} at byte {at} of the body is not of this file: it was changed, cut off, or is of another data key"
    )]
    Segment { segment: u64, at: u64 },
    #[error(
        "the body is cut off: segment {segment} at its byte {at} has {bytes} bytes, fewer than one without anything in it"
    )]
    Cut { segment: u64, at: u64, bytes: usize },
    #[error("there is no body; when the file is empty, say that 0 bytes are expected")]
    NoBody,
    #[error("the body holds {found} plain bytes where {expected} are expected: it is cut off, or another file's")]
    Short { expected: u64, found: u64 },
    #[error("the body holds at least {found} plain bytes where {expected} are expected: it is another file's")]
    Long { expected: u64, found: u64 },
}

/// What a whole body held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Summary {
    /// Segments.
    pub segments: u64,
    /// After edits.
    pub plain_bytes: u64,
    /// Bytes that the edit list wanted to keep behind the end of the body. The specification allows it.
    pub missing_bytes: u64,
}

/// The end of a body: what comes last, and what it was together.
pub struct Last {
    /// Of the last segment, after edits; may be empty.
    pub plain: Zeroizing<Vec<u8>>,
    /// The whole body.
    pub summary: Summary,
}

/// A body in, plain bytes out.
pub struct Decryptor {
    /// The one that fitted last is tried first.
    ciphers: Vec<Cipher>,
    edits: Option<Cursor>,
    expect: Expect,
    /// Of a segment that did not come whole.
    waiting: Vec<u8>,
    plain: Zeroizing<Vec<u8>>,
    /// Of the present segment, after edits.
    plain_bytes: usize,
    segments: u64,
    given_bytes: u64,
    /// A body that was refused stays so, whatever comes.
    failed: Option<Error>,
}

impl Decryptor {
    /// For the whole body behind this header.
    #[must_use]
    pub fn new(header: Header, expect: Expect) -> Self {
        let mut decryptor = Self::within(&header, expect);
        decryptor.edits = header.edits.map(Cursor::new);
        decryptor
    }

    /// For some segments out of a body, as [`span`](super::segment::span) names them; whoever takes a range sees to edits itself. What
    /// is expected are the plain bytes of these segments, and they are counted as if they were all.
    #[must_use]
    pub fn within(header: &Header, expect: Expect) -> Self {
        Self {
            ciphers: header.data_keys.iter().map(Cipher::new).collect(),
            edits: None,
            expect,
            waiting: Vec::new(),
            plain: Zeroizing::new(vec![0; PLAIN_BYTES]),
            plain_bytes: 0,
            segments: 0,
            given_bytes: 0,
            failed: None,
        }
    }

    /// Takes what it can use from the front of the encrypted bytes. When that fills a segment, gives its plain bytes, which are none
    /// when the edit list drops them all; else everything was taken. So: call until it gives none.
    ///
    /// # Errors
    /// [`Error::Segment`], [`Error::Long`]; every later call gives the same.
    pub fn push(&mut self, sealed: &mut &[u8]) -> Result<Option<&[u8]>, Error> {
        Ok(if self.advance(sealed)? { Some(self.current()) } else { None })
    }

    /// [`Self::push`] for whoever looks at [`Self::current`] afterwards.
    pub(super) fn advance(&mut self, sealed: &mut &[u8]) -> Result<bool, Error> {
        if let Some(error) = self.failed {
            return Err(error);
        }
        if self.waiting.is_empty()
            && let Some((segment, rest)) = sealed.split_at_checked(SEALED_BYTES)
        {
            *sealed = rest;
            return self.open(segment).map(|()| true);
        }
        let (some, rest) = sealed.split_at(sealed.len().min(SEALED_BYTES - self.waiting.len()));
        *sealed = rest;
        // Room for all of it, once; whoever pushes whole segments never needs it.
        self.waiting.reserve_exact(SEALED_BYTES - self.waiting.len());
        self.waiting.extend_from_slice(some);
        if self.waiting.len() < SEALED_BYTES {
            return Ok(false);
        }
        self.open_waiting().map(|()| true)
    }

    /// Plain bytes of the segment that was opened last, after edits.
    pub(super) fn current(&self) -> &[u8] {
        &self.plain[..self.plain_bytes]
    }

    /// The end of the body, which must be the end of a segment.
    ///
    /// # Errors
    /// What [`Self::push`] said, and whatever is wrong with the last segment or with the whole.
    pub fn finish(mut self) -> Result<Last, Error> {
        if let Some(error) = self.failed {
            return Err(error);
        }
        self.plain_bytes = 0;
        if (1..OVERHEAD_BYTES).contains(&self.waiting.len()) {
            return Err(Error::Cut { segment: self.segments + 1, at: self.at(), bytes: self.waiting.len() });
        }
        if !self.waiting.is_empty() {
            self.open_waiting()?;
        }
        match self.expect {
            Expect::PlainBytes(expected) if expected != self.given_bytes => {
                return Err(Error::Short { expected, found: self.given_bytes });
            }
            Expect::Anything if self.segments == 0 => return Err(Error::NoBody),
            _ => {}
        }
        let summary = Summary {
            segments: self.segments,
            plain_bytes: self.given_bytes,
            missing_bytes: self.edits.map_or(0, Cursor::missing_bytes),
        };
        self.plain.truncate(self.plain_bytes);
        Ok(Last { plain: self.plain, summary })
    }

    /// Where the next segment begins, in the body.
    fn at(&self) -> u64 {
        self.segments.saturating_mul(SEALED_BYTES as u64)
    }

    fn open_waiting(&mut self) -> Result<(), Error> {
        let mut waiting = std::mem::take(&mut self.waiting);
        let opened = self.open(&waiting);
        waiting.clear();
        self.waiting = waiting;
        opened
    }

    fn open(&mut self, sealed: &[u8]) -> Result<(), Error> {
        let opened = self.open_unkept(sealed);
        if let Err(error) = opened {
            self.failed = Some(error);
            self.plain_bytes = 0;
        }
        opened
    }

    fn open_unkept(&mut self, sealed: &[u8]) -> Result<(), Error> {
        let bytes = sealed.len() - OVERHEAD_BYTES;
        let plain = &mut self.plain[..bytes];
        let fits = self.ciphers.iter().position(|cipher| cipher.open(sealed, plain).is_some());
        let Some(fits) = fits else { return Err(Error::Segment { segment: self.segments + 1, at: self.at() }) };
        self.ciphers.swap(0, fits);
        self.plain_bytes = match &mut self.edits {
            Some(edits) => edits.apply(plain),
            None => bytes,
        };
        self.segments += 1;
        self.given_bytes += self.plain_bytes as u64;
        match self.expect {
            Expect::PlainBytes(expected) if self.given_bytes > expected => {
                Err(Error::Long { expected, found: self.given_bytes })
            }
            _ => Ok(()),
        }
    }
}
