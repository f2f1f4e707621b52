//! Notices to somebody outside, and the letters by which they leave: those that were given up first; one with everything that was tried;
//! sending it again, and writing an answer down.

mod words;

use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use kentai_engine::people::permission::Action;
use kentai_engine::scheduler::center::request::Request;
use kentai_engine::scheduler::handle::Refusal;
use kentai_engine::specimen::record::{LetterState, is_of_withdrawal};
use kentai_engine::state::notice::{Event, Status};
use kentai_engine::view::center::{NoticeView, NoticeWish, notice, notices_like};
use serde::Deserialize;

use super::address::Address;
use super::form::{Posted, Wrong};
use super::list::{self, Filter, Format, Turns};
use super::rights;
use super::shape::State as Shown;
use super::shell::{Place, Shell, page};
use super::specimen::text::path;
use super::visit::Visit;
use crate::App;
use crate::error::Problem;
use crate::extract::{Asked, Named};

pub(super) use words::Words;
use words::{STATUSES, SUBJECTS};

pub(super) fn routes() -> Router<App> {
    Router::new()
        .route("/notices", get(all))
        .route("/notices/{id}", get(one))
        .route("/notices/{id}/again", post(again))
        .route("/notices/{id}/answered", post(answered))
}

/// How the list is narrowed.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Narrow {
    status: Option<String>,
    to: Option<String>,
    subject: Option<String>,
    after: Option<String>,
    #[serde(default)]
    format: Format,
}

/// A notice with its letters, as a row.
pub(super) struct Letters {
    pub(super) id: String,
    pub(super) href: String,
    pub(super) state: Shown,
    pub(super) subject: String,
    pub(super) to: String,
    /// Name, and where it is shown.
    pub(super) about: Option<(String, String)>,
    pub(super) said: String,
    pub(super) tries: String,
    pub(super) written: String,
    pub(super) due: String,
    /// Where it is sent again.
    pub(super) again: Option<String>,
}

#[derive(Template)]
#[template(path = "notices.html")]
struct All {
    shell: Shell,
    words: &'static Words,
    states: Vec<Filter>,
    receivers: Vec<Filter>,
    subjects: Vec<Filter>,
    /// Those that were given up; none where the list is of one state.
    dead: Option<Vec<Letters>>,
    dead_all: String,
    rows: Vec<Letters>,
    turns: Turns,
}

/// One letter.
struct Letter {
    state: Shown,
    channel: String,
    address: String,
    tries: u32,
    tried: String,
    next: String,
    said: String,
}

#[derive(Template)]
#[template(path = "notice.html")]
struct One {
    shell: Shell,
    words: &'static Words,
    notice: NoticeView,
    state: Shown,
    subject: String,
    about: Option<(String, String)>,
    letters: Vec<Letter>,
    body: String,
    shown: String,
    /// It may be sent again, and by whom where not by the reader.
    again: Option<Option<String>>,
    /// An answer may be written down, and by whom where not by the reader.
    answer: Option<Option<String>>,
    receipt: String,
    wrong: Wrong,
}

/// Where the thing is shown that a notice is about.
fn about(one: &NoticeView) -> Option<(String, String)> {
    let id = one.about.as_str();
    let place = match one.subject.as_str() {
        _ if id.is_empty() => return None,
        subject if is_of_withdrawal(subject) => "withdrawals",
        subject if ["sample.", "delivery.", "receipt."].iter().any(|start| subject.starts_with(start)) => "hand-off",
        _ if id.starts_with('O') => "order-lines",
        _ => return Some((id.to_owned(), String::new())),
    };
    Some((id.to_owned(), path(&[place, id])))
}

fn may_again(one: &NoticeView) -> bool {
    let event = if one.due.is_some() { Event::AskedAgain } else { Event::SentAgain };
    Status::parse(&one.status).is_some_and(|status| status.next(event).is_ok())
}

/// A notice as a row; `again` where the reader may send it.
pub(super) fn letters(one: &NoticeView, shell: &Shell, again: Option<String>) -> Letters {
    let words = Words::of(shell.language());
    let counts: Vec<(LetterState, usize)> = LetterState::ALL
        .iter()
        .map(|state| (*state, one.letters.iter().filter(|letter| letter.state == *state).count()))
        .filter(|(_, count)| *count > 0)
        .collect();
    let tries: u32 = one.letters.iter().map(|letter| letter.tries).sum();
    Letters {
        id: one.id.clone(),
        href: path(&["notices", &one.id]),
        state: words.status(&one.status),
        subject: words.subject(&one.subject),
        to: one.to.clone(),
        about: about(one),
        said: if counts.is_empty() { words.only_file.to_owned() } else { words.counted(&counts) },
        tries: shell.say.count(i64::from(tries)),
        written: one.written.clone(),
        due: one.due.as_deref().map(|due| shell.say.date_time(due)).unwrap_or_default(),
        again: again.filter(|_| may_again(one)),
    }
}

