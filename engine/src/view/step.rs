//! Steps as everybody sees them: status, reasons, questions and answers, files by name and checksum.

use std::collections::{BTreeMap, HashMap};

use kentai_workflows::diagnostic::Language;
use kentai_workflows::plan::Role;
use kentai_workflows::value::{FileValue, Map, Value};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{document, time};
use crate::id::StepKey;
use crate::state::attempt::Cause;
use crate::store::Error;
use crate::store::rows::{self, detail};

/// One concrete step.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct StepView {
    /// `trim`, or `trim/L001` for an item.
    pub key: StepKey,
    /// The workflow's step id.
    pub step: String,
    /// Single, group, pending or item.
    pub role: Option<Role>,
    /// Where it stands.
    pub status: String,
    /// Counts a person's retries.
    pub round: u32,
    /// Attempts of this round.
    pub attempts: u32,
    /// Failed attempts of this round by cause.
    pub failures: BTreeMap<String, u32>,
    /// Why it stands where it stands.
    pub reason: Option<String>,
    /// Cause of the last failure.
    pub cause: Option<Cause>,
    /// What a gate found.
    pub gate: Option<detail::GateReport>,
    /// Whom we ask.
    pub ask: Option<AskView>,
    /// What they said.
    pub answers: Vec<AnswerView>,
    /// Output name → its files (one, or those of a list).
    pub outputs: BTreeMap<String, Vec<FileView>>,
    /// Outputs that are no files (a gate's verdict and values).
    pub values: Map,
    /// Not started again before.
    pub not_before: Option<String>,
    /// The delivery of a `handoff`.
    pub delivery: Option<String>,
    /// The run of a `call`.
    pub child: Option<String>,
    /// When it last changed.
    pub updated: String,
}

/// One file, by name and content; where it lies is the store's business.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FileView {
    /// As the tool named it.
    pub name: String,
    /// Bytes, once known.
    pub size: Option<u64>,
    /// Lowercase hex, once known; of the manifest for a directory.
    pub sha256: Option<String>,
    /// A directory.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub dir: bool,
}

/// A question to people.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AskView {
    /// `approve`, `qc` or `hold`.
    pub kind: String,
    /// Any of these roles may answer.
    pub roles: Vec<String>,
    /// How many people.
    pub count: u32,
    /// Relations that exclude a person.
    pub not_by: Vec<String>,
    /// The question.
    pub text: String,
    /// The same in Japanese, where the workflow's author wrote it: for pages.
    #[serde(skip)]
    pub text_ja: Option<String>,
    /// What the answer binds to.
    pub shown: Value,
    /// When it was asked.
    pub asked: String,
    /// When it expires.
    pub expires: Option<String>,
    /// Names this question: what an answer to it is bound to.
    #[serde(skip)]
    pub fingerprint: String,
}

/// One person's answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AnswerView {
    /// Who.
    pub person: String,
    /// What.
    pub verdict: String,
    /// Why.
    pub reason: String,
    /// When.
    pub at: String,
}

impl StepView {
    /// From its row; `roles` are those of the plan.
    pub(super) fn of(row: &rows::Step, roles: &HashMap<String, Role>) -> Result<Self, Error> {
        let detail: detail::Detail = document("a step's detail", &row.detail)?;
        let stored: Map = document("a step's outputs", &row.outputs)?;
        let (outputs, values) = sort(stored);
        let role =
            detail.planned.as_ref().map(|planned| planned.role).or_else(|| roles.get(row.step_key.as_str()).copied());
        Ok(Self {
            key: row.step_key.clone(),
            step: row.step.clone(),
            role,
            status: row.status.clone(),
            round: detail.round,
            attempts: detail.attempts,
            reason: reason(&detail, Language::En).filter(|_| row.status != "succeeded"),
            failures: detail.failures,
            cause: detail.cause,
            gate: detail.gate,
            ask: detail.ask.map(AskView::of),
            answers: detail.answers.into_iter().map(AnswerView::of).collect(),
            outputs,
            values,
            not_before: detail.not_before_us.map(time),
            delivery: detail.delivery,
            child: detail.child,
            updated: time(row.updated_us),
        })
    }
}

