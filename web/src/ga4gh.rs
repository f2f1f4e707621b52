//! What the faces of GA4GH have in common: how an error is said. DRS and WES write it alike, and neither as a problem document.

use axum::body::to_bytes;
use axum::http::{HeaderValue, header};
use axum::response::Response;
use serde_json::{Value, json};

/// Our own words about an error are shorter.
const PROBLEM_BYTES_MAX: usize = 64 << 10;

/// Whatever refuses something there, doors and extractors too, does it with a problem document; the standards have an error of their own.
/// Statuses that they do not know, of which ours are few, stay as they are.
pub(crate) async fn in_words(response: Response) -> Response {
    let status = response.status();
    if !status.is_client_error() && !status.is_server_error() {
        return response;
    }
    let (mut parts, body) = response.into_parts();
    let bytes = to_bytes(body, PROBLEM_BYTES_MAX).await.unwrap_or_default();
    let problem: Value = serde_json::from_slice(&bytes).unwrap_or_default();
    let message = problem["detail"].as_str().or(status.canonical_reason()).unwrap_or_default();
    let error = json!({ "msg": message, "status_code": status.as_u16() }).to_string();
    parts.headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    parts.headers.insert(header::CONTENT_LENGTH, error.len().into());
    Response::from_parts(parts, error.into())
}
