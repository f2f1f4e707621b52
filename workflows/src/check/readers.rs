//! The built-in readers of gates and the metrics that each gives.
//!
//! Readers whose files name their own metrics (a Picard column) take any name; the others are told about a wrong one.

/// The metrics of `reader`; `None`: whatever the file names.
pub(super) fn metrics(reader: &str) -> Option<&'static [&'static str]> {
    match reader {
        "fastp" => Some(&["q30_rate", "q20_rate", "total_reads", "total_bases", "gc_content", "duplication_rate"]),
        "samtools_coverage" => Some(&["mean_depth", "breadth", "covered_bases", "reads"]),
        "mosdepth_summary" => Some(&["mean_depth"]),
        _ => None,
    }
}

/// Do `contigs` mean anything to `reader`?
pub(super) fn takes_contigs(reader: &str) -> bool {
    matches!(reader, "samtools_coverage" | "mosdepth_summary")
}
