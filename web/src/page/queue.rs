//! What waits to start, all of it, and for what: in the order in which it will start.

use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::get;
use kentai_engine::view::center::board;
use serde::Deserialize;

use super::keep;
use super::list::{self, Format};
use super::shell::{Place, Shell, page};
use super::today::parts::{self, Wait};
use super::today::words::Words;
use super::visit::Visit;
use crate::App;
use crate::error::Problem;
use crate::extract::Asked;

pub(super) fn routes() -> Router<App> {
    Router::new().route("/queue", get(show))
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct As {
    #[serde(default)]
    format: Format,
}

#[derive(Template)]
#[template(path = "queue.html")]
struct Queue {
    shell: Shell,
    words: &'static Words,
    of_all: String,
    rows: Vec<Wait>,
}

/// `GET /queue`
async fn show(State(app): State<App>, visit: Visit, Asked(wanted): Asked<As>) -> Result<Response, Problem> {
    board::may_see(&visit.principal())?;
    let kept = keep::newest(&app.keeper.today, &app).await?;
    let shell = visit.shell(Place::Capacity);
    let words = Words::of(visit.language());
    let rows = parts::waits(&kept.value.queue, words, &shell.say);
    if wanted.format == Format::Csv {
        let head = ["step", "waiting", "for", "ahead", "starts_in", "unchanged_for"];
        let rows = rows.into_iter().map(|row| [row.step, row.count, row.said, row.ahead, row.starts, row.since]);
        return list::csv("queue", head, rows);
    }
    let count = |number: usize| shell.say.count(i64::try_from(number).unwrap_or(i64::MAX));
    let steps = kept.value.queue.iter().map(|one| one.count).sum();
    let of_all = shell.say.pick(
        format!("{} steps, {} reasons", count(steps), count(rows.len())),
        format!("{}ステップ・理由{}件", count(steps), count(rows.len())),
    );
    Ok(page(&Queue { shell, words, of_all, rows }))
}
