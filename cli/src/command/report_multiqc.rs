//! `report multiqc`: what was measured and its verdicts, as files that MultiQC takes into its page.

use std::path::{Path, PathBuf};

use clap::Args;
use kentai_engine::store::read::Reader;
use kentai_engine::view::center::multiqc::{Content, multiqc};

use super::qc_trend::{assay_version, wish};
use crate::access::{hidden, who};
use crate::exit::{Exit, Stop};
use crate::output::Output;
use crate::site::Site;
use crate::whole_file::replace;

/// Write what was measured and its verdicts as files that MultiQC reads
#[derive(Args, Debug)]
#[command(
    after_help = "The newest evaluation of each order line, by specimen: kentai_values_mqc.json and kentai_verdicts_mqc.json.

Example:
  kentai report multiqc --assay wgs_30x@1 --since 2026-11-01 --out qc && multiqc qc"
)]
pub(crate) struct Multiqc {
    /// Only this assay version's order lines
    #[arg(long, value_name = "NAME@VERSION", value_parser = assay_version)]
    assay: Option<(String, String)>,
    /// Only what was judged then or later: a date, or a time with its zone
    #[arg(long, value_name = "DATE")]
    since: Option<String>,
    /// At most so many order lines, the newest
    #[arg(long, default_value_t = 1_000, value_parser = clap::value_parser!(u16).range(1..=5_000))]
    limit: u16,
    /// Directory of the files, made when it is not there
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
}

impl Multiqc {
    pub(crate) async fn run(self, site: &Site, reader: &Reader, output: Output) -> anyhow::Result<()> {
        let wish = wish(site, self.assay, self.since.as_deref(), self.limit)?;
        let found = multiqc(reader, &who(site), &wish, output.language).await.map_err(hidden)?;
        let lines = found.values.data.len();
        let failed = |error: std::io::Error| Stop::new(Exit::Unexpected, format!("{}: {error}", self.out.display()));
        std::fs::create_dir_all(&self.out).map_err(failed)?;
        // Both are written also when they are empty: what an earlier report said must not pass for this one's.
        let mut files = Vec::new();
        for content in [&found.values, &found.verdicts] {
            files.push(write(&self.out, content).map_err(failed)?);
        }
        if output.json {
            let names: Vec<_> = files.iter().map(|file| file.to_string_lossy()).collect();
            output.json(&serde_json::json!({ "files": names, "rows": lines, "older": found.older }));
            return Ok(());
        }
        for file in &files {
            output.line(file.to_string_lossy());
        }
        if lines == 0 {
            output.say("nothing was measured: both are empty");
        } else if found.older {
            output.say(format!("these are the newest {lines} order lines: --limit takes more"));
        }
        Ok(())
    }
}

/// MultiQC finds custom content by the end of its name.
fn write(directory: &Path, content: &Content) -> std::io::Result<PathBuf> {
    let path = directory.join(format!("{}_mqc.json", content.id));
    replace(&path, &serde_json::to_vec_pretty(content)?)?;
    Ok(path)
}
