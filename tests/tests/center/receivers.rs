//! An order line whose data is fetched: offered, delivered, acknowledged; and consent that is taken back while bytes flow.

use std::process::Command;
use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use kentai_engine::clock::Clock;
use kentai_engine::decide::retain::Rule;
use kentai_engine::id::RunId;
use kentai_engine::port::courier::Courier;
use kentai_engine::scheduler::Target;
use kentai_engine::scheduler::center::request::Request;
use kentai_engine::scheduler::handle::Refusal;
use kentai_engine::specimen::record::Consent;
use kentai_executors::courier::directory::DirectoryCourier;
use kentai_tests::house::{Act, Plan, operator, person};
use kentai_tests::receivers::Door;
use serde_json::{Value, json};
use tokio::sync::Semaphore;

use super::desk::{Center, officer, short};
use crate::house::handoff::Slow;

/// An order line that is offered to `dc1`: its id and the delivery's.
pub(super) async fn offered(center: &Center, content: String) -> Result<(String, String)> {
    let (specimen, order) = center.announce("T1", "P1").await?;
    center.consent("P1", &["sequencing", "research"]).await?;
    center.receive("T1").await?;
    center.accession(&specimen).await?;
    center.house.hands.plan("a", [Act::Make(vec![("m.json", content)])]);
    center.lane("RUN-P1", "1", &specimen, "600000000").await?;
    center.until_stage(&order, "release_review").await?;
    let run = RunId::from(center.run(&order)?);
    center.release(&run, "review").await?;
    center.until_stage(&order, "offered").await?;
    let rows = center.house.handle().reader().deliveries_of(run.as_str()).await?;
    Ok((order, rows.last().context("a delivery")?.delivery_id.to_string()))
}

