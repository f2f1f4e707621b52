//! Changes as server-sent events: only *that* something changed, with a counter. Who cares reads again.

use std::convert::Infallible;
use std::time::Duration;

use axum::Extension;
use axum::extract::State;
use axum::response::sse::{Event, KeepAlive, Sse};
use futures_util::{Stream, stream};
use kentai_engine::scheduler::handle::Pulse;
use tokio::sync::watch;

use crate::App;
use crate::metrics::Open;
use crate::openapi::Description;
use crate::serve::Closing;

/// Changes within this time are told together: a busy engine commits a thousand times per second, and nobody reads so fast.
const TOGETHER: Duration = Duration::from_millis(200);

struct Listener {
    pulse: watch::Receiver<Pulse>,
    closing: Closing,
    first: bool,
    _open: Open,
}

/// The operation about changes.
pub(super) fn describe(to: &mut Description) {
    to.get("/changes", "listenToChanges", "Server-sent events: only that something changed, with a counter")
        .says("One `changed` at once, then one after each change. Read again what you show.")
        .gives_as(&["text/event-stream"], "Events, until one of both sides hangs up.");
}

/// `GET /changes`: one `changed` at once, then one after each change.
pub(super) async fn listen(
    State(app): State<App>,
    closing: Option<Extension<Closing>>,
) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let closing = closing.map(|Extension(closing)| closing).unwrap_or_default();
    let listener = Listener { pulse: app.engine.pulse(), closing, first: true, _open: app.meter.open("changes") };
    let events = stream::unfold(listener, |mut listener| async move {
        let commits = listener.next().await?;
        let event = Event::default().event("changed").data(format!(r#"{{"commits":{commits}}}"#));
        Some((Ok(event), listener))
    });
    Sse::new(events).keep_alive(KeepAlive::default())
}

impl Listener {
    /// The counter after the next change; none when the engine or the server ends.
    async fn next(&mut self) -> Option<u64> {
        if !std::mem::take(&mut self.first) {
            let changed = async {
                self.pulse.changed().await.ok()?;
                tokio::time::sleep(TOGETHER).await;
                Some(())
            };
            tokio::select! {
                changed = changed => changed?,
                () = self.closing.0.cancelled() => return None,
            }
        }
        Some(self.pulse.borrow_and_update().commits)
    }
}
