//! The end of the copies here: not before everything is in order, not by one person, gone from the disk, and proved.

use std::path::Path;
use std::process::{Command, Output, Stdio};

use anyhow::{Context, Result, ensure};
use kentai_engine::clock::Clock;
use kentai_engine::decide::retain::Rule;
use kentai_engine::scheduler::Target;
use kentai_engine::scheduler::center::request::{Answer, Request};
use kentai_engine::scheduler::handle::Refusal;
use kentai_tests::house::{Plan, person};
use kentai_tests::receivers::Receivers;
use kentai_tests::{kentai, tool};
use serde_json::{Value, json};

const DAY_US: i64 = 86_400_000_000;
/// What is looked for on the disk.
const CONTENT: &str = "calls that are found nowhere else\n";

async fn open(clock: Clock, days: i64) -> Result<Receivers> {
    let retain = Some(Rule { after_receipt_us: days * DAY_US, copies: 2 });
    Receivers::with(Plan { clock, ..Plan::default() }, Target { retain, ..Target::pulled() }).await
}

fn retire(delivery: &str) -> Request {
    Request::Retire { delivery: delivery.into(), reason: "the time is over".into(), dry_run: false }
}

async fn ask(site: &Receivers, name: &str, request: Request) -> Result<Answer, Refusal> {
    site.house.handle().center(request, &person(name, "operator")).await
}

/// Why it is refused.
async fn refused(site: &Receivers, delivery: &str) -> Result<String> {
    let answer = ask(site, "abe", retire(delivery)).await;
    Ok(answer.err().context("it was not refused")?.to_string())
}

/// One proposes, another confirms, and the bytes are gone.
async fn retired(site: &Receivers, delivery: &str) -> Result<Answer> {
    let proposal = ask(site, "abe", retire(delivery)).await?.proposal.context("a proposal")?;
    let answer = ask(site, "oda", Request::Confirm { proposal }).await?;
    let done =
        format!("select count(*) from record where kind = 'retirement' and parent = '{delivery}' and status = 'done'");
    site.house.until("the certificate", async |house| Ok(house.sql(&done)? == "1")).await?;
    Ok(answer)
}

/// Every file with the checksum that the offer says, and so many copies.
fn acknowledge(site: &Receivers, delivery: &str, name: &str, copies: Option<u32>) -> Result<()> {
    let offer = site.door.json("dc1", &format!("/api/v1/offers/{delivery}"))?;
    let entries = offer["entries"].as_array().context("entries")?.iter();
    let payload = entries.filter(|entry| entry["path"].as_str().is_some_and(|path| path.starts_with("data/")));
    let said = |entry: &Value| json!({ "path": entry["path"], "outcome": "accepted", "sha256": entry["sha256"] });
    let files: Vec<Value> = payload.map(said).collect();
    let mut receipt = json!({ "receipt": name, "files": files });
    if let Some(copies) = copies {
        receipt["copies"] = copies.into();
    }
    let (status, answer) =
        site.door.post("dc1", &format!("/api/v1/offers/{delivery}/receipts"), &receipt.to_string())?;
    ensure!(status == 200 && answer["status"] == "acknowledged", "{status} {answer}");
    Ok(())
}

/// Files beneath these directories of the site that hold the text.
fn holding(site: &Path, text: &str) -> Result<String> {
    let script = "grep -rlF -- \"$1\" artifacts attempts samples 2>/dev/null || true";
    tool("sh", &["-c", script, "sh", text.trim()], site)
}

/// Runs the program on the site.
fn verb(site: &Receivers, arguments: &[&str]) -> Result<Output> {
    let place = site.house.site();
    let mut command = Command::new(kentai()?);
    command.arg("--site").arg(&place).args(arguments).current_dir(site.house.directory.path()).stdin(Stdio::null());
    Ok(command.output()?)
}

