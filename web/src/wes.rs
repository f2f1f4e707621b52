//! GA4GH WES 1.1: runs are asked for, looked at and canceled by programs that speak the standard. Errors are its own.
//!
//! One of its runs is one of ours, over one specimen that is known here. Whoever may do what here may do it there: the requests are those
//! of `/api/v1`. What is sent never becomes a path on the site's disk.

mod request;

use std::time::Duration;

use axum::extract::{DefaultBodyLimit, FromRequestParts, Path, Request, State};
use axum::http::request::Parts;
use axum::http::{Method, Uri};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use kentai_engine::id::RunId;
use kentai_engine::scheduler::Actor;
use kentai_engine::scheduler::handle::Refusal;
use kentai_engine::state::run::Status;
use kentai_engine::view::center::{Inner, inside};
use kentai_engine::view::wes::{self, RunList, RunLog, RunStatus, TaskList, TaskLog};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::App;
use crate::error::Problem;
use crate::extract::Asked;
use crate::ga4gh;
use crate::packages::based;
use crate::peer::{Person, recognize};

/// Where the standard wants it.
pub(crate) const BASE: &str = "/ga4gh/wes/v1";
/// A workflow, those that it calls, and a few names.
const BODY_BYTES_MAX: usize = 4 << 20;
/// Reading takes milliseconds; a full disk may take longer.
const TIME_MAX: Duration = Duration::from_secs(60);
/// Images may have to be pulled first.
const SUBMISSION_TIME_MAX: Duration = Duration::from_secs(30 * 60);
/// Items of a page when nobody says how many, and at most.
const PAGE: i64 = 100;
const PAGE_MAX: i64 = 1_000;

/// Routes beneath [`BASE`].
pub(crate) fn routes(app: &App) -> Router<App> {
    let quick = Router::new()
        .route("/runs", get(list))
        .route("/runs/{run_id}", get(show))
        .route("/runs/{run_id}/status", get(status))
        .route("/runs/{run_id}/tasks", get(tasks))
        .route("/runs/{run_id}/tasks/{task_id}", get(task))
        .route("/runs/{run_id}/cancel", post(cancel))
        .layer(middleware::from_fn(|request, next| within(TIME_MAX, request, next)));
    let slow = Router::new()
        .route("/runs", post(submit))
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
        .layer(middleware::from_fn(|request, next| within(SUBMISSION_TIME_MAX, request, next)));
    let persons = quick.merge(slow).layer(middleware::from_fn_with_state(app.clone(), recognize));
    // How somebody says who they are is told to whoever did not say it yet.
    Router::new()
        .route("/service-info", get(service_info))
        .merge(persons)
        .fallback(no_such_route)
        .method_not_allowed_fallback(no_such_method)
        .layer(middleware::map_response(ga4gh::in_words))
}

/// `GET /service-info`. How much there is to do is nobody's business who has not said who they are.
async fn service_info(State(app): State<App>, Based(base): Based) -> Json<Value> {
    let site = &app.engine.options().site;
    let host = base.parse::<Uri>().ok().and_then(|uri| uri.host().map(str::to_owned)).unwrap_or_default();
    Json(json!({
        "id": format!("{host}.wes"),
        "name": format!("{site}: runs"),
        "type": { "group": "org.ga4gh", "artifact": "wes", "version": "1.1.0" },
        "organization": { "name": site, "url": format!("{base}/") },
        "version": env!("CARGO_PKG_VERSION"),
        "workflow_type_versions": { wes::TYPE: { "workflow_type_version": [wes::TYPE_VERSION] } },
        "supported_wes_versions": ["1.1.0"],
        // Files come with the specimens that are known here; none is fetched from where a request says.
        "supported_filesystem_protocols": [],
        "workflow_engine_versions": { wes::ENGINE: { "workflow_engine_version": [env!("CARGO_PKG_VERSION")] } },
        "default_workflow_engine_parameters": [],
        "system_state_counts": {},
        "auth_instructions_url": format!("{base}/api"),
        "tags": {},
    }))
}

/// Under which address of ours they ask: `https://center.example:8443`.
struct Based(String);

impl<S: Sync> FromRequestParts<S> for Based {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        based(&parts.headers, &parts.extensions).map(Self)
    }
}

/// Which part of a list.
#[derive(Debug, Default, Deserialize)]
struct Part {
    page_size: Option<String>,
    page_token: Option<String>,
}

impl Part {
    /// A size that can be answered: the standard knows neither a least nor a most.
    fn size(&self) -> Result<i64, Problem> {
        let Some(text) = &self.page_size else { return Ok(PAGE) };
        let size = text.parse::<i64>();
        let size = size.map_err(|_| Problem::bad(format!("page_size is no number: `{}`", text.escape_debug())));
        Ok(size?.clamp(1, PAGE_MAX))
    }

    fn token(&self) -> Option<String> {
        self.page_token.clone().filter(|token| !token.is_empty())
    }
}

/// `RunId`
#[derive(Serialize)]
struct Id {
    run_id: RunId,
}

/// The run that the path names, of those that the asker may see. The beginning of an id is none.
async fn seen(app: &App, who: &Actor, id: &str) -> Result<RunId, Problem> {
    inside(app.engine.reader(), &who.principal(), Inner::Run, Some(id)).await?;
    let row = app.engine.reader().run(id).await?;
    row.map(|row| row.run_id).ok_or_else(|| no_run(id))
}