/// Why a step stands where it stands; a question speaks for itself.
pub(super) fn reason(detail: &detail::Detail, language: Language) -> Option<String> {
    let asked = || match detail.ask.as_ref()? {
        ask if !ask.text.is_empty() => Some(ask.told(language).to_owned()),
        ask if ask.kind == "hold" => Some("the workflow holds here until a person lets it go".to_owned()),
        ask => Some(format!("it waits for an answer ({})", ask.kind)),
    };
    detail.reason.clone().filter(|reason| !reason.is_empty()).or_else(asked)
}

/// Files here, the rest there.
fn sort(stored: Map) -> (BTreeMap<String, Vec<FileView>>, Map) {
    let (mut files, mut values) = (BTreeMap::new(), Map::new());
    for (name, value) in stored {
        match FileView::all(&value) {
            Some(found) => _ = files.insert(name, found),
            None => _ = values.insert(name, value),
        }
    }
    (files, values)
}

impl FileView {
    /// The file that `value` is, or those that a list of files holds.
    fn all(value: &Value) -> Option<Vec<Self>> {
        match value {
            Value::Array(items) if !items.is_empty() => {
                items.iter().map(|item| FileValue::of(item).map(Self::of)).collect()
            }
            one => FileValue::of(one).map(|file| vec![Self::of(file)]),
        }
    }

    fn of(file: FileValue) -> Self {
        Self { name: file.name, size: file.size, sha256: file.sha256, dir: file.dir }
    }
}

impl AskView {
    fn of(ask: detail::Ask) -> Self {
        Self {
            fingerprint: ask.fingerprint(),
            kind: ask.kind,
            roles: ask.roles,
            count: ask.count,
            not_by: ask.not_by,
            text_ja: Some(ask.text_ja).filter(|text| !text.is_empty()),
            text: ask.text,
            shown: ask.shown,
            asked: time(ask.asked_us),
            expires: ask.expires_us.map(time),
        }
    }
}

impl AnswerView {
    fn of(answer: detail::Answer) -> Self {
        Self { person: answer.person, verdict: answer.verdict, reason: answer.reason, at: time(answer.at_us) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(outputs: &str, detail: &str) -> rows::Step {
        rows::Step {
            run_id: "r1".into(),
            step_key: "trim/L001".into(),
            position: 0,
            step: "trim".into(),
            status: "awaiting_person".into(),
            outputs: outputs.into(),
            detail: detail.into(),
            updated_us: 0,
            version: 1,
        }
    }

    #[test]
    fn files_are_told_by_name_and_checksum_and_not_by_where_they_lie() {
        let outputs =
            r#"{"bam":{"$file":{"name":"a.bam","path":"/secret/place","sha256":"ab","size":3}},"verdict":"pass"}"#;
        let view = StepView::of(&row(outputs, "{}"), &HashMap::new()).expect("a row of ours");
        assert_eq!(
            view.outputs["bam"],
            [FileView { name: "a.bam".into(), size: Some(3), sha256: Some("ab".into()), dir: false }]
        );
        assert_eq!(view.values["verdict"], "pass");
        assert!(!serde_json::to_string(&view).expect("a view").contains("secret"));
    }

    #[test]
    fn a_question_is_the_reason_when_there_is_no_other() {
        let detail = r#"{"ask":{"kind":"approve","roles":["releaser"],"count":2,"text":"release it?","asked_us":0}}"#;
        let view = StepView::of(&row("{}", detail), &HashMap::new()).expect("a row of ours");
        assert_eq!(view.reason.as_deref(), Some("release it?"));
        assert_eq!(view.ask.map(|ask| ask.count), Some(2));
    }
}
