//! The first page and what hangs on it: who sees it, what leads where, and that a decision is about what was shown.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use kentai_engine::scheduler::Actor;
use serde_json::{Value, json};

use crate::house::{Answer, House, TINY};

/// A workflow whose question is written by somebody who means ill.
const HOSTILE: &str = r#"kentai: 1
workflow: hostile
version: "1"
steps:
  work:
    outputs: { out: { path: out.txt } }
    script: echo done > "$out_out"
  release:
    after: [work]
    approve: { roles: [releaser], ask: "<script>alert(1)</script>" }
"#;

const EVERYBODY: usize = 0;
const OPERATOR: usize = 1;
const H1: usize = 2;
const H2: usize = 3;
const DATA_CENTER: usize = 4;
const ADMIN: usize = 5;

struct Turn(Arc<AtomicUsize>);

impl Turn {
    fn to(&self, who: usize) {
        self.0.store(who, Ordering::SeqCst);
    }
}

async fn open() -> (House, Turn) {
    let turn = Arc::new(AtomicUsize::new(EVERYBODY));
    let of = |name: &str, roles: &[&str], institution: Option<&str>, data_center: Option<&str>| Actor {
        name: name.into(),
        roles: roles.iter().map(|role| (*role).to_owned()).collect(),
        institution: institution.map(str::to_owned),
        data_center: data_center.map(str::to_owned),
        ..Actor::default()
    };
    let people = [
        of("ops-02", &["operator", "reviewer", "releaser", "withdrawal_officer", "auditor"], None, None),
        of("ops-09", &["operator"], None, None),
        of("h1-01", &["institution"], Some("H1"), None),
        of("h2-01", &["institution"], Some("H2"), None),
        of("d-01", &["data_center"], None, Some("dc-01")),
        of("adm-01", &["admin"], None, None),
    ];
    let asks = Arc::clone(&turn);
    let house = House::open_for(Arc::new(move |_| people.get(asks.load(Ordering::SeqCst)).cloned())).await;
    (house, Turn(turn))
}

/// An order line whose reads are too few: its id and its specimen's.
async fn short_of_reads(house: &House) -> (String, String) {
    let ask = async |body: Value| house.post("/api/v1/requests", &body).await.check(200);
    let import = |table: &str, institution: &str, rows: Value| json!({ "request": "import", "table": table, "institution": institution, "rows": rows });
    ask(import("institutions", "", json!([{ "code": "H1", "name": "One", "role": "sender" }]))).await;
    ask(import("programs", "", json!([{ "code": "P1", "name": "Rare" }]))).await;
    ask(json!({ "request": "assay", "name": "wgs", "version": "1", "assay": { "reads_ordered": 600_000_000 } })).await;
    let row = json!({ "shipment": "SH1", "barcode": "B-001", "pseudonym": "N1", "program": "P1", "assay": "wgs" });
    ask(import("shipment", "H1", json!([row]))).await;
    let consent =
        json!({ "pseudonym": "N1", "program": "P1", "document": "f", "version": "1", "scopes": "sequencing" });
    ask(import("consents", "", json!([consent]))).await;
    ask(json!({ "request": "receive", "barcode": "B-001" })).await;
    let line = house.get("/api/v1/order-lines").await.check(200).json()["items"][0].clone();
    let text = |name: &str| line[name].as_str().expect("a text").to_owned();
    let (id, specimen) = (text("id"), text("specimen"));
    ask(json!({ "request": "accession", "specimen": specimen })).await;
    let lane = json!({ "instrument_run": "R1", "lane": "1", "sample": specimen, "reads": "594200000" });
    ask(import("lanes", "", json!([lane]))).await;
    (id, specimen)
}

async fn post(house: &House, path: &str, fields: &[(&str, &str)]) -> Answer {
    let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
    house.ask("POST", path, "content-type: application/x-www-form-urlencoded\r\n", &body).await
}

