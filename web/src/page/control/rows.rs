//! Rows of a chart's table twin, and decisions in words.

use kentai_engine::view::center::control::{Control, Point, Said};

use super::words::Words;
use crate::page::chart::control as drawing;
use crate::page::say::Say;
use crate::page::shape::{Shape, State as Shown};
use crate::page::shell::Shell;

/// One point as a row.
pub(super) struct Row {
    pub(super) id: String,
    pub(super) at: String,
    pub(super) thing: String,
    pub(super) href: String,
    pub(super) of: String,
    pub(super) lot: String,
    pub(super) instrument: String,
    pub(super) value: String,
    pub(super) score: String,
    pub(super) rules: String,
    pub(super) verdict: Shown,
    pub(super) said: Vec<Decided>,
    /// Where somebody decides about it, when nobody has.
    pub(super) decide: Option<String>,
}

/// A decision.
pub(super) struct Decided {
    pub(super) text: String,
    pub(super) href: Option<String>,
    /// It waits for somebody.
    pub(super) open: Option<Shown>,
}

/// The newest first, then earlier ones that break more than a warning; or all.
pub(super) fn shown(found: &Control, all: bool, rows: usize) -> Vec<&Point> {
    let newest = found.points.iter().rev();
    if all || found.points.len() <= rows {
        return newest.collect();
    }
    let (mut shown, earlier): (Vec<&Point>, Vec<&Point>) = {
        let newest: Vec<&Point> = newest.collect();
        let (first, rest) = newest.split_at(rows * 2 / 3);
        (first.to_vec(), rest.to_vec())
    };
    shown.extend(earlier.into_iter().filter(|point| point.is_out()).take(rows));
    shown
}

pub(super) fn row(point: &Point, metric: &str, unit: &str, shell: &Shell, words: &Words) -> Row {
    let say = &shell.say;
    let (thing, href) = match point.run.as_str() {
        "" => (point.order_line.clone(), format!("/order-lines/{}", super::segment(&point.order_line))),
        run => (run.to_owned(), format!("/runs/{}", super::segment(run))),
    };
    let verdict = match (drawing::loudest(&point.broken), point.limits) {
        (Some(rule), _) if rule.is_warning() => Shape::Warned.called(words.warned),
        (Some(_), _) => Shape::Failed.called(words.out),
        (None, None) => Shape::Waiting.called(words.held_to_nothing),
        (None, Some(_)) => Shape::Passed.called(words.in_control),
    };
    let rules: Vec<&str> = point.broken.iter().map(|rule| rule.word()).collect();
    let wants = point.is_out() && point.said.is_empty();
    let decide = format!("/quality/{}/decide?thing={}", super::segment(metric), super::segment(&thing));
    Row {
        id: format!("p-{thing}"),
        at: point.at.clone(),
        of: point.of.clone(),
        lot: point.lot.clone(),
        instrument: point.instrument.clone(),
        value: say.measured(point.value, unit),
        score: point.score.map(|score| say.deviations(score)).unwrap_or_default(),
        rules: rules.join(" "),
        verdict,
        said: point.said.iter().map(|said| decided(said, say, words)).collect(),
        decide: wants.then_some(decide),
        thing,
        href,
    }
}

pub(super) fn decided(said: &Said, say: &Say, words: &Words) -> Decided {
    let way = words.way(&said.what).map_or_else(|| said.what.clone(), str::to_owned);
    let person =
        if said.person.is_empty() { String::new() } else { format!("{}{}", said.person, say.pick(": ", "：")) };
    let text = match say.pick(true, false) {
        _ if said.what == "deviation" => format!("{person}{}", said.reason),
        true => format!("{person}{way}, {}", said.reason),
        false => format!("{person}{way}・{}", said.reason),
    };
    Decided {
        text,
        href: (!said.id.is_empty()).then(|| format!("/deviations#{}", said.id)),
        open: said.open.then(|| Shape::Needs.called(words.open)),
    }
}

#[cfg(test)]
mod tests {
    use kentai_engine::qc::control::Rule;

    use super::*;

    fn point(at: usize, broken: &[Rule]) -> Point {
        Point {
            at: format!("2026-11-{:02}T00:00:00Z", at + 1),
            run: format!("r{at}"),
            step: String::new(),
            order_line: String::new(),
            specimen: String::new(),
            of: String::new(),
            value: 0.0,
            instrument: String::new(),
            lot: String::new(),
            limits: None,
            score: None,
            broken: broken.to_vec(),
            said: Vec::new(),
        }
    }

    #[test]
    fn the_newest_come_first_and_then_what_was_out_of_control() {
        let mut points: Vec<Point> = (0..28).map(|at| point(at, &[])).collect();
        points[2].broken = vec![Rule::OneThreeS];
        points[4].broken = vec![Rule::OneTwoS];
        let found = Control {
            metric: "m".into(),
            unit: String::new(),
            points,
            limits: None,
            counted: 0,
            older: false,
            elsewhere: Vec::new(),
            said: Vec::new(),
        };
        let runs = |all: bool| shown(&found, all, 12).iter().map(|point| point.run.clone()).collect::<Vec<_>>();
        assert_eq!(runs(false), ["r27", "r26", "r25", "r24", "r23", "r22", "r21", "r20", "r2"]);
        assert_eq!((runs(true).len(), runs(true)[0].as_str()), (28, "r27"));
    }
}
