//! One withdrawal: how it stands, its things with what two people said of each, its messages, what happened.

use std::collections::BTreeMap;

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use kentai_engine::people::permission::Action;
use kentai_engine::specimen::record::CaseItem;
use kentai_engine::state::case_item::Status as Stands;
use kentai_engine::view::center::withdrawal::{CaseFile, CaseLine, ThingView, case_file};
use kentai_engine::view::center::{HistoryView, NoticeView};
use serde::Deserialize;

use super::decide::Typed;
use super::words::Words;
use super::{participant, to_receipt, to_stop};
use crate::App;
use crate::error::Problem;
use crate::extract::{Asked, Named};
use crate::page::address::Address;
use crate::page::form::Wrong;
use crate::page::list::Filter;
use crate::page::notices::{self, Letters};
use crate::page::rights;
use crate::page::say::Say;
use crate::page::shape::State as Shown;
use crate::page::shell::{Place, Shell, page};
use crate::page::specimen::text::path;
use crate::page::visit::Visit;

/// Things of one page.
const THINGS: usize = 100;

/// Which things are shown.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Narrow {
    /// `listed`, `proposed`, `confirmed`, `done`.
    #[serde(default)]
    things: String,
    #[serde(default)]
    after: String,
}

/// A thing.
struct Thing {
    id: String,
    state: Shown,
    kind: String,
    name: String,
    href: Option<String>,
    size: String,
    sha256: String,
    short: String,
    shared: String,
    decision: String,
    reference: String,
    /// Who proposed, and who confirmed.
    by: Vec<String>,
    until: String,
    how: String,
    /// As a form sends it: id and how it stood. None where nothing is to be decided any more.
    value: Option<String>,
    chosen: bool,
}

/// Something that happened.
struct Happened {
    at: String,
    exact: String,
    what: String,
    /// The id of its row on this page, and what it is called; of the case itself nothing.
    thing: String,
    name: String,
    person: String,
    why: String,
}

#[derive(Template)]
#[template(path = "withdrawal.html")]
struct Case {
    shell: Shell,
    words: &'static Words,
    line: CaseLine,
    state: Shown,
    participant: String,
    participant_href: Option<String>,
    asked: String,
    stopped: Option<String>,
    to_stop: String,
    sealed: Option<String>,
    to_receipt: String,
    answers: String,
    closed: Option<String>,
    scopes: String,
    progress: String,
    filters: Vec<Filter>,
    things: Vec<Thing>,
    next: Option<String>,
    may_decide: bool,
    who_decides: String,
    any_open: bool,
    any_to_confirm: bool,
    notices: Vec<Letters>,
    notice_words: &'static notices::Words,
    events: Vec<Happened>,
    may_close: bool,
    is_open: bool,
    who_closes: Option<String>,
    shown: String,
    typed: Typed,
    wrong: Wrong,
}

/// How a thing stands, as a decision is bound to it.
pub(super) fn standing(thing: &ThingView) -> String {
    let doc = &thing.doc;
    format!("{}|{}|{}|{}|{}", thing.id, thing.status, doc.decision, doc.proposed_by, doc.until_us)
}

/// How a case stands, as its end is bound to it.
pub(super) fn case_standing(line: &CaseLine) -> String {
    format!("{}/{}/{}", line.status, line.things.done, line.answers.1)
}

/// `GET /withdrawals/{id}`
pub(in crate::page) async fn show(
    State(app): State<App>,
    visit: Visit,
    Named(id): Named,
    Asked(narrow): Asked<Narrow>,
) -> Result<Response, Problem> {
    let file = case_file(app.engine.reader(), &visit.principal(), &id).await?;
    Ok(render(&visit, file, &narrow, Typed::default(), Wrong::default(), StatusCode::OK))
}

