//! Requests to one bucket: signed, sent, and answered or refused. It knows S3's verbs and nothing of packages.

use std::error::Error as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use reqwest::{Response, Url};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rusty_s3::{Bucket, Method};

use super::Options;
use super::answer::{self, FoundPart, Upload};
use super::keys::Keys;

/// A request that took longer to get here is not obeyed: as long as servers let clocks differ anyway, in seconds.
const SIGNED_FOR_S: u64 = 900;
/// A server that does not answer a connection.
const CONNECT_MAX: Duration = Duration::from_secs(30);
/// A server that says nothing for so long is given up. Completing a large upload takes minutes.
const SILENCE_MAX: Duration = Duration::from_secs(300);
/// A page of a list has 1000 entries; no answer that is text is larger.
const ANSWER_BYTES_MAX: usize = 8 << 20;

/// The secret travels in no request, but whoever reads what was sent in plain gets the package.
pub(super) fn check_endpoint(endpoint: &Url) -> Result<(), String> {
    let own = matches!(endpoint.host_str(), Some("127.0.0.1" | "localhost" | "[::1]"));
    match endpoint.scheme() {
        _ if !endpoint.username().is_empty() || endpoint.password().is_some() => {
            Err("the endpoint has a user in it; the key belongs into the file of `credentials`".into())
        }
        "https" => Ok(()),
        "http" if own => Ok(()),
        "http" => Err(format!("{endpoint} would send in plain; only https is used, but to this machine itself")),
        scheme => Err(format!("`{scheme}` is no way to S3; use https")),
    }
}

