//! One run folder, listed by handle from its top down, with the contents of the few documents that decide.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use kentai_engine::clock::Micros;
use kentai_engine::intake::folder::{FileSeen, Observation, Rules, Trouble, is_foreign};
use rustix::fs::{AtFlags, Dir, FileType, Mode, OFlags, Stat};
use rustix::io::Errno;

use super::Budget;

/// What a walk has gathered.
#[derive(Default)]
pub(super) struct Look {
    files: Vec<FileSeen>,
    documents: BTreeMap<String, Vec<u8>>,
    trouble: Option<Trouble>,
    passed_over: u64,
    entries: u64,
    document_bytes: u64,
}

impl Look {
    /// As the engine takes it.
    pub(super) fn observed(self, name: &str, began: Micros, ended: Micros) -> Observation {
        let mut observation = Observation::new(name, began, ended).with_files(self.files);
        observation.documents = self.documents;
        observation.trouble = self.trouble;
        observation.passed_over = self.passed_over;
        observation
    }
}

struct Walk<'a> {
    rules: &'a Rules,
    budget: Budget,
    documents: bool,
    look: Look,
}

/// Looks at one folder; `None`: it is gone.
pub(super) fn look(place: &OwnedFd, name: &str, rules: &Rules, budget: Budget, documents: bool) -> Option<Look> {
    let mut walk = Walk { rules, budget, documents, look: Look::default() };
    match open_beneath(place.as_fd(), name) {
        Ok(folder) => {
            if let Err(trouble) = walk.directory(folder, "", 0) {
                walk.look.trouble = Some(trouble);
            }
        }
        Err(Errno::NOENT) => return None,
        Err(error) => walk.look.trouble = Some(unreadable("", error)),
    }
    Some(walk.look)
}

fn open_beneath(directory: BorrowedFd<'_>, name: &str) -> Result<OwnedFd, Errno> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    rustix::fs::openat(directory, name, flags, Mode::empty())
}

impl Walk<'_> {
    fn directory(&mut self, directory: OwnedFd, at: &str, depth: u32) -> Result<(), Trouble> {
        let mut below = Vec::new();
        let listing = Dir::read_from(&directory).map_err(|error| unreadable(at, error))?;
        for entry in listing {
            let entry = entry.map_err(|error| unreadable(at, error))?;
            let Ok(name) = entry.file_name().to_str() else {
                let path = joined(at, &entry.file_name().to_string_lossy());
                return Err(Trouble::Unreadable { path, reason: "its name is not UTF-8".to_owned() });
            };
            if name == "." || name == ".." || is_foreign(name) {
                continue;
            }
            self.look.entries += 1;
            if self.look.entries > self.budget.entries {
                return Err(Trouble::TooMany { most: self.budget.entries });
            }
            if self.entry(&directory, at, name)? {
                below.push(name.to_owned());
            }
        }
        if !below.is_empty() && depth == self.budget.depth {
            let path = joined(at, &below[0]);
            return Err(Trouble::TooDeep { path, most: u64::from(self.budget.depth) });
        }
        for name in below {
            self.descend(&directory, at, &name, depth)?;
        }
        Ok(())
    }

    fn descend(&mut self, directory: &OwnedFd, at: &str, name: &str, depth: u32) -> Result<(), Trouble> {
        let path = joined(at, name);
        match open_beneath(directory.as_fd(), name) {
            Ok(next) => self.directory(next, &path, depth + 1),
            // It went, or became a link, since it was listed: the next look sees what it is now.
            Err(Errno::NOENT | Errno::LOOP | Errno::NOTDIR) => Ok(()),
            Err(error) => Err(unreadable(&path, error)),
        }
    }

    /// Takes one entry in; `true`: it is a directory.
    fn entry(&mut self, directory: &OwnedFd, at: &str, name: &str) -> Result<bool, Trouble> {
        let path = joined(at, name);
        let found = match rustix::fs::statat(directory, name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(found) => found,
            Err(Errno::NOENT) => return Ok(false),
            Err(error) => return Err(unreadable(&path, error)),
        };
        match FileType::from_raw_mode(found.st_mode) {
            FileType::Directory => return Ok(true),
            FileType::RegularFile => {}
            _ => {
                self.look.passed_over += 1;
                return Ok(false);
            }
        }
        let most = self.rules.document_bytes_max(&path).filter(|_| self.documents);
        let seen = match most {
            Some(most) => self.document(directory, name, &path, most)?,
            None => Some(seen(&found)),
        };
        if let Some((size, mtime_us)) = seen {
            self.look.files.push(FileSeen { path, size, mtime_us });
        }
        Ok(false)
    }

    /// Reads a document, and gives the size and time that it had after it was read: if it was written meanwhile, it is seen to
    /// have changed.
    fn document(
        &mut self,
        directory: &OwnedFd,
        name: &str,
        path: &str,
        most: u64,
    ) -> Result<Option<(u64, i64)>, Trouble> {
        // NONBLOCK: it may have become a pipe, and opening one waits.
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
        let file = match rustix::fs::openat(directory, name, flags, Mode::empty()) {
            Ok(file) => file,
            Err(Errno::NOENT | Errno::LOOP) => return Ok(None),
            Err(error) => return Err(unreadable(path, error)),
        };
        let mut bytes = Vec::new();
        let mut reader = File::from(file).take(most + 1);
        let read = reader.read_to_end(&mut bytes);
        read.map_err(|error| unreadable(path, Errno::from_io_error(&error).unwrap_or(Errno::IO)))?;
        let length = bytes.len() as u64;
        self.look.document_bytes += length;
        if length > most || self.look.document_bytes > self.budget.document_bytes {
            let most = most.min(self.budget.document_bytes);
            return Err(Trouble::TooLarge { path: path.to_owned(), most });
        }
        let found = rustix::fs::fstat(reader.get_ref()).map_err(|error| unreadable(path, error))?;
        self.look.documents.insert(path.to_owned(), bytes);
        Ok(Some(seen(&found)))
    }
}

fn joined(at: &str, name: &str) -> String {
    if at.is_empty() { name.to_owned() } else { format!("{at}/{name}") }
}

fn unreadable(path: &str, error: Errno) -> Trouble {
    Trouble::Unreadable { path: path.to_owned(), reason: error.to_string() }
}

/// Size in bytes and last modification in microseconds.
fn seen(found: &Stat) -> (u64, i64) {
    let nanoseconds = i64::try_from(found.st_mtime_nsec).unwrap_or(0);
    let mtime_us = found.st_mtime.saturating_mul(1_000_000).saturating_add(nanoseconds / 1_000);
    (u64::try_from(found.st_size).unwrap_or(0), mtime_us)
}
