//! `kentai demo`: the whole line on two simulated specimens whose variants are known.

use std::fs;
use std::path::{Path, PathBuf};

use clap::Args;
use kentai_engine::store::read::RunFilter;
use kentai_engine::view;

use crate::access;
use crate::command::reference::Add;
use crate::command::run::Run;
use crate::demo::{compare, simulate};
use crate::exit::{Exit, Stop};
use crate::output::Output;
use crate::site::Site;

/// What the line needs on the machine when no containers are used.
const TOOLS: [&str; 6] = ["bash", "bwa", "samtools", "bcftools", "fastp", "gzip"];
/// The simulated reference's name at the site.
const REFERENCE: &str = "demo@1";

/// Arguments of `demo`.
#[derive(Args, Debug)]
pub(crate) struct Demo {
    /// docker, or process for the tools of this machine
    #[arg(long, default_value = "docker")]
    executor: String,
    /// Seed of the simulation: another one gives other specimens
    #[arg(long, default_value_t = 20_261_125)]
    seed: u64,
}

impl Demo {
    /// Simulates, runs to the hand-off, and compares the delivered calls with the truth.
    pub(crate) async fn run(self, site: &Site, output: Output) -> anyhow::Result<Exit> {
        if self.executor == "process" {
            look_for_tools()?;
        }
        let data = site.directory.join(format!("demo/{}", self.seed));
        let simulated = simulate(&data, self.seed)?;
        output.say(format!("two simulated specimens with known variants: {}", data.display()));
        let bundle = format!("{REFERENCE}.{}", self.seed);
        if !site.references().join(&bundle).exists() {
            output.say(format!("indexing their reference as {bundle}"));
            let add = Add {
                bundle: bundle.clone(),
                fasta: simulated.reference.clone(),
                known_sites: None,
                memory: None,
                executor: Some(self.executor.clone()),
            };
            let exit = add.add(site, output).await?;
            if exit != Exit::Done {
                return Ok(exit);
            }
        }
        let run = Run {
            file: PathBuf::from("germline_wgs"),
            sheet: simulated.sheet.clone(),
            params: vec![("reference".into(), bundle)],
            executor: Some(self.executor.clone()),
            timeout: None,
        };
        let exit = run.run(site, Output { json: false, ..output }).await?;
        if exit != Exit::Done {
            return Ok(exit);
        }
        self.compare(site, &simulated.specimens, output).await
    }

    async fn compare(&self, site: &Site, specimens: &[(String, PathBuf)], output: Output) -> anyhow::Result<Exit> {
        let reader = access::reader(site).await?;
        let mut perfect = true;
        let mut report = Vec::new();
        for (specimen, truth) in specimens {
            let filter = RunFilter {
                specimen: Some(specimen.clone()),
                status: Some("succeeded".into()),
                limit: 1,
                ..RunFilter::default()
            };
            let run = view::runs(&reader, &filter).await?.items.pop();
            let run = run.ok_or_else(|| Stop::new(Exit::RunFailed, format!("{specimen} has no finished run")))?;
            let detail = view::run(&reader, &run.id).await?;
            let delivery = detail.and_then(|detail| detail.deliveries.into_iter().next());
            let place = delivery
                .and_then(|delivery| delivery.place)
                .ok_or_else(|| Stop::new(Exit::RunFailed, format!("{specimen} was not delivered")))?;
            let comparison = compare(truth, &calls(Path::new(&place))?)?;
            perfect &= comparison.is_perfect();
            let (snvs, indels) = (comparison.snvs, comparison.indels);
            output.line(format!(
                "{specimen}: {} of {} SNVs and {} of {} indels found, {} extra, {} genotypes wrong",
                snvs.found,
                snvs.found + snvs.missed,
                indels.found,
                indels.found + indels.missed,
                snvs.extra + indels.extra,
                comparison.genotypes_wrong
            ));
            output.line(format!("  package: {place}"));
            report.push((run.id, place));
        }
        next_commands(site, &report, output);
        Ok(if perfect { Exit::Done } else { Exit::Unexpected })
    }
}

/// The one file of calls in a package.
fn calls(package: &Path) -> anyhow::Result<PathBuf> {
    let entries = fs::read_dir(package.join("data"))?.flatten().map(|entry| entry.path());
    let found = entries.into_iter().find(|path| path.to_string_lossy().ends_with(".vcf.gz"));
    found.ok_or_else(|| Stop::new(Exit::Unexpected, format!("{} holds no calls", package.display())).into())
}

fn look_for_tools() -> anyhow::Result<()> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let there = |name: &str| std::env::split_paths(&path).any(|directory| directory.join(name).is_file());
    let missing: Vec<&str> = TOOLS.into_iter().filter(|name| !there(name)).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let message =
        format!("this machine lacks {}: on Debian, apt-get install {}", missing.join(", "), missing.join(" "));
    Err(Stop::new(Exit::Unreachable, message).into())
}

fn next_commands(site: &Site, report: &[(kentai_engine::id::RunId, String)], output: Output) {
    let Some((run, place)) = report.first() else { return };
    let site = site.directory.display();
    output.say(format!(
        "next:\n  kentai --site {site} status\n  kentai --site {site} status {run}\n  kentai --site {site} handoff list\n  kentai graph germline_wgs --svg > line.svg\n  (cd {place} && sha256sum -c manifest-sha256.txt)"
    ));
}
