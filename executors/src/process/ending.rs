//! Ending a plain process: asking its witness, or killing all that holds the attempt's lock.

use std::io;
use std::path::Path;

use kentai_engine::port::executor::Stop;
use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags, Signal, kill_process, pidfd_open, pidfd_send_signal};

use super::waiting::is_locked;
use crate::attempt::{self, Identity, stat_fields};

/// Index of the session among `stat_fields` (field 6 of `proc(5)`).
const SESSION: usize = 3;

/// A tool that forks faster than it is killed is given up after this many rounds; the caller asks again.
const ROUNDS_MAX: usize = 50;

/// Ends the attempt in this directory.
pub(super) fn end(directory: &Path, how: Stop) -> io::Result<()> {
    let Some(witness) = attempt::starter(directory)? else {
        // Not started yet: its witness will find the request. If the marker came just now, the witness is there.
        attempt::request_stop(directory)?;
        return match attempt::starter(directory)? {
            Some(witness) => end_started(directory, &witness, how),
            None => Ok(()),
        };
    };
    end_started(directory, &witness, how)
}

fn end_started(directory: &Path, witness: &Identity, how: Stop) -> io::Result<()> {
    match how {
        Stop::Ask => signal(witness, Signal::TERM),
        Stop::Kill => {
            let session = witness.runs().then_some(witness.pid);
            signal(witness, Signal::KILL)?;
            kill_rest(directory, session)
        }
    }
}

/// Signals the very process that left the marker, through a descriptor: its number may be another's by now.
fn signal(witness: &Identity, number: Signal) -> io::Result<()> {
    let sent = pidfd_open(witness.pid, PidfdFlags::empty())
        .and_then(|handle| if witness.runs() { pidfd_send_signal(handle, number) } else { Ok(()) });
    match sent {
        Ok(()) | Err(Errno::SRCH) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

fn kill_rest(directory: &Path, session: Option<Pid>) -> io::Result<()> {
    for _ in 0..ROUNDS_MAX {
        let members = processes(|pid| session.is_some() && session_of(pid) == session);
        let mut found = !members.is_empty();
        members.into_iter().for_each(kill);
        // Whoever made a session of its own still holds the lock, unless it closed what it inherited.
        if !found && is_locked(directory)? {
            let holders = holders(directory)?;
            found = !holders.is_empty();
            holders.into_iter().for_each(kill);
        }
        if !found {
            return Ok(());
        }
    }
    Err(io::Error::other("its processes keep coming back"))
}

fn kill(pid: Pid) {
    let _ = kill_process(pid, Signal::KILL);
}

fn session_of(pid: Pid) -> Option<Pid> {
    let fields = stat_fields(Path::new(&format!("/proc/{}/stat", pid.as_raw_nonzero())))?;
    // A zombie is dead already and only waits for its parent.
    if fields.first().is_some_and(|state| state == "Z") {
        return None;
    }
    Pid::from_raw(fields.get(SESSION)?.parse().ok()?)
}

fn holders(lock: &Path) -> io::Result<Vec<Pid>> {
    let wanted = rustix::fs::stat(lock)?;
    let same = |path: &Path| {
        rustix::fs::stat(path).is_ok_and(|found| (found.st_dev, found.st_ino) == (wanted.st_dev, wanted.st_ino))
    };
    Ok(processes(|pid| {
        let open = std::fs::read_dir(format!("/proc/{}/fd", pid.as_raw_nonzero()));
        // Ourselves excepted: a thread of ours may be waiting for this very lock.
        pid != rustix::process::getpid()
            && open.is_ok_and(|mut open| open.any(|fd| fd.is_ok_and(|fd| same(&fd.path()))))
    }))
}

fn processes(wanted: impl Fn(Pid) -> bool) -> Vec<Pid> {
    let Ok(entries) = std::fs::read_dir("/proc") else { return Vec::new() };
    let numbers = entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    numbers.filter_map(Pid::from_raw).filter(|pid| wanted(*pid)).collect()
}
