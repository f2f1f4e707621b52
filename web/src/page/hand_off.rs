//! Hand-offs: the list by receiver and status, and one delivery with its files, what the receiver said of each, and its receipts.

mod act;
mod copies;
mod reconcile;
mod words;

use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::get;

use kentai_engine::handoff::offer::FileStatus;
use kentai_engine::store::read::DeliveryFilter;
use kentai_engine::view::center::{Inner, inside, own_target};
use kentai_engine::view::{self, DeliveryView};
use kentai_workflows::diagnostic::Language;
use serde::Deserialize;

use super::address::Address;
use super::list::{self, Filter, Format, Turns};
use super::shape::{Shape, State as Shown};
use super::shell::{Place, Shell, page};
use super::visit::Visit;
use crate::App;
use crate::error::Problem;
use crate::extract::{Asked, Named};

use copies::Inside;
use words::Words;

/// Statuses in the order of a delivery's life, each with how it is shown.
const STATUSES: &[(&str, Shape, &str, &str)] = &[
    ("packaging", Shape::Running, "Packaging", "梱包中"),
    ("carrying", Shape::Running, "On its way", "送付中"),
    ("offered", Shape::Waiting, "Offered", "提供中"),
    ("pulling", Shape::Running, "Being fetched", "取得中"),
    ("delivered", Shape::Waiting, "Delivered", "送達済み"),
    ("partly_acknowledged", Shape::Waiting, "Partly acknowledged", "一部受領確認"),
    ("acknowledged", Shape::Passed, "Acknowledged", "受領確認済み"),
    ("refused", Shape::Failed, "Refused", "受取拒否"),
    ("expired", Shape::Canceled, "Expired", "期限切れ"),
    ("superseded", Shape::Canceled, "Superseded", "差し替え済み"),
    ("recalled", Shape::Canceled, "Recalled", "回収"),
    ("retired", Shape::Passed, "Copies gone", "複製破棄済み"),
];

pub(super) fn routes() -> Router<App> {
    Router::new()
        .route("/hand-off", get(all))
        .route("/hand-off/reconcile", get(reconcile::ask).post(reconcile::compare))
        .route("/hand-off/{id}", get(one))
        .route("/hand-off/{id}/act", get(act::ask).post(act::answer))
}

/// How the list is narrowed.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Narrow {
    status: Option<String>,
    target: Option<String>,
    specimen: Option<String>,
    #[serde(default)]
    late: u8,
    after: Option<String>,
    #[serde(default)]
    format: Format,
}

#[derive(Template)]
#[template(path = "hand_off.html")]
struct All {
    shell: Shell,
    words: &'static Words,
    filters: Vec<Filter>,
    rows: Vec<Row>,
    turns: Turns,
    /// Of the center: letters and reconciliation are their own.
    inner: bool,
}

/// One delivery, and how its status is shown.
struct Row {
    state: Shown,
    accepted: usize,
    said: usize,
    delivery: DeliveryView,
}

#[derive(Template)]
#[template(path = "delivery.html")]
struct One {
    shell: Shell,
    words: &'static Words,
    state: Shown,
    delivery: DeliveryView,
    files: Vec<File>,
    receipts: Vec<(String, String, String, String)>,
    /// What only people of the center see of it.
    inner: Option<Inside>,
}

/// One file of the package.
struct File {
    name: String,
    size: String,
    sha256: String,
    short: String,
    answer: Option<Shown>,
    accession: String,
    reason: String,
}

/// A delivery's status as pages show it.
fn shown(status: &str, language: Language) -> Shown {
    let known = STATUSES.iter().find(|(word, ..)| *word == status);
    let Some((_, shape, en, ja)) = known else { return Shape::Waiting.called(status) };
    shape.called(match language {
        Language::En => *en,
        Language::Ja => *ja,
    })
}

fn row(delivery: DeliveryView, language: Language) -> Row {
    let accepted = delivery.answers.values().filter(|answer| answer.status == FileStatus::Accepted).count();
    Row { state: shown(&delivery.status, language), accepted, said: delivery.answers.len(), delivery }
}

