//! Approvals: who, how many, who not, until when, on what.

use anyhow::{Result, ensure};
use kentai_engine::id::RunId;
use kentai_engine::scheduler::handle::{AnswerKind, Refusal};
use kentai_tests::house::{House, operator, specimen, workflow};

/// One approval with these terms, and a step after it.
fn approval(terms: &str) -> String {
    workflow(&format!(
        "  a:\n    outputs: {{ o: {{ path: o.txt }} }}\n    script: x\n  ask:\n    after: [a]\n    approve: {{ roles: [releaser], {terms} }}\n  b:\n    after: [ask]\n    outputs: {{ o: {{ path: o.txt, keep: true }} }}\n    script: x\n"
    ))
}

async fn asked(house: &House, terms: &str) -> Result<RunId> {
    let run = house.submit(&approval(terms), &specimen("S1")).await?;
    house.step_is(&run, "ask", "awaiting_person").await?;
    Ok(run)
}

async fn says(house: &House, run: &RunId, name: &str, verdict: &str) -> Result<String, Refusal> {
    house.answer(run, "ask", (name, "releaser"), AnswerKind::Approve, verdict).await
}

#[tokio::test]
async fn two_different_people_are_two_different_people() -> Result<()> {
    let house = House::open().await?;
    let run = asked(&house, "count: 2").await?;
    says(&house, &run, "abe", "approve").await?;
    ensure!(says(&house, &run, "abe", "approve").await.is_err(), "one person counted twice");
    ensure!(house.step(&run, "ask").await?.status == "awaiting_person", "one answer was enough");
    ensure!(house.why(&run, None).await?.contains("1 of 2"), "why does not count");
    says(&house, &run, "kato", "approve").await?;
    ensure!(house.end(&run).await? == "succeeded", "it did not go on");
    house.check().await
}

#[tokio::test]
async fn without_the_role_nobody_approves() -> Result<()> {
    let house = House::open().await?;
    let run = asked(&house, "count: 1").await?;
    let refused = house.answer(&run, "ask", ("sato", "reviewer"), AnswerKind::Approve, "approve").await;
    ensure!(matches!(refused, Err(Refusal::NotAllowed(_))), "{refused:?}");
    ensure!(house.step(&run, "ask").await?.status == "awaiting_person");
    house.check().await
}

#[tokio::test]
async fn a_word_that_is_no_answer_is_refused_and_does_not_stand_for_one() -> Result<()> {
    let house = House::open().await?;
    let run = asked(&house, "count: 2").await?;
    for word in ["release", "", "yes", "Approve"] {
        let refused = says(&house, &run, "abe", word).await;
        ensure!(matches!(refused, Err(Refusal::Bad(_))), "`{word}` gave {refused:?}");
    }
    ensure!(house.step(&run, "ask").await?.status == "awaiting_person", "a word passed for an answer");
    house.check().await
}

#[tokio::test]
async fn a_rejection_ends_the_step_with_its_reason() -> Result<()> {
    let house = House::open().await?;
    let run = asked(&house, "count: 2").await?;
    says(&house, &run, "abe", "approve").await?;
    says(&house, &run, "kato", "reject").await?;
    ensure!(house.end(&run).await? == "failed", "it went on");
    ensure!(house.why(&run, Some("ask")).await?.contains("kato decided `reject`: seen"));
    ensure!(house.handle().reader().decisions(run.as_str()).await?.len() == 2, "an answer was not kept");
    house.check().await
}

#[tokio::test]
async fn the_submitter_may_be_kept_out() -> Result<()> {
    let house = House::open().await?;
    let run = asked(&house, "count: 1, not_by: [submitter]").await?;
    let refused = says(&house, &run, &operator().name, "approve").await;
    ensure!(matches!(refused, Err(Refusal::NotAllowed(_))), "{refused:?}");
    says(&house, &run, "abe", "approve").await?;
    ensure!(house.end(&run).await? == "succeeded");
    house.check().await
}

/// Two approvals one after the other; the second keeps people of this relation out.
fn twice(relation: &str) -> String {
    workflow(&format!(
        "  first:\n    approve: {{ roles: [releaser] }}\n  ask:\n    after: [first]\n    approve: {{ roles: [releaser], not_by: [{relation}] }}\n"
    ))
}

