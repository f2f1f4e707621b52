//! A description as PROV-JSON (W3C Member Submission, 24 April 2013), for whoever reads PROV and no RO-Crate.
//!
//! It says the same as the crate, in PROV's own words: entities, activities, agents, and what holds between them.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{Bound, Description, Error, Outcome, check};
use crate::clock::Micros;
use crate::handoff::name::address;

/// Everything of one kind, by name.
type Kind = BTreeMap<String, Value>;

/// The document; the same description gives the same bytes.
///
/// # Errors
/// When the description speaks of what it does not describe, or of no attempt.
pub fn write(description: &Description) -> Result<String, Error> {
    check(description)?;
    let mut document = Document::default();
    document.things(description);
    document.run(description);
    for attempt in &description.attempts {
        let activity = name("attempt", &attempt.id);
        let outcome = match &attempt.outcome {
            Outcome::Completed => "completed",
            Outcome::Failed(why) => why,
        };
        let image = attempt.image.as_ref().map_or("", |image| image.sha256.as_str());
        let more = [("kentai:step", attempt.key.as_str()), ("kentai:outcome", outcome), ("kentai:imageSha256", image)];
        document.activity(&activity, attempt.started_us, attempt.ended_us, &more);
        document.files(&activity, &attempt.used, &attempt.generated);
        document.relation("wasAssociatedWith", &[("activity", &activity), ("agent", ENGINE), ("plan", PLAN)]);
        let run = name("run", &description.run.id);
        document.relation("wasInformedBy", &[("informed", &activity), ("informant", &run)]);
    }
    for (decision, number) in description.decisions.iter().zip(1..) {
        let activity = name("decision", &number.to_string());
        let more = [
            ("kentai:step", decision.key.as_str()),
            ("kentai:verdict", &decision.verdict),
            ("kentai:reason", &decision.reason),
        ];
        document.activity(&activity, decision.at_us, decision.at_us, &more);
        let agent = decision.by.as_deref().map_or_else(|| ENGINE.to_owned(), |person| name("person", person));
        document.relation("wasAssociatedWith", &[("activity", &activity), ("agent", &agent)]);
    }
    Ok(document.write())
}

const ENGINE: &str = "kentai:engine";
const CENTER: &str = "kentai:center";
const PLAN: &str = "kentai:workflow";

#[derive(Default)]
struct Document {
    kinds: BTreeMap<&'static str, Kind>,
    relations: usize,
}

impl Document {
    fn things(&mut self, description: &Description) {
        let workflow = &description.workflow;
        let plan = json!({ "prov:type": qualified("prov:Plan"), "prov:label": workflow.id, "kentai:version": workflow.version });
        self.put("entity", PLAN, plan);
        for artifact in &description.artifacts {
            let value = json!({ "prov:label": artifact.name, "kentai:sha256": artifact.sha256, "kentai:bytes": artifact.size_bytes });
            self.put("entity", &name("artifact", &artifact.sha256), value);
        }
        for file in &description.files {
            let entity = name("file", &file.name);
            let value =
                json!({ "prov:label": file.name, "kentai:sha256": file.sha256, "kentai:bytes": file.size_bytes });
            self.put("entity", &entity, value);
            if let Some(artifact) = &file.artifact {
                let used = name("artifact", artifact);
                self.relation("wasDerivedFrom", &[("generatedEntity", &entity), ("usedEntity", &used)]);
            }
        }
        let engine = json!({ "prov:type": qualified("prov:SoftwareAgent"), "prov:label": format!("kentai {}", description.engine.version) });
        self.put("agent", ENGINE, engine);
        let center = json!({ "prov:type": qualified("prov:Organization"), "prov:label": description.center.name });
        self.put("agent", CENTER, center);
        self.relation("actedOnBehalfOf", &[("delegate", ENGINE), ("responsible", CENTER)]);
        for person in &description.people {
            let agent = name("person", &person.id);
            let value = json!({ "prov:type": qualified("prov:Person"), "prov:label": person.name });
            self.put("agent", &agent, value);
            self.relation("actedOnBehalfOf", &[("delegate", &agent), ("responsible", CENTER)]);
        }
    }

    fn run(&mut self, description: &Description) {
        let run = &description.run;
        let activity = name("run", &run.id);
        self.activity(&activity, run.started_us, run.ended_us, &[]);
        // What a run gives its attempts gave: an entity has one generation.
        self.files(&activity, &run.inputs, &[]);
        let agent = run.by.as_deref().map_or_else(|| CENTER.to_owned(), |person| name("person", person));
        self.relation("wasAssociatedWith", &[("activity", &activity), ("agent", &agent), ("plan", PLAN)]);
        for param in &run.params {
            let entity = name("param", &param.name);
            self.put("entity", &entity, json!({ "prov:label": param.name, "prov:value": param.value }));
            self.relation("used", &[("activity", &activity), ("entity", &entity)]);
        }
    }

    fn activity(&mut self, id: &str, started: Micros, ended: Micros, more: &[(&str, &str)]) {
        let times = [("prov:startTime", time(started)), ("prov:endTime", time(ended))];
        let more = more.iter().filter(|(_, text)| !text.is_empty()).map(|(key, text)| (*key, (*text).to_owned()));
        let fields = times.into_iter().chain(more).map(|(key, text)| (key.to_owned(), Value::from(text)));
        self.put("activity", id, Value::Object(fields.collect()));
    }

    fn files(&mut self, activity: &str, used: &[Bound], generated: &[Bound]) {
        for (kind, files) in [("used", used), ("wasGeneratedBy", generated)] {
            for file in files {
                let entity = name("artifact", &file.artifact);
                let relation = self.relation(kind, &[("activity", activity), ("entity", &entity)]);
                relation.insert("prov:role".into(), Value::from(file.name.as_str()));
            }
        }
    }

    fn relation(&mut self, kind: &'static str, ends: &[(&str, &str)]) -> &mut serde_json::Map<String, Value> {
        self.relations += 1;
        let fields = ends.iter().map(|(end, id)| (format!("prov:{end}"), Value::from(*id))).collect();
        // Numbered so that the order of letters is the order of numbers.
        let id = format!("_:r{:06}", self.relations);
        let relation = self.kinds.entry(kind).or_default().entry(id).or_insert(Value::Object(fields));
        relation.as_object_mut().expect("it was made an object in the line before")
    }

    fn put(&mut self, kind: &'static str, id: &str, value: Value) {
        self.kinds.entry(kind).or_default().insert(id.to_owned(), value);
    }

    fn write(mut self) -> String {
        self.put("prefix", "kentai", Value::from("urn:kentai:"));
        serde_json::to_string_pretty(&self.kinds).expect("texts, numbers and maps of texts are JSON") + "\n"
    }
}

fn qualified(name: &str) -> Value {
    json!({ "$": name, "type": "prov:QUALIFIED_NAME" })
}

fn name(kind: &str, id: &str) -> String {
    format!("kentai:{kind}-{}", address(id))
}

fn time(at: Micros) -> String {
    jiff::Timestamp::from_microsecond(at).map_or_else(|_| at.to_string(), |at| format!("{at:.6}"))
}

#[cfg(test)]
mod tests;
