//! Bodies of requests and answers, with the connection's gauge told what they wait for.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use tokio::time::Instant;

use super::gauge::{Gauge, Phase};

/// A request's body.
pub(super) struct Asked {
    pub(super) body: Incoming,
    pub(super) gauge: Arc<Gauge>,
}

impl Body for Asked {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let frame = Pin::new(&mut self.body).poll_frame(cx);
        match &frame {
            Poll::Pending => self.gauge.body(None),
            Poll::Ready(Some(Ok(frame))) => self.gauge.body(Some(frame.data_ref().map_or(0, Bytes::len))),
            Poll::Ready(_) => self.gauge.body_done(),
        }
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for Asked {
    fn drop(&mut self) {
        self.gauge.body_done();
    }
}

/// An answer's body: when it is let go, the connection is between two requests.
pub(super) struct Told {
    pub(super) body: axum::body::Body,
    pub(super) gauge: Arc<Gauge>,
}

impl Body for Told {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for Told {
    fn drop(&mut self) {
        self.gauge.enter(Phase::Idle, Instant::now());
    }
}
