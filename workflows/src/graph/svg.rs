//! The graph as SVG: left to right, the longest path straight, right angles, no arrowheads, no script and no style sheet.
//!
//! Everything is drawn in `currentColor`, so that a page gives it the ink of its theme; alone it is a gray that reads on light and
//! dark. Each step is a group with `data-step`, for pages that add what they know of it.

use crate::diagnostic::{Language, spoken};
use crate::graph::layout::{Spot, Way, spots, way};
use crate::graph::{Edge, drawn_edges, label};
use crate::workflow::{Step, StepKind, Workflow};

mod shape;
mod text;

use text::{escaped, fitted};

const BOX_WIDTH: usize = 184;
const BOX_HEIGHT: usize = 50;
const COLUMN_GAP: usize = 56;
const ROW_GAP: usize = 36;
const MARGIN: usize = 16;
/// Left edge of the text inside a box, and what is left for it.
const TEXT_LEFT: usize = 32;
const TEXT_WIDTH: usize = BOX_WIDTH - TEXT_LEFT - 8;
/// Radius of an edge's corners.
const CORNER: usize = 9;

/// `workflow` as a standalone SVG document, its words in `language`.
#[must_use]
pub fn svg(workflow: &Workflow, language: Language) -> String {
    let edges = drawn_edges(workflow);
    let spots = spots(workflow, &edges);
    let mut drawing = opening(workflow, &spots, language);
    drawing.push_str("<g fill=\"none\" stroke=\"currentColor\" stroke-width=\"1.25\" stroke-opacity=\"0.7\">\n");
    for edge in &edges {
        drawing.push_str(&line(*edge, workflow, &spots));
    }
    drawing.push_str("</g>\n");
    for (step, spot) in workflow.steps.iter().zip(&spots) {
        drawing.push_str(&node(step, *spot, language));
    }
    drawing.push_str("</svg>\n");
    drawing
}

fn opening(workflow: &Workflow, spots: &[Spot], language: Language) -> String {
    let columns = spots.iter().map(|spot| spot.column + 1).max().unwrap_or(1);
    let rows = spots.iter().map(|spot| spot.row + 1).max().unwrap_or(1);
    let width = 2 * MARGIN + columns * BOX_WIDTH + (columns - 1) * COLUMN_GAP;
    // One gap more at the foot, for edges that pass below the last row.
    let height = 2 * MARGIN + rows * BOX_HEIGHT + rows * ROW_GAP;
    let title = escaped(spoken(&workflow.title, language));
    let names: Vec<String> = workflow.steps.iter().map(|step| escaped(label::title(step, language))).collect();
    let steps = names.join(label::either(language, ", ", "、"));
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"workflow-graph\" role=\"img\" width=\"{width}\" height=\"{height}\" \
         viewBox=\"0 0 {width} {height}\" color=\"#737a84\" font-family=\"system-ui, sans-serif\">\n\
         <title>{title}</title>\n<desc>{steps}</desc>\n"
    )
}

/// Left and top of the box at `spot`.
fn corner(spot: Spot) -> (usize, usize) {
    (MARGIN + spot.column * (BOX_WIDTH + COLUMN_GAP), MARGIN + spot.row * (BOX_HEIGHT + ROW_GAP))
}

fn node(step: &Step, spot: Spot, language: Language) -> String {
    let (x, y) = corner(spot);
    let (id, title) = (escaped(&step.id), label::title(step, language));
    let words = label::words(step, language);
    let mut node = format!(
        "<g data-step=\"{id}\" transform=\"translate({x} {y})\">\n<title>{}: {}</title>\n",
        escaped(title),
        escaped(&words)
    );
    node.push_str(&shape::frame(
        BOX_WIDTH,
        BOX_HEIGHT,
        matches!(step.kind, StepKind::Gate(_)),
        !step.for_each.is_empty(),
    ));
    node.push_str(&shape::sign(&step.kind));
    // Bold letters are wider: the title is fitted as if it were a size larger.
    node.push_str(&format!(
        "<text x=\"{TEXT_LEFT}\" y=\"21\" font-size=\"13\" font-weight=\"600\" fill=\"currentColor\">{}</text>\n",
        escaped(&fitted(title, TEXT_WIDTH, 14))
    ));
    node.push_str(&format!(
        "<text x=\"{TEXT_LEFT}\" y=\"39\" font-size=\"12\" fill=\"currentColor\">{}</text>\n</g>\n",
        escaped(&fitted(&words, TEXT_WIDTH, 12))
    ));
    node
}

fn line(edge: Edge, workflow: &Workflow, spots: &[Spot]) -> String {
    let id = |index: usize| workflow.steps.get(index).map_or(String::new(), |step| escaped(&step.id));
    let dashes = if edge.data { "" } else { " stroke-dasharray=\"4 3\"" };
    let points = points(edge, spots);
    format!(
        "<path data-from=\"{}\" data-to=\"{}\"{dashes} d=\"{}\"/>\n",
        id(edge.from),
        id(edge.to),
        shape::rounded(&points, CORNER)
    )
}

/// The corners of `edge`'s way, from box to box.
fn points(edge: Edge, spots: &[Spot]) -> Vec<(usize, usize)> {
    let (from, to) = (spots[edge.from], spots[edge.to]);
    let (from_left, from_top) = corner(from);
    let (to_left, to_top) = corner(to);
    let (start, end) = ((from_left + BOX_WIDTH, from_top + BOX_HEIGHT / 2), (to_left, to_top + BOX_HEIGHT / 2));
    // Turns of different rows stand a little apart, or two edges would look like one.
    let leaving = start.0 + 14 + 6 * (from.row % 4);
    let arriving = end.0 - 14 - 4 * (from.row % 4);
    match way(edge, spots) {
        Way::AlongEnd => vec![start, (leaving, start.1), (leaving, end.1), end],
        Way::AlongStart => vec![start, (arriving, start.1), (arriving, end.1), end],
        Way::Below(row) => {
            let y = corner(Spot { column: 0, row }).1 + BOX_HEIGHT + 10 + 5 * (edge.from % 4);
            vec![start, (leaving, start.1), (leaving, y), (arriving, y), (arriving, end.1), end]
        }
    }
}
