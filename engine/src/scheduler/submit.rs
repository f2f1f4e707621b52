//! Getting a submission ready, outside the loop: check, parameters, images, plans, rows. The loop only stores it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use kentai_workflows::check::{Checked, check};
use kentai_workflows::diagnostic::Diagnostic;
use kentai_workflows::plan::{Plan, Priority, Specimen, is_id, lay_out, resolve_params};
use kentai_workflows::site::Site;
use kentai_workflows::value::{FileValue, Map};
use kentai_workflows::workflow::{StepKind, Workflow};
use sha2::{Digest, Sha256};

use super::handle::{Refusal, Submit};
use super::live::{LiveStep, text};
use super::{Actor, Options};
use crate::id::{RunId, SubmissionId, fresh};
use crate::port::executor;
use crate::store::read::{Reader, RunFilter};
use crate::store::rows;

/// A submission as the loop takes it.
pub(super) struct Ready {
    pub(super) submission: rows::Submission,
    pub(super) existed: bool,
    pub(super) workflows: Vec<rows::Workflow>,
    pub(super) specimens: Vec<rows::Specimen>,
    pub(super) runs: Vec<(rows::Run, Vec<rows::Step>)>,
    /// Runs of earlier submissions that this one asks for too, and its own.
    pub(super) known: Vec<RunId>,
}

pub(super) fn specimen_row(specimen: &Specimen, source: &str, now: i64) -> rows::Specimen {
    rows::Specimen {
        specimen_id: specimen.id.clone(),
        document: text(specimen),
        source: source.to_owned(),
        created_us: now,
        updated_us: now,
    }
}

/// Checks everything and lays it out; nothing is stored.
pub(super) async fn prepare(
    submit: Submit,
    actor: &Actor,
    options: &Options,
    reader: &Reader,
) -> Result<Ready, Refusal> {
    actor.may("submit", crate::people::permission::Action::Submit)?;
    let facts = (options.facts)();
    let workflow = checked(&submit, &facts, options)?;
    let intent = intent(&submit, &workflow, options);
    if let Some(submission) = reader.submission_by_intent(&intent).await? {
        return made_before(submission, &workflow, &submit, reader).await;
    }
    let bad = |diagnostics| Refusal::Check {
        diagnostics,
        sources: BTreeMap::from([(submit.path.clone(), submit.source.clone())]),
    };
    let params = params(&workflow, &submit.params, &facts).map_err(bad)?;
    let images = images(&workflow, options).await?;
    let now = options.clock.now();
    let submission = rows::Submission {
        submission_id: SubmissionId::from(fresh("s")),
        intent,
        digest: workflow.digest.clone(),
        params: text(&params),
        images: text(&images),
        submitted_by: actor.name.clone(),
        created_us: now,
    };
    let mut ready = Ready {
        submission,
        existed: false,
        workflows: workflow_rows(&workflow, now),
        specimens: Vec::new(),
        runs: Vec::new(),
        known: Vec::new(),
    };
    let (mut wrong, mut seen) = (Vec::new(), BTreeSet::new());
    for (specimen, stamp) in &submit.specimens {
        refuse_hostile(specimen)?;
        if !seen.insert(digest(&(specimen, stamp))) {
            continue;
        }
        match lay_out(&workflow, specimen, &params) {
            Ok(plan) => add_run(&mut ready, &plan, stamp, actor, reader, now).await?,
            Err(found) => wrong.extend(found),
        }
    }
    if !wrong.is_empty() {
        return Err(bad(wrong));
    }
    Ok(ready)
}

/// A submission that was made before, with all its runs: also those that another one had made already.
async fn made_before(
    submission: rows::Submission,
    workflow: &Workflow,
    submit: &Submit,
    reader: &Reader,
) -> Result<Ready, Refusal> {
    let params: Map = serde_json::from_str(&submission.params).unwrap_or_default();
    let mut known = Vec::new();
    for (specimen, stamp) in &submit.specimens {
        let Ok(plan) = lay_out(workflow, specimen, &params) else { continue };
        let run = reader.run_by_intent(&run_intent(&plan, stamp, &submission.images)).await?;
        known.extend(run.map(|run| run.run_id));
    }
    // Another version of this program may have laid the same runs out differently: they are found as the submission's own.
    let submission_id = Some(submission.submission_id.to_string());
    let own = reader.runs(&RunFilter { submission: submission_id, limit: i64::MAX, ..RunFilter::default() }).await?;
    known.extend(own.into_iter().filter(|run| run.parent == "null").map(|run| run.run_id));
    let mut seen = BTreeSet::new();
    known.retain(|run| seen.insert(run.to_string()));
    Ok(Ready { submission, existed: true, workflows: Vec::new(), specimens: Vec::new(), runs: Vec::new(), known })
}

