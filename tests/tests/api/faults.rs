//! What generated requests found: each once more, by itself.

use anyhow::{Result, ensure};
use kentai_tests::receivers::Receivers;
use serde_json::json;

use super::service;

#[tokio::test(flavor = "multi_thread")]
async fn a_stand_that_no_log_has_is_refused_and_the_engine_goes_on() -> Result<()> {
    let mut site = Receivers::open().await?;
    service(&mut site, "auditor", &["auditor"], None).await?;
    for events in [i64::MIN, -1, 0, i64::MAX] {
        let stand = json!({ "events": events, "head": "", "at_us": 0, "sha256": "0".repeat(64) });
        let body = json!({ "request": "audit_sign", "stand": stand }).to_string();
        let (status, said) = site.door.post("auditor", "/api/v1/requests", &body)?;
        ensure!(status == 400, "{events}: {status} {said}");
    }
    ensure!(site.door.post("auditor", "/api/v1/requests", "{\"request\":\"checkpoint\"}")?.0 == 200);
    site.check().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_is_a_list_is_none() -> Result<()> {
    let mut site = Receivers::open().await?;
    service(&mut site, "operator", &["operator"], None).await?;
    let (run, _) = site.offered("S1", "calls\n").await?;
    for (path, body) in [
        (format!("/runs/{run}/cancel"), json!(["no"])),
        (format!("/runs/{run}/retry"), json!([null])),
        ("/workflows".into(), json!(["x.yaml", "kentai: 1", {}])),
        ("/requests".into(), json!(["resume_all", {}])),
    ] {
        let (status, said) = site.door.post("operator", &format!("/api/v1{path}"), &body.to_string())?;
        ensure!(status == 400, "{path}: {status} {said}");
    }
    site.check().await
}
