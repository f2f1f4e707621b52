//! API version 1: one file per noun. Every answer is a view of the engine's or a problem.
//!
//! A POST that is sent again does no harm: a submission is known by its content (the same workflow, parameters, specimens and
//! files are the same submission), and what was done already changes nothing or is refused with 409. The exceptions, as `retry`
//! with `from` or a new deviation, are done once under an `Idempotency-Key`. Whatever reads has an entity tag.

mod capacity;
mod center;
mod changes;
mod deliveries;
mod events;
mod executors;
mod live;
mod logs;
mod offers;
mod provenance;
mod requests;
mod runs;
mod sign_in_links;
mod site;
mod specimens;
mod submissions;
mod why;
mod workflows;

use std::time::Duration;

use axum::Router;
use axum::extract::{DefaultBodyLimit, RawPathParams, Request, State};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use kentai_engine::view::center::{Inner, inside};

use super::{once, tagged};
use crate::App;
use crate::error::Problem;
use crate::openapi::Description;
use crate::peer::Person;

/// A reason and a few names.
const BODY_BYTES_MAX: usize = 1 << 20;
/// A sheet of 100,000 specimens with their files.
const SUBMISSION_BYTES_MAX: usize = 64 << 20;
/// Reading and deciding take milliseconds; a full disk may take longer.
const TIME_MAX: Duration = Duration::from_secs(60);
/// Images may have to be pulled first.
const SUBMISSION_TIME_MAX: Duration = Duration::from_secs(30 * 60);

/// Every operation but those of receivers, which their own document describes.
pub(crate) fn describe(to: &mut Description) {
    runs::describe(to);
    submissions::describe(to);
    workflows::describe(to);
    specimens::describe(to);
    deliveries::describe(to);
    center::describe(to);
    site::describe(to);
    executors::describe(to);
    capacity::describe(to);
    live::describe(to);
}

/// Routes beneath `/api/v1`.
pub(crate) fn routes(app: &App) -> Router<App> {
    let runs = Router::new()
        .route("/runs", get(runs::list))
        .route("/runs/{id}", get(runs::show))
        .route("/runs/{id}/events", get(events::list))
        .route("/runs/{id}/why", get(why::show))
        .route("/runs/{id}/log", get(logs::read))
        .route("/runs/{id}/provenance", get(provenance::show))
        .route("/runs/{id}/cancel", post(requests::cancel))
        .route("/runs/{id}/hold", post(requests::hold))
        .route("/runs/{id}/resume", post(requests::resume))
        .route("/runs/{id}/retry", post(requests::retry))
        .route("/runs/{id}/answer", post(requests::answer))
        .route("/specimens", get(specimens::list))
        .route("/specimens/{id}", get(specimens::show))
        .route("/deliveries", get(deliveries::list))
        .route("/deliveries/{id}", get(deliveries::show))
        .layer(middleware::from_fn_with_state(app.clone(), of_the_center));
    let center = Router::new()
        .route("/site", get(site::show))
        .route("/capacity", get(capacity::show))
        .route("/executors", get(executors::list))
        .route("/executors/{name}/drain", post(executors::drain))
        .route("/executors/{name}/resume", post(executors::resume))
        .route("/workflows", get(workflows::list).post(workflows::register))
        .layer(middleware::from_fn(no_stranger));
    let receivers =
        Router::new().route("/offers/{id}", get(offers::show)).route("/offers/{id}/receipts", post(offers::receipt));
    let quick = Router::new()
        .merge(runs)
        .merge(center)
        .merge(receivers)
        .route("/changes", get(changes::listen))
        .route("/events", get(live::listen))
        .route("/sign-in-links", post(sign_in_links::make))
        .merge(center::reading())
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
        .layer(middleware::from_fn(|request, next| within(TIME_MAX, request, next)))
        .layer(middleware::from_fn_with_state(app.clone(), once::up_to::<BODY_BYTES_MAX>));
    let slow = Router::new()
        .route("/requests", post(center::ask))
        .route("/submissions", post(submissions::submit))
        .route("/workflows/{name}/submissions", post(submissions::by_request))
        .route("/specimens", post(specimens::import))
        .layer(DefaultBodyLimit::max(SUBMISSION_BYTES_MAX))
        .layer(middleware::from_fn(|request, next| within(SUBMISSION_TIME_MAX, request, next)))
        .layer(middleware::from_fn_with_state(app.clone(), once::up_to::<SUBMISSION_BYTES_MAX>));
    // It waits as long as its asker wants, within its own bound.
    quick.merge(slow).route("/offers", get(offers::feed)).layer(middleware::from_fn(tagged::put))
}

/// Runs, sheets and hand-offs are the center's own: people from outside, and those who see no data, learn nothing of them, not even
/// whether they are there.
async fn of_the_center(
    State(app): State<App>,
    Person(who): Person,
    path: RawPathParams,
    request: Request,
    next: Next,
) -> Result<Response, Problem> {
    let inner = match request.uri().path().trim_start_matches("/api/v1").split('/').nth(1) {
        Some("runs") => Inner::Run,
        Some("specimens") => Inner::Specimen,
        _ => Inner::Delivery,
    };
    let id = path.iter().find(|(name, _)| *name == "id").map(|(_, id)| id);
    inside(app.engine.reader(), &who.principal(), inner, id).await?;
    Ok(next.run(request).await)
}

/// What the site is made of is nobody's business outside.
async fn no_stranger(Person(who): Person, request: Request, next: Next) -> Result<Response, Problem> {
    if who.institution.is_some() || who.data_center.is_some() {
        return Err(Problem::not_allowed(format!("{} may not do this: it is for people of the center", who.name)));
    }
    Ok(next.run(request).await)
}

/// Answers in time, if only to say that it cannot. A stream's body is not counted.
async fn within(time_max: Duration, request: Request, next: Next) -> Response {
    match tokio::time::timeout(time_max, next.run(request)).await {
        Ok(response) => response,
        Err(_) => {
            Problem::unreachable("the engine did not answer in time; what was asked may still be done").into_response()
        }
    }
}
