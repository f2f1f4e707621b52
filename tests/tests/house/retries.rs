//! Another attempt, or not: each cause by its evidence and on its own budget.

use anyhow::{Result, ensure};
use kentai_engine::decide::admit::Request;
use kentai_engine::id::RunId;
use kentai_tests::house::{Act, House, Plan, specimen, workflow};

/// One tool step with these lines under it.
fn one(more: &str) -> String {
    workflow(&format!("  a:\n    outputs: {{ o: {{ path: o.txt, keep: true }} }}\n    script: x\n{more}"))
}

/// At most `attempts` for these causes, without a wait.
fn retry(attempts: u32, more: &str) -> String {
    one(&format!("    retry: {{ attempts: {attempts}, wait: {{ first: 0s, max: 0s, jitter: false }}, {more} }}\n"))
}

/// Causes of a step's attempts in order; empty for one that has none.
async fn causes(house: &House, run: &RunId) -> Result<Vec<String>> {
    Ok(house.attempts(run, "a").await?.into_iter().map(|attempt| attempt.cause).collect())
}

async fn why(house: &House, run: &RunId) -> Result<String> {
    house.why(run, Some("a")).await
}

#[tokio::test]
async fn a_tool_that_fails_is_not_tried_again_unless_the_workflow_says_so() -> Result<()> {
    let house = House::open().await?;
    house.hands.plan("a", [Act::Exit(3)]);
    let run = house.submit(&one(""), &specimen("S1")).await?;
    ensure!(house.end(&run).await? == "failed", "it cannot have succeeded");
    ensure!(causes(&house, &run).await? == ["tool"], "attempts: {:?}", causes(&house, &run).await?);
    let said = why(&house, &run).await?;
    ensure!(said.contains("exit code 3") && said.contains("kentai logs"), "why says {said}");
    house.check().await
}

#[tokio::test]
async fn only_the_named_exit_codes_are_tried_again_and_only_so_often() -> Result<()> {
    let house = House::open().await?;
    house.hands.plan("a", [Act::Exit(75), Act::Exit(75), Act::Exit(75), Act::Exit(75)]);
    let run = house.submit(&retry(3, "exit_codes: [75]"), &specimen("S1")).await?;
    ensure!(house.end(&run).await? == "failed", "it cannot have succeeded");
    ensure!(causes(&house, &run).await? == ["tool"; 3], "attempts: {:?}", causes(&house, &run).await?);
    ensure!(why(&house, &run).await?.contains("all 3 attempts"), "why says {}", why(&house, &run).await?);
    let numbers: Vec<i64> = house.attempts(&run, "a").await?.iter().map(|attempt| attempt.number).collect();
    ensure!(numbers == [1, 2, 3], "numbered {numbers:?}");
    house.check().await
}

#[tokio::test]
async fn another_exit_code_than_the_named_ones_is_not_tried_again() -> Result<()> {
    let house = House::open().await?;
    house.hands.plan("a", [Act::Exit(75), Act::Exit(1)]);
    let run = house.submit(&retry(5, "exit_codes: [75]"), &specimen("S1")).await?;
    ensure!(house.end(&run).await? == "failed", "it cannot have succeeded");
    ensure!(causes(&house, &run).await?.len() == 2, "attempts: {:?}", causes(&house, &run).await?);
    house.check().await
}

#[tokio::test]
async fn out_of_memory_gets_more_memory_each_time_up_to_what_the_site_has() -> Result<()> {
    let resources = Request { cpus: 0, memory_bytes: 8 << 30, disk_bytes: 0 };
    let house = House::with(Plan { resources, memory_max: 64 << 30, ..Plan::default() }).await?;
    house.hands.plan("a", [Act::OutOfMemory, Act::OutOfMemory, Act::OutOfMemory]);
    let text = retry(4, "causes: [out_of_memory], escalate: { memory: x2 }")
        .replace("    script", "    resources: { memory: 2 GiB }\n    script");
    let run = house.submit(&text, &specimen("S1")).await?;
    let status = house.end(&run).await?;
    ensure!(status == "succeeded", "it {status}: {}", why(&house, &run).await?);
    let memory: Vec<u64> = house.hands.of("a").iter().map(|task| task.memory_bytes >> 30).collect();
    ensure!(memory == [2, 4, 8, 8], "it was given {memory:?} GiB");
    ensure!(house.hands.of("a")[1].env["memory_mb"] == "4096", "the script is told another amount");
    house.check().await
}

#[tokio::test]
async fn a_timeout_gets_more_time_and_another_cause_does_not() -> Result<()> {
    let house = House::open().await?;
    house.hands.plan("a", [Act::Exit(1), Act::Timeout, Act::Timeout]);
    let text = retry(4, "causes: [tool, timeout], escalate: { timeout: x3 }")
        .replace("    script", "    timeout: 10s\n    script");
    let run = house.submit(&text, &specimen("S1")).await?;
    ensure!(house.end(&run).await? == "succeeded", "{}", why(&house, &run).await?);
    let limits: Vec<u64> = house.hands.of("a").iter().map(|task| task.timeout_s).collect();
    ensure!(limits == [10, 10, 30, 90], "its limits were {limits:?}");
    ensure!(causes(&house, &run).await? == ["tool", "timeout", "timeout", ""]);
    house.check().await
}

