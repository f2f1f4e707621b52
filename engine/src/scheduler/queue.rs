//! What waits to start, and for what: ready steps of the runs that are in memory, gathered by step and reason. It starts nothing.

use kentai_workflows::workflow::StepKind;

use super::house::House;
use super::live::LiveRun;
use super::render;
use crate::clock::Micros;
use crate::decide::admit::{Lack, rank};
use crate::state::{run, step};

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
}

/// For what something waits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Waits {
    /// Something that others have taken.
    Resource(Lack),
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

impl House {
    /// What waits, those that start first before the others. Runs that have not begun and are not in memory are the last.
    pub(super) fn waiting(&self) -> Vec<Waiting> {
        let open = |run: &&LiveRun| matches!(run.status, run::Status::Queued | run::Status::Running);
        let mut runs: Vec<&LiveRun> = self.runs.values().filter(open).collect();
        runs.sort_by_key(|run| rank(run.row.priority, run.row.steps_left, run.row.created_us, run.id.as_str()));
        let mut all: Vec<Waiting> = Vec::new();
        let mut ahead = 0;
        for run in runs {
            for (index, one) in run.steps.iter().enumerate().filter(|(_, one)| one.status == step::Status::Ready) {
                let waits = self.waits(run, index);
                let (name, since_us) = (&one.planned.step, run.row.updated_us);
                match all.iter_mut().find(|known| known.step == *name && known.waits == waits) {
                    Some(known) => {
                        known.count += 1;
                        known.since_us = known.since_us.min(since_us);
                    }
                    None => {
                        let (step, run) = (name.clone(), run.id.to_string());
                        all.push(Waiting { step, count: 1, waits, ahead, run, since_us });
                    }
                }
                ahead += 1;
            }
        }
        if let Some((.., first)) = self.queue.first().zip(self.queue.iter().map(|(_, created, _)| created).min()) {
            let waits = self.stop_or(Waits::Turn);
            let (step, run) = (String::new(), String::new());
            all.push(Waiting { step, count: self.queue.len(), waits, ahead, run, since_us: *first });
        }
        all
    }

    fn stop_or(&self, otherwise: Waits) -> Waits {
        match &self.stopped {
            Some(hold) => Waits::Stopped { by: hold.by.clone() },
            None if self.options.drain => Waits::Engine,
            None => otherwise,
        }
    }

    fn waits(&self, run: &LiveRun, index: usize) -> Waits {
        let step = &run.steps[index];
        if let Some(hold) = &run.hold {
            return Waits::Held { by: hold.by.clone() };
        }
        if let early @ (Waits::Stopped { .. } | Waits::Engine) = self.stop_or(Waits::Turn) {
            return early;
        }
        if run.consent.as_ref().is_some_and(|consent| consent.allows(&consent.wanted, self.now).is_err()) {
            return Waits::Consent;
        }
        if let Some(at_us) = step.detail.not_before_us.filter(|at| *at > self.now) {
            return Waits::Time { at_us, reason: step.detail.reason.clone().unwrap_or_default() };
        }
        if let Some(max) = run.definition(index).max_parallel.filter(|_| self.at_max_parallel(&run.id, index)) {
            return Waits::Limit { max };
        }
        let StepKind::Tool(tool) = &run.definition(index).kind else { return Waits::Turn };
        match render::request(run, index, tool, &self.options) {
            Ok(request) => self.book.lack(request).map_or(Waits::Turn, Waits::Resource),
            Err(reason) => Waits::Broken { reason },
        }
    }
}
