//! `status`: the newest runs, or one run with its steps.

use clap::Args;
use kentai_engine::store::read::{Reader, RunFilter};
use kentai_engine::view::center::Inner;
use kentai_engine::view::{self, Page, RunDetail, RunView, State};

use crate::access;
use crate::exit::{Exit, Stop};
use crate::output::{Output, plain, shortened, table};
use crate::site::Site;
use crate::times::Zone;

/// Characters of a reason in a list.
const REASON: usize = 80;

/// Arguments of `status`.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  kentai status
  kentai status --status waits_for_person
  kentai status --specimen S0001 --json
  kentai status r019ab3")]
pub(crate) struct Status {
    /// Run id, or the beginning of one; without it, the newest runs
    run: Option<String>,
    /// Only runs about this specimen
    #[arg(long)]
    specimen: Option<String>,
    /// Only runs in this state: queued, running, waits_for_person, held, succeeded, failed, canceled
    #[arg(long, visible_alias = "state")]
    status: Option<String>,
    /// Only runs of this submission
    #[arg(long)]
    submission: Option<String>,
    /// At most so many runs
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(i64).range(1..=1000))]
    limit: i64,
    /// Only runs older than this one: the last of the page before
    #[arg(long, value_name = "RUN")]
    after: Option<String>,
}

impl Status {
    /// Shows runs, or one run with its steps.
    pub(crate) async fn show(self, site: &Site, output: Output) -> anyhow::Result<Exit> {
        access::of_the_center(site, Inner::Run, self.run.as_deref()).await?;
        let zone = Zone::of(site);
        if let Some(text) = &self.run {
            let reader = access::reader(site).await?;
            let detail = detail(&reader, text).await?;
            if output.json {
                output.json(&detail);
            } else {
                show_run(&detail, &zone, output);
            }
            return Ok(Exit::Done);
        }
        let filter = self.filter()?;
        let page = match access::reader_if_any(site).await? {
            Some(reader) => view::runs(&reader, &filter).await?,
            None => Page { items: Vec::new(), next: None },
        };
        if output.json {
            output.json(&page);
        } else {
            show_page(&page, &zone, output);
        }
        Ok(Exit::Done)
    }

    fn filter(&self) -> anyhow::Result<RunFilter> {
        if let Some(word) = self.status.as_deref().filter(|word| State::parse(word).is_none()) {
            let words: Vec<&str> = State::ALL.iter().map(|state| state.word()).collect();
            let message = format!("`{}` is no status; one of {}", word.escape_debug(), words.join(", "));
            return Err(Stop::new(Exit::Usage, message).into());
        }
        Ok(RunFilter {
            status: self.status.clone(),
            specimen: self.specimen.clone(),
            submission: self.submission.clone(),
            after: self.after.clone(),
            limit: self.limit,
        })
    }
}

/// One run with everything about it.
pub(crate) async fn detail(reader: &Reader, text: &str) -> anyhow::Result<RunDetail> {
    let id = access::run_id(reader, text).await?;
    let detail = view::run(reader, &id).await?;
    detail.ok_or_else(|| Stop::new(Exit::NotFound, format!("there is no run `{id}`")).into())
}

fn show_page(page: &Page<RunView>, zone: &Zone, output: Output) {
    if page.items.is_empty() {
        return output.say("no runs");
    }
    show_runs(&page.items, zone, output);
    if let Some(next) = &page.next {
        output.say(format!("there may be more: --after {next}, or a larger --limit"));
    }
    if let Some(run) = page.items.iter().find(|run| run.needs_person || run.status == State::Failed) {
        output.say(format!("next: kentai why {}", run.id));
    }
}

/// A table of runs.
pub(crate) fn show_runs(runs: &[RunView], zone: &Zone, output: Output) {
    let rows = runs.iter().map(|run| {
        vec![
            run.id.to_string(),
            run.specimen.clone(),
            run.workflow.clone(),
            run.status.word().to_owned(),
            format!("{}/{}", run.steps_done, run.steps_total),
            zone.show(&run.updated),
            shortened(run.reason.as_deref().unwrap_or_default(), REASON),
        ]
    });
    let updated = zone.head("updated");
    output.line(table(&["run", "specimen", "workflow", "status", "steps", &updated, "reason"], rows));
}

fn show_run(detail: &RunDetail, zone: &Zone, output: Output) {
    let run = &detail.run;
    let workflow = format!("{} {}", run.workflow, run.version);
    output.line(plain(&format!(
        "run {} of {} with {}: {}",
        run.id,
        run.specimen,
        workflow.trim_end(),
        run.status.word()
    )));
    let (created, updated) = (zone.show(&run.created), zone.show(&run.updated));
    output.line(plain(&zone.head(&format!("submitted {created} by {}, last change {updated}", run.submitted_by))));
    if let Some(held) = &run.held {
        output.line(plain(&format!("held by {} since {}: {}", held.by, zone.show(&held.since), held.reason)));
    }
    let rows = detail.steps.iter().map(|step| {
        let reason = step.reason.clone().unwrap_or_default();
        vec![step.key.to_string(), step.status.clone(), step.attempts.to_string(), reason]
    });
    output.line(table(&["step", "status", "attempts", "reason"], rows));
    for one in &detail.decisions {
        let (at, person) = (zone.show(&one.at), &one.person);
        output.line(plain(&format!("decided {at} by {person}: {} {} ({})", one.step, one.verdict, one.reason)));
    }
    for one in &detail.deliveries {
        let place = one.place.clone().unwrap_or_default();
        output.line(plain(&format!("delivery {} to {}: {} {place}", one.id, one.target, one.status)).trim_end());
    }
    if let Some(next) = next(detail) {
        output.say(format!("next: {next}"));
    }
}

/// What helps most.
fn next(detail: &RunDetail) -> Option<String> {
    let id = &detail.run.id;
    match detail.run.status {
        State::Succeeded => detail.deliveries.first().map(|one| format!("kentai handoff show {}", one.id)),
        State::Canceled => Some(format!("kentai retry {id}")),
        State::Running | State::Queued => Some(format!("kentai watch {id}")),
        State::WaitsForPerson | State::Held => Some(format!("kentai why {id}")),
        State::Failed => Some(format!("kentai why {id}; kentai logs {id}")),
    }
}
