//! What happened, what people decided and what gates measured, one object each.

use kentai_workflows::value::Value;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::time;
use crate::id::{RunId, StepKey};
use crate::store::rows;

/// One fact of a run's history.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct EventView {
    /// 1, 2, 3 … within the run.
    pub n: i64,
    /// When.
    pub at: String,
    /// What (`step_started` …).
    pub kind: String,
    /// Step key or attempt id; may be empty.
    pub subject: String,
    /// A person, or `engine`.
    pub actor: String,
    /// More about it.
    pub body: Value,
}

impl EventView {
    pub(super) fn of(row: &rows::Event) -> Self {
        Self {
            n: row.n,
            at: time(row.at_us),
            kind: row.kind.clone(),
            subject: row.subject.clone(),
            actor: row.actor.clone(),
            body: value(&row.body),
        }
    }
}

/// What a person decided.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct DecisionView {
    /// Its id.
    pub id: String,
    /// About this run.
    pub run: RunId,
    /// About this step.
    pub step: StepKey,
    /// `approve` or `qc`.
    pub kind: String,
    /// `approve`, `reject`, or a way out of a gate.
    pub verdict: String,
    /// Why.
    pub reason: String,
    /// Who.
    pub person: String,
    /// Roles that they had.
    pub roles: Vec<String>,
    /// The checksums and values that were shown to them.
    pub bound: Value,
    /// When.
    pub at: String,
}

impl DecisionView {
    pub(super) fn of(row: &rows::Decision) -> Self {
        Self {
            id: row.decision_id.clone(),
            run: row.run_id.clone(),
            step: row.step_key.clone(),
            kind: row.kind.clone(),
            verdict: row.verdict.clone(),
            reason: row.reason.clone(),
            person: row.person.clone(),
            roles: serde_json::from_str(&row.roles).unwrap_or_default(),
            bound: value(&row.bound),
            at: time(row.at_us),
        }
    }
}

/// What a gate measured.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct MeasurementView {
    /// Of this run.
    pub run: RunId,
    /// By this gate.
    pub step: StepKey,
    /// Metric.
    pub metric: String,
    /// `L004`; absent for the headline.
    pub item: Option<String>,
    /// Absent when it was not measured.
    pub value: Option<f64>,
    /// Unit; may be empty.
    pub unit: String,
    /// `pass`, `warn`, `not_measured` or `fail`.
    pub verdict: String,
    /// Plotted on control charts.
    pub tracked: bool,
    /// When.
    pub at: String,
}

impl MeasurementView {
    pub(super) fn of(row: &rows::Measurement) -> Self {
        Self {
            run: row.run_id.clone(),
            step: row.step_key.clone(),
            metric: row.metric.clone(),
            item: Some(row.item.clone()).filter(|item| !item.is_empty()),
            value: row.value.parse().ok(),
            unit: row.unit.clone(),
            verdict: row.verdict.clone(),
            tracked: row.tracked != 0,
            at: time(row.at_us),
        }
    }
}

/// A stored document; one that cannot be read is shown as the text that it is.
fn value(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|_| Value::from(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_not_measured_has_no_value() {
        let row = rows::Measurement {
            run_id: "r1".into(),
            step_key: "qc".into(),
            metric: "q30".into(),
            item: String::new(),
            value: "null".into(),
            unit: "%".into(),
            verdict: "not_measured".into(),
            tracked: 1,
            at_us: 0,
        };
        let view = MeasurementView::of(&row);
        assert_eq!((view.value, view.item, view.tracked), (None, None, true));
    }
}
