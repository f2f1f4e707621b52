//! `graph`: a workflow as a picture, as Mermaid text, or as data.

use std::path::PathBuf;

use clap::Args;
use kentai_workflows::diagnostic::spoken;
use kentai_workflows::graph;
use kentai_workflows::workflow::Workflow;

use crate::exit::Exit;
use crate::intake;
use crate::output::Output;

/// Arguments of `graph`.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  kentai graph germline_wgs --svg > line.svg
  kentai graph line.yaml --mermaid
  kentai graph line.yaml --json")]
pub(crate) struct Graph {
    /// Workflow file, or the name of a shipped workflow
    file: PathBuf,
    /// As SVG
    #[arg(long)]
    svg: bool,
    /// As Mermaid text (the default)
    #[arg(long, conflicts_with = "svg")]
    mermaid: bool,
}

impl Graph {
    /// Draws it on standard output.
    pub(crate) fn draw(&self, output: Output) -> anyhow::Result<Exit> {
        // What a site lacks does not change the picture.
        let workflow = intake::workflow_to_read(None, &self.file)?.workflow;
        match (self.svg, output.json && !self.mermaid) {
            (true, _) => output.line(graph::svg(&workflow, output.language)),
            (false, true) => output.json(&data(&workflow, output)),
            (false, false) => output.line(graph::mermaid(&workflow).trim_end()),
        }
        Ok(Exit::Done)
    }
}

fn data(workflow: &Workflow, output: Output) -> serde_json::Value {
    let name = |index: usize| workflow.steps[index].id.as_str();
    let steps: Vec<_> = workflow
        .steps
        .iter()
        .map(|step| serde_json::json!({ "id": step.id, "title": spoken(&step.title, output.language), "line": step.line }))
        .collect();
    let edges: Vec<_> = graph::edges(workflow)
        .into_iter()
        .map(|edge| serde_json::json!({ "from": name(edge.from), "to": name(edge.to), "data": edge.data }))
        .collect();
    serde_json::json!({ "workflow": workflow.id, "version": workflow.version, "steps": steps, "edges": edges })
}
