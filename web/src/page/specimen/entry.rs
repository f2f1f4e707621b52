//! From a story's chapters to the entries of its page: time, rail, heading, words and margin notes.

use std::collections::BTreeSet;

use askama::filters::Safe;
use kentai_engine::qc::verdict::Verdict;
use kentai_engine::state::order::Stage;
use kentai_engine::view::center::HistoryView;
use kentai_engine::view::center::story::{Chapter, Story};
use kentai_workflows::diagnostic::Language;

use super::super::markup::Markup;
use super::super::say::Say;
use super::super::shape::Shape;
use super::super::stage;
use super::gates::Checks;
use super::text::{Text, path};
use super::words::Words;
use super::work::{FilesTold, StepRow};
use super::{chapter, work};

/// Whoever tells the story: what is told, how, and how much of it.
pub(super) struct Teller<'a> {
    pub(super) story: &'a Story,
    pub(super) say: &'a Say,
    pub(super) words: &'static Words,
}

impl Teller<'_> {
    pub(super) fn language(&self) -> Language {
        self.say.language
    }

    /// People from outside are told when, and nothing of how.
    pub(super) fn inside(&self) -> bool {
        !self.story.outside
    }
}

/// A decision as it was said.
pub(super) struct Said {
    pub(super) who: String,
    pub(super) what: String,
    pub(super) reason: String,
    pub(super) after: String,
}

/// A tube's spelling.
pub(super) struct Spelling {
    pub(super) label: &'static str,
    pub(super) code: String,
    pub(super) note: &'static str,
}

/// What an entry says.
#[derive(Default)]
pub(super) struct Told {
    pub(super) note: String,
    pub(super) shape: Option<Shape>,
    pub(super) paragraphs: Vec<Markup>,
    pub(super) spellings: Vec<Spelling>,
    pub(super) checks: Vec<Checks>,
    pub(super) said: Vec<Said>,
    pub(super) steps: Vec<StepRow>,
    pub(super) files: Vec<FilesTold>,
    /// Before who and which events.
    pub(super) margin: Vec<Markup>,
}

impl Told {
    pub(super) fn says(&mut self, text: Text) {
        if !text.is_empty() {
            self.paragraphs.push(text.done());
        }
    }
}

/// One entry.
pub(super) struct Entry {
    pub(super) id: String,
    pub(super) at: String,
    /// Empty when it is the day of the entry before.
    pub(super) date: String,
    pub(super) time: String,
    pub(super) heading: &'static str,
    pub(super) rail: &'static str,
    pub(super) mark: Markup,
    pub(super) told: Told,
    pub(super) margin: Vec<Markup>,
}

/// The story's entries; what comes next is the last.
pub(super) fn entries(teller: &Teller<'_>, next: Option<Entry>) -> Vec<Entry> {
    let chapters = &teller.story.chapters;
    let mut day = String::new();
    let mut entries = Vec::new();
    for (index, chapter) in chapters.iter().enumerate() {
        let following = chapters.get(index + 1);
        let last = following.is_none() && next.is_none();
        let returns = following.map_or(next.is_some(), |next| !next.siding);
        let rail = match (chapter.siding, last) {
            (false, true) => "end",
            (true, true) => "siding end",
            (true, false) if returns => "siding returns",
            (true, false) => "siding",
            (false, false) if following.is_some_and(|next| next.siding) => "leaves",
            (false, false) => "",
        };
        let date = teller.say.date(&chapter.at);
        let mut told = told(teller, chapter, following.is_none());
        let more = std::mem::take(&mut told.margin);
        entries.push(Entry {
            id: format!("e{}", index + 1),
            at: chapter.at.clone(),
            date: if date == day { String::new() } else { date.clone() },
            time: teller.say.time(&chapter.at),
            heading: heading(teller, chapter),
            rail,
            mark: told.shape.map_or_else(ring, Shape::svg),
            margin: margin(teller, chapter, more),
            told,
        });
        day = date;
    }
    entries.extend(next);
    entries
}

