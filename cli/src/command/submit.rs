//! `kentai submit FILE --sheet SHEET`: as `run`, but the site's server does the work.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use kentai_engine::scheduler::handle::Submitted;
use kentai_workflows::diagnostic::has_errors;

use crate::client::Client;
use crate::command::run::{parse_param, read};
use crate::exit::{Exit, Stop};
use crate::intake;
use crate::output::Output;
use crate::site::Site;

/// Arguments of `submit`.
#[derive(Args, Debug)]
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
}

impl Submit {
    /// Checks here, submits there.
    pub(crate) async fn submit(self, site: &Site, output: Output) -> anyhow::Result<Exit> {
        let Some(client) = Client::connect(&site.socket()).await? else {
            let message = format!(
                "no server answers on {}; start one with `kentai serve`, or use `kentai run`",
                site.socket().display()
            );
            return Err(Stop::new(Exit::Unreachable, message).into());
        };
        let params: BTreeMap<String, String> = self.params.iter().cloned().collect();
        let intake = match read(site, (&self.file, &self.sheet), params, None) {
            Ok(intake) => intake,
            Err(intake::Error::Found(found)) => {
                output.diagnostics(&found);
                return Ok(Exit::CheckFailed);
            }
            Err(other) => return Err(other.into()),
        };
        let wrong = intake::verify(&intake);
        if has_errors(&wrong) {
            output.diagnostics(&intake::Found { diagnostics: wrong, sources: intake.found.sources.clone() });
            return Ok(Exit::CheckFailed);
        }
        let submitted = client.submit(&intake.submit).await?;
        if output.json {
            output.json(&submitted);
        } else {
            submitted.runs.iter().for_each(|run| output.line(run.to_string()));
            output.say(format!(
                "submission {}: {} run(s), {} new; next: kentai status",
                submitted.submission,
                submitted.runs.len(),
                submitted.new_runs
            ));
        }
        if self.wait { wait(&client, &submitted).await } else { Ok(Exit::Done) }
    }
}

/// The worst of its runs decides, as with `run`.
pub(crate) async fn wait(client: &Client, submitted: &Submitted) -> anyhow::Result<Exit> {
    use kentai_engine::view::State;
    let mut worst = Exit::Done;
    for run in &submitted.runs {
        let exit = loop {
            match client.run(run.as_str()).await?.run.status {
                State::Succeeded => break Exit::Done,
                State::Failed => break Exit::RunFailed,
                State::Canceled => break Exit::Canceled,
                State::WaitsForPerson | State::Held => break Exit::Waits,
                State::Queued | State::Running => tokio::time::sleep(Duration::from_millis(400)).await,
            }
        };
        // 10 before 11 before 12: what failed is said first.
        if exit != Exit::Done && (worst == Exit::Done || (exit as u8) < (worst as u8)) {
            worst = exit;
        }
    }
    Ok(worst)
}
