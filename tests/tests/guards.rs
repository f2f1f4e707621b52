//! The door and the hand-off: what must not pass does not, and says why; what passes arrives whole.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use kentai_tests::{Site, tool};

const WORKFLOW: &str = "kentai: 1
workflow: guarded
specimen: { inputs: { reads: file } }
steps:
  receive: { receive: { require: [specimen, consent, checksums], use: sequencing } }
  count:
    after: [receive]
    inputs: { r: \"${{ specimen.reads }}\" }
    outputs: { lines: { path: lines.txt } }
    script: wc -l < \"$in_r\" > \"$out_lines\"
  deliver:
    handoff: { to: outbox, files: [\"${{ steps.count.lines }}\"] }
";

struct House {
    site: Site,
    workflow: String,
}

impl House {
    fn new(name: &str, more: &str) -> Result<Self> {
        let site = Site::new(name, more)?;
        site.write("reads.txt", "a\nb\n")?;
        let workflow = site.write("guarded.yaml", WORKFLOW)?.to_string_lossy().into_owned();
        Ok(Self { site, workflow })
    }

    fn sha256(&self) -> Result<String> {
        let text = tool("sha256sum", &["reads.txt"], self.site.directory.path())?;
        Ok(text[..64].to_owned())
    }

    /// Runs a sheet of one row; gives the exit code and what was said.
    fn run(&self, head: &str, row: &str) -> Result<(i32, String)> {
        let sheet = self.site.write("sheet.csv", &format!("{head}\n{row}\n"))?;
        let arguments = ["run", &self.workflow, "--sheet", &sheet.to_string_lossy(), "--executor", "process"];
        let (code, _, told) = self.site.run(arguments)?;
        Ok((code, told))
    }

    fn packages(&self) -> Vec<PathBuf> {
        let entries = fs::read_dir(self.site.path().join("deliveries")).into_iter().flatten().flatten();
        entries.map(|entry| entry.path()).collect()
    }

    /// How many attempts there ever were, asked of the database by SQLite's own program.
    fn attempts(&self) -> Result<usize> {
        let database = self.site.path().join("kentai.db").to_string_lossy().into_owned();
        Ok(tool("sqlite3", &[&database, "select count(*) from attempt"], Path::new("/"))?.trim().parse()?)
    }
}

#[test]
fn without_consent_nothing_is_done_and_nothing_leaves() -> Result<()> {
    let house = House::new("no-consent", "")?;
    let sum = house.sha256()?;
    let (code, told) = house.run("specimen,reads,reads_sha256", &format!("S1,reads.txt,{sum}"))?;
    ensure!(code == 3 || code == 10, "without consent it ended with {code}:\n{told}");
    ensure!(told.contains("consent"), "it does not say that consent is missing:\n{told}");
    let (code, told) = house.run("specimen,reads,reads_sha256,consent", &format!("S2,reads.txt,{sum},C-1:industry"))?;
    ensure!(code == 10 && told.contains("sequencing"), "consent for another use ended with {code}:\n{told}");
    ensure!(house.packages().is_empty(), "something was handed off");
    ensure!(house.attempts()? == 0, "a tool was started");
    Ok(())
}

#[test]
fn a_target_takes_only_what_consent_covers() -> Result<()> {
    let target = "targets: { outbox: { kind: directory, path: deliveries, consent_use: research_abroad } }\n";
    let house = House::new("target-consent", target)?;
    let sum = house.sha256()?;
    let head = "specimen,reads,reads_sha256,consent";
    let (code, told) = house.run(head, &format!("S1,reads.txt,{sum},C-1:sequencing"))?;
    ensure!(code == 10 && told.contains("research_abroad"), "ended with {code}:\n{told}");
    ensure!(house.packages().is_empty(), "something was handed off");
    let (code, told) = house.run(head, &format!("S2,reads.txt,{sum},C-2:sequencing;research_abroad"))?;
    ensure!(code == 0, "ended with {code}:\n{told}");
    let packages = house.packages();
    ensure!(packages.len() == 1, "{} packages", packages.len());
    tool("sha256sum", &["--check", "--strict", "manifest-sha256.txt"], &packages[0])?;
    tool("md5sum", &["--check", "--strict", "manifest-md5.txt"], &packages[0])?;
    Ok(())
}

#[test]
fn a_file_with_another_checksum_than_the_sheet_promises_stops_at_the_door() -> Result<()> {
    let house = House::new("wrong-sum", "")?;
    let head = "specimen,reads,reads_sha256,consent";
    let (code, told) = house.run(head, &format!("S1,reads.txt,{},C-1:sequencing", "0".repeat(64)))?;
    ensure!(code == 3 && told.contains("S123"), "ended with {code}:\n{told}");
    let database = house.site.path().join("kentai.db");
    let rows = tool("sqlite3", &[&database.to_string_lossy(), "select count(*) from run"], Path::new("/"))?;
    ensure!(rows.trim() == "0", "{} runs were stored", rows.trim());
    Ok(())
}

#[test]
fn a_file_that_changes_after_it_was_submitted_is_not_received() -> Result<()> {
    let house = House::new("changed", "limits: { cpus: 1 }\n")?;
    let sum = house.sha256()?;
    let sheet = house
        .site
        .write("sheet.csv", &format!("specimen,reads,reads_sha256,consent\nS1,reads.txt,{sum},C-1:sequencing\n"))?;
    // Submitted to a site where nothing starts yet: `hold` by a server that is stopped again is more than this needs.
    let (code, _, told) = house.site.run([
        "run",
        &house.workflow,
        "--sheet",
        &sheet.to_string_lossy(),
        "--executor",
        "process",
        "--quiet",
    ])?;
    ensure!(code == 0, "ended with {code}:\n{told}");
    // The same bytes in number, other in kind: only the checksum can tell. A retry receives again.
    fs::write(house.site.directory.path().join("reads.txt"), "a\nc\n")?;
    let database = house.site.path().join("kentai.db").to_string_lossy().into_owned();
    let run = tool("sqlite3", &[&database, "select run_id from run"], Path::new("/"))?;
    let run = run.trim();
    let (code, _, told) = house.site.run(["retry", run, "--from", "receive"])?;
    ensure!(code == 0, "retry ended with {code}: {told}");
    let mut server = house.site.command(["serve", "--executor", "process"])?.spawn().context("start the server")?;
    let (code, said, _) = watch(&house, run)?;
    server.kill()?;
    server.wait()?;
    ensure!(code == 10, "a changed file was received ({code}):\n{said}");
    let (_, why, _) = house.site.run(["why", run])?;
    ensure!(why.contains("sha256") && why.contains("promised"), "why does not say it:\n{why}");
    Ok(())
}

fn watch(house: &House, run: &str) -> Result<(i32, String, String)> {
    house.site.run(["watch", run])
}

#[test]
fn directories_of_attempts_that_ended_long_ago_go_and_their_logs_and_outputs_stay() -> Result<()> {
    let house = House::new("retention", "retention: { attempts: 1h }\n")?;
    let sum = house.sha256()?;
    let row = format!("S1,reads.txt,{sum},C-1:sequencing");
    let (code, told) = house.run("specimen,reads,reads_sha256,consent", &row)?;
    ensure!(code == 0, "ended with {code}:\n{told}");
    let left = || fs::read_dir(house.site.path().join("attempts")).into_iter().flatten().count();
    ensure!(left() == 1, "{} attempt directories before", left());
    // Time is not waited for: the row is made old.
    let database = house.site.path().join("kentai.db").to_string_lossy().into_owned();
    tool("sqlite3", &[&database, "update attempt set updated_us = updated_us - 7200000000"], Path::new("/"))?;
    let mut server = house.site.command(["serve", "--executor", "process", "--quiet"])?.spawn()?;
    for _ in 0..6000 {
        if left() == 0 {
            break;
        }
        std::thread::park_timeout(std::time::Duration::from_millis(10));
    }
    server.kill()?;
    server.wait()?;
    ensure!(left() == 0, "the directory is still there");
    kentai_tests::invariants::check(&house.site.path())
}
