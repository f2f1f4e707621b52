//! Is a package what was offered, whole and from whom it should be? Reads only beneath the package's own folder.
//!
//! The package's own rules are the engine's (`handoff::bag::read`, and `handoff::delivery`); here they meet the files, the offer and the
//! signer. A check of whole packages by the engine takes the place of [`package`] when there is one.

use std::collections::BTreeMap;
use std::io::{self, Read as _};
use std::os::fd::{AsFd as _, BorrowedFd};

use kentai_engine::audit::checkpoint::Public;
use kentai_engine::handoff::bag::read::{self, Read, Wrong};
use kentai_engine::handoff::bag::{DATA, MANIFEST_SHA256, SIGNATURE};
use kentai_engine::handoff::delivery::{self, Document};
use kentai_engine::handoff::offer::{Entry, Offer};
use kentai_engine::handoff::receipt::Reason;
use kentai_engine::handoff::{File, sshsig};
use rustix::fs::FileType;

use super::directory::{Directory, PACKAGES};
use super::measure::{self, Measured};
use super::settings::Settings;
use super::state::State;
use super::{Failure, beneath};
use crate::exit::Exit;

/// A manifest of as many files as there may be stays below.
const TAG_BYTES_MAX: u64 = 64 << 20;

/// A package that is as it must be.
pub(crate) struct Verified {
    /// Whose signature it has.
    pub signed_by: Option<Public>,
    /// What lies there, by path.
    pub(super) files: BTreeMap<String, Measured>,
    /// What it says of itself.
    pub document: Document,
}

/// The key that packages must be signed with, if one is known.
pub(crate) fn signer(settings: &Settings) -> Result<Option<Public>, Failure> {
    let Some(line) = &settings.signer else { return Ok(None) };
    let key = sshsig::parse_line(line);
    key.map(Some)
        .ok_or_else(|| Failure::new(Exit::Usage, format!("the signer in pull.json is no ssh-ed25519 key: {line}")))
}

/// The key that answers to receipts are checked with: the center signs them with the key of its packages.
pub(crate) fn witness(settings: &Settings, state: &State) -> Result<Option<Public>, Failure> {
    let seen = || state.pulled.as_ref().and_then(|pulled| pulled.signed_by.as_deref()).and_then(sshsig::parse_line);
    Ok(signer(settings)?.or_else(seen))
}

/// A package that was pulled, read again from its first byte to its last.
pub(crate) fn pulled(directory: &Directory, settings: &Settings, state: &State) -> Result<Verified, Failure> {
    let delivery = &state.offer.delivery;
    let Some(pulled) = state.pulled.as_ref().filter(|_| !state.set_aside) else {
        let message = format!("{delivery} is not here: `kentai pull get {delivery}`");
        return Err(Failure::new(Exit::NotFound, message));
    };
    let packages = directory.folder(PACKAGES)?;
    let package_folder = beneath::directory(packages.as_fd(), &pulled.folder)
        .map_err(|error| Failure::disk(&directory.place(&format!("{PACKAGES}/{}", pulled.folder)), &error))?;
    let offer =
        Offer { folder: pulled.folder.clone(), manifest_sha256: pulled.manifest_sha256.clone(), ..state.offer.clone() };
    package(package_folder.as_fd(), BTreeMap::new(), signer(settings)?.as_ref(), &offer, &pulled.entries)
}

/// Everything at once. Files whose measures are known are not read again.
pub(super) fn package(
    at: BorrowedFd<'_>,
    known: BTreeMap<String, Measured>,
    signer: Option<&Public>,
    offer: &Offer,
    entries: &[Entry],
) -> Result<Verified, Failure> {
    let files = measured(at, known)?;
    let offered: BTreeMap<&str, &Entry> = entries.iter().map(|entry| (entry.path.as_str(), entry)).collect();
    if let Some(foreign) = files.keys().find(|path| !offered.contains_key(path.as_str())) {
        let message = format!("`{foreign}` lies in the package and was not offered");
        return Err(Failure::wrong(Reason::Metadata, None, message));
    }
    for entry in entries {
        let found = files.get(&entry.path).ok_or_else(|| lost(&entry.path))?;
        let wanted = Measured { bytes: entry.size, sha256: entry.sha256.clone(), md5: entry.md5.clone() };
        if *found != wanted {
            let message = format!("`{}` is {found:?}, and {wanted:?} was offered", entry.path);
            return Err(Failure::wrong(Reason::Checksum, Some(&entry.path), message));
        }
    }
    let read = tags(at, signer, offer, entries)?;
    let payload: Vec<File> = files
        .iter()
        .filter_map(|(path, found)| {
            let (sha256, md5) = (found.sha256.clone(), found.md5.clone());
            Some(File { name: path.strip_prefix(DATA)?.to_owned(), size_bytes: found.bytes, sha256, md5 })
        })
        .collect();
    read.payload(&payload).map_err(|wrong| refused(&wrong))?;
    let document = document(at, offer, &payload)?;
    Ok(Verified { signed_by: read.signed_by, files, document })
}

