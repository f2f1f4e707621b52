//! Chapters: from the events of a specimen and its order line to the headings of its story. Pure.

use serde::Serialize;

use crate::clock::Micros;
use crate::state::order::{Event, Stage};
use crate::view::center::record::HistoryView;

/// An event with its time as a number, until it has found its chapter.
#[derive(Clone, Debug)]
pub struct EventTold {
    at_us: Micros,
    pub(super) told: HistoryView,
}

impl EventTold {
    pub(super) fn new(at_us: Micros, told: HistoryView) -> Self {
        Self { at_us, told }
    }
}

/// One heading of a story, with everything that was written down under it.
#[derive(Clone, Debug, Serialize)]
pub struct Chapter {
    /// The stage that was reached.
    pub stage: String,
    /// By what.
    pub event: String,
    /// When.
    pub at: String,
    /// In which round of the order line.
    pub round: i64,
    /// Off the line: something must be decided, or come, before it goes on.
    pub siding: bool,
    /// Stages that were reached in it as well, each with its time: offered, then delivered.
    pub then: Vec<(String, String)>,
    /// When the next one began.
    pub until: Option<String>,
    /// In the order of the log.
    pub events: Vec<HistoryView>,
    #[serde(skip)]
    from_us: Micros,
}

impl Chapter {
    /// What the event said that opened it; null for people from outside.
    #[must_use]
    pub fn opened(&self) -> Option<&HistoryView> {
        self.events.iter().find(|event| event.kind == self.event)
    }

    /// The first of its events of this kind.
    #[must_use]
    pub fn said(&self, kind: &str) -> Option<&HistoryView> {
        self.events.iter().find(|event| event.kind == kind)
    }

    /// Where it stands, in the words of [`Stage`].
    #[must_use]
    pub fn stage(&self) -> Option<Stage> {
        Stage::parse(&self.stage)
    }
}

/// A stage from which the line is left: it comes back to it, or ends there.
fn is_siding(stage: Stage) -> bool {
    matches!(
        stage,
        Stage::Rejected
            | Stage::SequenceQcFailed
            | Stage::AwaitingTopUp
            | Stage::AwaitingMaterial
            | Stage::AnalysisFailed
            | Stage::AnalysisQcFailed
            | Stage::Refused
            | Stage::Recalled
            | Stage::ClosedFailed
            | Stage::Withdrawn
            | Stage::Canceled
    )
}

/// The chapters of a story: `events` in the log's order, those of the order line named `line` open chapters, the others are told in the
/// chapter of their time.
pub(super) fn chapters(events: Vec<EventTold>, line: &str) -> Vec<Chapter> {
    let stream = format!("order_line:{line}");
    let (own, others): (Vec<_>, Vec<_>) = events.into_iter().partition(|event| event.told.of == stream);
    let mut chapters = if line.is_empty() { Vec::new() } else { opened(own) };
    for event in others {
        // Without an order a specimen still arrives.
        if let (true, Some(stage)) = (line.is_empty(), without_order(&event.told.kind)) {
            open(&mut chapters, stage, 1, event);
            continue;
        }
        let place = place(&chapters, &event);
        match chapters.get_mut(place) {
            Some(chapter) => chapter.events.push(event.told),
            None => open(&mut chapters, Stage::Expected, 1, event),
        }
    }
    let begun: Vec<String> = chapters.iter().map(|chapter| chapter.at.clone()).collect();
    for (index, chapter) in chapters.iter_mut().enumerate() {
        chapter.until = begun.get(index + 1).cloned();
        chapter.events.sort_by_key(|event| event.seq);
    }
    chapters
}

fn without_order(kind: &str) -> Option<Stage> {
    match kind {
        "specimen_registered" => Some(Stage::Expected),
        "item_received" => Some(Stage::Received),
        "item_rejected" => Some(Stage::Rejected),
        _ => None,
    }
}

fn open(chapters: &mut Vec<Chapter>, stage: Stage, round: i64, event: EventTold) {
    chapters.push(Chapter {
        stage: stage.word().to_owned(),
        event: event.told.kind.clone(),
        at: event.told.at.clone(),
        round,
        siding: is_siding(stage),
        then: Vec::new(),
        until: None,
        from_us: event.at_us,
        events: vec![event.told],
    });
}

