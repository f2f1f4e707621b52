//! What a tool left in `work/`, listed by the witness where the directory is seen from other machines: a machine that looks later knows
//! what it must see before it believes that it sees all of it. Everything listed is synced first.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read};
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};

use kentai_engine::store::artifact::hex;
use rustix::fs::{Dir, FileType, Mode, OFlags};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::attempt::{self, LISTING, WORK};

/// More files than this are not listed: what a workflow takes is a handful, and a listing is read whole.
const FILES_MAX: usize = 100_000;
/// Bytes read at a time.
const CHUNK: usize = 256 * 1024;

/// The listing as it lies on disk, beside the exit record; fields are only added.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Listing {
    /// Paths beneath `work/`; names that are no UTF-8 are left out.
    pub files: BTreeMap<PathBuf, Listed>,
}

impl Listing {
    /// The one that a witness left in an attempt's directory, if it left one.
    pub(crate) fn read(directory: &Path) -> Option<Self> {
        let handle = attempt::open_directory(directory).ok()?;
        serde_json::from_slice(&attempt::read_small(&handle, LISTING).ok()??).ok()
    }
}

/// One file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Listed {
    /// Bytes.
    pub size: u64,
    /// Lowercase hex.
    pub sha256: String,
}

/// Syncs and lists what lies in `work/`, and leaves the listing whole.
pub(super) fn leave(directory: &OwnedFd) -> io::Result<()> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let work = rustix::fs::openat(directory, WORK, flags, Mode::empty())?;
    let mut listing = Listing::default();
    descend(&work, Path::new(""), &mut listing)?;
    let name = format!("{LISTING}.new");
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::TRUNC | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let file = File::from(rustix::fs::openat(directory, &name, flags, Mode::from_raw_mode(0o644))?);
    serde_json::to_writer(io::BufWriter::new(&file), &listing)?;
    file.sync_all()?;
    Ok(rustix::fs::renameat(directory, &name, directory, LISTING)?)
}

fn descend(directory: &OwnedFd, at: &Path, listing: &mut Listing) -> io::Result<()> {
    for entry in Dir::read_from(directory.as_fd())? {
        let entry = entry?;
        let Ok(name) = entry.file_name().to_str() else { continue };
        if name == "." || name == ".." || listing.files.len() >= FILES_MAX {
            continue;
        }
        // NONBLOCK: opening a pipe would wait for its other end. A link is opened by nobody here.
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
        let Ok(file) = rustix::fs::openat(directory, name, flags, Mode::empty()) else { continue };
        let path = at.join(name);
        match FileType::from_raw_mode(rustix::fs::fstat(&file)?.st_mode) {
            FileType::Directory => descend(&file, &path, listing)?,
            FileType::RegularFile => {
                let listed = list(&File::from(file))?;
                listing.files.insert(path, listed);
            }
            _ => {}
        }
    }
    rustix::fs::fsync(directory)?;
    Ok(())
}

fn list(file: &File) -> io::Result<Listed> {
    file.sync_all()?;
    let (sha256, size) = digest(file)?;
    Ok(Listed { size, sha256 })
}

/// SHA-256 in lowercase hex, and bytes.
pub(crate) fn digest(mut file: &File) -> io::Result<(String, u64)> {
    let (mut hasher, mut length, mut buffer) = (Sha256::new(), 0, vec![0; CHUNK]);
    loop {
        match file.read(&mut buffer) {
            Ok(0) => return Ok((hex(&hasher.finalize()), length)),
            Ok(count) => {
                hasher.update(&buffer[..count]);
                length += count as u64;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}
