//! The exit record: what the witness saw, written beside the data. A promise to every later version: fields are only added.

use serde::{Deserialize, Serialize};

/// File name in the attempt directory.
pub const EXIT_RECORD: &str = "exit.json";
/// Start marker's file name: made exclusively before the tool starts.
pub const START_MARKER: &str = "started";
/// The witness's instructions.
pub const TASK_FILE: &str = "task.json";
/// Combined standard output and error, capped.
pub const LOG_FILE: &str = "tool.log";
/// The witness's own exit code when the start marker exists already: the tool was not run by it.
pub const ALREADY_STARTED: i32 = 96;

/// How an attempt's tool ended.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExitRecord {
    /// Attempt id.
    pub attempt: String,
    /// The nonce of the task.
    pub nonce: String,
    /// Exit code, unless a signal ended it.
    #[serde(default)]
    pub exit_code: Option<i32>,
    /// The signal that ended it.
    #[serde(default)]
    pub signal: Option<i32>,
    /// The witness ended it because its time was over.
    #[serde(default)]
    pub timed_out: bool,
    /// The witness ended it because it was asked to.
    #[serde(default)]
    pub stopped: bool,
    /// The tool could not be executed at all (no such program …).
    #[serde(default)]
    pub error: Option<String>,
    /// Microseconds since the epoch.
    pub started_us: i64,
    /// Microseconds since the epoch.
    pub ended_us: i64,
    /// Processor time, ms, user and system, of everything reaped.
    #[serde(default)]
    pub cpu_ms: u64,
    /// Largest resident set of one process, bytes.
    #[serde(default)]
    pub max_rss_bytes: u64,
    /// Out-of-memory kills counted by the attempt's own cgroup.
    #[serde(default)]
    pub oom_kills: u64,
    /// Log bytes that did not fit the cap.
    #[serde(default)]
    pub log_dropped_bytes: u64,
}
