//! Files as tools write them; the samtools, bcftools and fastp ones were written by those tools over the small sample.

use super::super::criteria::Criteria;
use super::super::verdict::{Subject, evaluate};
use super::*;

fn check(bytes: &[u8], format: Format, expected: &[(&str, f64)]) {
    assert_eq!(detect(bytes), Some(format));
    let found = values(format, bytes).expect("read");
    for (metric, number) in expected {
        let value =
            found.iter().find(|value| value.metric == *metric).unwrap_or_else(|| panic!("no {metric} in {found:?}"));
        let near = value.value.is_some_and(|value| (value - number).abs() < 1e-4 * number.abs().max(1.0));
        assert!(near, "{metric} is {:?}, not {number}", value.value);
    }
}

#[test]
fn what_real_tools_wrote_is_read() {
    let flagstat = include_bytes!("../fixtures/flagstat.txt");
    check(flagstat, Format::SamtoolsFlagstat, &[("reads", 5522.0), ("pct_reads_mapped", 5474.0 / 5522.0)]);
    let stats = include_bytes!("../fixtures/stats.txt");
    check(stats, Format::SamtoolsStats, &[("pct_reads_mapped", 5474.0 / 5522.0), ("mean_insert_size", 307.6)]);
    let coverage = include_bytes!("../fixtures/coverage.txt");
    check(coverage, Format::SamtoolsCoverage, &[("mean_autosome_coverage", 0.859717)]);
    let calls = include_bytes!("../fixtures/calls.txt");
    check(calls, Format::BcftoolsStats, &[("count_snvs", 33.0), ("ratio_transitions_transversions_snv", 1.75)]);
    let fastp = include_bytes!("../fixtures/fastp.json");
    check(fastp, Format::Fastp, &[("q30_rate", 0.84505), ("reads", 1174.0)]);
}

/// What fastp, `samtools stats` and `samtools flagstat` wrote about the same 1150 pairs: some too bad for fastp, some that failed the
/// instrument's own check, some unmapped, and beside them 40 secondary and 50 supplementary alignments.
#[test]
fn three_tools_that_saw_one_sample_say_the_same_reads() {
    let mut all = Vec::new();
    for bytes in [
        &include_bytes!("../fixtures/one_sample/fastp.json")[..],
        include_bytes!("../fixtures/one_sample/stats.txt"),
        include_bytes!("../fixtures/one_sample/flagstat.txt"),
    ] {
        let found = values(detect(bytes).expect("known"), bytes).expect("read");
        let reads: Vec<_> = found.iter().filter(|value| value.metric == "reads").map(|value| value.value).collect();
        assert_eq!(reads, [Some(2300.0)], "{}", found[0].tool);
        all.extend(found);
    }
    let mapped = all.iter().filter(|value| value.metric == "pct_reads_mapped").map(|value| value.value);
    assert_eq!(mapped.collect::<Vec<_>>(), [Some(2272.0 / 2300.0); 2]);
    let judged = evaluate(&Criteria::default(), &Subject::default(), &all);
    assert!(judged.is_ok(), "{judged:?}");
}

#[test]
fn an_older_flagstat_has_no_primary_lines() {
    let older = b"2378 + 12 in total (QC-passed reads + QC-failed reads)\n40 + 0 secondary\n50 + 0 supplementary\n20 + 0 duplicates\n2350 + 12 mapped (98.82% : 100.00%)\n";
    check(older, Format::SamtoolsFlagstat, &[("reads", 2300.0), ("pct_reads_mapped", 2272.0 / 2300.0)]);
    let much_older = b"5522 + 0 in total (QC-passed reads + QC-failed reads)\n5474 + 0 mapped (99.13% : N/A)\n";
    let found = values(Format::SamtoolsFlagstat, much_older).expect("read");
    assert!(found.is_empty(), "what is secondary is not said, so nobody knows the reads: {found:?}");
}

