//! Executors as people and failures leave them: what was drained and is gone, and a failure that is nobody's but the tool's.

use std::sync::Arc;

use anyhow::{Context as _, Result, ensure};
use kentai_engine::scheduler::Post;
use kentai_engine::scheduler::center::request::Request;
use kentai_engine::scheduler::handle::Refusal;
use kentai_tests::house::{Act, Hands, House, Plan, operator, specimen, workflow};

fn post(name: &str, hands: &Hands) -> Post {
    Post::plain(Arc::new(hands.executor().named(name)))
}

async fn house(executors: Vec<Post>) -> Result<House> {
    House::with(Plan { executors: Some(executors), ..Plan::default() }).await
}

fn resume(executor: &str) -> Request {
    Request::ResumeExecutor { executor: executor.into() }
}

#[tokio::test]
async fn a_tool_that_fails_is_tried_again_where_it_failed_though_another_is_free() -> Result<()> {
    let (here, hpc) = (Hands::new(), Hands::new());
    let house = house(vec![post("here", &here), post("hpc", &hpc)]).await?;
    here.plan("a", [Act::Exit(1)]);
    let retry = "    retry: { attempts: 2, causes: [tool], wait: { first: 1s } }\n";
    let text = format!("  a:\n{retry}    outputs: {{ o: {{ path: o.txt, keep: true }} }}\n    script: x\n");
    let run = house.submit(&workflow(&text), &specimen("S1")).await?;
    ensure!(house.end(&run).await? == "succeeded", "{}", house.why(&run, None).await?);
    let tried: Vec<String> = house.attempts(&run, "a").await?.into_iter().map(|one| one.executor).collect();
    ensure!(tried == ["here", "here"], "{tried:?}");
    ensure!(hpc.seen().is_empty());
    house.check().await
}

#[tokio::test]
async fn one_that_the_site_names_no_more_may_be_let_go_and_works_when_it_is_back() -> Result<()> {
    let (here, old) = (Hands::new(), Hands::new());
    let mut house = house(vec![post("old", &old)]).await?;
    let drain = Request::DrainExecutor { executor: "old".into(), reason: "sold".into() };
    house.handle().center(drain.clone(), &operator()).await?;
    house.stop().await?;
    house.plan.executors = Some(vec![post("here", &here)]);
    house.start().await?;
    let refused = house.handle().center(drain, &operator()).await;
    ensure!(matches!(refused, Err(Refusal::NotFound(_))), "nobody drains what is not there: {refused:?}");
    house.handle().center(resume("old"), &operator()).await?;
    let again = house.handle().center(resume("old"), &operator()).await;
    ensure!(matches!(again, Err(Refusal::NotFound(_))), "it is let go: {again:?}");
    house.stop().await?;
    house.plan.executors = Some(vec![post("old", &old)]);
    house.start().await?;
    let all = house.handle().executors().await?;
    ensure!(all.first().context("one")?.drained_by.is_none(), "{all:?}");
    let run = house
        .submit(&workflow("  a:\n    outputs: { o: { path: o.txt, keep: true } }\n    script: x\n"), &specimen("S1"))
        .await?;
    ensure!(house.end(&run).await? == "succeeded");
    house.check().await
}
