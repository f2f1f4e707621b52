//! Signing in and out. A session is a secret in a cookie that no script reads and no other site's form sends; what it is worth, the
//! engine says at each request.

#[cfg(feature = "oidc")]
pub(crate) mod elsewhere;
pub(super) mod link;

use askama::Template;
use axum::Extension;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use cookie::{Cookie, SameSite};
use kentai_engine::people::session;
use kentai_engine::scheduler::handle::Refusal;
use kentai_workflows::diagnostic::Language;
use serde::Deserialize;
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::Instant;

use super::address::Address;
use super::form::{Posted, Wrong};
use super::settings::local;
use super::shape::Shape;
use super::shell::{Place, Shell, page};
use super::visit::{Manners, cookie};
use crate::App;
use crate::error::Problem;
use crate::listen::Caller;

/// The cookie over TLS: a browser takes it from nobody but this host.
const SECURE: &str = "__Host-kentai";
/// The cookie where the way is this machine alone.
const PLAIN: &str = "kentai";
/// A password costs memory and time on purpose: so many are tried at once, the others wait.
static TRIES: Semaphore = Semaphore::const_new(2);

/// The page.
#[derive(Template)]
#[template(path = "sign_in.html")]
struct SignIn {
    shell: Shell,
    name: String,
    back: String,
    wrong: Wrong,
    /// Another way in: what it is called, and where it begins.
    elsewhere: Option<(String, String)>,
}

/// The form, with what was wrong in its place.
fn form(app: &App, manners: Manners, (name, back): (String, &str), wrong: Wrong) -> Response {
    let shell = manners.shell(None, Place::Elsewhere);
    let label = app.sign_on.label(shell.language());
    let begins = || Address::new("/sign-in/oidc").with("back", Some(back).filter(|back| *back != "/")).to_string();
    let elsewhere = label.map(|label| (label.to_owned(), begins()));
    page(&SignIn { shell, name, back: back.to_owned(), wrong, elsewhere })
}

/// Where to go afterwards.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Back {
    #[serde(default)]
    back: String,
}

/// What somebody typed.
#[derive(Deserialize)]
pub(super) struct Typed {
    #[serde(default)]
    name: String,
    #[serde(default)]
    password: String,
    #[serde(default)]
    code: String,
    #[serde(default)]
    back: String,
}

/// `GET /sign-in`
pub(super) async fn ask(State(app): State<App>, manners: Manners, Query(back): Query<Back>) -> Response {
    form(&app, manners, (String::new(), local(&back.back)), Wrong::default())
}

/// `POST /sign-in`
pub(super) async fn answer(
    State(app): State<App>,
    manners: Manners,
    caller: Option<Extension<Caller>>,
    headers: HeaderMap,
    Posted(typed): Posted<Typed>,
) -> Result<Response, Problem> {
    counted(caller.as_deref())?;
    let _room = room().await?;
    match app.engine.sign_in(typed.name.trim(), &typed.password, typed.code.trim()).await {
        Ok(secret) => opened(&app, &headers, caller.as_deref(), secret.0, local(&typed.back)).await,
        Err(Refusal::NotAllowed(said)) => {
            let mut wrong = Wrong::default();
            let said = match manners.language {
                Language::En => said.as_str(),
                Language::Ja => {
                    "名前、パスワード、コードのいずれかが違うか、試行回数が多すぎます。15分待ってください。"
                }
            };
            wrong.say("name", said);
            let again = form(&app, manners, (typed.name, local(&typed.back)), wrong);
            Ok((StatusCode::UNPROCESSABLE_ENTITY, again).into_response())
        }
        Err(other) => Err(other.into()),
    }
}

/// Comparing a password takes its turn.
pub(super) async fn room() -> Result<SemaphorePermit<'static>, Problem> {
    TRIES.acquire().await.map_err(|closed| Problem::internal(&closed))
}

/// Guesses are counted by where they come from, before they cost anything.
fn counted(caller: Option<&Caller>) -> Result<(), Problem> {
    let Some(caller) = caller else { return Ok(()) };
    let who = format!("address {}", caller.address);
    let taken = caller.buckets.take(&who, Instant::now());
    taken.map_err(|_| Problem::too_many("too many tries: wait a little"))
}

/// A new session in the browser. Whatever it showed before ends: nobody keeps a session that they forgot.
async fn opened(
    app: &App,
    headers: &HeaderMap,
    caller: Option<&Caller>,
    secret: String,
    to: &str,
) -> Result<Response, Problem> {
    if let Some(before) = shown(headers) {
        app.engine.sign_out(&before).await?;
    }
    let encrypted = caller.is_some_and(|caller| caller.encrypted);
    let kept = [(header::SET_COOKIE, made(encrypted, secret).to_string())];
    Ok((kept, Redirect::to(to)).into_response())
}

/// `POST /sign-out`: the session counts no more, and the browser forgets it.
pub(super) async fn sign_out(State(app): State<App>, headers: HeaderMap) -> Result<Response, Problem> {
    if let Some(secret) = shown(&headers) {
        app.engine.sign_out(&secret).await?;
    }
    let gone = |name: &'static str, secure| {
        let cookie = Cookie::build((name, "")).path("/").secure(secure).max_age(cookie::time::Duration::ZERO);
        (header::SET_COOKIE, cookie.build().to_string())
    };
    let mut response = Redirect::to("/sign-in").into_response();
    for (name, value) in [gone(SECURE, true), gone(PLAIN, false)] {
        if let Ok(value) = value.parse() {
            response.headers_mut().append(name, value);
        }
    }
    Ok(response)
}

fn made(encrypted: bool, secret: String) -> Cookie<'static> {
    let seconds = session::LASTS_US / 1_000_000;
    let name = if encrypted { SECURE } else { PLAIN };
    Cookie::build((name, secret))
        .path("/")
        .http_only(true)
        .secure(encrypted)
        .same_site(SameSite::Lax)
        .max_age(cookie::time::Duration::seconds(seconds))
        .build()
}

/// The session that a request shows. A token in a cookie is nothing: only what signing in made.
pub(crate) fn shown(headers: &HeaderMap) -> Option<String> {
    let found = cookie(headers, SECURE).or_else(|| cookie(headers, PLAIN))?;
    found.starts_with(session::PREFIX).then_some(found)
}

/// To the page that asks who somebody is, and from there back to `here`.
pub(crate) fn redirect(here: &str) -> Redirect {
    let back: String = url_encoded(local(here));
    Redirect::to(&if back == "%2F" { "/sign-in".to_owned() } else { format!("/sign-in?back={back}") })
}

fn url_encoded(text: &str) -> String {
    match askama::filters::urlencode_strict(text) {
        Ok(encoded) => encoded.to_string(),
        Err(never) => match never {},
    }
}
