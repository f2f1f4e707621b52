//! The crate's bytes, and that every link in it leads somewhere. What the profiles think of it others say: tests/tests/package.rs.

use std::collections::BTreeSet;

use serde_json::Value;

use super::*;
use crate::provenance::example::description;
use crate::provenance::{Bound, Person};

fn crate_of(description: &Description) -> Value {
    serde_json::from_str(&write(description).expect("a crate")).expect("JSON")
}

fn entity<'a>(graph: &'a Value, id: &str) -> &'a Value {
    let entities = graph["@graph"].as_array().expect("a graph");
    entities.iter().find(|entity| entity["@id"] == id).unwrap_or_else(|| panic!("{id} is not there"))
}

#[test]
fn the_bytes_are_these() {
    assert_eq!(write(&description()).expect("a crate"), include_str!("tests/ro-crate-metadata.json"));
}

#[test]
fn the_order_in_which_things_are_described_does_not_matter_but_for_steps_and_decisions() {
    let mut other = description();
    other.people.reverse();
    other.artifacts.reverse();
    other.attempts.reverse();
    other.files.reverse();
    other.run.params.reverse();
    assert_eq!(write(&other), write(&description()));
}

#[test]
fn every_link_leads_to_an_entity_or_to_a_vocabulary() {
    fn links<'a>(value: &'a Value, found: &mut BTreeSet<&'a str>) {
        match value {
            Value::Array(values) => values.iter().for_each(|value| links(value, found)),
            Value::Object(fields) if fields.len() == 1 => found.extend(fields.get("@id").and_then(Value::as_str)),
            _ => {}
        }
    }
    let graph = crate_of(&description());
    let entities = graph["@graph"].as_array().expect("a graph");
    let known: BTreeSet<&str> = entities.iter().filter_map(|entity| entity["@id"].as_str()).collect();
    assert_eq!(known.len(), entities.len());
    let mut found = BTreeSet::new();
    for fields in entities.iter().filter_map(Value::as_object) {
        fields.iter().filter(|(key, _)| *key != "@id").for_each(|(_, value)| links(value, &mut found));
    }
    let lost: Vec<&str> = found.difference(&known).copied().collect();
    assert_eq!(lost, ["https://w3id.org/ro/crate/1.1", "https://w3id.org/ro/terms/workflow-run#DockerImage",]);
}

#[test]
fn a_failed_attempt_and_its_good_one_stand_side_by_side() {
    let graph = crate_of(&description());
    assert_eq!(entity(&graph, "#attempt/r1-1")["error"], "out_of_memory: the tool was killed at 64 MiB");
    assert_eq!(entity(&graph, "#attempt/r1-1")["result"], Value::Null);
    let objects = entity(&graph, "#control/trim/L001")["object"].as_array().map(Vec::len);
    assert_eq!(objects, Some(2));
    assert_eq!(entity(&graph, "#decision/depth/2")["agent"]["@id"], "#person/tanaka");
    assert_eq!(entity(&graph, "#decision/depth/1")["agent"]["@id"], "#engine");
}

#[test]
fn an_encrypted_file_is_based_on_what_it_holds() {
    let graph = crate_of(&description());
    let based = entity(&graph, "S1.report.txt.c4gh")["isBasedOn"]["@id"].as_str().expect("a link").to_owned();
    assert!(based.starts_with("ni:///sha-256;"), "{based}");
    assert_eq!(entity(&graph, &based)["name"], "report.txt");
    assert_eq!(entity(&graph, "S1.cram")["isBasedOn"], Value::Null);
}

#[test]
fn a_link_to_nothing_is_refused() {
    let refused = |change: &dyn Fn(&mut Description)| {
        let mut description = description();
        change(&mut description);
        write(&description).expect_err("it speaks of nothing").to_string()
    };
    let nothing = || Bound { name: "x".into(), artifact: "00".into() };
    assert_eq!(refused(&|all| all.attempts.clear()), "no tool was run, so there is no provenance run to describe");
    let said = refused(&|all| all.attempts[1].used.push(nothing()));
    assert_eq!(said, "attempt r1-2 speaks of artifact `00`, which is not described");
    assert!(refused(&|all| all.run.outputs.push(nothing())).starts_with("run r1 speaks of"));
    assert!(refused(&|all| all.people.clear()).starts_with("run r1 speaks of person"));
    assert!(refused(&|all| all.workflow.file = "x".into()).starts_with("the workflow speaks of file"));
    assert!(refused(&|all| all.decisions[0].step = "x".into()).starts_with("the decision about depth"));
    assert!(refused(&|all| all.files[0].artifact = Some("x".into())).starts_with("file S1.cram"));
    let twice = Person { id: "tanaka".into(), name: String::new() };
    assert_eq!(refused(&|all| all.people.push(twice.clone())), "person `tanaka` is described twice");
    assert_eq!(
        refused(&|all| all.files[0].name = NAME.into()),
        "the crate's own metadata is described as a file of it"
    );
    assert!(refused(&|all| all.files[0].name = "../x".into()).contains("lead out of"));
}

#[test]
fn an_image_has_registry_name_and_tag() {
    let parts = |name: &str| {
        let image = crate::provenance::Image { name: name.into(), sha256: String::new() };
        let (registry, name, tag) = image.parts();
        (registry.map(str::to_owned), name.to_owned(), tag.map(str::to_owned))
    };
    let some = |text: &str| Some(text.to_owned());
    assert_eq!(parts("r.example:5000/k/s:1@sha256:ab"), (some("r.example:5000"), "k/s".into(), some("1")));
    assert_eq!(parts("localhost/s"), (some("localhost"), "s".into(), None));
    assert_eq!(parts("kentai/seqtools:1"), (None, "kentai/seqtools".into(), some("1")));
    assert_eq!(parts("seqtools:1"), (None, "seqtools".into(), some("1")));
}
