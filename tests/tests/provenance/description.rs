//! What a description of a real run holds, and what it never holds.

use anyhow::{Context, Result, ensure};
use kentai_engine::provenance::{Attempt, Outcome, ParamKind, prov_json, ro_crate};
use kentai_tests::house::{Act, operator, sha256};

use super::story::{FROM_OUTSIDE, Story};

/// After everything that these runs do.
const LATER: i64 = i64::MAX;

fn of<'a>(attempts: &'a [Attempt], key: &str) -> Vec<&'a Attempt> {
    attempts.iter().filter(|attempt| attempt.key == key).collect()
}

#[tokio::test]
async fn every_try_file_value_and_word_of_a_run_is_told() -> Result<()> {
    let story = Story::told().await?;
    let told = story.described(LATER).await?;
    let trims = of(&told.attempts, "trim/L001");
    ensure!(trims.len() == 2 && trims[0].number == 1 && trims[1].number == 2, "{trims:?}");
    ensure!(trims[0].outcome == Outcome::Failed("tool: the tool ended with exit code 75".into()), "{:?}", trims[0]);
    let reads = sha256(b"reads of L001\n");
    ensure!(trims.iter().all(|trim| trim.used.len() == 1 && trim.used[0].artifact == reads), "{trims:?}");
    ensure!(trims[0].used[0].name == "reads" && trims[0].generated.is_empty() && trims[1].generated.len() == 1);
    let align = of(&told.attempts, "align");
    ensure!(align.len() == 1 && align[0].used.len() == 2, "{align:?}");
    let cram = sha256(b"aligned\n");
    ensure!(align[0].generated.iter().any(|file| file.artifact == cram && file.name == "cram"));
    // What a called run did stands beneath the step that called it.
    let called = of(&told.attempts, "sub/report");
    ensure!(called.len() == 1 && called[0].step == "sub/report" && called[0].used[0].artifact == cram, "{called:?}");
    let steps: Vec<(&str, bool)> = told.workflow.steps.iter().map(|step| (step.id.as_str(), step.tool)).collect();
    ensure!(steps.contains(&("sub/report", true)) && steps.contains(&("good", false)), "{steps:?}");
    let decided: Vec<_> =
        told.decisions.iter().map(|said| (said.key.as_str(), said.by.as_deref(), said.verdict.as_str())).collect();
    let wanted = [("good", None, "warn"), ("good", Some("tanaka"), "release"), ("ask", Some("佐藤"), "approve")];
    ensure!(decided == wanted, "{decided:?}");
    ensure!(told.decisions[0].values[0].value == Some(1.0) && told.decisions[0].values[0].wanted == ">= 2");
    let params: Vec<_> =
        told.run.params.iter().map(|param| (param.name.as_str(), param.kind, param.value.as_str())).collect();
    let wanted = [
        ("level", ParamKind::Integer, "2"),
        ("least", ParamKind::Float, "0.85"),
        ("strict", ParamKind::Boolean, "true"),
        ("note", ParamKind::Text, "…"),
        ("sub/depth", ParamKind::Integer, "7"),
    ];
    ensure!(params == wanted, "{params:?}");
    let inputs: Vec<&str> = told.run.inputs.iter().map(|file| file.name.as_str()).collect();
    ensure!(inputs == ["lanes.r1", "lanes.r1"], "{inputs:?}");
    ensure!(told.run.by.as_deref() == Some("suzuki"), "{:?}", told.run.by);
    let names: Vec<&str> = told.files.iter().map(|file| file.name.as_str()).collect();
    ensure!(names == ["workflow.yaml", "workflow.called.yaml"], "{names:?}");
    ensure!(told.files[0].sha256 == story.house.run(&story.run).await?.digest);
    story.house.check().await
}

#[tokio::test]
async fn no_path_of_the_site_and_no_name_from_outside_is_told() -> Result<()> {
    let story = Story::told().await?;
    let told = story.described(LATER).await?;
    for text in [ro_crate::write(&told)?, prov_json::write(&told)?] {
        let ours = story.house.directory.path().to_string_lossy().into_owned();
        for word in [ours.as_str(), FROM_OUTSIDE, "/srv/secret", "/attempts/", "/artifacts/"] {
            ensure!(!text.contains(word), "it holds {word}: {text}");
        }
        ensure!(text.contains("lanes.L001.r1.fastq.gz"), "a file is not named by its place: {text}");
    }
    story.house.check().await
}

#[tokio::test]
async fn the_same_question_has_the_same_answer_whatever_happened_since() -> Result<()> {
    let story = Story::told().await?;
    let delivered = story.house.handle().reader().deliveries_of(story.run.as_str()).await?;
    let at = delivered.first().context("a delivery")?.created_us;
    let before = story.described(at).await?;
    ensure!(before.attempts.len() == 5, "{:?}", before.attempts);
    // Everything from the alignment on is done again, and judged again.
    let poor = vec![("merged.cram", "aligned anew\n".into()), ("metrics.json", "{\"q\": 0}".into())];
    story.house.hands.plan("align", [Act::Make(poor)]);
    story.house.handle().retry(&story.run, Some("align"), &operator()).await?;
    story.house.step_is(&story.run, "good", "failed").await?;
    let later = story.described(LATER).await?;
    ensure!(later.attempts.len() > before.attempts.len(), "the retry is not told");
    let last = later.decisions.last().context("a decision")?;
    ensure!(last.verdict == "fail" && last.by.is_none(), "{last:?}");
    let again = story.described(at).await?;
    ensure!(again == before, "it was told otherwise later");
    ensure!(ro_crate::write(&again)? == ro_crate::write(&before)?);
    // Nothing had been decided when the first people were still to be asked.
    let early = before.decisions.first().context("a decision")?.at_us - 1;
    ensure!(story.described(early).await?.decisions.is_empty());
    story.house.check().await
}

#[tokio::test]
async fn an_input_that_nobody_received_is_said_to_be_missing() -> Result<()> {
    let story = Story::told().await?;
    let told = story.described(LATER).await?;
    ensure!(!told.description.contains("not named"), "{}", told.description);
    let text = "  a:\n    inputs: { x: \"${{ specimen.x }}\" }\n    outputs: { o: { path: o.txt } }\n    script: x\n";
    let path = story.house.directory.path().join("x.txt");
    std::fs::write(&path, "x")?;
    let mut specimen = kentai_tests::house::specimen("S2");
    specimen.values.insert("x".into(), kentai_tests::house::file(&path));
    let workflow = format!("kentai: 1\nworkflow: bare\nspecimen: {{ inputs: {{ x: file }} }}\nsteps:\n{text}");
    let run = story.house.submit(&workflow, &specimen).await?;
    ensure!(story.house.end(&run).await? == "succeeded");
    let story = Story { run, ..story };
    let told = story.described(LATER).await?;
    ensure!(told.run.inputs.is_empty() && told.description.contains("1 input(s) are not named"), "{told:?}");
    story.house.check().await
}
