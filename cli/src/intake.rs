//! From a workflow file and a sheet to a submission: every mistake of both at once, and nothing stored.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use kentai_engine::scheduler::handle::Submit;
use kentai_workflows::check::{Checked, check};
use kentai_workflows::diagnostic::{Diagnostic, has_errors};
use kentai_workflows::plan::Specimen;
use kentai_workflows::sheet::{self, Reason, SheetFile};
use kentai_workflows::site::Site as Facts;
use kentai_workflows::workflow::Workflow;
use md5::Md5;
use sha2::{Digest, Sha256};

use crate::library;
use crate::site::Site;

/// What people wrote wrong, with the texts to show it in.
#[derive(Debug, Default)]
pub(crate) struct Found {
    pub diagnostics: Vec<Diagnostic>,
    pub sources: BTreeMap<String, String>,
}

/// A workflow that passed, and the texts it came from.
pub(crate) struct Loaded {
    pub workflow: Arc<Workflow>,
    pub path: String,
    pub source: String,
    pub called: BTreeMap<String, (String, String)>,
    pub found: Found,
}

/// A submission ready to be made.
pub(crate) struct Intake {
    pub submit: Submit,
    pub files: Vec<SheetFile>,
    pub sheet: String,
    /// Warnings.
    pub found: Found,
}

/// Why there is no intake.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("read {path}")]
    Read { path: PathBuf, source: std::io::Error },
    #[error("there is no file {path} and no shipped workflow of that name; shipped are {shipped}")]
    NoWorkflow { path: PathBuf, shipped: String },
    #[error("there are mistakes")]
    Found(Found),
}

/// Reads and checks a workflow for a run: its default reference need not be here, a parameter may name another.
pub(crate) fn workflow_to_run(site: &Site, name: &Path, executor: Option<&str>) -> Result<Loaded, Error> {
    let images_ignored = site.executor(executor).is_some_and(|executor| !executor.runs_images());
    let mut facts = Facts { references: None, images_ignored, ..site.facts() };
    // One that was chosen takes steps whatever labels they ask for. Whether they fit it, the engine says.
    let chosen = executor.and_then(|_| site.executor(executor));
    for one in facts.executors.iter_mut().flatten() {
        one.all = chosen.is_some_and(|chosen| chosen.name == one.name);
    }
    checked(facts, name)
}

/// Reads and checks a workflow that nothing is going to run: neither images nor references are asked for.
pub(crate) fn workflow_to_read(site: Option<&Site>, name: &Path) -> Result<Loaded, Error> {
    let facts = site.map(Site::facts).unwrap_or_default();
    checked(Facts { references: None, images_ignored: true, ..facts }, name)
}

/// Reads and checks a workflow: a file, or the name of a shipped one.
pub(crate) fn workflow(site: Option<&Site>, name: &Path) -> Result<Loaded, Error> {
    checked(site.map(Site::facts).unwrap_or_default(), name)
}

fn checked(facts: Facts, name: &Path) -> Result<Loaded, Error> {
    let (path, bytes) = read_workflow(name)?;
    let called = std::cell::RefCell::new(BTreeMap::new());
    let load = |wanted: &str| {
        let (resolved, bytes) = read_called(&path, wanted)?;
        let text = String::from_utf8_lossy(&bytes).into_owned();
        called.borrow_mut().insert(wanted.to_owned(), (resolved.clone(), text));
        Ok((resolved, bytes))
    };
    let Checked { workflow, diagnostics, sources } = check(&path, &bytes, &facts, &load);
    let found = Found { diagnostics, sources };
    let source = String::from_utf8_lossy(&bytes).into_owned();
    match workflow {
        Some(workflow) => Ok(Loaded { workflow, path, source, called: called.into_inner(), found }),
        None => Err(Error::Found(found)),
    }
}

/// The bytes of a workflow file, or of a shipped workflow.
pub(crate) fn read_workflow(name: &Path) -> Result<(String, Vec<u8>), Error> {
    match std::fs::read(name) {
        Ok(bytes) => Ok((name.to_string_lossy().into_owned(), bytes)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            let shipped = name.to_str().and_then(library::text);
            shipped.map(|text| (name.to_string_lossy().into_owned(), text.as_bytes().to_vec())).ok_or_else(|| {
                Error::NoWorkflow {
                    path: name.to_owned(),
                    shipped: library::NAMES.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", "),
                }
            })
        }
        Err(source) => Err(Error::Read { path: name.to_owned(), source }),
    }
}

