//! Files beneath a directory handle, and never anywhere else: no link is followed, not even inside. It knows no package.

use std::ffi::CStr;
use std::fs::File;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::fs::{self, AtFlags, Dir, FileType, Mode, OFlags, RenameFlags, ResolveFlags};
use rustix::io::Errno;

/// Folders within folders that are looked into; a package's names have at most 200 bytes.
const DEPTH_MAX: usize = 101;

fn resolve() -> ResolveFlags {
    ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_MAGICLINKS
}

/// A folder that is there.
pub(super) fn directory(at: BorrowedFd<'_>, path: &str) -> io::Result<OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    Ok(fs::openat2(at, path, flags, Mode::empty(), resolve())?)
}

/// A folder, made with those above it where they are missing.
pub(super) fn make_directory(at: BorrowedFd<'_>, path: &str) -> io::Result<OwnedFd> {
    let mut here = at.try_clone_to_owned()?;
    for part in path.split('/') {
        match fs::mkdirat(&here, part, Mode::from_raw_mode(0o777)) {
            Ok(()) | Err(Errno::EXIST) => {}
            Err(error) => return Err(error.into()),
        }
        here = directory(here.as_fd(), part)?;
    }
    Ok(here)
}

/// A file that is there, to be read.
pub(super) fn file(at: BorrowedFd<'_>, path: &str) -> io::Result<File> {
    // Without NONBLOCK a pipe that somebody put there would hold us for ever.
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::NONBLOCK;
    regular(fs::openat2(at, path, flags, Mode::empty(), resolve())?)
}

/// A file to be written, made with the folders above it where they are missing.
pub(super) fn make_file(at: BorrowedFd<'_>, path: &str) -> io::Result<File> {
    let (folder, name) = path.rsplit_once('/').map_or((None, path), |(folder, name)| (Some(folder), name));
    let folder = folder.map_or_else(|| at.try_clone_to_owned(), |folder| make_directory(at, folder))?;
    let flags = OFlags::RDWR | OFlags::CREATE | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::NONBLOCK;
    regular(fs::openat2(&folder, name, flags, Mode::from_raw_mode(0o666), resolve())?)
}

/// Anything but a plain file with one name could be somebody else's file: it is refused as a link is.
fn regular(fd: OwnedFd) -> io::Result<File> {
    let stat = fs::fstat(&fd)?;
    if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile || stat.st_nlink != 1 {
        return Err(Errno::LOOP.into());
    }
    Ok(File::from(fd))
}

