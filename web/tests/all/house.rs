//! A whole site in a temporary directory, its server, and a caller who speaks plain HTTP.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use kentai_engine::decide::admit::Request;
use kentai_engine::decide::retry::Budgets;
use kentai_engine::port::collect::{Collect, Collected, Made, Order};
use kentai_engine::scheduler::{self, Actor, Options, Post, Running, Target, Way};
use kentai_executors::scripted::{ScriptedExecutor, exited};
use kentai_web::People;
use kentai_workflows::site::Site;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;
use tokio_util::sync::CancellationToken;

/// One tool, then a person.
pub(crate) const TINY: &str = r#"kentai: 1
workflow: tiny
version: "1"
steps:
  work:
    outputs: { out: { path: out.txt } }
    script: echo done > "$out_out"
  release:
    after: [work]
    approve: { roles: [releaser], ask: "Release it?" }
"#;

/// A tool that runs until it is stopped.
pub(crate) const SLOW: &str = r#"kentai: 1
workflow: slow
version: "1"
steps:
  slow:
    outputs: { out: { path: out.txt } }
    script: sleep 9d; touch "$out_out"
"#;

/// A tool that fails.
pub(crate) const BROKEN: &str = r#"kentai: 1
workflow: broken
version: "1"
steps:
  broken:
    outputs: { out: { path: out.txt } }
    script: exit 2; touch "$out_out"
"#;

/// What the collector says that every tool said.
pub(crate) const LOG: &str = "<b>hello</b> from the tool\n";

pub(crate) struct House {
    directory: tempfile::TempDir,
    engine: Running,
    server: tokio::task::JoinHandle<std::io::Result<()>>,
    token: CancellationToken,
}

/// An answer, taken apart.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) text: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {}", self.text))
    }

    pub(crate) fn check(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}", self.text);
        self
    }

    /// It is a problem with this status and code.
    pub(crate) fn problem(self, status: u16, code: &str) -> Value {
        let answer = self.check(status);
        assert_eq!(answer.headers["content-type"], "application/problem+json");
        let problem = answer.json();
        assert_eq!((&problem["status"], &problem["code"]), (&json!(status), &json!(code)));
        assert!(problem["title"].is_string() && problem["detail"].is_string() && problem["type"].is_string());
        problem
    }
}

impl House {
    /// A site on which this process's user has these roles.
    pub(crate) async fn open(roles: &[&str]) -> Self {
        let roles: BTreeSet<String> = roles.iter().map(|role| (*role).to_owned()).collect();
        Self::open_for(Arc::new(move |_| {
            Some(Actor { name: "ops-02".into(), roles: roles.clone(), ..Actor::default() })
        }))
        .await
    }

    /// A site on which everybody is somebody with every role.
    pub(crate) async fn open_to_all() -> Self {
        Self::open(&["operator", "reviewer", "releaser"]).await
    }

    pub(crate) async fn open_for(people: People) -> Self {
        Self::open_with(people, |_| {}).await
    }

    /// The same, with other options.
    pub(crate) async fn open_with(people: People, change: impl FnOnce(&mut Options)) -> Self {
        Self::open_in(tempfile::tempdir().expect("a temporary directory"), people, change).await
    }

    /// Ends everything and begins again on what is stored.
    pub(crate) async fn reopen(self, roles: &[&str]) -> Self {
        let roles: BTreeSet<String> = roles.iter().map(|role| (*role).to_owned()).collect();
        let Self { directory, engine, server, token } = self;
        token.cancel();
        server.await.expect("no panic").expect("it ended well");
        engine.stop().await.expect("it ended well");
        let somebody = Actor { name: "ops-02".into(), roles, ..Actor::default() };
        Self::open_in(directory, Arc::new(move |_| Some(somebody.clone())), |_| {}).await
    }

    async fn open_in(directory: tempfile::TempDir, people: People, change: impl FnOnce(&mut Options)) -> Self {
        let mut options = options(directory.path());
        change(&mut options);
        let engine = scheduler::start(options).await.expect("an engine");
        let listener = kentai_web::bind(&directory.path().join("run/kentai.sock")).expect("a socket");
        let token = CancellationToken::new();
        let router = kentai_web::router(engine.handle.clone(), people, kentai_web::TimeZone::UTC);
        let server = tokio::spawn(kentai_web::serve(listener, router, token.clone()));
        Self { directory, engine, server, token }
    }

    pub(crate) fn engine(&self) -> &scheduler::handle::Handle {
        &self.engine.handle
    }

    pub(crate) fn socket(&self) -> PathBuf {
        self.directory.path().join("run/kentai.sock")
    }

    /// Closes the server, then the engine.
    pub(crate) async fn close(self) {
        let socket = self.socket();
        self.token.cancel();
        self.server.await.expect("no panic").expect("it ended well");
        assert!(!socket.exists(), "a server that ends takes its socket with it");
        self.engine.stop().await.expect("it ended well");
    }

