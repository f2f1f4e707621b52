//! Tasks of a run: narrowed by state and step, page by page, what needs attention first.

use std::collections::BTreeMap;

use askama::Template;
use axum::extract::{Path, State};
use axum::response::Response;
use kentai_engine::translated;
use kentai_engine::view::run_sheet::{self, Counts, Task, TaskState};
use serde::Deserialize;

use super::graph::{gate_words, needs};
use super::words::Words;
use super::{Seen, one, reasons, seen, url};
use crate::App;
use crate::error::Problem;
use crate::extract::Asked as Query;
use crate::page::address::Address;
use crate::page::list::{self, Filter, Format, Turns};
use crate::page::shape::State as Shown;
use crate::page::shell::{Place, Shell, page};
use crate::page::visit::Visit;

/// Which tasks, and from where on.
#[derive(Clone, Debug)]
pub(super) struct Asked {
    pub(super) state: Option<TaskState>,
    pub(super) step: Option<String>,
    pub(super) after: Option<String>,
    pub(super) limit: i64,
}

/// The section.
pub(super) struct Tasks {
    pub(super) note: String,
    pub(super) all: String,
    pub(super) all_words: String,
    pub(super) filters: Vec<Filter>,
    /// Only of this step, and where all are.
    pub(super) of_step: Option<(String, String)>,
    pub(super) rows: Vec<Row>,
    /// Where the list goes on.
    pub(super) next: Option<String>,
}

/// One task.
pub(super) struct Row {
    pub(super) state: Shown,
    pub(super) key: String,
    pub(super) attempt: String,
    pub(super) why: String,
    pub(super) started: String,
    pub(super) queued: String,
    pub(super) ran: String,
    pub(super) memory: String,
    pub(super) exit: String,
    pub(super) executor: String,
    pub(super) log: Option<String>,
    /// The run that it called.
    pub(super) child: Option<String>,
}

#[derive(Template)]
#[template(path = "run_tasks.html")]
struct Whole {
    shell: Shell,
    words: &'static Words,
    id: String,
    topic: String,
    tasks: Tasks,
    turns: Turns,
}

/// How the whole list is narrowed.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Narrow {
    tasks: Option<String>,
    step: Option<String>,
    after: Option<String>,
    #[serde(default)]
    format: Format,
}

/// A state's word, if it is one.
pub(super) fn state(word: Option<&str>) -> Result<Option<TaskState>, Problem> {
    let Some(word) = word else { return Ok(None) };
    let found = TaskState::parse(word).map(Some);
    found.ok_or_else(|| Problem::bad(format!("`{}` is no state of a task", word.escape_debug())))
}

/// `GET /runs/{id}/tasks`
pub(super) async fn list(
    State(app): State<App>,
    visit: Visit,
    Path(text): Path<String>,
    Query(narrow): Query<Narrow>,
) -> Result<Response, Problem> {
    let id = one(&app, &visit, &text).await?;
    let Narrow { tasks: word, step, after, format } = narrow;
    let state = state(word.as_deref())?;
    let seen = seen(&app, &id).await?;
    let words = Words::of(visit.language());
    let shell = visit.shell(Place::Runs);
    let waits = reasons(&app, &id, &seen.sheet).await;
    let asked = Asked { state, step: step.clone(), after: after.clone(), limit: format.rows() };
    if format == Format::Csv {
        return csv(&app, &seen, &asked).await;
    }
    let address =
        Address::new(format!("/runs/{id}/tasks")).with("tasks", word.as_deref()).with("step", step.as_deref());
    let limit = asked.limit;
    let mut tasks = tasks(&app, &seen, (&shell, words), asked, &waits).await?;
    tasks.filters = filters(&address, &narrowed(&seen, step.as_deref()), state, &shell, words);
    let full = i64::try_from(tasks.rows.len()).is_ok_and(|rows| rows >= limit);
    let next = tasks.next.take().filter(|_| full);
    let turns = Turns::new(&address, after.as_deref(), next.as_deref());
    Ok(page(&Whole { topic: format!("run:{id}"), id: id.to_string(), tasks, turns, words, shell }))
}

