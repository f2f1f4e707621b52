//! A large file in parts: what an earlier carrier left is compared and taken up, whatever else lies under its key is aborted.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use kentai_engine::port::courier::{Entry, Error};
use kentai_engine::store::artifact::hex;
use md5::{Digest, Md5};
use rusty_s3::Method;
use tokio::task::JoinSet;

use super::Carrier;
use super::answer::{self, FoundPart, Upload};
use super::client::{Ask, Client, Failure, text};
use super::object::part_bytes;
use crate::courier::source::{Fault, Part};

/// Bytes of parts on their way at once, beside the three that a source holds.
const UNDER_WAY_BYTES: u64 = 48 << 20;

/// A part that the server has, as it is named when the upload is completed.
struct Sent {
    number: u32,
    etag: String,
    sha256: String,
}

impl Carrier<'_> {
    pub(super) async fn put_in_parts(&self, entry: &Entry, key: &str, uploads: Vec<Upload>) -> Result<(), Error> {
        let (upload, there) = self.take_up(entry, key, uploads).await?;
        let ended = match self.fill(entry, key, &upload, there).await {
            Ok(sent) => self.complete(entry, key, &upload, &sent).await,
            Err(error) => Err(error),
        };
        match ended {
            Err(Ended::ForGood(error)) => {
                self.abort(key, &[upload]).await?;
                Err(error)
            }
            Err(Ended::ForNow(error)) => Err(error),
            Ok(()) => Ok(()),
        }
    }

    /// The upload that has most of this file, or a new one. All others of the key are aborted.
    async fn take_up(
        &self,
        entry: &Entry,
        key: &str,
        uploads: Vec<Upload>,
    ) -> Result<(Upload, BTreeMap<u32, FoundPart>), Error> {
        let mut best: Option<(Upload, Vec<FoundPart>)> = None;
        let mut others = Vec::new();
        for upload in uploads {
            let parts = match self.client.parts(key, &upload.id).await {
                Ok(parts) => parts,
                Err(failure) if failure.status() == Some(404) => continue,
                Err(failure) => return Err(self.failed(&format!("list the parts of {key}"), failure)),
            };
            let is_ours = upload.algorithm.as_ref().is_none_or(|algorithm| algorithm == "SHA256")
                && parts.iter().all(|part| expected_bytes(entry.size, part.number) == Some(part.size));
            if !is_ours || best.as_ref().is_some_and(|(_, found)| found.len() >= parts.len()) {
                others.push(upload);
            } else if let Some((second, _)) = best.replace((upload, parts)) {
                others.push(second);
            }
        }
        self.abort(key, &others).await?;
        if let Some((upload, parts)) = best {
            return Ok((upload, parts.into_iter().map(|part| (part.number, part)).collect()));
        }
        let id = self.begin(key).await.map_err(|failure| self.failed(&format!("begin to write {key}"), failure))?;
        Ok((Upload { key: key.to_owned(), id, algorithm: None }, BTreeMap::new()))
    }

    async fn begin(&self, key: &str) -> Result<String, Failure> {
        let headers = vec![("x-amz-checksum-algorithm", "SHA256".to_owned())];
        let ask = Ask { key, query: vec![("uploads", String::new())], headers, ..Ask::default() };
        answer::begun(&text(self.client.send(Method::Post, ask).await?).await?).map_err(Failure::Silent)
    }

    /// Sends what is not there yet, a few parts at once.
    async fn fill(
        &self,
        entry: &Entry,
        key: &str,
        upload: &Upload,
        there: BTreeMap<u32, FoundPart>,
    ) -> Result<Vec<Sent>, Ended> {
        let mut source = self.source(entry);
        let corrupt = |fault: Fault| fault.into_error(entry, &self.options.target);
        let at_once = usize::try_from(UNDER_WAY_BYTES / part_bytes(entry.size)).unwrap_or(1).max(1);
        let (mut sent, mut sending) = (Vec::new(), JoinSet::new());
        loop {
            let part = match source.next().await {
                Ok(Some(part)) => part,
                Ok(None) => break,
                Err(Fault::Corrupt) => {
                    // A part that arrives after the upload was aborted would lie there for ever.
                    while sending.join_next().await.is_some() {}
                    return Err(Ended::ForGood(corrupt(Fault::Corrupt)));
                }
                Err(fault) => return Err(Ended::ForNow(corrupt(fault))),
            };
            if let Some(found) = there.get(&part.number).filter(|found| is_same(found, &part)) {
                let (number, etag) = (part.number, found.etag.clone());
                sent.push(Sent { number, etag, sha256: BASE64.encode(part.sha256) });
                continue;
            }
            if sending.len() >= at_once
                && let Some(done) = sending.join_next().await
            {
                sent.push(self.arrived(key, done)?);
            }
            sending.spawn(send_part(self.client.clone(), key.to_owned(), upload.id.clone(), part));
        }
        while let Some(done) = sending.join_next().await {
            sent.push(self.arrived(key, done)?);
        }
        sent.sort_by_key(|sent| sent.number);
        Ok(sent)
    }

    fn arrived(&self, key: &str, done: Result<Result<Sent, Failure>, tokio::task::JoinError>) -> Result<Sent, Ended> {
        let done = done.unwrap_or_else(|error| Err(Failure::Silent(format!("sending ended early: {error}"))));
        done.map_err(|failure| self.ended(&format!("write a part of {key}"), failure))
    }

    async fn complete(&self, entry: &Entry, key: &str, upload: &Upload, sent: &[Sent]) -> Result<(), Ended> {
        let ask = Ask {
            key,
            query: vec![("uploadId", upload.id.clone())],
            headers: vec![("if-none-match", "*".to_owned())],
            body: list(sent).into_bytes(),
        };
        let what = format!("complete {key}");
        let said = match self.client.send(Method::Post, ask).await {
            Ok(response) => text(response).await.map_err(|failure| self.ended(&what, failure))?,
            Err(failure) if failure.status() == Some(412) => {
                self.taken(entry).await.map_err(Ended::ForGood)?;
                return self.abort(key, std::slice::from_ref(upload)).await.map_err(Ended::ForNow);
            }
            Err(failure) => return Err(self.ended(&what, failure)),
        };
        answer::completed(&said).map_err(|reason| Ended::ForNow(self.unreachable(format!("{what}: {reason}"))))
    }

    /// An upload that the server will not have as it is would be taken up, and refused, for ever.
    fn ended(&self, what: &str, failure: Failure) -> Ended {
        let for_good = match &failure {
            Failure::Silent(_) => false,
            // A slow line is told by 400 too; then what is there must stay.
            Failure::Refused { status: 400, code, .. } => code.starts_with("Invalid") || code == "EntityTooSmall",
            Failure::Refused { status, .. } => matches!(status, 404 | 409 | 422),
        };
        let error = self.failed(what, failure);
        if for_good { Ended::ForGood(error) } else { Ended::ForNow(error) }
    }
}

