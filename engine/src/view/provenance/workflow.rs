//! The workflow as it is told: its steps and those of what it calls, its parameters by kind, the texts that travel along.

use std::path::Path;

use kentai_workflows::value::{FileValue, Map, Value, to_text};
use kentai_workflows::workflow::{ParamKind as Kind, StepKind};
use sha2::{Digest as _, Sha256};

use super::family::{Family, Member};
use super::known::Known;
use super::outward;
use crate::audit::hex;
use crate::provenance::{Bound, Delivered, Param, ParamKind, Step, Workflow};

/// Name of the workflow's file in a package.
pub const WORKFLOW_NAME: &str = "workflow.yaml";

/// A text that travels with a package.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Text {
    /// Path beneath `data/`.
    pub name: String,
    /// Its bytes: what the run's plan was made of.
    pub text: String,
    /// In people's words.
    pub description: String,
}

impl Text {
    /// As a file of the payload.
    #[must_use]
    pub fn delivered(&self) -> Delivered {
        Delivered {
            name: self.name.clone(),
            size_bytes: self.text.len() as u64,
            sha256: hex(&Sha256::digest(self.text.as_bytes())),
            format: "application/yaml".into(),
            description: self.description.clone(),
            artifact: None,
        }
    }
}

/// The workflow's file first; each workflow that was called once, by its id.
pub(super) fn texts(family: &Family) -> Vec<Text> {
    let mut texts: Vec<Text> = Vec::new();
    for member in &family.members {
        let workflow = &member.workflow;
        let name = if texts.is_empty() { WORKFLOW_NAME.to_owned() } else { format!("workflow.{}.yaml", workflow.id) };
        if texts.iter().any(|text| text.text == workflow.source) {
            continue;
        }
        let description = format!("Workflow {} {}", workflow.id, workflow.version).trim_end().to_owned();
        // Two versions of one workflow can only be called by two files: the second is known by its digest.
        let taken = texts.iter().any(|text| text.name == name);
        let name = if taken { format!("workflow.{}.{}.yaml", workflow.id, &workflow.digest[..8]) } else { name };
        texts.push(Text { name, text: workflow.source.clone(), description });
    }
    texts
}

pub(super) fn workflow(family: &Family) -> Workflow {
    let main = &family.main().workflow;
    let mut steps: Vec<Step> = Vec::new();
    for member in &family.members {
        for step in &member.workflow.steps {
            let id = format!("{}{}", member.steps, step.id);
            // A call in another round or for another item has the same steps.
            if !steps.iter().any(|known| known.id == id) {
                let tool = matches!(step.kind, StepKind::Tool(_));
                steps.push(Step { id, title: outward(&step.title.en), tool });
            }
        }
    }
    Workflow {
        id: main.id.clone(),
        version: main.version.clone(),
        title: outward(&main.title.en),
        file: WORKFLOW_NAME.into(),
        steps,
    }
}

/// Parameters that are no files, of the run and of those that it called.
pub(super) fn params(family: &Family) -> Vec<Param> {
    let mut params: Vec<Param> = Vec::new();
    for member in &family.members {
        for param in of_member(member) {
            // A call that was done again has them again.
            if !params.iter().any(|known| known.name == param.name) {
                params.push(param);
            }
        }
    }
    params
}

fn of_member(member: &Member) -> impl Iterator<Item = Param> {
    member.workflow.params.iter().filter_map(|param| {
        let (kind, value) = told(&param.kind, member.plan.params.get(&param.name)?)?;
        Some(Param { name: format!("{}{}", member.keys, param.name), kind, value })
    })
}

fn told(kind: &Kind, value: &Value) -> Option<(ParamKind, String)> {
    let kind = match kind {
        Kind::Integer | Kind::Duration | Kind::Size => ParamKind::Integer,
        Kind::Number => ParamKind::Float,
        Kind::Boolean => ParamKind::Boolean,
        Kind::String | Kind::Choice(_) => ParamKind::Text,
        Kind::Reference => return Some((ParamKind::Text, bundle(value.as_object()?)?)),
        Kind::File => return None,
    };
    (!value.is_null()).then(|| (kind, outward(&to_text(value))))
}

/// `GRCh38@1`: a bundle is named by its directory, whose place is the site's own.
fn bundle(roles: &Map) -> Option<String> {
    let directory = roles.values().find_map(FileValue::of)?.bundle?;
    directory.trim_end_matches('/').rsplit('/').next().map(str::to_owned)
}

/// Files that were given as parameters, where their content is known.
pub(super) fn files_of_params(member: &Member, known: &Known) -> Vec<Bound> {
    let file = |(name, value): (&String, &Value)| {
        let path = FileValue::of(value)?.path?;
        let artifact = known.at(Path::new(&path), i64::MAX)?.to_owned();
        Some(Bound { name: name.clone(), artifact })
    };
    member.plan.params.iter().filter_map(file).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_value_is_told_by_its_kind_and_a_reference_by_its_bundle() {
        let fasta = FileValue {
            name: "g.fa".into(),
            path: Some("/site/references/GRCh38@1/g.fa".into()),
            sha256: None,
            size: None,
            bundle: Some("/site/references/GRCh38@1/".into()),
            dir: false,
        };
        let reference = json!({ "bwa": fasta.to_value(), "fasta": fasta.to_value() });
        let text = |value: &str| Some((ParamKind::Text, value.to_owned()));
        assert_eq!(told(&Kind::Reference, &reference), text("GRCh38@1"));
        assert_eq!(told(&Kind::Reference, &json!({})), None);
        assert_eq!(told(&Kind::Size, &json!(1024)), Some((ParamKind::Integer, "1024".into())));
        assert_eq!(told(&Kind::Number, &json!(0.85)), Some((ParamKind::Float, "0.85".into())));
        assert_eq!(told(&Kind::String, &json!("/srv/x")), text("…"));
        assert_eq!(told(&Kind::String, &Value::Null), None);
        assert_eq!(told(&Kind::File, &fasta.to_value()), None);
    }
}
