//! `GET /api/v1/events` as programs meet it: topics, places, and who hears what.

use std::time::Duration;

use kentai_engine::scheduler::Actor;
use kentai_engine::scheduler::center::request::Request;
use serde_json::{Value, json};
use tokio::io::AsyncReadExt;
use tokio::net::UnixStream;

use crate::house::{House, SLOW};

const ROLES: [&str; 6] = ["operator", "reviewer", "releaser", "withdrawal_officer", "auditor", "admin"];

/// Somebody who listens.
struct Ears {
    stream: UnixStream,
    text: String,
}

impl Ears {
    async fn open(house: &House, headers: &str) -> Self {
        let stream = house.begin("GET", "/api/v1/events", headers, "").await;
        Self { stream, text: String::new() }
    }

    /// The next `changed`: its place, and its topics. None when the stream ends.
    async fn next(&mut self) -> Option<(String, Vec<String>)> {
        let mut buffer = vec![0; 1 << 12];
        loop {
            // Chunks' lengths stand between; an event is never cut by them here.
            if let Some((event, rest)) =
                self.text.split_once("\n\n").map(|(event, rest)| (event.to_owned(), rest.to_owned()))
            {
                self.text = rest;
                let line = |name: &str| event.lines().find_map(|line| line.strip_prefix(name)).map(str::trim);
                if line("event:") == Some("changed") {
                    let data: Value = serde_json::from_str(line("data:").expect("data")).expect("JSON");
                    let topics = data["topics"].as_array().expect("topics").iter();
                    let topics = topics.map(|topic| topic.as_str().expect("a word").to_owned()).collect();
                    return Some((line("id:").expect("a place").to_owned(), topics));
                }
                continue;
            }
            let read = self.stream.read(&mut buffer).await.expect("read");
            if read == 0 {
                return None;
            }
            self.text.push_str(&String::from_utf8_lossy(&buffer[..read]).replace('\r', ""));
        }
    }

    /// Hears until this topic, and gives everything heard.
    async fn until(&mut self, topic: &str) -> Vec<String> {
        let mut heard = Vec::new();
        loop {
            let (_, topics) = self.next().await.expect("it goes on");
            heard.extend(topics);
            if heard.iter().any(|found| found == topic) {
                return heard;
            }
        }
    }
}

fn bearer(token: &str) -> String {
    format!("authorization: Bearer {token}\r\n")
}

/// A service with its token: the token and its id.
async fn service(house: &House, name: &str, roles: &[&str], place: Value) -> (String, String) {
    let mut add = json!({ "request": "add_person", "name": name, "service": true, "roles": roles });
    for (key, value) in place.as_object().into_iter().flatten() {
        add[key] = value.clone();
    }
    house.post("/api/v1/requests", &add).await.check(200);
    let made =
        house.post("/api/v1/requests", &json!({ "request": "new_token", "owner": name })).await.check(200).json();
    let id = made["changed"][0].as_str().and_then(|text| text.split(' ').nth(1)).expect("a token").to_owned();
    (made["secret"].as_str().expect("told once").to_owned(), id)
}

#[tokio::test]
async fn a_program_hears_what_changed_and_where_it_was() {
    let house = House::open(&ROLES).await;
    let (token, _) = service(&house, "lims", &["operator"], Value::Null).await;
    let mut ears = Ears::open(&house, &bearer(&token)).await;
    assert_eq!(ears.next().await.expect("the beginning").1, ["*"]);
    let run = house.run(SLOW, "S1").await;
    let heard = ears.until(&format!("run:{run}")).await;
    assert!(heard.contains(&"line".to_owned()) && heard.contains(&"specimen:S1".to_owned()), "{heard:?}");
    house.until(|pulse| pulse.tools == 1).await;
    // Whoever was here when nothing was newer has missed nothing; every other place is answered with everything.
    let mut place = Ears::open(&house, &bearer(&token)).await;
    let (at, _) = place.next().await.expect("the beginning");
    let again = format!("{}last-event-id: {at}\r\n", bearer(&token));
    let (same, topics) = Ears::open(&house, &again).await.next().await.expect("the beginning");
    assert_eq!((same, topics), (at.clone(), Vec::new()));
    house.post(&format!("/api/v1/runs/{run}/hold"), &json!({ "reason": "x" })).await.check(200);
    for last in [at.as_str(), "", "nonsense", "0-0"] {
        let headers = format!("{}last-event-id: {last}\r\n", bearer(&token));
        assert_eq!(Ears::open(&house, &headers).await.next().await.expect("the beginning").1, ["*"], "{last}");
    }
    house.close().await;
}

