//! The attempt directory: its names, how it is made, and what can be read off it.
//!
//! Shared by the witness, which writes it from inside, and the executors, which look at it from outside. A tool may
//! write to it, so everything here is read without following links and with a limit. It does not know containers.

mod identity;
mod prepare;

use std::fs::File;
use std::io::{self, Read};
use std::os::fd::OwnedFd;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use kentai_engine::exit_record::{EXIT_RECORD, ExitRecord, START_MARKER};
use rustix::fs::{CWD, FileType, Mode, OFlags};
use rustix::io::Errno;

pub(crate) use self::identity::{Identity, stat_fields};
pub(crate) use self::prepare::{
    Inputs, Prepared, holds_other, link_secrets, prepare, request_stop, safe, stop_requested,
};

/// The tool's working directory.
pub(crate) const WORK: &str = "work";
/// Inputs.
pub(crate) const INPUTS: &str = "in";
/// Secrets of plain processes.
pub(crate) const SECRETS: &str = "secrets";
/// Left by whoever asks for an end; a witness that finds it does not start the tool.
pub(crate) const STOP_FILE: &str = "stop";
/// Why the witness could not start.
pub(crate) const WITNESS_ERROR: &str = "witness.error";

/// What a job's own output and Slurm's words about it go to.
pub(crate) const SLURM_LOG: &str = "slurm.log";
/// What the tool left in `work/`, where other machines look.
pub(crate) const LISTING: &str = "outputs.json";

/// A record is a few hundred bytes, a task file with a long command line some hundred thousand; more is neither.
const SMALL_FILE_BYTES_MAX: u64 = 16 << 20;

/// What an attempt directory tells.
#[derive(Debug, Default)]
pub(crate) struct Traces {
    /// The start marker is there.
    pub started: bool,
    /// The record, if there is one that parses and can be believed.
    pub record: Option<ExitRecord>,
    /// The machine was started anew since: nothing written then was synced, so no record is believed.
    pub earlier_boot: bool,
    /// An engine made the marker, for this reason: no tool was started, and none ever will be.
    pub fenced: Option<String>,
}

impl Traces {
    /// Reads an attempt directory; one that does not exist has no traces.
    pub(crate) fn read(directory: &Path) -> io::Result<Self> {
        Self::read_as(directory, false)
    }

    /// The same where the tool ran on another machine: its witness synced what it wrote, and its boot is not ours.
    pub(crate) fn read_shared(directory: &Path) -> io::Result<Self> {
        Self::read_as(directory, true)
    }

    fn read_as(directory: &Path, shared: bool) -> io::Result<Self> {
        let handle = match open_directory(directory) {
            Ok(handle) => handle,
            Err(Errno::NOENT) => return Ok(Self::default()),
            Err(error) => return Err(error.into()),
        };
        let Some(marker) = read_small(&handle, START_MARKER)? else { return Ok(Self::default()) };
        let fenced = marker.strip_prefix(FENCED).map(|reason| String::from_utf8_lossy(reason).trim().to_owned());
        let earlier_boot = !shared && Identity::parse(&marker).is_some_and(|identity| identity.of_an_earlier_boot());
        let record = match read_small(&handle, EXIT_RECORD)? {
            Some(text) if !earlier_boot => serde_json::from_slice(&text).ok(),
            _ => None,
        };
        Ok(Self { started: fenced.is_none(), record, earlier_boot, fenced })
    }
}

/// Who started the attempt, if it was started.
pub(crate) fn starter(directory: &Path) -> io::Result<Option<Identity>> {
    match open_directory(directory) {
        Ok(handle) => Ok(read_small(&handle, START_MARKER)?.and_then(|text| Identity::parse(&text))),
        Err(Errno::NOENT) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// How a marker begins that an engine made in the witness's place.
pub(crate) const FENCED: &[u8] = b"fenced: ";

/// What the witness left to say about its own failure.
pub(crate) fn witness_error(directory: &Path) -> Option<String> {
    let handle = open_directory(directory).ok()?;
    let text = read_small(&handle, WITNESS_ERROR).ok()??;
    Some(String::from_utf8_lossy(&text).into_owned())
}

/// Opens a directory, never through a link at its end.
pub(crate) fn open_directory(directory: &Path) -> rustix::io::Result<OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    rustix::fs::openat(CWD, directory, flags, Mode::empty())
}

/// Microseconds since the epoch.
pub(crate) fn now_us() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_micros()).unwrap_or(i64::MAX)
}

/// A small regular file; `None` when there is none (a link, a pipe or a directory is none).
pub(crate) fn read_small(directory: &OwnedFd, name: &str) -> io::Result<Option<Vec<u8>>> {
    // NONBLOCK: a tool may have put a pipe there, and opening one waits.
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file = match rustix::fs::openat(directory, name, flags, Mode::empty()) {
        Ok(file) => file,
        Err(Errno::NOENT | Errno::LOOP | Errno::NXIO) => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    let found = rustix::fs::fstat(&file)?;
    if FileType::from_raw_mode(found.st_mode) != FileType::RegularFile {
        return Ok(None);
    }
    let mut text = Vec::with_capacity(1024);
    File::from(file).take(SMALL_FILE_BYTES_MAX).read_to_end(&mut text)?;
    Ok(Some(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_or_a_pipe_in_place_of_the_record_is_no_record() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let path = directory.path();
        std::fs::write(path.join(START_MARKER), Identity::own().expect("alive").to_string()).expect("write");
        // What it leads to would be believed where it lies.
        let record = r#"{"attempt":"a","nonce":"n","started_us":1,"ended_us":2}"#;
        std::fs::write(path.join("elsewhere"), record).expect("write");
        std::os::unix::fs::symlink("elsewhere", path.join(EXIT_RECORD)).expect("link");
        let traces = Traces::read(path).expect("readable");
        assert!(traces.started && traces.record.is_none());
        std::fs::remove_file(path.join(EXIT_RECORD)).expect("remove");
        rustix::fs::mknodat(CWD, path.join(EXIT_RECORD), FileType::Fifo, Mode::RWXU, 0).expect("pipe");
        assert!(Traces::read(path).expect("readable").record.is_none());
        std::fs::remove_file(path.join(EXIT_RECORD)).expect("remove");
        std::fs::create_dir(path.join(EXIT_RECORD)).expect("directory");
        assert!(Traces::read(path).expect("a directory is none either").record.is_none());
        std::fs::remove_dir(path.join(EXIT_RECORD)).expect("remove");
        std::fs::rename(path.join("elsewhere"), path.join(EXIT_RECORD)).expect("rename");
        assert!(Traces::read(path).expect("readable").record.is_some());
    }

    #[test]
    fn a_record_written_before_the_machine_was_started_anew_is_not_believed() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let path = directory.path();
        std::fs::write(path.join(START_MARKER), "7 123 11111111-2222-3333-4444-555555555555\n").expect("write");
        std::fs::write(path.join(EXIT_RECORD), r#"{"attempt":"a","nonce":"n","started_us":1,"ended_us":2}"#)
            .expect("write");
        let traces = Traces::read(path).expect("readable");
        assert!(traces.started && traces.earlier_boot && traces.record.is_none());
    }

    #[test]
    fn a_directory_that_does_not_exist_has_no_traces() {
        let traces = Traces::read(Path::new("/nowhere/at/all")).expect("no error");
        assert!(!traces.started && traces.record.is_none());
    }
}
