//! Packages as their receivers fetch them: files with ranges, an index that `rclone` and people read, a Metalink file, `fetch.txt`.
//!
//! A file may also be asked for by a link that was signed for it ([`link`]), and by nothing else that it would open.
//! Right and consent are looked up for each request and, as long as bytes flow, again and again: what is taken back ends at once.

pub(crate) mod link;

use std::fs::File;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{Path, State};
use axum::http::{Extensions, HeaderMap, HeaderValue, Method, header};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use kentai_engine::port::courier;
use kentai_engine::scheduler::Actor;
use kentai_engine::scheduler::center::request::Request;
use kentai_engine::scheduler::handle::Handle;
use kentai_engine::view::center::Refused;
use kentai_engine::view::offer::{self, Seen, Served};
use tokio_util::sync::CancellationToken;

use crate::App;
use crate::download::{self, Guard, Object, Piece};
use crate::error::Problem;
use crate::listen::Caller;
use crate::peer::{Credential, Person};

/// Between two looks whether bytes may still flow. A withdrawal is promised to end them within five seconds.
const LOOK_AGAIN: Duration = Duration::from_secs(1);
/// Names of what is made for an address rather than packed.
const METALINK: &str = ".meta4";
const FETCH: &str = "fetch.txt";

/// Routes beneath `/deliveries`.
pub(crate) fn routes() -> Router<App> {
    Router::new()
        .route("/deliveries/", get(list))
        .route("/deliveries/{delivery}", get(metalink))
        .route("/deliveries/{delivery}/", get(index))
        .route("/deliveries/{delivery}/{*path}", get(file))
}

/// `GET /deliveries/`: what is offered, as links.
async fn list(State(app): State<App>, Person(who): Person) -> Result<Response, Problem> {
    let mut names = Vec::new();
    let mut after = 0;
    loop {
        let feed = offer::feed(app.engine.reader(), &who.principal(), after, PAGE).await?;
        names.extend(feed.items.iter().filter(|item| item.status.is_open()).map(|item| format!("{}/", item.delivery)));
        after = feed.next.parse().unwrap_or(i64::MAX);
        if feed.items.len() < usize::try_from(PAGE).unwrap_or(usize::MAX) {
            return Ok(links("Deliveries", &names));
        }
    }
}

/// Offers that are read at once.
const PAGE: i64 = 1_000;

/// `GET /deliveries/{delivery}/`: its files, as links.
async fn index(State(app): State<App>, Person(who): Person, Path(delivery): Path<String>) -> Result<Response, Problem> {
    let seen = seen(&app, &who, &delivery).await?;
    Ok(links(seen.folder(), &paths(&app, &who, &delivery, "").await?))
}

/// Names beneath a folder of the package, folders once and with their slash.
async fn paths(app: &App, who: &Actor, delivery: &str, folder: &str) -> Result<Vec<String>, Problem> {
    let detail = offer::offer(app.engine.reader(), &who.principal(), delivery).await?;
    let mut names = Vec::new();
    for entry in &detail.entries {
        let Some(rest) = entry.path.strip_prefix(folder) else { continue };
        let name = rest.split_inclusive('/').next().unwrap_or(rest).to_owned();
        if !names.contains(&name) {
            names.push(name);
        }
    }
    Ok(names)
}

/// `GET /deliveries/{delivery}.meta4`: the Metalink file.
async fn metalink(
    State(app): State<App>,
    Person(who): Person,
    Path(name): Path<String>,
    headers: HeaderMap,
    request: axum::extract::Request,
) -> Result<Response, Problem> {
    let Some(delivery) = name.strip_suffix(METALINK) else {
        // A folder is asked for by its slash; what is not there is not there.
        seen(&app, &who, &name).await?;
        let place = HeaderValue::from_str(&format!("/deliveries/{name}/")).map_err(|_| Problem::bad("no such name"))?;
        return Ok((axum::http::StatusCode::PERMANENT_REDIRECT, [(header::LOCATION, place)]).into_response());
    };
    let seen = seen(&app, &who, delivery).await?;
    let text = offer::metalink(app.engine.reader(), &seen, &base(&headers, &request)?).await?;
    Ok(([(header::CONTENT_TYPE, HeaderValue::from_static("application/metalink4+xml"))], text).into_response())
}

