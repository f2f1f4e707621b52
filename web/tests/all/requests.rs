//! What people ask for, and what they are refused.

use serde_json::json;

use crate::house::{BROKEN, House, SLOW, TINY, submission};

#[tokio::test]
async fn a_submission_is_made_once_however_often_it_is_sent() {
    let house = House::open_to_all().await;
    let first = house.post("/api/v1/submissions", &submission(TINY, "S1")).await.check(201).json();
    let again = house.post("/api/v1/submissions", &submission(TINY, "S1")).await.check(200).json();
    assert_eq!(first["submission"], again["submission"]);
    assert_eq!((&first["existed"], &again["existed"]), (&json!(false), &json!(true)));
    assert_eq!(first["runs"], again["runs"]);
    house.close().await;
}

#[tokio::test]
async fn a_workflow_with_mistakes_is_refused_with_all_of_them() {
    let house = House::open_to_all().await;
    let wrong = TINY.replace("after: [work]", "after: [wrok]").replace("script:", "scirpt:");
    let problem = house.post("/api/v1/submissions", &submission(&wrong, "S1")).await.problem(422, "check_failed");
    let found = problem["diagnostics"].as_array().expect("a list");
    assert!(found.len() >= 2, "{problem}");
    assert!(found.iter().all(|one| one["code"].is_string() && one["line"].is_u64() && one["message"].is_string()));
    let headers = "content-type: application/json\r\naccept-language: ja\r\n";
    let japanese = house
        .ask("POST", "/api/v1/submissions", headers, &submission(&wrong, "S1").to_string())
        .await
        .check(422)
        .json();
    assert_ne!(japanese["diagnostics"][0]["message"], problem["diagnostics"][0]["message"]);
    let runs = house.get("/api/v1/runs").await.check(200).json();
    assert_eq!(runs["items"], json!([]));
    house.close().await;
}

#[tokio::test]
async fn a_hostile_specimen_id_is_refused() {
    let house = House::open_to_all().await;
    house.post("/api/v1/submissions", &submission(TINY, "../../etc")).await.problem(400, "usage");
    house.close().await;
}

#[tokio::test]
async fn a_person_without_the_role_may_look_but_not_ask() {
    let house = House::open(&["reviewer"]).await;
    house.get("/api/v1/runs").await.check(200);
    house.post("/api/v1/submissions", &submission(TINY, "S1")).await.problem(403, "not_allowed");
    house.close().await;
}

#[tokio::test]
async fn a_run_is_held_and_goes_on_and_is_canceled() {
    let house = House::open_to_all().await;
    let id = house.run(SLOW, "S1").await;
    house.until(|pulse| pulse.tools == 1).await;
    let run = format!("/api/v1/runs/{id}");
    house.post(&format!("{run}/hold"), &json!({ "reason": "the scale is broken" })).await.check(200);
    let held = house.get(&run).await.check(200).json();
    assert_eq!(held["run"]["status"], "held");
    assert_eq!(held["run"]["held"]["by"], "ops-02");
    assert_eq!(held["run"]["reason"], "held by ops-02: the scale is broken");
    house.ask("POST", &format!("{run}/resume"), "", "").await.check(200);
    house.post(&format!("{run}/resume"), &json!({})).await.problem(409, "state");
    assert_eq!(house.get(&run).await.json()["run"]["status"], "running");
    house.post(&format!("{run}/cancel"), &json!({ "reason": "wrong tube" })).await.check(200);
    house.quiet().await;
    assert_eq!(house.get(&run).await.json()["run"]["status"], "canceled");
    house.post(&format!("{run}/hold"), &json!({})).await.problem(409, "state");
    house.close().await;
}

#[tokio::test]
async fn an_answer_lets_a_waiting_run_go_on() {
    let house = House::open_to_all().await;
    let id = house.run(TINY, "S1").await;
    house.quiet().await;
    let run = format!("/api/v1/runs/{id}");
    let waits = house.get(&run).await.check(200).json();
    assert_eq!(waits["run"]["status"], "waits_for_person");
    assert_eq!(waits["run"]["needs_person"], true);
    assert_eq!(waits["run"]["reason"], "release: Release it?");
    let answer = |verdict: &str| json!({ "step": "release", "answer": { "kind": "approve", "verdict": verdict, "reason": "looks good" } });
    house.post(&format!("{run}/answer"), &json!({ "step": "release" })).await.problem(400, "usage");
    let done = house.post(&format!("{run}/answer"), &answer("approve")).await.check(200).json();
    assert_eq!(done["run"], json!(id));
    house.quiet().await;
    let ended = house.get(&run).await.json();
    assert_eq!(ended["run"]["status"], "succeeded");
    assert_eq!(ended["run"]["steps_done"], ended["run"]["steps_total"]);
    assert_eq!(ended["decisions"][0]["person"], "ops-02");
    house.post(&format!("{run}/answer"), &answer("approve")).await.problem(409, "state");
    house.close().await;
}

