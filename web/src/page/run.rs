//! One run: failure first, then the graph, the timeline, tasks, files, resources, and everything that happened.
//!
//! It asks for tallies and for pages of tasks, never for all attempts, so that a run of ten thousand tasks is a page too.

mod act;
mod bars;
pub(super) mod definition;
mod failure;
mod files;
mod graph;
mod log;
mod question;
mod sentence;
pub(super) mod source;
mod tasks;
mod text;
mod words;

use std::collections::BTreeMap;
use std::sync::Arc;

use askama::Template;
use askama::filters::Safe;
use axum::Router;
use axum::extract::{Path, State};
use axum::response::Response;
use axum::routing::{get, post};
use kentai_engine::id::RunId;
use kentai_engine::people::permission::Action;
use kentai_engine::view::center::{Inner, inside};
use kentai_engine::view::run_sheet::{self, Sheet, TaskState};
use kentai_engine::view::{Found, State as RunState, find_run};
use kentai_workflows::workflow::Workflow;
use serde::Deserialize;

use super::markup::{self, Markup};
use super::runs::shown;
use super::shape::Shape;
use super::shell::{Place, Shell, page};
use super::visit::Visit;
use crate::App;
use crate::error::Problem;
use crate::extract::Asked;

use words::Words;

/// Tasks of each step that the timeline draws: more lanes nobody tells apart.
const LANES: i64 = 24;
/// Tasks that the page shows before anybody asks for more.
const TASKS: i64 = 20;
/// Events, files, deliveries that the page shows.
const SOME: i64 = 12;

pub(super) fn routes() -> Router<App> {
    Router::new()
        .route("/runs/{id}", get(show))
        .route("/runs/{id}/tasks", get(tasks::list))
        .route("/runs/{id}/files", get(files::list))
        .route("/runs/{id}/events", get(files::events))
        .route("/runs/{id}/workflow", get(source::as_run))
        .route("/runs/{id}/log", get(log::show))
        .route("/runs/{id}/log/part", get(log::part))
        .route("/runs/{id}/log/file", get(log::download))
        .route("/runs/{id}/answer", get(act::question).post(act::answer))
        .route("/runs/{id}/cancel", post(act::cancel).get(act::confirm_cancel))
        .route("/runs/{id}/hold", post(act::hold).get(act::confirm_hold))
        .route("/runs/{id}/resume", post(act::resume).get(act::confirm_resume))
        .route("/runs/{id}/retry", post(act::retry).get(act::confirm_retry))
}

/// How parts of the page are wanted.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wish {
    /// `list`: as nested text.
    steps: Option<String>,
    /// `table`: as numbers.
    timeline: Option<String>,
    /// Only tasks in this state.
    tasks: Option<String>,
    /// Only tasks of this step.
    step: Option<String>,
}

/// What one page is made from.
struct Seen {
    sheet: Sheet,
    workflow: Option<Arc<Workflow>>,
}

