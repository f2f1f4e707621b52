//! Logs in pieces, kept or still growing.

use axum::extract::State;
use axum::http::{HeaderName, header};
use axum::response::IntoResponse;
use kentai_engine::view::log::{self, CHUNK_BYTES_MAX, Unclear};
use serde::Deserialize;

use crate::App;
use crate::error::Problem;
use crate::extract::{Asked, ThisRun};

/// The attempt whose log it is.
const ATTEMPT: HeaderName = HeaderName::from_static("kentai-attempt");
/// Where the next piece begins.
const NEXT: HeaderName = HeaderName::from_static("kentai-log-next");
/// `true`: nothing will follow.
const FINAL: HeaderName = HeaderName::from_static("kentai-log-final");

/// Which log, and from where on.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Wish {
    step: Option<String>,
    attempt: Option<String>,
    #[serde(default)]
    offset: u64,
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
