//! Plain processes: the same contract as containers, without confinement, and none is claimed.
//!
//! Images are ignored; memory is not limited, so nothing here is ever called out of memory. The truth about an
//! attempt is its directory: marker, lock and record. Whether a process is our own child only decides how we wait.

mod ending;
mod waiting;

use std::io;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use kentai_engine::exit_record::ALREADY_STARTED;
use kentai_engine::port::BoxFuture;
use kentai_engine::port::executor::{Error, Evidence, Executor, Held, Obstacle, Report, Stop, Task};
use rustix::io::Errno;
use tokio::process::{Child, Command};
use tokio::task::spawn_blocking;

use self::waiting::Fence;
use crate::attempt::{self, Inputs, Prepared, Traces, WORK};
use crate::witness::DISK_FULL;
use crate::witness::task::Instructions;

/// Runs attempts as plain processes of the engine's own user.
#[derive(Clone, Debug)]
pub struct ProcessExecutor {
    name: String,
    attempts: PathBuf,
    binary: PathBuf,
}

/// What the first, blocking half of a run found or did.
enum Launched {
    /// A witness of ours runs.
    Ours(Child),
    /// It was started before.
    Before,
    /// The disk is full: nothing was started, and nothing is decided.
    Full(String),
    /// No witness could be started.
    Failed(String),
    /// Something else lies here.
    Other,
}

impl ProcessExecutor {
    /// An executor with the site's name for it, the directory that attempt directories lie in, and the binary that
    /// is the witness when its first argument says so.
    #[must_use]
    pub fn new(name: impl Into<String>, attempts: impl Into<PathBuf>, binary: impl Into<PathBuf>) -> Self {
        Self { name: name.into(), attempts: attempts.into(), binary: binary.into() }
    }

    async fn run_or_adopt(&self, task: &Task) -> Report {
        let (binary, wanted) = (self.binary.clone(), task.clone());
        let launched = match spawn_blocking(move || launch(&binary, &wanted)).await {
            Ok(launched) => launched,
            Err(error) => return Report::Unreachable(format!("launching panicked: {error}")),
        };
        match launched {
            Launched::Ours(child) => self.await_own(child, task).await,
            Launched::Before => adopt(task).await,
            Launched::Full(reason) => Report::Unreachable(reason),
            Launched::Failed(reason) => unstarted(task, reason).await,
            Launched::Other => Report::Quarantine("another task lies in the attempt's directory".to_owned()),
        }
    }

    async fn await_own(&self, mut child: Child, task: &Task) -> Report {
        let code = match child.wait().await {
            Ok(status) => status.code(),
            Err(error) => return Report::Unreachable(format!("cannot wait for the witness: {error}")),
        };
        match Traces::read(&task.directory) {
            // Without a record the tool may still run, or another witness came first: the lock knows.
            Ok(traces) if traces.record.is_some() => exited(traces, code),
            Ok(traces) if code == Some(DISK_FULL) && !traces.started => Report::Unreachable(full(&Errno::NOSPC.into())),
            Ok(traces) if traces.started || code == Some(ALREADY_STARTED) => adopt(task).await,
            Ok(_) => {
                let said = attempt::witness_error(&task.directory);
                let reason = said.unwrap_or_else(|| format!("the witness ended with {code:?} before its marker"));
                unstarted(task, reason).await
            }
            Err(error) => Report::Unreachable(format!("cannot read the attempt's directory: {error}")),
        }
    }
}

impl Executor for ProcessExecutor {
    fn name(&self) -> &str {
        &self.name
    }

    fn kind(&self) -> &'static str {
        "process"
    }

    fn needs_image(&self) -> bool {
        false
    }

    fn root(&self, directory: &Path) -> PathBuf {
        directory.to_owned()
    }

    fn run<'a>(&'a self, task: &'a Task) -> BoxFuture<'a, Report> {
        Box::pin(self.run_or_adopt(task))
    }

    fn stop<'a>(&'a self, task: &'a Task, how: Stop) -> BoxFuture<'a, Result<(), Error>> {
        let directory = task.directory.clone();
        Box::pin(async move {
            let ended = spawn_blocking(move || ending::end(&directory, how)).await;
            flatten(ended).map_err(|error| Error::Other(format!("cannot stop {}: {error}", task.attempt)))
        })
    }

    fn held(&self) -> BoxFuture<'_, Result<Vec<Held>, Error>> {
        let attempts = self.attempts.clone();
        Box::pin(async move {
            let held = spawn_blocking(move || waiting::held(&attempts)).await;
            flatten(held).map_err(|error| Error::Unreachable {
                executor: self.name.clone(),
                reason: format!("cannot list attempts: {error}"),
            })
        })
    }

    fn forget<'a>(&'a self, _attempt: &'a str) -> BoxFuture<'a, Result<(), Error>> {
        // Nothing is left of a process but its directory, and that is not ours to remove.
        Box::pin(async { Ok(()) })
    }

    fn resolve<'a>(&'a self, image: &'a str) -> BoxFuture<'a, Result<String, Error>> {
        Box::pin(async move { Ok(image.to_owned()) })
    }

    fn ping(&self) -> BoxFuture<'_, Result<String, Error>> {
        Box::pin(async {
            let system = rustix::system::uname();
            Ok(format!("{} {}", system.sysname().to_string_lossy(), system.release().to_string_lossy()))
        })
    }
}

