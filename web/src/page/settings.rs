//! What a reader chooses for themselves: language and theme, kept in their browser and nowhere else; who they are here, and where they are
//! signed in.

pub(super) mod own;
mod words;

use askama::Template;
use axum::Router;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use cookie::{Cookie, SameSite};
use kentai_engine::people::permission::Action;
use kentai_engine::view::center::people::{self, SessionView, TokenView};
use serde::Deserialize;

use super::seen::Look;
use super::shape::{Shape, State as Shown};
use super::shell::{Place, Shell, page};
use super::visit::{LANGUAGE, THEME, Visit};
use crate::App;
use crate::error::Problem;
use crate::extract::Asked;

use words::Words;

/// A year: nobody chooses their language every day.
const KEPT: cookie::time::Duration = cookie::time::Duration::days(365);

pub(super) fn routes() -> Router<App> {
    Router::new()
        .route("/settings", get(show))
        .route("/settings/sessions", post(own::end_session))
        .route("/settings/tokens", post(own::revoke_token))
        .route("/settings/password", get(own::ask_password).post(own::set_password))
        .route("/settings/code", get(own::ask_code).post(own::set_code))
}

/// The page.
#[derive(Template)]
#[template(path = "settings.html")]
struct Settings {
    shell: Shell,
    words: &'static Words,
    /// What was done, when one comes back from a form.
    said: &'static str,
    name: String,
    roles: String,
    /// From outside: where they belong.
    of: Option<String>,
    themes: [(&'static str, &'static str, bool); 3],
    sessions: Vec<SessionRow>,
    others: bool,
    tokens: Vec<TokenRow>,
    /// Whether one has a password and a key; none: only the site's file knows them.
    signs: Option<(&'static str, &'static str)>,
    service: bool,
    /// Pages that stand in no bar: where, name, what is there.
    more: Vec<(&'static str, &'static str, &'static str)>,
}

/// Somebody is signed in.
struct SessionRow {
    id: String,
    from: String,
    how: &'static str,
    since: String,
    seen: Option<String>,
    until: String,
    here: bool,
}

/// One of one's own tokens.
struct TokenRow {
    id: String,
    state: Shown,
    label: String,
    scopes: String,
    until: Option<String>,
    made: String,
    counts: bool,
}

/// What was done.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Done {
    #[serde(default)]
    done: String,
}

/// `GET /settings`
async fn show(
    State(app): State<App>,
    visit: Visit,
    headers: HeaderMap,
    Asked(done): Asked<Done>,
) -> Result<Response, Problem> {
    let (who, reader, now) = (visit.principal(), app.engine.reader(), visit.now());
    let shell = visit.shell(Place::Settings);
    let words = Words::of(visit.language());
    let said = |role: &String| match shell.words.role(role) {
        "" => role.clone(),
        word => word.to_owned(),
    };
    let roles: Vec<String> = visit.who.roles.iter().map(said).collect();
    let themes =
        [("auto", shell.words.theme_auto), ("light", shell.words.theme_light), ("dark", shell.words.theme_dark)]
            .map(|(theme, word)| (theme, word, shell.theme == theme || (theme == "auto" && shell.theme.is_empty())));
    let of = visit.who.institution.clone().or_else(|| visit.who.data_center.clone());
    let here = own::here(&headers);
    let sessions = people::sessions(reader, &who, now).await?;
    let sessions: Vec<SessionRow> =
        sessions.into_iter().map(|one| session(&app, one, here.as_deref(), words, &shell)).collect();
    let tokens = people::tokens(reader, &who, &who.name, now).await?;
    let account = people::own_account(reader, &who.name, now).await?;
    let set = |is: bool| if is { words.set } else { words.not_set };
    let template = Settings {
        said: match done.done.as_str() {
            "password" => words.changed,
            "sessions" => words.ended,
            "token" => words.revoked_now,
            _ => "",
        },
        roles: roles.join(shell.say.pick(", ", "、")),
        name: visit.who.name.clone(),
        of,
        themes,
        others: sessions.iter().any(|one| !one.here),
        sessions,
        tokens: tokens.into_iter().map(|one| token(one, words)).collect(),
        service: account.as_ref().is_some_and(|account| account.service),
        signs: account.map(|account| (set(account.password), set(account.code_key))),
        more: more(&visit, words),
        words,
        shell,
    };
    Ok(page(&template))
}

