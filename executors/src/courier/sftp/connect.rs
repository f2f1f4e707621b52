//! The way to an SFTP server: its key is one that was pinned, or nothing is said to it; then the account is let in.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use russh::client::{self, AuthResult, Handle};
use russh::keys::known_hosts::known_host_keys_path;
use russh::keys::{Algorithm, HashAlg, PrivateKeyWithHashAlg, PublicKey, PublicKeyOrCertificate, decode_secret_key};
use russh::{ChannelMsg, Preferred};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::Options;
use super::session::Session;
use crate::courier::secret;

/// A server that does not answer a connection, or stops while it is made.
const CONNECT_MAX: Duration = Duration::from_secs(60);
/// A connection over which nothing comes is asked after so long, and given up after three questions.
const KEEPALIVE: Duration = Duration::from_secs(30);

/// Connects; the error says what went wrong, and what to do.
pub(super) async fn connect(options: &Options) -> Result<Session, String> {
    let Options { host, port, .. } = options;
    let late = |_| format!("{host}:{port} did not answer within {} seconds", CONNECT_MAX.as_secs());
    timeout(CONNECT_MAX, connect_now(options)).await.map_err(late)?
}

async fn connect_now(options: &Options) -> Result<Session, String> {
    let (host, port) = (options.host.as_str(), options.port);
    let pinned = pinned(options)?;
    let algorithms: Vec<Algorithm> = pinned.iter().map(PublicKey::algorithm).collect();
    let shown = Arc::new(Mutex::new(None));
    let guard = Guard { pinned, shown: Arc::clone(&shown) };
    let config = client::Config {
        // Only these: a server that has several keys would else show one that is not pinned.
        preferred: Preferred { key: algorithms.into(), ..Preferred::default() },
        keepalive_interval: Some(KEEPALIVE),
        nodelay: true,
        ..client::Config::default()
    };
    let socket = TcpStream::connect((host.to_owned(), port))
        .await
        .map_err(|error| format!("connect to {host}:{port}: {error}"))?;
    let connected = client::connect_stream(Arc::new(config), socket, guard).await;
    let file = options.known_hosts.display();
    let mut handle =
        connected.map_err(|error| match (shown.lock().unwrap_or_else(PoisonError::into_inner).take(), error) {
            (Some(shown), _) => format!(
                "{host}:{port} showed the key {shown}, which is not the one in {file}: somebody may stand in between; \
                 ask the receiver for their key, and only then correct the file"
            ),
            (None, russh::Error::NoCommonAlgo { theirs, .. }) => format!(
                "{host}:{port} has no way to speak in common with this machine (it offers {}); its key in {file} may \
                 be of a kind that it has no more",
                theirs.join(", ")
            ),
            (None, error) => format!("connect to {host}:{port}: {error}"),
        })?;
    let_in(&mut handle, options).await?;
    open(handle).await.map_err(|reason| format!("{host}:{port} offers no SFTP: {reason}"))
}

/// The keys that the server may show.
fn pinned(options: &Options) -> Result<Vec<PublicKey>, String> {
    let Options { host, port, known_hosts, .. } = options;
    let wrong = |reason: &str| format!("known hosts in {}: {reason}", known_hosts.display());
    let text = std::fs::read_to_string(known_hosts).map_err(|error| wrong(&error.to_string()))?;
    if text.lines().any(|line| line.trim_start().starts_with('@')) {
        // The reader of the lines passes over markers, so that a revoked key would be believed.
        return Err(wrong("it has lines with `@`, which are not obeyed here; leave only keys of hosts in it"));
    }
    let keys = known_host_keys_path(host, *port, known_hosts).map_err(|error| wrong(&error.to_string()))?;
    if keys.is_empty() {
        let name = if *port == 22 { host.clone() } else { format!("[{host}]:{port}") };
        return Err(wrong(&format!(
            "it has no key of `{name}`; take the line that `ssh-keyscan -p {port} {host}` gives, compare it with what \
             the receiver says, and put it there"
        )));
    }
    Ok(keys.into_iter().map(|(_, key)| key).collect())
}

/// Believes pinned keys, and remembers another one that was shown.
struct Guard {
    pinned: Vec<PublicKey>,
    shown: Arc<Mutex<Option<String>>>,
}

impl client::Handler for Guard {
    type Error = russh::Error;

    async fn check_server_key(&mut self, shown: &PublicKeyOrCertificate) -> Result<bool, Self::Error> {
        let name = match shown {
            PublicKeyOrCertificate::PublicKey { key, .. } => {
                if self.pinned.iter().any(|pinned| pinned.key_data() == key.key_data()) {
                    return Ok(true);
                }
                key.fingerprint(HashAlg::Sha256).to_string()
            }
            PublicKeyOrCertificate::Certificate(_) => "of a certificate".into(),
        };
        *self.shown.lock().unwrap_or_else(PoisonError::into_inner) = Some(name);
        Ok(false)
    }
}

/// By key, by password, or by both where the server asks for both.
async fn let_in(handle: &mut Handle<Guard>, options: &Options) -> Result<(), String> {
    let failed = |error: russh::Error| format!("let {} in: {error}", options.user);
    let mut last = None;
    if let Some(path) = &options.key {
        let text = secret::read(path)?;
        let key = decode_secret_key(&text, None).map_err(|error| {
            let make = "a key of ed25519 or ECDSA without passphrase is needed, as `ssh-keygen -t ed25519` makes it";
            format!("private key in {}: {error}; {make}", path.display())
        })?;
        let key = PrivateKeyWithHashAlg::new(Arc::new(key), None);
        last = Some(handle.authenticate_publickey(&options.user, key).await.map_err(failed)?);
    }
    let is_in = last.as_ref().is_some_and(AuthResult::success);
    if let Some(path) = options.password.as_ref().filter(|_| !is_in) {
        let password = secret::read(path)?;
        let password = password.trim_end_matches(['\r', '\n']);
        last = Some(handle.authenticate_password(&options.user, password).await.map_err(failed)?);
    }
    match last {
        Some(AuthResult::Success) => Ok(()),
        Some(AuthResult::Failure { remaining_methods, .. }) => {
            let ways: Vec<&str> = remaining_methods.iter().map(Into::into).collect();
            Err(format!(
                "{} did not let {} in (it takes {}); give the receiver the public key, or correct the secret",
                options.host,
                options.user,
                ways.join(", ")
            ))
        }
        None => Err("there is neither a key nor a password".into()),
    }
}

async fn open(handle: Handle<Guard>) -> Result<Session, String> {
    let mut channel = handle.channel_open_session().await.map_err(|error| error.to_string())?;
    channel.request_subsystem(true, "sftp").await.map_err(|error| error.to_string())?;
    loop {
        match channel.wait().await {
            Some(ChannelMsg::Success) => break,
            // Its window, and whatever a login prints.
            Some(ChannelMsg::WindowAdjusted { .. } | ChannelMsg::ExtendedData { .. }) => {}
            Some(_) | None => return Err("the subsystem was refused".into()),
        }
    }
    Session::new(channel.into_stream(), Box::new(handle)).await.map_err(|failure| failure.to_string())
}
