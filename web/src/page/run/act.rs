//! What people do to a run: each act has a page that says what will happen and asks the reason, and a POST that does it.
//!
//! What the engine refuses stands on that page again, with what was typed; what has moved on since is told with what happened.

use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use kentai_engine::id::RunId;
use kentai_engine::people::permission::Action;
use kentai_engine::scheduler::handle::{Answer, Refusal};
use kentai_engine::view::run_sheet::{self, TaskState};
use serde::Deserialize;

use super::files::{EventRow, event_rows};
use super::question::{self, Question};
use super::words::Words;
use super::{Seen, one, roles, seen};
use crate::App;
use crate::error::Problem;
use crate::extract::Asked;
use crate::page::form::{Posted, Wrong};
use crate::page::shape::Shape;
use crate::page::shell::{Place, Shell, page};
use crate::page::visit::Visit;

/// Events told when something has moved on.
const SINCE: i64 = 20;

/// Which act.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Act {
    Cancel,
    Hold,
    Resume,
    Retry,
}

impl Act {
    fn name(self) -> &'static str {
        match self {
            Self::Cancel => "cancel",
            Self::Hold => "hold",
            Self::Resume => "resume",
            Self::Retry => "retry",
        }
    }

    fn action(self) -> Action {
        match self {
            Self::Cancel | Self::Hold | Self::Resume => Action::RunControl,
            Self::Retry => Action::Retry,
        }
    }

    /// The engine keeps a reason with it.
    fn wants_reason(self) -> bool {
        matches!(self, Self::Cancel | Self::Hold)
    }
}

/// What a form sends.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Typed {
    #[serde(default)]
    reason: String,
    /// Of a retry: from which step.
    #[serde(default)]
    from: String,
    /// Of an answer: to which step, of which kind, bound to what.
    #[serde(default)]
    step: String,
    #[serde(default)]
    kind: String,
    #[serde(default)]
    verdict: String,
    #[serde(default)]
    shown: String,
    /// Events that there were when the page was made.
    #[serde(default)]
    events: Option<i64>,
}

/// The page of an act.
#[derive(Template)]
#[template(path = "run_act.html")]
struct Confirm {
    shell: Shell,
    words: &'static Words,
    id: String,
    specimen: String,
    act: &'static str,
    title: String,
    effect: String,
    wants_reason: bool,
    typed: Typed,
    wrong: Wrong,
    /// Steps that a retry can begin with.
    starts: Vec<(String, bool)>,
    events: i64,
    who_may: Option<String>,
}

/// The page of a question.
#[derive(Template)]
#[template(path = "run_answer.html")]
struct Ask {
    shell: Shell,
    words: &'static Words,
    id: String,
    specimen: String,
    one: Question,
    typed: Typed,
    wrong: Wrong,
    events: i64,
}

/// The page of what has moved on.
#[derive(Template)]
#[template(path = "run_moved.html")]
struct Moved {
    shell: Shell,
    words: &'static Words,
    id: String,
    said: String,
    state: String,
    rows: Vec<EventRow>,
}

pub(super) async fn confirm_cancel(app: State<App>, visit: Visit, path: Path<String>) -> Result<Response, Problem> {
    confirm(app, visit, path, Act::Cancel).await
}

pub(super) async fn confirm_hold(app: State<App>, visit: Visit, path: Path<String>) -> Result<Response, Problem> {
    confirm(app, visit, path, Act::Hold).await
}

pub(super) async fn confirm_resume(app: State<App>, visit: Visit, path: Path<String>) -> Result<Response, Problem> {
    confirm(app, visit, path, Act::Resume).await
}

pub(super) async fn confirm_retry(app: State<App>, visit: Visit, path: Path<String>) -> Result<Response, Problem> {
    confirm(app, visit, path, Act::Retry).await
}

async fn confirm(
    State(app): State<App>,
    visit: Visit,
    Path(text): Path<String>,
    act: Act,
) -> Result<Response, Problem> {
    let id = one(&app, &visit, &text).await?;
    let seen = seen(&app, &id).await?;
    Ok(asked(&visit, &seen, act, Typed::default(), Wrong::default()))
}

