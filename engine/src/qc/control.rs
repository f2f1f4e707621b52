//! Control charts: is a process as it was? Limits from a series, and the rules of Westgard (1981) over it. Pure.

use serde::{Deserialize, Serialize};

/// Fewer points give no limits.
pub const POINTS_MIN: usize = 10;

/// Mean and standard deviation of a series.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Limits {
    /// Mean.
    pub mean: f64,
    /// Standard deviation, of a sample (n − 1).
    pub deviation: f64,
}

/// A rule that a point breaks. The point is the last one that the rule needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Rule {
    /// One point beyond two deviations: a warning.
    #[serde(rename = "1-2s")]
    OneTwoS,
    /// One point beyond three deviations.
    #[serde(rename = "1-3s")]
    OneThreeS,
    /// Two in a row beyond two deviations, on one side.
    #[serde(rename = "2-2s")]
    TwoTwoS,
    /// Two in a row, one beyond two deviations up and one down: four deviations between them.
    #[serde(rename = "R-4s")]
    RFourS,
    /// Ten in a row on one side of the mean.
    #[serde(rename = "10-x")]
    TenX,
}

impl Rule {
    /// As it is written.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::OneTwoS => "1-2s",
            Self::OneThreeS => "1-3s",
            Self::TwoTwoS => "2-2s",
            Self::RFourS => "R-4s",
            Self::TenX => "10-x",
        }
    }

    /// Does it only ask for a second look? Every other rule says that the process is not as it was.
    #[must_use]
    pub fn is_warning(self) -> bool {
        matches!(self, Self::OneTwoS)
    }
}

impl Limits {
    /// How many deviations a value is from the mean; none where nothing ever moved.
    #[must_use]
    pub fn score(self, value: f64) -> Option<f64> {
        (!self.never_moved()).then(|| (value - self.mean) / self.deviation)
    }

    /// Rounding is no movement.
    fn never_moved(self) -> bool {
        self.deviation <= self.mean.abs() * 1e-9
    }
}

/// One point of a chart.
#[derive(Clone, Debug, PartialEq)]
pub struct Judged {
    /// Of the points before this one; none while they are too few.
    pub limits: Option<Limits>,
    /// What it breaks, in the order of [`Rule`].
    pub broken: Vec<Rule>,
}

/// A series, each point judged by the limits of those before it.
#[derive(Clone, Debug, PartialEq)]
pub struct Chart {
    /// As many as were brought, in their order.
    pub points: Vec<Judged>,
    /// What the next point will be held to.
    pub limits: Option<Limits>,
    /// Points that those limits are of.
    pub counted: usize,
}

/// Limits of a series; none when it is too short, or not all of it are numbers.
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "a count of points")]
pub fn limits(points: &[f64]) -> Option<Limits> {
    if points.len() < POINTS_MIN || points.iter().any(|point| !point.is_finite()) {
        return None;
    }
    let count = points.len() as f64;
    let mean = points.iter().sum::<f64>() / count;
    let deviation = (points.iter().map(|point| (point - mean).powi(2)).sum::<f64>() / (count - 1.0)).sqrt();
    Some(Limits { mean, deviation })
}

/// Which points break which rules, in order: place from 0, and rule.
#[must_use]
pub fn broken(points: &[f64], limits: Limits) -> Vec<(usize, Rule)> {
    // A series that never moved: rounding is no movement, and whatever moves now is out of every limit.
    if limits.never_moved() {
        let moved = |point: f64| !point.is_finite() || (point - limits.mean).abs() > limits.mean.abs() * 1e-9;
        let moved = points.iter().enumerate().filter(|(_, point)| moved(**point));
        return moved.map(|(place, _)| (place, Rule::OneThreeS)).collect();
    }
    let scores: Vec<f64> = points.iter().map(|point| (point - limits.mean) / limits.deviation).collect();
    let mut found = Vec::new();
    for place in 0..scores.len() {
        let now = scores[place];
        if now.abs() > 2.0 {
            found.push((place, Rule::OneTwoS));
        }
        // What is no number is out of every limit.
        if now.abs() > 3.0 || now.is_nan() {
            found.push((place, Rule::OneThreeS));
        }
        if let Some(before) = place.checked_sub(1).map(|before| scores[before]) {
            if (now > 2.0 && before > 2.0) || (now < -2.0 && before < -2.0) {
                found.push((place, Rule::TwoTwoS));
            }
            if (now > 2.0 && before < -2.0) || (now < -2.0 && before > 2.0) {
                found.push((place, Rule::RFourS));
            }
        }
        if place + 1 >= 10 {
            let ten = &scores[place + 1 - 10..=place];
            if ten.iter().all(|score| *score > 0.0) || ten.iter().all(|score| *score < 0.0) {
                found.push((place, Rule::TenX));
            }
        }
    }
    found
}

