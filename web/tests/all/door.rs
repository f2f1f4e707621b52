//! Who may come in, and what a caller meets who asks wrongly.

use std::os::unix::fs::PermissionsExt;
use std::process::Command;
use std::sync::Arc;

use serde_json::json;
use tokio::io::AsyncReadExt;

use crate::house::{House, SLOW};

#[tokio::test]
async fn the_socket_is_its_owners_only() {
    let house = House::open_to_all().await;
    let mode = std::fs::metadata(house.socket()).expect("there").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    house.close().await;
}

#[tokio::test]
async fn a_user_who_is_no_person_of_the_site_gets_nothing_but_health() {
    let house = House::open_for(Arc::new(|_| None)).await;
    house.get("/healthz").await.check(200);
    house.get("/readyz").await.check(200);
    for path in ["/api/v1/site", "/api/v1/runs", "/api/v1/specimens", "/api/v1/changes"] {
        house.get(path).await.problem(403, "not_allowed");
    }
    house.post("/api/v1/submissions", &json!({})).await.problem(403, "not_allowed");
    house.close().await;
}

#[tokio::test]
async fn the_person_is_the_user_of_the_sockets_peer() {
    let uid = std::os::unix::fs::MetadataExt::uid(&std::fs::metadata("/proc/self").expect("a process"));
    let asked = Arc::new(std::sync::Mutex::new(Vec::new()));
    let noted = Arc::clone(&asked);
    let people = move |uid| {
        noted.lock().expect("no panic").push(uid);
        None
    };
    let house = House::open_for(Arc::new(people)).await;
    house.get("/api/v1/site").await.problem(403, "not_allowed");
    assert_eq!(*asked.lock().expect("no panic"), [uid]);
    house.close().await;
}

#[tokio::test]
async fn what_is_not_there_is_told_as_a_problem() {
    let house = House::open_to_all().await;
    for path in [
        "/nothing",
        "/api/v1/nothing",
        "/api/v1/runs/r0",
        "/api/v1/runs/x%2F..",
        "/api/v1/specimens/S1",
        "/api/v1/deliveries/d1",
    ] {
        house.get(path).await.problem(404, "not_found");
    }
    house.ask("DELETE", "/api/v1/runs", "", "").await.problem(405, "usage");
    house.close().await;
}

#[tokio::test]
async fn what_cannot_be_understood_is_told_as_a_problem() {
    let house = House::open_to_all().await;
    for path in ["/api/v1/runs?limit=0", "/api/v1/runs?limit=x", "/api/v1/runs?status=odd", "/api/v1/runs?colour=red"] {
        house.get(path).await.problem(400, "usage");
    }
    house.post("/api/v1/submissions", &json!({ "path": 3 })).await.problem(400, "usage");
    house.ask("POST", "/api/v1/submissions", "content-type: text/plain\r\n", "{}").await.problem(415, "usage");
    house.close().await;
}

#[tokio::test]
async fn a_body_that_is_too_large_is_refused() {
    let house = House::open_to_all().await;
    let id = house.run(SLOW, "S1").await;
    let reason = "x".repeat((1 << 20) + 1);
    house.post(&format!("/api/v1/runs/{id}/hold"), &json!({ "reason": reason })).await.problem(413, "usage");
    house.close().await;
}

#[tokio::test]
async fn listeners_are_told_that_something_changed_and_let_go_at_the_end() {
    let house = House::open_to_all().await;
    let mut stream = house.begin("GET", "/api/v1/changes", "", "").await;
    let mut seen = String::new();
    for times in [1, 2] {
        while seen.matches("event: changed").count() < times {
            let more = read_some(&mut stream).await;
            assert!(!more.is_empty(), "the stream ended after {seen}");
            seen += &more;
        }
        house.run(SLOW, &format!("S{times}")).await;
    }
    assert!(seen.contains("content-type: text/event-stream"));
    assert!(seen.contains(r#"data: {"commits":"#));
    let ends = async { while !read_some(&mut stream).await.is_empty() {} };
    assert!(house.close_on(ends).await, "nobody told who listens that it is over");
}

async fn read_some(stream: &mut tokio::net::UnixStream) -> String {
    let mut buffer = [0; 4096];
    let n = stream.read(&mut buffer).await.expect("read");
    String::from_utf8_lossy(&buffer[..n]).into_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_that_is_not_ours_understands_the_server() {
    let house = House::open_to_all().await;
    let socket = house.socket();
    let curl = tokio::task::spawn_blocking(move || {
        Command::new("curl")
            .args(["--silent", "--fail", "--unix-socket"])
            .arg(socket)
            .arg("http://kentai/api/v1/site")
            .output()
    });
    // Not every machine has curl.
    if let Ok(output) = curl.await.expect("no panic") {
        let site: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
        assert_eq!(site["name"], "test");
    }
    house.close().await;
}
