//! Workflows that are known here, and their registration.

use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;
use kentai_engine::scheduler::handle::Definition;
use kentai_engine::view::{self, Page, WorkflowView};
use serde::Deserialize;

use crate::App;
use crate::api::once::Acting;
use crate::error::Problem;
use crate::extract::{Asked, Sent, language, limit};
use crate::peer::Person;

/// Which part of the list.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Part {
    after: Option<String>,
    limit: Option<i64>,
}

/// `GET /workflows`
pub(super) async fn list(
    State(app): State<App>,
    Asked(part): Asked<Part>,
) -> Result<Json<Page<WorkflowView>>, Problem> {
    let limit = limit(part.limit)?;
    Ok(Json(view::workflows_page(app.engine.reader(), part.after.as_deref(), limit).await?))
}

/// `POST /workflows`: registers a version; the same again changes nothing.
pub(super) async fn register(
    Acting(engine): Acting,
    Person(who): Person,
    headers: HeaderMap,
    Sent(definition): Sent<Definition>,
) -> Result<Json<WorkflowView>, Problem> {
    let registered = engine.register(&definition, &who).await;
    let digest = registered.map_err(|refusal| Problem::refused(refusal, language(&headers)))?;
    let known = view::workflows(engine.reader()).await?.into_iter().find(|one| one.digest == digest);
    known.map(Json).ok_or_else(|| Problem::not_found(format!("there is no workflow {digest}")))
}
