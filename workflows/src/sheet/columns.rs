//! What each column of a sheet is for: the workflow's names, matched against the header.
//!
//! Two lists may have a field of the same name (`r1`); its column then serves both.

use crate::diagnostic::Diagnostic;
use crate::plan::words::{Wrong, did_you_mean, shown};
use crate::sheet::place::Place;
use crate::sheet::table::Row;
use crate::workflow::{InputKind, ParamKind, Workflow};

/// A place for a value: indexes into the workflow's `fields`, `inputs` and a list's `item`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Target {
    Field(usize),
    Input(usize),
    Item { list: usize, field: usize },
}

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Meaning {
    Specimen,
    Participant,
    Barcode,
    Consent,
    Priority,
    /// The `id` of an item of the input with this index.
    ListId(usize),
    Value(Target),
    Sha256(Target),
    Md5(Target),
}

/// A name that a sheet may use.
#[derive(Clone, Debug)]
pub(super) struct Known {
    pub(super) name: String,
    pub(super) meaning: Meaning,
    /// No specimen of this workflow can do without it.
    pub(super) required: bool,
}

/// A column of the sheet at hand.
#[derive(Clone, Debug)]
pub(super) struct Column {
    /// 0-based cell of a row.
    pub(super) cell: usize,
    /// 1-based number and name, as a person sees them.
    pub(super) number: usize,
    pub(super) name: String,
    pub(super) meaning: Meaning,
}

/// Every name that a sheet for `workflow` may use, in the order in which a person would write them.
pub(super) fn known(workflow: &Workflow) -> Vec<Known> {
    let mut known = vec![Known { name: "specimen".into(), meaning: Meaning::Specimen, required: true }];
    for (index, input) in workflow.inputs.iter().enumerate() {
        match &input.kind {
            InputKind::File => known.push(value(&input.name, Target::Input(index), input.required)),
            InputKind::List { item, column, min_items } => {
                let required = input.required && *min_items > 0;
                known.push(Known { name: column.clone(), meaning: Meaning::ListId(index), required });
                // The id has its own column, whatever its place in the item.
                let fields = item.iter().enumerate().filter(|(_, (name, _))| name != "id");
                known.extend(
                    fields.map(|(field, (name, _))| value(name, Target::Item { list: index, field }, required)),
                );
            }
        }
    }
    known.extend(
        workflow
            .fields
            .iter()
            .enumerate()
            .map(|(index, field)| value(&field.name, Target::Field(index), field.required)),
    );
    let checksums: Vec<Known> =
        known.iter().filter(|known| is_file(workflow, known.meaning)).flat_map(checksum_names).collect();
    known.extend(checksums);
    for (name, meaning) in [
        ("participant", Meaning::Participant),
        ("barcode", Meaning::Barcode),
        ("consent", Meaning::Consent),
        ("priority", Meaning::Priority),
    ] {
        known.push(Known { name: name.into(), meaning, required: false });
    }
    known
}

fn value(name: &str, target: Target, required: bool) -> Known {
    Known { name: name.to_owned(), meaning: Meaning::Value(target), required }
}

fn checksum_names(file: &Known) -> Vec<Known> {
    let Meaning::Value(target) = file.meaning else { return Vec::new() };
    let named = |suffix: &str, meaning| Known { name: format!("{}_{suffix}", file.name), meaning, required: false };
    vec![named("sha256", Meaning::Sha256(target)), named("md5", Meaning::Md5(target))]
}

fn is_file(workflow: &Workflow, meaning: Meaning) -> bool {
    match meaning {
        Meaning::Value(Target::Input(_)) => true,
        Meaning::Value(Target::Field(index)) => {
            workflow.fields.get(index).is_some_and(|field| field.kind == ParamKind::File)
        }
        Meaning::Value(Target::Item { list, field }) => {
            item_field(workflow, list, field).is_some_and(|(_, is_file)| *is_file)
        }
        _ => false,
    }
}

/// Name of a list's item field, and whether it is a file.
pub(super) fn item_field(workflow: &Workflow, list: usize, field: usize) -> Option<&(String, bool)> {
    match &workflow.inputs.get(list)?.kind {
        InputKind::List { item, .. } => item.get(field),
        InputKind::File => None,
    }
}

/// The header's columns; unknown, repeated and missing ones go to `notes`.
pub(super) fn matched(file: &str, header: &Row, known: &[Known], notes: &mut Vec<Diagnostic>) -> Vec<Column> {
    let mut columns: Vec<Column> = Vec::new();
    for (cell, written) in header.cells.iter().enumerate().take(named_width(header)) {
        let name = written.trim();
        let safe_name = shown(name);
        let place = Place::row(file, header.number).in_column(cell + 1, &safe_name);
        let meanings: Vec<&Known> = known.iter().filter(|known| known.name == name).collect();
        if let Some(earlier) = columns.iter().find(|column| column.name == name) {
            notes.push(place.error("S117", &repeated(earlier.number)));
        } else if meanings.is_empty() {
            notes.push(place.error("S104", &unknown(name, known)).help(expected_en(known), expected_ja(known)));
        }
        columns.extend(meanings.iter().map(|known| Column {
            cell,
            number: cell + 1,
            name: name.to_owned(),
            meaning: known.meaning,
        }));
    }
    missing(file, header.number, &columns, known, notes);
    columns
}

/// Cells up to the last one with a name: spreadsheets leave empty columns at the end.
pub(super) fn named_width(header: &Row) -> usize {
    header.cells.iter().rposition(|cell| !cell.trim().is_empty()).map_or(0, |last| last + 1)
}

/// Reports every required name that no column carries.
pub(super) fn missing(file: &str, row: usize, columns: &[Column], known: &[Known], notes: &mut Vec<Diagnostic>) {
    for absent in known.iter().filter(|known| known.required && !has(columns, known.meaning)) {
        let name = &absent.name;
        let wrong = Wrong::new(format!("the column `{name}` is missing"), format!("列 `{name}` がありません"));
        notes.push(Place::row(file, row).error("S102", &wrong).help(expected_en(known), expected_ja(known)));
    }
}

pub(super) fn has(columns: &[Column], meaning: Meaning) -> bool {
    columns.iter().any(|column| column.meaning == meaning)
}

fn repeated(earlier: usize) -> Wrong {
    Wrong::new(format!("the same name as column {earlier}"), format!("列名が {earlier} 列目と重複しています"))
}

fn unknown(name: &str, known: &[Known]) -> Wrong {
    if name.is_empty() {
        return Wrong::new("the column has no name", "列名がありません");
    }
    let (en, ja) = did_you_mean(name, known.iter().map(|known| known.name.as_str()));
    Wrong::new(format!("unknown column{en}"), format!("知らない列です{ja}"))
}

fn expected_en(known: &[Known]) -> String {
    format!("columns of this workflow, separated by commas or tabs: {}", names(known))
}

fn expected_ja(known: &[Known]) -> String {
    format!("このワークフローの列（カンマまたはタブ区切り）: {}", names(known))
}

/// Without the checksum columns, which triple the list and that few people write by hand.
fn names(known: &[Known]) -> String {
    let wanted = known.iter().filter(|known| !matches!(known.meaning, Meaning::Sha256(_) | Meaning::Md5(_)));
    wanted.map(|known| known.name.as_str()).collect::<Vec<_>>().join(", ")
}
