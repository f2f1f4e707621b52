//! `qc trend`: a metric over order lines in time, against the limits of its earlier points.

use clap::Args;
use kentai_engine::qc::control::{Limits, POINTS_MIN};
use kentai_engine::qc::metric::{CATALOGUE, Metric, Unit, find};
use kentai_engine::view::center::Wish;
use kentai_engine::view::center::trend::{Trend as Found, TrendPoint, trend};

use crate::access::{self, hidden, who};
use crate::exit::{Exit, Stop};
use crate::output::{Output, table};
use crate::site::Site;
use crate::times::Zone;

/// Show how a metric went over order lines, and where it was not as before
#[derive(Args, Debug)]
#[command(
    after_help = "Each order line is one point, its newest value, held to the mean and deviation of the points before it.
The first ten are held to nothing. 1-2s is a warning; any other rule says that the process is not as it was.
A point that breaks one has no part in later limits: after a change that is meant, begin anew with --since.

Examples:
  kentai qc trend mean_autosome_coverage --assay wgs_30x@1
  kentai qc trend q30_rate --since 2026-11-01 --json"
)]
pub(crate) struct Trend {
    /// Metric, by the id that criteria use
    metric: String,
    /// Only this assay version's order lines
    #[arg(long, value_name = "NAME@VERSION", value_parser = assay_version)]
    assay: Option<(String, String)>,
    /// Only what was judged then or later: a date, or a time with its zone
    #[arg(long, value_name = "DATE")]
    since: Option<String>,
    /// At most so many order lines, the newest
    #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u16).range(1..=1000))]
    limit: u16,
}

/// `NAME@VERSION`
pub(crate) fn assay_version(text: &str) -> Result<(String, String), String> {
    let parts = text.split_once('@').filter(|(name, version)| !name.is_empty() && !version.is_empty());
    parts.map(|(name, version)| (name.to_owned(), version.to_owned())).ok_or_else(|| "write it as NAME@VERSION".into())
}

/// What the shared options of reports over measured values ask for.
pub(crate) fn wish(
    site: &Site,
    assay: Option<(String, String)>,
    since: Option<&str>,
    limit: u16,
) -> anyhow::Result<Wish> {
    let since_us = match since {
        None => 0,
        Some(text) => Zone::of(site).start(text).ok_or_else(|| {
            let text = text.escape_debug();
            Stop::new(Exit::Usage, format!("`{text}` is no date: write 2026-11-25, or 2026-11-25T09:00:00+09:00"))
        })?,
    };
    Ok(Wish { assay, since_us, limit: limit.into() })
}

impl Trend {
    pub(crate) async fn run(self, site: &Site, output: Output) -> anyhow::Result<Exit> {
        let metric = find(&self.metric).ok_or_else(|| unknown(&self.metric))?;
        let wish = wish(site, self.assay, self.since.as_deref(), self.limit)?;
        let reader = access::reader(site).await?;
        let found = trend(&reader, &who(site), metric, &wish).await.map_err(hidden)?;
        if output.json {
            output.json(&found);
        } else if found.points.is_empty() {
            output.say(format!("nobody measured {}", found.metric));
        } else {
            show(&found, &Zone::of(site), output);
        }
        Ok(Exit::Done)
    }
}

fn unknown(text: &str) -> Stop {
    let known: Vec<&str> = CATALOGUE.iter().map(|metric: &Metric| metric.id).collect();
    let text = text.escape_debug();
    Stop::new(Exit::CheckFailed, format!("there is no metric `{text}`; known are: {}", known.join(", ")))
}

fn show(found: &Found, zone: &Zone, output: Output) {
    let value = headed("value", found.unit);
    let head =
        [zone.head("judged").as_str(), "order line", "specimen", "assay", &value, "mean", "deviations", "breaks"]
            .map(str::to_owned);
    let rows = found.points.iter().map(|point| {
        vec![
            zone.show(&point.at),
            point.order_line.clone(),
            point.specimen.clone(),
            point.assay.clone(),
            short(point.value),
            point.limits.map_or_else(|| "-".into(), |limits| short(limits.mean)),
            point.score.map_or_else(|| "-".into(), |score| format!("{score:+.1}")),
            breaks(point),
        ]
    });
    output.line(table(&head, rows));
    output.line(next(found));
    if found.older {
        output.say(format!("these are the newest {}: --limit shows more", found.points.len()));
    }
    if found.points.iter().any(|point| point.assay != found.points[0].assay) {
        output.say("they are of several assays, which may be several processes: --assay shows one");
    }
}

