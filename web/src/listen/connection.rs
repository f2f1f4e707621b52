//! One connection from its handshake to its end.

use std::convert::Infallible;
use std::net::IpAddr;
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::http::{Request, Response};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service, service_fn};
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::Instant;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::{CancellationToken, DropGuard};
use tokio_util::task::TaskTracker;

use super::bodies::{Asked, Told};
use super::buckets::Buckets;
use super::caller::{Caller, Certificate, Certificates};
use super::gauge::{Gauge, Phase};
use super::meter::Metered;
use super::registry::{self, Guest};
use super::tls::Tls;
use crate::download::Revocable;
use crate::linger::Lingering;

/// One header is read into so much; so much of an answer is held beside the chunk that is being written.
const BUFFER_BYTES: usize = 64 << 10;
/// A header's lines at most, and all its bytes.
const HEADERS_MAX: usize = 100;
const HEADER_BYTES_MAX: usize = 32 << 10;

/// What all connections of a door have in common.
pub(super) struct House {
    pub(super) router: Router,
    pub(super) tls: Option<Arc<Tls>>,
    pub(super) certificates: Certificates,
    pub(super) buckets: Arc<Buckets>,
    /// Canceled when the door closes: each connection ends after its answer.
    pub(super) closing: CancellationToken,
    pub(super) tasks: TaskTracker,
}

/// Serves one connection until it ends or must.
pub(super) async fn run(stream: TcpStream, peer: IpAddr, guest: Guest, house: Arc<House>) {
    let gauge = Arc::clone(&guest.gauge);
    let stream = Lingering::new(Metered::new(stream, Arc::clone(&gauge)));
    let talk = Box::pin(talk(stream, peer, Arc::clone(&gauge), house));
    tokio::select! {
        biased;
        () = gauge.ended.cancelled() => {}
        () = talk => {}
    }
}

async fn talk(stream: Lingering<Metered>, peer: IpAddr, gauge: Arc<Gauge>, house: Arc<House>) {
    let caller = |certificate| Caller {
        address: registry::network(peer),
        encrypted: house.tls.is_some(),
        certificate,
        certificates: Arc::clone(&house.certificates),
        buckets: Arc::clone(&house.buckets),
    };
    let Some(tls) = &house.tls else { return speak(stream, caller(None), gauge, &house).await };
    let stream = match TlsAcceptor::from(tls.now().config).accept(stream).await {
        Ok(stream) => stream,
        Err(error) => return tracing::debug!(%peer, %error, "TLS was not agreed on"),
    };
    gauge.enter(Phase::Header, Instant::now());
    let shown = stream.get_ref().1.peer_certificates().and_then(|chain| Certificate::new(chain, tls));
    let caller = caller(shown.map(Arc::new));
    speak(stream, caller, gauge, &house).await;
}

async fn speak<S>(stream: S, caller: Caller, gauge: Arc<Gauge>, house: &House)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let peer = caller.address;
    let answers = Answers {
        router: TowerToHyperService::new(house.router.clone()),
        caller,
        gauge,
        tasks: house.tasks.clone(),
        watched: Arc::default(),
    };
    let service = service_fn(move |request| answers.clone().answer(request));
    let mut builder = http1::Builder::new();
    // Times are the gauge's: between requests others hold than within a header.
    builder.header_read_timeout(None).max_headers(HEADERS_MAX).max_header_size(HEADER_BYTES_MAX);
    builder.max_buf_size(BUFFER_BYTES);
    let mut connection = pin!(builder.serve_connection(TokioIo::new(stream), service));
    let result = tokio::select! {
        result = connection.as_mut() => result,
        () = house.closing.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = result {
        tracing::debug!(%peer, %error, "a connection broke");
    }
}

/// Answers the requests of one connection.
#[derive(Clone)]
struct Answers {
    router: TowerToHyperService<Router>,
    caller: Caller,
    gauge: Arc<Gauge>,
    tasks: TaskTracker,
    /// Watches the answer that is under way, if it can be taken back.
    watched: Arc<Mutex<Option<DropGuard>>>,
}

impl Answers {
    async fn answer(self, request: Request<Incoming>) -> Result<Response<Told>, Infallible> {
        self.gauge.enter(Phase::Busy, Instant::now());
        self.watch(None);
        let mut request = request.map(|body| Asked { body, gauge: Arc::clone(&self.gauge) });
        request.extensions_mut().insert(self.caller.clone());
        let mut response = self.router.call(request).await?;
        self.watch(response.extensions_mut().remove::<Revocable>());
        let gauge = Arc::clone(&self.gauge);
        Ok(response.map(|body| Told { body, gauge }))
    }

    /// Ends the connection when what it sends is taken back, also while its reader takes nothing. Until the next request: of the
    /// last chunk something may lie here when its body is long gone.
    fn watch(&self, answer: Option<Revocable>) {
        let done = CancellationToken::new();
        if let Some(Revocable(ended)) = answer {
            let (gauge, done) = (Arc::clone(&self.gauge), done.clone());
            self.tasks.spawn(async move {
                tokio::select! {
                    () = ended.cancelled() => gauge.break_off(),
                    () = done.cancelled() => {}
                }
            });
        }
        *self.watched.lock().unwrap_or_else(PoisonError::into_inner) = Some(done.drop_guard());
    }
}
