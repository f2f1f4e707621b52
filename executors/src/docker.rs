//! Containers on one Docker daemon (API 1.41 and newer), locked down, each with the witness as its first process.
//!
//! Names are deterministic, so a launch can be repeated; events and waits only say "look now"; the verdict is always
//! one inspection plus the exit record. The reasons lie in measurements: a wait on a container that was only created
//! gives success at once, a start of one that has exited runs it again, and an out-of-memory kill inside a pipeline
//! exits 0.

mod body;
mod credentials;
mod failure;
mod image;
mod launch;
mod verdict;
mod watch;

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::path::{Path, PathBuf};

use bollard::Docker;
use bollard::models::ContainerSummaryStateEnum;
use bollard::query_parameters::{
    KillContainerOptionsBuilder, ListContainersOptionsBuilder, RemoveContainerOptionsBuilder,
};
use kentai_engine::port::BoxFuture;
use kentai_engine::port::executor::{Error, Executor, Held, Report, Stop, Task};
use tokio::sync::Mutex;

use self::failure::Failure;
use crate::attempt;

/// Where a tool sees the attempt directory.
const ROOT: &str = "/kentai";

/// A daemon that does not answer within this time cannot be reached; a start takes a quarter of a second.
const TIMEOUT_S: u64 = 10;

/// Two calls for one attempt (or image) meet at one of these locks; others rarely do.
const LOCKS: usize = 128;

/// What a Docker executor is made of.
#[derive(Clone, Debug)]
pub struct Options {
    /// The site's name for this executor.
    pub name: String,
    /// The site's own name, in container names and labels. `[a-z0-9-]`.
    pub site: String,
    /// The daemon's socket (`/var/run/docker.sock`).
    pub socket: PathBuf,
    /// The static binary that is mounted as the entry point.
    pub binary: PathBuf,
    /// User that tools run as; never 0.
    pub uid: u32,
    /// Group that tools run as; never 0.
    pub gid: u32,
    /// Processes and threads of one attempt.
    pub pids_limit: i64,
    /// Bytes of `/tmp`, taken from the attempt's memory.
    pub tmpfs_bytes: u64,
    /// File mode creation mask of tools.
    pub umask: u32,
}

/// Runs attempts as containers.
#[derive(Debug)]
pub struct DockerExecutor {
    options: Options,
    launches: Vec<Mutex<()>>,
    pulls: Vec<Mutex<()>>,
    hasher: RandomState,
}

impl DockerExecutor {
    /// An executor for one daemon. Does not talk to it yet.
    ///
    /// # Errors
    /// When tools would run as root, or as a user that the engine cannot give a directory to.
    pub fn new(options: Options) -> Result<Self, Error> {
        if options.uid == 0 || options.gid == 0 {
            return Err(Error::Other("run tools as root: give the executor a uid and gid other than 0".to_owned()));
        }
        let own = rustix::process::geteuid();
        if !own.is_root() && own.as_raw() != options.uid {
            return Err(Error::Other(format!(
                "give attempt directories to uid {}: only root can; run the engine as that user",
                options.uid
            )));
        }
        if !plain(&options.site) {
            return Err(Error::Other(format!("name containers after the site `{}`", options.site)));
        }
        let locks = || (0..LOCKS).map(|_| Mutex::new(())).collect();
        Ok(Self { options, launches: locks(), pulls: locks(), hasher: RandomState::new() })
    }

    /// A client for one conversation; connecting is part of each request, so a daemon that came back is found.
    fn client(&self) -> Result<Docker, Failure> {
        self.client_with(TIMEOUT_S)
    }

    fn client_with(&self, timeout_s: u64) -> Result<Docker, Failure> {
        let socket = self.options.socket.to_string_lossy();
        Docker::connect_with_unix(&socket, timeout_s, bollard::API_DEFAULT_VERSION).map_err(Failure::from)
    }

    fn container(&self, attempt: &str) -> String {
        format!("kentai-{}-{attempt}", self.options.site)
    }

