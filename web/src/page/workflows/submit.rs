//! Submitting from the page: a form made from the workflow's parameters, and a sheet. Every mistake stands in its place, and what was
//! typed stays.

use std::collections::BTreeMap;

use askama::Template;
use axum::extract::{FromRequest, Multipart, Path, Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use kentai_engine::people::permission::Action;
use kentai_engine::scheduler::handle::{Refusal, Submit};
use kentai_engine::scheduler::sheet;
use kentai_engine::store::rows;
use kentai_workflows::diagnostic::{Diagnostic, has_errors, spoken};
use kentai_workflows::sheet::header_for;
use kentai_workflows::workflow::{Param, ParamKind, Workflow};

use super::words::Words;
use super::{insider, kind, limits, named, notes, text, told};
use crate::App;
use crate::error::Problem;
use crate::page::run::source::Note;
use crate::page::shape::Shape;
use crate::page::shell::{Place, Shell, page};
use crate::page::visit::Visit;

/// Rows with mistakes that are shown: the others have the same cause.
const ROWS_MAX: usize = 200;

/// What a person sent.
#[derive(Debug, Default)]
pub(super) struct Typed {
    params: BTreeMap<String, String>,
    sheet: String,
}

/// The page.
#[derive(Template)]
#[template(path = "workflow_submit.html")]
struct Form {
    shell: Shell,
    words: &'static Words,
    name: String,
    version: String,
    digest: String,
    fields: Vec<Field>,
    sheet: String,
    sheet_wrong: Option<String>,
    columns: String,
    /// What is wrong with all of it.
    wrong: Vec<String>,
    /// Rows of the sheet that are wrong.
    rows: Vec<Note>,
    who_may: Option<String>,
    is_wrong: bool,
}

/// One parameter.
struct Field {
    id: String,
    name: String,
    label: String,
    note: String,
    help: String,
    value: String,
    required: bool,
    numeric: bool,
    /// Values to choose from: value, label, chosen. Empty: it is typed.
    choices: Vec<(String, String, bool)>,
    wrong: Option<String>,
}

/// What is wrong, by its place.
#[derive(Default)]
struct Mistakes {
    params: BTreeMap<String, String>,
    sheet: Option<String>,
    rows: Vec<Diagnostic>,
    all: Vec<String>,
}

/// `GET /workflows/{name}/submit`
pub(super) async fn form(State(app): State<App>, visit: Visit, Path(name): Path<String>) -> Result<Response, Problem> {
    let (row, workflow) = workflow(&app, &visit, &name).await?;
    Ok(shown(&app, &visit, (&row, &workflow), Typed::default(), Mistakes::default()))
}

async fn workflow(
    app: &App,
    visit: &Visit,
    name: &str,
) -> Result<(std::sync::Arc<rows::Workflow>, std::sync::Arc<Workflow>), Problem> {
    insider(visit)?;
    let (one, _) = named(app, name).await?;
    let (row, workflow) = text(app, &one.digest).await?;
    let workflow = workflow.ok_or_else(|| Problem::state(Words::of(visit.language()).unreadable))?;
    Ok((row, workflow))
}

/// `POST /workflows/{name}/submit`
pub(super) async fn send(
    State(app): State<App>,
    visit: Visit,
    Path(name): Path<String>,
    request: Request,
) -> Result<Response, Problem> {
    let (row, workflow) = workflow(&app, &visit, &name).await?;
    app.engine.may_submit(&visit.who)?;
    let typed = typed(request, &workflow).await?;
    let mut mistakes = Mistakes::default();
    for found in app.engine.check_params(&workflow, &given(&typed)) {
        let said = spoken(&found.message, visit.language()).to_owned();
        match parameter(&found) {
            Some(name) => _ = mistakes.params.insert(name, said),
            None => mistakes.all.push(said),
        }
    }
    let sheet = read(&app, &workflow, &typed.sheet).await?;
    match sheet {
        None => mistakes.sheet = Some(Words::of(visit.language()).sheet_missing.to_owned()),
        Some(ref sheet) if has_errors(&sheet.diagnostics) => mistakes.rows.clone_from(&sheet.diagnostics),
        Some(_) => {}
    }
    let clean = mistakes.params.is_empty() && mistakes.all.is_empty() && mistakes.rows.is_empty();
    let Some(sheet) = sheet.filter(|_| clean) else {
        return Ok(shown(&app, &visit, (&row, &workflow), typed, mistakes));
    };
    let submit = Submit {
        path: row.path.clone(),
        source: row.source.clone(),
        called: serde_json::from_str(&row.called).unwrap_or_default(),
        specimens: sheet.specimens,
        params: given(&typed),
    };
    match app.engine.submit(submit, &visit.who).await {
        Ok(submitted) => {
            // The same again leads to the same: a form that is sent twice does no harm.
            let to = match submitted.runs.as_slice() {
                [one] => format!("/runs/{one}"),
                _ => format!("/runs?submission={}", submitted.submission),
            };
            Ok(Redirect::to(&to).into_response())
        }
        Err(Refusal::Check { diagnostics, .. }) => {
            for found in &diagnostics {
                mistakes.all.push(spoken(&found.message, visit.language()).to_owned());
            }
            Ok(shown(&app, &visit, (&row, &workflow), typed, mistakes))
        }
        Err(Refusal::State(said) | Refusal::Bad(said) | Refusal::Unreachable(said)) => {
            mistakes.all.push(said);
            Ok(shown(&app, &visit, (&row, &workflow), typed, mistakes))
        }
        Err(other) => Err(other.into()),
    }
}

/// Parameters that were given: an empty field is none.
fn given(typed: &Typed) -> BTreeMap<String, String> {
    typed
        .params
        .iter()
        .filter(|(_, value)| !value.is_empty())
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect()
}

/// The parameter that a mistake is about: the first name in its sentence, when the sentence is about one.
fn parameter(found: &Diagnostic) -> Option<String> {
    if !matches!(found.code, "P202" | "P203" | "P204" | "P205") {
        return None;
    }
    found.message.en.split('`').nth(1).map(str::to_owned)
}

async fn read(app: &App, workflow: &std::sync::Arc<Workflow>, text: &str) -> Result<Option<sheet::Sheet>, Problem> {
    if text.trim().is_empty() {
        return Ok(None);
    }
    let path = app.engine.options().directory.join("sheet.csv").to_string_lossy().into_owned();
    let (workflow, bytes) = (workflow.clone(), text.as_bytes().to_vec());
    let read = tokio::task::spawn_blocking(move || sheet::read(&path, &bytes, &workflow));
    read.await.map(Some).map_err(|error| Problem::internal(&error))
}

/// The fields of the form; a file's content stands for the text area's.
async fn typed(request: Request, workflow: &Workflow) -> Result<Typed, Problem> {
    let refused = |error: &axum::extract::multipart::MultipartError| Problem::body(error.status(), error.body_text());
    let parts = Multipart::from_request(request, &()).await;
    let mut parts = parts.map_err(|error| Problem::body(error.status(), error.body_text()))?;
    let mut typed = Typed::default();
    let mut file = String::new();
    while let Some(part) = parts.next_field().await.map_err(|error| refused(&error))? {
        let name = part.name().unwrap_or_default().to_owned();
        let bytes = part.bytes().await.map_err(|error| refused(&error))?;
        let text = String::from_utf8(bytes.to_vec());
        match (name.as_str(), text) {
            ("sheet", Ok(text)) => typed.sheet = text,
            ("file", Ok(text)) => file = text,
            ("file" | "sheet", Err(_)) => return Err(Problem::bad("the sheet is no UTF-8 text: save it as CSV UTF-8")),
            (name, Ok(text)) => {
                let param =
                    name.strip_prefix("param-").filter(|name| workflow.params.iter().any(|param| param.name == *name));
                if let Some(param) = param {
                    typed.params.insert(param.to_owned(), text.trim().to_owned());
                }
            }
            (_, Err(_)) => return Err(Problem::bad("a field is no UTF-8 text")),
        }
    }
    if !file.is_empty() {
        typed.sheet = file;
    }
    Ok(typed)
}

fn shown(
    app: &App,
    visit: &Visit,
    (row, workflow): (&rows::Workflow, &Workflow),
    typed: Typed,
    mistakes: Mistakes,
) -> Response {
    let words = Words::of(visit.language());
    let shell = visit.shell(Place::Workflows);
    let references: Vec<String> =
        (app.engine.options().facts)().references.map(|all| all.into_keys().collect()).unwrap_or_default();
    let field = |param: &Param| field(param, (&typed, &mistakes), &references, (&shell, words));
    let fields: Vec<Field> = workflow.params.iter().map(field).collect();
    let is_wrong = !mistakes.all.is_empty()
        || !mistakes.params.is_empty()
        || mistakes.sheet.is_some()
        || !mistakes.rows.is_empty();
    let mut rows = notes(&mistakes.rows, visit.language());
    rows.truncate(ROWS_MAX);
    let roles: Vec<&str> = Action::Submit.roles().iter().map(|role| shell.words.role(role.word())).collect();
    let who_may = (!visit.may(Action::Submit)).then(|| {
        let roles = roles.join(words.pick(" or ", "、"));
        words.pick(format!("This is for: {roles}."), format!("この操作ができる役割: {roles}"))
    });
    let mut response = page(&Form {
        name: row.workflow_id.clone(),
        version: row.version.clone(),
        digest: row.digest.clone(),
        fields,
        sheet: typed.sheet,
        sheet_wrong: mistakes.sheet,
        columns: header_for(workflow).join(","),
        wrong: mistakes.all,
        rows,
        who_may,
        is_wrong,
        words,
        shell,
    });
    if is_wrong {
        *response.status_mut() = StatusCode::UNPROCESSABLE_ENTITY;
    }
    response
}

fn field(
    param: &Param,
    (typed, mistakes): (&Typed, &Mistakes),
    references: &[String],
    (shell, words): (&Shell, &'static Words),
) -> Field {
    let value = typed.params.get(&param.name).cloned().unwrap_or_default();
    let default = param.default.as_ref().map(|value| told(param, value));
    let empty = match &default {
        Some(default) => format!("{}: {default}", words.default),
        None if param.required => words.choose.to_owned(),
        None => words.optional.to_owned(),
    };
    let of = |values: Vec<(String, String)>| {
        let mut choices = vec![(String::new(), empty.clone(), value.is_empty())];
        choices.extend(values.into_iter().map(|(one, label)| {
            let chosen = one == value;
            (one, label, chosen)
        }));
        choices
    };
    let same = |all: &[String]| of(all.iter().map(|one| (one.clone(), one.clone())).collect());
    let choices = match &param.kind {
        ParamKind::Choice(all) => same(all),
        ParamKind::Boolean => of(vec![("true".into(), words.yes.into()), ("false".into(), words.no.into())]),
        ParamKind::Reference if !references.is_empty() => same(references),
        _ => Vec::new(),
    };
    let parts = [kind(&param.kind, words), limits(param), empty.clone()];
    Field {
        id: format!("param-{}", param.name),
        label: param.name.clone(),
        note: parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(words.pick("; ", "・")),
        help: spoken(&param.help, shell.language()).to_owned(),
        required: param.required,
        numeric: matches!(param.kind, ParamKind::Number | ParamKind::Integer),
        choices,
        wrong: mistakes.params.get(&param.name).cloned(),
        name: format!("param-{}", param.name),
        value,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mistake_about_a_parameter_finds_its_field() {
        let about = |code, en: &str| Diagnostic::error(code, en, "x");
        assert_eq!(parameter(&about("P203", "parameter `depth`: a `number` is wanted")).as_deref(), Some("depth"));
        assert_eq!(parameter(&about("P202", "the parameter `reference` must be given")).as_deref(), Some("reference"));
        assert_eq!(parameter(&about("P201", "workflow `w` has no parameter `x`")), None);
    }
}
