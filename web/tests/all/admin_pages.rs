//! The pages of whoever manages people, reads the audit log, or is the second person.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use kentai_engine::scheduler::Actor;
use serde_json::{Value, json};

use crate::house::{Answer, House};

struct Turn(Arc<AtomicUsize>);

const CENTER: usize = 0;
const ADMIN: usize = 1;
const AUDITOR: usize = 2;
const SECOND: usize = 3;
const OUTSIDE: usize = 4;

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
        of("ops-02", &["operator", "reviewer", "releaser"], None),
        of("mori", &["admin"], None),
        of("kato", &["auditor"], None),
        of("ito", &["operator", "releaser"], None),
        of("h1-01", &["institution"], Some("H1")),
    ];
    let asks = Arc::clone(&turn);
    let house = House::open_for(Arc::new(move |_| people.get(asks.load(Ordering::SeqCst)).cloned())).await;
    (house, Turn(turn))
}

async fn post(house: &House, path: &str, fields: &[(&str, &str)]) -> Answer {
    let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
    house.ask("POST", path, "content-type: application/x-www-form-urlencoded\r\n", &body).await
}

fn shown(page: &str) -> String {
    let rest = page.split(r#"name="shown" value=""#).nth(1).expect("it is bound to what was shown");
    rest.split('"').next().expect("its end").to_owned()
}

/// What stands in the one place that is told once.
fn told(page: &str) -> Vec<String> {
    let part = page.split(r#"id="once""#).nth(1).expect("it is told").split("</dl>").next().expect("its end");
    part.split("<code>").skip(1).map(|rest| rest.split('<').next().expect("its end").to_owned()).collect()
}

async fn act(house: &House, path: &str, fields: &[(&str, &str)]) -> Answer {
    let version = shown(&house.get(path).await.check(200).text);
    let path = path.split('?').next().expect("a path");
    post(house, path, &[&[("shown", version.as_str())], fields].concat()).await
}

#[tokio::test]
async fn accounts_are_made_and_changed_by_an_admin_and_seen_by_nobody_else() {
    let (house, turn) = open().await;
    for who in [CENTER, AUDITOR, SECOND, OUTSIDE] {
        turn.to(who);
        for path in ["/people", "/people/sato", "/people/nobody", "/people/sato/roles", "/new-person"] {
            let page = house.get(path).await.check(403);
            assert!(page.headers["content-type"].starts_with("text/html"), "{path}");
        }
        post(&house, "/new-person", &[("name", "sato"), ("role_operator", "1")]).await.check(403);
        post(&house, "/people/sato/disable", &[("shown", "1")]).await.check(403);
    }
    turn.to(ADMIN);
    assert_eq!(house.get("/").await.check(303).headers["location"], "/people", "an admin sees no data");
    let page = post(&house, "/new-person", &[("name", "sato")]).await.check(422).text;
    assert!(page.contains("Choose at least one role.") && page.contains(r#"value="sato""#), "{page}");
    let hostile = r#""><script>alert(1)</script>"#;
    let page = post(&house, "/new-person", &[("name", hostile), ("role_operator", "1")]).await.check(422).text;
    assert!(!page.contains("<script>alert") && page.contains("role_operator\" value=\"1\" checked"), "{page}");
    let new = [("name", "sato"), ("role_operator", "1"), ("role_reviewer", "1")];
    assert_eq!(post(&house, "/new-person", &new).await.check(303).headers["location"], "/people/sato");
    let page = post(&house, "/new-person", &new).await.check(409).text;
    assert!(page.contains("there is a person `sato` already"), "{page}");
    for (language, word) in [("en", "Signed in last"), ("ja", "最終サインイン")] {
        let page = house.ask("GET", "/people", &format!("accept-language: {language}\r\n"), "").await.check(200).text;
        assert!(page.contains(word) && page.contains(r#"href="/people/sato""#) && page.contains("<h1>"), "{page}");
    }
    let list = house.get("/people?format=csv").await.check(200).text;
    assert!(list.contains("sato,active,person,operator reviewer"), "{list}");
    act(&house, "/people/sato/roles", &[("role_auditor", "1")]).await.check(303);
    assert!(house.get("/people/sato").await.check(200).text.contains("<dd>auditor</dd>"));
    // What was decided about an account as it stood before is not done to it as it stands now.
    let page = post(&house, "/people/sato/disable", &[("shown", "1")]).await.check(409).text;
    assert!(page.contains("changed this account meanwhile"), "{page}");
    act(&house, "/people/sato/disable", &[]).await.check(303);
    let page = house.get("/people/sato").await.check(200).text;
    assert!(page.contains("Disabled") && page.contains("/people/sato/enable") && !page.contains("/people/sato/roles"));
    assert!(house.get("/people?status=disabled").await.check(200).text.contains("p-sato"));
    assert!(!house.get("/people?status=active").await.check(200).text.contains("p-sato"));
    act(&house, "/people/sato/enable", &[]).await.check(303);
    act(&house, "/people/sato/enable", &[]).await.check(409);
    house.get("/people/nobody").await.check(404);
    house.get("/people/sato/nonsense").await.check(404);
    house.close().await;
}

#[tokio::test]
async fn passwords_keys_and_tokens_are_told_once_and_count() {
    let (house, turn) = open().await;
    turn.to(ADMIN);
    post(&house, "/new-person", &[("name", "sato"), ("role_operator", "1")]).await.check(303);
    let made = act(&house, "/people/sato/password", &[]).await.check(200);
    assert_eq!(made.headers["cache-control"], "no-store");
    let password = told(&made.text)[1].clone();
    assert_eq!(password.len(), 23, "{password}");
    house.engine().sign_in("sato", &password, "").await.expect("it opens the door");
    let page = house.get("/people/sato").await.check(200).text;
    assert!(!page.contains(&password) && page.contains("<dd>password</dd>") && !page.contains("never"), "{page}");
    let made = act(&house, "/people/sato/code", &[]).await.check(200);
    assert_eq!(made.headers["cache-control"], "no-store");
    let lines = told(&made.text);
    assert!(lines[2].starts_with("otpauth://totp/"), "{lines:?}");
    assert!(lines[2].contains(&lines[1].replace(' ', "")), "{lines:?}");
    assert!(house.engine().sign_in("sato", &password, "").await.is_err(), "a code is asked for");
    // Tokens are for services, and for oneself.
    let page = act(&house, "/people/sato/token", &[("days", "30")]).await.check(403).text;
    assert!(page.contains("tokens are for services"), "{page}");
    let lims = [("name", "lims"), ("role_operator", "1"), ("service", "1")];
    post(&house, "/new-person", &lims).await.check(303);
    act(&house, "/people/lims/token", &[("days", "0")]).await.check(422);
    act(&house, "/people/lims/token", &[("days", "30"), ("scopes", "everything")]).await.check(422);
    let fields = [("days", "30"), ("scopes", "receive, report_stage"), ("label", "<b>bench</b>")];
    let made = act(&house, "/people/lims/token", &fields).await.check(200);
    let secret = told(&made.text)[1].clone();
    let bearer = format!("authorization: Bearer {secret}\r\n");
    house.ask("GET", "/settings", &bearer, "").await.check(200);
    let id = secret.split('_').nth(1).expect("an id").to_owned();
    let page = house.get("/people/lims").await.check(200).text;
    assert!(page.contains(&id) && !page.contains(&secret) && !page.contains("<b>bench"), "{page}");
    act(&house, &format!("/people/lims/revoke?token={id}"), &[("token", &id)]).await.check(303);
    assert_eq!(house.ask("GET", "/settings", &bearer, "").await.status, 403, "it counts no more");
    let page = house.get("/people/lims").await.check(200).text;
    assert!(page.contains("Revoked") && !page.contains("/people/lims/revoke"), "{page}");
    house.close().await;
}

#[tokio::test]
async fn the_log_is_for_auditors_who_are_in_it_themselves() {
    let (house, turn) = open().await;
    announced(&house).await;
    turn.to(ADMIN);
    let hostile = "x<script>alert(1)</script>";
    post(&house, "/new-person", &[("name", "lims"), ("role_operator", "1"), ("service", "1")]).await.check(303);
    act(&house, "/people/lims/token", &[("days", "30"), ("label", hostile)]).await.check(200);
    for who in [CENTER, ADMIN, SECOND, OUTSIDE] {
        turn.to(who);
        house.get("/audit").await.check(403);
        house.get("/audit?format=csv").await.check(403);
    }
    turn.to(AUDITOR);
    let page = house.get("/audit").await.check(200).text;
    assert!(page.contains("audit_exported") && page.contains("kato") && page.contains("specimen:"), "{page}");
    assert!(!page.contains("<script>alert") && page.contains("&#60;script&#62;"), "{page}");
    assert!(page.contains("newest events follows from the one before it"), "{page}");
    assert!(!page.contains("data-live"), "what is read is written down: it is not fetched by itself");
    let only = house.get("/audit?person=mori&kind=token_made").await.check(200).text;
    assert_eq!(only.matches("<tr id=\"n").count(), 1, "{only}");
    let about = house.get("/audit?about=lims").await.check(200).text;
    assert_eq!(about.matches("<tr id=\"n").count(), 1, "the account's own: {about}");
    // Filters and pages travel in the address, and nothing is left out on the way.
    let csv = house.get("/audit?format=csv").await.check(200).text;
    let lines: Vec<i64> = csv.lines().skip(1).filter_map(|line| line.split(',').next()?.parse().ok()).collect();
    assert_eq!(lines, (1..=lines[0]).rev().collect::<Vec<_>>(), "{csv}");
    let further = house.get("/audit?after=4").await.check(200).text;
    let rows: Vec<&str> = further.split("<tr id=\"n").skip(1).filter_map(|row| row.split('"').next()).collect();
    assert_eq!(rows, ["3", "2", "1"]);
    house.get("/audit?after=x").await.check(400);
    let japanese = house.ask("GET", "/audit", "accept-language: ja\r\n", "").await.check(200).text;
    assert!(japanese.contains("監査記録") && japanese.contains("連鎖"), "{japanese}");
    house.close().await;
}

/// An order line: its id.
async fn announced(house: &House) -> String {
    let ask = async |body: Value| house.post("/api/v1/requests", &body).await.check(200);
    let import = |table: &str, institution: &str, rows: Value| json!({ "request": "import", "table": table, "institution": institution, "rows": rows });
    ask(import("institutions", "", json!([{ "code": "H1", "name": "One", "role": "sender" }]))).await;
    ask(import("programs", "", json!([{ "code": "P1", "name": "Rare" }]))).await;
    ask(json!({ "request": "assay", "name": "wgs", "version": "1", "assay": { "reads_ordered": 100 } })).await;
    let row = json!({ "shipment": "SH1", "barcode": "B-001", "pseudonym": "N1", "program": "P1", "assay": "wgs" });
    ask(import("shipment", "H1", json!([row]))).await;
    let lines = house.get("/api/v1/order-lines").await.check(200).json();
    lines["items"][0]["id"].as_str().expect("a text").to_owned()
}

#[tokio::test]
async fn what_one_person_proposed_another_confirms_as_it_was_shown() {
    let (house, turn) = open().await;
    let order = announced(&house).await;
    let ask = async |body: Value| house.post("/api/v1/requests", &body).await.check(200).json();
    ask(json!({ "request": "cancel", "order_line": order, "reason": "x" })).await;
    let reason = "by mistake <script>alert(1)</script>";
    let proposed = ask(json!({ "request": "reopen", "order_line": order, "reason": reason })).await;
    let path = format!("/proposals/{}", proposed["proposal"].as_str().expect("proposed"));
    // Who proposed it sees it, and is told who may.
    let page = house.get(&path).await.check(200).text;
    assert!(page.contains("This may be confirmed by:") && page.contains("not ops-02"), "{page}");
    assert!(!page.contains("<script>alert") && !page.contains("<form class=\"form\""), "{page}");
    let list = house.get("/proposals").await.check(200).text;
    assert!(list.contains(&format!(r#"href="{path}""#)) && !list.contains("#confirm"), "{list}");
    for (who, status) in [(OUTSIDE, 403), (ADMIN, 403)] {
        turn.to(who);
        house.get("/proposals").await.check(status);
        house.get(&path).await.check(status);
    }
    turn.to(AUDITOR);
    assert!(!house.get(&path).await.check(200).text.contains("<form class=\"form\""));
    turn.to(SECOND);
    let needs = house.get("/needs?kind=proposal").await.check(200).text;
    assert!(needs.contains(&format!(r#"href="{path}#confirm""#)), "{needs}");
    let page = house.get(&path).await.check(200).text;
    let stood = shown(&page);
    assert!(page.contains("<form class=\"form\"") && page.contains("by mistake"), "{page}");
    let moved = post(&house, &path, &[("shown", "1/0")]).await.check(409).text;
    assert!(moved.contains("moved on since this was shown"), "{moved}");
    turn.to(CENTER);
    post(&house, &path, &[("shown", &stood)]).await.check(403);
    turn.to(SECOND);
    let done = post(&house, &path, &[("shown", &stood)]).await.check(303);
    assert_eq!(done.headers["location"], "/proposals?done=1");
    let line = house.get(&format!("/api/v1/order-lines/{order}")).await.check(200).json();
    assert_eq!(line["stage"], "expected");
    let again = post(&house, &path, &[("shown", &stood)]).await.check(409).text;
    assert!(again.contains("already") || again.contains("moved on"), "{again}");
    assert!(house.get(&path).await.check(200).text.contains("Somebody has confirmed it already."));
    assert!(house.get("/proposals?done=1").await.check(200).text.contains("It is confirmed, and done."));
    house.get("/proposals/none").await.check(404);
    house.close().await;
}

#[tokio::test]
async fn late_and_stuck_leads_to_a_list_of_as_many() {
    let (house, turn) = open().await;
    announced(&house).await;
    turn.to(CENTER);
    let page = house.get("/").await.check(200).text;
    assert!(page.contains(r#"href="/order-lines?trouble=1">All "#), "{page}");
    let list = house.get("/order-lines?trouble=1").await.check(200).text;
    assert!(list.contains("worst first") && list.contains("Late, stuck or due soon"), "{list}");
    house.get("/order-lines?trouble=1&after=nonsense").await.check(400);
    turn.to(OUTSIDE);
    house.get("/order-lines?trouble=1").await.check(403);
    house.close().await;
}
