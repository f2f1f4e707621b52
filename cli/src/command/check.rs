//! `kentai check FILE…`

use std::path::PathBuf;

use clap::Args;
use kentai_workflows::diagnostic::has_errors;

use crate::exit::Exit;
use crate::intake;
use crate::output::Output;
use crate::site::Site;

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
    pub(crate) fn run(&self, site: Option<&Site>, output: Output) -> anyhow::Result<Exit> {
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
