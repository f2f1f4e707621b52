//! What executors, the collector and works say back, and what follows from it.

use std::collections::BTreeMap;
use std::sync::Arc;

use kentai_workflows::resources::format_duration_s;
use kentai_workflows::value::{FileValue, Map, Value};
use serde_json::json;

use super::advance::ENGINE;
use super::house::{Effect, House};
use super::live::text;
use super::work;
use crate::decide::retry::{self, Next};
use crate::decide::verdict::{Outcome, judge};
use crate::id::{AttemptId, RunId};
use crate::port::collect::{Collected, Expected, Made, Order, Refused};
use crate::port::executor::{Obstacle, Report, Stop};
use crate::state::attempt::{self, Cause};
use crate::state::{run, step};
use crate::store::rows::{self};
use crate::store::writer::Table;

/// Between two asks of an executor that is out of reach, and between two tries to take in on a full disk.
const AGAIN_MS: u64 = 5_000;

impl House {
    /// An executor reports an attempt's end (or that it cannot be asked).
    pub(super) fn on_report(&mut self, id: &AttemptId, report: Report) {
        let Some(live) = self.attempts.get(id) else { return };
        let executor = live.row.executor.clone();
        if live.status == attempt::Status::Canceling {
            return self.on_canceled(id, report);
        }
        match &report {
            Report::Unreachable(reason) => self.silent(&executor, reason),
            _ => self.heard(&executor),
        }
        match report {
            Report::Exited(evidence) => {
                self.release(id);
                let live = &self.attempts[id];
                let outcome = judge(&evidence, &live.task.nonce);
                let exit_code = evidence.record.as_ref().and_then(|record| record.exit_code);
                let document = text(
                    &json!({ "record": evidence.record, "executor_exit_code": evidence.executor_exit_code,
                    "oom_killed": evidence.oom_killed, "executor_error": evidence.executor_error, "granted": evidence.granted }),
                );
                if let Some(live) = self.attempts.get_mut(id) {
                    live.row.evidence = document;
                }
                match outcome {
                    Outcome::Well => self.collect(id),
                    Outcome::Failed(cause, reason) => self.fail_attempt(id, cause, &reason, exit_code),
                    // Ended from outside by a signal to its witness: the site decided so, nobody's fault.
                    Outcome::Stopped => self.fail_attempt(id, Cause::Infrastructure, "it was ended from outside", None),
                    Outcome::Contradiction(reason) => self.quarantine(id, &reason),
                }
            }
            Report::NotStarted(Obstacle::Image, reason) => self.fail_attempt(id, Cause::Image, &reason, None),
            Report::NotStarted(Obstacle::Infrastructure, reason) => {
                self.fail_attempt(id, Cause::Infrastructure, &reason, None)
            }
            Report::Lost(reason) => self.fail_attempt(id, Cause::Lost, &reason, None),
            Report::Quarantine(reason) => self.quarantine(id, &reason),
            Report::Unreachable(reason) => self.unreachable(id, &reason),
            Report::Waits(reason) => self.waits_there(id, reason),
        }
    }

    fn unreachable(&mut self, id: &AttemptId, reason: &str) {
        let Some(live) = self.attempts.get_mut(id) else { return };
        live.unreachable += 1;
        let (run, step, executor) = (live.run.clone(), live.step, live.row.executor.clone());
        let canceling = live.status == attempt::Status::Canceling;
        self.run_mut(&run).steps[step].detail.reason = Some(format!("waits for executor `{executor}`: {reason}"));
        self.touch_step(&run, step);
        self.effect(if canceling { Effect::End(id.clone(), AGAIN_MS) } else { Effect::Again(id.clone(), AGAIN_MS) });
    }

    /// Its executor has it, and says what it waits for, or that it waits no more.
    fn waits_there(&mut self, id: &AttemptId, reason: Option<String>) {
        let Some(live) = self.attempts.get(id) else { return };
        let (run, step, executor) = (live.run.clone(), live.step, live.row.executor.clone());
        self.run_mut(&run).steps[step].detail.reason =
            reason.map(|reason| format!("waits in executor `{executor}`: {reason}"));
        self.touch_step(&run, step);
        self.effect(Effect::Again(id.clone(), 0));
    }

    /// The wait for an executor that was out of reach is over. Whoever was canceled meanwhile is not started by this.
    pub(super) fn ask_again(&mut self, id: &AttemptId) {
        let Some(live) = self.attempts.get(id) else { return };
        let canceling = live.status == attempt::Status::Canceling;
        self.effect(if canceling { Effect::End(id.clone(), 0) } else { Effect::Run(id.clone()) });
    }