fn session(app: &App, one: SessionView, here: Option<&str>, words: &Words, shell: &Shell) -> SessionRow {
    let look = app.seen.last(&one.id);
    let from = match &look {
        Some(Look { from: Some(address), .. }) => address.clone(),
        Some(Look { from: None, .. }) => words.the_machine.to_owned(),
        None => String::new(),
    };
    SessionRow {
        here: here == Some(one.id.as_str()),
        from,
        how: if one.by_link { words.by_link } else { words.by_password },
        since: one.since,
        seen: look.map(|look| shell.say.iso(look.at_us)),
        until: one.until,
        id: one.id,
    }
}

fn token(one: TokenView, words: &Words) -> TokenRow {
    let counts = one.active && !one.over;
    TokenRow {
        state: match (one.active, one.over) {
            (false, _) => Shape::Canceled.called(words.revoked),
            (true, true) => Shape::Canceled.called(words.over),
            (true, false) => Shape::Passed.called(words.counts),
        },
        scopes: one.scopes.map_or_else(|| words.everything.to_owned(), |scopes| scopes.join(" ")),
        until: one.expires,
        counts,
        label: one.label,
        made: one.made,
        id: one.id,
    }
}

/// What this reader may go to beside the bar.
fn more(visit: &Visit, words: &Words) -> Vec<(&'static str, &'static str, &'static str)> {
    let all = [
        (Action::ManagePeople, "/people", words.people, words.people_says),
        (Action::ReadAudit, "/audit", words.audit, words.audit_says),
        (Action::ReadSite, "/proposals", words.proposals, words.proposals_says),
    ];
    let may = all.into_iter().filter(|(action, ..)| visit.may(*action));
    may.map(|(_, href, name, says)| (href, name, says)).collect()
}

/// Where to go afterwards.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Back {
    #[serde(default)]
    back: String,
}

/// `GET /language/{en|ja}`
pub(super) async fn language(Path(wish): Path<String>, Query(back): Query<Back>) -> Result<Response, Problem> {
    chosen(LANGUAGE, &["en", "ja"], wish, &back.back)
}

/// `GET /theme/{light|dark|auto}`
pub(super) async fn theme(Path(wish): Path<String>, Query(back): Query<Back>) -> Result<Response, Problem> {
    chosen(THEME, &["light", "dark", "auto"], wish, &back.back)
}

fn chosen(name: &'static str, known: &[&str], wish: String, back: &str) -> Result<Response, Problem> {
    if !known.contains(&wish.as_str()) {
        return Err(Problem::not_found(format!("there is no such choice; one of {}", known.join(", "))));
    }
    let kept = Cookie::build((name, wish)).path("/").max_age(KEPT).same_site(SameSite::Lax).http_only(true);
    Ok(([(header::SET_COOKIE, kept.build().to_string())], Redirect::to(local(back))).into_response())
}

/// A path of this site, whatever a link says: nobody is sent elsewhere by us.
pub(super) fn local(back: &str) -> &str {
    let is_path = back.starts_with('/') && !back[1..].starts_with(['/', '\\']);
    let is_plain = back.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\');
    if is_path && is_plain { back } else { "/" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_sent_to_another_site() {
        for evil in
            ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)", "", "/a\nb", "\\\\x"]
        {
            assert_eq!(local(evil), "/", "{evil}");
        }
        assert_eq!(local("/runs?status=failed"), "/runs?status=failed");
    }
}
