//! What is done about an account, each on a page that says what will happen: the same requests as `kentai admin user` and `kentai admin
//! token`. Who may, and what stands against it, the engine says.

use std::collections::BTreeMap;

use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use kentai_engine::people::role::Role;
use kentai_engine::people::secret::Hidden;
use kentai_engine::scheduler::center::request::Request;
use kentai_engine::scheduler::handle::Refusal;
use kentai_engine::view::center::people::{self, PersonView};
use serde::Deserialize;

use super::href;
use super::words::Words;
use crate::App;
use crate::error::Problem;
use crate::extract::Asked;
use crate::page::form::{Posted, Wrong};
use crate::page::settings::own::{key_of, once};
use crate::page::shell::{Place, Shell, page};
use crate::page::visit::Visit;

/// Days that a token counts when nobody says, and at most.
const DAYS: i64 = 365;
const DAYS_MAX: i64 = 1_826;
const DAY_US: i64 = 86_400_000_000;

/// What is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Act {
    Roles,
    Password,
    Code,
    Link,
    Unlink,
    Disable,
    Enable,
    Token,
    Revoke,
}

impl Act {
    const ALL: [Self; 9] = [
        Self::Roles,
        Self::Password,
        Self::Code,
        Self::Link,
        Self::Unlink,
        Self::Disable,
        Self::Enable,
        Self::Token,
        Self::Revoke,
    ];

    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Roles => "roles",
            Self::Password => "password",
            Self::Code => "code",
            Self::Link => "link",
            Self::Unlink => "unlink",
            Self::Disable => "disable",
            Self::Enable => "enable",
            Self::Token => "token",
            Self::Revoke => "revoke",
        }
    }

    fn parse(word: &str) -> Result<Self, Problem> {
        let found = Self::ALL.into_iter().find(|act| act.word() == word);
        found.ok_or_else(|| Problem::not_found(format!("`{}` is nothing to do about an account", word.escape_debug())))
    }

    pub(super) fn label(self, words: &Words) -> &'static str {
        match self {
            Self::Roles => words.roles,
            Self::Password => words.new_password,
            Self::Code => words.new_key,
            Self::Link => words.link,
            Self::Unlink => words.unlink,
            Self::Disable => words.disable,
            Self::Enable => words.enable,
            Self::Token => words.new_token,
            Self::Revoke => words.revoke,
        }
    }

    fn says(self, words: &Words) -> &'static str {
        match self {
            Self::Roles => words.roles_says,
            Self::Password => words.new_password_says,
            Self::Code => words.new_key_says,
            Self::Link => words.link_says,
            Self::Unlink => words.unlink_says,
            Self::Disable => words.disable_says,
            Self::Enable => words.enable_says,
            Self::Token => words.new_token_says,
            Self::Revoke => words.revoke_says,
        }
    }
}

/// What makes sense for an account as it stands; `elsewhere`: the site asks somebody else who people are.
pub(super) fn offered(one: &PersonView, reader: &str, elsewhere: bool) -> Vec<Act> {
    let mut acts = Vec::new();
    if !one.active {
        acts.push(Act::Enable);
        acts.extend(one.identity.is_some().then_some(Act::Unlink));
        return acts;
    }
    if one.name != reader {
        acts.push(Act::Roles);
    }
    if !one.service {
        acts.extend([Act::Password, Act::Code]);
        match one.identity {
            Some(_) => acts.push(Act::Unlink),
            None => acts.extend(elsewhere.then_some(Act::Link)),
        }
    }
    acts.push(Act::Disable);
    acts
}

/// What was typed: fields by their names.
type Typed = BTreeMap<String, String>;

fn field<'a>(typed: &'a Typed, name: &str) -> &'a str {
    typed.get(name).map(String::as_str).unwrap_or_default().trim()
}

/// The roles that were ticked.
fn ticked(typed: &Typed) -> Vec<String> {
    let roles = Role::ALL.iter().map(|role| role.word());
    roles.filter(|word| typed.contains_key(&format!("role_{word}"))).map(str::to_owned).collect()
}

/// A box to tick: field, word, ticked.
fn boxes(shell: &Shell, ticked: &[String]) -> Vec<(String, &'static str, bool)> {
    let of = |role: &Role| {
        (format!("role_{role}"), shell.words.role(role.word()), ticked.iter().any(|word| word == role.word()))
    };
    Role::ALL.iter().map(of).collect()
}

#[derive(Template)]
#[template(path = "person_act.html")]
struct Form {
    shell: Shell,
    words: &'static Words,
    /// What is done; none: somebody new.
    act: Option<Act>,
    name: String,
    title: String,
    says: &'static str,
    label: &'static str,
    action: String,
    back: String,
    shown: String,
    roles: Vec<(String, &'static str, bool)>,
    typed: Typed,
    wrong: Wrong,
}

impl Form {
    fn typed(&self, name: &str) -> &str {
        field(&self.typed, name)
    }

    fn is(&self, act: Act) -> bool {
        self.act == Some(act)
    }
}

/// Which token, where the act is about one.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct About {
    #[serde(default)]
    token: String,
}