    /// An attempt whose end was asked for: whatever it says, it is canceled, once nothing of it runs.
    fn on_canceled(&mut self, id: &AttemptId, report: Report) {
        match report {
            Report::Unreachable(reason) => return self.unreachable(id, &reason),
            Report::Waits(_) => return self.effect(Effect::Run(id.clone())),
            Report::Exited(_) | Report::NotStarted(..) | Report::Lost(_) | Report::Quarantine(_) => {}
        }
        self.release(id);
        self.move_attempt(id, attempt::Event::Canceled, ENGINE, &Value::Null);
        self.keep_log(id);
        let (run, index) = (self.attempts[id].run.clone(), self.attempts[id].step);
        self.let_go(id);
        if !self.run(&run).steps[index].status.is_end() {
            self.move_step(&run, index, step::Event::Canceled, ENGINE, &Value::Null);
        }
        self.settle(&run);
    }

    fn collect(&mut self, id: &AttemptId) {
        let live = &self.attempts[id];
        let order = self.order(id, Some(live.expected.as_ref().clone()));
        self.effect(Effect::Collect(order, 0));
    }

    fn order(&self, id: &AttemptId, outputs: Option<Vec<Expected>>) -> Order {
        let live = &self.attempts[id];
        Order {
            attempt: id.to_string(),
            directory: live.task.directory.clone(),
            log: self.places.log(live.run.as_str(), live.row.step_key.as_str(), live.row.round, live.row.number),
            outputs,
        }
    }

    /// A failed attempt's log is kept too, then its container may go.
    fn keep_log(&mut self, id: &AttemptId) {
        let order = self.order(id, None);
        self.effect(Effect::Collect(order, 0));
        self.forget(id);
    }

    /// The log lies beside the data and the evidence in the database: the container is needed no more.
    fn forget(&mut self, id: &AttemptId) {
        let hands = Arc::clone(&self.attempts[id].hands);
        if hands.leaves_traces() {
            self.effect(Effect::Forget(id.clone(), hands));
        }
    }

    fn quarantine(&mut self, id: &AttemptId, reason: &str) {
        self.release(id);
        self.move_attempt(id, attempt::Event::Quarantined, ENGINE, &json!({ "reason": reason }));
        let (run, index) = (self.attempts[id].run.clone(), self.attempts[id].step);
        self.let_go(id);
        self.fail_step(
            &run,
            index,
            Cause::Policy,
            &format!("attempt {id} is in quarantine, a person must look: {reason}"),
        );
    }

    fn fail_attempt(&mut self, id: &AttemptId, cause: Cause, reason: &str, exit_code: Option<i32>) {
        self.release(id);
        self.keep_log(id);
        if let Some(live) = self.attempts.get_mut(id) {
            cause.word().clone_into(&mut live.row.cause);
        }
        let body = json!({ "cause": cause, "reason": reason, "exit_code": exit_code });
        self.move_attempt(id, attempt::Event::Failed, ENGINE, &body);
        let (run, index) = (self.attempts[id].run.clone(), self.attempts[id].step);
        let executor = self.attempts[id].row.executor.clone();
        self.let_go(id);
        // Its outputs were being taken in when the run was canceled: no other attempt follows.
        if self.run(&run).status == run::Status::Canceling {
            self.move_step(&run, index, step::Event::Canceled, ENGINE, &Value::Null);
            return self.settle(&run);
        }
        let step = &mut self.run_mut(&run).steps[index];
        *step.detail.failures.entry(cause.word().to_owned()).or_insert(0) += 1;
        step.detail.cause = Some(cause);
        let mut failed_at = std::mem::take(&mut step.detail.failed_at);
        self.failed_at(&mut failed_at, &executor, cause);
        let step = &mut self.run_mut(&run).steps[index];
        step.detail.failed_at = failed_at;
        let failures = step.detail.failures.clone();
        let next = retry::decide(
            &self.run(&run).definition(index).retry,
            &self.options.budgets,
            &failures,
            cause,
            exit_code,
            spread(id),
        );
        match next {
            Next::After(wait_ms) => self.again(&run, index, wait_ms, cause, reason),
            Next::GiveUp(why) => self.fail_step(&run, index, cause, &format!("{reason} ({why})")),
        }
    }

    pub(super) fn again(&mut self, run: &RunId, index: usize, wait_ms: u64, cause: Cause, reason: &str) {
        let at = self.now + i64::try_from(wait_ms).unwrap_or(i64::MAX / 2_000) * 1_000;
        let detail = &mut self.run_mut(run).steps[index].detail;
        detail.not_before_us = Some(at);
        detail.reason = Some(format!(
            "another attempt follows in {} ({cause}: {reason})",
            format_duration_s(wait_ms.div_ceil(1_000))
        ));
        self.move_step(run, index, step::Event::Again, ENGINE, &json!({ "cause": cause, "wait_ms": wait_ms }));
    }

