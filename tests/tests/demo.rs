//! The demonstration: killed in the middle it ends the same and repeats nothing, and its calls are those of a plain pipeline.
//!
//! Oracles: `bwa`, `samtools` and `bcftools` of this machine without any engine, and a recorder of `docker events`.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use kentai_tests::recorder::Recorder;
use kentai_tests::{Site, invariants, root, tool, tool_image, without_docker};

/// `chromosome position reference alternative` of every call.
fn calls(file: &Path) -> Result<BTreeSet<String>> {
    let text = tool("bcftools", &["query", "-f", "%CHROM %POS %REF %ALT\\n", &file.to_string_lossy()], Path::new("/"))?;
    Ok(text.lines().map(str::to_owned).collect())
}

/// The same reads through the same tools, step by step, in a shell.
fn plain_calls(data: &Path, specimen: &str, out: &Path) -> Result<BTreeSet<String>> {
    let mut reads: Vec<String> = fs::read_dir(data.join("reads"))?
        .flatten()
        .map(|entry| entry.path().to_string_lossy().into_owned())
        .filter(|path| path.contains(&format!("/{specimen}_")))
        .collect();
    reads.sort();
    let reference = data.join("reference.fa").to_string_lossy().into_owned();
    let out_name = out.to_string_lossy().into_owned();
    let mut arguments = vec![reference.as_str(), specimen, &out_name];
    arguments.extend(reads.iter().map(String::as_str));
    tool(&root().join("scripts/plain-pipeline").to_string_lossy(), &arguments, data)?;
    calls(out)
}

fn delivered(site: &Site, specimen: &str) -> Result<PathBuf> {
    let packages = fs::read_dir(site.path().join("deliveries"))?.flatten().map(|entry| entry.path());
    let mut found: Vec<PathBuf> = packages
        .filter(|path| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(&format!("{specimen}."))))
        .collect();
    ensure!(found.len() == 1, "{specimen} has {} packages", found.len());
    Ok(found.remove(0).join(format!("data/{specimen}.vcf.gz")))
}

#[test]
fn the_demonstration_killed_in_the_middle_ends_as_a_plain_pipeline_and_repeats_nothing() -> Result<()> {
    if without_docker() {
        return Ok(());
    }
    tool_image()?;
    let name = format!("demo-{}", std::process::id());
    let site = Site::new(&name, "")?;
    let recorder = Recorder::start(&name, site.directory.path().join("events.txt"))?;
    let mut first = site.command(["demo", "--quiet"])?.stdout(Stdio::null()).spawn()?;
    // In the middle: some steps are done, and others are not.
    let database = site.path().join("kentai.db").to_string_lossy().into_owned();
    let count = "select count(*) from step where step = 'align' and status = 'succeeded'";
    let end = Instant::now() + Duration::from_secs(300);
    while !tool("sqlite3", &["-readonly", &database, count], Path::new("/")).is_ok_and(|text| text.trim() != "0") {
        ensure!(first.try_wait()?.is_none(), "the demonstration ended before it could be killed");
        ensure!(Instant::now() < end, "no step was done in five minutes");
        std::thread::park_timeout(Duration::from_millis(20));
    }
    first.kill()?;
    first.wait()?;
    let (code, said, told) = site.run(["demo"])?;
    ensure!(code == 0, "started again it ended with {code}:\n{said}\n{told}");
    let (code, again, _) = site.run(["demo", "--quiet"])?;
    ensure!(code == 0 && again == said, "the third time it said {again:?}, not {said:?}");
    let counts = recorder.counts()?;
    let doubled: Vec<_> = counts.iter().filter(|(_, count)| **count != 1).collect();
    ensure!(doubled.is_empty(), "started more than once: {doubled:?}");
    let steps = tool("sqlite3", &[&database, "select count(*) from attempt"], Path::new("/"))?;
    ensure!(counts.len().to_string() == steps.trim(), "{} containers for {} attempts", counts.len(), steps.trim());
    let data = fs::read_dir(site.path().join("demo"))?.flatten().next().context("the simulated data")?.path();
    for specimen in ["SIM001", "SIM002"] {
        let plain = plain_calls(&data, specimen, &site.directory.path().join(format!("{specimen}.vcf")))?;
        let ours = calls(&delivered(&site, specimen)?)?;
        ensure!(plain.len() > 100, "the plain pipeline found only {}", plain.len());
        ensure!(ours == plain, "{specimen}: ours {} calls, plain {}", ours.len(), plain.len());
    }
    invariants::check(&site.path())
}
