//! Five lanes of real human reads through the shipped workflow in Docker: the gate that must hold, and the figures that other tools gave.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use kentai_tests::{Site, root, tool, tool_image, without_docker};

const LANES: [&str; 5] = ["L001", "L002", "L004", "L007", "L008"];

fn data() -> PathBuf {
    root().join("workflows/library/germline_wgs/tiny-normal")
}

/// A site with the small reference registered by the real verb, and the sheet of the five lanes.
fn prepare(name: &str, people: &str) -> Result<(Site, String)> {
    tool_image()?;
    let site = Site::new(name, people)?;
    let fasta = data().join("reference.fa.gz");
    let (code, _, told) =
        site.run(["reference", "add", "tiny@1", &fasta.to_string_lossy(), "--executor", "docker", "--quiet"])?;
    ensure!(code == 0, "reference add ended with {code}: {told}");
    let mut rows = String::from("specimen,lane,r1,r2,consent,participant,r1_sha256,r2_sha256\n");
    for lane in LANES {
        let [r1, r2] = ["R1", "R2"].map(|read| data().join(format!("tiny_n_{lane}_{read}_xxx.fastq.gz")));
        let sum = |path: &Path| {
            tool("sha256sum", &[&path.to_string_lossy()], Path::new("/")).map(|text| text[..64].to_owned())
        };
        rows +=
            &format!("TN-1,{lane},{},{},C-1:sequencing,P-1,{},{}\n", r1.display(), r2.display(), sum(&r1)?, sum(&r2)?);
    }
    let sheet = site.write("sheet.csv", &rows)?.to_string_lossy().into_owned();
    Ok((site, sheet))
}

fn run(site: &Site, sheet: &str, params: &[&str]) -> Result<(i32, String, String)> {
    let mut arguments =
        vec!["run", "germline_wgs", "--sheet", sheet, "--executor", "docker", "--param", "reference=tiny@1"];
    for param in params {
        arguments.extend(["--param", param]);
    }
    site.run(arguments)
}

/// The one package below `deliveries/`.
fn package(site: &Site) -> Result<PathBuf> {
    let entries = fs::read_dir(site.path().join("deliveries"))?.flatten().map(|entry| entry.path());
    let found: Vec<PathBuf> = entries.filter(|path| path.is_dir()).collect();
    ensure!(found.len() == 1, "{} packages", found.len());
    found.into_iter().next().context("one package")
}

fn is_as_other_tools_say(site: &Site) -> Result<()> {
    let package = package(site)?;
    for program in ["sha256sum", "md5sum"] {
        let manifest = format!("manifest-{}.txt", program.trim_end_matches("sum"));
        tool(program, &["--check", "--strict", &manifest], &package)?;
    }
    let reference = site.path().join("references/tiny@1");
    let fasta = fs::read_dir(&reference)?
        .flatten()
        .map(|entry| entry.path())
        .find(|path| path.extension().is_some_and(|e| e == "fa" || e == "fasta"));
    let fasta = fasta.context("the bundle's FASTA")?.to_string_lossy().into_owned();
    let cram = package.join("data/TN-1.cram").to_string_lossy().into_owned();
    let plain = tool("samtools", &["view", "-b", "-T", &fasta, "-o", "plain.bam", &cram], site.directory.path());
    plain?;
    let flagstat = tool("samtools", &["flagstat", "plain.bam"], site.directory.path())?;
    for line in ["4602 + 0 in total", "4601 + 0 mapped (99.98%", "166 + 0 duplicates"] {
        ensure!(flagstat.contains(line), "no `{line}` in:\n{flagstat}");
    }
    let header = tool("samtools", &["view", "-H", "plain.bam"], site.directory.path())?;
    for lane in LANES {
        ensure!(header.contains(&format!("@RG\tID:TN-1.{lane}\tSM:TN-1")), "no read group of {lane} in:\n{header}");
    }
    let calls = package.join("data/TN-1.vcf.gz").to_string_lossy().into_owned();
    let snvs = tool("bcftools", &["view", "-H", "-v", "snps", &calls], Path::new("/"))?;
    ensure!(snvs.lines().count() == 34, "{} SNVs", snvs.lines().count());
    kentai_tests::invariants::check(&site.path())
}

