//! The built-in readers and JSON places. Each says which metrics it knows; a metric that the text does not hold is `None`.

pub(super) mod bcftools;

use kentai_workflows::value::Value;

/// Why nothing could be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "each variant's message says it")]
pub enum Error {
    #[error("it is not JSON: {0}")]
    NotJson(String),
    #[error("it is not what {reader} reads: {reason}")]
    NotTheFormat { reader: String, reason: String },
    #[error("line {line} is not what {reader} reads: {reason}")]
    Line { reader: String, line: usize, reason: String },
    #[error("there is no reader `{0}`")]
    NoReader(String),
}

const CUT: &str = "a line is cut, or has no number where one is expected";

impl Error {
    /// A line, counted from 1, that cannot be understood.
    pub(super) fn at(reader: &str, line: usize, reason: &str) -> Self {
        Self::Line { reader: reader.to_owned(), line, reason: reason.to_owned() }
    }
}

/// The field of a tab-separated line, counted from 0, as a number.
pub(super) fn number_at(reader: &str, line: usize, fields: &[&str], index: usize) -> Result<f64, Error> {
    fields.get(index).and_then(|field| field.trim().parse().ok()).ok_or_else(|| Error::at(reader, line, CUT))
}

/// The number at a JSON pointer (RFC 6901, `/a/b`) or a plain path (`$.a.b[0]`).
///
/// # Errors
/// When the bytes are not JSON. A place that is not there, or not a number, is `None`.
pub fn json_number(bytes: &[u8], at: &str) -> Result<Option<f64>, Error> {
    let document: Value = serde_json::from_slice(bytes).map_err(|error| Error::NotJson(error.to_string()))?;
    Ok(json_at(&document, at).and_then(Value::as_f64))
}

/// The value at a JSON pointer or a plain path.
#[must_use]
pub fn json_at<'a>(document: &'a Value, at: &str) -> Option<&'a Value> {
    if at.starts_with('/') || at.is_empty() {
        return document.pointer(at);
    }
    let path = at.strip_prefix('$').unwrap_or(at);
    path.split(['.', '[', ']']).filter(|part| !part.is_empty()).try_fold(document, |value, part| match value {
        Value::Array(items) => items.get(part.parse::<usize>().ok()?),
        _ => value.get(part.trim_matches(['\'', '"'])),
    })
}

