//! Looks at a place where sequencers write: one pass over all run folders, read-only, by directory handle.
//!
//! A scan and not inotify, which is silent on NFS and Lustre; and whole, because a directory's own time does not change when a file in
//! it grows. Links are never followed; everything has a budget. What a look means is decided by `kentai_engine::intake::folder`.
//!
//! A pass blocks, on a hanging file server for long: the caller gives it a thread and never starts a second one beside it.

mod pace;
mod walk;
mod watch;

pub use pace::Pace;
pub use watch::{pass, watch};

use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use kentai_engine::clock::Micros;
use kentai_engine::intake::folder::{Observation, Rules, is_foreign};
use kentai_engine::intake::run_info::{RUN_INFO, names_a_run};
use rustix::fs::{AtFlags, Dir, Mode, OFlags};
use rustix::io::Errno;

use crate::attempt::open_directory;

/// How much one pass may look at.
#[derive(Clone, Copy, Debug)]
pub struct Budget {
    /// Files and directories of one run folder; one base call file per tile and cycle makes some hundred thousand.
    pub entries: u64,
    /// Directories within one another.
    pub depth: u32,
    /// Bytes of all documents of one run folder.
    pub document_bytes: u64,
    /// Run folders of one place.
    pub folders: usize,
}

impl Default for Budget {
    fn default() -> Self {
        Self { entries: 2_000_000, depth: 16, document_bytes: 128 << 20, folders: 10_000 }
    }
}

/// Why nothing of a place could be seen. What cannot be seen within one run folder is that folder's `trouble`.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The place cannot be opened or listed.
    #[error("cannot read the place {}: {source}", place.display())]
    Unreachable {
        /// Its path.
        place: PathBuf,
        /// The system's word.
        source: Errno,
    },
    /// More run folders than a place may have; none was looked at, so that none is forgotten in silence.
    #[error("the place {} has more than {most} run folders", place.display())]
    TooMany {
        /// Its path.
        place: PathBuf,
        /// The limit.
        most: usize,
    },
}

/// A place whose run folders are looked at.
#[derive(Clone, Debug)]
pub struct Place {
    path: PathBuf,
    rules: Rules,
    budget: Budget,
}

impl Place {
    /// The place at `path`; nothing is opened yet.
    #[must_use]
    pub fn new(path: impl Into<PathBuf>, rules: Rules) -> Self {
        Self { path: path.into(), rules, budget: Budget::default() }
    }

    /// The same with another budget.
    #[must_use]
    pub fn with_budget(self, budget: Budget) -> Self {
        Self { budget, ..self }
    }

    /// Its path.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Its rules, to judge by.
    #[must_use]
    pub fn rules(&self) -> &Rules {
        &self.rules
    }

    /// One pass: looks at every run folder, in the order of their names, one at a time in memory.
    ///
    /// `needs_documents` says of a folder's name whether its documents are to be read (`FolderState::needs_documents`); `clock` gives
    /// the time; `sink` takes each look. Returns how many folders were looked at.
    ///
    /// # Errors
    /// When the place itself cannot be read, or has too many folders.
    pub fn scan(
        &self,
        needs_documents: impl Fn(&str) -> bool,
        clock: impl Fn() -> Micros,
        mut sink: impl FnMut(Observation),
    ) -> Result<usize, Error> {
        let unreachable = |source| Error::Unreachable { place: self.path.clone(), source };
        // Opened anew at each pass: a file server that came back has other handles.
        let place = open_directory(&self.path).map_err(unreachable)?;
        let names = self.folders(&place).map_err(unreachable)?;
        if names.len() > self.budget.folders {
            return Err(Error::TooMany { place: self.path.clone(), most: self.budget.folders });
        }
        let mut looked_at = 0;
        for name in names {
            let began = clock();
            let documents = needs_documents(&name);
            if let Some(look) = walk::look(&place, &name, &self.rules, self.budget, documents) {
                looked_at += 1;
                sink(look.observed(&name, began, clock()));
            }
        }
        Ok(looked_at)
    }

    /// Names of the run folders, sorted.
    fn folders(&self, place: &OwnedFd) -> Result<Vec<String>, Errno> {
        let mut names = Vec::new();
        for entry in Dir::read_from(place)? {
            let entry = entry?;
            // A name that is not text is not an instrument's.
            let Ok(name) = entry.file_name().to_str() else { continue };
            if !is_foreign(name) && is_run_folder(place, name) {
                names.push(name.to_owned());
                if names.len() > self.budget.folders {
                    break;
                }
            }
        }
        names.sort();
        Ok(names)
    }
}

/// A directory, never a link, that is named like a run or holds its information.
fn is_run_folder(place: &OwnedFd, name: &str) -> bool {
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    match rustix::fs::openat(place, name, flags, Mode::empty()) {
        Ok(folder) => names_a_run(name) || rustix::fs::statat(&folder, RUN_INFO, AtFlags::SYMLINK_NOFOLLOW).is_ok(),
        Err(Errno::NOTDIR | Errno::LOOP | Errno::NOENT) => false,
        // It cannot be opened: if it may be a run, its look says so.
        Err(_) => names_a_run(name),
    }
}

#[cfg(test)]
mod tests;
