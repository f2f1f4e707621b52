//! The graph as Mermaid text, for pages and wikis that draw it themselves.

use crate::diagnostic::Language;
use crate::graph::{drawn_edges, label};
use crate::workflow::{Step, StepKind, Workflow};

/// `workflow` as a Mermaid flowchart: shape and word for the kind, dotted edges where only order passes.
#[must_use]
pub fn mermaid(workflow: &Workflow) -> String {
    let mut text = String::from("flowchart LR\n");
    for step in &workflow.steps {
        text.push_str(&node(step));
    }
    for edge in drawn_edges(workflow) {
        if let (Some(from), Some(to)) = (workflow.steps.get(edge.from), workflow.steps.get(edge.to)) {
            let arrow = if edge.data { "-->" } else { "-.->" };
            text.push_str(&format!("  {} {arrow} {}\n", name(from), name(to)));
        }
    }
    text
}

/// Prefixed, because some ids (`end`) are words of Mermaid.
fn name(step: &Step) -> String {
    format!("step_{}", step.id)
}

fn node(step: &Step) -> String {
    let (open, close) = match step.kind {
        StepKind::Receive(_) => ("([", "])"),
        StepKind::Tool(_) => ("[", "]"),
        StepKind::Gate(_) => ("{", "}"),
        StepKind::Approve(_) => ("{{", "}}"),
        StepKind::Handoff(_) => ("[/", "/]"),
        StepKind::Call(_) => ("[[", "]]"),
    };
    let title = escaped(label::title(step, Language::En));
    let words = escaped(&label::words(step, Language::En));
    format!("  {}{open}\"{title}<br/>{words}\"{close}\n", name(step))
}

/// Mermaid's own entities; a title must neither end the label nor become markup.
fn escaped(text: &str) -> String {
    let mut escaped = String::new();
    for character in text.chars() {
        match character {
            '"' | '#' | '<' | '>' | '&' | '`' | ';' => escaped.push_str(&format!("#{};", u32::from(character))),
            control if control.is_control() => escaped.push(' '),
            plain => escaped.push(plain),
        }
    }
    escaped
}
