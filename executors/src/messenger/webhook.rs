//! Webhooks: a CloudEvents 1.0 event in structured JSON, signed as Standard Webhooks asks, by POST to one address.
//!
//! It follows no redirect, reads little of an answer, uses no proxy, and connects to no address that it has not looked at. It does not
//! know when it is called again.

mod event;
pub mod guard;
mod signature;

use std::sync::Arc;
use std::time::Duration;

use kentai_engine::port::BoxFuture;
use kentai_engine::port::messenger::{Error, Letter, Messenger};
use reqwest::header::{CONTENT_TYPE, RETRY_AFTER};
use reqwest::{Client, Response, StatusCode, Url};
use rustls::{ClientConfig, RootCertStore};

pub use self::signature::Key;
use super::{Unfit, certificates, chain, harmless};
use guard::{Forbidden, Guard, Lookup, Resolver};

/// From the first packet to the last byte of the answer; Standard Webhooks asks for 15 to 30 seconds.
const TIME_MAX: Duration = Duration::from_secs(20);
const CONNECT_MAX: Duration = Duration::from_secs(10);
/// What is read of an answer, bytes.
const ANSWER_MAX: usize = 64 * 1024;
/// Secrets that count at once: one, or an old and a new one, or a third that was forgotten.
pub const KEYS_MAX: usize = 3;

/// One receiver.
pub struct Options {
    /// `https://…`; `http://` only to this machine.
    pub url: String,
    /// Secrets that count, the newest first: an event bears a signature by each.
    pub keys: Vec<Key>,
    /// The receiver may lie in a private network.
    pub allow_private: bool,
    /// Authorities that are trusted besides the machine's, PEM.
    pub authorities: Option<Vec<u8>>,
}

/// A receiver that can be sent to.
pub struct Webhook {
    url: Url,
    keys: Vec<Key>,
    guard: Guard,
    client: Client,
}

/// Is this an address that events may be sent to?
///
/// # Errors
/// What is wrong with it, and what helps.
pub fn address(text: &str, allow_private: bool) -> Result<Url, Unfit> {
    let unfit = |reason: &str| Unfit(format!("`{}`: {reason}", harmless(text)));
    let url = Url::parse(text).map_err(|error| unfit(&format!("it is no address ({error})")))?;
    let Some(host) = url.host() else { return Err(unfit("it names no host")) };
    // An address is kept and shown: whoever may post there is told by a signature, never by what stands in it.
    if !url.username().is_empty() || url.password().is_some() || url.query().is_some() || url.fragment().is_some() {
        return Err(unfit("leave out user, password, `?…` and `#…`: events are signed (`secrets:`)"));
    }
    let plain = match url.scheme() {
        "https" => false,
        "http" if allow_private && guard::is_this_machine(&host) => true,
        "http" => return Err(unfit("use https; http goes to this machine only, with `allow_private: true`")),
        _ => return Err(unfit("use https")),
    };
    Guard { allow_private, plain }.host(&host).map_err(|forbidden| unfit(&forbidden.to_string()))?;
    Ok(url)
}

impl Webhook {
    /// A receiver by what the site file says.
    ///
    /// # Errors
    /// What is wrong with it, and what helps.
    pub fn new(options: Options) -> Result<Self, Unfit> {
        Self::with(options, guard::system())
    }

