//! Withdrawals: the cases with how long each took to stop and to hear the last answer; one case is `withdrawals/case.rs`.

mod case;
mod decide;
pub(super) mod record;
mod words;

use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::{get, post};
use kentai_engine::people::permission::Action;
use kentai_engine::view::center::withdrawal::{CaseLine, cases};
use serde::Deserialize;

use super::address::Address;
use super::list::{self, Filter, Format, Turns};
use super::rights;
use super::say::Say;
use super::shape::State as Shown;
use super::shell::{Place, Shell, page};
use super::specimen::text::path;
use super::visit::Visit;
use crate::App;
use crate::error::Problem;
use crate::extract::Asked;

use words::{STATUSES, Words};

pub(super) fn routes() -> Router<App> {
    Router::new()
        .route("/withdrawals", get(all))
        .route("/withdrawals/new", get(record::ask).post(record::record))
        .route("/withdrawals/{id}", get(case::show))
        .route("/withdrawals/{id}/things", post(decide::things))
        .route("/withdrawals/{id}/close", post(decide::close))
}

/// How the list is narrowed.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Narrow {
    status: Option<String>,
    after: Option<String>,
    #[serde(default)]
    format: Format,
}

/// One case.
struct Row {
    id: String,
    href: String,
    state: Shown,
    participant: String,
    participant_href: Option<String>,
    institution: String,
    asked: String,
    asked_at: String,
    to_stop: String,
    to_receipt: String,
    things: String,
    answers: String,
}

#[derive(Template)]
#[template(path = "withdrawals.html")]
struct All {
    shell: Shell,
    words: &'static Words,
    filters: Vec<Filter>,
    rows: Vec<Row>,
    turns: Turns,
    /// One may be written down here; else by whom.
    may_record: bool,
    who_records: String,
}

/// `GET /withdrawals`
async fn all(State(app): State<App>, visit: Visit, Asked(narrow): Asked<Narrow>) -> Result<Response, Problem> {
    let Narrow { status, after, format } = narrow;
    let status = status.filter(|status| !status.is_empty());
    let found =
        cases(app.engine.reader(), &visit.principal(), status.as_deref(), after.as_deref(), format.rows()).await?;
    let shell = visit.shell(Place::Specimens);
    if format == Format::Csv {
        return csv(found.items, &shell.say);
    }
    let words = Words::of(visit.language());
    let address = Address::new("/withdrawals").with("status", status.as_deref());
    let by = |value: Option<&str>, label: &str| Filter::new(&address, "status", value, status.as_deref(), label);
    let mut filters = vec![by(None, shell.words.all)];
    filters.extend(STATUSES.iter().map(|word| by(Some(word), &words.status(word).word)));
    let turns = Turns::new(&address, after.as_deref(), found.next.as_deref());
    let rows = found.items.iter().map(|one| row(one, &shell, words)).collect();
    let (may_record, who_records) = (visit.may(Action::Withdraw), rights::who_may(Action::Withdraw, &shell));
    Ok(page(&All { shell, words, filters, rows, turns, may_record, who_records }))
}

/// Who took consent back: program and pseudonym, and where they are shown.
fn participant(one: &CaseLine) -> (String, Option<String>) {
    let (program, pseudonym) = &one.named;
    if pseudonym.is_empty() {
        return (one.participant.clone(), None);
    }
    (pseudonym.clone(), Some(path(&["participants", program, pseudonym])))
}

/// Since it was asked until nothing ran; what there is to say where nothing says it.
fn to_stop(one: &CaseLine, say: &Say, words: &Words) -> String {
    match one.to_stop_us() {
        Some(us) => say.duration(us / 1_000_000),
        // Only a use was taken back: what goes on is for others.
        None if one.status == "notified" || one.closed_us.is_some() => words.nothing_to_stop.to_owned(),
        None => words.not_yet.to_owned(),
    }
}

fn to_receipt(one: &CaseLine, say: &Say, words: &Words) -> String {
    match one.to_receipt_us() {
        Some(us) => say.duration(us / 1_000_000),
        None if one.answers.0 == 0 => words.nobody_asked.to_owned(),
        None => words.not_yet.to_owned(),
    }
}

fn row(one: &CaseLine, shell: &Shell, words: &Words) -> Row {
    let say = &shell.say;
    let (participant, participant_href) = participant(one);
    let of = |some: i64, all: i64| format!("{} / {}", say.count(some), say.count(all));
    Row {
        id: one.id.clone(),
        href: path(&["withdrawals", &one.id]),
        state: words.status(&one.status),
        participant,
        participant_href,
        institution: one.institution.clone(),
        asked: say.age_us(one.asked_us),
        asked_at: say.iso(one.asked_us),
        to_stop: to_stop(one, say, words),
        to_receipt: to_receipt(one, say, words),
        things: of(one.things.done, one.things.all()),
        answers: of(one.answers.1, one.answers.0),
    }
}

/// Hours, to a hundredth.
fn hours(us: Option<i64>) -> String {
    #[expect(clippy::cast_precision_loss, reason = "hours, to a hundredth")]
    us.map(|us| format!("{:.2}", us as f64 / 3_600_000_000.0)).unwrap_or_default()
}

fn csv(found: Vec<CaseLine>, say: &Say) -> Result<Response, Problem> {
    let head = [
        "case",
        "status",
        "participant",
        "institution",
        "asked",
        "hours_to_stop",
        "hours_to_last_receipt",
        "things",
        "done",
        "asked_to_answer",
        "answered",
    ];
    let rows = found.into_iter().map(|one| {
        let (stop, receipt) = (hours(one.to_stop_us()), hours(one.to_receipt_us()));
        let (things, done) = (one.things.all().to_string(), one.things.done.to_string());
        let (asked, answered) = (one.answers.0.to_string(), one.answers.1.to_string());
        let at = say.iso(one.asked_us);
        [one.id, one.status, one.participant, one.institution, at, stop, receipt, things, done, asked, answered]
    });
    list::csv("withdrawals", head, rows)
}

#[cfg(test)]
mod tests {
    use jiff::tz::TimeZone;
    use kentai_engine::state::withdrawal::Status;
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
    fn what_has_no_time_yet_is_said_and_not_left_out() {
        let (say, words) = (Say::new(Language::En, TimeZone::UTC, 0), Words::of(Language::En));
        let one = CaseLine { asked_us: 0, answers: (1, 0), status: "listed".into(), ..CaseLine::default() };
        assert_eq!((to_stop(&one, &say, words), to_receipt(&one, &say, words)), ("not yet".into(), "not yet".into()));
        let narrowed = CaseLine { status: "notified".into(), answers: (0, 0), ..one.clone() };
        assert_eq!(to_stop(&narrowed, &say, words), words.nothing_to_stop);
        assert_eq!(to_receipt(&narrowed, &say, words), words.nobody_asked);
        let stopped = CaseLine { stopped_us: Some(5_400_000_000), ..one };
        assert_eq!(to_stop(&stopped, &say, words), "1\u{a0}h\u{a0}30\u{a0}min");
        assert_eq!(hours(stopped.to_stop_us()), "1.50");
    }
}