/// The order line's own events.
fn opened(events: Vec<EventTold>) -> Vec<Chapter> {
    let mut chapters: Vec<Chapter> = Vec::new();
    let (mut stage, mut round) = (Stage::Expected, 1);
    // What happened in no time at all on the way to the next heading is told there.
    let mut waiting: Vec<HistoryView> = Vec::new();
    let mut events = events.into_iter().peekable();
    while let Some(event) = events.next() {
        let happened = Event::parse(&event.told.kind);
        let next = happened.and_then(|happened| after(stage, happened));
        let first = chapters.is_empty() && waiting.is_empty() && next.is_none();
        let Some(next) = next.or(first.then_some(Stage::Expected)) else {
            match chapters.last_mut() {
                Some(chapter) => chapter.events.push(event.told),
                None => waiting.push(event.told),
            }
            continue;
        };
        stage = next;
        round += i64::from(happened.is_some_and(Event::opens_round));
        let follows = events.peek().and_then(|next| Some((Event::parse(&next.told.kind)?, next.at_us == event.at_us)));
        if is_passing(happened, follows) {
            waiting.push(event.told);
            continue;
        }
        // It goes on where it was: the siding's end is the next heading.
        let goes_on = happened == Some(Event::AnalysisQcWaived) && events.peek().is_some();
        let merged = happened == Some(Event::Delivered) && chapters.last().is_some_and(|last| last.stage == "offered");
        match chapters.last_mut() {
            Some(last) if goes_on || merged => {
                if merged {
                    last.then.push((stage.word().to_owned(), event.told.at.clone()));
                }
                last.events.push(event.told);
            }
            _ => {
                open(&mut chapters, stage, round, event);
                if let Some(last) = chapters.last_mut() {
                    last.events.append(&mut waiting);
                }
            }
        }
    }
    if let Some(last) = chapters.last_mut() {
        last.events.append(&mut waiting);
    }
    chapters
}

/// By the machine; people from outside miss events on the way, and are told where it stands all the same.
fn after(stage: Stage, event: Event) -> Option<Stage> {
    stage.next(event).ok().or_else(|| match event {
        Event::GivenUp => Some(Stage::ClosedFailed),
        other => Stage::parse(other.word()),
    })
}

/// A stage that was left in the moment in which it was reached, and that says nothing the next one does not say.
fn is_passing(event: Option<Event>, follows: Option<(Event, bool)>) -> bool {
    let Some((next, true)) = follows else { return false };
    match event {
        Some(Event::LabStarted) => true,
        Some(Event::Sequenced) => next == Event::SequenceQcFailed,
        // More data came without being asked for.
        Some(Event::TopUpRequested) => next == Event::Sequenced,
        _ => false,
    }
}

