//! `status`, `watch`, `why`, `logs`: what is, what happens, why it stands, what a tool said.

use std::io::Write as _;
use std::time::Duration;

use clap::Args;
use kentai_engine::id::RunId;
use kentai_engine::scheduler::why::Because;
use kentai_engine::store::read::{Reader, RunFilter};
use kentai_engine::view::{self, RunDetail, RunView, State};

use crate::access::{self, Door};
use crate::exit::{Exit, Stop};
use crate::output::{Output, table};
use crate::site::Site;

/// Between two looks at the database while watching: quick for people, nothing for the machine.
const LOOK: Duration = Duration::from_millis(400);

/// Arguments of `status`.
#[derive(Args, Debug)]
pub(crate) struct Status {
    /// Run id, or the beginning of one; without it, the newest runs
    run: Option<String>,
    /// Only runs about this specimen
    #[arg(long)]
    specimen: Option<String>,
    /// Only runs in this state: queued, running, waits_for_person, held, succeeded, failed, canceled
    #[arg(long)]
    state: Option<String>,
    /// At most so many runs
    #[arg(long, default_value_t = 20)]
    limit: i64,
}

impl Status {
    /// Shows runs, or one run with its steps.
    pub(crate) async fn show(self, site: &Site, output: Output) -> anyhow::Result<Exit> {
        let reader = access::reader(site).await?;
        if let Some(text) = &self.run {
            let detail = detail(&reader, &access::run_id(&reader, text).await?).await?;
            if output.json {
                output.json(&detail);
            } else {
                show_run(&detail, output);
            }
            return Ok(Exit::Done);
        }
        if let Some(word) = &self.state
            && State::parse(word).is_none()
        {
            return Err(Stop::new(Exit::Usage, format!("`{word}` is no state; see `kentai help status`")).into());
        }
        let filter =
            RunFilter { status: self.state, specimen: self.specimen, limit: self.limit, ..RunFilter::default() };
        let page = view::runs(&reader, &filter).await?;
        if output.json {
            output.json(&page);
        } else if page.items.is_empty() {
            output.say("no runs");
        } else {
            show_runs(&page.items, output);
        }
        Ok(Exit::Done)
    }
}

async fn detail(reader: &Reader, id: &RunId) -> anyhow::Result<RunDetail> {
    view::run(reader, id).await?.ok_or_else(|| Stop::new(Exit::NotFound, format!("there is no run `{id}`")).into())
}

pub(crate) fn show_runs(runs: &[RunView], output: Output) {
    let rows = runs.iter().map(|run| {
        vec![
            run.id.to_string(),
            run.specimen.clone(),
            run.workflow.clone(),
            run.status.word().to_owned(),
            format!("{}/{}", run.steps_done, run.steps_total),
            run.created.chars().take(19).collect(),
            run.reason.clone().unwrap_or_default(),
        ]
    });
    output.line(table(&["run", "specimen", "workflow", "state", "steps", "submitted (UTC)", "reason"], rows));
}

fn show_run(detail: &RunDetail, output: Output) {
    let run = &detail.run;
    output.line(format!(
        "run {} of {} with {} {}: {}",
        run.id,
        run.specimen,
        run.workflow,
        run.version,
        run.status.word()
    ));
    let rows = detail.steps.iter().map(|step| {
        vec![
            step.key.to_string(),
            step.status.clone(),
            step.attempts.to_string(),
            step.reason.clone().unwrap_or_default(),
        ]
    });
    output.line(table(&["step", "status", "attempts", "reason"], rows));
    for delivery in &detail.deliveries {
        output.line(format!(
            "delivery {} to {}: {} {}",
            delivery.id,
            delivery.target,
            delivery.status,
            delivery.place.clone().unwrap_or_default()
        ));
    }
    if !run.status.is_end() || run.status == State::Failed {
        output.say(format!("next: kentai why {}", run.id));
    }
}

/// Arguments of `watch`.
#[derive(Args, Debug)]
pub(crate) struct Watch {
    /// Run id, or the beginning of one
    run: String,
}

impl Watch {
    /// Says what happens to a run until it ends or waits for a person.
    pub(crate) async fn watch(self, site: &Site, output: Output) -> anyhow::Result<Exit> {
        let reader = access::reader(site).await?;
        let id = access::run_id(&reader, &self.run).await?;
        let mut seen = 0;
        loop {
            let detail = detail(&reader, &id).await?;
            let page = view::events(&reader, &id, seen, 10_000).await?;
            for event in page.items {
                seen = event.n;
                if output.json {
                    output.line(serde_json::to_string(&event).unwrap_or_default());
                } else {
                    output.line(format!(
                        "{} {} {} {}",
                        event.at.chars().take(19).collect::<String>(),
                        event.kind,
                        event.subject,
                        event.actor
                    ));
                }
            }
            let exit = match detail.run.status {
                State::Succeeded => Exit::Done,
                State::Failed => Exit::RunFailed,
                State::Canceled => Exit::Canceled,
                State::WaitsForPerson | State::Held => Exit::Waits,
                State::Queued | State::Running => {
                    tokio::select! {
                        () = tokio::time::sleep(LOOK) => continue,
                        _ = tokio::signal::ctrl_c() => Exit::Interrupted,
                    }
                }
            };
            return Ok(exit);
        }
    }
}