fn asked(visit: &Visit, seen: &Seen, act: Act, typed: Typed, wrong: Wrong) -> Response {
    let words = Words::of(visit.language());
    let counts = &seen.sheet.counts;
    let (title, effect) = match act {
        Act::Cancel => (words.cancel, words.cancel_effect(counts.of(TaskState::Running))),
        Act::Hold => (words.hold, words.hold_effect().to_owned()),
        Act::Resume => (words.resume, words.resume_effect().to_owned()),
        Act::Retry => {
            let again = counts.of(TaskState::Failed) + counts.of(TaskState::Canceled);
            let kept = counts.of(TaskState::Passed) + counts.of(TaskState::Warned);
            (words.retry, words.retry_effect(again, kept))
        }
    };
    let can_begin = act == Act::Retry && seen.sheet.run.status.is_end();
    let starts = seen.sheet.steps.iter().filter(|_| can_begin).map(|step| (step.step.clone(), step.step == typed.from));
    let is_wrong = !wrong.is_empty();
    let who_may = (!visit.may(act.action())).then(|| words.who_may(&roles(visit, act.action())));
    let refused = who_may.is_some();
    let mut response = page(&Confirm {
        shell: visit.shell(Place::Runs),
        words,
        id: seen.sheet.run.id.to_string(),
        specimen: seen.sheet.run.specimen.clone(),
        act: act.name(),
        title: title.to_owned(),
        effect,
        wants_reason: act.wants_reason(),
        starts: starts.collect(),
        events: seen.sheet.events,
        typed,
        wrong,
        who_may,
    });
    if is_wrong {
        *response.status_mut() = if refused { StatusCode::FORBIDDEN } else { StatusCode::UNPROCESSABLE_ENTITY };
    }
    response
}

pub(super) async fn cancel(
    app: State<App>,
    visit: Visit,
    path: Path<String>,
    typed: Posted<Typed>,
) -> Result<Response, Problem> {
    done(app, visit, path, Act::Cancel, typed).await
}

pub(super) async fn hold(
    app: State<App>,
    visit: Visit,
    path: Path<String>,
    typed: Posted<Typed>,
) -> Result<Response, Problem> {
    done(app, visit, path, Act::Hold, typed).await
}

pub(super) async fn resume(
    app: State<App>,
    visit: Visit,
    path: Path<String>,
    typed: Posted<Typed>,
) -> Result<Response, Problem> {
    done(app, visit, path, Act::Resume, typed).await
}

pub(super) async fn retry(
    app: State<App>,
    visit: Visit,
    path: Path<String>,
    typed: Posted<Typed>,
) -> Result<Response, Problem> {
    done(app, visit, path, Act::Retry, typed).await
}

async fn done(
    State(app): State<App>,
    visit: Visit,
    Path(text): Path<String>,
    act: Act,
    Posted(typed): Posted<Typed>,
) -> Result<Response, Problem> {
    let id = one(&app, &visit, &text).await?;
    let reason = typed.reason.trim().to_owned();
    if act.wants_reason() && reason.is_empty() {
        let mut wrong = Wrong::default();
        wrong.say("reason", visit.shell(Place::Runs).words.reason_missing);
        return Ok(asked(&visit, &seen(&app, &id).await?, act, typed, wrong));
    }
    let from = Some(typed.from.as_str()).filter(|from| !from.is_empty());
    let result = match act {
        Act::Cancel => app.engine.cancel(&id, &visit.who, &reason).await,
        Act::Hold => app.engine.hold(&id, &visit.who, &reason).await,
        Act::Resume => app.engine.resume(&id, &visit.who).await,
        Act::Retry => app.engine.retry(&id, from, &visit.who).await,
    };
    match result {
        Ok(_) => Ok(Redirect::to(&format!("/runs/{id}")).into_response()),
        Err(Refusal::State(said)) => {
            let seen = seen(&app, &id).await?;
            if typed.events != Some(seen.sheet.events) {
                return moved(&app, &visit, &id, said, typed.events).await;
            }
            // It stands as it was shown, and still it cannot be: that is said on the form.
            let mut wrong = Wrong::default();
            wrong.say("", said);
            let mut response = asked(&visit, &seen, act, typed, wrong);
            *response.status_mut() = StatusCode::CONFLICT;
            Ok(response)
        }
        Err(Refusal::NotFound(said)) if act == Act::Retry => {
            let mut wrong = Wrong::default();
            wrong.say("from", said);
            Ok(asked(&visit, &seen(&app, &id).await?, act, typed, wrong))
        }
        Err(Refusal::NotAllowed(said) | Refusal::Bad(said)) => {
            let mut wrong = Wrong::default();
            wrong.say("", said);
            Ok(asked(&visit, &seen(&app, &id).await?, act, typed, wrong))
        }
        Err(other) => Err(other.into()),
    }
}

/// What a question's page is asked.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Which {
    step: String,
}

/// `GET /runs/{id}/answer?step=…`
pub(super) async fn question(
    State(app): State<App>,
    visit: Visit,
    Path(text): Path<String>,
    Asked(which): Asked<Which>,
) -> Result<Response, Problem> {
    let id = one(&app, &visit, &text).await?;
    let seen = seen(&app, &id).await?;
    let words = Words::of(visit.language());
    match open(&app, &visit, &seen, &which.step).await? {
        Some(one) => Ok(ask(&visit, &seen, one, Typed::default(), Wrong::default(), StatusCode::OK)),
        None => {
            let said = words.pick(
                format!("step {} asks nothing now", which.step),
                format!("{} への質問は現在ありません", which.step),
            );
            moved(&app, &visit, &id, said, None).await
        }
    }
}