#[derive(Template)]
#[template(path = "run.html")]
struct Run {
    shell: Shell,
    words: &'static Words,
    id: String,
    topic: String,
    workflow: String,
    acts: Vec<(&'static str, String)>,
    may_not: Option<String>,
    facts: Vec<Fact>,
    questions: Vec<question::Question>,
    failure: Option<failure::Failure>,
    steps: graph::Steps,
    bars: bars::Bars,
    tasks: tasks::Tasks,
    files: files::Files,
    resources: Vec<bars::Resource>,
    resources_note: String,
    deliveries: Vec<files::DeliveryRow>,
    decisions: Vec<files::DecisionRow>,
    events: Vec<files::EventRow>,
    events_note: String,
    /// So many events there were.
    seen_events: i64,
}

/// One of the strip under the title.
struct Fact {
    label: &'static str,
    value: Markup,
    note: Option<Markup>,
}

/// The run that a path names, if they may see it: what is foreign is not there.
async fn one(app: &App, visit: &Visit, text: &str) -> Result<RunId, Problem> {
    inside(app.engine.reader(), &visit.principal(), Inner::Run, Some(text)).await?;
    match find_run(app.engine.reader(), text).await? {
        Found::One(id) => Ok(id),
        Found::None => Err(missing(text)),
        Found::Several => Err(Problem::state(format!("several runs begin with `{text}`: give more of the id"))),
    }
}

fn missing(text: &str) -> Problem {
    Problem::not_found(format!("there is no run `{}`", text.escape_debug()))
}

async fn seen(app: &App, id: &RunId) -> Result<Seen, Problem> {
    let sheet = run_sheet::sheet(app.engine.reader(), id).await?.ok_or_else(|| missing(id.as_str()))?;
    let workflow = definition::definition(app, &sheet.run.digest).await?.and_then(|(_, workflow)| workflow);
    Ok(Seen { sheet, workflow })
}

/// `GET /runs/{id}`
async fn show(
    State(app): State<App>,
    visit: Visit,
    Path(text): Path<String>,
    Asked(wish): Asked<Wish>,
) -> Result<Response, Problem> {
    let id = one(&app, &visit, &text).await?;
    let state = tasks::state(wish.tasks.as_deref())?;
    let seen = seen(&app, &id).await?;
    let words = Words::of(visit.language());
    let shell = visit.shell(Place::Runs);
    let waits = reasons(&app, &id, &seen.sheet).await;
    let drawn = run_sheet::bars(app.engine.reader(), &id, LANES).await?;
    let rows = if state.is_some() || wish.step.is_some() { super::list::ROWS } else { TASKS };
    let asked = tasks::Asked { state, step: wish.step.clone(), after: None, limit: rows };
    let tasks = tasks::tasks(&app, &seen, (&shell, words), asked, &waits).await?;
    let questions = question::open(&app, &visit, &seen, words).await?;
    let failure = failure::failure(&app, &visit, &seen, words).await?;
    let before = (seen.sheet.events - SOME).max(0);
    let events = run_sheet::since(app.engine.reader(), &id, before, SOME).await?;
    let topic = format!("run:{id}");
    let (acts, may_not) = acts(&visit, &seen.sheet, words);
    Ok(page(&Run {
        topic,
        workflow: seen.sheet.run.workflow.clone(),
        acts,
        may_not,
        facts: facts(&seen, &shell, words),
        questions,
        failure,
        steps: graph::steps(&seen, (&shell, words), wish.steps.as_deref() == Some("list")),
        bars: bars::bars(&seen, &drawn, (&shell, words), (visit.now(), wish.timeline.as_deref() == Some("table"))),
        resources_note: bars::note(&seen, &drawn, words),
        resources: bars::resources(&seen, &drawn, &shell),
        tasks,
        files: files::some(&app, &seen, &shell, SOME).await?,
        deliveries: files::deliveries(&seen.sheet, &shell),
        decisions: files::decisions(&seen.sheet, words, &shell),
        events_note: shell
            .words
            .of_all(&shell.say.count(seen.sheet.events.min(SOME)), &shell.say.count(seen.sheet.events)),
        events: files::event_rows(&events, &shell, true),
        seen_events: seen.sheet.events,
        id: id.to_string(),
        words,
        shell,
    }))
}

/// Open tasks at most for which the engine is asked what they wait for: it answers for all of them at once.
const REASONS: i64 = 200;

/// Step key → why it waits. Only while few wait; of more, the steps before them say enough.
async fn reasons(app: &App, id: &RunId, sheet: &Sheet) -> BTreeMap<String, String> {
    let open = sheet.counts.total() - sheet.counts.done();
    if sheet.run.status.is_end() || open > REASONS {
        return BTreeMap::new();
    }
    let all = app.engine.why(id, None).await.unwrap_or_default();
    all.into_iter().map(|because| (because.step, because.reason)).collect()
}

/// Buttons of the title, and who may press them when the reader may not.
fn acts(visit: &Visit, sheet: &Sheet, words: &'static Words) -> (Vec<(&'static str, String)>, Option<String>) {
    let mut acts = Vec::new();
    let run = &sheet.run;
    if !run.status.is_end() {
        let held = run.held.is_some();
        acts.push(if held { ("resume", words.resume.to_owned()) } else { ("hold", words.hold.to_owned()) });
        acts.push(("cancel", words.cancel.to_owned()));
    } else if run.status == RunState::Canceled || sheet.counts.of(TaskState::Failed) > 0 {
        acts.push(("retry", words.retry.to_owned()));
    }
    let action = if run.status.is_end() { Action::Retry } else { Action::RunControl };
    if visit.may(action) || acts.is_empty() {
        return (acts, None);
    }
    (Vec::new(), Some(words.who_may(&roles(visit, action))))
}

