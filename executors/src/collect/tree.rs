//! A directory as one artifact, named by its manifest: one line `<sha256>  <path>` per file, sorted by path, which
//! `sha256sum -c` reads. The manifest itself becomes a file artifact of the same name, so a tree can always be checked.

use std::fs::File;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use kentai_engine::store::artifact::ArtifactStore;
use rustix::fs::{Dir, FileType, Mode, OFlags};
use rustix::io::Errno;

use super::examine::{self, Hashed};
use super::inspect::{Wrong, plain, sealed};

/// Deeper than any tool writes; each level is an open descriptor.
const DEPTH_MAX: usize = 64;

/// Hashes a whole directory and makes its files read-only.
pub(super) fn hash(store: &ArtifactStore, directory: &OwnedFd) -> Result<Hashed, Wrong> {
    let mut lines = Vec::new();
    let mut size = 0;
    walk(directory.as_fd(), "", DEPTH_MAX, &mut lines, &mut size)?;
    if lines.is_empty() {
        return Err(Wrong::Bad("is an empty directory".to_owned()));
    }
    lines.sort();
    let manifest: String = lines.iter().map(|(path, sha256)| format!("{sha256}  {path}\n")).collect();
    let kept = store.import_bytes(manifest.as_bytes());
    let kept = kept.map_err(|error| Wrong::Disk(Errno::from_io_error(&error).unwrap_or(Errno::IO)))?;
    Ok(Hashed { sha256: kept.sha256, size })
}

fn walk(
    directory: BorrowedFd<'_>,
    at: &str,
    depth: usize,
    lines: &mut Vec<(String, String)>,
    size: &mut u64,
) -> Result<(), Wrong> {
    if depth == 0 {
        return Err(Wrong::Bad(format!("is deeper than {DEPTH_MAX} directories")));
    }
    for entry in Dir::read_from(directory)? {
        let entry = entry?;
        let name = entry.file_name();
        if name == c"." || name == c".." {
            continue;
        }
        let text = name.to_str().ok().filter(|text| !text.contains(['\n', '\r', '\\']));
        let text = text.ok_or_else(|| Wrong::Bad("holds a name that no checksum file can hold".to_owned()))?;
        let path = if at.is_empty() { text.to_owned() } else { format!("{at}/{text}") };
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
        let file = rustix::fs::openat(directory, name, flags, Mode::empty()).map_err(|error| inside(&path, error))?;
        let found = rustix::fs::fstat(&file)?;
        if FileType::from_raw_mode(found.st_mode) == FileType::Directory {
            walk(file.as_fd(), &path, depth - 1, lines, size)?;
            sealed(&File::from(file), &found)?;
            continue;
        }
        plain(&found).map_err(|wrong| named(&path, wrong))?;
        let file = File::from(file);
        let hashed = examine::examine(&file, None)?;
        sealed(&file, &found)?;
        *size += hashed.size;
        lines.push((path, hashed.sha256));
    }
    Ok(())
}

fn inside(path: &str, error: Errno) -> Wrong {
    match error {
        Errno::LOOP => Wrong::Bad(format!("holds a symbolic link (`{path}`)")),
        Errno::NXIO => Wrong::Bad(format!("holds something that is not a plain file (`{path}`)")),
        Errno::ACCESS => Wrong::Bad(format!("holds a file that cannot be read (`{path}`)")),
        other => Wrong::Disk(other),
    }
}

fn named(path: &str, wrong: Wrong) -> Wrong {
    match wrong {
        Wrong::Bad(reason) => Wrong::Bad(format!("holds `{path}`, which {reason}")),
        other => other,
    }
}
