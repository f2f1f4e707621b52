//! One file as one object: is it there, is it the same, and put there when it is not.

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use kentai_engine::port::courier::{Entry, Error};
use kentai_engine::store::artifact::hex;
use reqwest::Response;
use rusty_s3::Method;
use sha2::{Digest, Sha256};

use super::answer::Upload;
use super::client::{Ask, silent};
use super::{Carrier, Verify};
use crate::courier::source::{Fault, Source};

const MIB: u64 = 1 << 20;
/// A part, in bytes; a file that is not larger goes up whole.
const PART_BYTES: u64 = 16 * MIB;
/// What S3 takes of one object.
const PARTS_MAX: u64 = 10_000;

/// The size of a file's parts, in bytes; it follows from the file's size alone, so that the next carrier cuts as the last one did.
pub(super) fn part_bytes(size: u64) -> u64 {
    size.div_ceil(PARTS_MAX).next_multiple_of(MIB).max(PART_BYTES)
}

/// What the server says of an object without giving it.
#[derive(Default)]
pub(super) struct Head {
    /// Bytes; none when it does not say.
    size: Option<u64>,
    /// Base64 of all its bytes' SHA-256, or of its parts' SHA-256s, perhaps with `-` and their number; none when none is told.
    sha256: Option<String>,
}

impl Carrier<'_> {
    /// What the server says of this file's object; none when it is not there.
    pub(super) async fn head(&self, entry: &Entry) -> Result<Option<Head>, Error> {
        let key = self.key(entry);
        let headers = vec![("x-amz-checksum-mode", "ENABLED".to_owned())];
        let response = match self.client.send(Method::Head, Ask { key: &key, headers, ..Ask::default() }).await {
            Ok(response) => response,
            Err(failure) if failure.status() == Some(404) => return Ok(None),
            Err(failure) => return Err(self.failed(&format!("look at {key}"), failure)),
        };
        let word = |name: &str| response.headers().get(name)?.to_str().ok().map(str::to_owned);
        let size = word("content-length").and_then(|size| size.parse().ok());
        Ok(Some(Head { size, sha256: word("x-amz-checksum-sha256") }))
    }

    /// Is the object this very file?
    pub(super) async fn is_same(&self, entry: &Entry, head: &Head) -> Result<bool, Error> {
        if head.size.is_some_and(|size| size != entry.size) {
            return Ok(false);
        }
        if let Some(told) = head.sha256.as_ref().filter(|_| self.options.verify == Verify::Checksums) {
            // Some servers leave the number of parts away: then nothing tells of what it is.
            let sum = told.split_once('-').map_or(told.as_str(), |(sum, _)| sum);
            let is_whole = BASE64.decode(sum).is_ok_and(|digest| hex(&digest) == entry.sha256);
            let in_parts = entry.size > part_bytes(entry.size);
            if is_whole || in_parts && self.composite(entry).await? == sum {
                return Ok(true);
            }
        }
        // Another checksum is of other bytes, or of the same ones cut otherwise: only they can tell.
        self.reads_back(entry).await
    }

    /// The checksum of checksums that a server computes of an upload in parts, in base64.
    async fn composite(&self, entry: &Entry) -> Result<String, Error> {
        let mut source = self.source(entry);
        let mut all = Sha256::new();
        while let Some(part) = source.next().await.map_err(|fault| fault.into_error(entry, &self.options.target))? {
            all.update(part.sha256);
        }
        Ok(BASE64.encode(all.finalize()))
    }

    /// Reads the object and compares its bytes with what the file had when it was packed.
    async fn reads_back(&self, entry: &Entry) -> Result<bool, Error> {
        let key = self.key(entry);
        let failed = |failure| self.failed(&format!("read {key} back"), failure);
        let ask = Ask { key: &key, ..Ask::default() };
        let mut response: Response = self.client.send(Method::Get, ask).await.map_err(failed)?;
        let (mut whole, mut size) = (Sha256::new(), 0);
        while let Some(chunk) = response.chunk().await.map_err(|error| failed(silent(error)))? {
            size += chunk.len() as u64;
            if size > entry.size {
                return Ok(false);
            }
            whole.update(&chunk);
        }
        Ok(size == entry.size && hex(&whole.finalize()) == entry.sha256)
    }

    /// Puts the file where nothing is; `uploads` are those of its key that nobody completed.
    pub(super) async fn put(&self, entry: &Entry, uploads: Vec<Upload>) -> Result<(), Error> {
        let key = self.key(entry);
        if entry.size > part_bytes(entry.size) {
            return self.put_in_parts(entry, &key, uploads).await;
        }
        self.abort(&key, &uploads).await?;
        let mut source = self.source(entry);
        let corrupt = |fault: Fault| fault.into_error(entry, &self.options.target);
        // One part is the whole file, and it comes only when it is what was packed.
        let Some(part) = source.next().await.map_err(corrupt)? else { return Ok(()) };
        let headers = vec![
            ("if-none-match", "*".to_owned()),
            ("x-amz-checksum-sha256", BASE64.encode(part.sha256)),
            ("x-amz-sdk-checksum-algorithm", "SHA256".to_owned()),
        ];
        let ask = Ask { key: &key, headers, body: part.bytes, ..Ask::default() };
        match self.client.send(Method::Put, ask).await {
            Ok(_) => Ok(()),
            Err(failure) if failure.status() == Some(412) => self.taken(entry).await,
            Err(failure) => Err(self.failed(&format!("write {key}"), failure)),
        }
    }

    /// Something came there meanwhile: another carrier's same file is as good as ours.
    pub(super) async fn taken(&self, entry: &Entry) -> Result<(), Error> {
        let head = self.head(entry).await?.unwrap_or_default();
        if self.is_same(entry, &head).await? { Ok(()) } else { Err(self.conflict(entry)) }
    }

    pub(super) fn source(&self, entry: &Entry) -> Source {
        Source::open(entry, usize::try_from(part_bytes(entry.size)).unwrap_or(usize::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_file_has_more_parts_than_a_server_takes() {
        assert_eq!(part_bytes(0), 16 * MIB);
        assert_eq!(part_bytes(PARTS_MAX * 16 * MIB), 16 * MIB);
        for size in [PARTS_MAX * 16 * MIB + 1, 300 << 30, 5 << 40] {
            assert!(size.div_ceil(part_bytes(size)) <= PARTS_MAX, "{size}");
        }
    }
}
