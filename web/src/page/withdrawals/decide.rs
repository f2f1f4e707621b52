//! What two people decide about the things of a withdrawal, several at a time, each the same request as the verb's; and its end.
//!
//! A decision is about how each thing stood when it was shown: when one of them moved on meanwhile, nothing is done about any.

use std::collections::BTreeSet;

use axum::extract::{RawForm, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use kentai_engine::people::permission::Action;
use kentai_engine::scheduler::center::request::Request;
use kentai_engine::scheduler::handle::Refusal;
use kentai_engine::state::case_item::Status;
use kentai_engine::view::center::withdrawal::{CaseFile, ThingView, case_file};
use serde::Deserialize;

use super::case::{Narrow, case_standing, render, standing};
use super::words::Words;
use crate::App;
use crate::error::Problem;
use crate::extract::Named;
use crate::page::form::{Posted, Wrong};
use crate::page::shell::Place;
use crate::page::specimen::text::path;
use crate::page::visit::Visit;

/// What becomes of a thing.
const DECISIONS: [&str; 3] = ["destroy", "keep", "stub"];

/// What was chosen and typed.
#[derive(Clone, Debug, Default)]
pub(super) struct Typed {
    /// Propose, or confirm.
    confirms: bool,
    pub(super) decision: String,
    pub(super) reference: String,
    pub(super) reason: String,
    /// Each as it was shown.
    pub(super) things: BTreeSet<String>,
}

impl Typed {
    /// A field may come several times: that is how a form sends what is checked.
    fn read(bytes: &[u8]) -> Self {
        let mut typed = Self::default();
        for (name, value) in url::form_urlencoded::parse(bytes) {
            let value = value.into_owned();
            match &*name {
                "act" => typed.confirms = value == "confirm",
                "decision" => typed.decision = value,
                "reference" => typed.reference = value,
                "reason" => typed.reason = value,
                "thing" => drop(typed.things.insert(value)),
                _ => {}
            }
        }
        typed
    }
}

/// `POST /withdrawals/{id}/things`
pub(super) async fn things(
    State(app): State<App>,
    visit: Visit,
    Named(id): Named,
    RawForm(bytes): RawForm,
) -> Result<Response, Problem> {
    let file = case_file(app.engine.reader(), &visit.principal(), &id).await?;
    visit.must(Action::WithdrawalDecide)?;
    let typed = Typed::read(&bytes);
    let words = Words::of(visit.language());
    let chosen: Vec<ThingView> =
        file.things.iter().filter(|one| typed.things.contains(&standing(one))).cloned().collect();
    let (status, wrong) = look(&typed, &chosen, &visit, words);
    if !wrong.is_empty() {
        return Ok(render(&visit, file, &Narrow::default(), typed, wrong, status));
    }
    for (done, one) in chosen.iter().enumerate() {
        if let Err(refusal) = app.engine.center(request(one, &typed), &visit.who).await {
            return refused(&app, &visit, &id, typed, (done, one), refusal).await;
        }
    }
    Ok(Redirect::to(&path(&["withdrawals", &id])).into_response())
}

/// What is wrong with what was chosen and typed, and what that is answered with.
fn look(typed: &Typed, chosen: &[ThingView], visit: &Visit, words: &Words) -> (StatusCode, Wrong) {
    let mut wrong = Wrong::default();
    if chosen.len() < typed.things.len() {
        wrong.say("", words.moved_on);
        return (StatusCode::CONFLICT, wrong);
    }
    if chosen.is_empty() {
        wrong.say("things", words.things_missing);
    }
    if typed.confirms {
        let of_another = |one: &ThingView| one.status == Status::Proposed && one.doc.proposed_by != visit.who.name;
        if !chosen.iter().all(of_another) {
            wrong.say("things", words.not_confirmable);
        }
        return (StatusCode::UNPROCESSABLE_ENTITY, wrong);
    }
    if !DECISIONS.contains(&typed.decision.as_str()) {
        wrong.say("decision", words.decision_missing);
    }
    if typed.decision == "keep" && typed.reference.trim().is_empty() {
        wrong.say("reference", words.reference_missing);
    }
    if typed.reason.trim().is_empty() {
        wrong.say("reason", visit.shell(Place::Specimens).words.reason_missing);
    }
    (StatusCode::UNPROCESSABLE_ENTITY, wrong)
}

fn request(one: &ThingView, typed: &Typed) -> Request {
    let item = one.id.clone();
    if typed.confirms {
        return Request::CaseConfirm { item };
    }
    Request::CaseDecide {
        item,
        decision: typed.decision.clone(),
        reference: typed.reference.trim().to_owned(),
        reason: typed.reason.trim().to_owned(),
    }
}

/// The page again: how far it came, what the engine said, and what was typed.
async fn refused(
    app: &App,
    visit: &Visit,
    id: &str,
    typed: Typed,
    (done, one): (usize, &ThingView),
    refusal: Refusal,
) -> Result<Response, Problem> {
    let status = match &refusal {
        Refusal::NotAllowed(_) => StatusCode::FORBIDDEN,
        Refusal::State(_) | Refusal::NotFound(_) => StatusCode::CONFLICT,
        Refusal::Bad(_) => StatusCode::UNPROCESSABLE_ENTITY,
        _ => return Err(refusal.into()),
    };
    let mut wrong = Wrong::default();
    let before = Words::of(visit.language()).done_before(done, &one.doc.id);
    wrong.say("", format!("{before} {refusal}"));
    let file = case_file(app.engine.reader(), &visit.principal(), id).await?;
    Ok(render(visit, file, &Narrow::default(), typed, wrong, status))
}

/// What an end is about.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Shown {
    #[serde(default)]
    shown: String,
}

/// `POST /withdrawals/{id}/close`
pub(super) async fn close(
    State(app): State<App>,
    visit: Visit,
    Named(id): Named,
    Posted(typed): Posted<Shown>,
) -> Result<Response, Problem> {
    let file = case_file(app.engine.reader(), &visit.principal(), &id).await?;
    visit.must(Action::Withdraw)?;
    let again = |file: CaseFile, said: String, status: StatusCode| {
        let mut wrong = Wrong::default();
        wrong.say("", said);
        render(&visit, file, &Narrow::default(), Typed::default(), wrong, status)
    };
    if typed.shown != case_standing(&file.line) {
        let said = Words::of(visit.language()).moved_on.to_owned();
        return Ok(again(file, said, StatusCode::CONFLICT));
    }
    match app.engine.center(Request::CaseClose { case: id.clone() }, &visit.who).await {
        Ok(_) => Ok(Redirect::to(&path(&["withdrawals", &id])).into_response()),
        Err(Refusal::State(said)) => Ok(again(file, said, StatusCode::CONFLICT)),
        Err(other) => Err(other.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_checked_several_times_is_read_several_times() {
        let typed = Typed::read(b"act=confirm&thing=j1%7Cproposed&thing=j2&decision=destroy&reason=a+b&other=x");
        assert!(typed.confirms);
        assert_eq!(typed.things, BTreeSet::from(["j1|proposed".to_owned(), "j2".to_owned()]));
        assert_eq!((typed.decision.as_str(), typed.reason.as_str()), ("destroy", "a b"));
    }
}
