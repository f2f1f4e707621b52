//! The whole house on a real Slurm: the shipped workflow in podman, an engine that is killed, and whose budget faults spend.

mod budgets;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::{Child, Stdio};

use anyhow::{Context, Result, ensure};
use kentai_tests::recorder::count_lines;
use kentai_tests::slurm::{Cluster, in_podman};
use kentai_tests::{Site, tool, tool_image, without_docker};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::{germline, kill};

/// Names of a package's files with their SHA-256, as coreutils say.
fn sums(site: &Site) -> Result<BTreeMap<String, String>> {
    let package = germline::package(site)?;
    let mut sums = BTreeMap::new();
    for path in germline::files(&package)? {
        let name = path.strip_prefix(&package)?.to_string_lossy().into_owned();
        let sum = tool("sha256sum", &[&path.to_string_lossy()], Path::new("/"))?[..64].to_owned();
        sums.insert(name, sum);
    }
    Ok(sums)
}

#[test]
fn the_shipped_workflow_makes_the_same_files_in_jobs_as_in_docker() -> Result<()> {
    if without_docker() {
        return Ok(());
    }
    let Some(cluster) = Cluster::shared()? else { return Ok(()) };
    in_podman(tool_image()?)?;
    let params = ["min_q30=0.75", "min_depth=0.5"];
    let (docker, sheet) = germline::prepare_on("docker", "germline-docker", "", None)?;
    let (code, _, told) = germline::run_on("docker", &docker, &sheet, &params)?;
    ensure!(code == 0, "on Docker it ended with {code}:\n{told}");
    let (slurm, sheet) = germline::prepare_on("hpc", "germline-slurm", &cluster.lines("podman"), None)?;
    let (code, _, told) = germline::run_on("hpc", &slurm, &sheet, &params)?;
    ensure!(code == 0, "on Slurm it ended with {code}:\n{told}");
    germline::is_as_other_tools_say(&slurm)?;
    // Every attempt ran as a job: Slurm itself says so.
    let jobs = cluster.call("squeue", &["-h", "-t", "all", "-o", "%j|%T"])?;
    let done =
        jobs.lines().filter(|line| line.starts_with("kentai-germline-slurm-") && line.ends_with("|COMPLETED")).count();
    let database = slurm.path().join("kentai.db");
    let attempts = tool("sqlite3", &[&database.to_string_lossy(), "select count(*) from attempt"], Path::new("/"))?;
    ensure!(attempts.trim().parse::<usize>()? <= done, "{attempts} attempts, {done} jobs");
    let (ours, theirs) = (sums(&slurm)?, sums(&docker)?);
    ensure!(ours.keys().eq(theirs.keys()), "{ours:?}\n{theirs:?}");
    let other: Vec<&String> = ours.keys().filter(|name| ours[*name] != theirs[*name]).collect();
    eprintln!("{} files, other bytes: {other:?}", ours.len());
    ensure!(!other.iter().any(|name| name.ends_with(".cram") || name.ends_with(".crai")), "other reads: {other:?}");
    // Its header names the day and the command; the calls are the same.
    let calls = |site: &Site| {
        let path = germline::package(site)?.join("data/TN-1.vcf.gz");
        tool("bcftools", &["view", "-H", &path.to_string_lossy()], Path::new("/"))
    };
    ensure!(calls(&slurm)? == calls(&docker)?, "other calls");
    Ok(())
}

#[test]
fn killing_the_engine_neither_loses_nor_doubles_a_job() -> Result<()> {
    let Some(cluster) = Cluster::shared()? else { return Ok(()) };
    let wanted = kill::kills("KENTAI_TEST_SLURM_KILLS", 50);
    let (seed, mut random) = kill::seeded();
    let site = Site::new(&format!("kill-slurm-{}", seed % 1_000_000), &cluster.lines("none"))?;
    let witness = site.directory.path().join("witness.txt");
    fs::write(&witness, "")?;
    let effect = format!("echo \"$specimen_id STEP\" >> {}", witness.display());
    let file = site.write("kill.yaml", &kill::workflow("none", &effect))?;
    site.write("x.txt", "x\n")?;
    let (mut killed, mut specimens) = (0, 0);
    while killed < wanted {
        let rows: String = (0..4).map(|at| format!("S{specimens}x{at},x.txt\n")).collect();
        let sheet = site.write(&format!("sheet{specimens}.csv"), &format!("specimen,x\n{rows}"))?;
        let arguments =
            ["run", &file.to_string_lossy(), "--sheet", &sheet.to_string_lossy(), "--executor", "hpc", "--quiet"]
                .map(str::to_owned);
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        killed += kill::run_under_fire(&site, &arguments, 1_500, &mut random)?;
        specimens += 1;
    }
    let counts = count_lines(&witness)?;
    eprintln!("{killed} kills, {} specimens, {} side effects", 4 * specimens, counts.values().sum::<usize>());
    ensure!(counts.len() == specimens * 4 * 3, "{} of {} side effects happened", counts.len(), specimens * 12);
    let doubled: Vec<_> = counts.iter().filter(|(_, count)| **count != 1).collect();
    ensure!(doubled.len() <= kill::lost(&site)?, "happened more than once: {doubled:?}");
    kentai_tests::invariants::check(&site.path()).context("invariants")
}

