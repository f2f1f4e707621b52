//! The graph of a run: boxes left to right, the longest path straight, the others below it; thick where data has passed.
//!
//! Places and ways come from the workflow's own drawing; here they become pixels. It knows no run.

use std::fmt::Write as _;

use askama::filters::Safe;
use kentai_workflows::graph::{Spot, Way};

use super::{fitted, width};
use crate::page::markup::{self, Markup};
use crate::page::shape::Shape;

/// The page's width.
const ROOM: f64 = 1376.0;
const BOX_HEIGHT: f64 = 50.0;
const ROW: f64 = 62.0;
/// More between two rows where the upper one says something below a box.
const BELOW: f64 = 16.0;
const WIDTH_MIN: f64 = 96.0;
const WIDTH_MAX: f64 = 186.0;
const GAP_MIN: f64 = 28.0;
const GAP_MAX: f64 = 48.0;
/// Left edge of the words in a box.
const TEXT: f64 = 32.0;
/// Where there is no shape.
const TEXT_ALONE: f64 = 13.0;
/// Radius of an edge's corners.
const CORNER: f64 = 9.0;
/// A strip with more segments than that says their shares, not each of them.
const SEGMENTS_MAX: i64 = 40;

/// One step.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    pub(crate) name: String,
    /// One line under the name.
    pub(crate) words: String,
    /// What stands under the box; may be empty.
    pub(crate) below: String,
    /// None where no run is shown: the words say its kind.
    pub(crate) shape: Option<Shape>,
    /// It has a double left edge.
    pub(crate) gate: bool,
    /// How many items are in each state; empty when it runs once.
    pub(crate) segments: Vec<(Shape, i64)>,
    pub(crate) href: String,
}

impl Node {
    fn done(&self) -> bool {
        matches!(self.shape, Some(Shape::Passed | Shape::Warned))
    }

    /// Where its words begin.
    fn indent(&self) -> f64 {
        if self.shape.is_some() { TEXT } else { TEXT_ALONE }
    }

    /// It could have been given something.
    fn begun(&self) -> bool {
        !matches!(self.shape, None | Some(Shape::Waiting | Shape::Canceled))
    }
}

/// All of it.
#[derive(Debug)]
pub(crate) struct Graph {
    pub(crate) title: String,
    pub(crate) description: String,
    pub(crate) nodes: Vec<Node>,
    pub(crate) spots: Vec<Spot>,
    /// From, to, and how it gets there.
    pub(crate) lines: Vec<(usize, usize, Way)>,
}

/// Where columns and rows lie.
struct Frame {
    left: Vec<f64>,
    wide: Vec<f64>,
    top: Vec<f64>,
    gap: f64,
    width: f64,
    height: f64,
}

type Point = (f64, f64);

/// As SVG.
pub(crate) fn svg(graph: &Graph) -> Markup {
    let frame = frame(graph);
    let (width, height) = (frame.width, frame.height);
    let (title, description) = (markup::text(&graph.title), markup::text(&graph.description));
    let mut out = format!(
        "<svg class=\"chart dag\" id=\"dag\" role=\"group\" aria-label=\"{title}\" width=\"{width:.0}\" height=\"{height:.0}\" \
         viewBox=\"0 0 {width:.0} {height:.0}\"><title>{title}</title><desc>{description}</desc>"
    );
    let (thin, thick) = edges(graph, &frame);
    for (class, paths) in [("edge", thin), ("passed-edge", thick)] {
        let _ = write!(out, "<g class=\"{class}\">");
        for path in paths {
            let _ = write!(out, "<path d=\"{}\"/>", rounded(&path));
        }
        out.push_str("</g>");
    }
    for (order, (node, spot)) in graph.nodes.iter().zip(&graph.spots).enumerate() {
        out.push_str(&drawn(node, *spot, order, &frame));
    }
    out.push_str("</svg>");
    Safe(out)
}

fn frame(graph: &Graph) -> Frame {
    let columns = graph.spots.iter().map(|spot| spot.column + 1).max().unwrap_or(1);
    let rows = graph.spots.iter().map(|spot| spot.row + 1).max().unwrap_or(1);
    let mut wide = vec![WIDTH_MIN; columns];
    let mut under = vec![false; rows];
    for (node, spot) in graph.nodes.iter().zip(&graph.spots) {
        // Bold letters are wider: the name is measured as if it were a size larger.
        let needs = node.indent() + 12.0 + width(&node.name, 13.6).max(width(&node.words, 12.0));
        wide[spot.column] = wide[spot.column].max(needs).min(WIDTH_MAX);
        under[spot.row] |= !node.below.is_empty();
    }
    let all: f64 = wide.iter().sum();
    let between = f64::from(u32::try_from(columns - 1).unwrap_or(u32::MAX));
    let gap = if columns > 1 { ((ROOM - 4.0 - all) / between).clamp(GAP_MIN, GAP_MAX) } else { GAP_MIN };
    let mut left = Vec::with_capacity(columns);
    let mut x = 1.0;
    for column in &wide {
        left.push(x);
        x += column + gap;
    }
    let mut top = Vec::with_capacity(rows);
    let mut y = 2.0;
    for says in &under {
        top.push(y);
        y += ROW + if *says { BELOW } else { 0.0 };
    }
    // Ways that pass below the last row need their room too.
    let height = if graph.lines.iter().any(|(_, _, way)| matches!(way, Way::Below(_))) { y + 8.0 } else { y - 6.0 };
    Frame { left, wide, top, gap, width: (x - gap + 1.0).max(WIDTH_MIN), height }
}

