//! What gates found and people said, told from the log.

use kentai_workflows::workflow::StepKind;

use super::family::{Event, Family, Member};
use super::outward;
use crate::clock::Micros;
use crate::provenance::{Decision, Measured};
use crate::state::attempt::Cause;
use crate::store::rows::detail::{CheckReport, GateReport, Verdict};

/// Every decision, oldest first.
pub(super) fn all(family: &Family) -> Vec<Decision> {
    let mut decisions = Vec::new();
    for member in &family.members {
        for kind in ["step_succeeded", "step_asked"] {
            let found = member.told::<GateReport>(kind, "report");
            decisions.extend(found.into_iter().map(|(event, report)| judged(member, event, &report)));
        }
        decisions.extend(member.events.iter().filter_map(|event| refused(member, event)));
        decisions.extend(member.decisions.iter().map(|row| Decision {
            by: Some(row.person.clone()),
            ..said(member, row.step_key.as_str(), &row.verdict, &row.reason, row.at_us)
        }));
    }
    // A gate's verdict stands before what people say about it in the same turn.
    decisions.sort_by_key(|one| (one.at_us, one.by.is_some()));
    decisions
}

fn said(member: &Member, key: &str, verdict: &str, reason: &str, at_us: Micros) -> Decision {
    let step = key.split_once('/').map_or(key, |(step, _)| step);
    Decision {
        key: format!("{}{key}", member.keys),
        step: format!("{}{step}", member.steps),
        by: None,
        verdict: verdict.to_owned(),
        reason: outward(reason),
        at_us,
        values: Vec::new(),
    }
}

fn judged(member: &Member, event: &Event, report: &GateReport) -> Decision {
    let values = report.checks.iter().flat_map(measured).collect();
    Decision { values, ..said(member, &event.subject, report.verdict.word(), "", event.at_us) }
}

/// A gate that ends its step leaves no report in the log, only its sentence.
fn refused(member: &Member, event: &Event) -> Option<Decision> {
    let step = event.subject.split('/').next()?;
    let is_gate = matches!(member.workflow.step(step)?.kind, StepKind::Gate(_));
    let by_policy = event.body.get("cause")?.as_str()? == Cause::Policy.word();
    // A person's word ends a gate's step too, and is a decision of its own.
    let by_person =
        member.decisions.iter().any(|row| row.step_key.as_str() == event.subject && row.at_us == event.at_us);
    let reason = event.body.get("reason")?.as_str()?;
    (event.kind == "step_failed" && is_gate && by_policy && !by_person)
        .then(|| said(member, &event.subject, Verdict::Fail.word(), reason, event.at_us))
}

/// The headline, and each item of a list.
fn measured(check: &CheckReport) -> Vec<Measured> {
    let one = |metric: String, value, verdict: Verdict| Measured {
        metric,
        value,
        unit: check.unit.clone(),
        wanted: check.pass.clone(),
        verdict: verdict.word().to_owned(),
    };
    let items = check.items.iter().map(|item| one(format!("{}/{}", check.metric, item.item), item.value, item.verdict));
    std::iter::once(one(check.metric.clone(), check.value, check.verdict)).chain(items).collect()
}
