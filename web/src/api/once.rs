//! `Idempotency-Key`: what is sent again under the same key is done once. Who asks, where and under which key is one asking; another
//! body under it is refused, a second one while the first is under way too. It knows no act: the engine keeps its answer with the act
//! (`scheduler::once`), and here the HTTP answer is kept behind it.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{FromRequestParts, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use kentai_engine::scheduler::handle::Handle;
use kentai_engine::scheduler::once::{Kept, Once};
use kentai_engine::store::rows::kept::KeptAnswer;

use crate::App;
use crate::error::Problem;
use crate::peer::Person;

/// Says under which key something is asked (draft-ietf-httpapi-idempotency-key-header).
const KEY: HeaderName = HeaderName::from_static("idempotency-key");
/// On an answer that was given before.
const REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");
/// Longer is no key.
const KEY_BYTES_MAX: usize = 255;
/// A larger answer is made anew from what the engine keeps.
const ANSWER_BYTES_MAX: usize = 16 << 20;

/// Askings that are under way.
#[derive(Debug, Default)]
pub(crate) struct Underway(Mutex<HashSet<String>>);

/// One of them, for as long as it is kept.
struct Mark {
    all: Arc<Underway>,
    key: String,
}

impl Mark {
    /// None: it is under way already.
    fn of(all: &Arc<Underway>, key: &str) -> Option<Self> {
        let is_first = all.0.lock().unwrap_or_else(PoisonError::into_inner).insert(key.to_owned());
        is_first.then(|| Self { all: Arc::clone(all), key: key.to_owned() })
    }
}

impl Drop for Mark {
    fn drop(&mut self) {
        self.all.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.key);
    }
}

/// The engine, for whoever does something: under the key that came with the request, if one did.
pub(crate) struct Acting(pub(crate) Handle);

impl FromRequestParts<App> for Acting {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Self::Rejection> {
        Ok(Self(app.engine.once(parts.extensions.get::<Once>().cloned())))
    }
}

/// Does what is asked under a key once; what comes without one, or only reads, goes by.
pub(crate) async fn once(
    app: App,
    who: Result<Person, Problem>,
    bytes_max: usize,
    request: Request,
    next: Next,
) -> Response {
    if matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS) {
        return next.run(request).await;
    }
    let asked = match key(request.headers()) {
        Ok(None) => return next.run(request).await,
        Ok(Some(key)) => under(app, who, (key, bytes_max), request, next).await,
        Err(problem) => Err(problem),
    };
    asked.unwrap_or_else(IntoResponse::into_response)
}

/// The key that a request brings.
fn key(headers: &HeaderMap) -> Result<Option<String>, Problem> {
    let mut all = headers.get_all(KEY).iter();
    let Some(first) = all.next() else { return Ok(None) };
    let text = first.to_str().unwrap_or_default();
    let is_one = all.next().is_none() && (1..=KEY_BYTES_MAX).contains(&text.len());
    if !is_one || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
        let said = format!("Idempotency-Key is one word of 1 to {KEY_BYTES_MAX} ASCII characters, sent once");
        return Err(Problem::bad(said));
    }
    Ok(Some(text.to_owned()))
}

async fn under(
    app: App,
    who: Result<Person, Problem>,
    (key, bytes_max): (String, usize),
    request: Request,
    next: Next,
) -> Result<Response, Problem> {
    let Person(who) = who?;
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, bytes_max).await.map_err(|_| {
        Problem::body(StatusCode::PAYLOAD_TOO_LARGE, format!("the body is cut off or has more than {bytes_max} bytes"))
    })?;
    let keeper = app.links().await?;
    let (method, path, query) = (parts.method.as_str(), parts.uri.path(), parts.uri.query().unwrap_or_default());
    // No part but the last can hold a line's end. A key of the site's own goes into both: a body may hold a password.
    let id =
        keeper.digest("kentai asking 1", &[who.name.as_bytes(), method.as_bytes(), path.as_bytes(), key.as_bytes()]);
    let sent = keeper.digest("kentai sent 1", &[id.as_bytes(), query.as_bytes(), &body]);
    let Some(mark) = Mark::of(&app.underway, &id) else { return Ok(busy()) };
    let once = Once::new(id, sent);
    let replayed = match app.engine.kept(&once).await? {
        Kept::Other => return Err(Problem::other_body()),
        Kept::Answered(kept) => return Ok(again(kept)),
        Kept::Done => true,
        Kept::Nothing => false,
    };
    let mut request = Request::from_parts(parts, Body::from(body));
    request.extensions_mut().insert(once.clone());
    // In a task of its own: who asked may be gone before it is done, and asks again to hear what became of it.
    let task = tokio::spawn(async move {
        let _mark = mark;
        let response = keep(&app, &once, next.run(request).await).await;
        if replayed && once.has_acted() { replay(response) } else { response }
    });
    task.await.map_err(|panic| Problem::internal(&panic))
}