#[tokio::test]
async fn an_output_that_is_missing_is_the_tools_fault_and_tried_again_when_asked() -> Result<()> {
    let house = House::open().await?;
    house.hands.plan("a", [Act::Without("o"), Act::Make(vec![("o.txt", String::new())])]);
    let run = house.submit(&retry(3, "causes: [bad_output]"), &specimen("S1")).await?;
    ensure!(house.end(&run).await? == "succeeded", "{}", why(&house, &run).await?);
    ensure!(causes(&house, &run).await? == ["bad_output", "bad_output", ""], "{:?}", causes(&house, &run).await?);
    house.check().await
}

#[tokio::test]
async fn what_the_site_is_to_blame_for_never_spends_the_workflows_attempts() -> Result<()> {
    let mut house = House::open().await?;
    let acts = [Act::NotStarted, Act::NoImage, Act::Lost, Act::Exit(75)];
    house.hands.plan("a", acts);
    let run = house.submit(&retry(2, "exit_codes: [75]"), &specimen("S1")).await?;
    for attempts in 1..=3 {
        house.until("the site's next attempt", async |house| Ok(causes(house, &run).await?.len() >= attempts)).await?;
        house.step_is(&run, "a", "ready").await?;
        let why = why(&house, &run).await?;
        ensure!(why.contains("another attempt follows"), "why says {why}");
        house.let_time_pass().await?;
    }
    ensure!(house.end(&run).await? == "succeeded", "{}", why(&house, &run).await?);
    ensure!(causes(&house, &run).await? == ["infrastructure", "image", "lost", "tool", ""]);
    house.check().await
}

#[tokio::test]
async fn the_sites_budget_ends_and_says_so() -> Result<()> {
    for (act, cause) in [(Act::NotStarted, "infrastructure"), (Act::NoImage, "image"), (Act::Lost, "lost")] {
        let mut house = House::open().await?;
        house.hands.plan("a", [act.clone(), act]);
        let run = house.submit(&retry(9, "causes: [tool]"), &specimen("S1")).await?;
        house.step_is(&run, "a", "ready").await?;
        house.let_time_pass().await?;
        ensure!(house.end(&run).await? == "failed", "it cannot have succeeded");
        ensure!(causes(&house, &run).await? == [cause, cause], "{:?}", causes(&house, &run).await?);
        let why = why(&house, &run).await?;
        ensure!(why.contains("the site's budget of 1") && why.contains(cause), "why says {why}");
        house.check().await?;
    }
    Ok(())
}

#[tokio::test]
async fn the_next_attempt_waits_as_long_as_the_workflow_says_and_then_starts_by_itself() -> Result<()> {
    let house = House::open().await?;
    house.hands.plan("a", [Act::Exit(1)]);
    let text = one("    retry: { attempts: 2, causes: [tool], wait: { first: 1s, max: 1s, jitter: false } }\n");
    let run = house.submit(&text, &specimen("S1")).await?;
    ensure!(house.end(&run).await? == "succeeded", "{}", why(&house, &run).await?);
    let attempts = house.attempts(&run, "a").await?;
    let waited = attempts[1].created_us - attempts[0].updated_us;
    ensure!(waited >= 1_000_000, "it waited {waited} µs");
    house.check().await
}

#[tokio::test]
async fn evidence_that_contradicts_itself_is_kept_for_a_person() -> Result<()> {
    let house = House::open().await?;
    house.hands.plan("a", [Act::Foreign]);
    let run = house.submit(&retry(9, "causes: [tool, timeout, out_of_memory, bad_output]"), &specimen("S1")).await?;
    ensure!(house.end(&run).await? == "failed", "it cannot have succeeded");
    let attempts = house.attempts(&run, "a").await?;
    ensure!(attempts.len() == 1 && attempts[0].status == "quarantined", "{attempts:?}");
    ensure!(attempts[0].evidence.contains("another's"), "the evidence was not kept");
    ensure!(why(&house, &run).await?.contains("a person must look"));
    house.check().await
}

#[tokio::test]
async fn one_branch_that_fails_does_not_stop_the_other() -> Result<()> {
    let house = House::open().await?;
    house.hands.plan("a", [Act::Exit(1)]);
    let text = format!(
        "{}  b:\n    outputs: {{ o: {{ path: o.txt }} }}\n    script: x\n  c:\n    inputs: {{ b: \"${{{{ steps.b.o }}}}\" }}\n    outputs: {{ o: {{ path: o.txt, keep: true }} }}\n    script: x\n  d:\n    after: [a]\n    outputs: {{ o: {{ path: o.txt, keep: true }} }}\n    script: x\n",
        one("")
    );
    let run = house.submit(&text, &specimen("S1")).await?;
    ensure!(house.end(&run).await? == "failed", "it cannot have succeeded");
    ensure!(house.step(&run, "c").await?.status == "succeeded" && house.step(&run, "d").await?.status == "waiting");
    house.check().await
}
