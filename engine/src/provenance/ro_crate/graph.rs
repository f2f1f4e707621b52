//! A flattened JSON-LD graph in the making: entities by id, links between them, one way to write it. It knows no vocabulary.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

/// One entity: texts and numbers by key, and links by key.
#[derive(Debug, Default)]
pub(super) struct Entity {
    types: Vec<String>,
    values: BTreeMap<String, Value>,
    links: BTreeMap<String, BTreeSet<String>>,
}

impl Entity {
    pub(super) fn new(types: &[&str]) -> Self {
        Self { types: types.iter().map(|kind| (*kind).to_owned()).collect(), ..Self::default() }
    }

    /// A text; none when it is empty.
    pub(super) fn text(self, key: &str, text: &str) -> Self {
        if text.is_empty() { self } else { self.value(key, Value::from(text)) }
    }

    pub(super) fn value(mut self, key: &str, value: Value) -> Self {
        self.values.insert(key.to_owned(), value);
        self
    }

    pub(super) fn link(mut self, key: &str, ids: impl IntoIterator<Item = String>) -> Self {
        self.links.entry(key.to_owned()).or_default().extend(ids);
        self
    }

    fn write(&self, id: &str) -> Value {
        let mut written = self.values.clone();
        written.insert("@id".into(), id.into());
        written.insert("@type".into(), one_or_all(self.types.iter().map(|kind| Value::from(kind.as_str())).collect()));
        for (key, ids) in self.links.iter().filter(|(_, ids)| !ids.is_empty()) {
            written.insert(key.clone(), one_or_all(ids.iter().map(|id| json!({ "@id": id })).collect()));
        }
        // Keys go in sorted, so that the bytes are the same whichever order serde_json's own maps keep.
        Value::Object(written.into_iter().collect())
    }
}

fn one_or_all(mut values: Vec<Value>) -> Value {
    if values.len() == 1 { values.remove(0) } else { Value::Array(values) }
}

/// Entities by id.
#[derive(Debug, Default)]
pub(super) struct Graph(BTreeMap<String, Entity>);

impl Graph {
    /// Adds an entity. What was linked from it before is kept.
    pub(super) fn put(&mut self, id: &str, entity: Entity) {
        let before = self.0.insert(id.to_owned(), entity);
        for (key, ids) in before.map(|before| before.links).into_iter().flatten() {
            self.link(id, &key, ids);
        }
    }

    /// Links from one entity to others; it may be put later.
    pub(super) fn link(&mut self, from: &str, key: &str, to: impl IntoIterator<Item = String>) {
        self.0.entry(from.to_owned()).or_default().links.entry(key.to_owned()).or_default().extend(to);
    }

    /// A link there and its inverse back.
    pub(super) fn both(&mut self, from: &str, key: &str, to: &str, inverse: &str) {
        self.link(from, key, [to.to_owned()]);
        self.link(to, inverse, [from.to_owned()]);
    }

    /// JSON-LD, the entities of `first` before the others.
    pub(super) fn write(&self, contexts: &[&str], first: &[&str]) -> String {
        let others = self.0.keys().map(String::as_str).filter(|id| !first.contains(id));
        let order = first.iter().copied().chain(others);
        let graph: Vec<Value> = order.filter_map(|id| self.0.get(id).map(|entity| entity.write(id))).collect();
        let text = serde_json::to_string_pretty(&json!({ "@context": contexts, "@graph": graph }));
        text.expect("texts, numbers and maps of texts are JSON") + "\n"
    }
}
