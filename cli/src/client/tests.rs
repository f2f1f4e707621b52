//! The client against the real server, with scripted hands behind it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use kentai_engine::decide::admit::Request;
use kentai_engine::decide::retry::Budgets;
use kentai_engine::port::collect::{Collect, Collected, Order};
use kentai_engine::scheduler::handle::AnswerKind;
use kentai_engine::scheduler::{self, Actor, Options, Post, Running};
use kentai_engine::view::State;
use kentai_executors::scripted::ScriptedExecutor;
use kentai_workflows::site::Site;
use tokio_util::sync::CancellationToken;

use super::*;
use crate::exit::{Exit, Stop};

const WORKFLOW: &str = r#"kentai: 1
workflow: tiny
version: "1"
steps:
  work:
    script: echo hello
  release:
    after: [work]
    approve: { roles: [releaser], ask: "Release it?" }
"#;

const LOG: &str = "hello\n";

struct House {
    directory: tempfile::TempDir,
    engine: Running,
    server: tokio::task::JoinHandle<io::Result<()>>,
    token: CancellationToken,
}

impl House {
    async fn open(is_person: bool) -> (Self, Client) {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let engine = scheduler::start(options(directory.path())).await.expect("an engine");
        let socket = directory.path().join("run/kentai.sock");
        let listener = kentai_web::bind(&socket).expect("a socket");
        let roles = ["operator", "reviewer", "releaser"].map(str::to_owned);
        let actor = Actor { name: "ops-02".into(), roles: roles.into(), ..Actor::default() };
        let people: kentai_web::People = Arc::new(move |_| is_person.then(|| actor.clone()));
        let token = CancellationToken::new();
        let server = tokio::spawn(kentai_web::serve(
            listener,
            kentai_web::router(engine.handle.clone(), people, kentai_web::TimeZone::UTC),
            token.clone(),
        ));
        let client = Client::connect(&socket).await.expect("reached").expect("answered");
        (Self { directory, engine, server, token }, client)
    }

    fn socket(&self) -> PathBuf {
        self.directory.path().join("run/kentai.sock")
    }

    async fn quiet(&self) {
        self.engine.handle.pulse().wait_for(|pulse| pulse.active == 0 && pulse.tools == 0).await.expect("it lives");
    }

    async fn close(self) {
        self.token.cancel();
        self.server.await.expect("no panic").expect("it ended well");
        self.engine.stop().await.expect("it ended well");
    }
}

fn options(directory: &Path) -> Options {
    let keep = |order: Order| {
        std::fs::create_dir_all(order.log.parent().expect("a directory")).expect("made");
        std::fs::write(&order.log, LOG).expect("written");
        Collected { attempt: order.attempt, outcome: Ok(Vec::new()), log_bytes: LOG.len() as u64 }
    };
    let collect: Collect = Arc::new(move |orders| orders.into_iter().map(keep).collect());
    Options {
        site: "test".into(),
        directory: directory.to_owned(),
        executors: vec![Post::plain(Arc::new(ScriptedExecutor::always_well()))],
        chosen: false,
        collect,
        targets: BTreeMap::new(),
        subscribers: Vec::new(),
        facts: Arc::new(|| Site { images_ignored: true, ..Site::default() }),
        resources: Request { cpus: 0, memory_bytes: 0, disk_bytes: 0 },
        slots: 10,
        memory_max_per_step: 0,
        timeout_max_s: 0,
        budgets: Budgets { infrastructure: 1, preempted: 1, image: 1, lost: 1 },
        keep_attempts_s: 0,
        clock: kentai_engine::clock::Clock::Machine,
        drain: false,
    }
}

fn submission(source: &str) -> Submit {
    let specimen = serde_json::from_value(json!({ "id": "S1", "values": {} })).expect("a specimen");
    Submit {
        path: "tiny.yaml".into(),
        source: source.into(),
        called: BTreeMap::new(),
        specimens: vec![(specimen, "stamp".into())],
        params: BTreeMap::new(),
    }
}

#[tokio::test]
async fn where_no_server_answers_there_is_no_client() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let socket = directory.path().join("kentai.sock");
    assert!(Client::connect(&socket).await.expect("no error").is_none());
    drop(kentai_web::bind(&socket).expect("a socket"));
    assert!(Client::connect(&socket).await.expect("no error").is_none(), "a dead server's socket");
}

