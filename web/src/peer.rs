//! Who asks: whoever the token in the header is of; without one the kernel says which user is at the other end of the socket, and the
//! site which person that is.

use axum::extract::connect_info::Connected;
use axum::extract::{ConnectInfo, FromRequestParts, Request, State};
use axum::http::header;
use axum::http::request::Parts;
use axum::middleware::Next;
use axum::response::Response;
use axum::serve::IncomingStream;
use kentai_engine::scheduler::Actor;
use tokio::net::UnixListener;

use crate::App;
use crate::error::Problem;

/// The user at the other end of a connection, when it was made (`SO_PEERCRED`).
#[derive(Clone, Copy, Debug)]
pub(crate) struct Peer {
    uid: Option<u32>,
}

impl Connected<IncomingStream<'_, UnixListener>> for Peer {
    fn connect_info(stream: IncomingStream<'_, UnixListener>) -> Self {
        Self { uid: stream.io().peer_cred().ok().map(|credentials| credentials.uid()) }
    }
}

/// The token that the header carries, if it carries any.
fn token(request: &Request) -> Result<Option<String>, Problem> {
    let Some(header) = request.headers().get(header::AUTHORIZATION) else { return Ok(None) };
    let parts = header.to_str().ok().and_then(|text| text.split_once(' '));
    let token = parts.filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
    let (_, token) = token.ok_or_else(|| Problem::not_allowed("the header Authorization must be `Bearer <token>`"))?;
    Ok(Some(token.trim().to_owned()))
}

/// Lets only persons of the site through.
pub(crate) async fn recognize(State(app): State<App>, mut request: Request, next: Next) -> Result<Response, Problem> {
    // A wrong one is refused, whoever the user is: nobody acts as somebody else than they think.
    if let Some(token) = token(&request)? {
        let actor = app.engine.who(&token).await?;
        request.extensions_mut().insert(actor);
        return Ok(next.run(request).await);
    }
    let peer = request.extensions().get::<ConnectInfo<Peer>>().and_then(|peer| peer.0.uid);
    let Some(uid) = peer else { return Err(Problem::not_allowed("this connection does not say which user it is of")) };
    let Some(actor) = (app.people)(uid) else {
        return Err(Problem::not_allowed(format!("user {uid} is no person of this site (`people:` in kentai.yaml)")));
    };
    request.extensions_mut().insert(actor);
    Ok(next.run(request).await)
}

/// The person who asks.
pub(crate) struct Person(pub(crate) Actor);

impl<S: Sync> FromRequestParts<S> for Person {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        // Absent only on a route outside of `recognize`: then nobody may.
        parts
            .extensions
            .get::<Actor>()
            .cloned()
            .map(Self)
            .ok_or_else(|| Problem::not_allowed("this is for persons of the site"))
    }
}
