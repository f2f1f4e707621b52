//! Pages of specimens, order lines, the search and what arrives: who sees what, what may be done, what is foreign.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use kentai_engine::scheduler::Actor;
use serde_json::{Value, json};

use crate::house::{Answer, House, TINY};

const CENTER: usize = 0;
const H1: usize = 1;
const H2: usize = 2;
const ADMIN: usize = 3;
const AUDITOR: usize = 4;

/// People take turns: the one whose number is set asks.
struct Turn(Arc<AtomicUsize>);

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
        of("aud-01", &["auditor"], None),
    ];
    let asks = Arc::clone(&turn);
    let house = House::open_for(Arc::new(move |_| people.get(asks.load(Ordering::SeqCst)).cloned())).await;
    (house, Turn(turn))
}

fn import(table: &str, institution: &str, rows: Value) -> Value {
    json!({ "request": "import", "table": table, "institution": institution, "rows": rows })
}

async fn ask(house: &House, body: Value) {
    house.post("/api/v1/requests", &body).await.check(200);
}

/// Two hospitals, and one specimen of the first: its id and its order line's.
async fn announced(house: &House) -> (String, String) {
    let two =
        json!([{ "code": "H1", "name": "One", "role": "sender" }, { "code": "H2", "name": "Two", "role": "sender" }]);
    ask(house, import("institutions", "", two)).await;
    ask(house, import("programs", "", json!([{ "code": "P1", "name": "Rare" }]))).await;
    ask(house, json!({ "request": "assay", "name": "wgs", "version": "1", "assay": { "reads_ordered": 100 } })).await;
    let row = json!({ "shipment": "SH1", "barcode": "B-001", "pseudonym": "N1", "program": "P1", "assay": "wgs" });
    ask(house, import("shipment", "H1", json!([row]))).await;
    let lines = house.get("/api/v1/order-lines").await.check(200).json();
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    (text(&lines["items"][0]["specimen"]), text(&lines["items"][0]["id"]))
}

async fn form(house: &House, path: &str, body: &str) -> Answer {
    house
        .ask("POST", path, "content-type: application/x-www-form-urlencoded\r\nsec-fetch-site: same-origin\r\n", body)
        .await
}

/// The value of a form's hidden field.
fn hidden(page: &str, name: &str) -> String {
    let (_, rest) = page.split_once(&format!("name=\"{name}\" value=\"")).expect("the field");
    rest.split('"').next().expect("a value").to_owned()
}

