//! Hold and resume: an axis of its own. What runs goes on; nothing new starts.

use kentai_workflows::value::Value;
use serde_json::json;

use crate::id::RunId;
use crate::scheduler::Actor;
use crate::scheduler::handle::Refusal;
use crate::scheduler::house::House;
use crate::scheduler::live::Hold;
use crate::state::{run, step};

/// What a called run is held for while its caller is.
const BY_CALLER: &str = "the run that called it is held";

impl House {
    /// Pauses a run and the runs that it called.
    pub(in crate::scheduler) fn hold(&mut self, id: &RunId, actor: &Actor, reason: &str) -> Result<(), Refusal> {
        self.run(id).status.next(run::Event::Held).map_err(|illegal| Refusal::State(format!("run {id}: {illegal}")))?;
        let hold = Hold { by: actor.name.clone(), reason: reason.to_owned(), since_us: self.now };
        self.run_mut(id).hold = Some(hold);
        self.move_run(id, run::Event::Held, &actor.name, &json!({ "reason": reason }));
        for child in self.called_by(id) {
            // A hold of its own stays, and outlives its caller's.
            if self.run(&child).hold.is_none() {
                self.hold(&child, actor, BY_CALLER)?;
            }
        }
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
            let next = self.run(id).status.next(run::Event::Resumed);
            next.map_err(|illegal| Refusal::State(format!("run {id}: {illegal}")))?;
            self.end_hold(id, actor);
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

    fn end_hold(&mut self, id: &RunId, actor: &Actor) {
        self.run_mut(id).hold = None;
        self.move_run(id, run::Event::Resumed, &actor.name, &Value::Null);
        for child in self.called_by(id) {
            if self.run(&child).hold.as_ref().is_some_and(|hold| hold.reason == BY_CALLER) {
                self.end_hold(&child, actor);
            }
        }
    }

    /// Runs that this one called and that are under way.
    fn called_by(&self, id: &RunId) -> Vec<RunId> {
        let steps = self.run(id).steps.iter().filter(|step| step.status == step::Status::Running);
        let children = steps.filter_map(|step| step.detail.child.as_deref().map(RunId::from));
        let open = |child: &RunId| {
            let run = self.runs.get(child);
            run.is_some_and(|run| matches!(run.status, run::Status::Queued | run::Status::Running))
        };
        children.filter(open).collect()
    }

    fn holds_before(&self, id: &RunId, index: usize) -> bool {
        let step = &self.run(id).steps[index];
        step.status == step::Status::AwaitingPerson && step.detail.ask.as_ref().is_some_and(|ask| ask.kind == "hold")
    }
}
