//! One's own account: sessions and tokens that end, another password, another key. It decides nothing and keeps no secret: what is made is
//! told once, on an answer that nobody stores.

use askama::Template;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use kentai_engine::people::{secret, session};
use kentai_engine::scheduler::handle::Refusal;
use serde::Deserialize;

use super::words::Words;
use crate::App;
use crate::error::Problem;
use crate::page::form::{Posted, Wrong};
use crate::page::shape::Shape;
use crate::page::shell::{Place, Shell, page};
use crate::page::sign_in::shown;
use crate::page::visit::Visit;

/// The session that a request shows, by its id.
pub(super) fn here(headers: &HeaderMap) -> Option<String> {
    let text = shown(headers)?;
    secret::read(session::PREFIX, &text).map(|shown| shown.id.to_owned())
}

/// Which session ends; empty: every other.
#[derive(Deserialize)]
pub(in crate::page) struct End {
    #[serde(default)]
    session: String,
}

/// `POST /settings/sessions`
pub(super) async fn end_session(
    State(app): State<App>,
    visit: Visit,
    headers: HeaderMap,
    Posted(end): Posted<End>,
) -> Result<Response, Problem> {
    if end.session.is_empty() {
        app.engine.end_other_sessions(&visit.who, here(&headers).as_deref().unwrap_or_default()).await?;
    } else {
        app.engine.end_session(&visit.who, &end.session).await?;
    }
    Ok(Redirect::to("/settings?done=sessions").into_response())
}

/// Which token.
#[derive(Deserialize)]
pub(in crate::page) struct Revoke {
    #[serde(default)]
    token: String,
}

/// `POST /settings/tokens`
pub(super) async fn revoke_token(
    State(app): State<App>,
    visit: Visit,
    Posted(revoke): Posted<Revoke>,
) -> Result<Response, Problem> {
    app.engine.revoke_own_token(&visit.who, &revoke.token).await?;
    Ok(Redirect::to("/settings?done=token").into_response())
}

/// What somebody typed; none of it comes back.
#[derive(Default, Deserialize)]
pub(in crate::page) struct Typed {
    #[serde(default)]
    now: String,
    #[serde(default)]
    code: String,
    #[serde(default)]
    new: String,
    #[serde(default)]
    again: String,
}

#[derive(Template)]
#[template(path = "own.html")]
struct Own {
    shell: Shell,
    words: &'static Words,
    title: &'static str,
    says: &'static str,
    action: &'static str,
    /// A new password is wanted, too.
    new: bool,
    wrong: Wrong,
}

fn form(visit: &Visit, new: bool, wrong: Wrong, status: StatusCode) -> Response {
    let words = Words::of(visit.language());
    let (title, says, action) = if new {
        (words.change_password, words.change_says, "/settings/password")
    } else {
        (words.new_key, words.key_says, "/settings/code")
    };
    let mut response = page(&Own { shell: visit.shell(Place::Settings), words, title, says, action, new, wrong });
    *response.status_mut() = status;
    response
}

/// What is wrong with it, said in its place; what is our own matter is a page of its own.
fn refused(visit: &Visit, new: bool, refusal: Refusal) -> Result<Response, Problem> {
    let words = Words::of(visit.language());
    let mut wrong = Wrong::default();
    let status = match &refusal {
        Refusal::NotAllowed(_) if visit.who.scopes.is_none() => {
            wrong.say("now", words.wrong);
            StatusCode::UNPROCESSABLE_ENTITY
        }
        Refusal::Bad(_) => {
            wrong.say("new", words.cannot);
            StatusCode::UNPROCESSABLE_ENTITY
        }
        Refusal::State(_) => {
            wrong.say("", words.only_machine);
            StatusCode::CONFLICT
        }
        _ => return Err(refusal.into()),
    };
    Ok(form(visit, new, wrong, status))
}

/// `GET /settings/password`
pub(super) async fn ask_password(visit: Visit) -> Response {
    form(&visit, true, Wrong::default(), StatusCode::OK)
}

/// `POST /settings/password`
pub(super) async fn set_password(
    State(app): State<App>,
    visit: Visit,
    headers: HeaderMap,
    Posted(typed): Posted<Typed>,
) -> Result<Response, Problem> {
    if typed.new != typed.again {
        let mut wrong = Wrong::default();
        wrong.say("again", Words::of(visit.language()).differs);
        return Ok(form(&visit, true, wrong, StatusCode::UNPROCESSABLE_ENTITY));
    }
    let (proof, keep) = ((typed.now.as_str(), typed.code.trim()), here(&headers).unwrap_or_default());
    let _room = crate::page::sign_in::room().await?;
    match app.engine.own_password(&visit.who, proof, &typed.new, &keep).await {
        Ok(_) => Ok(Redirect::to("/settings?done=password").into_response()),
        Err(refusal) => refused(&visit, true, refusal),
    }
}

/// `GET /settings/code`
pub(super) async fn ask_code(visit: Visit) -> Response {
    form(&visit, false, Wrong::default(), StatusCode::OK)
}

/// `POST /settings/code`
pub(super) async fn set_code(
    State(app): State<App>,
    visit: Visit,
    Posted(typed): Posted<Typed>,
) -> Result<Response, Problem> {
    let _room = crate::page::sign_in::room().await?;
    match app.engine.own_code_key(&visit.who, (&typed.now, typed.code.trim())).await {
        Ok(told) => {
            let words = Words::of(visit.language());
            let lines = vec![(words.key, key_of(&told.0)), (words.address, told.0)];
            let back = ("/settings".to_owned(), words.back);
            Ok(once(visit.shell(Place::Settings), (words.key_made, words.key_keep), lines, back))
        }
        Err(refusal) => refused(&visit, false, refusal),
    }
}

/// The key of an authenticator's address, as a person types it: in groups of four.
pub(in crate::page) fn key_of(address: &str) -> String {
    let key = address.split_once("secret=").map_or(address, |(_, rest)| rest.split('&').next().unwrap_or(rest));
    let groups: Vec<String> = key.as_bytes().chunks(4).map(|four| String::from_utf8_lossy(four).into_owned()).collect();
    groups.join(" ")
}

#[derive(Template)]
#[template(path = "once.html")]
struct Once {
    shell: Shell,
    title: &'static str,
    says: &'static str,
    lines: Vec<(&'static str, String)>,
    back: (String, &'static str),
}

/// What is told once: no browser, and nobody between, keeps the answer.
pub(in crate::page) fn once(
    shell: Shell,
    (title, says): (&'static str, &'static str),
    lines: Vec<(&'static str, String)>,
    back: (String, &'static str),
) -> Response {
    let mut response = page(&Once { shell, title, says, lines, back });
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_typed_in_groups_of_four() {
        let address = "otpauth://totp/kentai%20test:sato?secret=ABCDEFGHIJ&issuer=kentai%20test";
        assert_eq!(key_of(address), "ABCD EFGH IJ");
    }
}
