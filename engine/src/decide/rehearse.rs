//! Rehearsal of a changed workflow: what its gates would have made of the values that an earlier run's gates recorded. Pure; nothing is
//! changed by it, and no file is read: what was not recorded is not measured.

use kentai_workflows::plan::Plan;
use kentai_workflows::value::{Map, Value};
use kentai_workflows::workflow::{Gate, IfVerdict, StepKind, Workflow};
use serde_json::json;

use super::gate::{Reading, criteria, evaluate};
use crate::store::rows::detail::{CheckReport, GateReport, Verdict};

/// What a changed workflow's gate would say.
#[derive(Clone, Debug, PartialEq)]
pub struct Rehearsed {
    /// As it was judged.
    pub before: Verdict,
    /// As it would be.
    pub after: Verdict,
    /// What would follow: `continue`, `hold`, `fail`.
    pub then: &'static str,
    /// The checks that decide it, in words.
    pub because: Vec<String>,
}

/// Judges what a gate recorded by the gate of the same step in a changed workflow. `old` is the workflow that the run followed: a
/// parameter that has its default there gets the changed one's default, what was given stays as given.
///
/// # Errors
/// Why it cannot be judged: the step is gone, is no gate any more, or wants values that a rehearsal does not have.
pub fn rehearse(
    new: &Workflow,
    old: Option<&Workflow>,
    plan: &Plan,
    step: &str,
    recorded: &GateReport,
) -> Result<Rehearsed, String> {
    let definition = new.steps.iter().find(|one| one.id == step);
    let definition = definition.ok_or_else(|| format!("the changed workflow has no step `{step}`"))?;
    let StepKind::Gate(gate) = &definition.kind else {
        return Err(format!("step `{step}` of the changed workflow is no gate"));
    };
    let mut scope = Map::new();
    scope.insert("params".into(), Value::Object(params(plan, old, new)));
    scope.insert("specimen".into(), Value::Object(plan.specimen.scope()));
    scope.insert("run".into(), json!({ "workflow": new.id, "version": new.version }));
    scope.insert("steps".into(), json!({}));
    let readings: Vec<Reading> = recorded.checks.iter().map(|check| reading(check, gate)).collect();
    let report = evaluate(&readings, &criteria(gate, &scope)?).map_err(|error| error.to_string())?;
    Ok(Rehearsed {
        before: recorded.verdict,
        after: report.verdict,
        then: then(gate, report.verdict),
        because: because(&report, recorded),
    })
}

fn params(plan: &Plan, old: Option<&Workflow>, new: &Workflow) -> Map {
    let mut params = Map::new();
    for param in &new.params {
        let had = plan.params.get(&param.name);
        let before = old.and_then(|old| old.params.iter().find(|one| one.name == param.name));
        let by_default = before.is_some_and(|before| same(before.default.as_ref(), had));
        let value = if by_default { param.default.as_ref().or(had) } else { had.or(param.default.as_ref()) };
        if let Some(value) = value {
            params.insert(param.name.clone(), value.clone());
        }
    }
    params
}

/// `30` and `30.0` are one number.
fn same(one: Option<&Value>, other: Option<&Value>) -> bool {
    let number = |value: Option<&Value>| value.and_then(Value::as_f64);
    one == other || number(one).is_some() && number(one) == number(other)
}

fn reading(check: &CheckReport, gate: &Gate) -> Reading {
    let combine =
        gate.read.iter().find(|(metric, _)| *metric == check.metric).and_then(|(_, read)| read.combine.clone());
    let list = !check.items.is_empty();
    let values = if list {
        check.items.iter().map(|item| (item.item.clone(), item.value)).collect()
    } else {
        vec![(String::new(), check.value)]
    };
    Reading { metric: check.metric.clone(), values, list, unit: check.unit.clone(), combine }
}

