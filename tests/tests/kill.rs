//! Random `kill -9` of the engine: no side effect is lost and none happens twice.
//!
//! The oracle is outside the engine's reach: tools append to a file that only they know; for Docker a recorder of `docker events`
//! counts the starts of every container.

use std::fs;
use std::path::Path;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use kentai_tests::recorder::{Recorder, count_lines};
use kentai_tests::{Site, tool, tool_image, without_docker};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

/// Kills per run of the test; `KENTAI_TEST_KILLS` and `KENTAI_TEST_DOCKER_KILLS` make it larger or smaller.
pub(crate) fn kills(variable: &str, otherwise: usize) -> usize {
    std::env::var(variable).ok().and_then(|text| text.parse().ok()).unwrap_or(otherwise)
}

pub(crate) fn seeded() -> (u64, StdRng) {
    let seed = std::env::var("KENTAI_TEST_SEED")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or_else(|| StdRng::from_os_rng().random());
    eprintln!("seed {seed}");
    (seed, StdRng::seed_from_u64(seed))
}

pub(crate) fn workflow(image: &str, effect: &str) -> String {
    let step = |id: &str, from: &str| {
        format!(
            "  {id}:\n    image: {image}\n    inputs: {{ x: \"${{{{ {from} }}}}\" }}\n    outputs: {{ y: {{ path: y.txt }} }}\n    script: |\n      {}\n      cat \"$in_x\" > \"$out_y\"; echo {id} >> \"$out_y\"\n",
            effect.replace("STEP", id)
        )
    };
    format!(
        "kentai: 1\nworkflow: kill\nspecimen: {{ inputs: {{ x: file }} }}\nsteps:\n{}{}{}",
        step("first", "specimen.x"),
        step("second", "steps.first.y"),
        step("third", "steps.second.y")
    )
}

/// Kills of one `run` before it is left alone. What may have been submitted is looked for over a time that no request outlives (12 s for
/// Slurm): an engine that never lives so long cannot know more, and goes no further.
const KILLS_OF_ONE: usize = 40;

/// Starts the same `run` again and again, killing it after a random while, until one ends by itself. Gives the kills.
pub(crate) fn run_under_fire(site: &Site, arguments: &[&str], longest_ms: u64, random: &mut StdRng) -> Result<usize> {
    let mut killed = 0;
    loop {
        let mut child = site.command(arguments)?.stdout(Stdio::null()).stderr(Stdio::piped()).spawn()?;
        let life = Duration::from_millis(random.random_range(1..longest_ms));
        let ended = end_within(&mut child, life)?;
        if ended.is_some() || killed >= KILLS_OF_ONE {
            let output = child.wait_with_output()?;
            let told = String::from_utf8_lossy(&output.stderr);
            ensure!(output.status.code() == Some(0), "ended with {}:\n{told}", output.status);
            return Ok(killed);
        }
        child.kill()?;
        child.wait()?;
        killed += 1;
    }
}

/// Waits for the child's end or the end of `life`. The lifetime is what this test is about, so it is time that is waited for.
fn end_within(child: &mut Child, life: Duration) -> Result<Option<std::process::ExitStatus>> {
    let end = Instant::now() + life;
    while Instant::now() < end {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        std::thread::park_timeout(Duration::from_millis(1));
    }
    Ok(child.try_wait()?)
}

/// Attempts that the engine itself says were lost: only they may have happened more than once.
pub(crate) fn lost(site: &Site) -> Result<usize> {
    let database = site.path().join("kentai.db");
    let text = tool(
        "sqlite3",
        &[&database.to_string_lossy(), "select count(*) from attempt where cause = 'lost'"],
        Path::new("/"),
    )?;
    Ok(text.trim().parse()?)
}

