//! The running engine as a verb sees it: every route of the site's socket as a method, every refusal with its exit code.
//!
//! It speaks the API and nothing else: what a verb does when no server answers is the verb's business.

#![cfg_attr(not(test), expect(dead_code, reason = "every route has its method; verbs come to use them one by one"))]

mod changes;
mod error;
#[cfg(test)]
mod tests;

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use kentai_engine::scheduler::center::request as center;
use kentai_engine::scheduler::handle::{Answer, Definition, Submit, Submitted};
use kentai_engine::scheduler::post::Standing;
use kentai_engine::scheduler::why::Because;
use kentai_engine::store::read::{DeliveryFilter, RunFilter};
use kentai_engine::view::log::LogChunk;
use kentai_engine::view::{
    DeliveryView, EventView, Page, RunDetail, RunView, SpecimenDetail, SpecimenView, WorkflowView,
};
use kentai_workflows::diagnostic::Language;
use kentai_workflows::plan::Specimen;
use reqwest::{Method, Response, Url};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

pub(crate) use changes::Changes;
pub(crate) use error::ClientError;

/// A little longer than the server takes to say that it cannot.
const TIME_MAX: Duration = Duration::from_secs(70);
/// Images may have to be pulled first.
const SUBMISSION_TIME_MAX: Duration = Duration::from_secs(31 * 60);

type Result<T> = std::result::Result<T, ClientError>;

/// Filters of a list, by name; absent ones are left out.
type Query<'a> = &'a [(&'a str, Option<&'a str>)];

/// A connection to the server of one site. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Client {
    http: reqwest::Client,
    /// Diagnostics come in it.
    language: &'static str,
}

/// A piece of a log, and the attempt it is of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Log {
    pub attempt: String,
    pub chunk: LogChunk,
}

/// What signs its reader into the page, once.
#[derive(Debug, serde::Deserialize)]
pub(crate) struct SignInLink {
    pub name: String,
    pub secret: String,
    pub seconds: u64,
}

