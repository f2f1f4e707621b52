//! Both checksums and the length of bytes, as they pass or as they lie.

use std::fs::File;
use std::io::{self, Read as _};

use kentai_engine::audit::hex;
use md5::Md5;
use sha2::{Digest as _, Sha256};

const BUFFER_BYTES: usize = 256 << 10;

/// What was measured.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Measured {
    pub bytes: u64,
    pub sha256: String,
    pub md5: String,
}

/// Bytes that pass in their order.
#[derive(Default)]
pub(super) struct Measure {
    bytes: u64,
    sha256: Sha256,
    md5: Md5,
}

impl Measure {
    pub(super) fn push(&mut self, bytes: &[u8]) {
        self.bytes += bytes.len() as u64;
        self.sha256.update(bytes);
        self.md5.update(bytes);
    }

    /// Bytes so far.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    pub(super) fn finish(self) -> Measured {
        Measured { bytes: self.bytes, sha256: hex(&self.sha256.finalize()), md5: hex(&self.md5.finalize()) }
    }
}

/// A file from its beginning to its end.
pub(super) fn file(mut file: &File) -> io::Result<Measured> {
    let mut measure = Measure::default();
    let mut buffer = vec![0; BUFFER_BYTES];
    loop {
        match file.read(&mut buffer) {
            Ok(0) => return Ok(measure.finish()),
            Ok(bytes) => measure.push(&buffer[..bytes]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}
