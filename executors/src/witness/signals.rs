//! Signals as bytes in a socket, so that one `poll` waits for everything.
//!
//! They are caught, not blocked: a blocked mask would be inherited by the tool, and SIGTERM would never reach it.

use std::io::{self, Read};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use signal_hook::consts::{SIGCHLD, SIGHUP, SIGINT, SIGTERM};

/// The signals that a witness listens to.
pub(crate) struct Signals {
    bytes: UnixStream,
    asked: Arc<AtomicBool>,
}

impl Signals {
    /// Starts to listen.
    pub(crate) fn catch() -> io::Result<Self> {
        let (bytes, writer) = UnixStream::pair()?;
        bytes.set_nonblocking(true)?;
        let asked = Arc::new(AtomicBool::new(false));
        for number in [SIGTERM, SIGINT, SIGHUP] {
            // Actions run in this order: the flag is up before the byte arrives.
            signal_hook::flag::register(number, asked.clone())?;
            signal_hook::low_level::pipe::register(number, writer.try_clone()?)?;
        }
        signal_hook::low_level::pipe::register(SIGCHLD, writer)?;
        Ok(Self { bytes, asked })
    }

    /// Empties the socket; true when an end was asked for since the last call.
    pub(crate) fn take(&self) -> bool {
        let mut buffer = [0; 64];
        while (&self.bytes).read(&mut buffer).is_ok_and(|count| count > 0) {}
        self.asked.swap(false, Ordering::SeqCst)
    }
}

impl AsFd for Signals {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.bytes.as_fd()
    }
}
