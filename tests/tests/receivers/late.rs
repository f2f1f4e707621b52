//! Receipts that are late: what the workflow wants then is done once for each offer, by this engine or the next, and it is seen.

use anyhow::{Context as _, Result, ensure};
use kentai_engine::clock::{Clock, now};
use kentai_engine::people::permission::Principal;
use kentai_engine::people::role::Role;
use kentai_engine::scheduler::Target;
use kentai_engine::scheduler::center::request::Request;
use kentai_engine::view::center;
use kentai_engine::view::center::report::{Omission, OmissionFilter, omissions};
use kentai_tests::house::Plan;
use kentai_tests::receiver::Receiver;
use kentai_tests::receivers::Receivers;
use kentai_workflows::diagnostic::Language;

use super::receipts::{receipt, send};
use crate::house::notices::{OLD, hook};

const DAY_US: i64 = 86_400_000_000;

fn operator() -> Principal {
    Principal { name: "abe".into(), roles: vec![Role::Operator], ..Principal::default() }
}

async fn late(site: &Receivers, clock: &Clock) -> Result<Vec<Omission>> {
    let filter = OmissionFilter { kind: Some("late_receipt".into()), after: None, limit: 9 };
    let pages = omissions(site.house.handle().reader(), &operator(), clock.now(), &filter).await?;
    Ok(pages.into_iter().flat_map(|page| page.items).collect())
}

fn count(site: &Receivers, id: &str, event: &str) -> Result<usize> {
    Ok(site.events(id)?.iter().filter(|word| *word == event).count())
}

fn notices(site: &Receivers, id: &str) -> Result<String> {
    site.house.sql(&format!(
        "select count(*) from record where kind = 'notice' and parent = '{id}' and document ->> 'subject' = 'receipt.late'"
    ))
}

