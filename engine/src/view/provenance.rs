//! From stored rows to a provenance description: one run and the runs that it called, as far as they had come at one moment.
//!
//! The same question about the same moment has the same answer, whatever happened since: what ended is taken from the log, which only
//! grows. It opens no file and writes no document; no path of the site and no name that a file had outside gets into a description.

mod attempts;
mod decisions;
mod export;
mod family;
mod known;
mod outward;
mod workflow;

use std::collections::BTreeSet;

use self::attempts::Tried;
pub use self::export::{of_delivery, of_run};
use self::family::{Family, Member};
use self::known::Known;
use self::outward::outward;
pub use self::workflow::{Text, WORKFLOW_NAME};
use crate::clock::Micros;
use crate::id::RunId;
use crate::provenance::{Artifact, Bound, Center, Delivered, Description, Engine, Person, Run};
use crate::store;
use crate::store::read::Reader;

/// Names under which no person acts: the engine, and what starts by itself.
const NOBODY: [&str; 2] = ["engine", "trigger"];

/// What is asked, and what only the asker knows.
#[derive(Clone, Debug)]
pub struct Ask {
    /// The run.
    pub run: RunId,
    /// Only what was begun and had ended by then.
    pub until_us: Micros,
    /// The delivery's id; the run's, when nothing is delivered.
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
    /// The payload but the crate's own metadata. The workflow's files ([`texts`]) are added when they are not among them.
    pub files: Vec<Delivered>,
    /// SHA-256 of artifacts that are given away beside those of `files`. Where nothing is given away at all, what the run has made so
    /// far counts as what it gives.
    pub given: Vec<String>,
}

/// Why nothing can be said.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "each variant's message says it")]
pub enum Error {
    #[error("there is no run `{0}`")]
    NoRun(RunId),
    #[error("the workflow of run {run} cannot be read by this version: {reason}")]
    Workflow { run: RunId, reason: String },
    #[error("the store cannot be read")]
    Store(#[from] store::Error),
}

/// What was done, by whom and with what.
///
/// # Errors
/// When there is no such run, or something that is stored of it cannot be read.
pub async fn description(reader: &Reader, ask: Ask) -> Result<Description, Error> {
    let family = Family::load(reader, &ask.run, ask.until_us).await?;
    let known = Known::of(&family)?;
    let tried = attempts::all(&family, &known)?;
    let decisions = decisions::all(&family);
    let main = family.main();
    let files = with_texts(ask.files, &family);
    let given = ask.given.iter().map(String::as_str);
    let by = main.submitter().map(str::to_owned);
    let people: BTreeSet<String> =
        by.iter().chain(decisions.iter().filter_map(|said| said.by.as_ref())).cloned().collect();
    let mut run = Run {
        id: main.row.run_id.to_string(),
        by,
        started_us: main.started_us(),
        ended_us: ended(main, &tried, decisions.iter().map(|said| said.at_us)),
        params: workflow::params(&family),
        inputs: known.inputs(main),
        outputs: Vec::new(),
    };
    run.inputs.extend(workflow::files_of_params(main, &known));
    run.outputs = outputs(&tried, files.iter().filter_map(|file| file.artifact.as_deref()).chain(given));
    let artifacts = spoken_of(&known, &run, &tried, &files);
    Ok(Description {
        delivery: ask.delivery,
        title: ask.title,
        description: tried.with_doubts(ask.description),
        at_us: ask.at_us,
        license: ask.license,
        center: ask.center,
        engine: ask.engine,
        workflow: workflow::workflow(&family),
        run,
        people: people.into_iter().map(|id| Person { name: id.clone(), id }).collect(),
        artifacts,
        attempts: tried.attempts,
        decisions,
        files,
    })
}

/// The workflow's file and those of the workflows that were called, as they travel in a package: bytes that the run's plan was made of.
///
/// # Errors
/// When there is no such run, or something that is stored of it cannot be read.
pub async fn texts(reader: &Reader, run: &RunId, until_us: Micros) -> Result<Vec<Text>, Error> {
    Ok(workflow::texts(&Family::load(reader, run, until_us).await?))
}

/// The payload with the workflow's files, the asker's own word first.
fn with_texts(mut files: Vec<Delivered>, family: &Family) -> Vec<Delivered> {
    for text in workflow::texts(family) {
        if !files.iter().any(|file| file.name == text.name) {
            files.push(text.delivered());
        }
    }
    files
}

fn ended(main: &Member, tried: &Tried, decided: impl Iterator<Item = Micros>) -> Micros {
    let ended = tried.attempts.iter().map(|attempt| attempt.ended_us);
    ended.chain(decided).fold(main.started_us(), Micros::max)
}

/// What is delivered of the run; of what is no delivery, whatever the newest try of each step gave and no other took.
fn outputs<'a>(tried: &Tried, delivered: impl Iterator<Item = &'a str>) -> Vec<Bound> {
    let delivered: BTreeSet<&str> = delivered.collect();
    let taken: BTreeSet<&str> =
        tried.attempts.iter().flat_map(|attempt| &attempt.used).map(|file| file.artifact.as_str()).collect();
    let mut outputs: Vec<Bound> = Vec::new();
    for attempt in tried.newest() {
        for file in &attempt.generated {
            let sha256 = file.artifact.as_str();
            let given = if delivered.is_empty() { !taken.contains(sha256) } else { delivered.contains(sha256) };
            let bound = Bound { name: format!("{}.{}", attempt.step, file.name), artifact: file.artifact.clone() };
            if given && !outputs.contains(&bound) {
                outputs.push(bound);
            }
        }
    }
    outputs
}

/// Artifacts that something speaks of, in the order of their digests.
fn spoken_of(known: &Known, run: &Run, tried: &Tried, files: &[Delivered]) -> Vec<Artifact> {
    let of_attempts = tried.attempts.iter().flat_map(|attempt| attempt.used.iter().chain(&attempt.generated));
    let bound = run.inputs.iter().chain(&run.outputs).chain(of_attempts).map(|file| file.artifact.as_str());
    let spoken: BTreeSet<&str> = bound.chain(files.iter().filter_map(|file| file.artifact.as_deref())).collect();
    spoken.into_iter().filter_map(|sha256| known.artifact(sha256)).cloned().collect()
}
