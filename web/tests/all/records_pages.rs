//! Withdrawals, letters, decisions, reconciliation: who sees them, that two people decide, and that an act is about what was shown.
//! What is done with a delivery is tested where there are files: `tests/tests/center/acts.rs`.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use kentai_engine::scheduler::{Actor, Subscriber, Target};
use serde_json::{Value, json};

use crate::house::{Answer, House, TINY};

const OFFICER: usize = 0;
const SECOND: usize = 1;
const AUDITOR: usize = 2;
const OPERATOR: usize = 3;
const H1: usize = 4;
const H2: usize = 5;
const DATA_CENTER: usize = 6;
const ADMIN: usize = 7;

/// Breaks out of text and attributes.
const HOSTILE: &str = "\"><script>alert(1)</script>";

struct Turn(Arc<AtomicUsize>);

impl Turn {
    fn to(&self, who: usize) {
        self.0.store(who, Ordering::SeqCst);
    }
}

/// A house with the target `dc`, and a subscriber to whom no messenger goes: what is written to `dc` is given up at once.
async fn open() -> (House, Turn) {
    let turn = Arc::new(AtomicUsize::new(OFFICER));
    let of = |name: &str, roles: &[&str]| Actor {
        name: name.into(),
        roles: roles.iter().map(|role| (*role).to_owned()).collect(),
        ..Actor::default()
    };
    let people = [
        of("ops-02", &["operator", "reviewer", "releaser", "withdrawal_officer"]),
        of("wd-02", &["withdrawal_officer"]),
        of("aud-01", &["auditor"]),
        of("ops-09", &["operator"]),
        Actor { institution: Some("H1".into()), ..of("h1-01", &["institution"]) },
        Actor { institution: Some("H2".into()), ..of("h2-01", &["institution"]) },
        Actor { data_center: Some("dc".into()), ..of("dc-01", &["data_center"]) },
        of("adm-01", &["admin"]),
    ];
    let asks = Arc::clone(&turn);
    let house = House::open_with(Arc::new(move |_| people.get(asks.load(Ordering::SeqCst)).cloned()), |options| {
        options.targets.insert("dc".into(), Target::pulled());
        let (to, channel, address) = ("dc".into(), "webhook".into(), "https://dc.example/<b>".into());
        options.subscribers.push(Subscriber { to, channel, address, messenger: None });
    })
    .await;
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

/// What stands behind `mark`, up to the next quote, as a browser reads it.
fn quoted(page: &str, mark: &str) -> Vec<String> {
    let parts = page.split(mark).skip(1).filter_map(|rest| rest.split('"').next());
    parts.map(|text| text.replace("&#38;", "&").replace("&#34;", "\"")).collect()
}

/// One specimen of `H1`: its order line's id and its own.
async fn specimen(house: &House) -> (String, String) {
    let import = |table: &str, institution: &str, rows: Value| json!({ "request": "import", "table": table, "institution": institution, "rows": rows });
    let names =
        json!([{ "code": "H1", "name": "One", "role": "sender" }, { "code": "H2", "name": "Two", "role": "sender" }]);
    ask(house, import("institutions", "", names)).await;
    ask(house, import("programs", "", json!([{ "code": "P1", "name": "Rare" }]))).await;
    let assay = json!({ "reads_ordered": 600_000_000 });
    ask(house, json!({ "request": "assay", "name": "wgs", "version": "1", "assay": assay })).await;
    let row = json!({ "shipment": "SH1", "barcode": "B-001", "pseudonym": "N1", "program": "P1", "assay": "wgs" });
    ask(house, import("shipment", "H1", json!([row]))).await;
    let consent =
        json!({ "pseudonym": "N1", "program": "P1", "document": "f", "version": "1", "scopes": "sequencing" });
    ask(house, import("consents", "", json!([consent]))).await;
    ask(house, json!({ "request": "receive", "barcode": "B-001" })).await;
    let line = house.get("/api/v1/order-lines").await.check(200).json()["items"][0].clone();
    let text = |name: &str| line[name].as_str().expect("a text").to_owned();
    let (id, specimen) = (text("id"), text("specimen"));
    ask(house, json!({ "request": "accession", "specimen": specimen })).await;
    let lane = json!({ "instrument_run": "R1", "lane": "1", "sample": specimen, "reads": "594200000" });
    ask(house, import("lanes", "", json!([lane]))).await;
    (id, specimen)
}

/// Consent is taken back, and everything is closed: the case.
async fn withdrawn(house: &House) -> String {
    let wish =
        json!({ "request": "withdraw", "program": "P1", "pseudonym": "N1", "evidence": format!("letter {HOSTILE}") });
    let said = ask(house, wish).await;
    let changed = said["changed"][0].as_str().expect("a case");
    let case = changed.trim_start_matches("case ").to_owned();
    let mut pulse = house.engine().pulse();
    loop {
        pulse.mark_unchanged();
        let found = house.get(&format!("/api/v1/cases/{case}")).await.check(200).json();
        if found["case"]["status"] == "sealed" {
            return case;
        }
        pulse.changed().await.expect("the engine lives");
    }
}

/// A letter that was given up: the notice's id.
async fn given_up(house: &House) -> String {
    let said = ask(house, json!({ "request": "notice_test", "to": "dc" })).await;
    let id = said["changed"][0].as_str().expect("a notice").trim_start_matches("notice ").to_owned();
    until_given_up(house, &id).await;
    id
}

async fn until_given_up(house: &House, id: &str) {
    let mut pulse = house.engine().pulse();
    loop {
        pulse.mark_unchanged();
        let found = house.get(&format!("/api/v1/records/notice/{id}")).await.check(200).json();
        if found["status"] == "undelivered" {
            return;
        }
        pulse.changed().await.expect("the engine lives");
    }
}

#[tokio::test]
async fn lists_stand_in_both_languages_and_only_for_whom_they_are() {
    let (house, turn) = open().await;
    specimen(&house).await;
    let case = withdrawn(&house).await;
    let notice = given_up(&house).await;
    let one = format!("/withdrawals/{case}");
    let letter = format!("/notices/{notice}");
    let all = ["/withdrawals", &one, "/notices", &letter, "/decisions", "/hand-off/reconcile", "/hand-off"];
    for path in all {
        let page = house.get(path).await.check(200);
        assert!(page.text.contains("<h1") && page.headers.contains_key("content-security-policy"), "{path}");
        assert!(!page.text.contains("style=") && !page.text.contains("onclick"), "{path}");
        assert!(!page.text.contains("<script>alert"), "{path}");
        let other = japanese(&house, path).await;
        assert!(other.contains(r#"<html lang="ja""#) && other != page.text, "{path}");
    }
    // Who may see: of the center, and of withdrawals the officers and auditors.
    for (who, withdrawals, own, center) in [
        (AUDITOR, 200, 200, 200),
        (OPERATOR, 403, 403, 200),
        (ADMIN, 403, 403, 403),
        (H1, 403, 403, 403),
        (H2, 403, 404, 403),
        (DATA_CENTER, 403, 404, 403),
    ] {
        turn.to(who);
        house.get("/withdrawals").await.check(withdrawals);
        house.get(&one).await.check(own);
        for path in ["/notices", "/decisions", "/hand-off/reconcile"] {
            house.get(path).await.check(center);
        }
        let gone = house.get("/withdrawals/k0").await;
        assert!([403, 404].contains(&gone.status), "{who}: {}", gone.status);
        if own == 404 {
            assert_eq!(gone.status, 404);
        }
    }
    for who in [H1, H2, DATA_CENTER] {
        turn.to(who);
        // The center's own letters are to them as what is not there.
        house.get(&letter).await.check(404);
        house.get("/notices/n0").await.check(404);
        form(&house, &format!("{letter}/again"), &[("shown", "x")]).await.check(404);
    }
    house.close().await;
}

#[tokio::test]
async fn two_people_decide_about_a_withdrawals_things_and_then_it_closes() {
    let (house, turn) = open().await;
    specimen(&house).await;
    let case = withdrawn(&house).await;
    let path = format!("/withdrawals/{case}");
    let page = house.get(&path).await.check(200).text;
    assert!(page.contains("To be decided") && page.contains("letter &#34;&#62;&#60;script"), "{page}");
    let things = quoted(&page, r#"name="thing" value=""#);
    assert!(things.len() >= 2 && !page.contains(r#"value="confirm""#), "{page}");
    let act = format!("{path}/things");
    let all = |act: &'static str, more: &[(&'static str, &'static str)], things: &[String]| {
        let mut fields: Vec<(String, String)> = vec![("act".into(), act.into())];
        fields.extend(more.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        fields.extend(things.iter().map(|thing| ("thing".to_owned(), thing.clone())));
        fields
    };
    let send = async |fields: Vec<(String, String)>| {
        let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        form(&house, &act, &fields).await
    };
    // Each fault is said at its field, and what was typed and chosen is kept.
    let bare = send(all("propose", &[("decision", "keep"), ("reason", "law <i>")], &things[..1])).await.check(422).text;
    assert!(bare.contains("reference-wrong") && bare.contains("law &#60;i&#62;"), "{bare}");
    assert!(bare.contains(r#"value="keep" checked"#) && bare.matches("checked>").count() >= 2, "{bare}");
    send(all("propose", &[("decision", "burn"), ("reason", "x")], &things)).await.check(422);
    send(all("propose", &[("decision", "destroy"), ("reason", "x")], &[])).await.check(422);
    send(all("propose", &[("decision", "destroy"), ("reason", " ")], &things)).await.check(422);
    send(all("propose", &[("decision", "destroy"), ("reason", "asked for")], &things)).await.check(303);
    // Who proposed is no second person; who looked before is told that it moved on.
    let mine = house.get(&path).await.check(200).text;
    assert!(mine.contains("To confirm") && !mine.contains(r#"value="confirm""#), "{mine}");
    let stale = send(all("propose", &[("decision", "stub"), ("reason", "me too")], &things)).await.check(409).text;
    assert!(stale.contains("me too") && stale.contains("nothing was done"), "{stale}");
    let proposed = quoted(&mine, r#"name="thing" value=""#);
    send(all("confirm", &[], &proposed)).await.check(422);
    turn.to(AUDITOR);
    let read = house.get(&path).await.check(200).text;
    assert!(read.contains("who-may") && !read.contains(r#"name="thing""#), "{read}");
    send(all("confirm", &[], &proposed)).await.check(403);
    turn.to(SECOND);
    let page = house.get(&path).await.check(200).text;
    assert!(page.contains(r#"value="confirm""#) && page.contains("It is closed when"), "{page}");
    send(all("confirm", &[], &proposed)).await.check(303);
    let page = house.get(&path).await.check(200).text;
    assert!(!page.contains("To confirm</span>") || !page.contains(r#"name="thing""#), "{page}");
    assert!(page.contains(r#"<span class="id">ops-02,</span> <span class="id">wd-02</span>"#), "{page}");
    assert!(page.contains("asked for"), "{page}");
    let shown = quoted(&page, r#"name="shown" value=""#).pop().expect("it may be closed");
    form(&house, &format!("{path}/close"), &[("shown", "sealed/0/0")]).await.check(409);
    form(&house, &format!("{path}/close"), &[("shown", &shown)]).await.check(303);
    let list = house.get("/withdrawals?status=closed").await.check(200).text;
    assert!(list.contains(&case) && list.contains("/participants/P1/N1"), "{list}");
    assert!(house.get("/withdrawals?status=sealed").await.check(200).text.contains("No case is in this state"));
    house.get("/withdrawals?status=odd").await.check(400);
    let csv = house.get("/withdrawals?format=csv").await.check(200).text;
    assert!(csv.starts_with("case,status,participant") && csv.lines().count() == 2, "{csv}");
    house.close().await;
}

#[tokio::test]
async fn the_first_page_says_how_long_withdrawals_take_and_leads_who_may_see_them() {
    let (house, turn) = open().await;
    specimen(&house).await;
    let case = withdrawn(&house).await;
    let part = |page: &str| {
        let part = page.split(r#"<section id="withdrawals""#).nth(1).expect("the part");
        part.split("</section>").next().expect("its end").to_owned()
    };
    let first = house.get("/").await.check(200).text;
    let told = part(&first);
    assert!(told.contains("to stop") && told.contains(r#"href="/withdrawals?status=sealed""#), "{told}");
    let needs = house.get("/needs").await.check(200).text;
    assert!(needs.contains(&format!(r#"href="/withdrawals/{case}""#)), "{needs}");
    let found = house.get(&format!("/search?q={case}")).await.check(303);
    assert_eq!(found.headers["location"], format!("/withdrawals/{case}"));
    assert!(first.contains(r#"href="/withdrawals">Withdrawals</a>"#) && first.contains(r#"href="/decisions""#));
    turn.to(OPERATOR);
    let first = house.get("/").await.check(200).text;
    let told = part(&first);
    assert!(told.contains("to stop") && !told.contains("href"), "{told}");
    assert!(!first.contains(r#"href="/withdrawals">"#) && first.contains(r#"href="/notices">"#), "{first}");
    house.close().await;
}

#[tokio::test]
async fn what_was_given_up_comes_first_and_is_sent_again_by_whoever_may() {
    let (house, turn) = open().await;
    let id = given_up(&house).await;
    let list = house.get("/notices").await.check(200).text;
    let dead = list.split(r#"id="dead""#).nth(1).and_then(|part| part.split("</section>").next()).expect("a part");
    assert!(dead.contains(&id) && dead.contains("Given up"), "{dead}");
    let rest = list.split(r#"id="list""#).nth(1).expect("the rest");
    assert!(!rest.contains(&id), "it is told once: {rest}");
    for path in ["/notices?status=undelivered", "/notices?to=dc", "/notices?subject=test", "/notices?format=csv"] {
        assert!(house.get(path).await.check(200).text.contains(&id), "{path}");
    }
    for path in ["/notices?to=other", "/notices?subject=withdrawal", "/notices?status=sent"] {
        assert!(!house.get(path).await.check(200).text.contains(&id), "{path}");
    }
    house.get("/notices?status=odd").await.check(400);
    let path = format!("/notices/{id}");
    let page = house.get(&path).await.check(200).text;
    assert!(page.contains("https://dc.example/&#60;b&#62;") && !page.contains("example/<b>"), "{page}");
    let shown = quoted(&page, r#"name="shown" value=""#).pop().expect("it may be sent again");
    turn.to(AUDITOR);
    let read = house.get(&path).await.check(200).text;
    assert!(read.contains("who-may") && !read.contains("<form method=\"post\""), "{read}");
    form(&house, &format!("{path}/again"), &[("shown", &shown)]).await.check(403);
    turn.to(OPERATOR);
    form(&house, &format!("{path}/again"), &[("shown", "sent/1/0/")]).await.check(409);
    let again = form(&house, &format!("{path}/again"), &[("shown", &shown)]).await.check(303);
    assert_eq!(again.headers["location"], path);
    turn.to(OFFICER);
    until_given_up(&house, &id).await;
    form(&house, "/notices/n0/again", &[("shown", &shown)]).await.check(404);
    house.close().await;
}

#[tokio::test]
async fn what_people_decided_is_listed_by_person_and_kind_and_leads_to_its_subject() {
    let (house, turn) = open().await;
    let (line, _) = specimen(&house).await;
    ask(
        &house,
        json!({ "request": "decide", "order_line": line, "way": "top_up", "reason": format!("volume {HOSTILE}") }),
    )
    .await;
    let run = house.run(TINY, "S9").await;
    house.quiet().await;
    let answer = json!({ "step": "release", "answer": { "kind": "approve", "verdict": "approve", "reason": "fine" } });
    house.post(&format!("/api/v1/runs/{run}/answer"), &answer).await.check(200);
    ask(&house, json!({ "request": "cancel", "order_line": line, "reason": "x" })).await;
    turn.to(OPERATOR);
    ask(&house, json!({ "request": "reopen", "order_line": line, "reason": "again" })).await;
    let list = house.get("/decisions").await.check(200).text;
    let (order, step) = (format!(r#"href="/order-lines/{line}""#), format!(r#"href="/runs/{run}""#));
    assert!(list.contains(&order) && list.contains(&step) && list.contains("waits for the second person"), "{list}");
    assert!(list.contains("volume &#34;&#62;") && !list.contains("<script>alert"), "{list}");
    // The newest first: the proposal, the approval, the way out.
    let at = |text: &str| list.find(text).unwrap_or_else(|| panic!("{text}: {list}"));
    assert!(at("again</td>") < at("fine</td>") && at("fine</td>") < at("volume"), "{list}");
    let has = async |query: &str| {
        let list = house.get(&format!("/decisions?{query}")).await.check(200).text;
        (list.contains("fine</td>"), list.contains("volume"), list.contains("again</td>"))
    };
    assert_eq!(has("kind=approval").await, (true, false, false));
    assert_eq!(has("kind=order_line").await, (false, true, false));
    assert_eq!(has("kind=proposal").await, (false, false, true));
    assert_eq!(has("kind=gate").await, (false, false, false));
    assert_eq!(has("person=ops-09").await, (false, false, true));
    assert_eq!(has("person=nobody").await, (false, false, false));
    house.get("/decisions?kind=odd").await.check(400);
    let csv = house.get("/decisions?format=csv").await.check(200).text;
    assert!(csv.lines().count() == 4 && csv.contains(&format!("order_line {line}")), "{csv}");
    house.close().await;
}

#[tokio::test]
async fn a_receivers_list_is_held_against_what_was_sent_and_kept_when_it_cannot_be_read() {
    let (house, turn) = open().await;
    let page = house.get("/hand-off/reconcile?target=dc").await.check(200).text;
    assert!(page.contains("Nothing was handed off to it yet") && page.contains(r#"id="list""#), "{page}");
    house.get("/hand-off/reconcile?target=nowhere").await.check(404);
    let path = "/hand-off/reconcile";
    let bad = form(&house, path, &[("target", "dc"), ("list", "delivery,path\nd1,<b>\n")]).await.check(422).text;
    assert!(bad.contains("Line 2") && bad.contains("d1,&#60;b&#62;"), "{bad}");
    form(&house, path, &[("target", "dc"), ("list", " ")]).await.check(422);
    let theirs = "delivery,path,sha256\nd1,data/<b>,ab\n";
    let found = form(&house, path, &[("target", "dc"), ("list", theirs)]).await.check(200).text;
    assert!(found.contains("we did not send it") && found.contains("data/&#60;b&#62;"), "{found}");
    assert!(found.contains(r#"href="/hand-off/d1""#), "{found}");
    let agreed = form(&house, path, &[("target", "dc"), ("list", "delivery,path,sha256\n")]).await.check(422).text;
    assert!(agreed.contains("Paste"), "{agreed}");
    for who in [H1, H2, DATA_CENTER, ADMIN] {
        turn.to(who);
        form(&house, path, &[("target", "dc"), ("list", theirs)]).await.check(403);
    }
    house.close().await;
}