#[test]
fn what_other_tools_write_is_read() {
    let mosdepth = b"chrom\tlength\tbases\tmean\tmin\tmax\nchr1\t100\t3000\t30.0\t0\t60\nchrX\t100\t1500\t15.0\t0\t60\ntotal\t200\t4500\t22.5\t0\t60\n";
    check(mosdepth, Format::MosdepthSummary, &[("mean_autosome_coverage", 30.0)]);
    let other =
        b"chrom\tlength\tbases\tmean\tmin\tmax\nNC_000001.11\t100\t3000\t30.0\t0\t60\ntotal\t100\t3000\t30.0\t0\t60\n";
    assert_eq!(values(Format::MosdepthSummary, other), Ok(vec![]), "depth over everything is not the autosomes'");
    let selfsm = b"#SEQ_ID\tRG\tCHIP_ID\t#SNPS\t#READS\tAVG_DP\tFREEMIX\nS1\tNA\tNA\t100\t300\t30\t0.0123\n";
    check(selfsm, Format::SelfSm, &[("cross_contamination_rate", 0.0123)]);
}

/// What CollectWgsMetrics writes, after this command line.
fn wgs_metrics(command: &str) -> Vec<u8> {
    format!(
        "## htsjdk.samtools.metrics.StringHeader\n# CollectWgsMetrics {command}\n\n## METRICS CLASS\tpicard.analysis.WgsMetrics\nGENOME_TERRITORY\tMEAN_COVERAGE\tSD_COVERAGE\tMEDIAN_COVERAGE\tMAD_COVERAGE\tPCT_10X\tPCT_15X\tPCT_20X\n2745186691\t29.28\t9.1\t29\t4\t0.99\t0.9577\t0.9\n"
    )
    .into_bytes()
}

#[test]
fn picards_coverage_is_the_autosomes_only_where_the_file_says_so() {
    for command in [
        "--INPUT S1.cram --INTERVALS /ref/GRCh38.Autosomes.interval_list --OUTPUT S1.txt",
        "INPUT=S1.cram INTERVALS=autosomes.bed OUTPUT=S1.txt",
    ] {
        check(
            &wgs_metrics(command),
            Format::Picard,
            &[("mean_autosome_coverage", 29.28), ("mad_autosome_coverage", 4.0), ("pct_autosomes_15x", 0.9577)],
        );
    }
    for command in [
        "--INPUT S1.cram --OUTPUT S1.txt",
        "--INPUT autosomes.cram --INTERVALS panel.interval_list",
        "INPUT=S1.cram INTERVALS=null",
    ] {
        let bytes = wgs_metrics(command);
        check(
            &bytes,
            Format::Picard,
            &[("mean_interval_coverage", 29.28), ("mad_interval_coverage", 4.0), ("pct_intervals_15x", 0.9577)],
        );
        let found = values(Format::Picard, &bytes).expect("read");
        let named: Vec<_> = found.iter().filter(|value| value.metric.contains("autosome")).collect();
        assert!(named.is_empty(), "{command}: {named:?}");
        let judged = evaluate(&Criteria::default(), &Subject::default(), &found);
        assert!(judged.is_ok(), "the catalogue has them: {judged:?}");
    }
}

#[test]
fn a_samples_calls_are_counted_by_kind_and_by_genotype() {
    let calls = include_bytes!("../fixtures/one_sample/calls.txt");
    let expected = [
        ("count_snvs", 40.0),
        ("count_insertions", 7.0),
        ("count_deletions", 8.0),
        ("ratio_insertion_deletion", 0.875),
        ("ratio_heterozygous_homzygous_snv", 1.5),
        ("ratio_heterozygous_homzygous_indel", 2.0),
    ];
    check(calls, Format::BcftoolsStats, &expected);
    // Without `-s -` no genotypes are counted; without deletions there is no ratio. Neither is a zero.
    let found = values(Format::BcftoolsStats, include_bytes!("../fixtures/calls.txt")).expect("read");
    let names: Vec<_> = found.iter().map(|value| (value.metric.as_str(), value.value)).collect();
    let expected = [("count_snvs", 33.0), ("ratio_transitions_transversions_snv", 1.75)];
    let none = [("count_insertions", 0.0), ("count_deletions", 0.0)];
    let expected: Vec<_> = expected.into_iter().chain(none).map(|(name, number)| (name, Some(number))).collect();
    assert_eq!(names, expected);
}

