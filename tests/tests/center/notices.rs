//! A withdrawal's notices: they leave by letters, are read by those alone who may see withdrawals, and end when somebody answers.

use anyhow::{Context as _, Result, ensure};
use kentai_engine::clock::{Clock, now};
use kentai_engine::people::permission::Principal;
use kentai_engine::people::role::Role;
use kentai_engine::scheduler::center::request::Request;
use kentai_engine::scheduler::handle::Refusal;
use kentai_engine::view::center;
use kentai_engine::view::center::report::{OmissionFilter, omissions};
use kentai_tests::house::{operator, person};
use kentai_tests::receiver::Receiver;
use kentai_workflows::diagnostic::Language;

use super::desk::{Center, officer, short};
use crate::house::notices::{OLD, hook};

fn who(role: Role) -> Principal {
    Principal { name: role.word().into(), roles: vec![role], ..Principal::default() }
}

/// A tube that is at the biobank, of somebody who then takes consent back.
async fn withdrawn(center: &Center) -> Result<()> {
    let (specimen, _) = center.announce("T1", "P1").await?;
    center.consent("P1", &["sequencing"]).await?;
    center.receive("T1").await?;
    for event in ["packed", "handed_over"] {
        let custody = Request::Custody {
            specimen: specimen.clone(),
            event: event.into(),
            holder: "biobank".into(),
            transfer: String::new(),
            accession: String::new(),
            receipt: String::new(),
        };
        center.ask(custody, &operator()).await?;
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
    Ok(())
}

fn status(center: &Center) -> Result<String> {
    center.house.sql("select status from record where kind = 'notice'")
}

#[tokio::test]
async fn a_withdrawal_reaches_the_biobank_and_waits_for_its_answer() -> Result<()> {
    let Some(mut receiver) = Receiver::start("webhook.py", &[OLD, "200"]).await? else { return Ok(()) };
    let center = Center::open_with(&short(), Clock::Machine, vec![hook("biobank", receiver.port, &[OLD])?]).await?;
    withdrawn(&center).await?;
    let seen = receiver.next().await?;
    let case = center.house.sql("select record_id from record where kind = 'case'")?;
    ensure!(seen["verified"] == true && seen["attributes"]["type"] == "kentai.withdrawal", "{seen}");
    ensure!(seen["attributes"]["subject"] == case.as_str() && seen["data"]["custody"] == "in_transit", "{seen}");
    let state = "select json_extract(document, '$.letters[0].state') from record where kind = 'notice'";
    center.house.until("it to be taken", async |house| Ok(house.sql(state)? == "taken")).await?;
    // It was taken; it is not answered.
    ensure!(status(&center)? == "pending", "{}", status(&center)?);
    let id = seen["id"].as_str().context("an id")?.to_owned();
    center.ask(Request::NoticeAnswered { notice: id.clone(), receipt: "mail 12".into() }, &officer("sato")).await?;
    ensure!(status(&center)? == "answered");
    let again = center.refused(Request::NoticeAgain { notice: id }, &officer("sato")).await?;
    ensure!(matches!(again, Refusal::State(_)), "{again}");
    center.house.check().await
}

#[tokio::test]
async fn who_may_not_see_withdrawals_learns_nothing_of_their_letters() -> Result<()> {
    let Some(_receiver) = Receiver::start("webhook.py", &[OLD, "410"]).await? else { return Ok(()) };
    let center = Center::open_with(&short(), Clock::Machine, vec![hook("*", _receiver.port, &[OLD])?]).await?;
    withdrawn(&center).await?;
    center.house.until("it to be given up", async |_| Ok(status(&center)? == "undelivered")).await?;
    let id = center.house.sql("select record_id from record where kind = 'notice'")?;
    let reader = center.house.handle().reader();
    let filter = OmissionFilter { kind: Some("undelivered_notice".into()), after: None, limit: 9 };
    for (role, sees) in
        [(Role::WithdrawalOfficer, true), (Role::Auditor, true), (Role::Operator, false), (Role::Reviewer, false)]
    {
        let who = who(role);
        let pages = omissions(reader, &who, now(), &filter).await?;
        ensure!(pages.iter().any(|page| !page.items.is_empty()) == sees, "{role}: {pages:?}");
        let owners: Vec<&str> = pages.iter().flat_map(|page| &page.items).map(|one| one.owner.as_str()).collect();
        ensure!(owners.iter().all(|owner| *owner == "withdrawal_officer"), "{role}: {owners:?}");
        ensure!(center::notices(reader, &who, None, None, 9).await?.items.is_empty() != sees, "{role} in a list");
        ensure!(center::notice(reader, &who, &id).await.is_ok() == sees, "{role} by id");
        let why = center::why(reader, &who, &id, now(), Language::Ja).await;
        ensure!(matches!(why, Ok(Some(_))) == sees, "{role}: {why:?}");
    }
    // To an operator a withdrawal's notice and one that is not there are one thing.
    let again = |notice: &str| Request::NoticeAgain { notice: notice.into() };
    let foreign = center.refused(again(&id), &operator()).await?.to_string();
    let missing = center.refused(again("n0"), &operator()).await?.to_string();
    ensure!(foreign.replace(&id, "n0") == missing, "{foreign}\n{missing}");
    let refused = center.refused(again(&id), &person("kato", "auditor")).await?;
    ensure!(matches!(refused, Refusal::NotAllowed(_)), "{refused}");
    center.ask(again(&id), &officer("sato")).await?;
    center.house.until("it to be given up again", async |_| Ok(status(&center)? == "undelivered")).await?;
    // An answer by another way ends it.
    center.ask(Request::NoticeAnswered { notice: id, receipt: "call".into() }, &officer("sato")).await?;
    ensure!(omissions(reader, &who(Role::Auditor), now(), &filter).await?.iter().all(|page| page.items.is_empty()));
    center.house.check().await
}

#[tokio::test]
async fn what_is_answered_before_its_letter_arrived_is_not_sent_any_more() -> Result<()> {
    let Some(mut receiver) = Receiver::start("webhook.py", &[OLD, "500"]).await? else { return Ok(()) };
    let clock = Clock::standing_at(now());
    let center = Center::open_with(&short(), clock.clone(), vec![hook("biobank", receiver.port, &[OLD])?]).await?;
    withdrawn(&center).await?;
    let seen = receiver.next().await?;
    let tries = "select json_extract(document, '$.letters[0].tries') from record where kind = 'notice'";
    center.house.until("its answer", async |house| Ok(house.sql(tries)? == "1")).await?;
    let notice = seen["id"].as_str().context("an id")?.to_owned();
    center.ask(Request::NoticeAnswered { notice, receipt: "call".into() }, &officer("sato")).await?;
    clock.advance(86_400_000_000);
    // The engine has looked at the time when it has answered.
    center.receive("T9").await?;
    receiver.no_more().await?;
    let state = "select json_extract(document, '$.letters[0].state') from record where kind = 'notice'";
    ensure!(center.house.sql(state)? == "dropped" && status(&center)? == "answered");
    center.house.check().await
}
