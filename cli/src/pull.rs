//! The data center's client: follows a center's offers, pulls packages, checks, decrypts and acknowledges them, joins them with
//! clinical records. It knows no site and no engine: whoever runs it has a directory, an address and a token.

pub(crate) mod acknowledge;
pub(crate) mod decrypt;
pub(crate) mod directory;
pub(crate) mod feed;
pub(crate) mod http;
pub(crate) mod link;
pub(crate) mod package;
pub(crate) mod secret;
pub(crate) mod settings;
pub(crate) mod state;
pub(crate) mod verify;

mod backoff;
mod beneath;
mod file;
mod journal;
mod measure;
mod meter;
mod tls;

use kentai_engine::handoff::receipt::Reason;

use crate::exit::{Exit, Stop};

/// Why a package is not here, or not as it must be.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub(crate) struct Failure {
    pub exit: Exit,
    pub message: String,
    /// What a receipt would say of it; none when another try may do better.
    pub refusal: Option<Refusal>,
}

/// What is refused, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub reason: Reason,
    /// Path of the one file that is wrong; none means the package.
    pub path: Option<String>,
}

impl Failure {
    pub(crate) fn new(exit: Exit, message: impl Into<String>) -> Self {
        Self { exit, message: message.into(), refusal: None }
    }

    /// One that no other try mends.
    pub(crate) fn wrong(reason: Reason, path: Option<&str>, message: impl Into<String>) -> Self {
        let refusal = Refusal { reason, path: path.map(str::to_owned) };
        Self { refusal: Some(refusal), ..Self::new(Exit::CheckFailed, message) }
    }

    /// The disk's own words, with the place.
    pub(crate) fn disk(place: &str, error: &std::io::Error) -> Self {
        use std::io::ErrorKind;
        let is_full = matches!(error.kind(), ErrorKind::StorageFull | ErrorKind::QuotaExceeded);
        if is_full {
            let remedy = "make room and call again: what is there is kept";
            return Self::new(Exit::Unreachable, format!("{place}: {error}; {remedy}"));
        }
        if error.raw_os_error() == Some(rustix::io::Errno::LOOP.raw_os_error()) {
            let remedy = "look who put it there, remove it, and call again";
            let message = format!(
                "{place}: a link or something else than a plain file stands there, and is not followed; {remedy}"
            );
            return Self::new(Exit::State, message);
        }
        Self::new(Exit::Unexpected, format!("{place}: {error}"))
    }
}

impl From<Failure> for Stop {
    fn from(failure: Failure) -> Self {
        Self::new(failure.exit, failure.message)
    }
}
