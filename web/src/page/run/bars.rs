//! The timeline of a run and what it took: bars of a few tasks of each step, or the same as a table.

use std::collections::BTreeMap;

use kentai_engine::view::run_sheet::{Bar as Attempt, StepTally, TaskState};

use super::graph::{gate_words, heads, needs, of_step, shape};
use super::words::Words;
use super::{LANES, Seen};
use crate::page::chart::timeline::{self, Bar, Kind, Row, Timeline};
use crate::page::markup::Markup;
use crate::page::shape::{Shape, State};
use crate::page::shell::Shell;

/// The section.
pub(super) struct Bars {
    pub(super) note: String,
    pub(super) drawn: Option<Markup>,
    pub(super) table: Vec<Line>,
    pub(super) other: String,
    pub(super) other_word: &'static str,
}

/// A step of the table twin.
pub(super) struct Line {
    pub(super) state: State,
    pub(super) name: String,
    pub(super) href: String,
    pub(super) from: String,
    pub(super) to: String,
    pub(super) attempts: String,
    pub(super) failed: String,
    pub(super) took: String,
    pub(super) waits: String,
}

/// What the drawn attempts of one step asked for and used.
pub(super) struct Resource {
    pub(super) step: String,
    pub(super) attempts: String,
    pub(super) cpus: String,
    pub(super) cpu_time: String,
    pub(super) asked: String,
    pub(super) peak: String,
    pub(super) ran: String,
}

/// A step in time.
struct Span {
    from: i64,
    to: i64,
}