fn form(visit: &Visit, one: &PersonView, act: Act, typed: Typed, wrong: Wrong, status: StatusCode) -> Response {
    let shell = visit.shell(Place::Settings);
    let words = Words::of(visit.language());
    let chosen = if typed.is_empty() { one.roles.clone() } else { ticked(&typed) };
    let label = act.label(words);
    let template = Form {
        act: Some(act),
        title: format!("{label}{}{}", shell.say.pick(": ", "："), one.name),
        says: act.says(words),
        label,
        action: format!("{}/{}", href(&one.name), act.word()),
        back: href(&one.name),
        shown: one.version.to_string(),
        roles: if act == Act::Roles { boxes(&shell, &chosen) } else { Vec::new() },
        name: one.name.clone(),
        typed,
        wrong,
        words,
        shell,
    };
    let mut response = page(&template);
    *response.status_mut() = status;
    response
}

/// `GET /people/{name}/{act}`
pub(super) async fn ask(
    State(app): State<App>,
    visit: Visit,
    Path((name, act)): Path<(String, String)>,
    Asked(about): Asked<About>,
) -> Result<Response, Problem> {
    let one = people::person(app.engine.reader(), &visit.principal(), &name, visit.now()).await?;
    let act = Act::parse(&act)?;
    let typed = Some(about.token).filter(|token| !token.is_empty()).map(|token| ("token".to_owned(), token));
    Ok(form(&visit, &one, act, typed.into_iter().collect(), Wrong::default(), StatusCode::OK))
}

/// `POST /people/{name}/{act}`
pub(super) async fn carry_out(
    State(app): State<App>,
    visit: Visit,
    Path((name, act)): Path<(String, String)>,
    Posted(typed): Posted<Typed>,
) -> Result<Response, Problem> {
    let one = people::person(app.engine.reader(), &visit.principal(), &name, visit.now()).await?;
    let act = Act::parse(&act)?;
    let words = Words::of(visit.language());
    let mut wrong = Wrong::default();
    if field(&typed, "shown") != one.version.to_string() {
        wrong.say("", words.moved_on);
        return Ok(form(&visit, &one, act, typed, wrong, StatusCode::CONFLICT));
    }
    let days = field(&typed, "days").parse().ok().filter(|days| (1..=DAYS_MAX).contains(days));
    if act == Act::Roles && ticked(&typed).is_empty() {
        wrong.say("roles", words.roles_missing);
    }
    if act == Act::Token && days.is_none() {
        wrong.say("days", words.days_wrong);
    }
    if !wrong.is_empty() {
        return Ok(form(&visit, &one, act, typed, wrong, StatusCode::UNPROCESSABLE_ENTITY));
    }
    let elsewhere = app.sign_on.names();
    if act == Act::Link && elsewhere.is_none() {
        return Err(Problem::not_found("nobody else says here who somebody is (`sign_in:` in kentai.yaml)"));
    }
    let (issuer, claim) = elsewhere.unwrap_or_default();
    let password = if act == Act::Password { app.engine.made_up_password()? } else { Hidden::default() };
    let request = match act {
        Act::Roles => Request::SetRoles { name: name.clone(), roles: ticked(&typed) },
        Act::Disable => Request::DisablePerson { name: name.clone() },
        Act::Enable => Request::EnablePerson { name: name.clone() },
        Act::Password => {
            Request::SetPassword { name: name.clone(), password: password.clone(), hash: Hidden::default() }
        }
        Act::Link => Request::LinkIdentity {
            name: name.clone(),
            issuer: issuer.to_owned(),
            claim: claim.to_owned(),
            value: field(&typed, "identity").to_owned(),
        },
        Act::Unlink => Request::UnlinkIdentity { name: name.clone() },
        Act::Code => Request::SetTotp { name: name.clone(), key: Hidden::default() },
        Act::Token => Request::NewToken {
            owner: name.clone(),
            label: field(&typed, "label").to_owned(),
            scopes: scopes(field(&typed, "scopes")),
            expires_us: days.map(|days: i64| visit.now().saturating_add(days * DAY_US)),
            made: Default::default(),
        },
        Act::Revoke => Request::RevokeToken { token: field(&typed, "token").to_owned() },
    };
    let refusal = match app.engine.center(request, &visit.who).await {
        Ok(answer) => {
            let told = answer.secret.unwrap_or(password);
            let back = || Redirect::to(&href(&name)).into_response();
            return Ok(told_once(&visit, act, &name, told).unwrap_or_else(back));
        }
        Err(refusal) => refusal,
    };
    let Some(status) = status(&refusal) else { return Err(refusal.into()) };
    wrong.say("", refusal.to_string());
    Ok(form(&visit, &one, act, typed, wrong, status))
}

/// Words with commas or spaces between.
fn scopes(text: &str) -> Vec<String> {
    text.split([',', ' ', '、', '\n', '\r']).filter(|word| !word.is_empty()).map(str::to_owned).collect()
}

