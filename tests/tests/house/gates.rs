//! Gates: what is measured, what the verdict does, who may decide about it.

use anyhow::{Result, ensure};
use kentai_engine::id::RunId;
use kentai_engine::scheduler::handle::{AnswerKind, Refusal};
use kentai_engine::store::rows::detail::Detail;
use kentai_tests::house::{Act, House, lanes, specimen, workflow};

/// Measures `q`, judges it (pass at 30, warn at 20), and goes on.
fn gated(missing: &str, if_warn: &str, if_fail: &str) -> String {
    workflow(&format!(
        "  a:
    outputs: {{ m: {{ path: m.json }} }}
    script: x
  ok:
    gate:
      read: {{ q: {{ from: steps.a.m, at: $.q }} }}
      checks: [ {{ metric: q, pass: \">= 30\", warn: \">= 20\", missing: {missing} }} ]
      if_warn: {if_warn}
      if_fail: {if_fail}
  b:
    after: [ok]
    outputs: {{ o: {{ path: o.txt, keep: true }} }}
    script: x
"
    ))
}

fn measured(value: &str) -> Act {
    Act::Make(vec![("m.json", format!("{{\"q\": {value}}}"))])
}

/// The stored verdict of the gate.
async fn verdict(house: &House, run: &RunId) -> Result<String> {
    let detail: Detail = serde_json::from_str(&house.step(run, "ok").await?.detail)?;
    Ok(detail.gate.map_or_else(String::new, |report| report.verdict.word().to_owned()))
}

#[tokio::test]
async fn every_verdict_does_what_the_workflow_says() -> Result<()> {
    for (value, missing, expected) in [
        ("35", "fail", "pass"),
        ("25", "fail", "warn"),
        ("5", "fail", "fail"),
        ("null", "not_measured", "not_measured"),
        ("null", "warn", "warn"),
        ("null", "pass", "pass"),
    ] {
        for action in ["continue", "hold", "fail"] {
            let house = House::open().await?;
            house.hands.plan("a", [measured(value)]);
            let run = house.submit(&gated(missing, action, action), &specimen("S1")).await?;
            house.rest().await?;
            ensure!(verdict(&house, &run).await? == expected, "{value} is {}", verdict(&house, &run).await?);
            let action = if expected == "pass" { "continue" } else { action };
            let (step, ended) = match action {
                "continue" => ("succeeded", "succeeded"),
                "hold" => ("awaiting_person", "running"),
                _ => ("failed", "failed"),
            };
            ensure!(house.step(&run, "ok").await?.status == step, "{expected} and {action}: the gate is not {step}");
            ensure!(house.run(&run).await?.status == ended, "{expected} and {action}: the run is not {ended}");
            house.check().await?;
        }
    }
    Ok(())
}

#[tokio::test]
async fn only_a_reviewer_decides_and_a_release_does_not_change_the_verdict() -> Result<()> {
    let house = House::open().await?;
    house.hands.plan("a", [measured("5")]);
    let run = house.submit(&gated("fail", "hold", "hold"), &specimen("S1")).await?;
    house.step_is(&run, "ok", "awaiting_person").await?;
    let why = house.why(&run, None).await?;
    ensure!(why.contains("q is 5 (fail") && why.contains("kentai qc decide"), "why says {why}");
    for (name, role) in [("suzuki", "operator"), ("abe", "releaser")] {
        let refused = house.answer(&run, "ok", (name, role), AnswerKind::Qc, "release").await;
        ensure!(matches!(refused, Err(Refusal::NotAllowed(_))), "{role} decided: {refused:?}");
    }
    let refused = house.answer(&run, "ok", ("sato", "reviewer"), AnswerKind::Qc, "looks fine").await;
    ensure!(matches!(refused, Err(Refusal::Bad(_))), "a word that is no verdict: {refused:?}");
    let refused = house.answer(&run, "ok", ("sato", "reviewer"), AnswerKind::Approve, "approve").await;
    ensure!(refused.is_err(), "an approval passed a gate: {refused:?}");
    house.answer(&run, "ok", ("sato", "reviewer"), AnswerKind::Qc, "release").await?;
    ensure!(house.end(&run).await? == "succeeded", "it did not go on");
    ensure!(verdict(&house, &run).await? == "fail", "a person's decision changed the verdict");
    let decisions = house.handle().reader().decisions(run.as_str()).await?;
    ensure!(
        decisions.len() == 1 && decisions[0].person == "sato" && decisions[0].bound.contains("\"fail\""),
        "{decisions:?}"
    );
    house.check().await
}

#[tokio::test]
async fn every_other_way_out_of_a_gate_ends_the_step_and_keeps_the_reason() -> Result<()> {
    for verdict in ["top_up", "re_prep", "re_extract", "new_material", "give_up"] {
        let house = House::open().await?;
        house.hands.plan("a", [measured("5")]);
        let run = house.submit(&gated("fail", "hold", "hold"), &specimen("S1")).await?;
        house.step_is(&run, "ok", "awaiting_person").await?;
        house.answer(&run, "", ("sato", "reviewer"), AnswerKind::Qc, verdict).await?;
        ensure!(house.end(&run).await? == "failed", "{verdict} let it go on");
        ensure!(house.why(&run, Some("ok")).await?.contains(&format!("sato decided `{verdict}`: seen")));
        house.check().await?;
    }
    Ok(())
}

#[tokio::test]
async fn a_gate_over_all_lanes_names_the_lane_that_fails_and_keeps_every_lanes_verdict() -> Result<()> {
    let house = House::open().await?;
    let text = workflow(
        "  a:
    for_each: { lane: specimen.lanes }
    outputs: { m: { path: m.json } }
    script: x
  ok:
    gate:
      read: { q: { from: steps.a.all.m, at: $.q, combine: min } }
      checks: [ { metric: q, pass: \">= 30\", warn: \">= 20\", missing: fail } ]
",
    );
    for (lane, value) in [("L1", "35"), ("L2", "5"), ("L10", "25")] {
        house.hands.plan(&format!("a/{lane}"), [measured(value)]);
    }
    let run = house.submit(&text, &lanes("S1", &["L10", "L2", "L1"])).await?;
    house.step_is(&run, "ok", "awaiting_person").await?;
    let why = house.why(&run, Some("ok")).await?;
    ensure!(
        why.contains("L2 is 5 (fail)") && why.contains("L10 is 25 (warn)") && !why.contains("L1 is"),
        "why says {why}"
    );
    let rows = house.handle().reader().measurements(run.as_str()).await?;
    let mut values: Vec<_> = rows.iter().map(|row| format!("{}={} {}", row.item, row.value, row.verdict)).collect();
    values.sort();
    ensure!(values == ["=5.0 fail", "L10=25.0 warn", "L1=35.0 pass", "L2=5.0 fail"], "stored: {values:?}");
    house.check().await
}

#[tokio::test]
async fn a_lane_that_was_skipped_does_not_give_its_name_to_anothers_value() -> Result<()> {
    let house = House::open().await?;
    let text = workflow(
        "  a:
    for_each: { lane: specimen.lanes }
    when: lane.id != \"L1\"
    outputs: { m: { path: m.json } }
    script: x
  ok:
    gate:
      read: { q: { from: steps.a.all.m, at: $.q, combine: min, if_made: true } }
      checks: [ { metric: q, pass: \">= 30\", missing: fail } ]
",
    );
    house.hands.plan("a/L2", [measured("5")]);
    house.hands.plan("a/L3", [measured("35")]);
    let run = house.submit(&text, &lanes("S1", &["L1", "L2", "L3"])).await?;
    house.step_is(&run, "ok", "awaiting_person").await?;
    let why = house.why(&run, Some("ok")).await?;
    ensure!(why.contains("L2 is 5 (fail)"), "why says {why}");
    house.check().await
}

#[tokio::test]
async fn a_metrics_file_that_is_no_json_fails_the_gate_and_not_the_engine() -> Result<()> {
    let house = House::open().await?;
    house.hands.plan("a", [Act::Make(vec![("m.json", "{\"q\": \u{0}".into())]), measured("35")]);
    let run = house.submit(&gated("pass", "continue", "continue"), &specimen("S1")).await?;
    ensure!(house.end(&run).await? == "failed", "what cannot be read cannot pass");
    let run = house.submit(&gated("pass", "continue", "continue"), &specimen("S2")).await?;
    ensure!(house.end(&run).await? == "succeeded", "the next specimen");
    house.check().await
}

#[tokio::test]
async fn a_question_to_a_reviewer_survives_the_engine() -> Result<()> {
    let mut house = House::open().await?;
    house.hands.plan("a", [measured("5")]);
    let run = house.submit(&gated("fail", "hold", "hold"), &specimen("S1")).await?;
    house.step_is(&run, "ok", "awaiting_person").await?;
    house.stop().await?;
    house.start().await?;
    house.answer(&run, "ok", ("sato", "reviewer"), AnswerKind::Qc, "release").await?;
    ensure!(house.end(&run).await? == "succeeded", "it did not go on");
    ensure!(house.hands.order() == ["a", "b"], "something was done twice");
    house.check().await
}