    /// The same with names looked up by somebody else.
    fn with(options: Options, lookup: Lookup) -> Result<Self, Unfit> {
        let url = address(&options.url, options.allow_private)?;
        if options.keys.is_empty() || options.keys.len() > KEYS_MAX {
            return Err(Unfit(format!("`{url}`: it needs one to {KEYS_MAX} secrets")));
        }
        let guard = Guard { allow_private: options.allow_private, plain: url.scheme() == "http" };
        let tls = tls(options.authorities.as_deref())?;
        let client = Client::builder()
            .tls_backend_preconfigured(tls)
            // Whoever answers by a redirect, a proxy, or a connection of an hour ago was not looked at.
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .pool_max_idle_per_host(0)
            .dns_resolver(Arc::new(Resolver { guard, lookup }))
            .connect_timeout(CONNECT_MAX)
            .timeout(TIME_MAX)
            .user_agent(concat!("kentai/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|error| Unfit(format!("`{url}`: {}", chain(&error))))?;
        Ok(Self { url, keys: options.keys, guard, client })
    }

    async fn post(&self, letter: &Letter, now_us: i64) -> Result<String, Error> {
        // A literal address is no name, and is never looked up: it is looked at here, each time.
        if let Some(host) = self.url.host() {
            self.guard.host(&host).map_err(|forbidden| Error::Refused { reason: forbidden.to_string() })?;
        }
        let body = event::text(letter);
        let timestamp = now_us / 1_000_000;
        let request = self
            .client
            .post(self.url.clone())
            .header(CONTENT_TYPE, event::MEDIA_TYPE)
            .header("webhook-id", &letter.notice)
            .header("webhook-timestamp", timestamp)
            .header("webhook-signature", signature::header(&self.keys, &letter.notice, timestamp, &body))
            .body(body);
        match request.send().await {
            Ok(response) => outcome(response).await,
            Err(error) => Err(unsent(error)),
        }
    }
}

impl Messenger for Webhook {
    fn send<'a>(&'a self, letter: &'a Letter, now_us: i64) -> BoxFuture<'a, Result<String, Error>> {
        Box::pin(self.post(letter, now_us))
    }
}

fn tls(authorities: Option<&[u8]>) -> Result<ClientConfig, Unfit> {
    let mut roots = RootCertStore::empty();
    let found = rustls_native_certs::load_native_certs();
    roots.add_parsable_certificates(found.certs);
    for certificate in authorities.map(certificates).transpose()?.unwrap_or_default() {
        roots.add(certificate).map_err(|error| Unfit(format!("an authority cannot be trusted: {error}")))?;
    }
    if roots.is_empty() {
        tracing::warn!("no authority is trusted for webhooks: install ca-certificates, or name one by `authorities:`");
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| Unfit(format!("prepare TLS: {error}")))?;
    Ok(config.with_root_certificates(roots).with_no_client_auth())
}

/// Nobody answered, or nobody may be asked.
fn unsent(error: reqwest::Error) -> Error {
    let error = error.without_url();
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(&error);
    while let Some(one) = cause {
        if let Some(forbidden) = one.downcast_ref::<Forbidden>() {
            return Error::Refused { reason: forbidden.to_string() };
        }
        cause = one.source();
    }
    Error::Passing { reason: chain(&error), wait_s: None }
}

async fn outcome(response: Response) -> Result<String, Error> {
    let status = response.status();
    let wait_s = response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.trim().parse().ok());
    let said = excerpt(response).await;
    if status.is_success() {
        return Ok(status.to_string());
    }
    let reason = if said.is_empty() { status.to_string() } else { format!("{status}: {said}") };
    Err(match status {
        StatusCode::GONE => Error::Gone { reason },
        StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_EARLY | StatusCode::TOO_MANY_REQUESTS => {
            Error::Passing { reason, wait_s }
        }
        other if other.is_server_error() => Error::Passing { reason, wait_s },
        other if other.is_redirection() => Error::Refused {
            reason: format!("{reason}: no redirect is followed; write the new address in kentai.yaml"),
        },
        _ => Error::Refused { reason },
    })
}

/// The beginning of an answer. One that does not end, or breaks off, is as good as far as it came.
async fn excerpt(mut response: Response) -> String {
    let mut read = Vec::new();
    while read.len() < ANSWER_MAX
        && let Ok(Some(chunk)) = response.chunk().await
    {
        let room = ANSWER_MAX - read.len();
        read.extend_from_slice(&chunk[..chunk.len().min(room)]);
    }
    harmless(&String::from_utf8_lossy(&read))
}

#[cfg(test)]
mod tests;
