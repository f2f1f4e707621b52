//! A package's folder on a disk, measured: every file once, opened beneath the folder's own handle, links and devices never followed.
//!
//! It judges nothing ([`crate::handoff::verify`] does), and it writes nothing.

use std::fs::File;
use std::io::{self, Read};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;

use md5::Md5;
use rustix::fs::{CWD, Dir, FileType, Mode, OFlags};
use rustix::io::Errno;
use sha2::{Digest as _, Sha256};

use super::artifact::hex;
use crate::handoff::crypt4gh::body::Expect;
use crate::handoff::crypt4gh::key::SecretKey;
use crate::handoff::crypt4gh::stream::Opening;
use crate::handoff::delivery::{self, Plain};
use crate::handoff::verify::{DOCUMENTS, Fault, Found, Measured};
use crate::handoff::{self, bag};

/// A manifest of a hundred thousand files has 14 MB; what is longer than this is none.
const TEXT_BYTES_MAX: u64 = 256 << 20;
/// Things in a package.
const ENTRIES_MAX: usize = 1_000_000;
/// Folders in folders; a path has at most 200 bytes.
const DEPTH_MAX: usize = 100;
const CHUNK: usize = 1 << 18;

/// Looks through the package at `folder`. Who has an `identity` has what is encrypted for it measured too. Blocking: it reads every byte.
///
/// # Errors
/// When the folder cannot be opened; whatever is wrong within it is told in what was found.
pub fn measure(folder: &Path, identity: Option<&SecretKey>) -> io::Result<Found> {
    // The folder's own name was given by whoever asks, and may be a link.
    let root = rustix::fs::openat(CWD, folder, OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())?;
    let mut look = Look { found: Found::default(), entries: 0, data: None, files: Vec::new() };
    look.top(&root);
    if let Some(data) = look.data.take() {
        look.folder(&data, "", 0);
        look.payload(&data, identity);
    }
    Ok(look.found)
}

struct Look {
    found: Found,
    entries: usize,
    data: Option<OwnedFd>,
    /// Paths beneath `data/`.
    files: Vec<String>,
}

/// What a name stands for.
enum Thing {
    File(File),
    Folder(OwnedFd),
}

impl Look {
    fn strange(&mut self, file: impl Into<String>, reason: impl Into<String>) {
        self.found.strange.push(Fault { file: file.into(), reason: reason.into() });
    }

    /// The package's own folder: tag files and `data`.
    fn top(&mut self, root: &OwnedFd) {
        for name in self.names(root, "") {
            match open(root.as_fd(), &name) {
                Ok(Thing::Folder(folder)) if name == bag::DATA.trim_end_matches('/') => self.data = Some(folder),
                Ok(Thing::Folder(_)) => self.strange(name, "a folder does not belong there"),
                Ok(Thing::File(file)) => match text(file) {
                    Ok(bytes) => _ = self.found.tags.insert(name, bytes),
                    Err(reason) => self.strange(name, reason),
                },
                Err(reason) => self.strange(name, reason),
            }
        }
    }

    /// A folder beneath `data/`: gathers what is to be measured.
    fn folder(&mut self, folder: &OwnedFd, at: &str, depth: usize) {
        let names = self.names(folder, at);
        if names.is_empty() && !at.is_empty() {
            self.strange(path(at.trim_end_matches('/')), "an empty folder does not belong there");
        }
        for name in names {
            let beneath = format!("{at}{name}");
            match open(folder.as_fd(), &name) {
                Ok(Thing::File(_)) => self.files.push(beneath),
                Ok(Thing::Folder(_)) if depth == DEPTH_MAX => self.strange(path(&beneath), "it lies too deep"),
                Ok(Thing::Folder(folder)) => self.folder(&folder, &format!("{beneath}/"), depth + 1),
                Err(reason) => self.strange(path(&beneath), reason),
            }
        }
    }

    /// Names in a folder, sorted; what has none that could be one is told.
    fn names(&mut self, folder: &OwnedFd, at: &str) -> Vec<String> {
        let mut names = Vec::new();
        let listing = match Dir::read_from(folder) {
            Ok(listing) => listing,
            Err(error) => {
                self.strange(path(at), format!("it cannot be listed: {error}"));
                return names;
            }
        };
        for entry in listing {
            let entry = match entry {
                Ok(entry) => entry,
                Err(error) => {
                    self.strange(path(at), format!("it cannot be listed: {error}"));
                    break;
                }
            };
            self.entries += 1;
            if self.entries > ENTRIES_MAX {
                self.strange(path(at), "there are too many files");
                break;
            }
            match entry.file_name().to_str() {
                Ok("." | "..") => {}
                Ok(name) => names.push(name.to_owned()),
                Err(_) => self.strange(path(&entry.file_name().to_string_lossy()), "its name is not UTF-8"),
            }
        }
        names.sort();
        names
    }

