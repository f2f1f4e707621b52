//! Does a description speak only of what it describes? A document with a link to nothing would be worse than none.

use std::collections::BTreeSet;

use super::{Bound, Description};

/// Why a description cannot be written down.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "each variant's message says it")]
pub enum Error {
    #[error("no tool was run, so there is no provenance run to describe")]
    NothingRan,
    #[error("{what} speaks of {kind} `{id}`, which is not described")]
    Unknown { what: String, kind: &'static str, id: String },
    #[error("{kind} `{id}` is described twice")]
    Twice { kind: &'static str, id: String },
    #[error("the crate's own metadata is described as a file of it")]
    Itself,
    #[error("a file cannot be called so: {0}")]
    Name(#[from] crate::handoff::name::Error),
}

/// Is everything there that is spoken of, and once?
///
/// # Errors
/// The first link to nothing, the first thing that is described twice, or that no attempt is described (Provenance Run Crate 0.5
/// demands a tool that was run).
pub fn check(description: &Description) -> Result<(), Error> {
    let people = once("person", description.people.iter().map(|person| person.id.as_str()))?;
    let steps = once("step", description.workflow.steps.iter().map(|step| step.id.as_str()))?;
    let artifacts = once("artifact", description.artifacts.iter().map(|artifact| artifact.sha256.as_str()))?;
    let files = once("file", description.files.iter().map(|file| file.name.as_str()))?;
    once("attempt", description.attempts.iter().map(|attempt| attempt.id.as_str()))?;
    crate::handoff::name::check_all(description.files.iter().map(|file| file.name.as_str()))?;
    if files.contains(super::ro_crate::NAME) {
        return Err(Error::Itself);
    }
    if description.attempts.is_empty() {
        return Err(Error::NothingRan);
    }
    let run = &description.run;
    let speaker = || format!("run {}", run.id);
    known(speaker, "person", &people, run.by.as_deref())?;
    known(speaker, "artifact", &artifacts, bound(&run.inputs).chain(bound(&run.outputs)))?;
    known(|| "the workflow".into(), "file", &files, [description.workflow.file.as_str()])?;
    for attempt in &description.attempts {
        let speaker = || format!("attempt {}", attempt.id);
        known(speaker, "step", &steps, [attempt.step.as_str()])?;
        known(speaker, "artifact", &artifacts, bound(&attempt.used).chain(bound(&attempt.generated)))?;
    }
    for decision in &description.decisions {
        let speaker = || format!("the decision about {}", decision.key);
        known(speaker, "step", &steps, [decision.step.as_str()])?;
        known(speaker, "person", &people, decision.by.as_deref())?;
    }
    for file in &description.files {
        known(|| format!("file {}", file.name), "artifact", &artifacts, file.artifact.as_deref())?;
    }
    Ok(())
}

fn bound(files: &[Bound]) -> impl Iterator<Item = &str> {
    files.iter().map(|file| file.artifact.as_str())
}

fn once<'a>(kind: &'static str, ids: impl Iterator<Item = &'a str>) -> Result<BTreeSet<&'a str>, Error> {
    let mut seen = BTreeSet::new();
    for id in ids {
        if !seen.insert(id) {
            return Err(Error::Twice { kind, id: id.to_owned() });
        }
    }
    Ok(seen)
}

fn known<'a>(
    what: impl Fn() -> String,
    kind: &'static str,
    described: &BTreeSet<&str>,
    ids: impl IntoIterator<Item = &'a str>,
) -> Result<(), Error> {
    let lost = ids.into_iter().find(|id| !described.contains(id));
    lost.map_or(Ok(()), |id| Err(Error::Unknown { what: what(), kind, id: id.to_owned() }))
}