pub(super) fn bars(
    seen: &Seen,
    drawn: &[Attempt],
    (shell, words): (&Shell, &'static Words),
    (now, as_table): (i64, bool),
) -> Bars {
    let id = &seen.sheet.run.id;
    let other = if as_table { format!("/runs/{id}#timeline") } else { format!("/runs/{id}?timeline=table#timeline") };
    let other_word = if as_table { words.as_chart } else { words.as_table };
    let cut = note(seen, drawn, words);
    let note = if cut.is_empty() {
        words.timeline_note.to_owned()
    } else {
        format!("{}{}{cut}", words.timeline_note, words.pick("; ", "・"))
    };
    let by_step = by_step(drawn);
    let spans = spans(seen, &by_step, now);
    let table = if as_table { table(seen, &by_step, &spans, (shell, words)) } else { Vec::new() };
    let drawn = (!as_table).then(|| timeline::svg(&line(seen, &by_step, &spans, (shell, words), now)));
    Bars { note, drawn, table, other, other_word }
}

/// Of a step with more tasks than lanes only some are drawn: said, not hidden.
pub(super) fn note(seen: &Seen, drawn: &[Attempt], words: &'static Words) -> String {
    let cut = seen.sheet.steps.iter().any(|step| step.counts.total() > LANES);
    if !cut || drawn.is_empty() {
        return String::new();
    }
    words.pick(format!("at most {LANES} tasks of a step"), format!("1ステップにつき最大{LANES}件"))
}

fn by_step(drawn: &[Attempt]) -> BTreeMap<&str, Vec<&Attempt>> {
    let mut by_step: BTreeMap<&str, Vec<&Attempt>> = BTreeMap::new();
    for bar in drawn {
        let key = bar.attempt.step.as_str();
        by_step.entry(key.split_once('/').map_or(key, |(step, _)| step)).or_default().push(bar);
    }
    by_step
}

fn began(bar: &Attempt) -> i64 {
    bar.started_us.unwrap_or(bar.created_us)
}

/// When each step was at work. What is no tool begins when the last step before it has ended.
fn spans(seen: &Seen, by_step: &BTreeMap<&str, Vec<&Attempt>>, now: i64) -> BTreeMap<String, Span> {
    let needs = needs(seen);
    let mut spans: BTreeMap<String, Span> = BTreeMap::new();
    for step in &seen.sheet.steps {
        let attempts = by_step.get(step.step.as_str());
        let open = step.counts.of(TaskState::Running) + step.counts.of(TaskState::Needs) > 0;
        let span = match attempts.filter(|attempts| !attempts.is_empty()) {
            Some(attempts) => {
                let from = attempts.iter().map(|bar| began(bar)).min().unwrap_or(now);
                let ended = attempts.iter().filter_map(|bar| bar.ended_us).max().unwrap_or(now);
                Span { from, to: if open || step.again > 0 { now } else { ended.max(step.last_us.min(now)) } }
            }
            None if step.counts.of(TaskState::Waiting) > 0 && !open => continue,
            None => {
                let before = needs.get(&step.step).into_iter().flatten().filter_map(|name| spans.get(name));
                let from = before.map(|span| span.to).max().unwrap_or(seen.sheet.created_us).min(step.last_us);
                Span { from, to: if open { now } else { step.last_us } }
            }
        };
        spans.insert(step.step.clone(), span);
    }
    spans
}

fn line(
    seen: &Seen,
    by_step: &BTreeMap<&str, Vec<&Attempt>>,
    spans: &BTreeMap<String, Span>,
    (shell, words): (&Shell, &'static Words),
    now: i64,
) -> Timeline {
    let open = !seen.sheet.run.status.is_end();
    let last = spans.values().map(|span| span.to).max().unwrap_or(now);
    let from = spans.values().map(|span| span.from).min().unwrap_or(seen.sheet.created_us);
    let to = if open { now } else { last }.max(from + 1);
    let end = timeline::axis_end(from, to, open);
    let step = timeline::step(end - from);
    let ticks = timeline::ticks(from, end, shell.say.ahead(from))
        .into_iter()
        .map(|at| (at, shell.say.tick(at, step)))
        .collect();
    let rows = seen.sheet.steps.iter().map(|tally| row(seen, tally, (by_step, spans), (shell, words), now)).collect();
    Timeline {
        title: words.timeline.to_owned(),
        description: words.timeline_note.to_owned(),
        from,
        to,
        now: open.then(|| shell.say.tick(now, step.min(3_600))),
        ticks,
        rows,
    }
}

fn row(
    seen: &Seen,
    tally: &StepTally,
    (by_step, spans): (&BTreeMap<&str, Vec<&Attempt>>, &BTreeMap<String, Span>),
    (shell, words): (&Shell, &'static Words),
    now: i64,
) -> Row {
    let span = spans.get(&tally.step);
    let head = heads(seen).get(tally.step.as_str()).copied();
    let attempts = by_step.get(tally.step.as_str()).map(Vec::as_slice).unwrap_or_default();
    let mut bars: Vec<Bar> = attempts.iter().map(|bar| drawn(bar, now)).collect();
    bars.extend(again(tally, attempts, now));
    let mut mark = None;
    let gate = head.and_then(|head| head.gate.as_ref());
    if let Some(span) = span {
        let shape = shape(tally, head);
        if let Some(gate) = gate {
            mark = Some((span.to, shape, gate_words(gate, words)));
        } else if shape == Shape::Needs {
            bars.push(Bar { from: span.from, to: span.to, kind: Kind::Running });
            mark = Some((span.to, shape, shape.word(shell.language()).to_owned()));
        } else if shape == Shape::Failed {
            let tried = i64::try_from(attempts.len()).unwrap_or(0);
            let said = if tally.scattered || tried == 0 {
                shape.word(shell.language()).to_owned()
            } else {
                words.pick(format!("{tried} attempts"), format!("{tried}回試行"))
            };
            mark = Some((span.to, shape, said));
        } else if attempts.is_empty() && shape != Shape::Canceled {
            let kind = if shape == Shape::Running { Kind::Running } else { Kind::Done };
            bars.push(Bar { from: span.from, to: span.to, kind });
        }
    }
    Row {
        name: tally.step.clone(),
        href: of_step(seen, &tally.step),
        bars,
        mark,
        waits: if span.is_none() { waits(seen, tally, words) } else { String::new() },
        took: span.map(|span| shell.say.duration((span.to - span.from) / 1_000_000)).unwrap_or_default(),
    }
}

/// For which steps it waits, as far as they are not done.
fn waits(seen: &Seen, tally: &StepTally, words: &'static Words) -> String {
    let needs = needs(seen);
    let open = |name: &&String| {
        let step = seen.sheet.steps.iter().find(|step| step.step == **name);
        step.is_none_or(|step| step.counts.done() < step.counts.total())
    };
    let names: Vec<String> = needs.get(&tally.step).into_iter().flatten().filter(open).cloned().collect();
    if names.is_empty() || tally.counts.of(TaskState::Waiting) == 0 { String::new() } else { words.waits_for(&names) }
}

/// The waits of tasks that will be tried again: of each whose newest attempt failed, where none of the step was given up.
fn again(tally: &StepTally, attempts: &[&Attempt], now: i64) -> Vec<Bar> {
    if tally.again == 0 || tally.counts.of(TaskState::Failed) > 0 {
        return Vec::new();
    }
    let mut newest: BTreeMap<&str, &Attempt> = BTreeMap::new();
    for bar in attempts {
        newest.insert(bar.attempt.step.as_str(), bar);
    }
    let waits = newest.values().filter(|bar| bar.attempt.status == "failed").filter_map(|bar| bar.ended_us);
    waits.map(|ended| Bar { from: ended, to: now.max(ended), kind: Kind::Again }).collect()
}

/// Its bar.
fn drawn(bar: &Attempt, now: i64) -> Bar {
    let kind = match (bar.attempt.status.as_str(), bar.ended_us) {
        ("failed" | "quarantined", _) => Kind::Failed,
        (_, Some(_)) => Kind::Done,
        (_, None) => Kind::Running,
    };
    Bar { from: began(bar), to: bar.ended_us.unwrap_or(now).max(began(bar)), kind }
}

fn table(
    seen: &Seen,
    by_step: &BTreeMap<&str, Vec<&Attempt>>,
    spans: &BTreeMap<String, Span>,
    (shell, words): (&Shell, &'static Words),
) -> Vec<Line> {
    let heads = heads(seen);
    let line = |tally: &StepTally| {
        let attempts = by_step.get(tally.step.as_str()).map(Vec::as_slice).unwrap_or_default();
        let failed = attempts.iter().filter(|bar| bar.attempt.status == "failed").count();
        let span = spans.get(&tally.step);
        let count = |number: usize| shell.say.count(i64::try_from(number).unwrap_or(i64::MAX));
        Line {
            state: shape(tally, heads.get(tally.step.as_str()).copied()).state(shell.language()),
            name: tally.step.clone(),
            href: of_step(seen, &tally.step),
            from: span.map(|span| shell.say.tick(span.from, 1)).unwrap_or_default(),
            to: span.map(|span| shell.say.tick(span.to, 1)).unwrap_or_default(),
            attempts: count(attempts.len()),
            failed: count(failed),
            took: span.map(|span| shell.say.duration((span.to - span.from) / 1_000_000)).unwrap_or_default(),
            waits: if span.is_none() { waits(seen, tally, words) } else { String::new() },
        }
    };
    seen.sheet.steps.iter().map(line).collect()
}

/// What the drawn attempts took, by step.
pub(super) fn resources(seen: &Seen, drawn: &[Attempt], shell: &Shell) -> Vec<Resource> {
    let by_step = by_step(drawn);
    let say = &shell.say;
    let resource = |tally: &StepTally| {
        let attempts = by_step.get(tally.step.as_str())?;
        let most = |of: &dyn Fn(&Attempt) -> Option<u64>| attempts.iter().filter_map(|bar| of(bar)).max();
        let asked = most(&|bar| bar.attempt.memory_bytes.filter(|bytes| *bytes > 0));
        let cpu_ms: u64 = attempts.iter().filter_map(|bar| bar.attempt.cpu_ms).sum();
        let ran_ms: i64 = attempts.iter().filter_map(|bar| bar.attempt.duration_ms).sum();
        Some(Resource {
            step: tally.step.clone(),
            attempts: say.count(i64::try_from(attempts.len()).unwrap_or(i64::MAX)),
            cpus: most(&|bar| bar.attempt.cpus.map(u64::from)).map(|cpus| cpus.to_string()).unwrap_or_default(),
            cpu_time: say.duration(i64::try_from(cpu_ms / 1_000).unwrap_or(i64::MAX)),
            asked: asked.map_or_else(|| say.pick("no limit", "上限なし").to_owned(), |bytes| say.memory(bytes)),
            peak: most(&|bar| bar.attempt.max_rss_bytes).map(|bytes| say.memory(bytes)).unwrap_or_default(),
            ran: say.duration(ran_ms / 1_000),
        })
    };
    seen.sheet.steps.iter().filter_map(resource).collect()
}