/// The value of the form's hidden field.
fn shown(page: &str) -> String {
    let rest = page.split(r#"name="shown" value=""#).nth(1).expect("it is bound to what was shown");
    rest.split('"').next().expect("its end").to_owned()
}

#[tokio::test]
async fn every_page_of_the_day_is_there_in_both_languages() {
    let (house, _) = open().await;
    for path in ["/", "/wall", "/needs", "/queue", "/turnaround"] {
        for (language, code) in [("en", r#"<html lang="en""#), ("ja", r#"<html lang="ja""#)] {
            let page = house.ask("GET", path, &format!("accept-language: {language}\r\n"), "").await.check(200);
            assert!(page.text.contains(code) && page.text.contains("<h1"), "{path}: {}", page.text);
            assert!(!page.text.contains(" style=") && !page.text.contains("onclick"), "{path}");
        }
    }
    let page = house.get("/").await.text;
    for id in ["needs", "line", "late", "turnaround", "queue", "hand-off", "charts", "failures", "intake", "omissions"]
    {
        assert!(page.contains(&format!(r#"<section id="{id}""#)), "{id}");
    }
    for id in ["capacity", "waste", "schedules", "withdrawals", "decisions"] {
        assert!(page.contains(&format!(r#"<section id="{id}""#)), "{id}");
    }
    assert!(page.len() < 150_000, "{} bytes", page.len());
    house.close().await;
}

#[tokio::test]
async fn what_waits_for_a_yes_is_on_the_first_page_with_its_way_there_and_only_for_who_may() {
    let (house, turn) = open().await;
    let run = house.run(TINY, "S1").await;
    house.quiet().await;
    let page = house.get("/").await.check(200).text;
    assert!(page.contains("<b>1</b> thing needs a person"), "{page}");
    assert!(page.contains("Release it? One person must say yes."), "{page}");
    assert!(page.contains(&format!(r#"href="/runs/{run}#ask-release">Review</a>"#)), "{page}");
    turn.to(OPERATOR);
    let page = house.get("/needs").await.check(200).text;
    assert!(page.contains("Release it?") && !page.contains(">Review</a>"), "{page}");
    assert!(page.contains(r#"<td class="who-may second">releaser</td>"#), "{page}");
    house.get("/needs?kind=nonsense").await.check(400);
    let none = house.get("/needs?kind=identity").await.check(200).text;
    assert!(!none.contains("Release it?"), "{none}");
    house.close().await;
}

#[tokio::test]
async fn words_of_others_are_words_and_no_markup() {
    let (house, _) = open().await;
    house.run(HOSTILE, "S1").await;
    house.quiet().await;
    for path in ["/", "/needs", "/wall", "/queue"] {
        let page = house.get(path).await.check(200).text;
        assert!(!page.contains("<script>alert"), "{path}: {page}");
    }
    assert!(house.get("/needs").await.text.contains("&#60;script&#62;alert(1)"));
    house.close().await;
}

#[tokio::test]
async fn people_from_outside_see_their_own_and_not_the_center() {
    let (house, turn) = open().await;
    let (line, specimen) = short_of_reads(&house).await;
    turn.to(H1);
    assert_eq!(house.get("/").await.check(303).headers["location"], "/institution");
    let page = house.get("/institution").await.check(200).text;
    assert!(page.contains(&specimen) && page.contains("In progress"), "{page}");
    assert!(!page.contains("QC"), "what goes wrong inside is not theirs: {page}");
    for path in ["/wall", "/needs", "/queue", "/turnaround"] {
        house.get(path).await.check(403);
    }
    house.get(&format!("/order-lines/{line}/decide")).await.check(403);
    turn.to(H2);
    assert!(!house.get("/institution").await.check(200).text.contains(&specimen));
    // What is foreign is answered word for word like what is not there.
    let told = async |id: &str| {
        let page = house.get(&format!("/order-lines/{id}/decide")).await.check(404).text;
        page.replace(id, "ID")
    };
    assert_eq!(told(&line).await, told("O000000000").await);
    turn.to(DATA_CENTER);
    assert_eq!(house.get("/").await.check(303).headers["location"], "/hand-off");
    house.get("/institution").await.check(404);
    turn.to(ADMIN);
    assert_eq!(house.get("/").await.check(303).headers["location"], "/people");
    for path in ["/wall", "/needs", "/queue", "/turnaround"] {
        house.get(path).await.check(403);
    }
    house.close().await;
}

#[tokio::test]
async fn the_wall_names_nobody() {
    let (house, _) = open().await;
    let (line, specimen) = short_of_reads(&house).await;
    let run = house.run(TINY, "S-secret").await;
    house.quiet().await;
    let page = house.get("/wall").await.check(200).text;
    for name in [line.as_str(), &specimen, &run, "S-secret", "ops-02", "N1"] {
        assert!(!page.contains(name), "{name}: {page}");
    }
    assert!(page.contains("<b>2</b> need a person"), "{page}");
    house.close().await;
}

#[tokio::test]
async fn a_decision_is_about_what_was_shown() {
    let (house, turn) = open().await;
    let (line, specimen) = short_of_reads(&house).await;
    let page = house.get("/").await.check(200).text;
    assert!(page.contains("waits for reads: 594.2 M of 600.0 M ordered"), "{page}");
    assert!(page.contains(&format!(r#"href="/order-lines/{line}/decide">Decide</a>"#)), "{page}");
    let path = format!("/order-lines/{line}/decide");
    let form = house.get(&path).await.check(200).text;
    for way in ["top_up", "re_prep", "re_extract", "new_material", "release", "give_up", "hold", "cancel"] {
        assert!(form.contains(&format!(r#"name="way" value="{way}""#)), "{way}: {form}");
    }
    let seen = shown(&form);
    let wrong = post(&house, &path, &[("shown", &seen), ("way", "top_up"), ("reason", "  ")]).await.check(422).text;
    assert!(wrong.contains(r#"id="reason-wrong""#) && wrong.contains(r#"value="top_up" required checked"#), "{wrong}");
    post(&house, &path, &[("shown", &seen), ("way", "fly"), ("reason", "x")]).await.check(422);
    turn.to(OPERATOR);
    let form = house.get(&path).await.check(200).text;
    assert!(!form.contains(r#"value="top_up""#) && form.contains("only: reviewer"), "{form}");
    let refused = post(&house, &path, &[("shown", &seen), ("way", "top_up"), ("reason", "a <b> reason")]).await;
    let refused = refused.check(403).text;
    assert!(refused.contains("a &#60;b&#62; reason"), "what was typed is kept: {refused}");
    turn.to(EVERYBODY);
    // Somebody else holds it meanwhile.
    let hold = json!({ "request": "hold", "order_line": line, "reason": "wait" });
    house.post("/api/v1/requests", &hold).await.check(200);
    let stale = post(&house, &path, &[("shown", &seen), ("way", "top_up"), ("reason", "short")]).await.check(409).text;
    assert!(stale.contains("It has moved on since you looked"), "{stale}");
    assert_eq!(house.get(&format!("/api/v1/order-lines/{line}")).await.json()["stage"], "sequence_qc_failed");
    let seen = shown(&stale);
    post(&house, &path, &[("shown", &seen), ("way", "resume"), ("reason", "")]).await.check(303);
    let seen = shown(&house.get(&path).await.text);
    post(&house, &path, &[("shown", &seen), ("way", "top_up"), ("reason", "0.9 % short")]).await.check(303);
    assert_eq!(house.get(&format!("/api/v1/order-lines/{line}")).await.json()["stage"], "awaiting_top_up");
    let page = house.get("/").await.check(200).text;
    assert!(!page.contains("waits for reads") && page.contains("top-up: 0.9 % short"), "{specimen}: {page}");
    house.close().await;
}

#[tokio::test]
async fn the_numbers_of_the_line_sum_to_its_total() {
    let (house, _) = open().await;
    short_of_reads(&house).await;
    let page = house.get("/").await.check(200).text;
    let list = page.split("line-upright").nth(1).and_then(|rest| rest.split("</ol>").next()).expect("the list");
    let counts = list.split(r#"stop-count""#).skip(1).map(|rest| {
        let text = rest.split('>').nth(1).and_then(|text| text.split('<').next()).expect("a count");
        text.replace(',', "").parse::<i64>().expect("a number")
    });
    assert_eq!(counts.sum::<i64>(), 1);
    assert!(page.contains("1 order line, each counted once"), "{page}");
    house.close().await;
}
