//! What follows when something was satisfied: steps become ready, are skipped, fan out; groups and runs end.
//!
//! Pure over the house. A step that cannot be evaluated fails with cause `policy` and the reason in words.

use std::collections::HashMap;

use kentai_workflows::plan::{PlannedStep, Role, fan_out, lists};
use kentai_workflows::value::Value;
use serde_json::json;

use super::house::House;
use super::live::{LiveStep, is_group};
use super::scope;
use crate::id::RunId;
use crate::state::attempt::Cause;
use crate::state::{run, step};
use crate::store::rows::detail::Ask;

/// Who the events of the loop itself are by.
pub(super) const ENGINE: &str = "engine";

impl House {
    /// Looks at every step of a run; after it was loaded or began.
    pub(super) fn advance_all(&mut self, id: &RunId) {
        let all = (0..self.run(id).steps.len()).collect();
        self.advance(id, all);
    }

    /// Something happened to `index`: looks at whoever waits for it.
    pub(super) fn advance_after(&mut self, id: &RunId, index: usize) {
        let next = self.run(id).order.dependents(index).collect();
        self.advance(id, next);
    }

    fn advance(&mut self, id: &RunId, mut open: Vec<usize>) {
        while let Some(index) = open.pop() {
            let run = self.run(id);
            let waits = run.steps[index].status == step::Status::Waiting;
            let alive = matches!(run.status, run::Status::Queued | run::Status::Running);
            if !alive || !waits || !run.order.needs(index).all(|need| run.steps[need].status.is_satisfied()) {
                continue;
            }
            if self.ripen(id, index) {
                open.extend(self.run(id).order.dependents(index));
            }
        }
        self.settle(id);
    }

    /// Everything that a waiting step needs is there. True when it is satisfied at once (skipped, or an ended group).
    fn ripen(&mut self, id: &RunId, index: usize) -> bool {
        let role = self.run(id).steps[index].planned.role;
        match role {
            Role::Pending => self.fan_out(id, index),
            Role::Group => self.end_group(id, index),
            Role::Single | Role::Item => match self.wanted(id, index) {
                Ok(true) => {
                    self.move_step(id, index, step::Event::Ready, ENGINE, &Value::Null);
                    self.hold_before(id, index);
                    false
                }
                Ok(false) => {
                    self.run_mut(id).steps[index].detail.reason = Some("its `when` is false".into());
                    self.move_step(id, index, step::Event::Skipped, ENGINE, &Value::Null)
                }
                Err(reason) => {
                    self.fail_step(id, index, Cause::Policy, &reason);
                    false
                }
            },
        }
    }

    fn wanted(&self, id: &RunId, index: usize) -> Result<bool, String> {
        let run = self.run(id);
        let Some(when) = &run.definition(index).when else { return Ok(true) };
        match when.evaluate(&scope::of(run, index)) {
            Ok(Value::Bool(answer)) => Ok(answer),
            Ok(other) => Err(format!("`when` gave {other}, which is neither true nor false")),
            Err(error) => Err(error.to_string()),
        }
    }

    /// `hold_before: true`: a person lets it go with `resume`.
    fn hold_before(&mut self, id: &RunId, index: usize) {
        let now = self.now;
        let run = self.run_mut(id);
        if !run.definition(index).hold_before || run.steps[index].detail.let_go {
            return;
        }
        let ask =
            Ask { kind: "hold".into(), roles: vec!["operator".into()], count: 1, asked_us: now, ..Ask::default() };
        run.steps[index].detail.ask = Some(ask);
        run.steps[index].detail.reason =
            Some("the workflow holds here until a person lets it go (`hold_before`)".into());
        self.move_step(id, index, step::Event::Asked, ENGINE, &Value::Null);
    }

    fn end_group(&mut self, id: &RunId, index: usize) -> bool {
        let run = self.run(id);
        let items: Vec<usize> = run
            .order
            .needs(index)
            .filter(|need| run.steps[*need].planned.step == run.steps[index].planned.step)
            .collect();
        let all_skipped =
            !items.is_empty() && items.iter().all(|item| run.steps[*item].status == step::Status::Skipped);
        let event = if all_skipped { step::Event::Skipped } else { step::Event::Succeeded };
        self.move_step(id, index, event, ENGINE, &Value::Null)
    }

    /// A list became known: makes its items; the group waits for them. True when there are none.
    fn fan_out(&mut self, id: &RunId, index: usize) -> bool {
        let run = self.run(id);
        let definition = run.definition(index);
        let scope = scope::of(run, index);
        let lists = match lists(definition, &scope) {
            Ok(lists) => lists,
            Err(error) => {
                self.fail_step(id, index, Cause::Policy, &error.to_string());
                return false;
            }
        };
        let made = fan_out(&run.workflow, &run.steps[index].planned.step, &lists);
        let keys: Vec<String> = made.iter().map(|planned| planned.key.clone()).collect();
        self.move_step(id, index, step::Event::FannedOut, ENGINE, &json!({ "items": keys }));
        let mut gone = self.add_items(id, index, made);
        let run = self.run_mut(id);
        let group = &mut run.steps[index];
        group.planned.role = Role::Group;
        group.planned.needs.extend(keys.iter().cloned());
        group.detail.planned = Some(group.planned.clone());
        run.reorder();
        gone.retain(|item| self.run(id).steps[*item].status == step::Status::Waiting);
        for item in gone {
            self.run_mut(id).steps[item].detail.reason = Some("its list was made again and does not have it".into());
            self.move_step(id, item, step::Event::Skipped, ENGINE, &Value::Null);
        }
        let items: Vec<usize> = self.run(id).order.needs(index).collect();
        for item in items {
            let run = self.run(id);
            let waits = run.steps[item].status == step::Status::Waiting;
            if waits && run.order.needs(item).all(|need| run.steps[need].status.is_satisfied()) && self.ripen(id, item)
            {
                self.advance_after(id, item);
            }
        }
        keys.is_empty() && self.end_group(id, index)
    }