/// An accidental duplicate returns the run that exists: same specimen as it is now, same workflow, same parameters, same images.
fn run_intent(plan: &Plan, stamp: &str, images: &str) -> String {
    digest(&(plan, stamp, images))
}

/// The same request has the same intent: workflow, parameters, specimens, and files that are still what they were.
/// Plain processes and containers are two things to ask for: a run that was submitted without images could not go on with them.
fn intent(submit: &Submit, workflow: &Workflow, options: &Options) -> String {
    let images = !options.executors.is_empty() && !options.images_ignored();
    digest(&(&workflow.digest, &submit.called, &submit.params, &submit.specimens, images))
}

/// The submission that the same request made earlier.
pub(super) async fn find(submit: &Submit, options: &Options, reader: &Reader) -> Result<Option<SubmissionId>, Refusal> {
    let workflow = checked(submit, &(options.facts)(), options)?;
    let found = reader.submission_by_intent(&intent(submit, &workflow, options)).await?;
    Ok(found.map(|submission| submission.submission_id))
}

/// The sheet's reader has checked this; whoever speaks to the socket may not have.
pub(super) fn refuse_hostile(specimen: &Specimen) -> Result<(), Refusal> {
    if is_id(&specimen.id) {
        Ok(())
    } else {
        Err(Refusal::Bad(format!("`{}` is not a specimen id", specimen.id.escape_debug())))
    }
}

fn checked(submit: &Submit, facts: &Site, options: &Options) -> Result<Arc<Workflow>, Refusal> {
    let Submit { path, source, called, .. } = submit;
    let checked = check_text((path, source, called), facts, options);
    checked.workflow.ok_or(Refusal::Check { diagnostics: checked.diagnostics, sources: checked.sources })
}

/// Checks a workflow's text with the texts that it calls, which were sent along.
pub(super) fn check_text(
    (path, source, called): (&str, &str, &BTreeMap<String, (String, String)>),
    facts: &Site,
    options: &Options,
) -> Checked {
    let load = |name: &str| {
        let found = called.get(name).ok_or_else(|| format!("`{name}` was not sent along"))?;
        Ok((found.0.clone(), found.1.clone().into_bytes()))
    };
    // A default reference need not be here: parameters are resolved next, and they may name another.
    let mut facts = Site { references: None, images_ignored: options.images_ignored(), ..facts.clone() };
    if options.chosen {
        // It takes every step, and no other takes any.
        let first = options.executors.first().map(|post| post.name());
        for executor in facts.executors.iter_mut().flatten() {
            executor.all = Some(executor.name.as_str()) == first;
        }
        facts.executors.iter_mut().for_each(|all| all.retain(|executor| executor.all));
    }
    check(path, source.as_bytes(), &facts, &load)
}

/// Parameters with their values; files are looked at.
pub(super) fn params(
    workflow: &Workflow,
    given: &BTreeMap<String, String>,
    facts: &Site,
) -> Result<Map, Vec<Diagnostic>> {
    resolve_params(workflow, given, facts, &file)
}

fn file(path: &str) -> Result<FileValue, String> {
    let absolute = std::path::absolute(path).map_err(|error| error.to_string())?;
    let facts = std::fs::metadata(&absolute).map_err(|error| error.to_string())?;
    if !facts.is_file() {
        return Err("it is not a file".into());
    }
    let name = absolute.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let path = Some(absolute.to_string_lossy().into_owned());
    Ok(FileValue { name, path, sha256: None, size: Some(facts.len()), bundle: None, dir: false })
}

/// Every tag that the workflow (or one that it calls) names → what runs.
async fn images(workflow: &Workflow, options: &Options) -> Result<BTreeMap<String, String>, Refusal> {
    let mut names = BTreeSet::new();
    gather_images(workflow, &mut names);
    let mut locked = BTreeMap::new();
    if options.executors.is_empty() || options.images_ignored() {
        return Ok(locked);
    }
    let facts = (options.facts)();
    for name in names {
        let id = match facts.locked_images.get(&name) {
            Some(id) => id.clone(),
            None => resolve(&name, options).await?,
        };
        locked.insert(name, id);
    }
    Ok(locked)
}

