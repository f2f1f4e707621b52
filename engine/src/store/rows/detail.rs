//! What a step row says beyond its status: a document that only gains fields.

use std::collections::BTreeMap;

use kentai_workflows::diagnostic::Language;
use kentai_workflows::plan::PlannedStep;
use kentai_workflows::value::Value;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::state::attempt::Cause;

/// `step.detail`
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Detail {
    /// Counts a person's retries of this step.
    #[serde(skip_serializing_if = "is_zero")]
    pub round: u32,
    /// Attempts of this round.
    #[serde(skip_serializing_if = "is_zero")]
    pub attempts: u32,
    /// Failed attempts of this round by cause word.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub failures: BTreeMap<String, u32>,
    /// Executors at which an attempt of this round failed through no fault of its own, the latest last.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub failed_at: Vec<String>,
    /// Not started again before; microseconds since the epoch.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub not_before_us: Option<i64>,
    /// Why it stands where it stands, in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Cause of the last failure.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cause: Option<Cause>,
    /// What a gate found.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gate: Option<GateReport>,
    /// Whom we ask.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ask: Option<Ask>,
    /// What they said.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub answers: Vec<Answer>,
    /// What they said in earlier rounds: it counts for nothing but for who may answer now.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub earlier: Vec<Answer>,
    /// The delivery of a `handoff`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delivery: Option<String>,
    /// The run of a `call`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub child: Option<String>,
    /// A step that was added when a list became known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub planned: Option<PlannedStep>,
    /// `hold_before` was answered by a person.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub let_go: bool,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde gives a reference")]
fn is_zero(n: &u32) -> bool {
    *n == 0
}

/// A question to people.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Ask {
    /// `approve` or `qc`, or `hold`.
    pub kind: String,
    /// Any of these roles may answer.
    pub roles: Vec<String>,
    /// How many people.
    pub count: u32,
    /// Relations that exclude a person.
    #[serde(default)]
    pub not_by: Vec<String>,
    /// The question, as the workflow's author wrote it.
    #[serde(default)]
    pub text: String,
    /// The same in Japanese, where the author wrote it; else empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub text_ja: String,
    /// What the answer binds to.
    #[serde(default)]
    pub shown: Value,
    /// Microseconds since the epoch.
    pub asked_us: i64,
    /// Microseconds since the epoch.
    #[serde(default)]
    pub expires_us: Option<i64>,
    /// Fail instead of hold when expired.
    #[serde(default)]
    pub fail_if_expired: bool,
}

impl Ask {
    /// The question in the reader's language, as far as its author wrote it; may be empty.
    #[must_use]
    pub fn told(&self, language: Language) -> &str {
        match language {
            Language::Ja if !self.text_ja.is_empty() => &self.text_ja,
            Language::En | Language::Ja => &self.text,
        }
    }

    /// Names the question with the values that were shown, and when it was asked: an answer to it is an answer to nothing else.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        let said = serde_json::json!([self.kind, self.text, self.shown, self.asked_us]).to_string();
        Sha256::digest(said.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

/// One person's answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// Who.
    pub person: String,
    /// `approve`, `reject`, or a QC verdict (`release`, `top_up` …).
    pub verdict: String,
    /// Why.
    pub reason: String,
    /// Microseconds since the epoch.
    pub at_us: i64,
}

/// Verdict of a gate or a check.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Within `pass`.
    Pass,
    /// Within `warn`.
    Warn,
    /// Not measured; blocks like `fail` unless waived.
    NotMeasured,
    /// Outside.
    Fail,
}

impl Verdict {
    /// As stored and shown.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Warn => "warn",
            Self::NotMeasured => "not_measured",
            Self::Fail => "fail",
        }
    }
}

/// What a gate found, with a snapshot of the criteria.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct GateReport {
    /// The worst of its checks.
    pub verdict: Verdict,
    /// In the workflow's order.
    pub checks: Vec<CheckReport>,
}

/// One check.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CheckReport {
    /// Metric.
    pub metric: String,
    /// Verdict: the worst of its items.
    pub verdict: Verdict,
    /// Headline value.
    pub value: Option<f64>,
    /// Unit of the values.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub unit: String,
    /// The criterion, rendered: `>= 0.85`.
    pub pass: String,
    /// The weaker criterion.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub warn: Option<String>,
    /// Per item, when the gate reads a list.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub items: Vec<ItemReport>,
    /// Plotted on control charts.
    #[serde(default)]
    pub tracked: bool,
}

/// One item of a check.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ItemReport {
    /// `L004`
    pub item: String,
    /// Its value.
    pub value: Option<f64>,
    /// Its verdict.
    pub verdict: Verdict,
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_question_that_is_asked_anew_or_about_other_values_is_another_one() {
        let ask = Ask { kind: "qc".into(), shown: json!({ "q30": 0.8 }), asked_us: 7, ..Ask::default() };
        assert_eq!(ask.fingerprint(), Ask { expires_us: Some(9), ..ask.clone() }.fingerprint());
        assert_ne!(ask.fingerprint(), Ask { asked_us: 8, ..ask.clone() }.fingerprint());
        assert_ne!(ask.fingerprint(), Ask { shown: json!({ "q30": 0.9 }), ..ask.clone() }.fingerprint());
        assert_ne!(ask.fingerprint(), Ask { text: "Release it?".into(), ..ask.clone() }.fingerprint());
    }
}
