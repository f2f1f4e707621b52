//! Submissions: a checked workflow over specimens, stored when this answers.

use std::collections::BTreeMap;

use axum::Json;
use axum::http::{HeaderMap, StatusCode};
use kentai_engine::scheduler::handle::{Handle, Submit, Submitted};
use kentai_engine::scheduler::{Actor, registered};
use serde::Deserialize;

use crate::api::once::Acting;
use crate::error::Problem;
use crate::extract::{Named, Sent, language};
use crate::peer::Person;

/// What an `api` trigger is asked.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
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
