//! Hand-off: what is in a package, who may have it, and that it arrives once, whatever happens on the way.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use kentai_engine::id::RunId;
use kentai_engine::port::BoxFuture;
use kentai_engine::port::courier::{Carried, Courier, Error, Package};
use kentai_engine::scheduler::handle::AnswerKind;
use kentai_executors::courier::directory::DirectoryCourier;
use kentai_tests::house::{Act, House, Plan, operator, specimen, workflow};
use kentai_tests::tool;
use kentai_workflows::plan::Consent;
use tokio::sync::Semaphore;

const TEXT: &str = "  a:
    outputs: { o: { path: calls.vcf }, n: { path: notes.txt } }
    script: x
  deliver:
    handoff: { to: outbox, files: [\"${{ steps.a.o }}\", \"${{ steps.a.n }}\"] }
";

/// Carries at once and says so only when it may: a carrier that dies (or is canceled) between the two.
pub(crate) struct Slow {
    pub(crate) courier: DirectoryCourier,
    pub(crate) may: Arc<Semaphore>,
}

impl Courier for Slow {
    fn carry<'a>(&'a self, package: &'a Package) -> BoxFuture<'a, Result<Carried, Error>> {
        Box::pin(async move {
            let carried = self.courier.carry(package).await;
            let _turn = self.may.acquire().await;
            carried
        })
    }
}

/// A house whose target carries, but does not say so before the semaphore has room.
async fn slow() -> Result<(House, Arc<Semaphore>)> {
    let may = Arc::new(Semaphore::new(0));
    let mut house = House::open().await?;
    house.stop().await?;
    let courier = DirectoryCourier::new("outbox", house.outbox());
    house.plan.courier = Some(Arc::new(Slow { courier, may: Arc::clone(&may) }));
    house.start().await?;
    Ok((house, may))
}

/// Packages at the target, whole ones by name.
fn packages(house: &House) -> Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in std::fs::read_dir(house.outbox())? {
        names.push(entry?.file_name().to_string_lossy().into_owned());
    }
    names.sort();
    Ok(names)
}

/// The package is whole, says `sha256sum`, and so is the row that speaks of it.
async fn whole(house: &House, run: &RunId, name: &str) -> Result<PathBuf> {
    let place = house.outbox().join(name);
    tool("sha256sum", &["--check", "--strict", "--quiet", "manifest-sha256.txt"], &place)?;
    tool("md5sum", &["--check", "--strict", "--quiet", "manifest-md5.txt"], &place)?;
    let rows = house.handle().reader().deliveries_of(run.as_str()).await?;
    let row = rows.iter().find(|row| row.place == place.to_string_lossy()).context("a row speaks of the package")?;
    ensure!(row.status == "delivered", "its row says {}", row.status);
    let sum = tool("sha256sum", &["manifest-sha256.txt"], &place)?;
    ensure!(sum.starts_with(&row.manifest_sha256), "its row names another manifest");
    Ok(place)
}

async fn until_packed(house: &House, count: usize) -> Result<()> {
    // The target's directory tells nobody: it is looked at.
    for _ in 0..3000 {
        if packages(house)?.iter().filter(|name| !name.starts_with('.')).count() == count {
            return Ok(());
        }
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    anyhow::bail!("there are no {count} packages: {:?}", packages(house)?)
}

#[tokio::test]
async fn a_package_holds_the_files_under_the_specimens_name_and_what_a_receiver_must_know() -> Result<()> {
    let house = House::open().await?;
    let run = house.submit(&workflow(TEXT), &specimen("S1")).await?;
    ensure!(house.end(&run).await? == "succeeded", "{}", house.why(&run, None).await?);
    let place = whole(&house, &run, &format!("S1.{run}")).await?;
    ensure!(std::fs::read_to_string(place.join("data/S1.vcf"))?.starts_with("a o of "), "S1.vcf is another file");
    let document = std::fs::read_to_string(place.join("data/delivery.json"))?;
    for word in ["\"S1\"", "\"outbox\"", "\"house\"", run.as_str(), "md5"] {
        ensure!(document.contains(word), "the document does not say {word}: {document}");
    }
    let ours = house.directory.path().to_string_lossy().into_owned();
    ensure!(!document.contains(&ours), "a receiver sees a path of ours: {document}");
    house.check().await
}

#[tokio::test]
async fn consent_that_does_not_cover_the_targets_use_lets_nothing_out() -> Result<()> {
    let house = House::with(Plan { consent_use: Some("research_abroad".into()), ..Plan::default() }).await?;
    let mut with = specimen("S2");
    with.consent = Some(Consent { record: "C-2".into(), scopes: vec!["sequencing".into()] });
    let mut covered = specimen("S3");
    covered.consent = Some(Consent { record: "C-3".into(), scopes: vec!["research_abroad".into()] });
    let submitted = house.submit_all(&workflow(TEXT), &[specimen("S1"), with, covered]).await?;
    let mut ends = Vec::new();
    for run in &submitted.runs {
        ends.push(house.end(run).await?);
    }
    ensure!(ends == ["failed", "failed", "succeeded"], "they ended {ends:?}");
    ensure!(house.why(&submitted.runs[1], None).await?.contains("not `research_abroad`"));
    ensure!(packages(&house)? == [format!("S3.{}", submitted.runs[2])], "{:?}", packages(&house)?);
    house.check().await
}

#[tokio::test]
async fn a_target_that_the_site_does_not_have_is_refused_and_the_ones_it_has_are_named() -> Result<()> {
    let house = House::open().await?;
    let run = house.submit(&workflow(&TEXT.replace("to: outbox", "to: moon")), &specimen("S1")).await?;
    ensure!(house.end(&run).await? == "failed");
    let why = house.why(&run, None).await?;
    ensure!(why.contains("`moon`") && why.contains("outbox"), "why says {why}");
    house.check().await
}

#[tokio::test]
async fn a_target_that_is_not_there_is_waited_for_and_the_package_follows() -> Result<()> {
    let mut house = House::open().await?;
    std::fs::remove_dir(house.outbox())?;
    let run = house.submit(&workflow(TEXT), &specimen("S1")).await?;
    house
        .until("a wait", async |house| Ok(house.why(&run, Some("deliver")).await?.contains("cannot be reached")))
        .await?;
    ensure!(house.run(&run).await?.status == "running");
    std::fs::create_dir(house.outbox())?;
    house.let_time_pass().await?;
    ensure!(house.end(&run).await? == "succeeded", "{}", house.why(&run, None).await?);
    whole(&house, &run, &format!("S1.{run}")).await?;
    house.check().await
}

#[tokio::test]
async fn a_carrier_that_dies_after_it_arrived_and_before_it_said_so_makes_no_second_package() -> Result<()> {
    let (mut house, _may) = slow().await?;
    let text = format!("{TEXT}  ask:\n    after: [a]\n    approve: {{ roles: [releaser] }}\n");
    let run = house.submit(&workflow(&text), &specimen("S1")).await?;
    until_packed(&house, 1).await?;
    // What happens beside the hand-off meanwhile is not part of the package that lies there already.
    house.answer(&run, "ask", ("abe", "releaser"), AnswerKind::Approve, "approve").await?;
    house.stop().await?;
    house.plan.courier = None;
    house.start().await?;
    let status = house.end(&run).await?;
    ensure!(status == "succeeded", "it {status}: {}", house.why(&run, None).await?);
    ensure!(packages(&house)? == [format!("S1.{run}")], "{:?}", packages(&house)?);
    whole(&house, &run, &format!("S1.{run}")).await?;
    ensure!(house.handle().reader().deliveries_of(run.as_str()).await?.len() == 1, "one hand-off has two rows");
    house.check().await
}

#[tokio::test]
async fn a_package_that_left_before_the_run_was_canceled_is_on_record() -> Result<()> {
    let (house, may) = slow().await?;
    let run = house.submit(&workflow(TEXT), &specimen("S1")).await?;
    until_packed(&house, 1).await?;
    house.handle().cancel(&run, &operator(), "wrong sheet").await?;
    may.add_permits(1);
    ensure!(house.end(&run).await? == "canceled");
    whole(&house, &run, &format!("S1.{run}")).await?;
    house.check().await
}

#[tokio::test]
async fn the_same_files_again_are_the_same_delivery() -> Result<()> {
    let house = House::open().await?;
    let run = house.submit(&workflow(TEXT), &specimen("S1")).await?;
    ensure!(house.end(&run).await? == "succeeded");
    house.handle().retry(&run, Some("deliver"), &operator()).await?;
    ensure!(house.end(&run).await? == "succeeded", "{}", house.why(&run, None).await?);
    ensure!(packages(&house)? == [format!("S1.{run}")], "{:?}", packages(&house)?);
    ensure!(house.handle().reader().deliveries_of(run.as_str()).await?.len() == 1, "one hand-off has two rows");
    house.check().await
}

#[tokio::test]
async fn other_files_after_a_retry_are_another_delivery_and_the_first_stays_as_it_was() -> Result<()> {
    let mut house = House::open().await?;
    let run = house.submit(&workflow(TEXT), &specimen("S1")).await?;
    ensure!(house.end(&run).await? == "succeeded");
    let first = std::fs::read_to_string(house.outbox().join(format!("S1.{run}/manifest-sha256.txt")))?;
    // In another engine: what it must know of the first delivery is stored.
    house.stop().await?;
    house.start().await?;
    house.handle().retry(&run, Some("a"), &operator()).await?;
    let status = house.end(&run).await?;
    ensure!(status == "succeeded", "it {status}: {}", house.why(&run, None).await?);
    whole(&house, &run, &format!("S1.{run}.2")).await?;
    let now = std::fs::read_to_string(house.outbox().join(format!("S1.{run}/manifest-sha256.txt")))?;
    ensure!(first == now, "the first package was changed");
    ensure!(house.handle().reader().deliveries_of(run.as_str()).await?.len() == 2, "two deliveries have one row");
    house.check().await
}

#[tokio::test]
async fn one_run_may_hand_off_twice_to_one_target() -> Result<()> {
    let house = House::open().await?;
    let text = format!(
        "{TEXT}  later:\n    after: [deliver]\n    handoff: {{ to: outbox, files: [\"${{{{ steps.a.n }}}}\"] }}\n"
    );
    let run = house.submit(&workflow(&text), &specimen("S1")).await?;
    let status = house.end(&run).await?;
    ensure!(status == "succeeded", "it {status}: {}", house.why(&run, None).await?);
    whole(&house, &run, &format!("S1.{run}")).await?;
    whole(&house, &run, &format!("S1.{run}.2")).await?;
    house.check().await
}

#[tokio::test]
async fn nothing_leaves_a_held_run() -> Result<()> {
    let house = House::open().await?;
    house.hands.plan("a", [Act::Wait]);
    let run = house.submit(&workflow(TEXT), &specimen("S1")).await?;
    house.step_is(&run, "a", "running").await?;
    house.handle().hold(&run, &operator(), "a doubt").await?;
    house.hands.finish("a", &Act::Well);
    house.rest().await?;
    ensure!(packages(&house)?.is_empty(), "{:?}", packages(&house)?);
    house.handle().resume(&run, &operator()).await?;
    ensure!(house.end(&run).await? == "succeeded");
    whole(&house, &run, &format!("S1.{run}")).await?;
    house.check().await
}

#[tokio::test]
async fn a_target_that_hangs_does_not_keep_other_specimens_from_their_gates() -> Result<()> {
    let (house, may) = slow().await?;
    let crowd: Vec<_> = (0..3).map(|n| specimen(&format!("S{n}"))).collect();
    let stuck = house.submit_all(&workflow(TEXT), &crowd).await?;
    until_packed(&house, 2).await?;
    let gate = "  m:\n    outputs: { m: { path: m.json } }\n    script: x\n  ok:\n    gate:\n      read: { q: { from: steps.m.m, at: $.q } }\n      checks: [ { metric: q, pass: \">= 1\", missing: fail } ]\n";
    house.hands.plan("m", [Act::Make(vec![("m.json", "{\"q\": 1}".into())])]);
    let run = house.submit(&workflow(gate), &specimen("G")).await?;
    ensure!(house.end(&run).await? == "succeeded");
    may.add_permits(3);
    for run in &stuck.runs {
        ensure!(house.end(run).await? == "succeeded");
    }
    house.check().await
}

#[tokio::test]
async fn an_artifact_that_is_not_what_it_was_does_not_leave() -> Result<()> {
    let house = House::open().await?;
    let text = TEXT.replace("  deliver:", "  deliver:\n    hold_before: true");
    let run = house.submit(&workflow(&text), &specimen("S1")).await?;
    house.step_is(&run, "deliver", "awaiting_person").await?;
    let made = house.handle().reader().made(run.as_str()).await?;
    let file = house.site().join("artifacts/sha256").join(&made[0].sha256[..2]).join(&made[0].sha256);
    let whole = std::fs::read(&file)?;
    std::fs::remove_file(&file)?;
    std::fs::write(&file, "rotten\n")?;
    house.handle().resume(&run, &operator()).await?;
    ensure!(house.end(&run).await? == "failed", "a rotten file left the house");
    ensure!(packages(&house)?.iter().all(|name| name.starts_with('.')), "{:?}", packages(&house)?);
    std::fs::write(&file, whole)?;
    house.handle().retry(&run, None, &operator()).await?;
    ensure!(house.end(&run).await? == "succeeded", "{}", house.why(&run, None).await?);
    house.check().await
}
