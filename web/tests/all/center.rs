//! The center over the API: tables, order lines, and what people from outside see.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use kentai_engine::scheduler::Actor;
use serde_json::{Value, json};

use crate::house::House;

/// People take turns: the one whose number is set asks.
struct Turn(Arc<AtomicUsize>);

const CENTER: usize = 0;
const H1: usize = 1;
const H2: usize = 2;
const ADMIN: usize = 3;

impl Turn {
    fn to(&self, who: usize) {
        self.0.store(who, Ordering::SeqCst);
    }
}

async fn open() -> (House, Turn) {
    let turn = Arc::new(AtomicUsize::new(CENTER));
    let of = |name: &str, roles: &[&str], institution: Option<&str>| Actor {
        name: name.into(),
        roles: roles.iter().map(|role| (*role).to_owned()).collect(),
        institution: institution.map(str::to_owned),
        ..Actor::default()
    };
    let people = [
        of("ops-02", &["operator", "reviewer", "releaser", "withdrawal_officer", "auditor"], None),
        of("h1-01", &["institution"], Some("H1")),
        of("h2-01", &["institution"], Some("H2")),
        of("adm-01", &["admin"], None),
    ];
    let asks = Arc::clone(&turn);
    let house = House::open_for(Arc::new(move |_| people.get(asks.load(Ordering::SeqCst)).cloned())).await;
    (house, Turn(turn))
}

fn import(table: &str, institution: &str, rows: Value) -> Value {
    json!({ "request": "import", "table": table, "institution": institution, "rows": rows })
}

/// A hospital, a program, an assay, one announced specimen: gives the order line's id and the specimen's.
async fn announced(house: &House) -> (String, String) {
    let ask = async |body: Value| house.post("/api/v1/requests", &body).await.check(200);
    ask(import(
        "institutions",
        "",
        json!([
            { "code": "H1", "name": "One", "role": "sender" },
            { "code": "H2", "name": "Two", "role": "sender" },
        ]),
    ))
    .await;
    ask(import("programs", "", json!([{ "code": "P1", "name": "Rare" }]))).await;
    ask(json!({ "request": "assay", "name": "wgs", "version": "1", "assay": { "reads_ordered": 100 } })).await;
    let row = json!({ "shipment": "SH1", "barcode": "B-001", "pseudonym": "N1", "program": "P1", "assay": "wgs" });
    ask(import("shipment", "H1", json!([row]))).await;
    let lines = house.get("/api/v1/order-lines").await.check(200).json();
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    (text(&lines["items"][0]["id"]), text(&lines["items"][0]["specimen"]))
}

#[tokio::test]
async fn wrong_rows_are_all_listed_and_nothing_is_taken() {
    let (house, _) = open().await;
    let rows = json!([
        { "code": "H1", "name": "One", "role": "sender" },
        { "code": "", "name": "Two", "role": "sender" },
        { "code": "H3", "name": "", "role": "shop" },
    ]);
    let problem = house.post("/api/v1/requests", &import("institutions", "", rows)).await.problem(422, "check_failed");
    let found = problem["problems"].as_array().expect("a list");
    let places: Vec<_> = found.iter().map(|one| (&one["row"], &one["column"])).collect();
    assert!(places.contains(&(&json!(3), &json!("code"))), "{problem}");
    assert!(
        places.contains(&(&json!(4), &json!("name"))) && places.contains(&(&json!(4), &json!("role"))),
        "{problem}"
    );
    assert!(found.iter().all(|one| one["code"].is_string() && one["en"].is_string() && one["ja"].is_string()));
    let kept = house.get("/api/v1/records/institution").await.check(200).json();
    assert_eq!(kept["items"], json!([]));
    house.close().await;
}

#[tokio::test]
async fn what_was_announced_is_read_back_with_its_history() {
    let (house, _) = open().await;
    let (line, specimen) = announced(&house).await;
    let shown = house.get(&format!("/api/v1/order-lines/{line}")).await.check(200).json();
    assert_eq!((&shown["stage"], &shown["assay"]), (&json!("expected"), &json!("wgs@1")));
    assert_eq!(shown["expected"]["owner"], "institution");
    assert_eq!(shown["document"]["reads_ordered"], 100);
    let story = house.get(&format!("/api/v1/stories/{specimen}")).await.check(200).json();
    assert_eq!(story["specimen"]["document"]["barcode"], "B-001");
    assert_eq!((&story["participant"]["consent"], &story["records"][0]["kind"]), (&json!("unknown"), &json!("item")));
    house.post("/api/v1/requests", &json!({ "request": "receive", "barcode": "B-001" })).await.check(200);
    let history = house.get(&format!("/api/v1/history/{specimen}")).await.check(200).json();
    let kinds: Vec<_> = history["items"].as_array().expect("a list").iter().map(|one| one["kind"].clone()).collect();
    assert!(kinds.contains(&json!("specimen_registered")) && kinds.contains(&json!("received")), "{kinds:?}");
    let item = house.get(&format!("/api/v1/records/item/SH1%2F{specimen}")).await.check(200).json();
    assert_eq!(item, house.get(&format!("/api/v1/records/item/SH1/{specimen}")).await.check(200).json());
    assert_eq!(item["status"], "accepted");
    assert_eq!(house.get("/api/v1/participants/P1/N1").await.check(200).json()["participant"]["institution"], "H1");
    let omitted = house.get("/api/v1/reports/omissions").await.check(200).json();
    let kinds = omitted.as_array().expect("a list");
    let kinds: Vec<_> = kinds.iter().filter(|one| one["items"] != json!([])).map(|one| &one["kind"]).collect();
    assert_eq!(kinds, ["order_without_consent"]);
    let progress = house.get("/api/v1/reports/progress").await.check(200).json();
    let first = &progress["items"][0];
    assert_eq!((&first["send_receive"], &first["qc"]), (&json!("accepted"), &json!("pending")));
    assert_eq!((&first["barcode"], &first["consent"]), (&json!("B-001"), &json!("unknown")));
    assert_eq!(house.get("/api/v1/reports/turnaround").await.check(200).json()[0]["gate"], "arrival");
    house.close().await;
}