/// Judges each point of a series, oldest first, by the limits of the points before it. A point that breaks more than a warning
/// has no part in later limits: what is out of control would else widen them until nothing is.
#[must_use]
pub fn chart(values: &[f64]) -> Chart {
    // The longest rule looks at ten points.
    const REACH: usize = 10;
    let mut kept: Vec<f64> = Vec::new();
    let mut points = Vec::new();
    for (place, value) in values.iter().enumerate() {
        let limits = limits(&kept);
        let window = &values[(place + 1).saturating_sub(REACH)..=place];
        let found = limits.map(|limits| broken(window, limits)).unwrap_or_default();
        let mut rules: Vec<Rule> =
            found.into_iter().filter(|(at, _)| at + 1 == window.len()).map(|(_, rule)| rule).collect();
        rules.sort_unstable();
        // Limits of points that never moved would shut out for good whatever moves: the first such point is named, and counts.
        let may_count = rules.iter().all(|rule| rule.is_warning()) || limits.is_some_and(Limits::never_moved);
        if may_count && value.is_finite() {
            kept.push(*value);
        }
        points.push(Judged { limits, broken: rules });
    }
    Chart { points, limits: limits(&kept), counted: kept.len() }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const FIXED: Limits = Limits { mean: 100.0, deviation: 2.0 };

    fn rules(points: &[f64]) -> Vec<(usize, &'static str)> {
        broken(points, FIXED).into_iter().map(|(place, rule)| (place, rule.word())).collect()
    }

    #[test]
    fn each_rule_names_the_point_that_breaks_it() {
        assert_eq!(rules(&[100.0, 103.9, 99.0]), []);
        assert_eq!(rules(&[100.0, 104.5]), [(1, "1-2s")]);
        assert_eq!(rules(&[100.0, 93.9]), [(1, "1-2s"), (1, "1-3s")]);
        assert_eq!(rules(&[104.5, 104.6]), [(0, "1-2s"), (1, "1-2s"), (1, "2-2s")]);
        assert_eq!(rules(&[104.5, 95.5]), [(0, "1-2s"), (1, "1-2s"), (1, "R-4s")]);
        assert_eq!(rules(&[101.0; 11]), [(9, "10-x"), (10, "10-x")]);
    }

    #[test]
    fn a_short_series_has_no_limits_and_a_constant_one_breaks_nothing() {
        assert_eq!(limits(&[1.0; 9]), None);
        let constant = limits(&[7.0; 12]).expect("long enough");
        assert_eq!(broken(&[7.0; 12], constant), []);
        let rounded = limits(&[0.1; 12]).expect("long enough");
        assert_eq!(broken(&[0.1; 12], rounded), []);
        assert_eq!(broken(&[0.1, 0.2, f64::NAN], rounded), [(1, Rule::OneThreeS), (2, Rule::OneThreeS)]);
        assert_eq!(rules(&[f64::NAN]), [(0, "1-3s")]);
        assert_eq!(limits(&[f64::NAN; 12]), None);
    }

    /// Twelve points around 100, of deviation 1 or so.
    const STEADY: [f64; 12] = [100.0, 101.0, 99.0, 100.5, 99.5, 101.0, 99.0, 100.0, 101.5, 98.5, 100.0, 100.5];

    fn charted(more: &[f64]) -> (Chart, Vec<Vec<&'static str>>) {
        let chart = chart(&[&STEADY[..], more].concat());
        let words = |point: &Judged| point.broken.iter().map(|rule| rule.word()).collect();
        let told = chart.points[STEADY.len()..].iter().map(words).collect();
        (chart, told)
    }

    #[test]
    fn a_point_is_held_to_the_points_before_it_and_the_first_ten_to_nothing() {
        let (chart, told) = charted(&[110.0]);
        assert!(chart.points[..10].iter().all(|point| point.limits.is_none() && point.broken.is_empty()));
        assert_eq!(chart.points[12].limits, limits(&STEADY));
        assert_eq!(told, [["1-2s", "1-3s"]]);
    }

    #[test]
    fn what_is_out_of_control_widens_no_limits_and_a_warning_counts() {
        let (chart, told) = charted(&[110.0, 110.0, 90.0]);
        assert_eq!(told[1..], [vec!["1-2s", "1-3s", "2-2s"], vec!["1-2s", "1-3s", "R-4s"]]);
        assert_eq!((chart.limits, chart.counted), (limits(&STEADY), 12));
        let (chart, told) = charted(&[102.2]);
        assert_eq!((told, chart.counted), (vec![vec!["1-2s"]], 13));
    }

    #[test]
    fn a_small_shift_that_stays_is_found_by_its_tenth_point() {
        let (_, told) = charted(&[100.6; 10]);
        // The two last ones of the series before were not above its mean.
        assert!(told[..8].iter().all(Vec::is_empty), "{told:?}");
        assert_eq!(told[9], ["10-x"]);
    }

    #[test]
    fn a_series_that_never_moved_lets_in_what_moves_and_says_so() {
        let chart = chart(&[&[0.93; 10][..], &[0.94, 0.93, 0.94, 0.93]].concat());
        let first: Vec<&str> = chart.points[10].broken.iter().map(|rule| rule.word()).collect();
        assert_eq!(first, ["1-3s"]);
        assert!(chart.counted > 11, "one value would be shut out for good: {chart:?}");
        assert_eq!(chart.points[10].limits.and_then(|limits| limits.score(0.94)), None);
    }

    proptest! {
        #[test]
        fn later_points_change_no_earlier_verdict(points in prop::collection::vec(-1e3_f64..1e3, 0..40), cut in 0_usize..40) {
            let cut = cut.min(points.len());
            prop_assert_eq!(&chart(&points[..cut]).points[..], &chart(&points).points[..cut]);
        }

        #[test]
        fn the_rules_do_not_know_the_unit(points in prop::collection::vec(-1e3_f64..1e3, 10..40), by in 0.5_f64..50.0) {
            let own = limits(&points).expect("long enough");
            // Far from a limit, so that rounding decides nothing.
            let near = points.iter().any(|point| {
                let score = (point - own.mean) / own.deviation;
                [0.0, 2.0, 3.0].iter().any(|limit| (score.abs() - limit).abs() < 1e-6)
            });
            prop_assume!(!near && own.deviation > 1e-3);
            let moved: Vec<f64> = points.iter().map(|point| point * by + 17.0).collect();
            prop_assert_eq!(broken(&points, own), broken(&moved, limits(&moved).expect("long enough")));
        }
    }
}
