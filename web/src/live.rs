//! Hearing what changes, for streams without an end: the engine's commits, what was counted anew, and what happened, gathered for a moment
//! and told together. It is gathered once for everybody: a thousand open pages cost the engine no more than one. A stream ends when whoever
//! listens counts no more, and at the latest with the server. It knows no topic.

use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use kentai_engine::scheduler::Actor;
use kentai_engine::scheduler::handle::{Pulse, Told};
use tokio::sync::broadcast::error::{RecvError, TryRecvError};
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
/// Who listens is looked at again after so long, and at once when something happened that may be about people.
const STILL_EVERY: Duration = Duration::from_secs(2);
/// Words that a slow listener may be behind; then it is told to look at everything.
const BEHIND_MAX: usize = 64;

/// What was heard.
pub(crate) enum Heard {
    /// The beginning: what was before is not known.
    First,
    /// Nothing for a while.
    Nothing,
    /// Something changed.
    Changed(Arc<Changes>),
}

/// What changed.
#[derive(Default)]
pub(crate) struct Changes {
    /// Something was committed.
    pub(crate) line: bool,
    /// What goes over everything was counted anew.
    pub(crate) board: bool,
    /// More happened than could be kept.
    pub(crate) lost: bool,
    /// What happened.
    pub(crate) told: Vec<Told>,
    /// What a page's stream says of it; put into words by whoever says it first.
    pub(crate) said: OnceLock<String>,
    commits: u64,
}

impl Changes {
    /// What is about no run and no specimen may be about who may hear it.
    fn about_people(&self) -> bool {
        self.lost || self.told.iter().any(|told| told.run.as_str().is_empty() && told.specimen.is_empty())
    }
}

/// Gathers for everybody, from the first listener on.
#[derive(Default)]
pub(crate) struct Hub(Mutex<Option<broadcast::WeakSender<Arc<Changes>>>>);

impl Hub {
    fn listen(&self, app: &App) -> broadcast::Receiver<Arc<Changes>> {
        let mut sender = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(running) = sender.as_ref().and_then(broadcast::WeakSender::upgrade) {
            return running.subscribe();
        }
        let (made, receiver) = broadcast::channel(BEHIND_MAX);
        let source = Source { pulse: app.engine.pulse(), told: app.engine.listen(), counted: app.keeper.today.newer() };
        // Only who gathers holds it: with the engine the streams end.
        *sender = Some(made.downgrade());
        tokio::spawn(source.gather(made));
        receiver
    }
}

/// Where it comes from.
struct Source {
    pulse: watch::Receiver<Pulse>,
    told: broadcast::Receiver<Told>,
    counted: watch::Receiver<Option<Arc<Counted<Today>>>>,
}

impl Source {
    /// Until the engine ends.
    async fn gather(mut self, to: broadcast::Sender<Arc<Changes>>) {
        loop {
            let (line, board) = tokio::select! {
                changed = self.pulse.changed() => (changed.is_ok(), false),
                changed = self.counted.changed() => (false, changed.is_ok()),
            };
            if !line && !board {
                return;
            }
            tokio::time::sleep(TOGETHER).await;
            let Some(changes) = self.gathered(line, board) else { return };
            // Nobody may listen just now.
            let _ = to.send(Arc::new(changes));
        }
    }

    fn gathered(&mut self, line: bool, board: bool) -> Option<Changes> {
        let mut changes = Changes {
            line: self.pulse.has_changed().ok()? || line,
            board: self.counted.has_changed().ok()? || board,
            ..Changes::default()
        };
        // What happened is told before the commit is counted: all of it is there now.
        changes.commits = self.pulse.borrow_and_update().commits;
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

/// Somebody who listens.
pub(crate) struct Listener {
    changes: broadcast::Receiver<Arc<Changes>>,
    pulse: watch::Receiver<Pulse>,
    credential: Credential,
    who: Option<(Instant, Actor)>,
    closing: Closing,
    first: bool,
    commits: u64,
    _open: Open,
}

impl Listener {
    pub(crate) fn new(app: &App, credential: Credential, closing: Option<Closing>, open: Open) -> Self {
        Self {
            changes: app.hub.listen(app),
            pulse: app.engine.pulse(),
            credential,
            who: None,
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
    /// themselves by is looked at before a word every [`STILL_EVERY`], and before the first word after it may have been taken back.
    pub(crate) async fn heard(&mut self) -> Option<(Heard, Actor)> {
        if std::mem::take(&mut self.first) {
            self.commits = self.pulse.borrow().commits;
            return Some((Heard::First, self.still(true).await?));
        }
        let heard = tokio::select! {
            heard = self.changes.recv() => match heard {
                Ok(changes) => Heard::Changed(changes),
                Err(RecvError::Lagged(_)) => Heard::Changed(Arc::new(self.lost())),
                Err(RecvError::Closed) => return None,
            },
            () = tokio::time::sleep(ALIVE_EVERY) => Heard::Nothing,
            () = self.closing.0.cancelled() => return None,
        };
        let at_once = match &heard {
            Heard::Changed(changes) => {
                self.commits = changes.commits;
                changes.about_people()
            }
            Heard::First | Heard::Nothing => true,
        };
        let who = self.still(at_once).await?;
        Some((heard, who))
    }

    /// For whom too much happened to be told each.
    fn lost(&self) -> Changes {
        let commits = self.pulse.borrow().commits;
        Changes { line: true, board: true, lost: true, commits, ..Changes::default() }
    }

    async fn still(&mut self, at_once: bool) -> Option<Actor> {
        match &self.who {
            Some((when, who)) if !at_once && when.elapsed() < STILL_EVERY => Some(who.clone()),
            _ => {
                let who = self.credential.still().await?;
                self.who = Some((Instant::now(), who.clone()));
                Some(who)
            }
        }
    }
}
