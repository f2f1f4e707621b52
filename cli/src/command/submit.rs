//! `kentai submit FILE --sheet SHEET`: as `run`, but the site's server does the work.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use kentai_engine::scheduler::handle::Submitted;
use kentai_engine::view;
use kentai_workflows::diagnostic::has_errors;

use super::run::{parse_param, parse_wait, read};
use super::watch::{follow, within};
use crate::access;
use crate::client::Client;
use crate::exit::{Exit, Stop};
use crate::intake;
use crate::output::Output;
use crate::site::Site;

/// Arguments of `submit`.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  kentai submit germline_wgs --sheet sheet.csv --param reference=GRCh38@2024-07
  kentai submit line.yaml --sheet sheet.csv --wait --timeout 2d")]
pub(crate) struct Submit {
    /// Workflow file, or the name of a shipped workflow
    file: PathBuf,
    /// Sample sheet: CSV, TSV or Illumina SampleSheet v2
    #[arg(long)]
    sheet: PathBuf,
    /// Parameter of the workflow; may be given several times
    #[arg(long = "param", value_name = "NAME=VALUE", value_parser = parse_param)]
    params: Vec<(String, String)>,
    /// Come back when every run has ended or waits for a person; exit codes as `run`
    #[arg(long)]
    wait: bool,
    /// Give up waiting after so long (90s, 2h); what runs goes on
    #[arg(long, value_parser = parse_wait, requires = "wait")]
    timeout: Option<Duration>,
}

impl Submit {
    /// Checks here, submits there.
    pub(crate) async fn submit(self, site: &Site, output: Output) -> anyhow::Result<Exit> {
        let Some(client) = Client::connect(&site.socket()).await? else {
            let socket = site.socket();
            let message =
                format!("no server answers on {}: start `kentai serve`, or use `kentai run`", socket.display());
            return Err(Stop::new(Exit::Unreachable, message).into());
        };
        let client = client.speaking(output.language);
        // Whether a step must name an image is up to the hands that the server was started with.
        let hands = first_executor(&client).await?;
        let params: BTreeMap<String, String> = self.params.iter().cloned().collect();
        let intake = read(site, (&self.file, &self.sheet), params, hands.as_deref())?;
        let wrong = intake::verify(&intake);
        if has_errors(&wrong) {
            let found = intake::Found { diagnostics: wrong, sources: intake.found.sources.clone() };
            return Err(intake::Error::Found(found).into());
        }
        let submitted = client.submit(&intake.submit).await?;
        say(&submitted, output);
        if self.wait {
            return within(self.timeout, wait(site, &submitted, output)).await;
        }
        if output.json {
            output.json(&submitted);
        } else {
            submitted.runs.iter().for_each(|run| output.line(run.as_str()));
            output.say("next: kentai status; kentai watch RUN");
        }
        Ok(Exit::Done)
    }
}

/// The name of the executor that takes every step there.
pub(super) async fn first_executor(client: &Client) -> anyhow::Result<Option<String>> {
    let site = client.site().await?;
    Ok(site["executors"][0]["name"].as_str().map(str::to_owned))
}

fn say(submitted: &Submitted, output: Output) {
    let (id, runs) = (&submitted.submission, submitted.runs.len());
    if submitted.existed {
        output.say(format!("submission {id} was made before: {runs} run(s)"));
    } else {
        output.say(format!("submission {id}: {runs} run(s), {} new", submitted.new_runs));
    }
}

/// Until every run has ended or waits for a person. The worst of them decides, as with `run`.
pub(super) async fn wait(site: &Site, submitted: &Submitted, output: Output) -> anyhow::Result<Exit> {
    let reader = access::reader(site).await?;
    let mut tally: BTreeMap<&str, usize> = BTreeMap::new();
    let mut worst = Exit::Done;
    for id in &submitted.runs {
        let exit = follow(site, &reader, id, output, |_| {}).await?;
        if let Some(detail) = view::run(&reader, id).await? {
            let (run, status) = (&detail.run, detail.run.status.word());
            *tally.entry(status).or_default() += 1;
            output.say(format!("{} {id}: {status}{}", run.specimen, next(exit, id.as_str())));
        }
        // What failed is said first, then what waits, then what was canceled: 10 before 11 before 12.
        if exit != Exit::Done && (worst == Exit::Done || (exit as u8) < (worst as u8)) {
            worst = exit;
        }
    }
    if output.json {
        let (submission, runs) = (&submitted.submission, &submitted.runs);
        output.json(&serde_json::json!({ "submission": submission, "runs": runs, "statuses": tally }));
    }
    Ok(worst)
}

fn next(exit: Exit, run: &str) -> String {
    match exit {
        Exit::RunFailed | Exit::Waits => format!("; next: kentai why {run}"),
        _ => String::new(),
    }
}
