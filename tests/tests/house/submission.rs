//! Submissions: the same request is the same runs, however often and however many at once.

use std::collections::BTreeSet;

use anyhow::{Result, ensure};
use kentai_engine::scheduler::handle::{Refusal, Submit, Submitted};
use kentai_tests::house::{Act, House, Plan, operator, specimen, workflow};

const ONE: &str = "  a:\n    outputs: { o: { path: o.txt, keep: true } }\n    script: x\n";

fn ids(submitted: &Submitted) -> BTreeSet<String> {
    submitted.runs.iter().map(ToString::to_string).collect()
}

async fn submit(house: &House, request: Submit) -> Result<Submitted> {
    Ok(house.handle().submit(request, &operator()).await?)
}

/// Every run that was answered with exists, and there are so many.
async fn exist(house: &House, submitted: &Submitted, count: usize) -> Result<()> {
    for run in &submitted.runs {
        ensure!(house.handle().reader().run(run.as_str()).await?.is_some(), "{run} does not exist");
    }
    let stored: usize = house.sql("select count(*) from run")?.parse()?;
    ensure!(stored == count, "{stored} runs are stored");
    Ok(())
}

#[tokio::test]
async fn the_same_request_again_changes_nothing_and_names_the_same_runs() -> Result<()> {
    let mut house = House::open().await?;
    let request = house.request(&workflow(ONE), &[specimen("S1"), specimen("S2")]);
    let first = submit(&house, request.clone()).await?;
    ensure!(!first.existed && first.new_runs == 2);
    house.rest().await?;
    // That the log is signed when the engine ends is no event of a run.
    let events = "select count(*) from event where kind <> 'checkpoint_signed'";
    let before = house.sql(events)?;
    house.stop().await?;
    house.start().await?;
    let again = submit(&house, request).await?;
    ensure!(again.existed && again.new_runs == 0 && again.submission == first.submission, "{again:?}");
    ensure!(ids(&again) == ids(&first), "other runs: {again:?}");
    house.rest().await?;
    ensure!(house.sql(events)? == before, "something happened");
    exist(&house, &again, 2).await?;
    house.check().await
}

#[tokio::test]
async fn identical_requests_at_once_are_one() -> Result<()> {
    let house = House::open().await?;
    let request = || submit(&house, house.request(&workflow(ONE), &[specimen("S1"), specimen("S2")]));
    let (one, two, three) = tokio::join!(request(), request(), request());
    let all = [one?, two?, three?];
    ensure!(all.iter().map(|submitted| submitted.new_runs).sum::<usize>() == 2, "{all:?}");
    for submitted in &all {
        exist(&house, submitted, 2).await?;
        ensure!(ids(submitted) == ids(&all[0]), "not the same runs: {all:?}");
        ensure!(submitted.submission == all[0].submission);
    }
    house.rest().await?;
    house.check().await
}

#[tokio::test]
async fn requests_that_overlap_share_the_runs_they_share() -> Result<()> {
    let house = House::open().await?;
    let text = workflow(ONE);
    let (one, two) = tokio::join!(
        submit(&house, house.request(&text, &[specimen("S1"), specimen("S2")])),
        submit(&house, house.request(&text, &[specimen("S2"), specimen("S3")]))
    );
    let (one, two) = (one?, two?);
    exist(&house, &one, 3).await?;
    exist(&house, &two, 3).await?;
    ensure!(ids(&one).intersection(&ids(&two)).count() == 1, "{one:?} {two:?}");
    // Asked once more, the answer is the same, also for the run that another submission made.
    let again = submit(&house, house.request(&text, &[specimen("S2"), specimen("S3")])).await?;
    ensure!(again.existed && ids(&again) == ids(&two), "{again:?}, first {two:?}");
    house.rest().await?;
    house.check().await
}

#[tokio::test]
async fn one_specimen_twice_in_one_request_is_one_run() -> Result<()> {
    let house = House::open().await?;
    let submitted = submit(&house, house.request(&workflow(ONE), &[specimen("S1"), specimen("S1")])).await?;
    exist(&house, &submitted, 1).await?;
    ensure!(submitted.new_runs == 1 && ids(&submitted).len() == 1, "{submitted:?}");
    ensure!(house.end(&submitted.runs[0]).await? == "succeeded");
    house.check().await
}

#[tokio::test]
async fn another_stamp_parameter_or_text_is_another_run() -> Result<()> {
    let house = House::open().await?;
    let text = workflow(ONE)
        .replace("specimen:\n", "params: { level: { type: integer, default: 1 } }\nspecimen:\n")
        .replace("    script", "    env: { L: \"${{ params.level }}\" }\n    script");
    let plain = house.request(&text, &[specimen("S1")]);
    let mut stamped = plain.clone();
    stamped.specimens[0].1 = "changed".into();
    let mut with = plain.clone();
    with.params.insert("level".into(), "2".into());
    let other = house.request(&text.replace("script: x", "script: y"), &[specimen("S1")]);
    for (count, request) in [plain, stamped, with, other].into_iter().enumerate() {
        let submitted = submit(&house, request).await?;
        ensure!(submitted.new_runs == 1, "{submitted:?}");
        exist(&house, &submitted, count + 1).await?;
    }
    house.rest().await?;
    house.check().await
}

#[tokio::test]
async fn a_request_with_a_mistake_stores_nothing() -> Result<()> {
    let house = House::open().await?;
    let text = workflow(&ONE.replace("outputs:", "outputss:"));
    let refused = house.handle().submit(house.request(&text, &[specimen("S1")]), &operator()).await;
    ensure!(matches!(&refused, Err(Refusal::Check { diagnostics, .. }) if !diagnostics.is_empty()), "{refused:?}");
    ensure!(house.sql("select count(*) from submission")? == "0");
    house.check().await
}

#[tokio::test]
async fn what_was_answered_is_stored_whatever_becomes_of_the_engine() -> Result<()> {
    let mut house = House::open().await?;
    house.hands.plan("a", [Act::Wait]);
    let crowd: Vec<_> = (0..100).map(|n| specimen(&format!("S{n}"))).collect();
    let submitted = house.submit_all(&workflow(ONE), &crowd).await?;
    house.stop().await?;
    house.start().await?;
    exist(&house, &submitted, 100).await?;
    house.until("the tool", async |house| Ok(house.hands.running() == ["a"])).await?;
    house.hands.finish("a", &Act::Well);
    house.rest().await?;
    ensure!(house.sql("select count(*) from run where status = 'succeeded'")? == "100");
    house.check().await
}

#[tokio::test]
async fn what_may_start_at_once_starts_in_turns_of_a_bounded_size_and_all_of_it_starts() -> Result<()> {
    let house = House::with(Plan { slots: 2_000, ..Plan::default() }).await?;
    let specimens: Vec<_> = (0..600).map(|number| specimen(&format!("S{number}"))).collect();
    house.submit_all(&workflow(ONE), &specimens).await?;
    house.rest().await?;
    // The attempts of one turn have its time.
    let largest: usize =
        house.sql("select max(started) from (select count(*) as started from attempt group by created_us)")?.parse()?;
    ensure!((1..=256).contains(&largest), "{largest} attempts began in one turn");
    ensure!(house.sql("select count(*) from attempt where status = 'committed'")? == "600");
    house.check().await
}
