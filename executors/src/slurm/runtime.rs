//! The command lines that run a tool in a container within a job. Pure; the same lock-down as `docker/body.rs`.
//!
//! podman is tried against the real one in tests. apptainer's lines are golden, not tried: docs/operating/slurm.md says so.

use std::fmt;
use std::path::{Path, PathBuf};

use kentai_engine::port::executor::Task;

use crate::attempt::INPUTS;

/// Where a tool sees its attempt, in every runtime.
pub(super) const ROOT: &str = "/kentai";
const WITNESS: &str = "/.kentai-witness";
/// Where the witness finds the keeper's pipe.
pub(super) const PIPE: &str = "/.kentai-keeper";
const SECRETS: &str = "/run/secrets";

/// What runs containers on the nodes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Runtime {
    /// Nothing: tools are the nodes' own programs.
    None,
    /// podman, by root or by the engine's own user.
    Podman,
    /// docker, for clusters whose nodes have a daemon.
    Docker,
    /// apptainer: a process of the job; images are files.
    Apptainer,
    /// The same by its older name.
    Singularity,
}

impl Runtime {
    /// By its name in the site file.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Some(match name {
            "none" => Self::None,
            "podman" => Self::Podman,
            "docker" => Self::Docker,
            "apptainer" => Self::Apptainer,
            "singularity" => Self::Singularity,
            _ => return None,
        })
    }

    /// Its program; empty for none.
    pub(super) fn program(self) -> &'static str {
        match self {
            Self::None => "",
            Self::Podman => "podman",
            Self::Docker => "docker",
            Self::Apptainer => "apptainer",
            Self::Singularity => "singularity",
        }
    }

    /// Are its images files?
    pub(super) fn image_files(self) -> bool {
        matches!(self, Self::Apptainer | Self::Singularity)
    }
}

impl fmt::Display for Runtime {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(if *self == Self::None { "none" } else { self.program() })
    }
}

/// What the lines need to know beyond the task.
#[derive(Clone, Debug)]
pub(super) struct Settings<'a> {
    /// The container's name.
    pub name: &'a str,
    /// The program, as the nodes see it.
    pub binary: &'a Path,
    /// The keeper's pipe, as the nodes see it.
    pub pipe: &'a Path,
    /// Whom the tool runs as; none: whoever the engine is.
    pub user: Option<(u32, u32)>,
    /// Processes and threads.
    pub pids: i64,
    /// Bytes of `/tmp`.
    pub tmpfs_bytes: u64,
    /// Where image files lie.
    pub images: Option<&'a Path>,
}

/// The command lines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Lines {
    /// Ends with 0 where the image is there.
    pub has_image: Option<Vec<String>>,
    /// Starts it and stays.
    pub start: Vec<String>,
    /// Removes it; none where it is a child of the job.
    pub remove: Option<Vec<String>>,
}

/// The lines for a task with an image.
pub(super) fn lines(runtime: Runtime, settings: &Settings<'_>, task: &Task, image: &str) -> Lines {
    if runtime.image_files() {
        apptainer(runtime, settings, task, image)
    } else {
        engine(runtime, settings, task, image)
    }
}

