//! What an expression of a step can see: `params`, `specimen`, `steps`, `run`, `resources` and the loop names.

use std::collections::HashMap;

use kentai_workflows::plan::Role;
use kentai_workflows::value::{Map, Value};
use kentai_workflows::workflow::{Step, StepKind, Workflow};
use serde_json::json;

use super::live::{LiveRun, LiveStep, is_group};

/// The scope of one concrete step. Only steps that its definition uses (and that are satisfied) are in `steps`.
pub(super) fn of(run: &LiveRun, index: usize) -> Map {
    let planned = &run.steps[index].planned;
    let mut scope = base(run);
    let mut steps = Map::new();
    let definition = run.definition(index);
    for id in definition.uses.iter().map(|used| &used.step).chain(&definition.after) {
        steps.insert(id.clone(), view(run, id, suffix(&planned.key)));
    }
    scope.insert("steps".into(), Value::Object(steps));
    for (name, item) in &planned.item {
        scope.insert(name.clone(), item.clone());
    }
    scope
}

/// The scope of the workflow's `outputs`: every step.
pub(super) fn whole(run: &LiveRun) -> Map {
    let mut scope = base(run);
    let steps: Map = run.workflow.steps.iter().map(|step| (step.id.clone(), view(run, &step.id, None))).collect();
    scope.insert("steps".into(), Value::Object(steps));
    scope
}

fn base(run: &LiveRun) -> Map {
    let mut scope = Map::new();
    scope.insert("params".into(), Value::Object(run.plan.params.clone()));
    scope.insert("specimen".into(), Value::Object(run.plan.specimen.scope()));
    scope.insert("run".into(), json!({ "id": run.id, "workflow": run.plan.workflow, "version": run.plan.version }));
    scope
}

/// `L001` of `trim/L001`.
fn suffix(key: &str) -> Option<&str> {
    key.split_once('/').map(|(_, item)| item)
}

/// `steps.<id>` as the step with item `item` sees it.
fn view(run: &LiveRun, id: &str, item: Option<&str>) -> Value {
    let mut of_step = run.steps.iter().filter(|step| step.planned.step == id);
    if let Some(single) = of_step.clone().find(|step| step.planned.role == Role::Single) {
        let outputs = if single.status.is_satisfied() { single.outputs.clone() } else { Map::new() };
        return Value::Object(outputs);
    }
    let mut view = Map::new();
    let each = of_step.find(|step| step.status.is_satisfied() && item.is_some() && suffix(&step.planned.key) == item);
    if let Some(step) = each {
        view.insert("each".into(), Value::Object(step.outputs.clone()));
    }
    view.insert("all".into(), Value::Object(columns(run, id)));
    Value::Object(view)
}

/// The satisfied items of a step in the order of its list, which is that of its group's needs (rows come back in another).
fn items<'a>(run: &'a LiveRun, id: &str) -> Vec<&'a LiveStep> {
    let of_step = || run.steps.iter().filter(|step| step.planned.step == id);
    let items = of_step().filter(|step| step.planned.role == Role::Item && step.status.is_satisfied());
    let by_key: HashMap<&str, &LiveStep> = items.map(|step| (step.planned.key.as_str(), step)).collect();
    let group = of_step().find(|step| is_group(&step.planned));
    let needs = group.into_iter().flat_map(|group| &group.planned.needs);
    needs.filter_map(|need| by_key.get(need.as_str()).copied()).collect()
}

/// Output name → the items' values in order; an output that an item did not make is left out of its list, which may be empty.
fn columns(run: &LiveRun, id: &str) -> Map {
    let declared = run.workflow.step(id).map(|step| outputs(&run.workflow, step)).unwrap_or_default();
    let mut columns: Map = declared.into_iter().map(|name| (name, Value::Array(Vec::new()))).collect();
    for (name, value) in items(run, id).iter().flat_map(|step| &step.outputs) {
        if let Value::Array(list) = columns.entry(name.clone()).or_insert_with(|| Value::Array(Vec::new())) {
            list.push(value.clone());
        }
    }
    columns
}

/// What a step may make, by name.
fn outputs(workflow: &Workflow, step: &Step) -> Vec<String> {
    match &step.kind {
        StepKind::Tool(tool) => tool.outputs.iter().map(|(name, _)| name.clone()).collect(),
        StepKind::Gate(_) => ["verdict", "report", "values"].map(str::to_owned).into(),
        StepKind::Handoff(_) => vec!["delivery".to_owned()],
        StepKind::Call(call) => {
            let called = workflow.calls.get(&call.workflow);
            called.into_iter().flat_map(|called| &called.outputs).map(|(name, _)| name.clone()).collect()
        }
        StepKind::Receive(_) | StepKind::Approve(_) => Vec::new(),
    }
}

/// Names of the items behind `steps.<id>.all.<output>`, in the order of that list.
pub(super) fn item_names(run: &LiveRun, id: &str, output: &str) -> Vec<String> {
    let items = items(run, id).into_iter().filter(|step| step.outputs.contains_key(output));
    items.filter_map(|step| suffix(&step.planned.key).map(str::to_owned)).collect()
}
