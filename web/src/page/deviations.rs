//! Deviations: what was not as it should be, the newest first; writing one down, and closing one with what was done.

mod words;

use askama::Template;
use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use kentai_engine::people::permission::Action;
use kentai_engine::scheduler::center::request::Request;
use kentai_engine::scheduler::handle::Refusal;
use kentai_engine::view::center::deviation::{self, DeviationView};
use serde::Deserialize;

use super::address::Address;
use super::form::{Posted, Wrong};
use super::list::{self, Filter, Format, Turns};
use super::shape::{Shape, State as Shown};
use super::shell::{Place, Shell, page};
use super::visit::Visit;
use crate::App;
use crate::error::Problem;
use crate::extract::Asked;

use words::Words;

/// How bad it is, as the engine has it.
const SEVERITIES: [&str; 3] = ["minor", "major", "critical"];

pub(super) fn routes() -> Router<App> {
    Router::new()
        .route("/deviations", get(show))
        .route("/deviations/new", get(ask_new).post(open))
        .route("/deviations/{id}/close", get(ask_close).post(close))
}

/// Which deviations.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    /// `open`, `closed`.
    status: Option<String>,
    after: Option<String>,
    #[serde(default)]
    format: Format,
}

#[derive(Template)]
#[template(path = "deviations.html")]
struct Page {
    shell: Shell,
    words: &'static Words,
    filters: Vec<Filter>,
    rows: Vec<Row>,
    turns: Turns,
    who_may: Option<String>,
}

struct Row {
    state: Shown,
    severity: &'static str,
    href: Option<String>,
    close: Option<String>,
    one: DeviationView,
}

/// `GET /deviations`
async fn show(State(app): State<App>, visit: Visit, Asked(wanted): Asked<Wanted>) -> Result<Response, Problem> {
    let status = wanted.status.clone().filter(|status| !status.is_empty());
    if let Some(word) = status.as_deref().filter(|word| !["open", "closed"].contains(word)) {
        return Err(Problem::bad(format!("`{}` is no state of a deviation", word.escape_debug())));
    }
    let (who, limit) = (visit.principal(), wanted.format.rows());
    let found =
        deviation::deviations(app.engine.reader(), &who, status.as_deref(), wanted.after.as_deref(), limit).await?;
    if wanted.format == Format::Csv {
        return csv(found.items);
    }
    let shell = visit.shell(Place::Quality);
    let words = Words::of(visit.language());
    let address = Address::new("/deviations").with("status", status.as_deref());
    let by = |value: Option<&str>, label: &str| Filter::new(&address, "status", value, status.as_deref(), label);
    let may = visit.may(Action::Deviation);
    let template = Page {
        filters: vec![by(None, shell.words.all), by(Some("open"), words.open), by(Some("closed"), words.closed)],
        turns: Turns::new(&address, wanted.after.as_deref(), found.next.as_deref()),
        rows: found.items.into_iter().map(|one| row(one, may, words)).collect(),
        who_may: (!may).then(|| super::rights::who_may(Action::Deviation, &shell)),
        words,
        shell,
    };
    Ok(page(&template))
}

fn row(one: DeviationView, may: bool, words: &Words) -> Row {
    Row {
        state: if one.open { Shape::Needs.called(words.open) } else { Shape::Passed.called(words.closed) },
        severity: words.severity(&one.severity),
        href: place(&one),
        close: (may && one.open).then(|| format!("/deviations/{}/close", super::control::segment(&one.id))),
        one,
    }
}

/// Where the thing is shown that it is about.
fn place(one: &DeviationView) -> Option<String> {
    if let Some(metric) = one.about.strip_prefix("metric ").and_then(|rest| rest.split(' ').next()) {
        return Some(format!("/quality/{}", super::control::segment(metric)));
    }
    if !one.specimen.is_empty() {
        return Some(format!("/specimens/{}", super::control::segment(&one.specimen)));
    }
    let (kind, id) = one.about.split_once(' ')?;
    super::omissions::place(kind, id)
}

fn csv(found: Vec<DeviationView>) -> Result<Response, Problem> {
    let head = [
        "deviation",
        "status",
        "severity",
        "about",
        "specimen",
        "description",
        "action",
        "closed_by",
        "opened",
        "updated",
    ];
    let rows = found.into_iter().map(|one| {
        let status = if one.open { "open" } else { "closed" }.to_owned();
        let DeviationView { id, severity, about, specimen, description, action, closed_by, created, updated, .. } = one;
        [id, status, severity, about, specimen, description, action, closed_by, created, updated]
    });
    list::csv("deviations", head, rows)
}

/// What was typed.
#[derive(Clone, Debug, Default, Deserialize)]
struct Typed {
    #[serde(default)]
    about: String,
    #[serde(default)]
    specimen: String,
    #[serde(default)]
    severity: String,
    #[serde(default)]
    reason: String,
}

#[derive(Template)]
#[template(path = "deviation.html")]
struct Form {
    shell: Shell,
    words: &'static Words,
    /// None: a new one.
    one: Option<DeviationView>,
    action: String,
    title: &'static str,
    says: &'static str,
    label: &'static str,
    severities: Vec<(&'static str, &'static str, bool)>,
    typed: Typed,
    wrong: Wrong,
    who_may: Option<String>,
}

