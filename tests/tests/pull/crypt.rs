//! Encrypted by the reference implementation of Crypt4GH, pulled, decrypted: the same bytes, or nothing.

use std::fs::{self, File};
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, ensure};
use kentai_tests::{peer, tool};

use super::center::{Center, TOKEN};
use super::package::{Package, Recipe, noise, plain};
use super::{Client, files, pair};

const PASSPHRASE: &str = "correct horse";

/// Encrypted by the reference tool to `to.pub` of the directory.
fn encrypted(program: &Path, directory: &Path, bytes: &[u8]) -> Result<Vec<u8>> {
    fs::write(directory.join("in"), bytes)?;
    let output = Command::new(program)
        .args(["encrypt", "--recipient_pk", "to.pub"])
        .current_dir(directory)
        .env_remove("C4GH_SECRET_KEY")
        .stdin(File::open(directory.join("in"))?)
        .output()?;
    ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Ok(output.stdout)
}

/// A pair of the reference tool's making, `NAME.sec` and `NAME.pub`.
fn generate(program: &Path, directory: &Path, name: &str) -> Result<()> {
    const SCRIPT: &str = "import sys; from crypt4gh.keys import c4gh; \
         c4gh.generate(sys.argv[1] + '.sec', sys.argv[1] + '.pub', sys.argv[2].encode(), b'')";
    let python = program.with_file_name("python3");
    tool(python.to_str().context("a path in UTF-8")?, &["-c", SCRIPT, name, PASSPHRASE], directory).map(drop)
}

fn login(center: &Center, client: &Client, key: &str) -> Result<()> {
    fs::write(client.path("given"), TOKEN)?;
    client.well(&["login", &center.address(), "--token-file", "given", "--secret-key", key]).map(drop)
}

#[test]
fn what_the_reference_encrypted_is_pulled_decrypted_and_acknowledged_in_one_go() -> Result<()> {
    let Some(program) = peer("crypt4gh")? else { return Ok(()) };
    let client = Client::new()?;
    let here = client.directory.path();
    generate(&program, here, "to")?;
    generate(&program, here, "other")?;
    let bytes = noise(21, 200_000);
    let payload = vec![
        ("S1.cram.c4gh", encrypted(&program, here, &bytes)?, Some(plain(&bytes)?)),
        ("qc/S1.json.c4gh", encrypted(&program, here, b"{}\n")?, Some(plain(b"{}\n")?)),
        ("readme.txt", b"not encrypted".to_vec(), None),
    ];
    let package = Package::of(Recipe { payload, ..Recipe::default() })?;
    let center = Center::start()?;
    center.offer(&package);
    login(&center, &client, "to.sec")?;
    fs::write(client.path("wrong"), "another\n")?;
    let told = client.run(&["get", "--all", "--decrypt", "--passphrase-file", "wrong"])?;
    ensure!(told.code == 2 && told.err.contains("passphrase"), "{}: {}", told.code, told.err);
    fs::write(client.path("phrase"), format!("{PASSPHRASE}\n"))?;
    client.well(&["get", "--all", "--decrypt", "--passphrase-file", "phrase", "--acknowledge"])?;
    client.has(&package)?;
    let folder = client.pulled("plain/S1_d1");
    ensure!(fs::read(folder.join("S1.cram"))? == bytes && fs::read(folder.join("qc/S1.json"))? == b"{}\n");
    ensure!(files(&folder)? == 2);
    let world = center.world();
    let (body, _) = world.receipts.values().next().context("a receipt")?;
    let said = body["files"].as_array().context("files")?;
    let cram = said.iter().find(|file| file["path"] == "data/S1.cram.c4gh").context("the file")?;
    let sum = tool("sha256sum", &["S1.cram"], &folder)?;
    ensure!(sum.starts_with(cram["plain_sha256"].as_str().context("a digest")?), "{cram}");
    Ok(())
}

#[test]
fn another_key_opens_nothing_and_the_center_hears_of_it() -> Result<()> {
    let Some(program) = peer("crypt4gh")? else { return Ok(()) };
    let client = Client::new()?;
    let here = client.directory.path();
    generate(&program, here, "to")?;
    generate(&program, here, "other")?;
    let payload = vec![("S1.cram.c4gh", encrypted(&program, here, b"reads")?, Some(plain(b"reads")?))];
    let center = Center::start()?;
    center.offer(&Package::of(Recipe { payload, ..Recipe::default() })?);
    login(&center, &client, "other.sec")?;
    let get = ["get", "--all", "--decrypt", "--acknowledge"];
    let told = super::told(client.command(&get)?.env("KENTAI_PULL_PASSPHRASE", PASSPHRASE).output()?)?;
    ensure!(told.code == 3 && told.err.contains("another key"), "{}: {}", told.code, told.err);
    ensure!(!client.pulled("plain/S1_d1").exists(), "something was given a place");
    let world = center.world();
    let (body, _) = world.receipts.values().next().context("a receipt")?;
    ensure!(body["files"][0]["reason"] == "key" && body["files"][0]["path"] == "data/S1.cram.c4gh", "{body}");
    Ok(())
}

#[test]
fn what_is_within_must_be_what_was_offered() -> Result<()> {
    let Some(program) = peer("crypt4gh")? else { return Ok(()) };
    let client = Client::new()?;
    let here = client.directory.path();
    generate(&program, here, "to")?;
    let whole = encrypted(&program, here, &noise(3, 100_000))?;
    // All of the first segment and not one byte more: the format itself does not notice that the end is gone.
    let cut = whole[..124 + 65_564].to_vec();
    let other = encrypted(&program, here, b"others")?;
    for (delivery, bytes) in [("d1", cut), ("d2", other)] {
        let payload = vec![
            ("a.c4gh", encrypted(&program, here, b"a")?, Some(plain(b"a")?)),
            ("b.c4gh", bytes, Some(plain(&noise(3, 100_000))?)),
        ];
        let (center, _) = pair(&Package::of(Recipe { delivery, payload, ..Recipe::default() })?)?;
        let client = Client::new()?;
        fs::copy(here.join("to.sec"), client.path("to.sec"))?;
        login(&center, &client, "to.sec")?;
        client.well(&["get", "--all"])?;
        let told = super::told(client.command(&["decrypt"])?.env("KENTAI_PULL_PASSPHRASE", PASSPHRASE).output()?)?;
        ensure!(told.code == 3 && told.out.contains("data/b.c4gh"), "{}: {}{}", told.code, told.out, told.err);
        ensure!(!client.pulled(&format!("plain/S1_{delivery}")).exists(), "half of it was given a place");
    }
    Ok(())
}
