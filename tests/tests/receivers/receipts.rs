//! Receipts: each file answered for, once, whatever is sent again; and what is no receipt changes nothing.

use anyhow::{Context, Result, ensure};
use kentai_engine::handoff::sshsig;
use kentai_engine::scheduler::Target;
use kentai_tests::house::Plan;
use kentai_tests::receivers::Receivers;
use kentai_tests::tool;
use serde_json::{Value, json};

/// A receipt over every payload file of a delivery, its checksums as the offer says them.
pub(super) fn receipt(site: &Receivers, delivery: &str, name: &str) -> Result<Value> {
    let offer = site.door.json("dc1", &format!("/api/v1/offers/{delivery}"))?;
    let files: Vec<Value> = offer["entries"]
        .as_array()
        .context("entries")?
        .iter()
        .filter(|entry| entry["path"].as_str().is_some_and(|path| path.starts_with("data/")))
        .map(|entry| json!({ "path": entry["path"], "outcome": "accepted", "sha256": entry["sha256"] }))
        .collect();
    Ok(json!({ "receipt": name, "files": files }))
}

pub(super) fn send(site: &Receivers, delivery: &str, receipt: &Value) -> Result<(u16, Value)> {
    site.door.post("dc1", &format!("/api/v1/offers/{delivery}/receipts"), &receipt.to_string())
}

