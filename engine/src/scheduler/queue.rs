//! What waits to start, and for what: ready steps of the runs that are in memory, gathered by step and reason. It starts nothing.

use std::collections::BTreeMap;

use kentai_workflows::workflow::StepKind;

use super::handle::{Handle, Message, Refusal};
use super::house::House;
use super::live::{LiveAttempt, LiveRun};
use crate::clock::Micros;
use crate::decide::admit::{Lack, Request, rank};
use crate::decide::choose::Choice;
use crate::decide::forecast;
use crate::state::{run, step};
use crate::store::Error;
use crate::store::read::Reader;

/// Steps that wait for the same thing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waiting {
    /// The workflow's step; empty for runs that have not begun.
    pub step: String,
    /// How many.
    pub count: usize,
    /// For what.
    pub waits: Waits,
    /// How many others start before the first of them.
    pub ahead: usize,
    /// The run of the first of them; empty for runs that have not begun.
    pub run: String,
    /// When the oldest of their runs last changed, microseconds.
    pub since_us: Micros,
    /// When the first of them is likely to start, microseconds, by what like steps took; none: it cannot be told.
    pub starts_us: Option<Micros>,
}

/// For what something waits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Waits {
    /// Something that others have taken.
    Resource(Lack),
    /// Something that an executor has no more of its own.
    Executor {
        /// The site's name for it.
        name: String,
        /// What is missing there.
        lack: Lack,
    },
    /// The executors that may take it were drained.
    Drained {
        /// The first of them.
        name: String,
        /// By whom.
        by: String,
    },
    /// The executors that may take it do not answer.
    Away {
        /// The first of them.
        name: String,
    },
    /// Not before this time; the reason is the step's own.
    Time {
        /// Microseconds since the epoch.
        at_us: Micros,
        /// As the step says it.
        reason: String,
    },
    /// Its run is held.
    Held {
        /// By whom.
        by: String,
    },
    /// The whole site was stopped.
    Stopped {
        /// By whom.
        by: String,
    },
    /// No engine runs that would start anything.
    Engine,
    /// Consent does not allow it.
    Consent,
    /// Others of the same step that run: it is limited.
    Limit {
        /// At once.
        max: u32,
    },
    /// Nothing is missing: it is about to begin.
    Turn,
    /// It cannot be started as it is.
    Broken {
        /// Why.
        reason: String,
    },
}

/// What like steps took, by the workflow and the step's name, microseconds.
pub type Durations = BTreeMap<(String, String), Micros>;

/// Attempts that durations are taken from, the newest.
const LOOKED_AT: i64 = 1_000;

/// What the newest attempts of each step took on average, of those that came to their end well. It reads a measure of them: whoever asks
/// keeps it for a moment.
///
/// # Errors
/// When the database cannot be read.
pub async fn durations(reader: &Reader) -> Result<Durations, Error> {
    let rows = reader.resources_used(LOOKED_AT).await?.into_iter().filter(|row| row.count > 0 && row.took_us > 0);
    Ok(rows.map(|row| ((row.workflow_id, row.step), row.took_us / row.count)).collect())
}

impl Handle {
    /// What waits to start, over all runs that are looked at, in the order in which it will; and when, as far as `durations` tell.
    ///
    /// # Errors
    /// When the engine has stopped.
    pub async fn queue(&self, durations: Durations) -> Result<Vec<Waiting>, Refusal> {
        self.ask(|reply| Message::Queue(durations, reply)).await
    }
}

