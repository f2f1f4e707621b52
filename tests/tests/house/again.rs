//! A person's retry: what is done again, what is kept, what may not happen on the way.

use anyhow::{Result, ensure};
use kentai_engine::scheduler::handle::AnswerKind;
use kentai_tests::house::{Act, House, operator, person, specimen, workflow};

const CHAIN: &str = "  a:
    outputs: { o: { path: o.txt } }
    script: x
  b:
    inputs: { a: \"${{ steps.a.o }}\" }
    outputs: { o: { path: o.txt } }
    script: x
  c:
    inputs: { b: \"${{ steps.b.o }}\" }
    outputs: { o: { path: o.txt, keep: true } }
    script: x
  side:
    outputs: { o: { path: o.txt, keep: true } }
    script: x
";

#[tokio::test]
async fn a_failed_run_does_only_again_what_failed() -> Result<()> {
    let house = House::open().await?;
    house.hands.plan("b", [Act::Exit(1)]);
    let run = house.submit(&workflow(CHAIN), &specimen("S1")).await?;
    ensure!(house.end(&run).await? == "failed");
    house.handle().retry(&run, None, &operator()).await?;
    ensure!(house.end(&run).await? == "succeeded");
    let mut order = house.hands.order();
    order.sort();
    ensure!(order == ["a", "b", "b", "c", "side"], "{order:?}");
    let rounds: Vec<i64> = house.attempts(&run, "b").await?.iter().map(|attempt| attempt.round).collect();
    ensure!(rounds == [0, 1], "{rounds:?}");
    house.check().await
}

#[tokio::test]
async fn from_a_step_on_everything_that_follows_is_done_again_and_committed_again() -> Result<()> {
    let house = House::open().await?;
    let run = house.submit(&workflow(CHAIN), &specimen("S1")).await?;
    ensure!(house.end(&run).await? == "succeeded");
    let first = house.output(&run, "c", "o").await?;
    house.handle().retry(&run, Some("b"), &operator()).await?;
    ensure!(house.end(&run).await? == "succeeded");
    let counts = ["a", "b", "c", "side"].map(|step| house.hands.of(step).len());
    ensure!(counts == [1, 2, 2, 1], "{counts:?}");
    ensure!(house.output(&run, "c", "o").await? != first, "the first round's output is shown");
    let given = house.hands.of("c")[1].mounts[0].source.clone();
    let of_b = house.hands.of("b")[1].attempt.clone();
    ensure!(std::fs::read_to_string(given)?.contains(&of_b), "c was given b's output of the first round");
    house.check().await
}

#[tokio::test]
async fn a_run_with_nothing_to_do_again_and_a_step_that_does_not_exist_are_refused() -> Result<()> {
    let house = House::open().await?;
    let run = house.submit(&workflow(CHAIN), &specimen("S1")).await?;
    ensure!(house.end(&run).await? == "succeeded");
    ensure!(house.handle().retry(&run, None, &operator()).await.is_err());
    ensure!(house.handle().retry(&run, Some("nothing"), &operator()).await.is_err());
    ensure!(house.run(&run).await?.status == "succeeded", "a refused retry opened the run");
    house.check().await
}

#[tokio::test]
async fn a_running_run_is_not_done_again_from_a_step() -> Result<()> {
    let house = House::open().await?;
    house.hands.plan("b", [Act::Wait]);
    let run = house.submit(&workflow(CHAIN), &specimen("S1")).await?;
    house.until("b", async |house| Ok(house.hands.running() == ["b"])).await?;
    ensure!(house.handle().retry(&run, Some("a"), &operator()).await.is_err(), "a step was taken from beneath a tool");
    house.hands.finish("b", &Act::Well);
    ensure!(house.end(&run).await? == "succeeded");
    house.check().await
}

#[tokio::test]
async fn what_was_ready_or_asked_on_old_outputs_waits_again_when_they_are_made_again() -> Result<()> {
    let house = House::open().await?;
    let text = "  a:\n    outputs: { m: { path: m.json } }\n    script: x\n  ok:\n    gate:\n      read: { q: { from: steps.a.m, at: $.q } }\n      checks: [ { metric: q, pass: \">= 30\", missing: fail } ]\n  b:\n    after: [ok]\n    outputs: { o: { path: o.txt, keep: true } }\n    script: x\n";
    house.hands.plan(
        "a",
        [Act::Make(vec![("m.json", "{\"q\": 5}".into())]), Act::Make(vec![("m.json", "{\"q\": 35}".into())])],
    );
    let run = house.submit(&workflow(text), &specimen("S1")).await?;
    house.step_is(&run, "ok", "awaiting_person").await?;
    // More data came: not what was asked about, but what it was measured on is done again.
    house.handle().retry(&run, Some("a"), &operator()).await?;
    house
        .until("an end or a question", async |house| {
            Ok(house.hands.of("a").len() == 2 && house.handle().pulse().borrow().active == 0)
        })
        .await?;
    let status = house.run(&run).await?.status;
    ensure!(status == "succeeded", "the old question stands: {status}, {}", house.why(&run, None).await?);
    ensure!(house.answer(&run, "ok", ("sato", "reviewer"), AnswerKind::Qc, "release").await.is_err());
    house.check().await
}

#[tokio::test]
async fn a_held_step_that_was_ready_does_not_start_on_outputs_that_are_being_made_again() -> Result<()> {
    let house = House::open().await?;
    let text = "  a:\n    outputs: { o: { path: o.txt } }\n    script: x\n  b:\n    inputs: { a: { from: steps.a.o, optional: true } }\n    outputs: { o: { path: o.txt, keep: true } }\n    script: x\n";
    house.hands.plan("a", [Act::Wait, Act::Wait]);
    let run = house.submit(&workflow(text), &specimen("S1")).await?;
    house.until("a", async |house| Ok(house.hands.running() == ["a"])).await?;
    house.handle().hold(&run, &operator(), "a doubt").await?;
    house.hands.finish("a", &Act::Well);
    house.step_is(&run, "b", "ready").await?;
    house.handle().retry(&run, Some("a"), &operator()).await?;
    house.handle().resume(&run, &operator()).await?;
    house.until("a again", async |house| Ok(house.hands.running() == ["a"])).await?;
    ensure!(house.hands.of("b").is_empty(), "b was started while a is made again");
    house.hands.finish("a", &Act::Well);
    ensure!(house.end(&run).await? == "succeeded");
    let again = house.hands.of("a")[1].attempt.clone();
    let given = house.hands.of("b")[0].mounts[0].source.clone();
    ensure!(std::fs::read_to_string(given)?.contains(&again), "b was given the old output");
    house.check().await
}

#[tokio::test]
async fn a_second_round_has_its_own_budget_and_its_own_escalation() -> Result<()> {
    let house = House::open().await?;
    let text = "  a:\n    resources: { memory: 1 GiB }\n    retry: { attempts: 2, causes: [out_of_memory], wait: { first: 0s, max: 0s }, escalate: { memory: x2 } }\n    outputs: { o: { path: o.txt, keep: true } }\n    script: x\n";
    house.hands.plan("a", [Act::OutOfMemory, Act::OutOfMemory, Act::OutOfMemory]);
    let run = house.submit(&workflow(text), &specimen("S1")).await?;
    ensure!(house.end(&run).await? == "failed");
    house.handle().retry(&run, None, &operator()).await?;
    ensure!(house.end(&run).await? == "succeeded");
    let memory: Vec<u64> = house.hands.of("a").iter().map(|task| task.memory_bytes >> 30).collect();
    ensure!(memory == [1, 2, 1, 2], "{memory:?}");
    let attempts: std::collections::BTreeSet<String> =
        house.hands.of("a").into_iter().map(|task| task.attempt).collect();
    ensure!(attempts.len() == 4, "an attempt's name was used twice");
    house.check().await
}

#[tokio::test]
async fn a_failed_step_is_done_again_while_another_branch_still_runs() -> Result<()> {
    let house = House::open().await?;
    house.hands.plan("side", [Act::Wait]);
    house.hands.plan("a", [Act::Exit(1)]);
    let run = house.submit(&workflow(CHAIN), &specimen("S1")).await?;
    house.step_is(&run, "a", "failed").await?;
    ensure!(house.handle().retry(&run, None, &person("sato", "reviewer")).await.is_err());
    house.handle().retry(&run, None, &operator()).await?;
    house.step_is(&run, "c", "succeeded").await?;
    house.hands.finish("side", &Act::Well);
    ensure!(house.end(&run).await? == "succeeded");
    house.check().await
}