/// What is broken, the loudest word first.
fn breaks(point: &TrendPoint) -> String {
    let rules: Vec<&str> = point.broken.iter().map(|rule| rule.word()).collect();
    match point.broken.iter().any(|rule| !rule.is_warning()) {
        true => format!("out of control: {}", rules.join(", ")),
        false if rules.is_empty() => String::new(),
        false => format!("warning: {}", rules.join(", ")),
    }
}

/// What the next point will be held to.
fn next(found: &Found) -> String {
    let Some(Limits { mean, deviation }) = found.limits else {
        return format!("no limits yet: {} of {POINTS_MIN} points", found.counted);
    };
    let between = |by: f64| format!("{} to {}", short(mean - by * deviation), short(mean + by * deviation));
    format!(
        "{} of {} points: mean {}, deviation {}{}; within 2 deviations {}, within 3 {}",
        found.counted,
        found.points.len(),
        short(mean),
        short(deviation),
        spaced(found.unit),
        between(2.0),
        between(3.0)
    )
}

fn headed(what: &str, unit: Unit) -> String {
    if unit.word().is_empty() { what.to_owned() } else { format!("{what} ({})", unit.word()) }
}

fn spaced(unit: Unit) -> String {
    if unit.word().is_empty() { String::new() } else { format!(" {}", unit.word()) }
}

/// Four places are more than any of the tools is good for; counts have none.
fn short(value: f64) -> String {
    let text = format!("{value:.4}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use kentai_engine::qc::control::Rule;

    use super::*;

    fn found(values: &[(f64, Option<Limits>, Vec<Rule>)]) -> Found {
        let point = |(value, limits, broken): &(f64, Option<Limits>, Vec<Rule>)| TrendPoint {
            at: String::new(),
            order_line: "O1".into(),
            specimen: "S1".into(),
            assay: "wgs@1".into(),
            evaluation: "e1".into(),
            value: *value,
            tool: String::new(),
            tool_version: String::new(),
            limits: *limits,
            score: None,
            broken: broken.clone(),
        };
        let points: Vec<_> = values.iter().map(point).collect();
        let limits = Some(Limits { mean: 30.0, deviation: 0.5 });
        Found { metric: "reads".into(), unit: Unit::Depth, counted: points.len(), points, limits, older: false }
    }

    #[test]
    fn a_warning_is_called_one_and_more_is_called_more() {
        let all = found(&[
            (1.0, None, vec![]),
            (1.0, None, vec![Rule::OneTwoS]),
            (1.0, None, vec![Rule::OneTwoS, Rule::OneThreeS]),
            (1.0, None, vec![Rule::TenX]),
        ]);
        let told: Vec<String> = all.points.iter().map(breaks).collect();
        assert_eq!(told, ["", "warning: 1-2s", "out of control: 1-2s, 1-3s", "out of control: 10-x"]);
    }

    #[test]
    fn limits_are_told_with_their_unit_or_why_there_are_none() {
        let mut all = found(&[(30.0, None, vec![])]);
        let told = "1 of 1 points: mean 30, deviation 0.5 x; within 2 deviations 29 to 31, within 3 28.5 to 31.5";
        assert_eq!(next(&all), told);
        all.limits = None;
        assert_eq!(next(&all), "no limits yet: 1 of 10 points");
    }

    #[test]
    fn an_assay_is_a_name_and_a_version() {
        assert_eq!(assay_version("wgs@1"), Ok(("wgs".into(), "1".into())));
        assert!(["wgs", "@1", "wgs@"].iter().all(|text| assay_version(text).is_err()));
    }
}
