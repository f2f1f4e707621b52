//! Tries of tools: what each ran in, was given, gave, and how it ended, told from the log and the stored task.

use std::collections::{BTreeMap, BTreeSet};

use kentai_workflows::value::{FileValue, Value};
use kentai_workflows::workflow::StepKind;
use serde::Deserialize;

use super::Error;
use super::family::{Family, Member};
use super::known::Known;
use crate::clock::Micros;
use crate::exit_record::ExitRecord;
use crate::port::collect::Made;
use crate::port::executor::Task;
use crate::provenance::{Attempt, Bound, Image, Outcome};
use crate::store::rows;
use crate::view::document;

/// What was tried.
pub(super) struct Tried {
    /// In the order in which they were planned.
    pub(super) attempts: Vec<Attempt>,
    /// Files that were used and have no checksum: no step of their workflow looked at them when they came.
    unknown: usize,
}

/// The stored evidence, as far as it is told.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Evidence {
    record: Option<ExitRecord>,
}

impl Tried {
    /// The newest try of each concrete step.
    pub(super) fn newest(&self) -> impl Iterator<Item = &Attempt> {
        let newest: BTreeMap<&str, &str> =
            self.attempts.iter().map(|attempt| (attempt.key.as_str(), attempt.id.as_str())).collect();
        self.attempts.iter().filter(move |attempt| newest.get(attempt.key.as_str()) == Some(&attempt.id.as_str()))
    }

    /// The text, and what this provenance cannot say.
    pub(super) fn with_doubts(&self, text: String) -> String {
        match self.unknown {
            0 => text,
            number => format!(
                "{text} {number} input(s) are not named: no step of the workflow received them, so their checksums are not known."
            ),
        }
    }
}

/// Every try that had ended, of every run of the family.
pub(super) fn all(family: &Family, known: &Known) -> Result<Tried, Error> {
    let mut planned = Vec::new();
    let mut unknown = BTreeSet::new();
    for member in &family.members {
        let bundles = bundles(member);
        for row in &member.attempts {
            let Some(end) = End::of(member, row) else { continue };
            let task: Task = document("a task", &row.task)?;
            let (used, lost) = used(&task, row.created_us, known, &bundles);
            unknown.extend(lost);
            planned.push((row.created_us, counter(row), attempt(member, row, &task, end, used)));
        }
    }
    planned.sort_by_key(|one| (one.0, one.1));
    let mut counted: BTreeMap<String, u32> = BTreeMap::new();
    let mut attempts: Vec<Attempt> = planned.into_iter().map(|(.., attempt)| attempt).collect();
    for attempt in &mut attempts {
        let number = counted.entry(attempt.key.clone()).or_insert(0);
        *number += 1;
        attempt.number = *number;
    }
    Ok(Tried { attempts, unknown: unknown.len() })
}

/// `7` of `r…-7`: in the order in which a run's attempts were planned.
fn counter(row: &rows::Attempt) -> u64 {
    row.attempt_id.as_str().rsplit('-').next().and_then(|number| number.parse().ok()).unwrap_or(0)
}

fn attempt(member: &Member, row: &rows::Attempt, task: &Task, end: End, used: Vec<Bound>) -> Attempt {
    // Evidence may come from an older version or be absent: then the log's times count.
    let evidence: Evidence = serde_json::from_str(&row.evidence).unwrap_or_default();
    let record = evidence.record.filter(|_| end.told_by_record);
    let key = row.step_key.as_str();
    let step = key.split_once('/').map_or(key, |(step, _)| step);
    Attempt {
        id: row.attempt_id.to_string(),
        key: format!("{}{key}", member.keys),
        step: format!("{}{step}", member.steps),
        number: 0,
        executor: row.executor.clone(),
        image: image(member, step, task),
        started_us: record.as_ref().map_or(row.created_us, |record| record.started_us),
        ended_us: record.as_ref().map_or(end.at_us, |record| record.ended_us),
        outcome: outcome(&end, row, record.as_ref()),
        used,
        generated: end.generated,
        cpu_ms: record.as_ref().map(|record| record.cpu_ms),
        max_rss_bytes: record.as_ref().map(|record| record.max_rss_bytes),
    }
}

