//! The queue of spans, and the task that sends them: some at a time, each lot tried a few times, and lost after that. Whoever puts
//! something into the queue never waits; when it is full, the newest is lost. Every span is counted once: sent, or why not.

use std::io::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use kentai_engine::view::trace::Interval;
use kentai_web::traces::{Answered, Counts};
use reqwest::StatusCode;
use reqwest::header::{CONTENT_ENCODING, CONTENT_TYPE, RETRY_AFTER};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, RootCertStore};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::context;
use super::encode::{self, Span};
use super::settings::{Error, Settings};

/// Spans that wait: some megabytes.
const QUEUE_MAX: usize = 8192;
/// Spans that are sent at once.
const LOT_MAX: usize = 512;
/// For so long the first of a lot waits for others.
const TOGETHER: Duration = Duration::from_secs(1);
/// So often a lot is tried, with these pauses.
const TRIES: u32 = 5;
const PAUSE_FIRST: Duration = Duration::from_secs(1);
/// A collector may ask for a longer pause, but not for any.
const PAUSE_MAX: Duration = Duration::from_secs(30);
const CONNECT_MAX: Duration = Duration::from_secs(5);
/// What is read of an answer, bytes.
const ANSWER_MAX: usize = 64 * 1024;

/// What became of spans.
#[derive(Default)]
pub(super) struct Tally {
    put: AtomicU64,
    sent: AtomicU64,
    queue_full: AtomicU64,
    refused: AtomicU64,
    unreachable: AtomicU64,
}

impl Tally {
    fn all(&self) -> [(&'static str, &AtomicU64); 4] {
        [
            ("sent", &self.sent),
            ("queue_full", &self.queue_full),
            ("refused", &self.refused),
            ("unreachable", &self.unreachable),
        ]
    }
}

fn add(counter: &AtomicU64, more: usize) {
    counter.fetch_add(u64::try_from(more).unwrap_or(u64::MAX), Ordering::Relaxed);
}

/// Where spans are put; clones share the queue.
#[derive(Clone)]
pub(super) struct Outlet {
    queue: mpsc::Sender<Span>,
    tally: Arc<Tally>,
    share: f64,
}

impl Outlet {
    /// Of this share of runs.
    pub(super) fn new(share: f64) -> (Self, mpsc::Receiver<Span>) {
        let (queue, taken) = mpsc::channel(QUEUE_MAX);
        (Self { queue, tally: Arc::default(), share }, taken)
    }

    pub(super) fn tally(&self) -> Arc<Tally> {
        Arc::clone(&self.tally)
    }

    /// Something of a run ended.
    pub(super) fn interval(&self, found: &Interval) {
        if context::is_chosen(context::trace_of(&found.run), self.share) {
            self.put(encode::interval(found));
        }
    }

    /// A request was answered: whoever asked may have said whether it is traced, and in which trace.
    pub(super) fn answered(&self, found: &Answered) {
        let parent = found.traceparent.as_deref().and_then(context::parent);
        let Some(trace) = parent.map(|parent| parent.trace).or_else(context::fresh) else { return };
        let is_chosen = parent.map_or_else(|| context::is_chosen(trace, self.share), |parent| parent.is_sampled);
        if let Some(id) = context::fresh().filter(|_| is_chosen) {
            self.put(encode::answered(found, (trace, id), parent.map(|parent| parent.span)));
        }
    }

    fn put(&self, span: Span) {
        add(&self.tally.put, 1);
        if self.queue.try_send(span).is_err() {
            add(&self.tally.queue_full, 1);
        }
    }

    /// What became of them.
    pub(super) fn counts(&self) -> Counts {
        self.tally.all().map(|(word, count)| (word, count.load(Ordering::Relaxed))).to_vec()
    }

