//! One row into the draft of its specimen; every cell is looked at, even when an earlier one is wrong.

use std::collections::BTreeMap;

use crate::diagnostic::{Diagnostic, has_errors};
use crate::plan::typed;
use crate::plan::words::{Wrong, shown};
use crate::sheet::SheetFile;
use crate::sheet::cell::{self, Cell};
use crate::sheet::columns::{Column, Meaning, Target};
use crate::sheet::draft::{Draft, Drafts, agree};
use crate::sheet::place::Place;
use crate::sheet::table::Row;
use crate::workflow::{InputKind, ParamKind, Workflow};

/// What all rows share.
#[derive(Clone, Copy, Debug)]
pub(super) struct Context<'a> {
    pub(super) workflow: &'a Workflow,
    /// Path of the sheet.
    pub(super) file: &'a str,
    /// Where its relative paths begin.
    pub(super) directory: &'a str,
    pub(super) columns: &'a [Column],
    /// Cells that every row must have.
    pub(super) width: usize,
}

/// What the rows leave behind.
#[derive(Debug, Default)]
pub(super) struct Gathered {
    pub(super) notes: Vec<Diagnostic>,
    pub(super) drafts: Drafts,
    pub(super) files: Vec<SheetFile>,
    /// Paths of list items → the row that named it first.
    pub(super) item_paths: BTreeMap<String, usize>,
}

impl<'a> Context<'a> {
    /// The place of `column` in `row`.
    pub(super) fn place(&self, row: usize, column: &'a Column) -> Place<'a> {
        Place::row(self.file, row).in_column(column.number, &column.name)
    }

    pub(super) fn column(&self, meaning: Meaning) -> Option<&'a Column> {
        self.columns.iter().find(|column| column.meaning == meaning)
    }

    /// The cell of `column`, unless it is empty.
    pub(super) fn cell(&self, row: &'a Row, column: &'a Column) -> Option<Cell<'a>> {
        let text = row.cell(column.cell);
        (!text.trim().is_empty()).then(|| Cell { place: self.place(row.number, column), text })
    }

    pub(super) fn has_lists(&self) -> bool {
        self.workflow.inputs.iter().any(|input| matches!(input.kind, InputKind::List { .. }))
    }
}

/// Reads `row`.
pub(super) fn read<'a>(context: &Context<'a>, row: &'a Row, gathered: &mut Gathered) {
    // Separators too many at the end are a habit of spreadsheets; values without a header are a mistake.
    let extra = row.cells.get(context.width..).unwrap_or_default();
    if row.cells.len() < context.width || extra.iter().any(|cell| !cell.trim().is_empty()) {
        gathered
            .notes
            .push(Place::row(context.file, row.number).error("S101", &wrong_width(row.cells.len(), context.width)));
        return;
    }
    let Gathered { notes, drafts, files, item_paths } = gathered;
    let id = specimen_id(context, row, notes);
    // A row whose id is refused is still read for its other mistakes, into a draft that nobody keeps.
    let mut nobody = Draft::default();
    let draft = id.map_or(&mut nobody, |id| drafts.of(id, row.number));
    let before = notes.len();
    let mut reading = Reading { context, row, draft, notes, files, item_paths };
    reading.once_unless_lists();
    for column in context.columns {
        reading.column(column);
    }
    draft.broken |= has_errors(&notes[before..]);
}

fn specimen_id<'a>(context: &Context<'a>, row: &'a Row, notes: &mut Vec<Diagnostic>) -> Option<String> {
    let column = context.column(Meaning::Specimen)?;
    match context.cell(row, column) {
        Some(cell) => cell.read("S103", notes, cell::id),
        None => {
            let wrong = Wrong::new("the specimen's id is missing", "検体 ID がありません");
            notes.push(context.place(row.number, column).error("S105", &wrong));
            None
        }
    }
}

fn wrong_width(found: usize, expected: usize) -> Wrong {
    Wrong::new(
        format!(
            "the row has {found} cells, the header has {expected}; text with a separator in it needs quotation marks"
        ),
        format!("セルが {found} 個あります（見出しは {expected} 個）。区切り文字を含む文字列は引用符で囲んでください"),
    )
}

/// One row under way.
struct Reading<'r, 'a> {
    context: &'r Context<'a>,
    row: &'a Row,
    draft: &'r mut Draft,
    notes: &'r mut Vec<Diagnostic>,
    files: &'r mut Vec<SheetFile>,
    item_paths: &'r mut BTreeMap<String, usize>,
}

