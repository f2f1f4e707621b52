//! Signing in with an account elsewhere: the way there, the way back, and the one-time code that an account here may ask for besides. What
//! the provider's word is worth, `auth::oidc` says; whose account it is and whether they may, the engine.
//!
//! The way there is a link and no form: browsers hold the policy `form-action` against every redirect of a form, and a provider sends
//! people on to hosts that nobody here could list. So no page of ours allows a form to leave.

mod words;

use askama::Template;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use axum::{Extension, Router};
use cookie::{Cookie, SameSite};
use kentai_engine::people::record::Identity;
use kentai_engine::scheduler::center::people::Arrived;
use serde::Deserialize;
use tokio::time::Instant;

use super::{Back, counted, form, opened, redirect};
use crate::App;
use crate::auth::oidc::flows::{Flow, LASTS, Stand};
use crate::auth::oidc::{Begun, Failure, Provider};
use crate::error::Problem;
use crate::listen::Caller;
use crate::page::form::{Posted, Wrong};
use crate::page::settings::local;
use crate::page::shape::Shape;
use crate::page::shell::{Place, Shell, page};
use crate::page::visit::{Manners, cookie};
use words::Words;

/// The cookie of somebody on the way, over TLS: a browser takes it from nobody but this host.
const SECURE: &str = "__Host-kentai-way";
/// The same where the way is this machine alone.
const PLAIN: &str = "kentai-way";

pub(crate) fn routes() -> Router<App> {
    Router::new()
        .route("/sign-in/oidc", get(begin))
        .route("/sign-in/oidc/callback", get(come_back))
        .route("/sign-in/oidc/code", post(give_code))
}

/// Where a code is asked for.
#[derive(Template)]
#[template(path = "sign_in_code.html")]
struct Code {
    shell: Shell,
    words: &'static Words,
    wrong: Wrong,
}

/// What the provider sends along.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Brought {
    #[serde(default)]
    code: String,
    #[serde(default)]
    state: String,
    #[serde(default)]
    error: String,
    iss: Option<String>,
}

/// What somebody typed.
#[derive(Deserialize)]
pub(crate) struct Typed {
    #[serde(default)]
    code: String,
}

/// One request on this way.
struct Visitor {
    app: App,
    manners: Manners,
    caller: Option<Caller>,
    headers: HeaderMap,
}

impl Visitor {
    fn new(app: App, manners: Manners, caller: Option<Extension<Caller>>, headers: HeaderMap) -> Self {
        // The address that they came by counts once: whoever changes the language begins again.
        let manners = manners.instead_at("/sign-in");
        Self { app, manners, caller: caller.map(|Extension(caller)| caller), headers }
    }

    fn provider(&self) -> Result<&Provider, Problem> {
        self.app.sign_on.provider().ok_or_else(|| Problem::not_found("nobody else says here who somebody is"))
    }

    fn encrypted(&self) -> bool {
        self.caller.as_ref().is_some_and(|caller| caller.encrypted)
    }

    fn from(&self) -> String {
        self.caller.as_ref().map(|caller| caller.address.to_string()).unwrap_or_default()
    }

    /// Takes off whoever shows this cookie.
    fn take(&self, provider: &Provider) -> Option<Flow> {
        let name = if self.encrypted() { SECURE } else { PLAIN };
        provider.flows.take(&cookie(&self.headers, name)?, Instant::now())
    }

    /// Remembers them; the browser keeps the secret as long as we do.
    fn remember(&self, provider: &Provider, flow: Flow, response: Response) -> Response {
        let secret = provider.flows.put(flow, Instant::now());
        with_cookie(response, &way(self.encrypted(), secret, i64::try_from(LASTS.as_secs()).unwrap_or(0)))
    }

    /// An answer to whoever is on the way no more.
    fn forget(&self, response: Response) -> Response {
        with_cookie(response, &way(self.encrypted(), String::new(), 0))
    }

    /// The form for names and passwords, with what was wrong on the other way.
    fn wrong(self, status: StatusCode, back: &str, said: String) -> Response {
        let mut wrong = Wrong::default();
        wrong.say("elsewhere", said);
        let manners = self.manners.clone();
        let response = (status, form(&self.app, manners, (String::new(), local(back)), wrong)).into_response();
        self.forget(response)
    }

    /// Whoever is on no way: nothing was asked, and nothing is proved.
    async fn stranger(self) -> Result<Response, Problem> {
        let said = self.words().not_on_the_way;
        if self.provider()?.flows.counts_stranger(Instant::now()) {
            return self.refused("not on the way", "/", said).await;
        }
        let said = self.named(said)?;
        Ok(self.wrong(StatusCode::FORBIDDEN, "/", said))
    }

    /// It is written down before it is said.
    async fn refused(self, why: &'static str, back: &str, said: &'static str) -> Result<Response, Problem> {
        self.app.engine.turn_away(why).await?;
        let said = self.named(said)?;
        Ok(self.wrong(StatusCode::FORBIDDEN, back, said))
    }