/// Thin ones, thick ones.
fn edges(graph: &Graph, frame: &Frame) -> (Vec<Vec<Point>>, Vec<Vec<Point>>) {
    let (mut thin, mut thick) = (Vec::new(), Vec::new());
    for (from, to, way) in &graph.lines {
        let (Some(source), Some(target)) = (graph.nodes.get(*from), graph.nodes.get(*to)) else { continue };
        let points = points((graph.spots[*from], graph.spots[*to]), *way, frame);
        let passed = source.done();
        if passed && target.begun() {
            thick.push(points);
        } else if passed && *way == Way::AlongStart && points.len() > 2 {
            // What is there already lies at the corner and waits.
            let corner = (points[1].0 - CORNER, points[1].1);
            thick.push(vec![points[0], corner]);
            thin.push(points);
        } else {
            thin.push(points);
        }
    }
    (thin, thick)
}

/// The corners of a way, from box to box.
fn points((from, to): (Spot, Spot), way: Way, frame: &Frame) -> Vec<Point> {
    let start = (frame.left[from.column] + frame.wide[from.column], frame.top[from.row] + BOX_HEIGHT / 2.0);
    let end = (frame.left[to.column], frame.top[to.row] + BOX_HEIGHT / 2.0);
    let (leaving, arriving) = (start.0 + frame.gap / 2.0, end.0 - frame.gap / 2.0);
    match way {
        Way::AlongEnd => vec![start, (leaving, start.1), (leaving, end.1), end],
        Way::AlongStart => vec![start, (arriving, start.1), (arriving, end.1), end],
        Way::Below(row) => {
            let y = frame.top.get(row).copied().unwrap_or(start.1) + BOX_HEIGHT + 6.0;
            vec![start, (leaving, start.1), (leaving, y), (arriving, y), (arriving, end.1), end]
        }
    }
}

/// A path whose corners are round.
fn rounded(points: &[Point]) -> String {
    let mut corners: Vec<Point> = Vec::new();
    for point in points {
        if let [.., a, b] = corners[..]
            && (same(a.0, b.0) && same(b.0, point.0) || same(a.1, b.1) && same(b.1, point.1))
        {
            corners.pop();
        }
        corners.push(*point);
    }
    let mut path = String::new();
    for (index, at) in corners.iter().enumerate() {
        let before = index.checked_sub(1).and_then(|before| corners.get(before));
        let _ = match (before, corners.get(index + 1)) {
            (None, _) => write!(path, "M{:.1} {:.1}", at.0, at.1),
            (_, None) => write!(path, "L{:.1} {:.1}", at.0, at.1),
            (Some(before), Some(after)) => {
                let (into, out) = (toward(*at, *before), toward(*at, *after));
                write!(path, "L{:.1} {:.1}Q{:.1} {:.1} {:.1} {:.1}", into.0, into.1, at.0, at.1, out.0, out.1)
            }
        };
    }
    path
}

fn same(a: f64, b: f64) -> bool {
    (a - b).abs() < 0.01
}

/// A corner's length from `from` on the way to `to`, at most half of the way.
fn toward(from: Point, to: Point) -> Point {
    let step = |from: f64, to: f64| {
        from + (to - from).clamp(-CORNER, CORNER).clamp(-(to - from).abs() / 2.0, (to - from).abs() / 2.0)
    };
    (step(from.0, to.0), step(from.1, to.1))
}

fn drawn(node: &Node, spot: Spot, order: usize, frame: &Frame) -> String {
    let (x, y, wide) = (frame.left[spot.column], frame.top[spot.row], frame.wide[spot.column]);
    let room = wide - node.indent() - 8.0;
    let mut out = format!(
        "<a class=\"node {state}\" href=\"{href}\" data-order=\"{order}\">\
         <rect class=\"box\" x=\"{x:.1}\" y=\"{y:.1}\" width=\"{wide:.1}\" height=\"{BOX_HEIGHT}\" rx=\"3\"/>",
        state = node.shape.map_or("plain", Shape::name),
        href = markup::text(&node.href),
    );
    if node.gate {
        let _ = write!(out, "<path class=\"second-edge\" d=\"M{:.1} {y:.1}v{BOX_HEIGHT}\"/>", x + 4.0);
    }
    if let Some(shape) = node.shape {
        out.push_str(&shape.drawn(x + 18.0, y + 17.0, 12.0));
    }
    let _ = write!(
        out,
        "<text class=\"bold\" x=\"{tx:.1}\" y=\"{ny:.1}\">{}</text><text class=\"second\" x=\"{tx:.1}\" y=\"{wy:.1}\">{}</text>",
        markup::text(fitted(&node.name, room, 13.6)),
        markup::text(fitted(&node.words, room, 12.0)),
        tx = x + node.indent(),
        ny = y + 21.5,
        wy = y + 39.0,
    );
    out.push_str(&strip(&node.segments, (x, y, wide)));
    if !node.below.is_empty() {
        let _ = write!(
            out,
            "<text class=\"second\" x=\"{x:.1}\" y=\"{:.1}\">{}</text>",
            y + BOX_HEIGHT + 14.0,
            markup::text(&node.below)
        );
    }
    out.push_str("</a>");
    out
}

