//! A decision about a metric, or about one point of its chart: a deviation that names it. Ways out of a gate or an order line's question
//! are decided where the question stands.

use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use kentai_engine::people::permission::Action;
use kentai_engine::scheduler::center::request::Request;
use kentai_engine::view::center::control::subject;
use kentai_engine::view::center::quality;
use serde::Deserialize;

use super::segment;
use super::words::Words;
use crate::App;
use crate::error::Problem;
use crate::extract::Asked;
use crate::page::form::{Posted, Wrong};
use crate::page::shell::{Place, Shell, page};
use crate::page::visit::Visit;

/// `minor`, `major`, `critical`
pub(in crate::page) const SEVERITIES: [&str; 3] = ["minor", "major", "critical"];
/// Longer is no reason but a report.
const REASON_MAX: usize = 4_000;

/// About what.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct About {
    #[serde(default)]
    thing: String,
}

/// What was typed.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Typed {
    #[serde(default)]
    thing: String,
    #[serde(default)]
    severity: String,
    #[serde(default)]
    reason: String,
}

#[derive(Template)]
#[template(path = "control_decide.html")]
struct Decide {
    shell: Shell,
    words: &'static Words,
    name: String,
    metric: String,
    back: String,
    typed: Typed,
    severities: Vec<(&'static str, &'static str, bool)>,
    wrong: Wrong,
    /// Who may, when this person may not.
    who_may: Option<String>,
}

fn form(visit: &Visit, metric: String, typed: Typed, wrong: Wrong) -> Response {
    let shell = visit.shell(Place::Quality);
    let words = Words::of(visit.language());
    let chosen = if typed.severity.is_empty() { "minor" } else { &typed.severity };
    let template = Decide {
        name: crate::page::quality::name(&metric, &shell.say),
        back: format!("/quality/{}", segment(&metric)),
        severities: SEVERITIES.iter().map(|word| (*word, words.severity(word), *word == chosen)).collect(),
        who_may: (!visit.may(Action::Deviation)).then(|| crate::page::rights::who_may(Action::Deviation, &shell)),
        metric,
        typed,
        wrong,
        words,
        shell,
    };
    page(&template)
}

/// `GET /quality/{metric}/decide`
pub(super) async fn ask(
    visit: Visit,
    Path(metric): Path<String>,
    Asked(about): Asked<About>,
) -> Result<Response, Problem> {
    quality::may_see(&visit.principal())?;
    Ok(form(&visit, metric, Typed { thing: about.thing, ..Typed::default() }, Wrong::default()))
}

/// `POST /quality/{metric}/decide`
pub(super) async fn answer(
    State(app): State<App>,
    visit: Visit,
    Path(metric): Path<String>,
    Posted(typed): Posted<Typed>,
) -> Result<Response, Problem> {
    quality::may_see(&visit.principal())?;
    let words = Words::of(visit.language());
    let mut wrong = Wrong::default();
    let reason = typed.reason.trim().to_owned();
    if reason.is_empty() {
        wrong.say("reason", visit.shell(Place::Quality).words.reason_missing);
    } else if reason.chars().count() > REASON_MAX {
        wrong.say("reason", words.too_long);
    }
    if !SEVERITIES.contains(&typed.severity.as_str()) {
        wrong.say("severity", words.severity_missing);
    }
    if !wrong.is_empty() {
        let mut again = form(&visit, metric, typed, wrong);
        *again.status_mut() = StatusCode::UNPROCESSABLE_ENTITY;
        return Ok(again);
    }
    let request = Request::Deviation {
        specimen: String::new(),
        about: subject(&metric, typed.thing.trim()),
        description: reason,
        severity: typed.severity,
    };
    app.engine.center(request, &visit.who).await?;
    Ok(Redirect::to(&format!("/quality/{}{}", segment(&metric), source(typed.thing.trim()))).into_response())
}

/// A run's point is on the chart of runs.
fn source(thing: &str) -> &'static str {
    if thing.starts_with('r') { "?source=runs" } else { "" }
}