/// With what a refusal is shown in its place; none: it is our own matter.
fn status(refusal: &Refusal) -> Option<StatusCode> {
    match refusal {
        Refusal::NotAllowed(_) => Some(StatusCode::FORBIDDEN),
        Refusal::State(_) => Some(StatusCode::CONFLICT),
        Refusal::Bad(_) | Refusal::NotFound(_) => Some(StatusCode::UNPROCESSABLE_ENTITY),
        _ => None,
    }
}

/// What was made, for the one time that it is told.
fn told_once(visit: &Visit, act: Act, name: &str, told: Hidden) -> Option<Response> {
    let words = Words::of(visit.language());
    let (title, lines) = match act {
        Act::Password => (words.password_made, vec![(words.name, name.to_owned()), (words.password_made, told.0)]),
        Act::Code => {
            (words.key_made, vec![(words.name, name.to_owned()), (words.key, key_of(&told.0)), (words.address, told.0)])
        }
        Act::Token => (words.token_made, vec![(words.name, name.to_owned()), (words.secret, told.0)]),
        _ => return None,
    };
    let back = (href(name), words.back);
    Some(once(visit.shell(Place::Settings), (title, words.once_says), lines, back))
}

fn new_form(visit: &Visit, typed: Typed, wrong: Wrong, status: StatusCode) -> Response {
    let shell = visit.shell(Place::Settings);
    let words = Words::of(visit.language());
    let template = Form {
        act: None,
        name: String::new(),
        title: words.add_title.to_owned(),
        says: words.add_says,
        label: words.add,
        action: "/new-person".to_owned(),
        back: "/people".to_owned(),
        shown: String::new(),
        roles: boxes(&shell, &ticked(&typed)),
        typed,
        wrong,
        words,
        shell,
    };
    let mut response = page(&template);
    *response.status_mut() = status;
    response
}

/// `GET /new-person`
pub(super) async fn ask_new(visit: Visit) -> Result<Response, Problem> {
    people::may_see(&visit.principal())?;
    Ok(new_form(&visit, Typed::default(), Wrong::default(), StatusCode::OK))
}

/// `POST /new-person`
pub(super) async fn add(
    State(app): State<App>,
    visit: Visit,
    Posted(typed): Posted<Typed>,
) -> Result<Response, Problem> {
    people::may_see(&visit.principal())?;
    let (name, roles) = (field(&typed, "name").to_owned(), ticked(&typed));
    let mut wrong = Wrong::default();
    if roles.is_empty() {
        wrong.say("roles", Words::of(visit.language()).roles_missing);
        return Ok(new_form(&visit, typed, wrong, StatusCode::UNPROCESSABLE_ENTITY));
    }
    let given = |name: &str| Some(field(&typed, name).to_owned()).filter(|text| !text.is_empty());
    let (institution, data_center) = (given("institution"), given("data_center"));
    let service = field(&typed, "service") == "1";
    let request = Request::AddPerson { name: name.clone(), service, roles, institution, data_center };
    let refusal = match app.engine.center(request, &visit.who).await {
        Ok(_) => return Ok(Redirect::to(&href(&name)).into_response()),
        Err(refusal) => refusal,
    };
    let Some(status) = status(&refusal) else { return Err(refusal.into()) };
    wrong.say("", refusal.to_string());
    Ok(new_form(&visit, typed, wrong, status))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_act_is_known_by_its_word_and_scopes_may_be_parted_as_one_likes() {
        for act in Act::ALL {
            assert_eq!(Act::parse(act.word()).expect("known"), act);
        }
        assert!(Act::parse("roles2").is_err());
        assert_eq!(scopes("receive, report_stage  submit"), ["receive", "report_stage", "submit"]);
        assert!(scopes(" ").is_empty());
    }

    #[test]
    fn what_makes_no_sense_is_not_offered() {
        let one = |active, service| PersonView { active, service, ..person() };
        let of = |one: PersonView, reader: &str| offered(&one, reader, true);
        assert_eq!(of(one(false, false), "mori"), [Act::Enable]);
        assert_eq!(of(one(true, true), "mori"), [Act::Roles, Act::Disable]);
        let own = [Act::Password, Act::Code, Act::Link, Act::Disable];
        assert_eq!(of(one(true, false), "sato"), own, "not one's own roles");
        assert!(!offered(&one(true, false), "mori", false).contains(&Act::Link), "nobody else is asked");
        let linked = |active| PersonView { identity: Some("x".into()), ..one(active, false) };
        assert!(offered(&linked(true), "mori", false).contains(&Act::Unlink));
        assert_eq!(of(linked(false), "mori"), [Act::Enable, Act::Unlink]);
    }

    fn person() -> PersonView {
        PersonView {
            name: "sato".into(),
            active: true,
            service: false,
            roles: vec![],
            institution: None,
            data_center: None,
            password: false,
            code_key: false,
            identity: None,
            locked_until: None,
            signed_in: None,
            made: String::new(),
            made_by: vec![],
            version: 1,
        }
    }
}
