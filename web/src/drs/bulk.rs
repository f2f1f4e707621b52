//! Many objects, or addresses of their bytes, at once: what is not there is listed beside what is.

use axum::Json;
use axum::http::StatusCode;
use kentai_engine::view::drs::{Authorizations, Object};
use serde::{Deserialize, Serialize};

use super::body::Sent;
use super::{Here, Query};
use crate::error::Problem;
use crate::extract::Asked;

/// Objects, or addresses, of one request.
pub(super) const IDS_MAX: usize = 100;

/// Which objects.
#[derive(Debug, Deserialize)]
pub(super) struct Ids {
    #[serde(default)]
    bulk_object_ids: Vec<String>,
    #[serde(default)]
    #[expect(dead_code, reason = "checked, and passed over")]
    passports: Vec<String>,
}

/// Which addresses.
#[derive(Debug, Deserialize)]
pub(super) struct AccessIds {
    #[serde(default)]
    bulk_object_access_ids: Vec<AccessOf>,
    #[serde(default)]
    #[expect(dead_code, reason = "checked, and passed over")]
    passports: Vec<String>,
}

/// Those of one object.
#[derive(Debug, Deserialize)]
struct AccessOf {
    #[serde(default)]
    bulk_object_id: String,
    #[serde(default)]
    bulk_access_ids: Vec<String>,
}

/// How many were asked for and how many are there.
#[derive(Debug, Serialize)]
struct Summary {
    requested: usize,
    resolved: usize,
    unresolved: usize,
}

/// What is not to be had, for one reason.
#[derive(Debug, Serialize)]
struct Unresolved {
    error_code: u16,
    object_ids: Vec<String>,
}

/// What every answer has.
#[derive(Debug, Serialize)]
pub(super) struct Answer<T> {
    summary: Summary,
    unresolved_drs_objects: Vec<Unresolved>,
    #[serde(flatten)]
    resolved: T,
}

#[derive(Serialize)]
pub(super) struct Objects {
    resolved_drs_object: Vec<Object>,
}

#[derive(Serialize)]
pub(super) struct Ways {
    resolved_drs_object: Vec<Authorizations>,
}

#[derive(Serialize)]
pub(super) struct Addresses {
    resolved_drs_object_access_urls: Vec<Address>,
}

/// `BulkAccessURL`
#[derive(Serialize)]
struct Address {
    drs_object_id: String,
    drs_access_id: String,
    url: String,
}

/// `POST /objects`
pub(super) async fn objects(
    here: Here,
    Asked(wish): Asked<Query>,
    Sent(ids): Sent<Ids>,
) -> Result<Json<Answer<Objects>>, Problem> {
    let ids = ids.bulk_object_ids;
    few(ids.len())?;
    let (mut found, mut missing) = (Vec::new(), Vec::new());
    for id in &ids {
        match here.object(id, wish.expand).await? {
            Ok(object) => found.push(object),
            Err(_) => missing.push(id.clone()),
        }
    }
    Ok(answer(ids.len(), found.len(), missing, Objects { resolved_drs_object: found }))
}

/// `POST /objects/access`
pub(super) async fn accesses(here: Here, Sent(ids): Sent<AccessIds>) -> Result<Json<Answer<Addresses>>, Problem> {
    let wanted: Vec<(&str, &str)> = ids
        .bulk_object_access_ids
        .iter()
        .flat_map(|of| of.bulk_access_ids.iter().map(|access| (of.bulk_object_id.as_str(), access.as_str())))
        .collect();
    few(wanted.len())?;
    let (mut found, mut missing) = (Vec::new(), Vec::new());
    for (id, access) in &wanted {
        let (drs_object_id, drs_access_id) = ((*id).to_owned(), (*access).to_owned());
        match here.link(id, access).await? {
            Ok(url) => found.push(Address { drs_object_id, drs_access_id, url }),
            Err(_) => missing.push(drs_object_id),
        }
    }
    Ok(answer(wanted.len(), found.len(), missing, Addresses { resolved_drs_object_access_urls: found }))
}

/// `OPTIONS /objects`: as for each alone.
pub(super) async fn authorizations(Sent(ids): Sent<Ids>) -> Result<Json<Answer<Ways>>, Problem> {
    let ids = ids.bulk_object_ids;
    few(ids.len())?;
    let found: Vec<Authorizations> = ids.iter().map(|id| Authorizations::of(id)).collect();
    Ok(answer(ids.len(), found.len(), Vec::new(), Ways { resolved_drs_object: found }))
}

fn few(count: usize) -> Result<(), Problem> {
    if count <= IDS_MAX {
        return Ok(());
    }
    let detail = format!("{count} at once are too many: {IDS_MAX} is `maxBulkRequestLength`");
    Err(Problem::body(StatusCode::PAYLOAD_TOO_LARGE, detail))
}

/// A person who may nothing, and a store that cannot be read, are errors of the whole: each item's only error is that it is not there.
fn answer<T>(requested: usize, resolved: usize, missing: Vec<String>, found: T) -> Json<Answer<T>> {
    let unresolved = Unresolved { error_code: StatusCode::NOT_FOUND.as_u16(), object_ids: missing };
    Json(Answer {
        summary: Summary { requested, resolved, unresolved: unresolved.object_ids.len() },
        unresolved_drs_objects: Some(unresolved).into_iter().filter(|list| !list.object_ids.is_empty()).collect(),
        resolved: found,
    })
}
