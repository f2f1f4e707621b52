//! The body of an answer: pieces read in chunks, one at a time, each only when the connection has taken the one before.

use std::fs::File;
use std::io::{self, IoSliceMut};
use std::os::unix::fs::FileExt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use rustix::io::{Errno, ReadWriteFlags, preadv2};
use tokio::task::JoinHandle;

use super::buffers::{self, Lent};
use super::{Guard, Piece, Sent};

/// Why a body ends before its last byte.
#[derive(Debug, thiserror::Error)]
pub(super) enum Broken {
    #[error("what is served was taken back")]
    Ended,
    #[error("the file ends {0} bytes before the object does")]
    Short(u64),
    #[error("read the file")]
    Read(#[source] io::Error),
}

/// Bytes `first .. first + len` of some pieces.
pub(super) struct Pieces {
    pieces: std::vec::IntoIter<Piece>,
    now: Option<Piece>,
    /// Bytes of the pieces that are still passed over.
    skip: u64,
    first: u64,
    len: u64,
    left: u64,
    reading: Option<JoinHandle<io::Result<Lent>>>,
    guard: Guard,
}

impl Pieces {
    pub(super) fn new(pieces: Vec<Piece>, first: u64, len: u64, guard: Guard) -> Self {
        Self { pieces: pieces.into_iter(), now: None, skip: first, first, len, left: len, reading: None, guard }
    }

    /// The next chunk; only asked while bytes are left.
    fn chunk(&mut self, cx: &mut Context<'_>) -> Poll<Result<Bytes, Broken>> {
        let (file, offset, len) = match self.piece() {
            None => return Poll::Ready(Err(Broken::Short(self.left))),
            Some(Piece::Text(bytes)) => return Poll::Ready(Ok(bytes)),
            Some(Piece::File { file, offset, len }) => (file, offset, len),
        };
        let lent = match self.reading.take() {
            Some(reading) => self.wait(reading, cx),
            // Mostly the bytes are in the page cache: no thread is asked for what is there.
            None => match at_once(&file, offset, len) {
                Ok(lent) => Poll::Ready(Ok(lent)),
                Err(lent) => {
                    let file = Arc::clone(&file);
                    self.wait(tokio::task::spawn_blocking(move || blocking(&file, offset, lent)), cx)
                }
            },
        };
        let Poll::Ready(lent) = lent else {
            self.now = Some(Piece::File { file, offset, len });
            return Poll::Pending;
        };
        let bytes = Bytes::from_owner(lent?);
        if bytes.is_empty() {
            return Poll::Ready(Err(Broken::Short(self.left)));
        }
        let read = bytes.len() as u64;
        self.now = Some(Piece::File { file, offset: offset + read, len: len - read });
        Poll::Ready(Ok(bytes))
    }

    fn wait(&mut self, mut reading: JoinHandle<io::Result<Lent>>, cx: &mut Context<'_>) -> Poll<Result<Lent, Broken>> {
        let Poll::Ready(done) = Pin::new(&mut reading).poll(cx) else {
            self.reading = Some(reading);
            return Poll::Pending;
        };
        Poll::Ready(done.unwrap_or_else(|lost| Err(io::Error::other(lost))).map_err(Broken::Read))
    }

    /// The piece that the next byte is of, without what is passed over and what is not asked for.
    fn piece(&mut self) -> Option<Piece> {
        loop {
            let mut piece = self.now.take().or_else(|| self.pieces.next())?;
            let passed = self.skip.min(piece.len());
            self.skip -= passed;
            let keep = (piece.len() - passed).min(self.left);
            match &mut piece {
                Piece::Text(bytes) => {
                    // Both fit: they are no more than the length of what is in memory.
                    let at = |count: u64| usize::try_from(count).unwrap_or(bytes.len());
                    *bytes = bytes.slice(at(passed)..at(passed + keep));
                }
                Piece::File { offset, len, .. } => (*offset, *len) = (*offset + passed, keep),
            }
            if keep > 0 {
                return Some(piece);
            }
        }
    }

    fn tell(&mut self) {
        let sent = Sent { first: self.first, bytes: self.len - self.left, complete: self.left == 0 };
        self.guard.tell(sent);
    }
}

/// What is in the page cache; else the buffer, for reading in another thread.
fn at_once(file: &File, offset: u64, len: u64) -> Result<Lent, Lent> {
    let mut lent = buffers::lend(len);
    match preadv2(file, &mut [IoSliceMut::new(lent.space())], offset, ReadWriteFlags::NOWAIT) {
        Ok(count) if count > 0 => {
            lent.truncate(count);
            Ok(lent)
        }
        // Not in the cache, or a file system that cannot say. The end of the file and every other error are looked at there as well.
        Ok(_) | Err(Errno::AGAIN | Errno::OPNOTSUPP | _) => Err(lent),
    }
}

/// Reads until the buffer is full or the file ends.
fn blocking(file: &File, offset: u64, mut lent: Lent) -> io::Result<Lent> {
    let mut filled = 0;
    while filled < lent.space().len() {
        match file.read_at(&mut lent.space()[filled..], offset + filled as u64) {
            Ok(0) => break,
            Ok(count) => filled += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    lent.truncate(filled);
    Ok(lent)
}

impl Body for Pieces {
    type Data = Bytes;
    type Error = Broken;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Broken>>> {
        let this = self.get_mut();
        if this.left == 0 {
            return Poll::Ready(None);
        }
        let chunk = ready!(this.chunk(cx));
        // Asked after reading: what was taken back meanwhile does not leave.
        let chunk = if this.guard.is_ended() { Err(Broken::Ended) } else { chunk };
        if let Err(broken) = &chunk {
            tracing::warn!(reason = %broken, left = this.left, "a body ends before its last byte");
        }
        Poll::Ready(Some(chunk.map(|bytes| {
            this.left -= bytes.len() as u64;
            Frame::data(bytes)
        })))
    }

    fn is_end_stream(&self) -> bool {
        self.left == 0
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left)
    }
}

impl Drop for Pieces {
    fn drop(&mut self) {
        self.tell();
    }
}
