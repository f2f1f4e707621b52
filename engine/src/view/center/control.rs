//! A control chart: a metric over order lines or over runs, with the instrument and the lot behind each point, the rules that it breaks,
//! and what people decided about it.
//!
//! The limits are those of `qc trend` (each point is held to the points before it), or those of the first points of what was asked for.

mod decided;
mod gathered;

use serde::{Deserialize, Serialize};

use super::access::Refused;
use super::measured::may;
use crate::clock::Micros;
use crate::people::permission::Principal;
use crate::qc::control::{Chart, Judged, Limits, Rule, broken, chart, limits};
use crate::store::read::Reader;

pub use decided::{Said, subject};

/// What the points are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Source {
    /// Order lines by their newest evaluation; the metric is one of the catalogue.
    #[default]
    OrderLines,
    /// Gates of whatever runs; the metric is one that a gate tracks.
    Runs,
    /// Gates of the runs of one specimen.
    Control(String),
}

/// Which points, and what they are held to.
#[derive(Clone, Debug, Default)]
pub struct Wish {
    /// What the points are.
    pub source: Source,
    /// Only this assay version's; of order lines.
    pub assay: Option<(String, String)>,
    /// Only this workflow's; of runs.
    pub workflow: Option<String>,
    /// Only what this instrument sequenced.
    pub instrument: Option<String>,
    /// Only what was measured then or later, microseconds.
    pub since_us: Micros,
    /// At most so many points, the newest.
    pub limit: usize,
    /// The first so many give the limits of all others; none: each point is held to the points before it.
    pub baseline: Option<usize>,
}

/// A metric in time order.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Control {
    /// Metric.
    pub metric: String,
    /// Of every value and limit; may be empty.
    pub unit: String,
    /// Oldest first.
    pub points: Vec<Point>,
    /// What the next point will be held to; absent while points are too few.
    pub limits: Option<Limits>,
    /// Points that those limits are of.
    pub counted: usize,
    /// There are older points that were not asked for.
    pub older: bool,
    /// The same by instrument, each held to its own points; empty when there are not two.
    pub elsewhere: Vec<Elsewhere>,
    /// Decisions about the metric that name no point, the newest first.
    pub said: Vec<Said>,
}

/// One value.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Point {
    /// When it was measured or judged.
    pub at: String,
    /// The run whose gate measured it; empty for an order line's evaluation.
    pub run: String,
    /// Its gate.
    pub step: String,
    /// The order line; empty where nobody ordered the run.
    pub order_line: String,
    /// Specimen.
    pub specimen: String,
    /// `wgs_30x@1`, or the workflow and its version.
    pub of: String,
    /// In the chart's unit.
    pub value: f64,
    /// What sequenced it, as far as lanes are known here; empty where they are not.
    pub instrument: String,
    /// Kit and lot of the newest library before it; may be empty.
    pub lot: String,
    /// What it is held to; absent while points are too few.
    pub limits: Option<Limits>,
    /// Deviations from the mean; absent without limits, and where nothing ever moved.
    pub score: Option<f64>,
    /// Rules that it breaks.
    pub broken: Vec<Rule>,
    /// What people decided about it, the newest first.
    pub said: Vec<Said>,
}

/// One instrument's points, each by its own limits.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Elsewhere {
    /// Serial number.
    pub instrument: String,
    /// Deviations from its own mean, and rules that are broken; oldest first.
    pub points: Vec<(Option<f64>, Vec<Rule>)>,
    /// When the newest point was measured.
    pub newest: String,
    /// When a rule was last broken that is more than a warning.
    pub broken_at: Option<String>,
    /// The lot of the newest point.
    pub lot: String,
}

impl Point {
    /// It breaks more than a warning.
    #[must_use]
    pub fn is_out(&self) -> bool {
        self.broken.iter().any(|rule| !rule.is_warning())
    }
}

/// The chart of a metric.
///
/// # Errors
/// When they may not see measured values, there is no such metric or assay, or the database cannot be read.
pub async fn control(reader: &Reader, who: &Principal, metric: &str, wish: &Wish) -> Result<Control, Refused> {
    may(who)?;
    let (unit, mut points, older) = gathered::points(reader, who, metric, wish).await?;
    gathered::made_of(reader, &mut points).await?;
    let elsewhere = elsewhere(&points, wish.baseline);
    if let Some(instrument) = &wish.instrument {
        points.retain(|point| point.instrument == *instrument);
    }
    let values: Vec<f64> = points.iter().map(|point| point.value).collect();
    let judged = judged(&values, wish.baseline);
    for (point, judged) in points.iter_mut().zip(judged.points) {
        point.score = judged.limits.and_then(|limits| limits.score(point.value));
        (point.limits, point.broken) = (judged.limits, judged.broken);
    }
    let said = decided::about(reader, metric, &mut points).await?;
    let (limits, counted) = (judged.limits, judged.counted);
    Ok(Control { metric: metric.to_owned(), unit, points, limits, counted, older, elsewhere, said })
}

