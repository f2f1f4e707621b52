//! `watch`: what happens to a run, until nothing can happen to it by itself any more.

use std::time::Duration;

use clap::Args;
use kentai_engine::id::RunId;
use kentai_engine::store::read::Reader;
use kentai_engine::view::center::Inner;
use kentai_engine::view::{self, EventView, RunDetail, State};

use super::run::parse_wait;
use crate::access;
use crate::exit::{Exit, Stop};
use crate::output::{Output, plain};
use crate::site::Site;
use crate::times::Zone;

/// Between two looks at the database: quick for people, nothing for the machine.
pub(super) const LOOK: Duration = Duration::from_millis(300);
/// Every so many looks the whole run is looked at, event or not.
const CALLED: u64 = 10;
/// Events read at once.
const PAGE: i64 = 1_000;

/// Arguments of `watch`.
#[derive(Args, Debug)]
#[command(
    after_help = "Ends with 0 when the run succeeded, 10 failed, 11 waits for a person or is held, 12 canceled, 13 timed out.

Examples:
  kentai watch r019ab3
  kentai watch r019ab3 --timeout 2h --json"
)]
pub(crate) struct Watch {
    /// Run id, or the beginning of one
    run: String,
    /// Give up watching after so long (90s, 2h); the run goes on
    #[arg(long, value_parser = parse_wait)]
    timeout: Option<Duration>,
}

impl Watch {
    /// Says what happens to a run until it ends or waits for a person.
    pub(crate) async fn watch(self, site: &Site, output: Output) -> anyhow::Result<Exit> {
        access::of_the_center(site, Inner::Run, Some(&self.run)).await?;
        let reader = access::reader(site).await?;
        let id = access::run_id(&reader, &self.run).await?;
        let zone = Zone::of(site);
        let tell = |event: &EventView| tell(event, &zone, output);
        let exit = within(self.timeout, follow(site, &reader, &id, output, tell)).await?;
        if exit == Exit::Waits {
            output.say(format!("next: kentai why {id}"));
        }
        Ok(exit)
    }
}

/// Comes back with what `future` says, or when the time is over, or when somebody interrupts.
pub(super) async fn within(
    time: Option<Duration>,
    future: impl Future<Output = anyhow::Result<Exit>>,
) -> anyhow::Result<Exit> {
    let deadline = async {
        match time {
            Some(time) => tokio::time::sleep(time).await,
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        exit = future => exit,
        () = deadline => Ok(Exit::TimedOut),
        () = interrupted() => Ok(Exit::Interrupted),
    }
}

/// Somebody, or the machine's shutdown, asks this command to end.
pub(super) async fn interrupted() {
    use tokio::signal::unix::{SignalKind, signal};
    let Ok(mut terminate) = signal(SignalKind::terminate()) else {
        // Without a handler the signal ends the process by itself.
        let _ = tokio::signal::ctrl_c().await;
        return;
    };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        _ = terminate.recv() => {}
    }
}

/// Tells every event of a run until the run is settled.
pub(super) async fn follow(
    site: &Site,
    reader: &Reader,
    id: &RunId,
    output: Output,
    tell: impl Fn(&EventView),
) -> anyhow::Result<Exit> {
    let mut seen = 0;
    let mut warned = false;
    for look in 0_u64.. {
        let page = view::events(reader, id, seen, PAGE).await?;
        for event in &page.items {
            seen = event.n;
            tell(event);
        }
        if page.next.is_some() {
            continue;
        }
        // A run that it called may move without an event here.
        if (!page.items.is_empty() || look % CALLED == 0)
            && let Some(exit) = settled(reader, id).await?
        {
            return Ok(exit);
        }
        if !warned && !access::engine_at_work(site) {
            warned = true;
            output.say("no engine runs on this site: nothing happens until `kentai serve`, or the same `kentai run`");
        }
        tokio::time::sleep(LOOK).await;
    }
    Ok(Exit::Unexpected)
}

/// The exit code of a run to which nothing can happen by itself any more.
async fn settled(reader: &Reader, id: &RunId) -> anyhow::Result<Option<Exit>> {
    let detail = view::run(reader, id).await?;
    let detail = detail.ok_or_else(|| Stop::new(Exit::NotFound, format!("there is no run `{id}`")))?;
    match detail.run.status {
        State::Succeeded => Ok(Some(Exit::Done)),
        State::Failed => Ok(Some(Exit::RunFailed)),
        State::Canceled => Ok(Some(Exit::Canceled)),
        State::Queued => Ok(None),
        State::WaitsForPerson | State::Held | State::Running => waits(reader, &detail).await,
    }
}

/// A run waits when nothing of it moves: no step of its own, and none of the runs that it called.
async fn waits(reader: &Reader, detail: &RunDetail) -> anyhow::Result<Option<Exit>> {
    let held = detail.run.status == State::Held;
    let mut waiting = held || detail.run.status == State::WaitsForPerson;
    for step in &detail.steps {
        match (step.status.as_str(), &step.child) {
            ("running", Some(child)) => match Box::pin(settled(reader, &RunId::from(child.as_str()))).await? {
                Some(Exit::Waits) => waiting = true,
                _ => return Ok(None),
            },
            ("running", None) => return Ok(None),
            ("ready", _) if !held => return Ok(None),
            _ => {}
        }
    }
    Ok(waiting.then_some(Exit::Waits))
}

/// One event: a line for people, the API's object for machines.
fn tell(event: &EventView, zone: &Zone, output: Output) {
    if output.json {
        return output.line(serde_json::to_string(event).unwrap_or_default());
    }
    let who = if event.actor == "engine" { String::new() } else { format!(" by {}", event.actor) };
    let why = event.body.get("reason").and_then(|reason| reason.as_str()).filter(|reason| !reason.is_empty());
    let why = why.map(|reason| format!(": {reason}")).unwrap_or_default();
    let line = format!("{} {} {}{who}{why}", zone.clock(&event.at), event.kind.replace('_', " "), event.subject);
    output.line(plain(&line).replace("  ", " "));
}
