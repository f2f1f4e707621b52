//! Attempts as everybody sees them: how the tool ended, what it took, where its log is.

use std::path::Path;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::time;
use crate::clock::Micros;
use crate::exit_record::ExitRecord;
use crate::id::{AttemptId, StepKey};
use crate::scheduler::Places;
use crate::store::rows;

/// One try of one step. What its evidence does not say is absent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AttemptView {
    /// Its id, which also names the container or job.
    pub id: AttemptId,
    /// The step's key.
    pub step: StepKey,
    /// Of this step and round, from 1.
    pub number: i64,
    /// Counts a person's retries of the step.
    pub round: i64,
    /// Where it stands.
    pub status: String,
    /// The executor's name.
    pub executor: String,
    /// Why it failed, as a word.
    pub cause: Option<String>,
    /// Why it failed, as a sentence.
    pub reason: Option<String>,
    /// The tool's exit code.
    pub exit_code: Option<i64>,
    /// The signal that ended the tool.
    pub signal: Option<i32>,
    /// It was ended because its time was over.
    pub timed_out: bool,
    /// It was ended for want of memory.
    pub oom_killed: bool,
    /// From the tool's start to its end.
    pub duration_ms: Option<i64>,
    /// Processor time.
    pub cpu_ms: Option<u64>,
    /// Largest resident set.
    pub max_rss_bytes: Option<u64>,
    /// Cores it was given.
    pub cpus: Option<u32>,
    /// Memory it was given; zero: no limit.
    pub memory_bytes: Option<u64>,
    /// The image, by digest or id.
    pub image: Option<String>,
    /// Bytes of log kept.
    pub log_bytes: i64,
    /// Where the log is kept, relative to the site's directory.
    pub log: Option<String>,
    /// When it was planned.
    pub created: String,
    /// When it last changed.
    pub updated: String,
}

/// The part of the stored task that is shown.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Task {
    image: Option<String>,
    cpus: Option<u32>,
    memory_bytes: Option<u64>,
}

/// The stored evidence.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Evidence {
    record: Option<ExitRecord>,
    executor_exit_code: Option<i64>,
    oom_killed: bool,
}

impl AttemptView {
    /// From its row, and what its last event said.
    pub(super) fn of(row: &rows::Attempt, event: Option<&String>) -> Self {
        // Evidence may come from an older version or be absent: what cannot be read is not shown.
        let task: Task = serde_json::from_str(&row.task).unwrap_or_default();
        let evidence: Evidence = serde_json::from_str(&row.evidence).unwrap_or_default();
        let record = evidence.record.as_ref();
        let own_code = record.and_then(|record| record.exit_code).map(i64::from);
        Self {
            id: row.attempt_id.clone(),
            step: row.step_key.clone(),
            number: row.number,
            round: row.round,
            status: row.status.clone(),
            executor: row.executor.clone(),
            cause: Some(row.cause.clone()).filter(|cause| !cause.is_empty()),
            reason: event.and_then(|body| reason(body)),
            exit_code: own_code.or(evidence.executor_exit_code.filter(|_| record.is_none())),
            signal: record.and_then(|record| record.signal),
            timed_out: record.is_some_and(|record| record.timed_out),
            oom_killed: evidence.oom_killed || record.is_some_and(|record| record.oom_kills > 0),
            duration_ms: record.map(|record| (record.ended_us - record.started_us) / 1_000),
            cpu_ms: record.map(|record| record.cpu_ms),
            max_rss_bytes: record.map(|record| record.max_rss_bytes),
            cpus: task.cpus,
            memory_bytes: task.memory_bytes,
            image: task.image,
            log_bytes: row.log_bytes,
            log: (row.log_bytes > 0).then(|| log(row)),
            created: time(row.created_us),
            updated: time(row.updated_us),
        }
    }
}

impl AttemptView {
    /// When the tool began and ended, as its record says.
    pub(super) fn span(row: &rows::Attempt) -> Option<(Micros, Micros)> {
        let evidence: Evidence = serde_json::from_str(&row.evidence).unwrap_or_default();
        evidence.record.map(|record| (record.started_us, record.ended_us))
    }
}

fn reason(body: &str) -> Option<String> {
    let body: serde_json::Value = serde_json::from_str(body).ok()?;
    body.get("reason")?.as_str().map(str::to_owned)
}

fn log(row: &rows::Attempt) -> String {
    let places = Places::new(Path::new(""));
    places.log(row.run_id.as_str(), row.step_key.as_str(), row.round, row.number).to_string_lossy().into_owned()
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(in crate::view) fn row() -> rows::Attempt {
        rows::Attempt {
            attempt_id: "r1-3".into(),
            run_id: "r1".into(),
            step_key: "trim/L001".into(),
            number: 1,
            round: 0,
            status: "failed".into(),
            executor: "here".into(),
            task: r#"{"image":"sha256:ab","cpus":2,"memory_bytes":7,"argv":["x"]}"#.into(),
            expected: "[]".into(),
            cause: "tool".into(),
            evidence: String::new(),
            log_bytes: 5,
            epoch: 1,
            created_us: 0,
            updated_us: 0,
            version: 1,
        }
    }

    #[test]
    fn the_record_says_how_the_tool_ended() {
        let evidence = r#"{"record":{"attempt":"r1-3","nonce":"n","exit_code":2,"started_us":1000,"ended_us":9000,"max_rss_bytes":11},
            "executor_exit_code":137,"oom_killed":false,"executor_error":null}"#;
        let row = rows::Attempt { evidence: evidence.into(), ..row() };
        let view = AttemptView::of(&row, Some(&r#"{"reason":"it ended with exit code 2"}"#.to_owned()));
        assert_eq!((view.exit_code, view.duration_ms, view.max_rss_bytes), (Some(2), Some(8), Some(11)));
        assert_eq!(view.reason.as_deref(), Some("it ended with exit code 2"));
        assert_eq!(view.log.as_deref(), Some("logs/r1/trim@L001.1.log"));
        assert_eq!(view.image.as_deref(), Some("sha256:ab"));
    }

    #[test]
    fn an_attempt_without_evidence_says_nothing_about_its_end() {
        let view = AttemptView::of(&row(), None);
        assert_eq!((view.exit_code, view.duration_ms, view.reason), (None, None, None));
    }
}
