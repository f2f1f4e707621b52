//! What people of an institution see: their own specimens, in coarse states. What goes on inside the center is not theirs.

use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::get;
use kentai_engine::store::read::OrderFilter;
use kentai_engine::view::center::{OrderLineView, order_lines};
use kentai_workflows::diagnostic::Language;
use serde::Deserialize;

use super::address::Address;
use super::list::{self, Format, Turns};
use super::shape::{Shape, State as Shown};
use super::shell::{Place, Shell, page};
use super::visit::Visit;
use crate::App;
use crate::error::Problem;
use crate::extract::Asked;

pub(super) fn routes() -> Router<App> {
    Router::new().route("/institution", get(list))
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Narrow {
    after: Option<String>,
    #[serde(default)]
    format: Format,
}

struct Row {
    state: Shown,
    line: OrderLineView,
}

#[derive(Template)]
#[template(path = "institution.html")]
struct List {
    shell: Shell,
    of: String,
    count: String,
    rows: Vec<Row>,
    turns: Turns,
}

/// `GET /institution`
async fn list(State(app): State<App>, visit: Visit, Asked(narrow): Asked<Narrow>) -> Result<Response, Problem> {
    let who = visit.principal();
    // Nobody else has such a page: people of the center have the lists.
    let Some(of) = who.institution.clone() else { return Err(Problem::not_found("there is nothing at /institution")) };
    let Narrow { after, format } = narrow;
    let filter = OrderFilter { after: after.clone(), limit: format.rows(), ..OrderFilter::default() };
    let found = order_lines(app.engine.reader(), &who, filter).await?;
    if format == Format::Csv {
        let head = ["specimen", "order_line", "assay", "state", "due", "updated"];
        let rows = found.items.into_iter().map(|line| {
            let OrderLineView { specimen, id, assay, stage, due, updated, .. } = line;
            [specimen, id, assay, stage, due, updated]
        });
        return list::csv("specimens", head, rows);
    }
    let shell = visit.shell(Place::Today);
    let turns = Turns::new(&Address::new("/institution"), after.as_deref(), found.next.as_deref());
    let count = shell.say.count(i64::try_from(found.items.len()).unwrap_or(i64::MAX));
    let rows = found.items.into_iter().map(|line| Row { state: shown(&line.stage, visit.language()), line }).collect();
    Ok(page(&List { shell, of, count, rows, turns }))
}

/// A coarse state, as people from outside are told it.
fn shown(word: &str, language: Language) -> Shown {
    let (shape, en, ja) = match word {
        "announced" => (Shape::Waiting, "Announced", "到着予定"),
        "received" => (Shape::Running, "Received", "受領"),
        "in_progress" => (Shape::Running, "In progress", "センターで処理中"),
        "needs_sender" => (Shape::Needs, "Needs you: a new specimen", "再採取のお願い"),
        "delivered" => (Shape::Passed, "Delivered", "納品済み"),
        _ => (Shape::Canceled, "Ended", "終了"),
    };
    shape.called(match language {
        Language::En => en,
        Language::Ja => ja,
    })
}
