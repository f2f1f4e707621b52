//! Workflows: what is known here, one of them with its text and graph, its submission from a sheet, and an editor that checks.

mod editor;
mod submit;
mod words;

use std::sync::Arc;

use askama::Template;
use axum::Router;
use axum::extract::{DefaultBodyLimit, Path, State};
use axum::response::Response;
use axum::routing::{get, post};
use kentai_engine::people::permission::{Action, permit};
use kentai_engine::scheduler::handle::Definition;
use kentai_engine::store::rows;
use kentai_engine::view::{self, WorkflowView};
use kentai_workflows::diagnostic::{Severity, spoken};
use kentai_workflows::graph;
use kentai_workflows::resources::{format_duration_s, format_size};
use kentai_workflows::value::{Value, to_text};
use kentai_workflows::workflow::{Param, ParamKind, Step, StepKind, Workflow};
use serde::Deserialize;

use super::address::Address;
use super::chart::dag;
use super::list::Filter;
use super::markup::Markup;
use super::run::definition::definition;
use super::run::source::{Line, lines, notes};
use super::shape::{Shape, State as Shown};
use super::shell::{Place, Shell, page};
use super::visit::Visit;
use crate::App;
use crate::error::Problem;
use crate::extract::Asked;

use words::Words;

/// A sheet of a few ten thousand rows, and the form around it.
const SHEET_BYTES_MAX: usize = 16 << 20;

pub(super) fn routes() -> Router<App> {
    Router::new()
        .route("/workflows", get(list))
        .route("/workflows/{name}", get(show))
        .route(
            "/workflows/{name}/submit",
            get(submit::form).post(submit::send).layer(DefaultBodyLimit::max(SHEET_BYTES_MAX)),
        )
        .route("/editor", get(editor::show).post(editor::send))
        .route("/editor/found", post(editor::found))
}

/// How the list is narrowed.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Narrow {
    registered: Option<String>,
}

#[derive(Template)]
#[template(path = "workflows.html")]
struct List {
    shell: Shell,
    words: &'static Words,
    filters: Vec<Filter>,
    note: String,
    rows: Vec<Row>,
    may_submit: bool,
}

/// One version.
struct Row {
    state: Shown,
    name: String,
    href: String,
    version: String,
    path: String,
    digest: String,
    short: String,
    since: String,
    registered: bool,
}

#[derive(Template)]
#[template(path = "workflow.html")]
struct One {
    shell: Shell,
    words: &'static Words,
    row: Row,
    title: String,
    owner: String,
    steps: String,
    found: String,
    graph: Option<Markup>,
    params: Vec<ParamRow>,
    lines: Vec<Line>,
    versions: Vec<Row>,
    may_submit: bool,
    may_register: bool,
}

/// A parameter as its author declared it.
struct ParamRow {
    name: String,
    kind: String,
    default: String,
    limits: String,
    help: String,
}

/// What the site is made of is nobody's business outside.
fn insider(visit: &Visit) -> Result<(), Problem> {
    let who = &visit.who;
    let outside = who.institution.is_some() || who.data_center.is_some();
    if outside || permit(&visit.principal(), Action::ReadRun, None).is_err() && !visit.may(Action::Register) {
        return Err(Problem::not_allowed(format!("{} may not do this: it is for people of the center", who.name)));
    }
    Ok(())
}

/// Versions whose text is read for the list: what is older is read when somebody looks at it.
const READ: usize = 40;

/// `GET /workflows`
async fn list(State(app): State<App>, visit: Visit, Asked(narrow): Asked<Narrow>) -> Result<Response, Problem> {
    insider(&visit)?;
    let words = Words::of(visit.language());
    let shell = visit.shell(Place::Workflows);
    let all = view::workflows(app.engine.reader()).await?;
    let total = all.len();
    let wanted = narrow.registered.as_deref();
    let chosen: Vec<WorkflowView> =
        all.into_iter().filter(|one| wanted.is_none_or(|wanted| one.registered == (wanted == "1"))).collect();
    let mut rows = Vec::with_capacity(chosen.len());
    for (index, one) in chosen.into_iter().enumerate() {
        let readable = match index {
            0..READ => definition(&app, &one.digest).await?.is_some_and(|(_, workflow)| workflow.is_some()),
            _ => true,
        };
        rows.push(row(one, readable, (&shell, words)));
    }
    let address = Address::new("/workflows").with("registered", wanted);
    let by = |value: Option<&str>, label: &str| Filter::new(&address, "registered", value, wanted, label);
    let filters = vec![by(None, words.all), by(Some("1"), words.registered), by(Some("0"), words.only_run)];
    let count = |number: usize| shell.say.count(i64::try_from(number).unwrap_or(i64::MAX));
    let note = format!("{}, {}", shell.words.of_all(&count(rows.len()), &count(total)), words.newest_first);
    Ok(page(&List { filters, note, rows, may_submit: visit.may(Action::Submit), words, shell }))
}

