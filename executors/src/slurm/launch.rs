//! Getting an attempt's job into Slurm once: the directory, the order for its keeper, and the words of `sbatch`.

use std::ffi::OsString;
use std::io;
use std::path::PathBuf;

use kentai_engine::port::executor::Task;

use super::desk::Desk;
use super::keeper::Order;
use super::runtime::{self, Settings};
use super::{Options, Placed, Runtime, SlurmExecutor};
use crate::attempt::{self, Inputs, Prepared, WORK};
use crate::witness::task::Instructions;

/// Slurm's own limit is a net below the witness's, which ends a tool in time: it counts whole minutes, looks every half one, and the
/// witness needs its grace.
const TIME_BEYOND_S: u64 = 120;
/// A job that only keeps a container: its memory is the runtime's client, the container has a limit of its own.
const KEEPER_MEMORY_BYTES: u64 = 256 << 20;

/// Options of `sbatch` that are kentai's, and nobody's to change.
const OURS: [&str; 20] = [
    "--job-name",
    "--output",
    "--error",
    "--input",
    "--open-mode",
    "--requeue",
    "--no-requeue",
    "--comment",
    "--parsable",
    "--export",
    "--chdir",
    "--array",
    "--cpus-per-task",
    "--mem",
    "--time",
    "--ntasks",
    "--wrap",
    "--wait",
    "--parse",
    "--nodes",
];

/// Is this word one of `sbatch`'s that kentai sets itself?
pub(super) fn is_ours(word: &str) -> bool {
    let name = word.split('=').next().unwrap_or_default();
    OURS.contains(&name)
}

impl SlurmExecutor {
    /// Puts the program and the script where nodes see them.
    pub(super) async fn place(&self) -> io::Result<&Placed> {
        self.placed
            .get_or_try_init(|| async {
                let (desk, binary, modules) =
                    (self.desk.clone(), self.options.binary.clone(), self.options.modules.clone());
                let placed = tokio::task::spawn_blocking(move || {
                    Ok(Placed { program: desk.program(&binary)?, script: desk.script(&modules)? })
                });
                placed.await.unwrap_or_else(|error| Err(io::Error::other(error)))
            })
            .await
    }

    /// The words of `sbatch`: no shell reads them, and none is the tool's command, which lies in the directory.
    pub(super) fn words(&self, placed: &Placed, task: &Task) -> Vec<OsString> {
        let options = &self.options;
        let mut words: Vec<OsString> =
            vec!["--parsable".into(), "--no-requeue".into(), "--export=ALL".into(), "--open-mode=append".into()];
        let mut add = |name: &str, value: &str| words.push(format!("--{name}={value}").into());
        add("job-name", &self.controller.job(&task.attempt));
        add("comment", &format!("kentai {} {}", task.run, task.step));
        add("chdir", "/");
        add("nodes", "1");
        add("ntasks", "1");
        add("cpus-per-task", &task.cpus.max(1).to_string());
        let memory = if self.options.runtime.image_files() || !self.options.has_keeper() {
            task.memory_bytes
        } else if task.memory_bytes > 0 {
            // The node must have room for the container too, whatever its control group is.
            task.memory_bytes.saturating_add(KEEPER_MEMORY_BYTES)
        } else {
            0
        };
        if memory > 0 {
            add("mem", &format!("{}K", memory.div_ceil(1024)));
        }
        if task.timeout_s > 0 {
            add("time", &(task.timeout_s + task.grace_s + TIME_BEYOND_S).div_ceil(60).to_string());
        }
        for (name, value) in [
            ("partition", &options.partition),
            ("account", &options.account),
            ("qos", &options.qos),
            ("constraint", &options.constraint),
        ] {
            if let Some(value) = value {
                add(name, value);
            }
        }
        words.push(path_word("output", &task.directory.join(attempt::SLURM_LOG)));
        words.extend(options.arguments.iter().map(OsString::from));
        words.push(placed.script.clone().into());
        words.push(placed.program.clone().into());
        if self.options.has_keeper() {
            words.push("keeper".into());
            words.push(self.desk.file(&task.attempt, "keeper.json").into());
        } else {
            words.push("witness".into());
            words.push(task.directory.clone().into());
        }
        words
    }
}

impl Options {
    /// A container has a keeper.
    pub(super) fn has_keeper(&self) -> bool {
        self.runtime != Runtime::None
    }

    /// Whom tools run as; none: whoever the engine is.
    fn owner(&self) -> Option<(u32, u32)> {
        rustix::process::geteuid().is_root().then_some(self.user)
    }
}

/// Makes the attempt's directory, and the keeper's order where there is a container; `job` is its name. Blocking.
pub(super) fn prepare(options: &Options, desk: &Desk, placed: &Placed, job: &str, task: &Task) -> io::Result<Prepared> {
    let container = options.has_keeper();
    let mut env = task.env.clone();
    let temporary = if container { PathBuf::from("/tmp") } else { task.directory.join(WORK) };
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
        // An apptainer container is in the job's own group, whose counters are not shown inside.
        own_cgroup: container && !options.runtime.image_files(),
        umask: Some(options.umask),
        shared: true,
        keeper: container.then(|| PathBuf::from(runtime::PIPE)),
    };
    let owner = options.owner().map(|(uid, gid)| (rustix::fs::Uid::from_raw(uid), rustix::fs::Gid::from_raw(gid)));
    let inputs = if container { Inputs::MountPoints(owner) } else { Inputs::Links };
    let prepared = attempt::prepare(&task.directory, &instructions, &task.mounts, inputs)?;
    if prepared == Prepared::Ready {
        if container { leave_order(options, desk, placed, job, task)? } else { attempt::link_secrets(task)? }
    }
    Ok(prepared)
}

fn leave_order(options: &Options, desk: &Desk, placed: &Placed, job: &str, task: &Task) -> io::Result<()> {
    let pipe = desk.file(&task.attempt, "pipe");
    let settings = Settings {
        name: job,
        binary: &placed.program,
        pipe: &pipe,
        user: options.owner(),
        pids: options.pids_limit,
        tmpfs_bytes: options.tmpfs_bytes,
        images: options.images.as_deref(),
    };
    let lines = runtime::lines(options.runtime, &settings, task, task.image.as_deref().unwrap_or_default());
    let order = Order {
        has_image: lines.has_image,
        start: lines.start,
        remove: lines.remove,
        pipe,
        claim: desk.file(&task.attempt, "claim"),
        end: desk.file(&task.attempt, "end"),
        grace_s: task.grace_s,
    };
    desk.put(&desk.file(&task.attempt, "keeper.json"), &serde_json::to_vec(&order)?)
}

/// `%` begins a pattern in Slurm's file names.
fn path_word(name: &str, path: &std::path::Path) -> OsString {
    let text = path.to_string_lossy().replace('%', "%%");
    format!("--{name}={text}").into()
}
