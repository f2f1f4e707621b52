//! Runs as everybody sees them: seven public states, how far they are, and why they stand where they stand.

use std::collections::HashMap;

use kentai_workflows::diagnostic::Language;
use kentai_workflows::plan::{Plan, Priority, Role};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{AttemptView, DecisionView, DeliveryView, EventView, MeasurementView, Page, StepView, document, time};
use crate::id::{RunId, SubmissionId};
use crate::scheduler::{Hold, Parent};
use crate::state::{self, words};
use crate::store::Error;
use crate::store::read::{Reader, RunFilter};
use crate::store::rows::{self, detail::Detail, line};

words!(
    /// Where a run stands, in public: `canceling` is still `running`, a pause is a state, and so is a person's turn.
    State {
        /// It waits for its turn.
        Queued = "queued",
        /// Something of it is done, or will be without anybody's help.
        Running = "running",
        /// A person must answer before all of it can go on.
        WaitsForPerson = "waits_for_person",
        /// A person paused it.
        Held = "held",
        /// Every step is done.
        Succeeded = "succeeded",
        /// A step was given up.
        Failed = "failed",
        /// Ended by request.
        Canceled = "canceled",
    }
);

impl State {
    /// From the stored status, and what is beside it.
    #[must_use]
    pub fn of(status: state::run::Status, held: bool, asks: bool) -> Self {
        use state::run::Status as S;
        match status {
            S::Succeeded => Self::Succeeded,
            S::Failed => Self::Failed,
            S::Canceled => Self::Canceled,
            S::Canceling => Self::Running,
            S::Queued | S::Running if held => Self::Held,
            S::Queued => Self::Queued,
            S::Running if asks => Self::WaitsForPerson,
            S::Running => Self::Running,
        }
    }

    /// The stored statuses that runs of this state have.
    fn stored(self) -> (&'static str, &'static str) {
        match self {
            Self::Running => ("running", "canceling"),
            Self::WaitsForPerson => ("running", "running"),
            Self::Held => ("queued", "running"),
            same => (same.word(), same.word()),
        }
    }

    /// Nothing follows but a person's `retry`.
    #[must_use]
    pub fn is_end(self) -> bool {
        matches!(self, Self::Succeeded | Self::Failed | Self::Canceled)
    }
}

/// A pause, with who and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct HoldView {
    /// Who paused it.
    pub by: String,
    /// Why.
    pub reason: String,
    /// Since when.
    pub since: String,
}

/// One run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RunView {
    /// Its id.
    pub id: RunId,
    /// The submission that asked for it.
    pub submission: SubmissionId,
    /// The workflow's id.
    pub workflow: String,
    /// The workflow's version.
    pub version: String,
    /// SHA-256 of the workflow's text.
    pub digest: String,
    /// The specimen's id.
    pub specimen: String,
    /// Where it stands.
    pub status: State,
    /// Who paused it and why.
    pub held: Option<HoldView>,
    /// Priority class.
    pub priority: Priority,
    /// The step that called it.
    pub parent: Option<Parent>,
    /// Who asked for it.
    pub submitted_by: String,
    /// When it was asked for.
    pub created: String,
    /// When something of it last changed.
    pub updated: String,
    /// Steps; of a scattered step its items, once they are known.
    pub steps_total: i64,
    /// Steps that are done or skipped.
    pub steps_done: i64,
    /// It is not at its end and a step waits for a person's answer.
    pub needs_person: bool,
    /// Why it stands where it stands, when there is something to say.
    pub reason: Option<String>,
    /// The same in Japanese: for pages.
    #[serde(skip)]
    pub reason_ja: Option<String>,
}

/// One run with everything that is known of it but its events.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RunDetail {
    /// The run.
    pub run: RunView,
    /// In plan order.
    pub steps: Vec<StepView>,
    /// Oldest first.
    pub attempts: Vec<AttemptView>,
    /// What people decided, in order.
    pub decisions: Vec<DecisionView>,
    /// Hand-offs, newest first.
    pub deliveries: Vec<DeliveryView>,
    /// What gates measured.
    pub measurements: Vec<MeasurementView>,
}

