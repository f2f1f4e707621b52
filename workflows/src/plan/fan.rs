//! Scatter: the lists of a `for_each`, and the items that they make.

use crate::expression;
use crate::plan::key::{self, Combination};
use crate::plan::{Lists, PlannedStep, Role};
use crate::value::{Map, Value};
use crate::workflow::{Step, Workflow};

/// Items of one scattered step at most. A genome in regions of 1 Mb has some 3,000.
pub(super) const ITEMS_MAX: usize = 10_000;

/// Why a `for_each` gives no items.
#[derive(Debug, thiserror::Error)]
pub enum ListError {
    /// The expression has no value.
    #[error("evaluate the list `{name}`")]
    Expression {
        /// Loop name.
        name: String,
        /// What is wrong with it.
        source: expression::Error,
    },
    /// The value is no list.
    #[error("`{name}` is not a list")]
    NotAList {
        /// Loop name.
        name: String,
    },
    /// The lists cross to more than 10,000 items.
    #[error("{items} items, more than 10000")]
    TooMany {
        /// How many there would be.
        items: usize,
    },
}

/// The lists that `step` scatters over, evaluated over `scope`; empty for a step that runs once.
///
/// # Errors
/// When an expression has no value, its value is no list, or the lists cross to too many items.
pub fn lists(step: &Step, scope: &Map) -> Result<Lists, ListError> {
    let mut lists = Lists::new();
    for (name, expression) in &step.for_each {
        let evaluated = expression.evaluate(scope);
        let value = evaluated.map_err(|source| ListError::Expression { name: name.clone(), source })?;
        let Value::Array(items) = value else { return Err(ListError::NotAList { name: name.clone() }) };
        lists.push((name.clone(), items));
    }
    let items = lists.iter().fold(1_usize, |product, (_, items)| product.saturating_mul(items.len()));
    if items > ITEMS_MAX { Err(ListError::TooMany { items }) } else { Ok(lists) }
}

/// The items of the pending group `step_id`, once its `lists` are known; at run time nobody can be asked to rename, so lists with
/// a repeated item are named by place.
///
/// Their needs are the group's own, which are met by then. A step that the workflow does not have makes no items.
#[must_use]
pub fn fan_out(workflow: &Workflow, step_id: &str, lists: &Lists) -> Vec<PlannedStep> {
    let Some(step) = workflow.step(step_id) else { return Vec::new() };
    let needs = group_needs(step);
    let combinations = key::cross(lists, key::distinct_names);
    combinations.into_iter().map(|combination| item(step, combination, needs.clone())).collect()
}

/// Needs of a step as a whole: groups of scattered steps, all of them.
pub(super) fn group_needs(step: &Step) -> Vec<String> {
    let mut needs: Vec<String> = Vec::new();
    for other in step.after.iter().chain(step.uses.iter().map(|used| &used.step)) {
        if !needs.contains(other) {
            needs.push(other.clone());
        }
    }
    needs
}

/// One item of `step`.
pub(super) fn item(step: &Step, combination: Combination, needs: Vec<String>) -> PlannedStep {
    let key = item_key(&step.id, &combination.name);
    PlannedStep { key, step: step.id.clone(), role: Role::Item, item: combination.item, needs }
}

pub(super) fn item_key(step: &str, name: &str) -> String {
    format!("{step}/{name}")
}
