//! What is said to the center, that it is said once, and that it can be proven.

use std::collections::BTreeMap;
use std::fs;
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, ensure};
use kentai_engine::handoff::offer::FileStatus;
use kentai_engine::handoff::receipt::{NAMESPACE, Receipt};
use kentai_tests::tool;
use serde_json::Value;

use super::center::{Center, Fault};
use super::package::{Package, Recipe};
use super::{Client, pair};

fn only(center: &Center) -> Result<(String, Value)> {
    let world = center.world();
    let (id, (body, _)) = world.receipts.first_key_value().context("a receipt")?;
    ensure!(world.receipts.len() == 1, "{} receipts", world.receipts.len());
    Ok((id.clone(), body.clone()))
}

#[test]
fn a_receipt_has_the_checksums_of_what_is_here_and_said_again_is_the_same() -> Result<()> {
    let package = Package::small()?;
    let (center, client) = pair(&package)?;
    client.well(&["get", "--all"])?;
    client.well(&["acknowledge", "d1"])?;
    client.well(&["acknowledge", "d1"])?;
    let (_, body) = only(&center)?;
    ensure!(center.world().posts == 2, "it was not said again");
    let folder = client.pulled("packages/S1_d1");
    let mut said = BTreeMap::new();
    for file in body["files"].as_array().context("files")? {
        let path = file["path"].as_str().context("a path")?;
        let sum = tool("sha256sum", &[path], &folder)?;
        ensure!(sum.starts_with(file["sha256"].as_str().context("a digest")?), "{path}");
        ensure!(file["outcome"] == "accepted");
        said.insert(path.to_owned(), ());
    }
    ensure!(said.len() == package.files.len(), "{} files are spoken of", said.len());
    // Nothing is left to say.
    ensure!(client.well(&["acknowledge"])?.err.contains("nothing"));
    // The answer is kept.
    let kept: Vec<_> = fs::read_dir(client.pulled("receipts"))?.collect::<std::io::Result<_>>()?;
    let kept: Value = serde_json::from_slice(&fs::read(kept[0].path())?)?;
    ensure!(kept["answer"]["status"] == "acknowledged" && kept["receipt"] == body, "{kept}");
    Ok(())
}

#[test]
fn a_center_that_has_other_checksums_is_not_believed_to_have_agreed() -> Result<()> {
    let package = Package::small()?;
    let (center, client) = pair(&package)?;
    center.world().answers = Some(FileStatus::Mismatch);
    let told = client.run(&["get", "--all", "--acknowledge"])?;
    ensure!(told.code == 3 && told.err.contains("NOT"), "{}: {}", told.code, told.err);
    let listed: Value = serde_json::from_str(&client.well(&["list", "--json"])?.out)?;
    ensure!(listed[0]["here"] == "pulled", "{listed}");
    Ok(())
}

#[test]
fn what_is_wrong_is_refused_by_itself_when_asked_for() -> Result<()> {
    let package = Package::small()?;
    let (center, client) = pair(&package)?;
    center.fault("data/S1.cram", Fault::WrongBytes);
    ensure!(client.run(&["get", "--all"])?.code == 3);
    ensure!(center.world().posts == 0, "nobody asked for it");
    ensure!(client.run(&["get", "--all", "--acknowledge"])?.code == 3);
    let (_, body) = only(&center)?;
    let files = body["files"].as_array().context("files")?;
    ensure!(files.len() == 1 && files[0]["path"] == "data/S1.cram", "{body}");
    ensure!(files[0]["outcome"] == "refused" && files[0]["reason"] == "checksum", "{body}");
    // A cut is no reason.
    center.mend();
    center.fault("data/S1.cram", Fault::Gone);
    client.run(&["get", "--all", "--acknowledge"])?;
    ensure!(center.world().posts == 1);
    center.mend();
    client.well(&["get", "--all", "--acknowledge"])?;
    client.has(&package)
}

#[test]
fn a_person_refuses_with_a_reason() -> Result<()> {
    let package = Package::small()?;
    let (center, client) = pair(&package)?;
    let told = client.run(&["refuse", "d1", "--reason", "mood"])?;
    ensure!(told.code == 2 && told.err.contains("unknown_sample"), "{}", told.err);
    let told = client.run(&["refuse", "d1", "--reason", "consent", "--file", "data/nothing"])?;
    ensure!(told.code == 4, "{}: {}", told.code, told.err);
    client.well(&["refuse", "d1", "--reason", "unknown_sample", "--text", "no such\nparticipant"])?;
    let (_, body) = only(&center)?;
    ensure!(body["files"].as_array().map(Vec::len) == Some(package.files.len()));
    ensure!(
        body["files"][0]["reason"] == "unknown_sample" && body["files"][0]["text"] == "no suchparticipant",
        "{body}"
    );
    Ok(())
}

