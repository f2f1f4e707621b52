//! The other side of `kentai page`: an address that signs a user of this machine in, once. Looking at it changes nothing, because mail
//! scanners and previews look, too; the button does it.

use askama::Template;
use axum::Extension;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use kentai_engine::scheduler::handle::Refusal;
use serde::Deserialize;

use super::{counted, opened};
use crate::App;
use crate::error::Problem;
use crate::listen::Caller;
use crate::page::form::Posted;
use crate::page::shell::{Place, Shell, page};
use crate::page::visit::Manners;

/// The page.
#[derive(Template)]
#[template(path = "sign_in_link.html")]
struct Link {
    shell: Shell,
    /// Whom it signs in; none: it counts no more.
    name: Option<String>,
    secret: String,
}

/// What stands in the address.
#[derive(Deserialize)]
pub(crate) struct Shown {
    #[serde(default)]
    secret: String,
}

fn answer_with(manners: Manners, name: Option<String>, secret: String) -> Response {
    let gone = name.is_none();
    let shell = manners.shell(None, Place::Elsewhere);
    let mut response = page(&Link { shell, name, secret });
    if gone {
        *response.status_mut() = StatusCode::GONE;
    }
    response
}

/// `GET /sign-in/link`
pub(crate) async fn ask(
    State(app): State<App>,
    manners: Manners,
    caller: Option<Extension<Caller>>,
    Query(shown): Query<Shown>,
) -> Result<Response, Problem> {
    counted(caller.as_deref())?;
    let name = app.engine.whose_link(&shown.secret).await?;
    Ok(answer_with(manners, name, shown.secret))
}

/// `POST /sign-in/link`
pub(crate) async fn answer(
    State(app): State<App>,
    manners: Manners,
    caller: Option<Extension<Caller>>,
    headers: HeaderMap,
    Posted(shown): Posted<Shown>,
) -> Result<Response, Problem> {
    counted(caller.as_deref())?;
    match app.engine.open_link(&shown.secret).await {
        Ok(session) => opened(&app, &headers, caller.as_deref(), session.0, "/").await,
        Err(Refusal::NotAllowed(_)) => Ok(answer_with(manners, None, String::new())),
        Err(other) => Err(other.into()),
    }
}
