//! The network door: an accept loop of our own, with TLS, limits, and room for whoever means it.
//!
//! It knows connections, not people: what a request may do is decided behind it, and a request that came in here carries a
//! `Caller` instead of a user of this machine.

mod bodies;
mod buckets;
mod caller;
mod connection;
mod gauge;
mod meter;
mod registry;
mod tls;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::{Extension, Router};
use rustix::io::Errno;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::time::{Instant, MissedTickBehavior};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::serve::{Closing, GRACE};

pub(crate) use caller::Caller;
pub use caller::Certificates;
pub use tls::{Error as TlsError, Files};

use buckets::Buckets;
use connection::House;
use gauge::Phase;
use registry::Registry;
use tls::Tls;

/// Connections that wait to be accepted; the kernel has its own bound besides.
const BACKLOG: u32 = 4_096;
/// How often times are looked at: so much later than said a connection is closed.
const LOOK_EVERY: Duration = Duration::from_millis(250);
/// When more connections have had their time than are closed at one look, so soon the next look follows.
const LOOK_SOON: Duration = Duration::from_millis(10);
/// Open files that are not for connections: the store, the tools, the files that are served.
const FILES_KEPT: u64 = 512;
/// Below so many connections a door is none.
const CONNECTIONS_MIN: usize = 16;
/// When no file is left, accepting waits so long for one.
const PAUSE: Duration = Duration::from_millis(50);

/// Bounds of one door.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Limits {
    /// TLS is agreed on within.
    pub handshake: Duration,
    /// A request's header comes within, from its first byte; of the first request, from the handshake.
    pub header: Duration,
    /// Between two requests of a connection.
    pub idle: Duration,
    /// Bytes per second that a peer takes or sends at least, while it is waited for; 0: any.
    pub rate_min: u64,
    /// Over so long the rate is measured.
    pub rate_over: Duration,
    /// Connections at once.
    pub connections: usize,
    /// Connections at once of one address (of version 6: of one /64).
    pub connections_per_address: usize,
    /// Requests per second of one person, on the long run.
    pub requests_per_second: u32,
    /// Requests of one person at once.
    pub burst: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            handshake: Duration::from_secs(10),
            header: Duration::from_secs(10),
            idle: Duration::from_secs(60),
            rate_min: 1 << 10,
            rate_over: Duration::from_secs(30),
            connections: 4_096,
            connections_per_address: 256,
            requests_per_second: 50,
            burst: 200,
        }
    }
}

/// What a door is to be.
#[derive(Clone)]
pub struct Options {
    /// Where it listens.
    pub address: SocketAddr,
    /// None: plain HTTP.
    pub tls: Option<Files>,
    /// Plain HTTP also where others than this machine can reach it: a proxy of the site's own stands before it.
    pub plain_allowed: bool,
    /// Its bounds.
    pub limits: Limits,
    /// Whose a client certificate is.
    pub certificates: Certificates,
}

/// Why a door cannot be opened.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "each variant's message says it")]
pub enum OpenError {
    #[error("listen on {address}")]
    Listen { address: SocketAddr, source: io::Error },
    #[error(
        "{0} can be reached from outside without TLS: give it a certificate (`tls:`), or say `plain: allowed` when a proxy of your own stands before it"
    )]
    Plain(SocketAddr),
    #[error("this process may have {0} open files, too few to serve a network: raise `ulimit -n`")]
    Files(u64),
    #[error(transparent)]
    Tls(#[from] TlsError),
}

/// A door that listens.
pub struct Door {
    listener: TcpListener,
    address: SocketAddr,
    tls: Option<Arc<Tls>>,
    limits: Limits,
    certificates: Certificates,
}