/// Waits until nothing of a started attempt runs, then says what is on disk.
async fn adopt(task: &Task) -> Report {
    if let Err(error) = waiting::until_unlocked(&task.directory).await {
        return Report::Unreachable(format!("cannot wait for the attempt's lock: {error}"));
    }
    match Traces::read(&task.directory) {
        Ok(traces) if traces.record.is_some() => exited(traces, None),
        Ok(_) if let Some(reason) = waiting::fenced(&task.directory) => {
            Report::NotStarted(Obstacle::Infrastructure, reason)
        }
        Ok(traces) if traces.earlier_boot => {
            Report::Lost("the machine was started anew before its outputs were safe".to_owned())
        }
        Ok(_) => Report::Lost("it ended without an exit record".to_owned()),
        Err(error) => Report::Unreachable(format!("cannot read the attempt's directory: {error}")),
    }
}

/// No tool was started by us; makes sure that none ever will be.
async fn unstarted(task: &Task, reason: String) -> Report {
    let (directory, said) = (task.directory.clone(), reason.clone());
    match flatten(spawn_blocking(move || waiting::fence(&directory, &said)).await) {
        Ok(Fence::Closed) => Report::NotStarted(Obstacle::Infrastructure, reason),
        Ok(Fence::StartedBefore) => adopt(task).await,
        Err(error) => Report::Unreachable(format!("{reason}; and it cannot be fenced off: {error}")),
    }
}

fn exited(traces: Traces, code: Option<i32>) -> Report {
    // That code is not the tool's: another witness ran it.
    let code = code.filter(|code| *code != ALREADY_STARTED);
    Report::Exited(Evidence {
        record: traces.record,
        executor_exit_code: code.map(i64::from),
        oom_killed: false,
        executor_error: None,
        executor_cause: None,
        granted: None,
    })
}

fn launch(binary: &Path, task: &Task) -> Launched {
    let known = attempt::holds_other(&task.directory, &task.digest, &task.nonce)
        .and_then(|other| Ok((other, Traces::read(&task.directory)?.started)));
    match known {
        Ok((true, _)) => return Launched::Other,
        Ok((_, true)) => return Launched::Before,
        Ok((false, false)) => {}
        Err(error) => return Launched::Failed(format!("cannot read the attempt's directory: {error}")),
    }
    match prepare(task) {
        Ok(Prepared::Ready) => {}
        Ok(Prepared::Other) => return Launched::Other,
        Err(error) if error.kind() == io::ErrorKind::StorageFull => return Launched::Full(full(&error)),
        Err(error) => return Launched::Failed(format!("cannot make the attempt's directory: {error}")),
    }
    // No pre_exec, no uid: the standard library then starts it by vfork, which costs the same however large we are.
    // The witness makes its own session, so neither our end nor the terminal's Ctrl-C reaches it.
    let mut command = Command::new(binary);
    command.arg("witness").arg(&task.directory).env_clear().envs(std::env::var_os("PATH").map(|path| ("PATH", path)));
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    match command.spawn() {
        Ok(child) => Launched::Ours(child),
        Err(error) => Launched::Failed(format!("cannot start the witness {}: {error}", binary.display())),
    }
}

/// What `why` says while a full disk keeps an attempt from starting.
fn full(error: &io::Error) -> String {
    format!("the disk of the site is full ({error}); free some space")
}

fn prepare(task: &Task) -> io::Result<Prepared> {
    // A plain process has no `/tmp` of its own; what it leaves in its working directory is cleared with it.
    let temporary = task.directory.join(WORK);
    let mut env = task.env.clone();
    for name in ["HOME", "TMPDIR"] {
        env.entry(name.to_owned()).or_insert_with(|| temporary.to_string_lossy().into_owned());
    }
    let instructions = Instructions {
        attempt: task.attempt.clone(),
        nonce: task.nonce.clone(),
        digest: task.digest.clone(),
        argv: task.argv.clone(),
        env,
        timeout_s: task.timeout_s,
        grace_s: task.grace_s,
        log_bytes_max: task.log_bytes_max,
        own_cgroup: false,
        umask: None,
        shared: false,
        keeper: None,
    };
    let prepared = attempt::prepare(&task.directory, &instructions, &task.mounts, Inputs::Links)?;
    if prepared == Prepared::Ready {
        attempt::link_secrets(task)?;
    }
    Ok(prepared)
}

fn flatten<T>(joined: Result<io::Result<T>, tokio::task::JoinError>) -> io::Result<T> {
    joined.unwrap_or_else(|error| Err(io::Error::other(error)))
}
