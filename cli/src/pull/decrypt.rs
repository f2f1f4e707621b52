//! The payload of a package, decrypted beside it: all of it with the checksums that were offered, or nothing.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read as _, Write as _};
use std::os::fd::{AsFd as _, BorrowedFd};

use jiff::Timestamp;
use kentai_engine::handoff::crypt4gh::body::Expect;
use kentai_engine::handoff::crypt4gh::key::SecretKey;
use kentai_engine::handoff::crypt4gh::stream::{self, Opening};
use kentai_engine::handoff::delivery::{Document, Plain};
use kentai_engine::handoff::offer::Entry;
use kentai_engine::handoff::receipt::Reason;

use super::directory::{Directory, PACKAGES, PLAIN};
use super::measure::{self, Measure, Measured};
use super::state::{Decrypted, Pulled, State};
use super::{Failure, beneath};
use crate::exit::Exit;

/// What an encrypted file's name ends with.
const SUFFIX: &str = ".c4gh";
const BUFFER_BYTES: usize = 256 << 10;

/// Decrypts what was pulled; gives the number of files. Needs a checked package: what the encryption cannot know, its checksums say.
pub(crate) fn decrypt(
    directory: &Directory,
    state: &mut State,
    document: &Document,
    key: &SecretKey,
) -> Result<usize, Failure> {
    let pulled = state.pulled.clone().ok_or_else(|| Failure::new(Exit::NotFound, "there is nothing to decrypt"))?;
    let encrypted: Vec<&Entry> = encrypted(&pulled).collect();
    if encrypted.is_empty() {
        return Ok(0);
    }
    let name = format!(".{}.partial", pulled.folder);
    let disk = |error: io::Error| Failure::disk(&directory.place(&format!("{PLAIN}/{name}")), &error);
    let (packages, plain) = (directory.folder(PACKAGES)?, directory.folder(PLAIN)?);
    let package = beneath::directory(packages.as_fd(), &pulled.folder).map_err(disk)?;
    // Half of an earlier try is worth nothing: decrypting costs no transfer.
    beneath::remove_tree(plain.as_fd(), &name).map_err(disk)?;
    let partial = beneath::make_directory(plain.as_fd(), &name).map_err(disk)?;
    let mut plain_sha256 = BTreeMap::new();
    for entry in &encrypted {
        let wanted = wanted(entry, document)?;
        let measured = open(package.as_fd(), partial.as_fd(), entry, wanted.as_ref(), key)?;
        plain_sha256.insert(entry.path.clone(), measured.sha256);
    }
    beneath::sync_folders(partial.as_fd()).map_err(disk)?;
    beneath::remove_tree(plain.as_fd(), &pulled.folder).map_err(disk)?;
    beneath::rename((plain.as_fd(), &name), (plain.as_fd(), &pulled.folder)).map_err(disk)?;
    let at = Timestamp::now().to_string();
    state.decrypted = Some(Decrypted { at, manifest_sha256: pulled.manifest_sha256.clone(), plain_sha256 });
    directory.save(state)?;
    Ok(encrypted.len())
}

/// What was decrypted, read again: SHA-256 of the plain bytes by the path of the encrypted file. Empty when nothing was.
pub(crate) fn measured(directory: &Directory, state: &State) -> Result<BTreeMap<String, String>, Failure> {
    let (Some(pulled), Some(decrypted)) = (&state.pulled, state.decrypted.as_ref().filter(|_| state.is_decrypted()))
    else {
        return Ok(BTreeMap::new());
    };
    let place = directory.place(&format!("{PLAIN}/{}", pulled.folder));
    let disk = |error: io::Error| Failure::disk(&place, &error);
    let plain = directory.folder(PLAIN)?;
    let folder = beneath::directory(plain.as_fd(), &pulled.folder).map_err(disk)?;
    for (path, sha256) in &decrypted.plain_sha256 {
        let found =
            beneath::file(folder.as_fd(), plain_path(path)).and_then(|file| measure::file(&file)).map_err(disk)?;
        if found.sha256 != *sha256 {
            let message = format!("{place}/{}: it was changed after it was decrypted: decrypt again", plain_path(path));
            return Err(Failure::new(Exit::CheckFailed, message));
        }
    }
    Ok(decrypted.plain_sha256.clone())
}