/// What the beginning of an id stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// This run.
    One(RunId),
    /// None.
    None,
    /// Several: more letters are needed.
    Several,
}

/// The run with this id, or the only one whose id begins so.
///
/// # Errors
/// When the database cannot be read.
pub async fn find_run(reader: &Reader, text: &str) -> Result<Found, Error> {
    // Every id begins with the same letter, which names nothing; what is no letter or digit is no part of an id.
    if text.len() < 2 || !text.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return Ok(Found::None);
    }
    let found = reader.runs_like(text).await?;
    Ok(match found.as_slice() {
        [] => Found::None,
        [one] => Found::One(one.run_id.clone()),
        [exact, ..] if exact.run_id.as_str() == text => Found::One(exact.run_id.clone()),
        _ => Found::Several,
    })
}

/// Runs, newest first; `filter.status` is a public state.
///
/// # Errors
/// When the database cannot be read; an unknown state is [`Error::Unknown`].
pub async fn runs(reader: &Reader, filter: &RunFilter) -> Result<Page<RunView>, Error> {
    let state = match filter.status.as_deref() {
        Some(word) => {
            State::parse(word).ok_or_else(|| Error::Unknown { what: "a public state", found: word.to_owned() })?
        }
        None => State::Running,
    };
    let ids = reader.run_ids(filter, state.stored()).await?;
    Ok(Page::new(views(reader, &ids).await?, filter.limit, |run| run.id.to_string()))
}

/// These runs, newest first.
pub(super) async fn views(reader: &Reader, ids: &[String]) -> Result<Vec<RunView>, Error> {
    let lines = reader.run_lines(ids).await?;
    let mut reasons: HashMap<RunId, Vec<line::StepReason>> = HashMap::new();
    for reason in reader.run_reasons(ids).await? {
        reasons.entry(reason.run_id.clone()).or_default().push(reason);
    }
    lines.into_iter().map(|line| view(&line, reasons.get(&line.run_id).map_or(&[], Vec::as_slice))).collect()
}

/// Why a run stands where it stands, when there is something to say; `id` is a whole id.
pub(super) async fn run_reason(reader: &Reader, id: &str, language: Language) -> Result<Option<String>, Error> {
    reason(&reader.run_reasons(&[id.to_owned()]).await?, language)
}

/// One run with everything about it; `id` is a whole id.
///
/// # Errors
/// When the database cannot be read.
pub async fn run(reader: &Reader, id: &RunId) -> Result<Option<RunDetail>, Error> {
    let Some(row) = reader.run(id.as_str()).await? else { return Ok(None) };
    let Some(run) = views(reader, &[id.to_string()]).await?.pop() else { return Ok(None) };
    let id = id.as_str();
    let roles = roles(&row)?;
    let reasons: HashMap<String, String> = reader.attempt_reasons(id).await?.into_iter().collect();
    let steps = reader.steps(id).await?;
    let attempts = reader.attempts(id).await?;
    Ok(Some(RunDetail {
        run,
        steps: steps.iter().map(|step| StepView::of(step, &roles)).collect::<Result<_, _>>()?,
        attempts: attempts
            .iter()
            .map(|attempt| AttemptView::of(attempt, reasons.get(attempt.attempt_id.as_str())))
            .collect(),
        decisions: reader.decisions(id).await?.iter().map(DecisionView::of).collect(),
        deliveries: reader.deliveries_of(id).await?.iter().map(DeliveryView::of).collect::<Result<_, _>>()?,
        measurements: reader.measurements(id).await?.iter().map(MeasurementView::of).collect(),
    }))
}

/// Events of a run after the one numbered `after`.
///
/// # Errors
/// When the database cannot be read.
pub async fn events(reader: &Reader, id: &RunId, after: i64, limit: i64) -> Result<Page<EventView>, Error> {
    let rows = reader.events_after(id.as_str(), after, limit).await?;
    Ok(Page::new(rows.iter().map(EventView::of).collect(), limit, |event| event.n.to_string()))
}

