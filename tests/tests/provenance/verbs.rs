//! The verbs as people and programs use them, with the real binary, real tools and the site's own key and log.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use kentai_engine::audit::checkpoint::{Checkpoint, Secret, Stand};
use kentai_engine::handoff::crypt4gh::keyfile::{self, Lock};
use kentai_engine::handoff::sshsig;
use kentai_engine::id::RunId;
use kentai_engine::store::pool::Pool;
use kentai_engine::store::read::Reader;
use kentai_tests::{Site, kentai as binary, tool};
use serde_json::Value;

use super::package::Package;
use super::peers::{is_a_provenance_crate, report};

const WORKFLOW: &str = "kentai: 1
workflow: small
params: { lines: { type: integer, default: 1 } }
specimen: { inputs: { x: file } }
steps:
  receive:
    receive: { require: [specimen] }
  head:
    after: [receive]
    inputs: { x: \"${{ specimen.x }}\" }
    outputs: { o: { path: head.txt, format: text } }
    env: { N: \"${{ params.lines }}\" }
    script: head -n \"$N\" \"$in_x\" > \"$out_o\"
  count:
    inputs: { o: \"${{ steps.head.o }}\" }
    outputs: { n: { path: count.json, format: json } }
    script: |
      echo \"{\\\"lines\\\": $(wc -l < \"$in_o\")}\" > \"$out_n\"
  deliver:
    handoff: { to: outbox, files: [\"${{ steps.head.o }}\", \"${{ steps.count.n }}\"] }
";

/// A site on which one specimen went to its end, and the run.
fn worked(name: &str) -> Result<(Site, String)> {
    let site = Site::new(name, "")?;
    site.write("yamada_taro.txt", "a\nb\n")?;
    site.write("sheet.csv", "specimen,x\nS1,yamada_taro.txt\n")?;
    site.write("small.yaml", WORKFLOW)?;
    let (code, _, told) = site.run(["run", "small.yaml", "--sheet", "sheet.csv", "--executor", "process"])?;
    ensure!(code == 0, "{code}: {told}");
    let run = sql(&site, "select run_id from run")?;
    Ok((site, run))
}

fn sql(site: &Site, sql: &str) -> Result<String> {
    let database = site.path().join("kentai.db").to_string_lossy().into_owned();
    Ok(tool("sqlite3", &[&database, sql], Path::new("/"))?.trim().to_owned())
}

/// Runs it, and gives standard output when it ends as it must.
fn kentai(site: &Site, wanted: i32, arguments: &[&str]) -> Result<String> {
    let (code, told, error) = site.run(arguments)?;
    ensure!(code == wanted, "kentai {}: {code} and not {wanted}\n{told}{error}", arguments.join(" "));
    Ok(told + &error)
}

#[test]
fn a_run_a_specimen_and_a_delivery_are_exported_as_crates_that_other_programs_read() -> Result<()> {
    let (site, run) = worked("exported")?;
    let delivery = sql(&site, "select delivery_id from delivery")?;
    let export = ["provenance", "export"];
    for (of, id, folder) in
        [("--run", &run, "r"), ("--delivery", &delivery, "d"), ("--specimen", &"S1".to_owned(), "s")]
    {
        kentai(&site, 0, &[&export[..], &[of, id, "--output", folder]].concat())?;
        let beneath = site.directory.path().join(folder);
        let place = if of == "--specimen" { beneath.join(&run) } else { beneath };
        let mut names: Vec<_> = fs::read_dir(&place)?.flatten().map(|entry| entry.file_name()).collect();
        names.sort();
        ensure!(names == ["ro-crate-metadata.json", "workflow.yaml"], "{names:?}");
        ensure!(fs::read_to_string(place.join("workflow.yaml"))? == WORKFLOW);
        let crated = fs::read_to_string(place.join("ro-crate-metadata.json"))?;
        let ours = site.directory.path().to_string_lossy().into_owned();
        ensure!(!crated.contains(&ours) && !crated.contains("yamada"), "{crated}");
        is_a_provenance_crate(&place)?;
        if let Some(told) = report(&place)? {
            ensure!(told.contains(&format!("action: #run/{run}")) && told.contains("#tool/head"), "{told}");
        }
    }
    // Nobody's file is written over, and the same run is told in the same bytes.
    kentai(&site, 6, &[&export[..], &["--run", &run, "--output", "r"]].concat())?;
    kentai(&site, 0, &[&export[..], &["--run", &run[..12], "--output", "again"]].concat())?;
    let read = |folder: &str| fs::read(site.directory.path().join(folder).join("ro-crate-metadata.json"));
    ensure!(read("r")? == read("again")?, "it was told otherwise the second time");
    Ok(())
}

#[test]
fn prov_json_goes_to_standard_output_and_what_cannot_be_is_refused() -> Result<()> {
    let (site, run) = worked("prov")?;
    let prov = ["provenance", "export", "--format", "prov-json", "--output", "-"];
    let (code, told, _) = site.run([&prov[..], &["--run", &run]].concat())?;
    let told: Value = serde_json::from_str(&told)?;
    ensure!(code == 0 && told["activity"].as_object().context("activities")?.len() == 3, "{told}");
    ensure!(told["wasGeneratedBy"].as_object().context("generations")?.len() == 2, "{told}");
    kentai(&site, 2, &["provenance", "export", "--run", &run, "--output", "-"])?;
    kentai(&site, 2, &["provenance", "export", "--output", "x"])?;
    for (of, id) in [("--run", "r0nothing"), ("--delivery", "d0nothing"), ("--specimen", "S9")] {
        kentai(&site, 4, &[&prov[..], &[of, id]].concat())?;
    }
    Ok(())
}

/// The site's key, and a checkpoint of its newest event.
fn signed(site: &Site) -> Result<(Secret, Checkpoint)> {
    let secret =
        Secret::parse(&fs::read_to_string(site.path().join("secrets/audit.key"))?).context("the site's key")?;
    let newest = sql(site, "select seq, hash from event order by seq desc limit 1")?;
    let (events, head) = newest.split_once('|').context("an event")?;
    let stand = Stand { events: events.parse()?, head: head.into(), at_us: 5, sha256: String::new() };
    let checkpoint = secret.sign(&stand);
    Ok((secret, checkpoint))
}

async fn packed(site: &Site, run: &str, secret: &Secret, checkpoint: Checkpoint) -> Result<Package> {
    let reader = Reader::new(Pool::open_read_only(&site.path().join("kentai.db")).await?);
    Package::of(&reader, &RunId::from(run), secret, Some(checkpoint)).await
}

#[tokio::test]
async fn a_package_is_verified_offline_by_any_spelling_of_the_senders_key() -> Result<()> {
    let (site, run) = worked("verified")?;
    let (secret, checkpoint) = signed(&site)?;
    let package = packed(&site, &run, &secret, checkpoint).await?;
    let place = package.place().to_string_lossy().into_owned();
    let public = site.path().join("secrets/audit.pub").to_string_lossy().into_owned();
    let line = format!("{} the center's", sshsig::line(&package.key));
    let pub_file = site.write("center.pub", &format!("{line}\n"))?.to_string_lossy().into_owned();
    let verify = ["provenance", "verify", &place];
    for key in [&public, &line, &pub_file, &package.key.text()] {
        // No site is needed: there is none where it is asked.
        let output =
            Command::new(binary()?).args(verify).args(["--key", key]).current_dir(package.beside("")).output()?;
        let told = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "{told}");
        ensure!(told.contains("all as they were signed") && !told.contains("vouched"), "{told}");
    }
    let told = kentai(&site, 0, &verify)?;
    ensure!(told.contains(&format!("signed by {}, which nobody vouched for", sshsig::line(&package.key))), "{told}");
    let other = Secret::from_bytes(&[1; 32]).public().text();
    ensure!(kentai(&site, 3, &[&verify[..], &["--key", &other]].concat())?.contains("another key signed it"));
    kentai(&site, 2, &[&verify[..], &["--key", "no key"]].concat())?;
    kentai(&site, 4, &["provenance", "verify", "/nowhere"])?;
    fs::write(package.place().join("data/S1.txt"), "forged\n")?;
    let (code, told, _) = site.run([&verify[..], &["--key", &public, "--json"]].concat())?;
    let told: Value = serde_json::from_str(&told)?;
    ensure!(code == 3 && told["ok"] == false && told["vouched"] == true, "{told}");
    let files: Vec<&str> =
        told["faults"].as_array().context("faults")?.iter().filter_map(|fault| fault["file"].as_str()).collect();
    ensure!(files.contains(&"data/S1.txt"), "{files:?}");
    Ok(())
}

#[tokio::test]
async fn a_package_belongs_to_the_senders_log_or_is_refused() -> Result<()> {
    let (site, run) = worked("logged")?;
    let (secret, checkpoint) = signed(&site)?;
    let package = packed(&site, &run, &secret, checkpoint.clone()).await?;
    kentai(&site, 0, &["admin", "audit", "export", "audit.jsonl"])?;
    let verify = |package: &Package, audit: &str, wanted: i32| {
        let place = package.place().to_string_lossy().into_owned();
        kentai(&site, wanted, &["provenance", "verify", &place, "--key", &package.key.text(), "--audit", audit])
    };
    let told = verify(&package, "audit.jsonl", 0)?;
    ensure!(told.contains("its checkpoint is part of the log of logged"), "{told}");
    // A chain that never was, though the site's key signed it.
    let forged = Stand { head: "ab".repeat(32), ..checkpoint.stand };
    let stranger = packed(&site, &run, &secret, secret.sign(&forged)).await?;
    ensure!(verify(&stranger, "audit.jsonl", 3)?.contains("does not hold the package's checkpoint"));
    let log = fs::read_to_string(site.directory.path().join("audit.jsonl"))?;
    site.write("changed.jsonl", &log.replacen("run_started", "run_starteD", 1))?;
    ensure!(verify(&package, "changed.jsonl", 3)?.contains("changed.jsonl: line"));
    Ok(())
}

#[tokio::test]
async fn whoever_has_the_receivers_key_checks_what_is_within() -> Result<()> {
    let (site, run) = worked("opened")?;
    let (secret, checkpoint) = signed(&site)?;
    let package = packed(&site, &run, &secret, checkpoint).await?;
    let place = package.place().to_string_lossy().into_owned();
    let lock = Lock { passphrase: "correct horse", salt: [1; 16], nonce: [2; 12] };
    site.write("ours.sec", &keyfile::write_secret(&package.receiver, Some(&lock)))?;
    site.write("open.sec", &keyfile::write_secret(&package.receiver, None))?;
    site.write("phrase", "correct horse\n")?;
    let key = package.key.text();
    let verify = ["provenance", "verify", &place, "--key", &key, "--json"];
    let opened = |more: &[&str]| {
        let (code, told, error) = site.run([&verify[..], more].concat())?;
        let told: Value = serde_json::from_str(&told).with_context(|| format!("{code}: {told}{error}"))?;
        anyhow::Ok((code, told["decrypted"].clone(), told["notes"].to_string()))
    };
    ensure!(opened(&["--identity", "open.sec"])? == (0, 1.into(), "[]".into()));
    ensure!(opened(&["--identity", "ours.sec", "--passphrase-file", "phrase"])? == (0, 1.into(), "[]".into()));
    let (code, decrypted, notes) = opened(&[])?;
    ensure!(code == 0 && decrypted == 0 && notes.contains("1 file(s) are encrypted"), "{notes}");
    let mut command = site.command([&verify[..], &["--identity", "ours.sec"]].concat())?;
    ensure!(command.env("KENTAI_PASSPHRASE", "correct horse").output()?.status.success());
    ensure!(command.env("KENTAI_PASSPHRASE", "wrong").output()?.status.code() == Some(2));
    kentai(&site, 2, &[&verify[..5], &["--identity", "ours.sec"]].concat())?;
    Ok(())
}
