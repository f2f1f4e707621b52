//! The timeline of a run: a row for each step, a bar for each attempt, now as a line, and for what the rest waits.
//!
//! Times come as microseconds and labels as words: it knows neither zone nor language.

use std::fmt::Write as _;

use askama::filters::Safe;

use super::width;
use crate::page::markup::{self, Markup};
use crate::page::shape::Shape;

const ROOM: f64 = 1376.0;
/// Where bars begin; names stand before.
const LEFT: f64 = 150.0;
/// Where bars end; durations stand behind.
const RIGHT: f64 = 1270.0;
/// Left of it is what happened, when something is still to come: words about that stand behind.
const NOW_MAX: f64 = 1096.0;
const HEAD: f64 = 26.0;
/// A row is at least so high.
const ROW: f64 = 20.0;
const LANE: f64 = 5.5;
/// Nothing that happened is thinner than this.
const BAR_MIN: f64 = 2.0;

/// How a bar is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Done,
    Running,
    Failed,
    /// It waits to be tried again.
    Again,
}

/// One attempt.
#[derive(Clone, Debug)]
pub(crate) struct Bar {
    pub(crate) from: i64,
    pub(crate) to: i64,
    pub(crate) kind: Kind,
}

/// One step.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    pub(crate) name: String,
    pub(crate) href: String,
    pub(crate) bars: Vec<Bar>,
    /// A verdict: when, which, and its words.
    pub(crate) mark: Option<(i64, Shape, String)>,
    /// For what it waits.
    pub(crate) waits: String,
    /// How long it took.
    pub(crate) took: String,
}

/// All of it.
#[derive(Debug)]
pub(crate) struct Timeline {
    pub(crate) title: String,
    pub(crate) description: String,
    pub(crate) from: i64,
    pub(crate) to: i64,
    /// Its label, when the run has not ended; it is at `to`.
    pub(crate) now: Option<String>,
    /// When, and how it is called.
    pub(crate) ticks: Vec<(i64, String)>,
    pub(crate) rows: Vec<Row>,
}

impl Timeline {
    fn x(&self, at: i64) -> f64 {
        let end = if self.now.is_some() { NOW_MAX } else { RIGHT };
        let share = float(at - self.from) / float((self.to - self.from).max(1));
        LEFT + share.clamp(0.0, 1.2) * (end - LEFT)
    }

    /// Where the axis ends, in microseconds.
    fn end(&self) -> i64 {
        if self.now.is_none() {
            return self.to;
        }
        let more = (RIGHT - NOW_MAX) / (NOW_MAX - LEFT);
        #[expect(clippy::cast_possible_truncation, reason = "a part of a time that fits")]
        let more = (float(self.to - self.from) * more) as i64;
        self.to + more
    }
}

/// Distances between ticks, in seconds.
const STEPS: [i64; 19] =
    [1, 2, 5, 10, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 10_800, 21_600, 43_200, 86_400, 172_800, 604_800];

/// Seconds between ticks, so that at most ten of them fit into so many microseconds.
pub(crate) fn step(span_us: i64) -> i64 {
    let span = span_us / 1_000_000;
    STEPS.into_iter().find(|step| span / step <= 9).unwrap_or(span / 9)
}

/// Round times between two, `ahead` seconds before UTC; in microseconds.
pub(crate) fn ticks(from: i64, to: i64, ahead: i64) -> Vec<i64> {
    let step = step(to - from) * 1_000_000;
    let ahead = ahead * 1_000_000;
    let first = (from + ahead).div_euclid(step) * step - ahead;
    let all = std::iter::successors(Some(first), |at| Some(at + step));
    all.skip_while(|at| *at < from).take_while(|at| *at <= to).take(32).collect()
}

/// Until when a timeline over this span is labelled.
pub(crate) fn axis_end(from: i64, to: i64, open: bool) -> i64 {
    let probe = Timeline {
        title: String::new(),
        description: String::new(),
        from,
        to,
        now: open.then(String::new),
        ticks: Vec::new(),
        rows: Vec::new(),
    };
    probe.end()
}

