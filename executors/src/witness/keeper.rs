//! The pipe by which a witness in a container notices that whoever started the container is gone.
//!
//! A container is no child of the job that asked for it: when the job is killed, nothing tells the container. The kernel closes the
//! writing end then, however the job ended. Only the end of it is looked at; nobody writes.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;

use rustix::fs::{CWD, Mode, OFlags};
use rustix::io::Errno;

/// The reading end.
pub(super) struct Keeper {
    pipe: OwnedFd,
}

impl Keeper {
    /// Opens it. Whoever started us holds the other end already.
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        Ok(Self { pipe: rustix::fs::openat(CWD, path, flags, Mode::empty())? })
    }

    /// Is the other end still open? A read of an empty pipe says so without waiting; a poll does not where it was never open.
    pub(super) fn lives(&self) -> bool {
        match rustix::io::read(&self.pipe, &mut [0; 16]) {
            Ok(0) => false,
            Ok(_) | Err(Errno::AGAIN | Errno::INTR) => true,
            Err(_) => false,
        }
    }
}

impl AsFd for Keeper {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.pipe.as_fd()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_lives_as_long_as_its_other_end() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let path = directory.path().join("keeper");
        rustix::fs::mknodat(CWD, &path, rustix::fs::FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).expect("a pipe");
        assert!(!Keeper::open(&path).expect("opened").lives(), "nobody holds it");
        let other = std::fs::OpenOptions::new().read(true).write(true).open(&path).expect("held");
        let keeper = Keeper::open(&path).expect("opened");
        assert!(keeper.lives());
        drop(other);
        assert!(!keeper.lives());
    }
}