/// Why an upload was not completed.
enum Ended {
    /// It is taken up by the next carrier.
    ForNow(Error),
    /// It can never be what it should: it is aborted.
    ForGood(Error),
}

/// How large this part of a file is; none when the file has no such part.
fn expected_bytes(size: u64, number: u32) -> Option<u64> {
    let begin = u64::from(number).checked_sub(1)?.checked_mul(part_bytes(size))?;
    (begin < size).then(|| (size - begin).min(part_bytes(size)))
}

/// Is the part that is there these very bytes? A server that keeps no SHA-256 of it has an MD5, or it is sent again.
fn is_same(found: &FoundPart, part: &Part) -> bool {
    let size = found.size == part.bytes.len() as u64;
    let by_md5 = || found.etag.trim_matches('"') == hex(&Md5::digest(&part.bytes));
    size && found.sha256.as_ref().map_or_else(by_md5, |sha256| *sha256 == BASE64.encode(part.sha256))
}

async fn send_part(client: Client, key: String, upload: String, part: Part) -> Result<Sent, Failure> {
    let sha256 = BASE64.encode(part.sha256);
    let headers =
        vec![("x-amz-checksum-sha256", sha256.clone()), ("x-amz-sdk-checksum-algorithm", "SHA256".to_owned())];
    let query = vec![("partNumber", part.number.to_string()), ("uploadId", upload)];
    let response = client.send(Method::Put, Ask { key: &key, query, headers, body: part.bytes }).await?;
    let etag = response.headers().get("etag").and_then(|etag| etag.to_str().ok()).map(str::to_owned);
    let etag = etag.ok_or_else(|| Failure::Silent("its answer has no ETag".into()))?;
    Ok(Sent { number: part.number, etag, sha256 })
}

/// The parts as `CompleteMultipartUpload` wants them.
fn list(sent: &[Sent]) -> String {
    let escape = |text: &str| text.replace('&', "&amp;").replace('<', "&lt;").replace('"', "&quot;");
    let one = |sent: &Sent| {
        let (etag, sha256) = (escape(&sent.etag), &sent.sha256);
        let number = sent.number;
        format!(
            "<Part><ETag>{etag}</ETag><ChecksumSHA256>{sha256}</ChecksumSHA256><PartNumber>{number}</PartNumber></Part>"
        )
    };
    let parts: String = sent.iter().map(one).collect();
    format!(
        "<CompleteMultipartUpload xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">{parts}</CompleteMultipartUpload>"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_parts_that_this_file_has_are_taken_up() {
        let (part, size) = (16 << 20, (16 << 20) * 2 + 5);
        assert_eq!([1, 2, 3].map(|number| expected_bytes(size, number)), [Some(part), Some(part), Some(5)]);
        assert_eq!([0, 4, u32::MAX].map(|number| expected_bytes(size, number)), [None, None, None]);
    }

    #[test]
    fn a_part_is_the_same_by_its_sha256_and_else_by_its_md5() {
        let part = Part { number: 1, offset: 0, bytes: b"abc".to_vec(), sha256: sha2::Sha256::digest(b"abc").into() };
        let found = |etag: &str, sha256: Option<&str>| {
            is_same(&FoundPart { number: 1, size: 3, etag: etag.into(), sha256: sha256.map(str::to_owned) }, &part)
        };
        // RFC 1321 (A.5) and FIPS 180-2 (B.1).
        let md5 = "\"900150983cd24fb0d6963f7d28e17f72\"";
        assert!(found(md5, None) && !found("\"900150983cd24fb0d6963f7d28e17f73\"", None));
        assert!(found("\"x\"", Some("ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=")));
        assert!(!found(md5, Some("47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=")), "a SHA-256 that differs decides");
    }
}
