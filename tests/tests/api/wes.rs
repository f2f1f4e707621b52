//! GA4GH WES 1.1: a run is asked for, looked at and canceled with curl; who may not is told as everywhere; and the answers are held
//! against GA4GH's description.

use std::path::Path;

use anyhow::{Context, Result, ensure};
use kentai_engine::scheduler::handle::Definition;
use kentai_tests::house::{Act, operator, specimen, workflow};
use kentai_tests::receivers::Receivers;
use kentai_tests::root;
use serde_json::{Value, json};

use super::service;
use crate::receivers::openapi::{put, schemathesis};

const BASE: &str = "/ga4gh/wes/v1";

const STEPS: &str = "  a:
    outputs: { o: { path: o.txt, keep: true } }
    script: x
";

/// A house where somebody may submit and somebody may not, and a specimen is known.
async fn open() -> Result<Receivers> {
    let mut site = Receivers::open().await?;
    service(&mut site, "robot", &["operator"], None).await?;
    service(&mut site, "reader", &["auditor"], None).await?;
    service(&mut site, "sender", &["institution"], Some("H1")).await?;
    site.house.handle().import(&[specimen("S1"), specimen("S2")], "sheet.csv", &operator()).await?;
    Ok(site)
}

/// A workflow that may be started by requests, registered as `test@VERSION`.
async fn register(site: &Receivers, version: &str, more: &str) -> Result<()> {
    let source = workflow(STEPS).replace("workflow: test\n", &format!("workflow: test\nversion: {version}\n{more}"));
    let source = format!("{source}triggers:\n  - api: {{}}\n");
    let definition = Definition { path: "test.yaml".into(), source, called: Default::default() };
    match site.house.handle().register(&definition, &operator()).await {
        Ok(_) => Ok(()),
        Err(kentai_engine::scheduler::handle::Refusal::Check { diagnostics, .. }) => anyhow::bail!("{diagnostics:?}"),
        Err(other) => Err(other.into()),
    }
}

fn get(site: &Receivers, who: &str, path: &str) -> Result<(u16, Value)> {
    let (status, body) = site.door.status(who, &format!("{BASE}{path}"), &[])?;
    Ok((status, serde_json::from_str(&body).with_context(|| format!("{path}: {body}"))?))
}

/// A form with these fields, `name=value` as curl's `-F` has them.
fn post(site: &Receivers, who: &str, fields: &[&str]) -> Result<(u16, Value)> {
    let more: Vec<&str> = fields.iter().flat_map(|field| ["--form", *field]).collect();
    let (status, body) = site.door.status(who, &format!("{BASE}/runs"), &more)?;
    Ok((status, serde_json::from_str(&body).with_context(|| body.clone())?))
}

/// The fields that every request has.
const OURS: [&str; 2] = ["workflow_type=KENTAI", "workflow_type_version=1"];

