//! The site's executors: how each stands, and a person's word whether it gets new work.

use axum::Json;
use axum::extract::State;
use kentai_engine::scheduler::center::request::{Answer, Request};
use kentai_engine::scheduler::post::Standing;
use kentai_engine::view::center::capacity;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::App;
use crate::api::once::Acting;
use crate::error::Problem;
use crate::extract::{Named, Sent};
use crate::openapi::Description;
use crate::peer::Person;

/// In the site's order.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Executors")]
pub(super) struct All {
    items: Vec<Standing>,
}

/// Why.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "DrainReason")]
pub(super) struct Reason {
    /// In words; it is shown to whoever waits, and kept with the decision.
    #[schemars(regex(pattern = r"\S"))]
    reason: String,
}

/// Nothing.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "ExecutorNothing")]
pub(super) struct Nothing {}

/// The operations about executors.
pub(super) fn describe(to: &mut Description) {
    to.noun("executors", "The site's executors: what each takes, how it stands, and whether it gets new work.");
    to.get("/executors", "listExecutors", "How every executor stands, in the site's order")
        .says("As far as the engine knows: none of them is asked. `GET /site` asks them.")
        .gives::<All>("All of them.");
    let name = "The site's name for it.";
    to.post("/executors/{name}/drain", "drainExecutor", "Give an executor nothing new; what it runs goes on")
        .says("It is kept until somebody resumes it, also over starts of the engine.")
        .names("name", name)
        .takes::<Reason>(true, &json!({ "reason": "new disks on Thursday" }))
        .gives::<Answer>("What was done.")
        .refuses(&[400, 404, 409]);
    to.post("/executors/{name}/resume", "resumeExecutor", "Let a drained executor get new work again")
        .names("name", name)
        .takes::<Nothing>(false, &json!({}))
        .gives::<Answer>("What was done.")
        .refuses(&[404, 409]);
}

/// `GET /executors`
pub(super) async fn list(State(app): State<App>, Person(who): Person) -> Result<Json<All>, Problem> {
    capacity::may_see(&who.principal())?;
    Ok(Json(All { items: app.engine.executors().await? }))
}

/// `POST /executors/{name}/drain`
pub(super) async fn drain(
    Acting(engine): Acting,
    Person(who): Person,
    Named(executor): Named,
    Sent(Reason { reason }): Sent<Reason>,
) -> Result<Json<Answer>, Problem> {
    Ok(Json(engine.center(Request::DrainExecutor { executor, reason }, &who).await?))
}

/// `POST /executors/{name}/resume`
pub(super) async fn resume(
    Acting(engine): Acting,
    Person(who): Person,
    Named(executor): Named,
    Sent(Nothing {}): Sent<Nothing>,
) -> Result<Json<Answer>, Problem> {
    Ok(Json(engine.center(Request::ResumeExecutor { executor }, &who).await?))
}
