//! SHA-256 and MD5 of the same bytes in one reading. MD5 is for receivers that know nothing newer.
//!
//! MD5 cannot be divided, and takes about as long as SHA-256 and encryption together (`scripts/bench pack`): it has a thread of its own
//! as soon as there is more than one chunk.

use std::io::{self, Read, Write};
use std::sync::mpsc::{Receiver, SyncSender, TryRecvError, sync_channel};
use std::thread::JoinHandle;

use md5::Md5;
use sha2::{Digest, Sha256};

use super::hex;

const CHUNK: usize = 1 << 20;
/// Chunks that may wait for MD5: the two threads need not be in step, and memory stays bounded.
const WAITING: usize = 4;

/// What bytes amount to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Digests {
    /// Number.
    pub size: u64,
    /// Lowercase hex.
    pub sha256: String,
    /// Lowercase hex.
    pub md5: String,
}

/// Of everything that `source` gives.
///
/// # Errors
/// When it cannot be read.
pub fn digests(source: &mut impl Read) -> io::Result<Digests> {
    copy_digested(source, &mut io::sink())
}

/// Of everything that `source` gives, which is written to `target`.
///
/// # Errors
/// When one cannot be read or the other not written.
pub fn copy_digested(source: &mut impl Read, target: &mut impl Write) -> io::Result<Digests> {
    let mut digesting = Digesting::new(target, &[]);
    while digesting.fill_from(source)? {}
    Ok(digesting.finish()?.1)
}

/// What is written to it goes on to a writer in whole chunks, and is digested as it passes.
pub(super) struct Digesting<W> {
    inner: W,
    chunk: Vec<u8>,
    sha256: Sha256,
    md5: Beside,
    size: u64,
}

impl<W: Write> Digesting<W> {
    /// `before` are bytes that the writer does not get and that count all the same, as they stand before all others elsewhere.
    pub(super) fn new(inner: W, before: &[u8]) -> Self {
        let (sha256, md5) = (Sha256::new_with_prefix(before), Md5::new_with_prefix(before));
        Self { inner, chunk: Vec::new(), sha256, md5: Beside::Here(md5), size: before.len() as u64 }
    }

    /// Reads until a chunk is whole, without copying it; says whether more may come.
    fn fill_from(&mut self, source: &mut impl Read) -> io::Result<bool> {
        let missing = CHUNK - self.chunk.len();
        // Reads again when it was interrupted.
        if source.take(missing as u64).read_to_end(&mut self.chunk)? < missing {
            return Ok(false);
        }
        self.pass()?;
        Ok(true)
    }

    fn pass(&mut self) -> io::Result<()> {
        self.sha256.update(&self.chunk);
        self.inner.write_all(&self.chunk)?;
        self.size += self.chunk.len() as u64;
        self.chunk = self.md5.pass(std::mem::take(&mut self.chunk))?;
        Ok(())
    }

    /// The writer, flushed, and what all of it amounts to.
    pub(super) fn finish(mut self) -> io::Result<(W, Digests)> {
        self.sha256.update(&self.chunk);
        self.inner.write_all(&self.chunk)?;
        self.inner.flush()?;
        let size = self.size + self.chunk.len() as u64;
        let md5 = self.md5.finish(&self.chunk)?;
        Ok((self.inner, Digests { size, sha256: hex(&self.sha256.finalize()), md5: hex(&md5) }))
    }
}

impl<W: Write> Write for Digesting<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let taken = bytes.len().min(CHUNK - self.chunk.len());
        self.chunk.extend_from_slice(&bytes[..taken]);
        if self.chunk.len() == CHUNK {
            self.pass()?;
        }
        Ok(taken)
    }

    /// A chunk that is not whole waits for the end.
    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

/// MD5: in this thread for the first chunk, which mostly is all there is, and from the second one on in another.
enum Beside {
    Here(Md5),
    /// Chunks there, and back when they are done. The thread ends when nothing more can come, also when it is not waited for.
    There {
        chunks: SyncSender<Vec<u8>>,
        done: Receiver<Vec<u8>>,
        thread: JoinHandle<Md5>,
    },
}

