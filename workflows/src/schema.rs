//! The grammar for others: a JSON Schema for editors, a table of keys for the manual.
//!
//! Both are read off the one table in `document::grammar`; nothing is written here twice.

use std::fmt::Write as _;

use serde_json::{Map, Value, json};

use crate::document::grammar::{KINDS, Key, Record, Shape, TOP};

const ID: &str = "^[a-z][a-z0-9_]*$";
const VARIABLE: &str = "^[A-Za-z_][A-Za-z0-9_]*$";
const DURATION: &str = "^([0-9]+(\\.[0-9]+)?(d|h|ms|m|s))+$";
const SIZE: &str = "^[0-9]+(\\.[0-9]+)? *(B|KiB|MiB|GiB|TiB)?$";
const FACTOR: &str = "^x[0-9]+(\\.[0-9]+)?$";

/// The language as JSON Schema 2020-12, with descriptions for editors.
#[must_use]
pub fn json_schema() -> Value {
    let mut definitions = Map::new();
    let top = record(&TOP, &mut definitions);
    let mut schema = top.as_object().cloned().unwrap_or_default();
    schema.insert("$schema".to_owned(), json!("https://json-schema.org/draft/2020-12/schema"));
    schema.insert("title".to_owned(), json!("kentai workflow, version 1"));
    schema.insert("$defs".to_owned(), Value::Object(definitions));
    Value::Object(schema)
}

fn record(record: &'static Record, definitions: &mut Map<String, Value>) -> Value {
    let mut properties = Map::new();
    for key in record.keys {
        let mut property = shape(&key.shape, definitions);
        if let Value::Object(property) = &mut property {
            property.insert("description".to_owned(), json!(format!("{} / {}", key.en, key.ja)));
        }
        properties.insert(key.name.to_owned(), property);
    }
    let required: Vec<&str> = record.keys.iter().filter(|key| key.required).map(|key| key.name).collect();
    let mut schema = json!({ "type": "object", "properties": properties, "additionalProperties": false });
    if !required.is_empty() {
        schema["required"] = json!(required);
    }
    if KINDS.iter().all(|kind| record.key(kind).is_some()) {
        let one: Vec<Value> = KINDS.iter().map(|kind| json!({ "required": [kind] })).collect();
        schema["oneOf"] = json!(one);
    }
    schema
}

/// A reference to the record's definition, which is made when it is first needed.
fn reference(of: &'static Record, definitions: &mut Map<String, Value>) -> Value {
    let name = of.name.replace(['[', ']', ' ', ','], "");
    if !definitions.contains_key(&name) {
        definitions.insert(name.clone(), Value::Null);
        let made = record(of, definitions);
        definitions.insert(name.clone(), made);
    }
    json!({ "$ref": format!("#/$defs/{name}") })
}

fn shape(shape_of: &Shape, definitions: &mut Map<String, Value>) -> Value {
    let scalar = json!(["string", "number", "boolean"]);
    match shape_of {
        Shape::Version => json!({ "const": 1 }),
        Shape::Text | Shape::Template | Shape::Expression => json!({ "type": scalar }),
        Shape::Script => json!({ "type": "string" }),
        Shape::Human => json!({ "oneOf": [
            { "type": scalar },
            { "type": "object", "properties": { "en": { "type": "string" }, "ja": { "type": "string" } }, "additionalProperties": false, "minProperties": 1 },
        ] }),
        Shape::Id => json!({ "type": "string", "pattern": ID }),
        Shape::Integer(least) => json!({ "type": "integer", "minimum": least }),
        Shape::Number => json!({ "type": "number" }),
        Shape::Boolean => json!({ "type": "boolean" }),
        Shape::Duration => json!({ "type": "string", "pattern": DURATION }),
        Shape::Size => json!({ "type": ["string", "integer"], "pattern": SIZE }),
        Shape::Factor => json!({ "type": "string", "pattern": FACTOR }),
        Shape::Choice(words) => json!({ "enum": words }),
        Shape::List(item) => json!({ "type": "array", "items": shape(item, definitions) }),
        Shape::Names(value) => names(ID, value, definitions),
        Shape::Variables(value) => names(VARIABLE, value, definitions),
        Shape::Record(of) => reference(of, definitions),
        Shape::Either(shapes) => {
            let either: Vec<Value> = shapes.iter().map(|one| shape(one, definitions)).collect();
            json!({ "anyOf": either })
        }
    }
}

fn names(pattern: &str, value: &Shape, definitions: &mut Map<String, Value>) -> Value {
    json!({ "type": "object", "propertyNames": { "pattern": pattern }, "additionalProperties": shape(value, definitions) })
}

/// The table of keys as Markdown, one table per record, with English and Japanese.
#[must_use]
pub fn keys_markdown() -> String {
    let mut seen = Vec::new();
    collect(&TOP, &mut seen);
    let mut text = String::new();
    for record in seen {
        let _ = writeln!(text, "## `{}`\n\n| key | takes | meaning | 意味 |\n| --- | --- | --- | --- |", record.name);
        for key in record.keys {
            let _ = writeln!(text, "{}", row(key));
        }
        text.push('\n');
    }
    text
}

fn row(key: &Key) -> String {
    let required = if key.required { " (required)" } else { "" };
    let takes = words(&key.shape).replace('|', "\\|");
    format!("| `{}`{required} | {takes} | {} | {} |", key.name, key.en, key.ja)
}

/// Records are named, not written out: they have tables of their own.
fn words(shape: &Shape) -> String {
    match shape {
        Shape::Record(record) => format!("see `{}`", record.name),
        Shape::List(item) => format!("a list of: {}", words(item)),
        Shape::Names(value) => format!("names → {}", words(value)),
        Shape::Variables(value) => format!("variables → {}", words(value)),
        Shape::Either(shapes) => shapes.iter().map(words).collect::<Vec<_>>().join(", or "),
        other => other.words().0,
    }
}

fn collect(record: &'static Record, seen: &mut Vec<&'static Record>) {
    if seen.iter().any(|known| known.name == record.name) {
        return;
    }
    seen.push(record);
    for key in record.keys {
        inside(&key.shape, seen);
    }
}

fn inside(shape: &Shape, seen: &mut Vec<&'static Record>) {
    match shape {
        Shape::Record(record) => collect(record, seen),
        Shape::List(inner) | Shape::Names(inner) | Shape::Variables(inner) => inside(inner, seen),
        Shape::Either(shapes) => shapes.iter().for_each(|shape| inside(shape, seen)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn references(value: &Value, found: &mut Vec<String>) {
        match value {
            Value::Object(map) => {
                found.extend(map.get("$ref").and_then(Value::as_str).map(str::to_owned));
                map.values().for_each(|value| references(value, found));
            }
            Value::Array(items) => items.iter().for_each(|value| references(value, found)),
            _ => {}
        }
    }

    #[test]
    fn every_reference_of_the_schema_leads_somewhere() {
        let schema = json_schema();
        let mut found = Vec::new();
        references(&schema, &mut found);
        assert!(found.len() > 10);
        for reference in found {
            let pointer = reference.trim_start_matches('#');
            assert!(schema.pointer(pointer).is_some_and(Value::is_object), "{reference}");
        }
        assert_eq!(schema["properties"]["kentai"]["const"], 1);
    }

    #[test]
    fn the_table_of_keys_names_every_key_once() {
        let table = keys_markdown();
        for name in ["`kentai`", "`for_each`", "`files_if_made`", "`if_missed`", "`escalate`"] {
            assert!(table.contains(name), "{name}");
        }
        assert_eq!(table.matches("## `retry`\n").count(), 1);
    }
}
