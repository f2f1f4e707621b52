//! Reading an attempt's log, kept or still growing: one way for the API and for a command line without a server.
//!
//! Names come from the database and are opened one by one beneath the site's directory, without following a link: a tool
//! may have put one in its log's place.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::os::fd::OwnedFd;
use std::path::{Component, Path, PathBuf};

use rustix::fs::{CWD, Mode, OFlags};
use rustix::io::Errno;

use crate::exit_record::LOG_FILE;
use crate::scheduler::Places;
use crate::state::attempt::Status;
use crate::store::rows;

/// Bytes that one call gives at most.
pub const CHUNK_BYTES_MAX: u64 = 1 << 20;

/// A piece of a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogChunk {
    /// As the tool wrote them: any bytes, and a character may be cut.
    pub bytes: Vec<u8>,
    /// Where the next piece begins.
    pub next: u64,
    /// Nothing will follow: the tool has ended and this is the rest.
    pub is_final: bool,
}

/// Why no attempt can be chosen.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "each variant's message says it")]
pub enum Unclear {
    #[error("nothing was tried yet")]
    NothingYet,
    #[error("no attempt of `{0}` was made")]
    NoStep(String),
    #[error("there is no attempt `{0}`")]
    NoAttempt(String),
    #[error("`{step}` stands for several: name one of {keys}")]
    Several { step: String, keys: String },
}

/// The attempt that is meant: of `step` (a key, or a step id that has one key), by `number` or by its whole id; the last one
/// when nothing is said, and without a step the last one that failed.
///
/// # Errors
/// When there is none, or several could be meant.
pub fn choose<'a>(
    attempts: &'a [rows::Attempt],
    step: Option<&str>,
    number: Option<&str>,
) -> Result<&'a rows::Attempt, Unclear> {
    if let Some(id) = number
        && let Some(exact) = attempts.iter().find(|attempt| attempt.attempt_id.as_str() == id)
    {
        return Ok(exact);
    }
    let of_step: Vec<&rows::Attempt> = match step {
        Some(step) => of_step(attempts, step)?,
        None => attempts.iter().collect(),
    };
    if let Some(number) = number {
        let wanted = |attempt: &&&rows::Attempt| number.parse() == Ok(attempt.number);
        let found = step.and_then(|_| of_step.iter().filter(wanted).max_by_key(|attempt| attempt.round));
        return found.copied().ok_or_else(|| Unclear::NoAttempt(number.to_owned()));
    }
    let last = of_step.last().copied().ok_or(Unclear::NothingYet)?;
    let failed = of_step.iter().rev().find(|attempt| step.is_none() && attempt.status == Status::Failed.word());
    Ok(failed.copied().unwrap_or(last))
}

fn of_step<'a>(attempts: &'a [rows::Attempt], step: &str) -> Result<Vec<&'a rows::Attempt>, Unclear> {
    let exact: Vec<_> = attempts.iter().filter(|attempt| attempt.step_key.as_str() == step).collect();
    if !exact.is_empty() {
        return Ok(exact);
    }
    let item = |key: &str| key.strip_prefix(step).is_some_and(|rest| rest.starts_with('/'));
    let items: Vec<_> = attempts.iter().filter(|attempt| item(attempt.step_key.as_str())).collect();
    let mut keys: Vec<&str> = items.iter().map(|attempt| attempt.step_key.as_str()).collect();
    keys.sort_unstable();
    keys.dedup();
    match keys.len() {
        0 => Err(Unclear::NoStep(step.to_owned())),
        1 => Ok(items),
        _ => Err(Unclear::Several { step: step.to_owned(), keys: keys.join(", ") }),
    }
}

/// Reads from an attempt's log, at most `max` bytes (and at most [`CHUNK_BYTES_MAX`]) from `offset` on. No log yet, and no log at
/// all, are an empty chunk.
///
/// # Errors
/// When the disk refuses, or the log is not a plain file.
pub fn read_log(site_dir: &Path, attempt: &rows::Attempt, offset: u64, max: u64) -> io::Result<LogChunk> {
    read(site_dir, attempt, Begin::At(offset), max)
}

