//! A workflow laid out over one specimen.

use std::collections::{BTreeMap, BTreeSet};

use crate::diagnostic::Diagnostic;
use crate::graph;
use crate::plan::fan::{ListError, group_needs, item, item_key, lists};
use crate::plan::key::{self, Combination};
use crate::plan::{Plan, PlannedStep, Role, Specimen};
use crate::value::{Map, Value};
use crate::workflow::{Step, Workflow};

/// How often a step runs.
enum Scatter {
    Once,
    /// Its items are known now.
    Items {
        combinations: Vec<Combination>,
        names: BTreeSet<String>,
    },
    /// Its list comes from a step.
    Later,
}

/// The plan of `workflow` over `specimen` with the resolved `params`.
///
/// # Errors
/// A list that has no value, is no list, is too long, or names an item twice; all of them at once.
pub fn lay_out(workflow: &Workflow, specimen: &Specimen, params: &Map) -> Result<Plan, Vec<Diagnostic>> {
    let order = graph::order(workflow).map_err(|steps| vec![cyclic(workflow, &steps)])?;
    let scope = scope(specimen, params);
    let mut notes = Vec::new();
    let mut scatters: BTreeMap<&str, Scatter> = BTreeMap::new();
    for step in &workflow.steps {
        match scatter(step, &scope) {
            Ok(scatter) => drop(scatters.insert(&step.id, scatter)),
            Err(note) => notes.push(note.at_line(&workflow.path, step.line, 1)),
        }
    }
    if !notes.is_empty() {
        return Err(notes);
    }
    let steps =
        order.iter().filter_map(|index| workflow.steps.get(*index)).flat_map(|step| planned(step, &scatters)).collect();
    Ok(Plan {
        workflow: workflow.id.clone(),
        version: workflow.version.clone(),
        workflow_digest: workflow.digest.clone(),
        specimen: specimen.clone(),
        params: params.clone(),
        steps,
    })
}

/// What lists may be made of before anything ran.
fn scope(specimen: &Specimen, params: &Map) -> Map {
    let (params, specimen) = (Value::Object(params.clone()), Value::Object(specimen.scope()));
    Map::from_iter([("params".to_owned(), params), ("specimen".to_owned(), specimen)])
}

fn scatter(step: &Step, scope: &Map) -> Result<Scatter, Box<Diagnostic>> {
    if step.for_each.is_empty() {
        return Ok(Scatter::Once);
    }
    let from_a_step = |path: &Vec<String>| path.first().is_some_and(|name| name == "steps");
    if step.for_each.iter().any(|(_, list)| list.references.iter().any(from_a_step)) {
        return Ok(Scatter::Later);
    }
    let lists = lists(step, scope).map_err(|error| Box::new(no_list(step, &error)))?;
    for (loop_name, items) in &lists {
        if let Some(name) = key::twice(&key::names(items)) {
            return Err(Box::new(repeated(step, loop_name, name)));
        }
    }
    let combinations = key::cross(&lists, key::names);
    let names = combinations.iter().map(|combination| combination.name.clone()).collect();
    Ok(Scatter::Items { combinations, names })
}

/// The concrete steps of `step`: items before their group, so that the order respects needs.
fn planned(step: &Step, scatters: &BTreeMap<&str, Scatter>) -> Vec<PlannedStep> {
    let whole =
        |role, needs| PlannedStep { key: step.id.clone(), step: step.id.clone(), role, item: Map::new(), needs };
    match scatters.get(step.id.as_str()) {
        None | Some(Scatter::Once) => vec![whole(Role::Single, group_needs(step))],
        Some(Scatter::Later) => vec![whole(Role::Pending, group_needs(step))],
        Some(Scatter::Items { combinations, .. }) => {
            let one = |combination: &Combination| {
                item(step, combination.clone(), item_needs(step, &combination.name, scatters))
            };
            let mut steps: Vec<PlannedStep> = combinations.iter().map(one).collect();
            let keys = steps.iter().map(|item| item.key.clone()).collect();
            // An empty group must still not be finished before what it waits for.
            steps.push(whole(Role::Group, if steps.is_empty() { group_needs(step) } else { keys }));
            steps
        }
    }
}

/// Needs of the item `name`: `each` narrows a need to the item of the same name, where there is one.
fn item_needs(step: &Step, name: &str, scatters: &BTreeMap<&str, Scatter>) -> Vec<String> {
    let mut needs = step.after.clone();
    for used in &step.uses {
        let matching = match scatters.get(used.step.as_str()) {
            Some(Scatter::Items { names, .. }) => used.each && names.contains(name),
            _ => false,
        };
        needs.push(if matching { item_key(&used.step, name) } else { used.step.clone() });
    }
    let mut seen = BTreeSet::new();
    needs.retain(|need| seen.insert(need.clone()));
    needs
}

fn no_list(step: &Step, error: &ListError) -> Diagnostic {
    let id = &step.id;
    match error {
        ListError::Expression { name, source } => Diagnostic::error(
            "P101",
            format!("`{id}`: the list `{name}` has no value: {source}"),
            format!("`{id}`: リスト `{name}` の値が求まりません: {source}"),
        ),
        ListError::NotAList { name } => Diagnostic::error(
            "P101",
            format!("`{id}` runs for each `{name}`, but that is not a list"),
            format!("`{id}` の for_each `{name}` がリストではありません"),
        ),
        ListError::TooMany { items } => Diagnostic::error(
            "P103",
            format!("`{id}` would run {items} times; at most 10000 are allowed"),
            format!("`{id}` の繰り返しが {items} 回になります（上限 10000 回）"),
        ),
    }
}

fn repeated(step: &Step, loop_name: &str, name: &str) -> Diagnostic {
    let id = &step.id;
    Diagnostic::error(
        "P102",
        format!("`{id}`: two items of `{loop_name}` are called `{name}`"),
        format!("`{id}`: `{loop_name}` に同じ名前 `{name}` の項目が 2 つあります"),
    )
}

fn cyclic(workflow: &Workflow, steps: &[usize]) -> Diagnostic {
    let names: Vec<&str> =
        steps.iter().filter_map(|index| workflow.steps.get(*index)).map(|step| step.id.as_str()).collect();
    let names = names.join(", ");
    Diagnostic::error(
        "P104",
        format!("these steps wait for each other: {names}"),
        format!("互いに待ち合うステップがあります: {names}"),
    )
    .at_line(&workflow.path, 1, 1)
}