    /// Closes the door on somebody who listens; whether that ended before the door's patience did.
    pub(crate) async fn close_on(mut self, listens: impl Future<Output = ()>) -> bool {
        self.token.cancel();
        tokio::select! {
            biased;
            () = listens => {}
            _ = &mut self.server => return false,
        }
        self.close().await;
        true
    }

    /// Comes back when nothing moves by itself any more.
    pub(crate) async fn quiet(&self) {
        self.until(|pulse| pulse.active == 0 && pulse.tools == 0).await;
    }

    pub(crate) async fn until(&self, wanted: impl FnMut(&scheduler::handle::Pulse) -> bool) {
        self.engine.handle.pulse().wait_for(wanted).await.expect("the engine lives");
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.ask("GET", path, "", "").await
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> Answer {
        self.ask("POST", path, "content-type: application/json\r\n", &body.to_string()).await
    }

    pub(crate) async fn ask(&self, method: &str, path: &str, headers: &str, body: &str) -> Answer {
        let mut stream = self.begin(method, path, headers, body).await;
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes).await.expect("read");
        take_apart(&String::from_utf8_lossy(&bytes))
    }

    /// Sends a request; the answer is still to be read.
    pub(crate) async fn begin(&self, method: &str, path: &str, headers: &str, body: &str) -> UnixStream {
        let mut stream = UnixStream::connect(self.socket()).await.expect("connected");
        let length = body.len();
        let head = format!(
            "{method} {path} HTTP/1.1\r\nhost: kentai\r\nconnection: close\r\n{headers}content-length: {length}\r\n\r\n"
        );
        stream.write_all(head.as_bytes()).await.expect("sent");
        // A server that refuses a body may stop reading it.
        let _ = stream.write_all(body.as_bytes()).await;
        stream
    }

    /// Submits a workflow over one specimen and gives the run's id.
    pub(crate) async fn run(&self, source: &str, specimen: &str) -> String {
        let submitted = self.post("/api/v1/submissions", &submission(source, specimen)).await.check(201).json();
        submitted["runs"][0].as_str().expect("one run").to_owned()
    }
}

pub(crate) fn submission(source: &str, specimen: &str) -> Value {
    json!({ "path": "tiny.yaml", "source": source, "specimens": [[{ "id": specimen, "values": {} }, "stamp"]] })
}

pub(crate) fn take_apart(text: &str) -> Answer {
    let (head, body) = text.split_once("\r\n\r\n").expect("a head");
    let mut lines = head.lines();
    let status =
        lines.next().and_then(|line| line.split(' ').nth(1)).and_then(|word| word.parse().ok()).expect("a status");
    let headers = lines
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_lowercase(), value.to_owned()))
        .collect();
    Answer { status, headers, text: body.to_owned() }
}

fn options(directory: &Path) -> Options {
    let hands = ScriptedExecutor::new(|task| match task.step.as_str() {
        "slow" => None,
        "broken" => Some(exited(task, 2)),
        _ => Some(exited(task, 0)),
    });
    Options {
        site: "test".into(),
        directory: directory.to_owned(),
        executors: vec![Post::plain(Arc::new(hands))],
        chosen: false,
        collect: collect(),
        targets: BTreeMap::from([("dc1".to_owned(), receiver())]),
        subscribers: Vec::new(),
        facts: Arc::new(|| Site { images_ignored: true, ..Site::default() }),
        resources: Request { cpus: 0, memory_bytes: 0, disk_bytes: 0 },
        slots: 100,
        memory_max_per_step: 0,
        timeout_max_s: 0,
        budgets: Budgets { infrastructure: 1, preempted: 1, image: 1, lost: 1 },
        keep_attempts_s: 0,
        clock: kentai_engine::clock::Clock::Machine,
        drain: false,
    }
}

/// Somebody who fetches what is for them.
fn receiver() -> Target {
    Target { way: Way::Pull, consent_use: None, recipient: None, keep_s: 0, receipt_key: None, retain: None }
}

/// Keeps a log for every attempt and says that every output was made.
fn collect() -> Collect {
    let one = |order: Order| {
        std::fs::create_dir_all(order.log.parent().expect("a directory")).expect("made");
        std::fs::write(&order.log, LOG).expect("written");
        let made = order.outputs.unwrap_or_default().into_iter().map(|output| Made {
            output: output.name,
            index: 0,
            list: false,
            name: output.path,
            sha256: "ab".repeat(32),
            size: 5,
            dir: false,
        });
        Collected { attempt: order.attempt, outcome: Ok(made.collect()), log_bytes: LOG.len() as u64 }
    };
    Arc::new(move |orders| orders.into_iter().map(one).collect())
}
