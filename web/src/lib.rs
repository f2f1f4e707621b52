//! The face: API version 1 on the site's own socket and, where the site says so, on the network ([`listen`]), with the bytes of what
//! is handed off ([`download`]), and the page that people look at.
//!
//! It turns requests into calls of the engine's [`Handle`] and stored rows into views, and knows no executor: which person a
//! user is, the assembly tells it. What goes wrong leaves as one kind of answer, see [`error`].

mod api;
pub mod auth;
pub mod download;
mod drs;
pub mod error;
mod extract;
mod ga4gh;
mod health;
mod linger;
pub mod listen;
mod live;
mod metrics;
mod openapi;
mod packages;
mod page;
mod peer;
mod serve;
mod shield;
mod socket;
pub mod traces;
mod wes;

use std::sync::Arc;

use axum::extract::Request;
use axum::middleware;
use axum::routing::get;
use kentai_engine::scheduler::Actor;
use kentai_engine::scheduler::handle::Handle;
use tokio::sync::OnceCell;
use tower_http::trace::TraceLayer;
use tracing::Span;

use crate::error::Problem;
use crate::packages::link::Key;

pub use axum::Router;
pub use jiff::tz::TimeZone;
pub use serve::serve;
pub use socket::{BindError, bind};

/// The person behind a user id of this machine, if the site knows one. Asked for every request: roles may have changed.
pub type People = Arc<dyn Fn(u32) -> Option<Actor> + Send + Sync>;

/// What every route is given.
#[derive(Clone)]
struct App {
    engine: Handle,
    people: People,
    links: Arc<OnceCell<Key>>,
    /// In which people read times.
    zone: TimeZone,
    /// What goes over everything, counted once for all readers.
    keeper: Arc<page::keep::Keeper>,
    /// What changes, gathered for everybody who listens.
    hub: Arc<live::Hub>,
    /// What is asked under keys right now.
    underway: Arc<api::once::Underway>,
    /// What is counted of requests.
    meter: Arc<metrics::Meter>,
    /// When each session was seen last.
    seen: Arc<page::seen::Seen>,
    /// Who draws traces, if anybody does.
    traces: Option<traces::Traces>,
    /// Who else may say who somebody is.
    sign_on: auth::SignOn,
}

impl App {
    /// What links are signed with; read once.
    async fn links(&self) -> Result<&Key, Problem> {
        let read = || async {
            let engine = self.engine.clone();
            let bytes = tokio::task::spawn_blocking(move || engine.links_key());
            let bytes = bytes.await.map_err(|panic| Problem::internal(&panic))??;
            Key::new(&bytes).ok_or_else(|| Problem::broken("links cannot be signed"))
        };
        self.links.get_or_try_init(read).await
    }
}

/// Every route of the site: `/api/v1` and what describes it, `/deliveries`, `/ga4gh/drs/v1`, `/ga4gh/wes/v1`, `/metrics`, `/healthz`, `/readyz`, and the pages; people read times in `zone`.
pub fn router(handle: Handle, people: People, zone: TimeZone) -> Router {
    router_with(handle, people, zone, Beside::default())
}

/// Who else has to do with requests.
#[derive(Clone, Default)]
pub struct Beside {
    /// Who draws traces, if anybody does.
    pub traces: Option<traces::Traces>,
    /// Who else may say who somebody is.
    pub sign_on: auth::SignOn,
}

/// The same, with those beside.
pub fn router_with(handle: Handle, people: People, zone: TimeZone, beside: Beside) -> Router {
    let meter = Arc::new(metrics::Meter::new(handle.options().clock.now()));
    let app = App {
        engine: handle,
        people,
        links: Arc::default(),
        zone,
        keeper: Arc::default(),
        underway: Arc::default(),
        meter,
        hub: Arc::default(),
        seen: Arc::default(),
        traces: beside.traces,
        sign_on: beside.sign_on,
    };
    // Health is nobody's secret; everything else is for persons of the site only.
    let api = api::v1::routes(&app).layer(middleware::from_fn_with_state(app.clone(), peer::recognize));
    let packages = packages::routes().layer(middleware::from_fn_with_state(app.clone(), peer::recognize_links));
    let metrics = metrics::routes().layer(middleware::from_fn_with_state(app.clone(), peer::recognize));
    Router::new()
        .nest("/api/v1", api)
        .route("/api/v1/openapi.json", get(openapi::receivers).layer(middleware::from_fn(api::tagged::put)))
        .route("/api/openapi.json", get(openapi::all).layer(middleware::from_fn(api::tagged::put)))
        .nest(drs::BASE, drs::routes(&app))
        .nest(wes::BASE, wes::routes(&app))
        .merge(packages)
        .merge(page::routes(&app))
        .merge(metrics)
        .route("/healthz", get(health::alive))
        .route("/readyz", get(health::ready))
        .fallback(page::fault::no_such_route)
        .method_not_allowed_fallback(page::fault::no_such_method)
        .layer(middleware::from_fn(shield::put))
        .layer(middleware::from_fn_with_state(app.clone(), metrics::count))
        .layer(TraceLayer::new_for_http().make_span_with(span))
        .with_state(app)
}

/// What a request is called in the log: never with its query, in which the signature of a link may stand.
fn span(request: &Request) -> Span {
    tracing::debug_span!("request", method = %request.method(), path = request.uri().path())
}
