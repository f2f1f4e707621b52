//! Nothing leaves, and nothing that ended begins again, on one person's word.

use anyhow::{Context, Result, ensure};
use kentai_engine::id::RunId;
use kentai_engine::scheduler::center::request::Request;
use kentai_engine::scheduler::handle::{AnswerKind, Refusal};
use kentai_tests::house::{Act, operator, person, workflow};

use super::desk::{Center, short};

/// A workflow that nobody is asked in.
fn unasked() -> String {
    workflow(
        "  a:
    outputs: { m: { path: m.json, keep: true } }
    script: x
  give:
    after: [a]
    handoff: { to: outbox, files: [\"${{ steps.a.m }}\"] }
",
    )
}

async fn analyzed(source: &str) -> Result<(Center, String, RunId)> {
    let center = Center::open(source).await?;
    center.house.hands.plan("a", [Act::Make(vec![("m.json", "{\"q\": 35}".into())])]);
    let (specimen, order) = center.bring("T1", "P1").await?;
    center.lane("RUN1", "1", &specimen, "600000000").await?;
    center.until_stage(&order, "release_review").await?;
    let run = RunId::from(center.run(&order)?);
    Ok((center, order, run))
}

fn left(center: &Center) -> Result<usize> {
    Ok(std::fs::read_dir(center.house.outbox()).map_or(0, Iterator::count))
}

async fn yes(center: &Center, run: &RunId, step: &str, name: &str) -> Result<String, Refusal> {
    center.house.answer(run, step, (name, "releaser"), AnswerKind::Approve, "approve").await
}

#[tokio::test]
async fn an_approval_needs_two_when_nobody_decided_before() -> Result<()> {
    let (center, order, run) = analyzed(&short()).await?;
    yes(&center, &run, "review", "mori").await?;
    ensure!(center.stage(&order)? == "release_review" && left(&center)? == 0, "one yes released it");
    let again = yes(&center, &run, "review", "mori").await;
    ensure!(matches!(again, Err(Refusal::NotAllowed(_))), "the same person said yes twice: {again:?}");
    yes(&center, &run, "review", "oka").await?;
    center.until_stage(&order, "delivered").await?;
    ensure!(left(&center)? == 1, "no package");
    Ok(())
}

#[tokio::test]
async fn a_hand_off_that_nobody_released_asks_two_people() -> Result<()> {
    let (center, order, run) = analyzed(&unasked()).await?;
    let step = "select status from step where step_key = 'give'";
    ensure!(center.house.sql(step)? == "awaiting_person" && left(&center)? == 0);
    let operator = center.house.answer(&run, "give", ("op", "operator"), AnswerKind::Approve, "approve").await;
    ensure!(matches!(operator, Err(Refusal::NotAllowed(_))), "{operator:?}");
    yes(&center, &run, "give", "mori").await?;
    ensure!(center.house.sql(step)? == "awaiting_person" && left(&center)? == 0, "one yes released it");
    yes(&center, &run, "give", "oka").await?;
    center.until_stage(&order, "delivered").await?;
    ensure!(left(&center)? == 1, "no package");
    Ok(())
}

#[tokio::test]
async fn two_reviewers_are_no_releaser() -> Result<()> {
    let gate = |name: &str| {
        format!(
            "  {name}:
    after: [a]
    gate:
      read: {{ q: {{ from: steps.a.m, at: $.q }} }}
      checks: [ {{ metric: q, pass: \">= 90\", missing: fail }} ]
      if_fail: hold
"
        )
    };
    let source =
        unasked().replace("  give:\n    after: [a]", &format!("{}{}  give:\n    after: [x, y]", gate("x"), gate("y")));
    let center = Center::open(&source).await?;
    center.house.hands.plan("a", [Act::Make(vec![("m.json", "{\"q\": 35}".into())])]);
    let (specimen, order) = center.bring("T1", "P1").await?;
    center.lane("RUN1", "1", &specimen, "600000000").await?;
    center.until_stage(&order, "analysis_qc_failed").await?;
    let run = RunId::from(center.run(&order)?);
    for (step, name) in [("x", "tanaka"), ("y", "suzuki")] {
        center.house.step_is(&run, step, "awaiting_person").await?;
        center.house.answer(&run, step, (name, "reviewer"), AnswerKind::Qc, "release").await?;
    }
    center.house.step_is(&run, "give", "awaiting_person").await?;
    ensure!(left(&center)? == 0, "it left without a releaser");
    yes(&center, &run, "give", "mori").await?;
    center.until_stage(&order, "delivered").await?;
    Ok(())
}

#[tokio::test]
async fn what_is_done_again_is_asked_again_and_the_same_two_may_answer() -> Result<()> {
    let (center, order, run) = analyzed(&unasked()).await?;
    yes(&center, &run, "give", "mori").await?;
    center.house.handle().retry(&run, Some("a"), &operator()).await?;
    let asked = "select status || json_array_length(coalesce(json_extract(detail, '$.answers'), '[]')) from step where step_key = 'give'";
    center.house.until("it asks again", async |house| Ok(house.sql(asked)? == "awaiting_person0")).await?;
    yes(&center, &run, "give", "mori").await?;
    ensure!(left(&center)? == 0, "a yes to what was made before counted for what is made now");
    yes(&center, &run, "give", "oka").await?;
    center.until_stage(&order, "delivered").await?;
    Ok(())
}

#[tokio::test]
async fn a_release_that_is_reported_is_proposed_by_one_and_confirmed_by_another() -> Result<()> {
    let center = Center::open(&workflow("  a:\n    outputs: { m: { path: m.json } }\n    script: x\n")).await?;
    center.house.hands.plan("a", [Act::Make(vec![("m.json", "{}".into())])]);
    let (specimen, order) = center.bring("T1", "P1").await?;
    center.lane("RUN1", "1", &specimen, "600000000").await?;
    center.until_stage(&order, "release_review").await?;
    let report = || Request::Report { order_line: order.clone(), event: "released".into(), reason: "good".into() };
    let (mori, oka) = (person("mori", "releaser"), person("oka", "releaser"));
    let proposal = center.ask(report(), &mori).await?.proposal.context("a proposal")?;
    ensure!(center.stage(&order)? == "release_review", "one person released it");
    let confirm = || Request::Confirm { proposal: proposal.clone() };
    let same = center.refused(confirm(), &mori).await?;
    ensure!(matches!(same, Refusal::NotAllowed(_)), "{same}");
    let other = center.refused(confirm(), &person("op", "operator")).await?;
    ensure!(matches!(other, Refusal::NotAllowed(_)), "an operator released it: {other}");
    center.ask(confirm(), &oka).await?;
    ensure!(center.stage(&order)? == "released");
    let late = center.refused(confirm(), &oka).await?;
    ensure!(matches!(late, Refusal::State(_)), "{late}");
    Ok(())
}

#[tokio::test]
async fn who_made_an_account_has_no_second_person_in_it() -> Result<()> {
    let center = Center::open(&short()).await?;
    let (_, order) = center.bring("T1", "P1").await?;
    let cancel = Request::Cancel { order_line: order.clone(), reason: "x".into() };
    center.ask(cancel, &operator()).await?;
    let mut both = person("maker", "admin");
    both.roles.insert("operator".into());
    let add = Request::AddPerson {
        name: "puppet".into(),
        service: false,
        roles: vec!["operator".into()],
        institution: None,
        data_center: None,
    };
    center.ask(add, &both).await?;
    let reopen = Request::Reopen { order_line: order.clone(), reason: "x".into() };
    let proposal = center.ask(reopen, &both).await?.proposal.context("a proposal")?;
    let puppet = center.refused(Request::Confirm { proposal: proposal.clone() }, &person("puppet", "operator")).await?;
    ensure!(matches!(puppet, Refusal::NotAllowed(_)), "{puppet}");
    center.ask(Request::Confirm { proposal }, &person("kato", "operator")).await?;
    ensure!(center.stage(&order)? == "accessioned");
    // Nor at a release.
    let (center, _, run) = analyzed(&short()).await?;
    let mut both = person("mori", "admin");
    both.roles.insert("releaser".into());
    let add = Request::AddPerson {
        name: "puppet".into(),
        service: false,
        roles: vec!["releaser".into()],
        institution: None,
        data_center: None,
    };
    center.ask(add, &both).await?;
    yes(&center, &run, "review", "mori").await?;
    let puppet = yes(&center, &run, "review", "puppet").await;
    ensure!(matches!(puppet, Err(Refusal::NotAllowed(_))), "{puppet:?}");
    ensure!(left(&center)? == 0);
    Ok(())
}

#[tokio::test]
async fn what_is_opened_again_stands_no_further_than_it_had_come() -> Result<()> {
    let center = Center::open(&short()).await?;
    let (_, never_came) = center.announce("T1", "P1").await?;
    let (_, only_came) = center.announce("T2", "P2").await?;
    center.receive("T2").await?;
    let (_, accessioned) = center.bring("T3", "P3").await?;
    for (order, stage) in [(never_came, "expected"), (only_came, "received"), (accessioned, "accessioned")] {
        center.ask(Request::Cancel { order_line: order.clone(), reason: "x".into() }, &operator()).await?;
        let reopen = Request::Reopen { order_line: order.clone(), reason: "x".into() };
        let proposal = center.ask(reopen, &operator()).await?.proposal.context("a proposal")?;
        center.ask(Request::Confirm { proposal }, &person("kato", "operator")).await?;
        ensure!(center.stage(&order)? == stage, "{} instead of {stage}", center.stage(&order)?);
    }
    Ok(())
}
