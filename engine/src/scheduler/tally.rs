//! What was committed since the engine's start, counted for whoever watches it: events by kind, failures by cause. Never a name, and not a
//! record: that is the log.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use crate::state::{attempt, step};
use crate::store::rows::Event;

/// Kinds are words of this program, some hundred; should one ever be made of data, no more than this are told apart.
const KINDS_MAX: usize = 400;
/// What is beyond.
const OTHER: &str = "other";

/// What was counted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// The newest event of the log when counting began; zero when there was none.
    pub after: i64,
    /// Events by kind: `step_started`, `run_failed` …
    pub events: BTreeMap<String, u64>,
    /// Attempts that failed, by cause.
    pub failures: BTreeMap<String, u64>,
    /// Steps that failed, by the cause of their last attempt.
    pub failed_steps: BTreeMap<String, u64>,
}

/// Clones share the count.
#[derive(Clone, Debug, Default)]
pub struct Tally(Arc<Mutex<Counts>>);

impl Tally {
    /// Nothing was counted yet; the event of this number is the newest.
    pub(super) fn after(newest: i64) -> Self {
        Self(Arc::new(Mutex::new(Counts { after: newest, ..Counts::default() })))
    }

    /// What was counted so far.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// These events are committed, and these attempts failed.
    pub(super) fn add(&self, noted: Counts) {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for (kind, count) in noted.events {
            let known = counts.events.len() < KINDS_MAX || counts.events.contains_key(&kind);
            *counts.events.entry(if known { kind } else { OTHER.into() }).or_default() += count;
        }
        let Counts { failures, failed_steps, .. } = &mut *counts;
        for (mine, theirs) in [(failures, noted.failures), (failed_steps, noted.failed_steps)] {
            theirs.into_iter().for_each(|(cause, count)| *mine.entry(cause).or_default() += count);
        }
    }
}

/// What a turn's events add.
pub(super) fn note(events: &[Event]) -> Counts {
    let mut counts = Counts::default();
    for event in events {
        *counts.events.entry(event.kind.clone()).or_default() += 1;
        let Counts { failures, failed_steps, .. } = &mut counts;
        let causes = match event.kind.as_str() {
            kind if kind == attempt::Event::Failed.word() => failures,
            kind if kind == step::Event::Failed.word() => failed_steps,
            _ => continue,
        };
        if let Ok(body) = serde_json::from_str::<serde_json::Value>(&event.body)
            && let Some(cause) = body["cause"].as_str().and_then(attempt::Cause::parse)
        {
            *causes.entry(cause.word().to_owned()).or_default() += 1;
        }
    }
    counts
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(kind: &str, body: &str) -> Event {
        let text = String::new;
        Event {
            seq: 0,
            stream: text(),
            n: 1,
            at_us: 0,
            kind: kind.into(),
            subject: text(),
            actor: text(),
            role: text(),
            body: body.into(),
            hash: text(),
        }
    }

    #[test]
    fn events_are_counted_by_kind_and_failures_by_cause() {
        let tally = Tally::default();
        let failed = r#"{"cause":"out_of_memory","reason":"S-001"}"#;
        tally.add(note(&[
            event("step_started", "{}"),
            event("attempt_failed", failed),
            event("attempt_failed", failed),
        ]));
        // What is no cause is no label.
        tally.add(note(&[event("step_started", "{}"), event("attempt_failed", r#"{"cause":"S-001"}"#)]));
        let counts = tally.counts();
        assert_eq!((counts.events["step_started"], counts.events["attempt_failed"]), (2, 3));
        assert_eq!(counts.failures, BTreeMap::from([("out_of_memory".to_owned(), 2)]));
    }

    #[test]
    fn kinds_do_not_grow_without_end() {
        let tally = Tally::default();
        let many: Vec<Event> = (0..KINDS_MAX + 50).map(|n| event(&format!("kind_{n:04}"), "{}")).collect();
        tally.add(note(&many));
        let counts = tally.counts();
        assert_eq!((counts.events.len(), counts.events[OTHER]), (KINDS_MAX + 1, 50));
    }
}
