//! Reading a package: canonical bytes only, and the first thing that is not as it must be has a name. It opens no file.
//!
//! Two steps, because a payload may be fetched between them: [`read`] takes the tag files alone, [`Read::payload`] what was found.

use std::collections::BTreeMap;

use super::info::Info;
use super::{
    DATA, DECLARATION, DECLARED, FETCH, INFO, MANIFEST_MD5, MANIFEST_SHA256, Oxum, SIGNATURE, TAG_MANIFEST, digest,
    is_digest,
};
use crate::audit::checkpoint::Public;
use crate::handoff::fetch::{self, Hole};
use crate::handoff::{File, name, sshsig};

/// What is not as it must be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "each variant's message says it")]
pub enum Wrong {
    #[error("{0} is missing")]
    Missing(&'static str),
    #[error("`{0}` does not belong there")]
    Foreign(String),
    #[error("{0} is not UTF-8")]
    NotText(&'static str),
    #[error("the signature of {TAG_MANIFEST} does not count: {0}")]
    Signature(sshsig::Error),
    #[error("line {line} of {file} is not as such a file is written")]
    Spelling { file: &'static str, line: usize },
    #[error("{file} does not have the checksum that {TAG_MANIFEST} gives")]
    TagDigest { file: &'static str },
    #[error("{file} does not list the files that {other} lists")]
    Lists { file: &'static str, other: &'static str },
    #[error("a file cannot be called so: {0}")]
    Name(#[from] name::Error),
    #[error("{INFO} counts {told:?}, and it is {found:?}")]
    Oxum { told: Oxum, found: Oxum },
    #[error("`data/{0}` is missing")]
    Lost(String),
    #[error("`data/{0}` is in no manifest")]
    Unlisted(String),
    #[error("`data/{name}` has {found} bytes, not {wanted}")]
    Size { name: String, found: u64, wanted: u64 },
    #[error("`data/{name}` does not have its {algorithm} checksum")]
    Digest { name: String, algorithm: &'static str },
}

/// A payload file as the manifests list it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// Lowercase hex.
    pub sha256: String,
    /// Lowercase hex.
    pub md5: String,
}

/// What the tag files say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Read {
    /// Facts.
    pub info: Info,
    /// How much payload there must be.
    pub oxum: Oxum,
    /// By path beneath `data/`.
    pub files: BTreeMap<String, Listed>,
    /// What can be fetched, and where.
    pub holes: Vec<Hole>,
    /// Whose key signed it.
    pub signed_by: Option<Public>,
}

/// What the tag files say as far as they can be understood, and everything that is not as it must be.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Looked {
    /// Absent when manifests or facts cannot be read.
    pub read: Option<Read>,
    /// Each once.
    pub wrong: Vec<Wrong>,
}

/// Reads the files outside `data/`, by name. With a `key` they must be signed by it; without, a signature that is there must hold.
///
/// # Errors
/// The first thing that is not as [`super::write`] and [`super::sign`] make it.
pub fn read(tags: &BTreeMap<String, Vec<u8>>, key: Option<&Public>) -> Result<Read, Wrong> {
    let Looked { read, wrong } = look(tags, key);
    match wrong.into_iter().next() {
        Some(wrong) => Err(wrong),
        None => read.ok_or(Wrong::Missing(TAG_MANIFEST)),
    }
}

/// As [`read`], but whatever is wrong with one file does not hide what is wrong with another.
#[must_use]
pub fn look(tags: &BTreeMap<String, Vec<u8>>, key: Option<&Public>) -> Looked {
    let mut wrong = Found::default();
    let signed_by = wrong.keep(signer(tags, key)).flatten();
    let listed = wrong.keep(text(tags, TAG_MANIFEST).and_then(|text| manifest(TAG_MANIFEST, text, "")));
    let foreign = tags.keys().filter(|name| !KNOWN.contains(&name.as_str()));
    foreign.for_each(|name| wrong.add(Wrong::Foreign(name.clone())));
    if let Some(listed) = &listed {
        covered(tags, listed, &mut wrong);
    }
    wrong.keep(text(tags, DECLARATION).and_then(|text| same(DECLARATION, text, DECLARED)));
    let files = wrong.keep(files(tags));
    let facts = wrong.keep(text(tags, INFO).and_then(info));
    let (Some(files), Some((info, oxum))) = (files, facts) else { return Looked { read: None, wrong: wrong.0 } };
    let holey = tags.contains_key(FETCH);
    let holes = if holey { wrong.keep(text(tags, FETCH).and_then(|text| holes(text, &files))) } else { None };
    let counted = Oxum { files: files.len() as u64, ..oxum };
    if counted != oxum {
        wrong.add(Wrong::Oxum { told: oxum, found: counted });
    }
    let holes = holes.unwrap_or_default();
    Looked { read: Some(Read { info, oxum, files, holes, signed_by }), wrong: wrong.0 }
}

/// What may lie outside `data/`.
const KNOWN: [&str; 7] = [DECLARATION, INFO, MANIFEST_MD5, MANIFEST_SHA256, FETCH, TAG_MANIFEST, SIGNATURE];

/// The tag manifest lists every other tag file with its digest, and nothing more.
fn covered(tags: &BTreeMap<String, Vec<u8>>, listed: &BTreeMap<String, String>, wrong: &mut Found) {
    let covered = KNOWN.into_iter().filter(|name| *name != TAG_MANIFEST && *name != SIGNATURE);
    let holey = tags.contains_key(FETCH);
    for file in covered.clone().filter(|name| holey || *name != FETCH) {
        let Some(promised) = listed.get(file) else {
            wrong.add(Wrong::Lists { file: TAG_MANIFEST, other: file });
            continue;
        };
        match text(tags, file) {
            Ok(found) if *promised != digest(found) => wrong.add(Wrong::TagDigest { file }),
            Ok(_) => {}
            Err(error) => wrong.add(error),
        }
    }
    let foreign = listed.keys().filter(|name| !covered.clone().any(|known| known == name.as_str()));
    foreign.for_each(|name| wrong.add(Wrong::Foreign(name.clone())));
    if listed.contains_key(FETCH) && !holey {
        wrong.add(Wrong::Missing(FETCH));
    }
}

/// What was found, each thing once.
#[derive(Default)]
struct Found(Vec<Wrong>);

impl Found {
    fn add(&mut self, wrong: Wrong) {
        if !self.0.contains(&wrong) {
            self.0.push(wrong);
        }
    }

    fn keep<T>(&mut self, looked: Result<T, Wrong>) -> Option<T> {
        looked.map_err(|wrong| self.add(wrong)).ok()
    }
}

impl Read {
    /// Is the payload whole, with nothing more in it? `found` is what lies beneath `data/`, measured.
    ///
    /// # Errors
    /// The first file (in the order of names) that is not as the manifests say.
    pub fn payload(&self, found: &[File]) -> Result<(), Wrong> {
        self.payload_faults(found).into_iter().next().map_or(Ok(()), Err)
    }

    /// Everything that is wrong with the payload, one thing for each file, in the order of names.
    #[must_use]
    pub fn payload_faults(&self, found: &[File]) -> Vec<Wrong> {
        let found_by_name: BTreeMap<&str, &File> = found.iter().map(|file| (file.name.as_str(), file)).collect();
        let mut wrong = Found::default();
        for (name, listed) in &self.files {
            match found_by_name.get(name.as_str()) {
                None => wrong.add(Wrong::Lost(name.clone())),
                Some(file) => _ = wrong.keep(self.is_listed(file, listed)),
            }
        }
        let more = found_by_name.keys().filter(|name| !self.files.contains_key(**name));
        more.for_each(|name| wrong.add(Wrong::Unlisted((*name).to_owned())));
        let counted = Oxum::of(found);
        if counted != self.oxum {
            wrong.add(Wrong::Oxum { told: self.oxum, found: counted });
        }
        wrong.0
    }

    fn is_listed(&self, file: &File, listed: &Listed) -> Result<(), Wrong> {
        let hole = self.holes.iter().find(|hole| hole.name == file.name);
        if let Some(hole) = hole.filter(|hole| hole.size_bytes != file.size_bytes) {
            return Err(Wrong::Size { name: file.name.clone(), found: file.size_bytes, wanted: hole.size_bytes });
        }
        let pairs = [("SHA-256", &listed.sha256, &file.sha256), ("MD5", &listed.md5, &file.md5)];
        match pairs.into_iter().find(|(_, wanted, found)| wanted != found) {
            Some((algorithm, ..)) => Err(Wrong::Digest { name: file.name.clone(), algorithm }),
            None => Ok(()),
        }
    }
}

impl Wrong {
    /// The file that it is about, by its path in the package.
    #[must_use]
    pub fn file(&self) -> String {
        match self {
            Self::Missing(file) | Self::NotText(file) => (*file).to_owned(),
            Self::Spelling { file, .. } | Self::TagDigest { file } | Self::Lists { file, .. } => (*file).to_owned(),
            Self::Foreign(file) => file.clone(),
            Self::Signature(_) => SIGNATURE.to_owned(),
            Self::Name(_) => MANIFEST_SHA256.to_owned(),
            Self::Oxum { .. } => INFO.to_owned(),
            Self::Lost(name) | Self::Unlisted(name) | Self::Size { name, .. } | Self::Digest { name, .. } => {
                format!("{DATA}{name}")
            }
        }
    }
}

fn text<'a>(tags: &'a BTreeMap<String, Vec<u8>>, file: &'static str) -> Result<&'a str, Wrong> {
    let bytes = tags.get(file).ok_or(Wrong::Missing(file))?;
    std::str::from_utf8(bytes).map_err(|_| Wrong::NotText(file))
}

fn signer(tags: &BTreeMap<String, Vec<u8>>, key: Option<&Public>) -> Result<Option<Public>, Wrong> {
    let Some(armored) = tags.get(SIGNATURE) else {
        return if key.is_some() { Err(Wrong::Missing(SIGNATURE)) } else { Ok(None) };
    };
    let signed = tags.get(TAG_MANIFEST).ok_or(Wrong::Missing(TAG_MANIFEST))?;
    sshsig::verify(armored, sshsig::NAMESPACE, signed, key).map(Some).map_err(Wrong::Signature)
}

/// Digests by decoded path without `folder`.
fn manifest(file: &'static str, text: &str, folder: &str) -> Result<BTreeMap<String, String>, Wrong> {
    let length = if file == MANIFEST_MD5 { 32 } else { 64 };
    let mut listed = BTreeMap::new();
    for (content, line) in text.lines().zip(1..) {
        let parts = content.split_once("  ").filter(|(digest, _)| is_digest(digest, length));
        let named = parts.and_then(|(digest, path)| Some((digest, name::decode(path.strip_prefix(folder)?)?)));
        let (digest, name) = named.ok_or(Wrong::Spelling { file, line })?;
        listed.insert(name, digest.to_owned());
    }
    name::check_all(listed.keys().map(String::as_str))?;
    let again = listed.iter().map(|(name, digest)| (digest.as_str(), format!("{folder}{}", name::encode(name))));
    same(file, text, &super::lines(again.collect()))?;
    Ok(listed)
}

/// The payload by both manifests, which must speak of the same files (section 3: each lists all of it).
fn files(tags: &BTreeMap<String, Vec<u8>>) -> Result<BTreeMap<String, Listed>, Wrong> {
    let mut md5 = manifest(MANIFEST_MD5, text(tags, MANIFEST_MD5)?, DATA)?;
    let mut files = BTreeMap::new();
    for (name, sha256) in manifest(MANIFEST_SHA256, text(tags, MANIFEST_SHA256)?, DATA)? {
        let lists = Wrong::Lists { file: MANIFEST_MD5, other: MANIFEST_SHA256 };
        let md5 = md5.remove(&name).ok_or(lists)?;
        files.insert(name, Listed { sha256, md5 });
    }
    if md5.is_empty() { Ok(files) } else { Err(Wrong::Lists { file: MANIFEST_SHA256, other: MANIFEST_MD5 }) }
}

fn info(text: &str) -> Result<(Info, Oxum), Wrong> {
    let (info, oxum) = Info::read(text).map_err(|line| Wrong::Spelling { file: INFO, line })?;
    let again = info.write(oxum).map_err(|_| Wrong::Spelling { file: INFO, line: 1 })?;
    same(INFO, text, &again)?;
    Ok((info, oxum))
}

fn holes(text: &str, files: &BTreeMap<String, Listed>) -> Result<Vec<Hole>, Wrong> {
    let holes = fetch::read(text).map_err(|line| Wrong::Spelling { file: FETCH, line })?;
    same(FETCH, text, &fetch::write(&holes))?;
    let known = holes.iter().all(|hole| files.contains_key(&hole.name));
    if known { Ok(holes) } else { Err(Wrong::Lists { file: MANIFEST_SHA256, other: FETCH }) }
}

fn same(file: &'static str, found: &str, wanted: &str) -> Result<(), Wrong> {
    if found == wanted {
        return Ok(());
    }
    let (found, wanted) = (found.split_inclusive('\n'), wanted.split_inclusive('\n'));
    let alike = found.zip(wanted).take_while(|(found, wanted)| found == wanted).count();
    Err(Wrong::Spelling { file, line: alike + 1 })
}
