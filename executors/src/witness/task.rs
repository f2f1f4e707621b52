//! The witness's instructions: what the executor writes beside the data and the witness reads.
//!
//! A serialized promise between two versions of the same binary: an attempt may be adopted by a newer server.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read};
use std::os::fd::OwnedFd;
use std::path::PathBuf;

use kentai_engine::exit_record::TASK_FILE;
use rustix::fs::{Mode, OFlags};
use serde::{Deserialize, Serialize};

/// A task file larger than this is not ours.
const BYTES_MAX: u64 = 16 << 20;

/// What the witness must know of a task.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Instructions {
    /// Attempt id, repeated in the record.
    pub attempt: String,
    /// Repeated in the record.
    pub nonce: String,
    /// What defines the work; another one under the same attempt id is a quarantine.
    pub digest: String,
    /// Program and arguments.
    pub argv: Vec<String>,
    /// The whole environment; the witness adds its own PATH when there is none.
    pub env: BTreeMap<String, String>,
    /// Seconds; zero: none.
    pub timeout_s: u64,
    /// Seconds between SIGTERM and SIGKILL.
    pub grace_s: u64,
    /// Bytes of log kept.
    pub log_bytes_max: u64,
    /// The witness is alone with the tool in a control group, so that its counters are the attempt's.
    #[serde(default)]
    pub own_cgroup: bool,
    /// File mode creation mask for the tool.
    #[serde(default)]
    pub umask: Option<u32>,
    /// The directory is seen from other machines: everything is synced before the record appears, and what the tool left is listed.
    #[serde(default)]
    pub shared: bool,
    /// A pipe that is open for writing as long as whoever started us lives; without it the tool is ended at once.
    #[serde(default)]
    pub keeper: Option<PathBuf>,
}

impl Instructions {
    /// Reads the task file beneath an attempt directory.
    pub(crate) fn read(directory: &OwnedFd) -> io::Result<Self> {
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let file = File::from(rustix::fs::openat(directory, TASK_FILE, flags, Mode::empty())?);
        let mut text = Vec::with_capacity(4096);
        file.take(BYTES_MAX).read_to_end(&mut text)?;
        Ok(serde_json::from_slice(&text)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_task_file_of_the_first_version_is_still_read() {
        let text = r#"{"attempt":"a-1","nonce":"n","digest":"d","argv":["true"],"env":{},
                       "timeout_s":0,"grace_s":10,"log_bytes_max":1048576}"#;
        let read: Instructions = serde_json::from_str(text).expect("parses");
        assert!(!read.own_cgroup && read.umask.is_none() && !read.shared && read.keeper.is_none());
    }
}
