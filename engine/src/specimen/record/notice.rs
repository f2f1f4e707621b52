//! A message to somebody outside, and the letters by which it leaves the house.

use serde::{Deserialize, Serialize};

use crate::clock::Micros;
use crate::state::words;

/// A message to somebody outside.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Notice {
    /// Institution or target.
    pub to: String,
    /// What it says: `withdrawal`, `failure_report`, `scope_change`, `sample.offered` …
    pub subject: String,
    /// The message itself, JSON.
    pub body: serde_json::Value,
    /// Ed25519 over the body's bytes, hex; the key's id before it.
    #[serde(default)]
    pub signature: String,
    /// Somebody must answer it. Notices of earlier versions all had to be answered.
    #[serde(default = "yes")]
    pub answer: bool,
    /// Until when an answer is expected; of no meaning where none is.
    pub due_us: Micros,
    /// The answer.
    #[serde(default)]
    pub receipt: String,
    /// By which ways it leaves, one each; none: only the signed file lies there.
    #[serde(default)]
    pub letters: Vec<Letter>,
}

/// Subjects that say that somebody took consent back: only those see them who may see withdrawals.
const OF_WITHDRAWALS: [&str; 2] = ["withdrawal", "scope_change"];

/// Is a notice with this subject about a withdrawal?
#[must_use]
pub fn is_of_withdrawal(subject: &str) -> bool {
    OF_WITHDRAWALS.contains(&subject)
}

fn yes() -> bool {
    true
}

words!(
    /// Where a letter stands.
    LetterState {
        /// It is to be sent, or sent again.
        Due = "due",
        /// The receiver took it.
        Taken = "taken",
        /// It was tried as often as it may be, or the receiver wants none: a person must look.
        Dead = "dead",
        /// Nobody waits for it any more: the notice was answered first.
        Dropped = "dropped",
        /// What it spoke of was called back before a receiver said that they have it.
        CalledBack = "called_back",
    }
);

/// One way of a notice to one receiver.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Letter {
    /// `webhook`, `mail`.
    pub channel: String,
    /// Where to: an address without any secret in it.
    pub address: String,
    /// Where it stands.
    pub state: LetterState,
    /// How often it was tried since it was last put on its way.
    #[serde(default)]
    pub tries: u32,
    /// How many of these the receiver refused.
    #[serde(default)]
    pub refusals: u32,
    /// When it is to be tried next.
    #[serde(default)]
    pub next_us: Micros,
    /// When it was last tried.
    #[serde(default)]
    pub tried_us: Option<Micros>,
    /// What was said then: the receiver's answer, why there was none, or why it is not sent any more.
    #[serde(default)]
    pub said: String,
}

impl Letter {
    /// A letter that is to be sent at once.
    #[must_use]
    pub fn new(channel: &str, address: &str, now: Micros) -> Self {
        Self {
            channel: channel.to_owned(),
            address: address.to_owned(),
            state: LetterState::Due,
            tries: 0,
            refusals: 0,
            next_us: now,
            tried_us: None,
            said: String::new(),
        }
    }

    /// From the beginning: as often as if it had never been tried.
    pub fn again(&mut self, now: Micros) {
        *self = Self { tried_us: self.tried_us, ..Self::new(&self.channel, &self.address, now) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_notice_of_an_earlier_version_must_be_answered_and_has_no_letters() {
        let old = r#"{"to":"biobank","subject":"withdrawal","body":{},"signature":"","due_us":70,"receipt":""}"#;
        let read: Notice = serde_json::from_str(old).expect("read");
        assert!(read.answer && read.letters.is_empty());
        let letter = r#"{"channel":"mail","address":"a@b.example","state":"due"}"#;
        let read: Letter = serde_json::from_str(letter).expect("read");
        assert_eq!(read, Letter::new("mail", "a@b.example", 0));
    }
}
