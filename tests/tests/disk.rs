//! The disk: a full one makes a run wait and loses nothing; what is recorded was synced before.
//!
//! Oracles: the kernel's own `ENOSPC` on a small mounted file system, and a log of system calls by `strace`.

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use kentai_tests::{Site, kentai, tool};

const WORKFLOW: &str = "kentai: 1
workflow: disk
specimen: { inputs: { reads: file } }
steps:
  one:
    inputs: { r: \"${{ specimen.reads }}\" }
    outputs: { o: { path: o.txt } }
    script: |
      cp \"$in_r\" \"$out_o\"
      WAIT
  two:
    inputs: { r: \"${{ steps.one.o }}\" }
    outputs: { o: { path: o.txt } }
    script: cp \"$in_r\" \"$out_o\"
";

/// A small file system of its own; unmounted at the end.
struct Small {
    place: tempfile::TempDir,
}

impl Small {
    fn mount(size: &str) -> Result<Self> {
        let place = tempfile::tempdir()?;
        tool(
            "mount",
            &["-t", "tmpfs", "-o", &format!("size={size}"), "tmpfs", &place.path().to_string_lossy()],
            Path::new("/"),
        )?;
        Ok(Self { place })
    }

    fn fill(&self) -> Result<()> {
        let filler = self.place.path().join("filler");
        let filled = Command::new("dd")
            .args(["if=/dev/zero", "bs=1k"])
            .arg(format!("of={}", filler.display()))
            .stderr(Stdio::null())
            .status()?;
        ensure!(!filled.success(), "the file system should be full now");
        Ok(())
    }

    fn free(&self) -> Result<()> {
        Ok(fs::remove_file(self.place.path().join("filler"))?)
    }
}

impl Drop for Small {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(self.place.path()).status();
    }
}

/// Looks until it holds; the limit only turns a hang into a failure.
fn until(what: &str, mut holds: impl FnMut() -> bool) -> Result<()> {
    let end = Instant::now() + Duration::from_secs(60);
    while !holds() {
        ensure!(Instant::now() < end, "waited a minute for: {what}");
        std::thread::park_timeout(Duration::from_millis(5));
    }
    Ok(())
}

fn status(child: &mut Child) -> Result<i32> {
    Ok(child.wait()?.code().unwrap_or(-1))
}

#[test]
fn a_disk_that_fills_up_while_a_tool_runs_makes_the_run_wait_and_loses_nothing() -> Result<()> {
    let small = Small::mount("12m")?;
    let outside = tempfile::tempdir()?;
    let [began, go, effects] = ["began", "go", "effects"].map(|name| outside.path().join(name));
    let wait = format!(
        "echo x >> {}; touch {}; while [ ! -e {} ]; do sleep 0.02; done",
        effects.display(),
        began.display(),
        go.display()
    );
    let workflow = outside.path().join("disk.yaml");
    fs::write(&workflow, WORKFLOW.replace("WAIT", &wait))?;
    fs::write(outside.path().join("x.txt"), "x\n")?;
    let sheet = outside.path().join("sheet.csv");
    fs::write(&sheet, "specimen,reads\nS1,x.txt\n")?;
    let log = fs::File::create(outside.path().join("log"))?;
    let mut child = Command::new(kentai()?)
        .arg("--site")
        .arg(small.place.path().join("site"))
        .args(["run", &workflow.to_string_lossy(), "--sheet", &sheet.to_string_lossy(), "--executor", "process"])
        .stderr(log)
        .spawn()?;
    until("the tool to run", || began.exists())?;
    small.fill()?;
    fs::write(&go, "")?;
    let said = || fs::read_to_string(outside.path().join("log")).unwrap_or_default();
    until("the engine to say that it waits", || said().contains("disk"))?;
    ensure!(child.try_wait()?.is_none(), "the engine ended on a full disk:\n{}", said());
    small.free()?;
    let code = status(&mut child)?;
    ensure!(code == 0, "after space was freed it ended with {code}:\n{}", said());
    let times = fs::read_to_string(&effects)?.lines().count();
    ensure!(times == 1, "the tool ran {times} times");
    Ok(())
}

#[test]
fn a_disk_that_is_full_from_the_start_is_said_with_exit_code_7_and_nothing_is_lost() -> Result<()> {
    let small = Small::mount("8m")?;
    let site = Site::new("full", "")?;
    let workflow = site.write("disk.yaml", &WORKFLOW.replace("WAIT", "true"))?;
    site.write("x.txt", "x\n")?;
    let sheet = site.write("sheet.csv", "specimen,reads\nS1,x.txt\n")?;
    let run = || -> Result<i32> {
        let mut command = Command::new(kentai()?);
        command.arg("--site").arg(small.place.path().join("site"));
        command.args([
            "run",
            &workflow.to_string_lossy(),
            "--sheet",
            &sheet.to_string_lossy(),
            "--executor",
            "process",
            "--quiet",
        ]);
        Ok(command.stderr(Stdio::null()).status()?.code().unwrap_or(-1))
    };
    small.fill()?;
    ensure!(run()? == 7, "a full disk must be exit code 7");
    small.free()?;
    ensure!(run()? == 0, "once there is space it must run");
    Ok(())
}

/// One line of `strace -f -y`.
struct Call<'a> {
    name: &'a str,
    rest: &'a str,
}

fn calls(log: &str) -> Vec<Call<'_>> {
    log.lines()
        .filter_map(|line| {
            let (_, call) = line.split_once(' ')?;
            let (name, rest) = call.trim_start().split_once('(')?;
            Some(Call { name, rest })
        })
        .collect()
}

#[test]
fn what_the_database_says_was_synced_before_it_was_said() -> Result<()> {
    let site = Site::new("synced", "")?;
    let workflow = site.write("disk.yaml", &WORKFLOW.replace("WAIT", "true"))?;
    site.write("x.txt", "x\n")?;
    let sheet = site.write("sheet.csv", "specimen,reads\nS1,x.txt\n")?;
    let log = site.directory.path().join("strace.log");
    let status = Command::new("strace")
        .args(["-f", "-y", "-e", "trace=fsync,fdatasync,syncfs,linkat", "-o"])
        .arg(&log)
        .arg(kentai()?)
        .arg("--site")
        .arg(site.path())
        .args([
            "run",
            &workflow.to_string_lossy(),
            "--sheet",
            &sheet.to_string_lossy(),
            "--executor",
            "process",
            "--quiet",
        ])
        .status()
        .context("run strace")?;
    ensure!(status.success(), "the run under strace ended with {status}");
    let text = fs::read_to_string(&log)?;
    let calls = calls(&text);
    let links: Vec<usize> =
        (0..calls.len()).filter(|at| calls[*at].name == "linkat" && calls[*at].rest.contains("sha256/")).collect();
    ensure!(!links.is_empty(), "nothing was taken in:\n{text}");
    for at in links {
        let synced = |call: &Call<'_>, path: &str| {
            ["fsync", "fdatasync", "syncfs"].contains(&call.name) && call.rest.contains(path)
        };
        ensure!(
            calls[..at].iter().rev().take(40).any(|call| synced(call, "work/o.txt>")),
            "an output got its name before it was synced:\n{text}"
        );
        let said = (at..calls.len()).find(|at| synced(&calls[*at], "kentai.db-wal")).context("a commit follows")?;
        ensure!(
            calls[at..said].iter().any(|call| synced(call, "/artifacts/sha256/")),
            "a name was recorded before it was synced:\n{text}"
        );
    }
    Ok(())
}