/// `GET /notices`
async fn all(State(app): State<App>, visit: Visit, Asked(narrow): Asked<Narrow>) -> Result<Response, Problem> {
    let who = visit.principal();
    let Narrow { status, to, subject, after, format } = narrow;
    let word = |text: Option<String>| text.filter(|text| !text.is_empty());
    let (status, to, subject) = (word(status), word(to), word(subject));
    if let Some(word) = status.as_deref().filter(|word| Status::parse(word).is_none()) {
        return Err(Problem::bad(format!("`{}` is no state of a notice", word.escape_debug())));
    }
    let wish = NoticeWish {
        status: status.clone(),
        to: to.clone(),
        subject: subject.clone(),
        before: after.clone(),
        limit: format.rows(),
    };
    let found = notices_like(app.engine.reader(), &who, &wish).await?;
    if format == Format::Csv {
        return csv(found.items);
    }
    let shell = visit.shell(Place::HandOff);
    let words = Words::of(visit.language());
    let row = |one: &NoticeView| {
        // What everybody has is sent again from its own page.
        let waits = one.status == Status::Undelivered.word() || one.status == Status::Pending.word();
        let again = (waits && visit.may(Action::Notify)).then(|| format!("{}#again", path(&["notices", &one.id])));
        letters(one, &shell, again)
    };
    let dead = match (&status, &after) {
        (None, None) => {
            let wish = NoticeWish { status: Some(Status::Undelivered.word().into()), ..wish };
            Some(notices_like(app.engine.reader(), &who, &wish).await?.items.iter().map(row).collect())
        }
        _ => None,
    };
    let address = Address::new("/notices")
        .with("status", status.as_deref())
        .with("to", to.as_deref())
        .with("subject", subject.as_deref());
    let filters = |name, now: Option<&str>, values: Vec<(String, String)>| {
        let all = std::iter::once(Filter::new(&address, name, None, now, shell.words.all));
        let rest = values.into_iter().map(|(value, label)| Filter::new(&address, name, Some(&value), now, label));
        all.chain(rest).collect::<Vec<_>>()
    };
    let named = STATUSES.iter().map(|status| ((*status).to_owned(), words.status(status).word)).collect();
    let says = SUBJECTS.iter().map(|subject| ((*subject).to_owned(), words.subject(subject))).collect();
    let mut receivers = super::today::targets(&app);
    receivers.extend(to.iter().filter(|to| !receivers.contains(to)).cloned().collect::<Vec<_>>());
    let receivers = receivers.into_iter().map(|one| (one.clone(), one)).collect();
    // What was given up has its own part, and its own filter.
    let is_own = |one: &&NoticeView| status.is_some() || one.status != Status::Undelivered.word();
    let template = All {
        states: filters("status", status.as_deref(), named),
        receivers: filters("to", to.as_deref(), receivers),
        subjects: filters("subject", subject.as_deref(), says),
        dead,
        dead_all: address.with("status", Some(Status::Undelivered.word())).to_string(),
        rows: found.items.iter().filter(is_own).map(row).collect(),
        turns: Turns::new(&address, after.as_deref(), found.next.as_deref()),
        words,
        shell,
    };
    Ok(page(&template))
}

fn csv(found: Vec<NoticeView>) -> Result<Response, Problem> {
    let head =
        ["notice", "status", "to", "subject", "about", "written", "answer_by", "answer", "letters", "tries", "said"];
    let rows = found.into_iter().map(|one| {
        let tries: u32 = one.letters.iter().map(|letter| letter.tries).sum();
        let states: Vec<String> =
            one.letters.iter().map(|letter| format!("{}: {}", letter.address, letter.state)).collect();
        let said: Vec<String> = one.letters.iter().map(|letter| letter.said.clone()).collect();
        let (id, status, to, due) = (one.id, one.status, one.to, one.due.unwrap_or_default());
        let (states, said) = (states.join("; "), said.join("; "));
        [id, status, to, one.subject, one.about, one.written, due, one.receipt, states, tries.to_string(), said]
    });
    list::csv("notices", head, rows)
}

/// How it stands, as an act is bound to it.
fn standing(one: &NoticeView) -> String {
    let tries: u32 = one.letters.iter().map(|letter| letter.tries).sum();
    format!("{}/{}/{tries}/{}", one.status, one.letters.len(), one.receipt)
}

/// `GET /notices/{id}`
async fn one(State(app): State<App>, visit: Visit, Named(id): Named) -> Result<Response, Problem> {
    let found = notice(app.engine.reader(), &visit.principal(), &id).await?;
    Ok(show(&visit, found, String::new(), Wrong::default(), StatusCode::OK))
}

