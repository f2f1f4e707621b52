//! What tools wrote, as values with our metric ids and units. Bytes in, values out; the readers know the formats, this knows what their
//! numbers are called.
//!
//! A value that a file does not hold is left out: what is missing is a criterion's business, and never a pass.

mod ga4gh;
mod person;
mod picard;
#[cfg(test)]
mod tests;

use super::metric::Unit;
use super::reader::{self, Error};
use super::verdict::Value;
use crate::state::words;

words!(
    /// A format that is understood.
    Format {
        /// fastp's JSON report.
        Fastp = "fastp",
        /// `samtools stats`.
        SamtoolsStats = "samtools_stats",
        /// `samtools flagstat`.
        SamtoolsFlagstat = "samtools_flagstat",
        /// `samtools coverage`.
        SamtoolsCoverage = "samtools_coverage",
        /// mosdepth's `.mosdepth.summary.txt`.
        MosdepthSummary = "mosdepth_summary",
        /// `bcftools stats`.
        BcftoolsStats = "bcftools_stats",
        /// `bcftools gtcheck -e 0`, of one pair.
        BcftoolsGtcheck = "bcftools_gtcheck",
        /// Picard's metrics files.
        Picard = "picard",
        /// verifyBamID2's `.selfSM`.
        SelfSm = "selfsm",
        /// The GA4GH WGS QC JSON.
        Ga4gh = "ga4gh_wgs_qc",
    }
);

/// Reader's own name, our id, the unit of the reader's number.
type Row = (&'static str, &'static str, Unit);

// `reads` is one number, whoever counts: the reads that were sequenced, a pair counting twice, each once however often it aligns.
const FASTP: &[Row] = &[
    ("q30_rate", "q30_rate", Unit::Fraction),
    ("/summary/before_filtering/total_reads", "reads", Unit::Reads),
    ("/summary/after_filtering/q30_bases", "yield_bp_q30", Unit::Bases),
];
const STATS: &[Row] = &[
    ("raw_total_sequences", "reads", Unit::Reads),
    ("percentage_of_properly_paired_reads", "pct_reads_properly_paired", Unit::Percent),
    ("insert_size_average", "mean_insert_size", Unit::Bases),
    ("insert_size_standard_deviation", "insert_size_std_deviation", Unit::Bases),
];
const FLAGSTAT: &[Row] = &[
    ("primary", "reads", Unit::Reads),
    ("primary_mapped_rate", "pct_reads_mapped", Unit::Fraction),
    ("primary_properly_paired_rate", "pct_reads_properly_paired", Unit::Fraction),
    ("primary_duplicate_rate", "pct_reads_duplicate", Unit::Fraction),
];
const DEPTH: &[Row] = &[("mean_depth", "mean_autosome_coverage", Unit::Depth)];
const BCFTOOLS: &[Row] = &[
    ("snps", "count_snvs", Unit::One),
    ("ts_tv", "ratio_transitions_transversions_snv", Unit::One),
    ("insertions", "count_insertions", Unit::One),
    ("deletions", "count_deletions", Unit::One),
    ("insertions_to_deletions", "ratio_insertion_deletion", Unit::One),
    ("het_to_hom_snvs", "ratio_heterozygous_homzygous_snv", Unit::One),
    ("het_to_hom_indels", "ratio_heterozygous_homzygous_indel", Unit::One),
];
const SELFSM: &[Row] = &[("freemix", "cross_contamination_rate", Unit::Fraction)];

/// What a file is, by what is in it.
#[must_use]
pub fn detect(bytes: &[u8]) -> Option<Format> {
    let head = String::from_utf8_lossy(&bytes[..bytes.len().min(1 << 16)]);
    if head.trim_start().starts_with('{') {
        let document: serde_json::Value = serde_json::from_slice(bytes).ok()?;
        let is_fastp = document.pointer("/summary/after_filtering").is_some();
        return if is_fastp { Some(Format::Fastp) } else { ga4gh::is(&document).then_some(Format::Ga4gh) };
    }
    let first = head.lines().next()?;
    match () {
        () if head.contains("## METRICS CLASS") => Some(Format::Picard),
        () if first.starts_with("#rname\t") => Some(Format::SamtoolsCoverage),
        () if first.starts_with("chrom\tlength\tbases\tmean") => Some(Format::MosdepthSummary),
        () if first.starts_with("#SEQ_ID") => Some(Format::SelfSm),
        () if head.contains("produced by samtools stats") => Some(Format::SamtoolsStats),
        () if head.contains("produced by bcftools stats") => Some(Format::BcftoolsStats),
        () if head.contains("bcftools gtcheck") && head.lines().any(|line| line.starts_with("DC\t")) => {
            Some(Format::BcftoolsGtcheck)
        }
        () if first.contains(" in total (QC-passed reads") => Some(Format::SamtoolsFlagstat),
        () => None,
    }
}

