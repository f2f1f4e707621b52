//! Answers of people: approvals, rejections, and decisions about a gate. An answer is appended; it never edits what it answers.

use kentai_workflows::value::Value;
use kentai_workflows::workflow::StepKind;
use serde_json::json;

use crate::id::RunId;
use crate::scheduler::Actor;
use crate::scheduler::advance::ENGINE;
use crate::scheduler::handle::{Answer, Refusal};
use crate::scheduler::house::House;
use crate::scheduler::live::text;
use crate::scheduler::release::SIGNER;
use crate::state::attempt::Cause;
use crate::state::step;
use crate::store::rows::{self, detail};
use crate::store::writer::Table;

/// Ways out of a gate that holds.
pub(in crate::scheduler) const QC_VERDICTS: [&str; 6] =
    ["release", "top_up", "re_prep", "re_extract", "new_material", "give_up"];

/// Answers to an `approve` step.
const APPROVE_VERDICTS: [&str; 2] = ["approve", "reject"];

impl House {
    /// Records what a person says about a step that awaits people.
    pub(in crate::scheduler) fn answer(
        &mut self,
        id: &RunId,
        key: &str,
        actor: &Actor,
        answer: &Answer,
    ) -> Result<(), Refusal> {
        let index = self.awaiting(id, key, answer)?;
        let ask = self.run(id).steps[index].detail.ask.clone().unwrap_or_default();
        if ask.kind != answer.kind.ask() {
            let verb = if ask.kind == "qc" { "kentai qc decide" } else { "kentai approve or reject" };
            return Err(Refusal::State(format!("step `{key}` waits for another answer: use {verb}")));
        }
        self.may_answer(id, index, actor, &ask)?;
        let verdicts: &[&str] = if ask.kind == "qc" { &QC_VERDICTS } else { &APPROVE_VERDICTS };
        if !verdicts.contains(&answer.verdict.as_str()) {
            return Err(Refusal::Bad(format!("`{}` is no verdict; one of {}", answer.verdict, verdicts.join(", "))));
        }
        self.keep_answer(id, index, actor, answer, &ask);
        self.follow(id, index, actor, answer, &ask);
        Ok(())
    }

    /// What they were shown is still what is asked: a gate that was judged anew, or a question that was asked again, is another one.
    pub(in crate::scheduler) fn still_asked(
        &self,
        id: &RunId,
        key: &str,
        answer: &Answer,
        shown: &str,
    ) -> Result<(), Refusal> {
        let index = self.awaiting(id, key, answer)?;
        let step = &self.run(id).steps[index];
        let asked = step.detail.ask.as_ref().map(detail::Ask::fingerprint);
        if asked.as_deref() == Some(shown) {
            return Ok(());
        }
        let key = &step.planned.key;
        Err(Refusal::State(format!("step `{key}` was asked anew since this was shown: look at what it says now")))
    }

    fn awaiting(&self, id: &RunId, key: &str, answer: &Answer) -> Result<usize, Refusal> {
        let run = self.run(id);
        let asked = |index: &usize| {
            let step = &run.steps[*index];
            step.status == step::Status::AwaitingPerson
                && step.detail.ask.as_ref().is_some_and(|ask| ask.kind == answer.kind.ask())
        };
        if key.is_empty() {
            let open: Vec<usize> = (0..run.steps.len()).filter(asked).collect();
            return match open.as_slice() {
                [one] => Ok(*one),
                [] => Err(Refusal::State(format!("run {id} waits for no such answer; see `kentai why {id}`"))),
                _ => Err(Refusal::Bad(format!("run {id} waits at several steps: name one"))),
            };
        }
        let index = run.index(key).ok_or_else(|| Refusal::NotFound(format!("run {id} has no step `{key}`")))?;
        if run.steps[index].status == step::Status::AwaitingPerson {
            Ok(index)
        } else {
            Err(Refusal::State(format!("step `{key}` is {}: it waits for nobody", run.steps[index].status)))
        }
    }