    /// Measures what was gathered; the documents first, because one of them says what is encrypted.
    fn payload(&mut self, data: &OwnedFd, identity: Option<&SecretKey>) {
        for name in DOCUMENTS {
            if let Some(Ok(bytes)) = beneath(data, name).ok().map(text) {
                self.found.documents.insert(name.to_owned(), bytes);
            }
        }
        let told = self.found.documents.get(delivery::NAME).and_then(|bytes| std::str::from_utf8(bytes).ok());
        let told = told.and_then(|text| delivery::Document::read(text).ok()).unwrap_or_default();
        for name in std::mem::take(&mut self.files) {
            let within = told.files.iter().find(|file| file.name == name).and_then(|file| file.plain.as_ref());
            let opens = identity.zip(within).map(|(identity, within)| (identity, within.size));
            match beneath(data, &name).and_then(|file| measured(&name, file, opens).map_err(|error| error.to_string()))
            {
                Ok(measured) => self.found.payload.push(measured),
                Err(reason) => self.strange(path(&name), reason),
            }
        }
    }
}

fn path(beneath: &str) -> String {
    format!("{}{beneath}", bag::DATA)
}

/// Opens one name of a folder, whatever it is; says why not in words.
fn open(folder: BorrowedFd<'_>, name: &str) -> Result<Thing, String> {
    // NONBLOCK: opening a pipe would wait for its other end.
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    let opened = match rustix::fs::openat(folder, name, flags, Mode::empty()) {
        Ok(opened) => opened,
        Err(Errno::LOOP) => return Err("it is a link, and may lead out of the package".into()),
        Err(Errno::NXIO | Errno::NODEV | Errno::OPNOTSUPP) => return Err("it is no file".into()),
        Err(error) => return Err(format!("it cannot be opened: {error}")),
    };
    let found = rustix::fs::fstat(&opened).map_err(|error| format!("it cannot be looked at: {error}"))?;
    match FileType::from_raw_mode(found.st_mode) {
        FileType::RegularFile => Ok(Thing::File(File::from(opened))),
        FileType::Directory => Ok(Thing::Folder(opened)),
        _ => Err("it is no file".into()),
    }
}

/// Opens a file beneath `data/`, folder by folder: none of them may have become a link meanwhile.
fn beneath(data: &OwnedFd, name: &str) -> Result<File, String> {
    let mut folder = None;
    let mut rest = name;
    while let Some((first, more)) = rest.split_once('/') {
        let within = folder.as_ref().unwrap_or(data).as_fd();
        match open(within, first)? {
            Thing::Folder(next) => folder = Some(next),
            Thing::File(_) => return Err("it is no folder any more".into()),
        }
        rest = more;
    }
    match open(folder.as_ref().unwrap_or(data).as_fd(), rest)? {
        Thing::File(file) => Ok(file),
        Thing::Folder(_) => Err("it is no file any more".into()),
    }
}

fn text(file: File) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    let read = file.take(TEXT_BYTES_MAX + 1).read_to_end(&mut bytes).map_err(|error| error.to_string())?;
    if read as u64 > TEXT_BYTES_MAX { Err("it is too long".into()) } else { Ok(bytes) }
}

/// Reads a file once, to its end; what it holds is decrypted on the way when there is a key, and the size that it must have.
fn measured(name: &str, file: File, opens: Option<(&SecretKey, u64)>) -> io::Result<Measured> {
    let mut whole = Summed::new(file);
    let plain = opens.map(|(identity, size)| decrypted(&mut whole, identity, size));
    // Whatever decrypting left unread belongs to the file too.
    whole.drain()?;
    if let Some(error) = whole.failed {
        return Err(error);
    }
    let (size_bytes, sha256, md5) = whole.sums.finish();
    Ok(Measured { file: handoff::File { name: name.to_owned(), size_bytes, sha256, md5 }, plain })
}

fn decrypted(whole: &mut Summed<File>, identity: &SecretKey, size: u64) -> Result<Plain, String> {
    let opening = Opening::new(whole, identity, None, Expect::PlainBytes(size)).map_err(|error| chain(&error))?;
    let mut within = Summed::new(opening);
    within.drain().map_err(|error| chain(&error))?;
    let (size, sha256, md5) = within.sums.finish();
    Ok(Plain { size, sha256, md5 })
}

fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let mut told = error.to_string();
    let mut source = error.source();
    while let Some(inner) = source {
        let inner_text = inner.to_string();
        if !told.contains(&inner_text) {
            told = format!("{told}: {inner_text}");
        }
        source = inner.source();
    }
    told
}

/// Sums up what is read through it.
struct Summed<R> {
    inner: R,
    sums: Sums,
    /// A disk's error is none of the format: it is kept, whoever reads through this.
    failed: Option<io::Error>,
}

#[derive(Default)]
struct Sums {
    size: u64,
    sha256: Sha256,
    md5: Md5,
}

impl Sums {
    fn finish(self) -> (u64, String, String) {
        (self.size, hex(&self.sha256.finalize()), hex(&self.md5.finalize()))
    }
}

impl<R: Read> Summed<R> {
    fn new(inner: R) -> Self {
        Self { inner, sums: Sums::default(), failed: None }
    }

    fn drain(&mut self) -> io::Result<()> {
        let mut chunk = vec![0; CHUNK];
        loop {
            match self.read(&mut chunk) {
                Ok(0) => return Ok(()),
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }
}

impl<R: Read> Read for Summed<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let bytes = self.inner.read(buffer).inspect_err(|error| {
            if error.kind() != io::ErrorKind::Interrupted {
                self.failed = Some(io::Error::new(error.kind(), error.to_string()));
            }
        })?;
        self.sums.size += bytes as u64;
        self.sums.sha256.update(&buffer[..bytes]);
        self.sums.md5.update(&buffer[..bytes]);
        Ok(bytes)
    }
}
