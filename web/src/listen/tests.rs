//! A door with short times, and peers that stall, drip, take back and stay. The peers are plain sockets and curl.

mod tls;

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream as Peer;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, Method};
use axum::response::Response;
use axum::routing::{get, post};
use tokio::sync::Notify;
use tokio::task::JoinHandle;

use super::*;
use crate::download::{self, Guard, Object, Piece};

/// An answer that no socket's buffers hold.
const LEN: usize = 64 << 20;

/// An open door, and what it serves.
struct Opened {
    address: SocketAddr,
    token: CancellationToken,
    /// Takes back what `/file` sends.
    taken_back: CancellationToken,
    /// Told when `/slow` was asked.
    asked: Arc<Notify>,
    serving: JoinHandle<()>,
}

fn quick() -> Limits {
    Limits {
        handshake: Duration::from_millis(600),
        header: Duration::from_millis(600),
        idle: Duration::from_millis(1_500),
        rate_min: 64 << 10,
        rate_over: Duration::from_secs(1),
        ..Limits::default()
    }
}

fn options(limits: Limits) -> Options {
    let address = SocketAddr::from(([127, 0, 0, 1], 0));
    Options { address, tls: None, plain_allowed: false, limits, certificates: Arc::new(|_| None) }
}

/// `/file`: a large one; `/quiet`: a stream that says nothing; `/slow`: an answer that takes two seconds; `/take`: reads a body;
/// `/tired`: does not; `/largest`: measures it.
fn routes(taken_back: &CancellationToken, asked: &Arc<Notify>) -> Router {
    let bytes = Bytes::from(vec![7; LEN]);
    let ended = taken_back.clone();
    let file = move |method: Method, headers: HeaderMap| async move {
        let object = Object {
            pieces: vec![Piece::Text(bytes.slice(..10)), Piece::Text(bytes.slice(10..))],
            sha256: [1; 32],
            md5: None,
            modified_us: 0,
            media_type: String::new(),
            file_name: "x".into(),
        };
        download::answer(&method, &headers, object, Guard::new(ended))
    };
    let quiet =
        || async { Response::new(Body::from_stream(futures_util::stream::pending::<Result<Bytes, io::Error>>())) };
    let asked = Arc::clone(asked);
    let slow = || async move {
        asked.notify_one();
        tokio::time::sleep(Duration::from_secs(2)).await;
        "slow\n"
    };
    Router::new()
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/file", get(file))
        .route("/quiet", get(quiet))
        .route("/slow", get(slow))
        .route("/tired", post(tired))
        .route("/largest", post(largest))
        .route("/take", post(|body: Bytes| async move { body.len().to_string() }))
}

/// How many bytes of a body came at once at most.
async fn largest(body: Body) -> String {
    let sizes = futures_util::StreamExt::map(body.into_data_stream(), |chunk| chunk.map_or(0, |bytes| bytes.len()));
    futures_util::StreamExt::fold(sizes, 0, |most, size| async move { most.max(size) }).await.to_string()
}

/// Gives up on a body, and then takes its time.
async fn tired(body: Body) -> &'static str {
    let mut body = body.into_data_stream();
    let first = tokio::time::timeout(Duration::from_millis(50), futures_util::StreamExt::next(&mut body)).await;
    assert!(first.is_err(), "something came");
    drop(body);
    tokio::time::sleep(Duration::from_secs(3)).await;
    "tired\n"
}

fn open(options: Options) -> Opened {
    let door = Door::open(options).expect("a door");
    let (address, token, taken_back) = (door.address(), CancellationToken::new(), CancellationToken::new());
    let asked = Arc::default();
    let serving = tokio::spawn(door.serve(routes(&taken_back, &asked), token.clone()));
    Opened { address, token, taken_back, asked, serving }
}

impl Opened {
    /// A connection that has said this.
    fn say(&self, text: &str) -> Peer {
        let mut peer = Peer::connect(self.address).expect("connected");
        peer.write_all(text.as_bytes()).expect("said");
        peer
    }

    async fn close(self) {
        self.token.cancel();
        self.serving.await.expect("no panic");
    }
}

/// Waits in another thread: the door lives in this one's runtime.
async fn aside<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    tokio::task::spawn_blocking(work).await.expect("no panic")
}

