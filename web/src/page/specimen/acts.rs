//! What may be done with one specimen's order line here: hold it, let it go on, take its provenance along.

use askama::Template;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use kentai_engine::id::RunId;
use kentai_engine::people::permission::Action;
use kentai_engine::provenance::{prov_json, ro_crate};
use kentai_engine::scheduler::center::request::Request;
use kentai_engine::scheduler::handle::Refusal;
use kentai_engine::view::center::{self, Inner, OrderLineView, inside};
use kentai_engine::view::provenance::{Error, of_run};
use serde::Deserialize;

use super::super::form::{Posted, Wrong};
use super::super::shape::{Shape, State as Shown};
use super::super::shell::{Place, Shell, page};
use super::super::stage;
use super::super::visit::Visit;
use super::text::path;
use super::words::Words;
use crate::App;
use crate::error::Problem;
use crate::extract::{Asked, Named};

/// Which order line.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Which {
    line: String,
}

/// What was sent.
#[derive(Debug, Deserialize)]
pub(super) struct Wish {
    line: String,
    #[serde(default)]
    reason: String,
    /// Where it stood when the page was shown.
    #[serde(default)]
    shown: String,
}

#[derive(Template)]
#[template(path = "specimen_hold.html")]
struct Form {
    shell: Shell,
    words: &'static Words,
    line: OrderLineView,
    back: String,
    act: String,
    state: Shown,
    shown: String,
    may: bool,
    reason: String,
    wrong: Wrong,
}

/// What an answer binds to: where it stood, and whether it was held.
fn shown(line: &OrderLineView) -> String {
    let held = line.held.as_ref().map_or("-", |held| held.since.as_str());
    format!("{} {} {held}", line.stage, line.updated)
}

/// The order line, if it is this specimen's, for people of the center.
async fn find(app: &App, visit: &Visit, specimen: &str, line: &str) -> Result<OrderLineView, Problem> {
    let who = visit.principal();
    inside(app.engine.reader(), &who, Inner::Specimen, Some(specimen)).await?;
    let found = center::order_line(app.engine.reader(), &who, line).await?;
    if found.specimen == specimen {
        return Ok(found);
    }
    Err(Problem::not_found(format!("there is no order line `{}`", line.escape_debug())))
}

fn form(visit: &Visit, line: OrderLineView, reason: String, wrong: Wrong) -> Form {
    let action = if line.held.is_some() { Action::Resume } else { Action::Hold };
    Form {
        shell: visit.shell(Place::Specimens),
        words: Words::of(visit.language()),
        back: format!("{}?line={}", path(&["specimens", &line.specimen]), line.id),
        act: path(&["specimens", &line.specimen, "hold"]),
        state: stage::of_line(&line, visit.language()),
        shown: shown(&line),
        may: visit.may(action),
        reason,
        wrong,
        line,
    }
}

/// `GET /specimens/{id}/hold?line=`: what holding means, and why; or letting go on.
pub(super) async fn ask(
    State(app): State<App>,
    visit: Visit,
    Named(id): Named,
    Asked(which): Asked<Which>,
) -> Result<Response, Problem> {
    let line = find(&app, &visit, &id, &which.line).await?;
    Ok(page(&form(&visit, line, String::new(), Wrong::default())))
}

/// `POST /specimens/{id}/hold`
pub(super) async fn hold(
    State(app): State<App>,
    visit: Visit,
    Named(id): Named,
    Posted(wish): Posted<Wish>,
) -> Result<Response, Problem> {
    let line = find(&app, &visit, &id, &wish.line).await?;
    visit.must(if line.held.is_some() { Action::Resume } else { Action::Hold })?;
    let mut wrong = Wrong::default();
    if wish.shown != shown(&line) {
        wrong.say("", Words::of(visit.language()).moved_on);
        return Ok(refused(StatusCode::CONFLICT, &visit, line, wish.reason, wrong));
    }
    let order_line = line.id.clone();
    let request = match line.held {
        Some(_) => Request::Resume { order_line },
        None if wish.reason.trim().is_empty() => {
            wrong.say("reason", visit.shell(Place::Specimens).words.reason_missing);
            return Ok(refused(StatusCode::UNPROCESSABLE_ENTITY, &visit, line, wish.reason, wrong));
        }
        None => Request::Hold { order_line, reason: wish.reason.trim().to_owned() },
    };
    match app.engine.center(request, &visit.who).await {
        Ok(_) => Ok(Redirect::to(&form(&visit, line, String::new(), wrong).back).into_response()),
        Err(Refusal::State(detail) | Refusal::Bad(detail)) => {
            wrong.say("", detail);
            Ok(refused(StatusCode::CONFLICT, &visit, line, wish.reason, wrong))
        }
        Err(other) => Err(Problem::refused(other, visit.language())),
    }
}

fn refused(status: StatusCode, visit: &Visit, line: OrderLineView, reason: String, wrong: Wrong) -> Response {
    let mut response = page(&form(visit, line, reason, wrong));
    *response.status_mut() = status;
    response
}

/// How provenance is written, and of which order line or run.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Taken {
    line: Option<String>,
    run: Option<String>,
    #[serde(default)]
    format: Format,
}

#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Format {
    #[default]
    RoCrate,
    ProvJson,
}

/// `GET /specimens/{id}/provenance?line=&format=`: of the newest run of the order line, or of the run that is named.
pub(super) async fn provenance(
    State(app): State<App>,
    visit: Visit,
    Named(id): Named,
    Asked(taken): Asked<Taken>,
) -> Result<Response, Problem> {
    let reader = app.engine.reader();
    let who = visit.principal();
    let told = kentai_engine::view::center::story::story(reader, &who, &id, taken.line.as_deref()).await?;
    inside(reader, &who, Inner::Run, None).await?;
    let of = |run: &str| {
        told.runs
            .iter()
            .map(|one| &one.run.id)
            .chain(told.other_runs.iter().map(|one| &one.id))
            .any(|id| id.as_str() == run)
    };
    let run = match &taken.run {
        Some(run) => Some(run.as_str()).filter(|run| of(run)),
        None => told.runs.last().map(|one| one.run.id.as_str()),
    };
    let missing =
        || Problem::not_found(format!("specimen `{}` has no run whose provenance could be told", id.escape_debug()));
    let run = RunId::from(run.ok_or_else(missing)?);
    let (description, _) = of_run(reader, &run, &app.engine.options().site).await.map_err(|error| match error {
        Error::NoRun(_) => missing(),
        Error::Workflow { .. } => Problem::state(error.to_string()),
        Error::Store(error) => error.into(),
    })?;
    let (kind, name, written) = match taken.format {
        Format::RoCrate => ("application/ld+json", "ro-crate-metadata.json", ro_crate::write(&description)),
        Format::ProvJson => ("application/json", "prov.json", prov_json::write(&description)),
    };
    let text = written.map_err(|error| Problem::state(error.to_string()))?;
    let named = format!("attachment; filename=\"{run}-{name}\"");
    Ok(([(header::CONTENT_TYPE, kind.to_owned()), (header::CONTENT_DISPOSITION, named)], text).into_response())
}