fn encoded(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

#[tokio::test]
async fn headings_are_in_order_and_the_bar_says_where_we_are() {
    let (house, _) = open().await;
    let (specimen, line) = announced(&house).await;
    for path in [
        format!("/specimens/{specimen}"),
        format!("/specimens/{specimen}?line={line}"),
        format!("/specimens/{specimen}/hold?line={line}"),
        format!("/specimens/{specimen}/chain"),
        format!("/specimens/{specimen}/events"),
        "/specimens".into(),
        "/specimens?stage=expected&institution=H1&program=P1&begins=s0".into(),
        "/specimens?known=sheets".into(),
        "/order-lines".into(),
        "/order-lines?stuck=1".into(),
        "/order-lines?late=1&held=1".into(),
        "/order-lines?stage=expected&assay=wgs".into(),
        "/shipments".into(),
        "/shipments/SH1".into(),
        "/shipments?status=sent".into(),
        "/instrument-runs".into(),
        "/participants/P1/N1".into(),
        "/search?q=".into(),
    ] {
        for language in ["en", "ja"] {
            let page = house.ask("GET", &path, &format!("accept-language: {language}\r\n"), "").await.check(200);
            assert_eq!(page.text.matches("<h1").count(), 1, "{path}");
            let order: Vec<&str> = page.text.match_indices("<h").map(|(at, _)| &page.text[at + 2..at + 3]).collect();
            let levels: Vec<u32> = order.iter().filter_map(|level| level.parse().ok()).collect();
            assert!(levels.windows(2).all(|pair| pair[1] <= pair[0] + 1), "{path}: {levels:?}");
            assert!(page.text.contains(&format!("<html lang=\"{language}\"")));
            assert!(page.headers["content-security-policy"].contains("script-src 'self'"), "{path}");
        }
    }
    let list = house.get("/specimens?stage=expected&institution=H1&program=P1&begins=s0").await.check(200);
    assert!(list.text.contains(&specimen));
    for none in ["/specimens?stage=ready", "/specimens?institution=H2", "/specimens?program=P2", "/specimens?begins=X"]
    {
        assert!(!house.get(none).await.check(200).text.contains(&specimen), "{none}");
    }
    let csv = house.get("/order-lines?format=csv").await.check(200);
    assert!(csv.text.contains(&line) && csv.text.contains("expected"), "{}", csv.text);
    let to = house.get(&format!("/order-lines/{line}")).await.check(303);
    assert_eq!(to.headers["location"], format!("/specimens/{specimen}?line={line}"));
    for bad in
        ["/specimens?stage=nonsense", "/order-lines?stage=nonsense", "/shipments?status=x", "/specimens?colour=red"]
    {
        house.get(bad).await.check(400);
    }
    house.close().await;
}

#[tokio::test]
async fn a_hold_needs_a_reason_and_binds_to_what_was_shown() {
    let (house, turn) = open().await;
    let (specimen, line) = announced(&house).await;
    let path = format!("/specimens/{specimen}/hold");
    let page = house.get(&format!("{path}?line={line}")).await.check(200).text;
    let shown = encoded(&hidden(&page, "shown"));
    let empty = form(&house, &path, &format!("line={line}&shown={shown}&reason=+")).await.check(422);
    assert!(empty.text.contains("id=\"reason-wrong\""), "{}", empty.text);
    // It moves on meanwhile.
    ask(&house, json!({ "request": "receive", "barcode": "B-001" })).await;
    let stale = form(&house, &path, &format!("line={line}&shown={shown}&reason=because+%3Cb%3E")).await.check(409);
    assert!(stale.text.contains("because &#60;b&#62;") && stale.text.contains("id=\"refused\""), "{}", stale.text);
    let shown = encoded(&hidden(&stale.text, "shown"));
    let held = form(&house, &path, &format!("line={line}&shown={shown}&reason=because")).await.check(303);
    assert_eq!(held.headers["location"], format!("/specimens/{specimen}?line={line}"));
    let page = house.get(&format!("/specimens/{specimen}")).await.check(200).text;
    assert!(page.contains("Held") && page.contains("because"), "{page}");
    assert!(house.get("/order-lines?held=1").await.text.contains(&specimen));
    // The same form again: it is held by now.
    form(&house, &path, &format!("line={line}&shown={shown}&reason=because")).await.check(409);
    turn.to(AUDITOR);
    let page = house.get(&format!("{path}?line={line}")).await.check(200).text;
    assert!(page.contains("id=\"who-may\"") && !page.contains("<form class=\"form\""), "{page}");
    assert!(!house.get(&format!("/specimens/{specimen}")).await.text.contains("id=\"act-hold\""));
    turn.to(CENTER);
    let page = house.get(&format!("{path}?line={line}")).await.check(200).text;
    let shown = encoded(&hidden(&page, "shown"));
    form(&house, &path, &format!("line={line}&shown={shown}")).await.check(303);
    assert!(!house.get("/order-lines?held=1").await.text.contains(&specimen));
    house.close().await;
}

#[tokio::test]
async fn what_is_foreign_is_missing_word_for_word() {
    let (house, turn) = open().await;
    let (specimen, line) = announced(&house).await;
    turn.to(H2);
    for (there, missing) in [
        (format!("/specimens/{specimen}"), "/specimens/MISSING".to_owned()),
        (format!("/specimens/{specimen}/hold?line={line}"), "/specimens/MISSING/hold?line=x".into()),
        (format!("/specimens/{specimen}/chain"), "/specimens/MISSING/chain".into()),
        (format!("/specimens/{specimen}/events"), "/specimens/MISSING/events".into()),
        (format!("/specimens/{specimen}/provenance"), "/specimens/MISSING/provenance".into()),
        (format!("/order-lines/{line}"), "/order-lines/MISSING".into()),
        ("/shipments/SH1".into(), "/shipments/MISSING".into()),
        ("/participants/P1/N1".into(), "/participants/P1/MISSING".into()),
    ] {
        let foreign = house.get(&there).await.check(404);
        let nothing = house.get(&missing).await.check(404);
        let main = |page: &str| page.split_once("<main").expect("a page").1.to_owned();
        let mut foreign = main(&foreign.text);
        for name in [&specimen, &line, "SH1", "N1"] {
            foreign = foreign.replace(name, "MISSING");
        }
        assert_eq!(foreign, main(&nothing.text), "{there}");
    }
    for list in ["/specimens", "/order-lines", "/shipments", "/specimens?institution=H1"] {
        assert!(!house.get(list).await.check(200).text.contains(&specimen), "{list}");
    }
    for q in [&specimen, &line, "B-001", "SH1", "N1"] {
        let found = house.get(&format!("/search?q={q}")).await.check(200).text;
        assert!(found.contains("id=\"nothing\"") && !found.contains("id=\"near\""), "{q}: {found}");
    }
    house.close().await;
}

#[tokio::test]
async fn ones_own_is_told_coarsely() {
    let (house, turn) = open().await;
    let (specimen, line) = announced(&house).await;
    ask(&house, json!({ "request": "receive", "barcode": "B-001", "note": "cracked lid" })).await;
    ask(&house, json!({ "request": "hold", "order_line": line, "reason": "not for the hospital" })).await;
    turn.to(H1);
    let page = house.get(&format!("/specimens/{specimen}")).await.check(200).text;
    assert!(page.contains("Received") && page.contains("B-001"), "{page}");
    for inner in ["ops-02", "not for the hospital", "act-hold", "/chain", "chain root", "events"] {
        let main = page.split_once("<main").expect("a page").1;
        assert!(!main.contains(inner), "{inner} in {main}");
    }
    for path in ["/instrument-runs", "/order-lines?stuck=1", "/order-lines?stage=received", "/specimens?known=sheets"] {
        house.get(path).await.check(403);
    }
    assert_eq!(house.get("/search?q=b001").await.check(303).headers["location"], format!("/specimens/{specimen}"));
    turn.to(ADMIN);
    for path in
        [format!("/specimens/{specimen}"), "/specimens".into(), "/order-lines".into(), "/specimens/MISSING".into()]
    {
        house.get(&path).await.check(403);
    }
    house.close().await;
}

#[tokio::test]
async fn a_specimen_that_only_a_sheet_knows_has_a_page_with_its_runs() {
    let (house, _) = open().await;
    let run = house.run(TINY, "NA-1").await;
    house.quiet().await;
    let sheet =
        json!({ "source": "<b>sheet</b>.csv", "specimens": [{ "id": "NA-1", "barcode": "\"><b>", "values": {} }] });
    house.post("/api/v1/specimens", &sheet).await.check(200);
    let page = house.get("/specimens/NA-1").await.check(200).text;
    assert!(page.contains(&run) && page.contains("&#60;b&#62;sheet") && !page.contains("<b>sheet"), "{page}");
    assert!(!page.contains("\"><b>"), "{page}");
    let found = house.get(&format!("/search?q={}", &run[..12])).await.check(303);
    assert_eq!(found.headers["location"], format!("/runs/{run}"));
    assert_eq!(house.get("/search?q=NA-1").await.check(303).headers["location"], "/specimens/NA-1");
    assert!(house.get("/specimens?known=sheets").await.check(200).text.contains("/specimens/NA-1"));
    house.get("/specimens/nobody").await.check(404);
    house.close().await;
}
