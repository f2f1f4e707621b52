//! A center of the tests' own: the protocol over packages in memory, and every way not to keep to it.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::Result;
use axum::body::{Body, Bytes};
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use kentai_engine::handoff::offer::{FileStatus, Offer, Status};
use serde_json::{Value, json};
use tokio::runtime::Runtime;
use tokio::sync::Notify;

use super::package::Package;

pub(super) const TOKEN: &str = "kt_of_the_data_center";

/// What the center does to one path instead of what it should.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// Right length, one bit flipped.
    WrongBytes,
    /// Says and sends one byte fewer.
    Shorter,
    /// Says and sends one byte more.
    Longer,
    /// 200 and everything, whatever was asked for.
    NoRanges,
    /// 416 to every range.
    NotSatisfiable,
    /// Never comes to an end.
    Endless,
    /// Somewhere else.
    Redirect(String),
    /// 503 so many times, with a time to come back after.
    Busy { times: u32, after: &'static str },
    /// Packed.
    Gzip,
    /// Without an ETag.
    NoTag,
    /// Another part than was asked for.
    OtherRange,
    /// Not known.
    Gone,
}

#[derive(Default)]
pub(super) struct World {
    /// What the feed says, in order.
    pub feed: Vec<Offer>,
    pub packages: BTreeMap<String, Package>,
    /// By path within a package.
    pub faults: BTreeMap<String, Fault>,
    /// Path and range of every request for bytes.
    pub asked: Vec<(String, Option<String>)>,
    /// Every token that came.
    pub tokens: Vec<String>,
    /// Receipts by id: body and answer.
    pub receipts: BTreeMap<String, (Value, Value)>,
    /// Posts of receipts.
    pub posts: usize,
    /// What the center says to a receipt, whatever it holds.
    pub answers: Option<FileStatus>,
}

struct Shared {
    world: Mutex<World>,
    news: Notify,
}

/// A center that listens.
pub(super) struct Center {
    address: SocketAddr,
    shared: Arc<Shared>,
    _runtime: Runtime,
}

type Shop = State<Arc<Shared>>;

impl Center {
    pub(super) fn start() -> Result<Self> {
        let shared = Arc::new(Shared { world: Mutex::default(), news: Notify::new() });
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
        let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0"))?;
        let address = listener.local_addr()?;
        let router = Router::new()
            .route("/api/v1/offers", get(feed))
            .route("/api/v1/offers/{delivery}", get(detail))
            .route("/api/v1/offers/{delivery}/receipts", post(receipt))
            .route("/deliveries/{delivery}/{*path}", get(bytes))
            .with_state(Arc::clone(&shared));
        runtime.spawn(async move { axum::serve(listener, router).await });
        Ok(Self { address, shared, _runtime: runtime })
    }

    pub(super) fn address(&self) -> String {
        format!("http://{}", self.address)
    }

    pub(super) fn port(&self) -> u16 {
        self.address.port()
    }

    pub(super) fn world(&self) -> MutexGuard<'_, World> {
        self.shared.world.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Offers it, or what became of it.
    pub(super) fn offer(&self, package: &Package) {
        let mut world = self.world();
        world.feed.push(package.detail.offer.clone());
        world.packages.insert(package.detail.offer.delivery.clone(), package.clone());
        drop(world);
        self.shared.news.notify_waiters();
    }

    /// The same delivery with another status.
    pub(super) fn now(&self, package: &Package, status: Status) {
        let mut package = package.clone();
        package.detail.offer.status = status;
        self.offer(&package);
    }

    pub(super) fn fault(&self, path: &str, fault: Fault) {
        self.world().faults.insert(path.to_owned(), fault);
    }

    pub(super) fn mend(&self) {
        self.world().faults.clear();
    }
}

fn lock(shop: &Shared) -> MutexGuard<'_, World> {
    shop.world.lock().unwrap_or_else(PoisonError::into_inner)
}

fn problem(status: StatusCode, detail: &str) -> Response {
    (status, Json(json!({ "type": "about:blank", "status": status.as_u16(), "detail": detail }))).into_response()
}

fn let_in(world: &mut World, headers: &HeaderMap) -> Result<(), Box<Response>> {
    let given = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()).unwrap_or_default();
    world.tokens.push(given.to_owned());
    if given == format!("Bearer {TOKEN}") {
        return Ok(());
    }
    Err(Box::new(problem(StatusCode::UNAUTHORIZED, "who is that?")))
}

async fn feed(State(shop): Shop, Query(query): Query<BTreeMap<String, String>>, headers: HeaderMap) -> Response {
    let number = |name: &str| query.get(name).and_then(|text| text.parse::<usize>().ok());
    let wait = number("wait").unwrap_or(0);
    // Registered before it is looked: nothing that is offered in between is missed.
    let news = shop.news.notified();
    let mut news = std::pin::pin!(news);
    news.as_mut().enable();
    let after = number("after").unwrap_or(0);
    let is_new = lock(&shop).feed.len() > after;
    if !is_new && wait > 0 {
        let _ = tokio::time::timeout(Duration::from_secs(wait as u64), news).await;
    }
    let mut world = lock(&shop);
    if let Err(refused) = let_in(&mut world, &headers) {
        return *refused;
    }
    let limit = number("limit").unwrap_or(100);
    let items: Vec<Offer> = world.feed.iter().skip(after).take(limit).cloned().collect();
    let next = (after + items.len()).to_string();
    Json(json!({ "items": items, "next": next })).into_response()
}

async fn detail(State(shop): Shop, Path(delivery): Path<String>, headers: HeaderMap) -> Response {
    let mut world = lock(&shop);
    if let Err(refused) = let_in(&mut world, &headers) {
        return *refused;
    }
    match world.packages.get(&delivery) {
        Some(package) => Json(&package.detail).into_response(),
        None => problem(StatusCode::NOT_FOUND, "no such offer"),
    }
}

