//! Lists, one run with everything, its history, reasons and logs.

use serde_json::json;

use crate::house::{BROKEN, House, LOG, SLOW, TINY};

#[tokio::test]
async fn the_site_says_what_it_is_and_whom_it_reaches() {
    let house = House::open_to_all().await;
    let site = house.get("/api/v1/site").await.check(200).json();
    assert_eq!(site["name"], "test");
    assert_eq!(
        site["executors"],
        json!([{ "name": "scripted", "kind": "scripted", "reachable": true, "said": "scripted" }])
    );
    house.close().await;
}

#[tokio::test]
async fn runs_are_listed_newest_first_and_page_by_page() {
    let house = House::open_to_all().await;
    let mut made = Vec::new();
    for specimen in ["S1", "S2", "S3"] {
        made.push(house.run(TINY, specimen).await);
    }
    house.quiet().await;
    made.reverse();
    let mut seen = Vec::new();
    let mut path = "/api/v1/runs?limit=2".to_owned();
    loop {
        let page = house.get(&path).await.check(200).json();
        seen.extend(
            page["items"].as_array().expect("a list").iter().filter_map(|run| run["id"].as_str().map(str::to_owned)),
        );
        let Some(next) = page["next"].as_str() else { break };
        path = format!("/api/v1/runs?limit=2&after={next}");
    }
    assert_eq!(seen, made);
    house.close().await;
}

#[tokio::test]
async fn a_list_is_narrowed_by_public_state_specimen_and_submission() {
    let house = House::open_to_all().await;
    let waits = house.run(TINY, "S1").await;
    let failed = house.run(BROKEN, "S2").await;
    house.quiet().await;
    let slow = house.run(SLOW, "S2").await;
    house.until(|pulse| pulse.tools == 1).await;
    let submission = house.get(&format!("/api/v1/runs/{slow}")).await.json()["run"]["submission"]
        .as_str()
        .expect("an id")
        .to_owned();
    let ids = async |query: &str| {
        let page = house.get(&format!("/api/v1/runs?{query}")).await.check(200).json();
        let items = page["items"].as_array().expect("a list").clone();
        let ids: Vec<&str> = items.iter().filter_map(|run| run["id"].as_str()).collect();
        ids.join(" ")
    };
    assert_eq!(ids("status=waits_for_person").await, waits);
    assert_eq!(ids("status=failed").await, failed);
    assert_eq!(ids("status=running").await, slow);
    assert_eq!(ids("status=held").await, "");
    assert_eq!(ids("status=succeeded&specimen=S1").await, "");
    assert_eq!(ids("specimen=S2").await, format!("{slow} {failed}"));
    assert_eq!(ids("specimen=S2&status=failed").await, failed);
    assert_eq!(ids(&format!("submission={submission}")).await, slow);
    house.close().await;
}

#[tokio::test]
async fn the_beginning_of_an_id_is_enough_while_it_is_clear() {
    let house = House::open_to_all().await;
    let one = house.run(SLOW, "S1").await;
    assert_eq!(house.get(&format!("/api/v1/runs/{}", &one[..8])).await.check(200).json()["run"]["id"], json!(one));
    let other = house.run(SLOW, "S2").await;
    let common = one.chars().zip(other.chars()).take_while(|(a, b)| a == b).count();
    house.get(&format!("/api/v1/runs/{}", &one[..common])).await.problem(409, "state");
    house.get(&format!("/api/v1/runs/{other}")).await.check(200);
    house.close().await;
}

#[tokio::test]
async fn one_run_tells_everything_but_where_files_lie() {
    let house = House::open_to_all().await;
    let id = house.run(TINY, "S1").await;
    house.quiet().await;
    let answer = house.get(&format!("/api/v1/runs/{id}")).await.check(200);
    let run = answer.json();
    assert_eq!(
        (&run["run"]["workflow"], &run["run"]["version"], &run["run"]["specimen"]),
        (&json!("tiny"), &json!("1"), &json!("S1"))
    );
    assert_eq!((&run["run"]["steps_total"], &run["run"]["steps_done"]), (&json!(2), &json!(1)));
    assert_eq!(run["steps"][0]["outputs"]["out"], json!([{ "name": "out.txt", "size": 5, "sha256": "ab".repeat(32) }]));
    assert_eq!(run["steps"][0]["role"], "single");
    assert_eq!(run["steps"][1]["ask"]["roles"], json!(["releaser"]));
    assert_eq!(run["attempts"][0]["status"], "committed");
    assert_eq!(run["attempts"][0]["log"], json!(format!("logs/{id}/work.1.log")));
    let site = house.socket();
    let site = site.parent().and_then(std::path::Path::parent).expect("the site");
    assert!(!answer.text.contains(&*site.to_string_lossy()), "{}", answer.text);
    house.close().await;
}

