//! A specimen at the door: its record is complete, its files are there, whole, and what the sheet promised.

use std::io::Read as _;
use std::path::Path;

use kentai_workflows::plan::{Promised, Specimen};
use kentai_workflows::value::{FileValue, Map, Value};
use kentai_workflows::workflow::{Receive, Requirement, StepKind};
use md5::Md5;
use serde_json::json;
use sha2::{Digest, Sha256};

use crate::scheduler::live::LiveRun;

pub(in crate::scheduler) struct Work {
    specimen: Specimen,
    receive: Receive,
}

/// What was found: every file with its size and SHA-256.
pub(in crate::scheduler) type Found = Map;

impl Work {
    pub(in crate::scheduler) fn of(run: &LiveRun, index: usize) -> Self {
        let receive = match &run.definition(index).kind {
            StepKind::Receive(receive) => receive.clone(),
            _ => Receive { require: Vec::new(), use_scope: None },
        };
        Self { specimen: run.plan.specimen.clone(), receive }
    }

    /// Checks everything; all that is wrong at once. Blocking: it reads every file.
    pub(in crate::scheduler) fn done(&self) -> Result<Found, String> {
        let mut wrong = self.record();
        let mut files = Vec::new();
        for value in self.specimen.values.values() {
            collect(value, &mut files);
        }
        let mut found = Found::new();
        for file in &files {
            match self.file(file) {
                Ok((path, sha256, size)) => {
                    found.insert(path, json!({ "sha256": sha256, "size": size }));
                }
                Err(reason) => wrong.push(reason),
            }
        }
        if wrong.is_empty() { Ok(found) } else { Err(wrong.join("; ")) }
    }

    fn record(&self) -> Vec<String> {
        let needs = |requirement| self.receive.require.contains(&requirement);
        let mut wrong = Vec::new();
        match (&self.specimen.consent, &self.receive.use_scope) {
            (None, scope) if scope.is_some() || needs(Requirement::Consent) => {
                wrong.push(format!(
                    "no consent is recorded for {}: fill the sheet's column `consent`",
                    self.specimen.id
                ));
            }
            (Some(consent), Some(scope)) if !consent.scopes.contains(scope) => {
                wrong.push(format!("consent {} covers {}, not `{scope}`", consent.record, consent.scopes.join(", ")));
            }
            _ => {}
        }
        if needs(Requirement::Specimen) && self.specimen.id.is_empty() {
            wrong.push("the specimen has no id".into());
        }
        wrong
    }

    fn file(&self, file: &FileValue) -> Result<(String, String, u64), String> {
        let path = file.path.clone().unwrap_or_default();
        let promised: Vec<&Promised> =
            self.specimen.checksums.iter().filter(|promised| promised.path == path).collect();
        if promised.is_empty() && self.receive.require.contains(&Requirement::Checksums) {
            return Err(format!("the sheet promises no checksum for {path}"));
        }
        let sums = sums(Path::new(&path), promised.iter().any(|promised| promised.algorithm == "md5"))
            .map_err(|error| format!("{path}: {error}"))?;
        if let Some(size) = file.size
            && size != sums.size
        {
            return Err(format!("{path} had {size} bytes when it was submitted and has {} now", sums.size));
        }
        for promise in promised {
            let real = if promise.algorithm == "md5" { &sums.md5 } else { &sums.sha256 };
            if *real != promise.hex {
                return Err(format!("{path}: its {} is {real}, the sheet promised {}", promise.algorithm, promise.hex));
            }
        }
        Ok((path, sums.sha256, sums.size))
    }
}

fn collect(value: &Value, files: &mut Vec<FileValue>) {
    if let Some(file) = FileValue::of(value) {
        files.push(file);
        return;
    }
    match value {
        Value::Array(items) => items.iter().for_each(|item| collect(item, files)),
        Value::Object(fields) => fields.values().for_each(|field| collect(field, files)),
        _ => {}
    }
}

struct Sums {
    sha256: String,
    md5: String,
    size: u64,
}

fn sums(path: &Path, with_md5: bool) -> std::io::Result<Sums> {
    let mut file = std::fs::File::open(path)?;
    let (mut sha256, mut md5, mut size) = (Sha256::new(), Md5::new(), 0);
    let mut buffer = vec![0; 1 << 16];
    loop {
        let n = file.read(&mut buffer)?;
        if n == 0 {
            break;
        }
        sha256.update(&buffer[..n]);
        if with_md5 {
            md5.update(&buffer[..n]);
        }
        size += n as u64;
    }
    Ok(Sums { sha256: hex(&sha256.finalize()), md5: hex(&md5.finalize()), size })
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Fills what was found into a specimen's values: later steps and packages know the files by content.
pub(in crate::scheduler) fn fill(value: &mut Value, found: &Found) {
    if let Some(mut file) = FileValue::of(value) {
        let facts = file.path.as_ref().and_then(|path| found.get(path));
        if let Some(facts) = facts {
            file.sha256 = facts["sha256"].as_str().map(str::to_owned);
            file.size = facts["size"].as_u64();
            *value = file.to_value();
        }
        return;
    }
    match value {
        Value::Array(items) => items.iter_mut().for_each(|item| fill(item, found)),
        Value::Object(fields) => fields.iter_mut().for_each(|(_, field)| fill(field, found)),
        _ => {}
    }
}