impl Beside {
    /// Takes a chunk and gives room for another.
    fn pass(&mut self, chunk: Vec<u8>) -> io::Result<Vec<u8>> {
        if let Self::Here(md5) = self {
            let mut md5 = std::mem::take(md5);
            let (chunks, to_do) = sync_channel::<Vec<u8>>(WAITING);
            // One is being hashed and one on its way besides: giving back never waits.
            let (give_back, done) = sync_channel(WAITING + 2);
            let work = move || {
                for mut chunk in to_do {
                    md5.update(&chunk);
                    chunk.clear();
                    // Nobody needs room any more when nothing more comes.
                    let _ = give_back.send(chunk);
                }
                md5
            };
            let thread = std::thread::Builder::new().name("md5".into()).spawn(work)?;
            *self = Self::There { chunks, done, thread };
        }
        let Self::There { chunks, done, .. } = self else { return Ok(Vec::new()) };
        chunks.send(chunk).map_err(|_| lost())?;
        match done.try_recv() {
            Ok(room) => Ok(room),
            Err(TryRecvError::Empty) => Ok(Vec::with_capacity(CHUNK)),
            Err(TryRecvError::Disconnected) => Err(lost()),
        }
    }

    /// Of everything, and of these bytes at its end.
    fn finish(self, last: &[u8]) -> io::Result<[u8; 16]> {
        let mut md5 = match self {
            Self::Here(md5) => md5,
            Self::There { chunks, done, thread } => {
                drop((chunks, done));
                thread.join().map_err(|_| lost())?
            }
        };
        md5.update(last);
        Ok(md5.finalize().into())
    }
}

fn lost() -> io::Error {
    io::Error::other("the thread that makes the MD5 has ended: try again")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Bytes that repeat nowhere near.
    fn noise(len: usize) -> Vec<u8> {
        let mut state = 1_u64;
        let mut next = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            state.to_be_bytes()[0]
        };
        (0..len).map(|_| next()).collect()
    }

    /// In one piece, by the crates alone.
    fn plainly(bytes: &[u8]) -> Digests {
        let (sha256, md5) = (hex(&Sha256::digest(bytes)), hex(&Md5::digest(bytes)));
        Digests { size: bytes.len() as u64, sha256, md5 }
    }

    #[test]
    fn both_digests_of_the_bytes_that_were_copied() {
        let mut copy = Vec::new();
        let found = copy_digested(&mut b"abc".as_slice(), &mut copy).expect("memory");
        assert_eq!(copy, b"abc");
        assert_eq!(found.size, 3);
        // RFC 1321 (A.5) and FIPS 180-2 (B.1).
        assert_eq!(found.md5, "900150983cd24fb0d6963f7d28e17f72");
        assert_eq!(found.sha256, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    }

    #[test]
    fn wherever_chunks_end_it_is_the_same_bytes() {
        for len in [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK, 9 * CHUNK + 7] {
            let bytes = noise(len);
            let mut copy = Vec::new();
            let found = copy_digested(&mut bytes.as_slice(), &mut copy).expect("memory");
            assert!(copy == bytes, "{len} bytes");
            assert_eq!(found, plainly(&bytes), "{len} bytes");
        }
    }

    #[test]
    fn what_is_written_in_odd_pieces_passes_whole_and_what_stands_before_it_only_counts() {
        let bytes = noise(3 * CHUNK + 5);
        let mut digesting = Digesting::new(Vec::new(), b"header");
        for piece in bytes.chunks(65_564) {
            digesting.write_all(piece).expect("memory");
        }
        let (copy, found) = digesting.finish().expect("memory");
        assert!(copy == bytes);
        assert_eq!(found, plainly(&[b"header".as_slice(), &bytes].concat()));
    }

    #[test]
    fn a_writer_that_refuses_is_heard() {
        struct Full(usize);
        impl Write for Full {
            fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
                self.0 = self.0.checked_sub(bytes.len()).ok_or(io::ErrorKind::StorageFull)?;
                Ok(bytes.len())
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let bytes = noise(4 * CHUNK);
        let refused = copy_digested(&mut bytes.as_slice(), &mut Full(2 * CHUNK)).map_err(|error| error.kind());
        assert_eq!(refused, Err(io::ErrorKind::StorageFull));
    }
}