/// The client whose connections all packages share.
pub(super) fn http(authorities: Option<&Path>) -> Result<reqwest::Client, String> {
    let mut roots = rustls::RootCertStore::empty();
    if let Some(path) = authorities {
        let wrong = |reason: String| format!("certificates in {}: {reason}", path.display());
        let found = CertificateDer::pem_file_iter(path).map_err(|error| wrong(error.to_string()))?;
        for certificate in found {
            let certificate = certificate.map_err(|error| wrong(error.to_string()))?;
            roots.add(certificate).map_err(|error| wrong(error.to_string()))?;
        }
        if roots.is_empty() {
            return Err(wrong("there are none".into()));
        }
    } else {
        // One that cannot be read is one less; with none at all, https says so when it is tried.
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let tls = rustls::ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let tls = tls.map_err(|error| format!("prepare TLS: {error}"))?.with_root_certificates(roots).with_no_client_auth();
    reqwest::Client::builder()
        .tls_backend_preconfigured(tls)
        // A redirected request would be signed for another host, and a proxy is nobody whom the site file names.
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .connect_timeout(CONNECT_MAX)
        .read_timeout(SILENCE_MAX)
        .build()
        .map_err(|error| format!("prepare the client: {error}"))
}

/// Why a request did not do what it should.
pub(super) enum Failure {
    /// There was no answer, or one that S3 does not give.
    Silent(String),
    /// The server says no.
    Refused {
        /// HTTP status.
        status: u16,
        /// S3's word for it; empty where an answer has no body.
        code: String,
        /// The server's own sentence.
        message: String,
    },
}

impl Failure {
    /// HTTP status, when there was one.
    pub(super) fn status(&self) -> Option<u16> {
        match self {
            Self::Silent(_) => None,
            Self::Refused { status, .. } => Some(*status),
        }
    }

    /// What a person reads: the server's words, and what to do.
    pub(super) fn into_reason(self, options: &Options) -> String {
        let (status, code, message) = match self {
            Self::Silent(reason) => return format!("{} did not answer: {reason}", options.endpoint),
            Self::Refused { status, code, message } => (status, code, message),
        };
        let credentials = options.credentials.display();
        let remedy = match (status, code.as_str()) {
            (_, "InvalidAccessKeyId" | "SignatureDoesNotMatch" | "ExpiredToken" | "InvalidToken") => {
                format!("look at the access key in {credentials}")
            }
            (_, "RequestTimeTooSkewed") => "set the clock of this machine".into(),
            (_, "NoSuchBucket") => format!("make the bucket {}, or correct `bucket:`", options.bucket),
            (301 | 307 | 308, _) | (_, "AuthorizationHeaderMalformed") => "correct `region:` or `endpoint:`".into(),
            (507, _) | (_, "QuotaExceeded" | "XMinioStorageFull" | "EntityTooLarge") => {
                "make room there, or ask the receiver for it".into()
            }
            (401 | 403, _) => format!(
                "let the key in {credentials} list the bucket, read and write objects beneath `{}`, and list and \
                 abort uploads",
                options.prefix
            ),
            _ => return format!("{status} {code} {message}").trim().to_owned(),
        };
        format!("{status} {code} {message}; {remedy}")
    }
}

/// One request, before it is signed.
#[derive(Default)]
pub(super) struct Ask<'a> {
    /// Empty: the bucket itself.
    pub key: &'a str,
    /// In whatever order.
    pub query: Vec<(&'a str, String)>,
    /// Lowercase names.
    pub headers: Vec<(&'static str, String)>,
    /// All of it.
    pub body: Vec<u8>,
}

/// A bucket and a key to it. Cheap to clone.
#[derive(Clone)]
pub(super) struct Client {
    http: reqwest::Client,
    bucket: Bucket,
    keys: Arc<Keys>,
}

impl Client {
    pub(super) fn new(http: reqwest::Client, bucket: Bucket, keys: Keys) -> Self {
        Self { http, bucket, keys: Arc::new(keys) }
    }

    /// Sends a request; an answer that is no success is a failure.
    pub(super) async fn send(&self, method: Method, ask: Ask<'_>) -> Result<Response, Failure> {
        let url = self.sign(method, &ask, &Timestamp::now());
        let method = match method {
            Method::Head => reqwest::Method::HEAD,
            Method::Get => reqwest::Method::GET,
            Method::Post => reqwest::Method::POST,
            Method::Put => reqwest::Method::PUT,
            Method::Delete => reqwest::Method::DELETE,
        };
        let sends = matches!(method, reqwest::Method::POST | reqwest::Method::PUT);
        let mut request = self.http.request(method, url);
        for (name, value) in &ask.headers {
            request = request.header(*name, value);
        }
        if sends {
            request = request.header(reqwest::header::CONTENT_LENGTH, ask.body.len()).body(ask.body);
        }
        let response = request.send().await.map_err(silent)?;
        if response.status().is_success() {
            return Ok(response);
        }
        let status = response.status().as_u16();
        let (code, message) = answer::refusal(&text(response).await.unwrap_or_default()).unwrap_or_default();
        Err(Failure::Refused { status, code, message })
    }

    fn sign(&self, method: Method, ask: &Ask<'_>, now: &Timestamp) -> Url {
        let mut query: Vec<(&str, &str)> = ask.query.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let mut headers: Vec<(&str, &str)> = ask.headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
        query.sort_unstable();
        headers.sort_unstable();
        let Keys { id, secret, token } = &*self.keys;
        let token = token.as_ref().map(|token| token.as_str());
        let (region, url) = (self.bucket.region(), self.bucket.object_url(ask.key));
        let (query, headers) = (query.into_iter(), headers.into_iter());
        rusty_s3::signing::sign(now, method, url, id, secret, token, region, SIGNED_FOR_S, query, headers)
    }

    /// Keys of all objects whose key begins with `prefix`.
    pub(super) async fn objects(&self, prefix: &str) -> Result<Vec<String>, Failure> {
        let (mut keys, mut after) = (Vec::new(), None);
        loop {
            let mut query = vec![("list-type", "2".to_owned()), ("prefix", prefix.to_owned())];
            query.extend(after.map(|token| ("continuation-token", token)));
            let page = self.send(Method::Get, Ask { query, ..Ask::default() }).await?;
            let page = answer::objects(&text(page).await?).map_err(Failure::Silent)?;
            keys.extend(page.found);
            after = page.next;
            if after.is_none() {
                return Ok(keys);
            }
        }
    }

    /// Uploads that nobody completed, of all keys that begin with `prefix`.
    pub(super) async fn uploads(&self, prefix: &str) -> Result<Vec<Upload>, Failure> {
        let (mut uploads, mut after) = (Vec::new(), None);
        loop {
            let mut query = vec![("uploads", String::new()), ("prefix", prefix.to_owned())];
            if let Some((key, id)) = after {
                query.extend([("key-marker", key), ("upload-id-marker", id)]);
            }
            let page = self.send(Method::Get, Ask { query, ..Ask::default() }).await?;
            let page = answer::uploads(&text(page).await?).map_err(Failure::Silent)?;
            uploads.extend(page.found);
            after = page.next;
            if after.is_none() {
                return Ok(uploads);
            }
        }
    }

    /// Parts of an upload that are there.
    pub(super) async fn parts(&self, key: &str, upload: &str) -> Result<Vec<FoundPart>, Failure> {
        let (mut parts, mut after) = (Vec::new(), None);
        loop {
            let mut query = vec![("uploadId", upload.to_owned())];
            query.extend(after.map(|number| ("part-number-marker", number)));
            let page = self.send(Method::Get, Ask { key, query, ..Ask::default() }).await?;
            let page = answer::parts(&text(page).await?).map_err(Failure::Silent)?;
            parts.extend(page.found);
            after = page.next;
            if after.is_none() {
                return Ok(parts);
            }
        }
    }

    /// Ends an upload and everything of it.
    pub(super) async fn abort(&self, key: &str, upload: &str) -> Result<(), Failure> {
        let query = vec![("uploadId", upload.to_owned())];
        self.send(Method::Delete, Ask { key, query, ..Ask::default() }).await.map(drop)
    }
}

/// What a failed transfer says, without the address: a signature is in it.
pub(super) fn silent(error: reqwest::Error) -> Failure {
    let error = error.without_url();
    let mut reason = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        reason = format!("{reason}: {cause}");
        source = cause.source();
    }
    Failure::Silent(reason)
}

/// An answer that is text.
pub(super) async fn text(mut response: Response) -> Result<String, Failure> {
    let mut bytes = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(silent)? {
        if bytes.len() + chunk.len() > ANSWER_BYTES_MAX {
            return Err(Failure::Silent("its answer has no end".into()));
        }
        bytes.extend_from_slice(&chunk);
    }
    String::from_utf8(bytes).map_err(|_| Failure::Silent("its answer is not text".into()))
}