/// How the log says that an attempt ended.
struct End {
    at_us: Micros,
    kind: &'static str,
    generated: Vec<Bound>,
    /// A tool ran to its end: what its witness saw is told.
    told_by_record: bool,
}

impl End {
    fn of(member: &Member, row: &rows::Attempt) -> Option<Self> {
        const ENDS: [&str; 4] = ["attempt_committed", "attempt_failed", "attempt_canceled", "attempt_quarantined"];
        let of_it = member.events.iter().filter(|event| event.subject == row.attempt_id.as_str());
        let (event, kind) =
            of_it.filter_map(|event| Some((event, *ENDS.iter().find(|kind| **kind == event.kind)?))).next_back()?;
        let made: Vec<Made> = event.body.get("made").and_then(|made| Vec::deserialize(made).ok()).unwrap_or_default();
        let generated = made.into_iter().map(|one| Bound { name: one.output, artifact: one.sha256 }).collect();
        let told_by_record = kind == "attempt_committed" || kind == "attempt_failed";
        Some(Self { at_us: event.at_us, kind, generated, told_by_record })
    }
}

/// In words of ours: what a tool or an executor said may hold paths, and worse.
fn outcome(end: &End, row: &rows::Attempt, record: Option<&ExitRecord>) -> Outcome {
    let how = match record {
        _ if end.kind == "attempt_committed" => return Outcome::Completed,
        _ if end.kind == "attempt_canceled" => return Outcome::Failed("canceled: somebody asked for its end".into()),
        _ if end.kind == "attempt_quarantined" => {
            return Outcome::Failed("quarantined: what was found contradicts what was known".into());
        }
        Some(ExitRecord { timed_out: true, .. }) => "it was ended when its time was over".to_owned(),
        Some(ExitRecord { oom_kills: 1.., .. }) => "it was ended for want of memory".to_owned(),
        Some(ExitRecord { exit_code: Some(0), .. }) => "the tool ended well, and what it made was not taken".to_owned(),
        Some(ExitRecord { exit_code: Some(code), .. }) => format!("the tool ended with exit code {code}"),
        Some(ExitRecord { signal: Some(signal), .. }) => format!("the tool was ended by signal {signal}"),
        _ => "there is no record of an end".to_owned(),
    };
    Outcome::Failed(format!("{}: {how}", row.cause))
}

fn image(member: &Member, step: &str, task: &Task) -> Option<Image> {
    let named = member.workflow.step(step).and_then(|step| match &step.kind {
        StepKind::Tool(tool) => tool.image.as_deref(),
        _ => None,
    });
    locked(task.image.as_deref()?, named, &member.images)
}

/// By the name that the workflow gives it, which a locked digest does not have.
fn locked(image: &str, named: Option<&str>, images: &BTreeMap<String, String>) -> Option<Image> {
    let (own, sha256) = image.rsplit_once("sha256:")?;
    let own = own.trim_end_matches('@');
    let named = named.filter(|name| images.get(*name).is_some_and(|locked| locked == image));
    Some(Image { name: named.unwrap_or(own).to_owned(), sha256: sha256.to_owned() })
}

/// What a task was given, and the places of what nobody knows the content of. Reference bundles are told as parameters.
fn used(task: &Task, at_us: Micros, known: &Known, bundles: &BTreeSet<String>) -> (Vec<Bound>, Vec<String>) {
    let (mut used, mut lost) = (Vec::new(), Vec::new());
    for mount in &task.mounts {
        let source = mount.source.to_string_lossy().into_owned();
        if bundles.contains(&source) {
            continue;
        }
        match known.at(&mount.source, at_us) {
            Some(sha256) => {
                used.push(Bound { name: name(task, &mount.target.to_string_lossy()), artifact: sha256.to_owned() });
            }
            None => lost.push(source),
        }
    }
    used.sort_by(|one, other| (&one.name, &one.artifact).cmp(&(&other.name, &other.artifact)));
    (used, lost)
}

