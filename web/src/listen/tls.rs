//! TLS of a door: its certificate, read again when its files change, and the certificates that clients may show.

use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, UnixTime};
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::ClientCertVerifier;
use rustls::{RootCertStore, ServerConfig};
use tokio::time::Instant;

/// The files are looked at no more often.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// Nobody's certificates are longer; a wrong path must not fill the memory.
const FILE_BYTES_MAX: u64 = 1 << 20;

/// Where certificates and key lie (PEM).
#[derive(Clone, Debug)]
pub struct Files {
    /// The server's certificate, and those between it and its authority.
    pub certificate: PathBuf,
    /// Its key; for its owner only (mode 0600).
    pub key: PathBuf,
    /// Authorities whose clients may show a certificate; none: nobody is asked for one.
    pub client_ca: Option<PathBuf>,
}

/// Why TLS cannot be spoken.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "each variant's message says it")]
pub enum Error {
    #[error("read {path}")]
    Read { path: PathBuf, source: io::Error },
    #[error("{path} is larger than a megabyte: is it the right file?")]
    TooLarge { path: PathBuf },
    #[error("{path} can be read by others: chmod 600 {path}")]
    Open { path: PathBuf },
    #[error("{path} holds no {what} in PEM that can be read: {reason}")]
    Pem { path: PathBuf, what: &'static str, reason: String },
    #[error("certificate {certificate} and its key cannot be used: {source}")]
    Pair { certificate: PathBuf, source: rustls::Error },
    #[error("authorities of {path} cannot be used: {reason}")]
    Authorities { path: PathBuf, reason: String },
}

/// What connections are made with.
#[derive(Clone, Debug)]
pub(super) struct Made {
    pub(super) config: Arc<ServerConfig>,
    verifier: Option<Arc<dyn ClientCertVerifier>>,
}

impl Made {
    /// Whether this chain (a client's certificate, then those between) is good at this time, for the authorities of now.
    pub(super) fn is_good(&self, chain: &[CertificateDer<'_>], now: UnixTime) -> bool {
        let (Some(verifier), [certificate, between @ ..]) = (&self.verifier, chain) else { return false };
        verifier.verify_client_cert(certificate, between, now).is_ok()
    }
}

/// A door's TLS.
#[derive(Debug)]
pub(super) struct Tls {
    files: Files,
    now: Mutex<Now>,
}

#[derive(Debug)]
struct Now {
    made: Made,
    stamps: Vec<Stamp>,
    looked: Instant,
}

/// What changes with a file's content: device, inode, size, and two times of two parts each.
type Stamp = Option<(u64, u64, u64, [i64; 4])>;

impl Tls {
    /// Reads the files.
    ///
    /// # Errors
    /// When they cannot be used.
    pub(super) fn load(files: Files) -> Result<Self, Error> {
        // Before reading: a change while we read is a change.
        let stamps = files.stamps();
        let made = make(&files)?;
        Ok(Self { files, now: Mutex::new(Now { made, stamps, looked: Instant::now() }) })
    }

    /// What the next connection is made with. New files that cannot be used change nothing, and are warned of once.
    pub(super) fn now(&self) -> Made {
        let mut now = self.now.lock().unwrap_or_else(PoisonError::into_inner);
        if now.looked.elapsed() < LOOK_EVERY {
            return now.made.clone();
        }
        now.looked = Instant::now();
        let stamps = self.files.stamps();
        if stamps != now.stamps {
            now.stamps = stamps;
            match make(&self.files) {
                Ok(made) => {
                    tracing::info!(certificate = %self.files.certificate.display(), "the certificate was read anew");
                    now.made = made;
                }
                Err(error) => tracing::warn!(%error, "new TLS files cannot be used; the ones of before still are"),
            }
        }
        now.made.clone()
    }
}

impl Files {
    fn stamps(&self) -> Vec<Stamp> {
        let stamp = |path: &PathBuf| {
            let found = std::fs::metadata(path).ok()?;
            let times = [found.mtime(), found.mtime_nsec(), found.ctime(), found.ctime_nsec()];
            Some((found.dev(), found.ino(), found.size(), times))
        };
        [Some(&self.certificate), Some(&self.key), self.client_ca.as_ref()].into_iter().flatten().map(stamp).collect()
    }
}

fn make(files: &Files) -> Result<Made, Error> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let chain = certificates(&files.certificate)?;
    let pem = |error: rustls::pki_types::pem::Error| Error::Pem {
        path: files.key.clone(),
        what: "private key",
        reason: error.to_string(),
    };
    let key = PrivateKeyDer::from_pem_slice(&read(&files.key, true)?).map_err(pem)?;
    let verifier = files.client_ca.as_deref().map(|path| verifier(path, &provider)).transpose()?;
    let pair = |source| Error::Pair { certificate: files.certificate.clone(), source };
    let builder = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().map_err(pair)?;
    let builder = match &verifier {
        Some(verifier) => builder.with_client_cert_verifier(Arc::clone(verifier)),
        None => builder.with_no_client_auth(),
    };
    let mut config = builder.with_single_cert(chain, key).map_err(pair)?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Made { config: Arc::new(config), verifier })
}

/// Clients may show a certificate of these authorities, or none: then a token says who they are.
fn verifier(path: &Path, provider: &Arc<rustls::crypto::CryptoProvider>) -> Result<Arc<dyn ClientCertVerifier>, Error> {
    let bad = |reason: String| Error::Authorities { path: path.to_owned(), reason };
    let mut roots = RootCertStore::empty();
    for authority in certificates(path)? {
        roots.add(authority).map_err(|error| bad(error.to_string()))?;
    }
    let builder = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(provider));
    let verifier = builder.allow_unauthenticated().build().map_err(|error| bad(error.to_string()))?;
    Ok(verifier)
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, Error> {
    let pem = |reason: String| Error::Pem { path: path.to_owned(), what: "certificate", reason };
    let text = read(path, false)?;
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&text).collect();
    let found = found.map_err(|error| pem(error.to_string()))?;
    if found.is_empty() { Err(pem("there is none".into())) } else { Ok(found) }
}

fn read(path: &Path, secret: bool) -> Result<Vec<u8>, Error> {
    let at = |source| Error::Read { path: path.to_owned(), source };
    let file = File::open(path).map_err(at)?;
    if secret && file.metadata().map_err(at)?.mode() & 0o077 != 0 {
        return Err(Error::Open { path: path.to_owned() });
    }
    let mut bytes = Vec::new();
    file.take(FILE_BYTES_MAX + 1).read_to_end(&mut bytes).map_err(at)?;
    if bytes.len() as u64 > FILE_BYTES_MAX {
        return Err(Error::TooLarge { path: path.to_owned() });
    }
    Ok(bytes)
}
