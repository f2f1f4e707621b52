//! Where the boxes of a drawing stand: columns by the longest way from a start, the longest path straight, the others below.

use std::collections::BTreeSet;

use crate::graph::{Edge, order};
use crate::workflow::Workflow;

/// A box's place, counted in columns and rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Spot {
    /// From the left, zero first.
    pub column: usize,
    /// Zero is the straight path.
    pub row: usize,
}

/// How an edge travels between its ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// Along the row of its start, changing rows just before its end.
    AlongStart,
    /// Changing rows just after its start, then along the row of its end.
    AlongEnd,
    /// Both rows are taken: in the gap below this row.
    Below(usize),
}

/// One spot per step.
pub(super) fn spots(workflow: &Workflow, edges: &[Edge]) -> Vec<Spot> {
    let count = workflow.steps.len();
    // A checked workflow has no cycle; anything else is drawn as one row rather than not at all.
    let Ok(order) = order(workflow) else { return (0..count).map(|column| Spot { column, row: 0 }).collect() };
    let columns = columns(count, &order, edges);
    let straight = straight_path(&columns, edges);
    let mut taken: BTreeSet<Spot> = straight.iter().map(|step| Spot { column: columns[*step], row: 0 }).collect();
    let mut spots: Vec<Spot> = columns.iter().map(|column| Spot { column: *column, row: 0 }).collect();
    for step in order.into_iter().filter(|step| !straight.contains(step)) {
        let before = edges.iter().filter(|edge| edge.to == step).map(|edge| spots[edge.from].row).max().unwrap_or(0);
        let mut spot = Spot { column: columns[step], row: before.max(1) };
        while !taken.insert(spot) {
            spot.row += 1;
        }
        spots[step] = spot;
    }
    spots
}

/// Longest way to each step, in edges.
fn columns(count: usize, order: &[usize], edges: &[Edge]) -> Vec<usize> {
    let mut columns = vec![0; count];
    for step in order {
        for edge in edges.iter().filter(|edge| edge.from == *step) {
            columns[edge.to] = columns[edge.to].max(columns[*step] + 1);
        }
    }
    columns
}

/// The steps of one longest path; of several ends the last in the file, because that is where a workflow is going.
fn straight_path(columns: &[usize], edges: &[Edge]) -> BTreeSet<usize> {
    let mut path = BTreeSet::new();
    let mut step = (0..columns.len()).max_by_key(|step| columns[*step]);
    while let Some(current) = step {
        path.insert(current);
        let follows = |edge: &&Edge| edge.to == current && columns[edge.from] + 1 == columns[current];
        step = edges.iter().find(follows).map(|edge| edge.from);
    }
    path
}

/// The way of `edge` that crosses no box.
pub(super) fn way(edge: Edge, spots: &[Spot]) -> Way {
    let (from, to) = (spots[edge.from], spots[edge.to]);
    let free =
        |row: usize| !spots.iter().any(|spot| spot.row == row && (from.column + 1..to.column).contains(&spot.column));
    if free(to.row) {
        Way::AlongEnd
    } else if free(from.row) {
        Way::AlongStart
    } else {
        Way::Below(from.row.max(to.row))
    }
}
