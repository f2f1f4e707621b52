//! Jobs on the center's Slurm, by its own commands: the same witness, the same exit record and the same promises as on one machine.
//!
//! A job is known by its name, which is the attempt's; numbers are given out again after a controller has lost its state, and are only
//! shown. A submission whose answer was lost may have been accepted, so it is asked for by name before another is made; and should both
//! run after all, the start marker lets one of them start the tool. What a run is, is not known here.

mod answer;
mod commands;
mod controller;
mod desk;
mod ending;
mod follow;
pub(crate) mod keeper;
mod launch;
mod resolve;
mod runtime;

use std::collections::{HashMap, HashSet};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use kentai_engine::port::BoxFuture;
use kentai_engine::port::executor::{Error, Executor, Held, Report, Stop, Task};
use kentai_engine::store::artifact::hex;
use sha2::{Digest, Sha256};

pub use self::commands::{Call, Commands, Programs, Said};
use self::controller::Controller;
use self::desk::Desk;
pub use self::runtime::Runtime;
use crate::attempt;

/// How long the executor waits for what. Tests tell a story in which a second is shorter.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// Between two looks at the queue; what every cluster's administrators ask of clients is not to look more often.
    pub between: Duration,
    /// And at most, while the controller does not answer.
    pub between_max: Duration,
    /// A request that was sent is answered or dead after this time (Slurm's own `MessageTimeout` is 10 s).
    pub settled: Duration,
    /// Before another try of a submission that was refused: a person has to change something.
    pub refused: Duration,
    /// Between two looks on disk for what a node wrote.
    pub disk: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            between: Duration::from_secs(1),
            between_max: Duration::from_secs(30),
            settled: Duration::from_secs(12),
            refused: Duration::from_secs(60),
            disk: Duration::from_millis(100),
        }
    }
}

/// Enough that somebody is always ready when a submission may be made.
const DESK_PLACES: usize = 8;
/// Files that are read or written at once.
const DISK_PLACES: usize = 16;

/// What a Slurm executor is made of.
#[derive(Clone, Debug)]
pub struct Options {
    /// The site's name for this executor.
    pub name: String,
    /// The site's own name, in job names. `[a-z0-9-]`.
    pub site: String,
    /// The directory that attempt directories lie in; every node sees it under the same path.
    pub attempts: PathBuf,
    /// The static binary: witness and keeper.
    pub binary: PathBuf,
    /// `--partition`.
    pub partition: Option<String>,
    /// `--account`.
    pub account: Option<String>,
    /// `--qos`.
    pub qos: Option<String>,
    /// `--constraint`.
    pub constraint: Option<String>,
    /// More arguments of `sbatch`, one word each.
    pub arguments: Vec<String>,
    /// Environment modules that a job loads first; plain names.
    pub modules: Vec<String>,
    /// What runs containers.
    pub runtime: Runtime,
    /// Where image files lie (apptainer).
    pub images: Option<PathBuf>,
    /// Whom tools in containers run as, when the engine is root.
    pub user: (u32, u32),
    /// Processes and threads of one attempt.
    pub pids_limit: i64,
    /// Bytes of `/tmp` in a container.
    pub tmpfs_bytes: u64,
    /// File mode creation mask of tools.
    pub umask: u32,
    /// How long what a node wrote may stay unseen here.
    pub visibility: Duration,
    /// `sacct` answers: accounting is on.
    pub accounting: bool,
    /// How long it waits for what.
    pub pace: Pace,
}

/// Runs attempts as jobs.
pub struct SlurmExecutor {
    options: Arc<Options>,
    controller: Controller,
    desk: Desk,
    /// The program and the script, once they lie where nodes see them.
    placed: tokio::sync::OnceCell<Placed>,
    /// The last reason told, by attempt: only a change is told again.
    told: Mutex<HashMap<String, String>>,
    /// Attempts that are being submitted now: two calls for one attempt submit it once.
    submitting: Mutex<HashSet<String>>,
    /// Places at which directories are made and jobs are asked for.
    at_desk: tokio::sync::Semaphore,
    /// A thread each: one look may show thousands of ends.
    disk: tokio::sync::Semaphore,
}

/// What every job needs.
#[derive(Clone, Debug)]
struct Placed {
    program: PathBuf,
    script: PathBuf,
}

