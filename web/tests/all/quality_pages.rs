//! Quality, capacity, schedules, omissions: who sees them, what they count, and that an act is about what was shown.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use kentai_engine::scheduler::Actor;
use serde_json::{Value, json};

use crate::house::{Answer, BROKEN, House, TINY};

const CENTER: usize = 0;
const H1: usize = 1;
const H2: usize = 2;
const AUDITOR: usize = 3;
const DATA_CENTER: usize = 4;

/// Pages that only people of the center see.
const INSIDE: [&str; 7] = [
    "/quality",
    "/quality/q30_rate",
    "/quality/q30_rate/decide",
    "/capacity",
    "/failures",
    "/schedules",
    "/deviations",
];

struct Turn(Arc<AtomicUsize>);

impl Turn {
    fn to(&self, who: usize) {
        self.0.store(who, Ordering::SeqCst);
    }
}

async fn open() -> (House, Turn) {
    let turn = Arc::new(AtomicUsize::new(CENTER));
    let of = |name: &str, roles: &[&str]| Actor {
        name: name.into(),
        roles: roles.iter().map(|role| (*role).to_owned()).collect(),
        ..Actor::default()
    };
    let people = [
        of("ops-02", &["operator", "reviewer", "releaser", "withdrawal_officer"]),
        Actor { institution: Some("H1".into()), ..of("h1-01", &["institution"]) },
        Actor { institution: Some("H2".into()), ..of("h2-01", &["institution"]) },
        of("aud-01", &["auditor"]),
        Actor { data_center: Some("dc".into()), ..of("dc-01", &["data_center"]) },
    ];
    let asks = Arc::clone(&turn);
    let house = House::open_for(Arc::new(move |_| people.get(asks.load(Ordering::SeqCst)).cloned())).await;
    (house, Turn(turn))
}

async fn ask(house: &House, body: Value) -> Value {
    house.post("/api/v1/requests", &body).await.check(200).json()
}

async fn form(house: &House, path: &str, fields: &[(&str, &str)]) -> Answer {
    let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
    house.ask("POST", path, "content-type: application/x-www-form-urlencoded\r\n", &body).await
}

async fn japanese(house: &House, path: &str) -> String {
    house.ask("GET", path, "accept-language: ja\r\n", "").await.check(200).text
}

/// Two hospitals, an assay with a criterion, `count` order lines of the first and one of the second; their ids.
async fn center(house: &House, count: usize) -> Vec<String> {
    let import = |table: &str, institution: &str, rows: Value| json!({ "request": "import", "table": table, "institution": institution, "rows": rows });
    let names =
        json!([{ "code": "H1", "name": "One", "role": "sender" }, { "code": "H2", "name": "Two", "role": "sender" }]);
    ask(house, import("institutions", "", names)).await;
    ask(house, import("programs", "", json!([{ "code": "P1", "name": "Rare" }]))).await;
    let criterion = json!({ "metric": "q30_rate", "unit": "fraction", "comparator": ">=", "pass": 0.85 });
    let criteria = json!({ "id": "wgs", "version": "1", "criteria": [criterion] });
    let assay = json!({ "reads_ordered": 100, "criteria": criteria });
    ask(house, json!({ "request": "assay", "name": "wgs", "version": "1", "assay": assay })).await;
    let row = |n: usize| json!({ "shipment": "SH1", "barcode": format!("<i>B-{n}"), "pseudonym": format!("N{n}"), "program": "P1", "assay": "wgs" });
    ask(house, import("shipment", "H1", (0..count).map(row).collect())).await;
    let other =
        json!([{ "shipment": "SH2", "barcode": "OTHER-1", "pseudonym": "M1", "program": "P1", "assay": "wgs" }]);
    ask(house, import("shipment", "H2", other)).await;
    let lines = house.get("/api/v1/order-lines?institution=H1&limit=100").await.check(200).json();
    let id = |line: &Value| line["id"].as_str().expect("an id").to_owned();
    lines["items"].as_array().expect("a list").iter().map(id).collect()
}

/// Twelve values that are as they should be, and one that is not.
async fn measured(house: &House) -> Vec<String> {
    let lines = center(house, 13).await;
    let steady = [0.930, 0.931, 0.929, 0.9305, 0.9295, 0.931, 0.929, 0.930, 0.9315, 0.9285, 0.930, 0.9305, 0.500];
    for (line, value) in lines.iter().zip(steady) {
        let value = json!({ "metric": "q30_rate", "value": value, "unit": "fraction", "tool": "fastp" });
        ask(house, json!({ "request": "measured", "order_line": line, "values": [value] })).await;
    }
    lines
}

