//! The sample sheet of a run folder, version 1 or 2: lane × sample × indexes for every row, or every mistake with its place.
//!
//! The sheet itself is read by `kentai_workflows::sheet::illumina`, the same that submissions use; what only a flow cell can decide
//! (lanes that it has, indexes that part the samples of a lane) is added here. Specimens are not known here.

use std::collections::BTreeMap;

use kentai_workflows::diagnostic::{Diagnostic, Severity};
use kentai_workflows::sheet::illumina::{self, IlluminaSample};
use serde::{Deserialize, Serialize};

use super::words::{Words, shown};

/// The usual name at the top of a run folder.
pub const SHEET_FILE: &str = "SampleSheet.csv";

/// One sample in one lane.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SheetRow {
    /// 1-based row of the sheet.
    pub row: usize,
    /// From 1; a sheet without lanes puts its samples into each.
    pub lane: u32,
    /// `Sample_ID`.
    pub sample: String,
    /// i7, may be empty.
    #[serde(default)]
    pub index: String,
    /// i5, may be empty.
    #[serde(default)]
    pub index2: String,
    /// `Sample_Project`, may be empty.
    #[serde(default)]
    pub project: String,
}

/// What is wrong with one cell.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mistake {
    /// 1-based row of the sheet.
    pub row: usize,
    /// 1-based.
    pub column: usize,
    /// Whole sentence with row and column.
    pub words: Words,
}

/// A sheet as far as it can be understood.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sheet {
    /// By row, then lane.
    pub rows: Vec<SheetRow>,
    /// With any of them the sheet is not valid; by row, then column.
    pub mistakes: Vec<Mistake>,
    /// What somebody should look at.
    pub warnings: Vec<Mistake>,
}

/// Reads the sheet of a flow cell with `lanes` lanes; every mistake at once.
#[must_use]
pub fn read(bytes: &[u8], lanes: u32) -> Sheet {
    let (sheet, notes) = illumina::read_all(bytes);
    let (errors, warnings): (Vec<_>, Vec<_>) = notes.iter().partition(|note| note.severity == Severity::Error);
    let mut mistakes: Vec<Mistake> = errors.into_iter().map(noted).collect();
    let mut rows = Vec::new();
    let mut taken = Taken::default();
    for sample in &sheet.samples {
        mistakes.extend(bad_letters(sample));
        let in_lanes = match sample.lane {
            Some(lane) if lane > lanes => {
                mistakes.push(no_such_lane(sample, lane, lanes));
                continue;
            }
            Some(lane) => lane..=lane,
            None => 1..=lanes,
        };
        // A row that stands in every lane collides in every lane; one mistake says it.
        let clash = in_lanes.clone().filter_map(|lane| taken.put(lane, sample)).next();
        mistakes.extend(clash);
        rows.extend(in_lanes.map(|lane| row(sample, lane)));
    }
    mistakes.sort_by_key(|mistake| (mistake.row, mistake.column));
    Sheet { rows, mistakes, warnings: warnings.into_iter().map(noted).collect() }
}

fn row(sample: &IlluminaSample, lane: u32) -> SheetRow {
    SheetRow {
        row: sample.row,
        lane,
        sample: sample.sample_id.clone(),
        index: sample.index.clone(),
        index2: sample.index2.clone(),
        project: sample.project.clone(),
    }
}

fn noted(note: &Diagnostic) -> Mistake {
    let en = note.message.en.clone();
    let ja = note.message.ja.clone().unwrap_or_else(|| en.clone());
    Mistake { row: note.line, column: note.column, words: Words::new(en, ja) }
}

/// Who has which indexes in which lane.
#[derive(Default)]
struct Taken<'a> {
    indexes: BTreeMap<(u32, String, String), &'a IlluminaSample>,
    /// The first sample of a lane, and the one without an index, if there is one.
    lanes: BTreeMap<u32, (&'a IlluminaSample, bool)>,
}

impl<'a> Taken<'a> {
    fn put(&mut self, lane: u32, sample: &'a IlluminaSample) -> Option<Mistake> {
        let bare = sample.index.is_empty() && sample.index2.is_empty();
        let key = (lane, sample.index.to_ascii_uppercase(), sample.index2.to_ascii_uppercase());
        if let Some(other) = self.indexes.insert(key, sample) {
            return Some(same_index(lane, sample, other));
        }
        let first = self.lanes.entry(lane).or_insert((sample, bare));
        let alone = first.0.row == sample.row || (!bare && !first.1);
        (!alone).then(|| no_index(lane, sample, first.0))
    }
}

fn at(sample: &IlluminaSample, column: usize, name: &str, wrong: &Words) -> Mistake {
    let row = sample.row;
    Mistake {
        row,
        column,
        words: Words::new(
            format!("{SHEET_FILE} row {row}, column `{name}`: {}", wrong.en),
            format!("{SHEET_FILE} の {row} 行目、列 `{name}`: {}", wrong.ja),
        ),
    }
}

fn index_column(sample: &IlluminaSample) -> usize {
    sample.index_columns.0.or(sample.index_columns.1).unwrap_or(sample.columns.0)
}

fn same_index(lane: u32, sample: &IlluminaSample, other: &IlluminaSample) -> Mistake {
    let index = joined(sample);
    let (theirs, row) = (&other.sample_id, other.row);
    let wrong = Words::new(
        format!("index {index} is in lane {lane} already, for `{theirs}` in row {row}"),
        format!("インデックス {index} はレーン {lane} で {row} 行目の `{theirs}` と重複しています"),
    );
    at(sample, index_column(sample), "Index", &wrong)
}

fn joined(sample: &IlluminaSample) -> String {
    match (sample.index.as_str(), sample.index2.as_str()) {
        ("", "") => "(none)".to_owned(),
        (index, "") => index.to_owned(),
        (index, index2) => format!("{index}+{index2}"),
    }
}

fn no_index(lane: u32, sample: &IlluminaSample, other: &IlluminaSample) -> Mistake {
    let (theirs, row) = (&other.sample_id, other.row);
    let wrong = Words::new(
        format!("lane {lane} holds more than one sample, so each needs an index (see `{theirs}` in row {row})"),
        format!(
            "レーン {lane} に複数の検体があるため、すべてにインデックスが必要です（{row} 行目の `{theirs}` を参照）"
        ),
    );
    at(sample, index_column(sample), "Index", &wrong)
}

fn no_such_lane(sample: &IlluminaSample, lane: u32, lanes: u32) -> Mistake {
    let wrong = Words::new(
        format!("lane {lane} does not exist: the flow cell has {lanes}"),
        format!("レーン {lane} はありません（フローセルのレーン数は {lanes}）"),
    );
    at(sample, sample.columns.1, "Lane", &wrong)
}

fn bad_letters(sample: &IlluminaSample) -> Vec<Mistake> {
    let (first, second) = sample.index_columns;
    [("Index", &sample.index, first), ("Index2", &sample.index2, second)]
        .into_iter()
        .filter(|(_, index, _)| !index.bytes().all(|byte| b"ACGTNacgtn".contains(&byte)))
        .map(|(name, index, column)| {
            let index = shown(index);
            let wrong = Words::new(
                format!("`{index}` is not an index: only A, C, G, T"),
                format!("`{index}` はインデックスに使えません（A, C, G, T のみ）"),
            );
            at(sample, column.unwrap_or(1), name, &wrong)
        })
        .collect()
}

#[cfg(test)]
mod tests;
