//! The page: what lab managers look at all day, rendered here and whole without JavaScript.
//!
//! One file per page. Each asks the engine's views, puts the words of one language around them ([`say`], `words`) and fills a template.
//! It decides nothing: who may see what and do what is the engine's to say, and a form here leads to the same request as a verb.

mod address;
mod arrivals;
mod assets;
mod audit;
mod bilingual;
pub(crate) mod capacity;
mod chart;
mod control;
mod decide;
mod decisions;
mod deviations;
mod events;
mod failures;
pub(crate) mod fault;
mod form;
mod hand_off;
mod institution;
pub(crate) mod keep;
mod list;
mod lists;
mod markup;
mod moment;
mod needs;
mod notices;
mod omissions;
mod people;
mod progress;
mod proposals;
mod quality;
mod queue;
mod reference;
mod rights;
mod run;
mod runs;
mod say;
mod schedules;
mod search;
pub(crate) mod seen;
mod settings;
mod shape;
mod shell;
pub(crate) mod sign_in;
mod specimen;
mod specimens;
mod stage;
mod today;
mod turnaround;
mod visit;
mod wall;
mod withdrawals;
mod words;
mod workflows;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware;
use axum::routing::{get, post};
use tower_http::csrf::CsrfLayer;

use crate::{App, peer};

/// The ways in by somebody else's word.
#[cfg(feature = "oidc")]
fn elsewhere() -> Router<App> {
    sign_in::elsewhere::routes()
}

/// A plain build has none.
#[cfg(not(feature = "oidc"))]
fn elsewhere() -> Router<App> {
    Router::new()
}

/// A reason and a few names; tables have routes of their own.
const BODY_BYTES_MAX: usize = 1 << 20;

/// Every page, the sheet and the scripts that they need, and the stream that keeps them fresh.
pub(crate) fn routes(app: &App) -> Router<App> {
    let inside = Router::new()
        .route("/events", get(events::listen))
        .route("/runs", get(runs::list))
        .merge(run::routes())
        .merge(workflows::routes())
        .merge(arrivals::routes())
        .merge(search::routes())
        .merge(specimen::routes())
        .merge(specimens::routes())
        .merge(settings::routes())
        .route("/sign-out", post(sign_in::sign_out))
        .merge(today::routes())
        .merge(needs::routes())
        .merge(queue::routes())
        .merge(turnaround::routes())
        .merge(wall::routes())
        .merge(institution::routes())
        .merge(decide::routes())
        .merge(hand_off::routes())
        .merge(withdrawals::routes())
        .merge(notices::routes())
        .merge(decisions::routes())
        .merge(quality::routes())
        .merge(control::routes())
        .merge(capacity::routes())
        .merge(failures::routes())
        .merge(schedules::routes())
        .merge(omissions::routes())
        .merge(deviations::routes())
        .merge(progress::routes())
        .merge(reference::routes())
        .merge(audit::routes())
        .merge(people::routes())
        .merge(proposals::routes())
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
        .layer(middleware::from_fn(fault::as_page))
        .layer(middleware::from_fn_with_state(app.clone(), peer::recognize_visitor))
        // Once more around it: whoever is nobody here is told so in words, too.
        .layer(middleware::from_fn(fault::as_page));
    let outside = Router::new()
        .route("/sign-in", get(sign_in::ask).post(sign_in::answer))
        .route("/sign-in/link", get(sign_in::link::ask).post(sign_in::link::answer))
        .merge(elsewhere())
        .route("/language/{language}", get(settings::language))
        .route("/theme/{theme}", get(settings::theme))
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
        .layer(middleware::from_fn(fault::as_page));
    // What a browser sends because another site asked it to is refused before anybody looks who it is.
    inside.merge(outside).layer(CsrfLayer::new()).route("/assets/{name}", get(assets::give))
}