/// Asks the executors that run images, in the site's order: an image need only be had somewhere, and one that is away stops nobody.
async fn resolve(name: &str, options: &Options) -> Result<String, Refusal> {
    let some = if options.chosen { 1 } else { usize::MAX };
    let mut first = None;
    for post in options.executors.iter().take(some).filter(|post| post.executor.needs_image()) {
        match post.executor.resolve(name).await {
            Ok(id) => return Ok(id),
            Err(error) => {
                first.get_or_insert(error);
            }
        }
    }
    Err(match first {
        Some(error @ (executor::Error::Image { .. } | executor::Error::Unreachable { .. })) => {
            Refusal::Unreachable(error.to_string())
        }
        Some(executor::Error::Other(reason)) => Refusal::Bad(reason),
        None => Refusal::Bad(format!("image `{name}`: this site has no executor that runs images")),
    })
}

fn gather_images(workflow: &Workflow, names: &mut BTreeSet<String>) {
    for step in &workflow.steps {
        if let StepKind::Tool(tool) = &step.kind {
            names.extend(tool.image.clone());
        }
    }
    for called in workflow.calls.values() {
        gather_images(called, names);
    }
}

fn workflow_rows(workflow: &Workflow, now: i64) -> Vec<rows::Workflow> {
    let mut rows = vec![workflow_row(workflow, now)];
    rows.extend(workflow.calls.values().flat_map(|called| workflow_rows(called, now)));
    rows
}

/// The row that keeps a workflow's text and the texts that it calls.
pub(super) fn workflow_row(workflow: &Workflow, now: i64) -> rows::Workflow {
    let mut called = BTreeMap::new();
    gather_called(workflow, &mut called);
    rows::Workflow {
        digest: workflow.digest.clone(),
        workflow_id: workflow.id.clone(),
        version: workflow.version.clone(),
        path: workflow.path.clone(),
        source: workflow.source.clone(),
        called: text(&called),
        registered: 0,
        created_us: now,
    }
}

fn gather_called(workflow: &Workflow, found: &mut BTreeMap<String, (String, String)>) {
    for (name, called) in &workflow.calls {
        found.insert(name.clone(), (called.path.clone(), called.source.clone()));
        gather_called(called, found);
    }
}

async fn add_run(
    ready: &mut Ready,
    plan: &Plan,
    stamp: &str,
    actor: &Actor,
    reader: &Reader,
    now: i64,
) -> Result<(), Refusal> {
    let intent = run_intent(plan, stamp, &ready.submission.images);
    if let Some(run) = reader.run_by_intent(&intent).await? {
        ready.known.push(run.run_id);
        return Ok(());
    }
    let run = new_run(&ready.submission.submission_id, &intent, plan, &actor.name, now);
    let steps = new_steps(&run.run_id, plan, now);
    ready.specimens.push(specimen_row(&plan.specimen, &plan.workflow, now));
    ready.known.push(run.run_id.clone());
    ready.runs.push((run, steps));
    Ok(())
}

/// The first row of a run.
pub(super) fn new_run(submission: &SubmissionId, intent: &str, plan: &Plan, by: &str, now: i64) -> rows::Run {
    rows::Run {
        run_id: RunId::from(fresh("r")),
        submission_id: submission.clone(),
        intent: intent.to_owned(),
        specimen_id: plan.specimen.id.clone(),
        digest: plan.workflow_digest.clone(),
        status: "queued".into(),
        hold: "null".into(),
        priority: match plan.specimen.priority {
            Priority::Routine => 0,
            Priority::Urgent => 1,
            Priority::Stat => 2,
        },
        parent: "null".into(),
        plan: text(plan),
        steps_left: i64::try_from(plan.steps.len()).unwrap_or(i64::MAX),
        attempts_made: 0,
        events: 1,
        submitted_by: by.to_owned(),
        created_us: now,
        updated_us: now,
        version: 1,
        order_line_id: String::new(),
        participant_id: String::new(),
    }
}

/// The first rows of a run's steps.
pub(super) fn new_steps(run: &RunId, plan: &Plan, now: i64) -> Vec<rows::Step> {
    let positions = 0_i64..;
    plan.steps
        .iter()
        .zip(positions)
        .map(|(planned, position)| LiveStep::new(planned.clone(), position).next_row(run, now))
        .collect()
}

fn digest(value: &impl serde::Serialize) -> String {
    let hash = Sha256::digest(text(value).as_bytes());
    hash.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// For places that can only say one thing.
pub(super) fn first_message(found: &[Diagnostic]) -> String {
    found.first().map_or_else(|| "it has mistakes".to_owned(), |first| first.message.en.clone())
}
