//! Steps that run once per item: pairs, order, lists that become known at run time, lists that are empty.

use anyhow::{Result, ensure};
use kentai_tests::house::{Act, House, lanes, operator, specimen, workflow};

const TRIM: &str = "  trim:
    for_each: { lane: specimen.lanes }
    outputs: { o: { path: o.txt } }
    script: x
";

/// A step that makes a list, one that runs per part of it, and one that reads all of them.
const SPLIT: &str = "  split:
    outputs: { parts: { glob: \"*.part\" } }
    script: x
  work:
    for_each: { part: steps.split.parts }
    inputs: { p: \"${{ part }}\" }
    outputs: { o: { path: o.txt } }
    script: x
  join:
    inputs: { files: \"${{ steps.work.all.o }}\" }
    outputs: { o: { path: joined.txt, keep: true } }
    script: x
";

fn parts(names: &[&'static str]) -> Act {
    Act::Make(names.iter().map(|name| (*name, format!("content of {name}\n"))).collect())
}

/// First words of the files that a task was given as `in_files`, in their order: the steps that made them.
fn given(house: &House, step: &str, round: usize) -> Result<Vec<String>> {
    let task = &house.hands.of(step)[round];
    let mut makers = Vec::new();
    for path in task.env["in_files"].lines().filter(|line| !line.is_empty()) {
        let target = std::path::Path::new(path).strip_prefix(task.directory.join("in"))?.to_owned();
        let mount = task.mounts.iter().find(|mount| mount.target == target);
        let text = std::fs::read_to_string(&mount.expect("what is named is given").source)?;
        makers.push(text.split(' ').next().unwrap_or_default().to_owned());
    }
    Ok(makers)
}

#[tokio::test]
async fn an_item_goes_on_with_its_own_file_while_others_still_run() -> Result<()> {
    let house = House::open().await?;
    let text = format!(
        "{TRIM}  align:\n    for_each: {{ lane: specimen.lanes }}\n    inputs: {{ files: \"${{{{ steps.trim.each.o }}}}\" }}\n    outputs: {{ o: {{ path: o.txt, keep: true }} }}\n    script: x\n"
    );
    house.hands.plan("trim/L2", [Act::Wait]);
    let run = house.submit(&workflow(&text), &lanes("S1", &["L1", "L2", "L3"])).await?;
    house.step_is(&run, "align/L1", "succeeded").await?;
    house.step_is(&run, "align/L3", "succeeded").await?;
    ensure!(house.step(&run, "align/L2").await?.status == "waiting", "L2 went on without its trimmed reads");
    ensure!(given(&house, "align/L3", 0)? == ["trim/L3"], "L3 was given another lane's file");
    house.hands.finish("trim/L2", &Act::Well);
    ensure!(house.end(&run).await? == "succeeded", "the run did not succeed");
    ensure!(given(&house, "align/L2", 0)? == ["trim/L2"], "L2 was given another lane's file");
    house.check().await
}

#[tokio::test]
async fn all_is_in_the_order_of_the_list_whoever_ended_first() -> Result<()> {
    let mut house = House::open().await?;
    let text = format!(
        "{TRIM}  join:\n    inputs: {{ files: \"${{{{ steps.trim.all.o }}}}\" }}\n    outputs: {{ o: {{ path: o.txt, keep: true }} }}\n    script: x\n"
    );
    house.hands.plan("trim", [Act::Wait, Act::Wait, Act::Wait]);
    let run = house.submit(&workflow(&text), &lanes("S1", &["L10", "L9", "L1"])).await?;
    house.until("three tools", async |house| Ok(house.hands.running().len() == 3)).await?;
    house.hands.finish("trim/L1", &Act::Well);
    house.step_is(&run, "trim/L1", "succeeded").await?;
    house.stop().await?;
    house.start().await?;
    house.hands.finish("trim/L10", &Act::Well);
    house.hands.finish("trim/L9", &Act::Well);
    ensure!(house.end(&run).await? == "succeeded", "the run did not succeed");
    let order = given(&house, "join", 0)?;
    ensure!(order == ["trim/L10", "trim/L9", "trim/L1"], "join was given {order:?}");
    house.check().await
}

#[tokio::test]
async fn a_list_that_a_step_made_fans_out_and_keeps_its_order_over_a_restart() -> Result<()> {
    let mut house = House::open().await?;
    let text = SPLIT.replace("part: steps.split.parts", "part: steps.split.parts, kind: specimen.lanes");
    house.hands.plan("split", [parts(&["b.part", "a.part"])]);
    house.hands.plan("work", [Act::Wait, Act::Wait, Act::Wait, Act::Wait]);
    let run = house.submit(&workflow(&text), &lanes("S1", &["z", "a"])).await?;
    house.until("four tools", async |house| Ok(house.hands.running().len() == 4)).await?;
    house.stop().await?;
    house.start().await?;
    for step in house.hands.running() {
        house.hands.finish(&step, &Act::Well);
    }
    ensure!(house.end(&run).await? == "succeeded", "the run did not succeed");
    let order = given(&house, "join", 0)?;
    ensure!(order == ["work/0001,z", "work/0001,a", "work/0002,z", "work/0002,a"], "join was given {order:?}");
    let first = house.hands.of("work/0001,z").remove(0);
    ensure!(first.mounts.iter().any(|mount| mount.target.ends_with("a.part")), "the first part is not a.part");
    house.check().await
}

#[tokio::test]
async fn an_empty_list_is_done_at_once_and_all_of_it_is_an_empty_list() -> Result<()> {
    let house = House::open().await?;
    let text = format!(
        "{TRIM}  join:\n    inputs: {{ files: \"${{{{ steps.trim.all.o }}}}\" }}\n    outputs: {{ o: {{ path: o.txt, keep: true }} }}\n    script: x\n"
    );
    let run = house.submit(&workflow(&text), &lanes("S1", &[])).await?;
    let status = house.end(&run).await?;
    ensure!(status == "succeeded", "the run {status}: {}", house.why(&run, None).await?);
    ensure!(given(&house, "join", 0)?.is_empty(), "join was given something");
    house.check().await
}

#[tokio::test]
async fn a_pattern_that_matches_nothing_and_may_is_an_empty_list() -> Result<()> {
    let house = House::open().await?;
    house.hands.plan("split", [parts(&[])]);
    let text = SPLIT
        .replace("*.part\"", "*.part\", optional: true")
        .replace("steps.split.parts", "\"steps.split.parts | default([])\"");
    let run = house.submit(&workflow(&text), &specimen("S1")).await?;
    let status = house.end(&run).await?;
    ensure!(status == "succeeded", "the run {status}: {}", house.why(&run, None).await?);
    ensure!(house.hands.order() == ["split", "join"], "it ran {:?}", house.hands.order());
    house.check().await
}

#[tokio::test]
async fn when_every_item_is_skipped_the_group_is_skipped_and_what_follows_goes_on() -> Result<()> {
    let house = House::open().await?;
    let text = format!(
        "{}  join:\n    inputs: {{ files: {{ from: \"steps.trim.all.o\", optional: true }} }}\n    outputs: {{ o: {{ path: o.txt, keep: true }} }}\n    script: x\n",
        TRIM.replace("    script", "    when: lane.id == \"L9\"\n    script")
    );
    let submitted =
        house.submit_all(&workflow(&text), &[lanes("none", &["L1", "L2"]), lanes("one", &["L1", "L9"])]).await?;
    let [none, one] = submitted.runs.as_slice() else { anyhow::bail!("two runs") };
    for run in [none, one] {
        ensure!(house.end(run).await? == "succeeded", "the run did not succeed");
    }
    ensure!(house.step(none, "trim").await?.status == "skipped", "nothing of the group was done");
    ensure!(house.step(one, "trim").await?.status == "succeeded", "one of the group was done");
    let made: Vec<String> = house.hands.of("join").iter().map(|task| task.env["in_files"].clone()).collect();
    ensure!(made.iter().any(String::is_empty) && made.iter().any(|all| all.ends_with("o.txt")), "given: {made:?}");
    house.check().await
}

#[tokio::test]
async fn items_of_a_list_that_name_each_other_twice_get_names_by_place() -> Result<()> {
    let house = House::open().await?;
    let text = "  split:\n    outputs: { parts: { glob: \"*/x.part\" } }\n    script: x\n  work:\n    for_each: { part: steps.split.parts }\n    inputs: { p: \"${{ part }}\" }\n    outputs: { o: { path: o.txt, keep: true } }\n    script: x\n";
    house.hands.plan("split", [parts(&["one/x.part", "two/x.part"])]);
    let run = house.submit(&workflow(text), &specimen("S1")).await?;
    ensure!(house.end(&run).await? == "succeeded", "the run did not succeed");
    ensure!(house.step(&run, "work/0002").await?.status == "succeeded");
    house.check().await
}

#[tokio::test]
async fn a_list_that_is_made_again_is_fanned_out_again() -> Result<()> {
    let house = House::open().await?;
    house.hands.plan(
        "split",
        [
            parts(&["a.part", "b.part", "c.part"]),
            Act::Make(vec![("a.part", "new a\n".into()), ("d.part", "d\n".into())]),
        ],
    );
    let run = house.submit(&workflow(SPLIT), &specimen("S1")).await?;
    ensure!(house.end(&run).await? == "succeeded", "the run did not succeed");
    ensure!(given(&house, "join", 0)?.len() == 3, "three parts were joined");
    house.handle().retry(&run, Some("split"), &operator()).await?;
    ensure!(house.end(&run).await? == "succeeded", "the retry did not succeed: {}", house.why(&run, None).await?);
    let order = given(&house, "join", 1)?;
    ensure!(order == ["work/0001", "work/0002"], "the second time join was given {order:?}");
    let again = house.hands.of("work/0001").remove(1);
    ensure!(std::fs::read_to_string(&again.mounts[0].source)? == "new a\n", "a part of the first round was worked on");
    ensure!(house.hands.of("work/0003").len() == 1, "a part that is no more was worked on again");
    house.check().await
}

#[tokio::test]
async fn one_item_is_done_again_without_the_others() -> Result<()> {
    let house = House::open().await?;
    house.hands.plan("split", [parts(&["a.part", "b.part"])]);
    let run = house.submit(&workflow(SPLIT), &specimen("S1")).await?;
    ensure!(house.end(&run).await? == "succeeded", "the run did not succeed");
    house.handle().retry(&run, Some("work/0002"), &operator()).await?;
    ensure!(house.end(&run).await? == "succeeded", "the retry did not succeed: {}", house.why(&run, None).await?);
    ensure!(
        house.hands.order() == ["split", "work/0001", "work/0002", "join", "work/0002", "join"],
        "{:?}",
        house.hands.order()
    );
    ensure!(given(&house, "join", 1)?.len() == 2, "join was not given both");
    house.check().await
}
