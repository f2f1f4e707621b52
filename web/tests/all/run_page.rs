//! The page of a run as people meet it: failure first, acts with their reasons, questions bound to what was shown, lists by key.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use kentai_engine::scheduler::Actor;
use serde_json::json;

use crate::house::{Answer, BROKEN, House, LOG, SLOW, TINY, submission};

/// A tool for every lane of the sheet.
pub(crate) const MANY: &str = r#"kentai: 1
workflow: many
version: "1"
specimen:
  inputs:
    lanes: { type: list, min_items: 1, item: { id: string } }
steps:
  trim:
    for_each: { lane: specimen.lanes }
    outputs: { out: { path: out.txt } }
    script: echo "$lane" > "$out_out"
  merge:
    inputs: { parts: "${{ steps.trim.all.out }}" }
    outputs: { out: { path: merged.txt } }
    script: cat $in_parts > "$out_out"
"#;

/// As a browser sends a form.
pub(crate) async fn send(house: &House, path: &str, fields: &[(&str, &str)]) -> Answer {
    let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
    house.ask("POST", path, "content-type: application/x-www-form-urlencoded\r\n", &body).await
}

/// A hidden field's value.
fn hidden(page: &str, name: &str) -> String {
    let at = page.find(&format!("name=\"{name}\" value=\"")).unwrap_or_else(|| panic!("no {name} in {page}"));
    let rest = &page[at..];
    rest.split("value=\"").nth(1).and_then(|rest| rest.split('"').next()).expect("a value").to_owned()
}

/// Levels of the headings, in order.
fn headings(page: &str) -> Vec<u8> {
    page.match_indices("<h")
        .filter_map(|(at, _)| page.as_bytes().get(at + 2))
        .filter(|c| c.is_ascii_digit())
        .copied()
        .collect()
}

async fn many(house: &House, lanes: usize) -> String {
    let items: Vec<_> = (0..lanes).map(|lane| json!({ "id": format!("L{lane:04}") })).collect();
    let mut submission = submission(MANY, "S1");
    submission["specimens"][0][0]["values"] = json!({ "lanes": items });
    let submitted = house.post("/api/v1/submissions", &submission).await.check(201).json();
    house.quiet().await;
    submitted["runs"][0].as_str().expect("one run").to_owned()
}

#[tokio::test]
async fn a_failed_run_says_first_what_failed_and_what_can_be_done() {
    let house = House::open_to_all().await;
    let id = house.run(BROKEN, "S1").await;
    house.quiet().await;
    let page = house.get(&format!("/runs/{id}")).await.check(200);
    let text = &page.text;
    let at = |what: &str| text.find(what).unwrap_or_else(|| panic!("no {what} in {text}"));
    assert!(at("id=\"failure\"") < at("id=\"steps\"") && at("id=\"steps\"") < at("id=\"timeline\""));
    assert!(at("id=\"timeline\"") < at("id=\"tasks\"") && at("id=\"tasks\"") < at("id=\"history\""));
    assert!(text.contains("broken failed: the tool failed, 1 of 1 attempts"));
    assert!(text.contains("exit 2") && text.contains("Retry broken"));
    // What a tool wrote is text.
    assert!(text.contains("&#60;b&#62;hello&#60;/b&#62;") && !text.contains("<b>hello"));
    assert!(text.contains("class=\"node failed\""));
    let levels = headings(text);
    assert_eq!(levels[0], b'1');
    assert!(levels.windows(2).all(|pair| pair[1] <= pair[0] + 1), "{levels:?}");
    assert!(page.headers["content-security-policy"].contains("default-src 'none'"));
    assert!(!text.contains(" style=") && !text.contains("onclick"));
    let list = house.get(&format!("/runs/{id}?steps=list&timeline=table")).await.check(200).text;
    assert!(list.contains("step-list") && !list.contains("id=\"dag\"") && !list.contains("chart timeline"));
    house.close().await;
}

#[tokio::test]
async fn both_languages_tell_all_of_a_run() {
    let house = House::open_to_all().await;
    let id = house.run(BROKEN, "S1").await;
    house.quiet().await;
    let page = house.ask("GET", &format!("/runs/{id}"), "accept-language: ja\r\n", "").await.check(200).text;
    assert!(page.contains("<html lang=\"ja\"") && page.contains("broken が失敗：ツールの失敗"));
    assert!(page.contains("再試行する") && page.contains("時系列"));
    house.close().await;
}

