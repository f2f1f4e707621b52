//! Illumina sample sheets, version 2 (and the data section of version 1): who is in which lane.
//!
//! Section names and columns are those of Illumina's "Sample Sheet v2" guide. Settings of the demultiplexer are passed over:
//! they say how the FASTQ files were made, which is past when a sheet arrives here.

use crate::diagnostic::{Diagnostic, has_errors};
use crate::plan::words::{Wrong, shown};
use crate::sheet::cell::{self, Cell};
use crate::sheet::place::Place;
use crate::sheet::table::{self, Row};

mod derive;

pub(super) use derive::specimens;

/// The name that a diagnostic gives to a sheet whose path is not known.
const FILE_NAME: &str = "SampleSheet.csv";

/// Lanes of the largest flow cell.
const LANE_MAX: u32 = 8;

/// What an Illumina sample sheet says about a run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct IlluminaSheet {
    /// `RunName`.
    pub run_name: Option<String>,
    /// `InstrumentPlatform`.
    pub instrument: Option<String>,
    /// `Read1Cycles`; `None` when there is no `[Reads]` section.
    pub read1_cycles: Option<u32>,
    /// `Read2Cycles`; `None` when absent, zero for single-end runs.
    pub read2_cycles: Option<u32>,
    /// Rows of the data section, in sheet order.
    pub samples: Vec<IlluminaSample>,
}

/// A row of `[BCLConvert_Data]` or `[Data]`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct IlluminaSample {
    /// 1-based row of the sheet.
    pub row: usize,
    /// `Sample_ID`, a good id.
    pub sample_id: String,
    /// `Lane`; `None` when the sheet does not part the lanes.
    pub lane: Option<u32>,
    /// `Index` (i7), may be empty.
    pub index: String,
    /// `Index2` (i5), may be empty.
    pub index2: String,
    /// `Sample_Project`, may be empty.
    pub project: String,
    /// 1-based columns of `Sample_ID` and `Lane`.
    pub columns: (usize, usize),
    /// 1-based columns of `Index` and `Index2`; `None` when the sheet has no such column.
    pub index_columns: (Option<usize>, Option<usize>),
}

/// Does `text` begin with an Illumina section?
pub(super) fn looks_like(text: &str) -> bool {
    let first = text.trim_start().lines().next().unwrap_or("").trim_start_matches('"').to_ascii_lowercase();
    first.starts_with("[header]") || first.starts_with("[bclconvert_data]")
}

/// Reads an Illumina sample sheet; every mistake at once.
///
/// # Errors
/// The diagnostics, warnings among them, when there is at least one error.
pub fn read(bytes: &[u8]) -> Result<IlluminaSheet, Vec<Diagnostic>> {
    let mut notes = Vec::new();
    let sheet = table::text(FILE_NAME, bytes, &mut notes).map(|text| parse(FILE_NAME, text, &mut notes));
    match sheet {
        Some(sheet) if !has_errors(&notes) => Ok(sheet),
        _ => Err(notes),
    }
}

/// Reads an Illumina sample sheet as far as it can be understood, with every mistake and warning: for whoever looks for more
/// mistakes in the rows that are good.
#[must_use]
pub fn read_all(bytes: &[u8]) -> (IlluminaSheet, Vec<Diagnostic>) {
    let mut notes = Vec::new();
    let text = table::text(FILE_NAME, bytes, &mut notes);
    let sheet = text.map(|text| parse(FILE_NAME, text, &mut notes)).unwrap_or_default();
    (sheet, notes)
}

/// The sheet as far as it can be understood; mistakes go to `notes`.
pub(super) fn parse(file: &str, text: &str, notes: &mut Vec<Diagnostic>) -> IlluminaSheet {
    let mut sheet = IlluminaSheet::default();
    let mut section = String::new();
    let mut data: Vec<Row> = Vec::new();
    for row in table::rows(file, text, b',', notes) {
        let first = row.cell(0).trim();
        if let Some(name) = first.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            section = name.to_ascii_lowercase();
            continue;
        }
        match section.as_str() {
            "header" => header(&mut sheet, file, &row, notes),
            "reads" => reads(&mut sheet, file, &row, notes),
            "bclconvert_data" | "data" => data.push(row),
            _ => {}
        }
    }
    match data.split_first() {
        Some((names, rows)) => sheet.samples = samples(file, names, rows, notes),
        None => {
            let wrong = Wrong::new(
                "there is no [BCLConvert_Data] section with samples",
                "検体を記した [BCLConvert_Data] がありません",
            );
            notes.push(Place::row(file, 1).error("S120", &wrong));
        }
    }
    sheet
}

fn header(sheet: &mut IlluminaSheet, file: &str, row: &Row, notes: &mut Vec<Diagnostic>) {
    let value = row.cell(1).trim();
    match row.cell(0).trim() {
        "FileFormatVersion" if value != "2" => {
            let found = shown(value);
            let wrong = Wrong::new(
                format!("FileFormatVersion `{found}` is not known; version 2 is"),
                format!("FileFormatVersion `{found}` には対応していません（対応: 2）"),
            );
            notes.push(Place::row(file, row.number).in_column(2, "FileFormatVersion").error("S122", &wrong));
        }
        "RunName" => sheet.run_name = Some(value.to_owned()),
        "InstrumentPlatform" => sheet.instrument = Some(value.to_owned()),
        _ => {}
    }
}

