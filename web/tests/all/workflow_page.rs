//! Workflows on the page: the list, one with its text, a submission with every mistake in its place, the editor.

use serde_json::json;

use crate::house::{Answer, House, TINY};
use crate::run_page::send;

/// Parameters of several types.
const ASKS: &str = r#"kentai: 1
workflow: asks
version: "1"
params:
  depth: { type: number, min: 1, max: 100, default: 30, unit: x, help: { en: "Wanted <depth>", ja: "深度" } }
  kind: { type: choice, of: [wgs, panel], default: wgs }
  label: { type: string }
specimen:
  fields: { sex: { type: choice, of: [female, male, unknown], default: unknown } }
steps:
  work:
    outputs: { out: { path: out.txt } }
    env: { LABEL: "${{ params.label }}" }
    script: echo "$LABEL" > "$out_out"
"#;

async fn register(house: &House, source: &str) -> String {
    let definition = json!({ "path": "asks.yaml", "source": source });
    let registered = house.post("/api/v1/workflows", &definition).await.check(200).json();
    registered["digest"].as_str().expect("a digest").to_owned()
}

/// As a browser sends a form with a file in it.
async fn submit(house: &House, path: &str, fields: &[(&str, &str)]) -> Answer {
    let mut body = String::new();
    for (name, value) in fields {
        let file = if *name == "file" { "; filename=\"s.csv\"\r\nContent-Type: text/csv" } else { "" };
        body += &format!("--edge\r\nContent-Disposition: form-data; name=\"{name}\"{file}\r\n\r\n{value}\r\n");
    }
    body += "--edge--\r\n";
    house.ask("POST", path, "content-type: multipart/form-data; boundary=edge\r\n", &body).await
}

#[tokio::test]
async fn what_is_known_is_listed_and_one_is_shown_with_its_text() {
    let house = House::open_to_all().await;
    let digest = register(&house, ASKS).await;
    house.run(TINY, "S1").await;
    let list = house.get("/workflows").await.check(200).text;
    assert!(list.contains("Registered") && list.contains("Run, not registered") && list.contains(&digest));
    let narrowed = house.get("/workflows?registered=1").await.check(200).text;
    assert!(narrowed.contains("1 of 2") && !narrowed.contains(">tiny<"));
    for name in ["asks", "asks@1", &digest] {
        let page = house.get(&format!("/workflows/{name}")).await.check(200).text;
        assert!(page.contains("class=\"node plain\"") && page.contains("<code>workflow: asks</code>"), "{name}");
        assert!(page.contains("Wanted &#60;depth&#62;") && page.contains("1 – 100"));
        assert!(page.contains(&format!("/workflows/{digest}/submit")));
    }
    house.get("/workflows/nothing").await.check(404);
    house.close().await;
}

#[tokio::test]
async fn every_mistake_of_a_submission_stands_in_its_place_and_what_was_typed_stays() {
    let house = House::open_to_all().await;
    let digest = register(&house, ASKS).await;
    let path = format!("/workflows/{digest}/submit");
    let form = house.get(&path).await.check(200).text;
    assert!(
        form.contains("id=\"param-depth\"")
            && form.contains("<option value=\"panel\"")
            && form.contains("enctype=\"multipart/form-data\"")
    );
    let sheet = "specimen,sex\nS1,female\nS2,odd\n../x,male\n";
    let wrong = submit(&house, &path, &[("param-depth", "500"), ("param-kind", "panel"), ("sheet", sheet)])
        .await
        .check(422)
        .text;
    assert!(wrong.contains("id=\"param-depth-wrong\"") && wrong.contains("id=\"param-label-wrong\""), "{wrong}");
    assert!(wrong.contains("value=\"500\"") && wrong.contains("<option value=\"panel\" selected"));
    assert!(wrong.contains("S2,odd") && wrong.contains("id=\"rows\""));
    let rows = wrong.split("id=\"rows\"").nth(1).expect("rows");
    assert!(rows.contains("number key\">3<") && rows.contains("number key\">4<"), "{rows}");
    assert!(house.get("/api/v1/runs").await.json()["items"].as_array().expect("a list").is_empty());
    let none = submit(&house, &path, &[("param-label", "x"), ("sheet", " ")]).await.check(422).text;
    assert!(none.contains("id=\"sheet-wrong\""));
    house.close().await;
}

#[tokio::test]
async fn a_submission_leads_to_its_run_and_the_same_again_to_the_same() {
    let house = House::open_to_all().await;
    let digest = register(&house, ASKS).await;
    let path = format!("/workflows/{digest}/submit");
    let fields = [("param-label", "a"), ("sheet", ""), ("file", "specimen,sex\nS1,female\n")];
    let first = submit(&house, &path, &fields).await.check(303).headers["location"].clone();
    assert!(first.starts_with("/runs/r"), "{first}");
    assert_eq!(submit(&house, &path, &fields).await.check(303).headers["location"], first);
    let two = [("param-label", "a"), ("sheet", "specimen\nS1\nS2\n")];
    let list = submit(&house, &path, &two).await.check(303).headers["location"].clone();
    assert!(list.starts_with("/runs?submission="), "{list}");
    house.quiet().await;
    assert_eq!(house.get(&list).await.check(200).text.matches("<tr id=\"r").count(), 2);
    house.close().await;
}

#[tokio::test]
async fn who_may_not_submit_sees_who_may_and_is_refused() {
    let house = House::open(&["reviewer"]).await;
    house.get("/workflows").await.check(200);
    house.close().await;
    let house = House::open(&["reviewer", "admin"]).await;
    let digest = register(&house, ASKS).await;
    let form = house.get(&format!("/workflows/{digest}/submit")).await.check(200).text;
    assert!(form.contains("This is for: operator.") && !form.contains("id=\"submission\""));
    submit(&house, &format!("/workflows/{digest}/submit"), &[("param-label", "a"), ("sheet", "specimen\nS1\n")])
        .await
        .check(403);
    house.close().await;
}

#[tokio::test]
async fn the_editor_says_what_is_wrong_by_line_and_registers_what_is_right() {
    let house = House::open_to_all().await;
    let fresh = house.get("/editor").await.check(200).text;
    assert!(fresh.contains("Nothing is wrong.") && fresh.contains("workflow: my_workflow"));
    let broken = ASKS.replace("type: number", "type: numbr");
    let form = [("path", "asks.yaml"), ("source", broken.as_str()), ("do", "check")];
    let checked = send(&house, "/editor", &form).await.check(200).text;
    assert!(checked.contains("data-line=\"5\"") && checked.contains("type: numbr"), "{checked}");
    let part = send(&house, "/editor/found", &form).await.check(200).text;
    assert!(part.trim_start().starts_with("<div id=\"found\"") && part.contains("data-line=\"5\""));
    let refused = send(&house, "/editor", &[("path", "asks.yaml"), ("source", &broken), ("do", "register")])
        .await
        .check(422)
        .text;
    assert!(refused.contains("data-line=\"5\""));
    let text = ASKS.replace('\n', "\r\n");
    let done =
        send(&house, "/editor", &[("path", "asks.yaml"), ("source", &text), ("do", "register")]).await.check(303);
    let known = house.get("/api/v1/workflows").await.json();
    let digest = known["items"][0]["digest"].as_str().expect("a digest").to_owned();
    assert_eq!(done.headers["location"], format!("/workflows/{digest}"));
    assert_eq!(register(&house, ASKS).await, digest, "line ends of a browser are those of a file");
    let again = house.get(&format!("/editor?from={digest}")).await.check(200).text;
    assert!(again.contains("workflow: asks"));
    house.close().await;
}