impl Door {
    /// Reads the certificates and listens; raises this process's limit of open files as far as it may.
    ///
    /// # Errors
    /// When the files cannot be used, the address is taken, or plain HTTP is not allowed there.
    ///
    /// # Panics
    /// Outside of a tokio runtime.
    pub fn open(options: Options) -> Result<Self, OpenError> {
        if options.tls.is_none() && !options.plain_allowed && !options.address.ip().is_loopback() {
            return Err(OpenError::Plain(options.address));
        }
        let limits = within_files(options.limits, raise_files())?;
        let tls = options.tls.map(Tls::load).transpose()?.map(Arc::new);
        let at = |source| OpenError::Listen { address: options.address, source };
        let listener = bind(options.address).map_err(at)?;
        let address = listener.local_addr().map_err(at)?;
        Ok(Self { listener, address, tls, limits, certificates: options.certificates })
    }

    /// Where it listens; the port is the real one also when 0 was asked for.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves until `token` is canceled, then takes nothing new and lets requests under way finish for a while.
    pub async fn serve(self, router: Router, token: CancellationToken) {
        let registry = Registry::new(self.limits);
        let house = Arc::new(House {
            router: router.layer(Extension(Closing(token.clone()))),
            tls: self.tls,
            certificates: self.certificates,
            buckets: Arc::new(Buckets::new(self.limits.requests_per_second, self.limits.burst)),
            closing: token.clone(),
            tasks: TaskTracker::new(),
        });
        let mut looks = tokio::time::interval(LOOK_EVERY);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                biased;
                () = token.cancelled() => break,
                _ = looks.tick() => {
                    if registry.sweep(Instant::now()) {
                        looks.reset_after(LOOK_SOON);
                    }
                }
                accepted = self.listener.accept() => match accepted {
                    Ok((stream, peer)) => admit(stream, peer, &registry, &house),
                    Err(error) => refused(&error, &registry).await,
                },
            }
        }
        drop(self.listener);
        registry.end_new();
        house.tasks.close();
        if tokio::time::timeout(GRACE, house.tasks.wait()).await.is_err() {
            tracing::warn!("requests from the network were under way when the door's time was over");
            registry.end_all();
            house.tasks.wait().await;
        }
    }
}

fn admit(stream: TcpStream, peer: SocketAddr, registry: &Arc<Registry>, house: &Arc<House>) {
    let phase = if house.tls.is_some() { Phase::Handshake } else { Phase::Header };
    let Some(guest) = registry.admit(peer.ip(), phase, Instant::now()) else {
        // Everybody who is here is being answered. Closed without a word: to say one could be waited for.
        return tracing::debug!(%peer, "the door is full");
    };
    house.tasks.spawn(connection::run(stream, peer.ip(), guest, Arc::clone(house)));
}

/// Accepting failed: for one connection, or for want of files or memory.
async fn refused(error: &io::Error, registry: &Registry) {
    let errno = Errno::from_io_error(error);
    if !matches!(errno, Some(Errno::MFILE | Errno::NFILE | Errno::NOBUFS | Errno::NOMEM)) {
        return tracing::debug!(%error, "a connection was gone before it was accepted");
    }
    let made_room = registry.make_room();
    tracing::warn!(%error, made_room, "no connection can be accepted for a moment");
    tokio::time::sleep(PAUSE).await;
}

fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    // A server that comes back finds its port, though old connections linger.
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

/// As many open files as this process may have; gives how many that are.
fn raise_files() -> u64 {
    let found = getrlimit(Resource::Nofile);
    let raised = Rlimit { current: found.maximum, maximum: found.maximum };
    let now = if setrlimit(Resource::Nofile, raised).is_ok() { found.maximum } else { found.current };
    now.unwrap_or(u64::MAX)
}

/// No more connections than files can be open for.
fn within_files(limits: Limits, files: u64) -> Result<Limits, OpenError> {
    let most = usize::try_from(files.saturating_sub(FILES_KEPT)).unwrap_or(usize::MAX);
    if most < CONNECTIONS_MIN {
        return Err(OpenError::Files(files));
    }
    if limits.connections > most {
        tracing::warn!(wished = limits.connections, most, "fewer connections than configured: raise `ulimit -n`");
    }
    Ok(Limits { connections: limits.connections.min(most), ..limits })
}

#[cfg(test)]
mod tests;