/// The tag files alone: who signed, and do they list what was offered? Known before the first byte of the payload is.
pub(super) fn tags(
    at: BorrowedFd<'_>,
    signer: Option<&Public>,
    offer: &Offer,
    entries: &[Entry],
) -> Result<Read, Failure> {
    let mut texts = BTreeMap::new();
    for entry in entries.iter().filter(|entry| entry.payload().is_none()) {
        texts.insert(entry.path.clone(), bytes(at, &entry.path)?);
    }
    let read = read::read(&texts, signer).map_err(|wrong| refused(&wrong))?;
    if read.info.external_identifier != offer.delivery {
        let message = format!("the package is of delivery {}", read.info.external_identifier);
        return Err(Failure::wrong(Reason::Metadata, None, message));
    }
    let payload: BTreeMap<&str, &Entry> = entries.iter().filter_map(|entry| Some((entry.payload()?, entry))).collect();
    let alike = read.files.len() == payload.len()
        && read.files.iter().all(|(name, listed)| {
            payload.get(name.as_str()).is_some_and(|it| it.sha256 == listed.sha256 && it.md5 == listed.md5)
        });
    if alike {
        return Ok(read);
    }
    let message = format!("{MANIFEST_SHA256} does not list the files that were offered, with their checksums");
    Err(Failure::wrong(Reason::Metadata, None, message))
}

fn document(at: BorrowedFd<'_>, offer: &Offer, payload: &[File]) -> Result<Document, Failure> {
    let path = format!("{DATA}{}", delivery::NAME);
    let bad = |why: &dyn std::fmt::Display| Failure::wrong(Reason::Metadata, Some(&path), format!("`{path}`: {why}"));
    let text = String::from_utf8(bytes(at, &path)?).map_err(|_| bad(&"it is not UTF-8"))?;
    let document = Document::read(&text).map_err(|error| bad(&error))?;
    for (what, told, offered) in [
        ("delivery", Some(&document.delivery), Some(&offer.delivery)),
        ("specimen", Some(&document.specimen), Some(&offer.specimen)),
        ("participant", document.participant.as_ref(), offer.participant.as_ref()),
    ] {
        if told != offered {
            return Err(bad(&format!("its {what} is {told:?}, and {offered:?} was offered")));
        }
    }
    let lies = |file: File| payload.contains(&file);
    if let Some(other) = document.payload().find(|file| !lies(file.clone())) {
        return Err(bad(&format!("it describes `{}` as it does not lie there", other.name)));
    }
    Ok(document)
}

fn measured(at: BorrowedFd<'_>, mut known: BTreeMap<String, Measured>) -> Result<BTreeMap<String, Measured>, Failure> {
    let mut files = BTreeMap::new();
    let walked = beneath::visit(at, &mut |_, _, path, kind| {
        if kind == FileType::Directory {
            return Ok(());
        }
        let measured = match known.remove(path) {
            Some(measured) => measured,
            None => measure::file(&beneath::file(at, path).map_err(|error| named(path, error))?)?,
        };
        files.insert(path.to_owned(), measured);
        Ok(())
    });
    walked.map_err(|error| Failure::disk("the package", &error))?;
    Ok(files)
}

fn named(path: &str, error: io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{path}: {error}"))
}

fn bytes(at: BorrowedFd<'_>, path: &str) -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    let read = beneath::file(at, path).and_then(|file| file.take(TAG_BYTES_MAX).read_to_end(&mut bytes));
    match read {
        Ok(_) => Ok(bytes),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Err(lost(path)),
        Err(error) => Err(Failure::disk(path, &error)),
    }
}

fn lost(path: &str) -> Failure {
    Failure::wrong(Reason::Checksum, Some(path), format!("`{path}` is missing in the package"))
}

fn refused(wrong: &Wrong) -> Failure {
    let message = format!("the package does not hold together: {wrong}");
    match wrong {
        Wrong::Signature(_) | Wrong::Missing(SIGNATURE) => {
            let remedy = "ask the center which key it signs with, over another way than this one";
            Failure::wrong(Reason::Policy, None, format!("{message}; {remedy}"))
        }
        Wrong::Lost(name) | Wrong::Size { name, .. } | Wrong::Digest { name, .. } => {
            Failure::wrong(Reason::Checksum, Some(&format!("{DATA}{name}")), message)
        }
        _ => Failure::wrong(Reason::Metadata, None, message),
    }
}
