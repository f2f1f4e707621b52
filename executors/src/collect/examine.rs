//! One pass over a file: hashed and, when it declares a format, checked.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};

use kentai_engine::store::artifact::hex;
use rustix::io::Errno;
use sha2::{Digest, Sha256};

use super::format;
use super::inspect::Wrong;

/// Bytes read at a time from a large file.
const CHUNK: usize = 256 * 1024;

/// What a pass found.
pub(super) struct Hashed {
    /// Lowercase hex.
    pub sha256: String,
    /// Bytes.
    pub size: u64,
}

/// Reads what a checker reads into the hash as well, and remembers whether the disk failed.
struct Tee<'a> {
    file: &'a File,
    hasher: Sha256,
    size: u64,
    failed: Option<Errno>,
}

impl Read for Tee<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self.file.read(buffer) {
            Ok(count) => {
                self.hasher.update(&buffer[..count]);
                self.size += count as u64;
                Ok(count)
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => Err(error),
            Err(error) => {
                self.failed = Some(Errno::from_io_error(&error).unwrap_or(Errno::IO));
                Err(error)
            }
        }
    }
}

/// Hashes a file to its end and checks the format it declares.
pub(super) fn examine(file: &File, declared: Option<&str>) -> Result<Hashed, Wrong> {
    let length = file.metadata().map_or(CHUNK as u64, |found| found.len());
    let capacity = usize::try_from(length).unwrap_or(CHUNK).clamp(512, CHUNK);
    let tee = Tee { file, hasher: Sha256::new(), size: 0, failed: None };
    let mut reader = BufReader::with_capacity(capacity, tee);
    let checked = declared.map_or(Ok(()), |declared| format::check(declared, &mut reader));
    let drained = checked.is_err() || drain(&mut reader);
    let tee = reader.into_inner();
    if let Some(error) = tee.failed {
        return Err(Wrong::Disk(error));
    }
    checked.map_err(|reason| Wrong::Bad(format!("is not a whole {} file: {reason}", declared.unwrap_or_default())))?;
    if !drained {
        return Err(Wrong::Disk(Errno::IO));
    }
    Ok(Hashed { sha256: hex(&tee.hasher.finalize()), size: tee.size })
}

fn drain(reader: &mut impl BufRead) -> bool {
    loop {
        match reader.fill_buf() {
            Ok([]) => return true,
            Ok(chunk) => {
                let length = chunk.len();
                reader.consume(length);
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(_) => return false,
        }
    }
}
