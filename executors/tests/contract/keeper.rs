//! The keeper of a job's container, with programs of the shell in a runtime's place: it starts once, passes on what it is told, and
//! removes whatever may be left, however it ended.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::support::house::WITNESS;

struct Order {
    folder: tempfile::TempDir,
}

impl Order {
    /// An order whose runtime notes in `done` what it is called for.
    fn new(has_image: &str, start: &str) -> Self {
        let folder = tempfile::tempdir().expect("a temporary directory");
        let at = |name: &str| folder.path().join(name);
        let done = at("done");
        let shell = |script: &str| serde_json::json!(["sh", "-c", script.replace("DONE", &done.to_string_lossy())]);
        let order = serde_json::json!({
            "has_image": shell(has_image), "start": shell(start), "remove": shell("echo removed >> DONE"),
            "pipe": at("pipe"), "claim": at("claim"), "end": at("end"), "grace_s": 5,
        });
        std::fs::write(at("order.json"), order.to_string()).expect("written");
        Self { folder }
    }

    fn at(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn keeper(&self) -> Command {
        let mut keeper = Command::new(WITNESS);
        keeper.arg("keeper").arg(self.at("order.json")).stdout(Stdio::null()).stderr(Stdio::null());
        keeper
    }

    fn code(&self) -> Option<i32> {
        self.keeper().status().expect("the keeper").code()
    }

    fn end(&self) -> serde_json::Value {
        serde_json::from_str(&text(&self.at("end"))).expect("an end")
    }
}

fn text(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_default()
}

#[test]
fn it_starts_once_says_how_it_ended_and_removes_what_is_left() {
    let order = Order::new("exit 0", "echo started >> DONE; echo why >&2; exit 3");
    assert_eq!(order.code(), Some(3));
    assert_eq!(text(&order.at("done")), "started\nremoved\n");
    let end = order.end();
    assert_eq!((end["exit_code"].as_i64(), end["error"].as_str()), (Some(3), Some("why")));
    // A second copy of the job neither starts another nor removes the first one's.
    assert_eq!(order.code(), Some(96));
    assert_eq!((text(&order.at("done")), order.end()), ("started\nremoved\n".to_owned(), end));
}

#[test]
fn an_image_that_is_not_there_is_said_and_nothing_is_started() {
    let order = Order::new("exit 1", "echo started >> DONE");
    assert_eq!(order.code(), Some(97));
    assert_eq!(text(&order.at("done")), "removed\n");
    assert!(order.end()["image_missing"].as_str().is_some_and(|words| words.contains("no such image")));
}

#[test]
fn a_runtime_that_cannot_be_started_is_said_and_something_is_removed_all_the_same() {
    let order = Order::new("exit 0", "exit 0");
    let path = order.at("order.json");
    let mut changed: serde_json::Value = serde_json::from_str(&text(&path)).expect("an order");
    changed["start"] = serde_json::json!(["/no/such/runtime"]);
    std::fs::write(&path, changed.to_string()).expect("written");
    assert_eq!(order.code(), Some(97));
    assert_eq!(text(&order.at("done")), "removed\n");
    assert!(order.end()["error"].as_str().is_some_and(|words| words.contains("No such file")), "{}", order.end());
}

#[test]
fn what_it_is_told_is_passed_on() {
    // The tool's end of the pipe is there before the container is.
    let start = "[ -p \"$(dirname DONE)/pipe\" ] || exit 8; trap 'echo asked >> DONE; exit 5' TERM; echo started >> DONE; while :; do sleep 0.05; done";
    let order = Order::new("exit 0", start);
    let mut keeper = order.keeper().spawn().expect("the keeper");
    while text(&order.at("done")) != "started\n" {
        assert_eq!(keeper.try_wait().expect("a child"), None, "it ended before it was told anything");
        std::thread::yield_now();
    }
    let pid = rustix::process::Pid::from_child(&keeper);
    rustix::process::kill_process(pid, rustix::process::Signal::TERM).expect("told");
    assert_eq!(keeper.wait().expect("ended").code(), Some(5));
    assert_eq!(text(&order.at("done")), "started\nasked\nremoved\n");
}
