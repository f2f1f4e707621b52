//! What a container is created with: the lock-down, the mounts and the labels. Pure.

use std::collections::HashMap;
use std::path::Path;

use bollard::models::{ContainerCreateBody, HealthConfig, HostConfig, HostConfigLogConfig, Mount, MountType};
use kentai_engine::port::executor::Task;

use super::{Options, ROOT};
use crate::attempt::INPUTS;

/// The site that a container belongs to.
pub(super) const LABEL_SITE: &str = "kentai.site";
/// The attempt that a container runs.
pub(super) const LABEL_ATTEMPT: &str = "kentai.attempt";
/// The digest of its task: what adoption compares.
pub(super) const LABEL_TASK: &str = "kentai.task";

/// Where the static binary lies inside.
const WITNESS: &str = "/.kentai-witness";
const SECRETS: &str = "/run/secrets";
/// When a host runs out of memory its kernel should end a tool, not the engine or a database.
const OOM_SCORE: i64 = 500;

/// The whole request. The same task gives the same body.
pub(super) fn body(options: &Options, task: &Task) -> ContainerCreateBody {
    ContainerCreateBody {
        image: task.image.clone(),
        user: Some(format!("{}:{}", options.uid, options.gid)),
        entrypoint: Some(vec![WITNESS.to_owned()]),
        cmd: Some(vec!["witness".to_owned(), ROOT.to_owned()]),
        working_dir: Some("/".to_owned()),
        hostname: Some("kentai".to_owned()),
        labels: Some(labels(options, task)),
        // A check that the image brings along would run commands beside the tool.
        healthcheck: Some(HealthConfig { test: Some(vec!["NONE".to_owned()]), ..HealthConfig::default() }),
        host_config: Some(host(options, task)),
        ..ContainerCreateBody::default()
    }
}

fn labels(options: &Options, task: &Task) -> HashMap<String, String> {
    [
        (LABEL_SITE, options.site.clone()),
        ("kentai.run", task.run.clone()),
        ("kentai.step", task.step.clone()),
        (LABEL_ATTEMPT, task.attempt.clone()),
        ("kentai.epoch", task.epoch.to_string()),
        (LABEL_TASK, task.digest.clone()),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .into()
}

fn host(options: &Options, task: &Task) -> HostConfig {
    let memory = i64::try_from(task.memory_bytes).ok().filter(|bytes| *bytes > 0);
    // The daemon refuses more processors than there are; less than asked for is only slower.
    let cores = std::thread::available_parallelism().map_or(u32::MAX, |cores| u32::try_from(cores.get()).unwrap_or(1));
    // Tools unpack native libraries into /tmp and load them: exec, unlike Docker's default.
    let tmpfs = format!("rw,exec,nosuid,nodev,mode=1777,size={}", options.tmpfs_bytes);
    let log = [("max-size", "1m"), ("max-file", "1")].map(|(key, value)| (key.to_owned(), value.to_owned()));
    HostConfig {
        cap_drop: Some(vec!["ALL".to_owned()]),
        security_opt: Some(vec!["no-new-privileges".to_owned()]),
        privileged: Some(false),
        readonly_rootfs: Some(true),
        network_mode: Some(if task.network { "bridge" } else { "none" }.to_owned()),
        ipc_mode: Some("private".to_owned()),
        pids_limit: Some(options.pids_limit),
        memory,
        memory_swap: memory,
        nano_cpus: (task.cpus > 0).then(|| i64::from(task.cpus.min(cores)) * 1_000_000_000),
        oom_score_adj: Some(OOM_SCORE),
        tmpfs: Some(HashMap::from([("/tmp".to_owned(), tmpfs)])),
        mounts: Some(mounts(options, task)),
        log_config: Some(HostConfigLogConfig { typ: Some("json-file".to_owned()), config: Some(log.into()) }),
        auto_remove: Some(false),
        ..HostConfig::default()
    }
}

/// As typed mounts: a missing source is refused, where the older form would make a directory of it.
fn mounts(options: &Options, task: &Task) -> Vec<Mount> {
    let mut mounts =
        vec![mount(&options.binary, Path::new(WITNESS), true), mount(&task.directory, Path::new(ROOT), false)];
    let inputs = Path::new(ROOT).join(INPUTS);
    mounts.extend(task.mounts.iter().map(|input| mount(&input.source, &inputs.join(&input.target), true)));
    mounts.extend(task.secrets.iter().map(|(name, source)| mount(source, &Path::new(SECRETS).join(name), true)));
    mounts
}

fn mount(source: &Path, target: &Path, read_only: bool) -> Mount {
    Mount {
        typ: Some(MountType::BIND),
        source: Some(source.to_string_lossy().into_owned()),
        target: Some(target.to_string_lossy().into_owned()),
        read_only: Some(read_only),
        ..Mount::default()
    }
}
