//! The programs that data centers pull with, against a real listener. Each is skipped, and says so, where it is not installed.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use axum::Router;
use axum::extract::{Request, State};
use tokio::net::TcpListener;

use super::*;

/// What is served now, and how far each answer came.
#[derive(Clone)]
struct Shop {
    now: Arc<Mutex<Vec<u8>>>,
    sent: Arc<Mutex<Vec<Sent>>>,
    ended: CancellationToken,
}

struct Door {
    shop: Shop,
    address: String,
    directory: tempfile::TempDir,
}

async fn serve(State(shop): State<Shop>, request: Request) -> Response {
    let bytes = shop.now.lock().expect("nobody panicked").clone();
    let guard = Guard::new(shop.ended.clone());
    let guard = guard.telling(move |sent| shop.sent.lock().expect("nobody panicked").push(sent));
    let object = object(&bytes, 124);
    let sha256 = if request.uri().query() == Some("wrong") { [0; 32] } else { object.sha256 };
    answer(request.method(), request.headers(), Object { sha256, ..object }, guard)
}

impl Door {
    async fn open(bytes: &[u8]) -> Self {
        let shop =
            Shop { now: Arc::new(Mutex::new(bytes.to_vec())), sent: Arc::default(), ended: CancellationToken::new() };
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("bound");
        let address = format!("http://{}", listener.local_addr().expect("bound"));
        let router = Router::new().fallback(serve).with_state(shop.clone());
        tokio::spawn(async { axum::serve(listener, router).await });
        Self { shop, address, directory: tempfile::tempdir().expect("a directory") }
    }

    fn path(&self) -> PathBuf {
        self.directory.path().join("S1.cram")
    }

    fn put(&self, bytes: &[u8]) {
        std::fs::write(self.path(), bytes).expect("written");
    }

    fn got(&self) -> Vec<u8> {
        std::fs::read(self.path()).expect("pulled")
    }

    /// What was told since the last time.
    fn sent(&self) -> Vec<Sent> {
        std::mem::take(&mut *self.shop.sent.lock().expect("nobody panicked"))
    }

    /// Runs a program in the directory, `URL` in its arguments replaced; none when it is not installed.
    async fn run(&self, program: &str, arguments: &[&str]) -> Option<Output> {
        let url = format!("{}/S1.cram", self.address);
        let arguments: Vec<String> = arguments.iter().map(|one| one.replace("URL", &url)).collect();
        let (program, directory) = (program.to_owned(), self.directory.path().to_owned());
        tokio::task::spawn_blocking(move || output(&program, &arguments, &directory)).await.expect("no panic")
    }

    async fn curl(&self, arguments: &[&str]) -> (i32, String) {
        let fixed = ["--silent", "--output", "S1.cram", "--write-out", "%{http_code}"];
        let output = self.run("curl", &[&fixed, arguments, &["URL"]].concat()).await.expect("curl is installed");
        (output.status.code().unwrap_or(-1), String::from_utf8_lossy(&output.stdout).into_owned())
    }
}

#[expect(clippy::print_stderr, reason = "a test that is skipped says so")]
fn output(program: &str, arguments: &[String], directory: &Path) -> Option<Output> {
    match Command::new(program).args(arguments).current_dir(directory).output() {
        Ok(output) => Some(output),
        Err(error) => {
            eprintln!("SKIPPED: {program} cannot be run here: {error}");
            None
        }
    }
}

const LEN: usize = 5_000_000;

#[tokio::test(flavor = "multi_thread")]
async fn curl_pulls_resumes_and_does_not_pull_again() {
    let bytes = noise(LEN);
    let door = Door::open(&bytes).await;
    assert_eq!(door.curl(&["--dump-header", "head", "--etag-save", "tag"]).await, (0, "200".into()));
    assert!(door.got() == bytes);
    assert_eq!(door.sent(), [Sent { first: 0, bytes: LEN as u64, complete: true }]);

    door.put(&bytes[..3_333_333]);
    assert_eq!(door.curl(&["--continue-at", "-"]).await, (0, "206".into()));
    assert!(door.got() == bytes, "resumed bytes are the object's");
    assert_eq!(door.sent(), [Sent { first: 3_333_333, bytes: 1_666_667, complete: true }]);

    assert_eq!(door.curl(&["--etag-compare", "tag"]).await, (0, "304".into()));
    assert_eq!(door.curl(&["--time-cond", "Sat, 29 Oct 1994 19:43:31 GMT"]).await, (0, "304".into()));
    assert_eq!(door.curl(&["--time-cond", "-Sat, 29 Oct 1994 19:43:32 GMT"]).await, (0, "200".into()));
    // Said by hand: what `--time-cond` does not get for this, curl itself calls 304.
    let before = "If-Unmodified-Since: Sat, 29 Oct 1994 19:43:30 GMT";
    assert_eq!(door.curl(&["--header", before]).await, (0, "412".into()));
    assert_eq!(door.curl(&["--time-cond", "Sat, 29 Oct 1994 19:43:30 GMT"]).await, (0, "200".into()));
}

