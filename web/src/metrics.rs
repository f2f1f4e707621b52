//! What the site says to whoever watches it: `GET /metrics`, as Prometheus reads it. Requests are counted as they are answered; everything
//! else is taken, when it is asked for, from what is counted for all readers anyway (`page::keep`) and from the engine's own counts: no
//! table is read for it.
//!
//! Labels are words of this program and names of the site file. It never says a specimen, a participant or a person.

mod class;
mod scrape;

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderValue, Method, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use axum::{Extension, Router};
use kentai_engine::view::center::{board, capacity};
use prometheus_client::encoding::prometheus_text;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};
use tokio::sync::Mutex;
use tokio::time::Instant;

use crate::App;
use crate::error::Problem;
use crate::page::capacity::machine::{self, Disk, Hands};
use crate::page::keep;
use crate::peer::{Credential, Person};
use crate::traces::Answered;

/// What every name begins with.
const PREFIX: &str = "kentai";
/// Executors are asked, and file systems looked at, no more often.
const LOOK_EVERY: Duration = Duration::from_secs(10);
/// Upper bounds of how long answers take, seconds.
const BOUNDS_S: [f64; 13] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 60.0];

type Labels = Vec<(&'static str, String)>;

/// What is counted as it happens.
pub(crate) struct Meter {
    started_us: i64,
    registry: Registry,
    requests: Family<Labels, Counter>,
    durations: Family<Labels, Histogram, fn() -> Histogram>,
    streams: Family<Labels, Gauge>,
    seen: Mutex<Option<(Instant, Arc<Machine>)>>,
}

/// What the machine said.
struct Machine {
    hands: Vec<Hands>,
    disks: Vec<Disk>,
}

/// A stream without an end that somebody listens to, for as long as it is kept.
pub(crate) struct Open(Gauge);

impl Drop for Open {
    fn drop(&mut self) {
        self.0.dec();
    }
}

fn durations() -> Histogram {
    Histogram::new(BOUNDS_S)
}

impl Meter {
    /// Nothing was counted before `started_us`.
    pub(crate) fn new(started_us: i64) -> Self {
        let mut registry = Registry::with_prefix(PREFIX);
        let requests = Family::<Labels, Counter>::default();
        let durations = Family::new_with_constructor(durations as fn() -> Histogram);
        let streams = Family::<Labels, Gauge>::default();
        let help = "Requests that were answered, by class of route, method and status";
        registry.register("http_requests", help, requests.clone());
        let help = "Time until an answer begins; what waits or has no end (class stream) is not in it";
        registry.register_with_unit("http_request_duration", help, Unit::Seconds, durations.clone());
        registry.register("event_streams", "Streams of server-sent events that are open", streams.clone());
        Self { started_us, registry, requests, durations, streams, seen: Mutex::default() }
    }

    /// When this process began to serve, microseconds.
    pub(crate) fn started_us(&self) -> i64 {
        self.started_us
    }

    /// A stream is opened.
    pub(crate) fn open(&self, stream: &'static str) -> Open {
        let gauge = self.streams.get_or_create_owned(&vec![("stream", stream.to_owned())]);
        gauge.inc();
        Open(gauge)
    }

    fn count(&self, (class, method, status): (&str, &'static str, u16), took: Duration) {
        let class = || ("class", class.to_owned());
        let labels = vec![class(), ("method", method.to_owned()), ("status", status.to_string())];
        self.requests.get_or_create(&labels).inc();
        if class().1 != class::STREAM {
            self.durations.get_or_create(&vec![class()]).observe(took.as_secs_f64());
        }
    }

    /// The newest look at the machine.
    async fn machine(&self, app: &App) -> Result<Arc<Machine>, Problem> {
        let mut seen = self.seen.lock().await;
        if let Some((when, machine)) = &*seen
            && when.elapsed() < LOOK_EVERY
        {
            return Ok(Arc::clone(machine));
        }
        let options = app.engine.options();
        let directory = options.directory.clone();
        let looked = tokio::task::spawn_blocking(move || machine::disks(&directory));
        let hands = machine::ping(&options.executors).await;
        let disks = looked.await.map_err(|panic| Problem::internal(&panic))?;
        let machine = Arc::new(Machine { hands, disks });
        *seen = Some((Instant::now(), Arc::clone(&machine)));
        Ok(machine)
    }
}

/// The route, for people of the site and programs with a token that reads it.
pub(crate) fn routes() -> Router<App> {
    Router::new().route("/metrics", axum::routing::get(show))
}

/// `GET /metrics`
async fn show(
    State(app): State<App>,
    Person(who): Person,
    Extension(credential): Extension<Credential>,
) -> Result<Response, Problem> {
    let who = who.principal();
    let is_here = credential.user().is_some() && who.institution.is_none() && who.data_center.is_none();
    if !is_here {
        capacity::may_see(&who)?;
        board::may_see(&who)?;
    }
    let counted = keep::newest(&app.keeper.today, &app).await?;
    let machine = app.meter.machine(&app).await?;
    let standings = app.engine.executors().await?;
    let mut text = String::new();
    let written = prometheus_text::encode(&mut text, &app.meter.registry)
        .and_then(|()| prometheus_text::encode(&mut text, &scrape::registry(&app, &counted, &machine, &standings)));
    written.map_err(|error| Problem::internal(&error))?;
    let kind = HeaderValue::from_static(prometheus_text::CONTENT_TYPE);
    Ok(([(header::CONTENT_TYPE, kind)], text).into_response())
}

/// Counts every request, and tells whoever draws traces.
pub(crate) async fn count(State(app): State<App>, request: Request, next: Next) -> Response {
    let class = class::of(request.extensions().get::<MatchedPath>().map(MatchedPath::as_str));
    let method = match *request.method() {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::DELETE => "DELETE",
        // Whoever asks may make words of their own.
        _ => "other",
    };
    let told = app.traces.as_ref().filter(|_| class::is_traced(class)).map(|traces| {
        let route = request.extensions().get::<MatchedPath>().map(|path| path.as_str().to_owned());
        (traces, route, crate::traces::parent(&request), app.engine.options().clock.now())
    });
    let began = Instant::now();
    let response = next.run(request).await;
    let (status, took) = (response.status().as_u16(), began.elapsed());
    app.meter.count((class, method, status), took);
    if let Some((traces, route, traceparent, began_us)) = told {
        (traces.answered)(Answered { method, route, status, began_us, took, traceparent });
    }
    response
}
