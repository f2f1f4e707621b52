//! The turnaround strip: from 0 to 1.25 of the target; dot at the median, bar to the 75th percentile, tick at the 90th; the target is one
//! vertical through all rows. What is beyond ends open.

use askama::filters::Safe;

use crate::page::markup::{self, Markup};

const WIDTH: f64 = 104.0;
const HEIGHT: f64 = 24.0;
/// Of the target: where the strip ends.
const END: f64 = 1.25;

/// Where a duration lies, and whether it lies beyond the end.
fn at(days: f64, target: f64) -> (f64, bool) {
    let share = if target > 0.0 { (days / target).max(0.0) } else { 0.0 };
    (4.0 + (WIDTH - 8.0) * share.min(END) / END, share > END)
}

/// Days of the middle one, of three quarters, of nine tenths, and of the target; `said` tells it in words.
pub(crate) fn strip(median: f64, p75: f64, p90: f64, target: f64, said: &str) -> Markup {
    let middle = HEIGHT / 2.0;
    let ((dot, over), (bar, _), (tick, open)) = (at(median, target), at(p75, target), at(p90, target));
    let (goal, _) = at(target, target);
    let end = if open {
        format!(r#"<path class="accent" d="M{0:.1} {1}l4 4-4 4"/>"#, tick - 4.0, middle - 4.0)
    } else {
        format!(r#"<path class="accent" stroke-width="1.5" d="M{tick:.1} {0}v8"/>"#, middle - 4.0)
    };
    let dot = if over {
        String::new()
    } else {
        format!(r#"<circle class="fill-accent" cx="{dot:.1}" cy="{middle}" r="3.6"/>"#)
    };
    Safe(format!(
        r#"<svg class="chart strip" viewBox="0 0 {WIDTH} {HEIGHT}" role="img"><title>{title}</title><path class="hair" d="M0 {middle}H{WIDTH}"/><path class="edge target" stroke-width="1.5" d="M{goal:.1} 0V{HEIGHT}"/><path class="accent" stroke-width="1.5" d="M{x:.1} {middle}H{tick:.1}"/><path class="accent" stroke-width="4" d="M{x:.1} {middle}H{bar:.1}"/>{end}{dot}</svg>"#,
        title = markup::text(said),
        x = at(median, target).0,
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_target_is_at_four_fifths_and_what_is_beyond_ends_open() {
        let (goal, over) = at(10.0, 10.0);
        assert!((goal - (4.0 + 96.0 * 0.8)).abs() < 1e-9 && !over, "{goal}");
        assert_eq!(at(99.0, 10.0), (WIDTH - 4.0, true));
        assert_eq!(at(-1.0, 10.0), (4.0, false));
        assert_eq!(at(1.0, 0.0), (4.0, false));
    }

    #[test]
    fn words_of_a_title_are_escaped() {
        let drawn = strip(1.0, 2.0, 3.0, 4.0, "<b>").0;
        assert!(drawn.contains("&#60;b&#62;") && !drawn.contains("<b>"), "{drawn}");
    }
}