async fn csv(app: &App, seen: &Seen, asked: &Asked) -> Result<Response, Problem> {
    let id = &seen.sheet.run.id;
    let wanted = (asked.state, asked.step.as_deref());
    let found = run_sheet::tasks(app.engine.reader(), id, wanted, asked.after.as_deref(), asked.limit).await?;
    let rows = found.into_iter().map(|task| {
        let attempt = task.bar.as_ref().map(|bar| &bar.attempt);
        let text = |value: Option<String>| value.unwrap_or_default();
        [
            task.step.key.to_string(),
            task.step.status.clone(),
            text(attempt.map(|attempt| attempt.number.to_string())),
            text(attempt.map(|attempt| attempt.executor.clone())),
            text(attempt.and_then(|attempt| attempt.exit_code).map(|code| code.to_string())),
            text(attempt.and_then(|attempt| attempt.duration_ms).map(|ms| ms.to_string())),
            text(attempt.and_then(|attempt| attempt.memory_bytes).map(|bytes| bytes.to_string())),
            text(attempt.and_then(|attempt| attempt.max_rss_bytes).map(|bytes| bytes.to_string())),
            task.step.updated.clone(),
            task.step.reason.unwrap_or_default(),
        ]
    });
    let head =
        ["task", "status", "attempt", "executor", "exit", "ran_ms", "memory_asked", "memory_peak", "changed", "reason"];
    list::csv(&format!("{id}-tasks"), head, rows)
}

