//! One link of the chain: the hash over an event and the hash before it.

use sha2::{Digest, Sha256};

/// Says what is hashed, and in which version: another layout gets another tag.
const TAG: &[u8] = b"kentai audit link 1\n";

/// What an event says, as the log keeps it.
#[derive(Clone, Copy, Debug)]
pub struct Fields<'a> {
    /// Place in the log, from 1.
    pub seq: i64,
    /// What it happened to.
    pub stream: &'a str,
    /// Place within the stream, from 1.
    pub n: i64,
    /// Microseconds since the epoch.
    pub at_us: i64,
    /// The event's word.
    pub kind: &'a str,
    /// What else it is about; may be empty.
    pub subject: &'a str,
    /// Who.
    pub actor: &'a str,
    /// The role by which they were allowed; may be empty.
    pub role: &'a str,
    /// JSON.
    pub body: &'a str,
}

/// The hash of `event` behind `previous`. Every text is preceded by its length, so that no two events share their bytes.
#[must_use]
pub fn link(previous: &[u8; 32], event: &Fields<'_>) -> [u8; 32] {
    let mut hash = Sha256::new();
    hash.update(TAG);
    hash.update(previous);
    for number in [event.seq, event.n, event.at_us] {
        hash.update(number.to_be_bytes());
    }
    for text in [event.stream, event.kind, event.subject, event.actor, event.role, event.body] {
        hash.update((text.len() as u64).to_be_bytes());
        hash.update(text.as_bytes());
    }
    hash.finalize().into()
}
