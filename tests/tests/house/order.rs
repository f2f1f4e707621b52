//! Who starts when: dependencies, the order between runs, the book, the limits, pauses.

use anyhow::{Result, ensure};
use kentai_engine::decide::admit::Request;
use kentai_tests::house::{Act, House, Plan, lanes, operator, specimen, workflow};
use kentai_workflows::plan::Priority;

const ONE: &str = "    outputs: { o: { path: o.txt, keep: true } }\n    script: x\n";

/// Steps of this shape: `id` after `after`.
fn steps(list: &[(&str, &[&str])]) -> String {
    let one = |(id, after): &(&str, &[&str])| {
        let after = if after.is_empty() { String::new() } else { format!("    after: [{}]\n", after.join(", ")) };
        format!("  {id}:\n{after}{ONE}")
    };
    list.iter().map(one).collect()
}

#[tokio::test]
async fn a_step_starts_when_what_it_waits_for_and_what_it_reads_is_done() -> Result<()> {
    let house = House::open().await?;
    let text = format!(
        "{}  d:\n    inputs: {{ x: \"${{{{ steps.b.o }}}}\" }}\n{ONE}",
        steps(&[("a", &[]), ("b", &["a"]), ("c", &["a"])])
    );
    house.hands.plan("b", [Act::Wait]);
    let run = house.submit(&workflow(&text), &specimen("S1")).await?;
    house.step_is(&run, "c", "succeeded").await?;
    ensure!(house.step(&run, "d").await?.status == "waiting", "d reads what b has not made");
    ensure!(house.why(&run, Some("d")).await?.contains("b (running)"), "why does not name what it waits for");
    house.hands.finish("b", &Act::Well);
    ensure!(house.end(&run).await? == "succeeded", "the run did not succeed");
    let input = house.hands.of("d")[0].mounts[0].source.clone();
    ensure!(std::fs::read_to_string(input)?.starts_with("b o of "), "d was not given b's output");
    house.check().await
}

#[tokio::test]
async fn stat_goes_before_urgent_and_urgent_before_routine_whatever_came_first() -> Result<()> {
    let house = House::with(Plan { slots: 1, ..Plan::default() }).await?;
    let text = workflow(&steps(&[("a", &[])]));
    house.hands.plan("a", [Act::Wait]);
    let first = house.submit(&text, &specimen("first")).await?;
    house.step_is(&first, "a", "running").await?;
    for (id, priority) in [
        ("routine", Priority::Routine),
        ("urgent", Priority::Urgent),
        ("stat", Priority::Stat),
        ("late", Priority::Stat),
    ] {
        let mut specimen = specimen(id);
        specimen.priority = priority;
        house.submit(&text, &specimen).await?;
    }
    house.hands.finish("a", &Act::Well);
    house.rest().await?;
    let order: Vec<String> = house.hands.seen().iter().map(|seen| seen.task.env["specimen_id"].clone()).collect();
    ensure!(order == ["first", "stat", "late", "urgent", "routine"], "they started as {order:?}");
    house.check().await
}

#[tokio::test]
async fn a_stat_specimen_does_not_wait_behind_a_whole_window_of_routine_ones() -> Result<()> {
    let house = House::with(Plan { slots: 1, ..Plan::default() }).await?;
    let text = workflow(&steps(&[("a", &[]), ("b", &["a"])]));
    house.hands.plan("a", [Act::Wait]);
    let crowd: Vec<_> = (0..80).map(|n| specimen(&format!("R{n}"))).collect();
    house.submit_all(&text, &crowd).await?;
    house.until("the first tool", async |house| Ok(house.hands.running().len() == 1)).await?;
    let mut stat = specimen("stat");
    stat.priority = Priority::Stat;
    house.submit(&text, &stat).await?;
    house.hands.finish("a", &Act::Well);
    house.until("two more", async |house| Ok(house.hands.seen().len() >= 3)).await?;
    let second = house.hands.seen()[1].task.env["specimen_id"].clone();
    ensure!(second == "stat", "after the first, {second} was started");
    house.rest().await?;
    house.check().await
}