fn count(site: &Receivers, delivery: &str, event: &str) -> Result<usize> {
    Ok(site.events(delivery)?.iter().filter(|word| *word == event).count())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receipt_that_is_sent_again_is_answered_again_and_is_one_event() -> Result<()> {
    let site = Receivers::open().await?;
    let (_, id) = site.offered("S1", "calls\n").await?;
    let mut said = receipt(&site, &id, "R1")?;
    let (status, answer) = send(&site, &id, &said)?;
    ensure!(status == 200 && answer["status"] == "acknowledged", "{status} {answer}");
    ensure!(answer["files"].as_array().is_some_and(|files| files.iter().all(|file| file["status"] == "accepted")));
    ensure!(answer["audit"]["signature"].is_string(), "no checkpoint: {answer}");
    let (status, again) = send(&site, &id, &said)?;
    ensure!(status == 200 && again["files"] == answer["files"] && again["status"] == answer["status"], "{again}");
    ensure!(count(&site, &id, "acknowledged")? == 1, "{:?}", site.events(&id)?);
    // Under the same name something else: refused, written down, and nothing changes.
    said["files"][0] = json!({ "path": said["files"][0]["path"], "outcome": "refused", "reason": "policy" });
    let (status, problem) = send(&site, &id, &said)?;
    ensure!(status == 409 && problem["code"] == "state", "{status} {problem}");
    ensure!(count(&site, &id, "receipt_not_taken")? == 1 && count(&site, &id, "refused")? == 0);
    site.check().await
}

#[tokio::test(flavor = "multi_thread")]
async fn other_bytes_than_were_sent_are_an_alarm_and_the_file_stays_on_offer() -> Result<()> {
    let site = Receivers::open().await?;
    let (_, id) = site.offered("S1", "calls\n").await?;
    let mut said = receipt(&site, &id, "R1")?;
    let path = said["files"][0]["path"].as_str().context("a path")?.to_owned();
    said["files"][0]["sha256"] = json!("0".repeat(64));
    let (status, answer) = send(&site, &id, &said)?;
    ensure!(status == 200 && answer["status"] == "offered", "{status} {answer}");
    ensure!(answer["files"][0]["status"] == "mismatch" && answer["files"][0]["reason"] == "sha256", "{answer}");
    let alarms = site.house.sql("select count(*) from record where kind = 'deviation' and status = 'open'")?;
    ensure!(alarms == "1", "{alarms} deviations");
    let (status, _) = site.door.status("dc1", &format!("/deliveries/{id}/{path}"), &[])?;
    ensure!(status == 200, "it cannot be fetched again: {status}");
    let (_, answer) = send(&site, &id, &receipt(&site, &id, "R2")?)?;
    ensure!(answer["status"] == "acknowledged", "{answer}");
    site.check().await
}

#[tokio::test(flavor = "multi_thread")]
async fn some_files_keep_a_delivery_open_and_a_refusal_says_why() -> Result<()> {
    let site = Receivers::open().await?;
    let (_, id) = site.offered("S1", "calls\n").await?;
    let all = receipt(&site, &id, "R")?;
    let files = all["files"].as_array().context("files")?.clone();
    let (_, answer) = send(&site, &id, &json!({ "receipt": "R1", "files": [files[0]] }))?;
    ensure!(answer["status"] == "partly_acknowledged", "{answer}");
    let mut rest = files[1..].to_vec();
    rest[0] = json!({ "path": rest[0]["path"], "outcome": "refused", "reason": "metadata", "text": "no such study" });
    let (_, answer) = send(&site, &id, &json!({ "receipt": "R2", "files": rest }))?;
    ensure!(answer["status"] == "refused", "{answer}");
    let offer = site.door.json("dc1", &format!("/api/v1/offers/{id}"))?;
    let entries = offer["entries"].as_array().context("entries")?;
    let refused: Vec<&Value> = entries.iter().filter(|entry| entry["status"] == "refused").collect();
    ensure!(refused.len() == 1 && refused[0]["reason"] == "metadata", "{offer}");
    site.check().await
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_receipt_is_a_problem_a_line_in_the_log_and_no_change() -> Result<()> {
    let site = Receivers::open().await?;
    let (_, id) = site.offered("S1", "calls\n").await?;
    let good = receipt(&site, &id, "R1")?;
    let accepted = |path: &str| json!({ "path": path, "outcome": "accepted", "sha256": "0".repeat(64) });
    let hostile = [
        "{".to_owned(),
        "[]".to_owned(),
        json!({ "receipt": "R", "files": [] }).to_string(),
        json!({ "receipt": "R", "files": [accepted("data/other.cram")] }).to_string(),
        json!({ "receipt": "R", "files": [accepted("../../etc/passwd")] }).to_string(),
        json!({ "receipt": "R\n", "files": good["files"] }).to_string(),
        json!({ "receipt": "R", "files": [good["files"][0], good["files"][0]] }).to_string(),
        json!({ "receipt": "R", "files": good["files"], "also": 1 }).to_string(),
        json!({ "receipt": "R", "files": [{ "path": "data/S1.vcf", "outcome": "perhaps" }] }).to_string(),
        json!({ "receipt": "R", "files": good["files"], "signature": "-----BEGIN SSH SIGNATURE-----" }).to_string(),
        format!("{{\"receipt\": \"{}\"}}", "x".repeat(10 << 20)),
    ];
    for (number, body) in hostile.iter().enumerate() {
        let begin: String = body.chars().take(80).collect();
        let (status, problem) = site.door.post("dc1", &format!("/api/v1/offers/{id}/receipts"), body)?;
        ensure!((400..500).contains(&status) && problem["detail"].is_string(), "{begin}: {status} {problem}");
        ensure!(count(&site, &id, "receipt_not_taken")? == number + 1, "{begin}: {:?}", site.events(&id)?);
    }
    let offer = site.door.json("dc1", &format!("/api/v1/offers/{id}"))?;
    ensure!(offer["status"] == "offered", "{offer}");
    ensure!(offer["entries"].as_array().is_some_and(|all| all.iter().all(|entry| entry["status"] == "offered")));
    site.check().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receipt_without_measure_is_not_read_to_its_end() -> Result<()> {
    let site = Receivers::open().await?;
    let (_, id) = site.offered("S1", "calls\n").await?;
    let good = receipt(&site, &id, "R1")?.to_string();
    // All of it would be a receipt.
    let most = 1 << 20;
    for (size, wanted) in [(most + 1, 413), (most, 200)] {
        let body = good.clone() + &" ".repeat(size - good.len());
        let (status, said) = site.door.post("dc1", &format!("/api/v1/offers/{id}/receipts"), &body)?;
        ensure!(status == wanted, "{size}: {status} {said}");
        ensure!(count(&site, &id, "receipt_not_taken")? == 1, "{:?}", site.events(&id)?);
    }
    site.check().await
}

#[tokio::test(flavor = "multi_thread")]
async fn where_the_receiver_has_a_key_only_what_it_signed_counts() -> Result<()> {
    let keys = tempfile::tempdir()?;
    for name in ["theirs", "another"] {
        tool("ssh-keygen", &["-q", "-t", "ed25519", "-N", "", "-C", "", "-f", name], keys.path())?;
    }
    let line = std::fs::read_to_string(keys.path().join("theirs.pub"))?;
    let key = sshsig::parse_line(&line).context("a key")?;
    let target = Target { receipt_key: Some(key), ..Target::pulled() };
    let site = Receivers::with(Plan::default(), target).await?;
    let (_, id) = site.offered("S1", "calls\n").await?;
    let mut said = receipt(&site, &id, "R1")?;
    let (status, problem) = send(&site, &id, &said)?;
    ensure!(status == 400 && problem["detail"].as_str().is_some_and(|text| text.contains("not signed")), "{problem}");
    let parsed = kentai_engine::handoff::receipt::Receipt::read(said.to_string().as_bytes())?;
    std::fs::write(keys.path().join("statement"), parsed.statement(&id)?)?;
    for (name, wanted) in [("another", 400), ("theirs", 200)] {
        let _ = std::fs::remove_file(keys.path().join("statement.sig"));
        tool("ssh-keygen", &["-q", "-Y", "sign", "-f", name, "-n", "kentai-receipt", "statement"], keys.path())?;
        said["signature"] = json!(std::fs::read_to_string(keys.path().join("statement.sig"))?);
        let (status, answer) = send(&site, &id, &said)?;
        ensure!(status == wanted, "{name}: {status} {answer}");
    }
    site.check().await
}
