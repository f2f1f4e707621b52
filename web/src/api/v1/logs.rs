//! Logs in pieces, kept or still growing.

use axum::extract::State;
use axum::http::{HeaderName, header};
use axum::response::IntoResponse;
use kentai_engine::view::log::{self, CHUNK_BYTES_MAX, Unclear};
use schemars::JsonSchema;
use serde::Deserialize;

use super::runs::of_one;
use crate::App;
use crate::error::Problem;
use crate::extract::{Asked, ThisRun};
use crate::openapi::Description;

/// The attempt whose log it is.
const ATTEMPT: HeaderName = HeaderName::from_static("kentai-attempt");
/// Where the next piece begins.
const NEXT: HeaderName = HeaderName::from_static("kentai-log-next");
/// `true`: nothing will follow.
const FINAL: HeaderName = HeaderName::from_static("kentai-log-final");

/// Which log, and from where on.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Wish {
    /// A step key; absent: the last attempt of the run that failed.
    step: Option<String>,
    /// An attempt's id; absent: the last one.
    attempt: Option<String>,
    /// Where the piece begins, bytes.
    #[serde(default)]
    offset: u64,
}

/// The operation about logs.
pub(super) fn describe(to: &mut Description) {
    of_one(to.get("/runs/{id}/log", "readLog", "A piece of a log, kept or still growing"))
        .says("What a tool wrote, as it wrote it. Read on at `Kentai-Log-Next` until `Kentai-Log-Final` is `true`.")
        .asks::<Wish>()
        .gives_as(&["text/plain"], "The piece; it may be empty.")
        .tells("Kentai-Attempt", "The attempt whose log it is.")
        .tells("Kentai-Log-Next", "Where the next piece begins, bytes.")
        .tells("Kentai-Log-Final", "`true`: nothing will follow.");
}

/// `GET /runs/{id}/log`
pub(super) async fn read(
    State(app): State<App>,
    ThisRun(id): ThisRun,
    Asked(wish): Asked<Wish>,
) -> Result<impl IntoResponse, Problem> {
    let attempts = app.engine.reader().attempts(id.as_str()).await?;
    let attempt = log::choose(&attempts, wish.step.as_deref(), wish.attempt.as_deref())
        .map_err(|unclear| unclear_problem(&unclear))?;
    let (directory, attempt) = (app.engine.options().directory.clone(), attempt.clone());
    let attempt_id = attempt.attempt_id.to_string();
    let read = tokio::task::spawn_blocking(move || log::read_log(&directory, &attempt, wish.offset, CHUNK_BYTES_MAX));
    let chunk = read.await.map_err(|error| Problem::internal(&error))?.map_err(|error| Problem::internal(&error))?;
    let headers = [
        // Whatever a tool wrote is text to everybody, never a page.
        (header::CONTENT_TYPE, "text/plain; charset=utf-8".to_owned()),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff".to_owned()),
        (ATTEMPT, attempt_id),
        (NEXT, chunk.next.to_string()),
        (FINAL, chunk.is_final.to_string()),
    ];
    Ok((headers, chunk.bytes))
}

fn unclear_problem(unclear: &Unclear) -> Problem {
    match unclear {
        Unclear::Several { .. } => Problem::state(unclear.to_string()),
        Unclear::NothingYet | Unclear::NoStep(_) | Unclear::NoAttempt(_) => Problem::not_found(unclear.to_string()),
    }
}
