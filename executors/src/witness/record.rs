//! Writing the exit record: whole under another name, then renamed. On one host it is not synced: the collector syncs a whole batch at
//! once, and a record of an earlier boot is not believed. Where other machines look, all that it speaks of is synced first.

use std::io;
use std::os::fd::OwnedFd;

use kentai_engine::exit_record::{EXIT_RECORD, ExitRecord};
use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeValLike;
use rustix::fs::{AtFlags, FallocateFlags, Mode, OFlags};
use rustix::io::Errno;

use super::launch::Refused;
use super::listing;
use super::supervise::Ended;
use super::task::Instructions;
use crate::attempt::now_us;

/// More than any record takes; its one long field is an error text of the system.
const RECORD_BYTES: u64 = 4096;

/// Records the end of a tool that ran; gives the witness's own exit code.
pub(super) fn write_ended(
    directory: &OwnedFd,
    place: Place,
    instructions: &Instructions,
    ended: &Ended,
) -> io::Result<i32> {
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN)?;
    let cpu_ms = usage.user_time().num_milliseconds() + usage.system_time().num_milliseconds();
    let record = ExitRecord {
        attempt: instructions.attempt.clone(),
        nonce: instructions.nonce.clone(),
        exit_code: ended.status.exit_status(),
        signal: ended.status.terminating_signal(),
        timed_out: ended.timed_out,
        stopped: ended.stopped,
        started_us: ended.started_us,
        ended_us: ended.ended_us,
        cpu_ms: u64::try_from(cpu_ms).unwrap_or(0),
        max_rss_bytes: u64::try_from(usage.max_rss()).unwrap_or(0).saturating_mul(1024),
        oom_kills: if instructions.own_cgroup { oom_kills() } else { 0 },
        log_dropped_bytes: ended.log_dropped_bytes,
        error: None,
    };
    if instructions.shared {
        // A listing that cannot be made must not cost us the record: whoever looks waits for nothing then.
        let _ = listing::leave(directory);
    }
    place.write(directory, &record, instructions.shared)
}

/// Records that the tool never ran: it was stopped before, or could not be executed.
pub(super) fn write_unstarted(
    directory: &OwnedFd,
    place: Place,
    instructions: &Instructions,
    refused: Option<&Refused>,
) -> io::Result<i32> {
    let now = now_us();
    let record = ExitRecord {
        attempt: instructions.attempt.clone(),
        nonce: instructions.nonce.clone(),
        // As if SIGTERM had reached it in its first instant.
        signal: refused.is_none().then_some(rustix::process::Signal::TERM.as_raw()),
        exit_code: refused.map(|refused| refused.exit_code),
        stopped: refused.is_none(),
        error: refused.map(|refused| refused.reason.clone()),
        started_us: now,
        ended_us: now,
        ..ExitRecord::default()
    };
    place.write(directory, &record, instructions.shared)
}

/// The record's file, with its space taken before the tool starts: a disk that the tool fills must not cost us the record.
pub(super) struct Place {
    file: OwnedFd,
    name: String,
}

impl Place {
    /// Takes the space.
    pub(super) fn reserve(directory: &OwnedFd) -> io::Result<Self> {
        let name = format!("{EXIT_RECORD}.new");
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::TRUNC | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let file = rustix::fs::openat(directory, &name, flags, Mode::from_raw_mode(0o644))?;
        match rustix::fs::fallocate(&file, FallocateFlags::empty(), 0, RECORD_BYTES) {
            // A file system that cannot promise space: the record is written as everything else is.
            Ok(()) | Err(Errno::OPNOTSUPP | Errno::NOSYS) => Ok(Self { file, name }),
            Err(error) => {
                let _ = rustix::fs::unlinkat(directory, &name, AtFlags::empty());
                Err(error.into())
            }
        }
    }

    /// Gives it back: another witness came first.
    pub(super) fn give_back(self, directory: &OwnedFd) {
        let _ = rustix::fs::unlinkat(directory, &self.name, AtFlags::empty());
    }

    fn write(self, directory: &OwnedFd, record: &ExitRecord, sync: bool) -> io::Result<i32> {
        let text = serde_json::to_vec(record)?;
        if rustix::io::pwrite(&self.file, &text, 0)? != text.len() {
            return Err(Errno::NOSPC.into());
        }
        rustix::fs::ftruncate(&self.file, text.len() as u64)?;
        if sync {
            rustix::fs::fsync(&self.file)?;
        }
        rustix::fs::renameat(directory, &self.name, directory, EXIT_RECORD)?;
        if sync {
            rustix::fs::fsync(directory)?;
        }
        Ok(record.exit_code.or(record.signal.map(|signal| 128 + signal)).unwrap_or(0))
    }
}

/// Counted by the container's own control group, version 2 or 1; zero when neither can be read.
fn oom_kills() -> u64 {
    ["/sys/fs/cgroup/memory.events", "/sys/fs/cgroup/memory/memory.oom_control"]
        .iter()
        .find_map(|path| oom_kills_of(&std::fs::read_to_string(path).ok()?))
        .unwrap_or(0)
}

fn oom_kills_of(text: &str) -> Option<u64> {
    text.lines().find_map(|line| line.strip_prefix("oom_kill ")?.trim().parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_control_group_versions_are_read() {
        assert_eq!(oom_kills_of("low 0\nhigh 0\nmax 3\noom 1\noom_kill 2\n"), Some(2));
        assert_eq!(oom_kills_of("oom_kill_disable 0\nunder_oom 0\noom_kill 1\n"), Some(1));
        assert_eq!(oom_kills_of("oom_kill_disable 0\n"), None);
    }
}
