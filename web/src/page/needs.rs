//! What needs a person: all of it, the oldest first, by kind and by who may act. The first page shows the oldest few with the same rows.

use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::get;
use kentai_engine::view::center::board;
use kentai_engine::view::center::needs::{About, Kind, Need};
use kentai_workflows::diagnostic::Language;
use serde::Deserialize;

use super::address::Address;
use super::keep;
use super::list::{self, Filter, Format, Turns};
use super::say::Say;
use super::shape::{Shape, State as Shown};
use super::shell::{Place, Shell, page};
use super::today::words::Words;
use super::visit::Visit;
use super::words::Words as ShellWords;
use crate::App;
use crate::error::Problem;
use crate::extract::Asked;

/// Roles that act on something here.
const ROLES: [&str; 4] = ["operator", "reviewer", "releaser", "withdrawal_officer"];

pub(super) fn routes() -> Router<App> {
    Router::new().route("/needs", get(list))
}

/// How the list is narrowed.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Narrow {
    kind: Option<String>,
    role: Option<String>,
    after: Option<String>,
    #[serde(default)]
    format: Format,
}

/// One row.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) id: String,
    pub(super) state: Shown,
    pub(super) thing: String,
    pub(super) href: String,
    pub(super) said: String,
    pub(super) since: String,
    pub(super) age: String,
    pub(super) who: String,
    pub(super) act: Option<(String, String)>,
}

#[derive(Template)]
#[template(path = "needs.html")]
struct List {
    shell: Shell,
    words: &'static Words,
    of_all: String,
    kinds: Vec<Filter>,
    roles: Vec<Filter>,
    rows: Vec<Row>,
    turns: Turns,
}

/// `GET /needs`
async fn list(State(app): State<App>, visit: Visit, Asked(narrow): Asked<Narrow>) -> Result<Response, Problem> {
    let who = visit.principal();
    board::may_see(&who)?;
    let Narrow { kind, role, after, format } = narrow;
    let wanted = match kind.as_deref() {
        Some(word) => {
            let bad = || Problem::bad(format!("`{}` is no kind of what needs a person", word.escape_debug()));
            Some(Kind::parse(word).ok_or_else(bad)?)
        }
        None => None,
    };
    let today = keep::newest(&app.keeper.today, &app).await?;
    let seen: Vec<&Need> = today.value.needs.items.iter().filter(|one| one.is_for(&who)).collect();
    let of_role = |one: &&&Need| role.as_ref().is_none_or(|role| one.roles.contains(role));
    let of_kind = |one: &&&Need| wanted.is_none_or(|kind| one.kind == kind);
    let all: Vec<&Need> = seen.iter().filter(of_role).filter(of_kind).copied().collect();
    // A key that is there no more was answered meanwhile: the list begins anew.
    let from = after.as_deref().and_then(|key| all.iter().position(|one| one.key() == key)).map_or(0, |at| at + 1);
    let limit = usize::try_from(format.rows()).unwrap_or(usize::MAX);
    let shown: Vec<&Need> = all.iter().skip(from).take(limit).copied().collect();
    let shell = visit.shell(Place::Today);
    let words = Words::of(visit.language());
    let rows = rows(&app, &visit, &shell, &shown).await?;
    if format == Format::Csv {
        let head = ["kind", "about", "why", "since", "who"];
        return list::csv(
            "needs",
            head,
            rows.into_iter().map(|row| [row.state.word, row.thing, row.said, row.since, row.who]),
        );
    }
    let address = Address::new("/needs").with("kind", kind.as_deref()).with("role", role.as_deref());
    let by_kind = |value: Option<Kind>| {
        let of = |one: &&&Need| value.is_none_or(|kind| one.kind == kind);
        let count = seen.iter().filter(of_role).filter(of).count();
        let label = value.map_or(shell.words.all, |kind| label(kind, visit.language()));
        let filter = Filter::new(&address, "kind", value.map(Kind::word), kind.as_deref(), label);
        (count, Filter { count: Some(shell.say.count(i64::try_from(count).unwrap_or(0))), ..filter })
    };
    let kinds = std::iter::once(by_kind(None)).chain(
        Kind::ALL.iter().map(|kind| by_kind(Some(*kind))).filter(|(count, filter)| *count > 0 || filter.current),
    );
    let by_role = |value: Option<&str>| {
        let label = value.map_or(shell.words.all, |role| shell.words.role(role));
        Filter::new(&address, "role", value, role.as_deref(), label)
    };
    let roles = std::iter::once(by_role(None)).chain(ROLES.iter().map(|role| by_role(Some(role)))).collect();
    let next = (from + shown.len() < all.len()).then(|| shown.last().map(|one| one.key())).flatten();
    let turns = Turns::new(&address, after.as_deref(), next.as_deref());
    let count = |number: usize| shell.say.count(i64::try_from(number).unwrap_or(i64::MAX));
    let of_all = shell.words.of_all(&count(shown.len()), &count(all.len()));
    let kinds = kinds.map(|(_, filter)| filter).collect();
    Ok(page(&List { shell, words, of_all, kinds, roles, rows, turns }))
}

/// These, as rows: each with its sentence, which is read now.
pub(super) async fn rows(app: &App, visit: &Visit, shell: &Shell, shown: &[&Need]) -> Result<Vec<Row>, Problem> {
    let who = visit.principal();
    let mut rows = Vec::with_capacity(shown.len());
    for one in shown {
        let said = one.say(app.engine.reader(), visit.now(), visit.language()).await?;
        let (thing, href, to) = about(&one.about, &shell.say);
        let state = shape(one.kind).called(label(one.kind, visit.language()));
        let act = one.may(&who).then(|| (act(one.kind, visit.language()).to_owned(), to));
        let (since, age) = (shell.say.iso(one.since_us), shell.say.age_us(one.since_us));
        let who = who_may(&one.roles, &one.not_by, shell.words, &shell.say);
        rows.push(Row { id: one.key(), state, thing, href, said, since, age, who, act });
    }
    Ok(rows)
}