fn roles(row: &rows::Run) -> Result<HashMap<String, Role>, Error> {
    let plan: Plan = document("a plan", &row.plan)?;
    Ok(plan.steps.into_iter().map(|step| (step.key, step.role)).collect())
}

fn view(line: &line::RunLine, reasons: &[line::StepReason]) -> Result<RunView, Error> {
    let status = state::run::Status::parse(&line.status)
        .ok_or_else(|| Error::Unknown { what: "a run status", found: line.status.clone() })?;
    let hold: Option<Hold> = document("a hold", &line.hold)?;
    let because = |language| match &hold {
        _ if status == state::run::Status::Canceling => {
            Ok(Some("it is being canceled; something of it still runs".to_owned()))
        }
        Some(hold) if !status.is_end() => Ok(Some(format!("held by {}: {}", hold.by, hold.reason))),
        _ => reason(reasons, language),
    };
    let (reason, reason_ja) = (because(Language::En)?, because(Language::Ja)?);
    let reason_ja = reason_ja.map(|reason| crate::translated::said(&reason, Language::Ja).into_owned());
    Ok(RunView {
        id: line.run_id.clone(),
        submission: line.submission_id.clone(),
        workflow: line.workflow_id.clone(),
        version: line.workflow_version.clone(),
        digest: line.digest.clone(),
        specimen: line.specimen_id.clone(),
        status: State::of(status, hold.is_some(), line.asks > 0),
        held: hold.map(|hold| HoldView { by: hold.by, reason: hold.reason, since: time(hold.since_us) }),
        priority: priority(line.priority),
        parent: document("a parent", &line.parent)?,
        submitted_by: line.submitted_by.clone(),
        created: time(line.created_us),
        updated: time(line.updated_us),
        steps_total: line.steps_total,
        steps_done: line.steps_done,
        needs_person: line.asks > 0 && !status.is_end(),
        reason,
        reason_ja,
    })
}

/// The most telling step first: one that failed, one that asks a person, one that waits for something.
fn reason(reasons: &[line::StepReason], language: Language) -> Result<Option<String>, Error> {
    let weight = |reason: &&line::StepReason| match reason.status.as_str() {
        "failed" => 0,
        "awaiting_person" => 1,
        _ => 2,
    };
    let Some(first) = reasons.iter().min_by_key(weight) else { return Ok(None) };
    let detail: Detail = document("a step's detail", &first.detail)?;
    Ok(super::step::reason(&detail, language).map(|reason| format!("{}: {reason}", first.step_key)))
}

fn priority(class: i64) -> Priority {
    match class {
        i64::MIN..=0 => Priority::Routine,
        1 => Priority::Urgent,
        _ => Priority::Stat,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::run::Status;

    #[test]
    fn there_are_at_most_seven_public_states() {
        assert!(State::ALL.len() <= 7);
    }

    #[test]
    fn every_stored_status_is_among_those_that_its_state_is_looked_up_by() {
        for status in Status::ALL {
            for (held, asks) in [(false, false), (true, false), (false, true), (true, true)] {
                let state = State::of(*status, held, asks);
                let (one, other) = state.stored();
                assert!([one, other].contains(&status.word()), "{status} is {state}");
            }
        }
    }

    #[test]
    fn an_ended_run_is_not_held_any_more() {
        assert_eq!(State::of(Status::Failed, true, true), State::Failed);
    }

    #[test]
    fn a_failure_says_more_than_a_wait() {
        let step = |key: &str, status: &str, reason: &str| line::StepReason {
            run_id: "r1".into(),
            step_key: key.into(),
            status: status.into(),
            detail: format!(r#"{{"reason":"{reason}"}}"#),
        };
        let reasons = [step("trim", "ready", "it waits for memory"), step("align", "failed", "exit code 1")];
        assert_eq!(reason(&reasons, Language::En).expect("documents of ours"), Some("align: exit code 1".to_owned()));
    }
}