fn heading(teller: &Teller<'_>, chapter: &Chapter) -> &'static str {
    match chapter.stage() {
        Some(Stage::Offered) if !chapter.then.is_empty() => teller.say.pick("Offered, then delivered", "提供、送達"),
        Some(stage) => stage::name(stage, teller.language()),
        None => "–",
    }
}

fn told(teller: &Teller<'_>, chapter: &Chapter, newest: bool) -> Told {
    let mut told = match chapter.stage() {
        Some(Stage::Analyzing | Stage::AnalysisFailed) => work::analysis(teller, chapter),
        Some(Stage::AnalysisQcFailed | Stage::ReleaseReview) => work::judged(teller, chapter),
        Some(Stage::Released) => work::released(teller, chapter),
        Some(Stage::Offered | Stage::Delivered | Stage::Acknowledged | Stage::Refused | Stage::Recalled) => {
            work::handed_off(teller, chapter)
        }
        _ => chapter::told(teller, chapter),
    };
    if chapter.round > 1 && told.note.is_empty() {
        told.note = teller.say.pick(format!("round {}", chapter.round), format!("{}巡目", chapter.round));
    }
    let worst = told.checks.iter().filter_map(Checks::worst).max_by_key(|verdict| rank(*verdict));
    told.shape = told.shape.or_else(|| match chapter.stage()? {
        Stage::AnalysisQcFailed | Stage::ReleaseReview => match worst {
            Some(Verdict::Fail) => Some(Shape::Failed),
            Some(Verdict::NotMeasured) => Some(Shape::Needs),
            Some(Verdict::Warn) => Some(Shape::Warned),
            Some(Verdict::Pass) => Some(Shape::Passed),
            None if newest => Some(Shape::Needs),
            None => None,
        },
        Stage::SequenceQcFailed | Stage::AnalysisFailed | Stage::Rejected | Stage::Refused | Stage::ClosedFailed => {
            Some(Shape::Failed)
        }
        Stage::AwaitingTopUp | Stage::AwaitingMaterial => Some(Shape::Waiting),
        Stage::Sequenced => (chapter.until.is_some()).then_some(Shape::Passed),
        Stage::Released | Stage::Acknowledged => Some(Shape::Passed),
        Stage::Recalled | Stage::Withdrawn | Stage::Canceled => Some(Shape::Canceled),
        _ => None,
    });
    chapter::asides(teller, chapter, &mut told);
    told
}

fn rank(verdict: Verdict) -> usize {
    Verdict::ALL.iter().position(|other| *other == verdict).unwrap_or(0)
}

/// The plain ring of a stage without a verdict.
fn ring() -> Markup {
    Safe(
        r#"<svg class="shape ring" viewBox="0 0 16 16" aria-hidden="true"><circle cx="8" cy="8" r="5.5"/></svg>"#
            .into(),
    )
}

/// Who, which events, and what the entry adds.
fn margin(teller: &Teller<'_>, chapter: &Chapter, more: Vec<Markup>) -> Vec<Markup> {
    let mut notes = Vec::new();
    if let Some(who) = who(teller, &chapter.events) {
        notes.push(who);
    }
    notes.extend(more);
    notes.extend(numbers(teller, &chapter.events));
    notes
}

fn who(teller: &Teller<'_>, events: &[HistoryView]) -> Option<Markup> {
    let mut people: Vec<(&str, &str)> = Vec::new();
    for event in events.iter().filter(|event| !event.actor.is_empty() && event.actor != "engine") {
        if !people.iter().any(|(name, _)| *name == event.actor) {
            people.push((&event.actor, &event.role));
        }
    }
    if people.is_empty() {
        return events
            .iter()
            .any(|event| event.actor == "engine")
            .then(|| Text::default().bold(teller.words.engine).done());
    }
    let shell_words = super::super::words::Words::of(teller.language());
    let mut text = Text::default();
    for (index, (name, role)) in people.into_iter().take(4).enumerate() {
        let role = shell_words.role(role);
        text = text.text(if index > 0 { teller.say.pick("; ", "、") } else { "" }).bold(name);
        if !role.is_empty() {
            text = text.text(&teller.say.pick(format!(", {role}"), format!("（{role}）")));
        }
    }
    Some(text.done())
}

/// `event 23`, `events 24 to 26`: their numbers in the whole log, by which an export is looked up.
fn numbers(teller: &Teller<'_>, events: &[HistoryView]) -> Option<Markup> {
    let seqs: BTreeSet<i64> = events.iter().map(|event| event.seq).collect();
    let (first, last) = (*seqs.first()?, *seqs.last()?);
    if !teller.inside() {
        return None;
    }
    let count = i64::try_from(seqs.len()).unwrap_or(i64::MAX);
    let say = teller.say;
    let (from, to) = (say.count(first), say.count(last));
    let words = match (count, last - first + 1 == count) {
        (1, _) => say.pick(format!("event {from}"), format!("記録 {from}")),
        (2, false) => say.pick(format!("events {from}, {to}"), format!("記録 {from}、{to}")),
        (_, true) => say.pick(format!("events {from} to {to}"), format!("記録 {from}～{to}")),
        (_, false) => say.pick(
            format!("{} events, {from} to {to}", say.count(count)),
            format!("記録 {from}～{to}のうち{}件", say.count(count)),
        ),
    };
    let href = format!("{}?after={}", path(&["specimens", &teller.story.known.specimen.id, "events"]), first - 1);
    Some(Text::default().link(&href, &words).done())
}
