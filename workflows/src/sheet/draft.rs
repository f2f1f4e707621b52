//! A specimen while its rows are read: what is known so far, and which row said it.

use std::collections::BTreeMap;

use crate::plan::{Consent, Priority};
use crate::sheet::columns::Target;
use crate::value::{Map, Value};

/// A value and the row that gave it first.
pub(super) type Given<T> = Option<(T, usize)>;

/// One specimen, row by row.
#[derive(Debug, Default)]
pub(super) struct Draft {
    pub(super) id: String,
    /// Its first row.
    pub(super) row: usize,
    pub(super) participant: Given<String>,
    pub(super) barcode: Given<String>,
    pub(super) consent: Given<Consent>,
    pub(super) priority: Given<Priority>,
    /// Fields and single files.
    pub(super) values: BTreeMap<Target, Given<Value>>,
    /// Checksums of single files, by algorithm.
    pub(super) checksums: BTreeMap<(Target, &'static str), Given<String>>,
    /// Checksums of list items: path, algorithm, hex.
    pub(super) item_checksums: Vec<(String, &'static str, String)>,
    /// Index of the list input → its items in sheet order.
    pub(super) items: BTreeMap<usize, Items>,
    /// One of its rows has an error.
    pub(super) broken: bool,
}

/// An item of a list.
#[derive(Debug, PartialEq)]
pub(super) struct Item {
    pub(super) id: String,
    pub(super) row: usize,
    /// All its fields, `id` among them.
    pub(super) fields: Map,
}

/// The items of one list.
#[derive(Debug, Default)]
pub(super) struct Items {
    list: Vec<Item>,
    by_id: BTreeMap<String, usize>,
}

impl Items {
    pub(super) fn find(&self, id: &str) -> Option<&Item> {
        self.by_id.get(id).and_then(|index| self.list.get(*index))
    }

    pub(super) fn push(&mut self, item: Item) {
        self.by_id.insert(item.id.clone(), self.list.len());
        self.list.push(item);
    }

    pub(super) fn into_list(self) -> Vec<Item> {
        self.list
    }
}

/// Keeps the first value; the row of an earlier, different one is the conflict.
pub(super) fn agree<T: PartialEq>(given: &mut Given<T>, value: T, row: usize) -> Result<(), usize> {
    match given {
        Some((earlier, earlier_row)) if *earlier != value => Err(*earlier_row),
        Some(_) => Ok(()),
        None => {
            *given = Some((value, row));
            Ok(())
        }
    }
}

/// Specimens in the order of their first rows.
#[derive(Debug, Default)]
pub(super) struct Drafts {
    list: Vec<Draft>,
    by_id: BTreeMap<String, usize>,
}

impl Drafts {
    /// The draft of `id`, begun at `row` when it is new.
    pub(super) fn of(&mut self, id: String, row: usize) -> &mut Draft {
        let index = *self.by_id.entry(id.clone()).or_insert(self.list.len());
        if index == self.list.len() {
            self.list.push(Draft { id, row, ..Draft::default() });
        }
        &mut self.list[index]
    }

    pub(super) fn into_list(self) -> Vec<Draft> {
        self.list
    }
}