#[tokio::test]
async fn among_equals_the_one_nearest_to_completion_goes_first_then_the_oldest() -> Result<()> {
    let house = House::with(Plan { slots: 1, ..Plan::default() }).await?;
    let short = workflow(&steps(&[("a", &[])]));
    let long = workflow(&steps(&[("a", &[]), ("b", &["a"]), ("c", &["b"])]));
    house.hands.plan("a", [Act::Wait]);
    house.submit(&long, &specimen("long1")).await?;
    house.until("the first tool", async |house| Ok(house.hands.running().len() == 1)).await?;
    house.submit(&long, &specimen("long2")).await?;
    house.submit(&short, &specimen("short1")).await?;
    house.submit(&short, &specimen("short2")).await?;
    house.hands.finish("a", &Act::Well);
    house.rest().await?;
    let order: Vec<String> =
        house.hands.seen().iter().map(|seen| format!("{}.{}", seen.task.env["specimen_id"], seen.task.step)).collect();
    // A tool's slot is free while its outputs are taken in: whose next step is ready by then is not decided here.
    ensure!(order[..3] == ["long1.a", "short1.a", "short2.a"], "they started as {order:?}");
    house.check().await
}

#[tokio::test]
async fn the_book_never_lends_more_than_the_site_has_and_small_ones_pass_a_big_one() -> Result<()> {
    let resources = Request { cpus: 4, memory_bytes: 8 << 30, disk_bytes: 0 };
    let house = House::with(Plan { slots: 10, resources, ..Plan::default() }).await?;
    let step = |id: &str, cpus: u32, memory: &str| {
        format!("  {id}:\n    resources: {{ cpus: {cpus}, memory: {memory} }}\n{ONE}")
    };
    let names = ["a", "b", "c", "d", "e"];
    let text = [
        step("a", 3, "1 GiB"),
        step("b", 3, "1 GiB"),
        step("c", 1, "6 GiB"),
        step("d", 1, "6 GiB"),
        step("e", 4, "8 GiB"),
    ];
    for name in names {
        house.hands.plan(name, [Act::Wait]);
    }
    let run = house.submit(&workflow(&text.concat()), &specimen("S1")).await?;
    let mut left = names.len();
    while left > 0 {
        house.until("a tool", async |house| Ok(!house.hands.running().is_empty())).await?;
        let one = house.hands.running().remove(0);
        house.hands.finish(&one, &Act::Well);
        left -= 1;
    }
    ensure!(house.end(&run).await? == "succeeded", "the run did not succeed");
    let (tools, cpus, memory) = house.hands.most();
    ensure!(tools >= 2 && cpus <= 4 && memory <= 8 << 30, "at most {tools} tools, {cpus} cpus, {memory} bytes");
    house.check().await
}

#[tokio::test]
async fn what_can_never_fit_is_refused_with_its_reason_and_not_waited_for() -> Result<()> {
    let resources = Request { cpus: 2, memory_bytes: 0, disk_bytes: 0 };
    let house = House::with(Plan { resources, ..Plan::default() }).await?;
    let text = format!("  a:\n    resources: {{ cpus: 3 }}\n{ONE}");
    let run = house.submit(&workflow(&text), &specimen("S1")).await?;
    ensure!(house.end(&run).await? == "failed", "it cannot have run");
    ensure!(house.why(&run, None).await?.contains("3 cpus"), "why does not say what is missing");
    house.check().await
}

#[tokio::test]
async fn two_runs_that_ask_for_more_cores_than_there_are_numbers_do_not_stop_the_engine() -> Result<()> {
    let house = House::open().await?;
    let text = workflow(&format!("  a:\n    resources: {{ cpus: 4000000000 }}\n{ONE}"));
    let submitted = house.submit_all(&text, &[specimen("S1"), specimen("S2")]).await?;
    for run in &submitted.runs {
        house.end(run).await?;
    }
    house.check().await
}

