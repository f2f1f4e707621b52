//! An engine that ends anywhere, and the next one: the same end, and nothing done twice.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result, ensure};
use kentai_engine::clock::Clock;
use kentai_engine::scheduler::Error;
use kentai_engine::scheduler::handle::AnswerKind;
use kentai_engine::store;
use kentai_engine::store::pool::Pool;
use kentai_engine::store::read::Reader;
use kentai_engine::store::writer::{Change, Table, Writer};
use kentai_engine::view::run_sheet;
use kentai_tests::house::{Act, Hands, House, Plan, lanes, operator, specimen, workflow};

/// 25 November 2026, noon.
const NOON: i64 = 1_795_608_000_000_000;

/// A bit of everything: lanes, a gate, a list from a step, an approval, a skip, a call, a hand-off.
const ALL: &str = "  trim:
    for_each: { lane: specimen.lanes }
    outputs: { o: { path: o.txt }, m: { path: m.json } }
    script: x
  ok:
    gate:
      read: { q: { from: steps.trim.all.m, at: $.q, combine: min } }
      checks: [ { metric: q, pass: \">= 30\", missing: fail } ]
  split:
    after: [ok]
    inputs: { files: \"${{ steps.trim.all.o }}\" }
    outputs: { parts: { glob: \"*.part\" } }
    script: x
    retry: { attempts: 2, causes: [tool], wait: { first: 0s, max: 0s, jitter: false } }
  work:
    for_each: { part: steps.split.parts }
    inputs: { p: \"${{ part }}\" }
    outputs: { o: { path: o.txt } }
    script: x
  never:
    when: specimen.sex == \"male\"
    after: [ok]
    outputs: { o: { path: o.txt, keep: true } }
    script: x
  sub:
    after: [work]
    call: { workflow: called.yaml }
  ask:
    after: [never, sub]
    approve: { roles: [releaser] }
  deliver:
    after: [ask]
    handoff: { to: outbox, files: [\"${{ steps.work.all.o }}\", \"${{ steps.sub.r }}\"] }
";

const CALLED: &str = "kentai: 1
workflow: called
specimen: { fields: { sex: { type: choice, of: [female, male, unknown], default: unknown } } }
steps:
  c:
    outputs: { o: { path: c.txt } }
    script: x
outputs: { r: steps.c.o }
";

fn told(house: &House) {
    let measured = || Act::Make(vec![("o.txt", "o\n".into()), ("m.json", "{\"q\": 35}".into())]);
    house.hands.plan("trim", [measured(), measured()]);
    house.hands.plan("split", [Act::Exit(1), Act::Make(vec![("a.part", "a\n".into()), ("b.part", "b\n".into())])]);
}

/// How often each step was started, over every engine.
fn starts(hands: &Hands) -> BTreeMap<String, usize> {
    hands.order().into_iter().fold(BTreeMap::new(), |mut starts, step| {
        *starts.entry(step).or_insert(0) += 1;
        starts
    })
}

/// Runs everything; the engine ends after its first `cuts[0]` commits, the next after `cuts[1]` … the last goes on to the end.
async fn with_cuts(cuts: &[u64]) -> Result<(BTreeMap<String, usize>, u64)> {
    let mut house = House::open().await?;
    house.called.insert("called.yaml".into(), ("called.yaml".into(), CALLED.into()));
    told(&house);
    let run = house.submit(&workflow(ALL), &lanes("S1", &["L1", "L2"])).await?;
    for cut in cuts {
        let enough = async |house: &House| {
            let felt = *house.handle().pulse().borrow();
            Ok(felt.commits >= *cut || felt.active == 0)
        };
        house.until("the cut", enough).await?;
        house.stop().await?;
        house.start().await?;
    }
    house.step_is(&run, "ask", "awaiting_person").await?;
    house.answer(&run, "ask", ("abe", "releaser"), AnswerKind::Approve, "approve").await?;
    let status = house.end(&run).await?;
    ensure!(status == "succeeded", "cut after {cuts:?} it {status}: {}", house.why(&run, None).await?);
    let packages = std::fs::read_dir(house.outbox())?.count();
    ensure!(packages == 1, "cut after {cuts:?} there are {packages} packages");
    let (starts, commits) = (starts(&house.hands), house.handle().pulse().borrow().commits);
    house.check().await?;
    Ok((starts, commits))
}

#[tokio::test]
async fn wherever_the_engine_ends_the_next_one_comes_to_the_same_end() -> Result<()> {
    let (whole, commits) = with_cuts(&[]).await?;
    ensure!(whole["split"] == 2 && whole["work/0001"] == 1 && whole["c"] == 1, "{whole:?}");
    // The first few are over before the answer to the submission is here.
    for cut in 4..=commits {
        let (starts, _) = with_cuts(&[cut]).await?;
        ensure!(starts == whole, "cut after {cut}: {starts:?}");
    }
    Ok(())
}

#[tokio::test]
async fn an_engine_that_ends_again_and_again_while_it_recovers_loses_nothing() -> Result<()> {
    let (whole, _) = with_cuts(&[]).await?;
    for cuts in [&[1; 20][..], &[2; 12], &[3; 8], &[4, 1, 1, 4, 1, 1, 4, 1, 1]] {
        let (starts, _) = with_cuts(cuts).await?;
        ensure!(starts == whole, "cut after {cuts:?}: {starts:?}");
    }
    Ok(())
}

#[tokio::test]
async fn a_tool_that_runs_on_while_no_engine_does_is_adopted_and_not_started_again() -> Result<()> {
    let mut house = House::open().await?;
    house.hands.plan("a", [Act::Wait]);
    let text = "  a:\n    outputs: { o: { path: o.txt, keep: true } }\n    script: x\n";
    let run = house.submit(&workflow(text), &specimen("S1")).await?;
    for _ in 0..3 {
        house.until("the tool", async |house| Ok(house.hands.running() == ["a"])).await?;
        house.stop().await?;
        house.start().await?;
    }
    house.until("adoption", async |house| Ok(house.handle().pulse().borrow().tools == 1)).await?;
    house.hands.finish("a", &Act::Well);
    ensure!(house.end(&run).await? == "succeeded");
    let attempt = house.attempts(&run, "a").await?.remove(0);
    ensure!(attempt.epoch == 4, "the attempt is engine {}'s", attempt.epoch);
    house.check().await
}

#[tokio::test]
async fn a_tool_that_was_adopted_has_run_since_its_own_start() -> Result<()> {
    let clock = Clock::standing_at(NOON);
    let mut house = House::with(Plan { clock: clock.clone(), ..Plan::default() }).await?;
    house.hands.plan("a", [Act::Wait]);
    let text = "  a:\n    outputs: { o: { path: o.txt, keep: true } }\n    script: x\n";
    let run = house.submit(&workflow(text), &specimen("S1")).await?;
    house.until("the tool", async |house| Ok(house.hands.running() == ["a"])).await?;
    house.stop().await?;
    clock.advance(3_600_000_000);
    house.start().await?;
    house.until("adoption", async |house| Ok(house.attempts(&run, "a").await?[0].epoch == 2)).await?;
    let adopted = house.attempts(&run, "a").await?.remove(0);
    ensure!(adopted.status == "launching", "{}", adopted.status);
    ensure!(adopted.updated_us == NOON, "{} us after its start", adopted.updated_us - NOON);
    // What its page counts from.
    let tasks = run_sheet::tasks(house.handle().reader(), &run, (None, None), None, 9).await?;
    let bar = tasks.iter().find_map(|task| task.bar.as_ref()).context("a bar")?;
    ensure!(bar.attempt.updated == "2026-11-25T12:00:00.000000Z", "{}", bar.attempt.updated);
    house.hands.finish("a", &Act::Well);
    ensure!(house.end(&run).await? == "succeeded");
    house.check().await
}

#[tokio::test]
async fn what_runs_already_counts_against_the_book_of_the_next_engine() -> Result<()> {
    let mut house = House::with(Plan { slots: 1, ..Plan::default() }).await?;
    house.hands.plan("a", [Act::Wait, Act::Wait]);
    let text = "  a:\n    outputs: { o: { path: o.txt, keep: true } }\n    script: x\n";
    let submitted = house.submit_all(&workflow(text), &[specimen("S1"), specimen("S2")]).await?;
    house.until("the tool", async |house| Ok(house.hands.running().len() == 1)).await?;
    house.stop().await?;
    house.start().await?;
    house.until("a look around", async |house| Ok(house.handle().pulse().borrow().tools == 1)).await?;
    for _ in 0..2 {
        house.until("a tool", async |house| Ok(house.hands.running().len() == 1)).await?;
        house.hands.finish("a", &Act::Well);
    }
    for run in &submitted.runs {
        ensure!(house.end(run).await? == "succeeded");
    }
    ensure!(house.hands.most().0 == 1, "{} tools ran at once", house.hands.most().0);
    house.check().await
}

#[tokio::test]
async fn a_second_engine_on_a_site_is_refused_and_the_first_goes_on() -> Result<()> {
    let house = House::open().await?;
    let second = house.second().await;
    ensure!(second.is_err_and(|error| error.to_string().contains("another engine is running")));
    let text = "  a:\n    outputs: { o: { path: o.txt, keep: true } }\n    script: x\n";
    let run = house.submit(&workflow(text), &specimen("S1")).await?;
    ensure!(house.end(&run).await? == "succeeded");
    house.check().await
}

#[tokio::test]
async fn an_engine_whose_run_was_moved_on_by_another_writes_nothing_more() -> Result<()> {
    let mut house = House::open().await?;
    house.hands.plan("a", [Act::Wait]);
    let text = "  a:\n    outputs: { o: { path: o.txt, keep: true } }\n    script: x\n";
    let run = house.submit(&workflow(text), &specimen("S1")).await?;
    house.until("the tool", async |house| Ok(house.hands.running() == ["a"])).await?;
    house.sql(&format!("update run set version = version + 1 where run_id = '{run}'"))?;
    let before = house.sql("select count(*) from event")?;
    house.hands.finish("a", &Act::Well);
    let end = house.fall().await?;
    ensure!(matches!(end, Error::Store(store::Error::Stale { .. })), "it ended with {end}");
    ensure!(house.sql("select count(*) from event")? == before, "half a change was written");
    // What the hands did is not lost: the next engine finds it.
    house.start().await?;
    ensure!(house.end(&run).await? == "succeeded");
    house.check().await
}

#[tokio::test]
async fn an_engine_that_another_has_taken_the_site_from_writes_nothing_more_about_anything() -> Result<()> {
    let mut house = House::open().await?;
    // As if the lock had been lost: the other one has counted the epoch up and touched nothing else yet.
    house.sql("update engine set epoch = epoch + 1")?;
    let text = "  a:\n    outputs: { o: { path: o.txt, keep: true } }\n    script: x\n";
    let refused = house.handle().submit(house.request(&workflow(text), &[specimen("S1")]), &operator()).await;
    ensure!(refused.is_err(), "an old engine took a submission");
    let end = house.fall().await?;
    ensure!(matches!(end, Error::Store(store::Error::Stale { .. })), "it ended with {end}");
    ensure!(house.sql("select count(*) from run")? == "0");
    house.start().await?;
    house.check().await
}

#[tokio::test]
async fn a_writer_of_an_older_epoch_is_refused() -> Result<()> {
    let house = House::open().await?;
    let run = house
        .submit(&workflow("  a:\n    outputs: { o: { path: o.txt, keep: true } }\n    script: x\n"), &specimen("S1"))
        .await?;
    ensure!(house.end(&run).await? == "succeeded");
    let row = house.run(&run).await?;
    let pool = Pool::open(&house.site().join("kentai.db")).await?;
    let mut change = Change::default();
    change.put(Table::Run, &kentai_engine::store::rows::Run { version: row.version, status: "failed".into(), ..row });
    let (writer, _) = Writer::start(pool.clone(), 1);
    let late = writer.commit(change).await;
    ensure!(matches!(late, Err(store::Error::Stale { .. })), "{late:?}");
    ensure!(Reader::new(pool).run(run.as_str()).await?.is_some_and(|row| row.status == "succeeded"));
    house.check().await
}

#[tokio::test]
async fn one_run_that_cannot_be_read_does_not_stop_the_others() -> Result<()> {
    for damage in ["plan = '{'", "status = 'sleeping'", "hold = 'x'"] {
        let mut house = House::open().await?;
        house.hands.plan("a", [Act::Wait, Act::Wait]);
        let text = "  a:\n    outputs: { o: { path: o.txt, keep: true } }\n    script: x\n";
        let submitted = house.submit_all(&workflow(text), &[specimen("bad"), specimen("good")]).await?;
        house.until("the tools", async |house| Ok(house.hands.running().len() == 2)).await?;
        house.stop().await?;
        house.sql(&format!("update run set {damage} where specimen_id = 'bad'"))?;
        house.start().await?;
        house.hands.finish("a", &Act::Well);
        house.hands.finish("a", &Act::Well);
        let good = &submitted.runs[1];
        ensure!(house.end(good).await? == "succeeded", "{damage}");
        ensure!(house.handle().why(&submitted.runs[0], None).await.is_err(), "{damage}: it was read after all");
        house.stop().await?;
    }
    Ok(())
}

#[tokio::test]
async fn an_attempt_whose_executor_the_site_has_no_more_is_not_given_to_another() -> Result<()> {
    let mut house = House::open().await?;
    house.hands.plan("a", [Act::Wait]);
    let text = "  a:\n    outputs: { o: { path: o.txt, keep: true } }\n    script: x\n";
    let run = house.submit(&workflow(text), &specimen("S1")).await?;
    house.until("the tool", async |house| Ok(house.hands.running() == ["a"])).await?;
    house.stop().await?;
    house.sql("update attempt set executor = 'cluster'")?;
    let mut others = Hands::new();
    std::mem::swap(&mut house.hands, &mut others);
    house.start().await?;
    house.until("a wait", async |house| Ok(house.why(&run, Some("a")).await?.contains("`cluster`"))).await?;
    ensure!(house.hands.seen().is_empty(), "another executor started what may still run");
    house.stop().await?;
    house.sql("update attempt set executor = 'scripted'")?;
    house.hands = others;
    house.hands.finish("a", &Act::Well);
    house.start().await?;
    ensure!(house.end(&run).await? == "succeeded");
    house.check().await
}

#[tokio::test]
async fn an_engine_that_only_answers_starts_nothing_and_what_it_recorded_is_carried_out_by_the_next() -> Result<()> {
    let mut house = House::with(Plan { drain: true, ..Plan::default() }).await?;
    let text = workflow("  a:\n    outputs: { o: { path: o.txt, keep: true } }\n    script: x\n");
    let submitted = house.submit_all(&text, &[specimen("S1"), specimen("S2"), specimen("S3")]).await?;
    let [goes, held, canceled] = submitted.runs.as_slice() else { anyhow::bail!("three runs") };
    house.handle().hold(held, &operator(), "a doubt").await?;
    house.handle().cancel(canceled, &operator(), "wrong sheet").await?;
    let why = house.why(goes, Some("a")).await?;
    ensure!(why.contains("no engine runs"), "why says {why}");
    ensure!(house.hands.seen().is_empty(), "an engine that only answers started something");
    house.stop().await?;
    house.plan.drain = false;
    house.start().await?;
    ensure!(house.end(goes).await? == "succeeded" && house.end(canceled).await? == "canceled");
    house.rest().await?;
    ensure!(house.hands.seen().len() == 1, "{:?}", house.hands.order());
    ensure!(house.step(held, "a").await?.status == "ready");
    house.check().await
}

#[tokio::test]
async fn a_tool_that_is_canceled_while_only_an_answering_engine_runs_is_ended_by_the_next() -> Result<()> {
    let mut house = House::open().await?;
    house.hands.plan("a", [Act::Wait]);
    let run = house
        .submit(&workflow("  a:\n    outputs: { o: { path: o.txt, keep: true } }\n    script: x\n"), &specimen("S1"))
        .await?;
    house.until("the tool", async |house| Ok(house.hands.running() == ["a"])).await?;
    house.stop().await?;
    house.plan.drain = true;
    house.start().await?;
    house.handle().cancel(&run, &operator(), "wrong sheet").await?;
    ensure!(house.hands.running() == ["a"], "an engine that only answers ended a tool");
    house.stop().await?;
    house.plan.drain = false;
    house.start().await?;
    ensure!(house.end(&run).await? == "canceled");
    ensure!(house.hands.running().is_empty());
    house.check().await
}
