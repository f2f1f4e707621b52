//! What must hold of every run whenever nothing is under way, read from rows and files.
//!
//! The fold uses the engine's own `next`: that the stored status is what the events say is looked at here, not that `next` is right.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use anyhow::{Context, Result, ensure};
use kentai_engine::state::order;
use kentai_engine::state::{attempt, run, step};
use kentai_engine::store::read::OrderFilter;
use kentai_engine::store::read::{Reader, RunFilter};
use kentai_engine::store::rows::center::OrderLine;
use kentai_engine::store::rows::{self, detail::Detail};
use kentai_workflows::plan::{Plan, PlannedStep, Role};

use super::shapes::sha256;

/// Checks every run that the database knows.
pub(super) async fn every_run(reader: &Reader, site: &Path) -> Result<()> {
    let runs = reader.runs(&RunFilter { limit: i64::MAX, ..RunFilter::default() }).await?;
    for row in runs {
        let id = row.run_id.clone();
        one_run(reader, site, &row).await.with_context(|| format!("run {id}"))?;
    }
    for row in reader.order_lines(&OrderFilter { limit: i64::MAX, ..OrderFilter::default() }).await? {
        one_order(reader, &row).await.with_context(|| format!("order line {}", row.order_line_id))?;
    }
    Ok(())
}

/// The stage of an order line is what its events say.
async fn one_order(reader: &Reader, row: &OrderLine) -> Result<()> {
    let events = reader.stream(&format!("order_line:{}", row.order_line_id)).await?;
    for (event, n) in events.iter().zip(1..) {
        ensure!(event.n == n, "its events have a gap before {}", event.n);
    }
    ensure!(row.events == events.len() as i64, "its row counts {} events of {}", row.events, events.len());
    let mut stage = order::Stage::Expected;
    for event in events.iter().filter_map(|event| order::Event::parse(&event.kind)) {
        stage = stage.next(event)?;
    }
    ensure!(stage.word() == row.stage, "its events say {stage}, its row {}", row.stage);
    Ok(())
}

async fn one_run(reader: &Reader, site: &Path, row: &rows::Run) -> Result<()> {
    let id = row.run_id.as_str();
    let (events, steps) = (reader.events(id).await?, reader.steps(id).await?);
    let attempts = reader.attempts(id).await?;
    for (event, n) in events.iter().zip(1..) {
        ensure!(event.n == n, "its events have a gap before {}", event.n);
    }
    ensure!(row.events == events.len() as i64, "its row counts {} events of {}", row.events, events.len());
    ensure!(row.attempts_made == attempts.len() as i64, "its row counts {} attempts", row.attempts_made);
    let folded = Fold::of(row, &steps, &events)?;
    ensure!(folded.run.word() == row.status, "its events say {}, its row {}", folded.run, row.status);
    for step in &steps {
        let said = folded.step(step.step_key.as_str());
        ensure!(said.word() == step.status, "step {}: its events say {said}, its row {}", step.step_key, step.status);
    }
    for attempt in &attempts {
        let said = folded.attempts.get(attempt.attempt_id.as_str()).context("an attempt without events")?;
        ensure!(said.word() == attempt.status, "attempt {}: {said} or {}", attempt.attempt_id, attempt.status);
    }
    if folded.run.is_end() {
        at_its_end(&folded)?;
    }
    committed(reader, site, row, &attempts).await
}

/// At the end of a run nothing of it is under way.
fn at_its_end(folded: &Fold) -> Result<()> {
    for (key, status) in &folded.steps {
        let open = matches!(status, step::Status::Ready | step::Status::Running | step::Status::AwaitingPerson);
        ensure!(!open, "the run is {} and step {key} is {status}", folded.run);
    }
    let open = folded.attempts.iter().find(|(_, status)| !status.is_end());
    ensure!(open.is_none(), "the run is {} and an attempt is open: {open:?}", folded.run);
    let succeeded = folded.run == run::Status::Succeeded;
    let all = folded.planned.keys().all(|key| folded.step(key).is_satisfied());
    ensure!(succeeded == all, "the run is {} and its steps are {:?}", folded.run, folded.steps);
    Ok(())
}