#[tokio::test]
async fn a_failed_run_says_why_and_is_tried_again() {
    let house = House::open_to_all().await;
    let id = house.run(BROKEN, "S1").await;
    house.quiet().await;
    let run = format!("/api/v1/runs/{id}");
    let failed = house.get(&run).await.check(200).json();
    assert_eq!(failed["run"]["status"], "failed");
    assert_eq!(failed["attempts"][0]["exit_code"], 2);
    assert_eq!(failed["attempts"][0]["cause"], "tool");
    assert!(failed["run"]["reason"].as_str().is_some_and(|reason| reason.starts_with("broken: ")), "{failed}");
    house.post(&format!("{run}/retry"), &json!({ "from": "nothing" })).await.problem(404, "not_found");
    house.post(&format!("{run}/retry"), &json!({})).await.check(200);
    house.quiet().await;
    let again = house.get(&run).await.json();
    assert_eq!(again["attempts"].as_array().map(Vec::len), Some(2));
    house.close().await;
}

#[tokio::test]
async fn specimens_are_kept_without_a_run_and_hostile_ones_are_not() {
    let house = House::open_to_all().await;
    let sheet = |id: &str| json!({ "source": "sheet.csv", "specimens": [{ "id": id, "values": {} }] });
    let kept = house.post("/api/v1/specimens", &sheet("S7")).await.check(200).json();
    assert_eq!(kept, json!({ "kept": 1 }));
    house.post("/api/v1/specimens", &sheet("../x")).await.problem(400, "usage");
    let known = house.get("/api/v1/specimens").await.check(200).json();
    assert_eq!(known["items"].as_array().map(Vec::len), Some(1));
    assert_eq!((&known["items"][0]["id"], &known["items"][0]["source"]), (&json!("S7"), &json!("sheet.csv")));
    house.close().await;
}

#[tokio::test]
async fn a_workflow_is_registered_only_when_its_images_are_locked() {
    let house = House::open_to_all().await;
    let definition = |source: &str| json!({ "path": "tiny.yaml", "source": source });
    let registered = house.post("/api/v1/workflows", &definition(TINY)).await.check(200).json();
    assert_eq!((&registered["id"], &registered["registered"]), (&json!("tiny"), &json!(true)));
    let again = house.post("/api/v1/workflows", &definition(TINY)).await.check(200).json();
    assert_eq!(registered, again);
    let tagged = TINY.replace("  work:\n", "  work:\n    image: tools:1\n");
    let problem = house.post("/api/v1/workflows", &definition(&tagged)).await.problem(422, "check_failed");
    assert_eq!((&problem["diagnostics"][0]["code"], &problem["diagnostics"][0]["line"]), (&json!("K050"), &json!(6)));
    let known = house.get("/api/v1/workflows").await.check(200).json();
    assert_eq!(known["items"].as_array().map(Vec::len), Some(1));
    house.close().await;
}

#[tokio::test]
async fn a_registered_workflow_with_an_api_trigger_is_started_by_its_name() {
    let house = House::open_to_all().await;
    house
        .post("/api/v1/specimens", &json!({ "source": "s.csv", "specimens": [{ "id": "S7", "values": {} }] }))
        .await
        .check(200);
    let register = |source: &str| json!({ "path": "tiny.yaml", "source": source, "called": {} });
    house.post("/api/v1/workflows", &register(TINY)).await.check(200);
    let ask = json!({ "specimen": "S7" });
    let none = house.post("/api/v1/workflows/tiny/submissions", &ask).await.problem(409, "state");
    assert!(none["detail"].as_str().is_some_and(|text| text.contains("triggers")), "{none}");
    let by_request = TINY.replace("version: \"1\"", "version: \"2\"") + "triggers: [ { api: {} } ]\n";
    house.post("/api/v1/workflows", &register(&by_request)).await.check(200);
    let first = house.post("/api/v1/workflows/tiny/submissions", &ask).await.check(201).json();
    let again = house.post("/api/v1/workflows/tiny@2/submissions", &ask).await.check(200).json();
    assert_eq!(first["runs"], again["runs"], "the same twice is one");
    let other = json!({ "specimen": "S7", "key": "second" });
    let second = house.post("/api/v1/workflows/tiny/submissions", &other).await.check(201).json();
    assert_ne!(first["runs"], second["runs"]);
    house.post("/api/v1/workflows/nothing/submissions", &ask).await.problem(404, "not_found");
    house.post("/api/v1/workflows/tiny/submissions", &json!({ "specimen": "S8" })).await.problem(404, "not_found");
    house.close().await;
}
