//! `kentai demo`: the whole line on two simulated specimens whose variants are known; and a center with a history.

mod big;
mod hands;
mod report;

use std::path::{Path, PathBuf};

use clap::Args;

use super::init;
use super::reference::Add;
use super::run::Run;
use crate::demo::simulate;
use crate::exit::Exit;
use crate::output::Output;
use crate::site::Site;

/// The simulated reference's name at the site; its version is the seed's.
const REFERENCE: &str = "demo@1";
/// The reference is small: so much is enough for every tool, also on a small machine.
const MEMORY: &str = "2 GiB";
/// Cores for the alignment, where there are so many.
const CPUS: u32 = 2;

/// Arguments of `demo`.
#[derive(Args, Debug)]
#[command(after_help = "May be started again at any time: what is done is not done again.
Ends with 0 only when every simulated variant was found and nothing else.

Examples:
  kentai demo                       in containers
  kentai demo --executor process    with the tools of this machine
  kentai demo --dir try --seed 7
  kentai demo --site big            a center with months of history, in ./big, for looking at
  kentai demo --big --dir try --now 2026-11-19T09:42:00+09:00")]
pub(crate) struct Demo {
    /// docker, or process for the tools of this machine
    #[arg(long, default_value = "docker")]
    executor: String,
    /// Put everything here, the site being DIR/.kentai; default: all into the site
    #[arg(long)]
    dir: Option<PathBuf>,
    /// Seed of the simulation: another one gives other specimens
    #[arg(long, default_value_t = 20_261_125)]
    seed: u64,
    #[command(flatten)]
    big: big::Big,
}

impl Demo {
    /// Simulates, runs to the hand-off, and compares the delivered calls with the truth.
    pub(crate) async fn run(self, site: &Path, output: Output) -> anyhow::Result<Exit> {
        if self.big.is_wanted(site) {
            return self.big.make(site, self.dir.as_ref(), self.seed, output).await;
        }
        let (site, data) = match &self.dir {
            Some(dir) => (open(&dir.join(".kentai"))?, dir.join(format!("simulated/{}", self.seed))),
            None => {
                let site = open(site)?;
                let data = site.directory.join(format!("demo/{}", self.seed));
                (site, data)
            }
        };
        hands::look(&site, &self.executor).await?;
        let simulated = simulate(&data, self.seed)?;
        output.say(format!("two simulated specimens with known variants: {}", data.display()));
        let bundle = format!("{REFERENCE}.{}", self.seed);
        let exit = self.add_reference(&site, &bundle, &simulated.reference, output).await?;
        if exit != Exit::Done {
            return Ok(exit);
        }
        let run = self.line(&site, bundle, simulated.sheet);
        let (exit, runs) = run.carry_out(&site, Output { json: false, ..output }).await?;
        if exit != Exit::Done {
            return Ok(exit);
        }
        let rows = report::rows(&site, &runs, &simulated.specimens).await?;
        report::show(&site, &rows, output);
        Ok(if rows.iter().all(|row| row.perfect) { Exit::Done } else { Exit::CheckFailed })
    }

    async fn add_reference(&self, site: &Site, bundle: &str, fasta: &Path, output: Output) -> anyhow::Result<Exit> {
        if site.references().join(bundle).exists() {
            return Ok(Exit::Done);
        }
        output.say(format!("indexing their reference as {bundle}"));
        let add = Add {
            bundle: bundle.to_owned(),
            fasta: fasta.to_owned(),
            known_sites: None,
            memory: Some(MEMORY.to_owned()),
            executor: Some(self.executor.clone()),
        };
        add.add(site, Output { json: false, ..output }).await
    }

    /// The same as `kentai run germline_wgs --sheet …`, with a small machine in mind.
    fn line(&self, site: &Site, bundle: String, sheet: PathBuf) -> Run {
        let cpus = site.facts().cpus.clamp(1, CPUS).to_string();
        let params = [("reference", bundle), ("align_cpus", cpus), ("align_memory", MEMORY.to_owned())];
        Run {
            file: PathBuf::from("germline_wgs"),
            sheet,
            params: params.map(|(name, value)| (name.to_owned(), value)).into(),
            executor: Some(self.executor.clone()),
            timeout: None,
        }
    }
}

/// The site; a new one gets the sample file. One that has run without a file keeps its defaults.
fn open(directory: &Path) -> anyhow::Result<Site> {
    if !directory.join("kentai.yaml").exists() && !directory.join("kentai.db").exists() {
        init::make(directory, "demo")?;
    }
    Ok(Site::open(directory)?)
}
