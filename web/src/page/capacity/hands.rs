//! The rows of executors: what each takes, runs and says, and who drained it.

use kentai_engine::scheduler::post::Standing;

use super::Capacity;
use super::count;
use super::machine::Hands;
use super::words::Words;
use crate::page::control::segment;
use crate::page::shape::{Shape, State as Shown};
use crate::page::shell::Shell;

pub(super) struct Row {
    pub(super) state: Shown,
    /// Beside the state: by whom, since when.
    pub(super) beside: String,
    pub(super) name: String,
    pub(super) kind: &'static str,
    pub(super) labels: String,
    pub(super) caps: String,
    pub(super) running: String,
    pub(super) other: String,
    pub(super) waiting: String,
    pub(super) cpus: String,
    pub(super) memory: String,
    pub(super) said: String,
    /// Where it is drained or resumed, and what that is called.
    pub(super) act: Option<(String, &'static str)>,
}

pub(super) fn rows(found: &Capacity, standings: &[Standing], may: bool, words: &Words, shell: &Shell) -> Vec<Row> {
    let one = |hands: &Hands| {
        let taken = found.taken.iter().find(|taken| taken.executor == hands.name).cloned().unwrap_or_default();
        let standing = standings.iter().find(|standing| standing.name == hands.name);
        let (state, beside) = state(hands, standing, words, shell);
        let drained = standing.is_some_and(|standing| standing.drained_by.is_some());
        let (what, label) = if drained { ("resume", words.resume) } else { ("drain", words.drain) };
        Row {
            state,
            beside,
            name: hands.name.clone(),
            kind: hands.kind,
            labels: standing.map(|standing| labels(standing, words, shell)).unwrap_or_default(),
            caps: standing.map(|standing| caps(standing, words, shell)).unwrap_or_default(),
            running: count(taken.running, shell),
            other: count(taken.other, shell),
            waiting: count(standing.map_or(0, |standing| i64::try_from(standing.waiting).unwrap_or(i64::MAX)), shell),
            cpus: count(taken.cpus, shell),
            memory: shell.say.memory(u64::try_from(taken.memory_bytes).unwrap_or(0)),
            said: hands.said.clone(),
            act: may.then(|| (format!("/capacity/act?executor={}&what={what}", segment(&hands.name)), label)),
        }
    };
    found.hands.iter().map(one).collect()
}

fn state(hands: &Hands, standing: Option<&Standing>, words: &Words, shell: &Shell) -> (Shown, String) {
    let at = |at_us: Option<i64>| {
        at_us.map(|at_us| shell.say.date_time(&shell.say.stamp(at_us)).to_string()).unwrap_or_default()
    };
    if let Some(standing) = standing
        && let Some(by) = &standing.drained_by
    {
        let beside = words.drained_by(by, &at(standing.drained_since_us), &standing.drained_because);
        return (Shape::Waiting.called(words.drained), beside);
    }
    let away = standing.filter(|standing| standing.away_since_us.is_some());
    if !hands.reachable || away.is_some() {
        let beside = away.map(|away| words.away_since(&at(away.away_since_us))).unwrap_or_default();
        return (Shape::Failed.called(words.silent), beside);
    }
    if standing.is_some_and(|standing| standing.idle) {
        return (Shape::Waiting.called(words.idle_hands), String::new());
    }
    let failed = standing.and_then(|standing| standing.failed_us);
    let beside = failed.map(|failed| words.failed_last(&at(Some(failed)))).unwrap_or_default();
    (Shape::Passed.called(words.reachable), beside)
}

fn labels(standing: &Standing, words: &Words, shell: &Shell) -> String {
    let labels: Vec<&str> = standing.labels.iter().map(String::as_str).collect();
    let labels = labels.join(shell.say.pick(", ", "・"));
    if standing.only_labelled {
        format!("{labels}{}", shell.say.pick("; ", "・")) + words.only_labelled
    } else {
        labels
    }
}

fn caps(standing: &Standing, words: &Words, shell: &Shell) -> String {
    let number = |number: usize| count(i64::try_from(number).unwrap_or(i64::MAX), shell);
    let all = [
        (standing.steps_max > 0).then(|| words.steps_max(&number(standing.steps_max))),
        (standing.cpus_max > 0).then(|| words.cpus_max(&count(standing.cpus_max.into(), shell))),
        (standing.memory_bytes_max > 0).then(|| shell.say.memory(standing.memory_bytes_max)),
    ];
    all.into_iter().flatten().collect::<Vec<_>>().join(shell.say.pick(", ", "・"))
}
