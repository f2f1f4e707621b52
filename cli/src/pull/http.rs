//! A center as its receiver reaches it: the feed, offers, bytes, receipts. It speaks the protocol and nothing else; what is kept of
//! the bytes, and how often is tried, is decided elsewhere.

use std::ops::Range;
use std::time::Duration;

use jiff::Timestamp;
use kentai_engine::handoff::offer::{Detail, Entry, Feed};
use kentai_engine::handoff::receipt::{Answer, Receipt};
use reqwest::header::{self, HeaderMap};
use reqwest::{Method, RequestBuilder, Response, StatusCode, Url};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use zeroize::Zeroizing;

use super::backoff::Backoff;
use super::settings::Settings;
use super::{Failure, tls};
use crate::exit::Exit;
use crate::output::{plain, shortened};

/// To reach the center at all.
const CONNECT_MAX: Duration = Duration::from_secs(30);
/// Without a single byte.
const SILENCE_MAX: Duration = Duration::from_secs(90);
/// An offer with as many files as there may be stays below.
const ANSWER_BYTES_MAX: usize = 128 << 20;
/// A problem has a few lines.
const PROBLEM_BYTES_MAX: usize = 64 << 10;
/// Offers in one answer.
const PAGE: &str = "200";

/// A center, with what shows it who we are. No Debug: the token is in it.
pub(crate) struct Center {
    http: reqwest::Client,
    base: Url,
    token: Option<Zeroizing<String>>,
}

/// Why a request was of no use.
#[derive(Debug, thiserror::Error)]
pub(super) enum Trouble {
    /// No answer, or one that was cut: another try may do better.
    #[error("{0}")]
    Silent(String),
    /// The center cannot now.
    #[error("{said}")]
    Busy { said: String, after: Option<Duration> },
    /// The center will not.
    #[error("{said}")]
    Refused { exit: Exit, said: String },
    /// Under this address are other bytes than were offered.
    #[error("`{0}` was replaced by another file")]
    Replaced(String),
    /// The whole file came instead of a part.
    #[error("the center does not give parts of `{0}`")]
    NoRanges(String),
    /// It does not keep to the protocol.
    #[error("{0}: is that a kentai center, or does something stand between?")]
    Odd(String),
    /// The disk on this side.
    #[error(transparent)]
    Here(Failure),
}

impl Trouble {
    fn silent(what: &str, error: &reqwest::Error) -> Self {
        // reqwest puts the whole address into its words; the place is said once.
        let mut chain = Vec::new();
        let mut source = std::error::Error::source(error);
        while let Some(cause) = source {
            chain.push(cause.to_string());
            source = cause.source();
        }
        let told = if chain.is_empty() { error.to_string() } else { chain.join(": ") };
        Self::Silent(format!("{what}: {told}"))
    }

    /// What a person is told.
    pub(super) fn failure(self) -> Failure {
        let message = plain(&self.to_string());
        match self {
            Self::Here(failure) => failure,
            Self::Refused { exit, .. } => Failure::new(exit, message),
            Self::Silent(_) | Self::Busy { .. } | Self::Odd(_) | Self::NoRanges(_) | Self::Replaced(_) => {
                Failure::new(Exit::Unreachable, message)
            }
        }
    }
}

/// The part of RFC 9457 that is shown.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Problem {
    detail: String,
}

