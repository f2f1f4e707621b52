//! `Idempotency-Key`: what is sent again is done once, whoever went away in between, and whatever was restarted.

use kentai_engine::scheduler::Actor;
use kentai_engine::scheduler::once::{Kept, Once};
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::house::{Answer, House, SLOW, take_apart};

const ROLES: [&str; 3] = ["operator", "reviewer", "admin"];
const DEVIATIONS: &str = "/api/v1/records/deviation";

/// One more of them each time that it is done.
fn deviation(what: &str) -> Value {
    json!({ "request": "deviation", "about": "freezer 2", "description": what, "severity": "minor" })
}

fn headers(key: &str) -> String {
    format!("content-type: application/json\r\nidempotency-key: {key}\r\n")
}

async fn ask(house: &House, key: &str, body: &Value) -> Answer {
    house.ask("POST", "/api/v1/requests", &headers(key), &body.to_string()).await
}

async fn count(house: &House) -> usize {
    house.get(DEVIATIONS).await.check(200).json()["items"].as_array().expect("a list").len()
}

fn is_replayed(answer: &Answer) -> bool {
    answer.headers.get("idempotent-replayed").is_some_and(|said| said == "true")
}

#[tokio::test]
async fn the_same_key_is_answered_again_and_without_one_it_is_done_again() {
    let house = House::open(&ROLES).await;
    let first = ask(&house, "k-1", &deviation("warm")).await.check(200);
    let again = ask(&house, "k-1", &deviation("warm")).await.check(200);
    assert_eq!((&first.text, &first.headers["content-type"]), (&again.text, &again.headers["content-type"]));
    assert_eq!((is_replayed(&first), is_replayed(&again)), (false, true));
    assert_eq!(count(&house).await, 1);
    ask(&house, "k-2", &deviation("warm")).await.check(200);
    house.post("/api/v1/requests", &deviation("warm")).await.check(200);
    assert_eq!(count(&house).await, 3);
    house.close().await;
}

