//! `ro-crate-metadata.json`: a description as a Provenance Run Crate 0.5 (<https://w3id.org/ro/wfrun/provenance/0.5>) on RO-Crate 1.1.
//!
//! The same description gives the same bytes: entities in the order of their ids, keys in the order of their letters. Version 1.1 and
//! not a later one, because profile 0.5 is written for it and its validators refuse another.

mod actions;
mod data;
mod graph;
pub mod read;
mod workflow;

use self::graph::{Entity, Graph};
use super::{Description, Error, check};
use crate::clock::Micros;

/// Its name within `data/`.
pub const NAME: &str = "ro-crate-metadata.json";

const CONTEXTS: [&str; 2] = ["https://w3id.org/ro/crate/1.1/context", "https://w3id.org/ro/terms/workflow-run/context"];
const RO_CRATE: &str = "https://w3id.org/ro/crate/1.1";
const WORKFLOW_RO_CRATE: &str = "https://w3id.org/workflowhub/workflow-ro-crate/1.0";
/// Profiles that the root dataset conforms to; each is built on those before it.
const PROFILES: [(&str, &str, &str); 4] = [
    (WORKFLOW_RO_CRATE, "Workflow RO-Crate", "1.0"),
    ("https://w3id.org/ro/wfrun/process/0.5", "Process Run Crate", "0.5"),
    ("https://w3id.org/ro/wfrun/workflow/0.5", "Workflow Run Crate", "0.5"),
    ("https://w3id.org/ro/wfrun/provenance/0.5", "Provenance Run Crate", "0.5"),
];
const ROOT: &str = "./";
const CENTER: &str = "#center";

/// The crate's metadata; its root is `data/`.
///
/// # Errors
/// When the description speaks of what it does not describe, or of no attempt.
pub fn write(description: &Description) -> Result<String, Error> {
    check(description)?;
    let mut graph = Graph::default();
    root(&mut graph, description);
    let ids = data::Ids::of(description);
    data::add(&mut graph, description, &ids);
    workflow::add(&mut graph, description);
    actions::add(&mut graph, description, &ids);
    Ok(graph.write(&CONTEXTS, &[NAME, ROOT]))
}

fn root(graph: &mut Graph, description: &Description) {
    let descriptor = Entity::new(&["CreativeWork"]).link("about", [ROOT.into()]);
    graph.put(NAME, descriptor.link("conformsTo", [RO_CRATE.into(), WORKFLOW_RO_CRATE.into()]));
    let mut root = Entity::new(&["Dataset"])
        .text("name", &description.title)
        .text("description", &description.description)
        .text("datePublished", &time(description.at_us))
        .text("identifier", &description.delivery)
        .link("conformsTo", PROFILES.map(|(id, ..)| id.into()))
        .link("mainEntity", [workflow::id(description)])
        .link("author", [CENTER.into()])
        .link("publisher", [CENTER.into()]);
    if description.license.starts_with("https://") || description.license.starts_with("http://") {
        root = root.link("license", [description.license.clone()]);
        let terms = Entity::new(&["CreativeWork"]).text("name", &description.license);
        graph.put(&description.license, terms.text("description", "Terms under which the receiver has this delivery."));
    } else {
        root = root.text("license", &description.license);
    }
    graph.put(ROOT, root);
    for (id, name, version) in PROFILES {
        graph.put(id, Entity::new(&["CreativeWork"]).text("name", name).text("version", version));
    }
    let center = Entity::new(&["Organization"]).text("name", &description.center.name);
    graph.put(CENTER, center.text("url", description.center.url.as_deref().unwrap_or_default()));
    for person in &description.people {
        let entity = Entity::new(&["Person"]).text("name", &person.name).link("affiliation", [CENTER.into()]);
        graph.put(&person_id(&person.id), entity);
    }
}

fn person_id(person: &str) -> String {
    id("person", person)
}

/// The person, or the center where a rule of its own did it.
fn agent(person: Option<&str>) -> String {
    person.map_or_else(|| CENTER.to_owned(), person_id)
}

/// `#kind/name`: an entity that has no address.
fn id(kind: &str, name: &str) -> String {
    format!("#{kind}/{}", crate::handoff::name::address(name))
}

/// To the millisecond and with an offset, as the Process Run profile wants it.
fn time(at: Micros) -> String {
    let spelled = |at: jiff::Timestamp| at.strftime("%Y-%m-%dT%H:%M:%S.%3f+00:00").to_string();
    jiff::Timestamp::from_microsecond(at).map_or_else(|_| at.to_string(), spelled)
}

#[cfg(test)]
mod tests;
