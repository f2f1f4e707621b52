//! A bar of shares: what is used, up to what there is.

use std::fmt::Write as _;

use askama::filters::Safe;

use crate::page::markup::{self, Markup};

const WIDTH: f64 = 160.0;
const HEIGHT: f64 = 12.0;

/// Where a share of the whole ends.
fn end(part: u64, whole: u64) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "a place on a screen")]
    let share = if whole == 0 { 0.0 } else { part as f64 / whole as f64 };
    share.min(1.0) * WIDTH
}

/// `part` of `whole`; `title` says it in words.
pub(crate) fn bar(part: u64, whole: u64, title: &str) -> Markup {
    let mut svg = format!(
        r#"<svg class="chart share-bar" viewBox="0 0 {WIDTH} {HEIGHT}" role="img"><title>{}</title>"#,
        markup::text(title)
    );
    // Writing to a string cannot fail.
    let _ = write!(
        svg,
        r#"<path class="edge" d="M0 9H{WIDTH}"/><path class="accent" stroke-width="4" d="M0 6H{:.1}"/>"#,
        end(part, whole)
    );
    svg.push_str("</svg>");
    Safe(svg)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_ends_inside_whatever_is_said() {
        assert!((end(1, 2) - WIDTH / 2.0).abs() < 1e-9);
        assert!((end(3, 2) - WIDTH).abs() < 1e-9);
        assert!(end(3, 0).abs() < 1e-9);
    }

    #[test]
    fn its_title_is_escaped() {
        assert!(!bar(1, 2, "<b>").0.contains("<b>"));
    }
}