#[tokio::test]
async fn the_same_key_with_something_else_is_refused_and_is_another_key_elsewhere() {
    let house = House::open(&ROLES).await;
    ask(&house, "k-1", &deviation("warm")).await.check(200);
    ask(&house, "k-1", &deviation("cold")).await.problem(422, "usage");
    assert_eq!(count(&house).await, 1);
    // Another route is another asking.
    let run = house.run(SLOW, "S1").await;
    let path = format!("/api/v1/runs/{run}/hold");
    let hold = |key| house.ask("POST", &path, key, r#"{"reason":"x"}"#);
    let key = headers("k-1");
    hold(&key).await.check(200);
    assert!(is_replayed(&hold(&key).await.check(200)));
    for wrong in ["a b", &"k".repeat(256), ""] {
        ask(&house, wrong, &deviation("warm")).await.problem(400, "usage");
    }
    house.close().await;
}

/// Two programs may have thought of the same word.
#[tokio::test]
async fn a_key_is_of_whoever_sent_it_and_of_the_whole_address() {
    let house = House::open(&ROLES).await;
    for (done, name) in (1..).zip(["lims", "crm"]) {
        let add = json!({ "request": "add_person", "name": name, "service": true, "roles": ["operator"] });
        house.post("/api/v1/requests", &add).await.check(200);
        let token = json!({ "request": "new_token", "owner": name });
        let made = house.post("/api/v1/requests", &token).await.check(200).json();
        let secret = made["secret"].as_str().expect("told once");
        let headers = format!("{}authorization: Bearer {secret}\r\n", headers("k-1"));
        let body = deviation("warm").to_string();
        let first = house.ask("POST", "/api/v1/requests", &headers, &body).await.check(200);
        let again = house.ask("POST", "/api/v1/requests", &headers, &body).await.check(200);
        assert_eq!((is_replayed(&first), is_replayed(&again)), (false, true), "{name}");
        assert_eq!(count(&house).await, done, "{name} is somebody else");
        house.ask("POST", "/api/v1/requests?x=1", &headers, &body).await.problem(422, "usage");
    }
    house.close().await;
}

#[tokio::test]
async fn a_refusal_did_nothing_and_is_not_kept() {
    let house = House::open(&ROLES).await;
    let run = house.run(SLOW, "S1").await;
    let path = format!("/api/v1/runs/{run}/resume");
    house.ask("POST", &path, &headers("k-1"), "{}").await.problem(409, "state");
    house.post(&format!("/api/v1/runs/{run}/hold"), &json!({ "reason": "x" })).await.check(200);
    house.ask("POST", &path, &headers("k-1"), "{}").await.check(200);
    house.close().await;
}

#[tokio::test]
async fn fifty_at_once_are_one() {
    let house = House::open(&ROLES).await;
    let mut all = JoinSet::new();
    for _ in 0..50 {
        let mut stream = house.begin("POST", "/api/v1/requests", &headers("k-1"), &deviation("warm").to_string()).await;
        all.spawn(async move {
            let mut bytes = Vec::new();
            tokio::io::AsyncReadExt::read_to_end(&mut stream, &mut bytes).await.expect("read");
            take_apart(&String::from_utf8_lossy(&bytes))
        });
    }
    let answers = all.join_all().await;
    let done: Vec<&Answer> = answers.iter().filter(|answer| answer.status == 200).collect();
    assert!(!done.is_empty() && done.iter().all(|answer| answer.text == done[0].text));
    assert_eq!(done.iter().filter(|answer| !is_replayed(answer)).count(), 1);
    for busy in answers.iter().filter(|answer| answer.status != 200) {
        assert_eq!((busy.status, busy.headers["retry-after"].as_str()), (409, "1"), "{}", busy.text);
    }
    assert_eq!(count(&house).await, 1);
    house.close().await;
}

#[tokio::test]
async fn who_went_away_before_the_answer_hears_it_after_a_restart() {
    let house = House::open(&ROLES).await;
    // Nobody reads this one's answer.
    let before = house.engine().pulse().borrow().commits;
    let unread = house.begin("POST", "/api/v1/requests", &headers("k-1"), &deviation("warm").to_string()).await;
    house.until(|pulse| pulse.commits > before).await;
    drop(unread);
    // The act, then what was answered.
    house.until(|pulse| pulse.commits >= before + 2).await;
    let house = house.reopen(&ROLES).await;
    assert_eq!(count(&house).await, 1);
    let again = ask(&house, "k-1", &deviation("warm")).await.check(200);
    assert!(is_replayed(&again), "{}", again.text);
    assert_eq!(again.json()["changed"].as_array().map(Vec::len), Some(1));
    assert_eq!(count(&house).await, 1);
    house.close().await;
}

#[tokio::test]
async fn a_crash_between_the_act_and_its_answer_does_it_once() {
    let house = House::open(&ROLES).await;
    let roles = ROLES.iter().map(|role| (*role).to_owned()).collect();
    let who = Actor { name: "ops-02".into(), roles, ..Actor::default() };
    // As the server does it, cut off behind the act: nothing of the HTTP answer was kept.
    let once = || Once::new("key".into(), "sent".into());
    let request = || serde_json::from_value(deviation("warm")).expect("a request");
    let first = house.engine().once(Some(once())).center(request(), &who).await.expect("done");
    let house = house.reopen(&ROLES).await;
    assert!(matches!(house.engine().kept(&once()).await, Ok(Kept::Done)));
    let again = once();
    let second = house.engine().once(Some(again.clone())).center(request(), &who).await.expect("done before");
    assert_eq!((first, again.has_acted(), count(&house).await), (second, true, 1));
    // Under the same key something else is not done, also when nobody looked before.
    let other = Once::new("key".into(), "other".into());
    house.engine().once(Some(other)).center(request(), &who).await.expect_err("another body");
    assert_eq!(count(&house).await, 1);
    house.close().await;
}

#[tokio::test]
async fn two_in_one_turn_of_the_loop_are_one() {
    let house = House::open(&ROLES).await;
    let roles = ROLES.iter().map(|role| (*role).to_owned()).collect();
    let who = Actor { name: "ops-02".into(), roles, ..Actor::default() };
    let handle = house.engine().once(Some(Once::new("key".into(), "sent".into())));
    let ask = || handle.center(serde_json::from_value(deviation("warm")).expect("a request"), &who);
    let (one, two, three) = tokio::join!(ask(), ask(), ask());
    assert_eq!(one.as_ref().ok(), two.as_ref().ok());
    assert_eq!((one.is_ok(), three.is_ok(), count(&house).await), (true, true, 1));
    house.close().await;
}

#[tokio::test]
async fn what_is_told_once_is_kept_nowhere() {
    let house = House::open(&ROLES).await;
    let add = json!({ "request": "add_person", "name": "lims", "service": true, "roles": ["operator"] });
    house.post("/api/v1/requests", &add).await.check(200);
    let token = json!({ "request": "new_token", "owner": "lims", "label": "x" });
    let first = ask(&house, "k-1", &token).await.check(200).json();
    assert!(first["secret"].as_str().is_some_and(|secret| secret.starts_with("kt_")), "{first}");
    let again = ask(&house, "k-1", &token).await.problem(409, "state");
    assert!(again["detail"].as_str().is_some_and(|said| said.contains("kept nowhere")), "{again}");
    let tokens = house.engine().reader().records_of("token", "lims").await.expect("read");
    assert_eq!(tokens.len(), 1);
    // Nor is it in what is kept of the asking.
    let (first, database) = (first["secret"].to_string(), house.socket().with_file_name("../kentai.db"));
    let secret = first.trim_matches('"').rsplit('_').next().expect("a secret").to_owned();
    for file in [database.clone(), database.with_extension("db-wal")] {
        let bytes = std::fs::read(&file).expect("read");
        assert!(!bytes.windows(secret.len()).any(|found| found == secret.as_bytes()), "{}", file.display());
    }
    house.close().await;
}
