//! `provenance export`: a folder that is an RO-Crate, or PROV-JSON.

use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::{Args, ValueEnum};
use kentai_engine::id::RunId;
use kentai_engine::provenance::{self, Description, prov_json, ro_crate};
use kentai_engine::store::read::{Reader, RunFilter};
use kentai_engine::view::center::Inner;
use kentai_engine::view::provenance::{Error, Text, of_delivery, of_run};
use serde_json::json;

use crate::access;
use crate::exit::{Exit, Stop};
use crate::output::{Output, plain};
use crate::site::Site;

/// Name of the document in its folder.
const PROV: &str = "prov.json";
/// Runs of one specimen.
const RUNS_MAX: i64 = 1000;

/// Arguments of `provenance export`.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  kentai provenance export --delivery d01k… --output crate
  kentai provenance export --run r01k… --format prov-json --output - | jq .activity
  kentai provenance export --specimen S0001 --output crates    # a folder for each run")]
pub(crate) struct Export {
    #[command(flatten)]
    of: Of,
    /// How it is written: ro-crate (Provenance Run Crate 0.5) or prov-json
    #[arg(long, value_enum, default_value_t = Format::RoCrate)]
    format: Format,
    /// A folder to be made; `-`: standard output, for prov-json
    #[arg(long, short)]
    output: PathBuf,
}

/// Of what; one of them.
#[derive(Args, Debug)]
#[group(required = true, multiple = false)]
struct Of {
    /// Run id, or the beginning of one: as far as it has come
    #[arg(long)]
    run: Option<String>,
    /// Every run of this specimen
    #[arg(long)]
    specimen: Option<String>,
    /// Delivery id: as it stood when it was begun
    #[arg(long)]
    delivery: Option<String>,
}

/// How to write it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    RoCrate,
    ProvJson,
}

/// One thing that is told, and the texts that travel along.
type Told = (Description, Vec<Text>);

impl Export {
    pub(crate) async fn write(self, site: &Site, output: Output) -> anyhow::Result<Exit> {
        let to_stdout = self.output.as_os_str() == "-";
        if to_stdout && self.format == Format::RoCrate {
            let message = "an RO-Crate is a folder: give its name with --output, or take --format prov-json";
            return Err(Stop::new(Exit::Usage, message).into());
        }
        let told = self.of.gather(site).await?;
        if to_stdout {
            let [(one, _)] = told.as_slice() else { return Err(several(&told).into()) };
            output.bytes(prov_json::write(one).map_err(unwritten)?.as_bytes());
            return Ok(Exit::Done);
        }
        let mut folders = Vec::new();
        for (one, texts) in &told {
            let folder = if self.of.specimen.is_some() { self.output.join(&one.run.id) } else { self.output.clone() };
            let files = files(self.format, one, texts)?;
            write_folder(&folder, &files)?;
            folders.push(folder);
        }
        if output.json {
            output.json(&json!({ "folders": folders }));
        } else {
            folders.iter().for_each(|folder| output.line(plain(&folder.to_string_lossy())));
        }
        Ok(Exit::Done)
    }
}

impl Of {
    async fn gather(&self, site: &Site) -> anyhow::Result<Vec<Told>> {
        let name = &site.config.site;
        if let Some(id) = &self.delivery {
            access::of_the_center(site, Inner::Delivery, Some(id)).await?;
            let none = || Stop::new(Exit::NotFound, format!("there is no delivery `{}`", id.escape_debug()));
            let reader = access::reader_if_any(site).await?.ok_or_else(none)?;
            return Ok(vec![of_delivery(&reader, id, name).await.map_err(untold)?.ok_or_else(none)?]);
        }
        if let Some(text) = &self.run {
            access::of_the_center(site, Inner::Run, Some(text)).await?;
            let reader = access::reader(site).await?;
            let id = access::run_id(&reader, text).await?;
            return Ok(vec![of_run(&reader, &id, name).await.map_err(untold)?]);
        }
        let id = self.specimen.as_deref().unwrap_or_default();
        access::of_the_center(site, Inner::Specimen, Some(id)).await?;
        let none = || Stop::new(Exit::NotFound, format!("there is no run of specimen `{}`", id.escape_debug()));
        let reader = access::reader_if_any(site).await?.ok_or_else(none)?;
        let mut told = Vec::new();
        for run in runs(&reader, id).await? {
            told.push(of_run(&reader, &run, name).await.map_err(untold)?);
        }
        if told.is_empty() { Err(none().into()) } else { Ok(told) }
    }
}

/// Runs of a specimen, oldest first; what they called is told with them. A run in which no tool ran has nothing to tell.
async fn runs(reader: &Reader, specimen: &str) -> anyhow::Result<Vec<RunId>> {
    let filter = RunFilter { specimen: Some(specimen.to_owned()), limit: RUNS_MAX, ..RunFilter::default() };
    let mut rows = reader.runs(&filter).await?;
    rows.retain(|row| row.parent == "null" && row.attempts_made > 0);
    rows.reverse();
    Ok(rows.into_iter().map(|row| row.run_id).collect())
}

fn several(told: &[Told]) -> Stop {
    let runs: Vec<&str> = told.iter().map(|(one, _)| one.run.id.as_str()).collect();
    Stop::new(Exit::Usage, format!("there are {} runs: name one with --run ({})", runs.len(), runs.join(", ")))
}

fn untold(error: Error) -> anyhow::Error {
    match error {
        Error::NoRun(_) => Stop::new(Exit::NotFound, error.to_string()).into(),
        Error::Workflow { .. } => Stop::new(Exit::State, error.to_string()).into(),
        Error::Store(error) => error.into(),
    }
}

/// Nothing ran yet, or something is stored that does not hold together.
fn unwritten(error: provenance::Error) -> Stop {
    Stop::new(Exit::State, error.to_string())
}

/// Name and text of each file of a folder.
fn files(format: Format, one: &Description, texts: &[Text]) -> anyhow::Result<Vec<(String, String)>> {
    if format == Format::ProvJson {
        return Ok(vec![(PROV.to_owned(), prov_json::write(one).map_err(unwritten)?)]);
    }
    let mut files = vec![(ro_crate::NAME.to_owned(), ro_crate::write(one).map_err(unwritten)?)];
    files.extend(texts.iter().map(|text| (text.name.clone(), text.text.clone())));
    Ok(files)
}

/// Into a folder that is not there, or has nothing in it: nobody's file is written over. The document comes last: where it lies, all do.
fn write_folder(folder: &Path, files: &[(String, String)]) -> anyhow::Result<()> {
    std::fs::create_dir_all(folder).with_context(|| format!("make {}", folder.display()))?;
    let mut entries = std::fs::read_dir(folder).with_context(|| format!("look into {}", folder.display()))?;
    if entries.next().is_some() {
        let message = format!("{} is not empty: give another --output", folder.display());
        return Err(Stop::new(Exit::State, message).into());
    }
    for (name, text) in files.iter().rev() {
        let path = folder.join(name);
        let written = File::create_new(&path).and_then(|mut file| {
            file.write_all(text.as_bytes())?;
            file.sync_all()
        });
        written.with_context(|| format!("write {}", path.display()))?;
    }
    File::open(folder).and_then(|folder| folder.sync_all()).with_context(|| format!("write {}", folder.display()))
}
