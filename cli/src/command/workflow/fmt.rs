//! `workflow fmt`: one layout for all, and never a change of meaning.

use std::path::{Path, PathBuf};

use clap::Args;
use kentai_workflows::diagnostic::Diagnostic;
use kentai_workflows::format;

use crate::exit::Exit;
use crate::intake;
use crate::output::Output;
use crate::whole_file::replace;

/// Arguments of `workflow fmt`.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  kentai workflow fmt line.yaml            to standard output
  kentai workflow fmt --write *.yaml
  kentai workflow fmt --check *.yaml       exit code 3 when one would change")]
pub(crate) struct Fmt {
    /// Workflow files
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// Write the files; without it the result goes to standard output
    #[arg(long)]
    write: bool,
    /// Change nothing; exit code 3 when a file would change
    #[arg(long, conflicts_with = "write")]
    check: bool,
}

impl Fmt {
    /// Every file, also after one with mistakes.
    pub(super) fn run(&self, output: Output) -> anyhow::Result<Exit> {
        let mut found = intake::Found::default();
        let mut changed = Vec::new();
        for file in &self.files {
            let bytes = std::fs::read(file).map_err(|source| intake::Error::Read { path: file.clone(), source })?;
            let source = String::from_utf8_lossy(&bytes).into_owned();
            match formatted(file, &bytes, &source) {
                Ok(text) => {
                    if text != source {
                        changed.push(file);
                    }
                    self.put(file, &source, &text, output)?;
                }
                Err(diagnostics) => {
                    found.diagnostics.extend(diagnostics);
                    found.sources.insert(file.to_string_lossy().into_owned(), source);
                }
            }
        }
        if self.check {
            changed.iter().for_each(|file| output.line(file.display().to_string()));
        }
        if !found.diagnostics.is_empty() {
            return Err(intake::Error::Found(found).into());
        }
        Ok(if self.check && !changed.is_empty() { Exit::CheckFailed } else { Exit::Done })
    }

    fn put(&self, file: &Path, source: &str, text: &str, output: Output) -> anyhow::Result<()> {
        if self.write && text != source {
            replace(file, text.as_bytes())?;
            output.say(format!("{} was laid out anew", file.display()));
        } else if !self.write && !self.check {
            output.bytes(text.as_bytes());
        }
        Ok(())
    }
}

/// The text in its layout, or why it has none. Bytes that are no text get the check's own words.
fn formatted(file: &Path, bytes: &[u8], source: &str) -> Result<String, Vec<Diagnostic>> {
    let name = file.to_string_lossy().into_owned();
    if std::str::from_utf8(bytes).is_err() {
        let nothing = |_: &str| Err(String::new());
        return Err(kentai_workflows::check::check(&name, bytes, &Default::default(), &nothing).diagnostics);
    }
    let placed = |diagnostics: Vec<Diagnostic>| {
        diagnostics.into_iter().map(|found| Diagnostic { file: name.clone(), ..found }).collect()
    };
    format::format(source).map_err(placed)
}
