//! One run as its page shows it: tallies, tasks and files page by page, bars of a few tasks of each step. However many tasks a run has,
//! nothing here gives all of them.

use std::collections::HashMap;

use serde::Deserialize;

use super::{AttemptView, DecisionView, DeliveryView, EventView, RunView, StepView, time};
use crate::clock::Micros;
use crate::exit_record::ExitRecord;
use crate::id::RunId;
use crate::state::{attempt, step, words};
use crate::store::Error;
use crate::store::read::{FileFilter, Reader, TaskFilter};
use crate::store::rows;

words!(
    /// Where a task stands, as the page tells it; in the order in which it wants attention.
    TaskState {
        /// It was given up.
        Failed = "failed",
        /// A person must answer.
        Needs = "needs",
        /// It runs.
        Running = "running",
        /// It waits for others, for room, or to be tried again.
        Waiting = "waiting",
        /// Done, and somebody should look.
        Warned = "warned",
        /// Done.
        Passed = "passed",
        /// Ended by request, or not needed.
        Canceled = "canceled",
    }
);

impl TaskState {
    /// From a stored status; `warned`: its gate said so.
    #[must_use]
    pub fn of(status: &str, warned: bool) -> Self {
        match step::Status::parse(status) {
            Some(step::Status::Failed) => Self::Failed,
            Some(step::Status::AwaitingPerson) => Self::Needs,
            Some(step::Status::Running) => Self::Running,
            Some(step::Status::Succeeded) if warned => Self::Warned,
            Some(step::Status::Succeeded) => Self::Passed,
            Some(step::Status::Canceled | step::Status::Skipped) => Self::Canceled,
            Some(step::Status::Waiting | step::Status::Ready) | None => Self::Waiting,
        }
    }

    /// As `run_tasks.sql` counts them.
    fn ranks(self) -> (i64, i64) {
        match self {
            Self::Failed => (0, 0),
            Self::Needs => (1, 1),
            Self::Running => (2, 2),
            Self::Waiting => (3, 4),
            Self::Warned => (5, 5),
            Self::Passed => (6, 6),
            Self::Canceled => (7, 8),
        }
    }

    fn index(self) -> usize {
        Self::ALL.iter().position(|state| *state == self).unwrap_or_default()
    }
}

/// How many tasks are in each state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts([i64; 7]);

impl Counts {
    /// In this state.
    #[must_use]
    pub fn of(&self, state: TaskState) -> i64 {
        self.0[state.index()]
    }

    /// In all states.
    #[must_use]
    pub fn total(&self) -> i64 {
        self.0.iter().sum()
    }

    /// Done, with warnings or without, or not needed.
    #[must_use]
    pub fn done(&self) -> i64 {
        self.of(TaskState::Passed) + self.of(TaskState::Warned) + self.of(TaskState::Canceled)
    }

    fn add(&mut self, state: TaskState, tasks: i64) {
        self.0[state.index()] += tasks;
    }
}

/// One step of the workflow, and how far its tasks are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StepTally {
    /// The workflow's step id.
    pub step: String,
    /// It has items.
    pub scattered: bool,
    /// Its tasks: the items of a scattered step.
    pub counts: Counts,
    /// Tasks that wait to be tried again.
    pub again: i64,
    /// When the first of them last changed.
    pub first_us: Micros,
    /// When the last of them changed.
    pub last_us: Micros,
}

/// What the page says of a run before it says anything of one task.
#[derive(Clone, Debug)]
pub struct Sheet {
    /// The run.
    pub run: RunView,
    /// Round and due time of its order line, if it belongs to one.
    pub order: Option<(i64, String)>,
    /// Events so far: what a decision was made on.
    pub events: i64,
    /// When it was asked for.
    pub created_us: Micros,
    /// When something of it last changed.
    pub updated_us: Micros,
    /// Steps of the workflow, in plan order.
    pub steps: Vec<StepTally>,
    /// The row of each of those steps itself: gates, questions, hand-offs, calls.
    pub heads: Vec<StepView>,
    /// All tasks.
    pub counts: Counts,
    /// What people decided, in order.
    pub decisions: Vec<DecisionView>,
    /// Hand-offs.
    pub deliveries: Vec<DeliveryView>,
    /// Files it made.
    pub files: i64,
}

/// One task: a step, or an item of a scattered one, with its newest attempt.
#[derive(Clone, Debug)]
pub struct Task {
    /// The step.
    pub step: StepView,
    /// Where it stands.
    pub state: TaskState,
    /// Its newest attempt, if it is tried at all.
    pub bar: Option<Bar>,
    /// The next page begins behind this.
    pub key: String,
}