#[test]
fn killing_the_engine_neither_loses_nor_doubles_a_process() -> Result<()> {
    let wanted = kills("KENTAI_TEST_KILLS", 200);
    let (_, mut random) = seeded();
    let site = Site::new("kill-process", "limits: { cpus: 4 }\n")?;
    let witness = site.directory.path().join("witness.txt");
    fs::write(&witness, "")?;
    let effect = format!("echo \"$specimen_id STEP\" >> {}", witness.display());
    let file = site.write("kill.yaml", &workflow("none", &effect))?;
    site.write("x.txt", "x\n")?;
    let (mut killed, mut specimens) = (0, 0);
    while killed < wanted {
        let sheet = format!("specimen,x\nA{specimens},x.txt\nB{specimens},x.txt\n");
        let sheet = site.write(&format!("sheet{specimens}.csv"), &sheet)?;
        let arguments =
            ["run", &file.to_string_lossy(), "--sheet", &sheet.to_string_lossy(), "--executor", "process", "--quiet"]
                .map(str::to_owned);
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        killed += run_under_fire(&site, &arguments, 120, &mut random)?;
        specimens += 1;
    }
    let counts = count_lines(&witness)?;
    eprintln!("{killed} kills, {} specimens, {} side effects", 2 * specimens, counts.values().sum::<usize>());
    ensure!(counts.len() == specimens * 2 * 3, "{} of {} side effects happened", counts.len(), specimens * 6);
    let doubled: Vec<_> = counts.iter().filter(|(_, count)| **count != 1).collect();
    ensure!(doubled.len() <= lost(&site)?, "happened more than once: {doubled:?}");
    kentai_tests::invariants::check(&site.path())
}

#[test]
fn killing_the_engine_never_starts_a_container_twice() -> Result<()> {
    if without_docker() {
        return Ok(());
    }
    let wanted = kills("KENTAI_TEST_DOCKER_KILLS", 20);
    let (seed, mut random) = seeded();
    let image = tool_image()?;
    let name = format!("kill-{}", seed % 1_000_000);
    let site = Site::new(&name, "limits: { cpus: 4 }\n")?;
    let recorder = Recorder::start(&name, site.directory.path().join("events.txt"))?;
    let file = site.write("kill.yaml", &workflow(image, "true"))?;
    site.write("x.txt", "x\n")?;
    let (mut killed, mut specimens) = (0, 0);
    while killed < wanted {
        let sheet = site.write(
            &format!("sheet{specimens}.csv"),
            &format!("specimen,x\nA{specimens},x.txt\nB{specimens},x.txt\n"),
        )?;
        let arguments =
            ["run", &file.to_string_lossy(), "--sheet", &sheet.to_string_lossy(), "--executor", "docker", "--quiet"]
                .map(str::to_owned);
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        killed += run_under_fire(&site, &arguments, 1_500, &mut random)?;
        specimens += 1;
    }
    let counts = recorder.counts()?;
    eprintln!("{killed} kills, {} specimens, {} containers started", 2 * specimens, counts.len());
    let doubled: Vec<_> = counts.iter().filter(|(_, count)| **count != 1).collect();
    ensure!(doubled.is_empty(), "started more than once: {doubled:?}");
    let lost = lost(&site)?;
    ensure!(
        counts.len() >= specimens * 6 && counts.len() <= specimens * 6 + lost,
        "{} containers for {} steps, {lost} lost",
        counts.len(),
        specimens * 6
    );
    kentai_tests::invariants::check(&site.path())
}

/// An engine with its door open, that is gone when it is dropped.
struct Serving(Child);

impl Drop for Serving {
    fn drop(&mut self) {
        drop((self.0.kill(), self.0.wait()));
    }
}

/// What is asked over the site's socket: arguments of curl that say so.
fn asks(site: &Site, key: &str) -> Vec<String> {
    let socket = site.path().join("run/kentai.sock").to_string_lossy().into_owned();
    let body = r#"{ "request": "deviation", "about": "freezer 3", "description": "door open", "severity": "minor" }"#;
    let fixed = ["-s", "-i", "--unix-socket", &socket, "-H", "content-type: application/json", "-d", body];
    let key = format!("idempotency-key: {key}");
    let rest = ["-H", &key, "http://kentai/api/v1/requests"];
    fixed.into_iter().chain(rest).map(str::to_owned).collect()
}

