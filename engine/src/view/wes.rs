//! Runs as GA4GH WES 1.1 shows them: states in its words, a run's request and outputs, attempts as its tasks.
//!
//! Who may see a run is asked before. It does not know HTTP; no path of the site's disk is in what it tells.

use std::collections::{BTreeMap, HashMap};

use kentai_workflows::plan::Plan;
use kentai_workflows::value::{FileValue, Map, Value};
use serde::Serialize;
use serde_json::json;

use super::{AttemptView, FileView, RunDetail, document};
use crate::clock::Micros;
use crate::id::{RunId, StepKey};
use crate::state::attempt::{self, Cause};
use crate::state::{run, words};
use crate::store::Error;
use crate::store::read::{Reader, RunFilter};
use crate::store::rows::{self, detail::Detail, line};

/// What a workflow's type is called.
pub const TYPE: &str = "KENTAI";
/// The language's version: `kentai: 1`.
pub const TYPE_VERSION: &str = "1";
/// What runs it.
pub const ENGINE: &str = "kentai";

words!(
    /// Where a run stands, in the standard's words.
    State {
        /// Nothing of it has begun.
        Queued = "QUEUED",
        /// Something of it is done, or will be.
        Running = "RUNNING",
        /// A person paused it, or must answer first.
        Paused = "PAUSED",
        /// Every step is done.
        Complete = "COMPLETE",
        /// What the workflow asked for failed: a tool, an output, a gate, a person's answer.
        ExecutorError = "EXECUTOR_ERROR",
        /// We failed it: a machine, an image, a rule of the site.
        SystemError = "SYSTEM_ERROR",
        /// The machine was taken away.
        Preempted = "PREEMPTED",
        /// Its end was asked for, and something of it still runs.
        Canceling = "CANCELING",
        /// It ended because somebody asked.
        Canceled = "CANCELED",
    }
);

/// `RunStatus`
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RunStatus {
    /// Its id.
    pub run_id: RunId,
    /// Where it stands.
    pub state: State,
}

/// `RunSummary`
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RunSummary {
    /// Its id and where it stands.
    #[serde(flatten)]
    pub status: RunStatus,
    /// When it ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub end_time: Option<String>,
    /// None are kept.
    pub tags: BTreeMap<String, String>,
}

/// `RunListResponse`
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RunList {
    /// Newest first.
    pub runs: Vec<RunSummary>,
    /// Empty: that was all.
    pub next_page_token: String,
}

/// `Log`
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Log {
    /// The workflow's id, or the step's key.
    pub name: String,
    /// When a tool began.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub start_time: Option<String>,
    /// When it ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub end_time: Option<String>,
    /// Where what it wrote is read, both of its streams.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stdout: Option<String>,
    /// How the tool ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exit_code: Option<i32>,
    /// Why it stands where it stands.
    pub system_logs: Vec<String>,
}

/// `TaskLog`: one attempt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TaskLog {
    /// The attempt's id.
    pub id: String,
    /// What is known of it.
    #[serde(flatten)]
    pub log: Log,
}

/// `TaskListResponse`
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TaskList {
    /// In the order of their start.
    pub task_logs: Vec<TaskLog>,
    /// Empty: that was all.
    pub next_page_token: String,
}

/// `RunLog`
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RunLog {
    /// Its id.
    pub run_id: RunId,
    /// What was asked for.
    pub request: Value,
    /// Where it stands.
    pub state: State,
    /// When, and why.
    pub run_log: Log,
    /// Where its attempts are listed.
    pub task_logs_url: String,
    /// `step.output` → files by name, size and checksum.
    pub outputs: BTreeMap<String, Vec<FileView>>,
}

/// Runs, newest first, after the one that `token` names.
///
/// # Errors
/// When the database cannot be read.
pub async fn runs(reader: &Reader, token: Option<String>, limit: i64) -> Result<RunList, Error> {
    let filter = RunFilter { after: token, limit, ..RunFilter::default() };
    let ids = reader.run_ids(&filter, ("", "")).await?;
    let full = i64::try_from(ids.len()).is_ok_and(|found| found >= limit);
    let next_page_token = ids.last().filter(|_| full).cloned().unwrap_or_default();
    Ok(RunList { runs: summaries(reader, &ids).await?, next_page_token })
}

/// Where one run stands; `id` is a whole id.
///
/// # Errors
/// When the database cannot be read.
pub async fn status(reader: &Reader, id: &RunId) -> Result<Option<RunStatus>, Error> {
    Ok(summaries(reader, &[id.to_string()]).await?.pop().map(|run| run.status))
}

