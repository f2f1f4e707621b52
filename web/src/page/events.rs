//! What keeps pages fresh: which topics changed, as server-sent events. A topic says only where to look; what is to be seen is asked for
//! again, with the reader's own rights.
//!
//! Topics: `line` (any commit), `board` (what goes over everything was counted anew), `run:R…` (that run). `*` is everything: at the beginning, and when a reader was too slow to be told each.

use std::collections::BTreeSet;
use std::convert::Infallible;

use axum::Extension;
use axum::extract::State;
use axum::response::sse::{Event, Sse};
use futures_util::{Stream, stream};
use kentai_workflows::value::Value;

use crate::App;
use crate::live::{Changes, Heard, Listener};
use crate::peer::Credential;
use crate::serve::Closing;

/// `GET /events`
pub(super) async fn listen(
    State(app): State<App>,
    Extension(credential): Extension<Credential>,
    closing: Option<Extension<Closing>>,
) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let closing = closing.map(|Extension(closing)| closing);
    let listener = Listener::new(&app, credential, closing, app.meter.open("page"));
    Sse::new(stream::unfold(listener, |mut listener| async move {
        let event = match listener.heard().await?.0 {
            Heard::First => changed(&said(&["*".to_owned()].into())),
            Heard::Nothing => Event::default().event("alive").data("{}"),
            Heard::Changed(changes) => changed(changes.said.get_or_init(|| said(&topics(&changes)))),
        };
        Some((Ok(event), listener))
    }))
}

fn topics(changes: &Changes) -> BTreeSet<String> {
    let Changes { line, board, lost, told, .. } = changes;
    let known = [("line", *line), ("board", *board), ("*", *lost)].into_iter().filter(|(_, changed)| *changed);
    let runs = told.iter().filter(|told| !told.run.as_str().is_empty()).map(|told| format!("run:{}", told.run));
    known.map(|(topic, _)| topic.to_owned()).chain(runs).collect()
}

fn said(topics: &BTreeSet<String>) -> String {
    let topics: Vec<Value> = topics.iter().map(|topic| Value::from(topic.as_str())).collect();
    serde_json::json!({ "topics": topics }).to_string()
}

fn changed(said: &str) -> Event {
    Event::default().event("changed").data(said)
}
