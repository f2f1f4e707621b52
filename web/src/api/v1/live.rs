//! Topics that changed as server-sent events, for programs with a token: where to look again, never what is to be seen there.
//!
//! People of the center hear `line` (any commit), `board` (what goes over everything was counted anew), `run:R…` and `specimen:S…`, as far
//! as they may see such things; an institution hears of its own specimens, a data center of its own offers. `*` is everything.

use std::collections::BTreeSet;
use std::convert::Infallible;

use axum::Extension;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderName};
use axum::response::sse::{Event, Sse};
use futures_util::{Stream, stream};
use kentai_engine::people::permission::{Action, Principal, permit};
use kentai_engine::view::{center, offer};

use crate::App;
use crate::live::{Changes, Heard, Listener};
use crate::openapi::Description;
use crate::peer::Credential;
use crate::serve::Closing;

/// Where a listener was before its connection broke (HTML, server-sent events).
const LAST: HeaderName = HeaderName::from_static("last-event-id");
/// Specimens that somebody from outside is told of by name at once; of more they are told to look at everything.
const OWN_MAX: usize = 500;

struct Ears {
    app: App,
    listener: Listener,
    /// Where they were, as they say.
    last: Option<String>,
    /// How far a data center's feed was.
    offers: i64,
}

/// The operation about topics.
pub(super) fn describe(to: &mut Description) {
    to.get("/events", "listenToTopics", "Server-sent events: which topics changed")
        .says("`line`, `board`, `run:R…`, `specimen:S…`, `offers`; `*` is everything. Read again what you show. With `Last-Event-ID` whoever missed nothing is told nothing.")
        .gives_as(&["text/event-stream"], "Events, until one of both sides hangs up.");
}

/// `GET /events`
pub(super) async fn listen(
    State(app): State<App>,
    Extension(credential): Extension<Credential>,
    closing: Option<Extension<Closing>>,
    headers: HeaderMap,
) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let closing = closing.map(|Extension(closing)| closing);
    let last = headers.get(LAST).and_then(|last| last.to_str().ok()).map(str::to_owned);
    let listener = Listener::new(&app, credential, closing, app.meter.open("events"));
    let ears = Ears { app, listener, last, offers: 0 };
    Sse::new(stream::unfold(ears, |mut ears| async move {
        let event = ears.next().await?;
        Some((Ok(event), ears))
    }))
}

impl Ears {
    async fn next(&mut self) -> Option<Event> {
        loop {
            let (heard, who) = self.listener.heard().await?;
            let who = who.principal();
            match heard {
                Heard::Nothing => return Some(alive()),
                Heard::First => {
                    self.offers = self.offers_end(&who).await?;
                    // Whoever was here when nothing was newer has missed nothing. What else they say is no place, and does no harm.
                    let at = self.at();
                    let is_there = self.last.take().is_some_and(|last| last == at);
                    let topics = if is_there { BTreeSet::new() } else { BTreeSet::from(["*".to_owned()]) };
                    return Some(changed(&topics, &at));
                }
                Heard::Changed(changes) => {
                    let topics = self.topics(&who, &changes).await?;
                    if !topics.is_empty() {
                        return Some(changed(&topics, &self.at()));
                    }
                }
            }
        }
    }

    /// The engine's start and its commits since: another engine's places are known by their beginning.
    fn at(&self) -> String {
        format!("{:x}-{}", self.app.meter.started_us(), self.listener.commits())
    }

    /// None when the database cannot be read: the stream ends, and whoever comes again is told everything.
    async fn topics(&mut self, who: &Principal, changes: &Changes) -> Option<BTreeSet<String>> {
        let mut topics = BTreeSet::new();
        if changes.lost {
            topics.insert("*".to_owned());
        }
        if who.data_center.is_some() || who.institution.is_some() {
            let end = self.offers_end(who).await?;
            if std::mem::replace(&mut self.offers, end) != end {
                topics.insert("offers".to_owned());
            }
            self.own(who, changes, &mut topics).await?;
            return Some(topics);
        }
        let may = |action| permit(who, action, None).is_ok();
        let words =
            [("line", changes.line && may(Action::ReadSite)), ("board", changes.board && may(Action::ReadSite))];
        topics.extend(words.into_iter().filter(|(_, told)| *told).map(|(word, _)| word.to_owned()));
        for told in &changes.told {
            if !told.run.as_str().is_empty() && may(Action::ReadRun) {
                topics.insert(format!("run:{}", told.run));
            }
            if !told.specimen.is_empty() && may(Action::ReadSpecimen) {
                topics.insert(format!("specimen:{}", told.specimen));
            }
        }
        Some(topics)
    }

    /// What is an institution's own, and not the center's work on it: runs are not told of.
    async fn own(&self, who: &Principal, changes: &Changes, topics: &mut BTreeSet<String>) -> Option<()> {
        if who.institution.is_none() {
            return Some(());
        }
        let records = changes.told.iter().filter(|told| told.run.as_str().is_empty() && !told.specimen.is_empty());
        let specimens: BTreeSet<&str> = records.map(|told| told.specimen.as_str()).collect();
        if specimens.len() > OWN_MAX {
            topics.insert("*".to_owned());
            return Some(());
        }
        for specimen in specimens {
            match center::record(self.app.engine.reader(), who, "specimen", specimen).await {
                Ok(_) => _ = topics.insert(format!("specimen:{specimen}")),
                Err(center::Refused::Store(_)) => return None,
                Err(_) => {}
            }
        }
        Some(())
    }

    async fn offers_end(&self, who: &Principal) -> Option<i64> {
        match offer::feed_end(self.app.engine.reader(), who).await {
            Ok(end) => Some(end),
            Err(center::Refused::Store(_)) => None,
            // Nobody's feed.
            Err(_) => Some(0),
        }
    }
}

fn alive() -> Event {
    Event::default().event("alive").data("{}")
}

fn changed(topics: &BTreeSet<String>, at: &str) -> Event {
    let topics: Vec<&String> = topics.iter().collect();
    Event::default().event("changed").id(at).data(serde_json::json!({ "topics": topics }).to_string())
}
