//! The documents of a package: each can be read, and says of the payload, of the delivery and of each other what is so.

use std::collections::{BTreeMap, BTreeSet};

use sha2::{Digest as _, Sha256};

use super::{Found, Measured, Report, same_facts};
use crate::audit::hex;
use crate::handoff::bag::read::Read;
use crate::handoff::delivery::{self, Delivered};
use crate::handoff::{File, qc};
use crate::provenance::ro_crate;

/// Documents that every package has, by name beneath `data/`.
pub const DOCUMENTS: [&str; 3] = [delivery::NAME, qc::NAME, ro_crate::NAME];

/// May a file of the payload be missing in `delivery.json`? Only what describes the delivery.
fn describes(name: &str) -> bool {
    DOCUMENTS.contains(&name) || name == qc::MULTIQC_NAME || (name.starts_with("workflow.") && name.ends_with(".yaml"))
}

pub(super) fn check(report: &mut Report, found: &Found, payload: &[File], read: Option<&Read>) {
    let texts: BTreeMap<&str, &str> =
        DOCUMENTS.into_iter().filter_map(|name| Some((name, text(report, found, payload, name)?))).collect();
    let delivery = texts.get(delivery::NAME).map(|text| delivery::Document::read(text));
    let quality = texts.get(qc::NAME).map(|text| qc::Document::read(text));
    let metadata = texts.get(ro_crate::NAME).map(|text| ro_crate::read::read(text));
    let delivery = kept(report, delivery::NAME, delivery);
    let quality = kept(report, qc::NAME, quality);
    if let Some(metadata) = kept(report, ro_crate::NAME, metadata) {
        let here = delivery.as_ref().map(|document| document.delivery.as_str());
        if here.is_some_and(|delivery| delivery != metadata.delivery) {
            report.add_payload(ro_crate::NAME, format!("it is about delivery `{}`", metadata.delivery));
        }
        for (name, how) in metadata.differences(payload) {
            report.add_payload(&name, how);
        }
    }
    let Some(delivery) = delivery else { return };
    if let Some(quality) = quality
        && (&quality.delivery, &quality.specimen) != (&delivery.delivery, &delivery.specimen)
    {
        report.add_payload(
            qc::NAME,
            format!("it is about delivery `{}`, specimen `{}`", quality.delivery, quality.specimen),
        );
    }
    if let Some(read) = read {
        same_facts(report, read, &delivery);
    }
    report.encrypted = delivery.files.iter().filter(|file| file.plain.is_some()).count();
    files(report, found, &delivery);
    checkpoint(report, &delivery);
    delivery.delivery.clone_into(&mut report.delivery);
    delivery.specimen.clone_into(&mut report.specimen);
    delivery.sender.clone_into(&mut report.sender);
    delivery.receiver.clone_into(&mut report.receiver);
}

/// A document's text, if it is the file that was measured: between two looks at a disk it may have become another one.
fn text<'a>(report: &mut Report, found: &'a Found, payload: &[File], name: &str) -> Option<&'a str> {
    let Some(bytes) = found.documents.get(name) else {
        report.add_payload(name, "it is missing");
        return None;
    };
    let measured = payload.iter().find(|file| file.name == name);
    if measured.is_none_or(|file| file.sha256 != hex(&Sha256::digest(bytes))) {
        report.add_payload(name, "it changed while it was read");
        return None;
    }
    let text = std::str::from_utf8(bytes).ok();
    if text.is_none() {
        report.add_payload(name, "it is not UTF-8");
    }
    text
}

fn kept<T, E: std::fmt::Display>(report: &mut Report, name: &str, read: Option<Result<T, E>>) -> Option<T> {
    read?.map_err(|error| report.add_payload(name, error.to_string())).ok()
}

/// `delivery.json` names every file of the payload that describes nothing, as it lies there.
fn files(report: &mut Report, found: &Found, delivery: &delivery::Document) {
    let mut listed = BTreeSet::new();
    for file in &delivery.files {
        if !listed.insert(file.name.as_str()) {
            report.add_payload(&file.name, "delivery.json lists it twice");
        }
        match found.payload.iter().find(|measured| measured.file.name == file.name) {
            None => report.add_payload(&file.name, "delivery.json lists it, and it is not there"),
            Some(measured) => one(report, file, measured),
        }
    }
    for measured in &found.payload {
        let name = measured.file.name.as_str();
        if !listed.contains(name) && !describes(name) {
            report.add_payload(name, "delivery.json does not list it");
        }
    }
    if delivery.recipient_key.is_none() && delivery.files.iter().any(|file| file.plain.is_some()) {
        report.add_payload(delivery::NAME, "it lists encrypted files, and not to whose key they are encrypted");
    }
}

fn one(report: &mut Report, told: &Delivered, measured: &Measured) {
    let found = &measured.file;
    let same = (told.size, &told.sha256, &told.md5) == (found.size_bytes, &found.sha256, &found.md5);
    if !same {
        report.add_payload(&told.name, "delivery.json gives another size or checksum");
    }
    match (&told.plain, &measured.plain) {
        (_, None) => {}
        (None, Some(_)) => {
            report.add_payload(&told.name, "it was decrypted, and delivery.json knows nothing within it")
        }
        (_, Some(Err(reason))) => report.add_payload(&told.name, format!("it cannot be decrypted: {reason}")),
        (Some(told_within), Some(Ok(within))) if told_within == within => report.decrypted += 1,
        (Some(_), Some(Ok(_))) => {
            report.add_payload(
                &told.name,
                "what is encrypted in it has another size or checksum than delivery.json gives",
            );
        }
    }
}

/// The sender's audit chain is the signer's own.
fn checkpoint(report: &mut Report, delivery: &delivery::Document) {
    let Some(checkpoint) = &delivery.audit else {
        report.notes.push("no checkpoint of the sender's audit chain is in it".into());
        return;
    };
    report.checkpoint = Some(checkpoint.clone());
    match report.signed_by {
        Some(key) if key.signed(checkpoint) && checkpoint.stand.sha256.is_empty() => {}
        Some(_) => {
            report.add_payload(delivery::NAME, "the audit checkpoint is not signed by the key that signed the package")
        }
        // That nobody signed the package, or not rightly, is a fault of its own.
        None => {}
    }
}