/// The rows of a page, with their filters.
pub(super) async fn tasks(
    app: &App,
    seen: &Seen,
    (shell, words): (&Shell, &'static Words),
    asked: Asked,
    waits: &BTreeMap<String, String>,
) -> Result<Tasks, Problem> {
    let id = &seen.sheet.run.id;
    let Asked { state, step, after, limit } = asked;
    let found = run_sheet::tasks(app.engine.reader(), id, (state, step.as_deref()), after.as_deref(), limit).await?;
    let next = found.last().map(|task| task.key.clone());
    let needs = needs(seen);
    let rows: Vec<Row> = found.iter().map(|task| row(seen, task, (shell, words), (waits, &needs))).collect();
    let counts = narrowed(seen, step.as_deref());
    let all = state.map_or_else(|| counts.total(), |state| counts.of(state));
    let shown = shell.words.of_all(&shell.say.count(i64::try_from(rows.len()).unwrap_or(0)), &shell.say.count(all));
    let address = Address::new(format!("/runs/{id}"));
    let list = Address::new(format!("/runs/{id}/tasks"))
        .with("tasks", state.map(TaskState::word))
        .with("step", step.as_deref());
    let filters = filters(&address.with("step", step.as_deref()), &counts, state, shell, words);
    let filters =
        filters.into_iter().map(|filter| Filter { href: format!("{}#tasks", filter.href), ..filter }).collect();
    Ok(Tasks {
        note: format!("{shown}{}{}", words.pick(", ", "・"), words.attention_first),
        all: list.to_string(),
        all_words: format!("{} {}", shell.words.all, shell.say.count(all)),
        filters,
        of_step: step.map(|step| (step, format!("{}#tasks", address.with("tasks", state.map(TaskState::word))))),
        rows,
        next,
    })
}

/// Counts of all tasks, or of one step's.
fn narrowed(seen: &Seen, step: Option<&str>) -> Counts {
    match step {
        None => seen.sheet.counts,
        Some(step) => {
            seen.sheet.steps.iter().find(|tally| tally.step == step).map(|tally| tally.counts).unwrap_or_default()
        }
    }
}

fn filters(
    list: &Address,
    counts: &Counts,
    now: Option<TaskState>,
    shell: &Shell,
    words: &'static Words,
) -> Vec<Filter> {
    let one = |state: Option<TaskState>| {
        let label = state.map_or(shell.words.all, |state| words.state_of(state));
        let count = state.map_or_else(|| counts.total(), |state| counts.of(state));
        let filter = Filter::new(list, "tasks", state.map(TaskState::word), now.map(TaskState::word), label);
        Filter { count: Some(shell.say.count(count)), ..filter }
    };
    std::iter::once(None).chain(TaskState::ALL.iter().copied().map(Some)).map(one).collect()
}

fn row(
    seen: &Seen,
    task: &Task,
    (shell, words): (&Shell, &'static Words),
    (waits, needs): (&BTreeMap<String, String>, &BTreeMap<String, Vec<String>>),
) -> Row {
    let say = &shell.say;
    let id = &seen.sheet.run.id;
    let key = task.step.key.to_string();
    let attempt = task.bar.as_ref().map(|bar| &bar.attempt);
    let seconds = |from: i64, to: i64| say.duration((to - from).max(0) / 1_000_000);
    let queued = task.bar.as_ref().and_then(|bar| bar.started_us.map(|started| seconds(bar.created_us, started)));
    let ran = attempt.and_then(|attempt| attempt.duration_ms).map(|ms| say.duration(ms / 1_000));
    let running = || {
        let bar = task.bar.as_ref().filter(|bar| bar.ended_us.is_none())?;
        Some(say.duration(say.seconds_since(&bar.attempt.updated)?))
    };
    let memory = attempt.map(|attempt| {
        let peak = attempt.max_rss_bytes.map(|bytes| say.memory(bytes));
        let asked = attempt.memory_bytes.filter(|bytes| *bytes > 0).map(|bytes| say.memory(bytes));
        match (peak, asked) {
            (Some(peak), Some(asked)) => say.pick(format!("{peak} of {asked}"), format!("{peak} / {asked}")),
            (Some(one), None) | (None, Some(one)) => one,
            (None, None) => String::new(),
        }
    });
    let limit =
        seen.workflow.as_ref().and_then(|workflow| workflow.step(&task.step.step)).map(|step| step.retry.attempts);
    let number = attempt.map(|attempt| match limit {
        Some(limit) => say.pick(format!("{} of {limit}", attempt.number), format!("{}/{limit}", attempt.number)),
        None => attempt.number.to_string(),
    });
    Row {
        state: Words::shape(task.state).state(shell.language()),
        child: task.step.child.clone(),
        attempt: number.unwrap_or_default(),
        why: why(seen, task, words, (waits, needs)),
        started: attempt.map(|attempt| say.time(&attempt.created)).unwrap_or_default(),
        queued: queued.unwrap_or_default(),
        ran: ran.or_else(running).unwrap_or_default(),
        memory: memory.unwrap_or_default(),
        exit: attempt.and_then(|attempt| attempt.exit_code).map(|code| code.to_string()).unwrap_or_default(),
        executor: attempt.map(|attempt| attempt.executor.clone()).unwrap_or_default(),
        log: attempt.map(|attempt| format!("/runs/{id}/log?step={}&attempt={}", url(&key), url(attempt.id.as_str()))),
        key,
    }
}

/// Why it stands where it stands, in one sentence: what is stored, what the engine says, or the steps before it.
fn why(
    seen: &Seen,
    task: &Task,
    words: &'static Words,
    (waits, needs): (&BTreeMap<String, String>, &BTreeMap<String, Vec<String>>),
) -> String {
    let key = task.step.key.as_str();
    if let Some(gate) = &task.step.gate {
        return gate_words(gate, words);
    }
    let said = |text: &str| translated::said(text, words.language).into_owned();
    // As its author wrote it in the reader's language, where the question is the reason.
    let is_question = |text: &str| task.step.reason.as_deref() == Some(text);
    let asked = task.step.ask.as_ref().filter(|ask| is_question(&ask.text));
    let asked = asked.and_then(|ask| words.pick(None, ask.text_ja.clone()));
    match task.state {
        TaskState::Failed => {
            let cause = task.step.cause.map(|cause| words.cause_of(cause.word()));
            match (cause, &task.step.reason) {
                (Some(cause), Some(reason)) => {
                    let reason = said(reason);
                    words.pick(format!("{cause}: {reason}"), format!("{cause}：{reason}"))
                }
                (cause, reason) => cause.or_else(|| reason.as_deref().map(said)).unwrap_or_default(),
            }
        }
        TaskState::Waiting if task.step.status == "waiting" => {
            let open = |name: &&String| {
                let tally = seen.sheet.steps.iter().find(|tally| tally.step == **name);
                tally.is_none_or(|tally| tally.counts.done() < tally.counts.total())
            };
            let names: Vec<String> = needs.get(&task.step.step).into_iter().flatten().filter(open).cloned().collect();
            if names.is_empty() { String::new() } else { words.waits_for(&names) }
        }
        TaskState::Waiting | TaskState::Needs | TaskState::Running => asked
            .or_else(|| task.step.reason.as_deref().map(said))
            .or_else(|| waits.get(key).cloned().filter(|_| task.state != TaskState::Running))
            .unwrap_or_default(),
        TaskState::Warned | TaskState::Passed | TaskState::Canceled => {
            task.step.reason.as_deref().map(said).unwrap_or_default()
        }
    }
}
