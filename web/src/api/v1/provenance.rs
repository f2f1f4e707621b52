//! What was done in a run, as documents that others read.

use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;
use kentai_engine::provenance::{prov_json, ro_crate};
use kentai_engine::view::provenance::{Error, of_run};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::runs::of_one;
use crate::App;
use crate::error::Problem;
use crate::extract::{Asked, ThisRun};
use crate::openapi::Description;

/// How it is written.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum Format {
    /// Provenance Run Crate 0.5.
    #[default]
    RoCrate,
    /// PROV-JSON.
    ProvJson,
}

/// What is asked.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Wish {
    /// How it is written.
    #[serde(default)]
    format: Format,
}

/// The operation about provenance.
pub(super) fn describe(to: &mut Description) {
    of_one(to.get("/runs/{id}/provenance", "getProvenance", "What was done in a run, as a document that others read"))
        .says("409 while no tool has ended: there is nothing to tell yet.")
        .asks::<Wish>()
        .gives_as(&["application/ld+json", "application/json"], "The document: a Provenance Run Crate, or PROV-JSON.");
}

/// `GET /runs/{id}/provenance`
pub(super) async fn show(
    State(app): State<App>,
    ThisRun(id): ThisRun,
    Asked(wish): Asked<Wish>,
) -> Result<impl IntoResponse, Problem> {
    let told = of_run(app.engine.reader(), &id, &app.engine.options().site).await;
    let (description, _) = told.map_err(|error| match error {
        Error::NoRun(_) => Problem::not_found(error.to_string()),
        Error::Workflow { .. } => Problem::state(error.to_string()),
        Error::Store(error) => error.into(),
    })?;
    let (kind, written) = match wish.format {
        Format::RoCrate => ("application/ld+json", ro_crate::write(&description)),
        Format::ProvJson => ("application/json", prov_json::write(&description)),
    };
    // Nothing ran yet: there may be something to tell later.
    let text = written.map_err(|error| Problem::state(error.to_string()))?;
    Ok(([(header::CONTENT_TYPE, kind)], text))
}
