//! The line as an operator drives it: what the language promises, done by the real binary with real shells and containers.
//!
//! Oracles: the texts that tools wrote, files that only the tools know, and the database read by SQLite's own program.

use std::fs;
use std::path::Path;
use std::process::Child;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use kentai_tests::{Site, invariants, tool, tool_image, without_docker};

const HEAD: &str = "kentai: 1\nworkflow: line\nspecimen: { inputs: { x: file } }\nsteps:\n";

fn site(name: &str, more: &str, steps: &str) -> Result<(Site, Vec<String>)> {
    let site = Site::new(name, more)?;
    site.write("x.txt", "b\na\nc\n")?;
    site.write("sheet.csv", "specimen,x\nS1,x.txt\n")?;
    site.write("line.yaml", &format!("{HEAD}{steps}"))?;
    let arguments = ["run", "line.yaml", "--sheet", "sheet.csv", "--executor", "process"];
    Ok((site, arguments.map(str::to_owned).into()))
}

fn ask(site: &Site, sql: &str) -> Result<String> {
    let database = site.path().join("kentai.db").to_string_lossy().into_owned();
    Ok(tool("sqlite3", &[&database, sql], Path::new("/"))?.trim().to_owned())
}

/// The text of an output, through the readable view.
fn output(site: &Site, file: &str) -> Result<String> {
    let run = ask(site, "select run_id from run where parent = 'null' order by created_us limit 1")?;
    let path = site.path().join("samples/S1").join(run).join(file);
    fs::read_to_string(&path).with_context(|| path.display().to_string())
}

fn until(what: &str, mut holds: impl FnMut() -> bool) -> Result<()> {
    let end = Instant::now() + Duration::from_secs(60);
    while !holds() {
        ensure!(Instant::now() < end, "waited a minute for: {what}");
        std::thread::park_timeout(Duration::from_millis(5));
    }
    Ok(())
}

