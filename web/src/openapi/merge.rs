//! Schemas of what is taken beside schemas of what is given: one type may be both, and look different.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

const BEFORE: &str = "#/components/schemas/";

/// Puts `taken` among `schemas`. One that has another's name and is not the same is called `…Sent`, and so is one that refers to such a
/// one; bodies of `paths` refer to it then.
pub(super) fn taken(schemas: &mut Map<String, Value>, mut taken: Map<String, Value>, paths: &mut Value) {
    let mut renamed: BTreeSet<String> = taken
        .iter()
        .filter(|(name, schema)| schemas.get(*name).is_some_and(|other| other != *schema))
        .map(named)
        .collect();
    loop {
        let before = renamed.len();
        for (name, schema) in &taken {
            // What nobody gives has its name for itself.
            if schemas.contains_key(name) && refers(schema, &renamed) {
                renamed.insert(name.clone());
            }
        }
        if renamed.len() == before {
            break;
        }
    }
    for schema in taken.values_mut() {
        rename(schema, &|name| renamed.contains(name).then(|| format!("{name}Sent")));
    }
    for (name, schema) in taken {
        let name = if renamed.contains(&name) { format!("{name}Sent") } else { name };
        schemas.insert(name, schema);
    }
    for operation in paths.as_object_mut().into_iter().flat_map(Map::values_mut) {
        for operation in operation.as_object_mut().into_iter().flat_map(Map::values_mut) {
            for part in ["requestBody", "parameters"] {
                if let Some(part) = operation.get_mut(part) {
                    rename(part, &|name| renamed.contains(name).then(|| format!("{name}Sent")));
                }
            }
        }
    }
}

fn named((name, _): (&String, &Value)) -> String {
    name.clone()
}

fn refers(schema: &Value, names: &BTreeSet<String>) -> bool {
    match schema {
        Value::Object(members) => members.iter().any(|(key, value)| match value {
            Value::String(to) if key == "$ref" => to.strip_prefix(BEFORE).is_some_and(|name| names.contains(name)),
            other => refers(other, names),
        }),
        Value::Array(items) => items.iter().any(|item| refers(item, names)),
        _ => false,
    }
}

/// Other names for schemas that something refers to; none: as it is.
pub(super) fn rename(schema: &mut Value, other: &dyn Fn(&str) -> Option<String>) {
    match schema {
        Value::Object(members) => {
            for (key, value) in members {
                match value {
                    Value::String(to) if key == "$ref" => {
                        if let Some(name) = to.strip_prefix(BEFORE).and_then(other) {
                            *to = format!("{BEFORE}{name}");
                        }
                    }
                    within => rename(within, other),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| rename(item, other)),
        _ => {}
    }
}

/// An address has no word for null: what may be absent is absent.
pub(super) fn without_null(schema: &mut Value) {
    let Some(members) = schema.as_object_mut() else { return };
    if let Some(Value::Array(kinds)) = members.get_mut("type") {
        kinds.retain(|kind| kind != "null");
        if let [kind] = kinds.as_slice() {
            let kind = kind.clone();
            members.insert("type".into(), kind);
        }
    }
    if let Some(Value::Array(ways)) = members.get_mut("anyOf") {
        ways.retain(|way| way["type"] != "null");
        if let [way] = ways.as_slice() {
            *schema = way.clone();
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn map(value: Value) -> Map<String, Value> {
        value.as_object().cloned().unwrap_or_default()
    }

    #[test]
    fn one_type_that_is_taken_otherwise_than_given_has_two_names_and_so_has_what_holds_it() {
        let reference = |name: &str| json!({ "$ref": format!("{BEFORE}{name}") });
        let mut schemas = map(json!({ "A": { "required": ["x"] }, "B": reference("A"), "C": {} }));
        let sent = map(json!({ "A": {}, "B": reference("A"), "C": {}, "D": reference("B") }));
        let mut paths = json!({ "/x": { "post": { "requestBody": reference("B"), "responses": reference("B") } } });
        taken(&mut schemas, sent, &mut paths);
        let names: Vec<&str> = schemas.keys().map(String::as_str).collect();
        assert_eq!(names, ["A", "ASent", "B", "BSent", "C", "D"]);
        assert_eq!(schemas["B"], reference("A"));
        assert_eq!(schemas["D"], reference("BSent"));
        assert_eq!(paths["/x"]["post"], json!({ "requestBody": reference("BSent"), "responses": reference("B") }));
    }

    #[test]
    fn what_may_be_absent_in_an_address_is_never_null() {
        let mut plain = json!({ "type": ["string", "null"] });
        without_null(&mut plain);
        assert_eq!(plain, json!({ "type": "string" }));
        let mut one_of = json!({ "anyOf": [{ "enum": ["a"] }, { "type": "null" }] });
        without_null(&mut one_of);
        assert_eq!(one_of, json!({ "enum": ["a"] }));
    }
}
