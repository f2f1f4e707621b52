//! `kentai check FILE…`

use std::path::PathBuf;

use kentai_workflows::diagnostic::has_errors;

use super::super::{exit::Exit, intake, output::Output, site::Site};

/// Checks every file and says all mistakes.
pub(crate) fn run(files: &[PathBuf], site: Option<&Site>, output: Output) -> anyhow::Result<Exit> {
    let mut all = intake::Found::default();
    for file in files {
        match intake::workflow(site, file) {
            Ok(loaded) => merge(&mut all, loaded.found),
            Err(intake::Error::Found(found)) => merge(&mut all, found),
            Err(other) => return Err(other.into()),
        }
    }
    output.diagnostics(&all);
    if has_errors(&all.diagnostics) {
        return Ok(Exit::CheckFailed);
    }
    if !output.json {
        let warnings = all.diagnostics.len();
        output.say(format!("{} file(s) checked, {warnings} warning(s)", files.len()));
    }
    Ok(Exit::Done)
}

fn merge(all: &mut intake::Found, found: intake::Found) {
    all.diagnostics.extend(found.diagnostics);
    all.sources.extend(found.sources);
}