#[tokio::test]
async fn reports_are_read_by_page_and_say_how_much_is_left() {
    let (house, _) = open().await;
    announced(&house).await;
    let row = json!({ "shipment": "SH1", "barcode": "B-002", "pseudonym": "N2", "program": "P1", "assay": "wgs" });
    house.post("/api/v1/requests", &import("shipment", "H1", json!([row]))).await.check(200);
    let one = house.get("/api/v1/reports/omissions?kind=order_without_consent&limit=1").await.check(200).json();
    assert_eq!((&one[0]["items"][0]["owner"], &one[0]["more"]), (&json!("institution"), &json!(1)));
    let next = one[0]["next"].as_str().expect("one more");
    let path = format!("/api/v1/reports/omissions?kind=order_without_consent&after={next}");
    let last = house.get(&path).await.check(200).json();
    assert_eq!((last[0]["items"].as_array().map(Vec::len), &last[0]["next"]), (Some(1), &Value::Null));
    assert_ne!(last[0]["items"][0]["thing"], one[0]["items"][0]["thing"]);
    house.get("/api/v1/reports/omissions?kind=nonsense").await.check(400);
    house.get("/api/v1/reports/omissions?after=x").await.check(400);
    let progress = house.get("/api/v1/reports/progress?limit=1").await.check(200).json();
    assert_eq!(progress["items"][0]["barcode"], "B-001");
    let next = progress["next"].as_str().expect("one more");
    let rest = house.get(&format!("/api/v1/reports/progress?after={next}")).await.check(200).json();
    assert_eq!((&rest["items"][0]["barcode"], &rest["next"]), (&json!("B-002"), &Value::Null));
    house.get("/api/v1/reports/progress?limit=1001").await.check(400);
    house.close().await;
}

#[tokio::test]
async fn what_is_foreign_is_missing_byte_for_byte() {
    let (house, turn) = open().await;
    let (line, specimen) = announced(&house).await;
    turn.to(H2);
    for (there, missing) in [
        (format!("/order-lines/{line}"), "/order-lines/MISSING".to_owned()),
        (format!("/stories/{specimen}"), "/stories/MISSING".to_owned()),
        (format!("/history/{specimen}"), "/history/MISSING".to_owned()),
        (format!("/records/specimen/{specimen}"), "/records/specimen/MISSING".to_owned()),
        (format!("/records/item/SH1/{specimen}"), "/records/item/SH1/MISSING".to_owned()),
        ("/participants/P1/N1".to_owned(), "/participants/P1/MISSING".to_owned()),
    ] {
        let foreign = house.get(&format!("/api/v1{there}")).await.check(404);
        let nothing = house.get(&format!("/api/v1{missing}")).await.check(404);
        let name = there.rsplit('/').next().expect("a name");
        assert_eq!(foreign.text.replace(name, "MISSING"), nothing.text, "{there}");
        assert_eq!(foreign.headers.get("content-type"), nothing.headers.get("content-type"));
    }
    let hold = |id: &str| json!({ "request": "cancel", "order_line": id, "reason": "x" });
    let foreign = house.post("/api/v1/requests", &hold(&line)).await.check(404);
    let nothing = house.post("/api/v1/requests", &hold("MISSING")).await.check(404);
    assert_eq!(foreign.text.replace(&line, "MISSING"), nothing.text);
    for list in ["/order-lines", "/order-lines?institution=H1", "/records/specimen", "/records/item?institution=H1"] {
        assert_eq!(house.get(&format!("/api/v1{list}")).await.check(200).json()["items"], json!([]), "{list}");
    }
    house.close().await;
}

#[tokio::test]
async fn ones_own_is_shown_coarsely_and_needs_a_role_for_more() {
    let (house, turn) = open().await;
    let (line, specimen) = announced(&house).await;
    turn.to(H1);
    let shown = house.get(&format!("/api/v1/order-lines/{line}")).await.check(200).json();
    assert_eq!((&shown["stage"], &shown["document"]), (&json!("announced"), &Value::Null));
    let history = house.get(&format!("/api/v1/history/{specimen}")).await.check(200).json();
    assert!(history["items"].as_array().is_some_and(|all| all.iter().all(|one| one["actor"] == "")), "{history}");
    house.post("/api/v1/requests", &json!({ "request": "cancel", "order_line": line, "reason": "x" })).await.check(403);
    for path in ["/stuck", "/stages", "/records/decision", "/records/case", "/runs", "/specimens"] {
        house.get(&format!("/api/v1{path}")).await.problem(403, "not_allowed");
    }
    house.get("/api/v1/runs/r1").await.problem(404, "not_found");
    turn.to(ADMIN);
    for path in [format!("/order-lines/{line}"), "/order-lines/MISSING".into(), "/order-lines".into(), "/runs".into()] {
        house.get(&format!("/api/v1{path}")).await.problem(403, "not_allowed");
    }
    house.get("/api/v1/records/assay").await.check(200);
    turn.to(CENTER);
    for path in ["/records/person", "/records/token", "/records/session", "/records/nonsense"] {
        house.get(&format!("/api/v1{path}")).await.problem(404, "not_found");
    }
    house.get("/api/v1/order-lines?stage=nonsense").await.problem(400, "usage");
    house.close().await;
}
