//! Between client and center: counts what the client is given, cuts connections, or holds them until it is told to go on.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Result;
use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;
use tokio::sync::watch;

/// What happens to connections.
#[derive(Clone)]
pub enum Way {
    /// Each is cut after so many bytes at the most, at a place that the seed says.
    Cut {
        /// Of the places.
        seed: u64,
        /// Bytes.
        most: u64,
    },
    /// Everything stands still after so many bytes altogether.
    Hold {
        /// Bytes.
        after: u64,
    },
    /// Nothing.
    Open,
}

struct Shared {
    given: AtomicU64,
    cuts: AtomicU64,
    way: Mutex<Way>,
    held: watch::Sender<bool>,
}

/// Listens on this machine's loopback and carries to one port of it.
pub struct Proxy {
    address: SocketAddr,
    shared: Arc<Shared>,
    runtime: Runtime,
}

impl Proxy {
    /// Before this port.
    ///
    /// # Errors
    /// When nothing can be listened on.
    pub fn before(port: u16) -> Result<Self> {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0"))?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared {
            given: AtomicU64::new(0),
            cuts: AtomicU64::new(0),
            way: Mutex::new(Way::Open),
            held: watch::Sender::new(false),
        });
        let own = Arc::clone(&shared);
        runtime.spawn(async move {
            let mut number = 0;
            while let Ok((client, _)) = listener.accept().await {
                number += 1;
                let (shared, way) = (Arc::clone(&own), own.way.lock().unwrap_or_else(PoisonError::into_inner).clone());
                tokio::spawn(async move { carry(&shared, client, port, way, number).await });
            }
        });
        Ok(Self { address, shared, runtime })
    }

    /// `http://127.0.0.1:PORT`
    #[must_use]
    pub fn address(&self) -> String {
        format!("http://{}", self.address)
    }

    /// From the next connection on.
    pub fn set(&self, way: Way) {
        *self.shared.way.lock().unwrap_or_else(PoisonError::into_inner) = way;
    }

    /// Bytes that the client was given, heads included.
    #[must_use]
    pub fn given(&self) -> u64 {
        self.shared.given.load(Ordering::SeqCst)
    }

    /// Connections that were cut.
    #[must_use]
    pub fn cuts(&self) -> u64 {
        self.shared.cuts.load(Ordering::SeqCst)
    }

    /// Returns when everything stands still.
    ///
    /// # Errors
    /// When the proxy has ended.
    pub fn wait_until_held(&self) -> Result<()> {
        let mut held = self.shared.held.subscribe();
        self.runtime.block_on(async { held.wait_for(|is_held| *is_held).await.map(drop) })?;
        Ok(())
    }
}

async fn carry(shared: &Shared, client: TcpStream, port: u16, way: Way, number: u64) -> Result<()> {
    let server = TcpStream::connect(("127.0.0.1", port)).await?;
    let (mut from_client, mut to_client) = client.into_split();
    let (mut from_server, mut to_server) = server.into_split();
    let up = tokio::spawn(async move { tokio::io::copy(&mut from_client, &mut to_server).await });
    let mut left = match way {
        Way::Cut { seed, most } => StdRng::seed_from_u64(seed.wrapping_add(number)).random_range(1..most),
        Way::Hold { .. } | Way::Open => u64::MAX,
    };
    let mut buffer = vec![0; 16 << 10];
    loop {
        if let Way::Hold { after } = way
            && shared.given.load(Ordering::SeqCst) >= after
        {
            shared.held.send_replace(true);
            std::future::pending::<()>().await;
        }
        let read = from_server.read(&mut buffer).await?;
        if read == 0 {
            break;
        }
        let bytes = read.min(usize::try_from(left).unwrap_or(usize::MAX));
        to_client.write_all(&buffer[..bytes]).await?;
        shared.given.fetch_add(bytes as u64, Ordering::SeqCst);
        left -= bytes as u64;
        if left == 0 {
            shared.cuts.fetch_add(1, Ordering::SeqCst);
            break;
        }
    }
    // The end is said, and not by a reset: what was given has arrived.
    to_client.shutdown().await?;
    up.abort();
    Ok(())
}
