//! `receive`: what does not pass the door, and says why; what passes is known by its content from then on.

use anyhow::{Result, ensure};
use kentai_tests::house::{House, file, sha256, specimen};
use kentai_workflows::plan::{Consent, Promised, Specimen};

const TEXT: &str = "kentai: 1
workflow: door
specimen: { inputs: { reads: file } }
steps:
  receive: { receive: { require: [specimen, consent, checksums], use: sequencing } }
  a:
    after: [receive]
    inputs: { r: \"${{ specimen.reads }}\" }
    outputs: { o: { path: o.txt } }
    script: x
  deliver:
    handoff: { to: outbox, files: [\"${{ specimen.reads }}\", \"${{ steps.a.o }}\"] }
";

/// A specimen with one file whose promise and consent are right.
fn good(house: &House, id: &str) -> Result<Specimen> {
    let path = house.directory.path().join(format!("{id}.fq"));
    std::fs::write(&path, "reads\n")?;
    let mut specimen = specimen(id);
    specimen.values = [("reads".to_owned(), file(&path))].into_iter().collect();
    specimen.consent = Some(Consent { record: "C-1".into(), scopes: vec!["sequencing".into()] });
    let hex = sha256(b"reads\n");
    specimen.checksums = vec![Promised { path: path.to_string_lossy().into_owned(), algorithm: "sha256".into(), hex }];
    Ok(specimen)
}

async fn refused(change: impl FnOnce(&House, &mut Specimen) -> Result<()>, says: &[&str]) -> Result<()> {
    let house = House::open().await?;
    let mut specimen = good(&house, "S1")?;
    change(&house, &mut specimen)?;
    let run = house.submit(TEXT, &specimen).await?;
    ensure!(house.end(&run).await? == "failed", "it passed the door");
    let why = house.why(&run, Some("receive")).await?;
    for word in says {
        ensure!(why.contains(word), "why does not say `{word}`: {why}");
    }
    ensure!(house.hands.seen().is_empty(), "a tool was started");
    house.check().await
}

#[tokio::test]
async fn a_whole_specimen_passes_and_its_file_is_known_by_content() -> Result<()> {
    let house = House::open().await?;
    let run = house.submit(TEXT, &good(&house, "S1")?).await?;
    let status = house.end(&run).await?;
    ensure!(status == "succeeded", "it {status}: {}", house.why(&run, None).await?);
    let manifest = std::fs::read_to_string(house.outbox().join(format!("S1.{run}/manifest-sha256.txt")))?;
    ensure!(manifest.contains(&sha256(b"reads\n")), "the package does not hold the reads: {manifest}");
    house.check().await
}

#[tokio::test]
async fn what_the_door_found_is_known_after_a_restart() -> Result<()> {
    let mut house = House::open().await?;
    house.hands.plan("a", [kentai_tests::house::Act::Wait]);
    let run = house.submit(TEXT, &good(&house, "S1")?).await?;
    house.step_is(&run, "a", "running").await?;
    house.stop().await?;
    house.start().await?;
    house.hands.finish("a", &kentai_tests::house::Act::Well);
    let status = house.end(&run).await?;
    ensure!(status == "succeeded", "it {status}: {}", house.why(&run, None).await?);
    house.check().await
}

#[tokio::test]
async fn a_wrong_checksum_does_not_pass() -> Result<()> {
    refused(
        |_, specimen| {
            specimen.checksums[0].hex = "0".repeat(64);
            Ok(())
        },
        &["sha256", "promised", &sha256(b"reads\n")],
    )
    .await
}

#[tokio::test]
async fn a_file_whose_size_changed_since_it_was_submitted_does_not_pass() -> Result<()> {
    refused(
        |house, specimen| {
            specimen.checksums[0].hex = sha256(b"more reads\n");
            Ok(std::fs::write(house.directory.path().join("S1.fq"), "more reads\n")?)
        },
        &["6 bytes when it was submitted", "11 now"],
    )
    .await
}

#[tokio::test]
async fn a_file_that_is_gone_does_not_pass() -> Result<()> {
    refused(|house, _| Ok(std::fs::remove_file(house.directory.path().join("S1.fq"))?), &["S1.fq"]).await
}

#[tokio::test]
async fn without_a_promised_checksum_it_does_not_pass() -> Result<()> {
    refused(
        |_, specimen| {
            specimen.checksums.clear();
            Ok(())
        },
        &["promises no checksum"],
    )
    .await
}

#[tokio::test]
async fn without_consent_or_with_consent_for_another_use_it_does_not_pass() -> Result<()> {
    refused(
        |_, specimen| {
            specimen.consent = None;
            Ok(())
        },
        &["no consent is recorded for S1"],
    )
    .await?;
    refused(
        |_, specimen| {
            specimen.consent = Some(Consent { record: "C-2".into(), scopes: vec!["industry".into()] });
            Ok(())
        },
        &["C-2", "industry", "not `sequencing`"],
    )
    .await
}

#[tokio::test]
async fn a_use_that_needs_consent_needs_it_even_when_the_workflow_forgot_to_require_it() -> Result<()> {
    let house = House::open().await?;
    let mut specimen = good(&house, "S1")?;
    specimen.consent = None;
    let run = house.submit(&TEXT.replace("specimen, consent, checksums", "specimen, checksums"), &specimen).await?;
    ensure!(house.end(&run).await? == "failed", "a use without consent passed the door");
    house.check().await
}

#[tokio::test]
async fn everything_that_is_wrong_is_said_at_once() -> Result<()> {
    refused(
        |_, specimen| {
            specimen.consent = None;
            specimen.checksums.clear();
            Ok(())
        },
        &["no consent", "promises no checksum"],
    )
    .await
}

#[tokio::test]
async fn a_specimen_id_that_is_no_id_is_refused_before_anything_is_stored() -> Result<()> {
    let house = House::open().await?;
    for id in ["", "../x", "a b", "-rf", "a\nb"] {
        let mut hostile = good(&house, "S1")?;
        hostile.id = id.into();
        ensure!(house.submit(TEXT, &hostile).await.is_err(), "{id:?} was taken");
    }
    ensure!(house.sql("select count(*) from run")? == "0", "a run was stored");
    house.check().await
}
