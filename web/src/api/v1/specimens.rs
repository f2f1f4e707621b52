//! Specimens: lists by key, one with what became of it, and what a sheet says of them without a run.

use axum::Json;
use axum::extract::State;
use kentai_engine::view::{self, Page, SpecimenDetail, SpecimenView};
use kentai_workflows::plan::Specimen;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::App;
use crate::api::once::Acting;
use crate::error::Problem;
use crate::extract::{Asked, Named, Sent, limit};
use crate::openapi::Description;
use crate::peer::Person;

/// Which part of the list.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Part {
    /// `next` of an earlier answer.
    after: Option<String>,
    /// Items of a page at most.
    #[schemars(range(min = 1, max = 1_000))]
    limit: Option<i64>,
}

/// The operations about specimens.
pub(super) fn describe(to: &mut Description) {
    to.noun(
        "specimens",
        "Specimens as sheets bring them. What the center knows of them is under `records` and `stories`.",
    );
    to.get("/specimens", "listSpecimens", "Specimens")
        .asks::<Part>()
        .gives::<Page<SpecimenView>>("A page of specimens.");
    to.get("/specimens/{id}", "getSpecimen", "One specimen with its runs and hand-offs")
        .names("id", "The specimen.")
        .gives::<SpecimenDetail>("The specimen.")
        .refuses(&[404]);
    to.post("/specimens", "importSpecimens", "Keep what a sheet says, without running anything")
        .takes::<Sheet>(true, &json!({ "source": "sheet.csv", "specimens": [{ "id": "S1", "values": {} }] }))
        .gives::<Kept>("They are kept.");
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
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Sheet {
    /// Its path, kept as the source.
    source: String,
    /// Its rows.
    specimens: Vec<Specimen>,
}

#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Kept {
    /// Specimens of the sheet.
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
