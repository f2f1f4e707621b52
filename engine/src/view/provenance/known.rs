//! Artifacts by their checksum, and which one lay at a place when a tool was given it. A file's name from outside is not told: whoever
//! sent it may have put a person's name into it.

use std::collections::BTreeMap;
use std::path::Path;

use kentai_workflows::value::{FileValue, Value};
use serde::Deserialize;

use super::family::{Family, Member};
use super::{Error, outward};
use crate::clock::Micros;
use crate::port::collect::{Expected, Made};
use crate::provenance::{Artifact, Bound};
use crate::view::document;

/// What the log says of files.
pub(super) struct Known {
    artifacts: BTreeMap<String, Artifact>,
    received: Vec<Received>,
}

/// A file of a specimen as its `receive` step found it.
struct Received {
    at_us: Micros,
    path: String,
    sha256: String,
    size_bytes: u64,
}

#[derive(Deserialize)]
struct Found {
    sha256: String,
    size: u64,
}

impl Known {
    pub(super) fn of(family: &Family) -> Result<Self, Error> {
        let mut known = Self { artifacts: BTreeMap::new(), received: Vec::new() };
        for member in family.everybody() {
            for (event, files) in member.told::<BTreeMap<String, Found>>("step_succeeded", "files") {
                known.received.extend(files.into_iter().map(|(path, found)| Received {
                    at_us: event.at_us,
                    path,
                    sha256: found.sha256,
                    size_bytes: found.size,
                }));
            }
        }
        // What came in is named before what was made: a file that both are keeps its neutral name.
        for member in family.everybody() {
            for (place, file) in files(member) {
                known.name_input(&place, &file);
            }
        }
        for member in family.everybody() {
            known.add_made(member)?;
        }
        Ok(known)
    }

    fn add_made(&mut self, member: &Member) -> Result<(), Error> {
        for (event, made) in member.told::<Vec<Made>>("attempt_committed", "made") {
            let attempt = member.attempts.iter().find(|attempt| attempt.attempt_id.as_str() == event.subject);
            let expected: Vec<Expected> =
                attempt.map_or_else(|| Ok(Vec::new()), |attempt| document("declared outputs", &attempt.expected))?;
            for one in made {
                let declared = expected.iter().find(|output| output.name == one.output);
                let format = declared.and_then(|output| output.format.as_deref()).map_or("", media_type);
                self.artifacts.entry(one.sha256.clone()).or_insert_with(|| Artifact {
                    sha256: one.sha256,
                    name: outward(&one.name),
                    size_bytes: one.size,
                    directory: one.dir,
                    format: format.to_owned(),
                });
            }
        }
        Ok(())
    }

    fn name_input(&mut self, place: &str, file: &FileValue) {
        let Some(path) = &file.path else { return };
        let ending = ending(&file.name);
        for received in self.received.iter().filter(|received| received.path == *path) {
            self.artifacts.entry(received.sha256.clone()).or_insert_with(|| Artifact {
                sha256: received.sha256.clone(),
                name: format!("{place}{ending}"),
                size_bytes: received.size_bytes,
                directory: false,
                format: media_type(ending.trim_start_matches('.')).to_owned(),
            });
        }
    }

    pub(super) fn artifact(&self, sha256: &str) -> Option<&Artifact> {
        self.artifacts.get(sha256)
    }

    /// The artifact that lay at a path at that moment: one that was made, by its place in the store, or one as it was last received.
    pub(super) fn at(&self, path: &Path, moment: Micros) -> Option<&str> {
        let received = self.received.iter().filter(|received| Path::new(&received.path) == path);
        let newest = received.filter(|received| received.at_us <= moment).max_by_key(|received| received.at_us);
        newest.map(|received| received.sha256.as_str()).or_else(|| self.stored_at(path))
    }

    fn stored_at(&self, path: &Path) -> Option<&str> {
        let name = path.file_name()?.to_str()?;
        let kind = path.parent()?.parent()?.file_name()?;
        let (sha256, _) = self.artifacts.get_key_value(name).filter(|_| kind == "sha256" || kind == "tree")?;
        Some(sha256)
    }

    /// The specimen's files, by the names that the workflow gives them.
    pub(super) fn inputs(&self, member: &Member) -> Vec<Bound> {
        let mut inputs = Vec::new();
        for (name, value) in &member.plan.specimen.values {
            let mut found = Vec::new();
            walk(value, name, name, &mut found);
            for (name, _, file) in found {
                let path = file.path.as_deref().map(Path::new);
                if let Some(sha256) = path.and_then(|path| self.at(path, Micros::MAX)) {
                    inputs.push(Bound { name, artifact: sha256.to_owned() });
                }
            }
        }
        inputs
    }
}

/// Every file of a specimen with its neutral name: `lanes.L001.r1`.
fn files(member: &Member) -> Vec<(String, FileValue)> {
    let mut found = Vec::new();
    for (name, value) in &member.plan.specimen.values {
        walk(value, name, name, &mut found);
    }
    found.into_iter().map(|(_, place, file)| (place, file)).collect()
}

/// Files with the workflow's name (`lanes.r1`) and with that of their place in it (`lanes.L001.r1`).
fn walk(value: &Value, name: &str, place: &str, found: &mut Vec<(String, String, FileValue)>) {
    if let Some(file) = FileValue::of(value) {
        return found.push((name.to_owned(), place.to_owned(), file));
    }
    match value {
        Value::Array(items) => {
            for (item, number) in items.iter().zip(1..) {
                let id = item.get("id").and_then(Value::as_str).map_or_else(|| number.to_string(), str::to_owned);
                walk(item, name, &format!("{place}.{id}"), found);
            }
        }
        Value::Object(fields) => {
            for (field, value) in fields {
                walk(value, &format!("{name}.{field}"), &format!("{place}.{field}"), found);
            }
        }
        _ => {}
    }
}

/// `.fastq.gz`, `.bam`; whatever else stands behind a dot may be part of a person's name.
fn ending(name: &str) -> &'static str {
    const KNOWN: [&str; 16] = [
        ".fastq.gz",
        ".fq.gz",
        ".fastq",
        ".fq",
        ".bam",
        ".cram",
        ".vcf.gz",
        ".vcf",
        ".bcf",
        ".bed",
        ".fa",
        ".fasta",
        ".json",
        ".csv",
        ".tsv",
        ".txt",
    ];
    KNOWN.into_iter().find(|ending| name.ends_with(ending)).unwrap_or("")
}

/// Of the language's formats; empty for what has none of its own.
fn media_type(format: &str) -> &'static str {
    match format {
        "vcf.gz" | "fastq.gz" | "fq.gz" => "application/gzip",
        "json" => "application/json",
        "text" | "txt" => "text/plain",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::ending;

    #[test]
    fn of_a_name_from_outside_only_its_kind_is_told() {
        for (name, told) in [
            ("yamada_taro_L001_R1.fastq.gz", ".fastq.gz"),
            ("x.bam", ".bam"),
            ("yamada.taro", ""),
            ("x.yamada.fq", ".fq"),
            ("none", ""),
        ] {
            assert_eq!(ending(name), told, "{name}");
        }
    }
}
