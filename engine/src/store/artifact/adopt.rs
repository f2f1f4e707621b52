//! Taking finished files in: data durable first, then the name, then the directory. Files by a second name (a hard link), so that a
//! crash before the database's commit finds them where they were; directories, which cannot have two names, by rename.
//!
//! It trusts the digests it is given and nothing else: no symbolic link is followed, and what arrived under the
//! digest's name must be the very file that was hashed.

use std::collections::BTreeSet;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustix::fs::{AtFlags, CWD, Dir, FileType, Gid, Mode, OFlags, RenameFlags, ResolveFlags, Stat, Uid};
use rustix::io::Errno;

use super::{ArtifactStore, fan, relative};

/// Up to this many descriptors are synced one by one; above, one `syncfs` is cheaper than that many journal commits.
const SYNC_EACH_MAX: usize = 16;

/// A file or directory that was opened, checked and hashed, and now becomes an artifact.
#[derive(Clone, Debug)]
pub struct Incoming {
    /// Handle of the directory it lies beneath; on the store's file system.
    pub directory: Arc<OwnedFd>,
    /// Where it lies beneath `directory`.
    pub path: PathBuf,
    /// Device and inode of what was hashed.
    pub identity: (u64, u64),
    /// Lowercase hex; of the manifest for a directory.
    pub sha256: String,
    /// A directory.
    pub dir: bool,
}

impl ArtifactStore {
    /// Moves a batch into the store; each answer stands for the incoming file at the same place.
    ///
    /// `companions` are files and directories that must be durable before any file moves (notes, logs). When the digest is in
    /// the store already the new file is removed instead. Repeating a batch after a crash is the caller's business:
    /// what was taken in is in the store (and, but for directories, still where it was).
    ///
    /// # Errors
    /// When the disk refuses a sync: then nothing may be recorded, whatever was moved.
    pub fn adopt(&self, batch: &[Incoming], companions: &[PathBuf]) -> io::Result<Vec<io::Result<()>>> {
        let each = batch.len() + companions.len() <= SYNC_EACH_MAX && batch.iter().all(|incoming| !incoming.dir);
        if each {
            for incoming in batch {
                // One that cannot be opened any more fails by itself at its rename.
                if let Ok(file) = open_beneath(&incoming.directory, &incoming.path, OFlags::RDONLY) {
                    rustix::fs::fsync(&file)?;
                }
            }
            for companion in companions {
                let flags = OFlags::RDONLY | OFlags::CLOEXEC;
                rustix::fs::fsync(rustix::fs::openat(CWD, companion, flags, Mode::empty())?)?;
            }
        } else {
            self.sync()?;
        }
        let mut twins = Vec::new();
        let answers = batch.iter().map(|incoming| self.take_in(incoming, &mut twins)).collect();
        self.sync_names(batch, each)?;
        // Only now is the other copy certain to survive a power cut.
        twins.into_iter().for_each(remove_twin);
        Ok(answers)
    }

    fn sync_names(&self, batch: &[Incoming], each: bool) -> io::Result<()> {
        if batch.is_empty() {
            return Ok(());
        }
        if !each {
            return self.sync();
        }
        let fans: BTreeSet<&str> = batch.iter().map(|incoming| fan(&incoming.sha256)).collect();
        for fan in fans {
            let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
            let directory = rustix::fs::openat(&self.handle, format!("sha256/{fan}"), flags, Mode::empty())?;
            rustix::fs::fsync(&directory)?;
        }
        Ok(())
    }