#[tokio::test]
async fn a_retry_goes_back_to_the_run_and_a_second_one_learns_what_happened() {
    let house = House::open_to_all().await;
    let id = house.run(TINY, "S1").await;
    house.quiet().await;
    send(&house, &format!("/runs/{id}/cancel"), &[("reason", "wrong tube")]).await.check(303);
    house.quiet().await;
    let events = hidden(&house.get(&format!("/runs/{id}/retry")).await.check(200).text, "events");
    let form = [("events", events.as_str())];
    let done = send(&house, &format!("/runs/{id}/retry"), &form).await.check(303);
    assert_eq!(done.headers["location"], format!("/runs/{id}"));
    house.quiet().await;
    let late = send(&house, &format!("/runs/{id}/retry"), &form).await.check(409).text;
    assert!(late.contains("It has moved on since") && late.contains("run reopened"), "{late}");
    house.close().await;
}

#[tokio::test]
async fn an_act_without_a_reason_is_asked_again_in_its_place() {
    let house = House::open_to_all().await;
    let id = house.run(SLOW, "S1").await;
    house.until(|pulse| pulse.tools == 1).await;
    let path = |act: &str| format!("/runs/{id}/{act}");
    let asked = house.get(&path("cancel")).await.check(200).text;
    assert!(asked.contains("Ends 1 running tasks") && asked.contains("name=\"reason\""));
    let again = send(&house, &path("cancel"), &[("reason", "  ")]).await.check(422).text;
    assert!(again.contains("id=\"reason-wrong\"") && again.contains("Say why"));
    send(&house, &path("hold"), &[("reason", "<script>alert(1)</script>")]).await.check(303);
    let held = house.get(&format!("/runs/{id}")).await.check(200).text;
    assert!(held.contains("held by ops-02: &#60;script&#62;") && !held.contains("<script>alert"));
    assert!(held.contains("id=\"act-resume\""));
    send(&house, &path("resume"), &[]).await.check(303);
    let nowhere = send(&house, &path("retry"), &[("from", "nowhere")]).await.check(422).text;
    assert!(nowhere.contains("has no step `nowhere`"), "{nowhere}");
    // What has not moved on since it was shown, and cannot be done all the same, says so on its own page.
    let events = hidden(&house.get(&path("resume")).await.check(200).text, "events");
    let stands = send(&house, &path("resume"), &[("events", &events)]).await.check(409).text;
    assert!(!stands.contains("It has moved on since") && hidden(&stands, "events") == events, "{stands}");
    let moved = send(&house, &path("resume"), &[("events", "1")]).await.check(409).text;
    assert!(moved.contains("It has moved on since") && moved.contains("run resumed"), "{moved}");
    send(&house, &path("cancel"), &[("reason", "wrong tube")]).await.check(303);
    house.quiet().await;
    assert!(house.get(&format!("/runs/{id}")).await.text.contains("Canceled"));
    house.close().await;
}

#[tokio::test]
async fn an_answer_is_bound_to_what_was_shown() {
    let house = House::open_to_all().await;
    let id = house.run(TINY, "S1").await;
    house.quiet().await;
    let run = house.get(&format!("/runs/{id}")).await.check(200).text;
    assert!(run.contains("id=\"ask-release\"") && run.contains("release asks: Release it?"));
    let asked = house.get(&format!("/runs/{id}/answer?step=release")).await.check(200).text;
    let shown = hidden(&asked, "shown");
    assert_eq!(hidden(&run, "shown"), shown);
    let answer = format!("/runs/{id}/answer");
    let form = |shown: &str, verdict: &str, reason: &str| {
        let fields = [
            ("step", "release"),
            ("kind", "approve"),
            ("shown", shown),
            ("verdict", verdict),
            ("reason", reason),
            ("events", "1"),
        ];
        fields.map(|(name, value)| (name.to_owned(), value.to_owned()))
    };
    let post = async |form: [(String, String); 6]| {
        let fields: Vec<(&str, &str)> = form.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        send(&house, &answer, &fields).await
    };
    let again = post(form(&shown, "approve", "")).await.check(422).text;
    assert!(again.contains("value=\"approve\" required checked"), "what was chosen stays: {again}");
    let none = post(form(&shown, "", "fine")).await.check(422).text;
    assert!(none.contains("id=\"verdict-wrong\"") && none.contains(">fine</textarea>"));
    let other = post(form("another", "approve", "fine")).await.check(409).text;
    assert!(other.contains("was asked anew") && other.contains("step asked"), "{other}");
    // As it was shown, but no answer to what it asks: the question stands, and says so.
    let mut odd = form(&shown, "release", "fine");
    odd[1].1 = "qc".to_owned();
    let odd = post(odd).await.check(409).text;
    assert!(odd.contains("waits for another answer") && odd.contains("id=\"verdict-approve\""), "{odd}");
    post(form(&shown, "approve", "fine")).await.check(303);
    house.quiet().await;
    let late = post(form(&shown, "approve", "fine")).await.check(409).text;
    assert!(late.contains("person answered"), "{late}");
    let done = house.get(&format!("/runs/{id}")).await.check(200).text;
    assert!(done.contains("id=\"decisions\"") && done.contains("Succeeded"));
    house.close().await;
}