fn then(gate: &Gate, verdict: Verdict) -> &'static str {
    let behavior = match verdict {
        Verdict::Pass => return "continue",
        Verdict::Warn => gate.if_warn,
        Verdict::NotMeasured | Verdict::Fail => gate.if_fail,
    };
    match behavior {
        IfVerdict::Continue => "continue",
        IfVerdict::Hold => "hold",
        IfVerdict::Fail => "fail",
    }
}

fn because(report: &GateReport, recorded: &GateReport) -> Vec<String> {
    let worst = report.checks.iter().filter(|check| check.verdict == report.verdict && check.verdict != Verdict::Pass);
    let say = |check: &CheckReport| {
        let value = check.value.map_or_else(|| "not measured".to_owned(), |value| format!("{value}"));
        let known = recorded.checks.iter().any(|one| one.metric == check.metric);
        let note = if known { "" } else { " (it was not read then)" };
        format!("{} {value}, wanted {}{note}", check.metric, check.pass)
    };
    worst.map(say).collect()
}

#[cfg(test)]
mod tests {
    use kentai_workflows::check::check;
    use kentai_workflows::plan::Specimen;
    use kentai_workflows::site::Site;

    use super::*;

    fn workflow(limit: &str, fail: &str) -> std::sync::Arc<Workflow> {
        let text = format!(
            "kentai: 1\nworkflow: w\nparams: {{ min: {{ type: number, default: {limit} }} }}\nsteps:\n  a:\n    outputs: {{ m: {{ path: m.json }} }}\n    script: x\n  ok:\n    gate:\n      read: {{ q: {{ from: steps.a.m, at: $.q }} }}\n      checks: [ {{ metric: q, pass: \">= ${{{{ params.min }}}}\", missing: fail }} ]\n      if_fail: {fail}\n"
        );
        let site = Site { images_ignored: true, ..Site::default() };
        let checked = check("w.yaml", text.as_bytes(), &site, &|_| Err("nothing is called".into()));
        assert!(checked.workflow.is_some(), "{:?}", checked.diagnostics);
        checked.workflow.expect("it has no mistake")
    }

    fn plan(min: f64) -> Plan {
        Plan {
            workflow: "w".into(),
            version: String::new(),
            workflow_digest: String::new(),
            specimen: serde_json::from_value::<Specimen>(json!({ "id": "S1", "values": {} })).expect("a specimen"),
            params: Map::from_iter([("min".to_owned(), json!(min))]),
            steps: Vec::new(),
        }
    }

    fn recorded(value: f64) -> GateReport {
        let check = CheckReport {
            metric: "q".into(),
            verdict: Verdict::Pass,
            value: Some(value),
            unit: String::new(),
            pass: ">= 30".into(),
            warn: None,
            items: Vec::new(),
            tracked: false,
        };
        GateReport { verdict: Verdict::Pass, checks: vec![check] }
    }

    #[test]
    fn a_stricter_default_is_tried_and_what_was_given_stays() {
        let (old, new) = (workflow("30", "hold"), workflow("40", "fail"));
        let by_default = rehearse(&new, Some(&old), &plan(30.0), "ok", &recorded(35.0)).expect("judged");
        assert_eq!((by_default.before, by_default.after, by_default.then), (Verdict::Pass, Verdict::Fail, "fail"));
        assert_eq!(by_default.because, ["q 35, wanted >= 40"]);
        let given = rehearse(&new, Some(&old), &plan(20.0), "ok", &recorded(35.0)).expect("judged");
        assert_eq!((given.after, given.then), (Verdict::Pass, "continue"));
    }

    #[test]
    fn a_gate_that_is_gone_is_said() {
        let new = workflow("30", "hold");
        assert!(rehearse(&new, None, &plan(30.0), "other", &recorded(1.0)).is_err_and(|why| why.contains("other")));
        assert!(rehearse(&new, None, &plan(30.0), "a", &recorded(1.0)).is_err_and(|why| why.contains("no gate")));
    }
}
