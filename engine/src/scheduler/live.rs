//! Runs, steps and attempts as the loop holds them: the stored row, taken apart into the types that decisions need.
//!
//! Built from rows and turned back into rows; it decides nothing.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use kentai_workflows::plan::{Plan, PlannedStep, Role};
use kentai_workflows::value::Map;
use kentai_workflows::workflow::{Step, Workflow};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::center::Standing;
use crate::decide::admit::Request;
use crate::graph::Order;
use crate::id::{AttemptId, RunId, StepKey};
use crate::port::collect::Expected;
use crate::port::courier::Parcel;
use crate::port::executor::{Executor, Task};
use crate::state::{attempt, run, step};
use crate::store::rows::{self, detail::Detail};

/// A pause, with who and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hold {
    /// Who paused it.
    pub by: String,
    /// Why.
    pub reason: String,
    /// Microseconds since the epoch.
    pub since_us: i64,
}

/// The step that called a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Parent {
    /// The calling run.
    pub run: String,
    /// Its step.
    pub step: String,
}

pub(super) struct LiveRun {
    pub(super) id: RunId,
    /// The stored row; `plan` is empty once it was written.
    pub(super) row: rows::Run,
    pub(super) status: run::Status,
    pub(super) hold: Option<Hold>,
    /// None: the center does not know the participant, and the sheet's word counts.
    pub(super) consent: Option<Standing>,
    pub(super) parent: Option<Parent>,
    /// Its steps are in `steps`.
    pub(super) plan: Plan,
    pub(super) workflow: Arc<Workflow>,
    pub(super) images: Arc<BTreeMap<String, String>>,
    pub(super) steps: Vec<LiveStep>,
    pub(super) order: Order,
    pub(super) dirty: bool,
    /// Attempts and works in flight.
    pub(super) busy: usize,
    /// What was given to couriers so far, by delivery id: given again, it is given word for word.
    pub(super) parcels: BTreeMap<String, Parcel>,
}

pub(super) struct LiveStep {
    pub(super) planned: PlannedStep,
    pub(super) status: step::Status,
    pub(super) outputs: Map,
    pub(super) detail: Detail,
    pub(super) position: i64,
    pub(super) version: i64,
    pub(super) dirty: bool,
    /// The attempt in flight.
    pub(super) attempt: Option<AttemptId>,
}

pub(super) struct LiveAttempt {
    /// The stored row; `task` and `expected` are empty once they were written.
    pub(super) row: rows::Attempt,
    pub(super) status: attempt::Status,
    pub(super) run: RunId,
    pub(super) step: usize,
    pub(super) task: Arc<Task>,
    pub(super) expected: Arc<Vec<Expected>>,
    pub(super) hands: Arc<dyn Executor>,
    pub(super) request: Request,
    pub(super) in_book: bool,
    pub(super) dirty: bool,
    /// Asks that could not reach the executor so far.
    pub(super) unreachable: u32,
}

/// A stored row that cannot be understood.
pub(super) type Broken = crate::store::Error;

fn broken(what: &'static str, found: impl ToString) -> Broken {
    Broken::Unknown { what, found: found.to_string() }
}

fn document<T: serde::de::DeserializeOwned>(what: &'static str, text: &str) -> Result<T, Broken> {
    serde_json::from_str(text).map_err(|error| broken(what, error))
}

impl LiveRun {
    /// From its rows.
    pub(super) fn load(
        mut row: rows::Run,
        steps: Vec<rows::Step>,
        workflow: Arc<Workflow>,
        images: Arc<BTreeMap<String, String>>,
    ) -> Result<Self, Broken> {
        let mut plan: Plan = document("a plan", &std::mem::take(&mut row.plan))?;
        let planned = std::mem::take(&mut plan.steps).into_iter();
        let mut planned: HashMap<String, PlannedStep> = planned.map(|planned| (planned.key.clone(), planned)).collect();
        let mut live = Vec::with_capacity(steps.len());
        for row in steps {
            let detail: Detail = document("a step's detail", &row.detail)?;
            let known = detail.planned.clone().or_else(|| planned.remove(row.step_key.as_str()));
            let planned = known.ok_or_else(|| broken("a step that no plan has", &row.step_key))?;
            live.push(LiveStep {
                planned,
                status: step::Status::parse(&row.status).ok_or_else(|| broken("a step status", &row.status))?,
                outputs: document("a step's outputs", &row.outputs)?,
                detail,
                position: row.position,
                version: row.version,
                dirty: false,
                attempt: None,
            });
        }
        let status = run::Status::parse(&row.status).ok_or_else(|| broken("a run status", &row.status))?;
        let mut run = Self {
            id: row.run_id.clone(),
            status,
            hold: document("a hold", &row.hold)?,
            consent: None,
            parent: document("a parent", &row.parent)?,
            row,
            plan,
            workflow,
            images,
            order: Order::default(),
            steps: live,
            dirty: false,
            busy: 0,
            parcels: BTreeMap::new(),
        };
        run.reorder();
        Ok(run)
    }