#[test]
fn calls_of_several_samples_are_nobodys() {
    let joint = String::from_utf8_lossy(include_bytes!("../fixtures/one_sample/calls.txt"))
        .replace("number of samples:\t1", "number of samples:\t3");
    let refused = values(Format::BcftoolsStats, joint.as_bytes()).expect_err("of whom?").to_string();
    assert!(refused.contains("3 samples") && refused.contains("bcftools view -s"), "{refused}");
}

#[test]
fn the_standards_own_form_is_read_flat_and_nested() {
    // NA18939, the standard's Japanese reference sample.
    let flat =
        br#"{"yield_bp_q30": 104700000000, "mean_autosome_coverage": "29.28", "pct_autosomes_15x": 95.77, "other": 1}"#;
    check(
        flat,
        Format::Ga4gh,
        &[("yield_bp_q30", 1.047e11), ("mean_autosome_coverage", 29.28), ("pct_autosomes_15x", 95.77)],
    );
    let nested = br#"{"wgs_qc_metrics": {"mad_autosome_coverage": 4, "cross_contamination_rate": null}}"#;
    check(nested, Format::Ga4gh, &[("mad_autosome_coverage", 4.0)]);
    let missing = values(Format::Ga4gh, nested).expect("read");
    assert!(missing.iter().any(|value| value.metric == "cross_contamination_rate" && value.value.is_none()));
}

#[test]
fn a_value_says_which_version_measured_it_where_the_file_does() {
    let version = |bytes: &[u8]| {
        let found = values(detect(bytes).expect("known"), bytes).expect("read");
        let mut versions: Vec<_> = found.into_iter().map(|value| value.tool_version).collect();
        versions.dedup();
        versions
    };
    assert_eq!(version(include_bytes!("../fixtures/stats.txt")), ["1.16.1+htslib-1.16"]);
    assert_eq!(version(include_bytes!("../fixtures/calls.txt")), ["1.16+htslib-1.16"]);
    assert_eq!(version(include_bytes!("../fixtures/fastp.json")), ["0.23.2"]);
    assert_eq!(version(include_bytes!("../fixtures/flagstat.txt")), [""]);
}

#[test]
fn a_line_that_is_cut_is_named_by_its_number() {
    let said = |format, bytes: &[u8]| values(format, bytes).expect_err("cut").to_string();
    let coverage =
        b"#rname\tstartpos\tendpos\tnumreads\tcovbases\tcoverage\tmeandepth\n1\t1\t10\t1\t1\t1\t1\n2\t1\t10\n";
    assert_eq!(
        said(Format::SamtoolsCoverage, coverage),
        "line 3 is not what samtools_coverage reads: a line is cut, or has no number where one is expected"
    );
    let mosdepth = b"chrom\tlength\tbases\tmean\tmin\tmax\nchr1\t100\tmany\t30.0\t0\t60\n";
    assert!(said(Format::MosdepthSummary, mosdepth).starts_with("line 2 "));
    assert!(said(Format::MosdepthSummary, b"chromosome\n").starts_with("line 1 "));
    assert!(said(Format::Picard, b"## htsjdk\n## METRICS CLASS\tx\nA\tB\n").starts_with("line 4 "));
    assert!(said(Format::Fastp, b"{\n\"a\": }").contains("line 2"));
    let gtcheck = crate::qc::identity::read(b"#DC\nDC\ta\tb\t1\n").expect_err("cut").to_string();
    assert!(gtcheck.starts_with("line 2 "), "{gtcheck}");
}

#[test]
fn what_nobody_knows_is_not_guessed() {
    for bytes in [&b""[..], b"hello", b"{}", b"{\"a\": 1}", b"\xff\xfe"] {
        assert_eq!(detect(bytes), None);
    }
    assert!(values(Format::SamtoolsCoverage, b"nonsense").is_err());
    assert!(values(Format::Ga4gh, b"[1]").is_err());
}
