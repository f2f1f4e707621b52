//! Cancel, at every stage: nothing new starts, what runs is ended, the run comes to its end.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex};

use anyhow::{Result, ensure};
use kentai_engine::id::RunId;
use kentai_engine::port::executor::Stop;
use kentai_executors::scripted::Call;
use kentai_tests::house::{Act, House, Plan, operator, specimen, workflow};

const TWO: &str = "  a:
    outputs: { o: { path: o.txt } }
    script: x
    retry: { attempts: 5, causes: [tool, bad_output], wait: { first: 0s, max: 0s, jitter: false } }
  b:
    inputs: { a: \"${{ steps.a.o }}\" }
    outputs: { o: { path: o.txt, keep: true } }
    script: x
";

async fn cancel(house: &House, run: &RunId) -> Result<String> {
    Ok(house.handle().cancel(run, &operator(), "wrong sheet").await?)
}

/// Canceled, and nothing was started after `started`.
async fn ended(house: &House, run: &RunId, started: &[&str]) -> Result<()> {
    ensure!(house.end(run).await? == "canceled", "it did not end canceled");
    ensure!(house.hands.order() == started, "started: {:?}", house.hands.order());
    ensure!(house.handle().pulse().borrow().tools == 0, "the book thinks that something runs");
    Ok(())
}

#[tokio::test]
async fn a_queued_run_is_canceled_without_a_start() -> Result<()> {
    let house = House::with(Plan { slots: 1, ..Plan::default() }).await?;
    house.hands.plan("a", [Act::Wait]);
    let first = house.submit(&workflow(TWO), &specimen("S1")).await?;
    house.step_is(&first, "a", "running").await?;
    let run = house.submit(&workflow(TWO), &specimen("S2")).await?;
    cancel(&house, &run).await?;
    ensure!(house.end(&run).await? == "canceled");
    house.hands.finish("a", &Act::Well);
    ensure!(house.end(&first).await? == "succeeded", "the other run");
    ensure!(house.hands.order() == ["a", "b"]);
    house.check().await
}

#[tokio::test]
async fn a_running_tool_is_asked_to_end_and_canceling_twice_is_no_mistake() -> Result<()> {
    let house = House::open().await?;
    house.hands.plan("a", [Act::Wait]);
    let run = house.submit(&workflow(TWO), &specimen("S1")).await?;
    house.until("the tool", async |house| Ok(house.hands.running() == ["a"])).await?;
    cancel(&house, &run).await?;
    cancel(&house, &run).await?;
    ended(&house, &run, &["a"]).await?;
    let attempt = house.attempts(&run, "a").await?.remove(0);
    ensure!(attempt.status == "canceled", "the attempt is {}", attempt.status);
    let asked = Call::Stopped(attempt.attempt_id.to_string(), Stop::Ask);
    ensure!(house.hands.executor().calls().contains(&asked), "the tool was not asked to end");
    let events = house.handle().reader().events(run.as_str()).await?;
    let by = events.iter().find(|event| event.kind == "run_canceling").map(|event| event.actor.as_str());
    ensure!(by == Some("suzuki"), "canceled by {by:?}");
    house.check().await
}

#[tokio::test]
async fn a_held_run_can_be_canceled() -> Result<()> {
    let house = House::open().await?;
    house.hands.plan("a", [Act::Wait]);
    let run = house.submit(&workflow(TWO), &specimen("S1")).await?;
    house.step_is(&run, "a", "running").await?;
    house.handle().hold(&run, &operator(), "a doubt").await?;
    cancel(&house, &run).await?;
    ended(&house, &run, &["a"]).await?;
    house.check().await
}

#[tokio::test]
async fn a_run_that_awaits_a_person_can_be_canceled_and_the_question_is_over() -> Result<()> {
    let house = House::open().await?;
    let text = "  ask:\n    approve: { roles: [releaser] }\n";
    let run = house.submit(&workflow(text), &specimen("S1")).await?;
    house.step_is(&run, "ask", "awaiting_person").await?;
    cancel(&house, &run).await?;
    ended(&house, &run, &[]).await?;
    let kind = kentai_engine::scheduler::handle::AnswerKind::Approve;
    ensure!(
        house.answer(&run, "ask", ("abe", "releaser"), kind, "approve").await.is_err(),
        "an answer to a dead question"
    );
    house.check().await
}

#[tokio::test]
async fn a_run_that_waits_for_its_next_attempt_can_be_canceled() -> Result<()> {
    let mut house = House::open().await?;
    house.hands.plan("a", [Act::NotStarted]);
    let run = house.submit(&workflow(TWO), &specimen("S1")).await?;
    house
        .until("the failure", async |house| {
            Ok(house.attempts(&run, "a").await?.len() == 1 && house.step(&run, "a").await?.status == "ready")
        })
        .await?;
    cancel(&house, &run).await?;
    ended(&house, &run, &["a"]).await?;
    house.let_time_pass().await?;
    ensure!(house.run(&run).await?.status == "canceled");
    house.check().await
}

/// Stands before the collector and holds it until it is let go.
#[derive(Clone, Default)]
struct Door {
    inside: Arc<AtomicBool>,
    open: Arc<(Mutex<bool>, Condvar)>,
}

impl Door {
    fn pass(&self) -> bool {
        self.inside.store(true, Ordering::SeqCst);
        let (open, bell) = &*self.open;
        let guard = open.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        bell.wait_while(guard, |open| !*open).is_ok()
    }

    fn let_go(&self) {
        *self.open.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = true;
        self.open.1.notify_all();
    }
}

#[tokio::test]
async fn a_run_canceled_while_outputs_are_taken_in_comes_to_its_end_whatever_they_are() -> Result<()> {
    for act in [Act::Well, Act::Without("o")] {
        let door = Door::default();
        let before = door.clone();
        let plan = Plan {
            collect: Some(Box::new(move |collect| {
                let door = before.clone();
                Arc::new(move |orders| {
                    door.pass();
                    collect(orders)
                })
            })),
            ..Plan::default()
        };
        let house = House::with(plan).await?;
        house.hands.plan("a", [act]);
        let run = house.submit(&workflow(TWO), &specimen("S1")).await?;
        while !door.inside.load(Ordering::SeqCst) {
            tokio::task::yield_now().await;
        }
        cancel(&house, &run).await?;
        door.let_go();
        ended(&house, &run, &["a"]).await?;
        house.check().await?;
    }
    Ok(())
}

#[tokio::test]
async fn a_tool_that_could_not_be_started_yet_is_not_started_after_a_cancel() -> Result<()> {
    let house = House::open().await?;
    let executor = house.hands.executor();
    executor.set_unreachable(true);
    let run = house.submit(&workflow(TWO), &specimen("S1")).await?;
    house.until("a wait", async |house| Ok(house.why(&run, Some("a")).await?.contains("waits for executor"))).await?;
    cancel(&house, &run).await?;
    ensure!(house.run(&run).await?.status == "canceling", "whether something runs cannot be known");
    executor.set_unreachable(false);
    ended(&house, &run, &[]).await?;
    house.check().await
}

#[tokio::test]
async fn a_cancel_that_the_engine_did_not_live_to_carry_out_is_carried_out_by_the_next() -> Result<()> {
    let mut house = House::open().await?;
    house.hands.plan("a", [Act::Wait]);
    let run = house.submit(&workflow(TWO), &specimen("S1")).await?;
    house.until("the tool", async |house| Ok(house.hands.running() == ["a"])).await?;
    house.hands.executor().set_unreachable(true);
    cancel(&house, &run).await?;
    house.stop().await?;
    house.hands.executor().set_unreachable(false);
    house.start().await?;
    ended(&house, &run, &["a"]).await?;
    house.check().await
}

#[tokio::test]
async fn what_was_canceled_can_be_done_again_and_what_was_done_is_kept() -> Result<()> {
    let house = House::open().await?;
    house.hands.plan("b", [Act::Wait]);
    let run = house.submit(&workflow(TWO), &specimen("S1")).await?;
    house.until("the tool", async |house| Ok(house.hands.running() == ["b"])).await?;
    cancel(&house, &run).await?;
    ended(&house, &run, &["a", "b"]).await?;
    house.handle().retry(&run, None, &operator()).await?;
    ensure!(house.end(&run).await? == "succeeded");
    ensure!(house.hands.order() == ["a", "b", "b"], "{:?}", house.hands.order());
    house.check().await
}

#[tokio::test]
async fn a_run_at_its_end_cannot_be_canceled() -> Result<()> {
    let house = House::open().await?;
    let run = house.submit(&workflow(TWO), &specimen("S1")).await?;
    ensure!(house.end(&run).await? == "succeeded");
    ensure!(cancel(&house, &run).await.is_err(), "a finished run was canceled");
    ensure!(house.run(&run).await?.status == "succeeded");
    house.check().await
}