/// One committed attempt per step and round, and all that it made is there and is what it was.
async fn committed(reader: &Reader, site: &Path, row: &rows::Run, attempts: &[rows::Attempt]) -> Result<()> {
    let made = reader.made(row.run_id.as_str()).await?;
    let mut seen = BTreeSet::new();
    for attempt in attempts.iter().filter(|attempt| attempt.status == "committed") {
        ensure!(
            seen.insert((attempt.step_key.as_str(), attempt.round)),
            "step {} has two committed attempts in round {}",
            attempt.step_key,
            attempt.round
        );
    }
    for one in &made {
        let attempt = attempts.iter().find(|attempt| attempt.attempt_id == one.attempt_id);
        ensure!(
            attempt.is_some_and(|attempt| attempt.status == "committed"),
            "{} made {} uncommitted",
            one.attempt_id,
            one.name
        );
        let path = |kind: &str| site.join("artifacts").join(kind).join(&one.sha256[..2]).join(&one.sha256);
        if path("tree").is_dir() {
            continue;
        }
        // What a withdrawal closed has no name and no rights; that nobody reads it is the withdrawal's own test.
        if reader.artifact(&one.sha256).await?.is_some_and(|found| !found.sealed.is_empty()) {
            ensure!(!path("sha256").exists(), "artifact {} is sealed and has its name", one.sha256);
            continue;
        }
        let bytes =
            std::fs::read(path("sha256")).with_context(|| format!("artifact {} of {}", one.sha256, one.name))?;
        ensure!(sha256(&bytes) == one.sha256, "artifact {} is not what it was", one.sha256);
    }
    Ok(())
}

/// The history told again.
struct Fold {
    run: run::Status,
    steps: BTreeMap<String, step::Status>,
    attempts: BTreeMap<String, attempt::Status>,
    planned: BTreeMap<String, PlannedStep>,
}

impl Fold {
    fn of(row: &rows::Run, steps: &[rows::Step], events: &[rows::Event]) -> Result<Self> {
        let plan: Plan = serde_json::from_str(&row.plan)?;
        let mut planned: BTreeMap<String, PlannedStep> =
            plan.steps.into_iter().map(|planned| (planned.key.clone(), planned)).collect();
        for step in steps {
            let detail: Detail = serde_json::from_str(&step.detail)?;
            planned.extend(detail.planned.map(|planned| (planned.key.clone(), planned)));
        }
        let (steps, attempts) = (BTreeMap::new(), BTreeMap::new());
        let mut folded = Self { run: run::Status::Queued, steps, attempts, planned };
        for event in events {
            folded.tell(event).with_context(|| format!("event {} {} {}", event.n, event.kind, event.subject))?;
        }
        Ok(folded)
    }

    fn step(&self, key: &str) -> step::Status {
        self.steps.get(key).copied().unwrap_or(step::Status::Waiting)
    }

    fn tell(&mut self, event: &rows::Event) -> Result<()> {
        if let Some(kind) = run::Event::parse(&event.kind) {
            self.run = self.run.next(kind)?;
        } else if let Some(kind) = step::Event::parse(&event.kind) {
            let status = self.step(&event.subject).next(kind)?;
            if matches!(kind, step::Event::Started | step::Event::Asked | step::Event::Ready) {
                self.may_begin(&event.subject)?;
            }
            self.steps.insert(event.subject.clone(), status);
        } else if let Some(kind) = attempt::Event::parse(&event.kind) {
            let status = self.attempts.entry(event.subject.clone()).or_insert(attempt::Status::Planned);
            *status = status.next(kind)?;
        }
        Ok(())
    }

    /// Everything that a step needs is satisfied at the moment at which it begins.
    fn may_begin(&self, key: &str) -> Result<()> {
        let planned = self.planned.get(key).with_context(|| format!("a step that no plan has: {key}"))?;
        // An item that waits for its group waits for the list to be made again, since after this event.
        for need in planned.needs.iter().filter(|need| planned.role != Role::Pending && **need != planned.step) {
            let status = self.step(need);
            ensure!(status.is_satisfied(), "{key} begins while {need} is {status}");
        }
        Ok(())
    }
}
