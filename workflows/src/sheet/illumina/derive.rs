//! An Illumina sheet as specimens: the FASTQ names that `bcl-convert` gives, beside the sheet.
//!
//! `<Sample_ID>_S<n>_L00<lane>_R1_001.fastq.gz`, where n counts samples by first appearance in the sheet (BCL Convert guide,
//! "FASTQ files"). Sub-directories per project and sample names in place of ids are options of the tool that nobody can see
//! from the sheet; they are not assumed.

use std::collections::BTreeMap;

use crate::diagnostic::{Diagnostic, has_errors};
use crate::plan::Specimen;
use crate::plan::words::Wrong;
use crate::sheet::columns::{self, Column, Meaning, Target};
use crate::sheet::illumina::{IlluminaSample, IlluminaSheet, parse};
use crate::sheet::place::Place;
use crate::sheet::row::Gathered;
use crate::sheet::table::Row;
use crate::workflow::{InputKind, Workflow};

/// Cells of a derived row: `Sample_ID`, lane, then one per read.
const ID_CELL: usize = 0;
const LANE_CELL: usize = 1;
const READ_CELL: usize = 2;

/// The list of a workflow that takes lanes, and which of its item fields are reads 1 and 2.
struct Lanes {
    list: usize,
    /// (item field, read number)
    reads: Vec<(usize, u8)>,
}

/// Specimens of the Illumina sheet `text`.
pub(crate) fn specimens(path: &str, text: &str, workflow: &Workflow, gathered: &mut Gathered) -> Vec<Specimen> {
    let sheet = parse(path, text, &mut gathered.notes);
    let Some(lanes) = lanes_of(workflow) else {
        gathered.notes.push(no_lanes(path, workflow));
        return Vec::new();
    };
    unpaired(path, &sheet, &lanes, &mut gathered.notes);
    let columns = columns_of(&sheet, &lanes);
    let known = columns::known(workflow);
    let first_row = sheet.samples.first().map_or(1, |sample| sample.row);
    columns::missing(path, first_row, &columns, &known, &mut gathered.notes);
    let rows = rows_of(path, &sheet, &lanes, &mut gathered.notes);
    if has_errors(&gathered.notes) {
        return Vec::new();
    }
    super::super::laid_out(path, &rows, &columns, READ_CELL + lanes.reads.len(), workflow, gathered)
}

/// The first list whose items are `r1`, perhaps `r2`, and nothing else.
fn lanes_of(workflow: &Workflow) -> Option<Lanes> {
    let read = |(name, is_file): &(String, bool)| match name.as_str() {
        "r1" if *is_file => Some(1),
        "r2" if *is_file => Some(2),
        _ => None,
    };
    workflow.inputs.iter().enumerate().find_map(|(list, input)| {
        let InputKind::List { item, .. } = &input.kind else { return None };
        let others = item.iter().filter(|(name, _)| name != "id");
        let known = others.clone().all(|field| read(field).is_some());
        let reads: Vec<(usize, u8)> =
            item.iter().enumerate().filter_map(|(index, field)| Some((index, read(field)?))).collect();
        (known && reads.iter().any(|(_, number)| *number == 1)).then_some(Lanes { list, reads })
    })
}

fn no_lanes(path: &str, workflow: &Workflow) -> Diagnostic {
    let id = &workflow.id;
    let wrong = Wrong::new(
        format!("this is an Illumina sample sheet, but workflow `{id}` has no list of lanes with `r1` and `r2`"),
        format!(
            "Illumina のサンプルシートですが、ワークフロー `{id}` に `r1` と `r2` を持つレーンのリストがありません"
        ),
    );
    Place::row(path, 1).error("S121", &wrong).help(
        "specimen: { inputs: { lanes: { type: list, item: { id: string, r1: file, r2: file } } } }",
        "specimen: { inputs: { lanes: { type: list, item: { id: string, r1: file, r2: file } } } }",
    )
}

/// A single-end run cannot feed a workflow that wants pairs.
fn unpaired(path: &str, sheet: &IlluminaSheet, lanes: &Lanes, notes: &mut Vec<Diagnostic>) {
    let wants_pairs = lanes.reads.iter().any(|(_, number)| *number == 2);
    if wants_pairs && sheet.read1_cycles.is_some() && sheet.read2_cycles.unwrap_or(0) == 0 {
        let wrong = Wrong::new(
            "the workflow wants `r2`, but the run has no second read",
            "ワークフローは `r2` を必要としますが、このランにリード 2 はありません",
        );
        notes.push(Place::row(path, 1).error("S121", &wrong));
    }
}

/// Columns of the derived rows; a person sees the sheet's own columns instead.
fn columns_of(sheet: &IlluminaSheet, lanes: &Lanes) -> Vec<Column> {
    let (id, lane) = sheet.samples.first().map_or((1, 1), |sample| sample.columns);
    let column = |cell, number, name: &str, meaning| Column { cell, number, name: name.to_owned(), meaning };
    let mut columns = vec![
        column(ID_CELL, id, "Sample_ID", Meaning::Specimen),
        column(LANE_CELL, lane, "Lane", Meaning::ListId(lanes.list)),
    ];
    for (cell, (field, _)) in lanes.reads.iter().enumerate() {
        let target = Target::Item { list: lanes.list, field: *field };
        columns.push(column(READ_CELL + cell, id, "Sample_ID", Meaning::Value(target)));
    }
    columns
}

fn rows_of(path: &str, sheet: &IlluminaSheet, lanes: &Lanes, notes: &mut Vec<Diagnostic>) -> Vec<Row> {
    let mut order: BTreeMap<&str, usize> = BTreeMap::new();
    let mut indexes: BTreeMap<(&str, u32), Vec<&str>> = BTreeMap::new();
    let mut rows = Vec::new();
    for sample in &sheet.samples {
        let next = order.len() + 1;
        let number = *order.entry(&sample.sample_id).or_insert(next);
        let Some(lane) = sample.lane else {
            notes.push(without_lane(path, sample));
            continue;
        };
        // Several indexes of one sample in one lane end up in one pair of files; the same index again is a mistake.
        let earlier = indexes.entry((&sample.sample_id, lane)).or_default();
        if earlier.is_empty() || earlier.contains(&sample.index.as_str()) {
            rows.push(row_of(sample, number, lane, lanes));
        }
        earlier.push(&sample.index);
    }
    rows
}

fn row_of(sample: &IlluminaSample, number: usize, lane: u32, lanes: &Lanes) -> Row {
    let id = &sample.sample_id;
    let mut cells = vec![id.clone(), format!("L{lane:03}")];
    cells.extend(lanes.reads.iter().map(|(_, read)| format!("{id}_S{number}_L{lane:03}_R{read}_001.fastq.gz")));
    Row { number: sample.row, cells }
}

fn without_lane(path: &str, sample: &IlluminaSample) -> Diagnostic {
    let wrong = Wrong::new(
        "the sample has no lane, so the names of its FASTQ files are not known",
        "レーンの指定がないため、FASTQ ファイル名が決まりません",
    );
    Place::row(path, sample.row).in_column(sample.columns.1, "Lane").error("S105", &wrong)
}