/// Arguments of `why`.
#[derive(Args, Debug)]
pub(crate) struct Why {
    /// Run id (or its beginning), RUN/STEP, or a specimen's id
    thing: String,
    /// Step
    step: Option<String>,
}

impl Why {
    /// Says why something stands where it stands.
    pub(crate) async fn say(self, site: &Site, output: Output) -> anyhow::Result<Exit> {
        let reader = access::reader(site).await?;
        let runs = self.runs(&reader).await?;
        let door = Door::open(site).await;
        let mut all = Vec::new();
        for (id, step) in runs {
            let because = match &door {
                Ok(door) => door.why(&id, step.as_deref()).await?,
                // An engine is at work and answers no requests: what it wrote down is the next best.
                Err(_) => written(&detail(&reader, &id).await?, step.as_deref()),
            };
            all.push((id, because));
        }
        if let Ok(door) = door {
            door.close().await?;
        }
        show_why(&all, output);
        Ok(Exit::Done)
    }

    async fn runs(&self, reader: &Reader) -> anyhow::Result<Vec<(RunId, Option<String>)>> {
        let filter = RunFilter { specimen: Some(self.thing.clone()), limit: 20, ..RunFilter::default() };
        let of_specimen = view::runs(reader, &filter).await?.items;
        if !of_specimen.is_empty() {
            return Ok(of_specimen.into_iter().map(|run| (run.id, self.step.clone())).collect());
        }
        let (run, step) = match self.thing.split_once('/') {
            Some((run, step)) => (run, Some(step.to_owned())),
            None => (self.thing.as_str(), self.step.clone()),
        };
        Ok(vec![(access::run_id(reader, run).await?, step)])
    }
}

fn written(detail: &RunDetail, step: Option<&str>) -> Vec<Because> {
    let steps = detail.steps.iter().filter(|one| match step {
        Some(step) => one.key.as_str() == step || one.step == step,
        None => !matches!(one.status.as_str(), "succeeded" | "skipped" | "waiting"),
    });
    steps
        .map(|one| Because {
            step: one.key.to_string(),
            status: one.status.clone(),
            reason: one.reason.clone().unwrap_or_else(|| format!("it is {}", one.status)),
            who: one.ask.as_ref().map(|ask| ask.roles.clone()).unwrap_or_default(),
            next: String::new(),
            values: serde_json::json!({ "gate": one.gate }),
        })
        .collect()
}

fn show_why(all: &[(RunId, Vec<Because>)], output: Output) {
    if output.json {
        let list: Vec<_> =
            all.iter().map(|(run, because)| serde_json::json!({ "run": run, "because": because })).collect();
        output.json(&list);
        return;
    }
    for (run, because) in all {
        for one in because {
            output.line(format!("{run} {} ({}): {}", one.step, one.status, one.reason));
            if !one.who.is_empty() {
                output.line(format!("  who may act: {}", one.who.join(" or ")));
            }
            if !one.next.is_empty() {
                output.line(format!("  next: {}", one.next));
            }
        }
    }
}

/// Arguments of `logs`.
#[derive(Args, Debug)]
pub(crate) struct Logs {
    /// Run id, or the beginning of one
    run: String,
    /// Step (`trim/L001`); without it, the last attempt that failed
    step: Option<String>,
    /// Attempt, counted from 1, or its whole id
    #[arg(long)]
    attempt: Option<String>,
    /// Go on until the tool ends
    #[arg(long, short)]
    follow: bool,
}

impl Logs {
    /// Prints what a tool said.
    pub(crate) async fn print(self, site: &Site) -> anyhow::Result<Exit> {
        let reader = access::reader(site).await?;
        let id = access::run_id(&reader, &self.run).await?;
        let mut offset = 0;
        loop {
            let attempts = reader.attempts(id.as_str()).await?;
            let chosen = view::log::choose(&attempts, self.step.as_deref(), self.attempt.as_deref())
                .map_err(|unclear| Stop::new(Exit::NotFound, unclear.to_string()))?;
            let chunk = view::log::read_log(&site.directory, chosen, offset, view::log::CHUNK_BYTES_MAX)?;
            if std::io::stdout().write_all(&chunk.bytes).and_then(|()| std::io::stdout().flush()).is_err() {
                return Ok(Exit::Done);
            }
            let empty = chunk.bytes.is_empty();
            offset = chunk.next;
            if empty && (chunk.is_final || !self.follow) {
                return Ok(Exit::Done);
            }
            if empty {
                tokio::time::sleep(LOOK).await;
            }
        }
    }
}
