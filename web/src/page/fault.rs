//! What goes wrong, as a page: the same problem that the API answers with, in words for people. It turns one answer into another and
//! knows no refusal.

use askama::Template;
use axum::extract::Request;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::shell::{Place, Shell};
use super::visit::Manners;
use crate::error::Told;

/// The page of a problem.
#[derive(Template)]
#[template(path = "fault.html")]
struct Fault {
    shell: Shell,
    heading: &'static str,
    told: Told,
}

/// Answers that are problems leave as pages, with their status and headers.
pub(super) async fn as_page(request: Request, next: Next) -> Response {
    let manners = Manners::of(request.headers(), request.uri());
    let (mut parts, body) = next.run(request).await.into_parts();
    let Some(told) = parts.extensions.remove::<Told>() else { return Response::from_parts(parts, body) };
    let shell = manners.shell(None, Place::Elsewhere);
    let heading = shell.words.problem(parts.status);
    let page = super::shell::page(&Fault { shell, heading, told });
    for name in page.headers().keys() {
        parts.headers.remove(name);
    }
    parts.headers.remove(axum::http::header::CONTENT_LENGTH);
    let status = parts.status;
    let mut response = (parts.headers, page).into_response();
    *response.status_mut() = status;
    response
}
