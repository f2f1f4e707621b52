//! What is known of whoever asks over the network, before anybody looks at a token. Never a user of this machine.

use std::fmt;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rustls::pki_types::{CertificateDer, UnixTime};
use sha2::{Digest, Sha256};
use tokio::time::Instant;

use super::buckets::Buckets;
use super::tls::Tls;

/// The name of the person whose client certificate has this SHA-256 (lowercase hex), if the site knows one. Asked for every request.
pub type Certificates = Arc<dyn Fn(&str) -> Option<String> + Send + Sync>;

/// A certificate that was good is looked at again after so long, on a connection that stays: it may have run out.
const LOOK_EVERY: Duration = Duration::from_secs(10);

/// Goes with each request that came over the network.
#[derive(Clone)]
pub(crate) struct Caller {
    /// Of the peer; of version 6, its network.
    pub(crate) address: IpAddr,
    /// Nobody on the way can read or change what is said.
    pub(crate) encrypted: bool,
    pub(crate) certificate: Option<Arc<Certificate>>,
    pub(crate) certificates: Certificates,
    pub(crate) buckets: Arc<Buckets>,
}

impl fmt::Debug for Caller {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Caller").field("address", &self.address).finish_non_exhaustive()
    }
}

/// What a client showed when its connection was made.
#[derive(Debug)]
pub(crate) struct Certificate {
    /// SHA-256 of the client's own certificate, lowercase hex.
    pub(crate) sha256: String,
    chain: Vec<CertificateDer<'static>>,
    tls: Arc<Tls>,
    /// When it was last found good.
    good: Mutex<Option<Instant>>,
}

impl Certificate {
    pub(super) fn new(chain: &[CertificateDer<'_>], tls: &Arc<Tls>) -> Option<Self> {
        let digest = Sha256::digest(chain.first()?);
        Some(Self {
            sha256: digest.iter().map(|byte| format!("{byte:02x}")).collect(),
            chain: chain.iter().map(|one| one.clone().into_owned()).collect(),
            tls: Arc::clone(tls),
            good: Mutex::new(None),
        })
    }

    /// Whether it is good now: not run out, and of an authority that the site still trusts.
    ///
    /// The handshake has looked at it, but a connection may be old, or go on with a session of an older one.
    pub(crate) fn is_good(&self) -> bool {
        self.is_good_at(Instant::now())
    }

    pub(super) fn is_good_at(&self, now: Instant) -> bool {
        let mut good = self.good.lock().unwrap_or_else(PoisonError::into_inner);
        if good.is_some_and(|when| now.saturating_duration_since(when) < LOOK_EVERY) {
            return true;
        }
        let is = self.tls.now().is_good(&self.chain, UnixTime::now());
        *good = is.then_some(now);
        is
    }
}
