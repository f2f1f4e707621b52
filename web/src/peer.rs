//! Who asks: whoever the token in the header is of. Without one, on the site's socket the kernel says which user is at the other end,
//! and the site which person that is; over the network it is whose client certificate was shown, and never a user of this machine.
//! Where files are fetched, a link signed here for exactly that file says it too.

use std::time::Duration;

use axum::extract::connect_info::Connected;
use axum::extract::{ConnectInfo, FromRequestParts, Request, State};
use axum::http::request::Parts;
use axum::http::{Extensions, HeaderMap, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use axum::serve::IncomingStream;
use kentai_engine::people::{secret, session, token};
use kentai_engine::scheduler::Actor;
use kentai_engine::scheduler::center::people::Known;
use kentai_engine::scheduler::handle::Refusal;
use kentai_engine::view::drs;
use tokio::time::Instant;

use crate::App;
use crate::error::Problem;
use crate::listen::Caller;
use crate::packages::link;
use crate::page::seen::Look;
use crate::page::sign_in;
use crate::serve::Polite;

/// The user at the other end of a connection, when it was made (`SO_PEERCRED`).
#[derive(Clone, Copy, Debug)]
pub(crate) struct Peer {
    uid: Option<u32>,
}

impl Connected<IncomingStream<'_, Polite>> for Peer {
    fn connect_info(stream: IncomingStream<'_, Polite>) -> Self {
        Self { uid: stream.io().get().peer_cred().ok().map(|credentials| credentials.uid()) }
    }
}

/// By what somebody says who they are.
#[derive(Clone)]
enum Proof {
    /// Nothing in the request: the connection may say it.
    Connection,
    /// A token or a session.
    Token(String),
    /// A link that was signed here for exactly this file, and whose time is not over: by whom it was asked for.
    Link(String),
}

/// The proof that a request carries, or what is wrong with it.
type Shown = Result<Proof, &'static str>;

fn in_header(headers: &HeaderMap) -> Shown {
    let Some(header) = headers.get(header::AUTHORIZATION) else { return Ok(Proof::Connection) };
    let parts = header.to_str().ok().and_then(|text| text.split_once(' '));
    let token = parts.filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
    let (_, token) = token.ok_or("the header Authorization must be `Bearer <token>`")?;
    Ok(Proof::Token(token.trim().to_owned()))
}

/// How somebody said who they are; asked again as long as bytes flow to them.
#[derive(Clone)]
pub(crate) struct Credential {
    app: App,
    proof: Proof,
    caller: Option<Caller>,
    uid: Option<u32>,
}

impl Credential {
    /// Who they are by now; none when it counts no more.
    pub(crate) async fn still(&self) -> Option<Actor> {
        match &self.caller {
            Some(caller) => known(&self.app, caller, Ok(self.proof.clone())).await.ok(),
            None => over_socket(&self.app, self.uid, Ok(self.proof.clone())).await.ok(),
        }
    }

    /// The user of this machine that the kernel says it is; none for whoever said it otherwise, or asks over the network.
    pub(crate) fn user(&self) -> Option<u32> {
        match (&self.proof, &self.caller) {
            (Proof::Connection, None) => self.uid,
            _ => None,
        }
    }

    /// Whose a link is that they ask for: it ends with the token or session that it was made with. See `view::drs::holder`.
    pub(crate) fn holder(&self, who: &Actor) -> String {
        let of = |prefix, text| secret::read(prefix, text).map(|shown| shown.id.to_owned());
        match &self.proof {
            Proof::Link(by) => by.clone(),
            Proof::Token(text) => match (of(token::PREFIX, text), of(session::PREFIX, text)) {
                (Some(id), _) => format!("t.{id}"),
                (None, Some(id)) => format!("s.{id}"),
                (None, None) => format!("p.{}", who.name),
            },
            Proof::Connection => format!("p.{}", who.name),
        }
    }
}

/// Lets only persons of the site through.
pub(crate) async fn recognize(State(app): State<App>, request: Request, next: Next) -> Response {
    let shown = in_header(request.headers());
    recognized(app, shown, request, next).await
}

