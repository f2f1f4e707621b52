//! Criteria: which values an assay wants, in which unit, for whom, and what a miss leads to. They know no value.
//!
//! They are stored with assays and evaluations, so a key that only a later version knows is kept and read over; what a person wrote is
//! looked at by [`Criteria::check`], which refuses such a key by name.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::metric::{Unit, find};

/// Keys that this version does not know, as they were written.
pub type Unknown = BTreeMap<String, serde_json::Value>;

/// Criteria of an assay version.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Criteria {
    /// Name.
    pub id: String,
    /// Version.
    pub version: String,
    /// Each of them.
    pub criteria: Vec<Criterion>,
    /// Of a later version; of a person, a slip of the pen.
    #[serde(flatten)]
    pub unknown: Unknown,
}

/// One wanted value.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
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
    /// Of a later version; of a person, a slip of the pen.
    #[serde(flatten)]
    pub unknown: Unknown,
}

/// Which side is good.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
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
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Applies {
    /// `blood`, `saliva` … Saliva is exempt from coverage at some centers.
    pub sample_types: Vec<String>,
    /// `proband` …
    pub family_roles: Vec<String>,
    /// Of a later version; of a person, a slip of the pen.
    #[serde(flatten)]
    pub unknown: Unknown,
}

/// What a miss leads to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
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
#[error("{}, `{field}`: {reason}", self.place())]
pub struct Problem {
    /// From 0; none: it is about the whole set.
    pub index: Option<usize>,
    /// Metric as written.
    pub metric: String,
    /// Field, with the one that it lies in: `applies_to.sample_types`.
    pub field: String,
    /// What is wrong.
    pub reason: String,
}

impl Problem {
    fn place(&self) -> String {
        match self.index {
            Some(index) => format!("criterion {} ({})", index + 1, self.metric),
            None => "criteria set".into(),
        }
    }
}

impl Criteria {
    /// Everything in them that cannot be meant.
    #[must_use]
    pub fn check(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        for (field, reason) in strange("", self, &self.unknown) {
            problems.push(Problem { index: None, metric: String::new(), field, reason });
        }
        for (index, criterion) in self.criteria.iter().enumerate() {
            let mut wrong = |field: &str, reason: String| {
                let (metric, field) = (criterion.metric.clone(), field.to_owned());
                problems.push(Problem { index: Some(index), metric, field, reason });
            };
            let own = strange("", criterion, &criterion.unknown);
            let applies = &criterion.applies_to;
            for (field, reason) in own.into_iter().chain(strange("applies_to.", applies, &applies.unknown)) {
                wrong(&field, reason);
            }
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

/// Every key that is not known, with those that are.
fn strange(within: &str, written: &impl Serialize, unknown: &Unknown) -> Vec<(String, String)> {
    let all = serde_json::to_value(written).unwrap_or_default();
    let names = all.as_object().into_iter().flat_map(serde_json::Map::keys);
    let known: Vec<&str> = names.map(String::as_str).filter(|name| !unknown.contains_key(*name)).collect();
    let reason = format!("there is no such key; known are: {}", known.join(", "));
    unknown.keys().map(|key| (format!("{within}{key}"), reason.clone())).collect()
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
    use crate::scheduler::center::request::Request;

    fn criterion(metric: &str, unit: Unit, pass: f64, warn: Option<f64>) -> Criterion {
        Criterion {
            metric: metric.into(),
            unit,
            comparator: Comparator::AtLeast,
            pass,
            warn,
            applies_to: Applies::default(),
            behavior: Behavior::Hold,
            unknown: Unknown::default(),
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
            ..Criteria::default()
        };
        let found: Vec<_> = criteria.check().into_iter().map(|problem| (problem.index, problem.field)).collect();
        assert_eq!(
            found,
            [(0, "metric"), (1, "unit"), (2, "warn")].map(|(index, field)| (Some(index), field.to_owned()))
        );
        assert!(criteria.check()[0].reason.contains("`mean_autosome_coverage`"), "{}", criteria.check()[0]);
    }

    /// A set as a later version stores it: a key more in the set, in a criterion, and in whom it is for.
    const LATER: &str = r#"{ "id": "wgs", "version": "1", "owner": "qa", "criteria": [
        { "metric": "reads", "unit": "reads", "comparator": ">=", "pass": 6, "ceiling": 9, "applies_to": { "instruments": ["X"] } }
    ] }"#;

    #[test]
    fn what_a_later_version_stored_is_read_and_stored_again_whole() {
        let stored: Criteria = serde_json::from_str(LATER).expect("it is read");
        assert!((stored.criteria[0].pass - 6.0).abs() < f64::EPSILON);
        let again = serde_json::to_value(&stored).expect("written");
        assert_eq!(again.pointer("/owner"), Some(&"qa".into()));
        assert_eq!(again.pointer("/criteria/0/ceiling"), Some(&9.into()));
        assert_eq!(again.pointer("/criteria/0/applies_to/instruments/0"), Some(&"X".into()));
        let plain = serde_json::to_value(criterion("reads", Unit::Reads, 6.0, None)).expect("written");
        assert_eq!(
            plain.as_object().map(serde_json::Map::len),
            Some(7),
            "nothing is added to what has no more: {plain}"
        );
    }

    #[test]
    fn a_key_that_a_person_mistyped_is_refused_by_name() {
        // As it comes over the wire.
        let asked =
            format!(r#"{{ "request": "assay", "name": "wgs", "version": "1", "assay": {{ "criteria": {LATER} }} }}"#);
        let Ok(Request::Assay { assay, .. }) = serde_json::from_str(&asked) else { panic!("not read: {asked}") };
        let written = assay.criteria.expect("criteria");
        let said: Vec<String> = written.check().iter().map(ToString::to_string).collect();
        assert_eq!(said[0], "criteria set, `owner`: there is no such key; known are: criteria, id, version");
        assert!(said[1].starts_with("criterion 1 (reads), `ceiling`: there is no such key; known are: applies_to,"));
        assert!(said[2].starts_with("criterion 1 (reads), `applies_to.instruments`: there is no such key"), "{said:?}");
        assert_eq!(said.len(), 3);
    }
}
