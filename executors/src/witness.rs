//! The witness: the one process that starts a tool, watches it and writes down how it ended.
//!
//! It is the server's own binary, called as `kentai witness <attempt directory>` before anything else of the server
//! wakes up: no runtime, no argument parser. It does not know executors, runs or databases: a directory with a task
//! file is its whole world.

mod descendants;
mod keeper;
mod launch;
pub(crate) mod listing;
pub(crate) mod marker;
mod pump;
mod record;
pub(crate) mod signals;
mod supervise;
pub(crate) mod task;

use std::ffi::OsString;
use std::io::{self, Write};
use std::os::fd::OwnedFd;
use std::path::Path;

use kentai_engine::exit_record::ALREADY_STARTED;
use rustix::fs::{AtFlags, Mode, OFlags};

use self::record::Place;
use self::signals::Signals;
use self::task::Instructions;
use crate::attempt::{STOP_FILE, WITNESS_ERROR};

/// The witness's own exit code when it failed before the tool was started.
pub(crate) const WITNESS_FAILED: i32 = 97;
/// The witness's own exit code when the disk was full before the tool was started.
pub(crate) const DISK_FULL: i32 = 98;

/// Runs the witness when the process was called as `<program> witness …`, and the keeper of a job's container as `<program> keeper …`;
/// `None` means that it was called otherwise.
///
/// The server's `main` asks this first.
#[must_use]
pub fn called() -> Option<i32> {
    let mut args = std::env::args_os().skip(1);
    match args.next()?.to_str()? {
        "witness" => Some(main(args)),
        "keeper" => Some(crate::slurm::keeper::main(args)),
        _ => None,
    }
}

/// Runs one attempt; `args` are those after the word `witness`: the attempt directory as seen from here.
///
/// Gives the exit code of the process: the tool's own (128 + signal when a signal ended it), 127 or 126 when it could
/// not be executed, 96 when the attempt was started before, 97 when the witness failed before the tool was started.
pub fn main(args: impl IntoIterator<Item = OsString>) -> i32 {
    let Some(directory) = args.into_iter().next() else {
        return complain(None, "the attempt directory is missing");
    };
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    match rustix::fs::open(Path::new(&directory), flags, Mode::empty()) {
        Ok(handle) => watch(&handle).unwrap_or_else(|error| failed(&handle, &error)),
        Err(error) => complain(None, &format!("cannot open {}: {error}", directory.display())),
    }
}

fn watch(directory: &OwnedFd) -> io::Result<i32> {
    // Caught before anything can be asked of us, so that no request is lost.
    let signals = Signals::catch()?;
    // Fails harmlessly where we lead a session already (as the first process of a container).
    let _ = rustix::process::setsid();
    rustix::process::set_child_subreaper(Some(rustix::process::getpid()))?;
    let instructions = Instructions::read(directory)?;
    let Some(_lock) = marker::lock(directory)? else { return Ok(ALREADY_STARTED) };
    let place = Place::reserve(directory)?;
    if !marker::start(directory)? {
        place.give_back(directory);
        return Ok(ALREADY_STARTED);
    }
    // A request to stop that came before the marker left this file; whoever asks later finds the marker.
    if rustix::fs::statat(directory, STOP_FILE, AtFlags::SYMLINK_NOFOLLOW).is_ok() {
        return record::write_unstarted(directory, place, &instructions, None);
    }
    limit(&instructions)?;
    match launch::launch(directory, &instructions) {
        Ok(tool) => {
            let ended = supervise::supervise(directory, &instructions, tool, &signals)?;
            record::write_ended(directory, place, &instructions, &ended)
        }
        Err(refused) => record::write_unstarted(directory, place, &instructions, Some(&refused)),
    }
}

fn failed(directory: &OwnedFd, error: &io::Error) -> i32 {
    let code = complain(Some(directory), &error.to_string());
    if error.kind() == io::ErrorKind::StorageFull { DISK_FULL } else { code }
}

/// Limits on itself, which the tool inherits. A core file could hold a participant's data, so there is none.
fn limit(instructions: &Instructions) -> io::Result<()> {
    use rustix::process::{Resource, Rlimit, setrlimit, umask};
    setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) })?;
    if let Some(mask) = instructions.umask {
        umask(Mode::from_raw_mode(mask));
    }
    Ok(())
}

/// Says what went wrong in a file beside the task (and on standard error, for whoever reads a container's log).
fn complain(directory: Option<&OwnedFd>, text: &str) -> i32 {
    let _ = writeln!(io::stderr(), "witness: {text}");
    if let Some(directory) = directory {
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::TRUNC | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        if let Ok(file) = rustix::fs::openat(directory, WITNESS_ERROR, flags, Mode::from_raw_mode(0o644)) {
            let _ = rustix::io::write(&file, text.as_bytes());
        }
    }
    WITNESS_FAILED
}
