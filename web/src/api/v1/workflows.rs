//! Workflows that are known here, and their registration.

use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;
use kentai_engine::scheduler::handle::Definition;
use kentai_engine::view::{self, Page, WorkflowView};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;

use crate::App;
use crate::api::once::Acting;
use crate::error::Problem;
use crate::extract::{Asked, Sent, language, limit};
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

/// The operations about workflows.
pub(super) fn describe(to: &mut Description) {
    to.noun("workflows", "Workflows that are known here, and their registration.");
    to.get("/workflows", "listWorkflows", "Every workflow that is known here, newest first")
        .says("`after` is `next` of an earlier answer and nothing else.")
        .asks::<Part>()
        .gives::<Page<WorkflowView>>("A page of them.")
        .refuses(&[400]);
    let source = "kentai: 1\nworkflow: count\nversion: 1.0.0\n…";
    to.post("/workflows", "registerWorkflow", "Register a version; the same again changes nothing")
        .says("Every image that it names must be locked.")
        .takes::<Definition>(true, &json!({ "path": "count.yaml", "source": source }))
        .gives::<WorkflowView>("It is registered.")
        .refuses(&[404, 409, 422]);
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
