//! The Levey-Jennings chart: values in their order, mean, two and three deviations, and where a rule of Westgard is broken; and the same
//! small, in deviations. Limits are drawn as each point was held to them.

mod scale;

use std::fmt::Write as _;

use askama::filters::Safe;
use kentai_engine::qc::control::{Limits, Rule};

use self::scale::Scale;
use crate::page::markup::{self, Markup};
use crate::page::shape::Shape;

const WIDTH: f64 = 1376.0;
const HEIGHT: f64 = 372.0;
const LEFT: f64 = 60.0;
const RIGHT: f64 = 1226.0;
const TOP: f64 = 40.0;
const BOTTOM: f64 = 312.0;
/// Of a run on one side: how many points a bracket is long at least.
const RUN: usize = 10;
/// Dates under the axis.
const DATES: usize = 9;
/// Changes of the lot that are drawn.
const LOTS: usize = 8;
/// Labels are so far from each other at least.
const LINE: f64 = 15.0;

/// One point.
#[derive(Clone, Debug)]
pub(crate) struct Mark {
    pub(crate) value: f64,
    pub(crate) limits: Option<Limits>,
    pub(crate) broken: Vec<Rule>,
    /// As the axis shows it.
    pub(crate) date: String,
    /// May be empty.
    pub(crate) lot: String,
}

/// What a chart says in words.
pub(crate) struct Says<'a> {
    pub(crate) title: &'a str,
    pub(crate) description: &'a str,
    /// Over the points that give limits and are held to none.
    pub(crate) baseline: String,
    pub(crate) mean: &'a str,
    pub(crate) lot: &'a str,
    /// A round number at the axis.
    pub(crate) tick: &'a dyn Fn(f64) -> String,
}

/// The loudest rule of a point: the one whose name is drawn.
pub(crate) fn loudest(broken: &[Rule]) -> Option<Rule> {
    [Rule::OneThreeS, Rule::RFourS, Rule::TwoTwoS, Rule::TenX, Rule::OneTwoS]
        .into_iter()
        .find(|rule| broken.contains(rule))
}

/// The verdict of a rule, as a shape.
pub(crate) fn shape(rule: Rule) -> Shape {
    if rule.is_warning() { Shape::Warned } else { Shape::Failed }
}

/// The chart; `next`: what the next point is held to; `number` writes a value with its unit.
pub(crate) fn chart(marks: &[Mark], next: Option<Limits>, says: &Says<'_>, number: &dyn Fn(f64) -> String) -> Markup {
    let scale = Scale::new(&extent(marks, next), TOP, BOTTOM);
    let mut svg = format!(
        r#"<svg class="chart control-chart" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-labelledby="chart-title chart-desc"><title id="chart-title">{}</title><desc id="chart-desc">{}</desc>"#,
        markup::text(says.title),
        markup::text(says.description)
    );
    bands(&mut svg, marks, &scale);
    axes(&mut svg, marks, &scale, says.tick);
    baseline(&mut svg, marks, &says.baseline);
    points(&mut svg, marks, &scale);
    runs(&mut svg, marks, &scale);
    lots(&mut svg, marks, says.lot);
    right(&mut svg, marks, next, &scale, says.mean, number);
    svg.push_str("</svg>");
    Safe(svg)
}

/// Everything that must be seen.
fn extent(marks: &[Mark], next: Option<Limits>) -> Vec<f64> {
    let limits = marks.iter().filter_map(|mark| mark.limits).chain(next);
    let edges = limits.flat_map(|limits| [limits.mean - 3.0 * limits.deviation, limits.mean + 3.0 * limits.deviation]);
    marks.iter().map(|mark| mark.value).chain(edges).collect()
}

/// The place of a point from the left.
pub(crate) fn place(index: usize, count: usize) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "a place on a screen")]
    let (index, gaps) = (index as f64, count.saturating_sub(1).max(1) as f64);
    if count < 2 { f64::midpoint(LEFT, RIGHT) } else { LEFT + 12.0 + (RIGHT - LEFT - 24.0) * index / gaps }
}

