//! What the loop asked for beside itself and has no answer to yet: counted, so that somebody who moves time on knows when nothing more
//! comes by itself. It does not know what is asked.

use tokio::sync::watch;

use super::handle::{Handle, Message, Refusal};

/// How many answers are still to come. Clones share the count.
#[derive(Clone)]
pub(super) struct Underway(watch::Sender<usize>);

/// One of them, for as long as it is kept.
pub(super) struct Mark(Underway);

impl Default for Underway {
    fn default() -> Self {
        Self(watch::Sender::new(0))
    }
}

impl Underway {
    /// One more.
    pub(super) fn mark(&self) -> Mark {
        self.0.send_modify(|count| *count += 1);
        Mark(self.clone())
    }

    /// Is nothing to come?
    pub(super) fn is_none(&self) -> bool {
        *self.0.borrow() == 0
    }

    /// Comes back when nothing is to come.
    pub(super) async fn none(&self) {
        // The sender is ours: it is never closed before we are gone.
        let _ = self.0.subscribe().wait_for(|count| *count == 0).await;
    }
}

impl Handle {
    /// Comes back after a turn of the loop: it takes requests, and can write what follows from them.
    ///
    /// # Errors
    /// When the engine has stopped.
    pub async fn turn(&self) -> Result<(), Refusal> {
        self.ask(Message::Turn).await
    }
}

impl Drop for Mark {
    fn drop(&mut self) {
        self.0.0.send_modify(|count| *count -= 1);
    }
}
