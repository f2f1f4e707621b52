//! The two hashes of a run: what was meant, and what exactly ran.

use std::collections::BTreeMap;

use serde_json::json;
use sha2::{Digest, Sha256};

use crate::plan::Plan;
use crate::value::Value;

impl Plan {
    /// The same for every request that means the same work: one specimen, one workflow version, one round.
    ///
    /// A workflow without `version:` has no other name than its text, so there the text's digest stands in. Parameters do not
    /// count: the same order with other parameters is a new round, and forgetting that is what this key is there to catch.
    #[must_use]
    pub fn intent_key(&self, round: u32) -> String {
        let version = if self.version.is_empty() { &self.workflow_digest } else { &self.version };
        hash(&json!(["intent", self.specimen.id, self.workflow, version, round]))
    }

    /// The same only for runs of the same workflow text, images (reference → digest), inputs and parameters.
    ///
    /// Participant, barcode and priority do not change what runs and do not count.
    #[must_use]
    pub fn content_hash(&self, images: &BTreeMap<String, String>) -> String {
        hash(&json!(["content", self.workflow_digest, images, self.specimen.id, self.specimen.values, self.params]))
    }
}

/// Lowercase hex SHA-256 of the value's canonical text.
fn hash(value: &Value) -> String {
    let mut text = String::new();
    canonical(value, &mut text);
    Sha256::digest(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// JSON with sorted keys, whatever order the map type keeps: a hash must outlive a feature flag.
fn canonical(value: &Value, text: &mut String) {
    match value {
        Value::Array(items) => {
            text.push('[');
            items.iter().for_each(|item| {
                canonical(item, text);
                text.push(',');
            });
            text.push(']');
        }
        Value::Object(fields) => {
            let sorted: BTreeMap<&String, &Value> = fields.iter().collect();
            text.push('{');
            for (key, field) in sorted {
                canonical(&Value::String(key.clone()), text);
                text.push(':');
                canonical(field, text);
                text.push(',');
            }
            text.push('}');
        }
        plain => text.push_str(&plain.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::Specimen;

    fn plan() -> Plan {
        let specimen: Specimen =
            serde_json::from_value(json!({"id": "S1", "values": {"sex": "female"}})).expect("a specimen");
        let params = json!({"min_depth": 30}).as_object().cloned().expect("a map");
        let (workflow, version) = ("w".into(), "1".into());
        Plan { workflow, version, workflow_digest: "d1".into(), specimen, params, steps: Vec::new() }
    }

    #[test]
    fn the_intent_is_specimen_workflow_version_and_round() {
        let one = plan().intent_key(1);
        assert_eq!(one.len(), 64);
        let same = Plan { workflow_digest: "d2".into(), params: Default::default(), ..plan() };
        assert_eq!(one, same.intent_key(1));
        assert_ne!(one, plan().intent_key(2));
        assert_ne!(one, Plan { version: "2".into(), ..plan() }.intent_key(1));
    }

    #[test]
    fn an_unversioned_workflow_is_named_by_its_text() {
        let unversioned = |digest: &str| Plan { version: String::new(), workflow_digest: digest.into(), ..plan() };
        assert_ne!(unversioned("d1").intent_key(1), unversioned("d2").intent_key(1));
    }

    #[test]
    fn the_content_changes_with_all_that_ran_and_nothing_else() {
        let images = BTreeMap::from([("seqtools:1".to_owned(), "sha256:aa".to_owned())]);
        let one = plan().content_hash(&images);
        assert_ne!(one, plan().content_hash(&BTreeMap::new()));
        assert_ne!(one, Plan { params: Default::default(), ..plan() }.content_hash(&images));
        let mut named = plan();
        named.specimen.participant = Some("P-1".into());
        assert_eq!(one, named.content_hash(&images));
    }
}
