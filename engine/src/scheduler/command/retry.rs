//! Retry: a person asks for another round of failed steps, or of everything from one step on.

use std::collections::BTreeSet;

use kentai_workflows::plan::Role;
use serde_json::json;

use crate::id::RunId;
use crate::scheduler::Actor;
use crate::scheduler::handle::Refusal;
use crate::scheduler::house::House;
use crate::state::{run, step};
use crate::store::rows::detail::Detail;

impl House {
    /// Opens an ended run again. Without `from` the failed and canceled steps are done again; with it, that step and all that follow.
    pub(in crate::scheduler) fn retry(
        &mut self,
        id: &RunId,
        from: Option<&str>,
        actor: &Actor,
    ) -> Result<usize, Refusal> {
        let chosen = self.to_reset(id, from)?;
        if chosen.is_empty() {
            return Err(Refusal::State(format!("run {id} has nothing to do again")));
        }
        let status = self.run(id).status;
        match status {
            run::Status::Queued | run::Status::Running if self.run(id).busy == 0 || from.is_none() => {}
            run::Status::Queued | run::Status::Running | run::Status::Canceling => {
                return Err(Refusal::State(format!("run {id} is {status}: cancel it first, or wait for its end")));
            }
            run::Status::Succeeded | run::Status::Failed | run::Status::Canceled => {
                self.move_run(id, run::Event::Reopened, &actor.name, &json!({ "from": from }));
            }
        }
        for index in &chosen {
            self.reset(id, *index, actor);
        }
        self.close_groups(id, &chosen);
        self.advance_all(id);
        Ok(chosen.len())
    }

    fn to_reset(&self, id: &RunId, from: Option<&str>) -> Result<Vec<usize>, Refusal> {
        let run = self.run(id);
        let Some(key) = from else {
            let ended =
                |index: &usize| matches!(run.steps[*index].status, step::Status::Failed | step::Status::Canceled);
            return Ok((0..run.steps.len()).filter(ended).collect());
        };
        let starts: Vec<usize> = (0..run.steps.len())
            .filter(|index| run.steps[*index].planned.key == key || run.steps[*index].planned.step == key)
            .collect();
        if starts.is_empty() {
            return Err(Refusal::NotFound(format!("run {id} has no step `{key}`")));
        }
        let mut chosen: Vec<usize> = starts.into_iter().flat_map(|start| run.order.downstream(start)).collect();
        chosen.sort_unstable();
        chosen.dedup();
        // What waits has nothing to lose; nothing runs where this is allowed.
        chosen.retain(|index| !matches!(run.steps[*index].status, step::Status::Waiting | step::Status::Running));
        Ok(chosen)
    }

    fn reset(&mut self, id: &RunId, index: usize, actor: &Actor) {
        let step = &mut self.run_mut(id).steps[index];
        // What people decided stays known; what the last round found does not.
        let mut earlier = std::mem::take(&mut step.detail.earlier);
        earlier.append(&mut step.detail.answers);
        step.detail = Detail {
            earlier,
            round: step.detail.round + 1,
            planned: step.detail.planned.take(),
            let_go: step.detail.let_go,
            delivery: step.detail.delivery.take(),
            ..Detail::default()
        };
        step.outputs.clear();
        self.move_step(id, index, step::Event::Reset, &actor.name, &json!({}));
    }

    /// Groups whose list came from a step ask for it again: it may be another. Until then their items wait for them.
    fn close_groups(&mut self, id: &RunId, chosen: &[usize]) {
        let run = self.run_mut(id);
        let mut closed = BTreeSet::new();
        for index in chosen {
            let step = &mut run.steps[*index];
            if step.planned.role == Role::Group && step.detail.planned.is_some() {
                let items = format!("{}/", step.planned.step);
                step.planned.role = Role::Pending;
                step.planned.needs.retain(|need| !need.starts_with(&items));
                step.detail.planned = Some(step.planned.clone());
                closed.insert(step.planned.step.clone());
            }
        }
        for index in chosen {
            let step = &mut run.steps[*index];
            if step.planned.role == Role::Item && closed.contains(&step.planned.step) {
                step.planned.needs = vec![step.planned.step.clone()];
                step.detail.planned = Some(step.planned.clone());
            }
        }
        run.reorder();
    }
}
