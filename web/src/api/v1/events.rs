//! The history of a run.

use axum::Json;
use axum::extract::State;
use kentai_engine::view::{self, EventView, Page};
use schemars::JsonSchema;
use serde::Deserialize;

use super::runs::of_one;
use crate::App;
use crate::error::Problem;
use crate::extract::{Asked, ThisRun, limit};
use crate::openapi::Description;

/// Which part of it.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Part {
    /// `next` of an earlier answer: the number of its last event.
    after: Option<i64>,
    /// Items of a page at most.
    #[schemars(range(min = 1, max = 1_000))]
    limit: Option<i64>,
}

/// The operation about events.
pub(super) fn describe(to: &mut Description) {
    of_one(to.get("/runs/{id}/events", "listEventsOfRun", "The history of a run, oldest first"))
        .asks::<Part>()
        .gives::<Page<EventView>>("A page of events.");
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
