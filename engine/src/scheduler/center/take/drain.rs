//! Draining an executor, and letting it work again: by a person, with a reason, kept for whichever engine comes next.
//!
//! What it runs goes on. It ends nothing and moves nothing.

use serde_json::json;

use crate::scheduler::center::desk::By;
use crate::scheduler::center::request::Answer;
use crate::scheduler::handle::Refusal;
use crate::scheduler::live::Hold;
use crate::scheduler::service::Service;
use crate::specimen::record::Kind;

impl Service {
    /// With a reason it is drained, without one it may work again.
    pub(super) async fn drain_executor(
        &mut self,
        executor: &str,
        reason: Option<&str>,
        by: &By,
    ) -> Result<Answer, Refusal> {
        if reason.is_some_and(|reason| reason.trim().is_empty()) {
            return Err(Refusal::Bad("draining an executor needs a reason".into()));
        }
        let known: Vec<&str> = self.house.options.executors.iter().map(|post| post.name()).collect();
        // One that the site file names no more may still be let go, so that it is not drained when it comes back.
        let drained = self.house.drained.get(executor);
        if !known.contains(&executor) && (reason.is_some() || drained.is_none()) {
            return Err(Refusal::NotFound(format!(
                "this site has no executor `{executor}`; it has {}",
                if known.is_empty() { "none".to_owned() } else { known.join(", ") }
            )));
        }
        match (drained, reason) {
            (Some(hold), Some(_)) => {
                let said = format!("executor {executor} was drained by {} already: {}", hold.by, hold.reason);
                return Err(Refusal::State(said));
            }
            (None, None) => return Err(Refusal::State(format!("executor {executor} is not drained"))),
            _ => {}
        }
        let hold =
            reason.map(|reason| Hold { by: by.name.clone(), reason: reason.trim().into(), since_us: self.desk.now });
        let mut held = match self.desk.find::<serde_json::Value>(Kind::Executor, executor).await? {
            Some(held) => held,
            None => self.desk.new_record(Kind::Executor, executor, "working", json!({})),
        };
        let (status, event) =
            if hold.is_some() { ("drained", "executor_drained") } else { ("working", "executor_resumed") };
        status.clone_into(&mut held.row.status);
        held.doc = json!({ "drain": hold });
        self.desk.record(&mut held, event, by, &json!({ "reason": reason }));
        match hold {
            Some(hold) => drop(self.house.drained.insert(executor.to_owned(), hold)),
            None => drop(self.house.drained.remove(executor)),
        }
        let said = if reason.is_some() {
            format!("executor {executor} is drained: what it runs goes on, and it gets nothing new")
        } else {
            format!("executor {executor} may get new work")
        };
        Ok(Answer { said, ..Answer::default() })
    }
}