/// The same at a page, where a session says it too. Whoever is not known yet is asked who they are, and then shown what they came for.
pub(crate) async fn recognize_visitor(State(app): State<App>, request: Request, next: Next) -> Response {
    let shown = by_visitor(request.headers());
    let reads = matches!(*request.method(), Method::GET | Method::HEAD);
    let over_network = request.extensions().get::<Caller>().is_some();
    let here = request.uri().path_and_query().map(ToString::to_string).unwrap_or_default();
    let response = recognized(app, shown, request, next).await;
    if over_network && reads && response.status() == StatusCode::UNAUTHORIZED {
        return sign_in::redirect(&here).into_response();
    }
    response
}

fn by_visitor(headers: &HeaderMap) -> Shown {
    match sign_in::shown(headers) {
        Some(session) if !headers.contains_key(header::AUTHORIZATION) => Ok(Proof::Token(session)),
        _ => in_header(headers),
    }
}

/// Who looks at a page that is not there; the refusal when it is nobody who is known, or who asks too often.
pub(crate) async fn visitor(app: &App, parts: &Parts) -> Result<Actor, Response> {
    who_asks(app, connection(&parts.extensions), by_visitor(&parts.headers)).await
}

/// The same where a signed link counts as well. A header counts before it: nobody is somebody else than they think.
pub(crate) async fn recognize_links(State(app): State<App>, request: Request, next: Next) -> Response {
    let query = request.uri().query().unwrap_or_default();
    let reads = matches!(*request.method(), Method::GET | Method::HEAD);
    if !reads || !link::is_link(query) || request.headers().contains_key(header::AUTHORIZATION) {
        return recognize(State(app), request, next).await;
    }
    let shown = match app.links().await {
        Ok(key) => key.verify(request.uri().path(), query, app.engine.options().clock.now()),
        Err(problem) => return problem.into_response(),
    };
    let shown = shown.map(Proof::Link).map_err(link::Wrong::words);
    recognized(app, shown, request, next).await
}

async fn recognized(app: App, shown: Shown, mut request: Request, next: Next) -> Response {
    let (caller, uid) = connection(request.extensions());
    let proof = shown.clone().unwrap_or(Proof::Connection);
    match who_asks(&app, (caller.clone(), uid), shown).await {
        Ok(actor) => {
            if let Proof::Token(text) = &proof
                && let Some(session) = secret::read(session::PREFIX, text)
            {
                let from = caller.as_ref().map(|caller| caller.address.to_string());
                app.seen.note(session.id, Look { at_us: app.engine.options().clock.now(), from });
            }
            request.extensions_mut().insert(actor);
            request.extensions_mut().insert(Credential { app, proof, caller, uid });
            next.run(request).await
        }
        Err(refused) => refused,
    }
}

/// Only the network door puts a caller there; a request without one came over the site's socket.
fn connection(extensions: &Extensions) -> (Option<Caller>, Option<u32>) {
    let uid = extensions.get::<ConnectInfo<Peer>>().and_then(|peer| peer.0.uid);
    (extensions.get::<Caller>().cloned(), uid)
}

async fn who_asks(app: &App, by: (Option<Caller>, Option<u32>), shown: Shown) -> Result<Actor, Response> {
    match by {
        (Some(caller), _) => over_network(app, &caller, shown).await,
        (None, uid) => over_socket(app, uid, shown).await.map_err(IntoResponse::into_response),
    }
}

async fn over_socket(app: &App, uid: Option<u32>, shown: Shown) -> Result<Actor, Problem> {
    // A wrong one is refused, whoever the user is: nobody acts as somebody else than they think.
    if let Some(known) = by_proof(app, &shown.map_err(Problem::not_allowed)?).await {
        return Ok(known?);
    }
    let uid = uid.ok_or_else(|| Problem::not_allowed("this connection does not say which user it is of"))?;
    (app.people)(uid)
        .ok_or_else(|| Problem::not_allowed(format!("user {uid} is no person of this site (`people:` in kentai.yaml)")))
}

