//! Specimens: lists by key, one with what became of it, and what a sheet says of them without a run.

use axum::Json;
use axum::extract::State;
use kentai_engine::view::{self, Page, SpecimenDetail, SpecimenView};
use kentai_workflows::plan::Specimen;
use serde::{Deserialize, Serialize};

use crate::App;
use crate::api::once::Acting;
use crate::error::Problem;
use crate::extract::{Asked, Named, Sent, limit};
use crate::peer::Person;

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

/// What a sheet says.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Sheet {
    /// Its path, kept as the source.
    source: String,
    specimens: Vec<Specimen>,
}

#[derive(Debug, Serialize)]
pub(super) struct Kept {
    kept: usize,
}

/// `POST /specimens`
pub(super) async fn import(
    Acting(engine): Acting,
    Person(who): Person,
    Sent(sheet): Sent<Sheet>,
) -> Result<Json<Kept>, Problem> {
    engine.import(&sheet.specimens, &sheet.source, &who).await?;
    Ok(Json(Kept { kept: sheet.specimens.len() }))
}
