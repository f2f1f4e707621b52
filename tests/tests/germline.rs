//! Five lanes of real human reads through the shipped workflow in Docker: the gate that must hold, and the figures that other tools gave.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use kentai_engine::audit::checkpoint::Public;
use kentai_engine::handoff::{bag, sshsig};
use kentai_tests::{Site, peer, root, tool, tool_image, without_docker};

use crate::provenance::peers::{is_a_provenance_crate, report};

const LANES: [&str; 5] = ["L001", "L002", "L004", "L007", "L008"];

fn data() -> PathBuf {
    root().join("workflows/library/germline_wgs/tiny-normal")
}

/// A site with the small reference registered by the real verb, and the sheet of the five lanes.
fn prepare(name: &str, more: &str, generator: Option<&Path>) -> Result<(Site, String)> {
    prepare_on("docker", name, more, generator)
}

/// The same on another executor.
pub(crate) fn prepare_on(executor: &str, name: &str, more: &str, generator: Option<&Path>) -> Result<(Site, String)> {
    tool_image()?;
    let site = Site::new(name, more)?;
    if let Some(generator) = generator {
        let pair = ["--sk", "dc.sec", "--pk", "dc.pub", "--nocrypt"];
        tool(&generator.to_string_lossy(), &pair, site.directory.path())?;
    }
    let fasta = data().join("reference.fa.gz");
    let (code, _, told) =
        site.run(["reference", "add", "tiny@1", &fasta.to_string_lossy(), "--executor", executor, "--quiet"])?;
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
    run_on("docker", site, sheet, params)
}

pub(crate) fn run_on(executor: &str, site: &Site, sheet: &str, params: &[&str]) -> Result<(i32, String, String)> {
    let mut arguments =
        vec!["run", "germline_wgs", "--sheet", sheet, "--executor", executor, "--param", "reference=tiny@1"];
    for param in params {
        arguments.extend(["--param", param]);
    }
    site.run(arguments)
}

/// The one package below `deliveries/`.
pub(crate) fn package(site: &Site) -> Result<PathBuf> {
    let entries = fs::read_dir(site.path().join("deliveries"))?.flatten().map(|entry| entry.path());
    let found: Vec<PathBuf> = entries.filter(|path| path.is_dir()).collect();
    ensure!(found.len() == 1, "{} packages", found.len());
    found.into_iter().next().context("one package")
}

/// Everybody whose business it is takes the package, and nobody takes one with another byte.
fn is_a_package_to_everybody(site: &Site, package: &Path) -> Result<()> {
    for (program, manifest) in
        [("sha256sum", bag::MANIFEST_SHA256), ("md5sum", bag::MANIFEST_MD5), ("sha256sum", bag::TAG_MANIFEST)]
    {
        tool(program, &["--check", "--strict", "--quiet", manifest], package)?;
    }
    let place = package.to_string_lossy().into_owned();
    if let Some(bagit) = peer("bagit.py")? {
        tool(&bagit.to_string_lossy(), &["--validate", "--quiet", &place], Path::new("/"))?;
    }
    is_a_provenance_crate(&package.join("data"))?;
    if let Some(told) = report(&package.join("data"))? {
        ensure!(told.contains("action: #run/") && told.contains("action: #attempt/"), "{told}");
    }
    let key = Public::parse(&fs::read_to_string(site.path().join("secrets/audit.pub"))?).context("the site's key")?;
    let signers = site.write("signers", &sshsig::allowed_signer("center", sshsig::NAMESPACE, &key))?;
    let output = Command::new("ssh-keygen")
        .args(["-Y", "verify", "-n", sshsig::NAMESPACE, "-I", "center", "-f"])
        .arg(&signers)
        .arg("-s")
        .arg(package.join(bag::SIGNATURE))
        .stdin(fs::File::open(package.join(bag::TAG_MANIFEST))?)
        .output()?;
    ensure!(output.status.success(), "ssh-keygen: {}", String::from_utf8_lossy(&output.stderr));
    let line = sshsig::line(&key);
    let verify = ["provenance", "verify", &place, "--key", &line];
    let (code, told, error) = site.run(verify)?;
    ensure!(code == 0, "verify: {code} {told}{error}");
    for entry in files(package)? {
        let whole = fs::read(&entry)?;
        let mut other = whole.clone();
        let at = other.len() / 2;
        other[at] ^= 1;
        fs::write(&entry, other)?;
        let (code, told, _) = site.run(verify)?;
        let payload = entry.parent().is_some_and(|folder| folder.ends_with("data"));
        let sums = if payload { bag::MANIFEST_SHA256 } else { bag::TAG_MANIFEST };
        let is_taken = tool("sha256sum", &["--check", "--strict", "--quiet", sums], package).is_ok();
        fs::write(&entry, whole)?;
        ensure!(code == 3, "{} with another byte: verify says {code} {told}", entry.display());
        // The signature and what it signs are ssh-keygen's business.
        let signed = entry.ends_with(bag::SIGNATURE) || entry.ends_with(bag::TAG_MANIFEST);
        ensure!(signed || !is_taken, "{} with another byte: sha256sum takes it", entry.display());
    }
    Ok(())
}

/// Every file of the package.
pub(crate) fn files(package: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for folder in [package.to_owned(), package.join("data")] {
        found.extend(fs::read_dir(folder)?.flatten().map(|entry| entry.path()).filter(|path| path.is_file()));
    }
    Ok(found)
}

/// The package, or a folder with its encrypted files as the receiver's own program opens them.
fn opened(site: &Site, package: &Path) -> Result<PathBuf> {
    let encrypted: Vec<PathBuf> =
        files(package)?.into_iter().filter(|path| path.extension().is_some_and(|end| end == "c4gh")).collect();
    let Some(program) = peer("crypt4gh")?.filter(|_| !encrypted.is_empty()) else { return Ok(package.to_owned()) };
    let plain = site.directory.path().join("opened");
    fs::create_dir_all(plain.join("data"))?;
    for path in encrypted {
        let output = Command::new(&program)
            .args(["decrypt", "--sk"])
            .arg(site.directory.path().join("dc.sec"))
            .stdin(fs::File::open(&path)?)
            .output()?;
        ensure!(output.status.success(), "crypt4gh: {}", String::from_utf8_lossy(&output.stderr));
        fs::write(plain.join("data").join(path.file_stem().context("a name")?), output.stdout)?;
    }
    Ok(plain)
}

pub(crate) fn is_as_other_tools_say(site: &Site) -> Result<()> {
    let package = package(site)?;
    is_a_package_to_everybody(site, &package)?;
    let package = opened(site, &package)?;
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
    // Encrypted for a key of the reference tool, where it is here.
    let generator = peer("crypt4gh-keygen")?;
    let target = "targets:\n  outbox: { kind: directory, path: deliveries, encrypt: crypt4gh, recipient: ../dc.pub }\n";
    let (site, sheet) = prepare("germline-pass", generator.as_ref().map_or("", |_| target), generator.as_deref())?;
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
    let (site, sheet) = prepare("germline-hold", people, None)?;
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