impl House {
    /// What waits, those that start first before the others. Runs that have not begun and are not in memory are the last.
    pub(super) fn waiting(&self, durations: &Durations) -> Vec<Waiting> {
        let open = |run: &&LiveRun| matches!(run.status, run::Status::Queued | run::Status::Running);
        let mut runs: Vec<&LiveRun> = self.runs.values().map(Box::as_ref).filter(open).collect();
        runs.sort_by_key(|run| rank(run.row.priority, run.row.steps_left, run.row.created_us, run.id.as_str()));
        let mut all: Vec<Waiting> = Vec::new();
        // What only waits for its part of the books, and which of `all` it is one of.
        let (mut wants, mut groups) = (Vec::new(), Vec::new());
        let mut ahead = 0;
        for run in runs {
            for (index, one) in run.steps.iter().enumerate().filter(|(_, one)| one.status == step::Status::Ready) {
                let (waits, chosen) = self.waits(run, index);
                let (name, since_us) = (&one.planned.step, run.row.updated_us);
                let group = match all.iter().position(|known| known.step == *name && known.waits == waits) {
                    Some(group) => {
                        let known = &mut all[group];
                        known.count += 1;
                        known.since_us = known.since_us.min(since_us);
                        group
                    }
                    None => {
                        let (step, run) = (name.clone(), run.id.to_string());
                        all.push(Waiting { step, count: 1, waits, ahead, run, since_us, starts_us: None });
                        all.len() - 1
                    }
                };
                if let (Some((request, _)), StepKind::Tool(tool)) = (chosen, &run.definition(index).kind) {
                    let at = self.takers(run, index, tool, request);
                    wants.push(forecast::Waits { at, request, takes_us: takes(durations, run, name) });
                    groups.push(group);
                }
                ahead += 1;
            }
        }
        for (start, group) in
            forecast::starts(self.books.clone(), self.under_way(durations), &wants, self.now).into_iter().zip(groups)
        {
            let one = &mut all[group];
            if matches!(one.waits, Waits::Resource(_) | Waits::Executor { .. }) && one.starts_us.is_none() {
                one.starts_us = start;
            }
        }
        if let Some((.., first)) = self.queue.first().zip(self.queue.iter().map(|(_, created, _)| created).min()) {
            let waits = self.stop_or(Waits::Turn);
            let (step, run, count) = (String::new(), String::new(), self.queue.len());
            all.push(Waiting { step, count, waits, ahead, run, since_us: *first, starts_us: None });
        }
        all
    }

    /// What has taken its part of the books, and when it is likely to give it back.
    fn under_way(&self, durations: &Durations) -> Vec<forecast::Running> {
        let taken = self.attempts.values().filter(|attempt| attempt.in_book);
        let ends = |attempt: &LiveAttempt| {
            let run = self.runs.get(&attempt.run)?;
            let takes = takes(durations, run, &run.steps.get(attempt.step)?.planned.step)?;
            Some(attempt.row.created_us.saturating_add(takes))
        };
        let under_way = |attempt: &LiveAttempt| forecast::Running {
            at: self.options.post(&attempt.row.executor),
            request: attempt.request,
            ends_us: ends(attempt),
        };
        taken.map(Box::as_ref).map(under_way).collect()
    }

    fn stop_or(&self, otherwise: Waits) -> Waits {
        match &self.stopped {
            Some(hold) => Waits::Stopped { by: hold.by.clone() },
            None if self.options.drain => Waits::Engine,
            None => otherwise,
        }
    }

    /// For what a step waits; and what it wants, and of whom, when nothing else is missing.
    fn waits(&self, run: &LiveRun, index: usize) -> (Waits, Option<(Request, Choice)>) {
        let only = |waits| (waits, None);
        let step = &run.steps[index];
        if let Some(hold) = &run.hold {
            return only(Waits::Held { by: hold.by.clone() });
        }
        if let early @ (Waits::Stopped { .. } | Waits::Engine) = self.stop_or(Waits::Turn) {
            return only(early);
        }
        if run.consent.as_ref().is_some_and(|consent| consent.allows(&consent.wanted, self.now).is_err()) {
            return only(Waits::Consent);
        }
        if let Some(at_us) = step.detail.not_before_us.filter(|at| *at > self.now) {
            return only(Waits::Time { at_us, reason: step.detail.reason.clone().unwrap_or_default() });
        }
        if let Some(max) = run.definition(index).max_parallel.filter(|_| self.at_max_parallel(&run.id, index)) {
            return only(Waits::Limit { max });
        }
        let StepKind::Tool(tool) = &run.definition(index).kind else { return only(Waits::Turn) };
        match self.choose(run, index, tool, None) {
            Ok(chosen) => (self.waits_for(&chosen.1), Some(chosen)),
            Err(reason) => only(Waits::Broken { reason }),
        }
    }

    /// Steps that wait for an executor before any other, by its place.
    pub(super) fn waiting_at(&self) -> Vec<usize> {
        let mut waiting = vec![0; self.options.executors.len()];
        let open = |run: &&LiveRun| matches!(run.status, run::Status::Queued | run::Status::Running);
        for run in self.runs.values().map(Box::as_ref).filter(open) {
            for (index, _) in run.steps.iter().enumerate().filter(|(_, one)| one.status == step::Status::Ready) {
                let first = match self.waits(run, index).1 {
                    Some((_, Choice::Full(at, _))) => Some(at),
                    Some((_, Choice::Nobody(who))) => who.first().copied(),
                    Some((_, Choice::Take(_) | Choice::Never(_))) | None => None,
                };
                if let Some(count) = first.and_then(|at| waiting.get_mut(at)) {
                    *count += 1;
                }
            }
        }
        waiting
    }
}

fn takes(durations: &Durations, run: &LiveRun, step: &str) -> Option<Micros> {
    durations.get(&(run.workflow.id.clone(), step.to_owned())).copied()
}
