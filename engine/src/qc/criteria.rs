//! Criteria: which values an assay wants, in which unit, for whom, and what a miss leads to. They know no value.

use serde::{Deserialize, Serialize};

use super::metric::{Unit, find};

/// Criteria of an assay version.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Criteria {
    /// Name.
    pub id: String,
    /// Version.
    pub version: String,
    /// Each of them.
    pub criteria: Vec<Criterion>,
}

/// One wanted value.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Criterion {
    /// Metric of the catalogue.
    pub metric: String,
    /// Unit of the limits.
    pub unit: Unit,
    /// Which side is good.
    pub comparator: Comparator,
    /// Beyond it a value passes.
    pub pass: f64,
    /// Beyond it a value is a warning; between this and nothing it fails.
    #[serde(default)]
    pub warn: Option<f64>,
    /// For whom; empty lists are everybody.
    #[serde(default)]
    pub applies_to: Applies,
    /// What a miss leads to.
    #[serde(default)]
    pub behavior: Behavior,
}

/// Which side is good.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Comparator {
    /// At least.
    #[serde(rename = ">=")]
    AtLeast,
    /// At most.
    #[serde(rename = "<=")]
    AtMost,
}

impl Comparator {
    /// As it is written.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::AtLeast => ">=",
            Self::AtMost => "<=",
        }
    }

    /// Is the value on the good side?
    #[must_use]
    pub fn holds(self, value: f64, limit: f64) -> bool {
        match self {
            Self::AtLeast => value >= limit,
            Self::AtMost => value <= limit,
        }
    }
}

/// For whom a criterion is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Applies {
    /// `blood`, `saliva` … Saliva is exempt from coverage at some centers.
    pub sample_types: Vec<String>,
    /// `proband` …
    pub family_roles: Vec<String>,
}

/// What a miss leads to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Behavior {
    /// Nothing goes on.
    Block,
    /// A person decides.
    #[default]
    Hold,
    /// It is only said.
    Warn,
    /// More lanes are suggested.
    TopUp,
}

/// Something in criteria that cannot be meant.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("criterion {} ({metric}), `{field}`: {reason}", .index + 1)]
pub struct Problem {
    /// From 0.
    pub index: usize,
    /// Metric as written.
    pub metric: String,
    /// Field.
    pub field: &'static str,
    /// What is wrong.
    pub reason: String,
}

impl Criteria {
    /// Everything in them that cannot be meant.
    #[must_use]
    pub fn check(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        for (index, criterion) in self.criteria.iter().enumerate() {
            let mut wrong = |field, reason: String| {
                problems.push(Problem { index, metric: criterion.metric.clone(), field, reason });
            };
            match find(&criterion.metric) {
                None => wrong("metric", unknown(&criterion.metric)),
                Some(metric) => {
                    if let Err(mismatch) = criterion.unit.convert(1.0, metric.unit) {
                        wrong("unit", mismatch.to_string());
                    }
                }
            }
            if !criterion.pass.is_finite() || criterion.warn.is_some_and(|warn| !warn.is_finite()) {
                wrong("pass", "a limit is a number".into());
            }
            if criterion
                .warn
                .is_some_and(|warn| criterion.comparator.holds(warn, criterion.pass) && warn != criterion.pass)
            {
                wrong("warn", "it is stricter than `pass`: nothing could ever be a warning".into());
            }
        }
        problems
    }
}

fn unknown(metric: &str) -> String {
    let shares = |id: &str| id.split('_').filter(|word| metric.split('_').any(|other| other == *word)).count();
    // Of two that share as many words the one that begins alike.
    let alike = |id: &str| id.bytes().zip(metric.bytes()).take_while(|(one, other)| one == other).count();
    let near = super::metric::CATALOGUE.iter().map(|metric| (shares(metric.id), alike(metric.id), metric.id)).max();
    match near {
        Some((1.., _, id)) => format!("there is no such metric; is `{id}` meant?"),
        _ => "there is no such metric".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn criterion(metric: &str, unit: Unit, pass: f64, warn: Option<f64>) -> Criterion {
        Criterion {
            metric: metric.into(),
            unit,
            comparator: Comparator::AtLeast,
            pass,
            warn,
            applies_to: Applies::default(),
            behavior: Behavior::Hold,
        }
    }

    #[test]
    fn everything_that_cannot_be_meant_is_named_at_once() {
        let criteria = Criteria {
            id: "wgs".into(),
            version: "1".into(),
            criteria: vec![
                criterion("mean_autosomal_coverage", Unit::Depth, 30.0, None),
                criterion("reads", Unit::GigaBases, 80.0, None),
                criterion("q30_rate", Unit::Fraction, 0.85, Some(0.9)),
                criterion("q30_rate", Unit::Percent, 85.0, Some(80.0)),
            ],
        };
        let found: Vec<_> = criteria.check().into_iter().map(|problem| (problem.index, problem.field)).collect();
        assert_eq!(found, [(0, "metric"), (1, "unit"), (2, "warn")]);
        assert!(criteria.check()[0].reason.contains("`mean_autosome_coverage`"), "{}", criteria.check()[0]);
    }
}
