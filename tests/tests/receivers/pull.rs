//! The data center's client against the real server: from the feed to the receipt, and to the recall.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use anyhow::{Context, Result, ensure};
use kentai_engine::scheduler::center::request::Request;
use kentai_tests::receivers::Receivers;
use kentai_tests::{kentai, tool};

fn pull(place: &Path, arguments: &[&str]) -> Result<Output> {
    let mut command = Command::new(kentai()?);
    command.arg("pull").args(arguments).current_dir(place).stdin(Stdio::null()).env_remove("KENTAI_TOKEN");
    Ok(command.output()?)
}

fn well(place: &Path, arguments: &[&str]) -> Result<String> {
    let Output { status, stdout, stderr } = pull(place, arguments)?;
    let told = String::from_utf8_lossy(&stderr).into_owned();
    ensure!(status.success(), "pull {arguments:?}: {status} {told}");
    Ok(String::from_utf8_lossy(&stdout).into_owned() + &told)
}

fn package(place: &Path, within: &str) -> Result<PathBuf> {
    let folders = std::fs::read_dir(place.join("kentai-pull").join(within))?.flatten().map(|entry| entry.path());
    folders.into_iter().find(|path| path.join("bagit.txt").is_file()).context("no package")
}

/// `pull verify` asks nobody; what was kept of the receipt proves it, and not any more once it was touched.
fn proven_offline(place: &Path, seq: &str) -> Result<()> {
    let told = well(place, &["verify"])?;
    ensure!(told.contains(&format!("is proven by event {seq} of the center's log: acknowledged")), "{told}");
    let kept = std::fs::read_dir(place.join("kentai-pull/receipts"))?.flatten().next().context("a receipt")?.path();
    let text = std::fs::read_to_string(&kept)?;
    let robot = text.replace("dc1-robot", "dc1-robot2");
    ensure!(robot != text, "{text}");
    std::fs::write(&kept, robot)?;
    let Output { status, stdout, .. } = pull(place, &["verify"])?;
    let told = String::from_utf8_lossy(&stdout).into_owned();
    ensure!(
        status.code() == Some(3) && told.contains("WRONG") && told.contains("something in it was changed"),
        "{told}"
    );
    std::fs::remove_file(&kept)?;
    ensure!(pull(place, &["verify"])?.status.code() == Some(3), "a receipt that is gone is not missed");
    std::fs::write(&kept, text)?;
    well(place, &["verify"])?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_client_pulls_what_is_offered_answers_for_every_file_and_puts_away_what_is_called_back() -> Result<()> {
    let site = Receivers::open().await?;
    let (_, id) = site.offered("S1", "calls\n").await?;
    let place = site.door.place("theirs")?;
    std::fs::write(place.join("token"), &site.door.tokens["dc1"])?;
    let (base, here) = (site.door.base(), place.clone());
    let told = tokio::task::spawn_blocking(move || {
        well(&here, &["login", &base, "--token-file", "token", "--trust-first"])?;
        well(&here, &["get", "--all", "--acknowledge"])
    })
    .await??;
    ensure!(!told.contains("NOT"), "{told}");
    tool("sha256sum", &["--check", "--strict", "--quiet", "manifest-sha256.txt"], &package(&place, "packages")?)?;
    ensure!(site.events(&id)?.last().is_some_and(|event| event == "acknowledged"), "{:?}", site.events(&id)?);
    proven_offline(
        &place,
        &site.house.sql(&format!("select seq from event where stream = 'delivery:{id}' and kind = 'acknowledged'"))?,
    )?;
    site.ask("operator", Request::Recall { delivery: id.clone(), reason: "two tubes".into() }).await?;
    let (here, named) = (place.clone(), id.clone());
    let told = tokio::task::spawn_blocking(move || {
        let told = well(&here, &["list"])?;
        well(&here, &["acknowledge", &named, "--recalled"])?;
        Ok::<_, anyhow::Error>(told)
    })
    .await??;
    ensure!(told.contains("RECALLED"), "{told}");
    package(&place, "recalled")?;
    // An end is acknowledged, and stays an end.
    let (last, before) = (site.events(&id)?, site.door.json("dc1", &format!("/api/v1/offers/{id}"))?);
    ensure!(last.last().is_some_and(|event| event == "refused") && before["status"] == "recalled", "{last:?} {before}");
    site.check().await
}