/// The file that a `call` names: beside the caller, or shipped.
pub(crate) fn read_called(caller: &str, wanted: &str) -> Result<(String, Vec<u8>), String> {
    let beside = Path::new(caller).parent().unwrap_or(Path::new(".")).join(wanted);
    match std::fs::read(&beside) {
        Ok(bytes) => Ok((beside.to_string_lossy().into_owned(), bytes)),
        Err(error) => match library::text(wanted) {
            Some(text) => Ok((wanted.to_owned(), text.as_bytes().to_vec())),
            None => Err(format!("{}: {error}", beside.display())),
        },
    }
}

/// Reads the sheet for a checked workflow and looks at every file that it names.
pub(crate) fn sheet(loaded: Loaded, path: &Path, params: BTreeMap<String, String>) -> Result<Intake, Error> {
    let absolute = std::path::absolute(path).map_err(|source| Error::Read { path: path.to_owned(), source })?;
    let bytes = std::fs::read(&absolute).map_err(|source| Error::Read { path: path.to_owned(), source })?;
    let name = absolute.to_string_lossy().into_owned();
    let mut read = sheet::read(&name, &bytes, &loaded.workflow);
    let mut stamps: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut seen = BTreeMap::new();
    for file in &read.files {
        match seen.entry(file.path.clone()).or_insert_with(|| look(&file.path)) {
            Ok((size, stamp)) => {
                stamps.entry(file.specimen.clone()).or_default().push(format!("{} {stamp}", file.path));
                if let Some(specimen) = read.specimens.iter_mut().find(|specimen| specimen.id == file.specimen) {
                    sheet::set_size(specimen, &file.path, *size);
                }
            }
            Err(reason) => read.diagnostics.push(sheet::missing_file(&name, file, *reason)),
        }
    }
    let mut found = loaded.found;
    found.diagnostics.extend(read.diagnostics);
    found.sources.insert(name.clone(), String::from_utf8_lossy(&bytes).into_owned());
    if has_errors(&found.diagnostics) {
        // What only warns about the workflow would bury what is wrong with the sheet.
        found.diagnostics.retain(|one| one.file == name);
        return Err(Error::Found(found));
    }
    let specimens = read.specimens.into_iter().map(|specimen| {
        let stamp = stamps.remove(&specimen.id).unwrap_or_default().join("\n");
        (specimen, stamp)
    });
    let submit = Submit {
        path: loaded.path,
        source: loaded.source,
        called: loaded.called,
        specimens: specimens.collect(),
        params,
    };
    Ok(Intake { submit, files: read.files, sheet: name, found })
}

/// Size, and a text that changes when the file does.
fn look(path: &str) -> Result<(u64, String), Reason> {
    use std::os::unix::fs::MetadataExt as _;
    let facts = std::fs::metadata(path).map_err(|error| Reason::from(error.kind()))?;
    if !facts.is_file() {
        return Err(Reason::NotAFile);
    }
    if facts.len() == 0 {
        return Err(Reason::Empty);
    }
    Ok((facts.len(), format!("{} {}.{}", facts.len(), facts.mtime(), facts.mtime_nsec())))
}

/// Compares every checksum that the sheet promises: reads all those files.
pub(crate) fn verify(intake: &Intake) -> Vec<Diagnostic> {
    let promised = intake.submit.specimens.iter().flat_map(|(specimen, _)| specimen.checksums.iter());
    promised
        .filter_map(|promise| {
            let real = checksum(Path::new(&promise.path), &promise.algorithm);
            let real = match real {
                Ok(real) if real == promise.hex => return None,
                Ok(real) => real,
                Err(error) => error.to_string(),
            };
            let file = intake.files.iter().find(|file| file.path == promise.path)?;
            Some(sheet::wrong_checksum(&intake.sheet, file, &promise.algorithm, &promise.hex, &real))
        })
        .collect()
}

fn checksum(path: &Path, algorithm: &str) -> std::io::Result<String> {
    let mut file = std::fs::File::open(path)?;
    let mut buffer = vec![0; 1 << 16];
    let (mut sha256, mut md5) = (Sha256::new(), Md5::new());
    let is_md5 = algorithm == "md5";
    loop {
        let n = file.read(&mut buffer)?;
        if n == 0 {
            break;
        }
        if is_md5 { md5.update(&buffer[..n]) } else { sha256.update(&buffer[..n]) }
    }
    Ok(if is_md5 { hex(&md5.finalize()) } else { hex(&sha256.finalize()) })
}

/// Lowercase hex.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Specimens of an intake, for listings.
pub(crate) fn specimens(intake: &Intake) -> impl Iterator<Item = &Specimen> {
    intake.submit.specimens.iter().map(|(specimen, _)| specimen)
}