/// Where an event of something else is told: a decision under its question, the rest by its time.
fn place(chapters: &[Chapter], event: &EventTold) -> usize {
    if event.told.kind == "quality_decided" {
        let doc = &event.told.body["document"];
        let asked = |chapter: &Chapter| {
            doc["stage"] == chapter.stage.as_str() && doc["round"] == chapter.round && chapter.from_us <= event.at_us
        };
        if let Some(found) = chapters.iter().rposition(asked) {
            return found;
        }
    }
    // What was written down in the moment in which chapters began is told where it led to, or in the last of them.
    let led = |chapter: &Chapter| {
        chapter.from_us == event.at_us && chapter.opened().is_some_and(|opened| opened.seq > event.told.seq)
    };
    let before = || chapters.iter().rposition(|chapter| chapter.from_us <= event.at_us);
    chapters.iter().position(led).or_else(before).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn event(seq: i64, of: &str, at_us: Micros, kind: &str, body: serde_json::Value) -> EventTold {
        let told = HistoryView {
            seq,
            of: of.into(),
            n: seq,
            at: at_us.to_string(),
            kind: kind.into(),
            actor: "engine".into(),
            role: String::new(),
            body,
        };
        EventTold::new(at_us, told)
    }

    fn line(seq: i64, at_us: Micros, kind: &str) -> EventTold {
        event(seq, "order_line:O1", at_us, kind, json!({}))
    }

    fn short(chapters: &[Chapter]) -> Vec<(&str, i64, bool)> {
        chapters.iter().map(|chapter| (chapter.stage.as_str(), chapter.round, chapter.siding)).collect()
    }

    #[test]
    fn a_top_up_is_a_siding_that_comes_back() {
        let decision = json!({ "document": { "stage": "sequence_qc_failed", "round": 1, "way": "top_up" } });
        let told = chapters(
            vec![
                line(1, 10, "ordered"),
                line(2, 20, "received"),
                event(3, "item:SH/S1", 20, "item_received", json!({})),
                line(4, 30, "accessioned"),
                line(5, 40, "lab_started"),
                line(6, 40, "sequenced"),
                line(7, 40, "sequence_qc_failed"),
                event(8, "decision:q1", 50, "quality_decided", decision),
                line(9, 50, "top_up_requested"),
                event(10, "lane_library:R/1/S1", 60, "lane_arrived", json!({})),
                line(11, 60, "sequenced"),
                line(12, 60, "sequence_qc_passed"),
                line(13, 61, "analysis_started"),
            ],
            "O1",
        );
        let wanted = [
            ("expected", 1, false),
            ("received", 1, false),
            ("accessioned", 1, false),
            ("sequence_qc_failed", 1, true),
            ("awaiting_top_up", 2, true),
            ("sequenced", 2, false),
            ("ready", 2, false),
            ("analyzing", 2, false),
        ];
        assert_eq!(short(&told), wanted);
        let failed = &told[3];
        // What it was on the way, and the decision that is about it, though it was written down a moment later.
        let kinds: Vec<_> = failed.events.iter().map(|event| event.kind.as_str()).collect();
        assert_eq!(kinds, ["lab_started", "sequenced", "sequence_qc_failed", "quality_decided"]);
        assert_eq!(told[1].events.len(), 2, "the scan is told where the tube was received");
        assert_eq!(told[5].events.len(), 2, "the lane is told where it led to");
        assert_eq!(told[4].until.as_deref(), Some("60"));
    }

    #[test]
    fn no_event_is_lost_and_none_is_told_twice() {
        let all: Vec<_> = [
            "ordered",
            "received",
            "rejected",
            "held",
            "resumed",
            "accessioned",
            "decided",
            "offered",
            "delivered",
            "nonsense",
        ]
        .iter()
        .zip(1..)
        .map(|(kind, seq)| line(seq, seq, kind))
        .chain([
            event(11, "custody:S1/1", 3, "custody_moved", json!({})),
            event(12, "consent:c", 0, "consent_given", json!({})),
        ])
        .collect();
        let told = chapters(all, "O1");
        let mut seqs: Vec<i64> = told.iter().flat_map(|chapter| &chapter.events).map(|event| event.seq).collect();
        seqs.sort_unstable();
        assert_eq!(seqs, (1..=12).collect::<Vec<_>>());
        let last = told.last().expect("a chapter");
        assert_eq!((last.stage.as_str(), last.then[0].0.as_str()), ("offered", "delivered"));
    }

    #[test]
    fn a_specimen_that_nobody_ordered_anything_for_has_a_story_too() {
        let told = chapters(
            vec![
                event(1, "specimen:S1", 1, "specimen_registered", json!({})),
                event(2, "item:SH/S1", 2, "item_expected", json!({})),
                event(3, "item:SH/S1", 5, "item_received", json!({})),
            ],
            "",
        );
        assert_eq!(short(&told), [("expected", 1, false), ("received", 1, false)]);
    }

    #[test]
    fn a_gate_that_was_waived_gives_no_heading_of_its_own_but_at_the_end() {
        let begun = |more: &[&str]| {
            let kinds = [
                "ordered",
                "received",
                "accessioned",
                "lab_started",
                "sequencing_started",
                "sequenced",
                "sequence_qc_passed",
            ];
            let kinds =
                kinds.iter().chain(&["analysis_started", "analysis_qc_failed", "analysis_qc_waived"]).chain(more);
            chapters(kinds.zip(1..).map(|(kind, seq)| line(seq, seq, kind)).collect(), "O1")
        };
        assert_eq!(begun(&[]).last().expect("one").stage, "analyzing");
        let on = begun(&["review_asked"]);
        let stages: Vec<_> = on.iter().rev().take(3).map(|chapter| chapter.stage.as_str()).collect();
        assert_eq!(stages, ["release_review", "analysis_qc_failed", "analyzing"]);
    }
}
