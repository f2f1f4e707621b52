//! A connection's socket, with its gauge told of every byte that moves and of every one that does not.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::Instant;

use super::gauge::Gauge;

/// Unsent bytes in a socket at most: so much later a peer's slowness is seen, and so much is on its way when something is taken back.
const UNSENT_BYTES_MAX: u32 = 256 << 10;

/// The socket.
#[derive(Debug)]
pub(super) struct Metered {
    stream: TcpStream,
    gauge: Arc<Gauge>,
}

impl Metered {
    pub(super) fn new(stream: TcpStream, gauge: Arc<Gauge>) -> Self {
        // Both are for speed and for measuring; a kernel that has them not serves as well.
        let _ = stream.set_nodelay(true);
        let _ = socket2::SockRef::from(&stream).set_tcp_notsent_lowat(UNSENT_BYTES_MAX);
        Self { stream, gauge }
    }

    fn note(&self, written: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        match &written {
            Poll::Ready(Ok(bytes)) => self.gauge.wrote(Some(*bytes), Instant::now()),
            Poll::Pending => self.gauge.wrote(None, Instant::now()),
            Poll::Ready(Err(_)) => {}
        }
        written
    }
}

impl AsyncRead for Metered {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(cx, buffer);
        if buffer.filled().len() > before {
            self.gauge.read(Instant::now());
        }
        read
    }
}

impl AsyncWrite for Metered {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.note(written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(cx, slices);
        self.note(written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

impl Drop for Metered {
    fn drop(&mut self) {
        if self.gauge.is_broken_off() {
            let _ = self.stream.set_zero_linger();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use tokio::net::TcpListener;

    use super::super::gauge::Phase;
    use super::*;

    #[tokio::test]
    async fn little_lies_unsent_in_a_socket() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("bound");
        let stream = TcpStream::connect(listener.local_addr().expect("bound")).await.expect("connected");
        let metered = Metered::new(stream, Arc::new(Gauge::new(Phase::Header, Instant::now())));
        let socket = socket2::SockRef::from(&metered.stream);
        assert_eq!(socket.tcp_notsent_lowat().expect("this kernel has it"), UNSENT_BYTES_MAX);
        assert!(socket.tcp_nodelay().expect("asked"));
    }
}
