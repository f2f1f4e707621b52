//! Hearing what changes, for streams without an end: the engine's commits, what was counted anew, and what happened, gathered for a moment
//! and told together. A stream ends when whoever listens counts no more, and at the latest with the server. It knows no topic.

use std::sync::Arc;
use std::time::Duration;

use kentai_engine::scheduler::Actor;
use kentai_engine::scheduler::handle::{Pulse, Told};
use tokio::sync::broadcast::error::TryRecvError;
use tokio::sync::{broadcast, watch};

use crate::App;
use crate::metrics::Open;
use crate::page::keep::{Counted, Today};
use crate::peer::Credential;
use crate::serve::Closing;

/// What happens within this time is told together: nobody reads faster.
const TOGETHER: Duration = Duration::from_millis(200);
/// Who hears nothing for three times as long may take the stream for dead.
const ALIVE_EVERY: Duration = Duration::from_secs(15);

/// What was heard.
pub(crate) enum Heard {
    /// The beginning: what was before is not known.
    First,
    /// Nothing for a while.
    Nothing,
    /// Something changed.
    Changed(Changes),
}

/// What changed.
#[derive(Default)]
pub(crate) struct Changes {
    /// Something was committed.
    pub(crate) line: bool,
    /// What goes over everything was counted anew.
    pub(crate) board: bool,
    /// More happened than could be kept for this listener.
    pub(crate) lost: bool,
    /// What happened.
    pub(crate) told: Vec<Told>,
}

/// Somebody who listens.
pub(crate) struct Listener {
    pulse: watch::Receiver<Pulse>,
    told: broadcast::Receiver<Told>,
    counted: watch::Receiver<Option<Arc<Counted<Today>>>>,
    credential: Credential,
    closing: Closing,
    first: bool,
    commits: u64,
    _open: Open,
}

impl Listener {
    pub(crate) fn new(app: &App, credential: Credential, closing: Option<Closing>, open: Open) -> Self {
        Self {
            pulse: app.engine.pulse(),
            told: app.engine.listen(),
            counted: app.keeper.today.newer(),
            credential,
            closing: closing.unwrap_or_default(),
            first: true,
            commits: 0,
            _open: open,
        }
    }

    /// Commits of which everything was heard.
    pub(crate) fn commits(&self) -> u64 {
        self.commits
    }

    /// What is heard next, and who they are by now. None when the engine or the server ends, or when they count no more: what they proved
    /// themselves by is looked at before each word, and to take it back is a change that is heard.
    pub(crate) async fn heard(&mut self) -> Option<(Heard, Actor)> {
        if std::mem::take(&mut self.first) {
            self.commits = self.pulse.borrow_and_update().commits;
            self.counted.borrow_and_update();
            return Some((Heard::First, self.credential.still().await?));
        }
        let changes = async {
            let (line, board) = tokio::select! {
                changed = self.pulse.changed() => (changed.is_ok(), false),
                changed = self.counted.changed() => (false, changed.is_ok()),
            };
            tokio::time::sleep(TOGETHER).await;
            (line || board).then_some((line, board))
        };
        let heard = tokio::select! {
            heard = changes => Some(heard?),
            () = tokio::time::sleep(ALIVE_EVERY) => None,
            () = self.closing.0.cancelled() => return None,
        };
        let who = self.credential.still().await?;
        let heard = match heard {
            Some((line, board)) => Heard::Changed(self.gathered(line, board)?),
            None => Heard::Nothing,
        };
        Some((heard, who))
    }

    fn gathered(&mut self, line: bool, board: bool) -> Option<Changes> {
        let mut changes = Changes {
            line: self.pulse.has_changed().ok()? || line,
            board: self.counted.has_changed().ok()? || board,
            ..Changes::default()
        };
        // What happened is told before the commit is counted: all of it is there now.
        self.commits = self.pulse.borrow_and_update().commits;
        self.counted.borrow_and_update();
        loop {
            match self.told.try_recv() {
                Ok(told) => changes.told.push(told),
                Err(TryRecvError::Empty) => return Some(changes),
                Err(TryRecvError::Lagged(_)) => changes.lost = true,
                Err(TryRecvError::Closed) => return None,
            }
        }
    }
}
