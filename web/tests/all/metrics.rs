//! `GET /metrics`: who may read it, that Prometheus can, that the rules and the dashboard ask for what is there, and that no label holds a
//! name of somebody.

use std::collections::BTreeSet;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;

use kentai_engine::scheduler::Actor;
use serde_json::{Value, json};

use crate::house::{BROKEN, House, SLOW, TINY};

const ROLES: [&str; 6] = ["operator", "reviewer", "releaser", "withdrawal_officer", "auditor", "admin"];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("web/ lies in the workspace").to_owned()
}

async fn scrape(house: &House) -> String {
    let answer = house.get("/metrics").await.check(200);
    assert_eq!(answer.headers["content-type"], "text/plain; version=0.0.4; charset=utf-8");
    answer.text
}

/// The value of a series as it is written.
fn value(text: &str, series: &str) -> Option<String> {
    text.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' ')).map(str::to_owned)
}

/// A site on which something of everything happened.
async fn lively() -> House {
    let house = House::open(&ROLES).await;
    let ask = async |body: Value| house.post("/api/v1/requests", &body).await.check(200);
    let import = |table: &str, institution: &str, rows: Value| json!({ "request": "import", "table": table, "institution": institution, "rows": rows });
    ask(import("institutions", "", json!([{ "code": "H1", "name": "Hospital-One", "role": "sender" }]))).await;
    ask(import("programs", "", json!([{ "code": "P1", "name": "Rare" }]))).await;
    ask(json!({ "request": "assay", "name": "wgs", "version": "1", "assay": { "reads_ordered": 100 } })).await;
    let row =
        json!({ "shipment": "SH1", "barcode": "BAR-001", "pseudonym": "PSEUDO-1", "program": "P1", "assay": "wgs" });
    ask(import("shipment", "H1", json!([row]))).await;
    ask(json!({ "request": "receive", "barcode": "BAR-001" })).await;
    for (source, specimen) in [(TINY, "SPEC-1"), (BROKEN, "SPEC-2"), (SLOW, "SPEC-3")] {
        house.run(source, specimen).await;
    }
    house.until(|pulse| pulse.tools == 1 && pulse.active == 1).await;
    house.get("/api/v1/nothing").await.check(404);
    house
}

#[tokio::test]
async fn it_says_what_happened_and_how_things_stand() {
    let house = lively().await;
    let text = scrape(&house).await;
    for (series, wanted) in [
        ("kentai_runs{status=\"failed\"}", "1"),
        ("kentai_runs{status=\"canceled\"}", "0"),
        ("kentai_attempt_failures_total{cause=\"tool\"}", "1"),
        ("kentai_step_failures_total{cause=\"tool\"}", "1"),
        ("kentai_step_failures_total{cause=\"lost\"}", "0"),
        ("kentai_order_lines{stage=\"received\"}", "1"),
        ("kentai_order_lines_stuck{stage=\"received\"}", "0"),
        ("kentai_tools_running", "1"),
        ("kentai_tool_slots", "100"),
        ("kentai_needs{kind=\"approval\"}", "0"),
        ("kentai_needs{kind=\"release\"}", "1"),
        ("kentai_notices{status=\"undelivered\"}", "0"),
        ("kentai_queue_length{waits_for=\"slot\"}", "0"),
        ("kentai_http_requests_total{class=\"api\",method=\"POST\",status=\"201\"}", "3"),
        ("kentai_http_requests_total{class=\"none\",method=\"GET\",status=\"404\"}", "1"),
        ("kentai_http_request_duration_seconds_count{class=\"none\"}", "1"),
        ("kentai_deliveries{target=\"dc1\",status=\"offered\"}", "0"),
        ("kentai_receipt_oldest_wait_seconds{target=\"dc1\"}", "0"),
        ("kentai_build_info{version=\"0.1.0\"}", "1"),
    ] {
        assert_eq!(value(&text, series).as_deref(), Some(wanted), "{series} in:\n{text}");
    }
    let commits: u64 = value(&text, "kentai_commits_total").and_then(|text| text.parse().ok()).expect("a number");
    assert!(commits > 0 && value(&text, "kentai_events_total{kind=\"step_started\"}").is_some(), "{text}");
    // A stream is counted while it is open.
    let stream = house.begin("GET", "/api/v1/events", "", "").await;
    let open = async || value(&scrape(&house).await, "kentai_event_streams{stream=\"events\"}");
    while open().await.as_deref() != Some("1") {}
    drop(stream);
    while open().await.as_deref() != Some("0") {}
    house.close().await;
}

#[tokio::test]
async fn no_label_names_a_specimen_a_participant_or_a_person() {
    let house = lively().await;
    let text = scrape(&house).await;
    let lines = house.get("/api/v1/order-lines").await.check(200).json();
    let id = |name: &str| lines["items"][0][name].as_str().expect("a text").to_owned();
    let runs = house.get("/api/v1/runs").await.check(200).json();
    let mut names = vec![id("id"), id("specimen"), id("participant")];
    names.extend(
        runs["items"].as_array().expect("a list").iter().map(|run| run["id"].as_str().expect("an id").to_owned()),
    );
    names.extend(["SPEC-", "PSEUDO", "BAR-", "ops-02", "Hospital", "SH1"].map(str::to_owned));
    for name in names {
        assert!(!text.contains(&name), "{name} in:\n{text}");
    }
    // What a label holds is a word, a version, or names of the site file.
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let labels = line.split_once('{').and_then(|(_, rest)| rest.rsplit_once('}')).map_or("", |(labels, _)| labels);
        for part in labels.split("\",").filter(|part| !part.is_empty()) {
            let (name, _) = part.split_once('=').expect("a label");
            let known = [
                "cause",
                "class",
                "executor",
                "holds",
                "kind",
                "le",
                "method",
                "stage",
                "status",
                "stream",
                "target",
                "version",
                "waits_for",
            ];
            assert!(known.contains(&name), "{name} in {line}");
        }
    }
    house.close().await;
}