/// The roles that an action needs, as people are called by them.
fn roles(visit: &Visit, action: Action) -> String {
    let shell = visit.shell(Place::Runs);
    let names: Vec<&str> = action.roles().iter().map(|role| shell.words.role(role.word())).collect();
    names.join(shell.say.pick(" or ", "、"))
}

fn facts(seen: &Seen, shell: &Shell, words: &'static Words) -> Vec<Fact> {
    let (sheet, say) = (&seen.sheet, &shell.say);
    let run = &sheet.run;
    let counts = &sheet.counts;
    let standing =
        words.standing((counts.of(TaskState::Failed), counts.of(TaskState::Needs), counts.of(TaskState::Running)));
    let note = match &run.held {
        Some(held) => {
            say.pick(format!("held by {}: {}", held.by, held.reason), format!("{}が保留：{}", held.by, held.reason))
        }
        None => standing,
    };
    let plain = |value: &str| Safe(markup::text(value));
    let some = |note: String| (!note.is_empty()).then(|| plain(&note));
    let order = sheet.order.as_ref().map(|(round, due)| {
        let due = say.date(due);
        say.pick(format!("round {round}, due {due}"), format!("{round}回目・期限 {due}"))
    });
    let ended = run.status.is_end();
    let last = if ended {
        sheet.updated_us
    } else {
        sheet.created_us + say.seconds_since(&run.created).unwrap_or(0) * 1_000_000
    };
    let took = say.duration((last - sheet.created_us) / 1_000_000);
    let title =
        seen.workflow.as_ref().map(|workflow| kentai_workflows::diagnostic::spoken(&workflow.title, say.language));
    let title = title.filter(|title| *title != run.workflow).map(str::to_owned).unwrap_or_default();
    vec![
        Fact { label: words.state, value: Safe(shown(run.status, say.language).to_string()), note: some(note) },
        Fact {
            label: words.specimen,
            value: link(&format!("/specimens/{}", url(&run.specimen)), &run.specimen),
            note: some(order.unwrap_or_default()),
        },
        Fact {
            label: words.workflow,
            value: link(&format!("/runs/{}/workflow", run.id), &format!("{} {}", run.workflow, run.version)),
            note: Some(Safe(format!(
                "<span class=\"mono\" title=\"{}\">sha256:{}</span> {}",
                markup::text(&run.digest),
                markup::text(say.digest(&run.digest)),
                markup::text(title)
            ))),
        },
        Fact {
            label: words.started,
            value: plain(&say.date_time(&run.created)),
            note: some(format!("{} {}", words.by, run.submitted_by)),
        },
        Fact {
            label: if ended { words.took } else { words.so_far },
            value: plain(&took),
            note: some(words.passed_of(&say.count(counts.done()), &say.count(counts.total()))),
        },
        Fact { label: words.priority, value: plain(priority(run.priority, shell)), note: parent(seen, words) },
    ]
}

fn priority(priority: kentai_workflows::plan::Priority, shell: &Shell) -> &'static str {
    use kentai_workflows::plan::Priority as P;
    match priority {
        P::Routine => shell.say.pick("Routine", "通常"),
        P::Urgent => shell.say.pick("Urgent", "至急"),
        P::Stat => shell.say.pick("Stat", "緊急"),
    }
}

/// The run that called it.
fn parent(seen: &Seen, words: &'static Words) -> Option<Markup> {
    let parent = seen.sheet.run.parent.as_ref()?;
    let run = markup::text(&parent.run);
    let called = words.pick("called by ", "呼び出し元 ");
    Some(Safe(format!("{called}<a class=\"id\" href=\"/runs/{run}\">{run}</a>")))
}

fn link(href: &str, text: &str) -> Markup {
    Safe(format!("<a class=\"id\" href=\"{}\">{}</a>", markup::text(href), markup::text(text)))
}

/// A part of a path or a query.
fn url(text: &str) -> String {
    match askama::filters::urlencode_strict(text) {
        Ok(encoded) => encoded.to_string(),
        Err(never) => match never {},
    }
}
