//! `kentai check FILE…`

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use kentai_workflows::diagnostic::has_errors;

use crate::assemble;
use crate::exit::Exit;
use crate::intake;
use crate::output::Output;
use crate::site::Site;

/// A cluster that is silent for longer is not waited for.
const PATIENCE: Duration = Duration::from_secs(5);

/// Arguments of `check`.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  kentai check line.yaml
  kentai check --json *.yaml
  kentai explain K030      a page about a code")]
pub(crate) struct Check {
    /// Workflow files, or names of shipped workflows
    #[arg(required = true)]
    files: Vec<PathBuf>,
}

impl Check {
    /// Checks every file and says all mistakes.
    pub(crate) async fn run(&self, site: Option<&Site>, output: Output) -> anyhow::Result<Exit> {
        let mut all = intake::Found::default();
        for file in &self.files {
            let found = match intake::workflow(site, file) {
                Ok(loaded) => loaded.found,
                Err(intake::Error::Found(found)) => found,
                Err(other) => return Err(other.into()),
            };
            all.diagnostics.extend(found.diagnostics);
            all.sources.extend(found.sources);
        }
        output.diagnostics(&all);
        for words in clusters(site).await {
            output.say(format!("warning: {words}"));
        }
        if has_errors(&all.diagnostics) {
            return Ok(Exit::CheckFailed);
        }
        if !output.json {
            let warnings = all.diagnostics.len();
            output.say(format!("{} file(s) checked, {warnings} warning(s)", self.files.len()));
        }
        Ok(Exit::Done)
    }
}

/// What is wrong with the site's clusters: a workflow that is well would only wait there.
async fn clusters(site: Option<&Site>) -> Vec<String> {
    let Some(site) = site.filter(|site| site.config.executors.iter().any(|executor| executor.kind == "slurm")) else {
        return Vec::new();
    };
    let hands = match assemble::executors(site, None) {
        Ok(hands) => hands,
        Err(error) => return vec![format!("{:#}", anyhow::Error::from(error))],
    };
    let mut wrong = Vec::new();
    for one in hands.iter().filter(|one| one.kind() == "slurm") {
        match tokio::time::timeout(PATIENCE, one.ping()).await {
            Ok(Ok(_)) => {}
            Ok(Err(error)) => wrong.push(format!("executor `{}`: {error}; its steps will wait", one.name())),
            Err(_) => wrong.push(format!("executor `{}` does not answer; its steps will wait", one.name())),
        }
    }
    wrong
}
