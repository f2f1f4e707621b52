//! What starts by the clock: when next, whether it rests and why; letting it rest, go on, or start once now.

mod words;

use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use kentai_engine::people::permission::Action;
use kentai_engine::scheduler::center::request::Request;
use kentai_engine::scheduler::handle::Refusal;
use kentai_engine::scheduler::registered::{Scheduled, schedules};
use kentai_engine::view::center::capacity::may_see;
use serde::Deserialize;

use super::address::Address;
use super::form::{Posted, Wrong};
use super::list::Filter;
use super::shape::{Shape, State as Shown};
use super::shell::{Place, Shell, page};
use super::visit::Visit;
use crate::App;
use crate::error::Problem;
use crate::extract::Asked;

use words::Words;

/// As the first page and the address have them: it goes on, or it rests.
const PAUSED: &str = "paused";
const STATUSES: [&str; 2] = ["running", PAUSED];
/// Times that are shown of each.
const TIMES: usize = 3;

pub(super) fn routes() -> Router<App> {
    Router::new().route("/schedules", get(list)).route("/schedules/act", get(ask).post(act))
}

#[derive(Template)]
#[template(path = "schedules.html")]
struct List {
    shell: Shell,
    words: &'static Words,
    filters: Vec<Filter>,
    rows: Vec<Row>,
    note: String,
    /// Who may, when this person may not.
    who_may: Option<String>,
    said: String,
}

struct Row {
    id: String,
    state: Shown,
    workflow: String,
    cron: String,
    timezone: String,
    specimen: String,
    times: Vec<String>,
    looked: String,
    moved: String,
    acts: Vec<(String, &'static str)>,
}

/// Which, and what was done, when one comes back from a form.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Done {
    /// `running`, `paused`.
    status: Option<String>,
    #[serde(default)]
    started: String,
}

/// `GET /schedules`
async fn list(State(app): State<App>, visit: Visit, Asked(done): Asked<Done>) -> Result<Response, Problem> {
    may_see(&visit.principal())?;
    let status = done.status.as_deref().filter(|word| !word.is_empty());
    if let Some(word) = status.filter(|word| !STATUSES.contains(word)) {
        return Err(Problem::bad(format!("`{}` is no state of a schedule", word.escape_debug())));
    }
    let mut all = schedules(app.engine.reader()).await?;
    all.retain(|one| status.is_none_or(|status| (status == PAUSED) == one.paused));
    let shell = visit.shell(Place::Capacity);
    let words = Words::of(visit.language());
    let may = visit.may(Action::Schedule) && visit.may(Action::Submit);
    let rows: Vec<Row> = all.iter().map(|one| row(one, may, visit.now(), &shell, words)).collect();
    let address = Address::new("/schedules").with("status", status);
    let by = |value: Option<&str>, label: &str| Filter::new(&address, "status", value, status, label);
    let [going, resting] = STATUSES;
    let template = List {
        filters: vec![by(None, shell.words.all), by(Some(going), words.goes), by(Some(resting), words.rests)],
        note: words.count(&shell.say.count(i64::try_from(rows.len()).unwrap_or(i64::MAX))),
        rows,
        who_may: (!may).then(|| super::rights::who_may(Action::Schedule, &shell)),
        said: if done.started.is_empty() { String::new() } else { words.started(&done.started) },
        words,
        shell,
    };
    Ok(page(&template))
}

fn row(one: &Scheduled, may: bool, now: i64, shell: &Shell, words: &Words) -> Row {
    let say = &shell.say;
    let next = std::iter::successors(one.schedule.next(now), |at| one.schedule.next(*at));
    let times: Vec<String> = next.take(TIMES).map(|at| say.date_time(&say.stamp(at))).collect();
    let act = |what: &str, label: &'static str| {
        (format!("/schedules/act?schedule={}&what={what}", super::control::segment(&one.id)), label)
    };
    let acts = match (may, one.paused) {
        (false, _) => Vec::new(),
        (true, true) => vec![act("resume", words.resume), act("run-now", words.run_now)],
        (true, false) => vec![act("pause", words.pause), act("run-now", words.run_now)],
    };
    Row {
        state: match (one.paused, times.is_empty()) {
            (true, _) => Shape::Waiting.called(words.rests),
            (false, true) => Shape::Canceled.called(words.never_again),
            (false, false) => Shape::Running.called(words.goes),
        },
        id: one.id.clone(),
        workflow: format!("{} {}", one.workflow.workflow_id, one.workflow.version),
        cron: one.cron.clone(),
        timezone: one.timezone.clone(),
        specimen: one.specimen.clone().unwrap_or_default(),
        times,
        looked: one.looked_us.filter(|at| *at > 0).map(|at| say.stamp(at)).unwrap_or_default(),
        moved: words.moved(&one.moved_by, &one.reason),
        acts,
    }
}

