//! What goes to a provider and comes back: over TLS, in bounded time and size, without redirects and proxies.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use openidconnect::{AsyncHttpClient, HttpRequest, HttpResponse};
use reqwest::Client;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, RootCertStore};
use url::{Host, Url};

/// From the first packet to the last byte of an answer: somebody waits in front of a browser.
const TIME_MAX: Duration = Duration::from_secs(5);
const CONNECT_MAX: Duration = Duration::from_secs(3);
/// What is read of an answer, bytes: keys with certificates take a few tens of thousands.
const ANSWER_MAX: usize = 256 * 1024;

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub(super) enum Silent {
    #[error("{0} is neither https nor on this machine")]
    Unsafe(String),
    #[error("ask {0}")]
    Unanswered(String, #[source] reqwest::Error),
    #[error("the answer of {0} is longer than 256 KiB")]
    TooLong(String),
    #[error("the answer of {0} cannot be understood")]
    Odd(String, #[source] openidconnect::http::Error),
}

/// May it be asked? Whoever is between could say anything, except between this machine and itself.
pub(super) fn is_safe(url: &Url) -> bool {
    let here = match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => return false,
    };
    url.scheme() == "https" || url.scheme() == "http" && here
}

/// An error with everything that led to it.
pub(super) fn chain(error: &dyn std::error::Error) -> String {
    let next = std::iter::successors(Some(error), |error| error.source());
    next.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

pub(super) struct Wire {
    client: Client,
}

impl Wire {
    pub(super) fn new(authorities: Option<&[u8]>) -> Result<Self, String> {
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        for certificate in authorities.map(CertificateDer::pem_slice_iter).into_iter().flatten() {
            let added = certificate.map_err(|error| error.to_string());
            let added = added.and_then(|certificate| roots.add(certificate).map_err(|error| error.to_string()));
            added.map_err(|error| format!("an authority cannot be trusted: {error}"))?;
        }
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let tls = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
        let tls = tls.map_err(|error| format!("prepare TLS: {error}"))?;
        let client = Client::builder()
            .tls_backend_preconfigured(tls.with_root_certificates(roots).with_no_client_auth())
            // A redirected request would carry our secret to whom the provider did not name; a proxy is nobody whom the site names.
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .connect_timeout(CONNECT_MAX)
            .timeout(TIME_MAX)
            .user_agent(concat!("kentai/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|error| format!("prepare the client: {}", chain(&error)))?;
        Ok(Self { client })
    }

    async fn fetch(&self, request: HttpRequest) -> Result<HttpResponse, Silent> {
        let to = request.uri().to_string();
        if !Url::parse(&to).is_ok_and(|url| is_safe(&url)) {
            return Err(Silent::Unsafe(to));
        }
        // reqwest's own text would name the address a second time.
        let unanswered = |error: reqwest::Error| Silent::Unanswered(to.clone(), error.without_url());
        let request = reqwest::Request::try_from(request).map_err(unanswered)?;
        let mut answer = self.client.execute(request).await.map_err(unanswered)?;
        let mut response = openidconnect::http::Response::builder().status(answer.status());
        if let Some(headers) = response.headers_mut() {
            headers.clone_from(answer.headers());
        }
        let mut body = Vec::new();
        while let Some(chunk) = answer.chunk().await.map_err(unanswered)? {
            if body.len() + chunk.len() > ANSWER_MAX {
                return Err(Silent::TooLong(to));
            }
            body.extend_from_slice(&chunk);
        }
        response.body(body).map_err(|error| Silent::Odd(to, error))
    }
}

impl<'c> AsyncHttpClient<'c> for Wire {
    type Error = Silent;
    type Future = Pin<Box<dyn Future<Output = Result<HttpResponse, Silent>> + Send + 'c>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        Box::pin(self.fetch(request))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_machine_is_asked_without_tls() {
        let safe = |text: &str| is_safe(&Url::parse(text).expect("an address"));
        for good in ["https://login.example", "http://127.0.0.1:9", "http://localhost", "http://[::1]:9/x"] {
            assert!(safe(good), "{good}");
        }
        for bad in ["http://login.example", "http://localhost.example", "http://10.0.0.1", "ftp://localhost", "data:x"]
        {
            assert!(!safe(bad), "{bad}");
        }
    }
}
