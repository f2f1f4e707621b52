//! Writing down that a participant took consent back: who it is, how things stand, what is taken back and where the notice lies. It is the
//! same request as the verb's. One officer writes it down, and it acts at once; what becomes of each thing two people decide on the case.

use std::collections::BTreeSet;

use askama::Template;
use axum::extract::{RawForm, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use jiff::civil::DateTime;
use kentai_engine::people::permission::Action;
use kentai_engine::scheduler::center::request::Request;
use kentai_engine::scheduler::handle::Refusal;
use kentai_engine::specimen::record::Kind;
use kentai_engine::view::center::list::choices;
use kentai_engine::view::center::{ParticipantView, Refused, participant};
use serde::Deserialize;

use super::words::Words;
use crate::App;
use crate::error::Problem;
use crate::extract::Asked;
use crate::page::address::Address;
use crate::page::arrivals::consented;
use crate::page::form::Wrong;
use crate::page::shape::State as Shown;
use crate::page::shell::{Place, Shell, page};
use crate::page::specimen::text::path;
use crate::page::visit::Visit;

/// Whose withdrawal.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Whose {
    #[serde(default)]
    program: String,
    #[serde(default)]
    pseudonym: String,
}

/// What was typed.
#[derive(Clone, Debug, Default)]
struct Typed {
    whose: Whose,
    /// `all`, `some`.
    what: String,
    uses: BTreeSet<String>,
    evidence: String,
    noticed: String,
    reason: String,
    /// How consent stood when it was shown.
    shown: String,
}

impl Typed {
    /// A use may come several times: that is how a form sends what is checked.
    fn read(bytes: &[u8]) -> Self {
        let mut typed = Self::default();
        for (name, value) in url::form_urlencoded::parse(bytes) {
            let value = value.trim().to_owned();
            match &*name {
                "program" => typed.whose.program = value,
                "pseudonym" => typed.whose.pseudonym = value,
                "what" => typed.what = value,
                "use" => drop(typed.uses.insert(value)),
                "evidence" => typed.evidence = value,
                "noticed" => typed.noticed = value,
                "reason" => typed.reason = value,
                "shown" => typed.shown = value,
                _ => {}
            }
        }
        typed
    }
}

/// What the form is about, when somebody is found.
struct Found {
    one: ParticipantView,
    href: String,
    state: Shown,
    /// Uses that are covered, each with whether it is checked.
    uses: Vec<(String, bool)>,
    /// It is taken back already: its case.
    case: Option<(String, String)>,
    shown: String,
}

#[derive(Template)]
#[template(path = "withdrawal_new.html")]
struct Page {
    shell: Shell,
    words: &'static Words,
    programs: Vec<(String, String, bool)>,
    found: Option<Found>,
    typed: Typed,
    wrong: Wrong,
}

/// Where a withdrawal of this participant is written down.
pub(in crate::page) fn href(program: &str, pseudonym: &str) -> String {
    Address::new("/withdrawals/new").with("program", Some(program)).with("pseudonym", Some(pseudonym)).to_string()
}

/// How consent stands, as a withdrawal is bound to it.
fn standing(one: &ParticipantView) -> String {
    format!("{}/{}", one.consent, one.consent_epoch)
}

/// The participant; none: nobody was named.
async fn look_up(app: &App, visit: &Visit, whose: &Whose) -> Result<Option<ParticipantView>, Refused> {
    if whose.program.is_empty() && whose.pseudonym.is_empty() {
        return Ok(None);
    }
    let found = participant(app.engine.reader(), &visit.principal(), &whose.program, &whose.pseudonym).await?;
    Ok(Some(found.participant))
}

/// `GET /withdrawals/new?program=&pseudonym=`
pub(super) async fn ask(State(app): State<App>, visit: Visit, Asked(whose): Asked<Whose>) -> Result<Response, Problem> {
    visit.must(Action::Withdraw)?;
    let (program, pseudonym) = (whose.program.trim().to_owned(), whose.pseudonym.trim().to_owned());
    let whose = Whose { program, pseudonym };
    let typed = Typed { whose, ..Typed::default() };
    let mut wrong = Wrong::default();
    match look_up(&app, &visit, &typed.whose).await {
        Ok(found) => show(&app, &visit, found, (typed, wrong), StatusCode::OK).await,
        Err(Refused::NotFound(_)) => {
            wrong.say("pseudonym", Words::of(visit.language()).nobody_such);
            show(&app, &visit, None, (typed, wrong), StatusCode::NOT_FOUND).await
        }
        Err(other) => Err(other.into()),
    }
}

