//! The documents as other programs read them, without a network: the contexts that they ask for lie in `tests/fixtures/contexts`.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};
use kentai_engine::audit::checkpoint::Secret;
use kentai_engine::handoff::{bag, sshsig};
use kentai_engine::provenance::prov_json;
use kentai_tests::{peer, root, tool};
use serde_json::Value;

use super::package::Package;
use super::story::Story;

async fn package() -> Result<(Story, Package)> {
    let story = Story::told().await?;
    let package = Package::of(story.house.handle().reader(), &story.run, &Secret::from_bytes(&[7; 32]), None).await?;
    Ok((story, package))
}

fn text(path: &Path) -> Result<&str> {
    path.to_str().context("a path in UTF-8")
}

/// The validator finds nothing of what the profile demands; none when it is not here.
pub(crate) fn is_a_provenance_crate(crated: &Path) -> Result<Option<()>> {
    let Some(validator) = peer("rocrate-validator")? else { return Ok(None) };
    let work = tempfile::tempdir()?;
    let (cache, told) = (work.path().join("cache"), work.path().join("told.json"));
    let prime = root().join("tests/fixtures/contexts/prime.py");
    let python: PathBuf = validator.with_file_name("python3");
    tool(text(&python)?, &[text(&prime)?, text(&cache)?], work.path())?;
    let arguments = ["-y", "validate", "--offline", "--cache-path", text(&cache)?, "-p", "provenance-run-crate-0.5"];
    let output = Command::new(&validator)
        .args(arguments)
        .args(["-l", "required", "-f", "json", "-o", text(&told)?, text(crated)?])
        .output()?;
    let said = std::fs::read_to_string(&told).unwrap_or_else(|_| String::from_utf8_lossy(&output.stdout).into_owned());
    ensure!(output.status.success(), "rocrate-validator: {said}");
    let told: Value = serde_json::from_str(&said)?;
    ensure!(told["passed"] == true && told["issues"] == Value::Array(Vec::new()), "{said}");
    Ok(Some(()))
}

/// What runcrate reads out of a crate.
pub(crate) fn report(crated: &Path) -> Result<Option<String>> {
    let Some(runcrate) = peer("runcrate")? else { return Ok(None) };
    tool(text(&runcrate)?, &["report", text(crated)?], Path::new("/")).map(Some)
}

#[tokio::test]
async fn the_package_of_a_real_run_is_a_provenance_run_crate_and_a_bag_to_its_peers() -> Result<()> {
    let (story, package) = package().await?;
    let place = package.place();
    for (program, manifest) in
        [("sha256sum", bag::MANIFEST_SHA256), ("md5sum", bag::MANIFEST_MD5), ("sha256sum", bag::TAG_MANIFEST)]
    {
        tool(program, &["--check", "--strict", "--quiet", manifest], &place)?;
    }
    let Some(bagit) = peer("bagit.py")? else { return Ok(()) };
    tool(text(&bagit)?, &["--validate", "--quiet", text(&place)?], Path::new("/"))?;
    is_a_provenance_crate(&place.join("data"))?;
    let told = report(&place.join("data"))?.context("it is installed with the others")?;
    ensure!(told.contains(&format!("action: #run/{}", story.run)), "{told}");
    for attempt in story.house.handle().reader().attempts(story.run.as_str()).await? {
        ensure!(told.contains(&format!("action: #attempt/{}", attempt.attempt_id)), "{told}");
    }
    story.house.check().await
}

#[tokio::test]
async fn ssh_keygen_says_who_signed_a_package() -> Result<()> {
    let (story, package) = package().await?;
    let place = package.place();
    let signers = package.beside("signers");
    std::fs::write(&signers, sshsig::allowed_signer("house", sshsig::NAMESPACE, &package.key))?;
    let signature = place.join(bag::SIGNATURE);
    let check = |stdin: &Path| {
        let asked =
            ["-Y", "verify", "-n", sshsig::NAMESPACE, "-I", "house", "-f", text(&signers)?, "-s", text(&signature)?];
        let output = Command::new("ssh-keygen").args(asked).stdin(File::open(stdin)?).stdout(Stdio::null()).output()?;
        anyhow::Ok(output.status.success())
    };
    ensure!(check(&place.join(bag::TAG_MANIFEST))?, "ssh-keygen does not know the signature");
    ensure!(!check(&place.join(bag::MANIFEST_SHA256))?, "ssh-keygen takes it for something else's");
    story.house.check().await
}

#[tokio::test]
async fn the_prov_library_reads_every_activity_and_agent_of_a_run() -> Result<()> {
    const SCRIPT: &str = "import sys; from prov.model import *; read = ProvDocument.deserialize(sys.argv[1], format='json'); \
         print(*(len(list(read.get_records(kind))) for kind in (ProvActivity, ProvAgent, ProvGeneration)))";
    let story = Story::told().await?;
    let told = story.described(i64::MAX).await?;
    let Some(program) = peer("prov-convert")? else { return Ok(()) };
    let document = story.house.directory.path().join("prov.json");
    std::fs::write(&document, prov_json::write(&told)?)?;
    let python = program.with_file_name("python3");
    let counted = tool(text(&python)?, &["-c", SCRIPT, text(&document)?], Path::new("/"))?;
    let activities = 1 + told.attempts.len() + told.decisions.len();
    let made: usize = told.attempts.iter().map(|attempt| attempt.generated.len()).sum();
    // Engine and center act too.
    ensure!(counted.trim() == format!("{activities} {} {made}", told.people.len() + 2), "{counted}");
    story.house.check().await
}
