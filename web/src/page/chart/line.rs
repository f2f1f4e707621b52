//! The line: stations with counts above and names below, segments as thick as what moved on, sidings on hooks, the ends under the last.
//! Lying as one drawing, upright as a list whose rail is drawn row by row.

use std::fmt::Write;

use askama::filters::Safe;

use crate::page::markup::{Markup, text};
use crate::page::shape::Shape;

/// How the drawing is measured.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Measure {
    /// All of it.
    pub(crate) width: f64,
    pub(crate) height: f64,
    /// The first station, and the last.
    pub(crate) first: f64,
    pub(crate) last: f64,
    /// The count's baseline, the rail, the name's baseline, the age's.
    pub(crate) count: f64,
    pub(crate) rail: f64,
    pub(crate) name: f64,
    pub(crate) age: f64,
    /// Where a siding's count stands, and from line to line below it.
    pub(crate) siding: f64,
    pub(crate) step: f64,
    /// Of the busiest segment; of a station's ring; of a shape; of a digit of a count.
    pub(crate) thick: f64,
    pub(crate) ring: f64,
    pub(crate) shape: f64,
    pub(crate) digit: f64,
    /// "2 stuck" stands beside the count, or below the age.
    pub(crate) stuck_beside: bool,
    /// Of a letter of a name, where stations have as much room as their names need; none: as much as the next.
    pub(crate) letter: Option<f64>,
}

/// On a page that is 1376 wide.
pub(crate) const PAGE: Measure = Measure {
    width: 1376.0,
    height: 139.0,
    first: 6.0,
    last: 1284.0,
    count: 21.0,
    rail: 38.0,
    name: 61.0,
    age: 77.0,
    siding: 99.0,
    step: 15.5,
    thick: 10.0,
    ring: 4.8,
    shape: 12.0,
    digit: 13.4,
    stuck_beside: true,
    letter: None,
};

/// On a wall.
pub(crate) const WALL: Measure = Measure {
    width: 1792.0,
    height: 322.0,
    first: 14.0,
    last: 1620.0,
    count: 62.0,
    rail: 100.0,
    name: 150.0,
    age: 180.0,
    siding: 258.0,
    step: 29.0,
    thick: 24.0,
    ring: 11.0,
    shape: 22.0,
    digit: 37.0,
    stuck_beside: false,
    letter: Some(15.5),
};

/// A stage at the line.
#[derive(Clone, Debug)]
pub(crate) struct Stop {
    /// A `|` is where the name may break.
    pub(crate) name: &'static str,
    pub(crate) href: String,
    pub(crate) count: String,
    /// How old the middle one is; empty when there is none.
    pub(crate) age: String,
    /// `2 stuck`, and where they are listed.
    pub(crate) stuck: Option<(String, String)>,
    /// Of those that moved on within a day, the share of the busiest; none of the last.
    pub(crate) moved: f64,
    pub(crate) moved_said: String,
    pub(crate) sidings: Vec<Siding>,
}

/// A stage beside it.
#[derive(Clone, Debug)]
pub(crate) struct Siding {
    pub(crate) shape: Shape,
    pub(crate) name: &'static str,
    pub(crate) href: String,
    pub(crate) count: String,
}

/// A way off the line.
#[derive(Clone, Debug)]
pub(crate) struct End {
    pub(crate) name: &'static str,
    pub(crate) href: String,
    pub(crate) count: String,
}

/// The whole line, in words.
#[derive(Clone, Debug)]
pub(crate) struct Line {
    pub(crate) title: String,
    pub(crate) describes: String,
    pub(crate) stops: Vec<Stop>,
    pub(crate) ends: Vec<End>,
}

/// How thick a segment is: never under 1.5, whatever moved.
fn thickness(share: f64, thick: f64) -> f64 {
    (share.clamp(0.0, 1.0) * thick).max(1.5)
}

/// A number of the page; `y` is of little meaning beyond a tenth.
fn n(number: f64) -> String {
    let text = format!("{number:.1}");
    text.strip_suffix(".0").map_or(text.clone(), str::to_owned)
}

