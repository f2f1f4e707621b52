//! Serving: accept, and at the end let everybody finish.

use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use axum::serve::Listener;
use axum::{Extension, Router};
use tokio::net::unix::SocketAddr;
use tokio::net::{UnixListener, UnixStream};
use tokio_util::sync::CancellationToken;

use crate::linger::Lingering;
use crate::peer::Peer;

/// After the door is closed requests under way have so long; what they asked of the engine is done all the same.
pub(crate) const GRACE: Duration = Duration::from_secs(10);

/// The server closes: streams without an end end now.
#[derive(Clone, Debug, Default)]
pub(crate) struct Closing(pub(crate) CancellationToken);

/// Serves until `token` is canceled, then takes nothing new, lets requests under way finish, and removes the socket.
///
/// # Errors
/// When the listener breaks.
pub async fn serve(listener: UnixListener, router: Router, token: CancellationToken) -> io::Result<()> {
    let socket = listener.local_addr()?.as_pathname().map(Path::to_owned);
    let ours = socket.as_deref().and_then(identity);
    let service = router.layer(Extension(Closing(token.clone()))).into_make_service_with_connect_info::<Peer>();
    let server = axum::serve(Polite(listener), service).with_graceful_shutdown(token.clone().cancelled_owned());
    let too_late = async {
        token.cancelled().await;
        tokio::time::sleep(GRACE).await;
    };
    let result = tokio::select! {
        result = async { server.await } => result,
        () = too_late => {
            tracing::warn!("requests were under way when the server's time was over");
            Ok(())
        }
    };
    remove(socket, ours);
    result
}

/// Takes leave of each connection.
pub(crate) struct Polite(UnixListener);

impl Listener for Polite {
    type Io = Lingering<UnixStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, SocketAddr) {
        let (stream, address) = Listener::accept(&mut self.0).await;
        (Lingering::new(stream), address)
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.0.local_addr()
    }
}

fn identity(path: &Path) -> Option<(u64, u64)> {
    std::fs::symlink_metadata(path).ok().map(|found| (found.dev(), found.ino()))
}

/// Removes the socket unless another server has put its own there.
fn remove(socket: Option<PathBuf>, ours: Option<(u64, u64)>) {
    if let Some(path) = socket
        && ours.is_some()
        && identity(&path) == ours
        && let Err(error) = std::fs::remove_file(&path)
    {
        tracing::warn!(%error, path = %path.display(), "cannot remove the socket");
    }
}
