//! `delivery.json` as far as it is known when a hand-off begins; packing adds what the bytes themselves say. No path of the site is in it.

use kentai_workflows::value::{FileValue, Value};
use serde_json::json;

use crate::handoff::delivery::{Consent, Delivered, Document, Workflow};
use crate::handoff::qc::{Decision, Quality, Said};
use crate::port::courier::ParcelFile;
use crate::scheduler::live::{LiveRun, LiveStep};
use crate::store::rows::detail::Answer;

/// What is known when the step begins. Consent is as it is at this hour.
pub(super) fn document(run: &LiveRun, delivery: &str, head: Document, files: &[ParcelFile]) -> Document {
    let specimen = &run.plan.specimen;
    let quality = run.steps.iter().filter_map(|step| {
        let report = step.detail.gate.clone()?;
        Some(Quality { step: step.planned.key.clone(), criteria: String::new(), report, findings: Vec::new() })
    });
    let said = |step: &LiveStep, answer: &Answer| {
        let Answer { person, verdict, reason, at_us } = answer.clone();
        let decision = Said { person, roles: Vec::new(), verdict, reason, at_us };
        Decision { step: step.planned.key.clone(), kind: String::new(), decision }
    };
    let mut decisions: Vec<Decision> =
        run.steps.iter().flat_map(|step| step.detail.answers.iter().map(|answer| said(step, answer))).collect();
    decisions.sort_by_key(|decision| decision.decision.at_us);
    let file = |file: &ParcelFile| Delivered {
        name: file.name.clone(),
        size: file.size,
        sha256: file.sha256.clone(),
        ..Delivered::default()
    };
    Document {
        delivery: delivery.to_owned(),
        specimen: specimen.id.clone(),
        participant: specimen.participant.clone(),
        barcode: specimen.barcode.clone(),
        consent: consent_now(run),
        workflow: Workflow {
            id: run.plan.workflow.clone(),
            version: run.plan.version.clone(),
            sha256: run.plan.workflow_digest.clone(),
        },
        run: run.id.to_string(),
        reference: run.plan.params.values().find_map(bundle),
        images: (*run.images).clone(),
        params: run.plan.params.iter().map(|(name, value)| (name.clone(), outward(value))).collect(),
        files: files.iter().map(file).collect(),
        quality: quality.collect(),
        decisions,
        ..head
    }
}

/// The center's record, or the sheet's word for a specimen that the center does not know.
fn consent_now(run: &LiveRun) -> Option<Consent> {
    let told = run.plan.specimen.consent.as_ref();
    let record = told.map(|told| told.record.clone());
    let Some(standing) = &run.consent else {
        return told.map(|told| Consent { record, scopes: told.scopes.clone(), ..Consent::default() });
    };
    let scopes = serde_json::from_str(&standing.row.scopes).unwrap_or_default();
    Some(Consent { record, version: None, status: Some(standing.row.consent.clone()), scopes })
}

/// A parameter as a receiver may see it: files by name, a reference by its bundle's name, no path of ours.
fn outward(value: &Value) -> Value {
    if let Some(file) = FileValue::of(value) {
        return json!({ "name": file.name, "sha256": file.sha256 });
    }
    let Value::Object(roles) = value else { return value.clone() };
    let whole = || roles.iter().map(|(role, value)| (role.clone(), outward(value))).collect();
    bundle(value).map_or_else(whole, Value::from)
}

/// The name and version of the reference bundle that a value is.
fn bundle(value: &Value) -> Option<String> {
    let directory = value.as_object()?.values().find_map(FileValue::of)?.bundle?;
    directory.rsplit('/').next().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_receiver_sees_no_path_of_ours() {
        let file = |name: &str| FileValue {
            name: name.into(),
            path: Some("/s/x".into()),
            sha256: Some("ab".into()),
            size: Some(1),
            bundle: None,
            dir: false,
        };
        let bundle = FileValue { bundle: Some("/site/references/GRCh38@1".into()), ..file("g.fa") };
        let reference = json!({ "fasta": bundle.to_value(), "bwa": bundle.to_value() });
        assert_eq!(outward(&reference), json!("GRCh38@1"));
        assert!(!outward(&json!({ "x": file("a.b").to_value() })).to_string().contains("/s/x"));
    }
}
