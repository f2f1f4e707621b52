//! What may end an answer before its last byte, and who is told how far it came.

use std::fmt;

use tokio_util::sync::CancellationToken;

/// How far an answer's body came. Told once for each 200 and 206 of a GET, when its body ends or is let go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sent {
    /// Where the answer begins in the object (bytes).
    pub first: u64,
    /// Bytes that were given to the connection, from there.
    ///
    /// They may yet lie in this machine's socket: only the receiver's own receipt says that they arrived.
    pub bytes: u64,
    /// Whether these are all bytes that the answer should have.
    pub complete: bool,
}

/// May an answer go on? Canceled when consent is withdrawn or a token taken back; looked at before every chunk.
///
/// A canceled answer breaks its connection: the receiver sees a body that is too short, never one that ends as if it were whole.
#[derive(Default)]
pub struct Guard {
    ended: CancellationToken,
    told: Option<Box<dyn FnOnce(Sent) + Send>>,
}

impl Guard {
    /// Ends the answer when `ended` is canceled.
    #[must_use]
    pub fn new(ended: CancellationToken) -> Self {
        Self { ended, told: None }
    }

    /// Tells `told` how far the body came. It is called where bodies are dropped: it must not wait.
    #[must_use]
    pub fn telling(self, told: impl FnOnce(Sent) + Send + 'static) -> Self {
        Self { told: Some(Box::new(told)), ..self }
    }

    /// Canceled when the answer must end.
    pub(super) fn ended(&self) -> Revocable {
        Revocable(self.ended.clone())
    }

    pub(super) fn is_ended(&self) -> bool {
        self.ended.is_cancelled()
    }

    pub(super) fn tell(&mut self, sent: Sent) {
        if let Some(told) = self.told.take() {
            told(sent);
        }
    }
}

impl fmt::Debug for Guard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Guard").field("ended", &self.ended.is_cancelled()).finish_non_exhaustive()
    }
}

/// Goes with an answer to whoever owns its connection, so that one whose reader stalls ends as well.
#[derive(Clone, Debug)]
pub(crate) struct Revocable(pub(crate) CancellationToken);
