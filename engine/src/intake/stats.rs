//! Reads per lane and sample, as the demultiplexers counted them.
//!
//! BCL Convert's `Demultiplex_Stats.csv` and bcl2fastq's `Stats.json`. Both count fragments that passed the filter: a pair is one.
//! What was ordered, and whether this is enough, is decided elsewhere.

use csv::{ReaderBuilder, StringRecord};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::fastq_name::UNDETERMINED;
use super::words::{Words, shown};

/// BCL Convert's file.
pub const BCL_CONVERT_FILE: &str = "Demultiplex_Stats.csv";
/// bcl2fastq's file.
pub const BCL2FASTQ_FILE: &str = "Stats.json";

const BYTES_MAX: usize = 64 << 20;
const ROWS_MAX: usize = 1_000_000;

/// What one sample got from one lane.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LaneReads {
    /// From 1.
    pub lane: u32,
    /// `Sample_ID` of the sheet; `Undetermined` for reads without a known index.
    pub sample: String,
    /// Indexes as the report spells them; may be empty.
    #[serde(default)]
    pub index: String,
    /// Fragments that passed the filter; a pair is one.
    pub reads: u64,
}

/// Fragments of `sample` over all lanes.
#[must_use]
pub fn reads_of(stats: &[LaneReads], sample: &str) -> u64 {
    stats.iter().filter(|row| row.sample == sample).fold(0, |sum, row| sum.saturating_add(row.reads))
}

/// Reads either file, by its name.
///
/// # Errors
/// Why it cannot be read, with the row where there is one.
pub fn read(path: &str, bytes: &[u8]) -> Result<Vec<LaneReads>, Words> {
    if bytes.len() > BYTES_MAX {
        return Err(Words::new("it is larger than 64 MiB", "64 MiB を超えています"));
    }
    if path.ends_with(BCL2FASTQ_FILE) { bcl2fastq(bytes) } else { bcl_convert(bytes) }
}

/// Reads `Demultiplex_Stats.csv`: columns by name, since versions add some.
fn bcl_convert(bytes: &[u8]) -> Result<Vec<LaneReads>, Words> {
    let mut reader = ReaderBuilder::new().flexible(true).from_reader(bytes);
    let header = reader.headers().map_err(|error| not_csv(1, &error.to_string()))?.clone();
    let column = |name: &str| header.iter().position(|cell| cell.trim() == name);
    let need = |name: &str| {
        column(name)
            .ok_or_else(|| Words::new(format!("the column `{name}` is missing"), format!("列 `{name}` がありません")))
    };
    let (lane, sample, reads) = (need("Lane")?, need("SampleID")?, need("# Reads")?);
    let index = column("Index");
    let mut rows = Vec::new();
    for (at, record) in reader.records().enumerate().take(ROWS_MAX) {
        let number = at + 2;
        let record = record.map_err(|error| not_csv(number, &error.to_string()))?;
        rows.push(LaneReads {
            lane: whole(&record, lane, number, "Lane")?,
            sample: record.get(sample).unwrap_or_default().trim().to_owned(),
            index: index.and_then(|index| record.get(index)).unwrap_or_default().trim().to_owned(),
            reads: whole(&record, reads, number, "# Reads")?,
        });
    }
    if rows.is_empty() { Err(Words::new("it has no rows", "行がありません")) } else { Ok(rows) }
}

fn whole<T: std::str::FromStr>(record: &StringRecord, column: usize, row: usize, name: &str) -> Result<T, Words> {
    let text = record.get(column).unwrap_or_default();
    text.trim().parse().map_err(|_| {
        let text = shown(text);
        Words::new(
            format!("row {row}, column `{name}`: expected a whole number, found `{text}`"),
            format!("{row} 行目、列 `{name}`: 整数が必要です（`{text}` とあります）"),
        )
    })
}

fn not_csv(row: usize, reason: &str) -> Words {
    let reason = shown(reason);
    Words::new(format!("row {row} cannot be read: {reason}"), format!("{row} 行目を読めません: {reason}"))
}