/// What was asked is answered after the turn that has looked at the time.
fn turn(site: &Receivers, id: &str) -> Result<()> {
    let (status, problem) = site.door.post("dc1", &format!("/api/v1/offers/{id}/receipts"), "{}")?;
    ensure!(status == 400, "{status} {problem}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_late_receipt_is_told_once_and_again_only_after_another_offer() -> Result<()> {
    let Some(mut receiver) = Receiver::start("webhook.py", &[OLD, "200"]).await? else { return Ok(()) };
    let clock = Clock::standing_at(now());
    let plan = Plan { clock: clock.clone(), subscribers: vec![hook("dc1", receiver.port, &[OLD])?], ..Plan::default() };
    let mut site = Receivers::with(plan, Target::pulled()).await?;
    let (_, id) = site.offered_with("S1", "calls\n", "receipt: { within: 2d, if_late: notify }").await?;
    ensure!(receiver.next().await?["attributes"]["type"] == "kentai.sample.offered");
    // Another engine's alarm is as good.
    site.again().await?;
    clock.advance(2 * DAY_US - 1);
    turn(&site, &id)?;
    ensure!(count(&site, &id, "receipt_late")? == 0 && late(&site, &clock).await?.is_empty(), "too early");
    clock.advance(1);
    site.until_event(&id, "receipt_late").await?;
    let mut seen = receiver.next().await?;
    // The engine that sent the first letter may have ended before it wrote down that it arrived: then it comes again, under its id.
    while seen["attributes"]["type"] == "kentai.sample.offered" {
        seen = receiver.next().await?;
    }
    // Its signature is of a time that the receiver's own clock has not come to: only what it says is looked at.
    ensure!(seen["attributes"]["type"] == "kentai.receipt.late", "{seen}");
    let data = &seen["data"];
    ensure!(data["delivery"] == id.as_str() && data["owner"] == "dc1" && data["specimen"] == "S1", "{seen}");
    let shown = late(&site, &clock).await?;
    ensure!(shown.len() == 1 && shown[0].thing == format!("delivery {id}"), "{shown:?}");
    ensure!(shown[0].owner == "data_center" && shown[0].en.contains("dc1") && shown[0].due.is_some(), "{shown:?}");
    let reader = site.house.handle().reader();
    let why = center::why(reader, &operator(), &id, clock.now() + 1, Language::En).await?.context("known")?;
    let why = why.iter().find(|one| one.stuck).context("it is stuck")?;
    ensure!(why.owner.as_deref() == Some("dc1") && why.said.contains("receipt is late since"), "{why:?}");
    ensure!(why.said.contains("dc1 was told at"), "{why:?}");
    // Once, whatever time passes and whichever engine looks.
    site.again().await?;
    clock.advance(30 * DAY_US);
    turn(&site, &id)?;
    ensure!(count(&site, &id, "receipt_late")? == 1 && notices(&site, &id)? == "1", "{:?}", site.events(&id)?);
    site.ask("operator", Request::Reoffer { delivery: id.clone(), days: 30, reason: "they asked".into() }).await?;
    ensure!(late(&site, &clock).await?.is_empty(), "it has as long again");
    clock.advance(2 * DAY_US);
    turn(&site, &id)?;
    ensure!(count(&site, &id, "receipt_late")? == 2 && notices(&site, &id)? == "2", "{:?}", site.events(&id)?);
    let (_, answer) = send(&site, &id, &receipt(&site, &id, "R1")?)?;
    ensure!(answer["status"] == "acknowledged" && late(&site, &clock).await?.is_empty(), "{answer}");
    site.check().await
}

#[tokio::test(flavor = "multi_thread")]
async fn who_answered_in_time_hears_nothing_and_without_a_wish_it_is_only_shown() -> Result<()> {
    let clock = Clock::standing_at(now());
    let site = Receivers::with(Plan { clock: clock.clone(), ..Plan::default() }, Target::pulled()).await?;
    let (_, answered) = site.offered_with("S1", "calls\n", "receipt: { within: 2d, if_late: fail }").await?;
    let (_, silent) = site.offered_with("S2", "others\n", "receipt: { within: 2d }").await?;
    let (_, answer) = send(&site, &answered, &receipt(&site, &answered, "R1")?)?;
    ensure!(answer["status"] == "acknowledged", "{answer}");
    clock.advance(3 * DAY_US);
    turn(&site, &silent)?;
    ensure!(count(&site, &answered, "receipt_late")? == 0 && count(&site, &silent, "receipt_late")? == 0);
    let shown = late(&site, &clock).await?;
    ensure!(shown.len() == 1 && shown[0].thing == format!("delivery {silent}"), "{shown:?}");
    site.check().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_late_receipt_that_is_a_failure_ends_the_offer_and_opens_a_deviation() -> Result<()> {
    let clock = Clock::standing_at(now());
    let site = Receivers::with(Plan { clock: clock.clone(), ..Plan::default() }, Target::pulled()).await?;
    let (_, id) = site.offered_with("S1", "calls\n", "receipt: { required: true, if_late: fail }").await?;
    clock.advance(3 * DAY_US);
    site.until_event(&id, "expired").await?;
    let (status, said) = site.door.status("dc1", &format!("/deliveries/{id}/bagit.txt"), &[])?;
    ensure!(status == 410, "{status} {said}");
    let open =
        site.house.sql("select document ->> 'about' from record where kind = 'deviation' and status = 'open'")?;
    ensure!(open == format!("delivery {id}"), "{open}");
    // Nobody subscribes: the signed file is there to be carried.
    ensure!(notices(&site, &id)? == "1" && count(&site, &id, "receipt_late")? == 1);
    ensure!(late(&site, &clock).await?.is_empty(), "what is over waits for nothing");
    site.check().await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_offer_that_ends_while_no_engine_runs_was_late_before_it_ended() -> Result<()> {
    let clock = Clock::standing_at(now());
    let target = Target { keep_s: 2 * 86_400, ..Target::pulled() };
    let mut site = Receivers::with(Plan { clock: clock.clone(), ..Plan::default() }, target).await?;
    let (_, id) = site.offered_with("S1", "calls\n", "receipt: { within: 2d, if_late: notify }").await?;
    site.house.stop().await?;
    clock.advance(5 * DAY_US);
    site.house.start().await?;
    site.until_event(&id, "expired").await?;
    ensure!(count(&site, &id, "receipt_late")? == 1 && notices(&site, &id)? == "1", "{:?}", site.events(&id)?);
    site.check().await
}
