//! Over TLS: only the authority that was named is believed, and a client certificate says who we are. Certificates by `openssl`.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Result, ensure};
use kentai_tests::tool;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;

use super::Client;
use super::center::{Center, TOKEN};
use super::package::Package;

/// Takes TLS off before a center; `ca` asks for a client certificate of that authority.
struct Front {
    port: u16,
    _runtime: Runtime,
}

impl Front {
    fn before(center: u16, directory: &Path, asks_for_certificate: bool) -> Result<Self> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let chain = CertificateDer::pem_file_iter(directory.join("server.pem"))?.collect::<Result<Vec<_>, _>>()?;
        let key = PrivateKeyDer::from_pem_file(directory.join("server.key"))?;
        let builder =
            rustls::ServerConfig::builder_with_provider(Arc::clone(&provider)).with_safe_default_protocol_versions()?;
        let builder = if asks_for_certificate {
            let mut roots = rustls::RootCertStore::empty();
            roots.add(CertificateDer::from_pem_file(directory.join("ca.pem"))?)?;
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider).build()?;
            builder.with_client_cert_verifier(verifier)
        } else {
            builder.with_no_client_auth()
        };
        let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(builder.with_single_cert(chain, key)?));
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0"))?;
        let port = listener.local_addr()?.port();
        runtime.spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let acceptor = acceptor.clone();
                tokio::spawn(async move {
                    let mut inside = acceptor.accept(client).await?;
                    let mut server = TcpStream::connect(("127.0.0.1", center)).await?;
                    tokio::io::copy_bidirectional(&mut inside, &mut server).await
                });
            }
        });
        Ok(Self { port, _runtime: runtime })
    }

    fn address(&self) -> String {
        format!("https://localhost:{}", self.port)
    }
}

/// An authority, a server's certificate and a client's.
fn certificates(directory: &Path) -> Result<()> {
    let openssl = |line: &str| tool("openssl", &line.split(' ').collect::<Vec<_>>(), directory).map(drop);
    for name in ["ca", "stranger"] {
        openssl(&format!(
            "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout {name}.key -out {name}.pem -days 30 -subj /CN={name}"
        ))?;
    }
    fs::write(directory.join("server.ext"), "subjectAltName=DNS:localhost\nextendedKeyUsage=serverAuth\n")?;
    fs::write(directory.join("client.ext"), "subjectAltName=DNS:data-center\nextendedKeyUsage=clientAuth\n")?;
    for name in ["server", "client"] {
        openssl(&format!(
            "req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout {name}.key -out {name}.csr -subj /CN={name}"
        ))?;
        openssl(&format!(
            "x509 -req -in {name}.csr -CA ca.pem -CAkey ca.key -CAcreateserial -out {name}.pem -days 30 -extfile {name}.ext"
        ))?;
    }
    Ok(())
}

#[test]
fn only_the_authority_that_was_named_is_believed() -> Result<()> {
    let package = Package::small()?;
    let center = Center::start()?;
    center.offer(&package);
    let client = Client::new()?;
    certificates(client.directory.path())?;
    let front = Front::before(center.port(), client.directory.path(), false)?;
    fs::write(client.path("given"), TOKEN)?;
    let address = front.address();
    for more in [&[][..], &["--ca", "stranger.pem"]] {
        let told = client.run(&[&["login", &address, "--token-file", "given"], more].concat())?;
        ensure!(told.code == 7 || told.code == 2, "{}: {}", told.code, told.err);
        ensure!(center.world().tokens.is_empty(), "the token was sent to a stranger");
    }
    client.well(&["login", &address, "--token-file", "given", "--ca", "ca.pem"])?;
    client.well(&["get", "--all"])?;
    client.has(&package)
}

#[test]
fn a_client_certificate_says_who_we_are() -> Result<()> {
    let package = Package::small()?;
    let center = Center::start()?;
    center.offer(&package);
    let client = Client::new()?;
    certificates(client.directory.path())?;
    let front = Front::before(center.port(), client.directory.path(), true)?;
    fs::write(client.path("given"), TOKEN)?;
    let address = front.address();
    let login = ["login", &address, "--token-file", "given", "--ca", "ca.pem"];
    let told = client.run(&login)?;
    ensure!(told.code == 7, "{}: {}", told.code, told.err);
    let told = client.run(&["login", &address, "--ca", "ca.pem"])?;
    ensure!(told.code == 5 && told.err.contains("neither a token nor a client certificate"), "{}", told.err);
    client.well(&[&login[..], &["--certificate", "client.pem", "--key", "client.key"]].concat())?;
    client.well(&["get", "--all"])?;
    client.has(&package)
}
