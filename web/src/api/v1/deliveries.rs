//! Hand-offs: lists by key, and one.

use axum::Json;
use axum::extract::State;
use kentai_engine::store::read::DeliveryFilter;
use kentai_engine::view::{self, DeliveryView, Page};
use serde::Deserialize;

use crate::App;
use crate::error::Problem;
use crate::extract::{Asked, Named, limit};

/// How to narrow the list.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Filter {
    specimen: Option<String>,
    target: Option<String>,
    status: Option<String>,
    after: Option<String>,
    limit: Option<i64>,
}

/// `GET /deliveries`
pub(super) async fn list(
    State(app): State<App>,
    Asked(filter): Asked<Filter>,
) -> Result<Json<Page<DeliveryView>>, Problem> {
    let filter = DeliveryFilter {
        specimen: filter.specimen,
        target: filter.target,
        status: filter.status,
        after: filter.after,
        limit: limit(filter.limit)?,
    };
    Ok(Json(view::deliveries(app.engine.reader(), &filter).await?))
}

/// `GET /deliveries/{id}`
pub(super) async fn show(State(app): State<App>, Named(id): Named) -> Result<Json<DeliveryView>, Problem> {
    let found = view::delivery(app.engine.reader(), &id).await?;
    found.map(Json).ok_or_else(|| Problem::not_found(format!("there is no delivery `{}`", id.escape_debug())))
}