#[tokio::test]
async fn who_may_not_act_sees_who_may() {
    let house = House::open(&["operator"]).await;
    let id = house.run(TINY, "S1").await;
    house.quiet().await;
    let run = house.get(&format!("/runs/{id}")).await.check(200).text;
    assert!(
        run.contains("This is for: releaser.")
            && !run.contains("id=\"decide-release\"")
            && !run.contains("name=\"shown\"")
    );
    let form = [("step", "release"), ("kind", "approve"), ("shown", "x"), ("verdict", "approve"), ("reason", "fine")];
    let shown = hidden_of_other(&house, &id).await;
    let form = form.map(|(name, value)| (name, if name == "shown" { shown.as_str() } else { value }));
    let refused = send(&house, &format!("/runs/{id}/answer"), &form).await.check(403).text;
    assert!(refused.contains("it needs the role releaser"), "{refused}");
    house.close().await;
    let house = House::open(&["auditor", "operator"]).await;
    house.close().await;
}

/// What somebody would be shown who may answer: the view has no secret in it, but the page of who may not has no form.
async fn hidden_of_other(house: &House, id: &str) -> String {
    let page = house.get(&format!("/runs/{id}/answer?step=release")).await.check(200).text;
    assert!(!page.contains("name=\"shown\""));
    // Roles are asked before anything else that a form says is looked at, but a question must be the right one first.
    let run = house.engine().reader().steps_named(id, &["release".to_owned()]).await.expect("read");
    let detail: kentai_engine::store::rows::detail::Detail = serde_json::from_str(&run[0].detail).expect("ours");
    detail.ask.expect("it asks").fingerprint()
}

/// A house in which the test says who the caller is.
async fn masked() -> (House, Arc<Mutex<Actor>>) {
    let roles = |roles: &[&str]| roles.iter().map(|role| (*role).to_owned()).collect::<BTreeSet<_>>();
    let mask = Arc::new(Mutex::new(Actor { name: "ops-02".into(), roles: roles(&["operator"]), ..Actor::default() }));
    let seen = Arc::clone(&mask);
    let house = House::open_for(Arc::new(move |_| Some(seen.lock().expect("no panic").clone()))).await;
    (house, mask)
}

#[tokio::test]
async fn to_people_from_outside_a_foreign_run_is_not_there() {
    let (house, mask) = masked().await;
    let id = house.run(BROKEN, "S1").await;
    house.quiet().await;
    *mask.lock().expect("no panic") = Actor {
        name: "h-1".into(),
        roles: BTreeSet::from(["institution".to_owned()]),
        institution: Some("hospital".into()),
        ..Actor::default()
    };
    let none = "r0000000000000000";
    for rest in
        ["", "/tasks", "/files", "/events", "/workflow", "/log", "/log/part", "/log/file", "/cancel", "/answer?step=x"]
    {
        let foreign = house.get(&format!("/runs/{id}{rest}")).await.check(404).text;
        let absent = house.get(&format!("/runs/{none}{rest}")).await.check(404).text;
        assert_eq!(foreign.replace(&id, "ID"), absent.replace(none, "ID"), "{rest}");
    }
    for act in ["cancel", "hold", "resume", "retry"] {
        send(&house, &format!("/runs/{id}/{act}"), &[("reason", "mine")]).await.check(404);
    }
    for path in ["/workflows", "/workflows/broken", "/workflows/broken/submit", "/editor", "/runs"] {
        house.get(path).await.check(403);
    }
    house.close().await;
}

#[tokio::test]
async fn people_without_the_role_see_a_run_and_no_button() {
    let (house, mask) = masked().await;
    let id = house.run(BROKEN, "S1").await;
    house.quiet().await;
    mask.lock().expect("no panic").roles = BTreeSet::from(["auditor".to_owned()]);
    let page = house.get(&format!("/runs/{id}")).await.check(200).text;
    assert!(!page.contains("id=\"choose-retry\"") && page.contains("This is for: operator."));
    let refused = send(&house, &format!("/runs/{id}/retry"), &[]).await.check(403).text;
    assert!(refused.contains("ops-02 may not do this"), "{refused}");
    house.close().await;
}

