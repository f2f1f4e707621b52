//! Encrypted packages: the receiver's own program opens what it fetched, another key opens nothing, and re-issuing moves no body.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use kentai_engine::handoff::crypt4gh::keyfile;
use kentai_engine::scheduler::Target;
use kentai_tests::house::{Plan, operator};
use kentai_tests::receivers::{Receivers, sha256sum};
use kentai_tests::{peer, tool};

/// A pair of keys made by the reference tool: `NAME.sec`, `NAME.pub`, without a passphrase.
fn generate(generator: &Path, place: &Path, name: &str) -> Result<Target> {
    let (secret, public) = (format!("{name}.sec"), format!("{name}.pub"));
    let made =
        Command::new(generator).args(["--sk", &secret, "--pk", &public, "--nocrypt"]).current_dir(place).output()?;
    ensure!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let key = keyfile::read_public(&std::fs::read_to_string(place.join(public))?)?;
    Ok(Target { recipient: Some(key), ..Target::pulled() })
}

fn decrypt(program: &Path, secret: &Path, from: &Path) -> Result<(bool, Vec<u8>)> {
    let output =
        Command::new(program).args(["decrypt", "--sk"]).arg(secret).stdin(std::fs::File::open(from)?).output()?;
    Ok((output.status.success(), output.stdout))
}

#[tokio::test(flavor = "multi_thread")]
async fn the_reference_tool_opens_what_was_fetched_and_another_key_gets_its_own_header() -> Result<()> {
    let (Some(program), Some(generator)) = (peer("crypt4gh")?, peer("crypt4gh-keygen")?) else { return Ok(()) };
    let keys = tempfile::tempdir()?;
    let first = generate(&generator, keys.path(), "first")?;
    let second = generate(&generator, keys.path(), "second")?;
    let mut site = Receivers::with(Plan::default(), first).await?;
    let content = "calls\n".repeat(40_000);
    let (run, id) = site.offered("S1", &content).await?;
    let offer = site.door.json("dc1", &format!("/api/v1/offers/{id}"))?;
    let entries = offer["entries"].as_array().context("entries")?;
    let entry = entries.iter().find(|entry| entry["path"] == "data/S1.vcf.c4gh").context("an encrypted file")?;
    let fetched = keys.path().join("S1.vcf.c4gh");
    let to = fetched.to_string_lossy().into_owned();
    site.door.curl("dc1", entry["url"].as_str().context("an address")?, &["--fail", "--output", &to])?;
    ensure!(sha256sum(&fetched)? == entry["sha256"], "the checksum is not of the bytes that are served");
    let (good, plain) = decrypt(&program, &keys.path().join("first.sec"), &fetched)?;
    ensure!(good && plain == content.as_bytes(), "the receiver's own program does not open it");
    std::fs::write(keys.path().join("plain"), &plain)?;
    ensure!(sha256sum(&keys.path().join("plain"))? == entry["plain"]["sha256"]);
    let (good, _) = decrypt(&program, &keys.path().join("second.sec"), &fetched)?;
    ensure!(!good, "another key opens it");
    for entry in entries {
        let path = entry["path"].as_str().unwrap_or_default();
        let text = path.rsplit('/').next().is_some_and(|name| name.starts_with("S1.")) && !path.ends_with(".c4gh");
        ensure!(!text, "{path} leaves in the clear");
    }
    // The same files for another key: another delivery, another header, the same body.
    let body = &std::fs::read(&fetched)?[124..];
    let stored = site.house.site().join("artifacts/crypt4gh");
    let written = tool("find", &[&stored.to_string_lossy(), "-type", "f", "-printf", "%p %T@ %i\\n"], keys.path())?;
    site.house.plan.targets.insert("dc1".into(), second);
    site.again().await?;
    site.house.handle().retry(&run, Some("deliver"), &operator()).await?;
    ensure!(site.house.end(&run).await? == "succeeded", "{}", site.house.why(&run, None).await?);
    let feed = site.door.json("dc1", "/api/v1/offers")?;
    let items = feed["items"].as_array().context("items")?;
    eprintln!("{feed}");
    let again = items.iter().find(|item| item["status"] == "offered").context("a new offer")?;
    let url = format!("{}data/S1.vcf.c4gh", again["url"].as_str().context("an address")?);
    site.door.curl("dc1", &url, &["--fail", "--output", &to])?;
    eprintln!("second fetch done");
    let now = std::fs::read(&fetched)?;
    ensure!(&now[124..] == body, "the body was encrypted anew");
    let (good, plain) = decrypt(&program, &keys.path().join("second.sec"), &fetched)?;
    ensure!(good && plain == content.as_bytes(), "the second receiver's program does not open it");
    let still = tool("find", &[&stored.to_string_lossy(), "-type", "f", "-printf", "%p %T@ %i\\n"], keys.path())?;
    ensure!(still == written, "the stored body was touched: {written} and {still}");
    site.check().await
}
