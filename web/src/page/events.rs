//! What keeps pages fresh: which topics changed, as server-sent events. A topic says only where to look; what is to be seen is asked for
//! again, with the reader's own rights.
//!
//! Topics: `line` (any commit), `board` (what goes over everything was counted anew), `run:R…` (that run). `*` is everything: at the beginning, and when a reader was too slow to be told each.

use std::collections::BTreeSet;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::Extension;
use axum::extract::State;
use axum::response::sse::{Event, Sse};
use futures_util::{Stream, stream};
use kentai_engine::scheduler::handle::{Pulse, Told};
use kentai_workflows::value::Value;
use tokio::sync::broadcast::error::TryRecvError;
use tokio::sync::{broadcast, watch};

use super::keep::{Counted, Today};
use crate::App;
use crate::peer::Credential;
use crate::serve::Closing;

/// What happens within this time is told together: nobody reads faster.
const TOGETHER: Duration = Duration::from_millis(200);
/// A page that hears nothing for three times as long says that its numbers may be old.
const ALIVE_EVERY: Duration = Duration::from_secs(15);

struct Listener {
    pulse: watch::Receiver<Pulse>,
    told: broadcast::Receiver<Told>,
    counted: watch::Receiver<Option<Arc<Counted<Today>>>>,
    credential: Credential,
    closing: Closing,
    first: bool,
}

/// `GET /events`
pub(super) async fn listen(
    State(app): State<App>,
    Extension(credential): Extension<Credential>,
    closing: Option<Extension<Closing>>,
) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let closing = closing.map(|Extension(closing)| closing).unwrap_or_default();
    let (pulse, told) = (app.engine.pulse(), app.engine.listen());
    let counted = app.keeper.today.newer();
    let listener = Listener { pulse, told, counted, credential, closing, first: true };
    Sse::new(stream::unfold(listener, |mut listener| async move {
        let event = listener.next().await?;
        Some((Ok(event), listener))
    }))
}

impl Listener {
    /// None when the engine or the server ends, or when the listener's session counts no more.
    async fn next(&mut self) -> Option<Event> {
        if std::mem::take(&mut self.first) {
            self.pulse.borrow_and_update();
            self.counted.borrow_and_update();
            return Some(changed(&["*".to_owned()].into()));
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
        // Topics are no secret worth a second each, and a session that ended hears nothing more for long.
        self.credential.still().await?;
        let Some((line, board)) = heard else { return Some(Event::default().event("alive").data("{}")) };
        self.topics(line, board).map(|topics| changed(&topics))
    }

    fn topics(&mut self, line: bool, board: bool) -> Option<BTreeSet<String>> {
        let line = self.pulse.has_changed().ok()? || line;
        let board = self.counted.has_changed().ok()? || board;
        self.pulse.borrow_and_update();
        self.counted.borrow_and_update();
        let told = [("line", line), ("board", board)].into_iter().filter(|(_, changed)| *changed);
        let mut topics: BTreeSet<String> = told.map(|(topic, _)| topic.to_owned()).collect();
        loop {
            match self.told.try_recv() {
                Ok(told) => _ = topics.insert(format!("run:{}", told.run)),
                Err(TryRecvError::Empty) => return Some(topics),
                Err(TryRecvError::Lagged(_)) => _ = topics.insert("*".to_owned()),
                Err(TryRecvError::Closed) => return None,
            }
        }
    }
}

fn changed(topics: &BTreeSet<String>) -> Event {
    let topics: Vec<Value> = topics.iter().map(|topic| Value::from(topic.as_str())).collect();
    Event::default().event("changed").data(serde_json::json!({ "topics": topics }).to_string())
}
