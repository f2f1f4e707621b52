//! `serve:` and `client_certificates:`, what the network door is given. It opens no file.

use std::net::SocketAddr;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::{Duration, Size};

/// One of `serve:`
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Serve {
    /// Address and port.
    pub listen: SocketAddr,
    /// The page's address as browsers reach it; none: as it listens.
    #[serde(default)]
    pub page: Option<String>,
    /// Files of TLS; none: plain HTTP.
    #[serde(default)]
    pub tls: Option<Tls>,
    /// `refused`, or `allowed`: plain HTTP also on an address that others can reach.
    #[serde(default = "refused")]
    pub plain: String,
    /// Bounds.
    #[serde(default)]
    pub limits: Limits,
}

impl Serve {
    /// The page's address; none when the machine chooses the port.
    pub(crate) fn page(&self) -> Option<String> {
        self.page.clone().or_else(|| (self.listen.port() != 0).then(|| self.page_at(self.listen)))
    }

    /// The page's address where it listens here.
    pub(crate) fn page_at(&self, listen: SocketAddr) -> String {
        if let Some(page) = &self.page {
            return page.clone();
        }
        let scheme = if self.tls.is_some() { "https" } else { "http" };
        // Who listens everywhere listens here, too.
        if listen.ip().is_unspecified() {
            return format!("{scheme}://localhost:{}", listen.port());
        }
        format!("{scheme}://{listen}")
    }
}

fn refused() -> String {
    "refused".into()
}

/// `serve[].tls:`; paths relative to the site's directory.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Tls {
    /// Certificate and those between it and its authority (PEM).
    pub certificate: PathBuf,
    /// Its key (PEM, mode 0600).
    pub key: PathBuf,
    /// Authorities whose clients may show a certificate (PEM).
    #[serde(default)]
    pub client_ca: Option<PathBuf>,
}

/// `serve[].limits:`
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Limits {
    /// TLS is agreed on within.
    pub handshake: Duration,
    /// A request's header comes within.
    pub header: Duration,
    /// Between two requests of a connection.
    pub idle: Duration,
    /// Bytes per second that a peer takes or sends at least; 0: any.
    pub rate: Size,
    /// Over so long it is measured.
    pub rate_over: Duration,
    /// Connections at once.
    pub connections: usize,
    /// Connections at once of one address.
    pub connections_per_address: usize,
    /// Requests per second of one person.
    pub requests_per_second: u32,
    /// Requests of one person at once.
    pub burst: u32,
}

impl Default for Limits {
    fn default() -> Self {
        let limits = kentai_web::listen::Limits::default();
        Self {
            handshake: Duration(limits.handshake.as_secs()),
            header: Duration(limits.header.as_secs()),
            idle: Duration(limits.idle.as_secs()),
            rate: Size(limits.rate_min),
            rate_over: Duration(limits.rate_over.as_secs()),
            connections: limits.connections,
            connections_per_address: limits.connections_per_address,
            requests_per_second: limits.requests_per_second,
            burst: limits.burst,
        }
    }
}

impl Limits {
    /// As the door takes them.
    pub(crate) fn of_door(&self) -> kentai_web::listen::Limits {
        let seconds = |duration: Duration| std::time::Duration::from_secs(duration.0);
        kentai_web::listen::Limits {
            handshake: seconds(self.handshake),
            header: seconds(self.header),
            idle: seconds(self.idle),
            rate_min: self.rate.0,
            rate_over: seconds(self.rate_over),
            connections: self.connections,
            connections_per_address: self.connections_per_address,
            requests_per_second: self.requests_per_second,
            burst: self.burst,
        }
    }

    fn check(&self) -> Result<(), &'static str> {
        let times = [("handshake", self.handshake), ("header", self.header), ("idle", self.idle)];
        let times = times.into_iter().chain([("rate_over", self.rate_over)]);
        let counts = [
            ("connections", self.connections),
            ("connections_per_address", self.connections_per_address),
            ("requests_per_second", self.requests_per_second as usize),
            ("burst", self.burst as usize),
        ];
        let counts = counts.into_iter().chain(times.map(|(name, time)| (name, usize::from(time.0 > 0))));
        counts.into_iter().find(|(_, count)| *count == 0).map_or(Ok(()), |(name, _)| Err(name))
    }
}

/// One of `client_certificates:`
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ClientCertificate {
    /// SHA-256 of the certificate (DER), in hex; colons may stand between, as openssl writes it.
    pub sha256: String,
    /// The account that it is of.
    pub person: String,
}

impl ClientCertificate {
    /// As the door compares it.
    pub(crate) fn digest(&self) -> String {
        self.sha256.chars().filter(|c| *c != ':').map(|c| c.to_ascii_lowercase()).collect()
    }
}

/// What the types cannot say.
pub(super) fn check(serve: &[Serve], certificates: &[ClientCertificate]) -> Result<(), String> {
    for one in serve {
        let listen = one.listen;
        if !["allowed", "refused"].contains(&one.plain.as_str()) {
            return Err(format!("`serve: {listen}`: `plain: {}` must be refused or allowed", one.plain));
        }
        if one.tls.is_none() && one.plain != "allowed" && !listen.ip().is_loopback() {
            return Err(format!(
                "`serve: {listen}`: others can reach this address: give it `tls:`, or say `plain: allowed` when a proxy of your own stands before it"
            ));
        }
        if let Some(page) = &one.page
            && !["https://", "http://"]
                .iter()
                .any(|scheme| page.strip_prefix(scheme).is_some_and(|rest| !rest.is_empty()))
        {
            return Err(format!("`serve: {listen}`: `page: {page}` must begin with https:// or http://"));
        }
        one.limits.check().map_err(|name| format!("`serve: {listen}`: `limits.{name}` must be at least 1"))?;
    }
    for (position, one) in certificates.iter().enumerate() {
        let digest = one.digest();
        if digest.len() != 64 || !digest.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(format!("`client_certificates: {}`: `sha256` is 64 hex digits", one.person));
        }
        // Two persons behind one certificate: who of them decided something could not be told.
        if certificates[..position].iter().any(|other| other.digest() == digest) {
            return Err(format!("`client_certificates: {}`: the same certificate is named twice", one.person));
        }
    }
    Ok(())
}