impl<'a> Reading<'_, 'a> {
    /// Without lists a specimen has one row.
    fn once_unless_lists(&mut self) {
        let first = self.draft.row;
        if self.context.has_lists() || self.draft.id.is_empty() || first == self.row.number {
            return;
        }
        let id = &self.draft.id;
        let wrong = Wrong::new(
            format!("specimen `{id}` is already in row {first}"),
            format!("検体 `{id}` は {first} 行目にもあります"),
        );
        self.notes.push(Place::row(self.context.file, self.row.number).error("S107", &wrong));
    }

    fn column(&mut self, column: &'a Column) {
        let Some(cell) = self.context.cell(self.row, column) else {
            return if let Meaning::ListId(list) = column.meaning {
                self.item_without_id(list, column)
            };
        };
        let row = self.row.number;
        let conflict = match column.meaning {
            Meaning::Specimen | Meaning::Value(Target::Item { .. }) => None,
            Meaning::Sha256(Target::Item { .. }) | Meaning::Md5(Target::Item { .. }) => None,
            Meaning::ListId(list) => {
                self.item(list, cell);
                None
            }
            Meaning::Participant => cell
                .read("S106", self.notes, cell::participant)
                .and_then(|value| agree(&mut self.draft.participant, value, row).err()),
            Meaning::Barcode => agree(&mut self.draft.barcode, cell.text.to_owned(), row).err(),
            Meaning::Consent => cell
                .read("S106", self.notes, cell::consent)
                .and_then(|value| agree(&mut self.draft.consent, value, row).err()),
            Meaning::Priority => cell
                .read("S106", self.notes, cell::priority)
                .and_then(|value| agree(&mut self.draft.priority, value, row).err()),
            Meaning::Value(target) => self.value(target, cell, column),
            Meaning::Sha256(target) => self.checksum(target, "sha256", cell),
            Meaning::Md5(target) => self.checksum(target, "md5", cell),
        };
        if let Some(earlier) = conflict {
            self.notes.push(cell.place.error("S108", &conflicting(&self.draft.id, cell.text, earlier)));
        }
    }

    /// A field or a single file; gives the row that disagrees.
    fn value(&mut self, target: Target, cell: Cell<'a>, column: &Column) -> Option<usize> {
        let field = match target {
            Target::Field(index) => self.context.workflow.fields.get(index),
            _ => None,
        };
        let value = match field {
            Some(field) if field.kind == ParamKind::String || field.kind == ParamKind::Reference => {
                cell.read_exact("S106", self.notes, |text| typed::parse(field, text))?
            }
            Some(field) if field.kind != ParamKind::File => {
                cell.read("S106", self.notes, |text| typed::parse(field, text))?
            }
            _ => {
                let file = cell.read_exact("S110", self.notes, |text| cell::file(text, self.context.directory))?;
                if !self.draft.values.contains_key(&target) {
                    self.remember_file(file.path.as_deref().unwrap_or_default(), column);
                }
                file.to_value()
            }
        };
        agree(self.draft.values.entry(target).or_default(), value, self.row.number).err()
    }

    fn checksum(&mut self, target: Target, algorithm: &'static str, cell: Cell<'a>) -> Option<usize> {
        let hex = cell.read("S109", self.notes, |text| cell::checksum(text, digits(algorithm)))?;
        agree(self.draft.checksums.entry((target, algorithm)).or_default(), hex, self.row.number).err()
    }

    /// For whoever looks at the disk later. A row without a good id leads to no specimen and so to no file.
    fn remember_file(&mut self, path: &str, column: &Column) {
        if self.draft.id.is_empty() {
            return;
        }
        self.files.push(SheetFile {
            path: path.to_owned(),
            specimen: self.draft.id.clone(),
            row: self.row.number,
            column: column.name.clone(),
            column_number: column.number,
        });
    }
}

/// Hex digits of a checksum.
fn digits(algorithm: &str) -> usize {
    if algorithm == "md5" { 32 } else { 64 }
}

fn conflicting(specimen: &str, found: &str, earlier: usize) -> Wrong {
    let found = shown(found);
    Wrong::new(
        format!("`{found}` differs from what row {earlier} says of specimen `{specimen}`"),
        format!("`{found}` は検体 `{specimen}` の {earlier} 行目の値と異なります"),
    )
}

mod item;
