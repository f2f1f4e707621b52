//! A line that breaks: it carries so many bytes to a server and back, and then nothing more until it is told to.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};

/// The line, and what went over it.
pub(crate) struct Proxy {
    pub(crate) port: u16,
    state: Arc<State>,
}

struct State {
    left: AtomicI64,
    up: AtomicU64,
    cut: tokio::sync::Notify,
}

impl Proxy {
    pub(crate) async fn start(to: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let state =
            Arc::new(State { left: AtomicI64::new(i64::MAX), up: AtomicU64::new(0), cut: tokio::sync::Notify::new() });
        let shared = Arc::clone(&state);
        tokio::spawn(async move {
            while let Ok((near, _)) = listener.accept().await {
                tokio::spawn(connection(near, to, Arc::clone(&shared)));
            }
        });
        Self { port, state }
    }

    /// So many bytes more, both ways together; then every connection is cut and none is made.
    pub(crate) fn allow(&self, bytes: i64) {
        self.state.left.store(bytes, Ordering::SeqCst);
    }

    /// Bytes that went to the server so far.
    pub(crate) fn up(&self) -> u64 {
        self.state.up.load(Ordering::SeqCst)
    }
}

async fn connection(near: TcpStream, to: u16, state: Arc<State>) {
    // Before anything is awaited: a cut that comes from now on is not missed.
    let cut = state.cut.notified();
    if state.left.load(Ordering::SeqCst) <= 0 {
        return;
    }
    let Ok(far) = TcpStream::connect(("127.0.0.1", to)).await else { return };
    let ((near_read, near_write), (far_read, far_write)) = (near.into_split(), far.into_split());
    tokio::select! {
        () = cut => {}
        () = pump(near_read, far_write, &state, true) => {}
        () = pump(far_read, near_write, &state, false) => {}
    }
}

async fn pump(mut from: OwnedReadHalf, mut into: OwnedWriteHalf, state: &State, is_up: bool) {
    let mut buffer = vec![0; 16 << 10];
    while let Ok(count @ 1..) = from.read(&mut buffer).await {
        let size = i64::try_from(count).expect("small");
        let left = state.left.fetch_sub(size, Ordering::SeqCst);
        // The last bytes go out in part: a line does not break between messages.
        let goes = usize::try_from(left.clamp(0, size)).expect("not negative");
        if is_up {
            state.up.fetch_add(goes as u64, Ordering::SeqCst);
        }
        if into.write_all(&buffer[..goes]).await.is_err() {
            return;
        }
        if goes < count {
            state.cut.notify_waiters();
            return;
        }
    }
}
