//! Is a package's checkpoint part of the sender's audit log? Looks on while an export is verified: one pass over a file that may be long.

use std::io::{self, Read};

use crate::audit::checkpoint::Checkpoint;
use crate::audit::export::EventLine;

/// Bytes of a line that is looked at; the verifier refuses what is longer.
const LINE_BYTES_MAX: usize = 64 * 1024 * 1024;

/// A reader that passes everything on, and finds the event that a checkpoint speaks of.
pub struct Watched<R> {
    inner: R,
    wanted: Checkpoint,
    line: Vec<u8>,
    found: bool,
}

impl<R: Read> Watched<R> {
    /// Watches what is read of an export.
    pub fn new(inner: R, wanted: &Checkpoint) -> Self {
        // A chain without an event has no line, and is the beginning of every export.
        let empty = wanted.stand.events == 0 && wanted.stand.head.bytes().all(|digit| digit == b'0');
        Self { inner, wanted: wanted.clone(), line: Vec::new(), found: empty }
    }

    /// Did an event with that number and that hash pass? Worth something only after the whole export was found to be true.
    pub fn found(&self) -> bool {
        self.found
    }

    fn look(&mut self, bytes: &[u8]) {
        for part in bytes.split_inclusive(|byte| *byte == b'\n') {
            if self.line.len() < LINE_BYTES_MAX {
                self.line.extend_from_slice(part);
            }
            if part.ends_with(b"\n") {
                let event =
                    self.line.starts_with(b"{\"seq\":").then(|| serde_json::from_slice::<EventLine>(&self.line));
                let stand = &self.wanted.stand;
                self.found |= event
                    .and_then(Result::ok)
                    .is_some_and(|event| event.seq == stand.events && event.hash == stand.head);
                self.line.clear();
            }
        }
    }
}

impl<R: Read> Read for Watched<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let bytes = self.inner.read(buffer)?;
        if !self.found {
            self.look(&buffer[..bytes]);
        }
        Ok(bytes)
    }
}