fn told(site: &Receivers, arguments: &[&str]) -> Result<String> {
    let Output { status, stdout, stderr } = verb(site, arguments)?;
    ensure!(status.success(), "{arguments:?}: {status} {}", String::from_utf8_lossy(&stderr));
    Ok(String::from_utf8(stdout)?)
}

/// The receiver's own client.
async fn pull(site: &Receivers, arguments: &[&str]) -> Result<()> {
    let place = site.door.place("theirs")?;
    let arguments: Vec<String> = arguments.iter().map(|one| (*one).to_owned()).collect();
    let output = tokio::task::spawn_blocking(move || {
        let mut command = Command::new(kentai()?);
        command.arg("pull").args(&arguments).current_dir(place).stdin(Stdio::null()).env_remove("KENTAI_TOKEN");
        Ok::<_, anyhow::Error>(command.output()?)
    });
    let Output { status, stderr, .. } = output.await??;
    ensure!(status.success(), "{status} {}", String::from_utf8_lossy(&stderr));
    Ok(())
}

/// OpenSSL says whether the site's key signed the certificate.
fn is_signed(site: &Path, certificate: &Value) -> Result<Value> {
    let text = certificate["text"].as_str().context("a text")?;
    let (_, signature) = certificate["signature"].as_str().and_then(|one| one.split_once(':')).context("signed")?;
    let public = std::fs::read_to_string(site.join("secrets/audit.pub"))?;
    let place = tempfile::tempdir()?;
    std::fs::write(place.path().join("message"), format!("kentai certificate 1\n{text}"))?;
    // SubjectPublicKeyInfo of an Ed25519 key (RFC 8410) is this head and the key.
    let script = "printf %s \"302a300506032b6570032100$1\" | xxd -r -p > key.der && printf %s \"$2\" | xxd -r -p > signature && \
        openssl pkeyutl -verify -pubin -keyform DER -inkey key.der -rawin -in message -sigfile signature";
    let said = tool("sh", &["-c", script, "sh", public.trim(), signature], place.path())?;
    ensure!(said.contains("Signature Verified Successfully"), "{said}");
    Ok(serde_json::from_str(text)?)
}