/// `releaser, not ops-03`
pub(super) fn who_may(roles: &[String], not_by: &[String], words: &ShellWords, say: &Say) -> String {
    let roles: Vec<&str> =
        roles.iter().map(|role| Some(words.role(role)).filter(|word| !word.is_empty()).unwrap_or(role)).collect();
    let roles = roles.join(say.pick(" or ", "・"));
    if not_by.is_empty() {
        return roles;
    }
    let not = not_by.join(say.pick(", ", "、"));
    say.pick(format!("{roles}, not {not}"), format!("{roles}（{not}以外）"))
}

/// What it is called, where it is shown, and where it is answered.
fn about(about: &About, say: &Say) -> (String, String, String) {
    let path = |under: &str, id: &str| Address::new(format!("/{under}/{}", encoded(id))).to_string();
    match about {
        About::OrderLine(id, specimen) => {
            (specimen.clone(), path("specimens", specimen), format!("{}/decide", path("order-lines", id)))
        }
        About::Step(run, step, specimen) => {
            let run = path("runs", run);
            (specimen.clone(), run.clone(), format!("{run}#ask-{}", encoded(step)))
        }
        About::Run(run, specimen) => (specimen.clone(), path("runs", run), path("runs", run)),
        About::Delivery(id) => {
            let name = say.pick(format!("Delivery {id}"), format!("送達 {id}"));
            (name, path("hand-off", id), path("hand-off", id))
        }
        About::Case(id) => {
            let name = say.pick(format!("Case {id}"), format!("案件 {id}"));
            (name, path("withdrawals", id), path("withdrawals", id))
        }
        About::Retirement(id, delivery) => {
            let name = say.pick(format!("Delivery {delivery}"), format!("送達 {delivery}"));
            let act = Address::new(format!("{}/act", path("hand-off", delivery)));
            let act = act.with("what", Some("confirm")).with("proposal", Some(id));
            (name, path("hand-off", delivery), act.to_string())
        }
        About::Deviation(id, specimen) if specimen.is_empty() => {
            (id.clone(), "/deviations".to_owned(), format!("{}/close", path("deviations", id)))
        }
        About::Deviation(id, specimen) => {
            (specimen.clone(), path("specimens", specimen), format!("{}/close", path("deviations", id)))
        }
        About::Proposal(id, about) => {
            // What it is about stands on its page; there it is confirmed.
            let href = path("proposals", id);
            let name = if about.is_empty() { id } else { about };
            (name.clone(), href.clone(), format!("{href}#confirm"))
        }
    }
}

/// An id, as one part of a path: it may hold anything.
pub(super) fn encoded(id: &str) -> String {
    url::form_urlencoded::byte_serialize(id.as_bytes()).collect::<String>().replace('+', "%20")
}

fn shape(kind: Kind) -> Shape {
    match kind {
        Kind::RunFailed | Kind::ReceiptRefused | Kind::Rejected => Shape::Failed,
        _ => Shape::Needs,
    }
}

pub(super) fn label(kind: Kind, language: Language) -> &'static str {
    let (en, ja) = match kind {
        Kind::Release => ("Release", "引き渡し承認"),
        Kind::Approval => ("Approval", "承認"),
        Kind::QcHold => ("QC hold", "QC保留"),
        Kind::Hold => ("Hold", "一時停止"),
        Kind::Reads => ("Too few reads", "リード不足"),
        Kind::Rejected => ("Rejected tube", "受入不可"),
        Kind::RunFailed => ("Run failed", "解析の失敗"),
        Kind::Identity => ("Identity", "同一性の確認"),
        Kind::Deviation => ("Deviation", "逸脱"),
        Kind::ReceiptRefused => ("Receipt refused", "受取拒否"),
        Kind::ReceiptLate => ("Receipt late", "受領確認の遅れ"),
        Kind::Recalled => ("Recalled", "回収"),
        Kind::Withdrawal => ("Withdrawal", "同意撤回"),
        Kind::Proposal => ("Second person", "2人目の確認"),
    };
    match language {
        Language::En => en,
        Language::Ja => ja,
    }
}

fn act(kind: Kind, language: Language) -> &'static str {
    let (en, ja) = match kind {
        Kind::Release | Kind::Approval => ("Review", "審査する"),
        Kind::QcHold | Kind::Reads | Kind::Rejected | Kind::RunFailed | Kind::Identity | Kind::Recalled => {
            ("Decide", "判断する")
        }
        Kind::Hold => ("Let go", "再開する"),
        Kind::Deviation | Kind::ReceiptRefused => ("Open", "開く"),
        Kind::ReceiptLate => ("Ask", "照会する"),
        Kind::Withdrawal => ("Open case", "案件を開く"),
        Kind::Proposal => ("Confirm", "確認する"),
    };
    match language {
        Language::En => en,
        Language::Ja => ja,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_stays_one_part_of_a_path() {
        assert_eq!(encoded("a/b ?\"<"), "a%2Fb%20%3F%22%3C");
    }

    #[test]
    fn every_kind_is_called_something_else() {
        for language in [Language::En, Language::Ja] {
            let mut labels: Vec<_> = Kind::ALL.iter().map(|kind| label(*kind, language)).collect();
            labels.sort_unstable();
            labels.dedup();
            assert_eq!(labels.len(), Kind::ALL.len());
        }
    }
}
