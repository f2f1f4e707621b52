//! Entity tags of what is read, and lists that grow with the center, page by page.

use serde_json::json;

use crate::house::{BROKEN, House, SLOW, TINY, submission};

#[tokio::test]
async fn what_is_known_is_not_sent_again_and_what_changed_is() {
    let house = House::open_to_all().await;
    let run = house.run(SLOW, "S1").await;
    house.until(|pulse| pulse.tools == 1).await;
    let path = format!("/api/v1/runs/{run}");
    let first = house.get(&path).await.check(200);
    let tag = first.headers["etag"].clone();
    assert!(tag.starts_with('"') && tag.ends_with('"') && tag.len() == 34, "a strong tag: {tag}");
    assert_eq!(first.headers["vary"], "Authorization, Accept-Language");
    assert_eq!(house.get(&path).await.headers["etag"], tag);
    for known in [
        format!("if-none-match: {tag}\r\n"),
        format!("if-none-match: \"x\", W/{tag}\r\n"),
        "if-none-match: *\r\n".into(),
    ] {
        let again = house.ask("GET", &path, &known, "").await.check(304);
        assert_eq!((again.text.as_str(), &again.headers["etag"]), ("", &tag));
        assert!(again.headers.contains_key("cache-control") && !again.headers.contains_key("content-type"));
    }
    let head = house.ask("HEAD", &path, "", "").await.check(200);
    assert_eq!((head.text.as_str(), &head.headers["etag"]), ("", &tag));
    house.post(&format!("{path}/hold"), &json!({ "reason": "x" })).await.check(200);
    let changed = house.ask("GET", &path, &format!("if-none-match: {tag}\r\n"), "").await.check(200);
    assert_ne!(changed.headers["etag"], tag);
    house.close().await;
}

#[tokio::test]
async fn every_reading_has_a_tag_and_streams_and_refusals_have_none() {
    let house = House::open_to_all().await;
    let run = house.run(TINY, "S1").await;
    house.quiet().await;
    for path in [
        "/runs".to_owned(),
        "/specimens".to_owned(),
        "/workflows".to_owned(),
        "/order-lines".to_owned(),
        "/stages".to_owned(),
        "/stuck".to_owned(),
        "/openapi.json".to_owned(),
        format!("/runs/{run}/events"),
        format!("/runs/{run}/why"),
        format!("/runs/{run}/log?step=work"),
        format!("/runs/{run}/provenance"),
    ] {
        let answer = house.get(&format!("/api/v1{path}")).await.check(200);
        let known = format!("if-none-match: {}\r\n", answer.headers["etag"]);
        house.ask("GET", &format!("/api/v1{path}"), &known, "").await.check(304);
    }
    let missing = house.ask("GET", "/api/v1/runs/nothing", "if-none-match: *\r\n", "").await.check(404);
    let posted = house.post("/api/v1/submissions", &submission(BROKEN, "S2")).await.check(201);
    assert!(!missing.headers.contains_key("etag") && !posted.headers.contains_key("etag"));
    house.close().await;
}

#[tokio::test]
async fn workflows_are_read_by_page() {
    let house = House::open_to_all().await;
    for (source, specimen) in [(TINY, "S1"), (SLOW, "S2"), (BROKEN, "S3")] {
        house.run(source, specimen).await;
    }
    let all = house.get("/api/v1/workflows").await.check(200).json();
    assert_eq!((all["items"].as_array().map(Vec::len), all["next"].is_null()), (Some(3), true));
    let (mut after, mut seen) = (String::new(), Vec::new());
    loop {
        let page = house.get(&format!("/api/v1/workflows?limit=1{after}")).await.check(200).json();
        seen.extend(page["items"].as_array().expect("a list").clone());
        let Some(next) = page["next"].as_str() else { break };
        assert!(seen.len() < 4, "it goes on for ever: {seen:?}");
        after = format!("&after={next}");
    }
    assert_eq!(seen, *all["items"].as_array().expect("a list"));
    for list in ["workflows", "stuck"] {
        house.get(&format!("/api/v1/{list}?after=nonsense")).await.problem(400, "usage");
    }
    house.close().await;
}
