//! `call`: another workflow as a run of its own, whose outputs, failures, pauses and ends are its caller's.

use anyhow::{Context, Result, ensure};
use kentai_engine::id::RunId;
use kentai_tests::house::{Act, House, lanes, operator, specimen, workflow};

const CALLED: &str = "kentai: 1
workflow: called
params: { level: { type: integer, default: 1 } }
specimen: { inputs: { x: { type: file, required: false } } }
steps:
  c1:
    env: { LEVEL: \"${{ params.level }}\" }
    outputs: { o: { path: o.txt } }
    script: x
  c2:
    inputs: { i: \"${{ steps.c1.o }}\" }
    outputs: { o: { path: result.txt } }
    script: x
outputs: { result: steps.c2.o }
";

const CALLER: &str = "  sub:
    call: { workflow: called.yaml, with: { level: \"7\" } }
  after:
    inputs: { r: \"${{ steps.sub.result }}\" }
    outputs: { o: { path: o.txt, keep: true } }
    script: x
";

async fn open() -> Result<House> {
    let mut house = House::open().await?;
    house.called.insert("called.yaml".into(), ("called.yaml".into(), CALLED.into()));
    Ok(house)
}

/// The run that this run's step called.
async fn child(house: &House, run: &RunId, step: &str) -> Result<RunId> {
    let detail: serde_json::Value = serde_json::from_str(&house.step(run, step).await?.detail)?;
    Ok(RunId::from(detail["child"].as_str().context("it called nothing")?))
}

async fn runs(house: &House) -> Result<usize> {
    Ok(house.sql("select count(*) from run")?.parse()?)
}

#[tokio::test]
async fn the_outputs_of_a_called_run_are_its_callers() -> Result<()> {
    let house = open().await?;
    let run = house.submit(&workflow(CALLER), &specimen("S1")).await?;
    let status = house.end(&run).await?;
    ensure!(status == "succeeded", "it {status}: {}", house.why(&run, None).await?);
    ensure!(house.hands.of("c1")[0].env["LEVEL"] == "7", "the parameter did not arrive");
    let source = house.hands.of("after")[0].mounts[0].source.clone();
    ensure!(std::fs::read_to_string(source)?.starts_with("c2 o of "), "the output did not come back");
    ensure!(house.run(&child(&house, &run, "sub").await?).await?.status == "succeeded");
    house.check().await
}

#[tokio::test]
async fn a_called_run_that_fails_fails_its_callers_step_and_a_retry_calls_anew() -> Result<()> {
    let house = open().await?;
    house.hands.plan("c1", [Act::Exit(3)]);
    let run = house.submit(&workflow(CALLER), &specimen("S1")).await?;
    ensure!(house.end(&run).await? == "failed");
    let first = child(&house, &run, "sub").await?;
    ensure!(house.why(&run, Some("sub")).await?.contains(first.as_str()), "why does not name the called run");
    house.handle().retry(&run, None, &operator()).await?;
    ensure!(house.end(&run).await? == "succeeded", "{}", house.why(&run, None).await?);
    ensure!(child(&house, &run, "sub").await? != first && runs(&house).await? == 3);
    house.check().await
}

#[tokio::test]
async fn canceling_the_caller_cancels_what_it_called() -> Result<()> {
    let house = open().await?;
    house.hands.plan("c1", [Act::Wait]);
    let run = house.submit(&workflow(CALLER), &specimen("S1")).await?;
    house.until("the called tool", async |house| Ok(house.hands.running() == ["c1"])).await?;
    house.handle().cancel(&run, &operator(), "no longer wanted").await?;
    ensure!(house.end(&run).await? == "canceled");
    let child = child(&house, &run, "sub").await?;
    ensure!(house.run(&child).await?.status == "canceled", "the called run goes on");
    ensure!(house.step(&run, "sub").await?.status == "canceled", "sub is {}", house.step(&run, "sub").await?.status);
    ensure!(house.hands.order() == ["c1"], "something was started after the cancel");
    house.check().await
}

#[tokio::test]
async fn holding_the_caller_holds_what_it_called() -> Result<()> {
    let mut house = open().await?;
    house.hands.plan("c1", [Act::Wait]);
    let run = house.submit(&workflow(CALLER), &specimen("S1")).await?;
    house.until("the called tool", async |house| Ok(house.hands.running() == ["c1"])).await?;
    house.handle().hold(&run, &operator(), "a doubt").await?;
    house.hands.finish("c1", &Act::Well);
    let child = child(&house, &run, "sub").await?;
    house.step_is(&child, "c2", "ready").await?;
    house.stop().await?;
    house.start().await?;
    house.until("a look around", async |house| Ok(house.handle().pulse().borrow().commits > 3)).await.ok();
    ensure!(house.hands.order() == ["c1"], "a held run's called run started {:?}", house.hands.order());
    house.handle().resume(&run, &operator()).await?;
    ensure!(house.end(&run).await? == "succeeded", "{}", house.why(&run, None).await?);
    house.check().await
}

#[tokio::test]
async fn resuming_the_caller_leaves_a_called_run_held_that_somebody_held_itself() -> Result<()> {
    let house = open().await?;
    house.hands.plan("c1", [Act::Wait]);
    let run = house.submit(&workflow(CALLER), &specimen("S1")).await?;
    house.until("the called tool", async |house| Ok(house.hands.running() == ["c1"])).await?;
    let child = child(&house, &run, "sub").await?;
    house.handle().hold(&child, &operator(), "this one").await?;
    house.handle().hold(&run, &operator(), "all of it").await?;
    house.handle().resume(&run, &operator()).await?;
    ensure!(house.run(&child).await?.hold.contains("this one"), "its own hold is gone");
    house.hands.finish("c1", &Act::Well);
    house.handle().resume(&child, &operator()).await?;
    ensure!(house.end(&run).await? == "succeeded");
    house.check().await
}

#[tokio::test]
async fn a_called_run_goes_on_after_a_restart_in_the_middle_and_is_called_once() -> Result<()> {
    for step in ["c1", "c2", "after"] {
        let mut house = open().await?;
        house.hands.plan(step, [Act::Wait]);
        let run = house.submit(&workflow(CALLER), &specimen("S1")).await?;
        house.until("the tool", async |house| Ok(house.hands.running() == [step])).await?;
        house.stop().await?;
        // It may end while no engine runs.
        house.hands.finish(step, &Act::Well);
        house.start().await?;
        ensure!(house.end(&run).await? == "succeeded", "{step}: {}", house.why(&run, None).await?);
        ensure!(runs(&house).await? == 2, "{step}: {} runs", runs(&house).await?);
        house.check().await?;
    }
    Ok(())
}

#[tokio::test]
async fn one_call_per_lane_gives_a_list_in_the_lanes_order() -> Result<()> {
    let house = open().await?;
    let text = CALLER
        .replace("  sub:\n", "  sub:\n    for_each: { lane: specimen.lanes }\n")
        .replace("steps.sub.result", "steps.sub.all.result");
    let run = house.submit(&workflow(&text), &lanes("S1", &["L2", "L1"])).await?;
    let status = house.end(&run).await?;
    ensure!(status == "succeeded", "it {status}: {}", house.why(&run, None).await?);
    ensure!(house.hands.of("after")[0].env["in_r"].lines().count() == 2);
    ensure!(runs(&house).await? == 3);
    house.check().await
}

#[tokio::test]
async fn a_called_run_of_which_nothing_is_wanted_comes_back_at_once() -> Result<()> {
    let mut house = House::open().await?;
    let called = "kentai: 1\nworkflow: called\nspecimen: { fields: { sex: { type: choice, of: [female, male, unknown], default: unknown } } }\nsteps:\n  c:\n    when: specimen.sex == \"male\"\n    outputs: { o: { path: o.txt, keep: true } }\n    script: x\n";
    house.called.insert("called.yaml".into(), ("called.yaml".into(), called.into()));
    let text = "  sub:\n    call: { workflow: called.yaml }\n  b:\n    after: [sub]\n    outputs: { o: { path: o.txt, keep: true } }\n    script: x\n";
    let run = house.submit(&workflow(text), &specimen("S1")).await?;
    let status = house.end(&run).await?;
    ensure!(status == "succeeded", "it {status}: {}", house.why(&run, None).await?);
    ensure!(house.hands.order() == ["b"]);
    house.check().await
}