    /// Finds who waits for whom; again after steps were added.
    pub(super) fn reorder(&mut self) {
        self.order =
            Order::of(self.steps.iter().map(|step| (step.planned.key.as_str(), step.planned.needs.as_slice())));
    }

    /// The workflow's step behind a concrete one.
    pub(super) fn definition(&self, index: usize) -> &Step {
        let id = &self.steps[index].planned.step;
        self.workflow
            .step(id)
            .expect("the plan was laid out from this workflow's text, whose digest was compared when it was loaded")
    }

    pub(super) fn index(&self, key: &str) -> Option<usize> {
        self.steps.iter().position(|step| step.planned.key == key)
    }

    /// Steps that are not satisfied, groups not counted: how far the specimen is from its completion.
    pub(super) fn count_left(&self) -> i64 {
        let open = self.steps.iter().filter(|step| !step.status.is_satisfied() && !is_group(&step.planned));
        i64::try_from(open.count()).unwrap_or(i64::MAX)
    }

    pub(super) fn has(&self, status: step::Status) -> bool {
        self.steps.iter().any(|step| step.status == status)
    }
}

pub(super) fn is_group(planned: &PlannedStep) -> bool {
    matches!(planned.role, Role::Group | Role::Pending)
}

impl LiveStep {
    pub(super) fn new(planned: PlannedStep, position: i64) -> Self {
        Self {
            planned,
            status: step::Status::Waiting,
            outputs: Map::new(),
            detail: Detail::default(),
            position,
            version: 0,
            dirty: true,
            attempt: None,
        }
    }

    pub(super) fn key(&self) -> StepKey {
        StepKey::from(self.planned.key.as_str())
    }

    /// The row to be written: one version on.
    pub(super) fn next_row(&mut self, run: &RunId, now: i64) -> rows::Step {
        self.version += 1;
        self.dirty = false;
        rows::Step {
            run_id: run.clone(),
            step_key: self.key(),
            position: self.position,
            step: self.planned.step.clone(),
            status: self.status.word().to_owned(),
            outputs: text(&self.outputs),
            detail: text(&self.detail),
            updated_us: now,
            version: self.version,
        }
    }
}

/// A stored parcel.
pub(super) fn parcel(row: &rows::Delivery) -> Result<Parcel, Broken> {
    document("a parcel", &row.parcel)
}

impl LiveAttempt {
    /// From its row, after a start of the engine.
    pub(super) fn load(mut row: rows::Attempt, step: usize, hands: Arc<dyn Executor>) -> Result<Self, Broken> {
        let task: Task = document("a task", &row.task)?;
        let expected = document("declared outputs", &row.expected)?;
        row.task = String::new();
        row.expected = String::new();
        let request = Request { cpus: task.cpus, memory_bytes: task.memory_bytes, disk_bytes: task.disk_bytes };
        Ok(Self {
            status: attempt::Status::parse(&row.status).ok_or_else(|| broken("an attempt status", &row.status))?,
            run: row.run_id.clone(),
            row,
            step,
            task: Arc::new(task),
            expected: Arc::new(expected),
            hands,
            request,
            in_book: false,
            dirty: false,
            unreachable: 0,
        })
    }

    /// The row to be written: one version on.
    ///
    /// Its time is since when it stands where it stands: that a later engine takes it as its own is no change of it, and a tool has run
    /// since its own start, whoever watches.
    pub(super) fn next_row(&mut self, now: i64) -> rows::Attempt {
        let status = self.status.word();
        if self.row.version == 0 || self.row.status != status {
            self.row.updated_us = now;
        }
        self.row.version += 1;
        self.row.status = status.to_owned();
        self.dirty = false;
        let (task, expected) = (std::mem::take(&mut self.row.task), std::mem::take(&mut self.row.expected));
        rows::Attempt { task, expected, ..self.row.clone() }
    }
}

/// JSON text of a document of ours.
pub(super) fn text(value: &impl Serialize) -> String {
    serde_json::to_string(value).expect("our documents hold only text, numbers, lists and maps with text keys")
}
