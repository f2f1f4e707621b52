//! The log as a file: a header, one line for each event, the checkpoints that were signed, and a last one over every byte before.
//!
//! One way to write each line: whoever reads one writes it again and compares. It knows no files; it writes into whatever it is given.

use std::io::{self, Write};

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::checkpoint::{Checkpoint, Public, Stand};
use super::hex;
use super::link::Fields;
use crate::clock::Micros;

/// Version of the format.
pub(super) const VERSION: u32 = 1;
/// The word of the event by which the log keeps a signed checkpoint.
pub const CHECKPOINT_SIGNED: &str = "checkpoint_signed";

/// The first line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Header {
    /// Version of the format.
    pub kentai_audit: u32,
    /// Site's name.
    pub site: String,
    /// When it was written.
    pub at_us: Micros,
    /// The public key, hex.
    pub key: String,
}

/// An event, its fields in this order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "fields of `audit::link::Fields`")]
pub struct EventLine {
    pub seq: i64,
    pub stream: String,
    pub n: i64,
    pub at_us: Micros,
    pub kind: String,
    pub subject: String,
    pub actor: String,
    pub role: String,
    /// JSON, as the log keeps it: as a text, so that no reader arranges it anew.
    pub body: String,
    /// The link, hex.
    pub hash: String,
}

impl EventLine {
    /// What is hashed of it.
    #[must_use]
    pub fn fields(&self) -> Fields<'_> {
        Fields {
            seq: self.seq,
            stream: &self.stream,
            n: self.n,
            at_us: self.at_us,
            kind: &self.kind,
            subject: &self.subject,
            actor: &self.actor,
            role: &self.role,
            body: &self.body,
        }
    }
}

/// A line that is signed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "snake_case")]
pub(super) enum Signed {
    /// One that the log holds.
    Checkpoint(Spelled),
    /// The last line: over every byte before it.
    Final(Spelled),
}

/// A checkpoint, its fields in this order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Spelled {
    events: i64,
    head: String,
    sha256: String,
    at_us: Micros,
    key: String,
    signature: String,
}

impl From<&Checkpoint> for Spelled {
    fn from(signed: &Checkpoint) -> Self {
        let Checkpoint { stand: Stand { events, head, at_us, sha256 }, key, signature } = signed.clone();
        Self { events, head, sha256, at_us, key, signature }
    }
}

impl From<&Spelled> for Checkpoint {
    fn from(line: &Spelled) -> Self {
        let Spelled { events, head, sha256, at_us, key, signature } = line.clone();
        Self { stand: Stand { events, head, at_us, sha256 }, key, signature }
    }
}

/// Writes an export.
pub struct Export<W> {
    to: W,
    bytes: Sha256,
    events: i64,
    head: String,
}

impl<W: Write> Export<W> {
    /// Begins one.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn begin(to: W, site: &str, key: &Public, at_us: Micros) -> io::Result<Self> {
        let mut export = Self { to, bytes: Sha256::new(), events: 0, head: hex(&[0; 32]) };
        export.line(&Header { kentai_audit: VERSION, site: site.to_owned(), at_us, key: key.text() })?;
        Ok(export)
    }

    /// The next event; after one that keeps a checkpoint, that checkpoint as a line of its own.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn event(&mut self, event: &EventLine) -> io::Result<()> {
        self.line(event)?;
        self.events = event.seq;
        event.hash.clone_into(&mut self.head);
        if event.kind == CHECKPOINT_SIGNED
            && let Ok(signed) = serde_json::from_str::<Checkpoint>(&event.body)
        {
            self.line(&Signed::Checkpoint((&signed).into()))?;
        }
        Ok(())
    }

    /// What the last line must be signed over.
    #[must_use]
    pub fn stand(&self, at_us: Micros) -> Stand {
        let sha256 = hex(&self.bytes.clone().finalize());
        Stand { events: self.events, head: self.head.clone(), at_us, sha256 }
    }

    /// The last line.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn finish(mut self, signed: &Checkpoint) -> io::Result<W> {
        self.line(&Signed::Final(signed.into()))?;
        self.to.flush()?;
        Ok(self.to)
    }

    fn line<T: Serialize>(&mut self, line: &T) -> io::Result<()> {
        let bytes = written(line)?;
        self.bytes.update(&bytes);
        self.to.write_all(&bytes)
    }
}

/// The one way to write a line.
pub(super) fn written<T: Serialize>(line: &T) -> io::Result<Vec<u8>> {
    let mut bytes = serde_json::to_vec(line)?;
    bytes.push(b'\n');
    Ok(bytes)
}