fn show(visit: &Visit, notice: NoticeView, receipt: String, wrong: Wrong, status: StatusCode) -> Response {
    let shell = visit.shell(Place::HandOff);
    let words = Words::of(visit.language());
    let by = |action: Action| (!visit.may(action)).then(|| rights::who_may(action, &shell));
    let letter = |one: &kentai_engine::view::center::LetterView| {
        let time = |at: &Option<String>| at.as_deref().map(|at| shell.say.date_time(at)).unwrap_or_default();
        Letter {
            state: words.letter(one.state),
            channel: one.channel.clone(),
            address: one.address.clone(),
            tries: one.tries,
            tried: time(&one.tried),
            next: time(&one.next),
            said: one.said.clone(),
        }
    };
    let waits = notice.due.is_some() && notice.status != Status::Answered.word();
    let template = One {
        state: words.status(&notice.status),
        subject: words.subject(&notice.subject),
        about: about(&notice),
        letters: notice.letters.iter().map(letter).collect(),
        body: serde_json::to_string_pretty(&notice.body).unwrap_or_default(),
        shown: standing(&notice),
        again: may_again(&notice).then(|| by(Action::Notify)),
        answer: waits.then(|| by(Action::Withdraw)),
        receipt,
        wrong,
        notice,
        words,
        shell,
    };
    let mut response = page(&template);
    *response.status_mut() = status;
    response
}

/// What was typed.
#[derive(Clone, Debug, Default, Deserialize)]
struct Typed {
    #[serde(default)]
    receipt: String,
    #[serde(default)]
    shown: String,
}

/// `POST /notices/{id}/again`
async fn again(
    State(app): State<App>,
    visit: Visit,
    Named(id): Named,
    Posted(typed): Posted<Typed>,
) -> Result<Response, Problem> {
    act(&app, &visit, &id, typed, Action::Notify, Request::NoticeAgain { notice: id.clone() }).await
}

/// `POST /notices/{id}/answered`
async fn answered(
    State(app): State<App>,
    visit: Visit,
    Named(id): Named,
    Posted(typed): Posted<Typed>,
) -> Result<Response, Problem> {
    let request = Request::NoticeAnswered { notice: id.clone(), receipt: typed.receipt.trim().to_owned() };
    act(&app, &visit, &id, typed, Action::Withdraw, request).await
}

async fn act(
    app: &App,
    visit: &Visit,
    id: &str,
    typed: Typed,
    action: Action,
    request: Request,
) -> Result<Response, Problem> {
    let found = notice(app.engine.reader(), &visit.principal(), id).await?;
    visit.must(action)?;
    let words = Words::of(visit.language());
    let mut wrong = Wrong::default();
    if typed.shown != standing(&found) {
        wrong.say("", words.moved_on);
        return Ok(show(visit, found, typed.receipt, wrong, StatusCode::CONFLICT));
    }
    if action == Action::Withdraw && typed.receipt.trim().is_empty() {
        wrong.say("receipt", words.reference_missing);
        return Ok(show(visit, found, typed.receipt, wrong, StatusCode::UNPROCESSABLE_ENTITY));
    }
    let refusal = match app.engine.center(request, &visit.who).await {
        Ok(_) => return Ok(Redirect::to(&path(&["notices", id])).into_response()),
        Err(refusal) => refusal,
    };
    let status = match &refusal {
        Refusal::NotAllowed(_) => StatusCode::FORBIDDEN,
        Refusal::State(_) => StatusCode::CONFLICT,
        Refusal::Bad(_) => StatusCode::UNPROCESSABLE_ENTITY,
        _ => return Err(refusal.into()),
    };
    wrong.say("", refusal.to_string());
    let found = notice(app.engine.reader(), &visit.principal(), id).await?;
    Ok(show(visit, found, typed.receipt, wrong, status))
}

#[cfg(test)]
mod tests {
    use kentai_workflows::diagnostic::Language;

    use super::*;

    #[test]
    fn every_status_has_its_filter_and_its_words() {
        for status in Status::ALL {
            assert!(STATUSES.contains(&status.word()), "{status}");
            assert_ne!(Words::of(Language::Ja).status(status.word()).word, status.word());
        }
    }

    #[test]
    fn a_notice_leads_to_what_it_is_about() {
        let of = |subject: &str, id: &str| {
            let body = serde_json::Value::Null;
            let (subject, id, empty) = (subject.to_owned(), id.to_owned(), String::new);
            about(&NoticeView {
                subject,
                about: id,
                body,
                id: empty(),
                to: empty(),
                status: empty(),
                written: empty(),
                due: None,
                receipt: empty(),
                letters: Vec::new(),
            })
            .map(|(_, href)| href)
        };
        assert_eq!(of("receipt.late", "d1").as_deref(), Some("/hand-off/d1"));
        assert_eq!(of("withdrawal", "k1").as_deref(), Some("/withdrawals/k1"));
        assert_eq!(of("failure_report", "O1/<").as_deref(), Some("/order-lines/O1%2F%3C"));
        assert_eq!(of("test", ""), None);
    }
}
