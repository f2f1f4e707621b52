//! Submissions: a checked workflow over specimens, stored when this answers.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use kentai_engine::scheduler::handle::{Submit, Submitted};

use crate::App;
use crate::error::Problem;
use crate::extract::{Sent, language};
use crate::peer::Person;

/// `POST /submissions`: 201 when it is new, 200 when the same was made before.
pub(super) async fn submit(
    State(app): State<App>,
    Person(who): Person,
    headers: HeaderMap,
    Sent(submit): Sent<Submit>,
) -> Result<(StatusCode, Json<Submitted>), Problem> {
    let submitted =
        app.engine.submit(submit, &who).await.map_err(|refusal| Problem::refused(refusal, language(&headers)))?;
    let status = if submitted.existed { StatusCode::OK } else { StatusCode::CREATED };
    Ok((status, Json(submitted)))
}