/// `GET /hand-off`
async fn all(State(app): State<App>, visit: Visit, Asked(narrow): Asked<Narrow>) -> Result<Response, Problem> {
    let who = visit.principal();
    inside(app.engine.reader(), &who, Inner::Delivery, None).await?;
    let Narrow { status, target, specimen, late, after, format } = narrow;
    let own = own_target(&who);
    let filter = DeliveryFilter {
        specimen: specimen.clone(),
        // A data center sees its own, whatever it asks for.
        target: own.or_else(|| target.clone()),
        status: status.clone(),
        late_us: (late == 1).then(|| visit.now()),
        after: after.clone(),
        limit: format.rows(),
    };
    let found = view::deliveries(app.engine.reader(), &filter).await?;
    let language = visit.language();
    if format == Format::Csv {
        let head = ["delivery", "status", "target", "specimen", "run", "created", "updated", "receipt_due", "reason"];
        let rows = found.items.into_iter().map(|one| {
            let (due, reason) = (one.receipt_due.unwrap_or_default(), one.reason.unwrap_or_default());
            let (id, run) = (one.id.to_string(), one.run.to_string());
            [id, one.status, one.target, one.specimen, run, one.created, one.updated, due, reason]
        });
        return list::csv("hand-off", head, rows);
    }
    let shell = visit.shell(Place::HandOff);
    let words = Words::of(language);
    let address = Address::new("/hand-off")
        .with("status", status.as_deref())
        .with("target", target.as_deref())
        .with("specimen", specimen.as_deref())
        .with("late", (late == 1).then_some("1"));
    let by = |value: Option<&str>, label: &str| Filter::new(&address, "status", value, status.as_deref(), label);
    let mut filters = vec![by(None, shell.words.all)];
    filters.extend(STATUSES.iter().map(|(word, ..)| by(Some(*word), &shown(word, language).word)));
    filters.push(Filter {
        href: address.with("late", (late != 1).then_some("1")).with("after", None).to_string(),
        label: words.late.to_owned(),
        current: late == 1,
        count: None,
    });
    let turns = Turns::new(&address, after.as_deref(), found.next.as_deref());
    let rows = found.items.into_iter().map(|delivery| row(delivery, language)).collect();
    let inner = who.data_center.is_none() && who.institution.is_none();
    Ok(page(&All { shell, words, filters, rows, turns, inner }))
}

/// A delivery that they may see.
async fn seen(app: &App, visit: &Visit, id: &str) -> Result<DeliveryView, Problem> {
    let who = visit.principal();
    inside(app.engine.reader(), &who, Inner::Delivery, Some(id)).await?;
    let found = view::delivery(app.engine.reader(), id).await?;
    let found = found.ok_or_else(|| Problem::not_found(format!("there is no delivery `{}`", id.escape_debug())))?;
    Ok(if own_target(&who).is_some() { found.for_receiver() } else { found })
}

/// `GET /hand-off/{id}`
async fn one(State(app): State<App>, visit: Visit, Named(id): Named) -> Result<Response, Problem> {
    let delivery = seen(&app, &visit, &id).await?;
    let (shell, language) = (visit.shell(Place::HandOff), visit.language());
    let words = Words::of(language);
    let files = delivery.files.iter().map(|file| {
        let answer = delivery.answers.get(&file.name).or_else(|| delivery.answers.get(&format!("data/{}", file.name)));
        File {
            name: file.name.clone(),
            size: shell.say.bytes(file.size),
            short: shell.say.digest(&file.sha256),
            sha256: file.sha256.clone(),
            accession: answer.map(|answer| answer.accession.clone()).unwrap_or_default(),
            reason: answer.map(|answer| answer.reason.clone()).unwrap_or_default(),
            answer: answer.map(|answer| match answer.status {
                FileStatus::Accepted => Shape::Passed.called(words.accepted),
                FileStatus::Refused | FileStatus::Mismatch => Shape::Failed.called(words.refused),
                FileStatus::Offered | FileStatus::Unknown => Shape::Waiting.called(words.no_answer),
            }),
        }
    });
    let receipts = delivery.receipts.iter().map(|(id, one)| {
        let signed = one.signed_by.clone().unwrap_or_default();
        (id.clone(), shell.say.date_time(&one.at), one.by.clone(), signed)
    });
    let (files, receipts) = (files.collect(), receipts.collect());
    let inner = copies::inside(&app, &visit, &delivery, &shell).await?;
    Ok(page(&One { state: shown(&delivery.status, language), shell, words, files, receipts, inner, delivery }))
}

#[cfg(test)]
mod tests {
    use kentai_engine::state::delivery::Status;

    use super::*;

    #[test]
    fn every_status_of_a_delivery_has_its_shape_and_words() {
        for status in Status::ALL {
            assert!(STATUSES.iter().any(|(word, ..)| *word == status.word()), "{status}");
        }
    }
}