fn form(visit: &Visit, one: Option<DeviationView>, typed: Typed, wrong: Wrong, status: StatusCode) -> Response {
    let shell = visit.shell(Place::Quality);
    let words = Words::of(visit.language());
    let chosen = if typed.severity.is_empty() { "minor" } else { typed.severity.as_str() };
    let (title, says, label) = match &one {
        Some(_) => (words.close_title, words.close_says, words.close),
        None => (words.new_title, words.new_says, words.new),
    };
    let action = match &one {
        Some(one) => format!("/deviations/{}/close", super::control::segment(&one.id)),
        None => "/deviations/new".to_owned(),
    };
    let template = Form {
        severities: SEVERITIES.iter().map(|word| (*word, words.severity(word), *word == chosen)).collect(),
        who_may: (!visit.may(Action::Deviation)).then(|| super::rights::who_may(Action::Deviation, &shell)),
        one,
        action,
        title,
        says,
        label,
        typed,
        wrong,
        words,
        shell,
    };
    let mut response = page(&template);
    *response.status_mut() = status;
    response
}

/// `GET /deviations/new`
async fn ask_new(visit: Visit, Asked(typed): Asked<Typed>) -> Result<Response, Problem> {
    deviation::may_see(&visit.principal())?;
    Ok(form(&visit, None, typed, Wrong::default(), StatusCode::OK))
}

/// `POST /deviations/new`
async fn open(State(app): State<App>, visit: Visit, Posted(typed): Posted<Typed>) -> Result<Response, Problem> {
    deviation::may_see(&visit.principal())?;
    let words = Words::of(visit.language());
    let mut wrong = Wrong::default();
    if typed.about.trim().is_empty() {
        wrong.say("about", words.about_missing);
    }
    if typed.reason.trim().is_empty() {
        wrong.say("reason", words.description_missing);
    }
    if !SEVERITIES.contains(&typed.severity.as_str()) {
        wrong.say("severity", words.severity_missing);
    }
    if !wrong.is_empty() {
        return Ok(form(&visit, None, typed, wrong, StatusCode::UNPROCESSABLE_ENTITY));
    }
    let request = Request::Deviation {
        specimen: typed.specimen.trim().to_owned(),
        about: typed.about.trim().to_owned(),
        description: typed.reason.trim().to_owned(),
        severity: typed.severity.clone(),
    };
    carry_out(&app, &visit, request, None, typed).await
}

/// `GET /deviations/{id}/close`
async fn ask_close(State(app): State<App>, visit: Visit, Path(id): Path<String>) -> Result<Response, Problem> {
    let one = deviation::deviation(app.engine.reader(), &visit.principal(), &id).await?;
    Ok(form(&visit, Some(one), Typed::default(), Wrong::default(), StatusCode::OK))
}

/// `POST /deviations/{id}/close`
async fn close(
    State(app): State<App>,
    visit: Visit,
    Path(id): Path<String>,
    Posted(typed): Posted<Typed>,
) -> Result<Response, Problem> {
    let one = deviation::deviation(app.engine.reader(), &visit.principal(), &id).await?;
    visit.must(Action::Deviation)?;
    let words = Words::of(visit.language());
    let mut wrong = Wrong::default();
    if !one.open {
        // Somebody was quicker: what they did is shown.
        wrong.say("", words.moved_on);
        return Ok(form(&visit, Some(one), typed, wrong, StatusCode::CONFLICT));
    }
    if typed.reason.trim().is_empty() {
        wrong.say("reason", words.action_missing);
        return Ok(form(&visit, Some(one), typed, wrong, StatusCode::UNPROCESSABLE_ENTITY));
    }
    let request = Request::DeviationClose { deviation: id, action: typed.reason.trim().to_owned() };
    carry_out(&app, &visit, request, Some(one), typed).await
}

async fn carry_out(
    app: &App,
    visit: &Visit,
    request: Request,
    one: Option<DeviationView>,
    typed: Typed,
) -> Result<Response, Problem> {
    let refusal = match app.engine.center(request, &visit.who).await {
        Ok(_) => return Ok(Redirect::to("/deviations").into_response()),
        Err(refusal) => refusal,
    };
    let status = match &refusal {
        Refusal::NotAllowed(_) => StatusCode::FORBIDDEN,
        Refusal::State(_) => StatusCode::CONFLICT,
        Refusal::Bad(_) | Refusal::NotFound(_) => StatusCode::UNPROCESSABLE_ENTITY,
        _ => return Err(refusal.into()),
    };
    let mut wrong = Wrong::default();
    wrong.say("", refusal.to_string());
    Ok(form(visit, one, typed, wrong, status))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_deviation_leads_to_what_it_is_about() {
        let of = |about: &str, specimen: &str| {
            let (about, specimen) = (about.to_owned(), specimen.to_owned());
            place(&DeviationView { about, specimen, ..DeviationView::default() })
        };
        assert_eq!(of("metric q30_rate r1", "").as_deref(), Some("/quality/q30_rate"));
        assert_eq!(of("freezer 3", "S1").as_deref(), Some("/specimens/S1"));
        assert_eq!(of("freezer 3", ""), None);
        assert_eq!(of("specimen S2", "").as_deref(), Some("/specimens/S2"));
    }
}
