//! A sheet that came without its disk: what it says, and whether the files that it names are here. Nothing is stored.

use std::collections::BTreeMap;
use std::os::unix::fs::MetadataExt as _;

use kentai_workflows::diagnostic::Diagnostic;
use kentai_workflows::plan::Specimen;
use kentai_workflows::sheet::{self, Reason};
use kentai_workflows::workflow::Workflow;

/// A sheet as it was read here.
#[derive(Clone, Debug, Default)]
pub struct Sheet {
    /// Specimens without mistakes, each with a stamp that changes when one of its files does.
    pub specimens: Vec<(Specimen, String)>,
    /// In row order.
    pub diagnostics: Vec<Diagnostic>,
}

/// Reads a sheet and looks at every file that it names; `path` says where relative names begin. It waits for the disk.
#[must_use]
pub fn read(path: &str, bytes: &[u8], workflow: &Workflow) -> Sheet {
    let mut read = sheet::read(path, bytes, workflow);
    let mut stamps: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut seen = BTreeMap::new();
    for file in &read.files {
        match seen.entry(file.path.clone()).or_insert_with(|| look(&file.path)) {
            Ok((size, stamp)) => {
                stamps.entry(file.specimen.clone()).or_default().push(format!("{} {stamp}", file.path));
                let specimen = read.specimens.iter_mut().find(|specimen| specimen.id == file.specimen);
                if let Some(specimen) = specimen {
                    sheet::set_size(specimen, &file.path, *size);
                }
            }
            Err(reason) => read.diagnostics.push(sheet::missing_file(path, file, *reason)),
        }
    }
    read.diagnostics.sort_by_key(|found| (found.line, found.column));
    let specimens = read.specimens.into_iter().map(|specimen| {
        let stamp = stamps.remove(&specimen.id).unwrap_or_default().join("\n");
        (specimen, stamp)
    });
    Sheet { specimens: specimens.collect(), diagnostics: read.diagnostics }
}

/// Size, and a text that changes when the file does; the command line's own, so that the same sheet is the same submission.
fn look(path: &str) -> Result<(u64, String), Reason> {
    let facts = std::fs::metadata(path).map_err(|error| Reason::from(error.kind()))?;
    if !facts.is_file() {
        return Err(Reason::NotAFile);
    }
    if facts.len() == 0 {
        return Err(Reason::Empty);
    }
    Ok((facts.len(), format!("{} {}.{}", facts.len(), facts.mtime(), facts.mtime_nsec())))
}
