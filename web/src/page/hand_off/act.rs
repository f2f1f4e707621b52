//! What people do with a delivery: call it back, offer it again, write an archive copy down, let the copies here go (two people), ask again.
//! Each is the same request as its verb; a form is about how the delivery stood when it was shown.

pub(super) mod words;

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use kentai_engine::people::permission::Action;
use kentai_engine::scheduler::center::request::Request;
use kentai_engine::scheduler::handle::Refusal;
use kentai_engine::state::delivery::{Event, Status};
use kentai_engine::view::DeliveryView;
use kentai_engine::view::center::{NoticeView, OpenProposal, notices_about, proposals_about_delivery};
use serde::Deserialize;

use super::{seen, shown};
use crate::App;
use crate::error::Problem;
use crate::extract::{Asked, Named};
use crate::page::form::{Posted, Wrong};
use crate::page::rights;
use crate::page::shape::State as Shown;
use crate::page::shell::{Place, Shell, page};
use crate::page::specimen::text::path;
use crate::page::visit::Visit;
use words::Words;

/// An offer is not made for longer: ten years.
const DAYS_MAX: u32 = 3_650;

/// Which act.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum What {
    #[default]
    Recall,
    Reoffer,
    Archived,
    Retire,
    Confirm,
    Ask,
}

impl What {
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Recall => "recall",
            Self::Reoffer => "reoffer",
            Self::Archived => "archived",
            Self::Retire => "retire",
            Self::Confirm => "confirm",
            Self::Ask => "ask",
        }
    }

    pub(super) fn action(self) -> Action {
        match self {
            Self::Recall | Self::Reoffer | Self::Archived => Action::HandOff,
            Self::Retire | Self::Confirm => Action::Retire,
            Self::Ask => Action::Notify,
        }
    }

    fn wants_reason(self) -> bool {
        matches!(self, Self::Recall | Self::Reoffer | Self::Retire)
    }

    /// Does it make sense where the delivery stands? What the step still carries is nobody's to act on.
    pub(super) fn fits(self, status: Status) -> bool {
        match self {
            Self::Recall => status.next(Event::Recalled).is_ok(),
            Self::Reoffer => status.next(Event::Reoffered).is_ok(),
            Self::Retire => status.next(Event::Retired).is_ok(),
            Self::Archived => status != Status::Retired,
            Self::Confirm | Self::Ask => true,
        }
    }
}

/// What was typed.
#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct Typed {
    #[serde(default)]
    what: What,
    #[serde(default)]
    reason: String,
    #[serde(default)]
    days: String,
    #[serde(default)]
    place: String,
    #[serde(default)]
    note: String,
    #[serde(default)]
    proposal: String,
    #[serde(default)]
    notice: String,
    /// How it stood when the form was made.
    #[serde(default)]
    shown: String,
}

#[derive(Template)]
#[template(path = "delivery_act.html")]
struct Page {
    shell: Shell,
    words: &'static Words,
    delivery: DeliveryView,
    state: Shown,
    title: &'static str,
    says: String,
    word: &'static str,
    wants_reason: bool,
    /// Of a confirmation: what was proposed, and by whom.
    proposal: Option<OpenProposal>,
    /// Of a letter: what it says.
    letter: String,
    back: String,
    action: String,
    typed: Typed,
    wrong: Wrong,
    who_may: Option<String>,
}

/// Everything that an act is about.
struct Subject {
    delivery: DeliveryView,
    proposal: Option<OpenProposal>,
    notice: Option<NoticeView>,
}

impl Subject {
    /// How it stands, as an act is bound to it.
    fn standing(&self) -> String {
        let one = &self.delivery;
        let letters = self.notice.as_ref().map(|notice| {
            let tries: u32 = notice.letters.iter().map(|letter| letter.tries).sum();
            format!("{}/{tries}", notice.status)
        });
        format!("{}/{}/{}/{}", one.status, one.updated, one.archives.len(), letters.unwrap_or_default())
    }
}

