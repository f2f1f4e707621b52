//! Deciding about an order line: its ways out, release, pause, end, second yes. One form, whose choices are what its stage allows; it leads to
//! the same requests as the verbs, and the engine says again who may.
//!
//! A decision is about what was shown: when the order line has moved on meanwhile nothing is done, and what changed is said (409).

mod choice;
mod words;

use askama::Template;
use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use kentai_engine::people::permission::{Principal, permit};
use kentai_engine::scheduler::handle::Refusal;
use kentai_engine::view::center::{OrderLineView, WhyView, board, order_line, proposals_about, why};
use serde::Deserialize;

use super::form::{Posted, Wrong};
use super::needs::who_may;
use super::shell::{Place, Shell, page};
use super::visit::Visit;
use crate::App;
use crate::error::Problem;
use choice::{Choice, Standing};
use words::Words;

pub(super) fn routes() -> Router<App> {
    Router::new().route("/order-lines/{id}/decide", get(ask).post(decide))
}

/// What somebody chose.
#[derive(Debug, Default, Deserialize)]
struct Typed {
    #[serde(default)]
    way: String,
    #[serde(default)]
    reason: String,
    /// Where the order line stood when it was shown.
    #[serde(default)]
    shown: String,
}

/// A choice as it is offered.
struct Offered {
    id: String,
    value: String,
    name: String,
    says: String,
    chosen: bool,
    /// Who may, where the reader may not.
    who: Option<String>,
}

#[derive(Template)]
#[template(path = "decide.html")]
struct Page {
    shell: Shell,
    words: &'static Words,
    line: OrderLineView,
    stage: String,
    why: String,
    shown: String,
    choices: Vec<Offered>,
    may_any: bool,
    run: Option<String>,
    reason: String,
    wrong: Wrong,
}

/// Where it stands, as a decision is bound to it.
fn standing(line: &OrderLineView) -> String {
    let held = line.held.as_ref().map_or("", |hold| hold.since.as_str());
    format!("{}/{}/{held}", line.stage, line.round)
}

async fn seen(app: &App, who: &Principal, id: &str) -> Result<OrderLineView, Problem> {
    // What is foreign is not there; what is one's own and another's to decide is refused by name.
    let line = order_line(app.engine.reader(), who, id).await?;
    board::may_see(who)?;
    Ok(line)
}

/// `GET /order-lines/{id}/decide`
async fn ask(State(app): State<App>, visit: Visit, Path(id): Path<String>) -> Result<Response, Problem> {
    let line = seen(&app, &visit.principal(), &id).await?;
    show(&app, &visit, line, Typed::default(), Wrong::default()).await
}

async fn choices(app: &App, line: &OrderLineView) -> Result<Vec<Choice>, Problem> {
    let proposals = proposals_about(app.engine.reader(), &line.id, app.engine.options().clock.now()).await?;
    Ok(choice::of(&Standing::of(line), &proposals))
}

async fn show(app: &App, visit: &Visit, line: OrderLineView, typed: Typed, wrong: Wrong) -> Result<Response, Problem> {
    let who = visit.principal();
    let shell = visit.shell(Place::Specimens);
    let words = Words::of(visit.language());
    let found = why(app.engine.reader(), &who, &line.id, visit.now(), visit.language()).await?;
    // Owner and choices stand beside it: the sentence alone is enough.
    let said = |why: WhyView| why.because.map_or(why.said, |because| because.sentence(visit.language()));
    let why = found.into_iter().flatten().next().map(said).unwrap_or_default();
    let choices: Vec<Offered> = choices(app, &line)
        .await?
        .into_iter()
        .map(|choice| {
            let (name, says) = choice.words(visit.language());
            let may = permit(&who, choice.action(), None).is_ok() && !choice.not_by().contains(&who.name);
            let roles: Vec<String> = choice.action().roles().iter().map(|role| role.word().to_owned()).collect();
            let value = choice.value();
            Offered {
                id: value.replace(':', "-"),
                chosen: typed.way == value,
                value,
                name,
                says,
                who: (!may).then(|| who_may(&roles, choice.not_by(), shell.words, &shell.say)),
            }
        })
        .collect();
    let stage = super::today::words::Words::of(visit.language()).stage(Standing::of(&line).stage).replace('|', "");
    let template = Page {
        may_any: choices.iter().any(|choice| choice.who.is_none()),
        choices,
        run: line.run.clone(),
        shown: standing(&line),
        reason: typed.reason,
        stage,
        why,
        line,
        words,
        wrong,
        shell,
    };
    Ok(page(&template))
}

/// `POST /order-lines/{id}/decide`
async fn decide(
    State(app): State<App>,
    visit: Visit,
    Path(id): Path<String>,
    Posted(typed): Posted<Typed>,
) -> Result<Response, Problem> {
    let line = seen(&app, &visit.principal(), &id).await?;
    let words = Words::of(visit.language());
    let mut wrong = Wrong::default();
    if standing(&line) != typed.shown {
        wrong.say("", words.moved_on);
        return refused(&app, &visit, line, typed, wrong, StatusCode::CONFLICT).await;
    }
    let Some(choice) = choices(&app, &line).await?.into_iter().find(|choice| choice.value() == typed.way) else {
        wrong.say("way", words.choose);
        return refused(&app, &visit, line, typed, wrong, StatusCode::UNPROCESSABLE_ENTITY).await;
    };
    let reason = typed.reason.trim();
    if reason.is_empty() && choice.wants_reason() {
        wrong.say("reason", visit.shell(Place::Specimens).words.reason_missing);
        return refused(&app, &visit, line, typed, wrong, StatusCode::UNPROCESSABLE_ENTITY).await;
    }
    let request = choice.request(&line, reason);
    match app.engine.center(request, &visit.who).await {
        Ok(_) => Ok(Redirect::to(&format!("/order-lines/{}/decide", line.id)).into_response()),
        Err(refusal) => {
            let status = match &refusal {
                Refusal::NotAllowed(_) => StatusCode::FORBIDDEN,
                Refusal::State(_) => StatusCode::CONFLICT,
                Refusal::Bad(_) => StatusCode::UNPROCESSABLE_ENTITY,
                _ => return Err(refusal.into()),
            };
            wrong.say("", refusal.to_string());
            // What is refused by its state may have moved on since it was looked at.
            let line = seen(&app, &visit.principal(), &id).await?;
            refused(&app, &visit, line, typed, wrong, status).await
        }
    }
}

/// The form again, with what was typed, and what is wrong with it.
async fn refused(
    app: &App,
    visit: &Visit,
    line: OrderLineView,
    typed: Typed,
    wrong: Wrong,
    status: StatusCode,
) -> Result<Response, Problem> {
    let mut response = show(app, visit, line, typed, wrong).await?;
    *response.status_mut() = status;
    Ok(response)
}
