//! What stands around every page: bar, foot, theme, language. It knows the places, not what is in them.

use askama::Template;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use kentai_workflows::diagnostic::Language;

use super::assets;
use super::say::Say;
use super::words::Words;
use crate::error::Problem;

/// Nothing but what this binary brings along, and nobody frames it.
const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; \
                      form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// Where the bar says that we are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    Today,
    Specimens,
    Runs,
    Quality,
    HandOff,
    Workflows,
    Capacity,
    Audit,
    Settings,
    Elsewhere,
}

/// What the shell's template is given.
#[derive(Debug)]
pub(crate) struct Shell {
    pub(crate) words: &'static Words,
    pub(crate) say: Say,
    pub(crate) place: Place,
    /// `light`, `dark`, or empty: as the system.
    pub(crate) theme: &'static str,
    /// Name and roles; none before somebody is signed in.
    pub(crate) person: Option<String>,
    /// Path and query: where the language's link comes back to.
    pub(crate) here: String,
    /// Every list that is for this person: where, and what it is called.
    pub(crate) lists: Vec<(&'static str, &'static str)>,
}

impl Shell {
    pub(crate) fn language(&self) -> Language {
        self.say.language
    }

    pub(crate) fn is(&self, place: Place) -> bool {
        self.place == place
    }

    pub(crate) fn assets(&self) -> &'static str {
        assets::version()
    }
}

/// A page's answer.
pub(crate) fn page(template: &impl Template) -> Response {
    let html = match template.render() {
        Ok(html) => html,
        Err(error) => {
            tracing::error!(%error, "a page cannot be written");
            return Problem::broken("this page cannot be written").into_response();
        }
    };
    let mut response = (StatusCode::OK, Html(html)).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    // A page is somebody's, in a language: nobody between may keep it. Going back shows it from memory.
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
    headers.insert(header::VARY, HeaderValue::from_static("Accept-Language, Cookie"));
    response
}