fn reads(sheet: &mut IlluminaSheet, file: &str, row: &Row, notes: &mut Vec<Diagnostic>) {
    let name = row.cell(0).trim();
    let slot = match name {
        "Read1Cycles" => &mut sheet.read1_cycles,
        "Read2Cycles" => &mut sheet.read2_cycles,
        _ => return,
    };
    let cell = Cell { place: Place::row(file, row.number).in_column(2, name), text: row.cell(1) };
    *slot = cell.read("S106", notes, |text| {
        text.parse().map_err(|_| {
            Wrong::new(
                format!("expected a whole number, found `{}`", shown(text)),
                format!("整数を書いてください。`{}` とあります", shown(text)),
            )
        })
    });
}

fn samples(file: &str, names: &Row, rows: &[Row], notes: &mut Vec<Diagnostic>) -> Vec<IlluminaSample> {
    let at = |name: &str| names.cells.iter().position(|cell| cell.trim().eq_ignore_ascii_case(name));
    let Some(id) = at("Sample_ID") else {
        let wrong = Wrong::new("the column `Sample_ID` is missing", "列 `Sample_ID` がありません");
        notes.push(Place::row(file, names.number).error("S102", &wrong));
        return Vec::new();
    };
    if rows.is_empty() {
        let wrong = Wrong::new("the data section has no samples", "データ欄に検体がありません");
        notes.push(Place::row(file, names.number).error("S111", &wrong));
    }
    let lane = at("Lane");
    let (index, index2, project) = (at("Index"), at("Index2"), at("Sample_Project"));
    let text =
        |row: &Row, column: Option<usize>| column.map_or(String::new(), |column| row.cell(column).trim().to_owned());
    let sample = |row: &Row, notes: &mut Vec<Diagnostic>| {
        let lane_number = lane.map(|lane| lane_of(file, row, lane, notes));
        Some(IlluminaSample {
            row: row.number,
            sample_id: sample_id(file, row, id, notes)?,
            lane: lane_number.flatten(),
            index: text(row, index),
            index2: text(row, index2),
            project: text(row, project),
            columns: (id + 1, lane.map_or(1, |lane| lane + 1)),
            index_columns: (index.map(|column| column + 1), index2.map(|column| column + 1)),
        })
    };
    rows.iter().filter_map(|row| sample(row, notes)).collect()
}

fn sample_id(file: &str, row: &Row, column: usize, notes: &mut Vec<Diagnostic>) -> Option<String> {
    let place = Place::row(file, row.number).in_column(column + 1, "Sample_ID");
    Cell { place, text: row.cell(column) }.read("S103", notes, cell::id)
}

fn lane_of(file: &str, row: &Row, column: usize, notes: &mut Vec<Diagnostic>) -> Option<u32> {
    let place = Place::row(file, row.number).in_column(column + 1, "Lane");
    Cell { place, text: row.cell(column) }.read("S106", notes, |text| {
        let lane = text.parse().ok().filter(|lane| (1..=LANE_MAX).contains(lane));
        let found = shown(text);
        lane.ok_or_else(|| {
            Wrong::new(
                format!("expected a lane from 1 to {LANE_MAX}, found `{found}`"),
                format!("レーンは 1 から {LANE_MAX} です。`{found}` とあります"),
            )
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHEET: &str = "[Header]\r\nFileFormatVersion,2\r\nRunName,run7\r\nInstrumentPlatform,NovaSeqXSeries\r\n\r\n\
        [Reads]\r\nRead1Cycles,151\r\nRead2Cycles,151\r\nIndex1Cycles,10\r\n\r\n\
        [BCLConvert_Settings]\r\nSoftwareVersion,4.1.7\r\n\r\n\
        [BCLConvert_Data]\r\nLane,Sample_ID,Index,Index2\r\n1,S-A,AAAC,GGGT\r\n2,S-A,AAAC,GGGT\r\n1,S-B,CCCA,TTTG\r\n";

    #[test]
    fn a_version_two_sheet_gives_its_samples_with_lanes_and_rows() {
        let sheet = read(SHEET.as_bytes()).expect("good");
        assert_eq!((sheet.run_name.as_deref(), sheet.read2_cycles), (Some("run7"), Some(151)));
        let samples: Vec<_> =
            sheet.samples.iter().map(|sample| (sample.row, sample.sample_id.as_str(), sample.lane)).collect();
        assert_eq!(samples, [(16, "S-A", Some(1)), (17, "S-A", Some(2)), (18, "S-B", Some(1))]);
    }

    #[test]
    fn its_mistakes_come_all_at_once() {
        let text = SHEET.replace("Version,2", "Version,3").replace("1,S-B", "9,$(touch x)");
        let notes = read(text.as_bytes()).expect_err("refused");
        let found: Vec<_> = notes.iter().map(|note| (note.code, note.line, note.column)).collect();
        assert_eq!(found, [("S122", 2, 2), ("S106", 18, 1), ("S103", 18, 2)]);
    }

    #[test]
    fn a_sheet_without_samples_is_refused() {
        assert_eq!(read(b"[Header]\nFileFormatVersion,2\n").expect_err("refused")[0].code, "S120");
        assert_eq!(read(b"[Data]\nSample_ID\n").expect_err("refused")[0].code, "S111");
    }
}