#[tokio::test]
async fn a_stream_ends_with_its_token() {
    let house = House::open(&ROLES).await;
    let (token, id) = service(&house, "lims", &["operator"], Value::Null).await;
    let mut ears = Ears::open(&house, &bearer(&token)).await;
    ears.next().await.expect("the beginning");
    let before = house.engine().pulse().borrow().commits;
    house.post("/api/v1/requests", &json!({ "request": "revoke_token", "token": id })).await.check(200);
    // What was committed before may still be on its way; of what took the token back, and of all after it, nothing is.
    while let Some((at, topics)) = ears.next().await {
        let commits: u64 = at.split_once('-').and_then(|(_, commits)| commits.parse().ok()).expect("a place");
        assert!(commits <= before, "{topics:?} was told to nobody");
    }
    house.ask("GET", "/api/v1/events", &bearer(&token), "").await.check(403);
    house.close().await;
}

/// Nobody says so when a token's time is over: who listens is looked at again as long as there is something to hear.
#[tokio::test]
async fn a_stream_ends_with_the_time_of_its_token_though_nothing_is_said_of_people() {
    let house = House::open(&ROLES).await;
    service(&house, "lims", &["operator"], Value::Null).await;
    let run = house.run(SLOW, "S1").await;
    house.until(|pulse| pulse.tools == 1).await;
    let expires_us = house.engine().options().clock.now() + 10_000_000;
    let made = json!({ "request": "new_token", "owner": "lims", "expires_us": expires_us });
    let made = house.post("/api/v1/requests", &made).await.check(200).json();
    let mut ears = Ears::open(&house, &bearer(made["secret"].as_str().expect("told once"))).await;
    ears.next().await.expect("the beginning");
    let ends = async {
        loop {
            house.post(&format!("/api/v1/runs/{run}/hold"), &json!({ "reason": "x" })).await.check(200);
            house.post(&format!("/api/v1/runs/{run}/resume"), &json!({})).await.check(200);
            if ears.next().await.is_none() {
                return;
            }
        }
    };
    // The limit only turns a hang into a failure.
    tokio::time::timeout(Duration::from_secs(120), ends).await.expect("it goes on for ever");
    house.close().await;
}

#[tokio::test]
async fn a_token_hears_of_nothing_that_it_may_not_read() {
    let house = House::open(&ROLES).await;
    service(&house, "scanner", &["operator"], Value::Null).await;
    let made = json!({ "request": "new_token", "owner": "scanner", "scopes": ["receive"] });
    let made = house.post("/api/v1/requests", &made).await.check(200).json();
    let mut ears = Ears::open(&house, &bearer(made["secret"].as_str().expect("told once"))).await;
    ears.next().await.expect("the beginning");
    house.run(SLOW, "S1").await;
    house.until(|pulse| pulse.tools == 1).await;
    let who = Actor { name: "ops-02".into(), roles: ROLES.map(str::to_owned).into(), ..Actor::default() };
    house.engine().center(Request::DisablePerson { name: "scanner".into() }, &who).await.expect("disabled");
    assert_eq!(ears.next().await, None);
    house.close().await;
}

#[tokio::test]
async fn people_from_outside_hear_of_their_own_and_of_nothing_else() {
    let house = House::open(&ROLES).await;
    let ask = async |body: Value| house.post("/api/v1/requests", &body).await.check(200);
    let import = |table: &str, institution: &str, rows: Value| json!({ "request": "import", "table": table, "institution": institution, "rows": rows });
    let sender = |code: &str| json!({ "code": code, "name": code, "role": "sender" });
    ask(import("institutions", "", json!([sender("H1"), sender("H2")]))).await;
    ask(import("programs", "", json!([{ "code": "P1", "name": "Rare" }]))).await;
    ask(json!({ "request": "assay", "name": "wgs", "version": "1", "assay": { "reads_ordered": 100 } })).await;
    let (one, _) = service(&house, "h1", &["institution"], json!({ "institution": "H1" })).await;
    let (center, _) = service(&house, "dc", &["data_center"], json!({ "data_center": "dc1" })).await;
    let mut hospital = Ears::open(&house, &bearer(&one)).await;
    let mut receiver = Ears::open(&house, &bearer(&center)).await;
    hospital.next().await.expect("the beginning");
    receiver.next().await.expect("the beginning");
    let row = |shipment: &str, barcode: &str, who: &str| json!([{ "shipment": shipment, "barcode": barcode, "pseudonym": who, "program": "P1", "assay": "wgs" }]);
    // Another hospital's, a run of the center, and then its own.
    ask(import("shipment", "H2", row("SH2", "B-002", "N2"))).await;
    house.run(SLOW, "S1").await;
    house.until(|pulse| pulse.tools == 1).await;
    ask(import("shipment", "H1", row("SH1", "B-001", "N1"))).await;
    let specimens = house.get("/api/v1/records/specimen?institution=H1").await.check(200).json();
    let own = format!("specimen:{}", specimens["items"][0]["id"].as_str().expect("an id"));
    let heard = hospital.until(&own).await;
    assert_eq!(heard, [own], "nothing else reaches it");
    // The receiver heard nothing of all this: its stream ends without a word when its token is taken back.
    let who = Actor { name: "ops-02".into(), roles: ROLES.map(str::to_owned).into(), ..Actor::default() };
    house.engine().center(Request::DisablePerson { name: "dc".into() }, &who).await.expect("disabled");
    assert_eq!(receiver.next().await, None);
    house.close().await;
}
