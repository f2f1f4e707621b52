//! Items of lists: the lane that a row adds to its specimen.

use super::{Reading, digits};
use crate::plan::words::Wrong;
use crate::sheet::cell::{self, Cell};
use crate::sheet::columns::{Column, Meaning, Target, item_field};
use crate::sheet::draft::Item;
use crate::value::{FileValue, Map, Value};
use crate::workflow::InputKind;

/// A promised checksum of an item's file: path, algorithm, hex.
type Checksum = (String, &'static str, String);

impl<'a> Reading<'_, 'a> {
    /// A row may leave a list alone, but not give its files without an id.
    pub(super) fn item_without_id(&mut self, list: usize, id_column: &'a Column) {
        let belongs =
            |column: &Column| matches!(column.meaning, Meaning::Value(Target::Item { list: of, .. }) if of == list);
        let filled =
            self.context.columns.iter().any(|column| belongs(column) && self.context.cell(self.row, column).is_some());
        if filled {
            self.missing(&id_column.name, id_column);
        }
    }

    /// Adds the item of `list` that this row describes; all its cells are read, even when its id is refused.
    pub(super) fn item(&mut self, list: usize, id_cell: Cell<'a>) {
        let id = id_cell.read("S103", self.notes, cell::id);
        let mut fields = Map::new();
        let mut checksums = Vec::new();
        for field in 0..self.item_length(list) {
            let target = Target::Item { list, field };
            if let Some((name, value)) = self.item_value(list, field) {
                checksums.extend(self.checksum_of(target, &value, "sha256"));
                checksums.extend(self.checksum_of(target, &value, "md5"));
                fields.insert(name, value);
            }
        }
        let Some(id) = id else { return };
        fields.insert("id".into(), id.clone().into());
        self.add(list, id_cell, Item { id, row: self.row.number, fields }, checksums);
    }

    /// Takes `item` in, unless its id is there already. With several lists, a row repeats the items of one beside those of another.
    fn add(&mut self, list: usize, id_cell: Cell<'a>, item: Item, checksums: Vec<Checksum>) {
        let several_lists = self.several_lists();
        let Some(earlier) = self.draft.items.entry(list).or_default().find(&item.id) else {
            self.note_files(list, &item);
            self.draft.item_checksums.extend(checksums);
            self.draft.items.entry(list).or_default().push(item);
            return;
        };
        if earlier.fields != item.fields || !several_lists {
            let (id, row) = (&item.id, earlier.row);
            let wrong =
                Wrong::new(format!("`{id}` is already in row {row}"), format!("`{id}` は {row} 行目にもあります"));
            self.notes.push(id_cell.place.error("S107", &wrong));
        }
    }

    fn item_length(&self, list: usize) -> usize {
        match self.context.workflow.inputs.get(list).map(|input| &input.kind) {
            Some(InputKind::List { item, .. }) => item.len(),
            _ => 0,
        }
    }

    fn item_value(&mut self, list: usize, field: usize) -> Option<(String, Value)> {
        let (name, is_file) = item_field(self.context.workflow, list, field)?;
        let column = self.item_column(list, field)?;
        let Some(cell) = self.context.cell(self.row, column) else {
            self.missing(name, column);
            return None;
        };
        let value = if *is_file {
            cell.read_exact("S110", self.notes, |text| cell::file(text, self.context.directory))?.to_value()
        } else {
            cell.text.into()
        };
        Some((name.clone(), value))
    }

    fn item_column(&self, list: usize, field: usize) -> Option<&'a Column> {
        self.context.column(Meaning::Value(Target::Item { list, field }))
    }

    fn missing(&mut self, name: &str, column: &'a Column) {
        let wrong = Wrong::new(format!("`{name}` is missing"), format!("`{name}` がありません"));
        self.notes.push(self.context.place(self.row.number, column).error("S105", &wrong));
    }

    fn checksum_of(&mut self, target: Target, file: &Value, algorithm: &'static str) -> Option<Checksum> {
        let meaning = if algorithm == "md5" { Meaning::Md5(target) } else { Meaning::Sha256(target) };
        let cell = self.context.column(meaning).and_then(|column| self.context.cell(self.row, column))?;
        let hex = cell.read("S109", self.notes, |text| cell::checksum(text, digits(algorithm)))?;
        Some((FileValue::of(file)?.path?, algorithm, hex))
    }

    /// Remembers the files of `item`, and warns of those that another item has already.
    fn note_files(&mut self, list: usize, item: &Item) {
        for field in 0..self.item_length(list) {
            let (Some((name, _)), Some(column)) =
                (item_field(self.context.workflow, list, field), self.item_column(list, field))
            else {
                continue;
            };
            let Some(path) = item.fields.get(name).and_then(FileValue::of).and_then(|file| file.path) else { continue };
            self.remember_file(&path, column);
            self.warn_of_second_use(path, column);
        }
    }

    /// The same reads twice are either counted double or belong to somebody else.
    fn warn_of_second_use(&mut self, path: String, column: &'a Column) {
        let row = self.row.number;
        if self.draft.id.is_empty() {
            return;
        }
        if let Some(first) = self.item_paths.insert(path, row) {
            let wrong = Wrong::new(
                format!("the same file is already named in row {first}"),
                format!("同じファイルが {first} 行目でも使われています"),
            );
            self.notes.push(self.context.place(row, column).warning("S118", &wrong));
        }
    }

    fn several_lists(&self) -> bool {
        self.context.workflow.inputs.iter().filter(|input| matches!(input.kind, InputKind::List { .. })).count() > 1
    }
}