#[tokio::test]
async fn people_of_the_site_read_it_and_programs_with_the_right_to() {
    let of = |roles: &[&str], institution: Option<&str>| {
        let roles = roles.iter().map(|role| (*role).to_owned()).collect();
        let (name, institution) = ("somebody".to_owned(), institution.map(str::to_owned));
        Arc::new(move |_| {
            let (name, institution): (String, Option<String>) = (name.clone(), institution.clone());
            Some(Actor { name, roles: std::collections::BTreeSet::clone(&roles), institution, ..Actor::default() })
        })
    };
    let outside = House::open_for(of(&["institution"], Some("H1"))).await;
    outside.get("/metrics").await.problem(403, "not_allowed");
    outside.close().await;
    let nobody = House::open_for(Arc::new(|_| None)).await;
    nobody.get("/metrics").await.problem(403, "not_allowed");
    nobody.close().await;
    let house = House::open_for(of(&["admin"], None)).await;
    house.get("/metrics").await.check(200);
    let ask = async |body: Value| house.post("/api/v1/requests", &body).await.check(200).json();
    ask(json!({ "request": "add_person", "name": "prometheus", "service": true, "roles": ["auditor"] })).await;
    for (scopes, status) in [(json!(["read_site"]), 200), (json!(["read_run"]), 403), (json!([]), 200)] {
        let made = ask(json!({ "request": "new_token", "owner": "prometheus", "scopes": scopes })).await;
        let bearer = format!("authorization: Bearer {}\r\n", made["secret"].as_str().expect("told once"));
        house.ask("GET", "/metrics", &bearer, "").await.check(status);
    }
    house.close().await;
}

fn promtool(arguments: &[&str], input: &str) {
    let mut child = Command::new("promtool")
        .args(arguments)
        .current_dir(root())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("promtool is there (Debian package prometheus)");
    child.stdin.take().expect("a pipe").write_all(input.as_bytes()).expect("written");
    let done = child.wait_with_output().expect("it ended");
    let said = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(done.status.success(), "{arguments:?}: {}{}", said(&done.stdout), said(&done.stderr));
    assert_eq!(said(&done.stderr), "", "{arguments:?} has something to say");
}

#[tokio::test]
async fn prometheus_reads_it_and_finds_no_fault() {
    let house = lively().await;
    promtool(&["check", "metrics"], &scrape(&house).await);
    house.close().await;
}

#[test]
fn the_alert_rules_hold_and_say_what_they_should() {
    promtool(&["check", "rules", "docs/operating/prometheus-rules.yaml"], "");
    promtool(&["test", "rules", "tests/prometheus/rules_test.yaml"], "");
    // Every rule is seen to fire.
    let read = |path: &str| std::fs::read_to_string(root().join(path)).expect("readable");
    let (rules, test) = (read("docs/operating/prometheus-rules.yaml"), read("tests/prometheus/rules_test.yaml"));
    for alert in rules.lines().filter_map(|line| line.trim().strip_prefix("- alert: ")) {
        assert!(test.contains(&format!("alertname=\"{alert}\"")), "no test sees {alert}");
    }
}

/// Every name of ours in a text.
fn names(text: &str) -> BTreeSet<String> {
    let is_part = |byte: char| byte.is_ascii_alphanumeric() || byte == '_';
    text.split(|byte| !is_part(byte)).filter(|word| word.starts_with("kentai_")).map(str::to_owned).collect()
}

#[tokio::test]
async fn rules_dashboard_and_page_ask_for_what_is_there_and_nothing_is_left_unsaid() {
    let house = lively().await;
    // Of what nobody has asked for yet there is no series.
    let stream = house.begin("GET", "/api/v1/changes", "", "").await;
    let text = scrape(&house).await;
    let mut said: BTreeSet<String> =
        text.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split(' ').next()).map(str::to_owned).collect();
    let histograms: Vec<String> =
        said.iter().filter(|name| text.contains(&format!("# TYPE {name} histogram"))).cloned().collect();
    let read = |path: &str| std::fs::read_to_string(root().join("docs/operating").join(path)).expect("readable");
    let (rules, dashboard, page) = (read("prometheus-rules.yaml"), read("grafana.json"), read("metrics.md"));
    serde_json::from_str::<Value>(&dashboard).expect("JSON");
    for name in &said {
        assert!(names(&page).contains(name), "docs/operating/metrics.md does not say {name}");
        let drawn = names(&dashboard);
        assert!(
            drawn.contains(name) || drawn.contains(&format!("{name}_bucket")),
            "the dashboard does not show {name}"
        );
    }
    // Said where traces are sent, which the tests of traces look at.
    said.insert("kentai_trace_spans_total".to_owned());
    said.extend(histograms.iter().flat_map(|name| ["bucket", "sum", "count"].map(|part| format!("{name}_{part}"))));
    for (file, text) in [("prometheus-rules.yaml", rules), ("grafana.json", dashboard), ("metrics.md", page)] {
        for name in names(&text) {
            assert!(said.contains(&name), "{file} asks for {name}, which nobody says");
        }
    }
    drop(stream);
    house.close().await;
}
