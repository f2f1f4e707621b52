//! `/api/openapi.json`, held against the routes of the source and against the answers of a site with a little of everything in it.

use std::collections::BTreeSet;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use kentai_engine::scheduler::handle::Definition;
use kentai_tests::house::{operator, workflow};
use kentai_tests::peer;
use kentai_tests::receivers::Receivers;
use serde_json::{Value, json};

use super::service;
use crate::receivers::openapi::{put, routes, schemathesis};

const DOCUMENT: &str = "/api/openapi.json";

fn document(site: &Receivers) -> Result<Value> {
    // Nobody's secret.
    Ok(serde_json::from_str(&site.door.curl("", DOCUMENT, &["--fail"])?)?)
}

#[tokio::test(flavor = "multi_thread")]
async fn every_route_of_the_api_is_described_and_nothing_else() -> Result<()> {
    let site = Receivers::open().await?;
    let document = document(&site)?;
    let mut described = BTreeSet::new();
    for (path, item) in document["paths"].as_object().context("paths")? {
        described.extend(item.as_object().context("methods")?.keys().map(|method| format!("{method} {path}")));
    }
    let mut known = routes("web/src/api/v1.rs", "/api/v1", "/")?;
    known.extend(routes("web/src/api/v1/center.rs", "/api/v1", "/")?);
    known.insert("get /api/v1/openapi.json".into());
    ensure!(known.len() > 40, "{known:?}");
    ensure!(described == known, "the two differ: {:?}", described.symmetric_difference(&known));
    if let Some(program) = peer("openapi-spec-validator")? {
        let place = site.door.place("openapi")?.join("openapi.json");
        std::fs::write(&place, document.to_string())?;
        let output = Command::new(program).arg(&place).output()?;
        ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    }
    site.check().await
}

/// What a site is asked so that there is a little of everything, by its own API.
const FILLED: &[&str] = &[
    r#"{"request":"import","table":"institutions","rows":[{"code":"H1","name":"Hospital 1","role":"sender"}]}"#,
    r#"{"request":"import","table":"programs","rows":[{"code":"rare","name":"Rare diseases"}]}"#,
    r#"{"request":"assay","name":"wgs","version":"1","assay":{"reads_ordered":100}}"#,
    r#"{"request":"import","table":"shipment","institution":"H1","rows":[{"shipment":"SH-1","barcode":"T1","pseudonym":"P1",
        "program":"rare","assay":"wgs@1","specimen_type":"blood","collected":"2026-11-01","requisition":"Q1"},
        {"shipment":"SH-1","barcode":"T2","pseudonym":"P2","program":"rare","assay":"wgs@1","specimen_type":"blood",
        "collected":"2026-11-01","requisition":"Q2"}]}"#,
    r#"{"request":"consent","program":"rare","pseudonym":"P1","status":"given","consent":{"document":"form","document_version":"3",
        "scopes":["sequencing"],"effective_us":0,"recorded_by":"x"}}"#,
    r#"{"request":"receive","barcode":"T1"}"#,
    r#"{"request":"deviation","about":"a rack","description":"it fell","severity":"minor"}"#,
    r#"{"request":"withdraw","program":"rare","pseudonym":"P2","evidence":"letter 7"}"#,
];

/// What a request may start.
const STEPS: &str = "  a:
    outputs: { o: { path: o.txt } }
    script: x
";

/// Values that lead to something, by operation and name.
type Names = Vec<(&'static str, &'static str, Value)>;

