//! Submissions: a checked workflow over specimens, stored when this answers.

use std::collections::BTreeMap;

use axum::Json;
use axum::http::{HeaderMap, StatusCode};
use kentai_engine::scheduler::handle::{Handle, Submit, Submitted};
use kentai_engine::scheduler::{Actor, registered};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;

use crate::api::once::Acting;
use crate::error::Problem;
use crate::extract::{Named, Sent, language};
use crate::openapi::Description;
use crate::peer::Person;

/// What an `api` trigger is asked.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "RegisteredSubmit")]
pub(super) struct Wanted {
    /// A specimen that is known here.
    specimen: String,
    /// Parameters as given.
    #[serde(default)]
    params: BTreeMap<String, String>,
    /// What makes it another one; the same key with the same is the same submission.
    #[serde(default)]
    key: String,
}

/// The operations that start something.
pub(super) fn describe(to: &mut Description) {
    to.noun("submissions", "A submission asks for one run for each specimen. The same again is the same submission.");
    let (new, known) = ("It is stored.", "The same was made before; nothing starts.");
    let source = "kentai: 1\nworkflow: count\nversion: 1.0.0\n…";
    let specimens = json!([[{ "id": "S1", "values": {} }, ""]]);
    to.post("/submissions", "submit", "A workflow over specimens")
        .takes::<Submit>(true, &json!({ "path": "count.yaml", "source": source, "specimens": specimens }))
        .gives::<Submitted>(known)
        .gives_with::<Submitted>(StatusCode::CREATED, new)
        .refuses(&[404, 409, 422]);
    to.post(
        "/workflows/{name}/submissions",
        "submitRegistered",
        "A registered workflow over a specimen that is known here",
    )
    .says("The workflow must have an `api` trigger.")
    .names("name", "The workflow: its id, or a version of it (`count@1.0.0`).")
    .takes::<Wanted>(true, &json!({ "specimen": "S1" }))
    .gives::<Submitted>(known)
    .gives_with::<Submitted>(StatusCode::CREATED, new)
    .refuses(&[404, 409, 422]);
}

/// `POST /workflows/{name}/submissions`: what the `api` trigger of a registered workflow starts.
pub(super) async fn by_request(
    Acting(engine): Acting,
    Person(who): Person,
    Named(name): Named,
    headers: HeaderMap,
    Sent(wanted): Sent<Wanted>,
) -> Result<(StatusCode, Json<Submitted>), Problem> {
    // Whoever may not submit does not learn what is registered here.
    engine.may_submit(&who)?;
    let Wanted { specimen, params, key } = wanted;
    let submit = registered::by_request(engine.reader(), &name, &specimen, &key, params).await?;
    submit_as(&engine, submit, &who, &headers).await
}

/// `POST /submissions`: 201 when it is new, 200 when the same was made before.
pub(super) async fn submit(
    Acting(engine): Acting,
    Person(who): Person,
    headers: HeaderMap,
    Sent(submit): Sent<Submit>,
) -> Result<(StatusCode, Json<Submitted>), Problem> {
    submit_as(&engine, submit, &who, &headers).await
}

async fn submit_as(
    engine: &Handle,
    submit: Submit,
    who: &Actor,
    headers: &HeaderMap,
) -> Result<(StatusCode, Json<Submitted>), Problem> {
    let submitted = engine.submit(submit, who).await.map_err(|refusal| Problem::refused(refusal, language(headers)))?;
    let status = if submitted.existed { StatusCode::OK } else { StatusCode::CREATED };
    Ok((status, Json(submitted)))
}
