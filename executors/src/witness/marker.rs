//! The two fences: a lock that says "something of it still runs", and a marker that says "it was started once".
//!
//! The lock is one on the attempt's directory itself (its inode never changes, as a file's in it could). It comes first and is inherited by everything the tool starts; so whoever sees the marker and gets the lock
//! knows that nothing runs any more. It does not know what is run.

use std::io;
use std::os::fd::OwnedFd;

use kentai_engine::exit_record::START_MARKER;
use rustix::fs::{AtFlags, FlockOperation, Mode, OFlags};
use rustix::io::Errno;

use crate::attempt::{FENCED, Identity};

/// Takes the attempt's lock; none when another witness has it and has left its marker: the tool is its own, and may run for days.
/// A look from the engine passes at once, and is waited for.
pub(crate) fn lock(directory: &OwnedFd) -> io::Result<Option<OwnedFd>> {
    // Without CLOEXEC: the tool and its children inherit the descriptor, and with it the lock.
    let flags = OFlags::RDONLY | OFlags::DIRECTORY;
    let file = rustix::fs::openat(directory, ".", flags, Mode::empty())?;
    match rustix::io::retry_on_intr(|| rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive)) {
        Ok(()) => return Ok(Some(file)),
        Err(Errno::WOULDBLOCK) => {}
        Err(error) => return Err(error.into()),
    }
    if rustix::fs::statat(directory, START_MARKER, AtFlags::SYMLINK_NOFOLLOW).is_ok() {
        return Ok(None);
    }
    rustix::io::retry_on_intr(|| rustix::fs::flock(&file, FlockOperation::LockExclusive))?;
    Ok(Some(file))
}

/// Leaves the start marker; false when there is one already. It appears whole or not at all, hence the link.
pub(crate) fn start(directory: &OwnedFd) -> io::Result<bool> {
    leave(directory, Identity::own()?.to_string().as_bytes())
}

/// Leaves a start marker that no witness made, so that one which comes late will not start the tool; false when there is one already.
pub(crate) fn fence(directory: &OwnedFd, reason: &str) -> io::Result<bool> {
    leave(directory, &[FENCED, reason.as_bytes()].concat())
}

fn leave(directory: &OwnedFd, text: &[u8]) -> io::Result<bool> {
    // Numbers of processes repeat across machines that share the directory.
    let temporary =
        format!("{START_MARKER}.{}-{}", std::process::id(), rustix::system::uname().nodename().to_string_lossy());
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::TRUNC | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let file = rustix::fs::openat(directory, &temporary, flags, Mode::from_raw_mode(0o644))?;
    if rustix::io::write(&file, text)? != text.len() {
        return Err(io::Error::from(Errno::NOSPC));
    }
    let linked = rustix::fs::linkat(directory, &temporary, directory, START_MARKER, AtFlags::empty());
    // An answer that was lost on the way may hide a link that was made: the number of names knows (open(2), O_EXCL).
    let made = linked.is_ok() || rustix::fs::fstat(&file).is_ok_and(|found| found.st_nlink == 2);
    rustix::fs::unlinkat(directory, &temporary, AtFlags::empty())?;
    match linked {
        _ if made => Ok(true),
        Err(Errno::EXIST) => Ok(false),
        Err(error) => Err(error.into()),
        Ok(()) => Ok(true),
    }
}