/// A site with a little of everything, and what its things are called.
async fn filled(site: &mut Receivers) -> Result<Names> {
    let (run, delivery) = site.offered("S1", "calls\n").await?;
    let started =
        format!("{}triggers:\n  - api: {{}}\n", workflow(STEPS).replace("workflow: test", "workflow: started"));
    let definition = Definition { path: "started.yaml".into(), source: started, called: Default::default() };
    site.house.handle().register(&definition, &operator()).await?;
    let roles = ["operator", "reviewer", "releaser", "withdrawal_officer", "auditor", "admin"];
    service(site, "everybody", &roles, None).await?;
    for body in FILLED {
        let (status, said) = site.door.post("everybody", "/api/v1/requests", body)?;
        ensure!(status == 200, "{body}: {status} {said}");
    }
    let of = |kind: &str| -> Result<Value> {
        let id = site.house.sql(&format!("select record_id from record where kind = '{kind}' limit 1"))?;
        ensure!(!id.is_empty(), "there is no {kind}");
        Ok(id.into())
    };
    let specimen = site.house.sql("select specimen_id from order_line where specimen_id <> '' order by 1 limit 1")?;
    let order = site.house.sql("select order_line_id from order_line order by 1 limit 1")?;
    let mut names: Names = vec![
        ("getSpecimen", "id", json!(["S1"])),
        ("getDelivery", "id", json!([delivery])),
        ("getOrderLine", "id", json!([order])),
        ("getWhy", "thing", json!([order, specimen, "T1", "SH-1"])),
        ("listRecords", "kind", json!(["shipment", "item", "deviation", "case"])),
        ("getRecord", "kind", json!(["shipment"])),
        ("getRecord", "id", json!([of("shipment")?])),
        ("getStory", "specimen", json!([specimen])),
        ("getHistory", "specimen", json!([specimen])),
        ("getParticipant", "program", json!(["rare"])),
        ("getParticipant", "pseudonym", json!(["P1"])),
        ("getCase", "id", json!([of("case")?])),
        ("submitRegistered", "name", json!(["started"])),
        ("readLog", "step", json!(["a"])),
        ("getWhyOfRun", "step", json!(["a"])),
    ];
    let of_runs = ["getRun", "listEventsOfRun", "getWhyOfRun", "readLog", "getProvenance"];
    let asked = ["cancelRun", "holdRun", "resumeRun", "retryRun", "answerRun"];
    names.extend(of_runs.into_iter().chain(asked).map(|operation| (operation, "id", json!([run.to_string()]))));
    Ok(names)
}

/// Narrows parameters to these values.
fn narrow(document: &mut Value, names: &Names) {
    for item in document["paths"].as_object_mut().into_iter().flat_map(serde_json::Map::values_mut) {
        for operation in item.as_object_mut().into_iter().flat_map(serde_json::Map::values_mut) {
            let id = operation["operationId"].as_str().unwrap_or_default().to_owned();
            for parameter in operation["parameters"].as_array_mut().into_iter().flatten() {
                let named = names.iter().find(|(of, name, _)| *of == id && parameter["name"] == *name);
                if let Some((_, _, values)) = named {
                    parameter["schema"]["enum"] = values.clone();
                }
            }
        }
    }
}

/// A stream of changes never ends, what receivers use is asked as receivers (`receivers/openapi.rs`), and whether a text is a workflow, or
/// a word one of the center's, no schema can say.
const SETTINGS: &str = "[checks]
positive_data_acceptance.expected-statuses = [\"2xx\", \"401\", \"403\", \"404\", \"409\"]
[[operations]]
include-operation-id = [\"listenToChanges\", \"listenToTopics\"]
enabled = false
[[operations]]
include-tag = [\"offers\", \"about\"]
enabled = false
[[operations]]
include-operation-id = [\"ask\", \"submit\", \"submitRegistered\", \"registerWorkflow\", \"importSpecimens\", \"reportOmissions\", \"listStuck\", \"listWorkflows\"]
checks.positive_data_acceptance.expected-statuses = [\"2xx\", \"400\", \"401\", \"403\", \"404\", \"409\", \"422\"]
";

#[tokio::test(flavor = "multi_thread")]
async fn the_api_answers_as_its_description_says() -> Result<()> {
    let mut site = Receivers::open().await?;
    let names = filled(&mut site).await?;
    let place = site.door.place("openapi")?;
    let (whole, narrowed) = (place.join("openapi.json"), place.join("narrow.json"));
    let mut document = document(&site)?;
    std::fs::write(&whole, document.to_string())?;
    narrow(&mut document, &names);
    for (pointer, value) in [
        ("/components/schemas/RetryFrom/properties/from/enum", json!(["a", null])),
        ("/components/schemas/AnswerTo/properties/step/enum", json!(["", "a"])),
        ("/components/schemas/RegisteredSubmit/properties/specimen/enum", json!(["S1"])),
        ("/components/schemas/RegisteredSubmit/properties/params/maxProperties", json!(0)),
    ] {
        put(&mut document, pointer, value)?;
    }
    std::fs::write(&narrowed, document.to_string())?;
    schemathesis(&site, "everybody", &narrowed, "", SETTINGS).await?;
    schemathesis(&site, "everybody", &whole, "", SETTINGS).await?;
    site.check().await
}
