//! The log: whatever the tool says, up to a cap, counted beyond it. A full disk loses log lines, never the tool.

use std::io::{ErrorKind, PipeReader, Read};
use std::os::fd::OwnedFd;

use kentai_engine::exit_record::LOG_FILE;
use rustix::fs::{Mode, OFlags};

/// One pump from the pipe to the log file.
pub(super) struct Pump<'a> {
    directory: &'a OwnedFd,
    /// Made at the first byte: most tools say nothing, and a file costs more than a byte.
    file: Option<OwnedFd>,
    room: u64,
    dropped: u64,
    buffer: Vec<u8>,
}

impl<'a> Pump<'a> {
    pub(super) fn new(directory: &'a OwnedFd, bytes_max: u64) -> Self {
        Self { directory, file: None, room: bytes_max, dropped: 0, buffer: Vec::new() }
    }

    /// Moves what is there, without waiting; false when the pipe has ended.
    pub(super) fn drain(&mut self, output: &mut PipeReader) -> bool {
        self.buffer.resize(64 * 1024, 0);
        let mut buffer = std::mem::take(&mut self.buffer);
        let open = loop {
            match output.read(&mut buffer) {
                Ok(0) => break false,
                Ok(count) => self.keep(&buffer[..count]),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => break error.kind() == ErrorKind::WouldBlock,
            }
        };
        self.buffer = buffer;
        open
    }

    /// Bytes that did not fit.
    pub(super) fn dropped(&self) -> u64 {
        self.dropped
    }

    fn keep(&mut self, bytes: &[u8]) {
        let fits = usize::try_from(self.room).unwrap_or(usize::MAX).min(bytes.len());
        let kept = self.write(&bytes[..fits]);
        self.room -= kept as u64;
        self.dropped += (bytes.len() - kept) as u64;
    }

    fn write(&mut self, bytes: &[u8]) -> usize {
        if bytes.is_empty() {
            return 0;
        }
        if self.file.is_none() {
            let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::TRUNC | OFlags::NOFOLLOW | OFlags::CLOEXEC;
            self.file = rustix::fs::openat(self.directory, LOG_FILE, flags, Mode::from_raw_mode(0o640)).ok();
        }
        let Some(file) = &self.file else { return 0 };
        let mut kept = 0;
        while kept < bytes.len() {
            match rustix::io::retry_on_intr(|| rustix::io::write(file, &bytes[kept..])) {
                Ok(count) => kept += count,
                Err(_) => break,
            }
        }
        kept
    }
}
