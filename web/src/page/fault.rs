//! What goes wrong, as a page: the same problem that the API answers with, in words for people. It turns one answer into another and
//! knows no refusal. What no route answers is told here too: to a browser as a page, to a program as it always was.

use askama::Template;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use kentai_engine::scheduler::Actor;
use kentai_workflows::diagnostic::Language;

use super::shell::{Place, Shell};
use super::visit::Manners;
use crate::error::{Problem, Told};
use crate::{App, peer};

/// Beneath these only programs ask: what they understand is a problem, whatever they say that they accept.
const OF_PROGRAMS: [&str; 3] = ["/api", "/ga4gh", "/deliveries"];

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
    let who = request.extensions().get::<Actor>().cloned();
    told(manners, who.as_ref(), next.run(request).await)
}

fn told(manners: Manners, who: Option<&Actor>, response: Response) -> Response {
    let (mut parts, body) = response.into_parts();
    let Some(told) = parts.extensions.remove::<Told>() else { return Response::from_parts(parts, body) };
    let shell = manners.shell(who, Place::Elsewhere);
    let heading = shell.words.problem(parts.status);
    let page = super::shell::page(&Fault { shell, heading, told });
    for name in page.headers().keys() {
        parts.headers.remove(name);
    }
    parts.headers.remove(header::CONTENT_LENGTH);
    let status = parts.status;
    let mut response = (parts.headers, page).into_response();
    *response.status_mut() = status;
    response
}

/// Does a browser ask for something to look at?
fn is_for_people(headers: &HeaderMap, path: &str) -> bool {
    let accepted = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
    let html = accepted.flat_map(|line| line.split(',')).any(|kind| kind.trim_start().starts_with("text/html"));
    let beneath = |root: &str| path.strip_prefix(root).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
    html && !OF_PROGRAMS.into_iter().any(beneath)
}

/// An address that nobody has.
pub(crate) async fn no_such_route(State(app): State<App>, request: Request) -> Response {
    let path = request.uri().path().to_owned();
    let problem = Problem::not_found(format!("there is nothing at {path}"));
    nothing(&app, request, problem, format!("{path} というページはありません。")).await
}

/// An address that is asked in a way that it does not know.
pub(crate) async fn no_such_method(State(app): State<App>, request: Request) -> Response {
    let (path, method) = (request.uri().path().to_owned(), request.method().clone());
    nothing(&app, request, Problem::method(&method, &path), format!("{path} は {method} では使えません。")).await
}

async fn nothing(app: &App, request: Request, problem: Problem, ja: String) -> Response {
    let (parts, _) = request.into_parts();
    let mut response = problem.into_response();
    if !is_for_people(&parts.headers, parts.uri.path()) {
        return response;
    }
    let manners = Manners::of(&parts.headers, &parts.uri);
    if let (Language::Ja, Some(told)) = (manners.language, response.extensions_mut().get_mut::<Told>()) {
        told.detail = ja;
    }
    // Whoever is signed in finds their way from here; who asks is counted as at every page.
    match peer::visitor(app, &parts).await {
        Ok(who) => told(manners, Some(&who), response),
        Err(refused) if refused.status() == StatusCode::TOO_MANY_REQUESTS => told(manners, None, refused),
        Err(_) => told(manners, None, response),
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn a_browser_is_told_from_a_program_by_what_it_accepts_and_where_it_asks() {
        let asks = |accept, path| {
            is_for_people(&HeaderMap::from_iter([(header::ACCEPT, HeaderValue::from_static(accept))]), path)
        };
        let browser = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";
        assert!(asks(browser, "/nothing") && asks(browser, "/apiary") && asks("*/*;q=0.1, text/html", "/runs"));
        assert!(!asks(browser, "/api") && !asks(browser, "/api/v1/x") && !asks(browser, "/ga4gh/drs/v1/y"));
        assert!(!asks(browser, "/deliveries/d1/x") && !asks("*/*", "/nothing") && !asks("application/json", "/"));
        assert!(!is_for_people(&HeaderMap::new(), "/nothing"));
    }
}