    /// Of how many nobody can say it.
    pub(super) fn unsettled(&self) -> u64 {
        let settled: u64 = self.counts().iter().map(|(_, count)| count).sum();
        self.tally.put.load(Ordering::Relaxed).saturating_sub(settled)
    }
}

/// What came of one try.
enum Outcome {
    /// All but so many were taken.
    Taken { rejected: usize },
    /// The collector does not want them, now or later.
    Refused(String),
    /// Another try may do better, after a while that the collector may name.
    Later { why: String, after: Option<Duration> },
}

/// Sends what is in the queue.
pub(super) struct Exporter {
    client: reqwest::Client,
    url: reqwest::Url,
    gzip: bool,
    resource: Vec<(String, String)>,
    /// The last lot was lost: what was said once is not said again.
    in_trouble: bool,
}

impl Exporter {
    pub(super) fn new(settings: &Settings) -> Result<Self, Error> {
        let client = reqwest::Client::builder()
            .tls_backend_preconfigured(tls(settings)?)
            // A secret goes to the collector and to nobody that it, or a variable, names instead.
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .default_headers(settings.headers.clone())
            .connect_timeout(CONNECT_MAX)
            .timeout(settings.timeout)
            .user_agent(concat!("kentai/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|error| Error::Tls(error.without_url().to_string()))?;
        let (url, resource) = (settings.url.clone(), settings.resource.clone());
        Ok(Self { client, url, gzip: settings.gzip, resource, in_trouble: false })
    }

    /// Until it is asked to end and the queue is empty.
    pub(super) async fn run(mut self, mut queue: mpsc::Receiver<Span>, tally: Arc<Tally>, token: CancellationToken) {
        loop {
            let mut lot = Vec::new();
            tokio::select! {
                taken = queue.recv_many(&mut lot, LOT_MAX) => if taken == 0 { return },
                () = token.cancelled(), if !queue.is_closed() => {
                    // What is in it is sent; nothing comes any more.
                    queue.close();
                    continue;
                }
            }
            if lot.len() < LOT_MAX {
                tokio::select! {
                    () = tokio::time::sleep(TOGETHER) => {}
                    () = token.cancelled() => {}
                }
                while let (true, Ok(span)) = (lot.len() < LOT_MAX, queue.try_recv()) {
                    lot.push(span);
                }
            }
            self.send(lot, &tally, &token).await;
        }
    }

    async fn send(&mut self, lot: Vec<Span>, tally: &Tally, token: &CancellationToken) {
        let spans = lot.len();
        let body = self.body(lot);
        let mut pause = PAUSE_FIRST;
        let mut last = String::new();
        for _ in 0..TRIES {
            match self.post(body.clone()).await {
                Outcome::Taken { rejected } => {
                    let rejected = rejected.min(spans);
                    add(&tally.sent, spans - rejected);
                    add(&tally.refused, rejected);
                    self.in_trouble = false;
                    return;
                }
                Outcome::Refused(why) => {
                    add(&tally.refused, spans);
                    return self.say(spans, &why);
                }
                Outcome::Later { why, after } => {
                    last = why;
                    // At the stop each lot has one more try, and no pause.
                    if token.is_cancelled() {
                        break;
                    }
                    tokio::select! {
                        () = tokio::time::sleep(after.unwrap_or(pause).min(PAUSE_MAX)) => {}
                        () = token.cancelled() => {}
                    }
                    pause *= 2;
                }
            }
        }
        add(&tally.unreachable, spans);
        self.say(spans, &last);
    }

    fn say(&mut self, spans: usize, why: &str) {
        if !std::mem::replace(&mut self.in_trouble, true) {
            tracing::warn!(spans, why, "the collector of traces takes nothing; what it does not take is lost");
        }
    }

    fn body(&self, lot: Vec<Span>) -> Vec<u8> {
        let body = encode::request(&self.resource, lot);
        if !self.gzip {
            return body;
        }
        let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        packed.write_all(&body).and_then(|()| packed.finish()).expect("memory takes every byte")
    }

    async fn post(&self, body: Vec<u8>) -> Outcome {
        let mut request = self.client.post(self.url.clone()).header(CONTENT_TYPE, "application/x-protobuf").body(body);
        if self.gzip {
            request = request.header(CONTENT_ENCODING, "gzip");
        }
        match request.send().await {
            Ok(response) => answered(response).await,
            Err(error) => Outcome::Later { why: chain(error), after: None },
        }
    }
}

/// Which answers may be followed by another try is OTLP's word.
async fn answered(response: reqwest::Response) -> Outcome {
    let status = response.status();
    if status.is_success() {
        return Outcome::Taken { rejected: usize::try_from(rejected(response).await).unwrap_or(usize::MAX) };
    }
    let why = format!("it answers {status}");
    let is_later = [
        StatusCode::TOO_MANY_REQUESTS,
        StatusCode::BAD_GATEWAY,
        StatusCode::SERVICE_UNAVAILABLE,
        StatusCode::GATEWAY_TIMEOUT,
    ];
    if !is_later.contains(&status) {
        return Outcome::Refused(why);
    }
    let after = response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.parse().ok());
    Outcome::Later { why, after: after.map(Duration::from_secs) }
}

async fn rejected(mut response: reqwest::Response) -> u64 {
    let mut answer = Vec::new();
    while let Ok(Some(chunk)) = response.chunk().await {
        answer.extend_from_slice(&chunk);
        if answer.len() > ANSWER_MAX {
            return 0;
        }
    }
    encode::rejected(&answer)
}

/// Without the address, which every message would repeat.
fn chain(error: reqwest::Error) -> String {
    let error = error.without_url();
    let causes = std::iter::successors(Some(&error as &dyn std::error::Error), |error| error.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

fn tls(settings: &Settings) -> Result<ClientConfig, Error> {
    let mut roots = RootCertStore::empty();
    match &settings.authorities {
        Some(path) => {
            let bad = |reason: &dyn std::fmt::Display| Error::Tls(format!("{}: {reason}", path.display()));
            let found = CertificateDer::pem_file_iter(path).and_then(Iterator::collect::<Result<Vec<_>, _>>);
            for certificate in found.map_err(|error| bad(&error))? {
                roots.add(certificate).map_err(|error| bad(&error))?;
            }
            if roots.is_empty() {
                return Err(bad(&"it holds no certificate in PEM"));
            }
        }
        // Some machines have certificates among theirs that nobody can read; the others count.
        None if settings.url.scheme() == "https" => {
            roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        }
        None => {}
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let builder = builder.map_err(|error| Error::Tls(format!("prepare TLS: {error}")))?;
    Ok(builder.with_root_certificates(roots).with_no_client_auth())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answered(traceparent: Option<&str>) -> Answered {
        let traceparent = traceparent.map(str::to_owned);
        let took = Duration::from_millis(2);
        Answered { method: "GET", route: Some("/runs/{id}".into()), status: 200, began_us: 1, took, traceparent }
    }

    fn count(outlet: &Outlet, outcome: &str) -> u64 {
        outlet.counts().iter().find(|(word, _)| *word == outcome).map_or(0, |(_, count)| *count)
    }

    #[test]
    fn a_full_queue_loses_the_newest_and_counts_it_and_nobody_waits() {
        let (outlet, mut queue) = Outlet::new(1.0);
        (0..QUEUE_MAX + 5).for_each(|_| outlet.answered(&answered(None)));
        assert_eq!((count(&outlet, "queue_full"), queue.len()), (5, QUEUE_MAX));
        assert_eq!(outlet.unsettled(), u64::try_from(QUEUE_MAX).expect("a number"));
        queue.close();
        outlet.answered(&answered(None));
        assert_eq!(count(&outlet, "queue_full"), 6, "after the stop as well");
    }

    #[test]
    fn whoever_asks_decides_and_nobody_else_is_asked() {
        let (outlet, mut queue) = Outlet::new(0.0);
        let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
        outlet.answered(&answered(None));
        outlet.answered(&answered(Some(&format!("00-{trace}-00f067aa0ba902b7-00"))));
        assert!(queue.try_recv().is_err(), "a share of nothing");
        outlet.answered(&answered(Some(&format!("00-{trace}-00f067aa0ba902b7-01"))));
        let span = queue.try_recv().expect("the caller traces it");
        assert_eq!((span.trace_id[0], span.parent_span_id[7]), (0x4b, 0xb7));
    }
}
