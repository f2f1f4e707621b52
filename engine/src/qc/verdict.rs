//! Values against criteria: a verdict with everything that it rests on, so that it can be read in ten years. Pure.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::criteria::{Behavior, Criteria, Criterion};
use super::finding::{About, Finding};
use super::metric::{Metric, Mismatch, Unit, find};
use crate::state::words;

words!(
    /// What a value, or all of them, amounts to; the worst comes last.
    Verdict {
        /// Good.
        Pass = "pass",
        /// Good enough, and said.
        Warn = "warn",
        /// Nobody measured it: it blocks the release unless somebody waives it.
        NotMeasured = "not_measured",
        /// Not good.
        Fail = "fail",
    }
);

/// A measured value.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "MeasuredValue")]
pub struct Value {
    /// Metric of the catalogue.
    pub metric: String,
    /// The number; absent when the tool had none.
    pub value: Option<f64>,
    /// Its unit.
    pub unit: Unit,
    /// Tool that measured it.
    #[serde(default)]
    pub tool: String,
    /// Its version.
    #[serde(default)]
    pub tool_version: String,
    /// SHA-256 of the file that it was read from.
    #[serde(default)]
    pub source_sha256: String,
}

/// Whose values these are.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subject {
    /// `blood`, `saliva` …
    pub sample_type: String,
    /// Assay.
    pub assay: String,
    /// `proband` …
    pub family_role: String,
}

/// One criterion with its value.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Check {
    /// The criterion as it stood.
    pub criterion: Criterion,
    /// The value in the criterion's unit.
    pub value: Option<f64>,
    /// What it amounts to.
    pub verdict: Verdict,
    /// What a miss leads to.
    pub behavior: Behavior,
    /// In words, with values: `594.6 M reads, wanted >= 600 M reads (0.9 % short)`.
    pub said: String,
}

/// A verdict and everything that it rests on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Evaluation {
    /// The worst of its checks and findings.
    pub verdict: Verdict,
    /// Criteria set and version.
    pub criteria: String,
    /// Whose values.
    pub subject: Subject,
    /// Each criterion that applies.
    pub checks: Vec<Check>,
    /// The values as they were brought.
    pub values: Vec<Value>,
    /// What they say of the person, beside the criteria.
    #[serde(default)]
    pub findings: Vec<Finding>,
}

impl Evaluation {
    /// With what was found of the person: the worst of all is the verdict.
    #[must_use]
    pub fn with(mut self, findings: Vec<Finding>) -> Self {
        let all = findings.iter().map(|finding| finding.verdict).chain([self.verdict]);
        self.verdict = all.max_by_key(|verdict| rank(*verdict)).unwrap_or(self.verdict);
        self.findings = findings;
        self
    }

    /// What decides the verdict, in words: every check and finding that is as bad as the whole.
    #[must_use]
    pub fn deciding(&self) -> Vec<String> {
        let checks = self.checks.iter().filter(|check| check.verdict == self.verdict);
        let checks = checks.map(|check| format!("{}: {}", check.criterion.metric, check.said));
        let findings = self.findings.iter().filter(|finding| finding.verdict == self.verdict);
        checks.chain(findings.map(|finding| finding.said.clone())).collect()
    }
}

/// Why values cannot be judged.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[expect(missing_docs, reason = "each variant's message says it")]
pub enum Error {
    #[error("there is no metric `{0}`")]
    UnknownMetric(String),
    #[error("metric `{metric}`: {mismatch}")]
    Unit { metric: String, mismatch: Mismatch },
    #[error("metric `{0}` was brought twice with different values")]
    Twice(String),
}

