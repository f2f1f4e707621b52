//! A target that is a directory of this host, local or mounted: a package appears there whole, or not at all.
//!
//! It is made beside its place under another name, synced and renamed. It does not know who reads it, nor what is in it.

use std::fs::{DirBuilder, File};
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};

use kentai_engine::port::BoxFuture;
use kentai_engine::port::courier::{Carried, Courier, Entry, Error, Package};
use kentai_engine::store::artifact::digest::{copy_digested, digests};
use kentai_engine::store::artifact::remove_all;
use rustix::fs::{CWD, FlockOperation, RenameFlags};
use rustix::io::Errno;

use super::check_names;
use crate::attempt::open_directory;

/// Carries packages into one directory.
#[derive(Clone, Debug)]
pub struct DirectoryCourier {
    target: String,
    directory: PathBuf,
}

impl DirectoryCourier {
    /// A courier for the target with this name, which is this directory.
    #[must_use]
    pub fn new(target: impl Into<String>, directory: impl Into<PathBuf>) -> Self {
        Self { target: target.into(), directory: directory.into() }
    }
}

impl Courier for DirectoryCourier {
    fn carry<'a>(&'a self, package: &'a Package) -> BoxFuture<'a, Result<Carried, Error>> {
        let (courier, package) = (self.clone(), package.clone());
        Box::pin(async move {
            // A dropped future leaves the copy running; the next call waits for it at its lock.
            let carried = tokio::task::spawn_blocking(move || courier.carry_whole(&package)).await;
            carried.unwrap_or_else(|error| Err(self.unreachable(&format!("carrying panicked: {error}"))))
        })
    }
}

impl DirectoryCourier {
    fn carry_whole(&self, package: &Package) -> Result<Carried, Error> {
        check_names(package)?;
        let Package { delivery, folder, .. } = package;
        if !self.directory.is_dir() {
            let text = format!("{} is not a directory; make or mount it, then retry", self.directory.display());
            return Err(self.unreachable(&text));
        }
        let place = self.directory.join(folder);
        let partial = self.directory.join(format!(".{folder}.partial-{delivery}"));
        let carried = || Carried { place: place.display().to_string() };
        loop {
            if place.symlink_metadata().is_ok() {
                remove_all(&partial);
                return if is_same(&place, package) { Ok(carried()) } else { Err(conflict(&place)) };
            }
            let Some(lock) = self.claim(&partial)? else { continue };
            self.fill(package, &partial)?;
            match self.publish(&lock, &partial, &place) {
                Ok(true) => return Ok(carried()),
                Ok(false) => {}
                Err(error) => return Err(self.io(&error)),
            }
        }
    }

    /// Makes the folder under its other name, empty and ours alone; `None` when another carrier finished it meanwhile.
    fn claim(&self, partial: &Path) -> Result<Option<OwnedFd>, Error> {
        match DirBuilder::new().mode(0o755).create(partial) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(self.io(&error)),
            _ => {}
        }
        let lock = match open_directory(partial) {
            Ok(lock) => lock,
            Err(Errno::NOENT) => return Ok(None),
            Err(error) => return Err(self.io(&error.into())),
        };
        match rustix::io::retry_on_intr(|| rustix::fs::flock(&lock, FlockOperation::LockExclusive)) {
            // Some network file systems have no such locks; then only one engine may carry there.
            Ok(()) | Err(Errno::OPNOTSUPP | Errno::NOLCK) => {}
            Err(error) => return Err(self.io(&error.into())),
        }
        let own = rustix::fs::fstat(&lock).map_err(|error| self.io(&error.into()))?;
        if partial.symlink_metadata().is_ok_and(|there| (there.dev(), there.ino()) == (own.st_dev, own.st_ino)) {
            // What a carrier left that died here is not trusted.
            for entry in partial.read_dir().map_err(|error| self.io(&error))?.flatten() {
                remove_all(&entry.path());
            }
            return Ok(Some(lock));
        }
        Ok(None)
    }

    /// Fills the folder. All of it is on disk afterwards, and read back as it was written.
    fn fill(&self, package: &Package, partial: &Path) -> Result<(), Error> {
        let mut directories = vec![partial.to_owned()];
        for entry in &package.entries {
            let place = partial.join(&entry.path);
            if let Some(directory) =
                place.parent().filter(|directory| !directories.iter().any(|made| made == directory))
            {
                DirBuilder::new().mode(0o755).create(directory).map_err(|error| self.io(&error))?;
                directories.push(directory.to_owned());
            }
            self.copy(entry, &place)?;
        }
        for directory in directories.iter().rev() {
            File::open(directory).and_then(|directory| directory.sync_all()).map_err(|error| self.io(&error))?;
        }
        Ok(())
    }

    fn copy(&self, entry: &Entry, place: &Path) -> Result<(), Error> {
        // What the engine wrote is in the package itself; only a stored file can be gone.
        let corrupt = || Error::Corrupt { sha256: entry.artifact().unwrap_or(&entry.sha256).to_owned() };
        let mut source = match entry.open() {
            Ok(source) => source,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(corrupt()),
            Err(error) => return Err(self.io(&error)),
        };
        let mut target = File::create_new(place).map_err(|error| self.io(&error))?;
        let found = copy_digested(&mut source, &mut target).map_err(|error| self.io(&error))?;
        if found.sha256 != entry.sha256 || found.size != entry.size {
            return Err(corrupt());
        }
        target.sync_all().map_err(|error| self.io(&error))
    }

    /// Gives the folder its name; false when another package got it first.
    fn publish(&self, lock: &OwnedFd, partial: &Path, place: &Path) -> io::Result<bool> {
        match rustix::fs::renameat_with(CWD, partial, CWD, place, RenameFlags::NOREPLACE) {
            Ok(()) => {}
            Err(Errno::EXIST | Errno::NOTEMPTY) => return Ok(false),
            // A file system that knows no such rename; a folder that is not empty is not replaced either.
            Err(Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP) => match std::fs::rename(partial, place) {
                Err(error) if error.kind() == io::ErrorKind::DirectoryNotEmpty => return Ok(false),
                other => other?,
            },
            Err(error) => return Err(error.into()),
        }
        rustix::fs::fsync(lock)?;
        File::open(&self.directory)?.sync_all()?;
        Ok(true)
    }

    fn io(&self, error: &io::Error) -> Error {
        self.unreachable(&error.to_string())
    }

    fn unreachable(&self, reason: &str) -> Error {
        Error::Unreachable { target: self.target.clone(), reason: reason.to_owned() }
    }
}

fn conflict(place: &Path) -> Error {
    Error::Conflict { place: place.display().to_string() }
}

/// Is this the very package, carried before?
fn is_same(place: &Path, package: &Package) -> bool {
    let is_there = |entry: &Entry| {
        let path = place.join(&entry.path);
        path.symlink_metadata().is_ok_and(|found| found.is_file() && found.len() == entry.size)
    };
    // The tag files name every byte of the rest; the rest was compared when it was written.
    let same = |entry: &Entry| {
        let found = File::open(place.join(&entry.path)).and_then(|mut file| digests(&mut file));
        found.is_ok_and(|found| found.sha256 == entry.sha256)
    };
    package.entries.iter().all(is_there) && package.entries.iter().filter(|entry| !entry.path.contains('/')).all(same)
}
