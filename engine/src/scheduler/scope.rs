//! What an expression of a step can see: `params`, `specimen`, `steps`, `run`, `resources` and the loop names.

use kentai_workflows::plan::Role;
use kentai_workflows::value::{Map, Value};
use serde_json::json;

use super::live::{LiveRun, LiveStep};

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
    let of_step: Vec<&LiveStep> =
        run.steps.iter().filter(|step| step.planned.step == id && step.status.is_satisfied()).collect();
    let scattered = run.steps.iter().any(|step| step.planned.step == id && step.planned.role != Role::Single);
    if !scattered {
        return of_step.first().map_or_else(|| Value::Object(Map::new()), |step| Value::Object(step.outputs.clone()));
    }
    let items: Vec<&LiveStep> = of_step.into_iter().filter(|step| step.planned.role == Role::Item).collect();
    let mut view = Map::new();
    let each = items.iter().find(|step| suffix(&step.planned.key) == item && item.is_some());
    if let Some(step) = each {
        view.insert("each".into(), Value::Object(step.outputs.clone()));
    }
    view.insert("all".into(), Value::Object(columns(&items)));
    Value::Object(view)
}

/// Output name → the items' values in order; an output that an item did not make is left out of its list.
fn columns(items: &[&LiveStep]) -> Map {
    let mut columns = Map::new();
    for (name, value) in items.iter().flat_map(|step| &step.outputs) {
        if let Value::Array(list) = columns.entry(name.clone()).or_insert_with(|| Value::Array(Vec::new())) {
            list.push(value.clone());
        }
    }
    columns
}

/// Names of the items behind `.all.` of a step, in the same order as its lists.
pub(super) fn item_names(run: &LiveRun, id: &str) -> Vec<String> {
    let items = run.steps.iter().filter(|step| step.planned.step == id && step.planned.role == Role::Item);
    items
        .filter(|step| step.status.is_satisfied())
        .filter_map(|step| suffix(&step.planned.key).map(str::to_owned))
        .collect()
}
