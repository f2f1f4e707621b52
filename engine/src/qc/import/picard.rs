//! Picard's metrics files, and whose depth it is that they hold: CollectWgsMetrics measures over whatever intervals it was given.

use super::super::metric::Unit;
use super::super::reader::{Error, read};
use super::super::verdict::Value;
use super::Row;

const ANYWHERE: &[Row] = &[
    ("percent_duplication", "pct_reads_duplicate", Unit::Fraction),
    ("mean_insert_size", "mean_insert_size", Unit::Bases),
    ("standard_deviation", "insert_size_std_deviation", Unit::Bases),
    ("total_reads", "reads", Unit::Reads),
    ("pct_pf_reads_aligned", "pct_reads_mapped", Unit::Fraction),
];

/// Column, id over the autosomes, id over anything else.
type Depth = (&'static str, &'static str, &'static str, Unit);

/// Without `INTERVALS` it is the whole genome with its sex chromosomes and decoys, with it whatever the list holds. Neither is what
/// GA4GH calls the autosomes, so both have ids of their own, which a criterion on the autosomes never finds: it stays not measured.
///
/// The standard's ids are given only when the command line in the file names an interval list whose name says `autosom…`
/// (`GRCh38.autosomes.interval_list`). So the remedy for a depth that is not measured is such a list: `--INTERVALS autosomes.interval_list`.
const DEPTH: &[Depth] = &[
    ("mean_coverage", "mean_autosome_coverage", "mean_interval_coverage", Unit::Depth),
    ("mad_coverage", "mad_autosome_coverage", "mad_interval_coverage", Unit::Depth),
    ("pct_10x", "pct_autosomes_10x", "pct_intervals_10x", Unit::Fraction),
    ("pct_15x", "pct_autosomes_15x", "pct_intervals_15x", Unit::Fraction),
    ("pct_20x", "pct_autosomes_20x", "pct_intervals_20x", Unit::Fraction),
];

/// Every value of the file's first table.
pub(super) fn values(bytes: &[u8]) -> Result<Vec<Value>, Error> {
    let autosomes = is_of_autosomes(bytes);
    let depth = DEPTH.iter().map(|(name, of_autosomes, of_intervals, unit)| {
        (*name, if autosomes { *of_autosomes } else { *of_intervals }, *unit)
    });
    let mut found = Vec::new();
    for (name, metric, unit) in ANYWHERE.iter().copied().chain(depth) {
        if let Some(number) = read("picard", name, &[], bytes)? {
            found.push(super::value(metric, Some(number), unit, "picard"));
        }
    }
    Ok(found)
}

/// The command line stands in the head: `INTERVALS=path` until version 2, `--INTERVALS path` since.
fn is_of_autosomes(bytes: &[u8]) -> bool {
    let text = String::from_utf8_lossy(bytes);
    let head = text.lines().take_while(|line| !line.starts_with("## METRICS CLASS"));
    let words: Vec<&str> = head.filter(|line| line.starts_with("# ")).flat_map(str::split_whitespace).collect();
    let given = words.iter().enumerate().find_map(|(place, word)| match *word {
        "--INTERVALS" => words.get(place + 1).copied(),
        other => other.strip_prefix("INTERVALS="),
    });
    let name = given.and_then(|path| path.rsplit(['/', '\\']).next()).unwrap_or_default();
    name.to_ascii_lowercase().contains("autosom")
}
