//! GA4GH DRS 1.5, to be read: objects, the addresses of their bytes, both also in bulk. Errors are DRS's own, not problem documents.
//!
//! Authorization is a bearer token, also where a passport may be sent: a passport is passed over. It knows how to ask the view, and
//! nothing of packages but how a link is signed.

mod body;
mod bulk;

use std::time::Duration;

use axum::extract::{FromRequestParts, Request, State};
use axum::http::request::Parts;
use axum::http::{Method, Uri};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, options, post};
use axum::{Extension, Json, Router};
use kentai_engine::clock::Micros;
use kentai_engine::people::permission::Principal;
use kentai_engine::scheduler::Actor;
use kentai_engine::view::center::Refused;
use kentai_engine::view::drs::{self, Authorizations, Object};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Value, json};

use crate::App;
use crate::error::Problem;
use crate::extract::{Asked, Named, Names};
use crate::ga4gh;
use crate::packages::based;
use crate::peer::{Credential, Person, recognize};
use body::Sent;
use bulk::IDS_MAX;

/// Where the standard wants it.
pub(crate) const BASE: &str = "/ga4gh/drs/v1";
/// A full bulk request fits in a tenth of it.
const BODY_BYTES_MAX: usize = 1 << 20;
/// A full bulk request takes a second or two.
const TIME_MAX: Duration = Duration::from_secs(60);

/// Routes beneath [`BASE`].
pub(crate) fn routes(app: &App) -> Router<App> {
    let theirs = Router::new()
        .route("/objects/{object_id}", get(show).post(show_posted))
        .route("/objects/{object_id}/access/{access_id}", get(access).post(access_posted))
        .route("/objects", post(bulk::objects))
        .route("/objects/access", post(bulk::accesses))
        .layer(middleware::from_fn_with_state(app.clone(), recognize));
    // How somebody may say who they are is told to whoever did not say it yet.
    Router::new()
        .route("/service-info", get(service_info))
        .route("/objects/{object_id}", options(authorizations))
        .route("/objects", options(bulk::authorizations))
        .merge(theirs)
        .fallback(no_such_route)
        .method_not_allowed_fallback(no_such_method)
        .layer(axum::extract::DefaultBodyLimit::max(BODY_BYTES_MAX))
        .layer(middleware::from_fn(within))
        .layer(middleware::map_response(ga4gh::in_words))
}

/// `GET /service-info` (GA4GH service-info 1.0.0). How much there is is nobody's business who has not said who they are.
async fn service_info(State(app): State<App>, here: Here) -> Json<Value> {
    let site = &app.engine.options().site;
    Json(json!({
        "id": format!("{}.drs", here.host),
        "name": format!("{site}: files for data centers"),
        "type": { "group": "org.ga4gh", "artifact": "drs", "version": "1.5.0" },
        "organization": { "name": site, "url": format!("{}/", here.base) },
        "version": env!("CARGO_PKG_VERSION"),
        "maxBulkRequestLength": IDS_MAX,
        "drs": { "maxBulkRequestLength": IDS_MAX },
    }))
}

/// `OPTIONS /objects/{object_id}`: the same for every id, so that it tells of none.
async fn authorizations(Named(id): Named) -> Json<Authorizations> {
    Json(Authorizations::of(&id))
}

/// What may stand behind the `?`, or in the body.
#[derive(Debug, Default, Deserialize)]
struct Wish {
    #[serde(default)]
    expand: bool,
    #[serde(default)]
    #[expect(dead_code, reason = "checked, and passed over")]
    passports: Vec<String>,
}

/// Only what may stand behind the `?`.
#[derive(Debug, Default, Deserialize)]
struct Query {
    #[serde(default, deserialize_with = "flag")]
    expand: bool,
}

/// A truth value in an address, capitals or not: GA4GH's own client writes `True`.
fn flag<'de, D: Deserializer<'de>>(from: D) -> Result<bool, D::Error> {
    let text = String::deserialize(from)?;
    text.to_ascii_lowercase().parse().map_err(|_| D::Error::custom("it must be true or false"))
}

/// `GET /objects/{object_id}`
async fn show(here: Here, Asked(wish): Asked<Query>, Named(id): Named) -> Result<Json<Object>, Problem> {
    Ok(Json(here.object(&id, wish.expand).await??))
}