async fn receipt(
    State(shop): Shop,
    Path(delivery): Path<String>,
    headers: HeaderMap,
    Json(body): Json<Value>,
) -> Response {
    let mut world = lock(&shop);
    if let Err(refused) = let_in(&mut world, &headers) {
        return *refused;
    }
    world.posts += 1;
    let id = body["receipt"].as_str().unwrap_or_default().to_owned();
    if let Some((before, answer)) = world.receipts.get(&id) {
        return match *before == body {
            true => Json(answer.clone()).into_response(),
            false => problem(StatusCode::CONFLICT, "another receipt has this id"),
        };
    }
    let Some(package) = world.packages.get(&delivery) else {
        return problem(StatusCode::NOT_FOUND, "no such offer");
    };
    let offered = package.detail.by_path();
    let mut files = Vec::new();
    for file in body["files"].as_array().into_iter().flatten() {
        let path = file["path"].as_str().unwrap_or_default();
        let is_right = offered.get(path).is_some_and(|entry| file["sha256"] == entry.sha256.as_str());
        let status = match (&world.answers, file["outcome"].as_str()) {
            (Some(status), _) => *status,
            (None, Some("refused")) => FileStatus::Refused,
            (None, _) if is_right => FileStatus::Accepted,
            (None, _) => FileStatus::Mismatch,
        };
        files.push(json!({ "path": path, "status": status }));
    }
    let all = files.iter().all(|file| file["status"] == "accepted");
    let status = if all { "acknowledged" } else { "refused" };
    let answer = json!({ "receipt": id, "delivery": delivery, "status": status, "files": files });
    world.receipts.insert(id, (body, answer.clone()));
    Json(answer).into_response()
}

async fn bytes(State(shop): Shop, Path((delivery, path)): Path<(String, String)>, headers: HeaderMap) -> Response {
    let mut world = lock(&shop);
    if let Err(refused) = let_in(&mut world, &headers) {
        return *refused;
    }
    let text = |name: header::HeaderName| headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
    world.asked.push((path.clone(), text(header::RANGE)));
    let found = world.packages.get(&delivery).and_then(|package| {
        let entry = package.detail.entries.iter().find(|entry| entry.path == path)?;
        Some((package.files.get(&path)?.clone(), format!("\"{}\"", entry.sha256)))
    });
    let Some((bytes, tag)) = found else { return problem(StatusCode::NOT_FOUND, "no such file") };
    // A part only of the same bytes (RFC 9110, section 13.1.5).
    let condition = text(header::IF_RANGE).is_none_or(|condition| condition == tag);
    let range = text(header::RANGE).filter(|_| condition).and_then(|range| parse(&range));
    let fault = world.faults.get(&path).cloned();
    if let Some(Fault::Busy { times, .. }) = world.faults.get_mut(&path) {
        *times -= 1;
        if *times == 0 {
            world.faults.remove(&path);
        }
    }
    drop(world);
    serve(bytes, &tag, range, fault)
}

fn parse(range: &str) -> Option<(usize, usize)> {
    let (from, until) = range.strip_prefix("bytes=")?.split_once('-')?;
    Some((from.parse().ok()?, until.parse().ok()?))
}

fn serve(mut bytes: Vec<u8>, tag: &str, mut range: Option<(usize, usize)>, fault: Option<Fault>) -> Response {
    let size = bytes.len();
    match &fault {
        Some(Fault::WrongBytes) => bytes[size / 2] ^= 1,
        Some(Fault::NoRanges) => range = None,
        Some(Fault::NotSatisfiable) if range.is_some() => return problem(StatusCode::RANGE_NOT_SATISFIABLE, "no"),
        Some(Fault::Redirect(place)) => {
            return (StatusCode::FOUND, [(header::LOCATION, place.clone())]).into_response();
        }
        Some(Fault::Busy { after, .. }) => {
            let mut busy = problem(StatusCode::SERVICE_UNAVAILABLE, "come back later");
            busy.headers_mut().insert(header::RETRY_AFTER, header::HeaderValue::from_static(after));
            return busy;
        }
        Some(Fault::Gone) => return problem(StatusCode::NOT_FOUND, "no such file"),
        _ => {}
    }
    let mut headers = vec![(header::ACCEPT_RANGES, "bytes".to_owned())];
    if fault != Some(Fault::NoTag) {
        headers.push((header::ETAG, tag.to_owned()));
    }
    if fault == Some(Fault::Gzip) {
        headers.push((header::CONTENT_ENCODING, "gzip".to_owned()));
    }
    let mut status = StatusCode::OK;
    if let Some((from, until)) = range {
        let until = until.min(size - 1);
        bytes = bytes[from..=until].to_vec();
        let shift = usize::from(fault == Some(Fault::OtherRange));
        headers.push((header::CONTENT_RANGE, format!("bytes {}-{}/{size}", from + shift, until + shift)));
        status = StatusCode::PARTIAL_CONTENT;
    }
    let body = match fault {
        Some(Fault::Shorter) => Body::from(bytes[..bytes.len() - 1].to_vec()),
        Some(Fault::Longer) => Body::from([bytes, vec![0]].concat()),
        Some(Fault::Endless) => {
            let piece: Bytes = bytes.into();
            Body::from_stream(futures_util::stream::repeat_with(move || Ok::<_, std::io::Error>(piece.clone())))
        }
        _ => Body::from(bytes),
    };
    let mut response = (status, body).into_response();
    for (name, value) in headers {
        if let Ok(value) = value.parse() {
            response.headers_mut().insert(name, value);
        }
    }
    response
}
