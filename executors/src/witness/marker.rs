//! The two fences: a lock that says "something of it still runs", and a marker that says "it was started once".
//!
//! The lock is one on the attempt's directory itself (its inode never changes, as a file's in it could). It comes first and is inherited by everything the tool starts; so whoever sees the marker and gets the lock
//! knows that nothing runs any more. It does not know what is run.

use std::io;
use std::os::fd::OwnedFd;

use kentai_engine::exit_record::START_MARKER;
use rustix::fs::{AtFlags, FlockOperation, Mode, OFlags};
use rustix::io::Errno;

use crate::attempt::Identity;

/// Takes the attempt's lock. Waits when another holds it: a look from the engine passes at once, and another witness
/// will have left its marker by then.
pub(crate) fn lock(directory: &OwnedFd) -> io::Result<OwnedFd> {
    // Without CLOEXEC: the tool and its children inherit the descriptor, and with it the lock.
    let flags = OFlags::RDONLY | OFlags::DIRECTORY;
    let file = rustix::fs::openat(directory, ".", flags, Mode::empty())?;
    rustix::io::retry_on_intr(|| rustix::fs::flock(&file, FlockOperation::LockExclusive))?;
    Ok(file)
}

/// Leaves the start marker; false when there is one already. It appears whole or not at all, hence the link.
pub(crate) fn start(directory: &OwnedFd) -> io::Result<bool> {
    let temporary = format!("{START_MARKER}.{}", std::process::id());
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::TRUNC | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let file = rustix::fs::openat(directory, &temporary, flags, Mode::from_raw_mode(0o644))?;
    let text = Identity::own()?.to_string();
    if rustix::io::write(&file, text.as_bytes())? != text.len() {
        return Err(io::Error::from(Errno::NOSPC));
    }
    let linked = rustix::fs::linkat(directory, &temporary, directory, START_MARKER, AtFlags::empty());
    rustix::fs::unlinkat(directory, &temporary, AtFlags::empty())?;
    match linked {
        Ok(()) => Ok(true),
        Err(Errno::EXIST) => Ok(false),
        Err(error) => Err(error.into()),
    }
}
