//! `call`: another workflow over the same specimen, as a run of its own whose outputs come back.

use std::collections::BTreeMap;
use std::sync::Arc;

use kentai_workflows::plan::{Specimen, lay_out};
use kentai_workflows::value::{Map, Value, to_text};
use kentai_workflows::workflow::{Call, StepKind};
use serde_json::json;

use crate::id::RunId;
use crate::scheduler::house::House;
use crate::scheduler::live::{LiveRun, Parent};
use crate::scheduler::submit::{new_run, new_steps, workflow_row};
use crate::scheduler::{scope, submit};
use crate::state::run;
use crate::store::writer::Table;

impl House {
    pub(in crate::scheduler) fn start_call(&mut self, id: &RunId, index: usize) -> Result<(), String> {
        let caller = self.run(id);
        let StepKind::Call(call) = &caller.definition(index).kind else { return Err("it is not a call".into()) };
        let called =
            caller.workflow.calls.get(&call.workflow).cloned().ok_or("the called workflow is not in the plan")?;
        let scope = scope::of(caller, index);
        let specimen = specimen(&caller.plan.specimen, call, &called, &scope)?;
        let given = given(call, &scope)?;
        let params =
            submit::params(&called, &given, &(self.options.facts)()).map_err(|found| submit::first_message(&found))?;
        let plan = lay_out(&called, &specimen, &params).map_err(|found| submit::first_message(&found))?;
        let parent = Parent { run: id.to_string(), step: caller.steps[index].planned.key.clone() };
        let intent = format!("{}/{}/{}", id, parent.step, caller.steps[index].detail.round);
        let mut row = new_run(&caller.row.submission_id, &intent, &plan, &caller.row.submitted_by, self.now);
        row.parent = crate::scheduler::live::text(&parent);
        row.priority = caller.row.priority;
        let images = Arc::clone(&caller.images);
        self.ledger.change.put(Table::Workflow, &workflow_row(&called, self.now));
        let steps = new_steps(&row.run_id, &plan, self.now);
        for step in &steps {
            self.ledger.change.put(Table::Step, step);
        }
        let child = row.run_id.clone();
        let live = LiveRun::load(row, steps, called, images).map_err(|error| error.to_string())?;
        self.adopt_new(live, plan);
        self.run_mut(id).steps[index].detail.child = Some(child.to_string());
        self.begin_work(id, index, &json!({ "run": child }));
        self.advance_all(&child);
        Ok(())
    }

    /// A run that is born inside the loop: its first row is written with this turn.
    fn adopt_new(&mut self, mut live: LiveRun, plan: kentai_workflows::plan::Plan) {
        let id = live.id.clone();
        live.row.plan = crate::scheduler::live::text(&plan);
        live.row.version = 0;
        // Its submission is recorded here, as its first event.
        live.row.events = 0;
        self.runs.insert(id.clone(), Box::new(live));
        self.record(&id, "run_submitted", "", "engine", &Value::Null);
        self.move_run(&id, run::Event::Started, "engine", &Value::Null);
    }
}

fn specimen(
    caller: &Specimen,
    call: &Call,
    called: &kentai_workflows::workflow::Workflow,
    scope: &Map,
) -> Result<Specimen, String> {
    let mut values = Map::new();
    let names = called.inputs.iter().map(|input| &input.name).chain(called.fields.iter().map(|field| &field.name));
    for name in names {
        if let Some(value) = caller.values.get(name) {
            values.insert(name.clone(), value.clone());
        }
    }
    for (name, template) in &call.inputs {
        let value = match template.single() {
            Some(expression) => expression.evaluate(scope).map_err(|error| error.to_string())?,
            None => Value::String(template.render_text(scope).map_err(|error| error.to_string())?),
        };
        values.insert(name.clone(), value);
    }
    let missing: Vec<&str> = called
        .inputs
        .iter()
        .filter(|input| input.required && !values.contains_key(&input.name))
        .map(|input| input.name.as_str())
        .collect();
    if missing.is_empty() {
        Ok(Specimen { values, ..caller.clone() })
    } else {
        Err(format!("the called workflow needs the input(s) {}: add them under `call.inputs`", missing.join(", ")))
    }
}

fn given(call: &Call, scope: &Map) -> Result<BTreeMap<String, String>, String> {
    let one = |(name, template): &(String, kentai_workflows::expression::Template)| {
        let value = match template.single() {
            Some(expression) => expression.evaluate(scope).map(|value| to_text(&value)),
            None => template.render_text(scope),
        };
        value.map(|text| (name.clone(), text)).map_err(|error| error.to_string())
    };
    call.with.iter().map(one).collect()
}