async fn subject(app: &App, visit: &Visit, id: &str, typed: &Typed) -> Result<Subject, Problem> {
    let delivery = seen(app, visit, id).await?;
    let (reader, outside) = (app.engine.reader(), visit.who.data_center.is_some());
    let (mut proposal, mut notice) = (None, None);
    if typed.what == What::Confirm && !outside {
        let all = proposals_about_delivery(reader, id, visit.now()).await?;
        proposal = all.into_iter().find(|one| one.id == typed.proposal);
    }
    if typed.what == What::Ask && !outside {
        let all = notices_about(reader, &visit.principal(), id).await?;
        notice = all.into_iter().find(|one| one.id == typed.notice);
        let gone = || Problem::not_found(format!("there is no notice `{}`", typed.notice.escape_debug()));
        notice = Some(notice.ok_or_else(gone)?);
    }
    Ok(Subject { delivery, proposal, notice })
}

/// `GET /hand-off/{id}/act?what=`
pub(super) async fn ask(
    State(app): State<App>,
    visit: Visit,
    Named(id): Named,
    Asked(typed): Asked<Typed>,
) -> Result<Response, Problem> {
    let subject = subject(&app, &visit, &id, &typed).await?;
    let mut wrong = Wrong::default();
    if typed.what == What::Confirm && subject.proposal.is_none() {
        wrong.say("", Words::of(visit.language()).not_this_proposal);
    }
    Ok(form(&visit, subject, typed, wrong, StatusCode::OK))
}

fn form(visit: &Visit, subject: Subject, typed: Typed, wrong: Wrong, status: StatusCode) -> Response {
    let shell = visit.shell(Place::HandOff);
    let words = Words::of(visit.language());
    let (what, shown_now) = (typed.what, subject.standing());
    let first = subject.proposal.as_ref().is_some_and(|one| one.proposed_by == visit.who.name);
    let may = visit.may(what.action()) && !first;
    let not_by = if first { std::slice::from_ref(&visit.who.name) } else { &[] };
    let who_may = (!may).then(|| match not_by {
        [] => rights::who_may(what.action(), &shell),
        not_by => {
            let roles: Vec<String> = what.action().roles().iter().map(|role| role.word().to_owned()).collect();
            crate::page::needs::who_may(&roles, not_by, shell.words, &shell.say)
        }
    });
    let letter = subject.notice.as_ref().map(|notice| notice.subject.clone()).unwrap_or_default();
    let Subject { delivery, proposal, .. } = subject;
    let template = Page {
        state: shown(&delivery.status, visit.language()),
        title: words.name(what),
        says: words.says(what, &delivery.target),
        word: what.word(),
        wants_reason: what.wants_reason(),
        back: path(&["hand-off", delivery.id.as_str()]),
        action: path(&["hand-off", delivery.id.as_str(), "act"]),
        typed: Typed { shown: shown_now, ..typed },
        letter,
        proposal,
        delivery,
        wrong,
        who_may,
        words,
        shell,
    };
    let mut response = page(&template);
    *response.status_mut() = status;
    response
}

/// What is wrong with what was typed.
fn look(typed: &Typed, words: &Words, reason_missing: &'static str) -> Wrong {
    let mut wrong = Wrong::default();
    if typed.what.wants_reason() && typed.reason.trim().is_empty() {
        wrong.say("reason", reason_missing);
    }
    if typed.what == What::Reoffer && days(typed).is_none() {
        wrong.say("days", words.days_wrong);
    }
    if typed.what == What::Archived && typed.place.trim().is_empty() {
        wrong.say("place", words.place_missing);
    }
    wrong
}

fn days(typed: &Typed) -> Option<u32> {
    match typed.days.trim() {
        "" => Some(0),
        days => days.parse().ok().filter(|days| *days <= DAYS_MAX),
    }
}