/// Reads `Stats.json`: `ConversionResults[].{LaneNumber, DemuxResults[].{SampleId, NumberReads, IndexMetrics}, Undetermined}`.
fn bcl2fastq(bytes: &[u8]) -> Result<Vec<LaneReads>, Words> {
    let document: Value = serde_json::from_slice(bytes).map_err(|error| {
        let (line, reason) = (error.line(), shown(&error.to_string()));
        Words::new(
            format!("it is not JSON at line {line}: {reason}"),
            format!("{line} 行目が JSON として読めません: {reason}"),
        )
    })?;
    let lanes =
        document.get("ConversionResults").and_then(Value::as_array).ok_or_else(|| no_field("ConversionResults"))?;
    let mut rows = Vec::new();
    for lane in lanes {
        let number = lane.get("LaneNumber").and_then(Value::as_u64).and_then(|number| u32::try_from(number).ok());
        let number = number.ok_or_else(|| no_field("LaneNumber"))?;
        let samples = lane.get("DemuxResults").and_then(Value::as_array).ok_or_else(|| no_field("DemuxResults"))?;
        for sample in samples {
            rows.push(one(number, sample)?);
        }
        if let Some(reads) = lane.pointer("/Undetermined/NumberReads").and_then(Value::as_u64) {
            rows.push(LaneReads { lane: number, sample: UNDETERMINED.to_owned(), index: String::new(), reads });
        }
    }
    if rows.is_empty() { Err(no_field("DemuxResults")) } else { Ok(rows) }
}

fn one(lane: u32, sample: &Value) -> Result<LaneReads, Words> {
    let text = |pointer: &str| sample.pointer(pointer).and_then(Value::as_str).map(str::to_owned);
    Ok(LaneReads {
        lane,
        sample: text("/SampleId").ok_or_else(|| no_field("SampleId"))?,
        index: text("/IndexMetrics/0/IndexSequence").unwrap_or_default(),
        reads: sample.get("NumberReads").and_then(Value::as_u64).ok_or_else(|| no_field("NumberReads"))?,
    })
}

fn no_field(name: &str) -> Words {
    Words::new(format!("`{name}` is missing"), format!("`{name}` がありません"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const CSV: &str = "Lane,SampleID,Index,# Reads,# Perfect Index Reads,# One Mismatch Index Reads,% Reads\n\
        1,S-A,AAAC-GGGT,297300000,290000000,7300000,0.4955\n1,Undetermined,,2400000,2400000,0,0.0045\n\
        2,S-A,AAAC-GGGT,297300000,290000000,7300000,0.4955\n";

    #[test]
    fn bcl_converts_counts_are_summed_over_lanes() {
        let stats = read("Reports/Demultiplex_Stats.csv", CSV.as_bytes()).expect("good");
        assert_eq!((stats.len(), stats[0].index.as_str()), (3, "AAAC-GGGT"));
        assert_eq!(reads_of(&stats, "S-A"), 594_600_000);
    }

    #[test]
    fn a_count_that_is_no_number_is_placed() {
        let wrong =
            read("Demultiplex_Stats.csv", CSV.replace("2400000,24", "2.4M,24").as_bytes()).expect_err("refused");
        assert_eq!(wrong.en, "row 3, column `# Reads`: expected a whole number, found `2.4M`");
        assert!(read("Demultiplex_Stats.csv", b"Lane,SampleID\n1,x\n").is_err());
        assert!(read("Demultiplex_Stats.csv", b"").is_err());
    }

    #[test]
    fn bcl2fastqs_counts_are_read() {
        let text = br#"{"Flowcell":"X","ConversionResults":[{"LaneNumber":1,"TotalClustersPF":30,"DemuxResults":[
            {"SampleId":"S-A","SampleName":"a","IndexMetrics":[{"IndexSequence":"AAAC+GGGT"}],"NumberReads":20}],
            "Undetermined":{"NumberReads":10}}]}"#;
        let stats = read("Stats/Stats.json", text).expect("good");
        assert_eq!(
            (stats[0].reads, stats[0].index.as_str(), stats[1].sample.as_str()),
            (20, "AAAC+GGGT", UNDETERMINED)
        );
        assert!(read("Stats/Stats.json", &text[..100]).is_err_and(|wrong| wrong.en.contains("line")));
    }
}