async fn show(
    app: &App,
    visit: &Visit,
    found: Option<ParticipantView>,
    (typed, wrong): (Typed, Wrong),
    status: StatusCode,
) -> Result<Response, Problem> {
    let known = choices(app.engine.reader(), &visit.principal(), Kind::Program).await?;
    let label = |id: &str, name: &str| if name.is_empty() { id.to_owned() } else { format!("{id} {name}") };
    let programs = known.into_iter().map(|(id, name)| (label(&id, &name), id == typed.whose.program, id));
    let programs = programs.map(|(label, current, id)| (id, label, current)).collect();
    let found = found.map(|one| Found {
        href: path(&["participants", &one.program, &one.pseudonym]),
        state: consented(&one.consent, visit.language()),
        uses: one.scopes.iter().map(|scope| (scope.clone(), typed.uses.contains(scope))).collect(),
        case: one.document["case"]
            .as_str()
            .filter(|case| one.consent == "withdrawn" && !case.is_empty())
            .map(|case| (case.to_owned(), path(&["withdrawals", case]))),
        shown: standing(&one),
        one,
    });
    let (shell, words) = (visit.shell(Place::Specimens), Words::of(visit.language()));
    let mut response = page(&Page { shell, words, programs, found, typed, wrong });
    *response.status_mut() = status;
    Ok(response)
}

/// When the participant said so, microseconds: none for now.
fn noticed(typed: &Typed, visit: &Visit) -> Result<Option<i64>, &'static str> {
    let words = Words::of(visit.language());
    if typed.noticed.is_empty() {
        return Ok(None);
    }
    let at: DateTime = typed.noticed.parse().map_err(|_| words.noticed_wrong)?;
    let at = at.to_zoned(visit.zone().clone()).map_err(|_| words.noticed_wrong)?.timestamp().as_microsecond();
    if at > visit.now() { Err(words.noticed_to_come) } else { Ok(Some(at)) }
}

/// What is wrong with what was typed.
fn look(typed: &Typed, one: &ParticipantView, visit: &Visit) -> Wrong {
    let words = Words::of(visit.language());
    let mut wrong = Wrong::default();
    let known = typed.uses.iter().all(|word| one.scopes.contains(word));
    match typed.what.as_str() {
        "all" => {}
        "some" if typed.uses.is_empty() || !known => wrong.say("what", words.uses_missing),
        "some" => {}
        _ => wrong.say("what", words.what_missing),
    }
    if typed.evidence.is_empty() {
        wrong.say("evidence", words.evidence_missing);
    }
    if let Err(said) = noticed(typed, visit) {
        wrong.say("noticed", said);
    }
    wrong
}

/// `POST /withdrawals/new`
pub(super) async fn record(State(app): State<App>, visit: Visit, RawForm(bytes): RawForm) -> Result<Response, Problem> {
    visit.must(Action::Withdraw)?;
    let typed = Typed::read(&bytes);
    let Some(one) = look_up(&app, &visit, &typed.whose).await? else {
        return Err(Problem::bad("the form does not say whose withdrawal it is"));
    };
    let mut wrong = Wrong::default();
    if typed.shown != standing(&one) {
        wrong.say("", Words::of(visit.language()).consent_moved_on);
        return show(&app, &visit, Some(one), (typed, wrong), StatusCode::CONFLICT).await;
    }
    let wrong = look(&typed, &one, &visit);
    if !wrong.is_empty() {
        return show(&app, &visit, Some(one), (typed, wrong), StatusCode::UNPROCESSABLE_ENTITY).await;
    }
    let request = Request::Withdraw {
        program: one.program.clone(),
        pseudonym: one.pseudonym.clone(),
        scopes: if typed.what == "all" { Vec::new() } else { typed.uses.iter().cloned().collect() },
        evidence: typed.evidence.clone(),
        noticed_us: noticed(&typed, &visit).unwrap_or_default(),
        reason: typed.reason.clone(),
    };
    match app.engine.center(request, &visit.who).await {
        Ok(answer) => {
            let case = answer.changed.iter().find_map(|said| said.strip_prefix("case "));
            let to = case.map_or_else(|| "/withdrawals".to_owned(), |case| path(&["withdrawals", case]));
            Ok(Redirect::to(&to).into_response())
        }
        Err(refusal) => refused(&app, &visit, typed, refusal).await,
    }
}

/// The form again: what the engine said, and what was typed.
async fn refused(app: &App, visit: &Visit, typed: Typed, refusal: Refusal) -> Result<Response, Problem> {
    let status = match &refusal {
        Refusal::NotAllowed(_) => StatusCode::FORBIDDEN,
        Refusal::State(_) => StatusCode::CONFLICT,
        Refusal::Bad(_) => StatusCode::UNPROCESSABLE_ENTITY,
        _ => return Err(refusal.into()),
    };
    let mut wrong = Wrong::default();
    wrong.say("", refusal.to_string());
    let found = look_up(app, visit, &typed.whose).await?;
    show(app, visit, found, (typed, wrong), status).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uses_are_read_as_often_as_they_are_checked_and_an_address_holds_any_name() {
        let typed = Typed::read(b"program=rare&pseudonym=+P-1+&what=some&use=industry&use=research&evidence=l+1&x=y");
        assert_eq!((typed.whose.program.as_str(), typed.whose.pseudonym.as_str()), ("rare", "P-1"));
        assert_eq!(typed.uses, BTreeSet::from(["industry".to_owned(), "research".to_owned()]));
        assert_eq!((typed.what.as_str(), typed.evidence.as_str()), ("some", "l 1"));
        assert_eq!(href("a&b", "P 1/2"), "/withdrawals/new?program=a%26b&pseudonym=P+1%2F2");
    }
}
