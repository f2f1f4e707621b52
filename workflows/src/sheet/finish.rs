//! Drafts into specimens: defaults, what is missing in all rows, and ids that only look different.

use std::collections::BTreeMap;

use crate::diagnostic::Diagnostic;
use crate::plan::words::Wrong;
use crate::plan::{Promised, Specimen};
use crate::sheet::columns::{Column, Meaning, Target};
use crate::sheet::draft::Draft;
use crate::sheet::place::Place;
use crate::sheet::row::Context;
use crate::value::{FileValue, Map, Value};
use crate::workflow::InputKind;

/// The specimens without mistakes, in sheet order.
pub(super) fn specimens(context: &Context<'_>, drafts: Vec<Draft>, notes: &mut Vec<Diagnostic>) -> Vec<Specimen> {
    look_alikes(context, &drafts, notes);
    drafts.into_iter().filter_map(|draft| specimen(context, draft, notes)).collect()
}

/// Ids that differ only in letter case are legal, and the commonest way to run one person's reads as another's.
fn look_alikes(context: &Context<'_>, drafts: &[Draft], notes: &mut Vec<Diagnostic>) {
    let mut seen: BTreeMap<String, &Draft> = BTreeMap::new();
    for draft in drafts {
        let Some(earlier) = seen.insert(draft.id.to_ascii_lowercase(), draft) else { continue };
        let (other, row) = (&earlier.id, earlier.row);
        let wrong = Wrong::new(
            format!("`{}` differs from `{other}` in row {row} only in upper and lower case", draft.id),
            format!("`{}` と {row} 行目の `{other}` は大文字・小文字だけが異なります", draft.id),
        );
        notes.push(place(context, draft, Meaning::Specimen).warning("S114", &wrong));
    }
}

fn specimen(context: &Context<'_>, mut draft: Draft, notes: &mut Vec<Diagnostic>) -> Option<Specimen> {
    let before = notes.len();
    let checksums = checksums(context, &mut draft, notes);
    let mut values = Map::new();
    fields(context, &mut draft, &mut values, notes);
    inputs(context, &mut draft, &mut values, notes);
    if draft.broken || notes.len() > before {
        return None;
    }
    Some(Specimen {
        id: draft.id,
        values,
        participant: draft.participant.map(|(value, _)| value),
        barcode: draft.barcode.map(|(value, _)| value),
        consent: draft.consent.map(|(value, _)| value),
        priority: draft.priority.map(|(value, _)| value).unwrap_or_default(),
        checksums,
    })
}

fn checksums(context: &Context<'_>, draft: &mut Draft, notes: &mut Vec<Diagnostic>) -> Vec<Promised> {
    let mut promised: Vec<Promised> = Vec::new();
    for ((target, algorithm), given) in std::mem::take(&mut draft.checksums) {
        let Some((hex, row)) = given else { continue };
        let file = draft.values.get(&target).and_then(Option::as_ref).and_then(|(value, _)| FileValue::of(value));
        match file.and_then(|file| file.path) {
            Some(path) => promised.push(Promised { path, algorithm: algorithm.to_owned(), hex }),
            None if draft.broken => {}
            None => notes.push(Place::row(context.file, row).error("S109", &without_file())),
        }
    }
    let items = std::mem::take(&mut draft.item_checksums).into_iter();
    promised.extend(items.map(|(path, algorithm, hex)| Promised { path, algorithm: algorithm.to_owned(), hex }));
    promised
}

fn without_file() -> Wrong {
    Wrong::new(
        "there is a checksum, but no file that it belongs to",
        "チェックサムがありますが、対応するファイルがありません",
    )
}

fn fields(context: &Context<'_>, draft: &mut Draft, values: &mut Map, notes: &mut Vec<Diagnostic>) {
    for (index, field) in context.workflow.fields.iter().enumerate() {
        let target = Target::Field(index);
        let value = taken(draft, target).or_else(|| field.default.clone());
        if value.is_none() && field.required {
            absent(context, draft, target, &field.name, notes);
        }
        values.insert(field.name.clone(), value.unwrap_or(Value::Null));
    }
}

fn inputs(context: &Context<'_>, draft: &mut Draft, values: &mut Map, notes: &mut Vec<Diagnostic>) {
    for (index, input) in context.workflow.inputs.iter().enumerate() {
        let target = Target::Input(index);
        let value = match &input.kind {
            InputKind::File => taken(draft, target),
            InputKind::List { min_items, column, .. } => {
                // An optional list may be left out, but not begun and left short.
                let begun = draft.items.contains_key(&index);
                let least = if input.required || begun { *min_items } else { 0 };
                Some(list(context, draft, index, least, column, notes))
            }
        };
        if value.is_none() && input.required {
            absent(context, draft, target, &input.name, notes);
        }
        values.insert(input.name.clone(), value.unwrap_or(Value::Null));
    }
}

fn list(
    context: &Context<'_>,
    draft: &mut Draft,
    index: usize,
    least: usize,
    name: &str,
    notes: &mut Vec<Diagnostic>,
) -> Value {
    let items = draft.items.remove(&index).unwrap_or_default().into_list();
    // Without the column, or with a refused row, the real mistake is already reported.
    if items.len() < least && !draft.broken && context.column(Meaning::ListId(index)).is_some() {
        let (id, found) = (&draft.id, items.len());
        let wrong = Wrong::new(
            format!("specimen `{id}` has {found} of at least {least} `{name}`"),
            format!("検体 `{id}` の `{name}` は {found} 件です。{least} 件以上必要です"),
        );
        notes.push(place(context, draft, Meaning::ListId(index)).error("S119", &wrong));
    }
    items.into_iter().map(|item| Value::Object(item.fields)).collect()
}

fn taken(draft: &mut Draft, target: Target) -> Option<Value> {
    draft.values.remove(&target).flatten().map(|(value, _)| value)
}

/// A required value that no row of the specimen gives; when the column itself is missing, that is said once for the sheet.
fn absent(context: &Context<'_>, draft: &Draft, target: Target, name: &str, notes: &mut Vec<Diagnostic>) {
    if draft.broken || context.column(Meaning::Value(target)).is_none() {
        return;
    }
    let id = &draft.id;
    let wrong =
        Wrong::new(format!("`{name}` of specimen `{id}` is missing"), format!("検体 `{id}` の `{name}` がありません"));
    notes.push(place(context, draft, Meaning::Value(target)).error("S105", &wrong));
}

/// The column of `meaning` in the specimen's first row.
fn place<'a>(context: &Context<'a>, draft: &Draft, meaning: Meaning) -> Place<'a> {
    let column: Option<&'a Column> = context.column(meaning);
    column.map_or(Place::row(context.file, draft.row), |column| context.place(draft.row, column))
}
