//! Entity tags: every answer to a reading has a strong one, and whoever knows it already is sent no body again. The answer is made all the
//! same; what is spared is the way. Streams have no end to be digested, and no tag.

use axum::body::{Body, HttpBody as _, to_bytes};
use axum::extract::Request;
use axum::http::{HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use sha2::{Digest as _, Sha256};

use crate::download::knows;
use crate::error::Problem;

/// A larger answer is sent as it is.
const BYTES_MAX: u64 = 64 << 20;
/// What changes an answer besides what is stored: whose eyes it is for, and their language.
const VARY: &str = "Authorization, Accept-Language";

/// Puts the tag on, or says that nothing changed.
pub(crate) async fn put(request: Request, next: Next) -> Response {
    let reads = matches!(*request.method(), Method::GET | Method::HEAD);
    let conditions = request.headers().clone();
    let mut response = next.run(request).await;
    if !reads {
        return response;
    }
    response.headers_mut().append(header::VARY, HeaderValue::from_static(VARY));
    let is_whole = response.body().size_hint().exact().is_some_and(|size| size <= BYTES_MAX);
    if response.status() != StatusCode::OK || !is_whole || response.headers().contains_key(header::ETAG) {
        return response;
    }
    let (mut parts, body) = response.into_parts();
    let bytes = match to_bytes(body, usize::MAX).await {
        Ok(bytes) => bytes,
        Err(error) => return Problem::internal(&error).into_response(),
    };
    // What headers say of a piece of a log is part of the answer.
    let mut digest = Sha256::new();
    for (name, value) in parts.headers.iter().filter(|(name, _)| is_content(name)) {
        digest.update(name.as_str());
        digest.update([0]);
        digest.update(value.as_bytes());
        digest.update([0]);
    }
    digest.update(&bytes);
    let tag: String = digest.finalize().iter().take(16).map(|byte| format!("{byte:02x}")).collect();
    if let Ok(value) = HeaderValue::from_str(&format!("\"{tag}\"")) {
        parts.headers.insert(header::ETAG, value);
    }
    if knows(&conditions, &tag) {
        parts.status = StatusCode::NOT_MODIFIED;
        parts.headers.remove(header::CONTENT_TYPE);
        parts.headers.remove(header::CONTENT_LENGTH);
        return Response::from_parts(parts, Body::empty());
    }
    Response::from_parts(parts, Body::from(bytes))
}

fn is_content(name: &HeaderName) -> bool {
    *name == header::CONTENT_TYPE || name.as_str().starts_with("kentai-")
}
