//! `reference add`: the shipped workflow over a FASTA, then its outputs as a bundle.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use clap::Args;
use kentai_engine::id::RunId;
use kentai_engine::scheduler::handle::{Submit, Submitted};
use kentai_engine::view::{self, FileView};
use kentai_workflows::plan::{Priority, Specimen};
use kentai_workflows::value::{FileValue, Map};

use super::bundle::Bundle;
use crate::client::Client;
use crate::command::{run, submit};
use crate::exit::{Exit, Stop};
use crate::output::Output;
use crate::site::Site;
use crate::{access, library, person};

const WORKFLOW: &str = "reference_bundle";

/// Arguments of `reference add`.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  kentai reference add GRCh38@2024-07 GRCh38.fa.gz --memory '8 GiB'
  kentai reference add tiny@1 reference.fa --executor process")]
pub(crate) struct Add {
    /// NAME@VERSION, as workflows will name it
    pub(crate) bundle: String,
    /// FASTA, plain or gzip
    pub(crate) fasta: PathBuf,
    /// Known sites (VCF), kept beside it with their index as role known_sites
    #[arg(long, value_name = "VCF")]
    pub(crate) known_sites: Option<PathBuf>,
    /// Executor by name or kind (docker, process); default: the site's first
    #[arg(long)]
    pub(crate) executor: Option<String>,
    /// Memory for the indexing: a human genome needs 8 GiB
    #[arg(long, value_name = "SIZE")]
    pub(crate) memory: Option<String>,
}

impl Add {
    /// Runs the shipped workflow over the FASTA, then registers its outputs whole.
    pub(crate) async fn add(self, site: &Site, output: Output) -> anyhow::Result<Exit> {
        let Some((name, version)) = super::names(&self.bundle) else {
            let bundle = self.bundle.escape_debug();
            let message = format!("`{bundle}`: write it as NAME@VERSION with letters, digits and . _ -");
            return Err(Stop::new(Exit::Usage, message).into());
        };
        let place = site.references().join(&self.bundle);
        if place.exists() {
            let message = format!("bundle {} is here already and is never changed: {}", self.bundle, place.display());
            return Err(Stop::new(Exit::State, message).into());
        }
        for path in self.known_sites.iter() {
            facts(path)?;
        }
        let submit = self.submission(name)?;
        let (exit, submitted) = carry_out(site, submit, self.executor.as_deref(), output).await?;
        if exit != Exit::Done {
            return Ok(exit);
        }
        let run = submitted.runs.first().ok_or_else(|| Stop::new(Exit::Unexpected, "the submission has no run"))?;
        let files = outputs(site, run).await?;
        let document = Bundle { site, place: &place, name, version }.register(&files, self.known_sites.as_deref())?;
        if output.json {
            output.json(&document);
        }
        output.say(format!("bundle {} is registered: {}", self.bundle, place.display()));
        output.say(format!("next: kentai run germline_wgs --sheet SHEET --param reference={}", self.bundle));
        Ok(Exit::Done)
    }

    fn submission(&self, name: &str) -> anyhow::Result<Submit> {
        let path = std::path::absolute(&self.fasta)?;
        let (size, stamp) = facts(&path)?;
        let file = FileValue {
            name: path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default(),
            path: Some(path.to_string_lossy().into_owned()),
            sha256: None,
            size: Some(size),
            bundle: None,
            dir: false,
        };
        let specimen = Specimen {
            id: name.to_owned(),
            values: Map::from_iter([("fasta".to_owned(), file.to_value())]),
            participant: None,
            barcode: None,
            consent: None,
            priority: Priority::Routine,
            checksums: Vec::new(),
        };
        Ok(Submit {
            path: WORKFLOW.into(),
            source: library::text(WORKFLOW).unwrap_or_default().into(),
            called: BTreeMap::new(),
            specimens: vec![(specimen, stamp)],
            params: self.memory.iter().map(|memory| ("memory".to_owned(), memory.clone())).collect(),
        })
    }
}

/// Size of a file that is there, and a text that changes when it does.
fn facts(path: &Path) -> anyhow::Result<(u64, String)> {
    use std::os::unix::fs::MetadataExt as _;
    let found =
        std::fs::metadata(path).map_err(|error| Stop::new(Exit::NotFound, format!("{}: {error}", path.display())))?;
    if !found.is_file() || found.len() == 0 {
        let message = format!("{} is empty or not a file", path.display());
        return Err(Stop::new(Exit::CheckFailed, message).into());
    }
    Ok((found.len(), format!("{} {}.{}", found.len(), found.mtime(), found.mtime_nsec())))
}

/// Through the site's server when one answers, else by an engine of our own.
async fn carry_out(
    site: &Site,
    submit: Submit,
    executor: Option<&str>,
    output: Output,
) -> anyhow::Result<(Exit, Submitted)> {
    let output = Output { json: false, ..output };
    if let Some(client) = Client::connect(&site.socket()).await? {
        same_hands(site, &client, executor).await?;
        let submitted = client.submit(&submit).await?;
        return Ok((submit::wait(site, &submitted, output).await?, submitted));
    }
    let house = run::House::open(site, executor, output).await?;
    let me = person::me(&site.config, &site.directory);
    match house.engine.handle.submit(submit, &me).await {
        Ok(submitted) => Ok((house.finish(&submitted, None, output).await?, submitted)),
        Err(refusal) => {
            house.close().await?;
            Err(run::refused(refusal))
        }
    }
}

/// A server gives every step to one executor: another wish is refused, not forgotten.
async fn same_hands(site: &Site, client: &Client, wish: Option<&str>) -> anyhow::Result<()> {
    let Some(wish) = wish else { return Ok(()) };
    let there = submit::first_executor(client).await?.unwrap_or_default();
    let kind = site.executor(Some(&there)).map(|executor| executor.kind.as_str());
    if there == wish || kind == Some(wish) {
        return Ok(());
    }
    let message =
        format!("the server on this site gives every step to `{there}`: stop it first, or leave --executor out");
    Err(Stop::new(Exit::State, message).into())
}

async fn outputs(site: &Site, run: &RunId) -> anyhow::Result<Vec<FileView>> {
    let detail = view::run(&access::reader(site).await?, run).await?;
    let steps = detail.map(|detail| detail.steps).unwrap_or_default();
    Ok(steps.into_iter().flat_map(|step| step.outputs.into_values().flatten()).collect())
}