/// As SVG.
pub(crate) fn svg(line: &Timeline) -> Markup {
    let laid: Vec<(f64, Vec<usize>)> = line.rows.iter().map(|row| lanes(&row.bars)).collect();
    let height = HEAD + laid.iter().map(|(high, _)| high).sum::<f64>() + 1.0;
    let (title, description) = (markup::text(&line.title), markup::text(&line.description));
    let mut out = format!(
        "<svg class=\"chart timeline\" role=\"group\" aria-label=\"{title}\" width=\"{ROOM}\" height=\"{height:.0}\" \
         viewBox=\"0 0 {ROOM} {height:.0}\"><title>{title}</title><desc>{description}</desc>"
    );
    let now = line.now.as_ref().map(|label| (line.x(line.to), label));
    for (at, label) in &line.ticks {
        let x = line.x(*at);
        let crowded = now.as_ref().is_some_and(|(now, _)| (now - x).abs() < 46.0);
        let _ = write!(out, "<path class=\"hair\" d=\"M{x:.1} {HEAD}V{height:.0}\"/>");
        if !crowded {
            let _ = write!(
                out,
                "<text class=\"second\" text-anchor=\"middle\" x=\"{x:.1}\" y=\"14\">{}</text>",
                markup::text(label)
            );
        }
    }
    let mut y = HEAD;
    for (row, (high, lanes)) in line.rows.iter().zip(&laid) {
        out.push_str(&drawn(line, row, (y, *high), lanes));
        y += high;
    }
    let _ = write!(out, "<path class=\"hair\" d=\"M0 {y:.1}H{ROOM}\"/>");
    if let Some((x, label)) = now {
        let _ = write!(
            out,
            "<text class=\"bold\" text-anchor=\"middle\" x=\"{x:.1}\" y=\"14\">{}</text><path class=\"ink\" d=\"M{x:.1} {:.1}V{height:.0}\"/>",
            markup::text(label),
            HEAD - 4.0
        );
    }
    out.push_str("</svg>");
    Safe(out)
}

/// How high a row is, and in which lane each bar lies: the first in which nothing is in its way.
fn lanes(bars: &[Bar]) -> (f64, Vec<usize>) {
    let mut ends: Vec<i64> = Vec::new();
    let mut order: Vec<usize> = (0..bars.len()).collect();
    order.sort_by_key(|index| bars[*index].from);
    let mut lanes = vec![0; bars.len()];
    for index in order {
        let bar = &bars[index];
        let lane = ends.iter().position(|end| *end <= bar.from).unwrap_or(ends.len());
        if lane == ends.len() {
            ends.push(bar.to);
        } else {
            ends[lane] = bar.to;
        }
        lanes[index] = lane;
    }
    (ROW.max(whole(ends.len()) * LANE + 8.0), lanes)
}

fn drawn(line: &Timeline, row: &Row, (y, high): (f64, f64), lanes: &[usize]) -> String {
    let middle = y + high / 2.0;
    let mut out = format!("<path class=\"hair\" d=\"M0 {y:.1}H{ROOM}\"/>");
    let text_y = middle + 4.5;
    let _ = write!(
        out,
        "<a href=\"{}\"><text class=\"name\" x=\"0\" y=\"{text_y:.1}\">{}</text></a>",
        markup::text(&row.href),
        markup::text(super::fitted(&row.name, LEFT - 12.0, 13.0))
    );
    let used = lanes.iter().max().map_or(0, |lane| lane + 1);
    let bar_height = if used <= 1 { 8.0 } else { 4.0 };
    let top = middle - whole(used.max(1)) * LANE / 2.0 + (LANE - 4.0) / 2.0;
    let top = if used <= 1 { middle - 4.0 } else { top };
    let mut end = LEFT;
    for (bar, lane) in row.bars.iter().zip(lanes) {
        let (from, to) = (line.x(bar.from), line.x(bar.to));
        let (at, wide) = (top + whole(*lane) * LANE, (to - from).max(BAR_MIN));
        end = end.max(from + wide);
        let _ = match bar.kind {
            Kind::Again => {
                write!(out, "<path class=\"again\" d=\"M{from:.1} {:.1}h{wide:.1}\"/>", at + bar_height / 2.0)
            }
            kind => write!(
                out,
                "<rect class=\"{}\" x=\"{from:.1}\" y=\"{at:.1}\" width=\"{wide:.1}\" height=\"{bar_height}\"/>",
                class(kind)
            ),
        };
    }
    if let Some((at, shape, words)) = &row.mark {
        out.push_str(&marked(
            (line.x(*at).max(end + if row.bars.is_empty() { 0.0 } else { 12.0 }), middle),
            *shape,
            words,
        ));
    }
    if !row.waits.is_empty() {
        let x = line.x(line.to) + 12.0;
        out.push_str(&Shape::Waiting.drawn(x, middle, 9.0));
        let _ = write!(
            out,
            "<text class=\"second\" x=\"{:.1}\" y=\"{text_y:.1}\">{}</text>",
            x + 12.0,
            markup::text(&row.waits)
        );
    }
    let _ = write!(
        out,
        "<text class=\"second\" text-anchor=\"end\" x=\"{ROOM}\" y=\"{text_y:.1}\">{}</text>",
        markup::text(&row.took)
    );
    out
}

