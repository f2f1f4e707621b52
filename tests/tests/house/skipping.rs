//! What is not done, not made, not asked for.

use anyhow::{Result, ensure};
use kentai_engine::id::RunId;
use kentai_tests::house::{Act, House, specimen, workflow};

const MITO: &str = "  mito:
    when: specimen.sex == \"female\"
    outputs: { o: { path: mito.txt } }
    script: x
  base:
    outputs: { o: { path: base.txt }, extra: { path: extra.txt, optional: true } }
    script: x
  report:
    inputs: { m: { from: \"steps.mito.o\", optional: true }, e: { from: \"steps.base.extra\", optional: true } }
    after: [mito]
    outputs: { o: { path: report.txt } }
    script: x
  deliver:
    handoff:
      to: outbox
      files: [\"${{ steps.report.o }}\"]
      files_if_made: [\"${{ steps.mito.o }}\", \"${{ steps.base.extra }}\"]
";

/// The specimen's files in the package, without the documents about them.
fn packed(house: &House, run: &RunId) -> Result<Vec<String>> {
    let all = std::fs::read_dir(house.outbox().join(format!("S1.{run}/data")))?.flatten();
    let mut names: Vec<String> = all.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    names.retain(|name| name.starts_with("S1."));
    names.sort();
    Ok(names)
}

#[tokio::test]
async fn a_step_whose_when_is_false_is_skipped_and_whoever_waits_for_it_goes_on() -> Result<()> {
    let house = House::open().await?;
    house.hands.plan("base", [Act::Without("extra")]);
    let run = house.submit(&workflow(MITO), &specimen("S1")).await?;
    let status = house.end(&run).await?;
    ensure!(status == "succeeded", "the run {status}: {}", house.why(&run, None).await?);
    ensure!(house.step(&run, "mito").await?.status == "skipped", "mito is not skipped");
    ensure!(house.hands.of("mito").is_empty(), "what is skipped was started");
    let task = house.hands.of("report").remove(0);
    ensure!(task.env["in_m"].is_empty() && task.env["in_e"].is_empty(), "report was given {:?}", task.env);
    let packed = packed(&house, &run)?;
    ensure!(packed == ["S1.txt"], "the package holds {packed:?}");
    house.check().await
}

#[tokio::test]
async fn what_was_made_after_all_is_used_and_handed_off() -> Result<()> {
    let house = House::open().await?;
    let mut female = specimen("S1");
    female.values.insert("sex".into(), "female".into());
    let run = house.submit(&workflow(MITO), &female).await?;
    ensure!(house.end(&run).await? == "succeeded", "the run did not succeed");
    let task = house.hands.of("report").remove(0);
    ensure!(task.env["in_m"].ends_with("mito.txt") && task.env["in_e"].ends_with("extra.txt"), "given: {:?}", task.env);
    let packed = packed(&house, &run)?;
    ensure!(packed == ["S1.extra.txt", "S1.mito.txt", "S1.report.txt"], "the package holds {packed:?}");
    house.check().await
}

#[tokio::test]
async fn a_run_of_which_nothing_is_wanted_succeeds_without_a_tool() -> Result<()> {
    let house = House::open().await?;
    let text =
        "  a:\n    when: specimen.sex == \"male\"\n    outputs: { o: { path: o.txt, keep: true } }\n    script: x\n";
    let run = house.submit(&workflow(text), &specimen("S1")).await?;
    ensure!(house.end(&run).await? == "succeeded", "the run did not succeed");
    ensure!(house.hands.seen().is_empty(), "something was started");
    house.check().await
}

#[tokio::test]
async fn a_condition_that_cannot_be_evaluated_fails_its_step_and_the_others_go_on() -> Result<()> {
    let house = House::open().await?;
    let text = "  a:\n    outputs: { o: { path: o.txt }, n: { path: n.txt, optional: true } }\n    script: x\n  b:\n    when: steps.a.n.size > 3\n    outputs: { o: { path: o.txt, keep: true } }\n    script: x\n  c:\n    after: [a]\n    outputs: { o: { path: o.txt, keep: true } }\n    script: x\n";
    house.hands.plan("a", [Act::Without("n")]);
    let Ok(run) = house.submit(&workflow(text), &specimen("S1")).await else { return house.check().await };
    ensure!(house.end(&run).await? == "failed", "the run cannot have succeeded");
    ensure!(house.step(&run, "c").await?.status == "succeeded", "c has nothing to do with it");
    house.check().await
}
