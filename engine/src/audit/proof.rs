//! That one event is in the chain, without the log: the event itself, the hash before it, and a checkpoint signed over exactly this
//! place.
//!
//! A link is one hash over the hash before and the whole event, so links that lie between an event and a later head could only be
//! checked by showing their events, which are other people's. Here none lie between (decision 0013). Pure.

use serde::{Deserialize, Serialize};

use super::checkpoint::{Checkpoint, Public};
use super::export::EventLine;
use super::link::link;
use super::{hex, unhex};

/// An event and what its link is made of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Proof {
    /// Hash of the event before, hex; 64 zeros before the first.
    pub previous: String,
    /// The event as the log keeps it, its own hash with it.
    pub event: EventLine,
}

/// Why a proof proves nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "each variant's message says it")]
pub enum Wrong {
    #[error("the checkpoint is not signed by this key")]
    Signature,
    #[error("the hash before the event is none")]
    Previous,
    #[error("event {0} is not the one that its hash is of: something in it was changed")]
    Hash(i64),
    #[error("the checkpoint speaks of event {signed}, and event {found} is shown")]
    Place { signed: i64, found: i64 },
}

impl Proof {
    /// Does this key say that the event stands in the chain, at this place and word for word?
    ///
    /// # Errors
    /// The first thing that does not fit.
    pub fn verify(&self, signed: &Checkpoint, key: &Public) -> Result<(), Wrong> {
        if !key.signed(signed) {
            return Err(Wrong::Signature);
        }
        let seq = self.event.seq;
        let previous = unhex(&self.previous).ok_or(Wrong::Previous)?;
        if hex(&link(&previous, &self.event.fields())) != self.event.hash {
            return Err(Wrong::Hash(seq));
        }
        if signed.stand.events != seq || signed.stand.head != self.event.hash || !signed.stand.sha256.is_empty() {
            return Err(Wrong::Place { signed: signed.stand.events, found: seq });
        }
        Ok(())
    }
}