fn no_run(id: &str) -> Problem {
    Problem::not_found(format!("there is no run `{}`", id.escape_debug()))
}

/// `GET /runs`
async fn list(State(app): State<App>, Person(who): Person, Asked(part): Asked<Part>) -> Result<Json<RunList>, Problem> {
    inside(app.engine.reader(), &who.principal(), Inner::Run, None).await?;
    Ok(Json(wes::runs(app.engine.reader(), part.token(), part.size()?).await?))
}

/// `POST /runs`: the same again is the same run.
async fn submit(State(app): State<App>, Person(who): Person, request: Request) -> Result<Json<Id>, Problem> {
    // Whoever may not submit does not learn what is registered here.
    app.engine.may_submit(&who)?;
    let submit = request::read(&app, request).await.map_err(Problem::into_bad)?;
    match app.engine.submit(submit, &who).await {
        // Over one specimen there is one run.
        Ok(submitted) => {
            let run_id = submitted.runs.into_iter().next();
            run_id.map(|run_id| Json(Id { run_id })).ok_or_else(|| Problem::broken("a submission without its run"))
        }
        Err(Refusal::Check { diagnostics, .. }) => Err(request::mistakes(&diagnostics)),
        Err(refusal) => Err(Problem::from(refusal).into_bad()),
    }
}

/// `GET /runs/{run_id}`
async fn show(
    State(app): State<App>,
    Person(who): Person,
    Based(base): Based,
    Path(id): Path<String>,
) -> Result<Json<RunLog>, Problem> {
    let run = seen(&app, &who, &id).await?;
    let found = wes::run(app.engine.reader(), &run, &format!("{base}{BASE}")).await?;
    found.map(Json).ok_or_else(|| no_run(&id))
}

/// `GET /runs/{run_id}/status`
async fn status(
    State(app): State<App>,
    Person(who): Person,
    Path(id): Path<String>,
) -> Result<Json<RunStatus>, Problem> {
    let run = seen(&app, &who, &id).await?;
    let found = wes::status(app.engine.reader(), &run).await?;
    found.map(Json).ok_or_else(|| no_run(&id))
}

/// Where what the tools of a run wrote is read.
fn logs(base: &str, run: &RunId) -> String {
    format!("{base}/api/v1/runs/{run}/log")
}

/// `GET /runs/{run_id}/tasks`
async fn tasks(
    State(app): State<App>,
    Person(who): Person,
    Based(base): Based,
    Path(id): Path<String>,
    Asked(part): Asked<Part>,
) -> Result<Json<TaskList>, Problem> {
    let run = seen(&app, &who, &id).await?;
    let size = usize::try_from(part.size()?).unwrap_or(1);
    let found = wes::tasks(app.engine.reader(), &run, (part.token().as_deref(), size), &logs(&base, &run)).await?;
    found.map(Json).ok_or_else(|| Problem::not_found("page_token is no `next_page_token` of this run's tasks"))
}

/// `GET /runs/{run_id}/tasks/{task_id}`
async fn task(
    State(app): State<App>,
    Person(who): Person,
    Based(base): Based,
    Path((id, task)): Path<(String, String)>,
) -> Result<Json<TaskLog>, Problem> {
    let run = seen(&app, &who, &id).await?;
    let found = wes::task_of(app.engine.reader(), &run, &task, &logs(&base, &run)).await?;
    found.map(Json).ok_or_else(|| Problem::not_found(format!("run {run} has no task `{}`", task.escape_debug())))
}

/// `POST /runs/{run_id}/cancel`: a run at its end is left as it is, as the standard knows no status that says so.
async fn cancel(State(app): State<App>, Person(who): Person, Path(id): Path<String>) -> Result<Json<Id>, Problem> {
    let run_id = seen(&app, &who, &id).await?;
    match app.engine.cancel(&run_id, &who, "asked for through WES").await {
        Ok(_) => Ok(Json(Id { run_id })),
        Err(Refusal::State(why)) => {
            let row = app.engine.reader().run(run_id.as_str()).await?;
            let ended = row.and_then(|row| Status::parse(&row.status)).is_some_and(Status::is_end);
            if ended { Ok(Json(Id { run_id })) } else { Err(Problem::state(why)) }
        }
        Err(refusal) => Err(refusal.into()),
    }
}

async fn no_such_route(uri: Uri) -> Problem {
    Problem::not_found(format!("there is nothing at {BASE}{}", uri.path()))
}

async fn no_such_method(method: Method, uri: Uri) -> Problem {
    Problem::method(&method, &format!("{BASE}{}", uri.path()))
}

/// Answers in time, if only to say that it cannot.
async fn within(time_max: Duration, request: Request, next: Next) -> Response {
    match tokio::time::timeout(time_max, next.run(request)).await {
        Ok(response) => response,
        Err(_) => Problem::unreachable("there was no answer in time; what was asked may still be done").into_response(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn size(text: &str) -> Option<i64> {
        Part { page_size: Some(text.into()), page_token: None }.size().ok()
    }

    #[test]
    fn any_number_is_a_size_that_somebody_can_pay_for() {
        assert_eq!(size("7"), Some(7));
        assert_eq!(size("0"), Some(1));
        assert_eq!(size("-9223372036854775808"), Some(1));
        assert_eq!(size("9223372036854775807"), Some(1_000));
        assert_eq!(size("9223372036854775808"), None);
        assert_eq!(size("many"), None);
        assert_eq!(size("-"), None);
        assert_eq!(size(""), None);
    }
}
