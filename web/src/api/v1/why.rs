//! Why a run, or one of its steps, stands where it stands.

use axum::Json;
use axum::extract::State;
use kentai_engine::scheduler::why::Because;
use schemars::JsonSchema;
use serde::Deserialize;

use super::runs::of_one;
use crate::App;
use crate::error::Problem;
use crate::extract::{Asked, ThisRun};
use crate::openapi::Description;

/// About what.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct About {
    /// A step key: only about it.
    step: Option<String>,
}

/// The operation about reasons.
pub(super) fn describe(to: &mut Description) {
    of_one(to.get("/runs/{id}/why", "getWhyOfRun", "Why a run stands where it stands, who may act, and what helps"))
        .asks::<About>()
        .gives::<Vec<Because>>("Reasons; those that need a person first.");
}

/// `GET /runs/{id}/why`
pub(super) async fn show(
    State(app): State<App>,
    ThisRun(id): ThisRun,
    Asked(about): Asked<About>,
) -> Result<Json<Vec<Because>>, Problem> {
    let because = app.engine.why(&id, about.step.as_deref()).await?;
    match about.step {
        // The engine answers about the whole run when it knows no such step.
        Some(step) if because.iter().all(|because| because.step.is_empty()) => {
            Err(Problem::not_found(format!("run {id} has no step `{}`", step.escape_debug())))
        }
        _ => Ok(Json(because)),
    }
}
