//! What works say back: a specimen was looked at, a gate was read.

use kentai_workflows::value::{Map, Value};
use kentai_workflows::workflow::{IfVerdict, StepKind};
use serde_json::json;

use super::advance::ENGINE;
use super::house::House;
use super::live::text;
use super::work;
use crate::id::RunId;
use crate::state::attempt::Cause;
use crate::state::step;
use crate::store::rows;
use crate::store::rows::detail::{Ask, GateReport, Verdict};
use crate::store::writer::Table;

impl House {
    pub(super) fn end_work(&mut self, id: &RunId, index: usize) -> bool {
        let Some(run) = self.runs.get_mut(id) else { return false };
        run.busy = run.busy.saturating_sub(1);
        if run.steps[index].status == step::Status::Running {
            return true;
        }
        self.settle(id);
        false
    }

    /// A specimen was looked at.
    pub(super) fn on_received(&mut self, id: &RunId, index: usize, result: Result<work::receive::Found, String>) {
        if !self.end_work(id, index) {
            return;
        }
        match result {
            Ok(found) => {
                let run = self.run_mut(id);
                for (_, value) in &mut run.plan.specimen.values {
                    work::receive::fill(value, &found);
                }
                run.steps[index].outputs.insert("files".into(), Value::Object(found.clone()));
                self.succeed_step(id, index, ENGINE, &json!({ "files": found }));
            }
            Err(reason) => self.fail_step(id, index, Cause::Policy, &reason),
        }
    }

    /// A gate's values were read and judged.
    pub(super) fn on_gate(&mut self, id: &RunId, index: usize, result: Result<GateReport, String>) {
        if !self.end_work(id, index) {
            return;
        }
        let report = match result {
            Ok(report) => report,
            Err(reason) => return self.fail_step(id, index, Cause::BadOutput, &reason),
        };
        self.measure(id, index, &report);
        let StepKind::Gate(gate) = &self.run(id).definition(index).kind else { return };
        let then = match report.verdict {
            Verdict::Pass => IfVerdict::Continue,
            Verdict::Warn => gate.if_warn,
            Verdict::Fail | Verdict::NotMeasured => gate.if_fail,
        };
        let step = &mut self.run_mut(id).steps[index];
        step.outputs = gate_outputs(&report);
        let body = json!({ "verdict": report.verdict, "report": report });
        let sentence = sentence(&report);
        step.detail.gate = Some(report);
        match then {
            IfVerdict::Continue => self.succeed_step(id, index, ENGINE, &body),
            IfVerdict::Fail => self.fail_step(id, index, Cause::Policy, &sentence),
            IfVerdict::Hold => self.ask_reviewer(id, index, sentence, &body),
        }
    }

    fn ask_reviewer(&mut self, id: &RunId, index: usize, sentence: String, body: &Value) {
        let now = self.now;
        let detail = &mut self.run_mut(id).steps[index].detail;
        detail.reason = Some(sentence);
        let shown = body.clone();
        detail.ask = Some(Ask {
            kind: "qc".into(),
            roles: vec!["reviewer".into()],
            count: 1,
            shown,
            asked_us: now,
            ..Ask::default()
        });
        self.move_step(id, index, step::Event::Asked, ENGINE, body);
    }

    fn measure(&mut self, id: &RunId, index: usize, report: &GateReport) {
        let step_key = self.run(id).steps[index].key();
        for check in &report.checks {
            let headline = (String::new(), check.value, check.verdict);
            let items = check.items.iter().map(|item| (item.item.clone(), item.value, item.verdict));
            for (item, value, verdict) in std::iter::once(headline).chain(items) {
                let row = rows::Measurement {
                    run_id: id.clone(),
                    step_key: step_key.clone(),
                    metric: check.metric.clone(),
                    item,
                    value: text(&value),
                    unit: check.unit.clone(),
                    verdict: verdict.word().to_owned(),
                    tracked: i64::from(check.tracked),
                    at_us: self.now,
                };
                self.ledger.change.put(Table::Measurement, &row);
            }
        }
    }
}

fn gate_outputs(report: &GateReport) -> Map {
    let values: Map = report.checks.iter().map(|check| (check.metric.clone(), json!(check.value))).collect();
    let mut outputs = Map::new();
    outputs.insert("verdict".into(), json!(report.verdict));
    outputs.insert("report".into(), json!(report));
    outputs.insert("values".into(), Value::Object(values));
    outputs
}

/// `q30: L004 is 0.78 (pass >= 0.85, warn >= 0.8)`, every failing item named.
pub(super) fn sentence(report: &GateReport) -> String {
    let mut parts = Vec::new();
    for check in report.checks.iter().filter(|check| check.verdict != Verdict::Pass) {
        let limits = match &check.warn {
            Some(warn) => format!("pass {}, warn {warn}", check.pass),
            None => format!("pass {}", check.pass),
        };
        let unit = &check.unit;
        let number = |value: Option<f64>| {
            value.map_or_else(|| "not measured".to_owned(), |value| format!("{}{unit}", round(value)))
        };
        let worst: Vec<String> = check
            .items
            .iter()
            .filter(|item| item.verdict != Verdict::Pass)
            .map(|item| format!("{} is {} ({})", item.item, number(item.value), item.verdict.word()))
            .collect();
        if worst.is_empty() {
            parts.push(format!("{} is {} ({}; {limits})", check.metric, number(check.value), check.verdict.word()));
        } else {
            parts.push(format!("{}: {}; {limits}", check.metric, worst.join(", ")));
        }
    }
    parts.join("; ")
}

fn round(value: f64) -> f64 {
    (value * 10_000.0).round() / 10_000.0
}
