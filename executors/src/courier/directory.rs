//! A target that is a directory of this host, local or mounted: a package appears there whole, or not at all.
//!
//! It is made beside its place under another name, synced and renamed. It does not know who reads it.

use std::collections::BTreeSet;
use std::fs::{DirBuilder, File};
use std::io::{self, Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};

use kentai_engine::port::BoxFuture;
use kentai_engine::port::courier::{Carried, Courier, Error, Parcel, ParcelFile};
use kentai_engine::store::artifact::{hex, remove_all};
use md5::Md5;
use rustix::fs::{CWD, FlockOperation, RenameFlags};
use rustix::io::Errno;
use sha2::{Digest, Sha256};

use super::bag::{self, Packed};
use crate::attempt::open_directory;

const CHUNK: usize = 1 << 20;

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
    fn carry<'a>(&'a self, parcel: &'a Parcel) -> BoxFuture<'a, Result<Carried, Error>> {
        let (courier, parcel) = (self.clone(), parcel.clone());
        Box::pin(async move {
            // A dropped future leaves the copy running; the next call waits for it at its lock.
            let carried = tokio::task::spawn_blocking(move || courier.carry_whole(&parcel)).await;
            carried.unwrap_or_else(|error| Err(self.unreachable(&format!("carrying panicked: {error}"))))
        })
    }
}

impl DirectoryCourier {
    fn carry_whole(&self, parcel: &Parcel) -> Result<Carried, Error> {
        self.check_names(parcel)?;
        if !self.directory.is_dir() {
            let text = format!("{} is not a directory; make or mount it, then retry", self.directory.display());
            return Err(self.unreachable(&text));
        }
        let place = self.directory.join(&parcel.folder);
        let partial = self.directory.join(format!(".{}.partial-{}", parcel.folder, parcel.delivery));
        loop {
            if place.symlink_metadata().is_ok() {
                remove_all(&partial);
                return same_package(&place, parcel).ok_or_else(|| conflict(&place));
            }
            let Some(lock) = self.claim(&partial)? else { continue };
            let packed = self.pack(parcel, &partial)?;
            match self.publish(&lock, &partial, &place) {
                Ok(true) => return Ok(Carried { place: place.display().to_string(), manifest_sha256: packed }),
                Ok(false) => {}
                Err(error) => return Err(self.io(&error)),
            }
        }
    }

    fn check_names(&self, parcel: &Parcel) -> Result<(), Error> {
        let mut names = BTreeSet::from([bag::DOCUMENT]);
        let files = parcel.files.iter().map(|file| file.name.as_str());
        let wrong =
            files.clone().chain([parcel.folder.as_str(), parcel.delivery.as_str()]).find(|name| !bag::is_safe(name));
        if let Some(name) = wrong {
            return Err(self.unreachable(&format!("`{name}` is not a safe name")));
        }
        for name in files {
            if !names.insert(name) {
                return Err(self.unreachable(&format!("two files are called `{name}`")));
            }
        }
        Ok(())
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

    /// Fills the folder; gives the manifest's digest. All of it is on disk afterwards.
    fn pack(&self, parcel: &Parcel, partial: &Path) -> Result<String, Error> {
        let data = partial.join("data");
        DirBuilder::new().mode(0o755).create(&data).map_err(|error| self.io(&error))?;
        let mut files = Vec::with_capacity(parcel.files.len() + 1);
        for file in &parcel.files {
            files.push(self.copy(file, &data)?);
        }
        let document = bag::document(parcel, &files);
        files.push(self.text(&data, bag::DOCUMENT, &document)?);
        let manifest = bag::manifest("data/", &files, |file| &file.sha256);
        let tags = [
            (bag::DECLARATION.0, bag::DECLARATION.1.to_owned()),
            (bag::INFO, bag::info(parcel, &files)),
            (bag::MANIFEST_MD5, bag::manifest("data/", &files, |file| &file.md5)),
            (bag::MANIFEST_SHA256, manifest),
        ];
        let mut packed = Vec::with_capacity(tags.len());
        for (name, text) in &tags {
            packed.push(self.text(partial, name, text)?);
        }
        let named = packed.last().map(|tag| tag.sha256.clone()).unwrap_or_default();
        self.text(partial, bag::TAG_MANIFEST, &bag::manifest("", &packed, |file| &file.sha256))?;
        for directory in [&data, partial] {
            File::open(directory).and_then(|directory| directory.sync_all()).map_err(|error| self.io(&error))?;
        }
        Ok(named)
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

    fn copy(&self, file: &ParcelFile, data: &Path) -> Result<Packed, Error> {
        let corrupt = || Error::Corrupt { sha256: file.sha256.clone() };
        let mut source = match File::open(&file.source) {
            Ok(source) => source,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(corrupt()),
            Err(error) => return Err(self.io(&error)),
        };
        let packed = copy_hashed(&mut source, data, &file.name).map_err(|error| self.io(&error))?;
        if packed.sha256 == file.sha256 && packed.size == file.size { Ok(packed) } else { Err(corrupt()) }
    }

    fn text(&self, directory: &Path, name: &str, text: &str) -> Result<Packed, Error> {
        copy_hashed(&mut text.as_bytes(), directory, name).map_err(|error| self.io(&error))
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

fn copy_hashed(source: &mut impl Read, directory: &Path, name: &str) -> io::Result<Packed> {
    let mut target = File::create_new(directory.join(name))?;
    let (mut sha256, mut md5, mut size) = (Sha256::new(), Md5::new(), 0);
    let mut buffer = vec![0; CHUNK];
    loop {
        let count = match source.read(&mut buffer) {
            Ok(0) => break,
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        sha256.update(&buffer[..count]);
        md5.update(&buffer[..count]);
        target.write_all(&buffer[..count])?;
        size += count as u64;
    }
    target.sync_all()?;
    Ok(Packed { name: name.to_owned(), sha256: hex(&sha256.finalize()), md5: hex(&md5.finalize()), size })
}

/// Is this the parcel's own package, carried before? Then what it was carried as.
fn same_package(place: &Path, parcel: &Parcel) -> Option<Carried> {
    let manifest = std::fs::read_to_string(place.join(bag::MANIFEST_SHA256)).ok()?;
    let document = std::fs::read(place.join("data").join(bag::DOCUMENT)).ok()?;
    let promised = parcel.files.iter().map(|file| format!("{}  data/{}", file.sha256, file.name));
    let own = format!("{}  data/{}", hex(&Sha256::digest(&document)), bag::DOCUMENT);
    let wanted: BTreeSet<String> = promised.chain([own]).collect();
    let found: BTreeSet<String> = manifest.lines().map(str::to_owned).collect();
    let parsed = serde_json::from_slice(&document).ok()?;
    let sizes = parcel.files.iter().all(|file| {
        let there = place.join("data").join(&file.name).symlink_metadata();
        there.is_ok_and(|there| there.is_file() && there.len() == file.size)
    });
    (wanted == found && sizes && bag::without_md5(parsed) == parcel.document).then(|| Carried {
        place: place.display().to_string(),
        manifest_sha256: hex(&Sha256::digest(manifest.as_bytes())),
    })
}
