//! Who starts now: loads what may start, orders it, takes from the book, and turns ready steps into attempts, works and questions.

use std::path::PathBuf;

use kentai_workflows::plan::Role;
use kentai_workflows::value::Value;
use kentai_workflows::workflow::StepKind;
use serde_json::json;

use super::advance::ENGINE;
use super::house::{Effect, House};
use super::live::{LiveAttempt, text};
use super::placing::Floor;
use super::{render, scope, work};
use crate::decide::admit::{PATIENCE_US, rank};
use crate::decide::choose::Choice;
use crate::id::RunId;
use crate::state::attempt::Cause;
use crate::state::{attempt, run, step};
use crate::store::rows::{self, detail::Ask};

/// Runs in memory that may start something: enough to fill every slot, few enough to stay small.
pub(super) const WINDOW: usize = 64;
/// Runs that are loaded, and steps that are started, in one turn: what a turn decides lies in memory several times until it is written,
/// and nobody is answered before.
pub(super) const TURN: usize = 256;

impl House {
    /// Starts what may start, as much as one turn takes; true when there is more.
    pub(super) fn start_ready(&mut self) -> bool {
        if self.options.drain || self.stopped.is_some() {
            return false;
        }
        let most = self.ledger.effects.len() + TURN;
        loop {
            let runs = self.runs.len();
            self.start_pass(most);
            if self.ledger.effects.len() >= most {
                return true;
            }
            // A `call` makes a run, whose first steps may start at once: nothing else would wake the loop for them.
            if self.runs.len() == runs {
                return false;
            }
        }
    }

    /// Until there are so many effects.
    fn start_pass(&mut self, most: usize) {
        let mut order: Vec<(i64, i64, i64, String)> = self
            .runs
            .values()
            .filter(|run| run.hold.is_none() && matches!(run.status, run::Status::Queued | run::Status::Running))
            .filter(|run| run.consent.as_ref().is_none_or(|consent| consent.allows(&consent.wanted, self.now).is_ok()))
            .filter(|run| run.steps.iter().any(Self::startable))
            .map(|run| {
                let (priority, left, created, id) =
                    rank(run.row.priority, run.row.steps_left, run.row.created_us, run.id.as_str());
                (priority, left, created, id.to_owned())
            })
            .collect();
        order.sort_unstable();
        let mut floor = self.floor();
        for (.., id) in order {
            self.start_run_steps(&RunId::from(id), &mut floor, most);
        }
    }

    fn start_run_steps(&mut self, id: &RunId, floor: &mut Floor, most: usize) {
        if self.ledger.effects.len() >= most {
            return;
        }
        if self.run(id).status == run::Status::Queued {
            self.move_run(id, run::Event::Started, ENGINE, &Value::Null);
        }
        let ready: Vec<usize> =
            (0..self.run(id).steps.len()).filter(|index| Self::startable(&self.run(id).steps[*index])).collect();
        for index in ready {
            if self.ledger.effects.len() >= most {
                return;
            }
            let now = self.now;
            let step = &self.run(id).steps[index];
            let early = step.detail.not_before_us.is_some_and(|at| at > now);
            if early || !Self::startable(step) || self.at_max_parallel(id, index) {
                continue;
            }
            self.start_step(id, index, floor);
        }
    }

    pub(super) fn at_max_parallel(&self, id: &RunId, index: usize) -> bool {
        let run = self.run(id);
        let Some(max) = run.definition(index).max_parallel else { return false };
        let step = &run.steps[index].planned.step;
        let running =
            run.steps.iter().filter(|other| other.planned.step == *step && other.status == step::Status::Running);
        running.count() >= max as usize
    }

    fn start_step(&mut self, id: &RunId, index: usize, floor: &mut Floor) {
        let kind = match &self.run(id).definition(index).kind {
            StepKind::Tool(_) => return self.start_tool(id, index, floor),
            StepKind::Receive(_) => Kind::Receive,
            StepKind::Gate(_) => Kind::Gate,
            StepKind::Approve(_) => Kind::Approve,
            StepKind::Handoff(_) => Kind::Handoff,
            StepKind::Call(_) => Kind::Call,
        };
        let began = match kind {
            Kind::Receive => self.start_receive(id, index),
            Kind::Gate => self.start_gate(id, index),
            Kind::Approve => self.start_approve(id, index),
            Kind::Handoff => self.start_handoff(id, index),
            Kind::Call => self.start_call(id, index),
        };
        if let Err(reason) = began {
            self.fail_step(id, index, Cause::Policy, &reason);
        }
    }

    /// Marks a step without a tool as running.
    pub(super) fn begin_work(&mut self, id: &RunId, index: usize, body: &Value) {
        self.move_step(id, index, step::Event::Started, ENGINE, body);
        self.run_mut(id).busy += 1;
    }

    fn start_receive(&mut self, id: &RunId, index: usize) -> Result<(), String> {
        let work = work::receive::Work::of(self.run(id), index);
        self.begin_work(id, index, &Value::Null);
        self.effect(Effect::Receive(id.clone(), index, work));
        Ok(())
    }

    fn start_gate(&mut self, id: &RunId, index: usize) -> Result<(), String> {
        let work = work::gate::Work::of(self.run(id), index)?;
        self.begin_work(id, index, &Value::Null);
        self.effect(Effect::Gate(id.clone(), index, work));
        Ok(())
    }

