//! The search of the bar: one hit leads to its page, several are a short list, none is a sentence that says what was looked for.

mod words;

use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use kentai_engine::view::center::search::{Found, Hit, search};
use serde::Deserialize;

use super::shell::{Place, Shell, page};
use super::specimen::text::path;
use super::visit::Visit;
use crate::App;
use crate::error::Problem;
use crate::extract::Asked;

use words::Words;

pub(super) fn routes() -> Router<App> {
    Router::new().route("/search", get(show))
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    #[serde(default)]
    q: String,
}

/// A line of the list.
struct Row {
    kind: &'static str,
    href: String,
    id: String,
    by: String,
    of: String,
}

#[derive(Template)]
#[template(path = "search.html")]
struct Search {
    shell: Shell,
    words: &'static Words,
    q: String,
    rows: Vec<Row>,
    near: Vec<Row>,
}

/// Where a hit leads.
fn place(hit: &Hit) -> String {
    match hit.what {
        Found::Specimen | Found::Sheet => path(&["specimens", &hit.id]),
        // A tube that nobody announced has no page: it is listed as an omission.
        Found::Tube => "/omissions?kind=extra_item".to_owned(),
        Found::OrderLine => path(&["order-lines", &hit.id]),
        Found::Participant => match hit.id.split_once('/') {
            Some((program, pseudonym)) => path(&["participants", program, pseudonym]),
            None => path(&["participants", &hit.id]),
        },
        Found::Shipment => path(&["shipments", &hit.id]),
        Found::Run => path(&["runs", &hit.id]),
        Found::InstrumentRun => path(&["instrument-runs", &hit.id]),
        Found::Delivery => path(&["hand-off", &hit.id]),
        Found::Case => path(&["withdrawals", &hit.id]),
    }
}

/// `GET /search?q=`
async fn show(State(app): State<App>, visit: Visit, Asked(wanted): Asked<Wanted>) -> Result<Response, Problem> {
    let q = wanted.q.trim().to_owned();
    let found = search(app.engine.reader(), &visit.principal(), &q).await?;
    let mut places: Vec<String> = found.hits.iter().map(place).collect();
    places.sort_unstable();
    places.dedup();
    if let ([one], true) = (places.as_slice(), found.hits.iter().all(|hit| hit.what != Found::Tube)) {
        return Ok(Redirect::to(one).into_response());
    }
    let words = Words::of(visit.language());
    let row = |hit: Hit| Row { kind: words.kind(hit.what), href: place(&hit), id: hit.id, by: hit.by, of: hit.of };
    let shell = visit.shell(Place::Elsewhere);
    Ok(page(&Search {
        shell,
        words,
        rows: found.hits.into_iter().map(row).collect(),
        near: found.near.into_iter().map(row).collect(),
        q,
    }))
}
