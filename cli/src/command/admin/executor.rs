//! `admin executor list|ping|drain|resume`

use std::time::Duration;

use clap::Subcommand;
use kentai_engine::people::permission::Action;
use kentai_engine::scheduler::center::request::Request;
use kentai_engine::scheduler::post::Standing;
use kentai_workflows::resources::format_size;
use serde_json::json;

use super::{ask, time};
use crate::access::{Door, no_stranger};
use crate::assemble;
use crate::exit::Exit;
use crate::output::{Output, plain, table};
use crate::site::Site;
use crate::times::Zone;

/// One that is silent for longer does not answer.
const PING: Duration = Duration::from_secs(10);

/// Whatever runs the site's tools.
#[derive(Subcommand, Debug)]
pub(crate) enum Executor {
    /// How each stands: what it takes and runs, who drained it, since when it does not answer
    List,
    /// Ask each whether it answers
    Ping {
        /// Only this one
        name: Option<String>,
    },
    /// Give it nothing new; what it runs goes on
    #[command(after_help = "Example:
  kentai admin executor drain hpc --reason 'upgrade on Thursday'
It stays drained over starts of the engine, until `kentai admin executor resume hpc`.")]
    Drain {
        /// The site's name for it
        name: String,
        /// Why; whoever waits is told
        #[arg(long)]
        reason: String,
    },
    /// Let it get new work again
    Resume {
        /// The site's name for it
        name: String,
    },
}

impl Executor {
    pub(crate) async fn run(self, site: &Site, output: Output) -> anyhow::Result<Exit> {
        match self {
            Self::List => list(site, output).await,
            Self::Ping { name } => ping(site, name.as_deref(), output).await,
            Self::Drain { name, reason } => {
                no_stranger(site, Action::StopAll)?;
                ask(site, output, Request::DrainExecutor { executor: name, reason }).await
            }
            Self::Resume { name } => {
                no_stranger(site, Action::StopAll)?;
                ask(site, output, Request::ResumeExecutor { executor: name }).await
            }
        }
    }
}

async fn list(site: &Site, output: Output) -> anyhow::Result<Exit> {
    no_stranger(site, Action::ReadSite)?;
    let door = Door::open(site).await?;
    let all = door.executors().await;
    door.close().await?;
    let all = all?;
    if output.json {
        output.json(&json!({ "items": all }));
        return Ok(Exit::Done);
    }
    let zone = Zone::of(site);
    let heads = ["executor", "kind", "labels", "at most", "runs", "wait", "state"];
    output.line(table(&heads, all.iter().map(|one| row(one, &zone))));
    Ok(Exit::Done)
}

fn row(one: &Standing, zone: &Zone) -> Vec<String> {
    let mut labels: Vec<&str> = one.labels.iter().map(String::as_str).collect();
    if one.only_labelled {
        labels.push("(only)");
    }
    let caps = [
        (one.steps_max > 0).then(|| format!("{} steps", one.steps_max)),
        (one.cpus_max > 0).then(|| format!("{} cpus", one.cpus_max)),
        (one.memory_bytes_max > 0).then(|| format_size(one.memory_bytes_max)),
    ];
    let caps: Vec<String> = caps.into_iter().flatten().collect();
    let since = |at: Option<i64>| at.map(|at| zone.show(&time(at))).unwrap_or_default();
    let state = if let Some(by) = &one.drained_by {
        format!("drained by {} since {}: {}", plain(by), since(one.drained_since_us), plain(&one.drained_because))
    } else if one.away_since_us.is_some() {
        format!("does not answer since {}: {}", since(one.away_since_us), plain(&one.away_because))
    } else if one.idle {
        "another takes every step".to_owned()
    } else if one.heard_us.is_some() {
        format!("answered {}", since(one.heard_us))
    } else {
        "not asked yet".to_owned()
    };
    vec![
        one.name.clone(),
        one.kind.clone(),
        labels.join(" "),
        caps.join(", "),
        one.running.to_string(),
        one.waiting.to_string(),
        state,
    ]
}

/// From here, not through the engine: it is this machine and this user that is asked about.
async fn ping(site: &Site, name: Option<&str>, output: Output) -> anyhow::Result<Exit> {
    let mut found = Vec::new();
    let mut exit = Exit::Done;
    let all = match name {
        Some(name) => assemble::executors(site, Some(name))?.into_iter().take(1).collect(),
        None => assemble::executors(site, None)?,
    };
    for hands in all {
        let said = match tokio::time::timeout(PING, hands.ping()).await {
            Ok(Ok(version)) => Ok(version),
            Ok(Err(error)) => Err(error.to_string()),
            Err(_) => Err("it does not answer".to_owned()),
        };
        if said.is_err() {
            exit = Exit::Unreachable;
        }
        found.push((hands.name().to_owned(), hands.kind(), said));
    }
    if output.json {
        let item = |(name, kind, said): &(String, &str, Result<String, String>)| json!({ "name": name, "kind": kind, "reachable": said.is_ok(), "said": said.as_ref().unwrap_or_else(|why| why) });
        output.json(&json!({ "items": found.iter().map(item).collect::<Vec<_>>() }));
        return Ok(exit);
    }
    let rows = found.into_iter().map(|(name, kind, said)| {
        let word = if said.is_ok() { "answers" } else { "does not answer" };
        vec![name, kind.to_owned(), word.to_owned(), plain(&said.unwrap_or_else(|why| why))]
    });
    output.line(table(&["executor", "kind", "state", "says"], rows));
    Ok(exit)
}
