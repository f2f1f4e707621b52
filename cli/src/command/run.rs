//! `kentai run FILE --sheet SHEET`: an embedded engine that runs to the end and can be started again after any crash.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use kentai_engine::id::RunId;
use kentai_engine::scheduler::Running;
use kentai_engine::scheduler::handle::{Handle, Refusal, Submitted};
use kentai_engine::store::read::RunFilter;
use kentai_workflows::diagnostic::has_errors;

use super::serve::{self, Listening};
use super::watch::interrupted;
use crate::access::busy;
use crate::exit::{Exit, Stop};
use crate::intake::{self, Intake};
use crate::output::Output;
use crate::progress::Progress;
use crate::site::Site;
use crate::telemetry::Telemetry;
use crate::{assemble, person};

/// Arguments of `run`.
#[derive(Args, Debug)]
#[command(after_help = "May be started again after any crash: what is done is not done again.
Ends with 0 when every run succeeded, 10 one failed, 11 waits for a person or is held, 12 canceled, 13 timed out.

Examples:
  kentai run hello --sheet sheet.csv --executor process
  kentai run germline_wgs --sheet sheet.csv --param reference=GRCh38@2024-07 --param min_depth=20")]
pub(crate) struct Run {
    /// Workflow file, or the name of a shipped workflow
    pub file: PathBuf,
    /// Sample sheet: CSV, TSV or Illumina SampleSheet v2
    #[arg(long)]
    pub sheet: PathBuf,
    /// Parameter of the workflow; may be given several times
    #[arg(long = "param", value_name = "NAME=VALUE", value_parser = parse_param)]
    pub params: Vec<(String, String)>,
    /// Executor by name or kind (docker, process); default: the site's first
    #[arg(long)]
    pub executor: Option<String>,
    /// Give up waiting after so long (90s, 2h); what runs goes on
    #[arg(long, value_parser = parse_wait)]
    pub timeout: Option<Duration>,
}

pub(crate) fn parse_param(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("write it as NAME=VALUE")?;
    Ok((name.trim().to_owned(), value.to_owned()))
}

pub(crate) fn parse_wait(text: &str) -> Result<Duration, String> {
    kentai_workflows::resources::parse_duration_s(text)
        .map(Duration::from_secs)
        .ok_or_else(|| "write it like 90s or 2h".into())
}

impl Run {
    /// Runs to the end.
    pub(crate) async fn run(self, site: &Site, output: Output) -> anyhow::Result<Exit> {
        self.carry_out(site, output).await.map(|(exit, _)| exit)
    }

    /// Runs to the end; gives the submission's runs too.
    pub(crate) async fn carry_out(self, site: &Site, output: Output) -> anyhow::Result<(Exit, Vec<RunId>)> {
        let params: BTreeMap<String, String> = self.params.iter().cloned().collect();
        let intake = read(site, (&self.file, &self.sheet), params, self.executor.as_deref())?;
        say_warnings(&intake, &self.file, output);
        let house = House::open(site, self.executor.as_deref(), output).await?;
        match submit(&house.engine.handle, intake, site).await {
            Ok(submitted) => {
                say_submitted(&submitted, output);
                let exit = house.finish(&submitted, self.timeout, output).await?;
                Ok((exit, submitted.runs))
            }
            Err(error) => {
                house.close().await?;
                Err(error)
            }
        }
    }
}

/// An engine of our own. Whoever wants to hold, cancel or answer meanwhile is let in.
pub(crate) struct House {
    pub(crate) engine: Running,
    listening: Option<Listening>,
    telemetry: Telemetry,
}

impl House {
    /// Starts both; without a socket the work is done all the same.
    pub(crate) async fn open(site: &Site, executor: Option<&str>, output: Output) -> anyhow::Result<Self> {
        let ready = serve::telemetry(site, output)?;
        let engine = assemble::engine(site, executor, false).await.map_err(busy)?;
        let telemetry = ready.start(&engine.handle);
        let listening = match Listening::start(site, &engine.handle, telemetry.traces()) {
            Ok(listening) => Some(listening),
            Err(error) => {
                output.say(format!("no requests can be made meanwhile: {error}"));
                None
            }
        };
        Ok(Self { engine, listening, telemetry })
    }

    /// Waits, sums up, and stops the engine, which then still removes its last containers.
    pub(crate) async fn finish(
        mut self,
        submitted: &Submitted,
        timeout: Option<Duration>,
        output: Output,
    ) -> anyhow::Result<Exit> {
        let waited = wait(&mut self.engine, timeout, output).await?;
        let exit =
            if waited == Exit::Done { summary(&self.engine.handle, submitted, output).await } else { Ok(waited) };
        self.close().await?;
        exit
    }

    /// The door first: nobody is let in to an engine that ends.
    pub(crate) async fn close(self) -> anyhow::Result<()> {
        if let Some(listening) = self.listening {
            listening.end().await;
        }
        self.telemetry.end().await;
        Ok(self.engine.stop().await?)
    }
}

/// Workflow and sheet, checked.
pub(crate) fn read(
    site: &Site,
    (file, sheet): (&std::path::Path, &std::path::Path),
    params: BTreeMap<String, String>,
    executor: Option<&str>,
) -> Result<Intake, intake::Error> {
    let loaded = intake::workflow_to_run(site, file, executor)?;
    intake::sheet(loaded, sheet, params)
}

