//! Provenance of one delivery: a plain description of what was done, by whom and with what, and the documents that say it. Pure.
//!
//! It knows neither rows nor files: whoever knows them fills a [`Description`]. Every text of it leaves the house, so no path of the
//! site and nothing clinical may stand in one.

mod check;
pub mod prov_json;
pub mod ro_crate;

pub use self::check::{Error, check};

use crate::clock::Micros;

/// What was done for one delivery.
#[derive(Clone, Debug, PartialEq)]
pub struct Description {
    /// The delivery's id.
    pub delivery: String,
    /// In people's words, one line.
    pub title: String,
    /// In people's words.
    pub description: String,
    /// When the package was begun.
    pub at_us: Micros,
    /// Under which terms the receiver has it: an address, or words.
    pub license: String,
    /// Who sends it.
    pub center: Center,
    /// This program.
    pub engine: Engine,
    /// What was executed.
    pub workflow: Workflow,
    /// Its execution.
    pub run: Run,
    /// Everybody who asked for something or decided something; each once.
    pub people: Vec<Person>,
    /// Every file that was read or made, delivered or not; each once.
    pub artifacts: Vec<Artifact>,
    /// Every try of every step that runs a tool, in the order in which they were planned.
    pub attempts: Vec<Attempt>,
    /// What gates and people said, oldest first.
    pub decisions: Vec<Decision>,
    /// Everything in the payload but the crate's own metadata, the workflow's file and the documents included.
    pub files: Vec<Delivered>,
}

/// The sending center.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Center {
    /// In people's words.
    pub name: String,
    /// Its page.
    pub url: Option<String>,
}

/// The program that decided what to start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Engine {
    /// Version.
    pub version: String,
    /// Where it is found.
    pub url: String,
}

/// A workflow version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Workflow {
    /// Id.
    pub id: String,
    /// Version, as its author wrote it; may be empty.
    pub version: String,
    /// In people's words.
    pub title: String,
    /// Name of its file in the payload: one of [`Description::files`].
    pub file: String,
    /// In the file's order.
    pub steps: Vec<Step>,
}

/// One node of the workflow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// Id.
    pub id: String,
    /// In people's words.
    pub title: String,
    /// It runs a tool in an attempt; else the engine does it itself (receive, gate, approve, hand-off).
    pub tool: bool,
}

/// One execution of the workflow.
#[derive(Clone, Debug, PartialEq)]
pub struct Run {
    /// Id.
    pub id: String,
    /// Who asked for it: one of [`Description::people`]; nobody when it was asked for by a rule of the center.
    pub by: Option<String>,
    /// When its first step started.
    pub started_us: Micros,
    /// When the last thing before this delivery ended.
    pub ended_us: Micros,
    /// Parameters.
    pub params: Vec<Param>,
    /// The specimen's files, by the names that the workflow gives them.
    pub inputs: Vec<Bound>,
    /// What is delivered of it, by the names that the workflow gives them.
    pub outputs: Vec<Bound>,
}

/// A parameter that is no file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Param {
    /// Name.
    pub name: String,
    /// What kind of value it is.
    pub kind: ParamKind,
    /// As text; a reference bundle by its name and version.
    pub value: String,
}

/// The kinds of values that schema.org has names for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are schema.org's")]
pub enum ParamKind {
    Text,
    Integer,
    Float,
    Boolean,
}

/// A file under the name by which a tool or workflow takes or gives it. A list is the same name several times.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bound {
    /// Name of the input or output.
    pub name: String,
    /// SHA-256 of one of [`Description::artifacts`].
    pub artifact: String,
}

/// One try of one step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// Id.
    pub id: String,
    /// The concrete step: `trim/L001`.
    pub key: String,
    /// The workflow's step: `trim`.
    pub step: String,
    /// Of this concrete step, from 1, rounds counted on.
    pub number: u32,
    /// Executor's name.
    pub executor: String,
    /// What it ran in; none for a plain process.
    pub image: Option<Image>,
    /// When the tool started; when the attempt was planned, where no tool did.
    pub started_us: Micros,
    /// When it ended.
    pub ended_us: Micros,
    /// How it ended.
    pub outcome: Outcome,
    /// What it was given.
    pub used: Vec<Bound>,
    /// What it gave; nothing unless it completed.
    pub generated: Vec<Bound>,
    /// Processor time.
    pub cpu_ms: Option<u64>,
    /// Largest resident set of one process.
    pub max_rss_bytes: Option<u64>,
}

/// How an attempt ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Its outputs are the step's outputs.
    Completed,
    /// Why not, as a sentence: the cause, or that somebody ended it.
    Failed(String),
}

/// A tool image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Image {
    /// As the workflow names it, with or without registry and tag: `registry.example/kentai/seqtools:1`.
    pub name: String,
    /// Lowercase hex: of its manifest, or its id where it came from no registry.
    pub sha256: String,
}

/// A file by its content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Artifact {
    /// Lowercase hex; of the manifest for a directory.
    pub sha256: String,
    /// As whoever made it named it.
    pub name: String,
    /// Bytes.
    pub size_bytes: u64,
    /// It is a directory.
    pub directory: bool,
    /// Media type of a file; empty when nobody declared one.
    pub format: String,
}

/// A file of the payload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivered {
    /// Path beneath `data/`.
    pub name: String,
    /// Bytes, as it lies there.
    pub size_bytes: u64,
    /// Lowercase hex, as it lies there.
    pub sha256: String,
    /// Media type.
    pub format: String,
    /// In people's words; may be empty.
    pub description: String,
    /// SHA-256 of the artifact that it is or, encrypted, holds; none for documents.
    pub artifact: Option<String>,
}

/// A person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    /// As the center knows them.
    pub id: String,
    /// As they are called.
    pub name: String,
}

/// Something was judged.
#[derive(Clone, Debug, PartialEq)]
pub struct Decision {
    /// The concrete step that asked.
    pub key: String,
    /// The workflow's step.
    pub step: String,
    /// Who: one of [`Description::people`]; none when the engine compared values with criteria.
    pub by: Option<String>,
    /// What was said: `pass`, `release`, `approve` …
    pub verdict: String,
    /// Why.
    pub reason: String,
    /// When.
    pub at_us: Micros,
    /// Values that it rests on.
    pub values: Vec<Measured>,
}

/// A value and what it was held to.
#[derive(Clone, Debug, PartialEq)]
pub struct Measured {
    /// Metric.
    pub metric: String,
    /// The number; absent when nobody measured it.
    pub value: Option<f64>,
    /// Unit; may be empty.
    pub unit: String,
    /// The criterion, `>= 0.85`; may be empty.
    pub wanted: String,
    /// What it amounts to.
    pub verdict: String,
}

impl Engine {
    /// This program.
    #[must_use]
    pub fn this() -> Self {
        Self { version: env!("CARGO_PKG_VERSION").into(), url: env!("CARGO_PKG_REPOSITORY").into() }
    }
}

impl Image {
    /// Registry, name and tag of its name. What has no `.` or `:` in its first part names no registry (the reference grammar of the
    /// OCI distribution specification).
    #[must_use]
    pub fn parts(&self) -> (Option<&str>, &str, Option<&str>) {
        let plain = self.name.split('@').next().unwrap_or_default();
        let (registry, rest) = match plain.split_once('/') {
            Some((first, rest)) if first.contains(['.', ':']) || first == "localhost" => (Some(first), rest),
            _ => (None, plain),
        };
        rest.split_once(':').map_or((registry, rest, None), |(name, tag)| (registry, name, Some(tag)))
    }
}

#[cfg(test)]
pub(crate) mod example;