/// Ends with its test.
struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        let _ = kill_process(Pid::from_child(&self.0), Signal::TERM);
        let _ = self.0.wait();
    }
}

/// A tool that works on one core, and asks for two.
const ONE_OF_TWO: &str = r#"kentai: 1
workflow: one_of_two
specimen: { inputs: { x: file } }
steps:
  burn:
    image: none
    inputs: { x: "${{ specimen.x }}" }
    outputs: { y: { path: y.txt } }
    resources: { cpus: 2, memory: 64 MiB }
    script: |
      awk 'BEGIN { for (i = 0; i < 20000000; i++) sum += i; print sum }' > "$out_y"
"#;

#[test]
fn what_a_cluster_grants_and_a_tool_uses_is_told_with_a_suggestion() -> Result<()> {
    // Cores of four threads: whoever asks for two has four.
    let Some(cluster) = Cluster::with(&[("SLURM_THREADS", "4")])? else { return Ok(()) };
    let user = tool("id", &["-un"], Path::new("/"))?;
    let people = format!("people:\n- {{ user: {}, name: ops-01, roles: [operator] }}\n", user.trim());
    let site = Site::new("granted-slurm", &format!("{}{people}", cluster.lines("none")))?;
    let file = site.write("one.yaml", ONE_OF_TWO)?;
    site.write("x.txt", "x\n")?;
    let sheet = site.write("sheet.csv", "specimen,x\nS1,x.txt\nS2,x.txt\nS3,x.txt\n")?;
    let (file, sheet) = (file.to_string_lossy().into_owned(), sheet.to_string_lossy().into_owned());
    let (code, _, told) = site.run(["run", &file, "--sheet", &sheet, "--executor", "hpc", "--quiet"])?;
    ensure!(code == 0, "it ended with {code}:\n{told}");

    let database = site.path().join("kentai.db").to_string_lossy().into_owned();
    let attempts = "select attempt_id, evidence ->> '$.granted.cpus', \
                    (evidence ->> '$.record.cpu_ms') * 1000000 / ((evidence ->> '$.record.ended_us') - (evidence ->> '$.record.started_us')) \
                    from attempt";
    let attempts = tool("sqlite3", &["-separator", " ", &database, attempts], Path::new("/"))?;
    let mut used = Vec::new();
    for line in attempts.lines() {
        let [attempt, granted, milli] = line.split(' ').collect::<Vec<_>>()[..] else { anyhow::bail!("{line}") };
        let job = format!("kentai-granted-slurm-{attempt}");
        let jobs = cluster.call("squeue", &["-h", "-t", "all", "-n", &job, "-o", "%i"])?;
        let shown = cluster.call("scontrol", &["-o", "show", "job", jobs.trim()])?;
        let theirs = shown.split_ascii_whitespace().find_map(|word| word.strip_prefix("NumCPUs="));
        ensure!(theirs == Some(granted) && granted == "4", "{granted}, but Slurm says {shown}");
        used.push(milli.parse::<i64>()?);
    }
    ensure!(used.len() == 3, "{attempts}");

    let mut server = Server(site.command(["serve", "--json"])?.stdout(Stdio::piped()).spawn()?);
    let said = serde_json::Deserializer::from_reader(server.0.stdout.take().context("a pipe")?);
    said.into_iter::<Value>().next().context("serve says where it listens")??;
    let socket = site.path().join("run/kentai.sock").to_string_lossy().into_owned();
    let address = "http://kentai/api/v1/capacity";
    let told = tool("curl", &["--silent", "--fail", "--unix-socket", &socket, address], Path::new("/"))?;
    let told: Value = serde_json::from_str(&told)?;
    let step = &told["steps"][0];
    ensure!(step["step"] == "burn" && step["attempts"] == 3, "{told}");
    ensure!(step["cpus_asked"] == 2 && step["cpus_granted"] == 4 && step["granted"].is_null(), "{told}");
    ensure!(step["cpus_used_milli"].as_i64() == used.iter().copied().max(), "{used:?}: {told}");
    // About one: a machine that is busy gives less, and a shell is beside it.
    ensure!(used.iter().all(|milli| (50..=1_300).contains(milli)), "{used:?}");
    ensure!(step["cpus_suggested"] == 1, "{told}");
    Ok(())
}