    fn lock<'a>(&self, locks: &'a [Mutex<()>], name: &str) -> &'a Mutex<()> {
        let number = self.hasher.hash_one(name) % LOCKS as u64;
        &locks[usize::try_from(number).unwrap_or(0)]
    }

    async fn run_or_adopt(&self, task: &Task) -> Report {
        if !plain(&task.attempt) {
            return Report::Quarantine(format!("`{}` cannot name a container", task.attempt));
        }
        match self.follow(task).await {
            Ok(report) => report,
            Err(failure) => Report::Unreachable(failure.to_string()),
        }
    }

    async fn signal(&self, task: &Task, how: Stop) -> Result<(), Failure> {
        // Before the start marker a signal could come too early for the witness to hear; the request lies on disk.
        let started = attempt::starter(&task.directory).map(|starter| starter.is_some());
        if !started.map_err(Failure::disk)? {
            attempt::request_stop(&task.directory).map_err(Failure::disk)?;
        }
        let signal = match how {
            Stop::Ask => "SIGTERM",
            Stop::Kill => "SIGKILL",
        };
        let options = KillContainerOptionsBuilder::default().signal(signal).build();
        let killed = self.client()?.kill_container(&self.container(&task.attempt), Some(options)).await;
        // 404: no such container; 409: it is not running.
        failure::tolerate(killed, &[404, 409])
    }

    async fn list(&self) -> Result<Vec<Held>, Failure> {
        let filters = HashMap::from([("label", vec![format!("{}={}", body::LABEL_SITE, self.options.site)])]);
        let options = ListContainersOptionsBuilder::default().all(true).filters(&filters).build();
        let listed = self.client()?.list_containers(Some(options)).await?;
        let held = listed.into_iter().filter_map(|container| {
            use ContainerSummaryStateEnum as State;
            let attempt = container.labels?.remove(body::LABEL_ATTEMPT)?;
            let ended = matches!(container.state, Some(State::CREATED | State::EXITED | State::DEAD));
            Some(Held { attempt, running: !ended })
        });
        Ok(held.collect())
    }

    async fn remove(&self, attempt: &str) -> Result<(), Failure> {
        let options = RemoveContainerOptionsBuilder::default().force(false).v(true).build();
        let removed = self.client()?.remove_container(&self.container(attempt), Some(options)).await;
        // 404: gone already; 409: being removed, or running: then it is not terminal and stays.
        failure::tolerate(removed, &[404, 409])
    }

    async fn version(&self) -> Result<String, Failure> {
        let version = self.client()?.version().await?;
        let text = version.version.unwrap_or_else(|| "of unknown version".to_owned());
        Ok(format!("Docker {text} (API {})", version.api_version.unwrap_or_default()))
    }

    fn error(&self, failure: Failure) -> Error {
        failure.into_error(&self.options.name)
    }
}

impl Executor for DockerExecutor {
    fn name(&self) -> &str {
        &self.options.name
    }

    fn kind(&self) -> &'static str {
        "docker"
    }

    fn needs_image(&self) -> bool {
        true
    }

    fn root(&self, _directory: &Path) -> PathBuf {
        PathBuf::from(ROOT)
    }

    fn run<'a>(&'a self, task: &'a Task) -> BoxFuture<'a, Report> {
        Box::pin(self.run_or_adopt(task))
    }

    fn stop<'a>(&'a self, task: &'a Task, how: Stop) -> BoxFuture<'a, Result<(), Error>> {
        Box::pin(async move { self.signal(task, how).await.map_err(|failure| self.error(failure)) })
    }

    fn held(&self) -> BoxFuture<'_, Result<Vec<Held>, Error>> {
        Box::pin(async { self.list().await.map_err(|failure| self.error(failure)) })
    }

    fn forget<'a>(&'a self, attempt: &'a str) -> BoxFuture<'a, Result<(), Error>> {
        Box::pin(async move { self.remove(attempt).await.map_err(|failure| self.error(failure)) })
    }

    fn resolve<'a>(&'a self, image: &'a str) -> BoxFuture<'a, Result<String, Error>> {
        Box::pin(self.resolve_image(image))
    }

    fn ping(&self) -> BoxFuture<'_, Result<String, Error>> {
        Box::pin(async { self.version().await.map_err(|failure| self.error(failure)) })
    }
}

/// What may be part of a container's name and of a request's path.
fn plain(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options() -> Options {
        Options {
            name: "docker".into(),
            site: "site".into(),
            socket: "/nowhere/docker.sock".into(),
            binary: "/nowhere/kentai".into(),
            uid: rustix::process::geteuid().as_raw().max(1),
            gid: 1,
            pids_limit: 100,
            tmpfs_bytes: 1 << 20,
            umask: 0o027,
        }
    }

    #[test]
    fn tools_never_run_as_root() {
        assert!(DockerExecutor::new(options()).is_ok());
        assert!(DockerExecutor::new(Options { uid: 0, ..options() }).is_err());
        assert!(DockerExecutor::new(Options { gid: 0, ..options() }).is_err());
        assert!(DockerExecutor::new(Options { site: "a/b".into(), ..options() }).is_err());
    }

    #[tokio::test]
    async fn without_a_daemon_everything_is_unreachable() {
        let executor = DockerExecutor::new(options()).expect("made");
        assert!(matches!(executor.ping().await, Err(Error::Unreachable { .. })));
        assert!(matches!(executor.held().await, Err(Error::Unreachable { .. })));
        assert!(matches!(executor.forget("a").await, Err(Error::Unreachable { .. })));
        assert!(matches!(executor.resolve("image:1").await, Err(Error::Unreachable { .. })));
    }
}
