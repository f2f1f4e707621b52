//! Creating and starting a container at most once, however often it is asked for.

use bollard::Docker;
use bollard::models::ContainerInspectResponse;
use bollard::query_parameters::{
    CreateContainerOptionsBuilder, InspectContainerOptions, RemoveContainerOptionsBuilder, StartContainerOptions,
};
use kentai_engine::port::executor::{Evidence, Obstacle, Report, Task};
use tokio::task::spawn_blocking;

use super::failure::{self, Failure};
use super::verdict::{self, Meaning};
use super::{DockerExecutor, body};
use crate::attempt::{self, Inputs, Prepared, Traces};
use crate::witness::task::Instructions;

const OTHER: &str = "another task lies in the attempt's directory";

/// Where a launch has come to.
pub(super) enum Launched {
    /// Something of it runs, or did.
    Started,
    /// It came to an end already.
    Over(Box<Report>),
}

impl DockerExecutor {
    /// Brings an attempt's container to where it is or was running.
    pub(super) async fn launch(&self, docker: &Docker, task: &Task) -> Result<Launched, Failure> {
        // One at a time per attempt: a start between another's look and start would run an exited container again.
        // (The witness's marker would still keep the tool from it.)
        let _only = self.lock(&self.launches, &task.attempt).lock().await;
        // The container's label tells tasks apart; only the directory says whose start it was.
        if attempt::holds_other(&task.directory, &task.digest, &task.nonce).map_err(Failure::disk)? {
            return Ok(Launched::Over(Box::new(Report::Quarantine(OTHER.to_owned()))));
        }
        let found = inspect(docker, &self.container(&task.attempt)).await?;
        if found.is_none()
            && let Some(report) = self.create(docker, task).await?
        {
            return Ok(Launched::Over(Box::new(report)));
        }
        self.start_once(docker, task).await
    }

    /// Makes the directory and the container; a report when that is all there will be.
    async fn create(&self, docker: &Docker, task: &Task) -> Result<Option<Report>, Failure> {
        let traces = Traces::read(&task.directory).map_err(Failure::disk)?;
        if traces.started {
            // It ran, and its container was removed: the disk alone knows.
            return Ok(Some(without_container(traces)));
        }
        if task.image.is_none() {
            return Ok(Some(Report::NotStarted(Obstacle::Image, "a container needs an image".to_owned())));
        }
        match self.prepare(task).await {
            Ok(Prepared::Ready) => {}
            Ok(Prepared::Other) => {
                return Ok(Some(Report::Quarantine(OTHER.to_owned())));
            }
            Err(error) if error.kind() == std::io::ErrorKind::StorageFull => {
                let text = format!("the disk of the site is full ({error}); free some space");
                return Ok(Some(Report::Unreachable(text)));
            }
            Err(error) => {
                let text = format!("cannot make the attempt's directory: {error}");
                return Ok(Some(Report::NotStarted(Obstacle::Infrastructure, text)));
            }
        }
        let name = self.container(&task.attempt);
        let options = CreateContainerOptionsBuilder::default().name(&name).build();
        let created = docker.create_container(Some(options), body::body(&self.options, task)).await;
        Ok(match created.map_err(Failure::from) {
            // 409: an earlier request got through after all; whatever has the name is looked at next.
            Ok(_) | Err(Failure::Refused { status: 409, .. }) => None,
            Err(Failure::Refused { status: 404, message }) => {
                let text = format!("{message}; pull or load the image on this host, then try again");
                Some(Report::NotStarted(Obstacle::Image, text))
            }
            Err(Failure::Refused { message, .. }) => Some(Report::NotStarted(Obstacle::Infrastructure, message)),
            Err(failure) => return Err(failure),
        })
    }

    async fn start_once(&self, docker: &Docker, task: &Task) -> Result<Launched, Failure> {
        let name = self.container(&task.attempt);
        let Some(found) = inspect(docker, &name).await? else {
            return Err(Failure::NoAnswer("the container vanished while it was created".to_owned()));
        };
        if let Some(report) = quarantine(&found, task) {
            return Ok(Launched::Over(Box::new(report)));
        }
        match verdict::read(found.state.as_ref()) {
            Meaning::Fresh => {}
            Meaning::Refused { exit_code, error } => return Ok(Launched::Over(Box::new(refused(exit_code, error)))),
            Meaning::Unknown(text) => {
                return Ok(Launched::Over(Box::new(Report::Quarantine(format!(
                    "its container is in a strange state: {text}"
                )))));
            }
            Meaning::Running | Meaning::Ended { .. } => return Ok(Launched::Started),
        }
        match docker.start_container(&name, None::<StartContainerOptions>).await.map_err(Failure::from) {
            Ok(()) => Ok(Launched::Started),
            Err(Failure::Refused { message, .. }) => self.after_refused_start(docker, &name, message).await,
            Err(failure) => Err(failure),
        }
    }

