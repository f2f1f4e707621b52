//! A package's file as the parts in which it travels, read on a thread that may wait. It does not know where they go.

use std::io::{self, Read};

use kentai_engine::port::courier::{Entry, Error};
use kentai_engine::store::artifact::hex;
use sha2::{Digest, Sha256};
use tokio::sync::mpsc;

/// Some of a file's bytes.
pub(super) struct Part {
    /// From 1.
    pub number: u32,
    /// Where it begins in the file, in bytes.
    pub offset: u64,
    /// All of them as long as was asked for, but the last.
    pub bytes: Vec<u8>,
    /// Of these bytes.
    pub sha256: [u8; 32],
}

/// Why a file cannot be read as it was packed.
pub(super) enum Fault {
    /// Its bytes are not those that were packed, or they are gone.
    Corrupt,
    /// It cannot be read at all.
    Io(io::Error),
}

impl Fault {
    /// What the engine hears of it.
    pub(super) fn into_error(self, entry: &Entry, target: &str) -> Error {
        match self {
            // What the engine wrote is in the package itself; only a stored file can be gone.
            Self::Corrupt => Error::Corrupt { sha256: entry.artifact().unwrap_or(&entry.sha256).to_owned() },
            Self::Io(error) => {
                Error::Unreachable { target: target.to_owned(), reason: format!("read {}: {error}", entry.path) }
            }
        }
    }
}

/// A file that is being read. At most three parts of it are in memory: one read, one waiting, one with whoever asked.
pub(super) struct Source {
    parts: mpsc::Receiver<Result<Part, Fault>>,
    left: u64,
    done: bool,
}

impl Source {
    /// Begins to read it in parts of `part_bytes`; a file without bytes is one part without bytes.
    pub(super) fn open(entry: &Entry, part_bytes: usize) -> Self {
        let (sender, parts) = mpsc::channel(1);
        let (entry, left) = (entry.clone(), entry.size);
        tokio::task::spawn_blocking(move || {
            if let Err(fault) = read(&entry, part_bytes, &sender) {
                // Nobody waits any more: whoever carried has given up.
                drop(sender.blocking_send(Err(fault)));
            }
        });
        Self { parts, left, done: false }
    }

    /// The next part; none after the last. The last one comes only when the whole file is what was packed.
    pub(super) async fn next(&mut self) -> Result<Option<Part>, Fault> {
        if self.done {
            return Ok(None);
        }
        let broken = || Fault::Io(io::Error::other("reading it ended early"));
        let part = self.parts.recv().await.ok_or_else(broken)??;
        self.left = self.left.saturating_sub(part.bytes.len() as u64);
        self.done = self.left == 0;
        Ok(Some(part))
    }
}

fn read(entry: &Entry, part_bytes: usize, sender: &mpsc::Sender<Result<Part, Fault>>) -> Result<(), Fault> {
    let mut source = entry.open().map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => Fault::Corrupt,
        _ => Fault::Io(error),
    })?;
    let short = |error: io::Error| match error.kind() {
        io::ErrorKind::UnexpectedEof => Fault::Corrupt,
        _ => Fault::Io(error),
    };
    let (mut whole, mut offset) = (Sha256::new(), 0);
    for number in 1.. {
        let size = (entry.size - offset).min(part_bytes as u64);
        let mut bytes = vec![0; usize::try_from(size).unwrap_or(part_bytes)];
        source.read_exact(&mut bytes).map_err(short)?;
        whole.update(&bytes);
        let is_last = offset + size == entry.size;
        // The last part completes the file at the target: before it leaves, all of it must be what was packed.
        if is_last && !is_whole(&mut source, &whole, entry)? {
            return Err(Fault::Corrupt);
        }
        let sha256 = Sha256::digest(&bytes).into();
        let sent = sender.blocking_send(Ok(Part { number, offset, bytes, sha256 }));
        if is_last || sent.is_err() {
            break;
        }
        offset += size;
    }
    Ok(())
}

fn is_whole(source: &mut impl Read, whole: &Sha256, entry: &Entry) -> Result<bool, Fault> {
    let more = io::copy(&mut source.take(1), &mut io::sink()).map_err(Fault::Io)?;
    Ok(more == 0 && hex(&whole.clone().finalize()) == entry.sha256)
}

#[cfg(test)]
mod tests {
    use kentai_engine::port::courier::Piece;

    use super::*;

    fn entry(bytes: &[u8]) -> Entry {
        Entry {
            path: "data/a".into(),
            size: bytes.len() as u64,
            sha256: hex(&Sha256::digest(bytes)),
            md5: String::new(),
            pieces: vec![Piece::Bytes(bytes.into())],
        }
    }

    async fn parts(entry: &Entry, part_bytes: usize) -> Result<Vec<(u32, u64, Vec<u8>)>, Fault> {
        let (mut source, mut found) = (Source::open(entry, part_bytes), Vec::new());
        while let Some(part) = source.next().await? {
            assert_eq!(part.sha256, <[u8; 32]>::from(Sha256::digest(&part.bytes)));
            found.push((part.number, part.offset, part.bytes));
        }
        Ok(found)
    }

    async fn read_all(bytes: &[u8]) -> Vec<(u32, u64, Vec<u8>)> {
        let found = parts(&entry(bytes), 3).await;
        found.unwrap_or_else(|_| panic!("it is what was packed"))
    }

    #[tokio::test]
    async fn parts_follow_each_other_and_the_last_one_may_be_short() {
        let found = read_all(b"abcdefg").await;
        assert_eq!(found, [(1, 0, b"abc".to_vec()), (2, 3, b"def".to_vec()), (3, 6, b"g".to_vec())]);
        assert_eq!(read_all(b"abcdef").await.len(), 2);
        assert_eq!(read_all(b"").await, [(1, 0, Vec::new())]);
    }

    #[tokio::test]
    async fn bytes_that_are_not_those_that_were_packed_never_come_to_their_last_part() {
        let mut changed = entry(b"abcdefg");
        changed.pieces = vec![Piece::Bytes(b"abcdefX".as_slice().into())];
        let (mut short, mut long) = (changed.clone(), changed.clone());
        short.pieces = vec![Piece::Bytes(b"abcdef".as_slice().into())];
        long.pieces = vec![Piece::Bytes(b"abcdefgh".as_slice().into())];
        for entry in [changed, short, long] {
            assert!(matches!(parts(&entry, 3).await, Err(Fault::Corrupt)));
        }
    }
}