#[test]
fn five_real_lanes_give_the_figures_of_other_tools() -> Result<()> {
    if without_docker() {
        return Ok(());
    }
    let (site, sheet) = prepare("germline-pass", "")?;
    let (code, _, told) = run(&site, &sheet, &["min_q30=0.75", "min_depth=0.5"])?;
    ensure!(code == 0, "ended with {code}:\n{told}");
    is_as_other_tools_say(&site)
}

#[test]
fn the_default_gate_holds_two_lanes_until_a_reviewer_and_a_releaser_decide() -> Result<()> {
    if without_docker() {
        return Ok(());
    }
    // Two people of this machine: root submits, `nobody` reviews and releases.
    let people = "people:\n  - { user: \"0\", name: ops-01, roles: [operator] }\n  - { user: nobody, name: rev-01, roles: [reviewer, releaser] }\n";
    let (site, sheet) = prepare("germline-hold", people)?;
    let (code, _, told) = run(&site, &sheet, &["min_depth=0.5"])?;
    ensure!(code == 11, "ended with {code}:\n{told}");
    let run_id = run_id(&site)?;
    let (_, why, _) = site.run(["why", &run_id])?;
    for part in ["L004", "0.7797", "L007", "0.7924", ">= 0.85", "reviewer"] {
        ensure!(why.contains(part), "why does not say {part}:\n{why}");
    }
    // Who submitted has no role to decide.
    let (code, ..) = site.run(["qc", "decide", &run_id, "reads_ok", "--verdict", "release", "--reason", "mine"])?;
    ensure!(code == 5, "the operator's decision ended with {code}");
    as_nobody(
        &site,
        &["qc", "decide", &run_id, "reads_ok", "--verdict", "release", "--reason", "two old lanes, the depth suffices"],
    )?;
    let (code, _, told) = run(&site, &sheet, &["min_depth=0.5"])?;
    ensure!(code == 11, "after the decision it ended with {code}:\n{told}");
    as_nobody(&site, &["approve", &run_id, "release", "--reason", "seen"])?;
    let (code, _, told) = run(&site, &sheet, &["min_depth=0.5"])?;
    ensure!(code == 0, "after the approval it ended with {code}:\n{told}");
    let document = fs::read_to_string(package(&site)?.join("data/delivery.json"))?;
    ensure!(
        document.contains("rev-01") && document.contains("two old lanes"),
        "the decision does not travel:\n{document}"
    );
    is_as_other_tools_say(&site)
}

fn run_id(site: &Site) -> Result<String> {
    let database = site.path().join("kentai.db").to_string_lossy().into_owned();
    let text = tool("sqlite3", &[&database, "select run_id from run where specimen_id = 'TN-1'"], Path::new("/"))?;
    Ok(text.trim().to_owned())
}

/// The same command as another user of this machine. The site is opened to that user for this test only.
fn as_nobody(site: &Site, arguments: &[&str]) -> Result<()> {
    tool("chmod", &["-R", "a+rwX", &site.directory.path().to_string_lossy()], Path::new("/"))?;
    // The key that signs the audit log stays the owner's alone.
    tool("chmod", &["600", &site.path().join("secrets/audit.key").to_string_lossy()], Path::new("/"))?;
    let binary = site.directory.path().join("kentai");
    fs::copy(kentai_tests::kentai()?, &binary)?;
    let place = site.path().to_string_lossy().into_owned();
    let mut all = vec!["--reuid=nobody", "--regid=nogroup", "--clear-groups"];
    let program = binary.to_string_lossy().into_owned();
    all.extend([program.as_str(), "--site", &place]);
    all.extend(arguments);
    tool("setpriv", &all, site.directory.path()).map(drop)
}