/// Judges every criterion that applies. A value that is missing is never a pass, wherever the data came from.
///
/// # Errors
/// When a metric is unknown, or a unit measures something else: never silently.
pub fn evaluate(criteria: &Criteria, subject: &Subject, values: &[Value]) -> Result<Evaluation, Error> {
    for (index, value) in values.iter().enumerate() {
        let metric = find(&value.metric).ok_or_else(|| Error::UnknownMetric(value.metric.clone()))?;
        value
            .unit
            .convert(1.0, metric.unit)
            .map_err(|mismatch| Error::Unit { metric: value.metric.clone(), mismatch })?;
        let earlier = values[..index].iter().filter(|other| other.metric == value.metric);
        if earlier.into_iter().any(|other| !agree(other, value, metric)) {
            return Err(Error::Twice(value.metric.clone()));
        }
    }
    let applies = criteria.criteria.iter().filter(|criterion| applies(criterion, subject));
    let checks = applies.map(|criterion| check(criterion, values)).collect::<Result<Vec<_>, _>>()?;
    // Criteria of which none fits the subject judge nothing: that is nobody's pass.
    let none = if criteria.criteria.is_empty() { Verdict::Pass } else { Verdict::NotMeasured };
    let verdict = checks.iter().map(|check| check.verdict).max_by_key(|verdict| rank(*verdict)).unwrap_or(none);
    Ok(Evaluation {
        verdict,
        criteria: format!("{}@{}", criteria.id, criteria.version),
        subject: subject.clone(),
        checks,
        values: values.to_vec(),
        findings: Vec::new(),
    })
}

/// Two tools that round differently say the same; compared in the catalogue's unit, never as bare numbers.
fn agree(one: &Value, other: &Value, metric: &Metric) -> bool {
    const ROUNDING: f64 = 0.005;
    // Which reads make depth differs between tools; a Y that nobody has is 0.002 to one and 0.004 to another.
    const RATIO: f64 = 0.05;
    let least = if About::Sex.metrics().contains(&metric.id) { RATIO } else { 0.0 };
    let number = |value: &Value| value.value.and_then(|number| value.unit.convert(number, metric.unit).ok());
    match (number(one), number(other)) {
        (Some(one), Some(other)) => (one - other).abs() <= (ROUNDING * one.abs().max(other.abs())).max(least),
        (one, other) => one.is_none() && other.is_none(),
    }
}

/// The worst is the highest.
pub(super) fn rank(verdict: Verdict) -> usize {
    Verdict::ALL.iter().position(|other| *other == verdict).unwrap_or(0)
}

fn applies(criterion: &Criterion, subject: &Subject) -> bool {
    let fits = |wanted: &[String], found: &str| wanted.is_empty() || wanted.iter().any(|one| one == found);
    fits(&criterion.applies_to.sample_types, &subject.sample_type)
        && fits(&criterion.applies_to.family_roles, &subject.family_role)
}

fn check(criterion: &Criterion, values: &[Value]) -> Result<Check, Error> {
    let found = values.iter().find(|value| value.metric == criterion.metric);
    let value = match found.and_then(|found| Some((found.unit, found.value?))) {
        Some((unit, value)) => Some(
            unit.convert(value, criterion.unit)
                .map_err(|mismatch| Error::Unit { metric: criterion.metric.clone(), mismatch })?,
        ),
        None => None,
    };
    let verdict = match value {
        None => Verdict::NotMeasured,
        // Not a number is not a measurement.
        Some(value) if !value.is_finite() => Verdict::NotMeasured,
        Some(value) if criterion.comparator.holds(value, criterion.pass) => Verdict::Pass,
        Some(value) if criterion.warn.is_some_and(|warn| criterion.comparator.holds(value, warn)) => Verdict::Warn,
        Some(_) if criterion.behavior == Behavior::Warn => Verdict::Warn,
        Some(_) => Verdict::Fail,
    };
    Ok(Check {
        said: said(criterion, value, verdict),
        criterion: criterion.clone(),
        value,
        verdict,
        behavior: criterion.behavior,
    })
}

fn said(criterion: &Criterion, value: Option<f64>, verdict: Verdict) -> String {
    let unit = criterion.unit.word();
    let wanted = format!("wanted {} {}{}", criterion.comparator.word(), short(criterion.pass), spaced(unit));
    let Some(value) = value else { return format!("not measured, {wanted}") };
    let gap = (value - criterion.pass).abs() / criterion.pass.abs() * 100.0;
    let short_by = if verdict == Verdict::Pass || !gap.is_finite() {
        String::new()
    } else {
        format!(" ({gap:.1} % {})", if value < criterion.pass { "short" } else { "over" })
    };
    format!("{}{}, {wanted}{short_by}", short(value), spaced(unit))
}

