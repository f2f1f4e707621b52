//! Data entities: the payload's files, and by the digest of their content what was read or made and is not in the package.

use std::collections::BTreeMap;

use serde_json::Value;

use super::graph::{Entity, Graph};
use super::{ROOT, workflow};
use crate::audit::unhex;
use crate::handoff::base64::encode_for_address;
use crate::handoff::name::address;
use crate::provenance::{Artifact, Delivered, Description};

/// Ids of artifacts by SHA-256: the file in the package that is one, else its digest.
pub(super) struct Ids(BTreeMap<String, String>);

impl Ids {
    pub(super) fn of(description: &Description) -> Self {
        let elsewhere = description.artifacts.iter().map(|artifact| (artifact.sha256.clone(), digest_id(artifact)));
        let mut ids: BTreeMap<String, String> = elsewhere.collect();
        // In the order of their names backwards: of two files with one content the first gives its name.
        let mut files: Vec<&Delivered> = description.files.iter().filter(|file| is_itself(file)).collect();
        files.sort_by(|one, other| other.name.cmp(&one.name));
        ids.extend(files.into_iter().map(|file| (file.sha256.clone(), address(&file.name))));
        Self(ids)
    }

    /// Of an artifact that is described.
    pub(super) fn id(&self, sha256: &str) -> String {
        self.0.get(sha256).cloned().unwrap_or_default()
    }
}

/// It lies in the package as it was made.
fn is_itself(file: &Delivered) -> bool {
    file.artifact.as_ref() == Some(&file.sha256)
}

/// A name by digest (RFC 6920): it says what the file is, and that it is nowhere to be had by this name.
fn digest_id(artifact: &Artifact) -> String {
    let named = unhex::<32>(&artifact.sha256).map(|bytes| format!("ni:///sha-256;{}", encode_for_address(&bytes)));
    named.unwrap_or_else(|| format!("urn:sha256:{}", address(&artifact.sha256)))
}

pub(super) fn add(graph: &mut Graph, description: &Description, ids: &Ids) {
    for file in &description.files {
        let id = address(&file.name);
        let mut entity = Entity::new(&["File"])
            .text("name", &file.name)
            .text("description", &file.description)
            .text("encodingFormat", &file.format)
            .text("contentSize", &file.size_bytes.to_string())
            .text("sha256", &file.sha256);
        if let Some(artifact) = &file.artifact
            && ids.id(artifact) != id
        {
            entity = entity.link("isBasedOn", [ids.id(artifact)]);
        }
        if file.name != description.workflow.file {
            graph.put(&id, entity);
        }
        graph.link(ROOT, "hasPart", [id]);
    }
    for artifact in &description.artifacts {
        let id = ids.id(&artifact.sha256);
        if description.files.iter().any(|file| address(&file.name) == id) {
            continue;
        }
        let entity = Entity::new(&[if artifact.directory { "Dataset" } else { "File" }])
            .text("name", &artifact.name)
            .text("sha256", &artifact.sha256);
        let format = if artifact.format.is_empty() { "application/octet-stream" } else { &artifact.format };
        let file = |entity: Entity| {
            entity.text("contentSize", &artifact.size_bytes.to_string()).text("encodingFormat", format)
        };
        graph.put(&id, if artifact.directory { entity } else { file(entity) });
        graph.link(ROOT, "hasPart", [id]);
    }
    for param in &description.run.params {
        let entity = Entity::new(&["PropertyValue"]).text("name", &param.name);
        graph.put(&workflow::value_id(&param.name), entity.value("value", Value::from(param.value.as_str())));
    }
}