    /// The daemon said no: was anything started all the same?
    async fn after_refused_start(&self, docker: &Docker, name: &str, said: String) -> Result<Launched, Failure> {
        let found = inspect(docker, name).await?;
        match found.as_ref().map(|found| verdict::read(found.state.as_ref())) {
            Some(Meaning::Running | Meaning::Ended { .. }) => Ok(Launched::Started),
            Some(Meaning::Refused { exit_code, error }) => Ok(Launched::Over(Box::new(refused(exit_code, error)))),
            Some(Meaning::Unknown(text)) => Err(Failure::NoAnswer(format!("{said}; then {text}"))),
            // Left as it was. Only once it is gone can nobody start it behind our back.
            Some(Meaning::Fresh) | None => {
                let options = RemoveContainerOptionsBuilder::default().force(false).v(true).build();
                failure::tolerate(docker.remove_container(name, Some(options)).await, &[404])?;
                Ok(Launched::Over(Box::new(Report::NotStarted(Obstacle::Infrastructure, said))))
            }
        }
    }

    async fn prepare(&self, task: &Task) -> std::io::Result<Prepared> {
        let mut env = task.env.clone();
        for name in ["HOME", "TMPDIR"] {
            env.entry(name.to_owned()).or_insert_with(|| "/tmp".to_owned());
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
            own_cgroup: true,
            umask: Some(self.options.umask),
            shared: false,
            keeper: None,
        };
        let (uid, gid) = (self.options.uid, self.options.gid);
        let root = rustix::process::geteuid().is_root();
        let owner = root.then(|| (rustix::fs::Uid::from_raw(uid), rustix::fs::Gid::from_raw(gid)));
        let (directory, mounts) = (task.directory.clone(), task.mounts.clone());
        let secrets: Vec<String> = task.secrets.iter().map(|(name, _)| name.clone()).collect();
        let made = spawn_blocking(move || {
            for name in secrets {
                attempt::safe(name.as_ref())?;
            }
            attempt::prepare(&directory, &instructions, &mounts, Inputs::MountPoints(owner))
        });
        made.await.unwrap_or_else(|error| Err(std::io::Error::other(error)))
    }
}

/// The container with this name, if there is one.
pub(super) async fn inspect(docker: &Docker, name: &str) -> Result<Option<ContainerInspectResponse>, Failure> {
    match docker.inspect_container(name, None::<InspectContainerOptions>).await.map_err(Failure::from) {
        Ok(found) => Ok(Some(found)),
        Err(Failure::Refused { status: 404, .. }) => Ok(None),
        Err(failure) => Err(failure),
    }
}

/// A report when the container does not do this task's work.
pub(super) fn quarantine(found: &ContainerInspectResponse, task: &Task) -> Option<Report> {
    let labels = found.config.as_ref().and_then(|config| config.labels.as_ref());
    let digest = labels.and_then(|labels| labels.get(body::LABEL_TASK));
    if digest == Some(&task.digest) {
        return None;
    }
    Some(Report::Quarantine("a container of another task has the attempt's name".to_owned()))
}

/// What the disk says of an attempt whose container is gone.
pub(super) fn without_container(traces: Traces) -> Report {
    if traces.record.is_some() {
        return Report::Exited(Evidence { record: traces.record, ..Evidence::default() });
    }
    if traces.earlier_boot {
        return Report::Lost("the machine was started anew before its outputs were safe".to_owned());
    }
    if traces.started {
        return Report::Lost("its container was removed, and there is no exit record".to_owned());
    }
    let text = "its container was removed before the tool was started";
    Report::NotStarted(Obstacle::Infrastructure, text.to_owned())
}

/// A start that the runtime refused. A program that cannot be executed will not be the next time either; anything
/// else (a mount, a control group, a full disk) is the host's trouble. Nothing ran in either case.
fn refused(exit_code: i64, error: String) -> Report {
    let command = matches!(exit_code, 126 | 127) && error.contains("exec");
    if !command {
        return Report::NotStarted(Obstacle::Infrastructure, error);
    }
    Report::Exited(Evidence { executor_exit_code: Some(exit_code), executor_error: Some(error), ..Evidence::default() })
}