    fn start_approve(&mut self, id: &RunId, index: usize) -> Result<(), String> {
        let run = self.run(id);
        let StepKind::Approve(approve) = &run.definition(index).kind else { return Ok(()) };
        let scope = scope::of(run, index);
        let shown: Result<Vec<Value>, String> = approve
            .show
            .iter()
            .map(|expression| expression.evaluate(&scope).map_err(|error| error.to_string()))
            .collect();
        let mut ask = Ask {
            kind: "approve".into(),
            roles: approve.roles.clone(),
            count: approve.count.max(1),
            not_by: approve.not_by.clone(),
            text: approve.ask.en.clone(),
            text_ja: approve.ask.ja.clone().unwrap_or_default(),
            shown: Value::Array(shown?),
            asked_us: self.now,
            expires_us: approve
                .expires_s
                .map(|s| self.now + i64::try_from(s).unwrap_or(i64::MAX / 2_000_000) * 1_000_000),
            fail_if_expired: approve.fail_if_expired,
        };
        self.widen(id, &mut ask);
        let body = json!({ "roles": ask.roles, "count": ask.count, "shown": ask.shown });
        self.run_mut(id).steps[index].detail.ask = Some(ask);
        self.move_step(id, index, step::Event::Asked, ENGINE, &body);
        Ok(())
    }

    fn start_tool(&mut self, id: &RunId, index: usize, floor: &mut Floor) {
        if floor.is_closed() {
            return;
        }
        let run = self.run(id);
        let StepKind::Tool(tool) = &run.definition(index).kind else { return };
        let (request, choice) = match self.choose(run, index, tool, Some(floor)) {
            Ok(chosen) => chosen,
            Err(reason) => return self.fail_step(id, index, Cause::Policy, &reason),
        };
        match choice {
            Choice::Take(at) => match self.plan_attempt(id, index, request, at) {
                Ok(live) => {
                    self.enter(live);
                    self.close_full(floor);
                }
                Err(reason) => self.fail_step(id, index, Cause::Policy, &reason),
            },
            Choice::Full(at, short) => {
                // A big request is passed by smaller ones, but not for ever.
                if self.now - run.row.updated_us > PATIENCE_US {
                    self.keep_free(at, &short, floor);
                }
            }
            // Whoever drained it resumes it, and who is away comes back.
            Choice::Nobody(_) => {}
            Choice::Never(why) => {
                let reason = self.never(&why);
                self.fail_step(id, index, Cause::Policy, &reason);
            }
        }
    }

    fn plan_attempt(
        &self,
        id: &RunId,
        index: usize,
        request: crate::decide::admit::Request,
        at: usize,
    ) -> Result<LiveAttempt, String> {
        let run = self.run(id);
        let StepKind::Tool(tool) = &run.definition(index).kind else { return Err("it is not a tool step".into()) };
        let number = u32::try_from(run.row.attempts_made + 1).unwrap_or(u32::MAX);
        let attempt = id.attempt(number);
        let executor = &self.options.executors.get(at).ok_or("this site has no such executor")?.executor;
        let directory: PathBuf = self.places.attempt(attempt.as_str());
        let prepared = render::render(
            run,
            index,
            tool,
            &attempt,
            directory,
            request,
            (&self.options, executor.as_ref(), self.epoch),
        )?;
        let detail = &run.steps[index].detail;
        Ok(LiveAttempt {
            row: rows::Attempt {
                attempt_id: attempt,
                run_id: id.clone(),
                step_key: run.steps[index].key(),
                number: i64::from(detail.attempts) + 1,
                round: i64::from(detail.round),
                status: String::new(),
                executor: executor.name().to_owned(),
                task: text(&prepared.task),
                expected: text(&prepared.expected),
                cause: String::new(),
                evidence: String::new(),
                log_bytes: 0,
                epoch: self.epoch,
                created_us: self.now,
                updated_us: self.now,
                version: 0,
            },
            status: attempt::Status::Planned,
            run: id.clone(),
            step: index,
            task: std::sync::Arc::new(prepared.task),
            expected: std::sync::Arc::new(prepared.expected),
            hands: std::sync::Arc::clone(executor),
            request: prepared.request,
            in_book: true,
            dirty: true,
            unreachable: 0,
        })
    }

    /// Intent becomes fact: the attempt's row and events are in this turn's change, the launch follows the commit.
    fn enter(&mut self, live: LiveAttempt) {
        let (run, index, attempt) = (live.run.clone(), live.step, live.row.attempt_id.clone());
        let at = self.options.post(&live.row.executor);
        self.books.force(at, live.request);
        let body = json!({ "attempt": attempt, "task": live.task.digest, "image": live.task.image });
        self.attempts.insert(attempt.clone(), Box::new(live));
        let owner = self.run_mut(&run);
        owner.row.attempts_made += 1;
        owner.busy += 1;
        let step = &mut owner.steps[index];
        step.attempt = Some(attempt.clone());
        step.detail.attempts += 1;
        step.detail.not_before_us = None;
        step.detail.reason = None;
        self.move_step(&run, index, step::Event::Started, ENGINE, &body);
        self.move_attempt(&attempt, attempt::Event::Claimed, ENGINE, &Value::Null);
        self.move_attempt(&attempt, attempt::Event::Launching, ENGINE, &Value::Null);
        self.effect(Effect::Run(attempt));
    }

    /// The next moment at which something may happen by itself.
    pub(super) fn next_alarm(&self) -> Option<i64> {
        let steps = self.runs.values().filter(|run| run.hold.is_none()).flat_map(|run| &run.steps);
        steps
            .filter_map(|step| match step.status {
                step::Status::Ready if step.planned.role != Role::Group => step.detail.not_before_us,
                step::Status::AwaitingPerson => step.detail.ask.as_ref().and_then(|ask| ask.expires_us),
                _ => None,
            })
            .filter(|at| *at > self.now)
            .min()
    }
}

enum Kind {
    Receive,
    Gate,
    Approve,
    Handoff,
    Call,
}