    fn take_in<'a>(&self, incoming: &'a Incoming, twins: &mut Vec<&'a Incoming>) -> io::Result<()> {
        let (parent, name) = parent_of(&incoming.directory, &incoming.path)?;
        let place = relative(&incoming.sha256, incoming.dir);
        let by_link = self.links && !incoming.dir;
        let done = if by_link {
            rustix::fs::linkat(&parent, name, &self.handle, &place, AtFlags::empty())
        } else {
            rustix::fs::renameat_with(&parent, name, &self.handle, &place, RenameFlags::NOREPLACE)
        };
        match done {
            Ok(()) => {}
            Err(Errno::EXIST) if by_link => return Ok(()),
            Err(Errno::EXIST) => {
                twins.push(incoming);
                return Ok(());
            }
            // Some file systems know no RENAME_NOREPLACE; a replaced twin has the same bytes.
            Err(Errno::INVAL | Errno::NOSYS) if !incoming.dir => {
                rustix::fs::renameat(&parent, name, &self.handle, &place)?;
            }
            Err(error) => return Err(error.into()),
        }
        let found = rustix::fs::statat(&self.handle, &place, AtFlags::SYMLINK_NOFOLLOW)?;
        if identity(&found) != incoming.identity {
            let back = if by_link {
                rustix::fs::unlinkat(&self.handle, &place, AtFlags::empty())
            } else {
                rustix::fs::renameat(&self.handle, &place, &parent, name)
            };
            return Err(io::Error::other(format!("changed while it was collected (undone: {})", back.is_ok())));
        }
        if incoming.dir {
            // A directory must be writable by its owner while it moves, because its `..` changes.
            let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC | OFlags::NOFOLLOW;
            let tree = rustix::fs::openat(&self.handle, &place, flags, Mode::empty())?;
            rustix::fs::fchmod(&tree, Mode::from_raw_mode(0o555))?;
        }
        Ok(())
    }

    /// Device and inode of a file artifact, when it is here.
    #[must_use]
    pub fn identity_of(&self, sha256: &str) -> Option<(u64, u64)> {
        rustix::fs::statat(&self.handle, relative(sha256, false), AtFlags::SYMLINK_NOFOLLOW)
            .ok()
            .map(|found| identity(&found))
    }
}

/// Makes an opened file or directory read-only and, when the engine is root, its own. A directory stays writable by
/// its owner until it has moved.
///
/// # Errors
/// When the owner or mode cannot be changed.
pub fn seal(file: impl AsFd, found: &Stat) -> io::Result<()> {
    let file = file.as_fd();
    if found.st_uid != 0 && rustix::process::geteuid().is_root() {
        rustix::fs::fchown(file, Some(Uid::ROOT), Some(Gid::ROOT))?;
    }
    let directory = FileType::from_raw_mode(found.st_mode) == FileType::Directory;
    Ok(rustix::fs::fchmod(file, Mode::from_raw_mode(if directory { 0o755 } else { 0o444 }))?)
}

fn identity(found: &Stat) -> (u64, u64) {
    (found.st_dev, found.st_ino)
}

fn open_beneath(directory: &OwnedFd, path: &Path, flags: OFlags) -> rustix::io::Result<OwnedFd> {
    let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_MAGICLINKS;
    rustix::fs::openat2(directory, path, flags | OFlags::CLOEXEC | OFlags::NOFOLLOW, Mode::empty(), resolve)
}

fn parent_of<'a>(directory: &Arc<OwnedFd>, path: &'a Path) -> io::Result<(Arc<OwnedFd>, &'a Path)> {
    let name = path.file_name().ok_or_else(|| io::Error::other("a path without a file name"))?;
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => {
            let opened = open_beneath(directory, parent, OFlags::RDONLY | OFlags::DIRECTORY)?;
            Ok((Arc::new(opened), Path::new(name)))
        }
        _ => Ok((directory.clone(), Path::new(name))),
    }
}

/// What is left behind costs only disk, so a failure here is not one of the batch.
fn remove_twin(twin: &Incoming) {
    let Ok((parent, name)) = parent_of(&twin.directory, &twin.path) else {
        return;
    };
    if !twin.dir {
        let _ = rustix::fs::unlinkat(&parent, name, AtFlags::empty());
    } else if let Ok(tree) = open_beneath(&twin.directory, &twin.path, OFlags::RDONLY | OFlags::DIRECTORY) {
        remove_below(tree.as_fd());
        let _ = rustix::fs::unlinkat(&parent, name, AtFlags::REMOVEDIR);
    }
}

fn remove_below(directory: BorrowedFd<'_>) {
    let _ = rustix::fs::fchmod(directory, Mode::RWXU);
    let Ok(entries) = Dir::read_from(directory) else {
        return;
    };
    for entry in entries.flatten() {
        let name = entry.file_name();
        if name == c"." || name == c".." {
            continue;
        }
        if rustix::fs::unlinkat(directory, name, AtFlags::empty()) == Err(Errno::ISDIR) {
            if let Ok(below) = open_beneath_name(directory, name) {
                remove_below(below.as_fd());
            }
            let _ = rustix::fs::unlinkat(directory, name, AtFlags::REMOVEDIR);
        }
    }
}

