//! A socket that is closed as one takes leave: first its own end is said, then what the peer still sends is read and thrown away.
//!
//! Whoever closes a socket with unread bytes in it resets the connection, and a peer that was still sending may lose the answer that says
//! why it was refused (RFC 9112, section 9.6).

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Sleep;

/// So long a peer is listened to after all was said.
const LINGER: Duration = Duration::from_secs(2);
/// Read and thrown away at once.
const SCRATCH_BYTES: usize = 8 << 10;

/// The socket.
#[derive(Debug)]
pub(crate) struct Lingering<S> {
    stream: S,
    linger: Duration,
    /// Our end was said; so long the peer's is waited for.
    until: Option<Pin<Box<Sleep>>>,
}

impl<S> Lingering<S> {
    pub(crate) fn new(stream: S) -> Self {
        Self { stream, linger: LINGER, until: None }
    }

    pub(crate) fn get(&self) -> &S {
        &self.stream
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Lingering<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Lingering<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        if this.until.is_none() {
            ready!(Pin::new(&mut this.stream).poll_shutdown(cx))?;
        }
        let linger = this.linger;
        let until = this.until.get_or_insert_with(|| Box::pin(tokio::time::sleep(linger)));
        // First, since a peer that never stops sending would never let it come.
        if until.as_mut().poll(cx).is_ready() {
            return Poll::Ready(Ok(()));
        }
        let mut scratch = [0; SCRATCH_BYTES];
        let mut buffer = ReadBuf::new(&mut scratch);
        match Pin::new(&mut this.stream).poll_read(cx, &mut buffer) {
            Poll::Pending => Poll::Pending,
            Poll::Ready(Ok(())) if !buffer.filled().is_empty() => {
                // There may be more, and others want their turn.
                cx.waker().wake_by_ref();
                Poll::Pending
            }
            // Its end, or nobody is there any more.
            Poll::Ready(_) => Poll::Ready(Ok(())),
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::UnixStream;

    use super::*;

    #[tokio::test]
    async fn what_is_still_sent_is_taken_until_the_peer_has_heard_the_answer() {
        let (ours, mut peer) = UnixStream::pair().expect("a pair");
        let mut ours = Lingering::new(ours);
        let served = tokio::spawn(async move {
            ours.write_all(b"no\n").await.expect("said");
            ours.shutdown().await.expect("closed");
        });
        let mut answer = Vec::new();
        peer.read_to_end(&mut answer).await.expect("heard to its end");
        assert_eq!(answer, b"no\n");
        peer.write_all(&vec![7; 4 << 20]).await.expect("it is still taken");
        drop(peer);
        served.await.expect("no panic");
    }

    /// One that has less patience.
    fn hasty<S>(stream: S) -> Lingering<S> {
        Lingering { linger: Duration::from_millis(50), ..Lingering::new(stream) }
    }

    #[tokio::test]
    async fn a_peer_that_stays_is_left() {
        let (ours, mut peer) = tokio::io::duplex(64);
        let mut ours = hasty(ours);
        ours.shutdown().await.expect("closed");
        drop(ours);
        assert!(peer.write_all(b"more").await.is_err());
    }

    #[tokio::test]
    async fn a_peer_that_never_stops_is_left_as_well() {
        let (ours, mut peer) = tokio::io::duplex(1 << 10);
        let mut ours = hasty(ours);
        let sending = tokio::spawn(async move { while peer.write_all(&[7; 64]).await.is_ok() {} });
        ours.shutdown().await.expect("closed");
        drop(ours);
        sending.await.expect("it hears that nobody listens");
    }
}