/// `GET|HEAD /deliveries/{delivery}/{path}`: a file of the package.
async fn file(
    State(app): State<App>,
    Person(who): Person,
    Path((delivery, path)): Path<(String, String)>,
    credential: Option<axum::Extension<Credential>>,
    request: axum::extract::Request,
) -> Result<Response, Problem> {
    let (method, headers) = (request.method().clone(), request.headers().clone());
    let seen = seen(&app, &who, &delivery).await?;
    if path == FETCH {
        let text = offer::holes(app.engine.reader(), &seen, &base(&headers, &request)?).await?;
        return Ok(
            ([(header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"))], text).into_response()
        );
    }
    if path.ends_with('/') {
        let names = paths(&app, &who, &delivery, &path).await?;
        if names.is_empty() {
            return Err(Problem::not_found(format!("there is no file `{}`", path.escape_debug())));
        }
        return Ok(links(&path, &names));
    }
    let served = offer::file(app.engine.reader(), app.engine.artifacts(), &seen, &path).await?;
    let asker = Asker { engine: app.engine.clone(), who, credential: credential.map(|it| it.0), delivery, path };
    let ended = CancellationToken::new();
    let object = tokio::task::spawn_blocking(move || object(&served))
        .await
        .map_err(|panic| Problem::internal(&panic))?
        .map_err(|error| gone(&error))?;
    let size = object.size();
    // Two words: a connection whose answer is `ended` is broken off, with whatever still lies in its socket.
    let sent = CancellationToken::new();
    tokio::spawn(asker.clone().watch(ended.clone(), sent.clone()));
    let sent = sent.drop_guard();
    let begun = asker.clone();
    let guard = Guard::new(ended).telling(move |told| {
        drop(sent);
        let whole = told.complete && told.first + told.bytes == size;
        if whole {
            tokio::spawn(async move {
                if let Err(problem) = asker.tell(true).await {
                    tracing::warn!(?problem, "that a file was sent could not be written down");
                }
            });
        }
    });
    let response = download::answer(&method, &headers, object, guard);
    // Written down before a byte leaves, and only when one does.
    if method == Method::GET && response.status().is_success() {
        begun.tell(false).await?;
    }
    Ok(response)
}

/// Whoever fetches a file, and with what they said who they are.
#[derive(Clone)]
struct Asker {
    engine: Handle,
    who: Actor,
    credential: Option<Credential>,
    delivery: String,
    path: String,
}

impl Asker {
    /// Looks again and again whether they still may, until everything is sent.
    async fn watch(self, ended: CancellationToken, sent: CancellationToken) {
        loop {
            tokio::select! {
                () = sent.cancelled() => return,
                () = tokio::time::sleep(LOOK_AGAIN) => {}
            }
            if let Err(reason) = self.may().await {
                tracing::info!(delivery = self.delivery, path = self.path, reason, "a download is cut off");
                ended.cancel();
                return;
            }
        }
    }

    async fn may(&self) -> Result<(), String> {
        let who = match &self.credential {
            Some(credential) => credential.still().await.ok_or("who asks is not known any more")?,
            None => self.who.clone(),
        };
        let now = self.engine.options().clock.now();
        let seen = offer::fetchable(self.engine.reader(), &who.principal(), &self.delivery, now).await;
        seen.map(drop).map_err(|refused| refused.to_string())
    }

    async fn tell(&self, whole: bool) -> Result<(), Problem> {
        let request = Request::Fetched { delivery: self.delivery.clone(), path: self.path.clone(), whole };
        self.engine.center(request, &self.who).await?;
        Ok(())
    }
}

async fn seen(app: &App, who: &Actor, delivery: &str) -> Result<Seen, Refused> {
    offer::fetchable(app.engine.reader(), &who.principal(), delivery, app.engine.options().clock.now()).await
}

/// The file with its bytes at hand. Blocking.
fn object(served: &Served) -> std::io::Result<Object> {
    let Served { entry, modified_us, .. } = served;
    let piece = |piece: &courier::Piece| match piece {
        courier::Piece::Bytes(bytes) => Ok(Piece::Text(bytes.to_vec().into())),
        courier::Piece::File { path, size, .. } => Ok(Piece::whole(Arc::new(File::open(path)?), *size)),
    };
    Ok(Object {
        pieces: entry.pieces.iter().map(piece).collect::<std::io::Result<_>>()?,
        sha256: download::from_hex(&entry.sha256).unwrap_or_default(),
        md5: download::from_hex(&entry.md5),
        modified_us: *modified_us,
        media_type: "application/octet-stream".into(),
        file_name: entry.path.rsplit('/').next().unwrap_or_default().to_owned(),
    })
}

/// A file that consent closed, or that an archive took.
fn gone(error: &std::io::Error) -> Problem {
    match error.kind() {
        std::io::ErrorKind::NotFound | std::io::ErrorKind::PermissionDenied => {
            Problem::gone("its bytes are not here any more")
        }
        _ => Problem::internal(error),
    }
}

/// `https://center.example:8443`, as the asker spelled it.
pub(crate) fn base(headers: &HeaderMap, request: &axum::extract::Request) -> Result<String, Problem> {
    based(headers, request.extensions())
}

/// The same of a request that was taken apart.
pub(crate) fn based(headers: &HeaderMap, extensions: &Extensions) -> Result<String, Problem> {
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or("localhost");
    let good = host.parse::<axum::http::uri::Authority>().is_ok() && !host.contains('@');
    if !good {
        return Err(Problem::bad("the header Host is no host"));
    }
    let secure = extensions.get::<Caller>().is_some_and(|caller| caller.encrypted);
    let scheme = if secure { "https" } else { "http" };
    Ok(format!("{scheme}://{host}"))
}

/// A page of links, relative, in their order: what `rclone` and people read. Names are ids and file names, and escaped all the same.
fn links(title: &str, names: &[String]) -> Response {
    let escaped = |text: &str| text.replace('&', "&amp;").replace('<', "&lt;").replace('"', "&quot;");
    let mut page =
        format!("<!DOCTYPE html>\n<html lang=\"en\">\n<title>{0}</title>\n<h1>{0}</h1>\n<ul>\n", escaped(title));
    for name in names {
        page.push_str(&format!(
            "<li><a href=\"{}\">{}</a></li>\n",
            kentai_engine::handoff::name::address(name),
            escaped(name)
        ));
    }
    page.push_str("</ul>\n</html>\n");
    Html(page).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_name_leaves_its_link_and_its_page_alone() {
        let name = "a\"><script>&.vcf".to_owned();
        let page = links("<b>&", &[name]).into_body();
        let page = axum::body::to_bytes(page, usize::MAX).await.expect("whole");
        let page = String::from_utf8_lossy(&page);
        assert!(page.contains("<h1>&lt;b>&amp;</h1>"), "{page}");
        assert!(page.contains(">a&quot;>&lt;script>&amp;.vcf</a>"), "{page}");
        assert!(page.contains("href=\"a%22%3E%3Cscript%3E"), "{page}");
        assert!(!page.contains("<b>") && !page.contains("<script"), "{page}");
    }
}