fn open_beneath_name(directory: BorrowedFd<'_>, name: &std::ffi::CStr) -> rustix::io::Result<OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    rustix::fs::openat(directory, name, flags, Mode::empty())
}

/// Removes a file or a whole directory; symbolic links are removed, never followed, and a tool's unwritable
/// directories are made writable first. What cannot be removed stays.
pub fn remove_all(path: &Path) {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    match rustix::fs::openat(CWD, path, flags, Mode::empty()) {
        Ok(directory) => {
            remove_below(directory.as_fd());
            let _ = rustix::fs::unlinkat(CWD, path, AtFlags::REMOVEDIR);
        }
        Err(Errno::ACCESS) => {
            let _ = rustix::fs::chmodat(CWD, path, Mode::RWXU, AtFlags::empty());
            let _ = std::fs::remove_dir_all(path);
        }
        Err(Errno::NOENT) => {}
        Err(_) => {
            let _ = rustix::fs::unlinkat(CWD, path, AtFlags::empty());
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{MetadataExt, PermissionsExt};

    use super::*;
    use crate::store::artifact::open_directory;

    fn incoming(directory: &Path, path: &str, sha256: &str) -> Incoming {
        let found = directory.join(path).symlink_metadata().expect("there");
        let handle = Arc::new(open_directory(directory).expect("a directory"));
        let identity = (found.dev(), found.ino());
        Incoming { directory: handle, path: path.into(), identity, sha256: sha256.repeat(64), dir: found.is_dir() }
    }

    fn site() -> (tempfile::TempDir, ArtifactStore, PathBuf) {
        let site = tempfile::tempdir().expect("a temporary directory");
        let store = ArtifactStore::open(site.path()).expect("open");
        let work = site.path().join("work");
        std::fs::create_dir_all(work.join("deep/er")).expect("directories");
        (site, store, work)
    }

    #[test]
    fn files_move_in_and_a_second_one_with_the_same_digest_is_dropped() {
        let (_site, store, work) = site();
        std::fs::write(work.join("deep/er/a"), "x").expect("write");
        std::fs::write(work.join("b"), "x").expect("write");
        let batch = [incoming(&work, "deep/er/a", "a"), incoming(&work, "b", "a")];
        let answers = store.adopt(&batch, &[]).expect("synced");
        assert!(answers.iter().all(Result::is_ok));
        assert!(store.contains(&"a".repeat(64), false));
        let kept = work.join("deep/er/a").metadata().expect("there");
        assert_eq!(store.identity_of(&"a".repeat(64)), Some((kept.dev(), kept.ino())));
    }

    #[test]
    fn a_whole_directory_moves_in_and_cannot_be_written_any_more() {
        let (_site, store, work) = site();
        std::fs::write(work.join("deep/er/a"), "x").expect("write");
        let answers = store.adopt(&[incoming(&work, "deep", "d")], &[]).expect("synced");
        assert!(answers[0].is_ok());
        let tree = store.path_of(&"d".repeat(64), true);
        assert_eq!(tree.metadata().expect("there").permissions().mode() & 0o777, 0o555);
        assert!(tree.join("er/a").is_file());
    }

    #[test]
    fn another_file_under_the_hashed_name_is_not_taken_in() {
        let (_site, store, work) = site();
        std::fs::write(work.join("a"), "x").expect("write");
        std::fs::write(work.join("other"), "y").expect("write");
        let batch = [incoming(&work, "a", "a")];
        std::fs::rename(work.join("other"), work.join("a")).expect("swap");
        assert!(store.adopt(&batch, &[]).expect("synced")[0].is_err());
        assert!(!store.contains(&"a".repeat(64), false));
    }

    #[test]
    fn a_path_behind_a_symbolic_link_is_refused() {
        let (_site, store, work) = site();
        std::fs::write(work.join("deep/a"), "x").expect("write");
        let batch = [incoming(&work, "deep/a", "a")];
        std::fs::rename(work.join("deep"), work.join("real")).expect("move away");
        std::os::unix::fs::symlink("real", work.join("deep")).expect("link");
        assert!(store.adopt(&batch, &[]).expect("synced")[0].is_err());
    }
}