/// `POST /objects/{object_id}`
async fn show_posted(here: Here, Named(id): Named, Sent(wish): Sent<Wish>) -> Result<Json<Object>, Problem> {
    Ok(Json(here.object(&id, wish.expand).await??))
}

/// `AccessURL`
#[derive(Serialize)]
struct AccessUrl {
    /// It holds its own proof: no header goes with it.
    url: String,
}

/// `GET /objects/{object_id}/access/{access_id}`
async fn access(here: Here, Names(id, access): Names) -> Result<Json<AccessUrl>, Problem> {
    Ok(Json(AccessUrl { url: here.link(&id, &access).await?? }))
}

/// `POST /objects/{object_id}/access/{access_id}`
async fn access_posted(here: Here, Names(id, access): Names, Sent(_): Sent<Wish>) -> Result<Json<AccessUrl>, Problem> {
    Ok(Json(AccessUrl { url: here.link(&id, &access).await?? }))
}

/// Who asks, under which address of ours, and when.
struct Here {
    app: App,
    /// `https://center.example:8443`
    base: String,
    /// `center.example`
    host: String,
    asker: Option<(Actor, Principal, Credential)>,
    now: Micros,
}

impl FromRequestParts<App> for Here {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        let base = based(&parts.headers, &parts.extensions)?;
        let host = base.parse::<Uri>().ok().and_then(|uri| uri.host().map(str::to_owned)).unwrap_or_default();
        let who = Person::from_request_parts(parts, app).await.ok();
        let credential = Extension::<Credential>::from_request_parts(parts, app).await.ok();
        let asker = who.zip(credential).map(|(Person(who), Extension(credential))| {
            let principal = who.principal();
            (who, principal, credential)
        });
        Ok(Self { app: app.clone(), base, host, asker, now: app.engine.options().clock.now() })
    }
}

impl Here {
    fn asker(&self) -> Result<(drs::Asker<'_>, &Actor, &Credential), Problem> {
        // Absent only on a route outside of `recognize`: then nobody may.
        let nobody = || Problem::not_allowed("this is for persons of the site");
        let (actor, who, credential) = self.asker.as_ref().ok_or_else(nobody)?;
        let asker = drs::Asker { reader: self.app.engine.reader(), who, now: self.now, host: &self.host };
        Ok((asker, actor, credential))
    }

    async fn object(&self, id: &str, expand: bool) -> Looked<Object> {
        looked(drs::object(&self.asker()?.0, id, expand).await)
    }

    /// An address of an object's bytes that counts for minutes.
    async fn link(&self, id: &str, access: &str) -> Looked<String> {
        let (asker, who, credential) = self.asker()?;
        let path = match looked(drs::place(&asker, id, access).await)? {
            Ok(path) => path,
            Err(missing) => return Ok(Err(missing)),
        };
        let link = self.app.links().await?.sign(&path, &credential.holder(who), self.now);
        Ok(Ok(format!("{}{link}", self.base)))
    }
}

/// What is not there. Among many it is no error of the whole.
struct Missing(String);

impl From<Missing> for Problem {
    fn from(missing: Missing) -> Self {
        Self::not_found(missing.0)
    }
}

/// What was found, or is not there; or why nobody could look.
type Looked<T> = Result<Result<T, Missing>, Problem>;

fn looked<T>(result: Result<T, Refused>) -> Looked<T> {
    match result {
        Ok(found) => Ok(Ok(found)),
        Err(Refused::NotFound(detail)) => Ok(Err(Missing(detail))),
        Err(refused) => Err(refused.into()),
    }
}

async fn no_such_route(uri: Uri) -> Problem {
    Problem::not_found(format!("there is nothing at {BASE}{}", uri.path()))
}

async fn no_such_method(method: Method, uri: Uri) -> Problem {
    Problem::method(&method, &format!("{BASE}{}", uri.path()))
}

/// Answers in time, if only to say that it cannot.
async fn within(request: Request, next: Next) -> Response {
    match tokio::time::timeout(TIME_MAX, next.run(request)).await {
        Ok(response) => response,
        Err(_) => Problem::unreachable("there was no answer in time").into_response(),
    }
}
