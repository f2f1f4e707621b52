//! Cancel: start nothing new, then end what runs.

use kentai_workflows::value::Value;
use serde_json::json;

use crate::id::{AttemptId, RunId};
use crate::scheduler::Actor;
use crate::scheduler::handle::Refusal;
use crate::scheduler::house::House;
use crate::state::{run, step};

impl House {
    /// Cancels a run and the runs that it called.
    pub(in crate::scheduler) fn cancel(&mut self, id: &RunId, actor: &Actor, reason: &str) -> Result<(), Refusal> {
        let status = self.run(id).status;
        if status == run::Status::Canceling || status == run::Status::Canceled {
            return Ok(());
        }
        status.next(run::Event::Canceling).map_err(|illegal| Refusal::State(format!("run {id}: {illegal}")))?;
        self.move_run(id, run::Event::Canceling, &actor.name, &json!({ "reason": reason }));
        for index in 0..self.run(id).steps.len() {
            self.cancel_step(id, index, actor);
        }
        self.settle(id);
        Ok(())
    }

    fn cancel_step(&mut self, id: &RunId, index: usize, actor: &Actor) {
        let step = &self.run(id).steps[index];
        if step.status.is_end() {
            return;
        }
        if let Some(attempt) = step.attempt.clone() {
            return self.cancel_running(&attempt, actor);
        }
        if let Some(child) = step.detail.child.as_deref().map(RunId::from)
            && self.runs.contains_key(&child)
            && self.cancel(&child, actor, "its caller was canceled").is_ok()
        {
            return;
        }
        self.move_step(id, index, step::Event::Canceled, &actor.name, &Value::Null);
    }

    fn cancel_running(&mut self, attempt: &AttemptId, actor: &Actor) {
        let taking_in = self.attempts.get(attempt).is_some_and(|live| !live.in_book);
        // Its tool has ended and its outputs are being taken in: that answer is near, and nothing follows it.
        if !taking_in {
            self.cancel_attempt(attempt, &actor.name);
        }
    }
}
