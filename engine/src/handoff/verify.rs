//! Is a package what its sender gave away? Everything that was found in it, measured, held against itself: tag files, payload,
//! documents, signature, checkpoint. It opens no file; whoever holds the package measures it, on a disk or on its way in.

mod documents;
mod export;

use std::collections::BTreeMap;

use super::bag::read::{Read, look};
use super::bag::{self};
use super::delivery::Plain;
use super::{File, sshsig};
use crate::audit::checkpoint::{Checkpoint, Public};

pub use self::documents::DOCUMENTS;
pub use self::export::Watched;

/// Something that is not as it must be.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Fault {
    /// Path in the package.
    pub file: String,
    /// What is wrong with it.
    pub reason: String,
}

/// What lies in a package's folder.
#[derive(Clone, Debug, Default)]
pub struct Found {
    /// Files outside `data/`, by name.
    pub tags: BTreeMap<String, Vec<u8>>,
    /// Everything beneath `data/`.
    pub payload: Vec<Measured>,
    /// Those of [`DOCUMENTS`] that are there, by name beneath `data/`.
    pub documents: BTreeMap<String, Vec<u8>>,
    /// What is no file, or could not be read.
    pub strange: Vec<Fault>,
}

/// A file of the payload, and what is within it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Measured {
    /// As it lies there.
    pub file: File,
    /// What was decrypted of it, where somebody had the key and tried.
    pub plain: Option<Result<Plain, String>>,
}

/// What came of a look at a package.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// Its id, as `delivery.json` gives it; likewise the rest.
    pub delivery: String,
    /// Specimen.
    pub specimen: String,
    /// Site that sends it.
    pub sender: String,
    /// Target.
    pub receiver: String,
    /// Files beneath `data/`.
    pub files: usize,
    /// Bytes beneath `data/`.
    pub bytes: u64,
    /// Files that travel encrypted.
    pub encrypted: usize,
    /// Files whose content was decrypted and is what the sender encrypted.
    pub decrypted: usize,
    /// Whose key signed it.
    pub signed_by: Option<Public>,
    /// How the sender's audit chain stood.
    pub checkpoint: Option<Checkpoint>,
    /// Everything that is wrong, each once, in the order of files; none: the package is good.
    pub faults: Vec<Fault>,
    /// What is not wrong, and should be known.
    pub notes: Vec<String>,
}

/// Holds what was found against itself. With a `key` it must be signed by it; without, its own is believed, and a note says so.
#[must_use]
pub fn verify(found: &Found, key: Option<&Public>) -> Report {
    let mut report = Report { faults: found.strange.clone(), ..Report::default() };
    let looked = look(&found.tags, key);
    report.faults.extend(looked.wrong.iter().map(|wrong| Fault { file: wrong.file(), reason: wrong.to_string() }));
    if !found.tags.contains_key(bag::SIGNATURE) {
        report.add(bag::SIGNATURE, "nobody signed the package");
    }
    let payload: Vec<File> = found.payload.iter().map(|measured| measured.file.clone()).collect();
    report.files = payload.len();
    report.bytes = bag::Oxum::of(&payload).bytes;
    report.signed_by = looked.read.as_ref().and_then(|read| read.signed_by);
    if let Some(read) = &looked.read {
        let wrong = read.payload_faults(&payload);
        report.faults.extend(wrong.iter().map(|wrong| Fault { file: wrong.file(), reason: wrong.to_string() }));
    }
    documents::check(&mut report, found, &payload, looked.read.as_ref());
    if let (None, Some(own)) = (key, &report.signed_by) {
        report
            .notes
            .push(format!("signed by {}, which nobody vouched for: compare it, or give --key", sshsig::line(own)));
    }
    report.faults.sort();
    report.faults.dedup();
    report
}

impl Report {
    fn add(&mut self, file: &str, reason: impl Into<String>) {
        self.faults.push(Fault { file: file.to_owned(), reason: reason.into() });
    }

    fn add_payload(&mut self, name: &str, reason: impl Into<String>) {
        self.add(&format!("{}{name}", bag::DATA), reason);
    }
}

/// Facts of `bag-info.txt` that the documents repeat.
fn same_facts(report: &mut Report, read: &Read, delivery: &super::delivery::Document) {
    if read.info.external_identifier != delivery.delivery {
        report.add(
            bag::INFO,
            format!("it is about delivery `{}`, and not `{}`", read.info.external_identifier, delivery.delivery),
        );
    }
    let ours = read.info.internal_sender_identifier.as_ref();
    let known = [Some(&delivery.run), delivery.order_line.as_ref()];
    if ours.is_some() && !known.contains(&ours) {
        report.add(bag::INFO, "it names neither the run nor the order line of delivery.json");
    }
}

#[cfg(test)]
mod tests;
