//! What one person proposed and another confirms: the list, and one of them with its form. Who is a second person at all, the engine says
//! when it is confirmed.

mod words;

use askama::Template;
use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use kentai_engine::people::permission::Action;
use kentai_engine::people::role::Role;
use kentai_engine::scheduler::center::request::Request;
use kentai_engine::scheduler::handle::Refusal;
use kentai_engine::view::center::{self, ProposalView, Subject};
use serde::Deserialize;

use super::form::{Posted, Wrong};
use super::list::{self, Format};
use super::needs::{encoded, who_may};
use super::shell::{Place, Shell, page};
use super::visit::Visit;
use crate::App;
use crate::error::Problem;
use crate::extract::Asked;

use words::Words;

pub(super) fn routes() -> Router<App> {
    Router::new().route("/proposals", get(all)).route("/proposals/{id}", get(ask).post(confirm))
}

/// What was done, when one comes back from a form.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    #[serde(default)]
    done: u8,
    #[serde(default)]
    format: Format,
}

#[derive(Template)]
#[template(path = "proposals.html")]
struct All {
    shell: Shell,
    words: &'static Words,
    said: &'static str,
    note: String,
    rows: Vec<Row>,
    /// They see withdrawals, which have pages of their own.
    withdrawals: bool,
}

/// One proposal.
struct Row {
    href: String,
    what: &'static str,
    /// Name, and where it is shown.
    about: (String, Option<String>),
    who: String,
    may: bool,
    one: ProposalView,
}

/// `GET /proposals`
async fn all(State(app): State<App>, visit: Visit, Asked(wanted): Asked<Wanted>) -> Result<Response, Problem> {
    let found = center::proposals(app.engine.reader(), &visit.principal(), visit.now()).await?;
    if wanted.format == Format::Csv {
        return csv(found);
    }
    let shell = visit.shell(Place::Today);
    let words = Words::of(visit.language());
    let rows: Vec<Row> = found.into_iter().map(|one| row(one, &visit, &shell, words)).collect();
    let count = shell.say.count(i64::try_from(rows.len()).unwrap_or(i64::MAX));
    let template = All {
        said: if wanted.done == 1 { words.confirmed } else { "" },
        note: format!("{}{}{}", shell.words.of_all(&count, &count), shell.say.pick(", ", "・"), words.oldest_first),
        rows,
        withdrawals: visit.may(Action::WithdrawalDecide) || visit.may(Action::ReadWithdrawn),
        words,
        shell,
    };
    Ok(page(&template))
}

fn row(one: ProposalView, visit: &Visit, shell: &Shell, words: &'static Words) -> Row {
    let proposed_by = std::slice::from_ref(&one.proposed_by);
    let roles = visit.principal().roles;
    let role = one.roles.iter().filter_map(|role| Role::parse(role)).any(|role| roles.contains(&role));
    Row {
        href: format!("/proposals/{}", encoded(&one.id)),
        what: match one.what.as_str() {
            "reopen" => words.reopen,
            "retire" => words.retire,
            _ => words.released,
        },
        about: match &one.subject {
            Subject::OrderLine(id, specimen) if specimen.is_empty() => (id.clone(), None),
            Subject::OrderLine(id, specimen) => {
                (specimen.clone(), Some(format!("/specimens/{}?line={}", encoded(specimen), encoded(id))))
            }
            Subject::Delivery(id) => (id.clone(), Some(format!("/hand-off/{}", encoded(id)))),
            Subject::Other => (one.id.clone(), None),
        },
        who: who_may(&one.roles, proposed_by, shell.words, &shell.say),
        may: role && one.proposed_by != visit.who.name,
        one,
    }
}

fn csv(found: Vec<ProposalView>) -> Result<Response, Problem> {
    let rows = found.into_iter().map(|one| {
        let about = match one.subject {
            Subject::OrderLine(id, _) => format!("order_line {id}"),
            Subject::Delivery(id) => format!("delivery {id}"),
            Subject::Other => String::new(),
        };
        [one.id, one.what, about, one.reason, one.proposed_by, one.since, one.until]
    });
    list::csv("proposals", ["proposal", "what", "about", "reason", "proposed_by", "since", "until"], rows)
}

#[derive(Template)]
#[template(path = "proposal.html")]
struct One {
    shell: Shell,
    words: &'static Words,
    row: Row,
    says: &'static str,
    /// Why it cannot be confirmed any more.
    over: &'static str,
    wrong: Wrong,
}

fn show(visit: &Visit, one: ProposalView, wrong: Wrong, status: StatusCode) -> Response {
    let shell = visit.shell(Place::Today);
    let words = Words::of(visit.language());
    let template = One {
        says: match one.what.as_str() {
            "reopen" => words.reopen_says,
            "retire" => words.retire_says,
            "released" => words.released_says,
            _ => words.other_says,
        },
        over: match (one.open, one.status.as_str()) {
            (true, _) => "",
            (false, "proposed") => words.is_over,
            (false, _) => words.is_confirmed,
        },
        row: row(one, visit, &shell, words),
        wrong,
        words,
        shell,
    };
    let mut response = page(&template);
    *response.status_mut() = status;
    response
}

/// `GET /proposals/{id}`
async fn ask(State(app): State<App>, visit: Visit, Path(id): Path<String>) -> Result<Response, Problem> {
    let one = center::proposal(app.engine.reader(), &visit.principal(), &id, visit.now()).await?;
    Ok(show(&visit, one, Wrong::default(), StatusCode::OK))
}

/// How it stood when it was shown.
#[derive(Debug, Default, Deserialize)]
struct Typed {
    #[serde(default)]
    shown: String,
}

/// `POST /proposals/{id}`
async fn confirm(
    State(app): State<App>,
    visit: Visit,
    Path(id): Path<String>,
    Posted(typed): Posted<Typed>,
) -> Result<Response, Problem> {
    let (reader, who) = (app.engine.reader(), visit.principal());
    let one = center::proposal(reader, &who, &id, visit.now()).await?;
    visit.must(Action::Confirm)?;
    let mut wrong = Wrong::default();
    if typed.shown != one.standing {
        wrong.say("", Words::of(visit.language()).moved_on);
        return Ok(show(&visit, one, wrong, StatusCode::CONFLICT));
    }
    let refusal = match app.engine.center(Request::Confirm { proposal: id.clone() }, &visit.who).await {
        Ok(_) => return Ok(Redirect::to("/proposals?done=1").into_response()),
        Err(refusal) => refusal,
    };
    let status = match &refusal {
        Refusal::NotAllowed(_) => StatusCode::FORBIDDEN,
        Refusal::State(_) => StatusCode::CONFLICT,
        Refusal::Bad(_) | Refusal::NotFound(_) => StatusCode::UNPROCESSABLE_ENTITY,
        _ => return Err(refusal.into()),
    };
    wrong.say("", refusal.to_string());
    // What is refused by its state may have moved on since it was looked at.
    let one = center::proposal(reader, &who, &id, visit.now()).await?;
    Ok(show(&visit, one, wrong, status))
}
