//! What the API is like, for programs: OpenAPI 3.1 documents. Nobody's secret.
//!
//! `/api/openapi.json` is all of `/api/v1`: its schemas come from the types that are sent, its operations from beside their handlers
//! (decision 0021). `/api/v1/openapi.json` is what receivers use, written by hand. Tests hold both against the routes and the answers.
//! DRS and WES are described by GA4GH.

mod bounds;
mod description;
mod merge;

use std::sync::LazyLock;

use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};

pub(crate) use description::{Description, Operation};

use crate::api::v1;

/// The document for receivers.
const RECEIVERS: &str = include_str!("openapi/receivers.json");

/// The document of all of `/api/v1`.
pub(crate) static WHOLE: LazyLock<Value> = LazyLock::new(whole);
static WHOLE_TEXT: LazyLock<String> = LazyLock::new(|| WHOLE.to_string());

/// `GET /api/v1/openapi.json`
pub(crate) async fn receivers() -> Response {
    as_json(RECEIVERS)
}

/// `GET /api/openapi.json`
pub(crate) async fn all() -> Response {
    as_json(WHOLE_TEXT.as_str())
}

fn as_json(text: &'static str) -> Response {
    ([(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))], text).into_response()
}

fn whole() -> Value {
    // Compiled in, and looked at by a test.
    let receivers: Value = serde_json::from_str(RECEIVERS).unwrap_or_default();
    let mut description = Description::new("/api/v1");
    v1::describe(&mut description);
    let about = json!({
        "openapi": "3.1.0",
        "info": {
            "title": "kentai",
            "version": "1.0.0",
            "summary": "The production line of a genome sequencing center: what its verbs and its page do, for programs.",
            "description": "Every verb's `--json` prints the same objects. What is somebody else's is not there, word for word.\n\n\
                Errors are problem documents (RFC 9457). A reader passes over members that it does not know: more may come.",
            "license": receivers["info"]["license"],
        },
        "servers": [{ "url": "/", "description": "The site that serves this document." }],
        "security": [{ "BearerAuth": [] }, { "MutualTLS": [] }],
        "components": { "securitySchemes": receivers["components"]["securitySchemes"] },
    });
    with_receivers(description.finish(&about), receivers)
}

/// What receivers use of `/api/v1` stands in their own document already, and is the same here; its schemas are called `Receiver…`.
fn with_receivers(mut whole: Value, mut receivers: Value) -> Value {
    let theirs = |name: &str| (name != "Problem").then(|| format!("Receiver{name}"));
    let schemas = receivers["components"]["schemas"].take();
    for (name, mut schema) in members(schemas) {
        if let Some(name) = theirs(&name) {
            merge::rename(&mut schema, &theirs);
            whole["components"]["schemas"][name] = schema;
        }
    }
    let parameters = receivers["components"]["parameters"].take();
    whole["components"]["parameters"] = json!({ "Id": parameters["Id"] });
    for (path, mut item) in members(receivers["paths"].take()) {
        if path.starts_with("/api/v1/") {
            merge::rename(&mut item, &theirs);
            whole["paths"][path] = item;
        }
    }
    let of_theirs = members(receivers).remove("tags").unwrap_or_default();
    let used = ["offers", "about"];
    let of_theirs = of_theirs.as_array().cloned().unwrap_or_default();
    if let Some(tags) = whole["tags"].as_array_mut() {
        tags.extend(of_theirs.into_iter().filter(|tag| used.iter().any(|used| tag["name"] == *used)));
    }
    whole
}

fn members(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(members) => members,
        _ => Map::new(),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// Every name that something refers to.
    fn references(value: &Value, found: &mut BTreeSet<String>) {
        match value {
            Value::Object(members) => {
                for (key, value) in members {
                    match value {
                        Value::String(to) if key == "$ref" => drop(found.insert(to.clone())),
                        within => references(within, found),
                    }
                }
            }
            Value::Array(items) => items.iter().for_each(|item| references(item, found)),
            _ => {}
        }
    }

    #[test]
    fn whatever_is_referred_to_is_there() {
        let mut found = BTreeSet::new();
        references(&WHOLE, &mut found);
        assert!(found.len() > 60, "only {} references", found.len());
        for reference in found {
            let pointer = reference.trim_start_matches('#');
            assert!(WHOLE.pointer(pointer).is_some(), "there is no {reference}");
        }
    }

    #[test]
    fn every_operation_has_a_name_of_its_own_a_noun_and_an_answer() {
        let nouns: BTreeSet<&str> =
            WHOLE["tags"].as_array().into_iter().flatten().filter_map(|tag| tag["name"].as_str()).collect();
        let mut ids = BTreeSet::new();
        for (path, item) in WHOLE["paths"].as_object().into_iter().flatten() {
            for (method, operation) in item.as_object().into_iter().flatten() {
                let id = operation["operationId"].as_str().unwrap_or_default();
                assert!(!id.is_empty() && ids.insert(id), "{method} {path}: `{id}`");
                assert!(operation["summary"].as_str().is_some_and(|summary| !summary.is_empty()), "{id}");
                assert!(operation["tags"][0].as_str().is_some_and(|noun| nouns.contains(noun)), "{id}");
                let answers = operation["responses"]
                    .as_object()
                    .map(|answers| answers.keys().any(|status| status.starts_with('2')));
                assert_eq!(answers, Some(true), "{id} gives nothing");
                for part in path.split('{').skip(1).filter_map(|part| part.split('}').next()) {
                    let parameters = operation["parameters"].as_array().into_iter().flatten();
                    let resolved = parameters.filter_map(|one| match one["$ref"].as_str() {
                        Some(to) => WHOLE.pointer(to.trim_start_matches('#')),
                        None => Some(one),
                    });
                    assert!(resolved.clone().any(|one| one["name"] == part && one["in"] == "path"), "{id}: {part}");
                }
            }
        }
    }
}