/// Reads `metric` with a built-in reader; `contigs` narrows the coverage readers.
///
/// # Errors
/// When the bytes are not the reader's format.
pub fn read(reader: &str, metric: &str, contigs: &[String], bytes: &[u8]) -> Result<Option<f64>, Error> {
    match reader {
        "fastp" => fastp(bytes, metric),
        "samtools_stats" => Ok(tagged(&text(bytes), "SN", metric)),
        "samtools_flagstat" => Ok(flagstat(&text(bytes), metric)),
        "samtools_coverage" => coverage(&text(bytes), metric, contigs),
        "mosdepth_summary" => mosdepth(&text(bytes), metric, contigs),
        "bcftools_stats" => Ok(bcftools::metric(&text(bytes), metric)),
        "picard" => picard(&text(bytes), metric),
        "selfsm" => table(&text(bytes), "selfsm", 0, metric),
        other => Err(Error::NoReader(other.to_owned())),
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn fastp(bytes: &[u8], metric: &str) -> Result<Option<f64>, Error> {
    let at = match metric {
        "q30_rate" => "/summary/after_filtering/q30_rate",
        "q20_rate" => "/summary/after_filtering/q20_rate",
        "total_reads" => "/summary/after_filtering/total_reads",
        "total_bases" => "/summary/after_filtering/total_bases",
        "gc_content" => "/summary/after_filtering/gc_content",
        "duplication_rate" => "/duplication/rate",
        other => return json_number(bytes, other),
    };
    json_number(bytes, at)
}

/// `SN<tab>reads mapped:<tab>4601`: names in `snake_case`, as `reads_mapped`.
fn tagged(text: &str, tag: &str, metric: &str) -> Option<f64> {
    text.lines().find_map(|line| {
        let mut fields = line.split('\t');
        if fields.next()? != tag {
            return None;
        }
        let name = snake(fields.next()?);
        if name == metric { fields.next()?.trim().parse().ok() } else { None }
    })
}

fn snake(name: &str) -> String {
    let words = name.trim_end_matches(':').split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    words.collect::<Vec<_>>().join("_").to_ascii_lowercase()
}

/// `4601 + 0 mapped (99.98% : N/A)`: what passed the instrument's own check, and what did not.
///
/// The names that begin with `primary` are of both, and of every read once, as `samtools stats` counts. The others are as the tool has
/// them: of what passed, and of alignments, so that a read that aligns twice counts twice.
fn flagstat(text: &str, metric: &str) -> Option<f64> {
    let line = |wanted: &str| {
        text.lines().find_map(|line| {
            let (passed, rest) = line.split_once(" + ")?;
            let (failed, name) = rest.split_once(' ')?;
            let name = name.split(" (").next()?.trim();
            let number = |text: &str| text.trim().parse::<f64>().ok();
            if snake(name) == wanted { Some((number(passed)?, number(failed)?)) } else { None }
        })
    };
    let count = |wanted: &str| line(wanted).map(|(passed, _)| passed);
    let both = |wanted: &str| line(wanted).map(|(passed, failed)| passed + failed);
    // The lines `primary …` came with samtools 1.13; secondary and supplementary alignments are always mapped.
    let once =
        |own: &str, all: &str| both(own).or_else(|| Some(both(all)? - both("secondary")? - both("supplementary")?));
    let primary = || once("primary", "in_total");
    match metric {
        "primary" => primary(),
        "primary_mapped_rate" => share(once("primary_mapped", "mapped"), primary()),
        "primary_duplicate_rate" => {
            share(both("primary_duplicates"), primary()).or_else(|| share(both("duplicates"), both("in_total")))
        }
        "primary_properly_paired_rate" => share(both("properly_paired"), both("paired_in_sequencing")),
        "total" => count("in_total"),
        "mapped_rate" => share(count("mapped"), count("in_total")),
        "duplicate_rate" => share(count("duplicates"), count("in_total")),
        "properly_paired_rate" => share(count("properly_paired"), count("paired_in_sequencing")),
        other => count(other),
    }
}

/// Of nothing there is no share.
fn share(part: Option<f64>, whole: Option<f64>) -> Option<f64> {
    let (part, whole) = (part?, whole?);
    (whole > 0.0).then(|| part / whole)
}

/// `samtools coverage`: one line per contig with start, end, reads, covered bases, coverage %, mean depth, mean base and map quality.
/// `mean_depth` is weighted by length over all contigs, or over those named.
fn coverage(text: &str, metric: &str, contigs: &[String]) -> Result<Option<f64>, Error> {
    const READER: &str = "samtools_coverage";
    if !text.starts_with("#rname") {
        return Err(Error::at(READER, 1, "it is not the header `#rname startpos …`"));
    }
    let mut sums = Sums::default();
    for (line, place) in text.lines().zip(1..).skip(1) {
        let fields: Vec<&str> = line.split('\t').collect();
        let number = |index: usize| number_at(READER, place, &fields, index);
        if !wanted(contigs, fields[0]) {
            continue;
        }
        let length = number(2)? - number(1)? + 1.0;
        sums.add(length, number(3)?, number(4)?, number(6)? * length);
    }
    Ok(sums.metric(metric))
}

fn wanted(contigs: &[String], name: &str) -> bool {
    contigs.is_empty() || contigs.iter().any(|contig| contig == name)
}

#[derive(Default)]
struct Sums {
    length: f64,
    reads: f64,
    covered: f64,
    depth: f64,
}

impl Sums {
    fn add(&mut self, length: f64, reads: f64, covered: f64, depth: f64) {
        self.length += length;
        self.reads += reads;
        self.covered += covered;
        self.depth += depth;
    }

    fn metric(&self, name: &str) -> Option<f64> {
        if self.length <= 0.0 {
            return None;
        }
        match name {
            "mean_depth" => Some(self.depth / self.length),
            "breadth" => Some(self.covered / self.length),
            "covered_bases" => Some(self.covered),
            "reads" => Some(self.reads),
            _ => None,
        }
    }
}

/// mosdepth's summary: `chrom length bases mean min max`; the `total` line, or the named contigs.
fn mosdepth(text: &str, metric: &str, contigs: &[String]) -> Result<Option<f64>, Error> {
    const READER: &str = "mosdepth_summary";
    if !text.starts_with("chrom\t") {
        return Err(Error::at(READER, 1, "it is not the header `chrom length …`"));
    }
    if metric != "mean_depth" {
        return Ok(None);
    }
    let (mut length, mut bases) = (0.0, 0.0);
    for (line, place) in text.lines().zip(1..).skip(1) {
        let fields: Vec<&str> = line.split('\t').collect();
        let number = |index: usize| number_at(READER, place, &fields, index);
        let counts = if contigs.is_empty() { fields[0] == "total" } else { wanted(contigs, fields[0]) };
        if counts {
            length += number(1)?;
            bases += number(2)?;
        }
    }
    Ok((length > 0.0).then(|| bases / length))
}

/// Picard: the table after `## METRICS CLASS`, first line.
fn picard(text: &str, metric: &str) -> Result<Option<f64>, Error> {
    let (before, after) = text.split_once("## METRICS CLASS").ok_or_else(|| Error::NotTheFormat {
        reader: "picard".into(),
        reason: "there is no line `## METRICS CLASS`".into(),
    })?;
    let table_text = after.split_once('\n').map_or("", |(_, rest)| rest);
    table(table_text, "picard", before.lines().count() + 1, metric)
}

/// First data line of a tab-separated table with a header, which so many lines stand before; names compare in lowercase.
fn table(text: &str, reader: &str, before: usize, metric: &str) -> Result<Option<f64>, Error> {
    let mut lines = text.lines();
    let (Some(head), Some(first)) = (lines.next(), lines.next()) else {
        let end = before + text.lines().count() + 1;
        return Err(Error::at(reader, end, "the table ends before its first line of data"));
    };
    let columns = || head.trim_start_matches('#').split('\t');
    // Picard tells pairs and their halves apart: the pairs are meant.
    let category = columns().position(|name| snake(name) == "category");
    let is = |line: &str, wanted: &str| category.and_then(|index| line.split('\t').nth(index)) == Some(wanted);
    let rows = || text.lines().skip(1).take_while(|line| !line.trim().is_empty());
    let first =
        rows().find(|line| is(line, "PAIR")).or_else(|| rows().find(|line| is(line, "UNPAIRED"))).unwrap_or(first);
    let column = columns().position(|name| snake(name) == metric);
    Ok(column.and_then(|index| first.split('\t').nth(index)).and_then(|field| field.trim().parse().ok()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(reader: &str, metric: &str, text: &str, expected: Option<f64>) {
        assert_eq!(read(reader, metric, &[], text.as_bytes()), Ok(expected), "{reader} {metric}");
    }

    #[test]
    fn mean_depth_is_weighted_by_contig_length() {
        let text = "#rname\tstartpos\tendpos\tnumreads\tcovbases\tcoverage\tmeandepth\tmeanbaseq\tmeanmapq\n\
                    1\t1\t100\t5\t50\t50\t4\t30\t60\n2\t1\t300\t0\t0\t0\t0\t0\t0\n";
        check("samtools_coverage", "mean_depth", text, Some(1.0));
        check("samtools_coverage", "breadth", text, Some(0.125));
        assert_eq!(read("samtools_coverage", "mean_depth", &["1".into()], text.as_bytes()), Ok(Some(4.0)));
        assert!(read("samtools_coverage", "mean_depth", &[], b"nonsense").is_err());
    }

    #[test]
    fn tools_own_names_are_read() {
        let flagstat = "4602 + 0 in total (QC-passed reads + QC-failed reads)\n166 + 0 duplicates\n4601 + 0 mapped (99.98% : N/A)\n";
        check("samtools_flagstat", "mapped", flagstat, Some(4601.0));
        check("samtools_flagstat", "total", flagstat, Some(4602.0));
        check("samtools_stats", "reads_mapped", "SN\treads mapped:\t4601\n", Some(4601.0));
        check("bcftools_stats", "snps", "SN\t0\tnumber of SNPs:\t34\n", Some(34.0));
        check("bcftools_stats", "ts_tv", "TSTV\t0\t22\t12\t1.83\t22\t12\t1.83\n", Some(1.83));
        check("selfsm", "freemix", "#SEQ_ID\tRG\tFREEMIX\nS\tALL\t0.01\n", Some(0.01));
        let summary = "## METRICS CLASS\tx\nCATEGORY\tTOTAL_READS\nFIRST_OF_PAIR\t50\nSECOND_OF_PAIR\t50\nPAIR\t100\n\n## HISTOGRAM\n";
        check("picard", "total_reads", summary, Some(100.0));
        check("picard", "pct_dup", "## htsjdk\n## METRICS CLASS\tx\nLIB\tPCT_DUP\nl\t0.1\n", Some(0.1));
        check(
            "mosdepth_summary",
            "mean_depth",
            "chrom\tlength\tbases\tmean\tmin\tmax\n1\t10\t20\t2\t0\t4\ntotal\t10\t20\t2\t0\t4\n",
            Some(2.0),
        );
    }

    #[test]
    fn json_is_read_by_pointer_and_by_path() {
        let text = br#"{"summary":{"after_filtering":{"q30_rate":0.78}},"xs":[1,2]}"#;
        assert_eq!(json_number(text, "$.summary.after_filtering.q30_rate"), Ok(Some(0.78)));
        assert_eq!(json_number(text, "/xs/1"), Ok(Some(2.0)));
        assert_eq!(json_number(text, "$.xs[0]"), Ok(Some(1.0)));
        assert_eq!(json_number(text, "$.nothing"), Ok(None));
        assert!(json_number(b"{", "/a").is_err());
        check("fastp", "q30_rate", r#"{"summary":{"after_filtering":{"q30_rate":0.9}}}"#, Some(0.9));
    }
}