/// The input under which a tool is given a file: the variable that names it, else the argument's place.
fn name(task: &Task, target: &str) -> String {
    let ending = format!("/in/{target}");
    let speaks = |text: &str| text.split('\n').any(|line| line.ends_with(&ending));
    let variables = || task.env.iter().filter(|(_, text)| speaks(text)).map(|(name, _)| name.as_str());
    let input = variables().find_map(|name| name.strip_prefix("in_"));
    let looped = || variables().find_map(|name| name.strip_prefix("each_"));
    let argument = || task.argv.iter().position(|text| speaks(text)).map(|place| format!("argument_{place}"));
    let named = input.or_else(looped).or_else(|| variables().next()).map(str::to_owned);
    named.or_else(argument).unwrap_or_else(|| "input".to_owned())
}

/// Directories of the reference bundles that a run's parameters name.
fn bundles(member: &Member) -> BTreeSet<String> {
    fn walk(value: &Value, found: &mut BTreeSet<String>) {
        match (FileValue::of(value), value) {
            (Some(file), _) => found.extend(file.bundle),
            (None, Value::Object(fields)) => fields.values().for_each(|field| walk(field, found)),
            (None, Value::Array(items)) => items.iter().for_each(|item| walk(item, found)),
            _ => {}
        }
    }
    let mut found = BTreeSet::new();
    member.plan.params.values().for_each(|value| walk(value, &mut found));
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_image_has_the_workflows_name_and_the_digest_that_ran() {
        let images = BTreeMap::from([("kentai/seqtools:1".to_owned(), "sha256:ab".to_owned())]);
        let told =
            |image: &str, named: Option<&str>| locked(image, named, &images).map(|image| (image.name, image.sha256));
        let pair = |name: &str, sha256: &str| Some((name.to_owned(), sha256.to_owned()));
        assert_eq!(told("sha256:ab", Some("kentai/seqtools:1")), pair("kentai/seqtools:1", "ab"));
        // What ran was not what this name is locked to: the name would be a lie.
        assert_eq!(told("x.example/y@sha256:cd", Some("kentai/seqtools:1")), pair("x.example/y", "cd"));
        assert_eq!(told("kentai/seqtools:1", Some("kentai/seqtools:1")), None);
    }

    #[test]
    fn a_file_has_the_name_of_the_input_that_it_was_given_as() {
        let task = |env: &[(&str, &str)], argv: &[&str]| {
            let env: BTreeMap<&str, &str> = env.iter().copied().collect();
            let task = serde_json::json!({ "attempt": "r1-1", "site": "s", "run": "r1", "step": "a", "epoch": 1, "directory": "/s/attempts/r1-1",
                "image": null, "argv": argv, "env": env, "mounts": [], "secrets": [], "cpus": 1, "memory_bytes": 0, "disk_bytes": 0,
                "network": false, "timeout_s": 0, "grace_s": 1, "nonce": "n", "digest": "", "log_bytes_max": 1 });
            serde_json::from_value::<Task>(task).expect("a task")
        };
        let env =
            [("in_reads", "/s/in/a.fq\n/s/in/reads/1/b.fq"), ("in_x", "/s/in/xa.fq"), ("each_lane", "/s/in/c.fq")];
        let given = task(&env, &["cat", "/s/in/d.fq"]);
        for (target, told) in [("a.fq", "reads"), ("reads/1/b.fq", "reads"), ("c.fq", "lane"), ("d.fq", "argument_1")] {
            assert_eq!(name(&given, target), told);
        }
        // A name from outside is never told for want of a better one.
        assert_eq!(name(&given, "yamada.fq"), "input");
    }
}