pub(super) fn fetched() -> String {
    short().replace("to: outbox", "to: dc1")
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_line_is_done_when_its_receiver_says_so() -> Result<()> {
    let center = Center::open(&fetched()).await?;
    let door = Door::open(&center.house).await?;
    let (order, id) = offered(&center, "{\"q\": 35}".into()).await?;
    let offer = door.json("dc1", &format!("/api/v1/offers/{id}"))?;
    ensure!(offer["order_line"] == order.as_str() && offer["participant"] == "P1", "{offer}");
    ensure!(offer["uses"] == json!(["sequencing", "research"]), "{offer}");
    let mut files = Vec::new();
    for entry in offer["entries"].as_array().context("entries")? {
        let path = entry["path"].as_str().context("a path")?;
        if path.starts_with("data/") {
            door.curl("dc1", entry["url"].as_str().context("an address")?, &["--fail", "--output", "/dev/null"])?;
            files.push(json!({ "path": path, "outcome": "accepted", "sha256": entry["sha256"], "accession": "EGAF1" }));
        }
    }
    center.until_stage(&order, "delivered").await?;
    let receipt = json!({ "receipt": "R1", "files": files }).to_string();
    let (status, answer) = door.post("dc1", &format!("/api/v1/offers/{id}/receipts"), &receipt)?;
    ensure!(status == 200 && answer["status"] == "acknowledged", "{status} {answer}");
    center.until_stage(&order, "acknowledged").await?;
    let told = center
        .house
        .sql(&format!("select document ->> 'accession' from order_line where order_line_id = '{order}'"))?;
    ensure!(told == "EGAF1", "the receiver's name of it is {told:?}");
    drop(door);
    center.house.check().await
}

#[tokio::test(flavor = "multi_thread")]
async fn consent_that_is_withdrawn_cuts_the_download_and_nothing_more_can_be_read() -> Result<()> {
    let center = Center::open(&fetched()).await?;
    let door = Door::open(&center.house).await?;
    let much = format!("{{\"q\": 35, \"more\": \"{}\"}}", "0123456789abcdef".repeat(2 << 20));
    let (_, id) = offered(&center, much).await?;
    let offer = door.json("dc1", &format!("/api/v1/offers/{id}"))?;
    let large = offer["entries"].as_array().and_then(|all| all.iter().max_by_key(|entry| entry["size"].as_u64()));
    let url = large.and_then(|entry| entry["url"].as_str()).context("a file")?;
    let to = door.place("got")?.join("file");
    let mut curl = Command::new("curl")
        .args(["--silent", "--fail", "--limit-rate", "2M", "--output"])
        .arg(&to)
        .args(["--header", &door.bearer("dc1")?, &format!("{}{url}", door.base())])
        .spawn()?;
    // A file tells nobody: it is looked at.
    while !std::fs::metadata(&to).is_ok_and(|found| found.len() > 0) {
        ensure!(curl.try_wait()?.is_none(), "curl ended before anything came");
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    let began = Instant::now();
    let withdraw = Request::Withdraw {
        program: "rare".into(),
        pseudonym: "P1".into(),
        scopes: Vec::new(),
        evidence: "letter 7".into(),
        noticed_us: None,
        reason: String::new(),
    };
    center.ask(withdraw, &officer("sato")).await?;
    let ended = tokio::task::spawn_blocking(move || curl.wait()).await??;
    eprintln!("the download ended {:.2} s after the withdrawal", began.elapsed().as_secs_f64());
    ensure!([Some(18), Some(56)].contains(&ended.code()), "curl ended with {ended}");
    for entry in offer["entries"].as_array().context("entries")? {
        let (status, said) = door.status("dc1", entry["url"].as_str().context("an address")?, &[])?;
        ensure!(status == 410, "{entry}: {status} {said}");
    }
    let feed: Value = door.json("dc1", "/api/v1/offers")?;
    ensure!(feed["items"][0]["status"] == "recalled", "{feed}");
    drop(door);
    center.house.check().await
}

#[tokio::test(flavor = "multi_thread")]
async fn consent_that_ended_lets_nothing_be_fetched_and_calls_nothing_back() -> Result<()> {
    const HOUR_US: i64 = 3_600_000_000;
    let now = 1_780_000_000_000_000;
    let clock = Clock::standing_at(now);
    let center = Center::open_at(&fetched(), clock.clone()).await?;
    let door = Door::open(&center.house).await?;
    let (_, id) = offered(&center, "{\"q\": 35}".into()).await?;
    let consent = Consent {
        document: "form".into(),
        document_version: "4".into(),
        scopes: vec!["sequencing".into(), "research".into()],
        effective_us: now,
        expires_us: Some(now + HOUR_US),
        evidence: "shelf 2".into(),
        ..Consent::default()
    };
    let (program, pseudonym, status) = ("rare".into(), "P1".into(), "given".into());
    center.ask(Request::Consent { program, pseudonym, consent, status }, &operator()).await?;
    let path = format!("/deliveries/{id}/bagit.txt");
    ensure!(door.status("dc1", &path, &[])?.0 == 200);
    clock.advance(HOUR_US);
    let (status, said) = door.status("dc1", &path, &[])?;
    // By the clock, or as it was written down since.
    ensure!(status == 410 && (said.contains("ended") || said.contains("expired")), "{status} {said}");
    let stands =
        center.house.sql(&format!("select status from record where kind = 'delivery' and record_id = '{id}'"))?;
    ensure!(stands == "pulling", "the delivery is {stands}");
    drop(door);
    center.house.check().await
}

#[tokio::test(flavor = "multi_thread")]
async fn consent_that_is_withdrawn_takes_links_and_objects_along() -> Result<()> {
    let center = Center::open(&fetched()).await?;
    let door = Door::open(&center.house).await?;
    let much = format!("{{\"q\": 35, \"more\": \"{}\"}}", "0123456789abcdef".repeat(2 << 20));
    let (_, id) = offered(&center, much).await?;
    let offer = door.json("dc1", &format!("/api/v1/offers/{id}"))?;
    let large = offer["entries"].as_array().and_then(|all| all.iter().max_by_key(|entry| entry["size"].as_u64()));
    let sha256 = large.and_then(|entry| entry["sha256"].as_str()).context("a file")?;
    let objects = "/ga4gh/drs/v1/objects";
    let bundle = format!("{objects}/d-{}", offer["manifest_sha256"].as_str().context("a manifest")?);
    let said = door.json("dc1", &format!("{objects}/f-{sha256}/access/https"))?;
    let link = said["url"].as_str().context("a link")?.to_owned();
    door.json("dc1", &bundle)?;
    let to = door.place("got")?.join("file");
    let mut curl = Command::new("curl")
        .args(["--silent", "--fail", "--limit-rate", "2M", "--output"])
        .arg(&to)
        .arg(&link)
        .spawn()?;
    // A file tells nobody: it is looked at.
    while !std::fs::metadata(&to).is_ok_and(|found| found.len() > 0) {
        ensure!(curl.try_wait()?.is_none(), "curl ended before anything came");
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    // Behind the engine's back: only what is looked up at each request and while bytes flow can notice.
    center.house.sql("update participant set consent = 'withdrawn', consent_epoch = consent_epoch + 1")?;
    let ended = tokio::task::spawn_blocking(move || curl.wait()).await??;
    ensure!([Some(18), Some(56)].contains(&ended.code()), "curl ended with {ended}");
    let path = link.strip_prefix(&door.base()).context("an address of this door")?;
    ensure!(door.status("", path, &[])?.0 == 410, "the link still opens it");
    for path in [format!("{objects}/f-{sha256}"), format!("{objects}/f-{sha256}/access/https"), bundle] {
        let (status, said) = door.status("dc1", &path, &[])?;
        ensure!(status == 404, "{path}: {status} {said}");
    }
    // The house cannot be held against itself any more: its log does not know what was done to its database.
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_arrived_while_consent_was_withdrawn_is_called_back_at_once() -> Result<()> {
    // The courier has carried it, and says so only after the withdrawal.
    let (may, place) = (Arc::new(Semaphore::new(0)), tempfile::tempdir()?);
    let courier = DirectoryCourier::new("outbox", place.path());
    let courier = Some(Arc::new(Slow { courier, may: Arc::clone(&may) }) as Arc<dyn Courier>);
    let center = Center::built(&short(), Plan { courier, ..Plan::default() }).await?;
    let (specimen, order) = center.announce("T1", "P1").await?;
    center.consent("P1", &["sequencing", "research"]).await?;
    center.receive("T1").await?;
    center.accession(&specimen).await?;
    center.house.hands.plan("a", [Act::Make(vec![("m.json", "{\"q\": 35}".into())])]);
    center.lane("RUN-P1", "1", &specimen, "600000000").await?;
    center.until_stage(&order, "release_review").await?;
    center.release(&RunId::from(center.run(&order)?), "review").await?;
    let carried = "select count(*) from delivery where status = 'carrying'";
    center.house.until("the courier", async |house| Ok(house.sql(carried)? == "1")).await?;
    // A directory tells nobody: it is looked at.
    while std::fs::read_dir(place.path())?.flatten().all(|entry| entry.file_name().to_string_lossy().starts_with('.')) {
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    let withdraw = Request::Withdraw {
        program: "rare".into(),
        pseudonym: "P1".into(),
        scopes: Vec::new(),
        evidence: "letter 7".into(),
        noticed_us: None,
        reason: String::new(),
    };
    center.ask(withdraw, &officer("sato")).await?;
    may.add_permits(1);
    let stands = "select coalesce(group_concat(status), '') from record where kind = 'delivery'";
    center.house.until("the delivery", async |house| Ok(!house.sql(stands)?.is_empty())).await?;
    ensure!(center.house.sql(stands)? == "recalled", "it is {}", center.house.sql(stands)?);
    center.house.check().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_late_receipt_holds_the_order_line_until_a_person_looks_and_still_counts() -> Result<()> {
    const DAY_US: i64 = 86_400_000_000;
    let clock = Clock::standing_at(1_780_000_000_000_000);
    let held = fetched().replace("steps.a.m }}\"] }", "steps.a.m }}\"], receipt: { within: 1d, if_late: hold } }");
    ensure!(held.contains("if_late"), "{held}");
    let center = Center::open_at(&held, clock.clone()).await?;
    let door = Door::open(&center.house).await?;
    let (order, id) = offered(&center, "{\"q\": 35}".into()).await?;
    clock.advance(DAY_US);
    let hold = format!("select coalesce(hold ->> 'reason', '') from order_line where order_line_id = '{order}'");
    center.house.until("the hold", async |house| Ok(!house.sql(&hold)?.is_empty())).await?;
    let reason = center.house.sql(&hold)?;
    ensure!(reason.contains(&id) && reason.contains("owner: dc1"), "{reason}");
    let told = center
        .house
        .sql("select count(*) from record where kind = 'notice' and document ->> 'subject' = 'receipt.late'")?;
    ensure!(told == "1", "{told} notices");
    center.ask(Request::Resume { order_line: order.clone() }, &operator()).await?;
    // It is not held a second time for the same offer.
    clock.advance(DAY_US);
    let offer = door.json("dc1", &format!("/api/v1/offers/{id}"))?;
    let files: Vec<Value> = offer["entries"]
        .as_array()
        .context("entries")?
        .iter()
        .filter(|entry| entry["path"].as_str().is_some_and(|path| path.starts_with("data/")))
        .map(|entry| json!({ "path": entry["path"], "outcome": "accepted", "sha256": entry["sha256"] }))
        .collect();
    let receipt = json!({ "receipt": "R1", "files": files }).to_string();
    let (status, answer) = door.post("dc1", &format!("/api/v1/offers/{id}/receipts"), &receipt)?;
    ensure!(status == 200 && answer["status"] == "acknowledged", "{status} {answer}");
    center.until_stage(&order, "acknowledged").await?;
    ensure!(center.house.sql(&hold)?.is_empty(), "it is held again");
    drop(door);
    center.house.check().await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_offer_that_waits_is_not_sent_after_consent_is_withdrawn() -> Result<()> {
    // Nobody listens there: the letter waits for its next try.
    let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
    let port = listener.local_addr()?.port();
    drop(listener);
    let clock = Clock::standing_at(1_780_000_000_000_000);
    let subscribers = vec![crate::house::notices::hook("dc1", port, &[crate::house::notices::OLD])?];
    let center = Center::open_with(&fetched(), clock, subscribers).await?;
    let (_, id) = offered(&center, "{\"q\": 35}".into()).await?;
    let stands = format!(
        "select status || ' ' || json_extract(document, '$.letters[0].state') from record \
         where kind = 'notice' and parent = '{id}' and document ->> 'subject' = 'sample.offered'"
    );
    center.house.until("the offer's letter", async |house| Ok(house.sql(&stands)? == "sending due")).await?;
    let withdraw = Request::Withdraw {
        program: "rare".into(),
        pseudonym: "P1".into(),
        scopes: Vec::new(),
        evidence: "letter 7".into(),
        noticed_us: None,
        reason: String::new(),
    };
    center.ask(withdraw, &officer("sato")).await?;
    ensure!(center.house.sql(&stands)? == "called_back called_back", "{}", center.house.sql(&stands)?);
    let recalled = "select count(*) from record where kind = 'notice' and document ->> 'subject' = 'delivery.recalled'";
    ensure!(center.house.sql(recalled)? == "1", "the receiver is not told");
    // Files are not looked at while they are being closed.
    let sealed = "select status from record where kind = 'case'";
    center.house.until("the files are closed", async |house| Ok(house.sql(sealed)? == "sealed")).await?;
    center.house.check().await
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_held_or_withdrawn_between_the_two_people_is_not_retired() -> Result<()> {
    let retain = Some(Rule { after_receipt_us: 0, copies: 2 });
    let targets = [("dc1".to_owned(), Target { retain, ..Target::pulled() })].into();
    let center = Center::built(&fetched(), Plan { targets, ..Plan::default() }).await?;
    let door = Door::open(&center.house).await?;
    let (order, id) = offered(&center, "{\"q\": 35}".into()).await?;
    let offer = door.json("dc1", &format!("/api/v1/offers/{id}"))?;
    let entries = offer["entries"].as_array().context("entries")?.iter();
    let payload = entries.filter(|entry| entry["path"].as_str().is_some_and(|path| path.starts_with("data/")));
    let said = |entry: &Value| json!({ "path": entry["path"], "outcome": "accepted", "sha256": entry["sha256"] });
    let receipt = json!({ "receipt": "R1", "copies": 2, "files": payload.map(said).collect::<Vec<_>>() });
    let (status, answer) = door.post("dc1", &format!("/api/v1/offers/{id}/receipts"), &receipt.to_string())?;
    ensure!(status == 200 && answer["status"] == "acknowledged", "{status} {answer}");
    let retire = || Request::Retire { delivery: id.clone(), reason: "the time is over".into(), dry_run: false };
    center.ask(Request::Hold { order_line: order.clone(), reason: "a question".into() }, &operator()).await?;
    let said = center.refused(retire(), &operator()).await?.to_string();
    ensure!(said.contains(&format!("order line {order} is held by suzuki: a question")), "{said}");
    center.ask(Request::Resume { order_line: order.clone() }, &operator()).await?;
    let first = center.ask(retire(), &operator()).await?.proposal.context("a proposal")?;
    let oda = person("oda", "operator");
    // Everything is looked at again when the second person says yes.
    center.ask(Request::Hold { order_line: order.clone(), reason: "a question".into() }, &operator()).await?;
    let said = center.refused(Request::Confirm { proposal: first.clone() }, &oda).await?;
    ensure!(matches!(&said, Refusal::State(said) if said.contains("is held by")), "{said}");
    center.ask(Request::Resume { order_line: order.clone() }, &operator()).await?;
    let withdraw = Request::Withdraw {
        program: "rare".into(),
        pseudonym: "P1".into(),
        scopes: vec!["sequencing".into()],
        evidence: "letter 7".into(),
        noticed_us: None,
        reason: String::new(),
    };
    center.ask(withdraw, &officer("sato")).await?;
    let said = center.refused(Request::Confirm { proposal: first }, &oda).await?.to_string();
    ensure!(said.contains("withdrawal case") && said.contains("is decided there"), "{said}");
    ensure!(center.house.sql("select count(*) from record where kind = 'retirement'")? == "0");
    drop(door);
    center.house.check().await
}
