//! What a crate's metadata says of the package that it lies in: its files by checksum and size. It reads no other word of it.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::{NAME, ROOT};
use crate::handoff::File;
use crate::handoff::name::address;

/// What a crate says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Crate {
    /// The root's identifier: the delivery.
    pub delivery: String,
    /// Files by id, with digest and size as they are written.
    files: BTreeMap<String, (String, String)>,
    /// Ids of the root's parts.
    parts: BTreeSet<String>,
}

/// Why a crate's metadata cannot be read.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "each variant's message says it")]
pub enum Unreadable {
    #[error("it is no JSON: {0}")]
    Json(#[from] serde_json::Error),
    #[error("it holds no graph of entities with ids, each once")]
    Graph,
    #[error("it describes no dataset `./`")]
    Root,
}

/// Reads the metadata.
///
/// # Errors
/// When it is no flattened JSON-LD with a root dataset.
pub fn read(text: &str) -> Result<Crate, Unreadable> {
    let document: Value = serde_json::from_str(text)?;
    let graph = document.get("@graph").and_then(Value::as_array).ok_or(Unreadable::Graph)?;
    let mut entities = BTreeMap::new();
    for entity in graph {
        let id = entity.get("@id").and_then(Value::as_str).ok_or(Unreadable::Graph)?;
        if entities.insert(id, entity).is_some() {
            return Err(Unreadable::Graph);
        }
    }
    let root = entities.get(ROOT).ok_or(Unreadable::Root)?;
    let word = |entity: &Value, key: &str| entity.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    let files = entities.iter().filter(|(_, entity)| all(entity.get("@type")).any(|kind| kind == "File"));
    Ok(Crate {
        delivery: word(root, "identifier"),
        files: files.map(|(id, file)| ((*id).to_owned(), (word(file, "sha256"), word(file, "contentSize")))).collect(),
        parts: all(root.get("hasPart")).filter_map(|part| part.get("@id")?.as_str()).map(str::to_owned).collect(),
    })
}

/// One value or a list of them.
fn all(value: Option<&Value>) -> impl Iterator<Item = &Value> {
    let list =
        value.and_then(Value::as_array).map_or_else(|| value.into_iter().collect(), |list| list.iter().collect());
    let list: Vec<&Value> = list;
    list.into_iter()
}

impl Crate {
    /// Where the crate and the payload differ: the file beneath `data/`, and how.
    #[must_use]
    pub fn differences(&self, payload: &[File]) -> Vec<(String, &'static str)> {
        let mut found = Vec::new();
        let mut ids = BTreeSet::from([NAME.to_owned()]);
        for file in payload.iter().filter(|file| file.name != NAME) {
            let id = address(&file.name);
            let how = match self.files.get(&id) {
                None => Some("the crate does not describe it"),
                Some(_) if !self.parts.contains(&id) => Some("the crate does not count it among its parts"),
                Some((sha256, _)) if *sha256 != file.sha256 => Some("the crate gives another checksum"),
                Some((_, size)) if *size != file.size_bytes.to_string() => Some("the crate gives another size"),
                Some(_) => None,
            };
            found.extend(how.map(|how| (file.name.clone(), how)));
            ids.insert(id);
        }
        // What is not in the package has a digest for a name, and a scheme before it.
        let here = |id: &&String| !id.split('/').next().unwrap_or_default().contains(':') && !id.starts_with('#');
        let lost = self.files.keys().chain(&self.parts).filter(here).filter(|id| !ids.contains(*id));
        let lost: BTreeSet<&String> = lost.collect();
        found.extend(lost.into_iter().map(|id| (id.clone(), "the crate describes it, and it is not there")));
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provenance::example;

    fn payload() -> Vec<File> {
        let file = |file: crate::provenance::Delivered| File {
            name: file.name,
            size_bytes: file.size_bytes,
            sha256: file.sha256,
            md5: String::new(),
        };
        example::description().files.into_iter().map(file).collect()
    }

    fn written() -> String {
        super::super::write(&example::description()).expect("a description that holds together")
    }

    #[test]
    fn a_crate_describes_the_package_that_it_was_written_for() {
        let read = read(&written()).expect("a crate");
        assert_eq!(read.delivery, "d1");
        assert_eq!(read.differences(&payload()), []);
    }

    #[test]
    fn every_difference_has_a_name() {
        let read = read(&written()).expect("a crate");
        let changed = |change: &dyn Fn(&mut Vec<File>)| {
            let mut files = payload();
            change(&mut files);
            read.differences(&files)
        };
        assert_eq!(changed(&|files| files[0].sha256 = "0".repeat(64))[0].1, "the crate gives another checksum");
        assert_eq!(changed(&|files| files[0].size_bytes += 1)[0].1, "the crate gives another size");
        let lost = ("S1.cram".to_owned(), "the crate describes it, and it is not there");
        assert_eq!(changed(&|files| _ = files.remove(0)), [lost]);
        let more = File { name: "more".into(), ..payload()[0].clone() };
        assert_eq!(changed(&|files| files.push(more.clone())), [("more".to_owned(), "the crate does not describe it")]);
        let apart = written().replacen("{\n          \"@id\": \"S1.cram\"\n        },\n", "", 1);
        let apart = super::read(&apart).expect("a crate").differences(&payload());
        assert_eq!(apart, [("S1.cram".to_owned(), "the crate does not count it among its parts")]);
    }

    #[test]
    fn what_is_no_crate_is_refused() {
        assert!(matches!(read("{"), Err(Unreadable::Json(_))));
        assert!(matches!(read("{}"), Err(Unreadable::Graph)));
        assert!(matches!(read(r#"{"@graph":[{"@id":"a"}]}"#), Err(Unreadable::Root)));
        assert!(matches!(read(r#"{"@graph":[{"@id":"./"},{"@id":"./"}]}"#), Err(Unreadable::Graph)));
    }
}