impl Center {
    /// A center by its settings.
    pub(crate) fn new(settings: &Settings, token: Option<Zeroizing<String>>) -> Result<Self, Failure> {
        let base = base(&settings.base)?;
        if token.is_none() && settings.certificate.is_none() {
            let message = "there is neither a token nor a client certificate: call `kentai pull login` again";
            return Err(Failure::new(Exit::NotAllowed, message));
        }
        let http = reqwest::Client::builder()
            .tls_backend_preconfigured(tls::config(settings, base.scheme() == "https")?)
            // A token goes to the center and to nobody else, wherever it is sent on to.
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(CONNECT_MAX)
            .read_timeout(SILENCE_MAX)
            .user_agent(concat!("kentai/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|error| Trouble::silent("prepare the client", &error).failure())?;
        Ok(Self { http, base, token })
    }

    /// What changed after the cursor; waits for so many seconds when there is nothing.
    pub(super) async fn feed(&self, after: Option<&str>, wait: u32) -> Result<Feed, Trouble> {
        let mut url = self.api(&["offers"]);
        {
            let mut query = url.query_pairs_mut();
            query.append_pair("limit", PAGE);
            after.map(|after| query.append_pair("after", after));
            if wait > 0 {
                query.append_pair("wait", &wait.to_string());
            }
        }
        self.json(self.request(Method::GET, url), "the offers").await
    }

    /// One offer with its files. Nothing of it is checked yet.
    pub(super) async fn detail(&self, delivery: &str) -> Result<Detail, Trouble> {
        let url = self.api(&["offers", delivery]);
        self.json(self.request(Method::GET, url), &format!("offer {delivery}")).await
    }

    /// The same, asked for as often as it takes.
    pub(crate) async fn patient_detail(&self, tries: u32, delivery: &str) -> Result<Detail, Failure> {
        patiently(tries, async || self.detail(delivery).await).await.map_err(Trouble::failure)
    }

    /// Hands in a receipt; the same again gives the same answer.
    pub(super) async fn receipt(&self, delivery: &str, receipt: &Receipt) -> Result<Answer, Trouble> {
        let url = self.api(&["offers", delivery, "receipts"]);
        self.json(self.request(Method::POST, url).json(receipt), &format!("the receipt of {delivery}")).await
    }

    /// Bytes of a file: the whole of it, or a part that follows what is here. Only the bytes that were offered, or none.
    pub(super) async fn open(&self, entry: &Entry, part: Option<&Range<u64>>) -> Result<Response, Trouble> {
        let tag = format!("\"{}\"", entry.sha256);
        let mut request = self.request(Method::GET, self.address(&entry.url)?);
        if let Some(part) = part {
            let range = format!("bytes={}-{}", part.start, part.end - 1);
            request = request.header(header::RANGE, range).header(header::IF_RANGE, &tag);
        }
        let response = request.send().await.map_err(|error| Trouble::silent(&entry.path, &error))?;
        if response.status() == StatusCode::RANGE_NOT_SATISFIABLE {
            // A part of what was offered is not there: then it is another file.
            return Err(Trouble::Replaced(entry.path.clone()));
        }
        let response = self.success(response, &entry.path).await?;
        let headers = response.headers();
        no_coding(headers, &entry.path)?;
        match text(headers, header::ETAG) {
            Some(found) if found == tag => {}
            Some(_) => return Err(Trouble::Replaced(entry.path.clone())),
            None => return Err(Trouble::Odd(format!("`{}` comes without its ETag", entry.path))),
        }
        let wanted = match (response.status(), part) {
            (StatusCode::OK, None) => entry.size,
            (StatusCode::PARTIAL_CONTENT, Some(part)) => {
                let said = text(headers, header::CONTENT_RANGE).unwrap_or_default();
                let wanted = format!("bytes {}-{}/{}", part.start, part.end - 1, entry.size);
                if said != wanted {
                    return Err(Trouble::Odd(format!("`{}`: `{said}` came for `{wanted}`", entry.path)));
                }
                part.end - part.start
            }
            (StatusCode::OK, Some(_)) => return Err(Trouble::NoRanges(entry.path.clone())),
            (status, _) => return Err(Trouble::Odd(format!("`{}` is answered with {status}", entry.path))),
        };
        match response.content_length() {
            Some(length) if length != wanted => {
                Err(Trouble::Odd(format!("`{}`: {length} bytes are sent and {wanted} were offered", entry.path)))
            }
            _ => Ok(response),
        }
    }

    /// An address of an offer. It must be the center's own: the token is sent there.
    fn address(&self, url: &str) -> Result<Url, Trouble> {
        let odd = || Trouble::Odd(format!("the offer leads to `{}`, which is not the center", shortened(url, 200)));
        let absolute = if url.starts_with('/') && !url.starts_with("//") {
            format!("{}{url}", self.base.as_str().trim_end_matches('/'))
        } else {
            url.to_owned()
        };
        let found = Url::parse(&absolute).map_err(|_| odd())?;
        let own = found.origin() == self.base.origin() && found.username().is_empty() && found.password().is_none();
        if own { Ok(found) } else { Err(odd()) }
    }

    fn api(&self, path: &[&str]) -> Url {
        let mut url = self.base.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().extend(["api", "v1"]).extend(path);
        }
        url
    }

    fn request(&self, method: Method, url: Url) -> RequestBuilder {
        // Checksums are of the bytes as they are: nobody on the way may pack them.
        let request = self.http.request(method, url).header(header::ACCEPT_ENCODING, "identity");
        match &self.token {
            Some(token) => request.bearer_auth(token.as_str()),
            None => request,
        }
    }

    async fn json<T: DeserializeOwned>(&self, request: RequestBuilder, what: &str) -> Result<T, Trouble> {
        let response = request.send().await.map_err(|error| Trouble::silent(what, &error))?;
        let response = self.success(response, what).await?;
        no_coding(response.headers(), what)?;
        let bytes = body(response, what, ANSWER_BYTES_MAX).await?;
        serde_json::from_slice(&bytes).map_err(|error| Trouble::Odd(format!("{what} cannot be read: {error}")))
    }

    async fn success(&self, response: Response, what: &str) -> Result<Response, Trouble> {
        let status = response.status();
        if status.is_success() {
            return Ok(response);
        }
        if status.is_redirection() {
            let place = text(response.headers(), header::LOCATION).unwrap_or_default().to_owned();
            let said = format!(
                "{what}: the center sends on to `{}`; that is not followed, so that the token stays here: log in with the \
                 address that is meant",
                shortened(&place, 200)
            );
            return Err(Trouble::Refused { exit: Exit::Unreachable, said });
        }
        let after = text(response.headers(), header::RETRY_AFTER).and_then(retry_after);
        let told = body(response, what, PROBLEM_BYTES_MAX).await.unwrap_or_default();
        let problem: Problem = serde_json::from_slice(&told).unwrap_or_default();
        let detail = if problem.detail.is_empty() { status.to_string() } else { shortened(&problem.detail, 1000) };
        let said = format!("{what}: the center says: {detail}");
        let exit = match status.as_u16() {
            408 | 425 | 429 | 500..=599 => return Err(Trouble::Busy { said, after }),
            401 | 403 => Exit::NotAllowed,
            404 | 410 => Exit::NotFound,
            409 | 412 => Exit::State,
            422 => Exit::CheckFailed,
            _ => Exit::Unexpected,
        };
        Err(Trouble::Refused { exit, said })
    }
}

/// The center's address, as `login` was given it.
pub(crate) fn base(text: &str) -> Result<Url, Failure> {
    let bad = |why: &str| Failure::new(Exit::Usage, format!("`{text}` is no address of a center: {why}"));
    let url = Url::parse(text).map_err(|error| bad(&error.to_string()))?;
    let host = url.host_str().ok_or_else(|| bad("it names no machine"))?;
    if !url.username().is_empty() || url.password().is_some() || url.query().is_some() || url.fragment().is_some() {
        return Err(bad("it must be a plain address like https://center.example:8443"));
    }
    let is_here = matches!(host, "localhost" | "127.0.0.1" | "[::1]");
    match url.scheme() {
        "https" => Ok(url),
        "http" if is_here => Ok(url),
        _ => Err(bad("it must begin with https://, or everybody on the way could read the token and the data")),
    }
}

/// Tries until it succeeds, or until it is of no use.
pub(super) async fn patiently<T>(
    tries: u32,
    mut request: impl AsyncFnMut() -> Result<T, Trouble>,
) -> Result<T, Trouble> {
    let mut backoff = Backoff::new(tries);
    loop {
        let trouble = match request().await {
            Err(trouble @ (Trouble::Silent(_) | Trouble::Busy { .. })) => trouble,
            other => return other,
        };
        let asked = if let Trouble::Busy { after, .. } = &trouble { *after } else { None };
        let Some(wait) = backoff.failed(asked) else { return Err(trouble) };
        tracing::info!(trouble = %trouble, wait_ms = wait.as_millis(), "tried again");
        tokio::time::sleep(wait).await;
    }
}

fn no_coding(headers: &HeaderMap, what: &str) -> Result<(), Trouble> {
    match text(headers, header::CONTENT_ENCODING) {
        None | Some("identity") => Ok(()),
        Some(coding) => Err(Trouble::Odd(format!("{what} comes packed as `{coding}`, which was not asked for"))),
    }
}

/// Never holds more than is allowed, whatever is sent.
async fn body(mut response: Response, what: &str, most: usize) -> Result<Vec<u8>, Trouble> {
    let mut bytes = Vec::new();
    while let Some(more) = response.chunk().await.map_err(|error| Trouble::silent(what, &error))? {
        if bytes.len() + more.len() > most {
            return Err(Trouble::Odd(format!("{what} has more than {most} bytes")));
        }
        bytes.extend_from_slice(&more);
    }
    Ok(bytes)
}

fn text(headers: &HeaderMap, name: header::HeaderName) -> Option<&str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

/// Seconds, or a date (RFC 9110, section 10.2.3).
fn retry_after(text: &str) -> Option<Duration> {
    if let Ok(seconds) = text.trim().parse() {
        return Some(Duration::from_secs(seconds));
    }
    let at = jiff::fmt::rfc2822::parse(text).ok()?;
    let seconds = at.timestamp().duration_since(Timestamp::now()).as_secs();
    u64::try_from(seconds).ok().map(Duration::from_secs)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn center(address: &str) -> Center {
        let settings = Settings { base: address.into(), ..Settings::default() };
        let token = Some(Zeroizing::new("t".to_owned()));
        let base = base(&settings.base).expect("an address");
        let settings = Settings { base: "http://localhost".into(), ..settings };
        Center { base, ..Center::new(&settings, token).expect("a client") }
    }

    #[test]
    fn a_token_is_sent_to_the_center_and_to_nobody_else() {
        let center = center("https://center.example:8443/kentai/");
        let own = center.address("/deliveries/d1/bagit.txt").expect("its own");
        assert_eq!(own.as_str(), "https://center.example:8443/kentai/deliveries/d1/bagit.txt");
        assert!(center.address("https://center.example:8443/x").is_ok());
        for other in [
            "https://center.example/x",
            "http://center.example:8443/x",
            "//evil.example/x",
            "https://evil.example:8443/x",
            "https://u:p@center.example:8443/x",
            "deliveries/d1",
            "file:///etc/passwd",
        ] {
            assert!(center.address(other).is_err(), "{other}");
        }
        assert_eq!(center.api(&["offers", "a/b"]).path(), "/kentai/api/v1/offers/a%2Fb");
    }

    #[test]
    fn an_address_is_one_that_nobody_can_listen_to() {
        for good in ["https://center.example", "http://127.0.0.1:8080", "http://localhost/x"] {
            assert!(base(good).is_ok(), "{good}");
        }
        for bad in ["http://center.example", "ftp://x", "center.example", "https://u@x", "https://x/?a=b", ""] {
            assert!(base(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_center_says_when_to_come_back_in_two_ways() {
        assert_eq!(retry_after("120"), Some(Duration::from_secs(120)));
        assert_eq!(retry_after("Wed, 21 Oct 2015 07:28:00 GMT"), None);
        assert!(retry_after("Wed, 21 Oct 2189 07:28:00 GMT").is_some_and(|wait| wait > Duration::from_secs(1 << 31)));
        assert_eq!(retry_after("soon"), None);
    }
}
