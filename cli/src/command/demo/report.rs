//! What the demonstration found: calls in the packages against the truth, and a few figures on the way there.

use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use kentai_engine::id::RunId;
use kentai_engine::store::artifact::ArtifactStore;
use kentai_engine::view::{self, RunDetail};
use serde::Serialize;

use crate::access;
use crate::demo::compare;
use crate::exit::{Exit, Stop};
use crate::output::{Output, table};
use crate::site::Site;

/// A flagstat file has a dozen short lines.
const FLAGSTAT_BYTES_MAX: u64 = 1 << 16;

/// One specimen.
#[derive(Debug, Serialize)]
pub(super) struct Row {
    specimen: String,
    run: RunId,
    /// In the truth.
    variants: usize,
    found: usize,
    missed: usize,
    /// Called, not in the truth.
    extra: usize,
    genotypes_wrong: usize,
    pub(super) perfect: bool,
    reads_mapped: Option<u64>,
    mean_depth: Option<f64>,
    package: String,
}

/// Compares what was delivered by these runs with the truth of each specimen.
pub(super) async fn rows(site: &Site, runs: &[RunId], specimens: &[(String, PathBuf)]) -> anyhow::Result<Vec<Row>> {
    let reader = access::reader(site).await?;
    let store = ArtifactStore::open(&site.directory)?;
    let mut rows = Vec::new();
    for id in runs {
        let Some(detail) = view::run(&reader, id).await? else { continue };
        if let Some((_, truth)) = specimens.iter().find(|(specimen, _)| *specimen == detail.run.specimen) {
            rows.push(row(&detail, truth, &store)?);
        }
    }
    rows.sort_by(|one, other| one.specimen.cmp(&other.specimen));
    if rows.len() == specimens.len() {
        return Ok(rows);
    }
    let message = format!("{} of {} specimens came to their end", rows.len(), specimens.len());
    Err(Stop::new(Exit::RunFailed, message).into())
}

fn row(detail: &RunDetail, truth: &Path, store: &ArtifactStore) -> anyhow::Result<Row> {
    let specimen = detail.run.specimen.clone();
    let package = detail.deliveries.first().and_then(|delivery| delivery.place.clone());
    let package = package.ok_or_else(|| Stop::new(Exit::RunFailed, format!("{specimen} was not delivered")))?;
    let comparison = compare(truth, &calls(Path::new(&package))?)?;
    let (snvs, indels) = (comparison.snvs, comparison.indels);
    let depth = detail.measurements.iter().find(|one| one.metric == "depth" && one.item.is_none());
    Ok(Row {
        run: detail.run.id.clone(),
        variants: snvs.found + snvs.missed + indels.found + indels.missed,
        found: snvs.found + indels.found,
        missed: snvs.missed + indels.missed,
        extra: snvs.extra + indels.extra,
        genotypes_wrong: comparison.genotypes_wrong,
        perfect: comparison.is_perfect(),
        reads_mapped: reads_mapped(detail, store),
        mean_depth: depth.and_then(|depth| depth.value),
        specimen,
        package,
    })
}

/// The one file of calls in a package.
fn calls(package: &Path) -> anyhow::Result<PathBuf> {
    let entries = fs::read_dir(package.join("data"))?.flatten().map(|entry| entry.path());
    let found = entries.into_iter().find(|path| path.to_string_lossy().ends_with(".vcf.gz"));
    found.ok_or_else(|| Stop::new(Exit::Unexpected, format!("{} holds no calls", package.display())).into())
}

/// As `samtools flagstat` said.
fn reads_mapped(detail: &RunDetail, store: &ArtifactStore) -> Option<u64> {
    let file = detail.steps.iter().find_map(|step| step.outputs.get("flagstat")?.first())?;
    let mut text = String::new();
    let opened = store.open_read(file.sha256.as_deref()?).ok()?;
    opened.take(FLAGSTAT_BYTES_MAX).read_to_string(&mut text).ok()?;
    mapped(&text)
}

/// `9600 + 0 mapped (99.98% : N/A)`
fn mapped(flagstat: &str) -> Option<u64> {
    let line = flagstat.lines().find(|line| line.contains(" mapped ("))?;
    line.split(' ').next()?.parse().ok()
}

/// A table, where the packages lie, and what to do next.
pub(super) fn show(site: &Site, rows: &[Row], output: Output) {
    if output.json {
        output.json(&rows);
    } else {
        let head = [
            "specimen",
            "variants",
            "found",
            "missed",
            "extra",
            "wrong genotype",
            "reads mapped",
            "mean depth",
            "package",
        ];
        output.line(table(&head, rows.iter().map(cells)));
    }
    let Some(first) = rows.first() else { return };
    let place = site.directory.display();
    let (run, package) = (&first.run, &first.package);
    output.say(format!(
        "next: kentai --site {place} status
      kentai --site {place} why {run}
      kentai --site {place} logs {run} call
      kentai graph germline_wgs --svg > line.svg
      (cd {package} && sha256sum -c manifest-sha256.txt)
      kentai --site {place} serve, and beside it kentai --site {place} page: the same in a browser"
    ));
}

fn cells(row: &Row) -> Vec<String> {
    let Row { variants, found, missed, extra, genotypes_wrong, .. } = row;
    let counts = [variants, found, missed, extra, genotypes_wrong].map(ToString::to_string);
    let mapped = row.reads_mapped.map(|reads| reads.to_string()).unwrap_or_default();
    let depth = row.mean_depth.map(|depth| format!("{depth:.1}x")).unwrap_or_default();
    let figures = [mapped, depth, row.package.clone()];
    std::iter::once(row.specimen.clone()).chain(counts).chain(figures).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mapped_reads_are_those_of_flagstats_own_line() {
        let text = "4602 + 0 in total (QC-passed reads + QC-failed reads)\n4602 + 0 primary\n166 + 0 duplicates\n4601 + 0 mapped (99.98% : N/A)\n4601 + 0 primary mapped (99.98% : N/A)\n";
        assert_eq!(mapped(text), Some(4601));
        assert_eq!(mapped("nothing"), None);
    }
}