/// Whoever asks, within what they may ask. Who guesses is counted by address, and never makes those wait who are known: behind a proxy
/// all have one address.
async fn over_network(app: &App, caller: &Caller, shown: Shown) -> Result<Actor, Response> {
    let known = known(app, caller, shown).await;
    let who = match &known {
        Ok(actor) => format!("person {}", actor.name),
        Err(_) => format!("address {}", caller.address),
    };
    caller.buckets.take(&who, Instant::now()).map_err(later)?;
    known
}

async fn known(app: &App, caller: &Caller, shown: Shown) -> Result<Actor, Response> {
    let proof = shown.map_err(|wrong| unknown("Bearer error=\"invalid_request\"", wrong))?;
    if let Some(known) = by_proof(app, &proof).await {
        return match known {
            Err(Refusal::NotAllowed(detail)) => Err(unknown("Bearer error=\"invalid_token\"", &detail)),
            other => other.map_err(|refusal| Problem::from(refusal).into_response()),
        };
    }
    let Some(certificate) = &caller.certificate else {
        return Err(unknown(
            "Bearer",
            "say who asks: with the header `Authorization: Bearer <token>`, or a client certificate",
        ));
    };
    if !certificate.is_good() {
        return Err(unknown("Bearer", "the client certificate has run out, or its authority is trusted no more"));
    }
    let Some(name) = (caller.certificates)(&certificate.sha256) else {
        let detail = format!(
            "the client certificate with SHA-256 {} is nobody's here (`client_certificates:` in kentai.yaml)",
            certificate.sha256
        );
        return Err(unknown("Bearer", &detail));
    };
    match app.engine.person(&name).await {
        Err(Refusal::NotAllowed(detail)) => Err(unknown("Bearer", &detail)),
        other => other.map_err(|refusal| Problem::from(refusal).into_response()),
    }
}

/// Who shows this; none: the connection has to say it.
async fn by_proof(app: &App, proof: &Proof) -> Option<Result<Actor, Refusal>> {
    match proof {
        Proof::Connection => None,
        Proof::Token(token) => Some(by_secret(app, token).await),
        Proof::Link(by) => Some(by_link(app, by).await),
    }
}

/// Whose token or session it is. Who was signed in as a user of this machine is whoever the site's file says that the user is now.
async fn by_secret(app: &App, shown: &str) -> Result<Actor, Refusal> {
    match app.engine.known(shown).await? {
        Known::Account(actor) => Ok(actor),
        Known::User { uid, name } => (app.people)(uid).filter(|actor| actor.name == name).ok_or_else(|| {
            Refusal::NotAllowed("this session is of a user whom the site does not know by this name any more".into())
        }),
    }
}

/// Whose link it is by now. Its time is over for who begins, and not for who is being answered.
async fn by_link(app: &App, by: &str) -> Result<Actor, Refusal> {
    let holder = drs::holder(app.engine.reader(), by, app.engine.options().clock.now()).await?;
    let ended = || Refusal::NotAllowed("this link is of somebody whose token or account counts no more".into());
    let (name, scopes) = holder.ok_or_else(ended)?;
    match app.engine.person(&name).await {
        Ok(actor) => Ok(Actor { scopes, ..actor }),
        Err(Refusal::NotAllowed(_)) => Err(ended()),
        Err(other) => Err(other),
    }
}

/// RFC 6750, section 3: what the client may show, and what was wrong with what it showed.
fn unknown(challenge: &'static str, detail: &str) -> Response {
    ([(header::WWW_AUTHENTICATE, challenge)], Problem::unknown(detail)).into_response()
}

fn later(wait: Duration) -> Response {
    // Whole seconds, and not one too early.
    let seconds = wait.as_secs_f64().ceil().max(1.0);
    let problem = Problem::too_many(format!("too many requests: again in {seconds} s"));
    ([(header::RETRY_AFTER, seconds.to_string())], problem).into_response()
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
