//! The few shapes of the drawing: frames, signs of the kinds, and lines with round corners.

use crate::workflow::StepKind;

/// A box; a gate has a double left edge, and a scattered step a second box behind it.
pub(super) fn frame(width: usize, height: usize, double_edge: bool, stacked: bool) -> String {
    let mut frame = String::from("<g fill=\"none\" stroke=\"currentColor\">\n");
    frame.push_str(&format!("<rect width=\"{width}\" height=\"{height}\" rx=\"3\"/>\n"));
    if double_edge {
        frame.push_str(&format!("<path d=\"M4 0V{height}\"/>\n"));
    }
    if stacked {
        let (right, bottom) = (width + 4, height + 4);
        frame.push_str(&format!(
            "<path d=\"M4 {height}V{}a3 3 0 0 0 3 3H{}a3 3 0 0 0 3 -3V7a3 3 0 0 0 -3 -3H{width}\"/>\n",
            bottom - 3,
            right - 3
        ));
    }
    frame.push_str("</g>\n");
    frame
}

/// The sign of a kind, 14 pixels wide around (18, 17).
pub(super) fn sign(kind: &StepKind) -> String {
    let path = match kind {
        // Ring: something arrives.
        StepKind::Receive(_) => "M12 17a6 6 0 1 0 12 0a6 6 0 1 0 -12 0z",
        // Square: work.
        StepKind::Tool(_) => "M12.5 11.5h11v11h-11z",
        // Diamond: a way parts.
        StepKind::Gate(_) => "M18 10l7 7l-7 7l-7 -7z",
        // Head and shoulders: a person.
        StepKind::Approve(_) => "M15 14a3 3 0 1 0 6 0a3 3 0 1 0 -6 0zM12 24a6 6 0 0 1 12 0",
        // Triangle: something leaves.
        StepKind::Handoff(_) => "M13 10.5l11 6.5l-11 6.5z",
        // Square in a square: a workflow in a workflow.
        StepKind::Call(_) => "M11.5 10.5h13v13h-13zM15 14h6v6h-6z",
    };
    format!("<path fill=\"none\" stroke=\"currentColor\" stroke-width=\"1.5\" d=\"{path}\"/>\n")
}

/// A path through `points`, whose segments are level or upright, with corners of at most `radius`.
pub(super) fn rounded(points: &[(usize, usize)], radius: usize) -> String {
    let corners = straightened(points);
    let mut path = String::new();
    for (index, (x, y)) in corners.iter().enumerate() {
        let before = index.checked_sub(1).and_then(|before| corners.get(before));
        match (before, corners.get(index + 1)) {
            (None, _) => path.push_str(&format!("M{x} {y}")),
            (_, None) => path.push_str(&format!("L{x} {y}")),
            (Some(before), Some(after)) => path.push_str(&bend(*before, (*x, *y), *after, radius)),
        }
    }
    path
}

/// Without points that lie on the line between their neighbors.
fn straightened(points: &[(usize, usize)]) -> Vec<(usize, usize)> {
    let mut corners: Vec<(usize, usize)> = Vec::new();
    for point in points {
        if let [.., (x1, y1), (x2, y2)] = corners[..]
            && ((x1 == x2 && x2 == point.0) || (y1 == y2 && y2 == point.1))
        {
            corners.pop();
        }
        corners.push(*point);
    }
    corners
}

/// A round corner at `at`: straight until it begins, then a curve.
fn bend(before: (usize, usize), at: (usize, usize), after: (usize, usize), radius: usize) -> String {
    let (x1, y1) = toward(at, before, radius);
    let (x2, y2) = toward(at, after, radius);
    format!("L{x1} {y1}Q{} {} {x2} {y2}", at.0, at.1)
}

/// The point `radius` from `from` on the way to `to`, at most half of the way.
fn toward(from: (usize, usize), to: (usize, usize), radius: usize) -> (usize, usize) {
    let step = |from: usize, to: usize| {
        let length = radius.min(from.abs_diff(to) / 2);
        if to >= from { from + length } else { from - length }
    };
    (step(from.0, to.0), step(from.1, to.1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_straight_way_has_no_corner_and_a_step_has_two() {
        assert_eq!(rounded(&[(0, 5), (10, 5), (10, 5), (50, 5)], 9), "M0 5L50 5");
        assert_eq!(rounded(&[(0, 0), (20, 0), (20, 40), (50, 40)], 9), "M0 0L11 0Q20 0 20 9L20 31Q20 40 29 40L50 40");
    }
}
