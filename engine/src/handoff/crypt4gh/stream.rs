//! Whole files over `std::io`: what is written comes out encrypted, what is read comes in decrypted. It knows readers and writers, not
//! what they are.

use std::io::{self, Read, Write};

use super::Nonce;
use super::body::{self, Decryptor, Encryptor, Expect, Last, Summary};
use super::header::{self, Extent};
use super::key::{DataKey, PublicKey, SecretKey};
use super::segment::SEALED_BYTES;

/// Encrypts what is written to it. Whoever drops it without [`Sealing::finish`] has half a file.
pub struct Sealing<W, N> {
    inner: W,
    encryptor: Encryptor<N>,
}

impl<W: Write, N: FnMut() -> Nonce> Sealing<W, N> {
    /// Writes only a body; headers are made and stored beside it, one for each recipient.
    pub fn new(inner: W, key: &DataKey, nonces: N) -> Self {
        Self { inner, encryptor: Encryptor::new(key, nonces) }
    }

    /// Writes the last segment.
    ///
    /// # Errors
    /// What the writer says.
    pub fn finish(mut self) -> io::Result<W> {
        self.inner.write_all(&self.encryptor.finish())?;
        self.inner.flush()?;
        Ok(self.inner)
    }
}

impl<W: Write, N: FnMut() -> Nonce> Write for Sealing<W, N> {
    fn write(&mut self, plain: &[u8]) -> io::Result<usize> {
        let mut rest = plain;
        while let Some(segment) = self.encryptor.push(&mut rest) {
            self.inner.write_all(segment)?;
        }
        Ok(plain.len())
    }

    /// A segment that is not full cannot be written yet.
    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

/// Why a file cannot be read; as the inner error of the `io::Error` (kind `InvalidData`) that reading gives.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "each variant's message says it")]
pub enum Error {
    #[error("the header cannot be read")]
    Read(#[source] io::Error),
    #[error(transparent)]
    Header(#[from] header::Error),
}

/// Decrypts what is read from it, segment by segment. An error makes all that was read before worthless, and stays: what comes after
/// it is never taken for the end.
pub struct Opening<R> {
    inner: R,
    state: State,
    sealed: Vec<u8>,
    /// Given out of the present segment.
    given_bytes: usize,
}

enum State {
    Going(Decryptor),
    Ended(Last),
    Broken,
}

impl<R: Read> Opening<R> {
    /// Reads the header; what is opened of it must be from this writer, when one is named.
    ///
    /// # Errors
    /// When the header cannot be read, or gives nothing to this reader.
    pub fn new(mut inner: R, reader: &SecretKey, writer: Option<&PublicKey>, expect: Expect) -> Result<Self, Error> {
        let bytes = read_header(&mut inner)?;
        let header = header::open(&bytes, reader, writer)?;
        let state = State::Going(Decryptor::new(header, expect));
        Ok(Self { inner, state, sealed: vec![0; SEALED_BYTES], given_bytes: 0 })
    }

    /// What the file held, once everything was read.
    pub fn summary(&self) -> Option<Summary> {
        match &self.state {
            State::Ended(last) => Some(last.summary),
            State::Going(_) | State::Broken => None,
        }
    }

    /// Gets the next segment; says whether there is one.
    fn next(&mut self) -> io::Result<bool> {
        // Broken until it is known to be well: bytes that were lost with an error must not end a file.
        match std::mem::replace(&mut self.state, State::Broken) {
            State::Going(mut decryptor) => {
                self.given_bytes = 0;
                let bytes = read_full(&mut self.inner, &mut self.sealed)?;
                let mut sealed = &self.sealed[..bytes];
                self.state = if decryptor.advance(&mut sealed).map_err(invalid)? {
                    State::Going(decryptor)
                } else {
                    State::Ended(decryptor.finish().map_err(invalid)?)
                };
                Ok(true)
            }
            State::Ended(last) => {
                self.state = State::Ended(last);
                Ok(false)
            }
            State::Broken => Err(io::Error::new(io::ErrorKind::InvalidData, "the file was refused before")),
        }
    }

    fn current(&self) -> &[u8] {
        match &self.state {
            State::Going(decryptor) => decryptor.current(),
            State::Ended(last) => &last.plain,
            State::Broken => &[],
        }
    }
}

fn invalid(error: body::Error) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, error)
}

impl<R: Read> Read for Opening<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if out.is_empty() {
            return Ok(0);
        }
        loop {
            let left = self.current().get(self.given_bytes..).unwrap_or_default();
            let bytes = left.len().min(out.len());
            out[..bytes].copy_from_slice(&left[..bytes]);
            self.given_bytes += bytes;
            if bytes > 0 {
                return Ok(bytes);
            }
            if !self.next()? {
                return Ok(0);
            }
        }
    }
}

/// Reads a header and not a byte more. Never holds more than [`header::HEADER_BYTES_MAX`], and only what was really there.
///
/// # Errors
/// When it cannot be read, is cut off, or is none.
pub fn read_header(inner: &mut impl Read) -> Result<Vec<u8>, Error> {
    let mut bytes = Vec::new();
    loop {
        match header::extent(&bytes)? {
            Extent::Whole(_) => return Ok(bytes),
            Extent::AtLeast(need) => {
                let missing = need - bytes.len();
                let read = inner.take(missing as u64).read_to_end(&mut bytes).map_err(Error::Read)?;
                if read < missing {
                    // What is there may already be no header at all: that is the better answer.
                    header::extent(&bytes)?;
                    return Err(header::Error::Cut { have: bytes.len(), need }.into());
                }
            }
        }
    }
}

/// Fills the buffer, or as much of it as there is.
fn read_full(inner: &mut impl Read, buffer: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match inner.read(&mut buffer[filled..]) {
            Ok(0) => break,
            Ok(bytes) => filled += bytes,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}
