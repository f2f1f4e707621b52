//! `schedule list|next|pause|resume|run-now`

use clap::Subcommand;
use kentai_engine::clock;
use kentai_engine::people::permission::Action;
use kentai_engine::scheduler::center::request::Request;
use kentai_engine::scheduler::registered::{Scheduled, schedules};

use super::center::ask;
use crate::access;
use crate::client::Client;
use crate::command::run::refused;
use crate::exit::{Exit, Stop};
use crate::output::{Output, plain};
use crate::site::Site;
use crate::times::Zone;

/// Times that are shown at once.
const NEXT_MAX: i64 = 100;

/// What starts by the clock: the `schedule` triggers of registered workflows
#[derive(Subcommand, Debug)]
pub(crate) enum Schedule {
    /// List them, with the next time of each
    List,
    /// Show the next times of one
    Next {
        /// Schedule, as `list` names it
        id: String,
        /// How many
        #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(i64).range(1..=NEXT_MAX))]
        count: i64,
    },
    /// Let it rest; the times of a rest are skipped, not missed
    Pause {
        /// Schedule
        id: String,
        /// Why; kept with it
        #[arg(long, default_value = "")]
        reason: String,
    },
    /// Let it go on
    Resume {
        /// Schedule
        id: String,
        /// Why; kept with it
        #[arg(long, default_value = "")]
        reason: String,
    },
    /// Start it once, now
    RunNow {
        /// Schedule
        id: String,
    },
}

impl Schedule {
    pub(crate) async fn run(self, site: &Site, output: Output) -> anyhow::Result<Exit> {
        match self {
            Self::List => list(site, output).await,
            Self::Next { id, count } => next(site, &id, count, output).await,
            Self::Pause { id, reason } => {
                known(site, &id).await?;
                ask(site, output, Request::Schedule { schedule: id, looked_us: None, paused: Some(true), reason }).await
            }
            Self::Resume { id, reason } => {
                known(site, &id).await?;
                ask(site, output, Request::Schedule { schedule: id, looked_us: None, paused: Some(false), reason })
                    .await
            }
            Self::RunNow { id } => run_now(site, &id, output).await,
        }
    }
}

async fn known(site: &Site, id: &str) -> anyhow::Result<Scheduled> {
    access::no_stranger(site, Action::ReadSite)?;
    let all = schedules(&access::reader(site).await?).await?;
    all.into_iter().find(|one| one.id == id).ok_or_else(|| {
        let message = format!("there is no schedule `{}`; see `kentai schedule list`", id.escape_debug());
        Stop::new(Exit::NotFound, message).into()
    })
}

async fn list(site: &Site, output: Output) -> anyhow::Result<Exit> {
    access::no_stranger(site, Action::ReadSite)?;
    let all = schedules(&access::reader(site).await?).await?;
    let zone = Zone::of(site);
    let now = clock::now();
    let told = all.iter().map(|one| {
        serde_json::json!({
            "id": one.id, "cron": one.cron, "timezone": one.timezone, "specimen": one.specimen, "paused": one.paused,
            "next": one.schedule.next(now).map(|at| zone.show_us(at)),
        })
    });
    if output.json {
        output.json(&told.collect::<Vec<_>>());
        return Ok(Exit::Done);
    }
    if all.is_empty() {
        output.say(
            "no registered workflow has a schedule (`triggers:` in the workflow, then `kentai workflow register`)",
        );
    }
    for one in &all {
        let next = match one.schedule.next(now) {
            _ if one.paused => "rests".to_owned(),
            Some(at) => zone.show_us(at),
            None => "never again".to_owned(),
        };
        let specimen = one.specimen.as_deref().unwrap_or("-");
        output.line(plain(&format!("{}  `{}` {}  {specimen}  next: {next}", one.id, one.cron, one.timezone)));
    }
    Ok(Exit::Done)
}

async fn next(site: &Site, id: &str, count: i64, output: Output) -> anyhow::Result<Exit> {
    let one = known(site, id).await?;
    let zone = Zone::of(site);
    let mut times = Vec::new();
    let mut after = clock::now();
    for _ in 0..count {
        let Some(at) = one.schedule.next(after) else { break };
        times.push(zone.show_us(at));
        after = at;
    }
    if output.json {
        output.json(&times);
    } else {
        times.iter().for_each(|time| output.line(time.clone()));
    }
    Ok(Exit::Done)
}

async fn run_now(site: &Site, id: &str, output: Output) -> anyhow::Result<Exit> {
    let one = known(site, id).await?;
    let reader = access::reader(site).await?;
    let submit = one.submission(&reader, &one.by_hand(clock::now())).await.map_err(refused)?;
    let Some(client) = Client::connect(&site.socket()).await? else {
        return Err(Stop::new(Exit::Unreachable, "no engine serves this site: start one with `kentai serve`").into());
    };
    let submitted = client.submit(&submit).await?;
    output.say(format!("submitted {} run(s)", submitted.new_runs));
    if output.json {
        output.json(&submitted);
    }
    Ok(Exit::Done)
}