#[tokio::test]
async fn a_step_runs_no_more_of_its_items_at_once_than_max_parallel() -> Result<()> {
    let house = House::with(Plan { slots: 10, ..Plan::default() }).await?;
    let text = format!("  a:\n    for_each: {{ lane: specimen.lanes }}\n    max_parallel: 2\n{ONE}");
    house.hands.plan("a", [Act::Wait, Act::Wait, Act::Wait, Act::Wait, Act::Wait]);
    let run = house.submit(&workflow(&text), &lanes("S1", &["1", "2", "3", "4", "5"])).await?;
    for _ in 0..5 {
        house.until("a tool", async |house| Ok(!house.hands.running().is_empty())).await?;
        let one = house.hands.running().remove(0);
        house.hands.finish(&one, &Act::Well);
    }
    ensure!(house.end(&run).await? == "succeeded", "the run did not succeed");
    ensure!(house.hands.most().0 == 2, "{} ran at once", house.hands.most().0);
    house.check().await
}

#[tokio::test]
async fn a_held_run_lets_what_runs_end_and_starts_nothing_until_it_is_resumed() -> Result<()> {
    let house = House::open().await?;
    house.hands.plan("a", [Act::Wait]);
    let run = house.submit(&workflow(&steps(&[("a", &[]), ("b", &["a"])])), &specimen("S1")).await?;
    house.step_is(&run, "a", "running").await?;
    house.handle().hold(&run, &operator(), "a question").await?;
    house.hands.finish("a", &Act::Well);
    house.step_is(&run, "b", "ready").await?;
    house.rest().await?;
    ensure!(house.hands.order() == ["a"], "something was started on a held run");
    let why = house.why(&run, None).await?;
    ensure!(why.contains("held by suzuki: a question") && why.contains("kentai resume"), "why says {why}");
    house.handle().resume(&run, &operator()).await?;
    ensure!(house.end(&run).await? == "succeeded", "it did not go on");
    house.check().await
}

#[tokio::test]
async fn hold_before_waits_for_a_person_and_lets_go_once() -> Result<()> {
    let mut house = House::open().await?;
    let text = format!("  a:\n{ONE}  b:\n    after: [a]\n    hold_before: true\n{ONE}");
    let run = house.submit(&workflow(&text), &specimen("S1")).await?;
    house.step_is(&run, "b", "awaiting_person").await?;
    house.stop().await?;
    house.start().await?;
    house.rest().await?;
    ensure!(house.hands.order() == ["a"], "b was started before a person let it go");
    house.handle().resume(&run, &operator()).await?;
    ensure!(house.end(&run).await? == "succeeded", "it did not go on");
    house.check().await
}

#[tokio::test]
async fn only_an_operator_pauses_resumes_cancels_and_retries() -> Result<()> {
    let house = House::open().await?;
    house.hands.plan("a", [Act::Wait]);
    let run = house.submit(&workflow(&steps(&[("a", &[])])), &specimen("S1")).await?;
    let reviewer = kentai_tests::house::person("sato", "reviewer");
    let handle = house.handle();
    ensure!(handle.hold(&run, &reviewer, "x").await.is_err(), "a reviewer held a run");
    ensure!(handle.resume(&run, &reviewer).await.is_err(), "a reviewer resumed a run");
    ensure!(handle.cancel(&run, &reviewer, "x").await.is_err(), "a reviewer canceled a run");
    ensure!(handle.retry(&run, None, &reviewer).await.is_err(), "a reviewer retried a run");
    ensure!(
        handle.submit(house.request(&workflow(&steps(&[("a", &[])])), &[specimen("S2")]), &reviewer).await.is_err()
    );
    house.until("the tool", async |house| Ok(!house.hands.running().is_empty())).await?;
    house.hands.finish("a", &Act::Well);
    ensure!(house.end(&run).await? == "succeeded", "what was refused had an effect");
    house.check().await
}