/// Is there something that could be decrypted and is not?
pub(crate) fn is_wanted(state: &State) -> bool {
    let holds = state.pulled.as_ref().is_some_and(|pulled| encrypted(pulled).next().is_some());
    holds && !state.set_aside && !state.is_decrypted()
}

fn encrypted(pulled: &Pulled) -> impl Iterator<Item = &Entry> {
    pulled.entries.iter().filter(|entry| entry.payload().is_some_and(|name| name.ends_with(SUFFIX)))
}

fn plain_path(path: &str) -> &str {
    let name = path.strip_prefix("data/").unwrap_or(path);
    name.strip_suffix(SUFFIX).unwrap_or(name)
}

/// What the plain bytes must be: the offer and the package must not say two things.
fn wanted(entry: &Entry, document: &Document) -> Result<Option<Plain>, Failure> {
    let name = entry.payload().unwrap_or_default();
    let told = document.files.iter().find(|file| file.name == name).and_then(|file| file.plain.clone());
    match (&entry.plain, told) {
        (Some(offered), Some(told)) if *offered != told => {
            let message = format!("`{}`: the offer and the package differ in what is within", entry.path);
            Err(Failure::wrong(Reason::Metadata, Some(&entry.path), message))
        }
        (Some(offered), _) => Ok(Some(offered.clone())),
        (None, told) => Ok(told),
    }
}

fn open(
    package: BorrowedFd<'_>,
    partial: BorrowedFd<'_>,
    entry: &Entry,
    wanted: Option<&Plain>,
    key: &SecretKey,
) -> Result<Measured, Failure> {
    let path = &entry.path;
    let disk = |error: io::Error| Failure::disk(path, &error);
    let source = BufReader::with_capacity(BUFFER_BYTES, beneath::file(package, path).map_err(disk)?);
    let expect = wanted.map_or(Expect::Anything, |plain| Expect::PlainBytes(plain.size));
    let mut opening = Opening::new(source, key, None, expect).map_err(|error| match error {
        stream::Error::Read(error) => disk(error),
        other => {
            let message = format!("`{path}`: {other}; is it another key that the center has of you?");
            Failure::wrong(Reason::Key, Some(path), message)
        }
    })?;
    let file = beneath::make_file(partial, plain_path(path)).map_err(disk)?;
    let measured = copy(&mut opening, &file, path)?;
    file.sync_all().map_err(disk)?;
    let right = wanted.is_none_or(|plain| {
        (measured.bytes, &measured.sha256, &measured.md5) == (plain.size, &plain.sha256, &plain.md5)
    });
    if right {
        return Ok(measured);
    }
    let message = format!(
        "`{path}`: within are {} bytes with sha256 {}, and not what was offered",
        measured.bytes, measured.sha256
    );
    Err(Failure::wrong(Reason::Checksum, Some(path), message))
}

fn copy(opening: &mut Opening<BufReader<File>>, file: &File, path: &str) -> Result<Measured, Failure> {
    let mut writer = BufWriter::with_capacity(BUFFER_BYTES, file);
    let mut measure = Measure::default();
    let mut buffer = vec![0; BUFFER_BYTES];
    loop {
        let bytes = match opening.read(&mut buffer) {
            Ok(0) => break,
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::InvalidData => {
                let message = format!("`{path}` cannot be decrypted: {error}");
                return Err(Failure::wrong(Reason::Checksum, Some(path), message));
            }
            Err(error) => return Err(Failure::disk(path, &error)),
        };
        measure.push(&buffer[..bytes]);
        writer.write_all(&buffer[..bytes]).map_err(|error| Failure::disk(path, &error))?;
    }
    writer.flush().map_err(|error| Failure::disk(path, &error))?;
    Ok(measure.finish())
}
