//! The center: one route for everything that is asked of it, and what is read from it. Who may see what, the views decide.

mod reading;

use axum::routing::get;
use axum::{Extension, Json, Router};
use kentai_engine::scheduler::center::request::{Answer, Request};
use serde_json::json;

use crate::App;
use crate::api::once::{Acting, ToldOnce};
use crate::error::Problem;
use crate::extract::Sent;
use crate::openapi::Description;
use crate::peer::Person;

/// Reading: quick.
pub(super) fn reading() -> Router<App> {
    Router::new()
        .route("/order-lines", get(reading::order_lines))
        .route("/order-lines/{id}", get(reading::order_line))
        .route("/why/{*thing}", get(reading::why))
        .route("/stages", get(reading::stages))
        .route("/stuck", get(reading::stuck))
        .route("/records/{kind}", get(reading::records))
        .route("/records/{kind}/{*id}", get(reading::record))
        .route("/stories/{specimen}", get(reading::story))
        .route("/history/{specimen}", get(reading::history))
        .route("/participants/{program}/{pseudonym}", get(reading::participant))
        .route("/cases/{id}", get(reading::case))
        .route("/reports/progress", get(reading::progress))
        .route("/reports/omissions", get(reading::omissions))
        .route("/reports/turnaround", get(reading::turnaround))
}

/// The operations about the center.
pub(super) fn describe(to: &mut Description) {
    reading::describe(to);
    to.noun("requests", "Everything that is asked of the center: all of a request is done, or nothing.");
    to.post("/requests", "ask", "Do one thing")
        .says("`request` says which. Rows of a table that are wrong come back with 422, each by row and column.")
        .takes::<Request>(true, &json!({ "request": "receive", "barcode": "B-001" }))
        .gives::<Answer>("What was said, changed and noted.")
        .refuses(&[404, 409, 410, 422]);
}

/// `POST /requests`: all of it is done, or nothing; rows that are wrong are listed by row and column (422).
pub(super) async fn ask(
    Acting(engine): Acting,
    Person(who): Person,
    Sent(request): Sent<Request>,
) -> Result<(Option<Extension<ToldOnce>>, Json<Answer>), Problem> {
    let answer = engine.center(request, &who).await?;
    if !answer.problems.is_empty() {
        return Err(Problem::rows(answer.said, &answer.problems));
    }
    Ok((answer.secret.is_some().then_some(Extension(ToldOnce)), Json(answer)))
}
