//! Why a run stands where it stands: the rule that does not hold, with values, who may act, and what to do.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::house::House;
use super::live::LiveRun;
use super::worked;
use crate::decide::choose::Choice;
use crate::id::RunId;
use crate::state::{run, step};
use kentai_workflows::workflow::StepKind;

/// One reason.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Because {
    /// Step key; empty when it is about the run.
    pub step: String,
    /// Its status.
    pub status: String,
    /// In words.
    pub reason: String,
    /// Who may act, by role; empty: nobody needs to.
    pub who: Vec<String>,
    /// The command that helps, if one does.
    pub next: String,
    /// Values behind the reason (a gate's report, failures by cause).
    pub values: Value,
}

impl House {
    /// Every reason, the ones that need a person first.
    pub(super) fn why(&self, id: &RunId, key: Option<&str>) -> Vec<Because> {
        let run = self.run(id);
        let mut because: Vec<Because> = Vec::new();
        if key.is_none() {
            because.extend(self.why_run(run));
        }
        for (index, step) in run.steps.iter().enumerate() {
            let wanted = key.is_none_or(|key| step.planned.key == key || step.planned.step == key);
            if wanted
                && (key.is_some()
                    || !matches!(step.status, step::Status::Succeeded | step::Status::Skipped | step::Status::Waiting))
            {
                because.push(self.why_step(run, index));
            }
        }
        if because.is_empty() {
            because.push(self.plain(run));
        }
        because.sort_by_key(|because| because.who.is_empty());
        because
    }

    fn plain(&self, run: &LiveRun) -> Because {
        let reason = match run.status {
            run::Status::Succeeded => "every step is done".to_owned(),
            run::Status::Queued => format!("it waits for its turn; {} run(s) are open before it", self.queue.len()),
            status => format!("it is {status}"),
        };
        about_run(run, reason, Vec::new(), String::new())
    }

    fn why_run(&self, run: &LiveRun) -> Option<Because> {
        let hold = run.hold.as_ref()?;
        let reason = format!("held by {}: {}", hold.by, hold.reason);
        Some(about_run(run, reason, vec!["operator".into()], format!("kentai resume {}", run.id)))
    }

    fn why_step(&self, run: &LiveRun, index: usize) -> Because {
        let step = &run.steps[index];
        let detail = &step.detail;
        let mut because = Because {
            step: step.planned.key.clone(),
            status: step.status.word().to_owned(),
            reason: detail.reason.clone().unwrap_or_default(),
            who: Vec::new(),
            next: String::new(),
            values: serde_json::json!({ "gate": detail.gate, "failures": detail.failures, "answers": detail.answers }),
        };
        match step.status {
            step::Status::AwaitingPerson => self.why_person(run, index, &mut because),
            step::Status::Ready => self.why_ready(run, index, &mut because),
            step::Status::Waiting => because.reason = why_waiting(run, index),
            step::Status::Running if because.reason.is_empty() => {
                because.reason = match &step.attempt {
                    Some(attempt) => format!("attempt {attempt} is running"),
                    None => "it is being done".into(),
                };
            }
            step::Status::Failed => {
                because.who = vec!["operator".into()];
                because.next = format!("kentai logs {0} {1}; kentai retry {0}", run.id, step.planned.key);
            }
            _ => {}
        }
        because
    }

    fn why_person(&self, run: &LiveRun, index: usize, because: &mut Because) {
        let step = &run.steps[index];
        let Some(ask) = &step.detail.ask else { return };
        because.who.clone_from(&ask.roles);
        let (id, key) = (&run.id, &step.planned.key);
        let (sentence, next) = match ask.kind.as_str() {
            "qc" => {
                let found = step.detail.gate.as_ref().map(worked::sentence).unwrap_or_default();
                (
                    format!("the gate holds: {found}"),
                    format!("kentai qc decide {id} {key} --verdict release --reason …"),
                )
            }
            "approve" => {
                let text = if ask.text.is_empty() { "an answer" } else { &ask.text };
                let not = if ask.not_by.is_empty() {
                    String::new()
                } else {
                    format!(", not by the {}", ask.not_by.join(" or "))
                };
                let given = step.detail.answers.len();
                let late = step.detail.reason.as_ref().map(|reason| format!("; {reason}")).unwrap_or_default();
                (
                    format!("it asks: {text} ({given} of {} answer(s){not}){late}", ask.count),
                    format!("kentai approve {id} {key}"),
                )
            }
            _ => ("the workflow holds here until a person lets it go".into(), format!("kentai resume {id}")),
        };
        because.reason = sentence;
        because.next = next;
    }

    fn why_ready(&self, run: &LiveRun, index: usize, because: &mut Because) {
        because.reason = self.before_it_starts(run, index).unwrap_or_else(|| {
            let StepKind::Tool(tool) = &run.definition(index).kind else { return "it is about to begin".into() };
            match self.choose(run, index, tool, None) {
                Ok((_, Choice::Full(at, short))) => self.full(at, &short),
                Ok((_, Choice::Nobody(who))) => {
                    if let Some(name) = self.first_drained(&who) {
                        because.who = vec!["operator".into()];
                        because.next = format!("kentai admin executor resume {name}");
                    }
                    self.nobody(&who)
                }
                Ok((_, Choice::Never(why))) => self.never(&why),
                Ok((_, Choice::Take(_))) => "it is about to begin".into(),
                Err(reason) => reason,
            }
        });
    }

    /// What stands before the question who takes it.
    fn before_it_starts(&self, run: &LiveRun, index: usize) -> Option<String> {
        let step = &run.steps[index];
        if run.hold.is_some() {
            return Some("it would start, but the run is held".into());
        }
        if step.detail.not_before_us.is_some_and(|at| at > self.now) {
            return Some(step.detail.reason.clone().unwrap_or_default());
        }
        self.options
            .drain
            .then(|| "no engine runs on this site; start one with `kentai serve` or the same `kentai run`".into())
    }
}

fn why_waiting(run: &LiveRun, index: usize) -> String {
    let open: Vec<String> = run
        .order
        .needs(index)
        .filter(|need| !run.steps[*need].status.is_satisfied())
        .map(|need| format!("{} ({})", run.steps[need].planned.key, run.steps[need].status))
        .collect();
    format!("it waits for {}", open.join(", "))
}

fn about_run(run: &LiveRun, reason: String, who: Vec<String>, next: String) -> Because {
    Because { step: String::new(), status: run.status.word().to_owned(), reason, who, next, values: Value::Null }
}
