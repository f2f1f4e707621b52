//! The seam to whatever runs an attempt. An executor runs tasks and decides nothing.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::BoxFuture;
use crate::exit_record::ExitRecord;
use crate::state::attempt::Cause;

/// What an executor is given for one attempt. Stored before it is launched, so that a launch can be repeated word for word.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Task {
    /// Attempt id: names the container or job, and the attempt directory. `[a-z0-9-]`.
    pub attempt: String,
    /// Site name, part of container names and labels. `[a-z0-9-]`.
    pub site: String,
    /// Run id, for labels.
    pub run: String,
    /// Step key, for labels (`trim/L001`).
    pub step: String,
    /// Engine epoch at launch, for labels.
    pub epoch: i64,
    /// Absolute attempt directory on the engine's host; the executor makes it, with `work/` and `in/` beneath.
    pub directory: PathBuf,
    /// Image by digest (`name@sha256:…`) or image id (`sha256:…`). Ignored by plain processes.
    pub image: Option<String>,
    /// Program and arguments; paths are as seen by the tool (beneath [`Executor::root`]).
    pub argv: Vec<String>,
    /// The tool's whole environment (an executor adds only PATH, HOME, TMPDIR when absent).
    pub env: BTreeMap<String, String>,
    /// Files and directories given read-only.
    pub mounts: Vec<Mount>,
    /// Secrets: file name beneath `/run/secrets` → host path.
    pub secrets: Vec<(String, PathBuf)>,
    /// Cores.
    pub cpus: u32,
    /// Bytes; memory plus swap. Zero: unlimited.
    pub memory_bytes: u64,
    /// Bytes asked for; recorded, not enforced on one machine.
    pub disk_bytes: u64,
    /// A network other than loopback.
    pub network: bool,
    /// Seconds until the witness ends the tool; zero: none.
    pub timeout_s: u64,
    /// Seconds between SIGTERM and SIGKILL.
    pub grace_s: u64,
    /// The witness repeats it in the exit record.
    pub nonce: String,
    /// SHA-256 over everything that defines the work (label `task`).
    pub digest: String,
    /// Bytes of log kept.
    pub log_bytes_max: u64,
}

/// One input, read-only.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mount {
    /// Absolute path on the host, file or directory.
    pub source: PathBuf,
    /// Where the tool sees it, relative to `<root>/in` (`r1/L001_R1.fastq.gz`); no `..`.
    pub target: PathBuf,
}

/// How to end an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// Ask (SIGTERM to the witness, which passes it on and kills after the grace).
    Ask,
    /// Kill.
    Kill,
}

/// What became of one attempt.
#[derive(Clone, Debug, PartialEq)]
pub enum Report {
    /// It was started and nothing of it runs any more; the evidence says how it went.
    Exited(Evidence),
    /// It was certainly never started: another attempt is safe.
    NotStarted(Obstacle, String),
    /// It was started, nothing runs, and there is no exit record.
    Lost(String),
    /// The executor cannot be asked. The attempt may run: ask again later, with the same task.
    Unreachable(String),
    /// The executor has it, and it waits for what a person must mend (in words); none: it waits no more. Ask again at once: this comes
    /// only when the reason has changed.
    Waits(Option<String>),
    /// The executor holds something else under this attempt id.
    Quarantine(String),
}

/// Why an attempt was never started.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Obstacle {
    /// Image missing or not the locked one.
    Image,
    /// Node, daemon, disk.
    Infrastructure,
}

/// What an executor knows of an attempt that ended.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Evidence {
    /// The witness's record, if there is one that parses.
    pub record: Option<ExitRecord>,
    /// The executor's own idea of the exit code.
    pub executor_exit_code: Option<i64>,
    /// The executor saw an out-of-memory kill.
    pub oom_killed: bool,
    /// The executor's own error text.
    pub executor_error: Option<String>,
    /// Why the executor ended it, where it did; decides where there is no record, or one of a tool that was asked to end.
    pub executor_cause: Option<Cause>,
    /// What it had, where the executor gives something else than was asked for and says so; none: what was asked for.
    pub granted: Option<Granted>,
}

/// What an attempt had of its machine. A cluster gives whole cores or whole nodes to whoever asks for less.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Granted {
    /// Processors, as [`Task::cpus`] counts them.
    pub cpus: u32,
    /// Memory, bytes; none where nobody says.
    #[serde(default)]
    pub memory_bytes: Option<u64>,
}

/// Something an executor still holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    /// Attempt id from its label.
    pub attempt: String,
    /// Still running.
    pub running: bool,
}

/// Why an executor could not do what it was asked.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "each variant's message says it")]
pub enum Error {
    #[error("executor `{executor}` cannot be reached: {reason}")]
    Unreachable { executor: String, reason: String },
    #[error("image `{image}` is not here: {reason}")]
    Image { image: String, reason: String },
    #[error("{0}")]
    Other(String),
}

/// Runs attempts. Every method may be called again at any time with the same arguments; none starts an attempt twice.
pub trait Executor: Send + Sync + 'static {
    /// The site's name for it.
    fn name(&self) -> &str;

    /// `docker`, `process`, …
    fn kind(&self) -> &'static str;

    /// Does it run images (then a tool step must have one)?
    fn needs_image(&self) -> bool;

    /// Where a tool sees the attempt directory (`work/` is its working directory, inputs lie beneath `in/`).
    fn root(&self, directory: &Path) -> PathBuf;

    /// Starts the attempt if it never was, else adopts it; comes back when nothing of it runs any more.
    /// Dropping the future leaves the attempt alone.
    fn run<'a>(&'a self, task: &'a Task) -> BoxFuture<'a, Report>;

    /// Ends an attempt; fine if nothing runs.
    ///
    /// # Errors
    /// When the executor cannot be reached.
    fn stop<'a>(&'a self, task: &'a Task, how: Stop) -> BoxFuture<'a, Result<(), Error>>;

    /// Everything of this site that it holds.
    ///
    /// # Errors
    /// When the executor cannot be reached.
    fn held(&self) -> BoxFuture<'_, Result<Vec<Held>, Error>>;

    /// Is anything left of an attempt that ended, for [`Executor::forget`] to remove?
    fn leaves_traces(&self) -> bool {
        self.needs_image()
    }

    /// Removes what is left of a terminal attempt (the container; never the attempt directory).
    ///
    /// # Errors
    /// When the executor cannot be reached.
    fn forget<'a>(&'a self, attempt: &'a str) -> BoxFuture<'a, Result<(), Error>>;

    /// The digest or id that `image` names now, pulled when it is not here and can be had.
    ///
    /// # Errors
    /// When it cannot be had or the executor cannot be reached.
    fn resolve<'a>(&'a self, image: &'a str) -> BoxFuture<'a, Result<String, Error>>;

    /// Version text when it can be reached.
    ///
    /// # Errors
    /// When it cannot.
    fn ping(&self) -> BoxFuture<'_, Result<String, Error>>;
}
