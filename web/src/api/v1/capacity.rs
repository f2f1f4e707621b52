//! What steps ask for, what they are granted, what they use, and what to ask for instead.

use axum::Json;
use axum::extract::State;
use kentai_engine::view::center::capacity::{self, Waste};
use schemars::JsonSchema;
use serde::Serialize;

use crate::App;
use crate::error::Problem;
use crate::openapi::Description;
use crate::peer::Person;

/// Counted when it is asked for.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Capacity")]
pub(super) struct Steps {
    /// Steps of workflows whose newest attempts say what they used; whose memory lay idle most first.
    steps: Vec<Waste>,
}

/// The operation about capacity.
pub(super) fn describe(to: &mut Description) {
    to.noun("capacity", "What the site's steps ask for, and what they need.");
    to.get("/capacity", "showCapacity", "What each step asked for, was granted and used, with a suggested setting")
        .says("Of the newest 5,000 attempts, those that came to their end well. Nothing is suggested from fewer than three.")
        .gives::<Steps>("All steps that are known.");
}

/// `GET /capacity`
pub(super) async fn show(State(app): State<App>, Person(who): Person) -> Result<Json<Steps>, Problem> {
    Ok(Json(Steps { steps: capacity::waste(app.engine.reader(), &who.principal()).await? }))
}
