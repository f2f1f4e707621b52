//! Hold and resume: an axis of its own. What runs goes on; nothing new starts.

use kentai_workflows::value::Value;
use serde_json::json;

use crate::id::RunId;
use crate::scheduler::Actor;
use crate::scheduler::handle::Refusal;
use crate::scheduler::house::House;
use crate::scheduler::live::Hold;
use crate::state::{run, step};

impl House {
    /// Pauses a run.
    pub(in crate::scheduler) fn hold(&mut self, id: &RunId, actor: &Actor, reason: &str) -> Result<(), Refusal> {
        self.run(id).status.next(run::Event::Held).map_err(|illegal| Refusal::State(format!("run {id}: {illegal}")))?;
        let hold = Hold { by: actor.name.clone(), reason: reason.to_owned(), since_us: self.now };
        self.run_mut(id).hold = Some(hold);
        self.move_run(id, run::Event::Held, &actor.name, &json!({ "reason": reason }));
        Ok(())
    }

    /// Lets a run go on: ends its hold, and lets go the steps that the workflow itself held (`hold_before`).
    pub(in crate::scheduler) fn resume(&mut self, id: &RunId, actor: &Actor) -> Result<(), Refusal> {
        let held = self.run(id).hold.is_some();
        let waiting: Vec<usize> = (0..self.run(id).steps.len()).filter(|index| self.holds_before(id, *index)).collect();
        if !held && waiting.is_empty() {
            return Err(Refusal::State(format!("run {id} is not held")));
        }
        if held {
            self.run_mut(id).hold = None;
            self.move_run(id, run::Event::Resumed, &actor.name, &Value::Null);
        }
        for index in waiting {
            let detail = &mut self.run_mut(id).steps[index].detail;
            detail.let_go = true;
            detail.ask = None;
            detail.reason = None;
            self.move_step(id, index, step::Event::Ready, &actor.name, &Value::Null);
        }
        Ok(())
    }

    fn holds_before(&self, id: &RunId, index: usize) -> bool {
        let step = &self.run(id).steps[index];
        step.status == step::Status::AwaitingPerson && step.detail.ask.as_ref().is_some_and(|ask| ask.kind == "hold")
    }
}
