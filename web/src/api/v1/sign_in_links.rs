//! Addresses that sign whoever asks into the page: for a user of this machine, over the site's socket. It knows no address of the page.

use axum::http::StatusCode;
use axum::{Extension, Json};
use kentai_engine::people::link;
use kentai_engine::scheduler::center::request::Request;
use schemars::JsonSchema;
use serde::Serialize;

use crate::api::once::{Acting, ToldOnce};
use crate::error::Problem;
use crate::openapi::Description;
use crate::peer::{Credential, Person};

/// What is told once.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "SignInLink")]
pub(super) struct Link {
    /// Whom it signs in.
    name: String,
    /// What the address of the page is made of.
    secret: String,
    /// For so long.
    seconds: i64,
}

/// The operation about links.
pub(super) fn describe(to: &mut Description) {
    to.post(
        "/sign-in-links",
        "makeSignInLink",
        "What signs a user of this machine into the page, once, within a minute",
    )
    .says("Only over the site's socket, and never for a token.")
    .gives_with::<Link>(StatusCode::CREATED, "It is told once.");
}

/// `POST /sign-in-links`
pub(super) async fn make(
    Acting(engine): Acting,
    Person(who): Person,
    Extension(credential): Extension<Credential>,
) -> Result<(StatusCode, Extension<ToldOnce>, Json<Link>), Problem> {
    // A token may be narrower than its owner, and a certificate is a program's: neither becomes a person at the page.
    let user = credential.user().ok_or_else(|| {
        Problem::not_allowed("only a user of this machine is signed in so: without a token, over the site's socket")
    })?;
    let answer = engine.center(Request::OfferLink { user, made: Default::default() }, &who).await?;
    let secret = answer.secret.ok_or_else(|| Problem::broken("a link without its secret"))?.0;
    let link = Link { name: who.name, secret, seconds: link::LASTS_US / 1_000_000 };
    Ok((StatusCode::CREATED, Extension(ToldOnce), Json(link)))
}