/// One run with its request and outputs; `base` is the standard's address at this site.
///
/// # Errors
/// When the database cannot be read.
pub async fn run(reader: &Reader, id: &RunId, base: &str) -> Result<Option<RunLog>, Error> {
    let Some(summary) = summaries(reader, &[id.to_string()]).await?.pop() else { return Ok(None) };
    let (Some(row), Some(detail)) = (reader.run(id.as_str()).await?, super::run(reader, id).await?) else {
        return Ok(None);
    };
    let plan: Plan = document("a plan", &row.plan)?;
    let first = reader.attempts(id.as_str()).await?.iter().filter_map(AttemptView::span).map(|span| span.0).min();
    let RunDetail { run, steps, .. } = detail;
    let named = |step: &StepKey, output: &str| format!("{step}.{output}");
    let outputs = steps
        .iter()
        .flat_map(|step| step.outputs.iter().map(move |(output, files)| (named(&step.key, output), files.clone())));
    Ok(Some(RunLog {
        run_id: id.clone(),
        request: json!({
            "workflow_type": TYPE,
            "workflow_type_version": TYPE_VERSION,
            "workflow_engine": ENGINE,
            "workflow_url": if plan.version.is_empty() { plan.workflow } else { format!("{}@{}", plan.workflow, plan.version) },
            "workflow_params": { "specimen": plan.specimen.id, "params": without_paths(Value::Object(plan.params)) },
            "tags": {},
        }),
        state: summary.status.state,
        run_log: Log {
            name: run.workflow,
            start_time: first.map(seconds),
            end_time: summary.end_time,
            system_logs: run.reason.into_iter().collect(),
            ..Log::default()
        },
        task_logs_url: format!("{base}/runs/{id}/tasks"),
        outputs: outputs.collect(),
    }))
}

/// Attempts of a run after the one that `token` names; none: it names no attempt of this run. `logs` is where the run's logs are read.
///
/// # Errors
/// When the database cannot be read.
pub async fn tasks(
    reader: &Reader,
    id: &RunId,
    (token, limit): (Option<&str>, usize),
    logs: &str,
) -> Result<Option<TaskList>, Error> {
    let reasons: HashMap<String, String> = reader.attempt_reasons(id.as_str()).await?.into_iter().collect();
    let attempts = reader.attempts(id.as_str()).await?;
    let from = match token.filter(|token| !token.is_empty()) {
        None => 0,
        Some(token) => match attempts.iter().position(|attempt| attempt.attempt_id.as_str() == token) {
            Some(place) => place + 1,
            None => return Ok(None),
        },
    };
    let shown = attempts.get(from..).unwrap_or_default();
    let last = if shown.len() > limit { shown.get(limit.saturating_sub(1)) } else { None };
    let next_page_token = last.map(|attempt| attempt.attempt_id.to_string()).unwrap_or_default();
    let task_logs = shown.iter().take(limit).map(|row| task(row, &reasons, logs)).collect();
    Ok(Some(TaskList { task_logs, next_page_token }))
}

/// One attempt of a run.
///
/// # Errors
/// When the database cannot be read.
pub async fn task_of(reader: &Reader, id: &RunId, task_id: &str, logs: &str) -> Result<Option<TaskLog>, Error> {
    let Some(row) = reader.attempt(task_id).await?.filter(|row| row.run_id == *id) else { return Ok(None) };
    let reasons: HashMap<String, String> = reader.attempt_reasons(id.as_str()).await?.into_iter().collect();
    Ok(Some(task(&row, &reasons, logs)))
}

fn task(row: &rows::Attempt, reasons: &HashMap<String, String>, logs: &str) -> TaskLog {
    let view = AttemptView::of(row, reasons.get(row.attempt_id.as_str()));
    let span = AttemptView::span(row);
    let ended = attempt::Status::parse(&row.status).is_some_and(attempt::Status::is_end);
    let log = Log {
        name: view.step.to_string(),
        start_time: span.map(|span| seconds(span.0)),
        end_time: span.map(|span| span.1).or_else(|| ended.then_some(row.updated_us)).map(seconds),
        // The id is letters, digits and a dash.
        stdout: Some(format!("{logs}?attempt={}", view.id)),
        exit_code: view.exit_code.and_then(|code| i32::try_from(code).ok()),
        system_logs: view.reason.into_iter().collect(),
    };
    TaskLog { id: view.id.to_string(), log }
}

