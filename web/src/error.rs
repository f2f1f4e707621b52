//! What went wrong, as RFC 9457 problem details: the only file that turns refusals into status codes.
//!
//! `code` is the name of the command line's exit code; internals are logged, not shown.

use axum::Json;
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use kentai_engine::scheduler::handle::Refusal;
use kentai_engine::specimen::import;
use kentai_engine::store;
use kentai_engine::view::center::Refused;
use kentai_workflows::diagnostic::{self, Language};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

/// An answer that says what went wrong.
#[derive(Debug)]
pub struct Problem {
    status: StatusCode,
    code: &'static str,
    detail: String,
    diagnostics: Option<Value>,
    problems: Option<Value>,
}

/// What a problem says, for whoever shows it in another form.
#[derive(Clone, Debug)]
pub(crate) struct Told {
    pub(crate) code: &'static str,
    pub(crate) detail: String,
}

/// As it is sent (RFC 9457).
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Problem")]
pub(crate) struct Body {
    /// `about:blank`: `code` tells problems apart.
    #[serde(rename = "type")]
    kind: &'static str,
    /// The status in words.
    title: &'static str,
    /// The status.
    status: u16,
    /// What went wrong, for people.
    detail: String,
    /// For programs: the name of `kentai`'s exit code.
    code: &'static str,
    /// Mistakes of a workflow, a sheet or parameters.
    #[serde(skip_serializing_if = "Option::is_none")]
    diagnostics: Option<Value>,
    /// Rows of a table that are wrong, by row and column.
    #[serde(skip_serializing_if = "Option::is_none")]
    problems: Option<Value>,
}

impl Problem {
    fn new(status: StatusCode, code: &'static str, detail: impl Into<String>) -> Self {
        Self { status, code, detail: detail.into(), diagnostics: None, problems: None }
    }

    /// The request cannot be understood (exit code 2).
    pub fn bad(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "usage", detail)
    }

    /// It is not there (exit code 4).
    pub fn not_found(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, "not_found", detail)
    }

    /// This person may not (exit code 5).
    pub fn not_allowed(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, "not_allowed", detail)
    }

    /// Not in this state (exit code 6).
    pub fn state(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, "state", detail)
    }

    /// It was there, and is not to be had any more (exit code 6).
    pub fn gone(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::GONE, "state", detail)
    }

    /// The engine, or something that it needs, does not answer (exit code 7).
    pub fn unreachable(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "unreachable", detail)
    }

    /// Our own mistake or the machine's (exit code 1): the caller is told no more than that.
    pub fn internal(error: &(dyn std::error::Error + 'static)) -> Self {
        let chain: Vec<String> =
            std::iter::successors(Some(error), |error| error.source()).map(ToString::to_string).collect();
        tracing::error!(error = chain.join(": "), "a request failed");
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "unexpected",
            "the request failed on our side; the engine's log says why",
        )
    }

    /// Nobody who is known asks (exit code 5); says how one becomes known.
    pub fn unknown(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "not_allowed", detail)
    }

    /// More requests than this person may make at once (exit code 7: again later).
    pub fn too_many(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::TOO_MANY_REQUESTS, "unreachable", detail)
    }

    /// What is kept here is not as it must be (exit code 1). The caller has said in the log what is wrong.
    pub fn broken(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "unexpected", detail)
    }

    /// A body that was refused before it was understood: too large, or of another kind.
    pub fn body(status: StatusCode, detail: impl Into<String>) -> Self {
        Self::new(status, "usage", detail)
    }

    /// Rows of a table that are wrong, by row and column (exit code 3); nothing was taken.
    pub fn rows(detail: impl Into<String>, problems: &[import::Problem]) -> Self {
        let problem = Self::new(StatusCode::UNPROCESSABLE_ENTITY, "check_failed", detail);
        Self { problems: serde_json::to_value(problems).ok(), ..problem }
    }

    /// A key that something else was asked under (exit code 2): a program's mistake.
    pub fn other_body() -> Self {
        let said = "something else was sent under this Idempotency-Key within a day: every asking has a key of its own";
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, "usage", said)
    }

    /// The same where a standard knows no other no than a malformed request; who asks, and how often, stays as it is.
    pub(crate) fn into_bad(self) -> Self {
        let kept = matches!(self.status.as_u16(), 401 | 403 | 429) || !self.status.is_client_error();
        if kept { self } else { Self { status: StatusCode::BAD_REQUEST, ..self } }
    }

    /// The route is there, but not for this method.
    pub fn method(method: &Method, path: &str) -> Self {
        Self::new(StatusCode::METHOD_NOT_ALLOWED, "usage", format!("{path} cannot be asked with {method}"))
    }

    /// A refusal, its diagnostics in the caller's language.
    pub fn refused(refusal: Refusal, language: Language) -> Self {
        match refusal {
            Refusal::NotFound(detail) => Self::not_found(detail),
            Refusal::NotAllowed(detail) => Self::not_allowed(detail),
            Refusal::State(detail) => Self::state(detail),
            Refusal::Bad(detail) => Self::bad(detail),
            Refusal::Unreachable(detail) => Self::unreachable(detail),
            Refusal::Stopped => Self::unreachable("the engine has stopped"),
            Refusal::Store(error) => Self::internal(&error),
            Refusal::Check { ref diagnostics, .. } => {
                let mut found = diagnostic::to_json(diagnostics, language);
                let problem = Self::new(StatusCode::UNPROCESSABLE_ENTITY, "check_failed", refusal.to_string());
                Self { diagnostics: found.get_mut("diagnostics").map(Value::take), ..problem }
            }
        }
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        Self::refused(refusal, Language::En)
    }
}