#[tokio::test]
async fn the_history_is_read_in_parts() {
    let house = House::open_to_all().await;
    let id = house.run(TINY, "S1").await;
    house.quiet().await;
    let all = house.get(&format!("/api/v1/runs/{id}/events")).await.check(200).json();
    let all = all["items"].as_array().expect("a list");
    assert_eq!(
        (&all[0]["n"], &all[0]["kind"], &all[0]["actor"]),
        (&json!(1), &json!("run_submitted"), &json!("ops-02"))
    );
    let part = house.get(&format!("/api/v1/runs/{id}/events?after=1&limit=2")).await.check(200).json();
    assert_eq!(part["items"], json!(all[1..3]));
    assert_eq!(part["next"], "3");
    house.close().await;
}

#[tokio::test]
async fn why_names_who_may_act_and_what_helps() {
    let house = House::open_to_all().await;
    let id = house.run(TINY, "S1").await;
    house.quiet().await;
    let because = house.get(&format!("/api/v1/runs/{id}/why")).await.check(200).json();
    assert_eq!((&because[0]["step"], &because[0]["who"]), (&json!("release"), &json!(["releaser"])));
    let one = house.get(&format!("/api/v1/runs/{id}/why?step=work")).await.check(200).json();
    assert_eq!(one[0]["status"], "succeeded");
    house.get(&format!("/api/v1/runs/{id}/why?step=nothing")).await.problem(404, "not_found");
    house.close().await;
}

#[tokio::test]
async fn a_kept_log_is_plain_text_to_everybody() {
    let house = House::open_to_all().await;
    let id = house.run(TINY, "S1").await;
    house.quiet().await;
    let log = house.get(&format!("/api/v1/runs/{id}/log?step=work")).await.check(200);
    assert_eq!(log.text, LOG);
    assert_eq!(log.headers["content-type"], "text/plain; charset=utf-8");
    assert_eq!(log.headers["x-content-type-options"], "nosniff");
    assert_eq!((log.headers["kentai-log-next"].as_str(), log.headers["kentai-log-final"].as_str()), ("27", "true"));
    assert_eq!(log.headers["kentai-attempt"], format!("{id}-1"));
    let rest = house.get(&format!("/api/v1/runs/{id}/log?step=work&attempt=1&offset=13")).await.check(200);
    assert_eq!(rest.text, &LOG[13..]);
    house.get(&format!("/api/v1/runs/{id}/log?step=work&attempt=9")).await.problem(404, "not_found");
    house.get(&format!("/api/v1/runs/{id}/log?step=../../../etc/passwd")).await.problem(404, "not_found");
    house.close().await;
}

#[tokio::test]
async fn the_log_of_a_running_tool_grows_and_is_not_final() {
    let house = House::open_to_all().await;
    let id = house.run(SLOW, "S1").await;
    house.until(|pulse| pulse.tools == 1).await;
    let log = house.get(&format!("/api/v1/runs/{id}/log")).await.check(200);
    assert_eq!((log.text.as_str(), log.headers["kentai-log-final"].as_str()), ("", "false"));
    let attempt = house.socket().with_file_name("..").join("attempts").join(format!("{id}-1"));
    std::fs::create_dir_all(&attempt).expect("made");
    std::fs::write(attempt.join("tool.log"), "so far").expect("written");
    let log = house.get(&format!("/api/v1/runs/{id}/log")).await.check(200);
    assert_eq!((log.text.as_str(), log.headers["kentai-log-next"].as_str()), ("so far", "6"));
    assert_eq!(log.headers["kentai-log-final"], "false");
    house.close().await;
}

#[tokio::test]
async fn specimens_and_workflows_are_listed() {
    let house = House::open_to_all().await;
    house.run(SLOW, "S2").await;
    house.run(SLOW, "S1").await;
    let page = house.get("/api/v1/specimens?limit=1").await.check(200).json();
    assert_eq!((&page["items"][0]["id"], &page["next"]), (&json!("S1"), &json!("S1")));
    let one = house.get("/api/v1/specimens/S2").await.check(200).json();
    assert_eq!((&one["specimen"]["priority"], &one["runs"][0]["specimen"]), (&json!("routine"), &json!("S2")));
    let workflows = house.get("/api/v1/workflows").await.check(200).json();
    assert_eq!((&workflows["items"][0]["id"], &workflows["items"][0]["registered"]), (&json!("slow"), &json!(false)));
    assert_eq!(house.get("/api/v1/deliveries").await.check(200).json(), json!({ "items": [], "next": null }));
    house.close().await;
}