fn engine(runtime: Runtime, settings: &Settings<'_>, task: &Task, image: &str) -> Lines {
    let program = runtime.program();
    let words = |words: &[&str]| words.iter().map(ToString::to_string).collect::<Vec<_>>();
    let mut start = words(&[program, "run", "--rm", "--pull=never", "--read-only", "--cap-drop=ALL", "--workdir=/"]);
    start.extend(words(&[
        "--security-opt=no-new-privileges",
        "--log-driver=none",
        "--hostname=kentai",
        "--ipc=private",
    ]));
    start.push(format!("--name={}", settings.name));
    start.push(format!("--network={}", if task.network { "bridge" } else { "none" }));
    start.push(format!("--pids-limit={}", settings.pids));
    if task.memory_bytes > 0 {
        start.push(format!("--memory={}b", task.memory_bytes));
        start.push(format!("--memory-swap={}b", task.memory_bytes));
    }
    match settings.user {
        Some((uid, gid)) => start.push(format!("--user={uid}:{gid}")),
        // Without root the tool is the engine's own user, inside as outside.
        None if runtime == Runtime::Podman => start.push("--userns=keep-id".into()),
        None => {}
    }
    if runtime == Runtime::Podman {
        // It would hand the job's proxies to the tool.
        start.push("--http-proxy=false".into());
        // Its own first process would stand between the witness and the tool.
        start.push("--init=false".into());
    }
    for (key, value) in [("site", &task.site), ("run", &task.run), ("step", &task.step), ("attempt", &task.attempt)] {
        start.push(format!("--label=kentai.{key}={value}"));
    }
    start.push(format!("--tmpfs=/tmp:rw,exec,nosuid,nodev,mode=1777,size={}", settings.tmpfs_bytes));
    for (source, target, read_only) in binds(settings, task) {
        start.push("--mount".into());
        let (source, target) = (field("src=", &source), field("dst=", &target));
        start.push(format!("type=bind,{source},{target}{}", if read_only { ",readonly" } else { "" }));
    }
    start.push(format!("--entrypoint={WITNESS}"));
    start.push(image.to_owned());
    start.extend(words(&["witness", ROOT]));
    Lines {
        has_image: Some(words(&[program, "image", "inspect", "--format", "{{.Id}}", image])),
        start,
        remove: Some(words(&[program, "rm", "--force", "--volumes", settings.name])),
    }
}

/// One field of a `--mount`, which is read as a line of comma-separated values.
fn field(key: &str, path: &Path) -> String {
    let text = path.to_string_lossy();
    if text.contains([',', '"', '\n']) {
        format!("\"{key}{}\"", text.replace('"', "\"\""))
    } else {
        format!("{key}{text}")
    }
}

fn apptainer(runtime: Runtime, settings: &Settings<'_>, task: &Task, image: &str) -> Lines {
    let mut start: Vec<String> = [runtime.program(), "exec", "--containall", "--no-home", "--no-init", "--pwd", "/"]
        .map(ToString::to_string)
        .to_vec();
    if !task.network {
        start.extend(["--net".into(), "--network".into(), "none".into()]);
    }
    for (source, target, read_only) in binds(settings, task) {
        start.push("--mount".into());
        let (source, target) = (field("src=", &source), field("dst=", &target));
        start.push(format!("type=bind,{source},{target}{}", if read_only { ",ro" } else { "" }));
    }
    start.push(image_file(settings.images.unwrap_or(Path::new("/")), image).to_string_lossy().into_owned());
    start.extend([WITNESS.into(), "witness".into(), ROOT.into()]);
    // A process of the job: Slurm's limits hold for it, and it ends with the job.
    Lines { has_image: None, start, remove: None }
}

/// The file of an image: its name with everything that could lead elsewhere made plain.
pub(super) fn image_file(images: &Path, image: &str) -> PathBuf {
    let plain = |c: char| if c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_') { c } else { '_' };
    images.join(format!("{}.sif", image.chars().map(plain).collect::<String>().trim_start_matches('.')))
}

fn binds(settings: &Settings<'_>, task: &Task) -> Vec<(PathBuf, PathBuf, bool)> {
    let mut binds = vec![
        (settings.binary.to_owned(), PathBuf::from(WITNESS), true),
        (settings.pipe.to_owned(), PathBuf::from(PIPE), true),
        (task.directory.clone(), PathBuf::from(ROOT), false),
    ];
    let inputs = Path::new(ROOT).join(INPUTS);
    binds.extend(task.mounts.iter().map(|mount| (mount.source.clone(), inputs.join(&mount.target), true)));
    let secrets = task.secrets.iter();
    binds.extend(secrets.map(|(name, source)| (source.clone(), Path::new(SECRETS).join(name), true)));
    binds
}

#[cfg(test)]
mod tests;