#[tokio::test(flavor = "multi_thread")]
async fn curl_gets_every_kind_of_range() {
    let bytes = noise(LEN);
    let door = Door::open(&bytes).await;
    let cases: [(&str, &str, &[u8]); 5] = [
        ("100-400099", "206", &bytes[100..400_100]),
        ("4999999-", "206", &bytes[4_999_999..]),
        ("-300000", "206", &bytes[4_700_000..]),
        ("0-", "206", &bytes),
        ("0-1,5-6", "200", &bytes),
    ];
    for (range, status, wanted) in cases {
        assert_eq!(door.curl(&["--range", range]).await, (0, status.into()), "{range}");
        assert!(door.got() == wanted, "{range}");
    }
    assert_eq!(door.curl(&["--range", "5000000-"]).await.1, "416");
    // HEAD and GET say the same to a program that is not ours.
    let (get, head) =
        (door.run("curl", &["-sD", "-", "-o", "S1.cram", "URL"]).await, door.run("curl", &["-sI", "URL"]).await);
    let lines = |output: Option<Output>| {
        let text = String::from_utf8(output.expect("curl is installed").stdout).expect("headers are text");
        text.lines().filter(|line| !line.starts_with("date:")).map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(lines(get), lines(head));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_was_replaced_meanwhile_starts_anew() {
    let (old, new) = (noise(LEN), noise(LEN).into_iter().map(|byte| byte ^ 0xff).collect::<Vec<_>>());
    let door = Door::open(&old).await;
    door.curl(&["--etag-save", "tag"]).await;
    let tag = std::fs::read_to_string(door.directory.path().join("tag")).expect("curl kept the tag");
    let if_range = format!("If-Range: {}", tag.trim());
    door.put(&old[..1_000_000]);
    assert_eq!(door.curl(&["--header", &if_range, "--range", "1000000-"]).await, (0, "206".into()));
    assert!(door.got() == old[1_000_000..]);
    *door.shop.now.lock().expect("nobody panicked") = new.clone();
    assert_eq!(door.curl(&["--header", &if_range, "--range", "1000000-"]).await, (0, "200".into()));
    assert!(door.got() == new, "never a mixture");
    let if_match = format!("If-Match: {}", tag.trim());
    assert_eq!(door.curl(&["--header", &if_match, "--range", "1000000-"]).await, (0, "412".into()));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_taken_back_is_an_error_to_curl() {
    // More than the sockets' buffers take: else it may all have left before anybody takes it back.
    let len = 24 << 20;
    let door = Door::open(&vec![7; len]).await;
    let ended = door.shop.ended.clone();
    let pull = door.curl(&["--limit-rate", "2M", "--retry", "0"]);
    let take_back = async {
        // As soon as anything has arrived.
        while std::fs::metadata(door.path()).map_or(0, |found| found.len()) == 0 {
            tokio::task::yield_now().await;
        }
        ended.cancel();
    };
    let ((exit, _), ()) = tokio::join!(pull, take_back);
    // 18: partial file.
    assert_eq!(exit, 18);
    assert!(door.got().len() < len);
    let sent = door.sent();
    assert!(matches!(sent[..], [Sent { complete: false, .. }]), "{sent:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn wget_resumes() {
    let bytes = noise(LEN);
    let door = Door::open(&bytes).await;
    door.put(&bytes[..1_234_567]);
    let Some(output) = door.run("wget", &["--quiet", "--continue", "URL"]).await else { return };
    assert!(output.status.success());
    assert!(door.got() == bytes);
    let rest = Sent { first: 1_234_567, bytes: LEN as u64 - 1_234_567, complete: true };
    assert_eq!(door.sent(), [rest]);
    // Nothing is left to do: 416, which wget takes for done.
    let output = door.run("wget", &["--quiet", "--continue", "URL"]).await.expect("it was here");
    assert!(output.status.success());
    assert!(door.got() == bytes);
}

#[tokio::test(flavor = "multi_thread")]
async fn aria2_pulls_in_parallel_and_checks_the_digest() {
    let bytes = noise(LEN);
    let door = Door::open(&bytes).await;
    let pull = ["-q", "-x4", "-s4", "-k1M", "--conditional-get=false", "--allow-overwrite=true", "-oS1.cram"];
    // Slowly, or all of it may have come by the first connection before there is another one.
    let slowly = [&pull[..], &["--max-overall-download-limit=2M", "URL"]].concat();
    let Some(output) = door.run("aria2c", &slowly).await else { return };
    assert!(output.status.success(), "{output:?}");
    assert!(door.got() == bytes);
    let sent = door.sent();
    assert!(sent.len() >= 4, "it came in parts: {sent:?}");
    // 32: checksum validation failed. So the header is one that aria2 reads.
    let output = door.run("aria2c", &[&pull[..], &["URL?wrong"]].concat()).await.expect("it was here");
    assert_eq!(output.status.code(), Some(32), "{output:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn rclone_copies_from_an_address() {
    let bytes = noise(LEN);
    let door = Door::open(&bytes).await;
    let arguments = ["copyurl", "--config", "/dev/null", "--no-check-certificate", "URL", "S1.cram"];
    let Some(output) = door.run("rclone", &arguments).await else { return };
    assert!(output.status.success(), "{output:?}");
    assert!(door.got() == bytes);
}