/// Submits; files are read and compared with the sheet's checksums unless the same was submitted before.
async fn submit(handle: &Handle, intake: Intake, site: &Site) -> anyhow::Result<Submitted> {
    let me = person::me(&site.config, &site.directory);
    if handle.find(&intake.submit).await.map_err(refused)?.is_none() {
        let wrong = intake::verify(&intake);
        if has_errors(&wrong) {
            let found = intake::Found { diagnostics: wrong, sources: intake.found.sources };
            return Err(intake::Error::Found(found).into());
        }
    }
    handle.submit(intake.submit, &me).await.map_err(refused)
}

/// A refusal with its exit code.
pub(crate) fn refused(refusal: Refusal) -> anyhow::Error {
    if let Refusal::Check { diagnostics, sources } = refusal {
        return intake::Error::Found(intake::Found { diagnostics, sources }).into();
    }
    let exit = match &refusal {
        Refusal::NotFound(_) => Exit::NotFound,
        Refusal::NotAllowed(_) => Exit::NotAllowed,
        Refusal::State(_) => Exit::State,
        Refusal::Bad(_) => Exit::Usage,
        Refusal::Unreachable(_) | Refusal::Stopped => Exit::Unreachable,
        Refusal::Check { .. } => Exit::CheckFailed,
        Refusal::Store(_) => Exit::Unexpected,
    };
    let message = std::iter::successors(Some(&refusal as &dyn std::error::Error), |error| error.source());
    let message: Vec<String> = message.map(ToString::to_string).collect();
    Stop::new(exit, message.join(": ")).into()
}

/// Warnings about the sheet in full; those about the workflow are `check`'s.
fn say_warnings(intake: &Intake, file: &std::path::Path, output: Output) {
    let (sheet, workflow): (Vec<_>, Vec<_>) =
        intake.found.diagnostics.iter().cloned().partition(|found| found.file == intake.sheet);
    if !output.json && !sheet.is_empty() {
        output.diagnostics(&intake::Found { diagnostics: sheet, sources: intake.found.sources.clone() });
    }
    if !workflow.is_empty() {
        output.say(format!("{} warning(s) about the workflow: kentai check {}", workflow.len(), file.display()));
    }
}

fn say_submitted(submitted: &Submitted, output: Output) {
    let runs = submitted.runs.len();
    if submitted.existed {
        output.say(format!("submission {} was made before; going on with its {runs} run(s)", submitted.submission));
    } else {
        output.say(format!("submission {}: {runs} run(s), {} new", submitted.submission, submitted.new_runs));
    }
}

/// Waits until nothing can happen by itself any more.
async fn wait(engine: &mut Running, timeout: Option<Duration>, output: Output) -> anyhow::Result<Exit> {
    let mut pulse = engine.handle.pulse();
    let progress = Progress::start(&engine.handle, output);
    let deadline = async {
        match timeout {
            Some(timeout) => tokio::time::sleep(timeout).await,
            None => std::future::pending().await,
        }
    };
    let exit = tokio::select! {
        quiet = pulse.wait_for(|pulse| pulse.active == 0 && pulse.tools == 0) => match quiet {
            Ok(_) => Exit::Done,
            Err(_) => Exit::Unexpected,
        },
        ended = engine.ended() => {
            ended?;
            Exit::Unexpected
        }
        () = deadline => Exit::TimedOut,
        () = interrupted() => Exit::Interrupted,
    };
    progress.end().await;
    if exit == Exit::Interrupted {
        output.say("interrupted; tools that run go on, and the same command adopts them (kentai cancel RUN ends them)");
    }
    Ok(exit)
}

async fn summary(handle: &Handle, submitted: &Submitted, output: Output) -> anyhow::Result<Exit> {
    let reader = handle.reader();
    let tally: BTreeMap<String, i64> = if submitted.new_runs == 0 && !submitted.existed {
        let mut tally = BTreeMap::new();
        for run in &submitted.runs {
            if let Some(row) = reader.run(run.as_str()).await? {
                *tally.entry(row.status).or_insert(0) += 1;
            }
        }
        tally
    } else {
        reader.submission_tally(submitted.submission.as_str()).await?.into_iter().collect()
    };
    let count = |status: &str| tally.get(status).copied().unwrap_or(0);
    let total: i64 = tally.values().sum();
    let exit = match () {
        () if count("failed") > 0 => Exit::RunFailed,
        () if count("queued") + count("running") + count("canceling") > 0 => Exit::Waits,
        () if count("canceled") > 0 => Exit::Canceled,
        () => Exit::Done,
    };
    if output.json {
        output.json(
            &serde_json::json!({ "submission": submitted.submission, "runs": submitted.runs, "statuses": tally }),
        );
    }
    let words: Vec<String> = tally.iter().map(|(status, n)| format!("{n} {status}")).collect();
    output.say(format!("{total} run(s): {}", words.join(", ")));
    explain(handle, submitted, exit, output).await?;
    Ok(exit)
}

/// What to do next, for the first runs that need it.
async fn explain(handle: &Handle, submitted: &Submitted, exit: Exit, output: Output) -> anyhow::Result<()> {
    if submitted.existed && exit == Exit::Done {
        output.say("nothing to do: every run of this submission is done");
    }
    if !matches!(exit, Exit::RunFailed | Exit::Waits) {
        return Ok(());
    }
    let filter = RunFilter { submission: Some(submitted.submission.to_string()), limit: 1000, ..RunFilter::default() };
    let open = handle.reader().runs(&filter).await?.into_iter().filter(|run| run.status != "succeeded");
    for run in open.take(3) {
        for because in handle.why(&run.run_id, None).await.map_err(refused)? {
            output.say(format!("{} {} {}: {}", run.specimen_id, run.run_id, because.step, because.reason));
            if !because.who.is_empty() {
                output.say(format!("  who: {}   next: {}", because.who.join(" or "), because.next));
            }
        }
    }
    Ok(())
}
