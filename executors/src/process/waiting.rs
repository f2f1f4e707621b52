//! Waiting on an attempt's lock, looking at it, and closing the fence behind an attempt that never started.

use std::io;
use std::os::fd::OwnedFd;
use std::path::Path;

use kentai_engine::port::executor::Held;
use rustix::fs::FlockOperation;
use rustix::io::Errno;
use tokio::sync::oneshot;

use crate::attempt::open_directory;
use crate::witness::marker;

/// Why the fence was closed; present only beside a marker that no witness made.
const FENCED: &str = "fenced";

/// A waiting thread calls `flock` and nothing else.
const STACK_BYTES: usize = 64 * 1024;

/// What closing the fence came to.
pub(super) enum Fence {
    /// Nothing was started, and nothing ever will be.
    Closed,
    /// A witness came first.
    StartedBefore,
}

/// Comes back when no process holds the attempt's lock. Waits on a thread of its own: one of the runtime's would
/// keep the runtime from ending while the tool runs.
pub(super) async fn until_unlocked(directory: &Path) -> io::Result<()> {
    let (sender, receiver) = oneshot::channel();
    let directory = directory.to_owned();
    let thread = std::thread::Builder::new().name("attempt-lock".to_owned()).stack_size(STACK_BYTES);
    thread.spawn(move || {
        // Whoever asked may be gone.
        let _ = sender.send(wait_for_lock(&directory));
    })?;
    receiver.await.unwrap_or_else(|_| Err(io::Error::other("the waiting thread ended")))
}

fn wait_for_lock(directory: &Path) -> io::Result<()> {
    let Some(lock) = open_lock(directory)? else { return Ok(()) };
    Ok(rustix::io::retry_on_intr(|| rustix::fs::flock(&lock, FlockOperation::LockShared))?)
}

/// Is the lock taken now?
pub(super) fn is_locked(directory: &Path) -> io::Result<bool> {
    let Some(lock) = open_lock(directory)? else { return Ok(false) };
    match rustix::fs::flock(&lock, FlockOperation::NonBlockingLockShared) {
        Ok(()) => Ok(false),
        Err(Errno::WOULDBLOCK) => Ok(true),
        Err(error) => Err(error.into()),
    }
}

/// The attempts beneath a directory whose lock is taken.
pub(super) fn held(attempts: &Path) -> io::Result<Vec<Held>> {
    let entries = match attempts.read_dir() {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut held = Vec::new();
    for entry in entries {
        let entry = entry?;
        // One strange directory must not hide the others.
        if is_locked(&entry.path()).unwrap_or(false) {
            held.push(Held { attempt: entry.file_name().to_string_lossy().into_owned(), running: true });
        }
    }
    Ok(held)
}

/// Makes the start marker in the witness's place, so that a witness which comes late will not start the tool.
pub(super) fn fence(directory: &Path, reason: &str) -> io::Result<Fence> {
    let handle = match open_directory(directory) {
        Ok(handle) => handle,
        // Without a directory no witness can have been called.
        Err(Errno::NOENT) => return Ok(Fence::Closed),
        Err(error) => return Err(error.into()),
    };
    let Some(lock) = marker::lock(&handle)? else { return Ok(Fence::StartedBefore) };
    rustix::io::fcntl_setfd(&lock, rustix::io::FdFlags::CLOEXEC)?;
    std::fs::write(directory.join(FENCED), reason)?;
    if marker::start(&handle)? {
        return Ok(Fence::Closed);
    }
    std::fs::remove_file(directory.join(FENCED))?;
    Ok(Fence::StartedBefore)
}

/// The reason that the fence was closed for, if it was.
pub(super) fn fenced(directory: &Path) -> Option<String> {
    std::fs::read_to_string(directory.join(FENCED)).ok()
}

fn open_lock(directory: &Path) -> io::Result<Option<OwnedFd>> {
    match open_directory(directory) {
        Ok(handle) => Ok(Some(handle)),
        Err(Errno::NOENT | Errno::NOTDIR) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_closed_fence_stays_closed_and_says_why() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        assert!(matches!(fence(directory.path(), "no disk"), Ok(Fence::Closed)));
        assert_eq!(fenced(directory.path()).as_deref(), Some("no disk"));
        assert!(!is_locked(directory.path()).expect("readable"));
        let handle = open_directory(directory.path()).expect("there");
        assert!(!marker::start(&handle).expect("asked"), "a late witness finds the marker");
    }

    #[test]
    fn a_witness_that_comes_second_does_not_wait_for_the_end_of_the_firsts_tool() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let first = open_directory(directory.path()).expect("there");
        let _held = marker::lock(&first).expect("asked").expect("it is the first");
        assert!(marker::start(&first).expect("marked"));
        let (sender, receiver) = std::sync::mpsc::channel();
        let second = open_directory(directory.path()).expect("there");
        std::thread::spawn(move || sender.send(marker::lock(&second).map(|lock| lock.is_none())));
        // The limit only turns a hang into a failure.
        let left = receiver.recv_timeout(std::time::Duration::from_secs(30));
        assert!(matches!(left, Ok(Ok(true))), "{left:?}");
    }

    #[test]
    fn a_fence_behind_a_started_attempt_changes_nothing() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let handle = open_directory(directory.path()).expect("there");
        assert!(marker::start(&handle).expect("marked"));
        assert!(matches!(fence(directory.path(), "late"), Ok(Fence::StartedBefore)));
        assert_eq!(fenced(directory.path()), None);
    }
}