fn busy() -> Response {
    let problem = Problem::state("what was asked under this Idempotency-Key is under way: ask again in a moment");
    ([(header::RETRY_AFTER, "1")], problem).into_response()
}

/// Keeps the answer to what was done. A refusal did nothing, and what failed on our side is made anew from what the engine keeps.
async fn keep(app: &App, once: &Once, response: Response) -> Response {
    if !once.has_acted() || response.status().is_server_error() || response.extensions().get::<ToldOnce>().is_some() {
        return response;
    }
    let (parts, body) = response.into_parts();
    let bytes = match to_bytes(body, usize::MAX).await {
        Ok(bytes) => bytes,
        Err(error) => return Problem::internal(&error).into_response(),
    };
    let kind = parts.headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    if let Some(text) = text(&bytes)
        && let Err(refusal) = app.engine.keep_answer(once, (parts.status.as_u16(), kind, text)).await
    {
        // The act is on record with its answer: whoever asks again is answered from there.
        tracing::warn!(%refusal, "an answer could not be kept under its key");
    }
    Response::from_parts(parts, Body::from(bytes))
}

fn text(bytes: &Bytes) -> Option<String> {
    (bytes.len() <= ANSWER_BYTES_MAX).then(|| String::from_utf8(bytes.to_vec()).ok()).flatten()
}

fn again(kept: KeptAnswer) -> Response {
    let status = u16::try_from(kept.status).ok().and_then(|status| StatusCode::from_u16(status).ok());
    let kind = HeaderValue::from_str(&kept.content_type).ok();
    let mut response = (status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR), kept.body).into_response();
    response.headers_mut().remove(header::CONTENT_TYPE);
    if let Some(kind) = kind.filter(|kind| !kind.is_empty()) {
        response.headers_mut().insert(header::CONTENT_TYPE, kind);
    }
    replay(response)
}

fn replay(mut response: Response) -> Response {
    response.headers_mut().insert(REPLAYED, HeaderValue::from_static("true"));
    response
}

/// On an answer that holds what is told this once: it is kept nowhere.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ToldOnce;

/// See [`once`], for a group of routes whose bodies are no larger.
pub(crate) async fn up_to<const BYTES_MAX: usize>(
    State(app): State<App>,
    who: Result<Person, Problem>,
    request: Request,
    next: Next,
) -> Response {
    once(app, who, BYTES_MAX, request, next).await
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(values: &[&'static str]) -> Result<Option<String>, Problem> {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(KEY, HeaderValue::from_static(value));
        }
        key(&headers)
    }

    #[test]
    fn a_key_is_one_word() {
        assert_eq!(read(&[]).expect("none"), None);
        assert_eq!(
            read(&["8e03978e-40d5-43dd-bc93-6894a57f9324"]).expect("one").as_deref(),
            Some("8e03978e-40d5-43dd-bc93-6894a57f9324")
        );
        assert_eq!(read(&["\"quoted\""]).expect("one").as_deref(), Some("\"quoted\""));
        for wrong in [&[""][..], &["a b"], &["a", "b"]] {
            assert!(read(wrong).is_err(), "{wrong:?}");
        }
        let long = HeaderValue::from_str(&"k".repeat(KEY_BYTES_MAX + 1)).expect("a value");
        assert!(key(&HeaderMap::from_iter([(KEY, long)])).is_err());
    }

    #[test]
    fn an_asking_is_under_way_once() {
        let all = Arc::new(Underway::default());
        let first = Mark::of(&all, "k").expect("the first");
        assert!(Mark::of(&all, "k").is_none() && Mark::of(&all, "other").is_some());
        drop(first);
        assert!(Mark::of(&all, "k").is_some());
    }
}