/// `POST /hand-off/{id}/act`
pub(super) async fn answer(
    State(app): State<App>,
    visit: Visit,
    Named(id): Named,
    Posted(typed): Posted<Typed>,
) -> Result<Response, Problem> {
    let subject = subject(&app, &visit, &id, &typed).await?;
    visit.must(typed.what.action())?;
    let words = Words::of(visit.language());
    let mut wrong = Wrong::default();
    if typed.shown != subject.standing() {
        wrong.say("", words.moved_on);
        return Ok(form(&visit, subject, typed, wrong, StatusCode::CONFLICT));
    }
    // Only what was proposed about this delivery is confirmed here.
    if typed.what == What::Confirm && subject.proposal.is_none() {
        wrong.say("", words.not_this_proposal);
        return Ok(form(&visit, subject, typed, wrong, StatusCode::CONFLICT));
    }
    let wrong = look(&typed, words, visit.shell(Place::HandOff).words.reason_missing);
    if !wrong.is_empty() {
        return Ok(form(&visit, subject, typed, wrong, StatusCode::UNPROCESSABLE_ENTITY));
    }
    match app.engine.center(request(&id, &typed), &visit.who).await {
        Ok(_) => Ok(Redirect::to(&path(&["hand-off", &id])).into_response()),
        Err(refusal) => refused(&app, &visit, &id, typed, refusal).await,
    }
}

fn request(id: &str, typed: &Typed) -> Request {
    let (delivery, reason) = (id.to_owned(), typed.reason.trim().to_owned());
    match typed.what {
        What::Recall => Request::Recall { delivery, reason },
        What::Reoffer => Request::Reoffer { delivery, days: days(typed).unwrap_or(0), reason },
        What::Archived => {
            let (place, note) = (typed.place.trim().to_owned(), typed.note.trim().to_owned());
            Request::Archived { delivery, place, note }
        }
        What::Retire => Request::Retire { delivery, reason, dry_run: false },
        What::Confirm => Request::Confirm { proposal: typed.proposal.clone() },
        What::Ask => Request::NoticeAgain { notice: typed.notice.clone() },
    }
}

/// The form again: what the engine said, and what was typed.
async fn refused(app: &App, visit: &Visit, id: &str, typed: Typed, refusal: Refusal) -> Result<Response, Problem> {
    let status = match &refusal {
        Refusal::NotAllowed(_) => StatusCode::FORBIDDEN,
        Refusal::State(_) => StatusCode::CONFLICT,
        Refusal::Bad(_) => StatusCode::UNPROCESSABLE_ENTITY,
        _ => return Err(refusal.into()),
    };
    let mut wrong = Wrong::default();
    wrong.say("", refusal.to_string());
    // What is refused by its state may have moved on since it was looked at.
    let subject = subject(app, visit, id, &typed).await?;
    Ok(form(visit, subject, typed, wrong, status))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_act_fits_where_the_states_own_table_lets_it() {
        let fitting = |status: Status| {
            let all = [What::Recall, What::Reoffer, What::Archived, What::Retire];
            all.into_iter().filter(|what| what.fits(status)).map(What::word).collect::<Vec<_>>()
        };
        assert!(fitting(Status::Offered).contains(&"recall"));
        assert!(fitting(Status::Acknowledged).contains(&"retire"));
        assert!(fitting(Status::Recalled).iter().all(|what| *what == "archived"), "{:?}", fitting(Status::Recalled));
        assert!(!fitting(Status::Retired).contains(&"archived"));
    }

    #[test]
    fn days_are_a_whole_number_within_ten_years() {
        let of = |days: &str| super::days(&Typed { days: days.into(), ..Typed::default() });
        assert_eq!((of(""), of(" 14 "), of("3650")), (Some(0), Some(14), Some(3_650)));
        assert_eq!((of("-1"), of("x"), of("3651")), (None, None, None));
    }
}