    fn words(&self) -> &'static Words {
        Words::of(self.manners.language)
    }

    /// A sentence about the provider.
    fn named(&self, sentence: &str) -> Result<String, Problem> {
        Ok(sentence.replace("{provider}", self.provider()?.label(self.manners.language)))
    }

    async fn failed(self, failure: Failure, back: &str) -> Result<Response, Problem> {
        let words = self.words();
        match failure {
            Failure::Away(why) => {
                tracing::warn!(why, "the provider for signing in is away");
                let said = self.named(words.away)?;
                Ok(self.wrong(StatusCode::SERVICE_UNAVAILABLE, back, said))
            }
            Failure::Refused(word, why) => {
                tracing::warn!(word, why, "what the provider for signing in says is not believed");
                self.refused(word, back, words.not_believed).await
            }
        }
    }

    /// Somebody has proved who they are elsewhere.
    async fn arrived(self, identity: Identity, back: &str, code: &str) -> Result<Response, Problem> {
        match self.app.engine.arrive(&identity, code).await? {
            Arrived::In(secret) => {
                let opened = opened(&self.app, &self.headers, self.caller.as_ref(), secret.0, local(back)).await?;
                Ok(self.forget(opened))
            }
            Arrived::NoCode => {
                let mut wrong = Wrong::default();
                wrong.say("code", self.words().code_wrong);
                self.code(identity, back, wrong, StatusCode::UNPROCESSABLE_ENTITY)
            }
            Arrived::Nobody => {
                let (words, claim) = (self.words(), self.provider()?.claim().word());
                let said = self.named(words.nobody)?.replace("{claim}", claim).replace("{value}", &identity.value);
                Ok(self.wrong(StatusCode::FORBIDDEN, back, said))
            }
        }
    }

    /// Asks for the code; who they are is kept until it comes.
    fn code(self, identity: Identity, back: &str, wrong: Wrong, status: StatusCode) -> Result<Response, Problem> {
        let shell = self.manners.clone().shell(None, Place::Elsewhere);
        let asked = (status, page(&Code { shell, words: self.words(), wrong })).into_response();
        let flow = Flow { stand: Stand::Proved(identity), back: back.to_owned(), from: self.from() };
        Ok(self.remember(self.provider()?, flow, asked))
    }
}

fn way(encrypted: bool, secret: String, seconds: i64) -> Cookie<'static> {
    Cookie::build((if encrypted { SECURE } else { PLAIN }, secret))
        .path("/")
        .http_only(true)
        .secure(encrypted)
        .same_site(SameSite::Lax)
        .max_age(cookie::time::Duration::seconds(seconds))
        .build()
}

fn with_cookie(mut response: Response, cookie: &Cookie<'_>) -> Response {
    if let Ok(value) = cookie.to_string().parse::<HeaderValue>() {
        response.headers_mut().append(header::SET_COOKIE, value);
    }
    response
}

/// `GET /sign-in/oidc`: to the provider.
async fn begin(
    State(app): State<App>,
    manners: Manners,
    caller: Option<Extension<Caller>>,
    headers: HeaderMap,
    Query(back): Query<Back>,
) -> Result<Response, Problem> {
    counted(caller.as_deref())?;
    // Nobody is sent there because another site wanted it: they see the form first.
    if headers.get("sec-fetch-site").is_some_and(|site| site == "cross-site") {
        return Ok(redirect(&back.back).into_response());
    }
    let visitor = Visitor::new(app, manners, caller, headers);
    let back = local(&back.back).to_owned();
    let Begun { address, question } = match visitor.provider()?.begin().await {
        Ok(begun) => begun,
        Err(failure) => return visitor.failed(failure, &back).await,
    };
    let flow = Flow { stand: Stand::Asked(question), back, from: visitor.from() };
    Ok(visitor.remember(visitor.provider()?, flow, Redirect::to(&address).into_response()))
}

/// `GET /sign-in/oidc/callback`: back from the provider.
async fn come_back(
    State(app): State<App>,
    manners: Manners,
    caller: Option<Extension<Caller>>,
    headers: HeaderMap,
    Query(brought): Query<Brought>,
) -> Result<Response, Problem> {
    counted(caller.as_deref())?;
    let visitor = Visitor::new(app, manners, caller, headers);
    let (provider, words) = (visitor.provider()?, visitor.words());
    let Some(Flow { stand: Stand::Asked(question), back, .. }) = visitor.take(provider) else {
        return visitor.stranger().await;
    };
    if !question.is_of(&brought.state) {
        return visitor.refused("state", &back, words.not_on_the_way).await;
    }
    if !provider.is_of_issuer(brought.iss.as_deref()) {
        return visitor.refused("issuer", &back, words.not_believed).await;
    }
    if !brought.error.is_empty() {
        return visitor.refused("provider", &back, words.provider_refused).await;
    }
    let identity = match provider.finish(&brought.code, question).await {
        Ok(identity) => identity,
        Err(failure) => return visitor.failed(failure, &back).await,
    };
    match visitor.app.engine.asks_for_code(&identity).await? {
        Some(true) => visitor.code(identity, &back, Wrong::default(), StatusCode::OK),
        Some(false) | None => visitor.arrived(identity, &back, "").await,
    }
}

/// `POST /sign-in/oidc/code`
async fn give_code(
    State(app): State<App>,
    manners: Manners,
    caller: Option<Extension<Caller>>,
    headers: HeaderMap,
    Posted(typed): Posted<Typed>,
) -> Result<Response, Problem> {
    counted(caller.as_deref())?;
    let visitor = Visitor::new(app, manners, caller, headers);
    match visitor.take(visitor.provider()?) {
        Some(Flow { stand: Stand::Proved(identity), back, .. }) => {
            visitor.arrived(identity, &back, typed.code.trim()).await
        }
        _ => visitor.stranger().await,
    }
}