/// The page, with what was typed when something was refused.
pub(super) fn render(
    visit: &Visit,
    file: CaseFile,
    narrow: &Narrow,
    typed: Typed,
    wrong: Wrong,
    status: StatusCode,
) -> Response {
    let shell = visit.shell(Place::Specimens);
    let (words, say) = (Words::of(visit.language()), &shell.say);
    let CaseFile { line, things, notices, events } = file;
    let named = names(&things, &notices, &shell);
    let count = |number: i64| say.count(number);
    let (things, next, filters) = listed(&things, &line, narrow, (visit, &typed), &shell);
    let (participant, participant_href) = participant(&line);
    let of = shell.words.of_all(&count(line.things.done), &count(line.things.all()));
    let date = |at: Option<i64>| at.map(|at| say.date_time(&say.iso(at)));
    let may_decide = visit.may(Action::WithdrawalDecide);
    let (proposed, mine) = (line.things.proposed, visit.who.name.as_str());
    let template = Case {
        state: words.status(&line.status),
        asked: say.date_time(&say.iso(line.asked_us)),
        stopped: date(line.stopped_us),
        to_stop: to_stop(&line, say, words),
        sealed: date(line.sealed_us),
        to_receipt: to_receipt(&line, say, words),
        answers: shell.words.of_all(&count(line.answers.1), &count(line.answers.0)),
        closed: date(line.closed_us),
        scopes: if line.scopes.is_empty() {
            words.everything.to_owned()
        } else {
            line.scopes.join(say.pick(", ", "・"))
        },
        progress: words.progress(&of, &count(line.things.listed), &count(proposed)),
        any_open: line.things.listed + proposed > 0,
        any_to_confirm: proposed > 0
            && things.iter().any(|one| one.by.first().is_some_and(|by| by != mine) && one.value.is_some()),
        who_decides: rights::who_may(Action::WithdrawalDecide, &shell),
        may_decide,
        filters,
        things,
        next,
        notices: notices.iter().map(|one| letter(one, visit, &shell)).collect(),
        notice_words: notices::Words::of(visit.language()),
        events: events.iter().map(|one| happened(one, &named, &shell, words)).collect(),
        may_close: line.may_close(),
        is_open: line.closed_us.is_none(),
        who_closes: (!visit.may(Action::Withdraw)).then(|| rights::who_may(Action::Withdraw, &shell)),
        shown: case_standing(&line),
        participant,
        participant_href,
        line,
        typed,
        wrong,
        words,
        shell,
    };
    let mut response = page(&template);
    *response.status_mut() = status;
    response
}

fn letter(one: &NoticeView, visit: &Visit, shell: &Shell) -> Letters {
    let href = format!("{}#again", path(&["notices", &one.id]));
    notices::letters(one, shell, visit.may(Action::Notify).then_some(href))
}

/// The things of this page, where the next begins, and by what they are narrowed.
fn listed(
    all: &[ThingView],
    line: &CaseLine,
    narrow: &Narrow,
    (visit, typed): (&Visit, &Typed),
    shell: &Shell,
) -> (Vec<Thing>, Option<String>, Vec<Filter>) {
    let words = Words::of(shell.language());
    let stands = Stands::parse(&narrow.things);
    let address = Address::new(path(&["withdrawals", &line.id])).with("things", stands.map(Stands::word));
    let by = |value: Option<Stands>, count: i64| {
        let label = value.map_or_else(|| shell.words.all.to_owned(), |value| words.thing_status(value).word);
        let filter = Filter::new(&address, "things", value.map(Stands::word), stands.map(Stands::word), label);
        Filter { count: Some(shell.say.count(count)), ..filter }
    };
    let of = &line.things;
    let filters = vec![
        by(None, of.all()),
        by(Some(Stands::Listed), of.listed),
        by(Some(Stands::Proposed), of.proposed),
        by(Some(Stands::Confirmed), of.confirmed),
        by(Some(Stands::Done), of.done),
    ];
    let own: Vec<&ThingView> = all.iter().filter(|one| stands.is_none_or(|stands| one.status == stands)).collect();
    // A thing that is there no more in this list has moved on: the list begins anew.
    let from = own.iter().position(|one| one.id == narrow.after).map_or(0, |at| at + 1);
    let shown: Vec<&ThingView> = own.iter().skip(from).take(THINGS).copied().collect();
    let more = from + shown.len() < own.len();
    let next = shown.last().filter(|_| more).map(|one| address.with("after", Some(&one.id)).to_string());
    (shown.iter().map(|one| thing(one, typed, visit, shell)).collect(), next, filters)
}