/// Every value that a file holds. Depth is over the autosomes, where the reference names them as people are used to (`1` or `chr1` to
/// 22); of other references it is left out, and so not measured.
///
/// # Errors
/// When the bytes are not of the format.
pub fn values(format: Format, bytes: &[u8]) -> Result<Vec<Value>, Error> {
    let mut found = read(format, bytes)?;
    let version = version(format, bytes).unwrap_or_default();
    found.iter_mut().for_each(|value| value.tool_version.clone_from(&version));
    Ok(found)
}

/// The tool's version, as its file says it: most say none.
fn version(format: Format, bytes: &[u8]) -> Option<String> {
    match format {
        Format::Fastp => {
            let document: serde_json::Value = serde_json::from_slice(bytes).ok()?;
            Some(document.pointer("/summary/fastp_version")?.as_str()?.to_owned())
        }
        // `# This file was produced by samtools stats (1.16.1+htslib-1.16) and can be plotted …`
        Format::SamtoolsStats | Format::BcftoolsStats | Format::BcftoolsGtcheck => {
            let text = String::from_utf8_lossy(bytes);
            let said =
                text.lines().take_while(|line| line.starts_with('#')).find(|line| line.contains("produced by"))?;
            let (_, after) = said.split_once('(')?;
            Some(after.split_once(')')?.0.to_owned())
        }
        _ => None,
    }
}

fn read(format: Format, bytes: &[u8]) -> Result<Vec<Value>, Error> {
    let rows = match format {
        Format::Fastp => FASTP,
        Format::SamtoolsStats => STATS,
        Format::SamtoolsFlagstat => FLAGSTAT,
        Format::SamtoolsCoverage | Format::MosdepthSummary => DEPTH,
        Format::BcftoolsStats => BCFTOOLS,
        Format::BcftoolsGtcheck => return person::concordance(bytes),
        Format::Picard => return picard::values(bytes),
        Format::SelfSm => SELFSM,
        Format::Ga4gh => return ga4gh::values(bytes),
    };
    if format == Format::BcftoolsStats {
        reader::bcftools::of_one_sample(&String::from_utf8_lossy(bytes))?;
    }
    let depth = matches!(format, Format::SamtoolsCoverage | Format::MosdepthSummary);
    let contigs = if depth { autosomes(bytes) } else { Vec::new() };
    let mut found = Vec::new();
    for (name, metric, unit) in rows {
        let number = reader::read(format.word(), name, &contigs, bytes)?;
        // Over everything it would be another metric.
        if let Some(number) = number.filter(|_| !depth || !contigs.is_empty()) {
            found.push(value(metric, Some(number), *unit, format.word()));
        }
    }
    if format == Format::SamtoolsStats {
        found.extend(mapped(bytes)?);
    }
    if depth {
        found.extend(person::sex_ratios(format, bytes)?);
    }
    Ok(found)
}

/// `samtools stats` has counts; the share is ours to take.
fn mapped(bytes: &[u8]) -> Result<Option<Value>, Error> {
    let count = |name| reader::read("samtools_stats", name, &[], bytes);
    Ok(match (count("reads_mapped")?, count("raw_total_sequences")?) {
        (Some(mapped), Some(all)) if all > 0.0 => {
            Some(value("pct_reads_mapped", Some(mapped / all), Unit::Fraction, "samtools_stats"))
        }
        _ => None,
    })
}

fn autosomes(bytes: &[u8]) -> Vec<String> {
    let text = String::from_utf8_lossy(bytes);
    let names = text.lines().skip(1).filter_map(|line| line.split('\t').next());
    let is_autosome = |name: &&str| {
        name.strip_prefix("chr").unwrap_or(name).parse::<u32>().is_ok_and(|number| (1..=22).contains(&number))
    };
    names.filter(is_autosome).map(str::to_owned).collect()
}

fn value(metric: &str, number: Option<f64>, unit: Unit, tool: &str) -> Value {
    Value {
        metric: metric.to_owned(),
        value: number,
        unit,
        tool: tool.to_owned(),
        tool_version: String::new(),
        source_sha256: String::new(),
    }
}