/// Limits as a line at so many deviations, and where it begins.
fn line(marks: &[Mark], scale: &Scale, by: f64) -> Vec<(f64, f64)> {
    let count = marks.len();
    let with = marks.iter().enumerate().filter_map(|(at, mark)| Some((at, mark.limits?)));
    let mut line: Vec<(f64, f64)> =
        with.map(|(at, limits)| (place(at, count), scale.y(limits.mean + by * limits.deviation))).collect();
    // Out to both edges, where a point has them.
    if let (Some(first), Some(true)) = (line.first().copied(), marks.first().map(|mark| mark.limits.is_some())) {
        line.insert(0, (LEFT, first.1));
    }
    if let Some(last) = line.last().copied() {
        line.push((RIGHT, last.1));
    }
    line
}

fn path(points: &[(f64, f64)]) -> String {
    points.iter().enumerate().fold(String::new(), |mut path, (at, (x, y))| {
        // Writing to a string cannot fail.
        let _ = write!(path, "{}{x:.1} {y:.1}", if at == 0 { "M" } else { "L" });
        path
    })
}

fn bands(svg: &mut String, marks: &[Mark], scale: &Scale) {
    let upper = line(marks, scale, 2.0);
    let mut around = upper.clone();
    around.extend(line(marks, scale, -2.0).into_iter().rev());
    if around.is_empty() {
        return;
    }
    let _ = write!(svg, r#"<path class="fill-wash" d="{}z"/>"#, path(&around));
    for (by, class, width) in [
        (2.0, "warn dash", 1.25),
        (-2.0, "warn dash", 1.25),
        (3.0, "fail", 1.25),
        (-3.0, "fail", 1.25),
        (0.0, "ink", 1.25),
    ] {
        let _ = write!(svg, r#"<path class="{class}" stroke-width="{width}" d="{}"/>"#, path(&line(marks, scale, by)));
    }
}

fn axes(svg: &mut String, marks: &[Mark], scale: &Scale, number: &dyn Fn(f64) -> String) {
    for tick in scale.ticks() {
        let y = scale.y(tick);
        let _ = write!(svg, r#"<path class="edge" d="M{} {y:.1}h6"/>"#, LEFT - 8.0);
        let text = markup::text(number(tick));
        let _ = write!(
            svg,
            r#"<text class="second" x="{}" y="{:.1}" text-anchor="end">{text}</text>"#,
            LEFT - 14.0,
            y + 4.0
        );
    }
    let _ = write!(svg, r#"<path class="edge" d="M{LEFT} {BOTTOM}H{RIGHT}"/>"#);
    let every = marks.len().div_ceil(DATES).max(1);
    let half = every / 2;
    let mut before = "";
    for (at, mark) in marks.iter().enumerate().skip(half).step_by(every) {
        let x = place(at, marks.len());
        let _ = write!(svg, r#"<path class="edge" d="M{x:.1} {BOTTOM}v5"/>"#);
        // A day with several points is named once.
        if before != mark.date {
            let text = markup::text(&mark.date);
            let _ = write!(
                svg,
                r#"<text class="second" x="{x:.1}" y="{}" text-anchor="middle">{text}</text>"#,
                BOTTOM + 19.0
            );
        }
        before = &mark.date;
    }
}

fn baseline(svg: &mut String, marks: &[Mark], said: &str) {
    if said.is_empty() {
        return;
    }
    let _ = write!(svg, r#"<text class="second" x="{}" y="18">{}</text>"#, LEFT + 12.0, markup::text(said));
    if let Some(first) = marks.iter().position(|mark| mark.limits.is_some()).filter(|first| *first > 0) {
        dotted(svg, f64::midpoint(place(first - 1, marks.len()), place(first, marks.len())));
    }
}

fn dotted(svg: &mut String, x: f64) {
    let _ = write!(svg, r#"<path class="edge dots" d="M{x:.1} 8V{BOTTOM}"/>"#);
}

/// Values, joined; where a rule is broken the verdict's shape with the rule's name, and a ring around the partner.
fn points(svg: &mut String, marks: &[Mark], scale: &Scale) {
    let at = |index: usize| (place(index, marks.len()), scale.y(marks[index].value));
    let all: Vec<(f64, f64)> = (0..marks.len()).map(at).collect();
    let _ = write!(svg, r#"<path class="edge" d="{}"/>"#, path(&all));
    for (index, (mark, (x, y))) in marks.iter().zip(&all).enumerate() {
        let rule = loudest(&mark.broken).filter(|rule| *rule != Rule::TenX);
        let Some(rule) = rule else {
            let _ = write!(svg, r#"<circle class="fill-ink" cx="{x:.1}" cy="{y:.1}" r="3.2"/>"#);
            continue;
        };
        if let (Rule::RFourS | Rule::TwoTwoS, Some((x, y))) = (rule, index.checked_sub(1).and_then(|at| all.get(at))) {
            let _ = write!(svg, r#"<circle class="fail" stroke-width="1.25" cx="{x:.1}" cy="{y:.1}" r="6.5"/>"#);
        }
        let _ =
            write!(svg, r#"<rect class="fill-paper" x="{:.1}" y="{:.1}" width="15" height="15"/>"#, x - 7.5, y - 7.5);
        svg.push_str(&shape(rule).drawn(*x, *y, 12.0));
        // No room for its name: the table has it.
        if marks.iter().skip(index + 1).take(2).any(|next| !next.broken.is_empty()) {
            continue;
        }
        let (anchor, left) = if *x > RIGHT - 60.0 { ("end", x - 12.0) } else { ("start", x + 12.0) };
        let _ = write!(
            svg,
            r#"<text class="bold" x="{left:.1}" y="{:.1}" text-anchor="{anchor}">{}</text>"#,
            y + 4.0,
            rule.word()
        );
    }
}

/// Stretches of points on one side, from the first that the rule looked at to the last that broke it.
pub(crate) fn stretches(marks: &[Mark]) -> Vec<(usize, usize)> {
    let mut found: Vec<(usize, usize)> = Vec::new();
    for (at, _) in marks.iter().enumerate().filter(|(_, mark)| mark.broken.contains(&Rule::TenX)) {
        match found.last_mut() {
            Some((_, end)) if *end + 1 == at => *end = at,
            _ => found.push(((at + 1).saturating_sub(RUN), at)),
        }
    }
    found
}

fn runs(svg: &mut String, marks: &[Mark], scale: &Scale) {
    for (first, last) in stretches(marks) {
        let values = marks[first..=last].iter().map(|mark| scale.y(mark.value));
        // Under the lowest point on the screen, and over the axis.
        let y = (values.fold(TOP, f64::max) + 10.0).min(BOTTOM - 26.0);
        let (from, to) = (place(first, marks.len()) - 4.0, place(last, marks.len()) + 4.0);
        let middle = f64::midpoint(from, to);
        let _ = write!(svg, r#"<path class="fail" stroke-width="1.5" d="M{from:.1} {y:.1}v5H{to:.1}v-5"/>"#);
        svg.push_str(&shape(Rule::TenX).drawn(middle - 18.0, y + 17.0, 12.0));
        let word = Rule::TenX.word();
        let _ = write!(svg, r#"<text class="bold" x="{:.1}" y="{:.1}">{word}</text>"#, middle - 7.0, y + 21.0);
    }
}

/// Lots as bars under the axis; where one ends and another begins, a dotted line.
fn lots(svg: &mut String, marks: &[Mark], word: &str) {
    let changes = marks.windows(2).filter(|pair| pair[0].lot != pair[1].lot).count();
    // Lots of several instruments that take turns are no bar.
    if marks.iter().all(|mark| mark.lot.is_empty()) || changes > LOTS {
        return;
    }
    let y = BOTTOM + 34.0;
    let _ = write!(
        svg,
        r#"<text class="second" x="{}" y="{}" text-anchor="end">{}</text>"#,
        LEFT - 14.0,
        y + 4.0,
        markup::text(word)
    );
    let mut from = 0;
    while from < marks.len() {
        let lot = &marks[from].lot;
        let same = marks[from..].iter().take_while(|mark| mark.lot == *lot).count();
        let to = from + same - 1;
        let newest = if to + 1 == marks.len() { "ink" } else { "edge" };
        if !lot.is_empty() {
            let (left, right) = (place(from, marks.len()), place(to, marks.len()).max(place(from, marks.len()) + 2.0));
            let _ = write!(svg, r#"<path class="{newest}" stroke-width="2" d="M{left:.1} {y}H{right:.1}"/>"#);
            let _ = write!(svg, r#"<text class="second" x="{left:.1}" y="{}">{}</text>"#, y + 17.0, markup::text(lot));
            if from > 0 {
                let x = f64::midpoint(place(from - 1, marks.len()), left);
                dotted(svg, x);
                let (anchor, x) = if x > RIGHT - 90.0 { ("end", x - 6.0) } else { ("start", x + 6.0) };
                let (word, lot) = (markup::text(word), markup::text(lot));
                let _ =
                    write!(svg, r#"<text class="second" x="{x:.1}" y="18" text-anchor="{anchor}">{word} {lot}</text>"#);
            }
        }
        from += same;
    }
}

/// All values as ticks, and the limits of the next point with their numbers.
fn right(
    svg: &mut String,
    marks: &[Mark],
    next: Option<Limits>,
    scale: &Scale,
    mean: &str,
    number: &dyn Fn(f64) -> String,
) {
    for mark in marks {
        let _ = write!(svg, r#"<path class="edge" d="M{} {:.1}h14"/>"#, RIGHT + 8.0, scale.y(mark.value));
    }
    let Some(Limits { mean: middle, deviation }) = next else { return };
    let names = [(3.0, "+3 SD"), (2.0, "+2 SD"), (0.0, mean), (-2.0, "−2 SD"), (-3.0, "−3 SD")];
    let mut lowest = f64::MIN;
    for (by, name) in names {
        let value = middle + by * deviation;
        let y = scale.y(value).max(lowest + LINE);
        lowest = y;
        let (name, value) = (markup::text(name), markup::text(number(value)));
        let _ = write!(svg, r#"<text class="second" x="{}" y="{:.1}">{name}</text>"#, RIGHT + 36.0, y + 4.0);
        let _ = write!(svg, r#"<text x="{WIDTH}" y="{:.1}" text-anchor="end">{value}</text>"#, y + 4.0);
    }
}

const SMALL_WIDTH: f64 = 416.0;
const SMALL_HEIGHT: f64 = 68.0;
/// Deviations that the small chart shows up and down; what is beyond lies on its edge.
const SMALL_REACH: f64 = 3.6;

fn small_y(score: f64) -> f64 {
    SMALL_HEIGHT / 2.0 - score.clamp(-SMALL_REACH, SMALL_REACH) / SMALL_REACH * (SMALL_HEIGHT / 2.0 - 7.0)
}

/// The same small: each value in deviations from its own mean.
pub(crate) fn small(points: &[(Option<f64>, Vec<Rule>)], title: &str) -> Markup {
    let (band_top, band) = (small_y(2.0), small_y(-2.0) - small_y(2.0));
    let mut svg = format!(
        r#"<svg class="chart" viewBox="0 0 {SMALL_WIDTH} {SMALL_HEIGHT}" role="img"><title>{}</title><rect class="fill-wash" x="0" y="{band_top:.1}" width="{SMALL_WIDTH}" height="{band:.1}"/><path class="fail" d="M0 {:.1}H{SMALL_WIDTH}M0 {:.1}H{SMALL_WIDTH}"/><path class="edge" d="M0 {:.1}H{SMALL_WIDTH}"/>"#,
        markup::text(title),
        small_y(3.0),
        small_y(-3.0),
        small_y(0.0),
    );
    #[expect(clippy::cast_precision_loss, reason = "a place on a screen")]
    let x = |at: usize| 4.0 + (SMALL_WIDTH - 12.0) * at as f64 / points.len().saturating_sub(1).max(1) as f64;
    let scored = points.iter().enumerate().filter_map(|(at, (score, rules))| Some((x(at), small_y((*score)?), rules)));
    let scored: Vec<(f64, f64, &Vec<Rule>)> = scored.collect();
    let line: Vec<(f64, f64)> = scored.iter().map(|(x, y, _)| (*x, *y)).collect();
    let _ = write!(svg, r#"<path class="ink" d="{}"/>"#, path(&line));
    for (x, y, rules) in &scored {
        if let Some(rule) = loudest(rules).filter(|rule| !rule.is_warning() && *rule != Rule::TenX) {
            svg.push_str(&shape(rule).drawn(*x, *y, 10.0));
        }
    }
    if let Some((x, y, _)) = scored.last() {
        let _ = write!(svg, r#"<circle class="fill-ink" cx="{x:.1}" cy="{y:.1}" r="3.2"/>"#);
    }
    svg.push_str("</svg>");
    Safe(svg)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mark(value: f64, broken: &[Rule]) -> Mark {
        let limits = Some(Limits { mean: 31.0, deviation: 0.5 });
        Mark { value, limits, broken: broken.to_vec(), date: "1 Nov".into(), lot: String::new() }
    }

    fn says(title: &str) -> Says<'_> {
        Says {
            title,
            description: "",
            baseline: String::new(),
            mean: "mean",
            lot: "lot",
            tick: &|value| format!("{value}<s>"),
        }
    }

    #[test]
    fn the_first_and_the_last_point_lie_inside_the_frame() {
        assert!(place(0, 60) > LEFT && place(59, 60) < RIGHT);
        assert!((place(0, 1) - f64::midpoint(LEFT, RIGHT)).abs() < 1e-9);
        assert!(place(1, 3) > place(0, 3));
    }

    #[test]
    fn a_stretch_begins_ten_points_before_its_first_breach_and_ends_with_its_last() {
        let mut marks: Vec<Mark> = (0..30).map(|_| mark(31.2, &[])).collect();
        for at in [14, 15, 16, 29] {
            marks[at].broken = vec![Rule::TenX];
        }
        assert_eq!(stretches(&marks), [(5, 16), (20, 29)]);
    }

    #[test]
    fn the_loudest_rule_names_the_point_and_only_a_warning_is_a_triangle() {
        assert_eq!(loudest(&[Rule::OneTwoS, Rule::OneThreeS]), Some(Rule::OneThreeS));
        assert_eq!(loudest(&[Rule::OneTwoS, Rule::TenX]), Some(Rule::TenX));
        assert_eq!(loudest(&[]), None);
        assert_eq!((shape(Rule::OneTwoS), shape(Rule::TenX)), (Shape::Warned, Shape::Failed));
    }

    #[test]
    fn nothing_from_data_breaks_out_of_the_drawing() {
        let mut one = mark(31.2, &[Rule::TwoTwoS]);
        one.lot = "<script>".into();
        one.date = "\"><b>".into();
        let drawn = chart(&[mark(31.0, &[]), one], None, &says("<i>"), &|value| format!("{value}<u>")).0;
        assert!(!["<script>", "<b>", "<i>", "<u>", "<s>"].iter().any(|tag| drawn.contains(tag)), "{drawn}");
        assert!(drawn.contains("2-2s") && drawn.contains("s-failed"));
    }

    #[test]
    fn labels_at_the_right_never_lie_on_each_other() {
        let marks = [mark(10.0, &[]), mark(90.0, &[])];
        let next = Some(Limits { mean: 31.0, deviation: 0.1 });
        let drawn = chart(&marks, next, &says("t"), &|value| format!("v{value:.1}")).0;
        let before = format!(r#"<text x="{WIDTH}" y=""#);
        let texts = drawn.split(&before).skip(1);
        let places: Vec<f64> = texts.filter_map(|text| text.split('"').next()?.parse().ok()).collect();
        assert_eq!(places.len(), 5);
        assert!(places.windows(2).all(|pair| pair[1] - pair[0] >= LINE - 0.11), "{places:?}");
    }

    #[test]
    fn what_is_beyond_the_small_chart_lies_on_its_edge() {
        assert!(small_y(99.0) > 0.0 && small_y(-99.0) < SMALL_HEIGHT);
        assert!(small_y(1.0) < small_y(0.0));
        let drawn = small(&[(None, vec![]), (Some(4.0), vec![Rule::OneThreeS]), (Some(0.0), vec![])], "N-01").0;
        assert!(drawn.contains("s-failed") && drawn.contains("N-01"));
    }
}
