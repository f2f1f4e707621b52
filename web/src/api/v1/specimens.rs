//! Specimens: lists by key, and one with what became of it.

use axum::Json;
use axum::extract::State;
use kentai_engine::view::{self, Page, SpecimenDetail, SpecimenView};
use serde::Deserialize;

use crate::App;
use crate::error::Problem;
use crate::extract::{Asked, Named, limit};

/// Which part of the list.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Part {
    after: Option<String>,
    limit: Option<i64>,
}

/// `GET /specimens`
pub(super) async fn list(
    State(app): State<App>,
    Asked(part): Asked<Part>,
) -> Result<Json<Page<SpecimenView>>, Problem> {
    let limit = limit(part.limit)?;
    Ok(Json(view::specimens(app.engine.reader(), part.after.as_deref(), limit).await?))
}

/// `GET /specimens/{id}`
pub(super) async fn show(State(app): State<App>, Named(id): Named) -> Result<Json<SpecimenDetail>, Problem> {
    let found = view::specimen(app.engine.reader(), &id).await?;
    found.map(Json).ok_or_else(|| Problem::not_found(format!("there is no specimen `{}`", id.escape_debug())))
}
