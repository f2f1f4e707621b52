//! Waiting for a container's end, and the verdict: one inspection and the exit record.

use std::time::Duration;

use bollard::Docker;
use bollard::query_parameters::WaitContainerOptionsBuilder;
use futures_util::StreamExt;
use kentai_engine::exit_record::ALREADY_STARTED;
use kentai_engine::port::executor::{Evidence, Obstacle, Report, Task};

use super::DockerExecutor;
use super::failure::Failure;
use super::launch::{self, Launched};
use super::verdict::{self, Meaning};
use crate::attempt::{self, Traces};

/// Between two looks when waiting did not help: short at first, because most failures are a cut connection.
const LOOK_AGAIN_MS: [u64; 4] = [50, 200, 500, 1000];
const LOOK_AGAIN_MS_MAX: u64 = 2000;

impl DockerExecutor {
    /// Launches or adopts, waits, and says what became of it.
    pub(super) async fn follow(&self, task: &Task) -> Result<Report, Failure> {
        let docker = self.client()?;
        match self.launch(&docker, task).await? {
            Launched::Over(report) => Ok(*report),
            Launched::Started => self.watch(&docker, task).await,
        }
    }

    async fn watch(&self, docker: &Docker, task: &Task) -> Result<Report, Failure> {
        let name = self.container(&task.attempt);
        let mut pauses = LOOK_AGAIN_MS.iter().copied();
        let mut waited = false;
        loop {
            let Some(found) = launch::inspect(docker, &name).await? else {
                return Ok(launch::without_container(Traces::read(&task.directory).map_err(Failure::disk)?));
            };
            if let Some(report) = launch::quarantine(&found, task) {
                return Ok(report);
            }
            match verdict::read(found.state.as_ref()) {
                Meaning::Ended { exit_code, oom_killed, error } => {
                    let evidence = Evidence {
                        executor_exit_code: exit_code,
                        oom_killed,
                        executor_error: error,
                        ..Evidence::default()
                    };
                    return ended(task, evidence);
                }
                Meaning::Running => {}
                Meaning::Unknown(text) => {
                    return Ok(Report::Quarantine(format!("its container is in a strange state: {text}")));
                }
                Meaning::Fresh | Meaning::Refused { .. } => {
                    return Err(Failure::NoAnswer("its container is back where it was before its start".to_owned()));
                }
            }
            if waited {
                // The last wait was cut off, or a removal is under way.
                tokio::time::sleep(Duration::from_millis(pauses.next().unwrap_or(LOOK_AGAIN_MS_MAX))).await;
            }
            wait(docker, &name).await;
            waited = true;
        }
    }
}

/// Waits until it is worth looking again. Nothing that Docker says here is believed: exit codes come as errors, and a
/// cut connection looks like an end.
async fn wait(docker: &Docker, name: &str) {
    let options = WaitContainerOptionsBuilder::default().condition("not-running").build();
    let _ = std::pin::pin!(docker.wait_container(name, Some(options))).next().await;
}

fn ended(task: &Task, mut evidence: Evidence) -> Result<Report, Failure> {
    let traces = Traces::read(&task.directory).map_err(Failure::disk)?;
    if traces.earlier_boot {
        return Ok(Report::Lost("the machine was started anew before its outputs were safe".to_owned()));
    }
    if !traces.started {
        // The witness came to nothing; an exited container is never started again, so this is certain.
        let said = attempt::witness_error(&task.directory).or(evidence.executor_error);
        let text = said.unwrap_or_else(|| {
            format!("the witness ended with {:?} before the tool was started", evidence.executor_exit_code)
        });
        return Ok(Report::NotStarted(Obstacle::Infrastructure, text));
    }
    if evidence.executor_exit_code == Some(i64::from(ALREADY_STARTED)) {
        // Somebody started the container again, and the witness refused: that code is not the tool's.
        evidence.executor_exit_code = None;
    }
    evidence.record = traces.record;
    Ok(Report::Exited(evidence))
}