impl From<Refused> for Problem {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::NotFound(detail) => Self::not_found(detail),
            Refused::NotAllowed(detail) => Self::not_allowed(detail),
            Refused::Bad(detail) => Self::bad(detail),
            Refused::Gone(detail) => Self::gone(detail),
            Refused::Store(error) => Self::internal(&error),
        }
    }
}

impl From<store::Error> for Problem {
    fn from(error: store::Error) -> Self {
        Self::internal(&error)
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let body = Body {
            // No page describes these yet; `code` tells them apart.
            kind: "about:blank",
            title: self.status.canonical_reason().unwrap_or("Error"),
            status: self.status.as_u16(),
            detail: self.detail,
            code: self.code,
            diagnostics: self.diagnostics,
            problems: self.problems,
        };
        let told = Told { code: self.code, detail: body.detail.clone() };
        let mut response = (self.status, Json(body)).into_response();
        response.extensions_mut().insert(told);
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        response
    }
}

#[cfg(test)]
mod tests {
    use kentai_workflows::diagnostic::Diagnostic;

    use super::*;

    fn check(refusal: Refusal, status: u16, code: &str) {
        let problem = Problem::from(refusal);
        assert_eq!((problem.status.as_u16(), problem.code), (status, code));
    }

    #[test]
    fn each_refusal_has_one_status_and_one_exit_code() {
        check(Refusal::Bad("x".into()), 400, "usage");
        check(Refusal::NotAllowed("x".into()), 403, "not_allowed");
        check(Refusal::NotFound("x".into()), 404, "not_found");
        check(Refusal::State("x".into()), 409, "state");
        check(Refusal::Check { diagnostics: Vec::new(), sources: Default::default() }, 422, "check_failed");
        check(Refusal::Store(store::Error::Closed), 500, "unexpected");
        check(Refusal::Unreachable("x".into()), 503, "unreachable");
        check(Refusal::Stopped, 503, "unreachable");
    }

    #[test]
    fn what_the_store_says_is_not_shown() {
        let error = store::Error::Unknown { what: "a plan", found: "secret".into() };
        assert!(!Problem::from(error).detail.contains("secret"));
    }

    #[test]
    fn diagnostics_travel_in_the_callers_language() {
        let diagnostics = vec![Diagnostic::error("K001", "wrong", "違う")];
        let refusal = Refusal::Check { diagnostics, sources: Default::default() };
        let problem = Problem::refused(refusal, Language::Ja);
        let found = problem.diagnostics.expect("there are some");
        assert_eq!((&found[0]["code"], &found[0]["message"]), (&Value::from("K001"), &Value::from("違う")));
    }
}