#[tokio::test]
async fn whoever_approved_or_decided_before_may_be_kept_out_of_the_second_answer() -> Result<()> {
    for relation in ["approver", "previous_decider"] {
        let house = House::open().await?;
        let run = house.submit(&twice(relation), &specimen("S1")).await?;
        house.step_is(&run, "first", "awaiting_person").await?;
        house.answer(&run, "first", ("abe", "releaser"), AnswerKind::Approve, "approve").await?;
        house.step_is(&run, "ask", "awaiting_person").await?;
        let refused = says(&house, &run, "abe", "approve").await;
        ensure!(matches!(refused, Err(Refusal::NotAllowed(_))), "{relation}: {refused:?}");
        says(&house, &run, "kato", "approve").await?;
        ensure!(house.end(&run).await? == "succeeded");
        house.check().await?;
    }
    Ok(())
}

#[tokio::test]
async fn whoever_decided_in_an_earlier_round_is_a_previous_decider() -> Result<()> {
    let house = House::open().await?;
    let run = asked(&house, "count: 1, not_by: [previous_decider]").await?;
    says(&house, &run, "abe", "reject").await?;
    ensure!(house.end(&run).await? == "failed");
    house.handle().retry(&run, None, &operator()).await?;
    house.step_is(&run, "ask", "awaiting_person").await?;
    let refused = says(&house, &run, "abe", "approve").await;
    ensure!(matches!(refused, Err(Refusal::NotAllowed(_))), "{refused:?}");
    says(&house, &run, "kato", "approve").await?;
    ensure!(house.end(&run).await? == "succeeded");
    house.check().await
}

#[tokio::test]
async fn an_approval_of_an_earlier_round_does_not_count() -> Result<()> {
    let house = House::open().await?;
    let run = asked(&house, "count: 2").await?;
    says(&house, &run, "abe", "approve").await?;
    says(&house, &run, "kato", "reject").await?;
    ensure!(house.end(&run).await? == "failed");
    house.handle().retry(&run, None, &operator()).await?;
    house.step_is(&run, "ask", "awaiting_person").await?;
    says(&house, &run, "kato", "approve").await?;
    ensure!(house.step(&run, "ask").await?.status == "awaiting_person", "an old approval was counted");
    says(&house, &run, "abe", "approve").await?;
    ensure!(house.end(&run).await? == "succeeded");
    house.check().await
}

#[tokio::test]
async fn a_question_nobody_answers_in_time_fails_or_goes_on_waiting_as_the_workflow_says() -> Result<()> {
    for (if_expired, status) in [("fail", "failed"), ("hold", "awaiting_person")] {
        let mut house = House::open().await?;
        let run = asked(&house, &format!("expires: 7d, if_expired: {if_expired}")).await?;
        house.let_time_pass().await?;
        house
            .until("the term to be over", async |house| {
                let events = house.handle().reader().events(run.as_str()).await?;
                Ok(events.iter().any(|event| event.kind == "ask_expired" || event.kind == "step_failed"))
            })
            .await?;
        ensure!(house.step(&run, "ask").await?.status == status, "{if_expired}");
        if if_expired == "hold" {
            let why = house.why(&run, Some("ask")).await?;
            ensure!(why.contains("in time"), "why does not say that the term is over: {why}");
            says(&house, &run, "abe", "approve").await?;
            ensure!(house.end(&run).await? == "succeeded");
        }
        house.check().await?;
    }
    Ok(())
}

#[tokio::test]
async fn a_term_ends_by_itself_while_the_engine_runs() -> Result<()> {
    let house = House::open().await?;
    let run = asked(&house, "expires: 1s, if_expired: fail").await?;
    ensure!(house.end(&run).await? == "failed");
    ensure!(house.why(&run, Some("ask")).await?.contains("nobody answered in time"));
    house.check().await
}

#[tokio::test]
async fn an_answer_binds_to_what_was_shown() -> Result<()> {
    let house = House::open().await?;
    let run = asked(&house, "show: [steps.a.o]").await?;
    says(&house, &run, "abe", "approve").await?;
    ensure!(house.end(&run).await? == "succeeded");
    let made = house.handle().reader().made(run.as_str()).await?;
    let shown = made.iter().find(|made| made.step_key.as_str() == "a").map(|made| made.sha256.clone());
    let decisions = house.handle().reader().decisions(run.as_str()).await?;
    ensure!(decisions[0].bound.contains(&shown.unwrap_or_default()), "bound to {}", decisions[0].bound);
    house.check().await
}
