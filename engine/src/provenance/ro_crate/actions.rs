//! The retrospective part: the run, every attempt, what controlled them, and who decided what.

use std::collections::BTreeMap;

use serde_json::Value;

use super::data::Ids;
use super::graph::{Entity, Graph};
use super::workflow::{ENGINE, step_id, tool_id, value_id};
use super::{ROOT, agent, id, time, workflow};
use crate::provenance::{Attempt, Bound, Decision, Description, Image, Outcome};

const COMPLETED: &str = "http://schema.org/CompletedActionStatus";
const FAILED: &str = "http://schema.org/FailedActionStatus";
const DOCKER_IMAGE: &str = "https://w3id.org/ro/terms/workflow-run#DockerImage";

pub(super) fn add(graph: &mut Graph, description: &Description, ids: &Ids) {
    let run = &description.run;
    let files = |bound: &[Bound]| bound.iter().map(|file| ids.id(&file.artifact)).collect::<Vec<_>>();
    let action = id("run", &run.id);
    let entity = Entity::new(&["CreateAction"])
        .text("name", &format!("run {}", run.id))
        .text("description", &format!("{} over the specimen of this delivery", description.workflow.id))
        .text("startTime", &time(run.started_us))
        .text("endTime", &time(run.ended_us))
        .text("actionStatus", COMPLETED)
        .link("agent", [agent(run.by.as_deref())])
        .link("instrument", [workflow::id(description)])
        .link("object", files(&run.inputs).into_iter().chain(run.params.iter().map(|param| value_id(&param.name))))
        .link("result", files(&run.outputs));
    graph.put(&action, entity);
    graph.link(ROOT, "mentions", [action.clone()]);
    let organize = id("organize", &run.id);
    let entity = Entity::new(&["OrganizeAction"])
        .text("name", &format!("kentai {} over run {}", description.engine.version, run.id))
        .text("startTime", &time(run.started_us))
        .text("endTime", &time(run.ended_us))
        .link("agent", [agent(run.by.as_deref())])
        .link("instrument", [ENGINE.to_owned()])
        .link("result", [action]);
    graph.put(&organize, entity);
    graph.link(ROOT, "mentions", [organize.clone()]);
    for attempt in &description.attempts {
        add_attempt(graph, description, attempt, files(&attempt.used), files(&attempt.generated));
        let control = id("control", &attempt.key);
        let entity = Entity::new(&["ControlAction"]).text("name", &format!("step {}", attempt.key));
        graph.put(&control, entity.link("instrument", [step_id(description, &attempt.step)]));
        graph.link(&control, "object", [id("attempt", &attempt.id)]);
        graph.link(&organize, "object", [control]);
    }
    let mut asked = BTreeMap::new();
    for decision in &description.decisions {
        let number = asked.entry(&decision.key).and_modify(|number| *number += 1).or_insert(1);
        add_decision(graph, description, decision, &id("decision", &format!("{}/{number}", decision.key)));
    }
}

fn add_attempt(graph: &mut Graph, description: &Description, attempt: &Attempt, used: Vec<String>, made: Vec<String>) {
    let action = id("attempt", &attempt.id);
    let mut entity = Entity::new(&["CreateAction"])
        .text("name", &format!("{}, attempt {}", attempt.key, attempt.number))
        .text("description", &format!("Attempt {} of {} by {}", attempt.number, attempt.key, attempt.executor))
        .text("startTime", &time(attempt.started_us))
        .text("endTime", &time(attempt.ended_us))
        .link("agent", [agent(description.run.by.as_deref())])
        .link("instrument", [tool_id(&attempt.step)])
        .link("object", used)
        .link("result", made);
    entity = match &attempt.outcome {
        Outcome::Completed => entity.text("actionStatus", COMPLETED),
        Outcome::Failed(why) => entity.text("actionStatus", FAILED).text("error", why),
    };
    if let Some(image) = &attempt.image {
        entity = entity.link("containerImage", [add_image(graph, image)]);
    }
    let usage = [
        ("cpu_ms", attempt.cpu_ms, "https://qudt.org/vocab/unit/MilliSEC"),
        ("max_rss_bytes", attempt.max_rss_bytes, "https://qudt.org/vocab/unit/BYTE"),
    ];
    for (name, value, unit) in usage {
        let Some(value) = value else { continue };
        let used = id("usage", &format!("{}/{name}", attempt.id));
        let property = Entity::new(&["PropertyValue"]).text("name", name).text("propertyID", name);
        graph.put(&used, property.text("value", &value.to_string()).text("unitCode", unit));
        entity = entity.link("resourceUsage", [used]);
    }
    graph.put(&action, entity);
    graph.link(ROOT, "mentions", [action]);
}

fn add_image(graph: &mut Graph, image: &Image) -> String {
    let (registry, name, tag) = image.parts();
    let entity = Entity::new(&["ContainerImage"])
        .link("additionalType", [DOCKER_IMAGE.to_owned()])
        // What came from no registry was made at the site.
        .text("registry", registry.unwrap_or("localhost"))
        .text("name", name)
        .text("tag", tag.unwrap_or_default())
        .text("sha256", &image.sha256);
    let image = id("image", &image.sha256);
    graph.put(&image, entity);
    image
}

/// A gate's verdict or a person's word: an assessment of the step that asked, with the values that it rests on.
fn add_decision(graph: &mut Graph, description: &Description, decision: &Decision, action: &str) {
    let result = format!("{action}/verdict");
    let verdict = Entity::new(&["PropertyValue"]).text("name", "verdict").text("value", &decision.verdict);
    graph.put(&result, verdict);
    let mut entity = Entity::new(&["AssessAction"])
        .text("name", &format!("{}: {}", decision.key, decision.verdict))
        .text("description", &decision.reason)
        .text("endTime", &time(decision.at_us))
        .link("agent", [decision.by.as_deref().map_or_else(|| ENGINE.to_owned(), super::person_id)])
        .link("object", [step_id(description, &decision.step)])
        .link("result", [result]);
    for (measured, number) in decision.values.iter().zip(1..) {
        let value = format!("{action}/value/{number}");
        let held = [measured.wanted.as_str(), measured.verdict.as_str()].join(": ");
        let property = Entity::new(&["PropertyValue"])
            .text("name", &measured.metric)
            .text("unitText", &measured.unit)
            .text("description", held.trim_start_matches(": "))
            .value("value", measured.value.map_or_else(|| Value::from("not measured"), Value::from));
        graph.put(&value, property);
        entity = entity.link("object", [value]);
    }
    graph.put(action, entity);
    graph.link(ROOT, "mentions", [action.to_owned()]);
}
