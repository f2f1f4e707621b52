//! The prospective part: the workflow with its file, its steps and their tools, formal parameters and how they are connected.

use std::collections::{BTreeMap, BTreeSet};

use super::graph::{Entity, Graph};
use super::id as named;
use crate::handoff::name::address;
use crate::provenance::{Bound, Description, ParamKind, Step};

const LANGUAGE: &str = "#language";
/// The engine, which does itself what no tool does.
pub(super) const ENGINE: &str = "#engine";

/// Id of the workflow: its file's.
pub(super) fn id(description: &Description) -> String {
    address(&description.workflow.file)
}

pub(super) fn step_id(description: &Description, step: &str) -> String {
    format!("{}#{}", id(description), address(step))
}

/// A step of the language is a script in an image: that is the tool.
pub(super) fn tool_id(step: &str) -> String {
    named("tool", step)
}

/// The value that a parameter had.
pub(super) fn value_id(param: &str) -> String {
    named("param", param)
}

/// An input or output of the workflow or of a tool.
pub(super) fn formal_id(of: &str, side: &str, name: &str) -> String {
    let of = of.trim_start_matches('#');
    format!("#{of}/{side}/{}", address(name))
}

pub(super) fn add(graph: &mut Graph, description: &Description) {
    let workflow = &description.workflow;
    let file = description.files.iter().find(|file| file.name == workflow.file);
    let (size, sha256) = file.map(|file| (file.size_bytes.to_string(), file.sha256.clone())).unwrap_or_default();
    let entity = Entity::new(&["File", "SoftwareSourceCode", "ComputationalWorkflow", "HowTo"])
        .text("name", if workflow.title.is_empty() { &workflow.id } else { &workflow.title })
        .text("alternateName", &workflow.id)
        .text("version", if workflow.version.is_empty() { &sha256 } else { &workflow.version })
        .text("encodingFormat", file.map_or("", |file| file.format.as_str()))
        .text("contentSize", &size)
        .text("sha256", &sha256)
        .link("conformsTo", [BIOSCHEMAS.to_owned()])
        .link("programmingLanguage", [LANGUAGE.to_owned()])
        .link("step", workflow.steps.iter().map(|step| step_id(description, &step.id)));
    graph.put(&id(description), entity);
    let profile =
        Entity::new(&["CreativeWork"]).text("name", "ComputationalWorkflow profile").text("version", "1.0-RELEASE");
    graph.put(BIOSCHEMAS, profile);
    let language = Entity::new(&["ComputerLanguage"]).text("name", "kentai workflow").text("version", "1");
    graph.put(LANGUAGE, language.text("url", &description.engine.url));
    let engine = Entity::new(&["SoftwareApplication"]).text("name", "kentai").text("url", &description.engine.url);
    graph.put(ENGINE, engine.text("softwareVersion", &description.engine.version));
    for (step, position) in workflow.steps.iter().zip(0..) {
        add_step(graph, description, step, position);
    }
    formal(graph, description);
    connect(graph, description);
}

const BIOSCHEMAS: &str = "https://bioschemas.org/profiles/ComputationalWorkflow/1.0-RELEASE";

fn add_step(graph: &mut Graph, description: &Description, step: &Step, position: u32) {
    let tool = if step.tool { tool_id(&step.id) } else { ENGINE.to_owned() };
    let entity = Entity::new(&["HowToStep"])
        .text("name", if step.title.is_empty() { &step.id } else { &step.title })
        .text("position", &position.to_string())
        .link("workExample", [tool.clone()]);
    graph.put(&step_id(description, &step.id), entity);
    if !step.tool {
        return;
    }
    let version = &description.workflow.version;
    let entity = Entity::new(&["SoftwareApplication"]).text("name", &step.id);
    graph.put(
        &tool,
        entity.text("softwareVersion", if version.is_empty() { &description.workflow.id } else { version }),
    );
    // The profile lets a workflow have only tools that were run.
    if description.attempts.iter().any(|attempt| attempt.step == step.id) {
        graph.link(&id(description), "hasPart", [tool]);
    }
}

/// Formal parameters of the workflow and of each tool, as far as something stood for them.
fn formal(graph: &mut Graph, description: &Description) {
    let (workflow, run) = (id(description), &description.run);
    for param in &run.params {
        let kind = match param.kind {
            ParamKind::Text => "Text",
            ParamKind::Integer => "Integer",
            ParamKind::Float => "Float",
            ParamKind::Boolean => "Boolean",
        };
        let formal = formal_id(&workflow, "param", &param.name);
        put_formal(graph, &workflow, "input", &formal, &param.name, kind);
        graph.both(&formal, "workExample", &value_id(&param.name), "exampleOfWork");
    }
    let ids = super::data::Ids::of(description);
    let directories: BTreeSet<&str> = description
        .artifacts
        .iter()
        .filter(|artifact| artifact.directory)
        .map(|artifact| artifact.sha256.as_str())
        .collect();
    let mut add = |of: &str, side: &str, files: &[Bound]| {
        for file in files {
            let formal = formal_id(of, side, &file.name);
            let kind = if directories.contains(file.artifact.as_str()) { "Dataset" } else { "File" };
            put_formal(graph, of, side, &formal, &file.name, kind);
            graph.both(&formal, "workExample", &ids.id(&file.artifact), "exampleOfWork");
        }
    };
    add(&workflow, "input", &run.inputs);
    add(&workflow, "output", &run.outputs);
    for attempt in &description.attempts {
        add(&tool_id(&attempt.step), "input", &attempt.used);
        add(&tool_id(&attempt.step), "output", &attempt.generated);
    }
}

fn put_formal(graph: &mut Graph, of: &str, side: &str, formal: &str, name: &str, kind: &str) {
    graph.put(formal, Entity::new(&["FormalParameter"]).text("name", name).text("additionalType", kind));
    graph.link(of, side, [formal.to_owned()]);
}

/// What came from where: a file that one step gave and another took, or the workflow's own.
fn connect(graph: &mut Graph, description: &Description) {
    let (workflow, run) = (id(description), &description.run);
    let mut sources: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    for file in &run.inputs {
        sources.entry(&file.artifact).or_default().insert(formal_id(&workflow, "input", &file.name));
    }
    for attempt in &description.attempts {
        for file in &attempt.generated {
            let formal = formal_id(&tool_id(&attempt.step), "output", &file.name);
            sources.entry(&file.artifact).or_default().insert(formal);
        }
    }
    let used = description.attempts.iter().flat_map(|attempt| {
        let (holder, tool) = (step_id(description, &attempt.step), tool_id(&attempt.step));
        attempt.used.iter().map(move |file| (holder.clone(), formal_id(&tool, "input", &file.name), &file.artifact))
    });
    let given =
        run.outputs.iter().map(|file| (workflow.clone(), formal_id(&workflow, "output", &file.name), &file.artifact));
    let mut connections = BTreeSet::new();
    for (holder, target, artifact) in used.chain(given) {
        let from = sources.get(artifact.as_str()).into_iter().flatten();
        connections.extend(from.map(|source| (holder.clone(), source.clone(), target.clone())));
    }
    for ((holder, source, target), number) in connections.into_iter().zip(1..) {
        let connection = format!("#connection/{number}");
        let entity = Entity::new(&["ParameterConnection"]).link("sourceParameter", [source]);
        graph.put(&connection, entity.link("targetParameter", [target]));
        graph.link(&holder, "connection", [connection]);
    }
}
