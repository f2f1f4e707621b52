//! The document's bytes, and that every relation is between things that are there. A reader that is not ours: tests/tests/package.rs.

use std::collections::BTreeSet;

use super::*;
use crate::provenance::example::description;

#[test]
fn the_bytes_are_these() {
    assert_eq!(write(&description()).expect("a document"), include_str!("tests/prov.json"));
}

#[test]
fn every_relation_is_between_things_that_are_there() {
    let document: Value = serde_json::from_str(&write(&description()).expect("a document")).expect("JSON");
    let kinds = document.as_object().expect("an object");
    let things: BTreeSet<&str> = ["entity", "activity", "agent"]
        .iter()
        .flat_map(|kind| kinds[*kind].as_object().expect("things by name").keys().map(String::as_str))
        .collect();
    let relations =
        kinds.values().flat_map(|kind| kind.as_object().expect("by name")).filter(|(id, _)| id.starts_with('_'));
    let mut count = 0;
    for (end, thing) in relations.flat_map(|(_, relation)| relation.as_object().expect("ends by name")) {
        count += 1;
        let thing = thing.as_str().expect("a name");
        assert!(end == "prov:role" || things.contains(thing), "{end} is {thing}");
    }
    assert!(count > 40, "only {count} ends");
}

#[test]
fn an_entity_is_generated_once() {
    let document: Value = serde_json::from_str(&write(&description()).expect("a document")).expect("JSON");
    let generated = document["wasGeneratedBy"].as_object().expect("relations");
    let entities: BTreeSet<&str> = generated.values().filter_map(|relation| relation["prov:entity"].as_str()).collect();
    assert_eq!(entities.len(), generated.len());
}