    /// Gives a group its items. Those that an earlier round had are laid out anew; the ones that the list has no more are given back.
    fn add_items(&mut self, id: &RunId, group: usize, made: Vec<PlannedStep>) -> Vec<usize> {
        let run = self.run_mut(id);
        let (position, name) = (run.steps[group].position, run.steps[group].planned.step.clone());
        let own = |step: &&LiveStep| step.planned.step == name && step.planned.role == Role::Item;
        let before = run.steps.iter().enumerate().filter(|(_, step)| own(step));
        let mut before: HashMap<String, usize> = before.map(|(at, step)| (step.planned.key.clone(), at)).collect();
        for planned in made {
            let at = before.remove(&planned.key).unwrap_or_else(|| {
                run.steps.push(LiveStep::new(planned.clone(), position));
                run.steps.len() - 1
            });
            let step = &mut run.steps[at];
            // What a retry left done stays as it was done.
            if step.status == step::Status::Waiting {
                step.detail.planned = Some(planned.clone());
                step.planned = planned;
                step.dirty = true;
            }
        }
        before.into_values().collect()
    }

    /// Gives a step up: it satisfies nobody.
    pub(super) fn fail_step(&mut self, id: &RunId, index: usize, cause: Cause, reason: &str) {
        let detail = &mut self.run_mut(id).steps[index].detail;
        detail.cause = Some(cause);
        detail.reason = Some(reason.to_owned());
        detail.ask = None;
        self.move_step(id, index, step::Event::Failed, ENGINE, &json!({ "cause": cause, "reason": reason }));
        self.settle(id);
    }

    /// A step is done: its outputs are what others see.
    pub(super) fn succeed_step(&mut self, id: &RunId, index: usize, actor: &str, body: &Value) {
        let detail = &mut self.run_mut(id).steps[index].detail;
        detail.reason = None;
        detail.not_before_us = None;
        detail.ask = None;
        if self.move_step(id, index, step::Event::Succeeded, actor, body) {
            self.advance_after(id, index);
        }
    }

    /// Ends a run when nothing can follow.
    pub(super) fn settle(&mut self, id: &RunId) {
        let run = self.run(id);
        let nothing_open = run.busy == 0
            && ![step::Status::Ready, step::Status::Running, step::Status::AwaitingPerson]
                .into_iter()
                .any(|status| run.has(status));
        match run.status {
            // Nothing had to be started: every step was skipped.
            run::Status::Queued if run.steps.iter().all(|step| step.status.is_satisfied()) => {
                self.move_run(id, run::Event::Started, ENGINE, &Value::Null);
                self.settle(id);
            }
            // The first step failed before anything could start.
            run::Status::Queued if nothing_open && run.has(step::Status::Failed) => {
                self.move_run(id, run::Event::Started, ENGINE, &Value::Null);
                self.settle(id);
            }
            run::Status::Running if run.steps.iter().all(|step| step.status.is_satisfied()) => {
                self.end_run(id, run::Event::Succeeded);
            }
            run::Status::Running if nothing_open && run.has(step::Status::Failed) => {
                self.end_run(id, run::Event::Failed)
            }
            run::Status::Canceling if run.busy == 0 => self.end_canceled(id),
            _ => {}
        }
    }

    fn end_run(&mut self, id: &RunId, event: run::Event) {
        if self.move_run(id, event, ENGINE, &Value::Null) {
            self.tell_parent(id);
        }
    }

    fn end_canceled(&mut self, id: &RunId) {
        for index in 0..self.run(id).steps.len() {
            if !self.run(id).steps[index].status.is_end() {
                self.move_step(id, index, step::Event::Canceled, ENGINE, &Value::Null);
            }
        }
        self.end_run(id, run::Event::Canceled);
    }

    /// A called run ended: its caller's step ends with it (when the caller is loaded; recovery asks again otherwise).
    pub(super) fn tell_parent(&mut self, child: &RunId) {
        let Some(parent) = self.run(child).parent.clone() else { return };
        let id = RunId::from(parent.run.as_str());
        let Some(index) = self.runs.get(&id).and_then(|run| run.index(&parent.step)) else { return };
        if self.run(&id).steps[index].status != step::Status::Running {
            return;
        }
        self.run_mut(&id).busy = self.run(&id).busy.saturating_sub(1);
        match self.run(child).status {
            run::Status::Succeeded => self.end_call(&id, index, child),
            _ if self.run(&id).status == run::Status::Canceling => {
                self.move_step(&id, index, step::Event::Canceled, ENGINE, &json!({ "run": child }));
                self.settle(&id);
            }
            status => {
                self.fail_step(&id, index, Cause::Tool, &format!("the called run {child} is {status}"));
            }
        }
    }

    fn end_call(&mut self, id: &RunId, index: usize, child: &RunId) {
        let called = self.run(child);
        let scope = scope::whole(called);
        let outputs: Result<_, _> = called
            .workflow
            .outputs
            .iter()
            .map(|(name, expression)| expression.evaluate(&scope).map(|value| (name.clone(), value)))
            .collect();
        match outputs {
            Ok(outputs) => {
                self.run_mut(id).steps[index].outputs = outputs;
                self.succeed_step(id, index, ENGINE, &json!({ "run": child }));
            }
            Err(error) => {
                self.fail_step(id, index, Cause::Policy, &error.to_string());
            }
        }
    }

    /// Groups are never started: they end with their items.
    pub(super) fn startable(step: &LiveStep) -> bool {
        step.status == step::Status::Ready && !is_group(&step.planned)
    }
}