#[tokio::test]
async fn tasks_are_narrowed_and_turned_by_key() {
    let house = House::open_to_all().await;
    let id = many(&house, 130).await;
    let first = house.get(&format!("/runs/{id}/tasks?tasks=passed&step=trim")).await.check(200).text;
    assert_eq!(first.matches("<tr id=\"task-").count(), 50);
    assert!(first.contains("50 of 130") && first.contains("id=\"task-trim/L0000\""));
    let mut seen = BTreeSet::new();
    let mut path = format!("/runs/{id}/tasks");
    loop {
        let page = house.get(&path).await.check(200).text;
        for part in page.split("<tr id=\"task-").skip(1) {
            assert!(seen.insert(part.split('"').next().expect("a key").to_owned()), "a task comes once");
        }
        let Some(next) = page.split("rel=\"next\"").next().filter(|_| page.contains("rel=\"next\"")) else { break };
        let href = next.rsplit("href=\"").next().and_then(|href| href.split('"').next()).expect("an address");
        path = href.replace("&#38;", "&");
    }
    assert_eq!(seen.len(), 131);
    let csv = house.get(&format!("/runs/{id}/tasks?format=csv")).await.check(200);
    assert_eq!(
        (csv.headers["content-type"].as_str(), csv.text.lines().count()),
        ("text/csv; charset=utf-8; header=present", 132)
    );
    house.get(&format!("/runs/{id}/tasks?tasks=odd")).await.check(400);
    house.close().await;
}

#[tokio::test]
async fn a_run_of_many_tasks_is_a_page_of_bounded_size() {
    let house = House::open_to_all().await;
    let id = many(&house, 600).await;
    let page = house.get(&format!("/runs/{id}")).await.check(200).text;
    assert!(page.len() < 150_000, "{} bytes", page.len());
    assert!(page.contains("600 of 600 done") && page.contains("at most 24 tasks of a step"));
    assert!(page.contains("20 of 601") && page.contains("12 of 601"), "tasks and files say how many there are");
    let files = house.get(&format!("/runs/{id}/files?step=trim")).await.check(200).text;
    assert_eq!(files.matches("data-full=").count(), 50);
    house.close().await;
}

#[tokio::test]
async fn a_log_is_shown_followed_and_taken_along() {
    let house = House::open_to_all().await;
    let id = house.run(TINY, "S1").await;
    house.quiet().await;
    let page = house.get(&format!("/runs/{id}/log?step=work")).await.check(200).text;
    assert!(page.contains("&#60;b&#62;hello&#60;/b&#62; from the tool") && page.contains("data-final=\"true\""));
    let part = house.get(&format!("/runs/{id}/log/part?step=work&attempt=1&offset=13")).await.check(200);
    assert_eq!((part.text.as_str(), part.headers["kentai-log-final"].as_str()), (&LOG[13..], "true"));
    assert_eq!(part.headers["content-type"], "text/plain; charset=utf-8");
    let file = house.get(&format!("/runs/{id}/log/file?step=work")).await.check(200);
    assert!(file.headers["content-disposition"].contains("attachment") && file.text.contains(LOG));
    house.get(&format!("/runs/{id}/log?step=work&attempt=9")).await.check(404);
    house.get(&format!("/runs/{id}/log?step=../../../etc/passwd")).await.check(404);
    let none = house.get(&format!("/runs/{id}/log?step=release")).await.check(200).text;
    assert!(none.contains("Nothing was tried yet"));
    house.close().await;
}

#[tokio::test]
async fn the_log_of_a_running_tool_has_a_link_to_what_is_newer() {
    let house = House::open_to_all().await;
    let id = house.run(SLOW, "S1").await;
    house.until(|pulse| pulse.tools == 1).await;
    let page = house.get(&format!("/runs/{id}/log")).await.check(200).text;
    assert!(page.contains("data-final=\"false\"") && page.contains("id=\"newer\""));
    let run = house.get(&format!("/runs/{id}")).await.check(200).text;
    assert!(run.contains("class=\"node running\"") && run.contains("Running"));
    house.close().await;
}

#[tokio::test]
async fn the_text_as_run_has_line_numbers() {
    let house = House::open_to_all().await;
    let id = house.run(TINY, "S1").await;
    let page = house.get(&format!("/runs/{id}/workflow")).await.check(200).text;
    assert!(page.contains("id=\"L2\"") && page.contains("<code>workflow: tiny</code>"));
    assert!(page.contains("echo done &#62; &#34;$out_out&#34;"));
    house.close().await;
}
