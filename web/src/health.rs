//! Health for whoever watches processes: alive, and ready to serve.

use axum::extract::State;

use crate::App;
use crate::error::Problem;

/// `GET /healthz`: this process answers.
pub(crate) async fn alive() -> &'static str {
    "ok\n"
}

/// `GET /readyz`: the engine turns and the database can be read.
pub(crate) async fn ready(State(app): State<App>) -> Result<&'static str, Problem> {
    if app.engine.pulse().has_changed().is_err() {
        return Err(Problem::unreachable("the engine has stopped"));
    }
    app.engine.reader().run("").await?;
    Ok("ok\n")
}