/// Each point by the points before it, or all that follow a baseline by the baseline. Its own points are judged by nothing.
fn judged(values: &[f64], baseline: Option<usize>) -> Chart {
    let Some(count) = baseline else { return chart(values) };
    let count = count.min(values.len());
    let fixed = limits(&values[..count]);
    let found = fixed.map(|fixed| broken(values, fixed)).unwrap_or_default();
    let rules = |place: usize| -> Vec<Rule> {
        let mut rules: Vec<Rule> = found.iter().filter(|(at, _)| *at == place).map(|(_, rule)| *rule).collect();
        rules.sort_unstable();
        rules
    };
    let point = |place: usize| match place < count {
        true => Judged { limits: fixed, broken: Vec::new() },
        false => Judged { limits: fixed, broken: rules(place) },
    };
    Chart { points: (0..values.len()).map(point).collect(), limits: fixed, counted: count }
}

fn elsewhere(points: &[Point], baseline: Option<usize>) -> Vec<Elsewhere> {
    let mut names: Vec<&str> = points.iter().map(|point| point.instrument.as_str()).collect();
    names.retain(|name| !name.is_empty());
    names.sort_unstable();
    names.dedup();
    if names.len() < 2 {
        return Vec::new();
    }
    let one = |name: &&str| {
        let own: Vec<&Point> = points.iter().filter(|point| point.instrument == **name).collect();
        let values: Vec<f64> = own.iter().map(|point| point.value).collect();
        let judged = judged(&values, baseline).points;
        let out = |judged: &Judged| judged.broken.iter().any(|rule| !rule.is_warning());
        let broken_at =
            own.iter().zip(&judged).rev().find(|(_, judged)| out(judged)).map(|(point, _)| point.at.clone());
        let scored = values.iter().zip(judged);
        Elsewhere {
            instrument: (*name).to_owned(),
            points: scored
                .map(|(value, judged)| (judged.limits.and_then(|limits| limits.score(*value)), judged.broken))
                .collect(),
            newest: own.last().map(|point| point.at.clone()).unwrap_or_default(),
            broken_at,
            lot: own.last().map(|point| point.lot.clone()).unwrap_or_default(),
        }
    };
    names.iter().map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const STEADY: [f64; 12] = [100.0, 101.0, 99.0, 100.5, 99.5, 101.0, 99.0, 100.0, 101.5, 98.5, 100.0, 100.5];

    #[test]
    fn a_baseline_judges_what_follows_and_never_itself() {
        let values = [&[110.0][..], &STEADY[1..], &[140.0, 100.0]].concat();
        let judged = judged(&values, Some(12));
        assert!(judged.points[..12].iter().all(|point| point.broken.is_empty() && point.limits.is_some()));
        assert_eq!(judged.points[12].broken, [Rule::OneTwoS, Rule::OneThreeS]);
        assert_eq!((judged.counted, judged.limits), (12, limits(&values[..12])));
        assert!(judged.points[13].broken.is_empty());
    }

    #[test]
    fn a_baseline_that_is_too_short_gives_no_limits_and_no_verdict() {
        let judged = judged(&[&STEADY[..5], &[500.0]].concat(), Some(5));
        assert!(judged.limits.is_none() && judged.points.iter().all(|point| point.broken.is_empty()));
        assert_eq!(judged.points.len(), 6);
    }

    fn at(instrument: &str, value: f64) -> Point {
        Point {
            at: "2026-11-01T00:00:00Z".into(),
            run: "r1".into(),
            step: String::new(),
            order_line: String::new(),
            specimen: String::new(),
            of: String::new(),
            value,
            instrument: instrument.into(),
            lot: String::new(),
            limits: None,
            score: None,
            broken: Vec::new(),
            said: Vec::new(),
        }
    }

    #[test]
    fn each_instrument_is_held_to_its_own_points() {
        let mut points: Vec<Point> = STEADY.iter().map(|value| at("N-01", *value)).collect();
        assert!(elsewhere(&points, None).is_empty(), "one instrument is nowhere else");
        points.extend(STEADY.iter().map(|value| at("N-02", value * 3.0)));
        points.push(at("N-01", 140.0));
        let found = elsewhere(&points, None);
        let names: Vec<&str> = found.iter().map(|one| one.instrument.as_str()).collect();
        assert_eq!(names, ["N-01", "N-02"]);
        assert!(found[0].broken_at.is_some() && found[1].broken_at.is_none(), "{found:?}");
        assert_eq!((found[0].points.len(), found[1].points.len()), (13, 12));
    }
}