fn link(href: &str, inside: &str) -> String {
    if href.is_empty() { inside.to_owned() } else { format!(r#"<a href="{}">{inside}</a>"#, text(href)) }
}

#[expect(clippy::cast_precision_loss, reason = "a dozen stations, names of a few letters")]
impl Line {
    fn x(&self, at: usize, of: &Measure) -> f64 {
        let last = self.stops.len().saturating_sub(1);
        let rooms: Vec<f64> = self.stops.iter().take(last).map(|stop| room(stop, of)).collect();
        let all: f64 = rooms.iter().sum();
        of.first + (of.last - of.first) * rooms.iter().take(at).sum::<f64>() / all.max(1.0)
    }

    /// Lying; `id` tells the drawing's own names from others.
    pub(crate) fn lying(&self, of: &Measure, id: &str) -> Markup {
        let mut svg = format!(
            r#"<svg viewBox="0 0 {} {}" role="group" aria-labelledby="{id}-title {id}-describes"><title id="{id}-title">{}</title><desc id="{id}-describes">{}</desc>"#,
            n(of.width),
            n(of.height),
            text(&self.title),
            text(&self.describes)
        );
        for (at, stop) in self.stops.iter().enumerate().take(self.stops.len().saturating_sub(1)) {
            let (from, to, y) = (n(self.x(at, of)), n(self.x(at + 1, of)), n(of.rail));
            let (width, dash) = (n(thickness(stop.moved, of.thick)), if stop.moved > 0.0 { "" } else { " dash" });
            _ = write!(
                svg,
                r#"<path class="track{dash}" stroke-width="{width}" d="M{from} {y}H{to}"><title>{}</title></path>"#,
                text(&stop.moved_said)
            );
        }
        for (at, stop) in self.stops.iter().enumerate() {
            self.stop(&mut svg, stop, self.x(at, of), of);
        }
        let x = self.x(self.stops.len().saturating_sub(1), of) - of.ring;
        for (row, end) in self.ends.iter().enumerate() {
            let y = n(of.siding + of.step * row as f64);
            let said = format!(
                r#"<text x="{}" y="{y}"><tspan class="bold">{}</tspan> <tspan class="second">{}</tspan></text>"#,
                n(x),
                text(&end.count),
                text(end.name)
            );
            svg += &link(&end.href, &said);
        }
        svg += "</svg>";
        Safe(svg)
    }

    fn stop(&self, svg: &mut String, stop: &Stop, x: f64, of: &Measure) {
        let left = x - of.ring - 0.5;
        let count = format!(r#"<text class="count" x="{}" y="{}">{}</text>"#, n(left), n(of.count), text(&stop.count));
        *svg += &link(&stop.href, &count);
        if let Some((said, href)) = &stop.stuck {
            let wide = stop.count.chars().map(|digit| if digit == ',' { 0.5 } else { 1.0 }).sum::<f64>() * of.digit;
            let (x, y, class) =
                if of.stuck_beside { (left + wide + 8.0, of.count, "minor") } else { (left, of.age + of.step, "bold") };
            let said = format!(r#"<text class="{class}" x="{}" y="{}">{}</text>"#, n(x), n(y), text(said));
            *svg += &link(href, &said);
            let half = of.ring * 1.45;
            _ = write!(
                svg,
                r#"<path class="stuck" d="M{0} {1}l{2} {2}-{2} {2}-{2}-{2}z"/>"#,
                n(x_of(left, of)),
                n(of.rail - half),
                n(half)
            );
        } else {
            _ = write!(svg, r#"<circle class="station" cx="{}" cy="{}" r="{}"/>"#, n(x), n(of.rail), n(of.ring));
        }
        let name = stop.name.replace('|', "");
        _ = write!(svg, r#"<text class="name" x="{}" y="{}">{}</text>"#, n(left), n(of.name), text(name));
        _ = write!(svg, r#"<text class="minor" x="{}" y="{}">{}</text>"#, n(left), n(of.age), text(&stop.age));
        let mut y = of.siding;
        for siding in &stop.sidings {
            let (from, to) = (x + of.ring * 0.2, left + of.shape * 1.25);
            _ = write!(
                svg,
                r#"<path class="hook" d="M{} {}V{}q0 4 4 4H{}"/>"#,
                n(from),
                n(y - of.step),
                n(y - of.shape * 0.33 - 4.0),
                n(to - of.shape * 0.25)
            );
            let wide = siding.count.len() as f64 * of.digit * if of.stuck_beside { 0.62 } else { 0.5 };
            let drawn = siding.shape.drawn(to + wide + of.shape * 0.9, y - of.shape * 0.36, of.shape);
            let mut said = format!(
                r#"<text class="bold siding" x="{}" y="{}">{}</text>{drawn}"#,
                n(to),
                n(y),
                text(&siding.count)
            );
            for part in siding.name.split('|') {
                y += of.step;
                _ = write!(said, r#"<text class="second" x="{}" y="{}">{}</text>"#, n(to), n(y), text(part.trim()));
            }
            *svg += &link(&siding.href, &said);
            y += of.step;
        }
    }

    /// The rail of each row of the upright list, in the list's order: each stop, then its sidings.
    pub(crate) fn rails(&self) -> Vec<Vec<Markup>> {
        let thick = |at: usize| self.stops.get(at).map_or(0.0, |stop| thickness(stop.moved * 0.8, PAGE.thick));
        let rows = self.stops.iter().enumerate().map(|(at, stop)| {
            let (above, last) = (at.checked_sub(1).map(thick), at + 1 == self.stops.len());
            let below = (!last).then(|| thick(at));
            let ring = if stop.stuck.is_some() {
                r#"<path class="stuck" d="M9 10.5l7.5 7.5L9 25.5 1.5 18z"/>"#
            } else {
                r#"<circle class="station" cx="9" cy="18" r="5"/>"#
            };
            let mut rails = vec![rail(above, below, ring)];
            for _ in &stop.sidings {
                rails.push(rail(below, below, r#"<path class="hook" d="M19 0v14q0 4 4 4h5"/>"#));
            }
            rails
        });
        rows.collect()
    }
}

/// How much room a station needs until the next.
#[expect(clippy::cast_precision_loss, reason = "names of a few letters")]
fn room(stop: &Stop, of: &Measure) -> f64 {
    let Some(letter) = of.letter else { return 1.0 };
    // A Han letter is as wide as two others.
    let letters: usize = stop.name.chars().map(|one| if one.is_ascii() { 1 } else { 2 }).sum();
    (letters as f64 * letter).max(stop.count.len() as f64 * of.digit) + letter
}

fn x_of(left: f64, of: &Measure) -> f64 {
    left + of.ring + 0.5
}

fn rail(above: Option<f64>, below: Option<f64>, mark: &str) -> Markup {
    let part = |width: Option<f64>, way: &str| {
        width.map(|width| format!(r#"<path class="track" stroke-width="{}" d="{way}"/>"#, n(width))).unwrap_or_default()
    };
    Safe(format!(
        r#"<svg class="rail" viewBox="0 0 30 36" aria-hidden="true">{}{}{mark}</svg>"#,
        part(above, "M9 0V18"),
        part(below, "M9 18V36")
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stop(name: &'static str, moved: f64) -> Stop {
        let href = "/order-lines?stage=x&stuck=1".to_owned();
        let siding = Siding { shape: Shape::Failed, name: "Sequence|QC failed", href: href.clone(), count: "4".into() };
        Stop {
            name,
            href: href.clone(),
            count: "3,318".into(),
            age: "4 d".into(),
            stuck: (moved > 0.5).then(|| ("2 stuck".into(), href)),
            moved,
            moved_said: String::new(),
            sidings: vec![siding],
        }
    }

    fn line() -> Line {
        let stops = vec![stop("A", 1.0), stop("<B>", 0.0), stop("C", 0.1)];
        Line { title: "t".into(), describes: "d".into(), stops, ends: Vec::new() }
    }

    #[test]
    fn a_segment_is_as_thick_as_what_moved_and_never_thinner_than_a_hair() {
        assert_eq!([1.0, 0.5, 0.0, 7.0].map(|share| thickness(share, 10.0)), [10.0, 5.0, 1.5, 10.0]);
    }

    #[test]
    fn the_first_and_the_last_station_lie_at_the_ends_and_nothing_moved_is_dashed() {
        let line = line();
        assert_eq!((line.x(0, &PAGE), line.x(2, &PAGE)), (PAGE.first, PAGE.last));
        let drawn = line.lying(&PAGE, "line").0;
        assert_eq!(drawn.matches("track dash").count(), 1);
        assert_eq!(drawn.matches(r#"class="stuck""#).count(), 1);
        assert!(drawn.contains("&#60;B&#62;") && !drawn.contains("<B>"));
        assert!(drawn.contains("stage=x&#38;stuck=1"));
    }

    #[test]
    fn the_upright_rail_has_a_row_for_each_stop_and_each_siding() {
        let rails = line().rails();
        assert_eq!(rails.iter().map(Vec::len).collect::<Vec<_>>(), [2, 2, 2]);
        assert_eq!(rails[0][0].0.matches("track").count(), 1, "nothing comes before the first");
    }
}
