//! Exit codes, one meaning each (see README).

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    Done = 0,
    Unexpected = 1,
    Usage = 2,
    CheckFailed = 3,
    NotFound = 4,
    NotAllowed = 5,
    State = 6,
    Unreachable = 7,
    RunFailed = 10,
    Waits = 11,
    Canceled = 12,
    TimedOut = 13,
    Interrupted = 130,
}

/// A command that ends with a code and a message of its own.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub(crate) struct Stop {
    pub exit: Exit,
    pub message: String,
}

impl Stop {
    pub(crate) fn new(exit: Exit, message: impl Into<String>) -> Self {
        Self { exit, message: message.into() }
    }
}
