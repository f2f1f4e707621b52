//! Hand-offs: lists by key, and one.

use axum::Json;
use axum::extract::State;
use kentai_engine::store::read::DeliveryFilter;
use kentai_engine::view::center::own_target;
use kentai_engine::view::{self, DeliveryView, Page};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::App;
use crate::error::Problem;
use crate::extract::{Asked, Named, limit};
use crate::openapi::Description;
use crate::peer::Person;

/// How to narrow the list.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Filter {
    /// Of this specimen.
    specimen: Option<String>,
    /// To this target.
    target: Option<String>,
    /// Where they stand.
    status: Option<String>,
    /// Only those whose receipt is late.
    late: Option<bool>,
    /// `next` of an earlier answer.
    after: Option<String>,
    /// Items of a page at most.
    #[schemars(range(min = 1, max = 1_000))]
    limit: Option<i64>,
}

/// The operations about hand-offs.
pub(super) fn describe(to: &mut Description) {
    to.noun("deliveries", "Hand-offs of a run's files to a target. A data center sees those to itself.");
    to.get("/deliveries", "listDeliveries", "Hand-offs, newest first")
        .asks::<Filter>()
        .gives::<Page<DeliveryView>>("A page of hand-offs.");
    to.get("/deliveries/{id}", "getDelivery", "One hand-off with its files and receipts")
        .names("id", "The delivery.")
        .gives::<DeliveryView>("The hand-off.")
        .refuses(&[404]);
}

/// `GET /deliveries`
pub(super) async fn list(
    State(app): State<App>,
    Person(who): Person,
    Asked(filter): Asked<Filter>,
) -> Result<Json<Page<DeliveryView>>, Problem> {
    let own = own_target(&who.principal());
    if own.is_some() && filter.target.is_some() && own != filter.target {
        return Ok(Json(Page { items: Vec::new(), next: None }));
    }
    let filter = DeliveryFilter {
        specimen: filter.specimen,
        target: own.or(filter.target),
        status: filter.status,
        late_us: filter.late.unwrap_or(false).then(|| app.engine.options().clock.now()),
        after: filter.after,
        limit: limit(filter.limit)?,
    };
    Ok(Json(view::deliveries(app.engine.reader(), &filter).await?))
}

/// `GET /deliveries/{id}`
pub(super) async fn show(
    State(app): State<App>,
    Person(who): Person,
    Named(id): Named,
) -> Result<Json<DeliveryView>, Problem> {
    let found = view::delivery(app.engine.reader(), &id).await?;
    let for_receiver = own_target(&who.principal()).is_some();
    let found = found.map(|found| if for_receiver { found.for_receiver() } else { found });
    found.map(Json).ok_or_else(|| Problem::not_found(format!("there is no delivery `{}`", id.escape_debug())))
}