fn serving(site: &Site) -> Result<Serving> {
    let mut engine = site.command(["serve", "--executor", "process"])?;
    let serving = Serving(engine.stdout(Stdio::null()).stderr(Stdio::null()).spawn()?);
    let socket = site.path().join("run/kentai.sock").to_string_lossy().into_owned();
    let ready = ["--silent", "--fail", "--unix-socket", &socket, "http://kentai/readyz"];
    until("the engine", || Ok(tool("curl", &ready, Path::new("/")).is_ok()))?;
    Ok(serving)
}

/// Looks again and again; each look is a program's start, which is pause enough.
fn until(what: &str, mut holds: impl FnMut() -> Result<bool>) -> Result<()> {
    let began = Instant::now();
    while !holds()? {
        ensure!(began.elapsed() < Duration::from_secs(60), "waited too long for {what}");
    }
    Ok(())
}

/// The act is on record and its answer to the asker is not yet: there the engine dies, and whoever asks again under the key hears what was
/// done and has nothing done twice. A trigger, set from outside, holds the answer back for as long as that takes.
#[test]
fn an_engine_killed_between_an_act_and_its_kept_answer_does_it_once() -> Result<()> {
    let site = Site::new("kill-once", "")?;
    let database = site.path().join("kentai.db").to_string_lossy().into_owned();
    let sql = |sql: &str| tool("sqlite3", &["-cmd", ".timeout 10000", &database, sql], Path::new("/"));
    let count = |of: &str| -> Result<String> { Ok(sql(&format!("select count(*) from {of}"))?.trim().to_owned()) };
    drop(serving(&site)?);
    sql("create table held (n integer); insert into held values (1),(2),(3),(4),(5),(6),(7),(8),(9),(10);
        create trigger holds_back before insert on kept_answer when new.act = '' begin
            insert into held select count(*) from held a, held b, held c, held d, held e, held f, held g, held h, held i, held j;
        end")?;
    let (acted, answered) = ("kept_answer where act <> ''", "kept_answer where act = ''");
    let opened = "record where kind = 'deviation'";
    let mut engine = serving(&site)?;
    let mut asked = std::process::Command::new("curl").args(asks(&site, "k-1")).stdout(Stdio::null()).spawn()?;
    until("the act", || Ok(count(acted)? == "1"))?;
    ensure!(asked.try_wait()?.is_none() && count(answered)? == "0", "it was answered: nothing lies between");
    engine.0.kill()?;
    engine.0.wait()?;
    ensure!(!asked.wait()?.success(), "whoever asked heard an answer");
    drop(engine);
    ensure!(count(acted)? == "1" && count(answered)? == "0" && count(opened)? == "1", "the crash fell elsewhere");
    sql("drop trigger holds_back; drop table held")?;
    let _engine = serving(&site)?;
    let ask = |key: &str| -> Result<String> {
        let all = asks(&site, key);
        tool("curl", &all.iter().map(String::as_str).collect::<Vec<_>>(), Path::new("/"))
    };
    let deviation = sql("select record_id from record where kind = 'deviation'")?;
    for _ in 0..3 {
        let told = ask("k-1")?;
        ensure!(told.starts_with("HTTP/1.1 200") && told.contains("idempotent-replayed: true"), "{told}");
        ensure!(told.contains(deviation.trim()), "it tells of another: {told}");
        ensure!(count(opened)? == "1", "it was done twice");
    }
    ensure!(count(answered)? == "1", "what was answered in the end is not kept");
    let other = ask("k-2")?;
    ensure!(!other.contains("idempotent-replayed") && count(opened)? == "2", "another key is another asking: {other}");
    Ok(())
}