async fn summaries(reader: &Reader, ids: &[String]) -> Result<Vec<RunSummary>, Error> {
    let mut causes: HashMap<RunId, Option<Cause>> = HashMap::new();
    for reason in reader.run_reasons(ids).await?.into_iter().filter(|reason| reason.status == "failed") {
        let detail: Detail = document("a step's detail", &reason.detail)?;
        // The first in plan order says it.
        causes.entry(reason.run_id).or_insert(detail.cause);
    }
    let lines = reader.run_lines(ids).await?;
    lines.iter().map(|line| summary(line, causes.get(&line.run_id).copied().flatten())).collect()
}

fn summary(line: &line::RunLine, cause: Option<Cause>) -> Result<RunSummary, Error> {
    let status = run::Status::parse(&line.status)
        .ok_or_else(|| Error::Unknown { what: "a run status", found: line.status.clone() })?;
    let state = state(status, line.hold != "null", line.asks > 0, cause);
    Ok(RunSummary {
        status: RunStatus { run_id: line.run_id.clone(), state },
        end_time: status.is_end().then(|| seconds(line.updated_us)),
        tags: BTreeMap::new(),
    })
}

/// The standard's word; `cause` is why the first failed step failed.
fn state(status: run::Status, held: bool, asks: bool, cause: Option<Cause>) -> State {
    use run::Status as S;
    match status {
        S::Succeeded => State::Complete,
        S::Canceled => State::Canceled,
        S::Canceling => State::Canceling,
        S::Failed => match cause {
            Some(Cause::Infrastructure | Cause::Image | Cause::Lost | Cause::Policy | Cause::Consent) => {
                State::SystemError
            }
            Some(Cause::Preempted) => State::Preempted,
            Some(Cause::Tool | Cause::OutOfMemory | Cause::Timeout | Cause::BadOutput) | None => State::ExecutorError,
        },
        S::Queued | S::Running if held => State::Paused,
        S::Queued => State::Queued,
        S::Running if asks => State::Paused,
        S::Running => State::Running,
    }
}

/// Files by name: where they lie is nobody's business outside.
fn without_paths(value: Value) -> Value {
    if let Some(file) = FileValue::of(&value) {
        return Value::String(file.name);
    }
    match value {
        Value::Array(items) => Value::Array(items.into_iter().map(without_paths).collect()),
        Value::Object(members) => {
            Value::Object(members.into_iter().map(|(name, value)| (name, without_paths(value))).collect::<Map>())
        }
        other => other,
    }
}

/// `2026-11-22T01:02:03Z`
fn seconds(at: Micros) -> String {
    jiff::Timestamp::from_microsecond(at).map_or_else(|_| at.to_string(), |at| format!("{at:.0}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whose_failure_it_was_is_told_apart() {
        let of = |cause| state(run::Status::Failed, false, false, cause);
        assert_eq!(of(Some(Cause::Tool)), State::ExecutorError);
        assert_eq!(of(Some(Cause::Lost)), State::SystemError);
        assert_eq!(of(Some(Cause::Preempted)), State::Preempted);
        assert_eq!(of(None), State::ExecutorError);
    }

    #[test]
    fn an_end_is_no_pause_and_a_pause_is_one_whoever_made_it() {
        assert_eq!(state(run::Status::Succeeded, true, true, None), State::Complete);
        assert_eq!(state(run::Status::Canceling, true, true, None), State::Canceling);
        assert_eq!(state(run::Status::Queued, true, false, None), State::Paused);
        assert_eq!(state(run::Status::Running, false, true, None), State::Paused);
        assert_eq!(state(run::Status::Running, false, false, None), State::Running);
    }

    #[test]
    fn a_files_place_is_not_told() {
        let file = FileValue {
            name: "a.bed".into(),
            path: Some("/secret/a.bed".into()),
            sha256: None,
            size: None,
            bundle: None,
            dir: false,
        };
        let told = without_paths(json!({ "targets": file.to_value(), "ref": { "fasta": file.to_value() }, "n": [1] }));
        assert_eq!(told, json!({ "targets": "a.bed", "ref": { "fasta": "a.bed" }, "n": [1] }));
    }

    #[test]
    fn times_are_told_in_whole_seconds() {
        assert_eq!(seconds(1_700_000_000_123_456), "2023-11-14T22:13:20Z");
    }
}
