//! One file of a package: what is there already is compared and kept, the rest written, synced and read back.

use kentai_engine::port::courier::{Entry, Error};
use kentai_engine::store::artifact::hex;
use sha2::{Digest, Sha256};

use super::session::{self, Failure, Open};
use super::{Carrier, Verify};
use crate::courier::source::{Part, Source};

/// How much of a file is compared or written at a time, in bytes.
const PART_BYTES: usize = 4 << 20;

impl Carrier<'_> {
    /// Makes the file what it should be.
    pub(super) async fn put(&self, entry: &Entry, path: &str) -> Result<(), Error> {
        let there = match self.look(path).await? {
            Some(found) if session::is_file(&found) && found.size.is_some_and(|size| size <= entry.size) => {
                found.size.unwrap_or(0)
            }
            // A longer file cannot be the beginning of ours, and not every server can cut one.
            Some(_) => {
                self.remove_all(path).await?;
                0
            }
            None => 0,
        };
        let opened = self.session.open(path, true).await;
        let file = self.done("open", path, opened).await?;
        let mut source = Source::open(entry, PART_BYTES);
        while let Some(part) = source.next().await.map_err(|fault| fault.into_error(entry, &self.options.target))? {
            let is_there = self.is_there(&file, &part, there).await;
            if !self.done("compare", path, is_there).await? {
                let written = self.session.write(&file, part.offset, &part.bytes).await;
                self.done("write", path, written).await?;
            }
        }
        let synced = self.session.sync(&file).await;
        self.done("sync", path, synced).await?;
        let arrived = match self.options.verify {
            Verify::Read => self.hashes(&file, entry).await,
            Verify::Size => self.session.size(&file).await.map(|size| size == Some(entry.size)),
        };
        if !self.done("read back", path, arrived).await? {
            let reason = format!("{path} is not there as it was sent; it is made anew");
            return Err(Error::Unreachable { target: self.options.target.clone(), reason });
        }
        let closed = self.session.close(file).await;
        self.done("close", path, closed).await
    }

    /// Are these bytes in the file, of which so many were there at the beginning?
    async fn is_there(&self, file: &Open, part: &Part, there: u64) -> Result<bool, Failure> {
        // An empty part is in every file.
        if part.offset + part.bytes.len() as u64 > there {
            return Ok(false);
        }
        Ok(self.session.read(file, part.offset, part.bytes.len()).await? == part.bytes)
    }

    /// Has the file that lies there the bytes that were packed?
    pub(super) async fn reads_back(&self, entry: &Entry, path: &str) -> Result<bool, Error> {
        let opened = self.session.open(path, false).await;
        let file = self.done("open", path, opened).await?;
        let same = self.hashes(&file, entry).await;
        let same = self.done("read back", path, same).await?;
        let closed = self.session.close(file).await;
        self.done("close", path, closed).await?;
        Ok(same)
    }

    async fn hashes(&self, file: &Open, entry: &Entry) -> Result<bool, Failure> {
        let (mut whole, mut offset) = (Sha256::new(), 0);
        while offset <= entry.size {
            let bytes = self.session.read(file, offset, PART_BYTES).await?;
            whole.update(&bytes);
            offset += bytes.len() as u64;
            if bytes.len() < PART_BYTES {
                break;
            }
        }
        Ok(offset == entry.size && hex(&whole.finalize()) == entry.sha256)
    }

    /// What was done to a path, or what the engine hears of it.
    async fn done<T>(&self, what: &str, path: &str, done: Result<T, Failure>) -> Result<T, Error> {
        match done {
            Ok(done) => Ok(done),
            Err(failure) => Err(self.failed(&format!("{what} {path}"), failure).await),
        }
    }
}