fn started(answer: (u16, Value)) -> Result<String> {
    let (status, said) = answer;
    ensure!(status == 200, "{status} {said}");
    Ok(said["run_id"].as_str().context("a run")?.to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_registered_workflow_is_run_to_its_end_and_told_in_the_standards_words() -> Result<()> {
    let site = open().await?;
    register(&site, "1.0.0", "params: { depth: { type: integer, default: 3 } }\n").await?;
    site.house.hands.plan("a", [Act::Wait]);
    let params = r#"workflow_params={"specimen":"S1","params":{"depth":7}}"#;
    let fields = [OURS[0], OURS[1], "workflow_url=test@1.0.0", params];
    let id = started(post(&site, "robot", &fields)?)?;
    let state = || -> Result<Value> { Ok(get(&site, "robot", &format!("/runs/{id}/status"))?.1["state"].clone()) };
    site.house.until("the tool", async |house| Ok(house.hands.running() == ["a"])).await?;
    ensure!(state()? == "RUNNING");
    // The same again is the same run.
    ensure!(started(post(&site, "robot", &fields)?)? == id);
    site.house.hands.finish("a", &Act::Well);
    ensure!(site.house.end(&id.as_str().into()).await? == "succeeded");
    ensure!(state()? == "COMPLETE");
    // What has ended stays as it is, and that is no error.
    let canceled = site.door.status("robot", &format!("{BASE}/runs/{id}/cancel"), &["--request", "POST"])?;
    ensure!(canceled.0 == 200 && state()? == "COMPLETE", "{canceled:?}");
    let (status, log) = get(&site, "robot", &format!("/runs/{id}"))?;
    ensure!(status == 200 && log["request"]["workflow_url"] == "test@1.0.0", "{log}");
    ensure!(log["request"]["workflow_params"] == json!({ "specimen": "S1", "params": { "depth": 7 } }), "{log}");
    ensure!(log["outputs"]["a.o"][0]["name"] == "o.txt" && log["run_log"]["end_time"].is_string(), "{log}");
    ensure!(!log.to_string().contains(&*site.house.directory.path().to_string_lossy()), "a path of the site: {log}");
    let url = log["task_logs_url"].as_str().context("a url")?;
    ensure!(url == format!("{}{BASE}/runs/{id}/tasks", site.door.base()), "{url}");
    let (_, tasks) = get(&site, "robot", &format!("/runs/{id}/tasks"))?;
    let task = &tasks["task_logs"][0];
    ensure!(task["name"] == "a" && task["exit_code"] == 0 && tasks["next_page_token"] == "", "{tasks}");
    let one = get(&site, "robot", &format!("/runs/{id}/tasks/{}", task["id"].as_str().unwrap_or_default()))?;
    ensure!(one == (200, task.clone()), "{one:?}");
    ensure!(get(&site, "robot", &format!("/runs/{id}/tasks/none"))?.0 == 404);
    // What a tool wrote is read with the same token.
    let written = task["stdout"].as_str().and_then(|url| url.strip_prefix(&site.door.base())).context("an address")?;
    ensure!(matches!(site.door.status("robot", written, &[])?.0, 200 | 404), "{written}");
    site.check().await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_attached_workflow_is_run_with_what_it_calls_and_canceled() -> Result<()> {
    let site = open().await?;
    let place = site.door.place("sent")?;
    std::fs::write(place.join("main.yaml"), workflow("  inner:\n    call: { workflow: sub.yaml }\n"))?;
    std::fs::write(place.join("sub.yaml"), workflow(STEPS).replace("workflow: test", "workflow: sub"))?;
    let attached = |name: &str| format!("workflow_attachment=@{};filename=flows/{name}", place.join(name).display());
    let (main, sub) = (attached("main.yaml"), attached("sub.yaml"));
    site.house.hands.plan("a", [Act::Wait]);
    let params = r#"workflow_params={"specimen":"S1"}"#;
    let id = started(post(&site, "robot", &[OURS[0], OURS[1], params, "workflow_url=flows/main.yaml", &main, &sub])?)?;
    site.house.until("the tool", async |house| Ok(house.hands.running() == ["a"])).await?;
    let cancel = format!("{BASE}/runs/{id}/cancel");
    let asked = |who: &str| site.door.status(who, &cancel, &["--request", "POST"]);
    ensure!(asked("reader")?.0 == 403);
    let (status, said) = asked("robot")?;
    let told: Value = serde_json::from_str(&said)?;
    ensure!(status == 200 && told == json!({ "run_id": id }), "{status} {told}");
    ensure!(site.house.end(&id.as_str().into()).await? == "canceled");
    ensure!(get(&site, "robot", &format!("/runs/{id}/status"))?.1["state"] == "CANCELED");
    // Twice is once.
    ensure!(asked("robot")?.0 == 200);
    site.check().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_is_read_page_by_page_and_each_state_has_its_word() -> Result<()> {
    let site = open().await?;
    register(&site, "1.0.0", "").await?;
    site.house.hands.plan("a", [Act::Exit(3), Act::NoImage, Act::NoImage, Act::Well]);
    let mut ids = Vec::new();
    for key in ["x", "y", "z"] {
        let params = format!(r#"workflow_params={{"specimen":"S1","key":"{key}"}}"#);
        ids.push(started(post(&site, "robot", &[OURS[0], OURS[1], "workflow_url=test", &params])?)?);
        site.house.end(&ids[ids.len() - 1].as_str().into()).await?;
    }
    let states: Vec<Value> = ids
        .iter()
        .map(|id| Ok(get(&site, "reader", &format!("/runs/{id}/status"))?.1["state"].clone()))
        .collect::<Result<_>>()?;
    ensure!(states == ["EXECUTOR_ERROR", "SYSTEM_ERROR", "COMPLETE"], "{states:?}");
    let (mut found, mut token) = (Vec::new(), String::new());
    loop {
        let (status, page) = get(&site, "reader", &format!("/runs?page_size=1&page_token={token}"))?;
        ensure!(status == 200, "{page}");
        let runs = page["runs"].as_array().context("runs")?;
        ensure!(runs.len() <= 1);
        found.extend(runs.iter().map(|run| run["run_id"].as_str().unwrap_or_default().to_owned()));
        token = page["next_page_token"].as_str().context("a token")?.to_owned();
        if token.is_empty() {
            break;
        }
    }
    ids.reverse();
    ensure!(found == ids, "{found:?} and not {ids:?}");
    site.check().await
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_that_is_sent_becomes_a_path_and_every_no_is_the_standards() -> Result<()> {
    let site = open().await?;
    let file = "params: { targets: { type: file, required: false } }\n";
    register(&site, "1.0.0", file).await?;
    let place = site.door.place("sent")?;
    let yaml = place.join("a.yaml");
    std::fs::write(&yaml, workflow(STEPS).replace("workflow: test\n", &format!("workflow: test\n{file}")))?;
    let attached = |name: &str| format!("workflow_attachment=@{};filename={name}", yaml.display());
    let (plain, up, absolute) = (attached("a.yaml"), attached("../a.yaml"), attached("/etc/a.yaml"));
    let params = r#"workflow_params={"specimen":"S1"}"#;
    let given = r#"workflow_params={"specimen":"S1","params":{"targets":"/etc/passwd"}}"#;
    let nobody = r#"workflow_params={"specimen":"S9"}"#;
    let [kind, version] = OURS;
    let cases: [(&[&str], &str); 12] = [
        (&[], "workflow_type"),
        (&["workflow_type=CWL", version, "workflow_url=test", params], "KENTAI"),
        (&[kind, "workflow_type_version=9", "workflow_url=test", params], "workflow_type_version"),
        (&[kind, version, params], "workflow_url"),
        (&[kind, version, "workflow_url=test"], "workflow_params"),
        (&[kind, version, "workflow_url=none", params], "no registered workflow"),
        (&[kind, version, "workflow_url=/etc/passwd", params], "no registered workflow"),
        (&[kind, version, "workflow_url=test", nobody], "no specimen"),
        (&[kind, version, "workflow_url=test", given], "file of this machine"),
        (&[kind, version, "workflow_url=a.yaml", params, &plain], "file of this machine"),
        (&[kind, version, "workflow_url=../a.yaml", params, &up], "cannot be called"),
        (&[kind, version, "workflow_url=test", params, &absolute], "cannot be called"),
    ];
    for (fields, wanted) in cases {
        // curl sends no form without a field.
        let fields = if fields.is_empty() { &["x=y"] } else { fields };
        let (status, said) = post(&site, "robot", fields)?;
        let message = said["msg"].as_str().unwrap_or_default();
        ensure!(status == 400 && said["status_code"] == 400 && message.contains(wanted), "{fields:?}: {status} {said}");
        ensure!(said.as_object().is_some_and(|error| error.len() == 2), "{said}");
    }
    let tags = [kind, version, "workflow_url=test", params, r#"tags={"a":"b"}"#];
    ensure!(post(&site, "robot", &tags)?.0 == 400, "tags that nobody keeps");
    ensure!(site.house.sql("select count(*) from run")? == "0", "something was started");
    site.check().await
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_not_is_told_as_everywhere() -> Result<()> {
    let site = open().await?;
    register(&site, "1.0.0", "").await?;
    let params = r#"workflow_params={"specimen":"S1"}"#;
    let fields = [OURS[0], OURS[1], "workflow_url=test", params];
    for who in ["reader", "sender", "dc1"] {
        ensure!(post(&site, who, &fields)?.0 == 403, "{who} submitted");
    }
    ensure!(post(&site, "", &fields)?.0 == 401);
    let id = started(post(&site, "robot", &fields)?)?;
    site.house.end(&id.as_str().into()).await?;
    let none = format!("r{}", "0".repeat(id.len() - 1));
    for path in ["", "/status", "/tasks", "/tasks/x"] {
        let of = |who: &str, id: &str| get(&site, who, &format!("/runs/{id}{path}"));
        ensure!(path == "/tasks/x" || of("reader", &id)?.0 == 200, "{path}");
        // To people from outside a run of somebody else's is what is not there, word for word.
        for who in ["sender", "dc1"] {
            let (foreign, missing) = (of(who, &id)?, of(who, &none)?);
            ensure!(foreign.0 == 404 && missing.0 == 404, "{who} {path}: {foreign:?} {missing:?}");
            ensure!(
                foreign.1.to_string().replace(&id, "ID") == missing.1.to_string().replace(&none, "ID"),
                "{foreign:?}"
            );
        }
        ensure!(of("", &id)?.0 == 401, "{path}");
        // The beginning of an id is none.
        ensure!(of("reader", &id[..id.len() - 1])?.0 == 404, "{path}");
    }
    ensure!(get(&site, "sender", "/runs")?.0 == 403);
    ensure!(get(&site, "", "/service-info")?.0 == 200);
    site.check().await
}

/// The description lets everything be absent, and says in words only what must be there.
const SETTINGS: &str = "[[operations]]
include-operation-id = \"RunWorkflow\"
checks.positive_data_acceptance.expected-statuses = [\"2xx\", \"400\", \"401\", \"403\"]
";

#[tokio::test(flavor = "multi_thread")]
async fn wes_answers_as_ga4gh_describes_it() -> Result<()> {
    let site = open().await?;
    register(&site, "1.0.0", "").await?;
    let params = r#"workflow_params={"specimen":"S1"}"#;
    let id = started(post(&site, "robot", &[OURS[0], OURS[1], "workflow_url=test", params])?)?;
    site.house.end(&id.as_str().into()).await?;
    let task = site.house.attempts(&id.as_str().into(), "a").await?.remove(0).attempt_id.to_string();
    let mut description: Value = serde_json::from_str(&std::fs::read_to_string(fixture())?)?;
    // A size that is no number is malformed in this list too; the description says so of the other list only.
    let bad = description["paths"]["/runs"]["get"]["responses"]["400"].clone();
    put(&mut description, "/paths/~1runs~1{run_id}~1tasks/get/responses/400", bad)?;
    let place = site.door.place("openapi")?;
    let (whole, narrow) = (place.join("wes.json"), place.join("narrow.json"));
    std::fs::write(&whole, description.to_string())?;
    for (path, method) in
        [("", "get"), ("~1status", "get"), ("~1tasks", "get"), ("~1tasks~1{task_id}", "get"), ("~1cancel", "post")]
    {
        let at = format!("/paths/~1runs~1{{run_id}}{path}/{method}/parameters");
        for parameter in description.pointer_mut(&at).and_then(Value::as_array_mut).context("parameters")? {
            let values = match parameter["name"].as_str() {
                Some("run_id") => json!([id]),
                Some("task_id") => json!([task]),
                Some("page_token") => json!([task, ""]),
                _ => continue,
            };
            parameter["schema"]["enum"] = values;
        }
    }
    let form = "/paths/~1runs/post/requestBody/content/multipart~1form-data/schema";
    let params = [r#"{"specimen":"S1"}"#, r#"{"specimen":"S2","params":{},"key":"k"}"#];
    for (field, values) in [
        ("workflow_type", json!(["KENTAI"])),
        ("workflow_type_version", json!(["1"])),
        ("workflow_url", json!(["test", "test@1.0.0"])),
        ("workflow_params", json!(params)),
        ("workflow_engine", json!(["kentai"])),
        ("workflow_engine_version", json!([env!("CARGO_PKG_VERSION")])),
        ("workflow_engine_parameters", json!(["{}", ""])),
        ("tags", json!(["{}", ""])),
    ] {
        put(&mut description, &format!("{form}/properties/{field}/enum"), values)?;
    }
    let must = ["workflow_type", "workflow_type_version", "workflow_url", "workflow_params"];
    put(&mut description, &format!("{form}/required"), json!(must))?;
    put(&mut description, "/paths/~1runs/post/requestBody/required", json!(true))?;
    std::fs::write(&narrow, description.to_string())?;
    schemathesis(&site, "robot", &whole, BASE, SETTINGS).await?;
    schemathesis(&site, "robot", &narrow, BASE, SETTINGS).await?;
    site.check().await
}

fn fixture() -> std::path::PathBuf {
    root().join(Path::new("tests/fixtures/wes/workflow_execution_service.json"))
}