#[test]
fn lists_known_only_at_run_time_fan_out_join_in_order_and_pass_through_a_called_workflow() -> Result<()> {
    let steps = "
  split:
    inputs: { x: \"${{ specimen.x }}\" }
    outputs: { parts: { glob: \"p*.txt\" } }
    script: |
      i=0; while read -r line; do i=$((i+1)); echo \"$line\" > p$i.txt; done < \"$in_x\"
  upper:
    for_each: { part: steps.split.parts }
    max_parallel: 2
    inputs: { p: \"${{ part }}\" }
    outputs: { u: { path: \"u.txt\" } }
    script: tr a-z A-Z < \"$in_p\" > \"$out_u\"
  join:
    inputs: { us: \"${{ steps.upper.all.u }}\" }
    outputs: { whole: { path: whole.txt } }
    script: |
      printf '%s\\n' \"$in_us\" | while read -r file; do cat \"$file\"; done > \"$out_whole\"
  first:
    call: { workflow: first.yaml, with: { n: \"2\" }, inputs: { x: \"${{ steps.join.whole }}\" } }
  copy:
    outputs: { o: { path: copy.txt, keep: true } }
    command: [cp, \"${{ steps.first.o }}\", copy.txt]
";
    let (site, run) = site("fan-out", "", steps)?;
    site.write(
        "first.yaml",
        "kentai: 1
workflow: first
params: { n: { type: integer, default: 1 } }
specimen: { inputs: { x: file } }
steps:
  head:
    inputs: { x: \"${{ specimen.x }}\" }
    outputs: { o: { path: o.txt } }
    env: { N: \"${{ params.n }}\" }
    script: head -n \"$N\" \"$in_x\" > \"$out_o\"
outputs: { o: steps.head.o }
",
    )?;
    let (code, _, told) = site.run(&run)?;
    ensure!(code == 0, "ended with {code}:\n{told}");
    ensure!(output(&site, "join.whole.txt")? == "B\nA\nC\n", "joined {:?}", output(&site, "join.whole.txt"));
    ensure!(output(&site, "copy.copy.txt")? == "B\nA\n");
    invariants::check(&site.path())
}

#[test]
fn a_value_that_looks_like_shell_is_only_a_text() -> Result<()> {
    let hostile = "$(touch pwned); `touch pwned`; rm -rf /";
    let steps = "
  echo:
    env: { VALUE: \"${{ specimen.note }}\" }
    outputs: { o: { path: o.txt, keep: true } }
    command: [sh, -c, 'printf %s \"$1\" > o.txt', sh, \"${{ specimen.note }}\"]
";
    let (site, run) = site("hostile", "", steps)?;
    site.write(
        "line.yaml",
        &format!("{}{steps}", HEAD.replace("inputs: {", "fields: { note: { type: string } }, inputs: {")),
    )?;
    site.write("sheet.csv", &format!("specimen,x,note\nS1,x.txt,\"{hostile}\"\n"))?;
    let (code, _, told) = site.run(&run)?;
    ensure!(code == 0, "ended with {code}:\n{told}");
    ensure!(output(&site, "echo.o.txt")? == hostile);
    Ok(())
}

#[test]
fn what_when_skips_is_skipped_and_whoever_only_waited_for_it_goes_on() -> Result<()> {
    let steps = "
  maybe:
    when: specimen.id == \"S2\"
    outputs: { o: { path: o.txt } }
    script: echo made > \"$out_o\"
  after_it:
    after: [maybe]
    outputs: { o: { path: o.txt, keep: true } }
    script: echo went on > \"$out_o\"
  deliver:
    handoff: { to: outbox, files: [\"${{ steps.after_it.o }}\"], files_if_made: [\"${{ steps.maybe.o }}\"] }
";
    let (site, run) = site("skip", "", steps)?;
    site.write("sheet.csv", "specimen,x\nS1,x.txt\nS2,x.txt\n")?;
    let (code, _, told) = site.run(&run)?;
    ensure!(code == 0, "ended with {code}:\n{told}");
    ensure!(ask(&site, "select count(*) from step where step_key = 'maybe' and status = 'skipped'")? == "1");
    let mut files = Vec::new();
    for entry in fs::read_dir(site.path().join("deliveries"))?.flatten() {
        // Documents about them have names of their own.
        let specimens = |entry: &fs::DirEntry| entry.file_name().to_string_lossy().starts_with('S');
        files.push(fs::read_dir(entry.path().join("data"))?.flatten().filter(specimens).count());
    }
    files.sort_unstable();
    ensure!(files == [1, 2], "files per package: {files:?}");
    invariants::check(&site.path())
}

#[test]
fn each_kind_of_failure_has_its_own_answer() -> Result<()> {
    let steps = "
  flaky:
    outputs: { o: { path: o.txt, keep: true } }
    retry: { attempts: 3, causes: [tool], exit_codes: [75], wait: { first: 50ms, factor: 2, max: 1s, jitter: false } }
    script: |
      test \"$attempt\" -ge 3 || exit 75
      echo \"$attempt\" > \"$out_o\"
  slow:
    outputs: { o: { path: o.txt, optional: true, keep: true } }
    timeout: 1s
    script: sleep 600
  empty:
    outputs: { o: { path: o.bam, format: bam, keep: true } }
    script: echo nonsense > \"$out_o\"
  wrong:
    outputs: { o: { path: o.txt, keep: true } }
    script: exit 3
";
    let (site, run) = site("failures", "limits: { cpus: 4 }\n", steps)?;
    let (code, _, told) = site.run(&run)?;
    ensure!(code == 10, "ended with {code}:\n{told}");
    ensure!(output(&site, "flaky.o.txt")? == "3\n");
    let causes =
        ask(&site, "select step_key || ' ' || cause from attempt where status = 'failed' order by step_key, number")?;
    ensure!(causes == "empty bad_output\nflaky tool\nflaky tool\nslow timeout\nwrong tool", "causes:\n{causes}");
    let run_id = ask(&site, "select run_id from run")?;
    let (code, _, told) = site.run(["retry", &run_id])?;
    ensure!(code == 0, "retry: {told}");
    let (code, _, _) = site.run(&run)?;
    ensure!(code == 10, "the same steps must fail again");
    ensure!(ask(&site, "select count(*) from attempt where step_key = 'flaky'")? == "3", "a done step was done again");
    invariants::check(&site.path())
}

#[test]
fn memory_grows_only_after_a_proven_out_of_memory_kill() -> Result<()> {
    if without_docker() {
        return Ok(());
    }
    let image = tool_image()?;
    let steps = format!(
        "
  hungry:
    image: {image}
    outputs: {{ o: {{ path: o.txt, keep: true }} }}
    resources: {{ memory: 24 MiB }}
    retry: {{ attempts: 2, causes: [out_of_memory], escalate: {{ memory: x8 }}, wait: {{ first: 50ms, max: 1s }} }}
    script: |
      head -c 60000000 /dev/zero | tail -c 60000000 | wc -c > \"$out_o\"
"
    );
    let (site, mut run) = site("hungry", "", &steps)?;
    if let Some(executor) = run.last_mut() {
        "docker".clone_into(executor);
    }
    let (code, _, told) = site.run(&run)?;
    ensure!(code == 0, "ended with {code}:\n{told}");
    ensure!(output(&site, "hungry.o.txt")?.trim() == "60000000");
    let memory = ask(&site, "select cause || ' ' || (task ->> 'memory_bytes') from attempt order by number")?;
    ensure!(memory == format!("out_of_memory {}\n {}", 24 << 20, 192 << 20), "attempts:\n{memory}");
    Ok(())
}

/// A server on the site, ended at the end.
struct Server(Child);

impl Server {
    fn start(site: &Site) -> Result<Self> {
        let child = site.command(["serve", "--executor", "process", "--quiet"])?.spawn()?;
        let socket = site.path().join("run/kentai.sock");
        until("the server", || std::os::unix::net::UnixStream::connect(&socket).is_ok())?;
        Ok(Self(child))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn a_canceled_run_ends_what_runs_and_a_held_one_starts_nothing() -> Result<()> {
    let steps = "
  long:
    outputs: { o: { path: o.txt, optional: true } }
    script: |
      echo $$ > PIDFILE
      sleep 600
  next:
    after: [long]
    outputs: { o: { path: o.txt, optional: true, keep: true } }
    script: touch NEVER
";
    let (site, _) = site("cancel", "", steps)?;
    let [pid, never] = ["pid", "never"].map(|name| site.directory.path().join(name));
    let steps = steps.replace("PIDFILE", &pid.to_string_lossy()).replace("NEVER", &never.to_string_lossy());
    site.write("line.yaml", &format!("{HEAD}{steps}"))?;
    let server = Server::start(&site)?;
    let (code, told, error) = site.run(["submit", "line.yaml", "--sheet", "sheet.csv"])?;
    ensure!(code == 0, "submit ended with {code}: {error}");
    let run = told.lines().next().context("a run id")?.to_owned();
    until("the tool to run", || fs::read_to_string(&pid).is_ok_and(|text| text.ends_with('\n')))?;
    let tool_pid = fs::read_to_string(&pid)?.trim().to_owned();
    let (code, _, error) = site.run(["hold", &run, "--reason", "look first"])?;
    ensure!(code == 0, "hold ended with {code}: {error}");
    let (code, ..) = site.run(["resume", &run])?;
    ensure!(code == 0, "resume ended with {code}");
    let (code, _, error) = site.run(["cancel", &run, "--reason", "wrong sheet"])?;
    ensure!(code == 0, "cancel ended with {code}: {error}");
    let (code, told, _) = site.run(["watch", &run])?;
    ensure!(code == 12, "watch ended with {code}:\n{told}");
    until("the tool to be gone", || !Path::new(&format!("/proc/{tool_pid}")).exists())?;
    ensure!(!never.exists(), "a step of a canceled run was started");
    let (code, ..) = site.run(["cancel", &run])?;
    ensure!(code == 0, "canceling twice is no mistake");
    let (code, ..) = site.run(["status", "r0nothing"])?;
    ensure!(code == 4, "an unknown run ended with {code}");
    drop(server);
    invariants::check(&site.path())
}

#[test]
fn a_second_engine_on_a_site_is_refused() -> Result<()> {
    let (site, run) =
        site("twice", "", "  a:\n    outputs: { o: { path: o.txt, keep: true } }\n    script: echo x > \"$out_o\"\n")?;
    let server = Server::start(&site)?;
    let (code, _, told) = site.run(&run)?;
    ensure!(code == 6, "a second engine ended with {code}: {told}");
    drop(server);
    let (code, _, told) = site.run(&run)?;
    ensure!(code == 0, "after the first has ended: {code} {told}");
    Ok(())
}

#[test]
fn an_image_that_is_not_here_and_a_docker_that_does_not_answer_are_exit_code_7_and_nothing_is_stored() -> Result<()> {
    let steps = "  a:\n    image: kentai-test/nowhere:1\n    outputs: { o: { path: o.txt, keep: true } }\n    script: echo x > \"$out_o\"\n";
    let more =
        "executors: [ { name: gone, kind: docker, socket: /nowhere/docker.sock }, { name: here, kind: docker } ]\n";
    let (site, mut run) = site("nowhere", more, steps)?;
    for executor in ["gone", "here"] {
        if executor == "here" && without_docker() {
            continue;
        }
        if let Some(last) = run.last_mut() {
            executor.clone_into(last);
        }
        let (code, _, told) = site.run(&run)?;
        ensure!(code == 7, "executor {executor} ended with {code}:\n{told}");
        ensure!(ask(&site, "select count(*) from run")? == "0", "a run was stored");
    }
    Ok(())
}

#[test]
fn a_submission_to_plain_processes_and_one_to_containers_are_two() -> Result<()> {
    if without_docker() {
        return Ok(());
    }
    let image = tool_image()?;
    let steps = format!(
        "  a:\n    image: {image}\n    outputs: {{ o: {{ path: o.txt, keep: true }} }}\n    script: echo x > \"$out_o\"\n"
    );
    let (site, mut run) = site("both", "", &steps)?;
    for executor in ["process", "docker", "process", "docker"] {
        if let Some(last) = run.last_mut() {
            executor.clone_into(last);
        }
        let (code, _, told) = site.run(&run)?;
        ensure!(code == 0, "with {executor} it ended with {code}:\n{told}");
    }
    let ran = ask(&site, "select executor from attempt order by created_us")?;
    ensure!(ran == "process\ndocker", "attempts ran with: {ran}");
    Ok(())
}