#[tokio::test]
async fn a_specimen_goes_its_way_from_submission_to_release() {
    let (house, client) = House::open(true).await;
    let submitted = client.submit(&submission(WORKFLOW)).await.expect("submitted");
    assert!(client.submit(&submission(WORKFLOW)).await.expect("the same").existed);
    house.quiet().await;
    let id = submitted.runs[0].to_string();
    let run = client.run(&id[..12]).await.expect("there");
    assert_eq!((run.run.status, run.run.needs_person), (State::WaitsForPerson, true));
    let why = client.why(&id, Some("release")).await.expect("told");
    assert_eq!(why[0].who, ["releaser"]);
    let log = client.log(&id, Some("work"), None, 2).await.expect("read");
    assert_eq!(
        (log.attempt, log.chunk.bytes.as_slice(), log.chunk.is_final),
        (format!("{id}-1"), &LOG.as_bytes()[2..], true)
    );
    let answer = Answer { kind: AnswerKind::Approve, verdict: "approve".into(), reason: "looks good".into() };
    let message = client.answer(&id, "", &answer).await.expect("recorded");
    assert!(message.contains("approve"), "{message}");
    house.quiet().await;
    let filter = RunFilter { status: Some("succeeded".into()), limit: 10, ..RunFilter::default() };
    assert_eq!(client.runs(&filter).await.expect("listed").items[0].id, submitted.runs[0]);
    assert_eq!(client.specimen("S1").await.expect("there").runs.len(), 1);
    assert_eq!(client.specimens(None, 5).await.expect("listed").items.len(), 1);
    assert_eq!(client.workflows().await.expect("listed").items[0].id, "tiny");
    assert_eq!(client.events(&id, 0).await.expect("listed").items[0].kind, "run_submitted");
    assert!(client.deliveries(&DeliveryFilter::default()).await.expect("listed").items.is_empty());
    assert_eq!(client.site().await.expect("told")["name"], "test");
    house.close().await;
}

#[tokio::test]
async fn every_refusal_has_its_exit_code() {
    let (house, client) = House::open(true).await;
    let exit = |result: Result<String>| result.expect_err("refused").exit();
    assert_eq!(exit(client.cancel("r0", "").await), Exit::NotFound);
    assert_eq!(exit(client.hold("../../healthz", "").await), Exit::NotFound);
    assert_eq!(client.delivery("d0").await.expect_err("refused").exit(), Exit::NotFound);
    let id = client.submit(&submission(WORKFLOW)).await.expect("submitted").runs[0].to_string();
    house.quiet().await;
    assert_eq!(exit(client.resume(&id).await), Exit::State);
    assert_eq!(exit(client.retry(&id, Some("nothing")).await), Exit::NotFound);
    let odd = RunFilter { status: Some("odd".into()), ..RunFilter::default() };
    assert_eq!(client.runs(&odd).await.expect_err("refused").exit(), Exit::Usage);
    let wrong = client.submit(&submission(&WORKFLOW.replace("[work]", "[wrok]"))).await.expect_err("refused");
    assert_eq!(wrong.exit(), Exit::CheckFailed);
    assert!(!wrong.problem.diagnostics.is_empty());
    assert!(Stop::from(wrong).message.contains("tiny.yaml:8:"));
    house.close().await;
    assert_eq!(client.site().await.expect_err("it is gone").exit(), Exit::Unreachable);
}

#[tokio::test]
async fn who_is_no_person_of_the_site_is_not_allowed() {
    let (house, client) = House::open(false).await;
    let refused = client.site().await.expect_err("refused");
    assert_eq!(
        (refused.status, refused.exit(), refused.problem.code.as_str()),
        (Some(403), Exit::NotAllowed, "not_allowed")
    );
    house.close().await;
}

#[tokio::test]
async fn changes_are_told_until_the_server_ends() {
    let (house, client) = House::open(true).await;
    let mut changes = client.changes().await.expect("listening");
    let first = changes.next().await.expect("told").expect("at once");
    client.submit(&submission(WORKFLOW)).await.expect("submitted");
    let second = changes.next().await.expect("told").expect("after a change");
    assert!(second > first);
    let socket = house.socket();
    house.close().await;
    while changes.next().await.expect("a proper end").is_some() {}
    assert!(Client::connect(&socket).await.expect("no error").is_none());
}
