//! One specimen's story, and its forks.

use anyhow::{Result, ensure};
use kentai_engine::id::RunId;
use kentai_engine::scheduler::center::request::Request;
use kentai_engine::scheduler::handle::{AnswerKind, Refusal};
use kentai_tests::house::{Act, operator, person};

use super::desk::{Center, short};

fn decide(order: &str, way: &str) -> Request {
    Request::Decide { order_line: order.into(), way: way.into(), code: String::new(), reason: "because".into() }
}

#[tokio::test]
async fn a_specimen_goes_from_its_shipment_over_a_shortfall_and_a_warning_to_its_package() -> Result<()> {
    let center = Center::open(&short()).await?;
    center.house.hands.plan("a", [Act::Make(vec![("m.json", "{\"q\": 25}".into())])]);
    let (specimen, order) = center.announce("AB-0001", "P1").await?;
    ensure!(center.stage(&order)? == "expected");
    center.receive("ＡＢ－０００１").await?;
    let refusal = center.refused(Request::Accession { specimen: specimen.clone() }, &operator()).await?;
    ensure!(matches!(&refusal, Refusal::State(why) if why.contains("no consent is recorded for P1")), "{refusal}");
    center.consent("P1", &["sequencing", "research"]).await?;
    center.accession(&specimen).await?;
    // 0.9 % short: a fork, and it is said.
    center.lane("RUN1", "1", &specimen, "594600000").await?;
    ensure!(center.stage(&order)? == "sequence_qc_failed", "{}", center.stage(&order)?);
    let reviewer = person("tanaka", "reviewer");
    center.ask(decide(&order, "top_up"), &reviewer).await?;
    ensure!(center.stage(&order)? == "awaiting_top_up");
    // The reads of both lanes add up, and nobody has to start anything.
    center.lane("RUN2", "1", &specimen, "5400000").await?;
    center.until_stage(&order, "analysis_qc_failed").await?;
    let run = RunId::from(center.run(&order)?);
    ensure!(center.house.sql(&format!("select participant_id <> '' from run where run_id = '{run}'"))? == "1");
    center.house.answer(&run, "depth", ("tanaka", "reviewer"), AnswerKind::Qc, "release").await?;
    center.until_stage(&order, "release_review").await?;
    // Who decided does not release.
    let refused = center.house.answer(&run, "review", ("tanaka", "reviewer"), AnswerKind::Approve, "approve").await;
    ensure!(refused.is_err(), "the reviewer released what the reviewer decided");
    center.house.answer(&run, "review", ("mori", "releaser"), AnswerKind::Approve, "approve").await?;
    center.until_stage(&order, "delivered").await?;
    ensure!(std::fs::read_dir(center.house.outbox())?.count() == 1, "no package");
    let history = center.history(&order)?;
    for event in [
        "ordered",
        "received",
        "accessioned",
        "lab_started",
        "sequenced",
        "sequence_qc_failed",
        "top_up_requested",
        "sequence_qc_passed",
        "analysis_started",
        "analysis_qc_failed",
        "analysis_qc_waived",
        "review_asked",
        "released",
        "offered",
        "delivered",
    ] {
        ensure!(history.iter().any(|kind| kind == event), "no {event} in {history:?}");
    }
    let wish = center.house.sql("select status from record where kind = 'work_request'")?;
    ensure!(wish == "fulfilled", "{wish}");
    center.house.check().await
}

#[tokio::test]
async fn every_way_out_of_a_shortfall_leads_somewhere() -> Result<()> {
    let center = Center::open(&short()).await?;
    let reviewer = person("tanaka", "reviewer");
    for (number, (way, stage)) in [
        ("top_up", "awaiting_top_up"),
        ("re_prep", "in_lab"),
        ("re_extract", "in_lab"),
        ("new_material", "awaiting_material"),
        ("give_up", "closed_failed"),
        ("release", "analyzing"),
    ]
    .into_iter()
    .enumerate()
    {
        let (barcode, pseudonym) = (format!("T{number}"), format!("P{number}"));
        let (specimen, order) = center.bring(&barcode, &pseudonym).await?;
        center.house.hands.plan("a", [Act::Wait]);
        center.lane(&format!("RUN{number}"), "1", &specimen, "1000").await?;
        let refusal = center.refused(decide(&order, way), &operator()).await?;
        ensure!(matches!(refusal, Refusal::NotAllowed(_)), "an operator decided: {refusal}");
        center.ask(decide(&order, way), &reviewer).await?;
        center.until_stage(&order, stage).await?;
    }
    let reports = center.house.sql("select count(*) from record where kind = 'notice' and status = 'pending'")?;
    ensure!(reports == "1", "{reports} failure reports");
    Ok(())
}

#[tokio::test]
async fn a_lane_that_counts_after_all_makes_up_for_what_was_missing() -> Result<()> {
    let center = Center::open(&short()).await?;
    let (specimen, order) = center.bring("T1", "P1").await?;
    center.house.hands.plan("a", [Act::Wait]);
    center.lane("RUN1", "1", &specimen, "594600000").await?;
    let lane = |counts, reason: &str| Request::Lane {
        lane_library: format!("RUN1/1/{specimen}"),
        counts,
        r#use: true,
        reason: reason.into(),
    };
    let reviewer = person("tanaka", "reviewer");
    center.ask(lane(false, "index hopping"), &reviewer).await?;
    center.lane("RUN2", "1", &specimen, "500000000").await?;
    ensure!(center.stage(&order)? == "sequence_qc_failed", "{}", center.stage(&order)?);
    center.ask(lane(true, "it was the other one"), &reviewer).await?;
    center.until_stage(&order, "analyzing").await
}

#[tokio::test]
async fn a_held_order_line_starts_when_it_is_let_go_and_a_stopped_site_when_it_is_resumed() -> Result<()> {
    let center = Center::open(&short()).await?;
    let (specimen, order) = center.bring("T1", "P1").await?;
    center.ask(Request::StopAll { reason: "water".into() }, &operator()).await?;
    center.ask(Request::Hold { order_line: order.clone(), reason: "wait".into() }, &operator()).await?;
    center.lane("RUN1", "1", &specimen, "600000000").await?;
    ensure!(center.stage(&order)? == "ready", "{}", center.stage(&order)?);
    center.ask(Request::ResumeAll, &operator()).await?;
    ensure!(center.stage(&order)? == "ready" && center.run(&order)?.is_empty());
    center.ask(Request::Resume { order_line: order.clone() }, &operator()).await?;
    center.until_stage(&order, "analyzing").await
}

#[tokio::test]
async fn an_ended_order_line_is_reopened_by_two_people_only() -> Result<()> {
    let center = Center::open(&short()).await?;
    let (_, order) = center.bring("T1", "P1").await?;
    center.ask(Request::Cancel { order_line: order.clone(), reason: "twice".into() }, &operator()).await?;
    let reopen = Request::Reopen { order_line: order.clone(), reason: "not twice".into() };
    let answer = center.ask(reopen, &operator()).await?;
    let proposal = answer.proposal.unwrap_or_default();
    ensure!(center.stage(&order)? == "canceled", "one person reopened it");
    let confirm = Request::Confirm { proposal };
    ensure!(matches!(center.refused(confirm.clone(), &operator()).await?, Refusal::NotAllowed(_)));
    center.ask(confirm.clone(), &person("mori", "releaser")).await?;
    ensure!(center.stage(&order)? == "accessioned", "{}", center.stage(&order)?);
    ensure!(matches!(center.refused(confirm, &person("mori", "releaser")).await?, Refusal::State(_)));
    Ok(())
}
