//! One run's events as intervals: pure, and the same whether they are taken one by one or read again from the beginning.
//!
//! What never began (a step that was skipped, a group of items, a run canceled while it waited for its steps) has no interval of its own
//! but a run's, which begins with its submission then.

use std::collections::HashMap;

use super::Step;
use crate::clock::Micros;
use crate::id::AttemptId;
use crate::state::attempt::{self, Cause};
use crate::state::{run, step};
use crate::store::rows::Event;

/// What a run's stream begins with.
const SUBMITTED: &str = "run_submitted";
/// Marks of one interval; a step that is asked about for ever does not grow without end.
const MARKS_MAX: usize = 64;

type Marks = Vec<(&'static str, Micros)>;

/// What ended.
#[derive(Debug, PartialEq)]
pub(super) enum Which {
    Run,
    Step(Step),
    Attempt(AttemptId),
}

/// An end, with its beginning.
#[derive(Debug, PartialEq)]
pub(super) struct Ended {
    pub(super) which: Which,
    pub(super) opened: u32,
    pub(super) began_us: Micros,
    pub(super) status: &'static str,
    pub(super) failed: bool,
    pub(super) cause: Option<&'static str>,
    pub(super) marks: Marks,
}

/// Something that goes on.
#[derive(Debug)]
struct Open {
    since: Micros,
    marks: Marks,
}

impl Open {
    fn at(since: Micros) -> Self {
        Self { since, marks: Marks::new() }
    }

    fn mark(&mut self, word: &'static str, at: Micros) {
        if self.marks.len() < MARKS_MAX {
            self.marks.push((word, at));
        }
    }
}

#[derive(Debug)]
struct Stepped {
    nth: u32,
    round: u32,
    open: Option<Open>,
}

/// How far a run is.
#[derive(Debug, Default)]
pub(super) struct Track {
    run: Option<Open>,
    opened: u32,
    steps: HashMap<String, Stepped>,
    attempts: HashMap<String, Open>,
}

/// An event of some run, and not of the center.
pub(super) fn is_of_a_run(event: &Event) -> bool {
    let kind = event.kind.as_str();
    kind == SUBMITTED
        || run::Event::parse(kind).is_some()
        || step::Event::parse(kind).is_some()
        || attempt::Event::parse(kind).is_some()
}

impl Track {
    /// Takes the run's next event; gives what ended by it.
    pub(super) fn take(&mut self, event: &Event) -> Option<Ended> {
        let kind = event.kind.as_str();
        if let Some(what) = attempt::Event::parse(kind) {
            return self.attempt(what, event);
        }
        if let Some(what) = step::Event::parse(kind) {
            return self.step_event(what, event);
        }
        match run::Event::parse(kind) {
            Some(what) => self.run(what, event.at_us),
            None if kind == SUBMITTED => {
                self.run = Some(Open::at(event.at_us));
                None
            }
            None => None,
        }
    }

    /// A step of which something was said, by its key.
    pub(super) fn step(&self, key: &str) -> Option<Step> {
        self.steps.get(key).map(|known| named(key, known))
    }

    fn run(&mut self, what: run::Event, at: Micros) -> Option<Ended> {
        use run::{Event as E, Status as S};
        let status = match what {
            E::Started => {
                self.run = Some(Open::at(at));
                return None;
            }
            E::Reopened => {
                self.opened += 1;
                self.run = Some(Open::at(at));
                return None;
            }
            E::Canceling | E::Held | E::Resumed => {
                self.run.get_or_insert_with(|| Open::at(at)).mark(what.word(), at);
                return None;
            }
            E::Succeeded => S::Succeeded,
            E::Failed => S::Failed,
            E::Canceled => S::Canceled,
        };
        let open = self.run.take().unwrap_or_else(|| Open::at(at));
        Some(self.ended(Which::Run, open, status.word(), (status == S::Failed, None)))
    }

    fn step_event(&mut self, what: step::Event, event: &Event) -> Option<Ended> {
        use step::{Event as E, Status as S};
        let at = event.at_us;
        let nth = u32::try_from(self.steps.len() + 1).unwrap_or(u32::MAX);
        let known = self.steps.entry(event.subject.clone()).or_insert_with(|| Stepped { nth, round: 0, open: None });
        let status = match what {
            E::Started | E::Asked => {
                let is_first = known.open.is_none();
                let open = known.open.get_or_insert_with(|| Open::at(at));
                if !is_first || what == E::Asked {
                    open.mark(what.word(), at);
                }
                return None;
            }
            E::Again | E::Ready | E::FannedOut => {
                // Before it began this says nothing; after it, that it waits once more.
                known.open.iter_mut().for_each(|open| open.mark(what.word(), at));
                return None;
            }
            E::Reset => {
                known.round += 1;
                known.open = None;
                return None;
            }
            E::Succeeded => S::Succeeded,
            E::Failed => S::Failed,
            E::Skipped => S::Skipped,
            E::Canceled => S::Canceled,
        };
        let open = known.open.take()?;
        let which = Which::Step(named(&event.subject, known));
        let is_failed = status == S::Failed;
        Some(self.ended(which, open, status.word(), (is_failed, cause(event).filter(|_| is_failed))))
    }

    fn attempt(&mut self, what: attempt::Event, event: &Event) -> Option<Ended> {
        use attempt::{Event as E, Status as S};
        let at = event.at_us;
        let status = match what {
            E::Claimed | E::Launching | E::Running | E::Exited | E::Collecting | E::Canceling => {
                let is_first = !self.attempts.contains_key(&event.subject);
                let open = self.attempts.entry(event.subject.clone()).or_insert_with(|| Open::at(at));
                if !is_first {
                    open.mark(what.word(), at);
                }
                return None;
            }
            E::Committed => S::Committed,
            E::Failed => S::Failed,
            E::Canceled => S::Canceled,
            E::Quarantined => S::Quarantined,
        };
        let open = self.attempts.remove(&event.subject).unwrap_or_else(|| Open::at(at));
        let which = Which::Attempt(AttemptId::from(event.subject.as_str()));
        let is_failed = matches!(status, S::Failed | S::Quarantined);
        Some(self.ended(which, open, status.word(), (is_failed, cause(event))))
    }

    fn ended(
        &self,
        which: Which,
        open: Open,
        status: &'static str,
        (failed, cause): (bool, Option<&'static str>),
    ) -> Ended {
        Ended { which, opened: self.opened, began_us: open.since, status, failed, cause, marks: open.marks }
    }
}

/// What stands behind `/` was named by a sheet, and stays in.
fn named(key: &str, known: &Stepped) -> Step {
    let name = key.split('/').next().unwrap_or_default().to_owned();
    Step { name, nth: known.nth, round: known.round }
}

/// Only a word that this program knows: what stands beside it is a sentence.
fn cause(event: &Event) -> Option<&'static str> {
    let body: serde_json::Value = serde_json::from_str(&event.body).ok()?;
    Some(Cause::parse(body.get("cause")?.as_str()?)?.word())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(n: i64, kind: &str, subject: &str, body: &str) -> Event {
        Event {
            seq: n,
            stream: "r1".into(),
            n,
            at_us: n * 10,
            kind: kind.into(),
            subject: subject.into(),
            actor: String::new(),
            role: String::new(),
            body: body.into(),
            hash: String::new(),
        }
    }

    /// Ends of a story, as `what began status`, and what is known at its end.
    fn told(story: &[(&str, &str)]) -> (Vec<String>, Track) {
        let mut track = Track::default();
        let mut ends = Vec::new();
        for (n, (kind, subject)) in (1..).zip(story) {
            let body = if kind.ends_with("failed") { r#"{"cause":"tool","reason":"S-001"}"# } else { "{}" };
            if let Some(ended) = track.take(&event(n, kind, subject, body)) {
                let what = match &ended.which {
                    Which::Run => format!("run.{}", ended.opened),
                    Which::Step(step) => format!("{}#{}.{}", step.name, step.nth, step.round),
                    Which::Attempt(id) => id.to_string(),
                };
                let cause = ended.cause.unwrap_or("-");
                ends.push(format!("{what} {} {} {cause} {}", ended.began_us, ended.status, ended.marks.len()));
            }
        }
        (ends, track)
    }

    const STORY: [(&str, &str); 20] = [
        ("run_submitted", ""),
        ("run_started", ""),
        ("step_ready", "a/S-001"),
        ("step_started", "a/S-001"),
        ("attempt_claimed", "r1-1"),
        ("attempt_launching", "r1-1"),
        ("attempt_failed", "r1-1"),
        ("step_again", "a/S-001"),
        ("step_started", "a/S-001"),
        ("attempt_claimed", "r1-2"),
        ("attempt_failed", "r1-2"),
        ("step_failed", "a/S-001"),
        ("step_canceled", "b"),
        ("run_failed", ""),
        ("run_reopened", ""),
        ("step_reset", "a/S-001"),
        ("step_ready", "a/S-001"),
        ("step_asked", "a/S-001"),
        ("step_succeeded", "a/S-001"),
        ("run_succeeded", ""),
    ];

    #[test]
    fn what_ended_is_told_with_its_beginning_its_cause_and_its_round() {
        let (ends, _) = told(&STORY);
        assert_eq!(
            ends,
            [
                "r1-1 50 failed tool 1",
                "r1-2 100 failed tool 0",
                "a#1.0 40 failed tool 2",
                "run.0 20 failed - 0",
                "a#1.1 180 succeeded - 1",
                "run.1 150 succeeded - 0",
            ]
        );
    }

    #[test]
    fn what_was_read_again_gives_the_same_as_what_was_heard() {
        let (whole, _) = told(&STORY);
        for cut in 0..STORY.len() {
            let (before, mut track) = told(&STORY[..cut]);
            let rest = (i64::try_from(cut).expect("few") + 1..).zip(&STORY[cut..]);
            let after = rest.filter_map(|(n, (kind, subject))| track.take(&event(n, kind, subject, "{}"))).count();
            assert_eq!(before.len() + after, whole.len(), "cut at {cut}");
        }
    }

    #[test]
    fn what_a_sheet_names_stays_in() {
        let (ends, track) = told(&STORY);
        assert!(ends.iter().all(|end| !end.contains("S-001")), "{ends:?}");
        assert_eq!(track.step("a/S-001"), Some(Step { name: "a".into(), nth: 1, round: 1 }));
    }

    #[test]
    fn marks_do_not_grow_without_end() {
        let mut story = vec![("step_started", "a")];
        story.extend([("step_again", "a")].repeat(MARKS_MAX * 2));
        story.push(("step_failed", "a"));
        assert_eq!(told(&story).0, [format!("a#1.0 10 failed tool {MARKS_MAX}")]);
    }

    #[test]
    fn events_of_the_center_are_of_no_run() {
        assert!(is_of_a_run(&event(1, "run_submitted", "", "{}")));
        assert!(!is_of_a_run(&event(1, "analysis_started", "", "{}")));
    }
}
