//! Whom to believe and who we are, in TLS: rustls with ring, from PEM files. It knows no HTTP.

use std::path::Path;
use std::sync::Arc;

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, RootCertStore};

use super::Failure;
use super::settings::Settings;
use crate::exit::Exit;

/// For a center that is reached by `https`; without TLS nobody is believed.
pub(super) fn config(settings: &Settings, is_https: bool) -> Result<ClientConfig, Failure> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let unusable = |error: rustls::Error| Failure::new(Exit::Usage, format!("TLS cannot be prepared: {error}"));
    let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let roots = if is_https { roots(settings.ca.as_deref())? } else { RootCertStore::empty() };
    let builder = builder.map_err(unusable)?.with_root_certificates(roots);
    match (&settings.certificate, &settings.key) {
        (Some(certificate), Some(key)) => {
            let chain = certificates(certificate)?;
            let key = PrivateKeyDer::from_pem_file(key).map_err(|error| bad(key, "a private key", &error))?;
            builder.with_client_auth_cert(chain, key).map_err(unusable)
        }
        (None, None) => Ok(builder.with_no_client_auth()),
        _ => Err(Failure::new(Exit::Usage, "a client certificate needs both --certificate and --key")),
    }
}

fn roots(ca: Option<&Path>) -> Result<RootCertStore, Failure> {
    let mut roots = RootCertStore::empty();
    let Some(path) = ca else {
        // Some machines have certificates among theirs that nobody can read; the others count.
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        if roots.is_empty() {
            let message =
                "this machine has no list of certificate authorities: install ca-certificates, or give --ca FILE";
            return Err(Failure::new(Exit::Usage, message));
        }
        return Ok(roots);
    };
    for certificate in certificates(path)? {
        roots.add(certificate).map_err(|error| bad(path, "a certificate of an authority", &error))?;
    }
    Ok(roots)
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, Failure> {
    let read = CertificateDer::pem_file_iter(path).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    let read = read.map_err(|error| bad(path, "a certificate", &error))?;
    if read.is_empty() { Err(bad(path, "a certificate", &"there is none in it")) } else { Ok(read) }
}

fn bad(path: &Path, what: &str, error: &dyn std::fmt::Display) -> Failure {
    Failure::new(Exit::Usage, format!("{} does not hold {what} in PEM: {error}", path.display()))
}