/// What the step asks now.
async fn open(app: &App, visit: &Visit, seen: &Seen, step: &str) -> Result<Option<Question>, Problem> {
    let id = &seen.sheet.run.id;
    let found = run_sheet::step(app.engine.reader(), id, step).await?;
    Ok(found.and_then(|step| question::of(visit, seen, &step, Words::of(visit.language()))))
}

fn ask(visit: &Visit, seen: &Seen, one: Question, typed: Typed, wrong: Wrong, status: StatusCode) -> Response {
    let mut response = page(&Ask {
        shell: visit.shell(Place::Runs),
        words: Words::of(visit.language()),
        id: seen.sheet.run.id.to_string(),
        specimen: seen.sheet.run.specimen.clone(),
        events: seen.sheet.events,
        one,
        typed,
        wrong,
    });
    *response.status_mut() = status;
    response
}

/// `POST /runs/{id}/answer`
pub(super) async fn answer(
    State(app): State<App>,
    visit: Visit,
    Path(text): Path<String>,
    Posted(typed): Posted<Typed>,
) -> Result<Response, Problem> {
    let id = one(&app, &visit, &text).await?;
    let kind =
        question::kind(&typed.kind).ok_or_else(|| Problem::bad("the form does not say which question it answers"))?;
    let words = Words::of(visit.language());
    let mut wrong = Wrong::default();
    if typed.reason.trim().is_empty() {
        wrong.say("reason", visit.shell(Place::Runs).words.reason_missing);
    }
    if typed.verdict.is_empty() {
        wrong.say("verdict", words.pick("Choose one of the answers.", "回答を選んでください。"));
    }
    if !wrong.is_empty() {
        return again(&app, &visit, &id, typed, wrong, StatusCode::UNPROCESSABLE_ENTITY).await;
    }
    let answer = Answer { kind, verdict: typed.verdict.clone(), reason: typed.reason.trim().to_owned() };
    match app.engine.answer_as_shown(&id, &typed.step, &visit.who, (answer, &typed.shown)).await {
        Ok(_) => Ok(Redirect::to(&format!("/runs/{id}")).into_response()),
        Err(Refusal::State(said)) => stands(&app, &visit, &id, typed, said).await,
        Err(Refusal::NotAllowed(said)) => {
            wrong.say("", said);
            again(&app, &visit, &id, typed, wrong, StatusCode::FORBIDDEN).await
        }
        Err(Refusal::Bad(said)) => {
            wrong.say("", said);
            again(&app, &visit, &id, typed, wrong, StatusCode::UNPROCESSABLE_ENTITY).await
        }
        Err(other) => Err(other.into()),
    }
}

/// 409. What is asked as it was shown has not moved on: something else stands against the answer, and the question says what.
async fn stands(app: &App, visit: &Visit, id: &RunId, typed: Typed, said: String) -> Result<Response, Problem> {
    let seen = seen(app, id).await?;
    match open(app, visit, &seen, &typed.step).await? {
        Some(one) if one.fingerprint == typed.shown => {
            let mut wrong = Wrong::default();
            wrong.say("", said);
            Ok(ask(visit, &seen, one, typed, wrong, StatusCode::CONFLICT))
        }
        _ => moved(app, visit, id, said, typed.events).await,
    }
}

/// The question again, with what was typed; when it is not asked any more, what happened.
async fn again(
    app: &App,
    visit: &Visit,
    id: &RunId,
    typed: Typed,
    wrong: Wrong,
    status: StatusCode,
) -> Result<Response, Problem> {
    let seen = seen(app, id).await?;
    match open(app, visit, &seen, &typed.step).await? {
        // Whoever reads the page again is shown what is asked now, and says yes or no to that.
        Some(one) => Ok(ask(visit, &seen, one, typed, wrong, status)),
        None => {
            let said = format!("step `{}` asks nothing now", typed.step);
            moved(app, visit, id, said, typed.events).await
        }
    }
}

/// 409: what was decided was about something that is not so any more; what happened since.
async fn moved(app: &App, visit: &Visit, id: &RunId, said: String, since: Option<i64>) -> Result<Response, Problem> {
    let seen = seen(app, id).await?;
    let shell = visit.shell(Place::Runs);
    let after = since.unwrap_or(seen.sheet.events).clamp(0, seen.sheet.events).max(seen.sheet.events - SINCE);
    let events = run_sheet::since(app.engine.reader(), id, after, SINCE).await?;
    let state = crate::page::runs::shown(seen.sheet.run.status, visit.language()).to_string();
    let rows = event_rows(&events, &shell, true);
    let mut response =
        page(&Moved { words: Words::of(visit.language()), id: id.to_string(), said, state, rows, shell });
    *response.status_mut() = StatusCode::CONFLICT;
    Ok(response)
}