#[tokio::test(flavor = "multi_thread")]
async fn copies_go_when_everything_is_in_order_and_two_people_say_so() -> Result<()> {
    let clock = Clock::standing_at(1_780_000_000_000_000);
    let mut site = open(clock.clone(), 90).await?;
    let (_, id) = site.offered("S1", CONTENT).await?;
    let here = site.house.site();
    std::fs::write(here.join("kentai.yaml"), "targets: { dc1: { kind: pull, retain: { after_receipt: 90d } } }\n")?;
    ensure!(refused(&site, &id).await?.contains("acknowledged 0 of"), "{}", refused(&site, &id).await?);
    std::fs::write(site.door.place("theirs")?.join("token"), &site.door.tokens["dc1"])?;
    let base = site.door.base();
    pull(&site, &["login", &base, "--token-file", "token", "--trust-first"]).await?;
    pull(&site, &["get", "--all", "--acknowledge"]).await?;
    let said = refused(&site, &id).await?;
    ensure!(said.contains("is not over until 2026-08-26") && said.contains("1 of 2 copies"), "{said}");
    let listed = told(&site, &["handoff", "retire", "--list"])?;
    ensure!(listed.contains("1 of 2 copies") && listed.contains("acknowledged"), "{listed}");
    pull(&site, &["acknowledge", &id, "--copies", "2"]).await?;
    let said = refused(&site, &id).await?;
    ensure!(said.contains("is not over") && !said.contains("copies elsewhere"), "{said}");
    let dry = Request::Retire { delivery: id.clone(), reason: String::new(), dry_run: true };
    let answer = ask(&site, "abe", dry).await?;
    ensure!(answer.dry_run && answer.notes.iter().any(|note| note.contains("is not over")), "{answer:?}");

    clock.advance(90 * DAY_US);
    let offer = site.door.json("dc1", &format!("/api/v1/offers/{id}"))?;
    let entries = offer["entries"].as_array().context("entries")?.clone();
    let sha256 = entries.iter().find(|entry| entry["path"] == "data/S1.vcf").context("a file")?["sha256"].clone();
    let object = format!("/ga4gh/drs/v1/objects/f-{}", sha256.as_str().context("a digest")?);
    ensure!(site.door.status("dc1", &object, &[])?.0 == 200, "it is no object");
    ensure!(!holding(&here, CONTENT)?.is_empty(), "it is not looked for where it is");
    let proposal = ask(&site, "abe", retire(&id)).await?.proposal.context("a proposal")?;
    let alone = ask(&site, "abe", Request::Confirm { proposal: proposal.clone() }).await;
    ensure!(matches!(alone, Err(Refusal::NotAllowed(_))), "one person did it: {alone:?}");
    ensure!(!holding(&here, CONTENT)?.is_empty() && site.events(&id)?.last().is_some_and(|last| last != "retired"));
    ask(&site, "oda", Request::Confirm { proposal }).await?;
    let done = "select count(*) from record where kind = 'retirement' and status = 'done'";
    site.house.until("the certificate", async |house| Ok(house.sql(done)? == "1")).await?;
    ensure!(holding(&here, CONTENT)?.is_empty(), "it is still in {}", holding(&here, CONTENT)?);

    for entry in &entries {
        let (status, said) = site.door.status("dc1", entry["url"].as_str().context("an address")?, &[])?;
        ensure!(status == 410 && said.contains("retired"), "{entry}: {status} {said}");
    }
    ensure!(site.door.status("dc1", &object, &[])?.0 == 404, "the object is there");
    let feed = site.door.json("dc1", "/api/v1/offers")?;
    ensure!(feed["items"][0]["status"] == "retired", "{feed}");
    let theirs = site.door.json("dc1", &format!("/api/v1/deliveries/{id}"))?;
    ensure!(theirs["retirement"].is_null(), "the receiver is told who: {theirs}");
    ensure!(refused(&site, &id).await?.contains("went before"));

    let shown: Value = serde_json::from_str(&told(&site, &["--json", "handoff", "show", &id])?)?;
    let proof = is_signed(&here, &shown["retirement"]["certificate"])?;
    ensure!(proof["delivery"] == id.as_str() && proof["proposed_by"] == "abe" && proof["confirmed_by"] == "oda");
    ensure!(
        proof["receiver_copies"] == 2 && proof["receipts"].as_object().is_some_and(|all| all.len() == 2),
        "{proof}"
    );
    let files = proof["files"].as_array().context("files")?;
    let one = files.iter().find(|file| file["path"] == "data/S1.vcf").context("the file")?;
    ensure!(one["sha256"] == sha256 && one["fate"] == "destroyed" && one["certificate"]["at_us"].is_i64(), "{one}");
    ensure!(told(&site, &["handoff", "show", &id])?.contains("certificate"));
    told(&site, &["provenance", "export", "--delivery", &id, "--format", "prov-json", "--output", "-"])?;
    site.house.stop().await?;
    told(&site, &["admin", "audit", "export", "audit.jsonl"])?;
    told(
        &site,
        &["admin", "audit", "verify", "audit.jsonl", "--key", &here.join("secrets/audit.pub").to_string_lossy()],
    )?;
    site.check().await
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_cut_off_before_the_bytes_went_is_done_at_the_next_start() -> Result<()> {
    let mut site = open(Clock::Machine, 0).await?;
    let (_, id) = site.offered("S1", CONTENT).await?;
    acknowledge(&site, &id, "R1", Some(2))?;
    let here = site.house.site();
    // Nothing can be destroyed as long as this is no directory.
    std::fs::write(here.join("artifacts/sealed"), "")?;
    let proposal = ask(&site, "abe", retire(&id)).await?.proposal.context("a proposal")?;
    ask(&site, "oda", Request::Confirm { proposal }).await?;
    let stands = "select status from record where kind = 'retirement'";
    ensure!(site.house.sql(stands)? == "confirmed", "{}", site.house.sql(stands)?);
    site.house.stop().await?;
    ensure!(!holding(&here, CONTENT)?.is_empty() && site.house.sql(stands)? == "confirmed", "it went all the same");
    std::fs::remove_file(here.join("artifacts/sealed"))?;
    site.again().await?;
    site.house.until("the certificate", async |house| Ok(house.sql(stands)? == "done")).await?;
    ensure!(holding(&here, CONTENT)?.is_empty(), "it is still in {}", holding(&here, CONTENT)?);
    ensure!(site.door.status("dc1", &format!("/deliveries/{id}/bagit.txt"), &[])?.0 == 410);
    site.check().await
}

#[tokio::test(flavor = "multi_thread")]
async fn what_another_delivery_needs_stays_until_that_one_goes() -> Result<()> {
    let site = open(Clock::Machine, 0).await?;
    let here = site.house.site();
    let (_, first) = site.offered("S1", CONTENT).await?;
    let (_, second) = site.offered("S2", CONTENT).await?;
    acknowledge(&site, &first, "R1", None)?;
    let said = refused(&site, &first).await?;
    ensure!(said.contains(&format!("delivery {second}")) && said.contains("needs the same file"), "{said}");
    ensure!(said.contains("1 of 2 copies"), "{said}");
    for id in [&first, &second] {
        let archived = Request::Archived { delivery: id.clone(), place: "tape 7".into(), note: String::new() };
        ask(&site, "abe", archived.clone()).await?;
        ensure!(ask(&site, "oda", archived).await?.unchanged == 1);
    }
    acknowledge(&site, &second, "R1", None)?;
    let answer = retired(&site, &first).await?;
    ensure!(answer.notes.iter().any(|note| note.contains("data/S1.vcf stays") && note.contains(&second)), "{answer:?}");
    ensure!(holding(&here, "notes of S1")?.is_empty() && !holding(&here, CONTENT)?.is_empty());
    ensure!(site.door.status("dc1", &format!("/deliveries/{second}/data/S2.vcf"), &[])?.0 == 200);
    retired(&site, &second).await?;
    ensure!(holding(&here, CONTENT)?.is_empty(), "it is still in {}", holding(&here, CONTENT)?);
    let kept =
        site.house.sql("select json_extract(document, '$.archives[0].place') from record where kind = 'retirement'")?;
    ensure!(kept == "tape 7\ntape 7", "{kept}");
    site.check().await
}

#[tokio::test(flavor = "multi_thread")]
async fn other_bytes_at_the_receiver_and_an_open_deviation_keep_everything() -> Result<()> {
    let site = open(Clock::Machine, 0).await?;
    let (_, id) = site.offered("S1", CONTENT).await?;
    let offer = site.door.json("dc1", &format!("/api/v1/offers/{id}"))?;
    let path = "data/S1.vcf";
    ensure!(offer["entries"].as_array().is_some_and(|all| all.iter().any(|entry| entry["path"] == path)), "{offer}");
    let wrong =
        json!({ "receipt": "R0", "files": [{ "path": path, "outcome": "accepted", "sha256": "0".repeat(64) }] });
    site.door.post("dc1", &format!("/api/v1/offers/{id}/receipts"), &wrong.to_string())?;
    ensure!(refused(&site, &id).await?.contains("other bytes than were sent: data/S1.vcf"));
    acknowledge(&site, &id, "R1", Some(2))?;
    let deviation = site.house.sql("select record_id from record where kind = 'deviation'")?;
    let said = refused(&site, &id).await?;
    ensure!(said.contains(&format!("deviation {deviation} about it is open")) && !said.contains("bytes"), "{said}");
    ask(&site, "abe", Request::DeviationClose { deviation, action: "sent again".into() }).await?;
    retired(&site, &id).await?;
    site.check().await
}