/// What lies in a folder, at any depth, folders after what is in them: their handle, the name there, the path, the kind.
pub(super) fn visit(
    at: BorrowedFd<'_>,
    each: &mut dyn FnMut(BorrowedFd<'_>, &CStr, &str, FileType) -> io::Result<()>,
) -> io::Result<()> {
    walk(at, "", 0, each)
}

fn walk(
    at: BorrowedFd<'_>,
    prefix: &str,
    depth: usize,
    each: &mut dyn FnMut(BorrowedFd<'_>, &CStr, &str, FileType) -> io::Result<()>,
) -> io::Result<()> {
    if depth > DEPTH_MAX {
        return Err(io::Error::other("more folders within folders than a package can have"));
    }
    // Listed first: what is done to each may change the folder.
    let mut names = Vec::new();
    for entry in Dir::read_from(at)? {
        let entry = entry?;
        if !matches!(entry.file_name().to_bytes(), b"." | b"..") {
            names.push(entry.file_name().to_owned());
        }
    }
    names.sort();
    for name in names {
        let kind = fs::statat(at, &name, AtFlags::SYMLINK_NOFOLLOW)?.st_mode;
        let kind = FileType::from_raw_mode(kind);
        let path = format!("{prefix}{}", name.to_string_lossy());
        if kind == FileType::Directory {
            let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
            let inside = fs::openat2(at, &name, flags, Mode::empty(), resolve())?;
            walk(inside.as_fd(), &format!("{path}/"), depth + 1, each)?;
        }
        each(at, &name, &path, kind)?;
    }
    Ok(())
}

/// Removes whatever `keep` does not name; folders that are empty then go too.
pub(super) fn sweep(at: BorrowedFd<'_>, keep: &dyn Fn(&str) -> bool) -> io::Result<()> {
    visit(at, &mut |folder, name, path, kind| {
        if kind == FileType::Directory {
            return match fs::unlinkat(folder, name, AtFlags::REMOVEDIR) {
                Ok(()) | Err(Errno::NOTEMPTY | Errno::EXIST) => Ok(()),
                Err(error) => Err(error.into()),
            };
        }
        if keep(path) { Ok(()) } else { Ok(fs::unlinkat(folder, name, AtFlags::empty())?) }
    })
}

/// A whole folder, gone. It may have been gone before.
pub(super) fn remove_tree(at: BorrowedFd<'_>, name: &str) -> io::Result<()> {
    let inside = match directory(at, name) {
        Ok(inside) => inside,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    sweep(inside.as_fd(), &|_| false)?;
    Ok(fs::unlinkat(at, name, AtFlags::REMOVEDIR)?)
}

/// Every folder's entries are on the disk; the files' bytes are their writers' business.
pub(super) fn sync_folders(at: BorrowedFd<'_>) -> io::Result<()> {
    visit(at, &mut |folder, name, _, kind| {
        if kind == FileType::Directory {
            let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
            fs::fsync(fs::openat2(folder, name, flags, Mode::empty(), resolve())?)?;
        }
        Ok(())
    })?;
    Ok(fs::fsync(at)?)
}

/// Gives a folder another place; what is there already stays, and that is an error. Both parents are on the disk afterwards.
pub(super) fn rename(from: (BorrowedFd<'_>, &str), to: (BorrowedFd<'_>, &str)) -> io::Result<()> {
    fs::renameat_with(from.0, from.1, to.0, to.1, RenameFlags::NOREPLACE)?;
    fs::fsync(to.0)?;
    Ok(fs::fsync(from.0)?)
}

/// Is something of this name there? A link counts too.
pub(super) fn is_there(at: BorrowedFd<'_>, name: &str) -> io::Result<bool> {
    match fs::statat(at, name, AtFlags::SYMLINK_NOFOLLOW) {
        Ok(_) => Ok(true),
        Err(Errno::NOENT) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_opened_through_a_link_or_outside() {
        let outside = tempfile::tempdir().expect("a directory");
        let inside = tempfile::tempdir().expect("a directory");
        std::fs::write(outside.path().join("x"), "theirs").expect("written");
        std::os::unix::fs::symlink(outside.path(), inside.path().join("data")).expect("linked");
        std::os::unix::fs::symlink(outside.path().join("x"), inside.path().join("x")).expect("linked");
        std::fs::hard_link(outside.path().join("x"), inside.path().join("h")).expect("linked");
        let at = File::open(inside.path()).expect("opened");
        for path in ["data/x", "x", "h", "../x", "/etc/passwd"] {
            assert!(file(at.as_fd(), path).is_err(), "{path}");
            assert!(make_file(at.as_fd(), path).is_err(), "{path}");
        }
        sweep(at.as_fd(), &|_| false).expect("swept");
        assert_eq!(std::fs::read_to_string(outside.path().join("x")).expect("still there"), "theirs");
        assert_eq!(std::fs::read_dir(inside.path()).expect("listed").count(), 0);
    }

    #[test]
    fn what_is_there_is_not_overwritten_by_a_folder() {
        let directory = tempfile::tempdir().expect("a directory");
        let at = File::open(directory.path()).expect("opened");
        make_directory(at.as_fd(), "a/b").expect("made");
        make_directory(at.as_fd(), "c").expect("made");
        assert!(rename((at.as_fd(), "a"), (at.as_fd(), "c")).is_err());
        rename((at.as_fd(), "a"), (at.as_fd(), "d")).expect("renamed");
        assert!(is_there(at.as_fd(), "d").expect("looked") && !is_there(at.as_fd(), "a").expect("looked"));
        remove_tree(at.as_fd(), "d").expect("removed");
        remove_tree(at.as_fd(), "d").expect("gone before");
    }
}
