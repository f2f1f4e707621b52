//! The keeper: the job's own process on the node where a tool runs in a container. It starts the container, passes on what the job is
//! told, and takes the container with it when it ends.
//!
//! The same binary, called as `kentai keeper <order>`. A container is no child of the job: a killed job would leave it running. So the
//! container's witness holds the reading end of a pipe whose writing end is ours: however we end, it notices. A claim beside the order
//! keeps a second copy of the job from ending the first one's container. It does not know Slurm.

use std::ffi::OsString;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use kentai_engine::exit_record::ALREADY_STARTED;
use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::fs::{CWD, FileType, Mode};
use rustix::io::Errno;
use rustix::process::{Pid, Signal, kill_process};
use serde::{Deserialize, Serialize};

use crate::witness::signals::Signals;

/// The keeper's own exit code when it failed.
const FAILED: i32 = 97;
/// How much longer than the witness's grace a container may take to end before it is removed.
const BEYOND_GRACE: Duration = Duration::from_secs(10);
/// A runtime's error is a line or two.
const ERROR_BYTES: usize = 2000;

/// What to keep. It lies out of the tool's reach.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Order {
    /// Says whether the image is there; none: not asked.
    pub has_image: Option<Vec<String>>,
    /// Starts the container and stays with it.
    pub start: Vec<String>,
    /// Removes it, whatever it does.
    pub remove: Option<Vec<String>>,
    /// Made before the container starts.
    pub pipe: PathBuf,
    /// Whose claim it is; another job's ends us.
    pub claim: PathBuf,
    /// Where the end is written down.
    pub end: PathBuf,
    /// Seconds.
    pub grace_s: u64,
}

/// How the container ended, in the keeper's words; fields are only added.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct End {
    /// The runtime's exit code.
    #[serde(default)]
    pub exit_code: Option<i32>,
    /// There is no such image on this node; in words.
    #[serde(default)]
    pub image_missing: Option<String>,
    /// What the runtime or we said.
    #[serde(default)]
    pub error: Option<String>,
}

impl End {
    /// What a keeper left, if one did.
    pub(super) fn read(path: &Path) -> Option<Self> {
        serde_json::from_slice(&std::fs::read(path).ok()?).ok()
    }
}

/// Keeps the container of an order; `args` are those after the word `keeper`.
pub(crate) fn main(args: impl IntoIterator<Item = OsString>) -> i32 {
    let Some(path) = args.into_iter().next().map(PathBuf::from) else {
        return complain("the order is missing");
    };
    match keep(&path) {
        Ok(code) => code,
        Err(error) => complain(&error.to_string()),
    }
}

fn complain(text: &str) -> i32 {
    let _ = writeln!(io::stderr(), "keeper: {text}");
    FAILED
}

fn keep(path: &Path) -> io::Result<i32> {
    let signals = Signals::catch()?;
    let order: Order = serde_json::from_slice(&std::fs::read(path)?)?;
    if !claim(&order.claim)? {
        return Ok(ALREADY_STARTED);
    }
    let kept = kept(&order, &signals);
    if let Err(error) = &kept {
        leave(&order.end, &End { error: Some(error.to_string()), ..End::default() })?;
    }
    // Also after an error: nothing of it may outlive us.
    if let Some(remove) = &order.remove {
        let _ = command(remove)?.stdout(Stdio::null()).stderr(Stdio::null()).status();
    }
    kept
}

fn kept(order: &Order, signals: &Signals) -> io::Result<i32> {
    if let Some(has_image) = &order.has_image
        && !command(has_image)?.stdout(Stdio::null()).stderr(Stdio::null()).status()?.success()
    {
        let words = format!("{} has no such image; load or pull it there", host());
        leave(&order.end, &End { image_missing: Some(words), ..End::default() })?;
        return Ok(FAILED);
    }
    // The writing end is ours as long as we live; opened for both, because opening for writing alone waits for a reader.
    match rustix::fs::mknodat(CWD, &order.pipe, FileType::Fifo, Mode::from_raw_mode(0o644), 0) {
        Ok(()) | Err(Errno::EXIST) => {}
        Err(error) => return Err(error.into()),
    }
    let _pipe = OpenOptions::new().read(true).write(true).open(&order.pipe)?;
    let errors = order.end.with_extension("said");
    let said = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&errors)?;
    let mut container = command(&order.start)?.stdin(Stdio::null()).stdout(Stdio::null()).stderr(said).spawn()?;
    let status = attend(&mut container, signals, Duration::from_secs(order.grace_s) + BEYOND_GRACE, order)?;
    let mut error = String::from_utf8_lossy(&std::fs::read(&errors)?).trim().to_owned();
    let _ = std::fs::remove_file(&errors);
    if let Some((at, _)) = error.char_indices().nth(ERROR_BYTES) {
        error.truncate(at);
    }
    let exit_code = status.code();
    leave(&order.end, &End { exit_code, error: Some(error).filter(|error| !error.is_empty()), image_missing: None })?;
    Ok(exit_code.unwrap_or(FAILED))
}

/// Waits for the container, passing on what we are told; what does not end in its time is removed.
fn attend(container: &mut Child, signals: &Signals, patience: Duration, order: &Order) -> io::Result<ExitStatus> {
    let mut until: Option<Instant> = None;
    loop {
        if let Some(status) = container.try_wait()? {
            return Ok(status);
        }
        let left = until.map(|until| until.saturating_duration_since(Instant::now()));
        if left.is_some_and(|left| left.is_zero()) {
            if let Some(remove) = &order.remove {
                let _ = command(remove)?.stdout(Stdio::null()).stderr(Stdio::null()).status();
            }
            container.kill()?;
            return container.wait();
        }
        let left = left.map(|left| Timespec {
            tv_sec: i64::try_from(left.as_secs()).unwrap_or(i64::MAX),
            tv_nsec: left.subsec_nanos().into(),
        });
        let mut watched = [PollFd::new(signals, PollFlags::IN)];
        match rustix::event::poll(&mut watched, left.as_ref()) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
        if signals.take() && until.is_none() {
            until = Some(Instant::now() + patience);
            // The runtime's client passes it on to the container's first process, the witness.
            let _ = kill_process(Pid::from_child(container), Signal::TERM);
        }
    }
}

/// Takes the claim; false when another job has it.
fn claim(path: &Path) -> io::Result<bool> {
    let mut file = match OpenOptions::new().write(true).create_new(true).mode(0o600).open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return Ok(false),
        Err(error) => return Err(error),
    };
    let job = std::env::var("SLURM_JOB_ID").unwrap_or_default();
    write!(file, "{job} {} {}", host(), std::process::id())?;
    file.sync_all()?;
    Ok(true)
}

fn leave(path: &Path, end: &End) -> io::Result<()> {
    let temporary = path.with_extension("end-new");
    let mut file = File::create(&temporary)?;
    file.write_all(&serde_json::to_vec(end)?)?;
    file.sync_all()?;
    std::fs::rename(temporary, path)
}

fn command(words: &[String]) -> io::Result<Command> {
    let (program, arguments) = words.split_first().ok_or_else(|| io::Error::other("an empty command"))?;
    let mut command = Command::new(program);
    command.args(arguments);
    Ok(command)
}

fn host() -> String {
    let name = std::env::var("SLURMD_NODENAME");
    name.unwrap_or_else(|_| rustix::system::uname().nodename().to_string_lossy().into_owned())
}
