//! Headers that keep browsers and caches from doing more with an answer than they should. An answer that says it itself is right.

use axum::extract::Request;
use axum::http::{HeaderName, HeaderValue, header};
use axum::middleware::Next;
use axum::response::Response;

use crate::listen::Caller;

/// On every answer: nothing is guessed, framed, embedded elsewhere, told to others or kept.
const ALWAYS: [(HeaderName, &str); 5] = [
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'"),
    (header::REFERRER_POLICY, "no-referrer"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    (header::CACHE_CONTROL, "no-store"),
];

/// Puts them on the answer.
pub(crate) async fn put(request: Request, next: Next) -> Response {
    let encrypted = request.extensions().get::<Caller>().is_some_and(|caller| caller.encrypted);
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    for (name, value) in ALWAYS {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
    if encrypted {
        // Only where TLS is ours: behind a proxy that is the proxy's to say.
        let year = HeaderValue::from_static("max-age=31536000");
        headers.entry(header::STRICT_TRANSPORT_SECURITY).or_insert(year);
    }
    response
}