impl SlurmExecutor {
    /// An executor for one cluster. Does not talk to it yet.
    ///
    /// # Errors
    /// When the settings cannot be what the center means.
    pub fn new(options: Options, commands: Arc<dyn Commands>) -> Result<Self, Error> {
        let refuse = |text: String| Err(Error::Other(text));
        if !plain(&options.site) {
            return refuse(format!("name jobs after the site `{}`", options.site));
        }
        let module = |name: &str| {
            !name.is_empty()
                && !name.starts_with('-')
                && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"._/+-".contains(&b))
        };
        if let Some(bad) = options.modules.iter().find(|name| !module(name)) {
            return refuse(format!("load the module `{bad}`: its name is not plain"));
        }
        if options.user.0 == 0 || options.user.1 == 0 {
            return refuse("run tools as root: give the executor a uid and gid other than 0".into());
        }
        if options.runtime.image_files() && options.images.is_none() {
            return refuse(format!("run images with {}: say where their files lie with `images:`", options.runtime));
        }
        if let Some(bad) = options.arguments.iter().find(|word| !word.starts_with("--") || launch::is_ours(word)) {
            return refuse(format!(
                "pass `{bad}` to sbatch: write `--option=value`; job names, output, requeueing and resources are kentai's"
            ));
        }
        let prefix = format!("kentai-{}-", options.site);
        let controller = Controller::new(commands, &options.name, prefix, options.accounting, options.pace);
        let desk = Desk::new(&options.attempts);
        Ok(Self {
            options: Arc::new(options),
            controller,
            desk,
            placed: tokio::sync::OnceCell::new(),
            told: Mutex::default(),
            submitting: Mutex::default(),
            at_desk: tokio::sync::Semaphore::new(DESK_PLACES),
            disk: tokio::sync::Semaphore::new(DISK_PLACES),
        })
    }

    /// Looks at the disk, or changes it, beside everything else.
    async fn on_disk<T: Send + 'static>(&self, work: impl FnOnce() -> io::Result<T> + Send + 'static) -> io::Result<T> {
        let Ok(_place) = self.disk.acquire().await else { return Err(io::Error::other("the engine ends")) };
        tokio::task::spawn_blocking(work).await.unwrap_or_else(|error| Err(io::Error::other(error)))
    }

    /// Tells a reason, or that there is none any more; none when that was told already.
    fn tell(&self, attempt: &str, reason: Option<String>) -> Option<Report> {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        if told.get(attempt) == reason.as_ref() {
            return None;
        }
        match &reason {
            Some(reason) => told.insert(attempt.to_owned(), reason.clone()),
            None => told.remove(attempt),
        };
        Some(Report::Waits(reason))
    }

    async fn stop_attempt(&self, task: &Task, how: Stop) -> Result<(), Error> {
        // Found by a witness that has not started its tool yet, also by that of a job nobody knows of.
        let started = attempt::Traces::read_shared(&task.directory).map(|traces| traces.started);
        let asked = match started {
            Ok(true) => Ok(()),
            Ok(false) => attempt::request_stop(&task.directory),
            Err(error) => Err(error),
        };
        asked.map_err(|error| Error::Other(format!("cannot ask for the end of {}: {error}", task.attempt)))?;
        match how {
            Stop::Ask => self.controller.ask_to_end(&task.attempt).await,
            Stop::Kill => self.controller.kill(&task.attempt).await,
        }
    }

    async fn list(&self) -> Result<Vec<Held>, Error> {
        let sight = self.controller.now().await;
        if let Some((_, reason)) = sight.away {
            return Err(self.controller.unreachable(reason));
        }
        // Slurm remembers ended jobs for a while; nothing of them is there.
        let held = sight.all().iter().filter(|(_, rows)| rows.iter().any(|row| !row.state.is_end()));
        Ok(held.map(|(attempt, _)| Held { attempt: attempt.clone(), running: true }).collect())
    }

    async fn look(&self) -> Result<String, Error> {
        self.controller.ping().await?;
        let version = self.controller.version().await?;
        if let Some(wanted) = &self.options.partition {
            let there = self.controller.partitions().await?;
            for name in wanted.split(',') {
                match there.iter().find(|(known, _)| known.trim_end_matches('*') == name) {
                    Some((_, true)) => {}
                    Some((_, false)) => {
                        return Err(self.controller.unreachable(format!(
                            "its partition `{name}` is not up; ask the cluster's administrators"
                        )));
                    }
                    None => {
                        let known: Vec<&str> = there.iter().map(|(name, _)| name.trim_end_matches('*')).collect();
                        let known = known.join(", ");
                        return Err(Error::Other(format!(
                            "there is no partition `{name}`; correct `partition:` of executor `{}` in kentai.yaml (Slurm has {known})",
                            self.options.name
                        )));
                    }
                }
            }
        }
        let runtime = self.runtime_version().await?;
        Ok(format!(
            "{version}, partition {}{runtime}",
            self.options.partition.as_deref().unwrap_or("of Slurm's choice")
        ))
    }
}

impl Executor for SlurmExecutor {
    fn name(&self) -> &str {
        &self.options.name
    }

    fn kind(&self) -> &'static str {
        "slurm"
    }

    fn needs_image(&self) -> bool {
        self.options.runtime != Runtime::None
    }

    fn root(&self, directory: &Path) -> PathBuf {
        if self.needs_image() { PathBuf::from(runtime::ROOT) } else { directory.to_owned() }
    }

    fn run<'a>(&'a self, task: &'a Task) -> BoxFuture<'a, Report> {
        Box::pin(async move {
            let report = self.run_or_adopt(task).await;
            if !matches!(report, Report::Waits(_)) {
                self.told.lock().unwrap_or_else(PoisonError::into_inner).remove(&task.attempt);
            }
            report
        })
    }

    fn stop<'a>(&'a self, task: &'a Task, how: Stop) -> BoxFuture<'a, Result<(), Error>> {
        Box::pin(self.stop_attempt(task, how))
    }

    fn held(&self) -> BoxFuture<'_, Result<Vec<Held>, Error>> {
        Box::pin(self.list())
    }

    fn leaves_traces(&self) -> bool {
        true
    }

    fn forget<'a>(&'a self, attempt: &'a str) -> BoxFuture<'a, Result<(), Error>> {
        Box::pin(async move {
            self.told.lock().unwrap_or_else(PoisonError::into_inner).remove(attempt);
            let (desk, name) = (self.desk.clone(), attempt.to_owned());
            let forgotten = self.on_disk(move || desk.forget(&name)).await;
            forgotten.map_err(|error| Error::Other(format!("cannot forget {attempt}: {error}")))
        })
    }

    fn resolve<'a>(&'a self, image: &'a str) -> BoxFuture<'a, Result<String, Error>> {
        Box::pin(self.resolve_image(image))
    }

    fn ping(&self) -> BoxFuture<'_, Result<String, Error>> {
        Box::pin(self.look())
    }
}

/// What may be part of a job's name: `-n` and `--name` split at commas.
fn plain(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

/// Lowercase hex.
fn sha256(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}
