//! The seam to messengers: a letter goes to one receiver outside, who may see it twice and then knows it by its id.

use serde_json::Value;

use super::BoxFuture;
use crate::clock::Micros;

/// What a messenger is given. The same words at every try: only the time of the try differs.
#[derive(Clone, Debug, PartialEq)]
pub struct Letter {
    /// The notice's id; by it a receiver knows a repeat.
    pub notice: String,
    /// The site that writes.
    pub site: String,
    /// Whom it is for: institution or target.
    pub to: String,
    /// What it says: `withdrawal`, `sample.offered` …
    pub subject: String,
    /// What it is about: a delivery, a case, an order line; may be empty.
    pub about: String,
    /// When it was written.
    pub written_us: Micros,
    /// By when it must be answered; none: it needs no answer.
    pub due_us: Option<Micros>,
    /// The message itself.
    pub body: Value,
    /// The site's signature over the body's bytes; may be empty.
    pub signature: String,
}

/// What a receiver is told beside a notice's own subject.
pub const TYPE_PREFIX: &str = "kentai.";

impl Letter {
    /// Its type for programs: `kentai.sample.offered`.
    #[must_use]
    pub fn kind(&self) -> String {
        format!("{TYPE_PREFIX}{}", self.subject)
    }
}

/// Why a letter was not taken. The reason is shown to people: no secret is in it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "each variant's message says it")]
pub enum Error {
    /// It may pass: out of reach, busy, broken. `wait_s` is how long the receiver asked to be left alone, in seconds.
    #[error("{reason}")]
    Passing { reason: String, wait_s: Option<u64> },
    /// The receiver, or the rules for addresses, said no: somebody has to mend something.
    #[error("{reason}")]
    Refused { reason: String },
    /// The receiver wants none any more, or there is no such receiver.
    #[error("{reason}")]
    Gone { reason: String },
}

/// Takes letters to one receiver.
pub trait Messenger: Send + Sync + 'static {
    /// Takes it there and gives what the receiver said. `now_us` is the time of this try, microseconds.
    ///
    /// # Errors
    /// When the receiver did not say that it has it; it may have it all the same.
    fn send<'a>(&'a self, letter: &'a Letter, now_us: Micros) -> BoxFuture<'a, Result<String, Error>>;
}