fn spaced(unit: &str) -> String {
    if unit.is_empty() { String::new() } else { format!(" {unit}") }
}

fn short(value: f64) -> String {
    let text = format!("{value:.4}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::super::criteria::{Applies, Comparator, Unknown};
    use super::*;

    fn criteria() -> Criteria {
        let criterion = |metric: &str, unit, comparator, pass, warn| Criterion {
            metric: metric.into(),
            unit,
            comparator,
            pass,
            warn,
            applies_to: Applies::default(),
            behavior: Behavior::Hold,
            unknown: Unknown::default(),
        };
        Criteria {
            id: "wgs".into(),
            version: "2".into(),
            criteria: vec![
                criterion("reads", Unit::MegaReads, Comparator::AtLeast, 600.0, Some(594.0)),
                Criterion {
                    applies_to: Applies { sample_types: vec!["blood".into()], ..Applies::default() },
                    ..criterion("mean_autosome_coverage", Unit::Depth, Comparator::AtLeast, 30.0, None)
                },
                criterion("cross_contamination_rate", Unit::Fraction, Comparator::AtMost, 0.02, None),
            ],
            ..Criteria::default()
        }
    }

    fn value(metric: &str, value: f64, unit: Unit) -> Value {
        let (tool, tool_version, source_sha256) = Default::default();
        Value { metric: metric.into(), value: Some(value), unit, tool, tool_version, source_sha256 }
    }

    #[test]
    fn a_shortfall_is_said_with_its_gap_in_the_criterions_unit() {
        let subject = Subject { sample_type: "saliva".into(), ..Subject::default() };
        let values =
            [value("reads", 594_600_000.0, Unit::Reads), value("cross_contamination_rate", 1.0, Unit::Percent)];
        let found = evaluate(&criteria(), &subject, &values).expect("judged");
        assert_eq!(found.verdict, Verdict::Warn);
        assert_eq!(found.checks[0].said, "594.6 M reads, wanted >= 600 M reads (0.9 % short)");
        assert_eq!(found.checks.len(), 2, "saliva is exempt from coverage");
    }

    #[test]
    fn what_was_not_measured_is_never_a_pass() {
        let subject = Subject { sample_type: "blood".into(), ..Subject::default() };
        let found = evaluate(&criteria(), &subject, &[value("reads", 601.0, Unit::MegaReads)]).expect("judged");
        assert_eq!(found.verdict, Verdict::NotMeasured);
        let nan = [value("reads", f64::NAN, Unit::Reads)];
        assert_eq!(evaluate(&criteria(), &subject, &nan).expect("judged").verdict, Verdict::NotMeasured);
    }

    #[test]
    fn criteria_that_fit_nobody_and_values_that_are_brought_twice() {
        let nobody = Criteria {
            criteria: criteria().criteria.into_iter().filter(|one| !one.applies_to.sample_types.is_empty()).collect(),
            ..criteria()
        };
        let typo = Subject { sample_type: "blod".into(), ..Subject::default() };
        assert_eq!(evaluate(&nobody, &typo, &[]).expect("judged").verdict, Verdict::NotMeasured);
        let same = [value("pct_reads_mapped", 99.1, Unit::Percent), value("pct_reads_mapped", 0.99131, Unit::Fraction)];
        assert!(evaluate(&criteria(), &typo, &same).is_ok());
        let other = [value("pct_reads_mapped", 0.95, Unit::Percent), value("pct_reads_mapped", 0.95, Unit::Fraction)];
        assert_eq!(evaluate(&criteria(), &typo, &other), Err(Error::Twice("pct_reads_mapped".into())));
    }

    #[test]
    fn units_that_measure_different_things_are_refused_by_name() {
        let wrong = [value("reads", 80.0, Unit::GigaBases)];
        let refused = evaluate(&criteria(), &Subject::default(), &wrong);
        assert_eq!(
            refused.expect_err("refused").to_string(),
            "metric `reads`: `Gb` and `reads` measure different things"
        );
        let unknown = [value("reeds", 1.0, Unit::Reads)];
        assert!(evaluate(&criteria(), &Subject::default(), &unknown).is_err());
    }
}