fn thing(one: &ThingView, typed: &Typed, visit: &Visit, shell: &Shell) -> Thing {
    let (words, say, doc) = (Words::of(shell.language()), &shell.say, &one.doc);
    let open = matches!(one.status, Stands::Listed | Stands::Proposed);
    let waits = one.status == Stands::Proposed;
    let people = [&doc.proposed_by, &doc.confirmed_by].into_iter().filter(|name| !name.is_empty()).cloned();
    let value = (open && visit.may(Action::WithdrawalDecide)).then(|| standing(one));
    Thing {
        state: words.thing_status(one.status),
        kind: words.kind(&doc.thing),
        href: place(&doc.thing, &doc.id),
        name: name(doc, say),
        size: if doc.size > 0 { say.bytes(doc.size) } else { String::new() },
        short: say.digest(&doc.sha256),
        sha256: doc.sha256.clone(),
        shared: doc.shared_with.join(say.pick(", ", "、")),
        decision: words.decided(&doc.decision),
        reference: doc.reference.clone(),
        by: people.collect(),
        until: if waits { say.date_time(&say.iso(doc.until_us)) } else { String::new() },
        how: doc.certificate.as_ref().map(|proof| say.engine(&proof.method)).unwrap_or_default(),
        chosen: value.as_ref().is_some_and(|value| typed.things.contains(value)),
        value,
        id: one.id.clone(),
    }
}

/// As people know it; a delivery is named with its receiver.
fn name(doc: &CaseItem, say: &Say) -> String {
    match doc.id.split_once(" at ") {
        Some((delivery, receiver)) if doc.thing == "delivery" => {
            say.pick(doc.id.clone(), format!("{delivery}（{receiver}）"))
        }
        _ => say.engine(&doc.id),
    }
}

/// Where a thing is shown; none where it has no page.
fn place(kind: &str, id: &str) -> Option<String> {
    match kind {
        "specimen" => Some(path(&["specimens", id])),
        "delivery" => id.split(' ').next().map(|id| path(&["hand-off", id])),
        "artifact" => id.split('/').next().filter(|run| run.starts_with('r')).map(|run| path(&["runs", run, "files"])),
        _ => None,
    }
}

/// What things and messages are called, by their ids.
fn names(things: &[ThingView], notices: &[NoticeView], shell: &Shell) -> BTreeMap<String, String> {
    let words = notices::Words::of(shell.language());
    let letter = |one: &NoticeView| format!("{}{}{}", words.subject(&one.subject), shell.say.pick(", ", "・"), one.to);
    let things = things.iter().map(|one| (one.id.clone(), name(&one.doc, &shell.say)));
    things.chain(notices.iter().map(|one| (one.id.clone(), letter(one)))).collect()
}

fn happened(one: &HistoryView, named: &BTreeMap<String, String>, shell: &Shell, words: &Words) -> Happened {
    let id = one.of.split_once(':').map(|(_, id)| id).unwrap_or_default();
    let said = |name: &str| one.body.get(name).and_then(|text| text.as_str()).unwrap_or_default().to_owned();
    let decision = said("decision");
    let parts = [words.decided(&decision), said("reason"), said("reference"), said("receipt"), said("evidence")];
    let why: Vec<String> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    Happened {
        at: shell.say.date_time(&one.at),
        exact: one.at.clone(),
        what: words.happened(&one.kind),
        name: named.get(id).cloned().unwrap_or_default(),
        thing: id.to_owned(),
        person: if one.role.is_empty() {
            one.actor.clone()
        } else {
            let role = match shell.words.role(&one.role) {
                "" => one.role.as_str(),
                role => role,
            };
            shell.say.pick(format!("{}, {role}", one.actor), format!("{}（{role}）", one.actor))
        },
        why: why.join(shell.say.pick(", ", "・")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thing_leads_to_its_page_where_it_has_one() {
        assert_eq!(place("specimen", "S1").as_deref(), Some("/specimens/S1"));
        assert_eq!(place("delivery", "d1 at outbox").as_deref(), Some("/hand-off/d1"));
        assert_eq!(place("artifact", "r1/align/out.cram").as_deref(), Some("/runs/r1/files"));
        assert_eq!((place("artifact", "d1/data/x"), place("backup", "all")), (None, None));
    }
}
