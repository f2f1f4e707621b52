//! What the receivers' API is like, for programs: an OpenAPI 3.1 document, written by hand. Nobody's secret.
//!
//! `tests/tests/receivers/openapi.rs` holds it against the routes and the answers. DRS is described by GA4GH.

use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};

/// The document.
const RECEIVERS: &str = include_str!("openapi/receivers.json");

/// `GET /api/v1/openapi.json`
pub(crate) async fn receivers() -> Response {
    ([(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))], RECEIVERS).into_response()
}
