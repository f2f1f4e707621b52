//! Bodies of DRS requests: a JSON object must be there, and it must be one.

use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use axum::http::header;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::error::Problem;

/// What was sent. Members that the standard does not name are passed over.
pub(super) struct Sent<T>(pub(super) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Sent<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let kind = request.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        let is_json = kind.split(';').next().is_some_and(|kind| kind.trim().eq_ignore_ascii_case("application/json"));
        let bytes = Bytes::from_request(request, state).await;
        let bytes = bytes.map_err(|error| Problem::body(error.status(), error.body_text()))?;
        // The standard has a status for requests that are not as they should be, and none for the kind of their body.
        if !is_json {
            return Err(Problem::bad("the body must be application/json"));
        }
        let wrong = |error: serde_json::Error| Problem::bad(format!("the body cannot be understood: {error}"));
        // A list would be taken for the members in their order.
        let sent: Value = serde_json::from_slice(&bytes).map_err(wrong)?;
        if !sent.is_object() {
            return Err(Problem::bad("the body must be an object"));
        }
        serde_json::from_value(sent).map(Self).map_err(wrong)
    }
}
