//! Draining an executor and letting it work again, with a reason. What it leads to is the engine's.

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use kentai_engine::people::permission::Action;
use kentai_engine::scheduler::center::request::Request;
use kentai_engine::scheduler::handle::Refusal;
use kentai_engine::scheduler::post::Standing;
use kentai_engine::view::center::capacity::may_see;
use serde::Deserialize;

use super::words::Words;
use crate::App;
use crate::error::Problem;
use crate::extract::Asked;
use crate::page::form::{Posted, Wrong};
use crate::page::shell::{Place, Shell, page};
use crate::page::visit::Visit;

/// Which act on which executor.
#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct Typed {
    #[serde(default)]
    executor: String,
    #[serde(default)]
    what: String,
    #[serde(default)]
    reason: String,
    /// How it stood when the form was made.
    #[serde(default)]
    shown: String,
}

#[derive(Template)]
#[template(path = "capacity_act.html")]
struct Act {
    shell: Shell,
    words: &'static Words,
    title: String,
    says: &'static str,
    label: &'static str,
    typed: Typed,
    wrong: Wrong,
    who_may: Option<String>,
}

/// `GET /capacity/act`
pub(super) async fn ask(State(app): State<App>, visit: Visit, Asked(typed): Asked<Typed>) -> Result<Response, Problem> {
    let one = known(&app, &visit, &typed.executor).await?;
    let typed = Typed { shown: stands(&one), reason: String::new(), ..typed };
    form(&visit, typed, Wrong::default(), StatusCode::OK)
}

async fn known(app: &App, visit: &Visit, name: &str) -> Result<Standing, Problem> {
    may_see(&visit.principal())?;
    let found = app.engine.executors().await?.into_iter().find(|one| one.name == name);
    found.ok_or_else(|| Problem::not_found(format!("there is no executor `{}`", name.escape_debug())))
}

/// Two drains of one executor are two: who saw the first does not answer for the second.
fn stands(one: &Standing) -> String {
    one.drained_since_us.map_or_else(|| "works".to_owned(), |since| since.to_string())
}

fn form(visit: &Visit, typed: Typed, wrong: Wrong, status: StatusCode) -> Result<Response, Problem> {
    let shell = visit.shell(Place::Capacity);
    let words = Words::of(visit.language());
    let (label, says) = match typed.what.as_str() {
        "drain" => (words.drain, words.drain_says),
        "resume" => (words.resume, words.resume_says),
        other => return Err(Problem::bad(format!("`{}` is no act on an executor", other.escape_debug()))),
    };
    let template = Act {
        who_may: (!visit.may(Action::StopAll)).then(|| crate::page::rights::who_may(Action::StopAll, &shell)),
        title: format!("{label}{}{}", shell.say.pick(": ", "："), typed.executor),
        label,
        says,
        typed,
        wrong,
        words,
        shell,
    };
    let mut response = page(&template);
    *response.status_mut() = status;
    Ok(response)
}

/// `POST /capacity/act`
pub(super) async fn act(
    State(app): State<App>,
    visit: Visit,
    Posted(typed): Posted<Typed>,
) -> Result<Response, Problem> {
    let one = known(&app, &visit, &typed.executor).await?;
    let words = Words::of(visit.language());
    let mut wrong = Wrong::default();
    // How it stands is the affair of those who may act on it: they are told first who that is.
    if !visit.may(Action::StopAll) {
        return form(&visit, typed, wrong, StatusCode::FORBIDDEN);
    }
    if typed.shown != stands(&one) {
        wrong.say("", words.moved_on);
        let typed = Typed { shown: stands(&one), ..typed };
        return form(&visit, typed, wrong, StatusCode::CONFLICT);
    }
    let (executor, reason) = (typed.executor.clone(), typed.reason.trim().to_owned());
    if typed.what == "drain" && reason.is_empty() {
        wrong.say("reason", visit.shell(Place::Capacity).words.reason_missing);
        return form(&visit, typed, wrong, StatusCode::UNPROCESSABLE_ENTITY);
    }
    let request = match typed.what.as_str() {
        "drain" => Request::DrainExecutor { executor, reason },
        "resume" => Request::ResumeExecutor { executor },
        other => return Err(Problem::bad(format!("`{}` is no act on an executor", other.escape_debug()))),
    };
    match app.engine.center(request, &visit.who).await {
        Ok(_) => Ok(Redirect::to("/capacity").into_response()),
        Err(refusal) => {
            let status = match &refusal {
                Refusal::NotAllowed(_) => StatusCode::FORBIDDEN,
                Refusal::State(_) | Refusal::NotFound(_) => StatusCode::CONFLICT,
                Refusal::Bad(_) => StatusCode::UNPROCESSABLE_ENTITY,
                _ => return Err(refusal.into()),
            };
            wrong.say("", refusal.to_string());
            form(&visit, typed, wrong, status)
        }
    }
}