/// Which act on which schedule.
#[derive(Clone, Debug, Default, Deserialize)]
struct Typed {
    #[serde(default)]
    schedule: String,
    #[serde(default)]
    what: String,
    #[serde(default)]
    reason: String,
    /// How it stood when the form was made.
    #[serde(default)]
    shown: String,
}

#[derive(Template)]
#[template(path = "schedule_act.html")]
struct Act {
    shell: Shell,
    words: &'static Words,
    title: String,
    says: String,
    label: &'static str,
    typed: Typed,
    wrong: Wrong,
    who_may: Option<String>,
}

/// `GET /schedules/act`
async fn ask(State(app): State<App>, visit: Visit, Asked(typed): Asked<Typed>) -> Result<Response, Problem> {
    let one = known(&app, &visit, &typed.schedule).await?;
    let typed = Typed { shown: standing(&one).to_owned(), reason: String::new(), ..typed };
    form(&visit, &one, typed, Wrong::default(), StatusCode::OK)
}

async fn known(app: &App, visit: &Visit, id: &str) -> Result<Scheduled, Problem> {
    may_see(&visit.principal())?;
    let found = schedules(app.engine.reader()).await?.into_iter().find(|one| one.id == id);
    found.ok_or_else(|| Problem::not_found(format!("there is no schedule `{}`", id.escape_debug())))
}

fn standing(one: &Scheduled) -> &'static str {
    if one.paused { "rests" } else { "goes" }
}

fn form(visit: &Visit, one: &Scheduled, typed: Typed, wrong: Wrong, status: StatusCode) -> Result<Response, Problem> {
    let shell = visit.shell(Place::Capacity);
    let words = Words::of(visit.language());
    let specimen = one.specimen.clone().unwrap_or_default();
    let (label, says) = match typed.what.as_str() {
        "pause" => (words.pause, words.pause_says.to_owned()),
        "resume" => (words.resume, words.resume_says.to_owned()),
        "run-now" => (words.run_now, words.run_now_says(&one.workflow.workflow_id, &specimen)),
        other => return Err(Problem::bad(format!("`{}` is no act on a schedule", other.escape_debug()))),
    };
    let action = if typed.what == "run-now" { Action::Submit } else { Action::Schedule };
    let template = Act {
        who_may: (!visit.may(action)).then(|| super::rights::who_may(action, &shell)),
        title: format!("{label}{}{}", shell.say.pick(": ", "："), one.id),
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

/// `POST /schedules/act`
async fn act(State(app): State<App>, visit: Visit, Posted(typed): Posted<Typed>) -> Result<Response, Problem> {
    let one = known(&app, &visit, &typed.schedule).await?;
    let words = Words::of(visit.language());
    let mut wrong = Wrong::default();
    if typed.shown != standing(&one) {
        wrong.say("", words.moved_on);
        let typed = Typed { shown: standing(&one).to_owned(), ..typed };
        return form(&visit, &one, typed, wrong, StatusCode::CONFLICT);
    }
    if typed.reason.trim().is_empty() && typed.what != "run-now" {
        wrong.say("reason", visit.shell(Place::Capacity).words.reason_missing);
        return form(&visit, &one, typed, wrong, StatusCode::UNPROCESSABLE_ENTITY);
    }
    match carry_out(&app, &visit, &one, &typed).await {
        Ok(to) => Ok(Redirect::to(&to).into_response()),
        Err(refusal) => {
            let status = match &refusal {
                Refusal::NotAllowed(_) => StatusCode::FORBIDDEN,
                Refusal::State(_) | Refusal::NotFound(_) => StatusCode::CONFLICT,
                Refusal::Bad(_) | Refusal::Check { .. } => StatusCode::UNPROCESSABLE_ENTITY,
                _ => return Err(refusal.into()),
            };
            wrong.say("", refusal.to_string());
            form(&visit, &one, typed, wrong, status)
        }
    }
}

/// Does it, and says where to go.
async fn carry_out(app: &App, visit: &Visit, one: &Scheduled, typed: &Typed) -> Result<String, Refusal> {
    let moved = |paused: bool| Request::Schedule {
        schedule: one.id.clone(),
        looked_us: None,
        paused: Some(paused),
        reason: typed.reason.trim().to_owned(),
    };
    match typed.what.as_str() {
        "pause" => app.engine.center(moved(true), &visit.who).await.map(|_| "/schedules".to_owned()),
        "resume" => app.engine.center(moved(false), &visit.who).await.map(|_| "/schedules".to_owned()),
        "run-now" => {
            app.engine.may_submit(&visit.who)?;
            let submit = one.submission(app.engine.reader(), &one.by_hand(visit.now())).await?;
            let submitted = app.engine.submit(submit, &visit.who).await?;
            let run = submitted.runs.first().map(ToString::to_string).unwrap_or_default();
            Ok(format!("/schedules?started={}", super::control::segment(&run)))
        }
        other => Err(Refusal::Bad(format!("`{}` is no act on a schedule", other.escape_debug()))),
    }
}