#[test]
fn accessions_come_from_a_table_that_must_fit() -> Result<()> {
    let package = Package::small()?;
    let (center, client) = pair(&package)?;
    client.well(&["get", "--all"])?;
    for (table, words) in [
        ("file,accession\nS1.bam,EGAF1\n", "S1.bam"),
        ("file,accession\nS1.cram,EGAF1\ndelivery.json,\n", "line 3"),
        ("file,accession\nS1.cram,EGAF1\nS1.cram,EGAF2\n", "line 3"),
        ("name,accession\nS1.cram,EGAF1\n", "`file`"),
    ] {
        fs::write(client.path("a.csv"), table)?;
        let told = client.run(&["acknowledge", "--accession", "a.csv"])?;
        ensure!(told.code == 3 && told.err.contains(words), "{words}: {}: {}", told.code, told.err);
    }
    ensure!(center.world().posts == 0, "something was said");
    fs::write(client.path("a.csv"), "delivery,file,accession\nd1,S1.cram,EGAF1\nd9,later.cram,EGAF9\n")?;
    client.well(&["acknowledge", "--accession", "a.csv"])?;
    let (_, body) = only(&center)?;
    let files = body["files"].as_array().context("files")?;
    let with: Vec<&Value> = files.iter().filter(|file| file.get("accession").is_some()).collect();
    ensure!(with.len() == 1 && with[0]["path"] == "data/S1.cram" && with[0]["accession"] == "EGAF1", "{body}");
    Ok(())
}

/// `ssh-keygen` says whose signature the receipt has, over the text that both sides make of it.
fn proven(client: &Client, body: &Value, public: &str) -> Result<()> {
    let receipt = Receipt::read(&serde_json::to_vec(body)?)?;
    fs::write(client.path("signers"), format!("receiver namespaces=\"{NAMESPACE}\" {public}"))?;
    fs::write(client.path("receipt.sig"), body["signature"].as_str().context("a signature")?)?;
    fs::write(client.path("statement"), receipt.statement("d1")?)?;
    let status = Command::new("ssh-keygen")
        .args(["-Y", "verify", "-f", "signers", "-I", "receiver", "-n", NAMESPACE, "-s", "receipt.sig"])
        .current_dir(client.directory.path())
        .stdin(fs::File::open(client.path("statement"))?)
        .stdout(Stdio::null())
        .status()?;
    ensure!(status.success(), "ssh-keygen does not believe it");
    Ok(())
}

#[test]
fn a_signed_receipt_is_believed_by_ssh_keygen() -> Result<()> {
    let center = Center::start()?;
    center.offer(&Package::of(Recipe::default())?);
    let client = Client::new()?;
    let generate = ["-q", "-t", "ed25519", "-N", "", "-C", "", "-f", "key"];
    tool("ssh-keygen", &generate, client.directory.path())?;
    fs::write(client.path("given"), super::TOKEN)?;
    client.well(&["login", &center.address(), "--token-file", "given", "--receipt-key", "key"])?;
    client.well(&["get", "--all", "--acknowledge"])?;
    proven(&client, &only(&center)?.1, &fs::read_to_string(client.path("key.pub"))?)
}

#[test]
fn a_key_with_a_passphrase_signs_through_ssh_keygen() -> Result<()> {
    let center = Center::start()?;
    center.offer(&Package::of(Recipe::default())?);
    let client = Client::new()?;
    let generate = ["-q", "-t", "ed25519", "-N", "correct horse", "-C", "", "-f", "key"];
    tool("ssh-keygen", &generate, client.directory.path())?;
    fs::write(client.path("given"), super::TOKEN)?;
    client.well(&["login", &center.address(), "--token-file", "given", "--receipt-key", "key"])?;
    // Without an agent and without anybody to ask it cannot be signed, and so nothing is said.
    let told = super::told(
        client
            .command(&["get", "--all", "--acknowledge"])?
            .env_remove("SSH_AUTH_SOCK")
            .env("SSH_ASKPASS", "/bin/false")
            .env("SSH_ASKPASS_REQUIRE", "force")
            .output()?,
    )?;
    ensure!(told.code == 2 && told.err.contains("ssh-add"), "{}: {}", told.code, told.err);
    ensure!(center.world().posts == 0);
    // Whoever is asked answers.
    let ask = client.path("ask");
    fs::write(&ask, "#!/bin/sh\necho 'correct horse'\n")?;
    fs::set_permissions(&ask, std::os::unix::fs::PermissionsExt::from_mode(0o700))?;
    let told = super::told(
        client
            .command(&["acknowledge", "d1"])?
            .env_remove("SSH_AUTH_SOCK")
            .env("SSH_ASKPASS", &ask)
            .env("SSH_ASKPASS_REQUIRE", "force")
            .output()?,
    )?;
    ensure!(told.code == 0, "{}: {}", told.code, told.err);
    proven(&client, &only(&center)?.1, &fs::read_to_string(client.path("key.pub"))?)
}
