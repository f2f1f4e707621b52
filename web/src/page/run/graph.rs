//! The steps of a run: as a graph, and as a list that says the same.

use std::collections::BTreeMap;

use kentai_engine::store::rows::detail::{GateReport, Verdict};
use kentai_engine::view::StepView;
use kentai_engine::view::run_sheet::{StepTally, TaskState, is_warned};
use kentai_workflows::graph::drawing;
use kentai_workflows::workflow::StepKind;

use super::words::Words;
use super::{Seen, url};
use crate::page::chart::dag;
use crate::page::markup::Markup;
use crate::page::say::Say;
use crate::page::shape::{Shape, State};
use crate::page::shell::Shell;

/// The section.
pub(super) struct Steps {
    pub(super) note: String,
    pub(super) drawn: Option<Markup>,
    pub(super) list: Vec<Item>,
    pub(super) other: String,
    pub(super) other_word: &'static str,
}

/// A step of the list.
pub(super) struct Item {
    pub(super) state: State,
    pub(super) name: String,
    pub(super) href: String,
    pub(super) words: String,
    pub(super) after: String,
    pub(super) value: String,
}

/// Both; `as_list`: which is wanted.
pub(super) fn steps(seen: &Seen, (shell, words): (&Shell, &'static Words), as_list: bool) -> Steps {
    let id = &seen.sheet.run.id;
    let all = shell.say.count(i64::try_from(seen.sheet.steps.len()).unwrap_or(i64::MAX));
    let note = format!("{}{}{}", shell.words.of_all(&all, &all), words.pick("; ", "・"), words.steps_note);
    let other = if as_list { format!("/runs/{id}#steps") } else { format!("/runs/{id}?steps=list#steps") };
    let other_word = if as_list { words.as_graph } else { words.as_list };
    let drawn = if as_list { None } else { drawn(seen, (shell, words)) };
    let list = if drawn.is_some() { Vec::new() } else { list(seen, (shell, words)) };
    Steps { note, drawn, list, other, other_word }
}

fn drawn(seen: &Seen, (shell, words): (&Shell, &'static Words)) -> Option<Markup> {
    let workflow = seen.workflow.as_ref()?;
    let drawing = drawing(workflow);
    let heads = heads(seen);
    let nodes: Vec<dag::Node> = workflow
        .steps
        .iter()
        .map(|step| {
            let tally = seen.sheet.steps.iter().find(|tally| tally.step == step.id);
            let head = heads.get(step.id.as_str()).copied();
            dag::Node {
                name: step.id.clone(),
                words: tally.map_or_else(String::new, |tally| said(tally, head, (&shell.say, words))),
                below: head.and_then(|head| head.gate.as_ref()).map(|gate| gate_words(gate, words)).unwrap_or_default(),
                shape: Some(tally.map_or(Shape::Waiting, |tally| shape(tally, head))),
                gate: matches!(step.kind, StepKind::Gate(_)),
                segments: tally.map(segments).unwrap_or_default(),
                href: of_step(seen, &step.id),
            }
        })
        .collect();
    let description = words.pick(
        "Steps from left to right, in the order in which data passes.",
        "データの流れる順に左から右へ並べたステップ。",
    );
    Some(dag::svg(&dag::Graph {
        title: words.steps.to_owned(),
        description: description.to_owned(),
        nodes,
        spots: drawing.spots,
        lines: drawing.edges.into_iter().map(|(edge, way)| (edge.from, edge.to, way)).collect(),
    }))
}

fn list(seen: &Seen, (shell, words): (&Shell, &'static Words)) -> Vec<Item> {
    let heads = heads(seen);
    let needs = needs(seen);
    let item = |tally: &StepTally| {
        let head = heads.get(tally.step.as_str()).copied();
        let shape = shape(tally, head);
        let after = needs.get(tally.step.as_str()).map(|names| names.join(", ")).unwrap_or_default();
        Item {
            state: shape.state(shell.language()),
            name: tally.step.clone(),
            href: of_step(seen, &tally.step),
            words: if tally.scattered { said(tally, head, (&shell.say, words)) } else { String::new() },
            after: if after.is_empty() {
                after
            } else {
                words.pick(format!("after {after}"), format!("{after} のあと"))
            },
            value: head.and_then(|head| head.gate.as_ref()).map(|gate| gate_words(gate, words)).unwrap_or_default(),
        }
    };
    seen.sheet.steps.iter().map(item).collect()
}

/// Step id → the row of the step itself.
pub(super) fn heads(seen: &Seen) -> BTreeMap<&str, &StepView> {
    seen.sheet.heads.iter().map(|head| (head.step.as_str(), head)).collect()
}

/// Step id → the steps that it waits for, as the drawing has them.
pub(super) fn needs(seen: &Seen) -> BTreeMap<String, Vec<String>> {
    let mut needs: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let Some(workflow) = &seen.workflow else { return needs };
    for (edge, _) in drawing(workflow).edges {
        let (from, to) = (&workflow.steps[edge.from].id, &workflow.steps[edge.to].id);
        needs.entry(to.clone()).or_default().push(from.clone());
    }
    needs
}

/// Tasks of a step, on this page.
pub(super) fn of_step(seen: &Seen, step: &str) -> String {
    format!("/runs/{}?step={}#tasks", seen.sheet.run.id, url(step))
}

/// The worst of its tasks; one that still has some to do is running or waiting.
pub(super) fn shape(tally: &StepTally, head: Option<&StepView>) -> Shape {
    let counts = &tally.counts;
    let has = |state| counts.of(state) > 0;
    if has(TaskState::Failed) {
        Shape::Failed
    } else if has(TaskState::Needs) {
        Shape::Needs
    } else if has(TaskState::Running) || (has(TaskState::Waiting) && counts.of(TaskState::Passed) > 0) {
        Shape::Running
    } else if has(TaskState::Waiting) {
        Shape::Waiting
    } else if has(TaskState::Warned) || head.is_some_and(is_warned) {
        Shape::Warned
    } else if has(TaskState::Passed) {
        Shape::Passed
    } else if head.is_some_and(|head| head.status == "succeeded") {
        // A list without items is done.
        Shape::Passed
    } else {
        Shape::Canceled
    }
}

/// One line: a state in words, or how many of its items are done.
fn said(tally: &StepTally, head: Option<&StepView>, (say, words): (&Say, &'static Words)) -> String {
    let counts = &tally.counts;
    if tally.scattered {
        return words.done_of(&say.count(counts.done()), &say.count(counts.total()), tally.again);
    }
    let shape = shape(tally, head);
    match head {
        Some(head) if shape == Shape::Failed && head.attempts > 0 => words.failed_after(head.attempts),
        Some(head) if head.status == "skipped" => words.pick("Not needed", "不要").to_owned(),
        Some(head) if tally.again > 0 => words
            .pick(format!("Retrying, attempt {}", head.attempts + 1), format!("{}回目の試行待ち", head.attempts + 1)),
        _ => shape.word(say.language).to_owned(),
    }
}

fn segments(tally: &StepTally) -> Vec<(Shape, i64)> {
    if !tally.scattered {
        return Vec::new();
    }
    let order = [
        TaskState::Passed,
        TaskState::Warned,
        TaskState::Canceled,
        TaskState::Running,
        TaskState::Needs,
        TaskState::Failed,
        TaskState::Waiting,
    ];
    order.iter().map(|state| (Words::shape(*state), tally.counts.of(*state))).collect()
}

/// `q30 83.1 %, warn below 85`: the check that says most, with the limit that it did not reach.
pub(super) fn gate_words(gate: &GateReport, words: &'static Words) -> String {
    let Some(check) = gate.checks.iter().max_by_key(|check| check.verdict) else { return String::new() };
    let value =
        check.value.map_or_else(|| words.pick("not measured", "未測定").to_owned(), |value| number(value, &check.unit));
    let limit = match check.verdict {
        Verdict::Pass => String::new(),
        Verdict::Warn | Verdict::Fail | Verdict::NotMeasured => {
            let pass = comparison(&check.pass);
            words.pick(format!(", pass {pass}"), format!("、合格 {pass}"))
        }
    };
    format!("{} {value}{limit}", check.metric)
}

/// A comparison as it is printed: `≥ 85`.
pub(super) fn comparison(text: &str) -> String {
    text.replace(">=", "≥").replace("<=", "≤").replace(' ', "\u{a0}")
}

/// As measured, with at most four digits behind the point.
pub(super) fn number(value: f64, unit: &str) -> String {
    let text = format!("{value:.4}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    if unit.is_empty() { text.to_owned() } else { format!("{text}\u{a0}{unit}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_is_printed_as_people_write_it() {
        assert_eq!(comparison(">= 0.85"), "≥\u{a0}0.85");
        assert_eq!(comparison("< 3"), "<\u{a0}3");
    }

    #[test]
    fn a_value_says_no_more_digits_than_it_has() {
        assert_eq!(number(83.1, "%"), "83.1\u{a0}%");
        assert_eq!(number(31.0, ""), "31");
        assert_eq!(number(0.123_456, "x"), "0.1235\u{a0}x");
    }
}