#[tokio::test]
async fn every_page_stands_in_both_languages_and_only_for_people_of_the_center() {
    let (house, turn) = open().await;
    center(&house, 1).await;
    for path in INSIDE.into_iter().chain(["/omissions", "/progress", "/deviations/new"]) {
        let page = house.get(path).await.check(200);
        assert!(page.text.contains("<h1>") && page.headers.contains_key("content-security-policy"), "{path}");
        assert!(!page.text.contains("style=") && !page.text.contains("onclick"), "{path}");
        let other = japanese(&house, path).await;
        assert!(other.contains(r#"<html lang="ja""#) && other != page.text, "{path}");
    }
    for who in [H1, H2, DATA_CENTER] {
        turn.to(who);
        for path in INSIDE {
            let refused = house.get(path).await.check(403);
            assert!(refused.headers["content-type"].starts_with("text/html"), "{path}");
        }
        // What is of the center alone is to them as what is not there.
        house.get("/deviations/d1/close").await.check(404);
        form(&house, "/deviations/new", &[("about", "x"), ("reason", "y"), ("severity", "minor")]).await.check(403);
        form(&house, "/quality/q30_rate/decide", &[("reason", "y"), ("severity", "minor")]).await.check(403);
        form(&house, "/schedules/act", &[("schedule", "a/1"), ("what", "pause"), ("reason", "y")]).await.check(403);
    }
    house.close().await;
}

#[tokio::test]
async fn people_from_outside_see_their_own_omissions_and_items_and_no_others() {
    let (house, turn) = open().await;
    center(&house, 1).await;
    for path in [
        "/omissions",
        "/omissions?kind=order_without_consent",
        "/progress",
        "/omissions?format=csv",
        "/progress?format=csv",
    ] {
        turn.to(CENTER);
        let all = house.get(path).await.check(200).text;
        assert!(all.contains("H1") && all.contains("H2"), "{path}\n{all}");
        turn.to(H2);
        let own = house.get(path).await.check(200).text;
        assert!(own.contains(">H2<") || own.contains(",H2,"), "{path}");
        assert!(!own.contains(">H1<") && !own.contains(",H1,"), "{path}");
    }
    turn.to(H1);
    let page = house.get("/progress").await.check(200).text;
    assert!(page.contains("&#60;i&#62;B-0") && !page.contains("<i>B-0"), "{page}");
    house.close().await;
}

#[tokio::test]
async fn a_value_out_of_control_is_found_in_the_list_and_on_the_chart_and_in_its_table() {
    let (house, _turn) = open().await;
    let lines = measured(&house).await;
    let list = house.get("/quality").await.check(200).text;
    assert!(list.contains("order-lines-q30_rate") && list.contains("Out of control"), "{list}");
    // 12 of 13 passed.
    assert!(list.contains("92\u{a0}% (13)"), "{list}");
    let chart = house.get("/quality/q30_rate").await.check(200).text;
    assert!(chart.contains(r#"class="chart control-chart""#) && chart.contains("<title id=\"chart-title\">"));
    assert!(chart.contains("breaks 1-3s: one value beyond 3 SD"), "{chart}");
    let last = lines.last().expect("thirteen");
    let row =
        chart.split(&format!(r#"id="p-{last}""#)).nth(1).and_then(|rest| rest.split("</tr>").next()).expect("a row");
    assert!(row.contains("1-2s 1-3s") && row.contains("Out of control") && row.contains("/decide?thing="), "{row}");
    let csv = house.get("/quality/q30_rate?format=csv").await.check(200);
    assert_eq!(csv.text.lines().count(), 14);
    assert!(csv.headers["content-disposition"].contains("control-chart.csv"));
    // With the first ten as the baseline it is found just so; before its day there is nothing.
    assert!(house.get("/quality/q30_rate?baseline=10").await.check(200).text.contains("1-3s: one value"));
    assert!(house.get("/quality/q30_rate?since=2999-01-01").await.check(200).text.contains("Nobody measured this"));
    for (path, status) in [
        ("/quality/nothing", 404),
        ("/quality/%3Cscript%3E", 404),
        ("/quality/q30_rate?source=runs", 404),
        ("/quality/q30_rate?source=of:", 400),
        ("/quality/q30_rate?baseline=7", 400),
        ("/quality/q30_rate?points=0", 400),
        ("/quality/q30_rate?since=yesterday", 400),
        ("/quality/q30_rate?assay=wgs", 400),
        ("/quality/q30_rate?assay=none@1", 404),
        ("/quality?assay=none@1", 404),
    ] {
        let answer = house.get(path).await.check(status);
        assert!(!answer.text.contains("<script>"), "{path}");
    }
    house.close().await;
}

#[tokio::test]
async fn a_decision_about_a_point_stands_beside_it_until_it_is_closed() {
    let (house, turn) = open().await;
    let lines = measured(&house).await;
    let last = lines.last().expect("thirteen");
    let path = "/quality/q30_rate/decide";
    let empty = form(&house, path, &[("thing", last), ("severity", "major"), ("reason", "  ")]).await.check(422);
    assert!(empty.text.contains("reason-wrong") && empty.text.contains(r#"value="major" selected"#), "{}", empty.text);
    let typed = [("thing", last.as_str()), ("severity", "major"), ("reason", "<script>lamp</script>")];
    let done = form(&house, path, &typed).await.check(303);
    assert_eq!(done.headers["location"], "/quality/q30_rate");
    let chart = house.get("/quality/q30_rate").await.check(200).text;
    let row =
        chart.split(&format!(r#"id="p-{last}""#)).nth(1).and_then(|rest| rest.split("</tr>").next()).expect("a row");
    assert!(row.contains("&#60;script&#62;lamp") && row.contains("Needs a person"), "{row}");
    assert!(!chart.contains("<script>lamp"));
    let list = house.get("/deviations?status=open").await.check(200).text;
    let close = list.split("href=\"").find_map(|part| part.split('"').next().filter(|href| href.ends_with("/close")));
    let close = close.expect("a way to close it").to_owned();
    // Who only reads is told who may.
    turn.to(AUDITOR);
    let read = house.get(&close).await.check(200).text;
    assert!(read.contains("who-may") && !read.contains("<textarea"), "{read}");
    let refused = form(&house, &close, &[("reason", "I may not")]).await;
    assert_eq!(refused.status, 403);
    turn.to(CENTER);
    form(&house, &close, &[("reason", "")]).await.check(422);
    form(&house, &close, &[("reason", "lamp replaced")]).await.check(303);
    let late = form(&house, &close, &[("reason", "me too")]).await.check(409);
    assert!(late.text.contains("me too") && late.text.contains("lamp replaced"), "{}", late.text);
    assert!(house.get("/deviations?status=open").await.check(200).text.contains("No deviation is in this state"));
    let chart = house.get("/quality/q30_rate").await.check(200).text;
    assert!(chart.contains("lamp replaced") && !chart.contains("lamp&#60;"));
    house.close().await;
}

#[tokio::test]
async fn what_failed_is_counted_by_cause_and_leads_to_its_run() {
    let (house, _turn) = open().await;
    let run = house.run(BROKEN, "S1").await;
    house.quiet().await;
    for path in ["/failures", "/failures?days=7", "/failures?cause=tool", "/failures?workflow=broken&step=broken"] {
        let page = house.get(path).await.check(200).text;
        assert!(page.contains(&format!("/runs/{run}")) && page.contains("Tool failed"), "{path}\n{page}");
    }
    assert!(house.get("/failures?cause=lost").await.check(200).text.contains("No attempt failed so"));
    assert!(house.get("/capacity").await.check(200).text.contains("/failures?cause=tool"));
    let csv = house.get("/failures?format=csv").await.check(200).text;
    assert!(csv.contains(&run) && csv.lines().count() == 2, "{csv}");
    house.get("/failures?days=3").await.check(400);
    house.get("/failures?after=nonsense").await.check(400);
    house.close().await;
}

#[tokio::test]
async fn a_schedule_rests_with_a_reason_and_starts_once_by_hand() {
    let (house, turn) = open().await;
    let source =
        format!("{TINY}triggers:\n  - schedule: {{ cron: \"30 2 * * *\", timezone: Asia/Tokyo, specimen: S1 }}\n");
    house.post("/api/v1/workflows", &json!({ "path": "tiny.yaml", "source": source })).await.check(200);
    let imported = json!({ "specimens": [{ "id": "S1", "values": {} }], "source": "sheet.csv" });
    house.post("/api/v1/specimens", &imported).await.check(200);
    let list = house.get("/schedules").await.check(200).text;
    assert!(list.contains("tiny/1") && list.contains("Goes on") && list.contains("what=pause"), "{list}");
    let act = |what: &'static str, reason: &'static str, shown: &'static str| {
        [("schedule", "tiny/1"), ("what", what), ("reason", reason), ("shown", shown)]
    };
    form(&house, "/schedules/act", &act("pause", "", "goes")).await.check(422);
    form(&house, "/schedules/act", &act("pause", "new <b>lot</b>", "goes")).await.check(303);
    let list = house.get("/schedules").await.check(200).text;
    assert!(
        list.contains("Rests") && list.contains("ops-02: new &#60;b&#62;lot") && list.contains("what=resume"),
        "{list}"
    );
    let stale = form(&house, "/schedules/act", &act("pause", "mine", "goes")).await.check(409);
    assert!(stale.text.contains("mine") && stale.text.contains("Somebody has moved it"), "{}", stale.text);
    form(&house, "/schedules/act", &act("resume", "lot is known", "rests")).await.check(303);
    let done = form(&house, "/schedules/act", &act("run-now", "", "goes")).await.check(303);
    let shown = house.get(&done.headers["location"]).await.check(200).text;
    let run = done.headers["location"].split('=').nth(1).expect("a run");
    assert!(shown.contains(run));
    house.get(&format!("/api/v1/runs/{run}")).await.check(200);
    house.get("/schedules/act?schedule=none%2F1&what=pause").await.check(404);
    house.get("/schedules/act?schedule=tiny%2F1&what=burn").await.check(400);
    turn.to(AUDITOR);
    let read = house.get("/schedules").await.check(200).text;
    assert!(read.contains("who-may") && !read.contains("what=pause"), "{read}");
    form(&house, "/schedules/act", &act("pause", "I may not", "goes")).await.check(403);
    house.close().await;
}

#[tokio::test]
async fn an_executor_is_drained_and_resumed_by_whoever_saw_how_it_stood() {
    let (house, turn) = open().await;
    turn.to(CENTER);
    let list = house.get("/capacity").await.check(200).text;
    assert!(list.contains("/capacity/act?executor=scripted&#38;what=drain") && list.contains("Answers"), "{list}");
    let act = |what: &'static str, reason: &'static str, shown: &str| {
        [("executor", "scripted"), ("what", what), ("reason", reason), ("shown", shown)]
            .map(|(key, value)| (key, value.to_owned()))
    };
    let send = async |fields: [(&'static str, String); 4]| {
        let fields: Vec<(&str, &str)> = fields.iter().map(|(key, value)| (*key, value.as_str())).collect();
        form(&house, "/capacity/act", &fields).await
    };
    send(act("drain", "", "works")).await.check(422);
    send(act("drain", "new <b>disks</b>", "works")).await.check(303);
    let list = house.get("/capacity").await.check(200).text;
    assert!(list.contains("Drained") && list.contains("ops-02") && list.contains("new &#60;b&#62;disks"), "{list}");
    let stale = send(act("drain", "mine", "works")).await.check(409);
    assert!(stale.text.contains("Somebody changed it"), "{}", stale.text);
    let told = house.get("/api/v1/executors").await.check(200).text;
    assert!(told.contains("\"drained_by\":\"ops-02\""), "{told}");
    let metrics = house.get("/metrics").await.check(200).text;
    assert!(metrics.contains("kentai_executor_drained{executor=\"scripted\",kind=\"scripted\"} 1"), "{metrics}");
    house.post("/api/v1/executors/scripted/drain", &json!({ "reason": "x" })).await.check(409);
    house.post("/api/v1/executors/scripted/resume", &json!({})).await.check(200);
    house.post("/api/v1/executors/scripted/resume", &json!({})).await.check(409);
    house.post("/api/v1/executors/nobody/drain", &json!({ "reason": "x" })).await.check(404);
    house.post("/api/v1/executors/scripted/drain", &json!({})).await.check(400);
    house.get("/capacity/act?executor=nobody&what=drain").await.check(404);
    house.get("/capacity/act?executor=scripted&what=burn").await.check(400);
    turn.to(AUDITOR);
    let read = house.get("/capacity").await.check(200).text;
    assert!(!read.contains("what=drain"), "{read}");
    send(act("drain", "I may not", "works")).await.check(403);
    house.close().await;
}
