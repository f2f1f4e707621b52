//! What whoever draws traces is told of requests, and what they say of themselves at `/metrics`. It knows no protocol of traces, and tells
//! nothing in which an id, a name or a person may stand: the route as the router has it, and never the address.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::Request;
use kentai_engine::clock::Micros;

/// A request that was answered, or whose answer has begun.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answered {
    /// `GET` …, or `other`.
    pub method: &'static str,
    /// As the router has it (`/api/v1/runs/{id}`); none: nothing is there.
    pub route: Option<String>,
    /// The answer's status.
    pub status: u16,
    /// When it came.
    pub began_us: Micros,
    /// Until the answer began.
    pub took: Duration,
    /// `traceparent` as it was sent, when it was sent once: anything may stand in it.
    pub traceparent: Option<String>,
}

/// What became of spans since the start: words and counts. Each word is a label.
pub type Counts = Vec<(&'static str, u64)>;

/// Somebody who draws traces. They are told while the answer waits: they must not.
#[derive(Clone)]
pub struct Traces {
    /// Is told of requests.
    pub answered: Arc<dyn Fn(Answered) + Send + Sync>,
    /// Says what became of spans.
    pub counts: Arc<dyn Fn() -> Counts + Send + Sync>,
}

/// `traceparent` of a request. Two of them are none: nobody could say which counts.
pub(crate) fn parent(request: &Request) -> Option<String> {
    let mut sent = request.headers().get_all("traceparent").iter();
    let (first, second) = (sent.next(), sent.next());
    first.filter(|_| second.is_none())?.to_str().ok().map(str::to_owned)
}
