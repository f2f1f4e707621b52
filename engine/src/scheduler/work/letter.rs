//! Taking a letter to its receiver, when it is this one's turn there.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio_util::task::AbortOnDropHandle;

use crate::clock::Clock;
use crate::port::messenger::{Error, Letter, Messenger};

/// Messengers have limits of their own; this is for one that forgets.
const LONGEST: Duration = Duration::from_secs(120);

pub(in crate::scheduler) struct Work {
    /// Which of the notice's letters.
    pub(in crate::scheduler) place: usize,
    pub(in crate::scheduler) messenger: Arc<dyn Messenger>,
    pub(in crate::scheduler) letter: Letter,
    /// Few at a time go to one address.
    pub(in crate::scheduler) turn: Arc<Semaphore>,
    pub(in crate::scheduler) clock: Clock,
}

impl Work {
    pub(in crate::scheduler) async fn done(self) -> Result<String, Error> {
        let broken = |reason: String| Error::Passing { reason, wait_s: None };
        let Ok(_turn) = self.turn.acquire_owned().await else { return Err(broken("the engine stops".into())) };
        let (messenger, letter, now) = (self.messenger, self.letter, self.clock.now());
        // In a task of its own: a messenger that panics is asked again, as one out of reach is.
        let sent = AbortOnDropHandle::new(tokio::spawn(async move { messenger.send(&letter, now).await }));
        match tokio::time::timeout(LONGEST, sent).await {
            Ok(Ok(result)) => result,
            Ok(Err(panic)) => Err(broken(format!("the messenger broke off: {panic}"))),
            Err(_) => Err(broken(format!("no answer within {} s", LONGEST.as_secs()))),
        }
    }
}