/// A shape with its words on the side where there is room.
fn marked((x, y): (f64, f64), shape: Shape, words: &str) -> String {
    let fits = x + 14.0 + width(words, 12.0) < RIGHT;
    let (anchor, at) = if fits { ("start", x + 12.0) } else { ("end", x - 12.0) };
    format!(
        "{}<text text-anchor=\"{anchor}\" x=\"{at:.1}\" y=\"{:.1}\">{}</text>",
        shape.drawn(x, y, 11.0),
        y + 4.5,
        markup::text(words)
    )
}

fn class(kind: Kind) -> &'static str {
    match kind {
        Kind::Done => "fill-done",
        Kind::Running => "fill-accent",
        Kind::Failed | Kind::Again => "fill-failed",
    }
}

#[expect(clippy::cast_precision_loss, reason = "pixels")]
fn float(number: i64) -> f64 {
    number as f64
}

#[expect(clippy::cast_precision_loss, reason = "a few lanes")]
fn whole(number: usize) -> f64 {
    number as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: i64 = 60_000_000;

    fn bar(from: i64, to: i64) -> Bar {
        Bar { from, to, kind: Kind::Done }
    }

    #[test]
    fn bars_that_overlap_lie_in_lanes_and_others_follow_each_other() {
        assert_eq!(lanes(&[bar(0, 5), bar(2, 8), bar(5, 9)]).1, [0, 1, 0]);
        assert!(lanes(&[]).0 >= ROW);
        let many: Vec<Bar> = (0..24).map(|_| bar(0, 9)).collect();
        assert!(lanes(&many).0 > 24.0 * 5.0);
    }

    #[test]
    fn ticks_are_round_in_the_sites_zone_and_few() {
        let nine_hours = 9 * 3600;
        let found = ticks(10 * MINUTE, 10 * MINUTE + 300 * MINUTE, nine_hours);
        assert!(found.len() >= 4 && found.len() <= 10, "{found:?}");
        assert!(found.iter().all(|at| (at / 1_000_000 + nine_hours) % 1800 == 0));
        assert_eq!(step(0), 1);
        assert!(ticks(0, 3, 0).len() <= 2);
        assert!(ticks(0, 400 * 1440 * MINUTE, 0).len() <= 60);
    }

    #[test]
    fn what_is_over_fills_the_axis_and_what_goes_on_leaves_room_for_words() {
        let line = |now: Option<&str>| Timeline {
            title: String::new(),
            description: String::new(),
            from: 0,
            to: 100,
            now: now.map(str::to_owned),
            ticks: Vec::new(),
            rows: Vec::new(),
        };
        assert!((line(None).x(100) - RIGHT).abs() < 0.01);
        assert!((line(Some("09:42")).x(100) - NOW_MAX).abs() < 0.01);
        assert!(line(Some("09:42")).end() > 100);
        assert!((line(None).x(-5) - LEFT).abs() < 0.01, "nothing is drawn before the beginning");
    }

    #[test]
    fn words_from_a_gate_are_escaped_and_stay_inside() {
        let near = marked((1200.0, 9.0), Shape::Warned, "<q30> 83.1 %, warn below 85");
        assert!(near.contains("text-anchor=\"end\"") && !near.contains("<q30>"), "{near}");
    }
}