    fn may_answer(&self, id: &RunId, index: usize, actor: &Actor, ask: &detail::Ask) -> Result<(), Refusal> {
        if !actor.has_any(&ask.roles) {
            return Err(Refusal::NotAllowed(format!(
                "{} may not decide this: it needs the role {} (`people:` in kentai.yaml)",
                actor.name,
                ask.roles.join(" or ")
            )));
        }
        let run = self.run(id);
        let before = || self.answers_before(id);
        for relation in &ask.not_by {
            let excluded = match relation.as_str() {
                "submitter" => run.row.submitted_by == actor.name,
                "approver" => before().any(|answer| answer.person == actor.name && answer.verdict == "approve"),
                "previous_decider" => before().any(|answer| answer.person == actor.name),
                SIGNER => self.signers(id).contains(actor.name.as_str()),
                _ => false,
            };
            if excluded {
                return Err(Refusal::NotAllowed(format!(
                    "{} may not decide this: another person than the {relation} is needed",
                    actor.name
                )));
            }
        }
        if run.steps[index].detail.answers.iter().any(|answer| answer.person == actor.name) {
            return Err(Refusal::NotAllowed(format!(
                "{} has answered already; {} people are needed",
                actor.name, ask.count
            )));
        }
        Ok(())
    }

    fn keep_answer(&mut self, id: &RunId, index: usize, actor: &Actor, answer: &Answer, ask: &detail::Ask) {
        let now = self.now;
        let step = &mut self.run_mut(id).steps[index];
        step.detail.answers.push(detail::Answer {
            person: actor.name.clone(),
            verdict: answer.verdict.clone(),
            reason: answer.reason.clone(),
            at_us: now,
        });
        let row = rows::Decision {
            decision_id: crate::id::fresh("q"),
            run_id: id.clone(),
            step_key: step.key(),
            kind: answer.kind.ask().to_owned(),
            verdict: answer.verdict.clone(),
            reason: answer.reason.clone(),
            person: actor.name.clone(),
            roles: text(&actor.roles),
            bound: text(&ask.shown),
            at_us: now,
        };
        self.ledger.change.put(Table::Decision, &row);
        let key = row.step_key.to_string();
        self.touch_step(id, index);
        self.record(
            id,
            "person_answered",
            &key,
            &actor.name,
            &json!({ "verdict": answer.verdict, "reason": answer.reason }),
        );
    }

    fn follow(&mut self, id: &RunId, index: usize, actor: &Actor, answer: &Answer, ask: &detail::Ask) {
        let body = json!({ "verdict": answer.verdict, "by": actor.name });
        match answer.verdict.as_str() {
            "approve" => {
                let step = &self.run(id).steps[index];
                let yes = step.detail.answers.iter().filter(|answer| answer.verdict == "approve").count();
                if yes < ask.count as usize {
                    return;
                }
                // A hand-off was asked about before it was begun: now it may.
                if matches!(self.run(id).definition(index).kind, StepKind::Handoff(_)) {
                    self.move_step(id, index, step::Event::Ready, &actor.name, &body);
                } else {
                    self.succeed_step(id, index, &actor.name, &body);
                }
            }
            "release" => self.succeed_step(id, index, &actor.name, &body),
            verdict => {
                let reason = format!("{} decided `{verdict}`: {}", actor.name, answer.reason);
                self.fail_step(id, index, Cause::Policy, &reason);
            }
        }
    }

    /// Questions whose time is over.
    pub(in crate::scheduler) fn expire_asks(&mut self) {
        let now = self.now;
        let mut expired = Vec::new();
        for run in self.runs.values() {
            for (index, step) in run.steps.iter().enumerate() {
                let ask = step.detail.ask.as_ref().filter(|_| step.status == step::Status::AwaitingPerson);
                if ask.and_then(|ask| ask.expires_us).is_some_and(|at| at <= now) {
                    expired.push((run.id.clone(), index));
                }
            }
        }
        for (id, index) in expired {
            let fail = self.run(&id).steps[index].detail.ask.as_ref().is_some_and(|ask| ask.fail_if_expired);
            if fail {
                self.fail_step(&id, index, Cause::Policy, "nobody answered in time");
                continue;
            }
            let detail = &mut self.run_mut(&id).steps[index].detail;
            detail.reason = Some("nobody answered in time; it still waits".into());
            if let Some(ask) = &mut detail.ask {
                ask.expires_us = None;
            }
            let key = self.run(&id).steps[index].planned.key.clone();
            self.touch_step(&id, index);
            self.record(&id, "ask_expired", &key, ENGINE, &Value::Null);
        }
    }
}