impl Client {
    /// The server at `socket`; none when nobody answers there.
    pub(crate) async fn connect(socket: &Path) -> Result<Option<Self>> {
        match tokio::net::UnixStream::connect(socket).await {
            Ok(_) => {}
            Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused) => {
                return Ok(None);
            }
            Err(error) => return Err(ClientError::silent(&format!("the socket {}", socket.display()), &error)),
        }
        let http = reqwest::Client::builder()
            .unix_socket(socket)
            .tls_backend_preconfigured(no_tls().map_err(|error| ClientError::silent("prepare the client", &error))?)
            .no_proxy()
            .timeout(TIME_MAX)
            .build()
            .map_err(|error| ClientError::silent("prepare the client", &error))?;
        Ok(Some(Self { http, language: "en" }))
    }

    /// The same, in this language.
    pub(crate) fn speaking(self, language: Language) -> Self {
        let language = if language == Language::Ja { "ja" } else { "en" };
        Self { language, ..self }
    }

    /// What signs whoever asks into the page.
    pub(crate) async fn sign_in_link(&self) -> Result<SignInLink> {
        read(self.send(self.http.post(url(&["sign-in-links"], &[]))).await?).await
    }

    /// The site, its engine, and whom it reaches.
    pub(crate) async fn site(&self) -> Result<Value> {
        self.get(&["site"], &[]).await
    }

    /// How the executors stand.
    pub(crate) async fn executors(&self) -> Result<Vec<Standing>> {
        #[derive(serde::Deserialize)]
        struct All {
            items: Vec<Standing>,
        }
        let all: All = self.get(&["executors"], &[]).await?;
        Ok(all.items)
    }

    /// Runs, newest first; `filter.status` is a public state.
    pub(crate) async fn runs(&self, filter: &RunFilter) -> Result<Page<RunView>> {
        let limit = filter.limit.to_string();
        let query = [
            ("status", filter.status.as_deref()),
            ("specimen", filter.specimen.as_deref()),
            ("submission", filter.submission.as_deref()),
            ("after", filter.after.as_deref()),
            ("limit", (filter.limit > 0).then_some(limit.as_str())),
        ];
        self.get(&["runs"], &query).await
    }

    /// One run, by its id or an unambiguous beginning of it.
    pub(crate) async fn run(&self, id: &str) -> Result<RunDetail> {
        self.get(&["runs", id], &[]).await
    }

    /// Events of a run after the one numbered `after`.
    pub(crate) async fn events(&self, id: &str, after: i64) -> Result<Page<EventView>> {
        self.get(&["runs", id, "events"], &[("after", Some(&after.to_string())), ("limit", Some("1000"))]).await
    }

    /// Why a run, or one of its steps, stands where it stands.
    pub(crate) async fn why(&self, id: &str, step: Option<&str>) -> Result<Vec<Because>> {
        self.get(&["runs", id, "why"], &[("step", step)]).await
    }

    /// A piece of an attempt's log; `attempt` is a number of the step or a whole attempt id.
    pub(crate) async fn log(&self, id: &str, step: Option<&str>, attempt: Option<&str>, offset: u64) -> Result<Log> {
        let query = [("step", step), ("attempt", attempt), ("offset", Some(&*offset.to_string()))];
        let response = self.send(self.http.get(url(&["runs", id, "log"], &query))).await?;
        let header = |name: &str| {
            response.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned()
        };
        let (attempt, next, is_final) =
            (header("kentai-attempt"), header("kentai-log-next"), header("kentai-log-final") == "true");
        let next = next.parse().map_err(|_| ClientError::odd("a log without its place"))?;
        let bytes = response.bytes().await.map_err(|error| ClientError::silent("the log", &error))?;
        Ok(Log { attempt, chunk: LogChunk { bytes: bytes.to_vec(), next, is_final } })
    }

    /// Submits; the same again changes nothing.
    pub(crate) async fn submit(&self, submit: &Submit) -> Result<Submitted> {
        let request = self.http.post(url(&["submissions"], &[])).timeout(SUBMISSION_TIME_MAX).json(submit);
        read(self.send(request).await?).await
    }

    /// Ends a run. What was done, in words.
    pub(crate) async fn cancel(&self, id: &str, reason: &str) -> Result<String> {
        self.ask(id, "cancel", &json!({ "reason": reason })).await
    }

    /// Pauses a run.
    pub(crate) async fn hold(&self, id: &str, reason: &str) -> Result<String> {
        self.ask(id, "hold", &json!({ "reason": reason })).await
    }

    /// Lets a held run go on.
    pub(crate) async fn resume(&self, id: &str) -> Result<String> {
        self.ask(id, "resume", &json!({})).await
    }

    /// Opens an ended run again.
    pub(crate) async fn retry(&self, id: &str, from: Option<&str>) -> Result<String> {
        self.ask(id, "retry", &json!({ "from": from })).await
    }

    /// Answers a step that waits; `step` may be empty when only one does.
    pub(crate) async fn answer(&self, id: &str, step: &str, answer: &Answer) -> Result<String> {
        self.ask(id, "answer", &json!({ "step": step, "answer": answer })).await
    }

    /// Specimens after the one named `after`.
    pub(crate) async fn specimens(&self, after: Option<&str>, limit: i64) -> Result<Page<SpecimenView>> {
        self.get(&["specimens"], &[("after", after), ("limit", Some(&limit.to_string()))]).await
    }

    /// Keeps what the sheet at `source` says, without running anything.
    pub(crate) async fn import(&self, specimens: &[Specimen], source: &str) -> Result<()> {
        let body = json!({ "source": source, "specimens": specimens });
        let request = self.http.post(url(&["specimens"], &[])).json(&body);
        self.send(request).await.map(drop)
    }

    /// Registers a workflow.
    pub(crate) async fn register(&self, definition: &Definition) -> Result<WorkflowView> {
        read(self.send(self.http.post(url(&["workflows"], &[])).json(definition)).await?).await
    }

    /// Asks something of the center. Rows that are wrong are an answer too: nothing was taken then.
    pub(crate) async fn center(&self, asked: &center::Request) -> Result<center::Answer> {
        let request = self.http.post(url(&["requests"], &[])).timeout(SUBMISSION_TIME_MAX).json(asked);
        match self.send(request).await {
            Ok(response) => read(response).await,
            Err(ClientError { problem, .. }) if !problem.problems.is_empty() => {
                Ok(center::Answer { said: problem.detail, problems: problem.problems, ..center::Answer::default() })
            }
            Err(error) => Err(error),
        }
    }

    /// One specimen with its runs and hand-offs.
    pub(crate) async fn specimen(&self, id: &str) -> Result<SpecimenDetail> {
        self.get(&["specimens", id], &[]).await
    }

    /// Hand-offs, newest first.
    pub(crate) async fn deliveries(&self, filter: &DeliveryFilter) -> Result<Page<DeliveryView>> {
        let limit = filter.limit.to_string();
        let query = [
            ("specimen", filter.specimen.as_deref()),
            ("target", filter.target.as_deref()),
            ("status", filter.status.as_deref()),
            ("after", filter.after.as_deref()),
            ("limit", (filter.limit > 0).then_some(limit.as_str())),
        ];
        self.get(&["deliveries"], &query).await
    }

    /// One hand-off.
    pub(crate) async fn delivery(&self, id: &str) -> Result<DeliveryView> {
        self.get(&["deliveries", id], &[]).await
    }

    /// Workflows that are known there.
    pub(crate) async fn workflows(&self) -> Result<Page<WorkflowView>> {
        self.get(&["workflows"], &[]).await
    }

    /// Tells when something changed, until the server ends.
    pub(crate) async fn changes(&self) -> Result<Changes> {
        let request = self.http.get(url(&["changes"], &[])).timeout(Duration::MAX);
        Ok(Changes::new(self.send(request).await?))
    }

    async fn get<T: DeserializeOwned>(&self, path: &[&str], query: Query<'_>) -> Result<T> {
        read(self.send(self.http.request(Method::GET, url(path, query))).await?).await
    }

    async fn ask(&self, id: &str, verb: &str, body: &Value) -> Result<String> {
        let done: Value = read(self.send(self.http.post(url(&["runs", id, verb], &[])).json(body)).await?).await?;
        done["message"].as_str().map(str::to_owned).ok_or_else(|| ClientError::odd("an answer without words"))
    }

    async fn send(&self, request: reqwest::RequestBuilder) -> Result<Response> {
        let mut request = request.header(reqwest::header::ACCEPT_LANGUAGE, self.language);
        if let Some(token) = crate::person::token() {
            request = request.bearer_auth(token);
        }
        let response = request.send().await.map_err(|error| ClientError::silent("the engine's server", &error))?;
        if response.status().is_success() { Ok(response) } else { Err(ClientError::of(response).await) }
    }
}

async fn read<T: DeserializeOwned>(response: Response) -> Result<T> {
    response.json().await.map_err(|error| ClientError::silent("an answer that can be read", &error))
}

/// Names are escaped here: whatever a person types stays one part of the path.
fn url(path: &[&str], query: Query<'_>) -> Url {
    let mut url = Url::parse("http://kentai/api/v1").expect("a constant that is a URL");
    if let Ok(mut segments) = url.path_segments_mut() {
        segments.extend(path);
    }
    for (name, value) in query {
        if let Some(value) = value {
            url.query_pairs_mut().append_pair(name, value);
        }
    }
    url
}

/// The socket needs no TLS, but the client wants to have one: it trusts nobody, and needs no certificates of the machine.
fn no_tls() -> std::result::Result<rustls::ClientConfig, rustls::Error> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
    Ok(config.with_root_certificates(rustls::RootCertStore::empty()).with_no_client_auth())
}
