//! Accounts, for whoever manages people: who may sign in, their roles, keys of services. What is done about one is `act`'s.

mod act;
mod words;

use askama::Template;
use axum::Router;
use axum::extract::{Path, State};
use axum::response::Response;
use axum::routing::get;
use kentai_engine::people::permission::Action;
use kentai_engine::view::center::people::{self, PersonView, TokenView};
use serde::Deserialize;

use super::address::Address;
use super::list::{self, Filter, Format, Turns};
use super::shape::{Shape, State as Shown};
use super::shell::{Place, Shell, page};
use super::visit::Visit;
use crate::App;
use crate::error::Problem;
use crate::extract::Asked;

use words::Words;

pub(super) fn routes() -> Router<App> {
    Router::new()
        .route("/people", get(all))
        .route("/new-person", get(act::ask_new).post(act::add))
        .route("/people/{name}", get(one))
        .route("/people/{name}/{act}", get(act::ask).post(act::carry_out))
}

/// Which accounts.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    /// `active`, `disabled`.
    status: Option<String>,
    after: Option<String>,
    #[serde(default)]
    format: Format,
}

#[derive(Template)]
#[template(path = "people.html")]
struct All {
    shell: Shell,
    words: &'static Words,
    filters: Vec<Filter>,
    rows: Vec<Row>,
    turns: Turns,
}

/// One account.
struct Row {
    state: Shown,
    href: String,
    kind: &'static str,
    roles: String,
    of: String,
    signs: &'static str,
    one: PersonView,
}

/// `GET /people`
async fn all(State(app): State<App>, visit: Visit, Asked(wanted): Asked<Wanted>) -> Result<Response, Problem> {
    let status = wanted.status.clone().filter(|status| !status.is_empty());
    let active = match status.as_deref() {
        None => None,
        Some("active") => Some(true),
        Some("disabled") => Some(false),
        Some(word) => return Err(Problem::bad(format!("`{}` is no state of an account", word.escape_debug()))),
    };
    let part = (wanted.after.clone(), wanted.format.rows());
    let found = people::people(app.engine.reader(), &visit.principal(), active, part, visit.now()).await?;
    if wanted.format == Format::Csv {
        return csv(found.items);
    }
    let shell = visit.shell(Place::Settings);
    let words = Words::of(visit.language());
    let address = Address::new("/people").with("status", status.as_deref());
    let by = |value: Option<&str>, label: &str| Filter::new(&address, "status", value, status.as_deref(), label);
    let template = All {
        filters: vec![
            by(None, shell.words.all),
            by(Some("active"), words.active),
            by(Some("disabled"), words.disabled),
        ],
        turns: Turns::new(&address, wanted.after.as_deref(), found.next.as_deref()),
        rows: found.items.into_iter().map(|one| row(one, words, &shell)).collect(),
        words,
        shell,
    };
    Ok(page(&template))
}

fn row(one: PersonView, words: &'static Words, shell: &Shell) -> Row {
    Row {
        state: state(&one, words),
        href: href(&one.name),
        kind: if one.service { words.service } else { words.person },
        roles: roles(&one.roles, shell),
        of: one.institution.clone().or_else(|| one.data_center.clone()).unwrap_or_default(),
        signs: match (one.service, one.password, one.code_key) {
            (true, ..) => words.by_token,
            (_, false, _) if one.identity.is_some() => words.elsewhere,
            (_, false, _) => words.cannot,
            (_, true, false) => words.password,
            (_, true, true) => words.password_and_code,
        },
        one,
    }
}

fn state(one: &PersonView, words: &Words) -> Shown {
    match (one.active, &one.locked_until) {
        (false, _) => Shape::Canceled.called(words.disabled),
        (true, Some(_)) => Shape::Warned.called(words.locked),
        (true, None) => Shape::Passed.called(words.active),
    }
}

fn roles(words: &[String], shell: &Shell) -> String {
    let said = words.iter().map(|role| match shell.words.role(role) {
        "" => role.as_str(),
        word => word,
    });
    said.collect::<Vec<_>>().join(shell.say.pick(", ", "、"))
}

fn href(name: &str) -> String {
    format!("/people/{}", super::control::segment(name))
}

fn csv(found: Vec<PersonView>) -> Result<Response, Problem> {
    let head = [
        "name",
        "status",
        "kind",
        "roles",
        "institution",
        "data_center",
        "password",
        "code_key",
        "identity",
        "signed_in",
        "made",
    ];
    let rows = found.into_iter().map(|one| {
        [
            one.name,
            if one.active { "active" } else { "disabled" }.to_owned(),
            if one.service { "service" } else { "person" }.to_owned(),
            one.roles.join(" "),
            one.institution.unwrap_or_default(),
            one.data_center.unwrap_or_default(),
            one.password.to_string(),
            one.code_key.to_string(),
            one.identity.unwrap_or_default(),
            one.signed_in.unwrap_or_default(),
            one.made,
        ]
    });
    list::csv("people", head, rows)
}

#[derive(Template)]
#[template(path = "person.html")]
struct One {
    shell: Shell,
    words: &'static Words,
    row: Row,
    made_by: String,
    acts: Vec<(String, &'static str)>,
    tokens: Vec<TokenRow>,
    /// Where a token is made, if one may be for this account.
    new_token: Option<String>,
    /// What they did, and what was done to the account, for whoever may read the log.
    log: Option<(String, String)>,
}

struct TokenRow {
    state: Shown,
    scopes: String,
    revoke: Option<String>,
    one: TokenView,
}

/// `GET /people/{name}`
async fn one(State(app): State<App>, visit: Visit, Path(name): Path<String>) -> Result<Response, Problem> {
    let (reader, who) = (app.engine.reader(), visit.principal());
    let one = people::person(reader, &who, &name, visit.now()).await?;
    let tokens = people::tokens(reader, &who, &name, visit.now()).await?;
    let shell = visit.shell(Place::Settings);
    let words = Words::of(visit.language());
    let here = href(&name);
    let acts = act::offered(&one, &who.name, app.sign_on.names().is_some())
        .into_iter()
        .map(|act| (format!("{here}/{}", act.word()), act.label(words)));
    let log = visit.may(Action::ReadAudit).then(|| {
        let (did, done) = (Some(name.as_str()), format!("person:{name}"));
        let log = Address::new("/audit");
        (log.with("person", did).to_string(), log.with("about", Some(&done)).to_string())
    });
    let template = One {
        acts: acts.collect(),
        tokens: tokens.into_iter().map(|token| token_row(token, &here, words)).collect(),
        new_token: (one.active && (one.service || one.name == who.name)).then(|| format!("{here}/token")),
        made_by: one.made_by.join(shell.say.pick(", ", "、")),
        row: row(one, words, &shell),
        log,
        words,
        shell,
    };
    Ok(page(&template))
}

fn token_row(one: TokenView, here: &str, words: &Words) -> TokenRow {
    TokenRow {
        state: match (one.active, one.over) {
            (false, _) => Shape::Canceled.called(words.revoked),
            (true, true) => Shape::Canceled.called(words.over),
            (true, false) => Shape::Passed.called(words.counts),
        },
        scopes: one.scopes.as_ref().map_or_else(|| words.everything.to_owned(), |scopes| scopes.join(" ")),
        revoke: (one.active && !one.over).then(|| format!("{here}/revoke?token={}", super::control::segment(&one.id))),
        one,
    }
}