    /// The collector answers.
    pub(super) fn on_collected(&mut self, collected: Collected) {
        let id = AttemptId::from(collected.attempt.as_str());
        let Some(live) = self.attempts.get_mut(&id) else { return };
        live.row.log_bytes = i64::try_from(collected.log_bytes).unwrap_or(i64::MAX);
        match collected.outcome {
            Ok(made) => {
                self.move_attempt(&id, attempt::Event::Exited, ENGINE, &Value::Null);
                self.move_attempt(&id, attempt::Event::Collecting, ENGINE, &Value::Null);
                self.commit(&id, &made);
            }
            Err(Refused::Bad { output, reason }) => {
                self.fail_attempt(&id, Cause::BadOutput, &format!("output `{output}`: {reason}"), None)
            }
            Err(Refused::Disk(reason)) => {
                let (run, index) = (live.run.clone(), live.step);
                self.run_mut(&run).steps[index].detail.reason =
                    Some(format!("its outputs wait to be taken in: {reason}"));
                self.touch_step(&run, index);
                let order = self.order(&id, Some(self.attempts[&id].expected.as_ref().clone()));
                self.effect(Effect::Collect(order, AGAIN_MS));
            }
        }
    }

    /// Outputs are durable: the attempt is the step's attempt for ever, and whoever waits goes on, all in one transaction.
    fn commit(&mut self, id: &AttemptId, made: &[Made]) {
        let (run, index) = (self.attempts[id].run.clone(), self.attempts[id].step);
        if self.attempts[id].status != attempt::Status::Collecting {
            return;
        }
        for one in made {
            let artifact = rows::Artifact {
                sealed: String::new(),
                sha256: one.sha256.clone(),
                size: i64::try_from(one.size).unwrap_or(i64::MAX),
                dir: i64::from(one.dir),
                created_us: self.now,
            };
            self.ledger.change.put(Table::Artifact, &artifact);
            let row = rows::Made {
                attempt_id: id.clone(),
                run_id: run.clone(),
                step_key: self.run(&run).steps[index].key(),
                output: one.output.clone(),
                position: i64::try_from(one.index).unwrap_or(i64::MAX),
                name: one.name.clone(),
                sha256: one.sha256.clone(),
            };
            self.ledger.change.put(Table::Made, &row);
        }
        let outputs = self.output_values(&self.attempts[id].expected, made);
        self.run_mut(&run).steps[index].outputs = outputs;
        self.move_attempt(id, attempt::Event::Committed, ENGINE, &json!({ "made": made }));
        self.forget(id);
        self.let_go(id);
        self.link(&run, index, made);
        self.succeed_step(&run, index, ENGINE, &json!({ "attempt": id }));
    }

    fn output_values(&self, expected: &[Expected], made: &[Made]) -> Map {
        // A pattern that matched nothing, and may, is a list too.
        let patterns = expected.iter().filter(|output| output.glob);
        let mut lists: BTreeMap<&str, Vec<Value>> = patterns.map(|output| (output.name.as_str(), Vec::new())).collect();
        let mut outputs = Map::new();
        for one in made {
            let file = FileValue {
                name: one.name.clone(),
                path: Some(self.artifact_path(&one.sha256, one.dir).to_string_lossy().into_owned()),
                sha256: Some(one.sha256.clone()),
                size: Some(one.size),
                bundle: None,
                dir: one.dir,
            };
            if one.list {
                lists.entry(&one.output).or_default().push(file.to_value());
            } else {
                outputs.insert(one.output.clone(), file.to_value());
            }
        }
        outputs.extend(lists.into_iter().map(|(name, list)| (name.to_owned(), Value::Array(list))));
        outputs
    }

    fn artifact_path(&self, sha256: &str, dir: bool) -> std::path::PathBuf {
        self.artifacts.path_of(sha256, dir)
    }

    fn link(&mut self, run: &RunId, index: usize, made: &[Made]) {
        let owner = self.run(run);
        let work = work::links::Work {
            samples: self.places.samples(),
            specimen: owner.plan.specimen.id.clone(),
            run: run.to_string(),
            step: owner.steps[index].planned.key.clone(),
            files: made.iter().map(|one| (one.name.clone(), self.artifact_path(&one.sha256, one.dir))).collect(),
        };
        self.effect(Effect::Link(work));
    }

    /// Asks for the end of an attempt; its report will follow.
    pub(super) fn cancel_attempt(&mut self, id: &AttemptId, actor: &str) {
        if self.move_attempt(id, attempt::Event::Canceling, actor, &Value::Null) {
            self.effect(Effect::Stop(id.clone(), Stop::Ask));
        }
    }
}

/// A number in 0..1 from the attempt's id: spreads waits without a random source in the pure part.
fn spread(id: &AttemptId) -> f64 {
    let sum = id.as_str().bytes().fold(0_u32, |sum, byte| sum.wrapping_mul(31).wrapping_add(byte.into()));
    f64::from(sum % 1000) / 1000.0
}
