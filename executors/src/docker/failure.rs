//! What a request to the daemon can come to: it answered with an error, or it could not be asked.

use std::io;

use bollard::errors::Error as Bollard;
use kentai_engine::port::executor::Error;

/// Why a request failed.
#[derive(Debug, thiserror::Error)]
pub(super) enum Failure {
    /// The daemon answered: no. Nothing is in doubt.
    #[error("Docker refused ({status}): {message}")]
    Refused {
        /// HTTP status.
        status: u16,
        /// The daemon's words.
        message: String,
    },
    /// No answer, or none that can be read: what was asked for may have happened.
    #[error("{0}")]
    NoAnswer(String),
    /// The engine's own disk.
    #[error("cannot use the attempt's directory: {0}")]
    Disk(#[source] io::Error),
}

impl Failure {
    pub(super) fn disk(error: io::Error) -> Self {
        Self::Disk(error)
    }

    /// The daemon's status, if it answered.
    pub(super) fn status(&self) -> Option<u16> {
        match self {
            Self::Refused { status, .. } => Some(*status),
            Self::NoAnswer(_) | Self::Disk(_) => None,
        }
    }

    pub(super) fn into_error(self, executor: &str) -> Error {
        match self {
            Self::NoAnswer(reason) => Error::Unreachable { executor: executor.to_owned(), reason },
            other => Error::Other(other.to_string()),
        }
    }
}

impl From<Bollard> for Failure {
    fn from(error: Bollard) -> Self {
        match error {
            Bollard::DockerResponseServerError { status_code: status, message } => Self::Refused { status, message },
            Bollard::RequestTimeoutError => Self::NoAnswer("the Docker daemon does not answer in time".to_owned()),
            Bollard::SocketNotFoundError(socket) => Self::NoAnswer(format!("there is no socket at {socket}")),
            other => Self::NoAnswer(with_sources(&other)),
        }
    }
}

/// Takes these statuses for success.
pub(super) fn tolerate(answer: Result<(), Bollard>, statuses: &[u16]) -> Result<(), Failure> {
    match answer.map_err(Failure::from) {
        Err(failure) if failure.status().is_some_and(|status| statuses.contains(&status)) => Ok(()),
        other => other,
    }
}

/// The client's errors say "client error (Connect)"; the reason is their source.
fn with_sources(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(inner) = source {
        let said = inner.to_string();
        if !text.ends_with(&said) {
            text = format!("{text}: {said}");
        }
        source = inner.source();
    }
    text
}
