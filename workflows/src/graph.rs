//! The graph of a workflow: its order, and how it is drawn.
//!
//! Edges run from a step to those that wait for it. This room does not know how often a step runs.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};

use petgraph::algo::tred::{dag_to_toposorted_adjacency_list, dag_transitive_reduction_closure};
use petgraph::graph::{DiGraph, NodeIndex};
use petgraph::visit::EdgeRef;
use petgraph::{Direction, adj};

use crate::workflow::Workflow;

mod label;
mod layout;
mod mermaid;
mod svg;
#[cfg(test)]
mod tests;

pub use layout::{Spot, Way};
pub use mermaid::mermaid;
pub use svg::svg;

/// One step waits for another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Edge {
    /// Index of the step that is waited for.
    pub from: usize,
    /// Index of the step that waits.
    pub to: usize,
    /// Data passes; false: order alone (`after`).
    pub data: bool,
}

/// Every edge once, by step index; names that the workflow does not have are left out.
#[must_use]
pub fn edges(workflow: &Workflow) -> Vec<Edge> {
    let index: BTreeMap<&str, usize> =
        workflow.steps.iter().enumerate().map(|(index, step)| (step.id.as_str(), index)).collect();
    let mut edges: BTreeMap<(usize, usize), bool> = BTreeMap::new();
    for (to, step) in workflow.steps.iter().enumerate() {
        let after = step.after.iter().map(|name| (name, false));
        for (name, data) in after.chain(step.uses.iter().map(|used| (&used.step, true))) {
            if let Some(from) = index.get(name.as_str()) {
                *edges.entry((*from, to)).or_default() |= data;
            }
        }
    }
    edges.into_iter().map(|((from, to), data)| Edge { from, to, data }).collect()
}

/// How a workflow is drawn: a place for each step, a way for each edge that is worth drawing.
#[derive(Clone, Debug)]
pub struct Drawing {
    /// By step index.
    pub spots: Vec<Spot>,
    /// Those that a longer way does not say already.
    pub edges: Vec<(Edge, Way)>,
}

/// Left to right, the longest path straight, the others below it.
#[must_use]
pub fn drawing(workflow: &Workflow) -> Drawing {
    let edges = drawn_edges(workflow);
    let spots = layout::spots(workflow, &edges);
    let edges = edges.into_iter().map(|edge| (edge, layout::way(edge, &spots))).collect();
    Drawing { spots, edges }
}

/// Step indexes in an order that respects the edges, and the file's order where there is a choice.
///
/// # Errors
/// The steps that wait for each other, or for such a step.
pub fn order(workflow: &Workflow) -> Result<Vec<usize>, Vec<usize>> {
    let graph = graph(workflow);
    let mut waiting: Vec<usize> =
        graph.node_indices().map(|node| graph.edges_directed(node, Direction::Incoming).count()).collect();
    let mut ready: BinaryHeap<Reverse<usize>> =
        (0..waiting.len()).filter(|step| waiting[*step] == 0).map(Reverse).collect();
    let mut order = Vec::with_capacity(waiting.len());
    while let Some(Reverse(step)) = ready.pop() {
        order.push(step);
        for edge in graph.edges(NodeIndex::new(step)) {
            let next = edge.target().index();
            waiting[next] -= 1;
            if waiting[next] == 0 {
                ready.push(Reverse(next));
            }
        }
    }
    if order.len() == waiting.len() {
        Ok(order)
    } else {
        Err((0..waiting.len()).filter(|step| waiting[*step] > 0).collect())
    }
}

/// The edges worth drawing: those that a longer way already says are left out.
///
/// A workflow with a cycle keeps them all.
fn drawn_edges(workflow: &Workflow) -> Vec<Edge> {
    let edges = edges(workflow);
    let Ok(order) = order(workflow) else { return edges };
    let order: Vec<NodeIndex> = order.into_iter().map(NodeIndex::new).collect();
    let (list, rank) = dag_to_toposorted_adjacency_list::<_, NodeIndex>(&graph(workflow), &order);
    let (reduced, _) = dag_transitive_reduction_closure(&list);
    let kept = |edge: &Edge| reduced.contains_edge(adjacent(rank[edge.from]), adjacent(rank[edge.to]));
    edges.into_iter().filter(kept).collect()
}

fn adjacent(node: NodeIndex) -> adj::NodeIndex<NodeIndex> {
    node
}

fn graph(workflow: &Workflow) -> DiGraph<(), ()> {
    let edges = edges(workflow);
    let mut graph = DiGraph::with_capacity(workflow.steps.len(), edges.len());
    for _ in &workflow.steps {
        graph.add_node(());
    }
    for edge in edges {
        graph.add_edge(NodeIndex::new(edge.from), NodeIndex::new(edge.to), ());
    }
    graph
}