/// Reads the end of an attempt's log, at most `max` bytes (and at most [`CHUNK_BYTES_MAX`]), however long it is.
///
/// # Errors
/// When the disk refuses, or the log is not a plain file.
pub fn read_tail(site_dir: &Path, attempt: &rows::Attempt, max: u64) -> io::Result<LogChunk> {
    read(site_dir, attempt, Begin::BeforeEnd, max)
}

/// Where reading begins.
#[derive(Clone, Copy)]
enum Begin {
    At(u64),
    /// As far before the end as is read.
    BeforeEnd,
}

fn read(site_dir: &Path, attempt: &rows::Attempt, begin: Begin, max: u64) -> io::Result<LogChunk> {
    let ended = Status::parse(&attempt.status).is_none_or(Status::is_end);
    let places = Places::new(Path::new(""));
    let kept = places.log(attempt.run_id.as_str(), attempt.step_key.as_str(), attempt.round, attempt.number);
    let growing = places.attempt(attempt.attempt_id.as_str()).join(LOG_FILE);
    // A log moves from its attempt to where it is kept, never back: looking there once more misses none.
    for (path, complete) in [(&kept, true), (&growing, ended), (&kept, true)] {
        if let Some(file) = open_beneath(site_dir, path)? {
            return chunk(file, begin, max.min(CHUNK_BYTES_MAX), complete);
        }
    }
    let next = if let Begin::At(offset) = begin { offset } else { 0 };
    Ok(LogChunk { bytes: Vec::new(), next, is_final: ended })
}

fn chunk(mut file: File, begin: Begin, max: u64, complete: bool) -> io::Result<LogChunk> {
    let found = file.metadata()?;
    if !found.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "the log is not a plain file"));
    }
    let offset = match begin {
        Begin::At(offset) => offset,
        Begin::BeforeEnd => found.len().saturating_sub(max),
    };
    let mut bytes = Vec::new();
    // Beyond its end there is nothing, and the system does not take every number for a place.
    if offset < found.len() {
        file.seek(SeekFrom::Start(offset))?;
        file.take(max).read_to_end(&mut bytes)?;
    }
    let next = offset.saturating_add(bytes.len() as u64);
    Ok(LogChunk { bytes, next, is_final: complete && next >= found.len() })
}

/// Opens `relative` beneath `site_dir`; nothing when it is not there. The first name may be a link (an operator may keep logs
/// on another disk), the others may not.
fn open_beneath(site_dir: &Path, relative: &Path) -> io::Result<Option<File>> {
    let names = names(relative)?;
    let [first, between @ .., last] = names.as_slice() else {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "a log lies in a directory"));
    };
    let opened = (|| {
        let directory = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let mut at: OwnedFd = rustix::fs::openat(CWD, site_dir.join(first), directory, Mode::empty())?;
        for name in between {
            at = rustix::fs::openat(&at, name, directory | OFlags::NOFOLLOW, Mode::empty())?;
        }
        // NONBLOCK: a pipe in the log's place would make us wait for ever.
        rustix::fs::openat(
            &at,
            last,
            OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC,
            Mode::empty(),
        )
    })();
    match opened {
        Ok(file) => Ok(Some(File::from(file))),
        Err(Errno::NOENT) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// The names of a relative path; one that leads elsewhere is refused.
fn names(relative: &Path) -> io::Result<Vec<PathBuf>> {
    let name = |component: Component<'_>| match component {
        Component::Normal(name) => Ok(PathBuf::from(name)),
        _ => Err(io::Error::new(io::ErrorKind::InvalidInput, "a log's name leads out of the site")),
    };
    relative.components().map(name).collect()
}

#[cfg(test)]
mod tests;
