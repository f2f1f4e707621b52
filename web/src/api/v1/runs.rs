//! Runs: lists by key, and one with everything about it.

use axum::Json;
use axum::extract::State;
use kentai_engine::store::read::RunFilter;
use kentai_engine::view::{self, Page, RunDetail, RunView};
use serde::Deserialize;

use crate::App;
use crate::error::Problem;
use crate::extract::{Asked, ThisRun, limit};

/// How to narrow the list.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Filter {
    status: Option<String>,
    specimen: Option<String>,
    submission: Option<String>,
    limit: Option<i64>,
    after: Option<String>,
}

/// `GET /runs`
pub(super) async fn list(State(app): State<App>, Asked(filter): Asked<Filter>) -> Result<Json<Page<RunView>>, Problem> {
    let unknown = filter.status.as_deref().filter(|word| view::State::parse(word).is_none());
    if let Some(word) = unknown {
        let words: Vec<&str> = view::State::ALL.iter().map(|state| state.word()).collect();
        return Err(Problem::bad(format!("`{}` is no status; one of {}", word.escape_debug(), words.join(", "))));
    }
    let filter = RunFilter {
        status: filter.status,
        specimen: filter.specimen,
        submission: filter.submission,
        after: filter.after,
        limit: limit(filter.limit)?,
    };
    Ok(Json(view::runs(app.engine.reader(), &filter).await?))
}

/// `GET /runs/{id}`
pub(super) async fn show(State(app): State<App>, ThisRun(id): ThisRun) -> Result<Json<RunDetail>, Problem> {
    let run = view::run(app.engine.reader(), &id).await?;
    run.map(Json).ok_or_else(|| Problem::not_found(format!("there is no run `{id}`")))
}
