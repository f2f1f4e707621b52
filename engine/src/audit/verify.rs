//! Checking an export, line by line, with nothing but the file and (better) the site's public key from elsewhere.
//!
//! It finds every changed, moved, missing and added byte. What it cannot find alone: a whole older export in a newer one's place; its
//! time and its number of events are told for that.

use std::collections::VecDeque;
use std::io::BufRead;

use serde::Serialize;
use serde::de::DeserializeOwned;
use sha2::{Digest as _, Sha256};

use super::checkpoint::{Checkpoint, Public};
use super::export::{EventLine, Header, Signed, VERSION, written};
use super::hex;
use super::link::link;
use crate::clock::Micros;

/// A longer line is no line of ours: what one line may cost.
const LINE_BYTES_MAX: u64 = 64 * 1024 * 1024;
/// Hashes that are remembered: a checkpoint speaks of the chain as it stood before the turn that keeps it.
const REMEMBERED: usize = 1 << 20;

/// What is wrong, and in which line.
#[derive(Debug, thiserror::Error)]
#[error("line {line}: {what}")]
pub struct Error {
    /// From 1.
    pub line: u64,
    /// What is wrong.
    pub what: What,
}

/// What can be wrong.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "each variant's message says it")]
pub enum What {
    #[error("the file cannot be read: {0}")]
    Read(#[from] std::io::Error),
    #[error("the file ends here, before its last checkpoint: something was cut off")]
    Cut,
    #[error("the line has no end, or is too long")]
    NoEnd,
    #[error("this is no line of an audit export: {0}")]
    Unreadable(String),
    #[error("the line is not written as an export writes it")]
    Spelling,
    #[error("the format's version is {0}; this program knows 1")]
    Version(u32),
    #[error("the header's key is not the one that was given")]
    OtherKey,
    #[error("event {found} stands where event {wanted} must stand")]
    Order { found: i64, wanted: i64 },
    #[error("event {0} does not follow from the one before it: one of them was changed")]
    Broken(i64),
    #[error("the checkpoint is not signed by the site's key")]
    Signature,
    #[error("the checkpoint speaks of event {0} with another hash")]
    OtherPast(i64),
    #[error("the last checkpoint is not about these bytes")]
    OtherBytes,
    #[error("there is something behind the last checkpoint")]
    Behind,
}

/// What was found to be true.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Verified {
    /// Site's name.
    pub site: String,
    /// Events, from the first one on.
    pub events: i64,
    /// Signed checkpoints, the last one included.
    pub checkpoints: u64,
    /// Hash of the newest event.
    pub head: String,
    /// When it was signed.
    pub at_us: Micros,
    /// The public key, hex.
    pub key: String,
}

/// Checks a whole export. Without `key` the header's own is believed: then it proves only that nobody changed it afterwards.
///
/// # Errors
/// The first line that is wrong, and how.
pub fn verify(from: impl BufRead, key: Option<&Public>) -> Result<Verified, Error> {
    let mut lines = Lines { from, number: 0, bytes: Sha256::new() };
    check(&mut lines, key).map_err(|what| Error { line: lines.number, what })
}

struct Lines<R> {
    from: R,
    number: u64,
    bytes: Sha256,
}

impl<R: BufRead> Lines<R> {
    fn next(&mut self) -> Result<Option<Vec<u8>>, What> {
        use std::io::Read as _;
        let mut line = Vec::new();
        self.number += 1;
        let length = (&mut self.from).take(LINE_BYTES_MAX).read_until(b'\n', &mut line)?;
        match line.last() {
            None => Ok(None),
            Some(b'\n') if length > 1 => Ok(Some(line)),
            Some(_) => Err(What::NoEnd),
        }
    }
}

fn check<R: BufRead>(lines: &mut Lines<R>, key: Option<&Public>) -> Result<Verified, What> {
    let first = lines.next()?.ok_or(What::Cut)?;
    let header: Header = read(&first)?;
    lines.bytes.update(&first);
    if header.kentai_audit != VERSION {
        return Err(What::Version(header.kentai_audit));
    }
    let own = Public::parse(&header.key).ok_or(What::OtherKey)?;
    if key.is_some_and(|key| *key != own) {
        return Err(What::OtherKey);
    }
    let mut chain = Chain { key: own, hash: [0; 32], events: 0, checkpoints: 0, past: VecDeque::from([(0, [0; 32])]) };
    loop {
        let line = lines.next()?.ok_or(What::Cut)?;
        if !line.starts_with(b"{\"final\"") {
            chain.line(&line)?;
            lines.bytes.update(&line);
            continue;
        }
        let signed = chain.last(&line, &hex(&lines.bytes.clone().finalize()))?;
        if lines.next()?.is_some() {
            return Err(What::Behind);
        }
        let (site, key) = (header.site, header.key);
        let (events, head, at_us) = (chain.events, hex(&chain.hash), signed.stand.at_us);
        return Ok(Verified { site, events, checkpoints: chain.checkpoints, head, at_us, key });
    }
}

struct Chain {
    key: Public,
    hash: [u8; 32],
    events: i64,
    checkpoints: u64,
    past: VecDeque<(i64, [u8; 32])>,
}

impl Chain {
    fn line(&mut self, line: &[u8]) -> Result<(), What> {
        if line.starts_with(b"{\"checkpoint\"") {
            let Signed::Checkpoint(spelled) = read(line)? else { return Err(What::Spelling) };
            let signed = Checkpoint::from(&spelled);
            let found = self.past.iter().rev().find(|(seq, _)| *seq == signed.stand.events);
            if found.is_none_or(|(_, hash)| hex(hash) != signed.stand.head) || !signed.stand.sha256.is_empty() {
                return Err(What::OtherPast(signed.stand.events));
            }
            return self.signed(&signed);
        }
        self.event(&read(line)?)
    }

    fn event(&mut self, event: &EventLine) -> Result<(), What> {
        let wanted = self.events + 1;
        if event.seq != wanted {
            return Err(What::Order { found: event.seq, wanted });
        }
        self.hash = link(&self.hash, &event.fields());
        if hex(&self.hash) != event.hash {
            return Err(What::Broken(event.seq));
        }
        self.events = event.seq;
        if self.past.len() == REMEMBERED {
            self.past.pop_front();
        }
        self.past.push_back((event.seq, self.hash));
        Ok(())
    }

    fn last(&mut self, line: &[u8], bytes: &str) -> Result<Checkpoint, What> {
        let Signed::Final(spelled) = read(line)? else { return Err(What::Spelling) };
        let signed = Checkpoint::from(&spelled);
        self.signed(&signed)?;
        if signed.stand.events != self.events || signed.stand.head != hex(&self.hash) {
            return Err(What::OtherPast(signed.stand.events));
        }
        if signed.stand.sha256 != bytes { Err(What::OtherBytes) } else { Ok(signed) }
    }

    fn signed(&mut self, signed: &Checkpoint) -> Result<(), What> {
        self.checkpoints += 1;
        if self.key.signed(signed) { Ok(()) } else { Err(What::Signature) }
    }
}

/// A line that says the same with other bytes is another line.
fn read<T: DeserializeOwned + Serialize>(line: &[u8]) -> Result<T, What> {
    let read: T = serde_json::from_slice(line).map_err(|error| What::Unreadable(error.to_string()))?;
    if written(&read)? == line { Ok(read) } else { Err(What::Spelling) }
}

#[cfg(test)]
mod tests;