fn row(one: WorkflowView, readable: bool, (shell, words): (&Shell, &'static Words)) -> Row {
    let state = match (readable, one.registered) {
        (false, _) => Shape::Failed.called(words.pick("Has mistakes", "誤りあり")),
        (true, true) => Shape::Passed.called(words.registered),
        (true, false) => Shape::Waiting.called(words.only_run),
    };
    Row {
        state,
        href: format!("/workflows/{}", one.digest),
        name: one.id,
        version: one.version,
        path: one.path,
        short: shell.say.digest(&one.digest),
        digest: one.digest,
        since: shell.say.date_time(&one.created),
        registered: one.registered,
    }
}

/// The version that a name stands for (`germline_wgs`: the newest registered, else the newest; `germline_wgs@3`; a digest), and all of its
/// workflow.
async fn named(app: &App, name: &str) -> Result<(WorkflowView, Vec<WorkflowView>), Problem> {
    let all = view::workflows(app.engine.reader()).await?;
    let exact = |one: &&WorkflowView| one.digest == name || format!("{}@{}", one.id, one.version) == name;
    let of_name = || all.iter().filter(|one| one.id == name);
    let found = all.iter().find(exact).or_else(|| of_name().find(|one| one.registered)).or_else(|| of_name().next());
    let missing = || Problem::not_found(format!("there is no workflow `{}`", name.escape_debug()));
    let found = found.cloned().ok_or_else(missing)?;
    let versions = all.into_iter().filter(|one| one.id == found.id).collect();
    Ok((found, versions))
}

/// The text of a version, and the workflow unless there are mistakes in it.
async fn text(app: &App, digest: &str) -> Result<(Arc<rows::Workflow>, Option<Arc<Workflow>>), Problem> {
    let missing = || Problem::not_found(format!("there is no workflow `{digest}`"));
    definition(app, digest).await?.ok_or_else(missing)
}

/// As the site is told about it.
fn definition_of(row: &rows::Workflow) -> Definition {
    Definition {
        path: row.path.clone(),
        source: row.source.clone(),
        called: serde_json::from_str(&row.called).unwrap_or_default(),
    }
}

/// `GET /workflows/{name}`
async fn show(State(app): State<App>, visit: Visit, Path(name): Path<String>) -> Result<Response, Problem> {
    insider(&visit)?;
    let (one, versions) = named(&app, &name).await?;
    let (kept, workflow) = text(&app, &one.digest).await?;
    let words = Words::of(visit.language());
    let shell = visit.shell(Place::Workflows);
    let language = visit.language();
    // As this site would be told today: images may be locked by now, targets may be gone.
    let engine = app.engine.clone();
    let asked = definition_of(&kept);
    let checked =
        tokio::task::spawn_blocking(move || engine.check(&asked)).await.map_err(|error| Problem::internal(&error))?;
    let own: Vec<_> = checked.diagnostics.into_iter().filter(|found| found.file == kept.path).collect();
    let errors = own.iter().filter(|found| found.severity == Severity::Error).count();
    let notes = notes(&own, language);
    let drawn = workflow.as_ref().map(|workflow| drawn(workflow, (&shell, words)));
    let count = |number: usize| shell.say.count(i64::try_from(number).unwrap_or(i64::MAX));
    let readable = workflow.is_some();
    Ok(page(&One {
        title: workflow.as_ref().map(|workflow| spoken(&workflow.title, language).to_owned()).unwrap_or_default(),
        owner: workflow.as_ref().and_then(|workflow| workflow.owner.clone()).unwrap_or_default(),
        steps: workflow.as_ref().map(|workflow| count(workflow.steps.len())).unwrap_or_default(),
        found: words.found(errors, own.len() - errors),
        graph: drawn,
        params: workflow.as_ref().map(|workflow| params(workflow, (&shell, words))).unwrap_or_default(),
        lines: lines(&kept.source, &notes),
        versions: versions.into_iter().map(|one| row(one, true, (&shell, words))).collect(),
        may_submit: readable && visit.may(Action::Submit),
        may_register: visit.may(Action::Register),
        row: row(one, readable, (&shell, words)),
        words,
        shell,
    }))
}

/// The graph without a run: each box says its kind.
fn drawn(workflow: &Workflow, (shell, words): (&Shell, &'static Words)) -> Markup {
    let drawing = graph::drawing(workflow);
    let node = |step: &Step| dag::Node {
        name: step.id.clone(),
        words: step_words(step, words),
        below: String::new(),
        shape: None,
        gate: matches!(step.kind, StepKind::Gate(_)),
        segments: Vec::new(),
        href: format!("#L{}", step.line),
    };
    dag::svg(&dag::Graph {
        title: words.graph.to_owned(),
        description: spoken(&workflow.title, shell.language()).to_owned(),
        nodes: workflow.steps.iter().map(node).collect(),
        spots: drawing.spots,
        lines: drawing.edges.into_iter().map(|(edge, way)| (edge.from, edge.to, way)).collect(),
    })
}

/// `script, per lane, conditional`
fn step_words(step: &Step, words: &'static Words) -> String {
    let (en, ja) = match &step.kind {
        StepKind::Receive(_) => ("receive", "受領"),
        StepKind::Tool(_) => ("tool", "ツール"),
        StepKind::Gate(_) => ("gate", "判定"),
        StepKind::Approve(_) => ("approval", "承認"),
        StepKind::Handoff(_) => ("hand-off", "引き渡し"),
        StepKind::Call(_) => ("another workflow", "別のワークフロー"),
    };
    let mut told = vec![words.pick(en, ja).to_owned()];
    if !step.for_each.is_empty() {
        let names: Vec<&str> = step.for_each.iter().map(|(name, _)| name.as_str()).collect();
        told.push(words.pick(format!("per {}", names.join(" and ")), format!("{}ごと", names.join("・"))));
    }
    if step.when.is_some() {
        told.push(words.pick("conditional", "条件付き").to_owned());
    }
    told.join(words.pick(", ", "、"))
}

fn params(workflow: &Workflow, (shell, words): (&Shell, &'static Words)) -> Vec<ParamRow> {
    let row = |param: &Param| ParamRow {
        name: param.name.clone(),
        kind: kind(&param.kind, words),
        default: match &param.default {
            Some(value) => told(param, value),
            None if param.required => words.required.to_owned(),
            None => words.optional.to_owned(),
        },
        limits: limits(param),
        help: spoken(&param.help, shell.language()).to_owned(),
    };
    workflow.params.iter().map(row).collect()
}

fn kind(kind: &ParamKind, words: &'static Words) -> String {
    let (en, ja) = match kind {
        ParamKind::String => ("text", "文字列"),
        ParamKind::Number => ("number", "数値"),
        ParamKind::Integer => ("whole number", "整数"),
        ParamKind::Boolean => ("yes or no", "はい・いいえ"),
        ParamKind::Choice(of) => return of.join(words.pick(", ", "、")),
        ParamKind::File => ("file", "ファイル"),
        ParamKind::Duration => ("duration, such as 90s or 4h", "時間（例 90s、4h）"),
        ParamKind::Size => ("size, such as 512 MiB", "サイズ（例 512 MiB）"),
        ParamKind::Reference => ("reference, NAME@VERSION", "リファレンス（名前@版）"),
    };
    words.pick(en, ja).to_owned()
}

/// A value as somebody would type it.
fn told(param: &Param, value: &Value) -> String {
    match (&param.kind, value.as_u64()) {
        (ParamKind::Duration, Some(seconds)) => format_duration_s(seconds),
        (ParamKind::Size, Some(bytes)) => format_size(bytes),
        _ => to_text(value),
    }
}

/// `0 to 1, ×`
fn limits(param: &Param) -> String {
    let unit = param.unit.as_ref().map(|unit| format!("\u{a0}{unit}")).unwrap_or_default();
    match (param.min, param.max) {
        (Some(min), Some(max)) => format!("{min} – {max}{unit}"),
        (Some(min), None) => format!("≥ {min}{unit}"),
        (None, Some(max)) => format!("≤ {max}{unit}"),
        (None, None) => unit.trim().to_owned(),
    }
}
