//! What requests carry, taken apart with our own answers when it is wrong.

use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts, Path, Query, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use kentai_engine::id::RunId;
use kentai_engine::view::{self, Found};
use kentai_workflows::diagnostic::Language;
use serde::de::DeserializeOwned;

use crate::App;
use crate::error::Problem;

/// Items of a page when nobody says how many.
const LIMIT: i64 = 100;
/// Items of a page at most: what one answer may cost.
const LIMIT_MAX: i64 = 1_000;

/// A JSON body; an absent one is `{}`.
pub(crate) struct Sent<T>(pub(crate) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Sent<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let is_json = is_json(request.headers());
        let bytes = Bytes::from_request(request, state)
            .await
            .map_err(|error| Problem::body(error.status(), error.body_text()))?;
        if !bytes.is_empty() && !is_json {
            return Err(Problem::body(StatusCode::UNSUPPORTED_MEDIA_TYPE, "the body must be application/json"));
        }
        let text: &[u8] = if bytes.is_empty() { b"{}" } else { &bytes };
        // A list would be taken for the members in their order.
        if text.trim_ascii_start().first() != Some(&b'{') {
            return Err(Problem::bad("the body must be a JSON object"));
        }
        serde_json::from_slice(text)
            .map(Self)
            .map_err(|error| Problem::bad(format!("the body cannot be understood: {error}")))
    }
}

fn is_json(headers: &HeaderMap) -> bool {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    kind.split(';').next().is_some_and(|kind| kind.trim().eq_ignore_ascii_case("application/json"))
}

/// What stands behind the `?`.
pub(crate) struct Asked<T>(pub(crate) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Asked<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let asked = Query::<T>::from_request_parts(parts, state).await;
        asked.map(|Query(asked)| Self(asked)).map_err(|error| Problem::bad(error.body_text()))
    }
}

/// The name that the path ends with.
pub(crate) struct Named(pub(crate) String);

impl<S: Send + Sync> FromRequestParts<S> for Named {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let path = Path::<String>::from_request_parts(parts, state).await;
        path.map(|Path(name)| Self(name)).map_err(|error| Problem::bad(error.body_text()))
    }
}

/// The two names that the path ends with.
pub(crate) struct Names(pub(crate) String, pub(crate) String);

impl<S: Send + Sync> FromRequestParts<S> for Names {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let path = Path::<(String, String)>::from_request_parts(parts, state).await;
        path.map(|Path((first, second))| Self(first, second)).map_err(|error| Problem::bad(error.body_text()))
    }
}

/// The run that the path names, by its id or an unambiguous beginning of it.
pub(crate) struct ThisRun(pub(crate) RunId);

impl FromRequestParts<App> for ThisRun {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        let Named(text) = Named::from_request_parts(parts, app).await?;
        match view::find_run(app.engine.reader(), &text).await? {
            Found::One(id) => Ok(Self(id)),
            Found::None => Err(Problem::not_found(format!("there is no run `{}`", text.escape_debug()))),
            Found::Several => Err(Problem::state(format!("several runs begin with `{text}`: give more of the id"))),
        }
    }
}

/// The language that the caller reads first.
pub(crate) fn language(headers: &HeaderMap) -> Language {
    let wish = headers.get(header::ACCEPT_LANGUAGE).and_then(|wish| wish.to_str().ok()).unwrap_or_default();
    if wish.trim_start().starts_with("ja") { Language::Ja } else { Language::En }
}

/// A page's size, as asked for.
pub(crate) fn limit(asked: Option<i64>) -> Result<i64, Problem> {
    match asked {
        None => Ok(LIMIT),
        Some(limit @ 1..=LIMIT_MAX) => Ok(limit),
        Some(_) => Err(Problem::bad(format!("limit is 1 to {LIMIT_MAX}"))),
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn the_first_language_counts() {
        let speaks = |wish| {
            let headers = HeaderMap::from_iter([(header::ACCEPT_LANGUAGE, HeaderValue::from_static(wish))]);
            language(&headers)
        };
        assert_eq!(speaks("ja-JP, en;q=0.5"), Language::Ja);
        assert_eq!(speaks("en, ja;q=0.5"), Language::En);
        assert_eq!(language(&HeaderMap::new()), Language::En);
    }

    #[test]
    fn a_page_has_a_size_that_somebody_can_pay_for() {
        assert_eq!(limit(None).ok(), Some(100));
        assert_eq!(limit(Some(7)).ok(), Some(7));
        assert!(limit(Some(0)).is_err());
        assert!(limit(Some(1_001)).is_err());
    }
}
