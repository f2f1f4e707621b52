//! The history of a run.

use axum::Json;
use axum::extract::State;
use kentai_engine::view::{self, EventView, Page};
use serde::Deserialize;

use crate::App;
use crate::error::Problem;
use crate::extract::{Asked, ThisRun, limit};

/// Which part of it.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Part {
    after: Option<i64>,
    limit: Option<i64>,
}

/// `GET /runs/{id}/events`
pub(super) async fn list(
    State(app): State<App>,
    ThisRun(id): ThisRun,
    Asked(part): Asked<Part>,
) -> Result<Json<Page<EventView>>, Problem> {
    let limit = limit(part.limit)?;
    Ok(Json(view::events(app.engine.reader(), &id, part.after.unwrap_or(0), limit).await?))
}