/// Reads to the end: what came, and how long that took. A reset is an end as well.
async fn until_closed(mut peer: Peer) -> (Vec<u8>, Duration) {
    let begin = Instant::now();
    let bytes = aside(move || {
        let mut bytes = Vec::new();
        if let Err(error) = peer.read_to_end(&mut bytes) {
            assert_eq!(error.kind(), ErrorKind::ConnectionReset);
        }
        bytes
    })
    .await;
    (bytes, begin.elapsed())
}

fn curl(arguments: &[&str]) -> impl Future<Output = (i32, String)> + use<> {
    let arguments: Vec<String> = arguments.iter().map(|one| (*one).to_owned()).collect();
    aside(move || {
        let output = Command::new("curl").arg("-s").args(arguments).output().expect("curl is installed");
        (output.status.code().unwrap_or(-1), String::from_utf8_lossy(&output.stdout).into_owned())
    })
}

fn within(took: Duration, least_ms: u64, most_ms: u64) {
    let range = Duration::from_millis(least_ms)..Duration::from_millis(most_ms);
    assert!(range.contains(&took), "{took:?} is not within {range:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_header_that_does_not_come_is_not_waited_for() {
    let door = open(options(quick()));
    let (bytes, took) = until_closed(door.say("")).await;
    assert!(bytes.is_empty());
    within(took, 500, 3_000);
    let (_, took) = until_closed(door.say("GET / HTTP/1.1\r\nhost: a\r\n")).await;
    within(took, 500, 3_000);
    // One byte now and then buys no time.
    let mut peer = door.say("GET / HTTP/1.1\r\nx: ");
    let begin = Instant::now();
    aside(move || {
        while peer.write_all(b"y").is_ok() {
            std::thread::sleep(Duration::from_millis(20))
        }
    })
    .await;
    within(begin.elapsed(), 500, 3_000);
    door.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn between_two_requests_others_times_hold() {
    let door = open(options(quick()));
    let (bytes, took) = until_closed(door.say("GET /healthz HTTP/1.1\r\nhost: a\r\n\r\n")).await;
    assert!(bytes.ends_with(b"ok\n"));
    within(took, 1_400, 4_000);
    door.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_who_stalls_is_closed_and_one_who_is_slow_enough_is_not() {
    let door = open(options(quick()));
    let peer = door.say("GET /file HTTP/1.1\r\nhost: a\r\n\r\n");
    let stalled = peer.try_clone().expect("the same socket");
    // Nothing is read until the door has had enough: then there is an end, and not after all bytes.
    let begin = Instant::now();
    let closed = aside(move || {
        while stalled.take_error().expect("asked").is_none() {
            assert!(begin.elapsed() < Duration::from_secs(20), "it is still open");
            std::thread::sleep(Duration::from_millis(20));
        }
    });
    closed.await;
    within(begin.elapsed(), 900, 5_000);
    let (bytes, _) = until_closed(peer).await;
    assert!(bytes.len() < LEN);
    let url = format!("http://{}/file", door.address);
    let pull = ["--limit-rate", "8M", "--max-time", "4", "-o", "/dev/null", "-w", "%{size_download}", &url];
    let (exit, size) = curl(&pull).await;
    assert_eq!(exit, 28, "it went on until curl itself had enough, at {size} bytes");
    door.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_drips_in_is_closed() {
    let door = open(options(quick()));
    let mut peer = door.say("POST /take HTTP/1.1\r\nhost: a\r\ncontent-length: 1000000\r\n\r\n");
    let begin = Instant::now();
    aside(move || {
        while peer.write_all(b"y").is_ok() {
            std::thread::sleep(Duration::from_millis(20))
        }
    })
    .await;
    within(begin.elapsed(), 900, 5_000);
    let url = format!("http://{}/take", door.address);
    assert_eq!(curl(&["--data-binary", &"z".repeat(100_000), &url]).await, (0, "100000".into()));
    door.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_that_says_nothing_and_an_answer_that_takes_long_stay() {
    let door = open(options(quick()));
    let url = |path: &str| format!("http://{}{path}", door.address);
    let (quiet, slow) = (url("/quiet"), url("/slow"));
    let (quiet, slow) = tokio::join!(curl(&["--max-time", "3", &quiet]), curl(&[&slow]));
    assert_eq!(quiet.0, 28, "curl had enough, not the door");
    assert_eq!(slow, (0, "slow\n".into()));
    door.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_not_listened_to_any_more_is_not_slow() {
    let door = open(options(quick()));
    // Of its body nothing comes; after a moment nobody wants it.
    let (bytes, _) = until_closed(door.say("POST /tired HTTP/1.1\r\nhost: a\r\ncontent-length: 1000000\r\n\r\n")).await;
    assert!(bytes.ends_with(b"tired\n"), "{}", String::from_utf8_lossy(&bytes));
    door.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_still_sends_when_it_is_refused_hears_the_answer() {
    let door = open(options(Limits::default()));
    // Nobody there reads a body.
    let mut peer = door.say("POST /nowhere HTTP/1.1\r\nhost: a\r\ncontent-length: 10000000\r\n\r\n");
    let bytes = aside(move || {
        peer.write_all(&[7; 200_000]).expect("sent");
        let mut bytes = Vec::new();
        peer.read_to_end(&mut bytes).expect("an answer with an end, and no reset");
        for _ in 0..10 {
            peer.write_all(&[7; 200_000]).expect("and what is on its way is taken");
        }
        bytes
    })
    .await;
    assert!(bytes.starts_with(b"HTTP/1.1 404"), "{}", String::from_utf8_lossy(&bytes));
    door.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_what_is_sent_little_lies_in_memory() {
    let door = open(options(Limits::default()));
    let mut peer =
        door.say("POST /largest HTTP/1.1\r\nhost: a\r\nconnection: close\r\ncontent-length: 33554432\r\n\r\n");
    let body = aside(move || {
        peer.write_all(&vec![7; 32 << 20]).expect("sent");
        peer
    });
    let (bytes, _) = until_closed(body.await).await;
    let told = String::from_utf8_lossy(&bytes).rsplit('\n').next().and_then(|told| told.parse::<usize>().ok());
    assert!(told.is_some_and(|most| (1..=256 << 10).contains(&most)), "{told:?} bytes at once");
    door.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_taken_back_ends_though_nobody_reads() {
    let patient = Limits { rate_over: Duration::from_secs(3_600), ..quick() };
    let door = open(options(patient));
    let peer = door.say("GET /file HTTP/1.1\r\nhost: a\r\n\r\n");
    let watched = peer.try_clone().expect("the same socket");
    // It sends until nothing more fits, and waits.
    aside(move || watched.peek(&mut [0]).expect("something came")).await;
    door.taken_back.cancel();
    let (bytes, took) = until_closed(peer).await;
    assert!(bytes.len() < LEN);
    within(took, 0, 2_000);
    door.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_door_that_closes_lets_an_answer_finish_and_takes_nothing_new() {
    let door = open(options(Limits::default()));
    let slow = format!("http://{}/slow", door.address);
    let idle = door.say("GET /healthz HTTP/1.1\r\nhost: a\r\n\r\n");
    let fresh = door.say("");
    let (address, token, asked) = (door.address, door.token.clone(), Arc::clone(&door.asked));
    let closes = async {
        aside(move || idle.peek(&mut [0]).expect("it was answered")).await;
        asked.notified().await;
        token.cancel();
        let (rest, took) = until_closed(fresh).await;
        (rest.len(), took)
    };
    let (answer, (rest, took)) = tokio::join!(curl(&[&slow]), closes);
    assert_eq!(answer, (0, "slow\n".into()));
    assert_eq!(rest, 0);
    within(took, 0, 1_500);
    door.serving.await.expect("no panic");
    assert!(Peer::connect(address).is_err(), "nobody listens any more");
}

/// Else whoever begins to ask just then would keep a door open that is about to close.
#[tokio::test(flavor = "multi_thread")]
async fn a_door_that_closes_does_not_wait_for_a_header_that_has_begun() {
    let door = open(options(Limits::default()));
    let slow = format!("http://{}/slow", door.address);
    let begun = door.say("GET /healthz HTTP/1.1\r\n");
    let (token, asked, answered) = (door.token.clone(), Arc::clone(&door.asked), Arc::new(Notify::new()));
    let asks = async {
        let answer = curl(&[&slow]).await;
        answered.notify_one();
        answer
    };
    let closes = async {
        asked.notified().await;
        token.cancel();
        tokio::select! {
            biased;
            (rest, _) = until_closed(begun) => Some(rest.len()),
            () = answered.notified() => None,
        }
    };
    let (answer, rest) = tokio::join!(asks, closes);
    assert_eq!(answer, (0, "slow\n".into()));
    assert_eq!(rest, Some(0), "it was still there when the last answer had gone");
    door.serving.await.expect("no panic");
}

#[tokio::test]
async fn a_door_that_closes_ends_what_does_not_end_by_itself() {
    let Opened { token, serving, address, .. } = open(options(Limits::default()));
    let mut peer = Peer::connect(address).expect("connected");
    let quiet = aside(move || {
        peer.write_all(b"GET /quiet HTTP/1.1\r\nhost: a\r\n\r\n").expect("said");
        peer.read_exact(&mut [0; 12]).expect("its answer has begun");
        peer
    })
    .await;
    token.cancel();
    // The limit only turns a hang into a failure.
    let ended = tokio::time::timeout(6 * GRACE, serving).await;
    assert!(ended.is_ok_and(|ended| ended.is_ok()), "the door is open as long as somebody reads");
    drop(quiet);
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_only_connects_closes_their_own() {
    let limits = Limits { connections: 20, connections_per_address: 16, ..Limits::default() };
    let door = open(options(limits));
    let mut served = door.say("GET /healthz HTTP/1.1\r\nhost: a\r\n\r\n");
    let mut first = [0; 12];
    served = aside(move || {
        served.read_exact(&mut first).expect("answered");
        served
    })
    .await;
    let stalled: Vec<Peer> = (0..200).map(|_| door.say("GET / HTTP/1.1\r\n")).collect();
    let url = format!("http://{}/healthz", door.address);
    assert_eq!(curl(&[&url]).await, (0, "ok\n".into()));
    // Whoever was answered once is still here.
    served.write_all(b"GET /healthz HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n").expect("said");
    let (bytes, _) = until_closed(served).await;
    assert!(bytes.ends_with(b"ok\n") && String::from_utf8_lossy(&bytes).matches("HTTP/1.1 200").count() == 1);
    drop(stalled);
    door.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_header_without_measure_is_refused() {
    let door = open(options(Limits::default()));
    let asks =
        |lines: String| door.say(&format!("GET /healthz HTTP/1.1\r\nhost: a\r\nconnection: close\r\n{lines}\r\n"));
    let answered = async |lines: String| {
        let (bytes, _) = until_closed(asks(lines)).await;
        String::from_utf8_lossy(&bytes).lines().next().unwrap_or_default().to_owned()
    };
    for (lines, bytes, status) in [(90, 10, "200 "), (110, 10, "431 "), (8, 3_000, "200 "), (12, 3_000, "431 ")] {
        let said = answered((0..lines).map(|number| format!("x-{number}: {}\r\n", "y".repeat(bytes))).collect()).await;
        assert!(said.starts_with(&format!("HTTP/1.1 {status}")), "{lines} lines of {bytes} bytes: {said}");
    }
    door.close().await;
}

#[tokio::test]
async fn when_no_file_is_left_the_oldest_newcomer_goes() {
    let registry = Registry::new(Limits::default());
    let come = || registry.admit([127, 0, 0, 1].into(), Phase::Header, Instant::now()).expect("room");
    let guests = [come(), come()];
    let gone = || guests.each_ref().map(|guest| guest.gauge.ended.is_cancelled());
    refused(&io::Error::from(Errno::CONNABORTED), &registry).await;
    assert_eq!(gone(), [false, false], "that was the peer's doing");
    refused(&io::Error::from(Errno::MFILE), &registry).await;
    assert_eq!(gone(), [true, false]);
}

#[tokio::test]
async fn plain_http_stays_on_this_machine_unless_it_is_said() {
    let everywhere = SocketAddr::from(([0, 0, 0, 0], 0));
    let refused = Door::open(Options { address: everywhere, ..options(quick()) });
    assert!(matches!(refused, Err(OpenError::Plain(_))));
    assert!(Door::open(Options { address: everywhere, plain_allowed: true, ..options(quick()) }).is_ok());
}

#[test]
fn there_are_never_more_connections_than_files() {
    let limits = Limits { connections: 1_000, ..Limits::default() };
    assert_eq!(within_files(limits, 1_100).map(|limits| limits.connections).ok(), Some(588));
    assert_eq!(within_files(limits, u64::MAX).map(|limits| limits.connections).ok(), Some(1_000));
    assert!(matches!(within_files(limits, 520), Err(OpenError::Files(520))));
}

/// Runs openssl in a directory.
fn openssl(directory: &Path, arguments: &[&str]) {
    let output = Command::new("openssl").args(arguments).current_dir(directory).output().expect("openssl is installed");
    assert!(output.status.success(), "openssl {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
}
