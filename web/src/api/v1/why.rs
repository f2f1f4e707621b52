//! Why a run, or one of its steps, stands where it stands.

use axum::Json;
use axum::extract::State;
use kentai_engine::scheduler::why::Because;
use serde::Deserialize;

use crate::App;
use crate::error::Problem;
use crate::extract::{Asked, ThisRun};

/// About what.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct About {
    step: Option<String>,
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
