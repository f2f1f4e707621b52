//! What must hold of every site at any moment, read from its database and its files.
//!
//! The fold uses the engine's own `next`: that the stored status is what the log of events says, and not that `next` is right,
//! is what is looked at here.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use kentai_engine::state::{attempt, run, step};
use kentai_engine::store::pool::Pool;
use kentai_engine::store::read::{Reader, RunFilter};
use kentai_engine::store::rows;
use kentai_workflows::plan::Plan;

use crate::tool;

/// Checks the whole site; nothing may be running on it.
///
/// # Errors
/// The first invariant that does not hold.
pub fn check(site: &Path) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let reader = Reader::new(Pool::open_read_only(&site.join("kentai.db")).await?);
        let runs = reader.runs(&RunFilter { limit: i64::MAX, ..RunFilter::default() }).await?;
        ensure!(!runs.is_empty(), "a site without a run proves nothing");
        for run in runs {
            check_run(&reader, &run).await.with_context(|| format!("run {}", run.run_id))?;
        }
        artifacts(site)
    })
}

async fn check_run(reader: &Reader, row: &rows::Run) -> Result<()> {
    let id = row.run_id.as_str();
    let events = reader.events(id).await?;
    let steps = reader.steps(id).await?;
    let attempts = reader.attempts(id).await?;
    for (event, n) in events.iter().zip(1..) {
        ensure!(event.n == n, "its events have a gap before {}", event.n);
    }
    let folded = fold(&events)?;
    ensure!(folded.run.word() == row.status, "its events say {}, its row {}", folded.run, row.status);
    for step in &steps {
        let said = folded.steps.get(step.step_key.as_str()).copied().unwrap_or(step::Status::Waiting);
        ensure!(said.word() == step.status, "step {}: its events say {said}, its row {}", step.step_key, step.status);
    }
    for attempt in &attempts {
        let said = folded.attempts.get(attempt.attempt_id.as_str()).copied().context("an attempt without events")?;
        ensure!(said.word() == attempt.status, "attempt {}: {said} or {}", attempt.attempt_id, attempt.status);
        let committed = attempts.iter().filter(|other| {
            other.step_key == attempt.step_key && other.round == attempt.round && other.status == "committed"
        });
        ensure!(committed.count() <= 1, "step {} has two committed attempts", attempt.step_key);
    }
    in_order(row, &events)
}

struct Folded {
    run: run::Status,
    steps: BTreeMap<String, step::Status>,
    attempts: BTreeMap<String, attempt::Status>,
}

fn fold(events: &[rows::Event]) -> Result<Folded> {
    let mut folded = Folded { run: run::Status::Queued, steps: BTreeMap::new(), attempts: BTreeMap::new() };
    for event in events {
        if let Some(kind) = run::Event::parse(&event.kind) {
            folded.run = folded.run.next(kind)?;
        } else if let Some(kind) = step::Event::parse(&event.kind) {
            let status = folded.steps.entry(event.subject.clone()).or_insert(step::Status::Waiting);
            *status = status.next(kind)?;
        } else if let Some(kind) = attempt::Event::parse(&event.kind) {
            let status = folded.attempts.entry(event.subject.clone()).or_insert(attempt::Status::Planned);
            *status = status.next(kind)?;
        }
    }
    Ok(folded)
}

/// No step started before whatever it needs was done.
fn in_order(row: &rows::Run, events: &[rows::Event]) -> Result<()> {
    let plan: Plan = serde_json::from_str(&row.plan)?;
    let first = |kind: &str, key: &str| events.iter().position(|event| event.kind == kind && event.subject == key);
    for planned in &plan.steps {
        let Some(started) = first("step_started", &planned.key) else { continue };
        for need in &planned.needs {
            let done = first("step_succeeded", need).or_else(|| first("step_skipped", need));
            ensure!(done.is_some_and(|done| done < started), "{} started before {need} was done", planned.key);
        }
    }
    Ok(())
}

/// Every artifact that the database knows is there and has its checksum, says `sha256sum`.
fn artifacts(site: &Path) -> Result<()> {
    let database = site.join("kentai.db").to_string_lossy().into_owned();
    let known =
        tool("sqlite3", &[&database, "select sha256 from artifact where dir = 0 and sealed = ''"], Path::new("/"))?;
    let list: String = known.lines().map(|hash| format!("{hash}  artifacts/sha256/{}/{hash}\n", &hash[..2])).collect();
    let file = site.join("run/invariants.txt");
    std::fs::write(&file, &list)?;
    if !list.is_empty() {
        tool("sha256sum", &["--check", "--strict", "--quiet", "run/invariants.txt"], site)?;
    }
    Ok(std::fs::remove_file(file)?)
}