/// Four pixels inside the lower edge: a segment for each item, or a share for each state.
fn strip(segments: &[(Shape, i64)], (x, y, wide): (f64, f64, f64)) -> String {
    let total: i64 = segments.iter().map(|(_, items)| items).sum();
    if total == 0 {
        return String::new();
    }
    let each = total <= SEGMENTS_MAX;
    let (left, top, room) = (x + 1.0, y + BOX_HEIGHT - 5.0, wide - 2.0);
    let one = room / float(total);
    let mut out = String::new();
    let mut at = left;
    for (shape, items) in segments.iter().filter(|(_, items)| *items > 0) {
        let pieces = if each { *items } else { 1 };
        let piece = if each { one } else { one * float(*items) };
        for _ in 0..pieces {
            let drawn = (piece - if each { 1.0 } else { 0.0 }).max(0.5);
            let name = shape.name();
            let _ = write!(
                out,
                "<rect class=\"segment {name}\" x=\"{at:.1}\" y=\"{top:.1}\" width=\"{drawn:.1}\" height=\"4\"/>"
            );
            at += piece;
        }
    }
    out
}

#[expect(clippy::cast_precision_loss, reason = "pixels")]
fn float(number: i64) -> f64 {
    number as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node(name: &str, shape: Shape) -> Node {
        let name = name.to_owned();
        Node {
            name,
            words: "Passed".into(),
            below: String::new(),
            shape: Some(shape),
            gate: false,
            segments: Vec::new(),
            href: "#".into(),
        }
    }

    fn graph(shapes: [Shape; 4]) -> Graph {
        let [a, b, c, d] = shapes;
        let spot = |column, row| Spot { column, row };
        Graph {
            title: "t".into(),
            description: "d".into(),
            nodes: vec![node("a", a), node("b", b), node("c", c), node("d", d)],
            spots: vec![spot(0, 0), spot(1, 0), spot(1, 1), spot(2, 0)],
            lines: vec![(0, 1, Way::AlongEnd), (0, 2, Way::AlongEnd), (1, 3, Way::AlongEnd), (2, 3, Way::AlongStart)],
        }
    }

    #[test]
    fn an_edge_is_thick_only_where_data_has_passed() {
        let graph = graph([Shape::Passed, Shape::Running, Shape::Passed, Shape::Waiting]);
        let (thin, thick) = edges(&graph, &frame(&graph));
        // a→b, a→c, and c's data up to the corner before d.
        assert_eq!((thin.len(), thick.len()), (2, 3));
        assert_eq!(thick[2].len(), 2);
    }

    #[test]
    fn boxes_of_a_column_stand_beneath_each_other_and_the_straight_path_is_straight() {
        let graph = graph([Shape::Passed; 4]);
        let frame = frame(&graph);
        assert!(frame.width <= ROOM && frame.left[1] > frame.left[0] + frame.wide[0]);
        let straight = points((graph.spots[1], graph.spots[3]), Way::AlongEnd, &frame);
        assert!(straight.iter().all(|point| same(point.1, straight[0].1)));
        assert_eq!(rounded(&straight).matches('Q').count(), 0);
    }

    #[test]
    fn a_strip_has_a_segment_for_each_item_until_there_are_too_many() {
        let few = strip(&[(Shape::Passed, 18), (Shape::Running, 6)], (0.0, 0.0, 180.0));
        assert_eq!(few.matches("<rect").count(), 24);
        let many = strip(&[(Shape::Passed, 900), (Shape::Failed, 100), (Shape::Waiting, 0)], (0.0, 0.0, 180.0));
        assert_eq!(many.matches("<rect").count(), 2);
        assert_eq!(strip(&[], (0.0, 0.0, 180.0)), "");
    }

    #[test]
    fn a_name_from_a_workflow_is_escaped() {
        let mut graph = graph([Shape::Passed; 4]);
        graph.nodes[0].name = "<script>".into();
        graph.nodes[0].below = "\"<x>".into();
        let svg = svg(&graph).0;
        assert!(!svg.contains("<script>") && !svg.contains("<x>"), "{svg}");
    }

    #[test]
    fn a_workflow_without_steps_is_drawn_as_nothing() {
        let none =
            Graph { title: String::new(), description: String::new(), nodes: vec![], spots: vec![], lines: vec![] };
        assert!(svg(&none).0.ends_with("</svg>"));
    }
}