/// An attempt in time.
#[derive(Clone, Debug)]
pub struct Bar {
    /// The attempt.
    pub attempt: AttemptView,
    /// When it was planned.
    pub created_us: Micros,
    /// When its tool began, as far as that is known.
    pub started_us: Option<Micros>,
    /// When its tool ended.
    pub ended_us: Option<Micros>,
    /// Kills for want of memory that its own cgroup counted.
    pub oom_kills: u64,
}

/// One file that a run made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MadeFile {
    /// The task that made it.
    pub step: String,
    /// Under which output.
    pub output: String,
    /// As the tool named it.
    pub name: String,
    /// Lowercase hex.
    pub sha256: String,
    /// Bytes.
    pub size: u64,
    /// A directory.
    pub dir: bool,
    /// A withdrawal closed it.
    pub sealed: bool,
    /// The next page begins behind this.
    pub key: String,
}

/// What is said of a run at once; `id` is a whole id.
///
/// # Errors
/// When the database cannot be read.
pub async fn sheet(reader: &Reader, id: &RunId) -> Result<Option<Sheet>, Error> {
    let Some(row) = reader.run(id.as_str()).await? else { return Ok(None) };
    let Some(run) = super::run::views(reader, &[id.to_string()]).await?.pop() else { return Ok(None) };
    let steps = tallies(&reader.run_tally(id.as_str()).await?);
    let keys: Vec<String> = steps.iter().map(|step| step.step.clone()).collect();
    let mut counts = Counts::default();
    for step in &steps {
        for state in TaskState::ALL {
            counts.add(*state, step.counts.of(*state));
        }
    }
    let order = match row.order_line_id.as_str() {
        "" => None,
        order => reader.order_line(order).await?.map(|order| (order.round, time(order.due_us))),
    };
    let id = id.as_str();
    Ok(Some(Sheet {
        run,
        order,
        events: row.events,
        created_us: row.created_us,
        updated_us: row.updated_us,
        steps,
        heads: views(&reader.steps_named(id, &keys).await?)?,
        counts,
        decisions: reader.decisions(id).await?.iter().map(DecisionView::of).collect(),
        deliveries: reader.deliveries_of(id).await?.iter().map(DeliveryView::of).collect::<Result<_, _>>()?,
        files: reader.run_files_count(id).await?,
    }))
}

/// Rows of one step are together: by plan position.
fn tallies(rows: &[rows::run::Tally]) -> Vec<StepTally> {
    let mut steps: Vec<StepTally> = Vec::new();
    let mut at: HashMap<&str, usize> = HashMap::new();
    let mut all: HashMap<&str, i64> = HashMap::new();
    for row in rows {
        *all.entry(&row.step).or_default() += row.steps;
    }
    for row in rows {
        let index = *at.entry(&row.step).or_insert_with(|| {
            steps.push(StepTally {
                step: row.step.clone(),
                scattered: all[row.step.as_str()] > 1,
                counts: Counts::default(),
                again: 0,
                first_us: row.first_us,
                last_us: row.last_us,
            });
            steps.len() - 1
        });
        let step = &mut steps[index];
        let tasks = if step.scattered { row.steps - row.heads } else { row.steps };
        step.counts.add(TaskState::of(&row.status, false), tasks - row.warned);
        step.counts.add(TaskState::Warned, row.warned);
        step.again += row.again;
        step.first_us = step.first_us.min(row.first_us);
        step.last_us = step.last_us.max(row.last_us);
    }
    steps
}

/// Tasks in this state (none: in any), what needs attention first.
///
/// # Errors
/// When the database cannot be read.
pub async fn tasks(
    reader: &Reader,
    id: &RunId,
    (state, step): (Option<TaskState>, Option<&str>),
    after: Option<&str>,
    limit: i64,
) -> Result<Vec<Task>, Error> {
    let filter = TaskFilter {
        ranks: state.map_or((0, 8), TaskState::ranks),
        step: step.map(str::to_owned),
        after: after.and_then(behind).unwrap_or((-1, 0, String::new())),
        limit,
    };
    let rows = reader.run_tasks(id.as_str(), &filter).await?;
    let keys: Vec<String> = rows.iter().map(|row| row.step_key.to_string()).collect();
    let attempts = reader.last_attempts(id.as_str(), &keys).await?;
    let mut bars: HashMap<String, Bar> =
        attempts.iter().map(|attempt| (attempt.step_key.to_string(), Bar::of(attempt))).collect();
    let task = |row: &rows::Step| {
        let step = StepView::of(row, &HashMap::new())?;
        let state = TaskState::of(&row.status, is_warned(&step));
        let (rank, _) = state.ranks();
        let rank = match row.status.as_str() {
            "waiting" => 4,
            "skipped" => 8,
            _ => rank,
        };
        let key = format!("{rank}.{}.{}", row.position, row.step_key);
        Ok(Task { state, bar: bars.remove(row.step_key.as_str()), step, key })
    };
    rows.iter().map(task).collect()
}

