//! Health for whoever watches processes: alive, and ready to serve.

use std::time::Duration;

use axum::extract::State;

use crate::App;
use crate::error::Problem;

/// Between two turns of the loop lies a commit; a disk that is full or hangs keeps the next one waiting.
const TURN_MAX: Duration = Duration::from_secs(5);

/// `GET /healthz`: this process answers.
pub(crate) async fn alive() -> &'static str {
    "ok\n"
}

/// `GET /readyz`: the engine turns, so that what is asked can be written, and the database can be read.
pub(crate) async fn ready(State(app): State<App>) -> Result<&'static str, Problem> {
    match tokio::time::timeout(TURN_MAX, app.engine.turn()).await {
        Ok(Ok(())) => {}
        Ok(Err(refusal)) => return Err(refusal.into()),
        Err(_) => return Err(Problem::unreachable("the engine does not turn: its log says what it waits for")),
    }
    if let Err(error) = app.engine.reader().run("").await {
        tracing::error!(%error, "the database cannot be read");
        return Err(Problem::unreachable("the database cannot be read: the engine's log says why"));
    }
    Ok("ok\n")
}
