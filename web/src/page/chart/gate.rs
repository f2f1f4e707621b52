//! The strip of a gate: the accepted side in tint, a long tick at the limit, a short one at the warning's, the value as dot, triangle or
//! square. The table's row that it stands in says the same in words; it is drawn for the eye alone.

use std::fmt::Write as _;

use askama::filters::Safe;

use crate::page::markup::Markup;
use crate::page::shape::Shape;

pub(crate) const WIDTH: f64 = 122.0;
pub(crate) const HEIGHT: f64 = 16.0;
const MIDDLE: f64 = HEIGHT / 2.0;
/// Room for half a shape at both ends.
const MARGIN: f64 = 6.0;

/// Which side of a limit is accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    AtLeast,
    AtMost,
}

/// What is drawn.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Gate {
    pub(crate) side: Side,
    pub(crate) fail: f64,
    /// Where a warning begins, when that is another number.
    pub(crate) warn: Option<f64>,
    pub(crate) value: Option<f64>,
    /// What the value amounts to.
    pub(crate) shape: Shape,
}

/// From numbers to pixels.
struct Scale {
    from: f64,
    to: f64,
}

impl Scale {
    /// Both limits and the value, with a third of their spread around them. A share or a count never begins below nothing.
    fn of(gate: &Gate) -> Option<Self> {
        let numbers = [Some(gate.fail), gate.warn, gate.value];
        let numbers: Vec<f64> = numbers.into_iter().flatten().filter(|number| number.is_finite()).collect();
        let low = numbers.iter().copied().reduce(f64::min)?;
        let high = numbers.iter().copied().reduce(f64::max)?;
        let spread = match high - low {
            nothing if nothing <= 0.0 => high.abs().max(1.0) * 0.2,
            spread => spread,
        };
        let from = if low >= 0.0 { (low - spread * 0.6).max(0.0) } else { low - spread * 0.6 };
        Some(Self { from, to: high + spread * 0.6 })
    }

    fn at(&self, number: f64) -> f64 {
        let share = ((number - self.from) / (self.to - self.from)).clamp(0.0, 1.0);
        MARGIN + share * (WIDTH - 2.0 * MARGIN)
    }
}

/// The strip; empty when there is nothing to draw.
pub(crate) fn strip(gate: &Gate) -> Markup {
    let Some(scale) = Scale::of(gate).filter(|_| gate.fail.is_finite()) else { return Safe(String::new()) };
    let limit = scale.at(gate.fail);
    let (left, right) = match gate.side {
        Side::AtLeast => (limit, WIDTH),
        Side::AtMost => (0.0, limit),
    };
    let mut svg = format!(
        r#"<svg class="chart strip" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}" aria-hidden="true"><path class="hair" d="M0 {MIDDLE}H{WIDTH}"/><rect class="fill-tint" x="{left:.1}" y="{}" width="{:.1}" height="8"/><path class="ink limit" d="M{limit:.1} 1V15"/>"#,
        MIDDLE - 4.0,
        (right - left).max(0.0),
    );
    // Writing to a string cannot fail.
    if let Some(warn) = gate.warn.filter(|warn| warn.is_finite()) {
        let _ = write!(svg, r#"<path class="ink limit" d="M{:.1} 4V12"/>"#, scale.at(warn));
    }
    if let Some(value) = gate.value.filter(|value| value.is_finite()) {
        let at = scale.at(value);
        match gate.shape {
            Shape::Passed => {
                let _ = write!(svg, r#"<circle class="fill-ink" cx="{at:.1}" cy="{MIDDLE}" r="3"/>"#);
            }
            shape => svg.push_str(&shape.drawn(at, MIDDLE, 11.0)),
        }
    }
    svg.push_str("</svg>");
    Safe(svg)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gate(side: Side, fail: f64, warn: Option<f64>, value: Option<f64>) -> Gate {
        Gate { side, fail, warn, value, shape: Shape::Passed }
    }

    #[test]
    fn a_good_value_lies_on_the_tinted_side_and_a_bad_one_does_not() {
        for (side, good, bad) in [(Side::AtLeast, 31.4, 28.0), (Side::AtMost, 28.0, 31.4)] {
            for value in [good, bad] {
                let gate = gate(side, 30.0, None, Some(value));
                let scale = Scale::of(&gate).expect("numbers");
                let right = scale.at(value) > scale.at(30.0);
                assert_eq!(right == (side == Side::AtLeast), value == good, "{side:?} {value}");
            }
        }
    }

    #[test]
    fn order_is_kept_and_everything_is_in_the_picture() {
        let gate = gate(Side::AtMost, 20.0, Some(15.0), Some(16.4));
        let scale = Scale::of(&gate).expect("numbers");
        let places: Vec<f64> = [15.0, 16.4, 20.0].into_iter().map(|number| scale.at(number)).collect();
        assert!(places.is_sorted() && places[0] > MARGIN && places[2] < WIDTH - MARGIN, "{places:?}");
        assert!(scale.from >= 0.0);
    }

    #[test]
    fn what_was_not_measured_has_a_limit_and_no_value() {
        let drawn = strip(&Gate { shape: Shape::Needs, ..gate(Side::AtLeast, 30.0, None, None) }).0;
        assert!(drawn.contains("fill-tint") && !drawn.contains("circle") && !drawn.contains("<use"), "{drawn}");
        assert!(strip(&gate(Side::AtLeast, f64::NAN, None, Some(1.0))).0.is_empty());
    }

    #[test]
    fn a_warning_is_a_triangle_and_a_failure_a_square() {
        for (shape, id) in [(Shape::Warned, "#s-warned"), (Shape::Failed, "#s-failed")] {
            assert!(strip(&Gate { shape, ..gate(Side::AtMost, 20.0, Some(15.0), Some(16.4)) }).0.contains(id));
        }
    }
}