/// Its gate passed it with a warning.
#[must_use]
pub fn is_warned(step: &StepView) -> bool {
    step.gate.as_ref().is_some_and(|gate| gate.verdict == rows::detail::Verdict::Warn)
}

/// `RANK.POSITION.KEY`
fn behind(key: &str) -> Option<(i64, i64, String)> {
    let mut parts = key.splitn(3, '.');
    Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?, parts.next()?.to_owned()))
}

/// Attempts of at most so many tasks of each step, oldest first.
///
/// # Errors
/// When the database cannot be read.
pub async fn bars(reader: &Reader, id: &RunId, tasks_max: i64) -> Result<Vec<Bar>, Error> {
    Ok(reader.run_bars(id.as_str(), tasks_max).await?.iter().map(Bar::of).collect())
}

/// One step by its key.
///
/// # Errors
/// When the database cannot be read.
pub async fn step(reader: &Reader, id: &RunId, key: &str) -> Result<Option<StepView>, Error> {
    Ok(views(&reader.steps_named(id.as_str(), &[key.to_owned()]).await?)?.pop())
}

/// All attempts of one task, oldest first.
///
/// # Errors
/// When the database cannot be read.
pub async fn attempts(reader: &Reader, id: &RunId, key: &str) -> Result<Vec<Bar>, Error> {
    Ok(reader.step_attempts(id.as_str(), key).await?.iter().map(Bar::of).collect())
}

/// Files that a run made, by step; `step`: only of this one.
///
/// # Errors
/// When the database cannot be read.
pub async fn files(
    reader: &Reader,
    id: &RunId,
    step: Option<&str>,
    after: Option<&str>,
    limit: i64,
) -> Result<Vec<MadeFile>, Error> {
    let after = after.and_then(file_behind).unwrap_or_default();
    let filter = FileFilter { step: step.map(str::to_owned), after, limit };
    let rows = reader.run_files(id.as_str(), &filter).await?;
    Ok(rows.into_iter().map(MadeFile::of).collect())
}

/// `POSITION.OUTPUT.KEY`: an output's name has no dot.
fn file_behind(key: &str) -> Option<(String, String, i64)> {
    let mut parts = key.splitn(3, '.');
    let (position, output, step) = (parts.next()?.parse().ok()?, parts.next()?.to_owned(), parts.next()?.to_owned());
    Some((step, output, position))
}

/// Events of a run behind the one numbered `after`, at most so many.
///
/// # Errors
/// When the database cannot be read.
pub async fn since(reader: &Reader, id: &RunId, after: i64, limit: i64) -> Result<Vec<EventView>, Error> {
    Ok(reader.events_after(id.as_str(), after, limit).await?.iter().map(EventView::of).collect())
}

/// How many failed runs are looked at for the same cause: what a page may cost.
const LOOKED_AT: i64 = 100;

/// Other runs, asked for since then, that failed at the same step for the same cause.
///
/// # Errors
/// When the database cannot be read.
pub async fn kin(
    reader: &Reader,
    (id, step, cause): (&RunId, &str, attempt::Cause),
    since_us: Micros,
) -> Result<Vec<RunId>, Error> {
    let found = reader.run_kin((id.as_str(), step, cause.word()), since_us, LOOKED_AT).await?;
    Ok(found.into_iter().map(RunId::from).collect())
}

fn views(rows: &[rows::Step]) -> Result<Vec<StepView>, Error> {
    rows.iter().map(|row| StepView::of(row, &HashMap::new())).collect()
}

/// The part of the stored evidence that says when.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Evidence {
    record: Option<ExitRecord>,
}

impl Bar {
    /// From its row.
    #[must_use]
    pub fn of(row: &rows::Attempt) -> Self {
        let evidence: Evidence = serde_json::from_str(&row.evidence).unwrap_or_default();
        let record = evidence.record.as_ref();
        let status = attempt::Status::parse(&row.status);
        let runs = status == Some(attempt::Status::Running);
        let over = status.is_none_or(attempt::Status::is_end);
        Self {
            attempt: AttemptView::of(row, None),
            created_us: row.created_us,
            started_us: record.map(|record| record.started_us).or(runs.then_some(row.updated_us)),
            ended_us: record.map(|record| record.ended_us).or(over.then_some(row.updated_us)),
            oom_kills: record.map_or(0, |record| record.oom_kills),
        }
    }
}

impl MadeFile {
    fn of(row: rows::run::RunFile) -> Self {
        Self {
            key: format!("{}.{}.{}", row.position, row.output, row.step_key),
            step: row.step_key.to_string(),
            output: row.output,
            name: row.name,
            sha256: row.sha256,
            size: u64::try_from(row.size).unwrap_or_default(),
            dir: row.dir != 0,
            sealed: !row.sealed.is_empty(),
        }
    }
}

#[cfg(test)]
mod tests;
