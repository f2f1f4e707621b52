//! Traces as a collector gets them from the real binary. The oracles: OpenTelemetry's own classes read what arrives, and SQLite's own
//! program says what the run did.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead as _, BufReader, Read as _};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Child, ChildStderr, Stdio};

use anyhow::{Context, Result, ensure};
use kentai_tests::receiver::Receiver;
use kentai_tests::{Site, tool};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

/// In the specimen's name, its file's, a lane's, and the script.
const NEVER: &str = "SECRET,reads-secret,tr a-z,s3cr3t";
const PARENT: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const SHEET: &str = "specimen,x\nHG-SECRET-77,reads-secret.txt\n";

const WORKFLOW: &str = "kentai: 1
workflow: traced
version: \"3\"
specimen: { inputs: { x: file } }
steps:
  split:
    inputs: { x: \"${{ specimen.x }}\" }
    outputs: { parts: { glob: \"*.part\" } }
    resources: { cpus: 1, memory: 64 MiB }
    script: |
      echo a > SECRET-L1.part; echo b > SECRET-L2.part
  upper:
    for_each: { part: steps.split.parts }
    inputs: { p: \"${{ part }}\" }
    outputs: { u: { path: u.txt } }
    script: tr a-z A-Z < \"$in_p\" > \"$out_u\"
  flaky:
    outputs: { o: { path: o.txt } }
    retry: { attempts: 3, exit_codes: [75], wait: { first: 0s, max: 0s, jitter: false } }
    script: |
      if [ -e \"TRIED\" ]; then echo SECRET > \"$out_o\"; else touch \"TRIED\"; exit 75; fi
";

const ASKING: &str = "kentai: 1
workflow: asking
specimen: { inputs: { x: file } }
steps:
  measure:
    inputs: { x: \"${{ specimen.x }}\" }
    outputs: { o: { path: o.txt } }
    script: wc -l < \"$in_x\" > \"$out_o\"
  release:
    after: [measure]
    approve: { roles: [releaser], ask: \"Release it?\" }
";

/// A site that sends its traces to this port.
fn site(name: &str, port: u16, workflow: &str) -> Result<Site> {
    let endpoint = format!("http://127.0.0.1:{port}");
    let site = Site::new(
        name,
        &format!(
            "telemetry: {{ traces: {{ endpoint: \"{endpoint}\", headers: {{ authorization: token }} }} }}\nsecrets: {{ token: {{ file: token }} }}\n"
        ),
    )?;
    let token = site.path().join("token");
    fs::write(&token, "Bearer s3cr3t\n")?;
    fs::set_permissions(&token, fs::Permissions::from_mode(0o600))?;
    let tried = site.directory.path().join("tried");
    site.write("reads-secret.txt", "b\na\n")?;
    site.write("sheet.csv", SHEET)?;
    site.write("traced.yaml", &workflow.replace("TRIED", &tried.to_string_lossy()))?;
    Ok(site)
}

fn run(site: &Site, variables: &[(&str, &str)]) -> Result<(i32, String)> {
    let arguments = ["run", "traced.yaml", "--sheet", "sheet.csv", "--executor", "process"];
    let output = site.command(arguments)?.envs(variables.iter().copied()).output()?;
    Ok((output.status.code().unwrap_or(-1), String::from_utf8_lossy(&output.stderr).into_owned()))
}

/// Rows of the database, by SQLite's own program.
fn ask(site: &Site, sql: &str) -> Result<Vec<Value>> {
    let database = site.path().join("kentai.db").to_string_lossy().into_owned();
    let told = tool("sqlite3", &["-json", &database, sql], Path::new("/"))?;
    Ok(if told.trim().is_empty() { Vec::new() } else { serde_json::from_str(&told)? })
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn ns(us: &Value) -> Result<u64> {
    Ok(u64::try_from(us.as_i64().context("a time")?)? * 1_000)
}

/// What was received, until a span of this name is among it. Nothing of [`NEVER`] may be in any byte.
async fn spans_until(collector: &mut Receiver, found: &mut Vec<Value>, name: &str) -> Result<()> {
    while !found.iter().any(|span| span["name"] == name) {
        let request = collector.next().await?;
        ensure!(request["found"] == Value::Array(Vec::new()), "it says what it must not: {}", request["found"]);
        ensure!(request["path"] == "/v1/traces" && request["type"] == "application/x-protobuf", "{request}");
        ensure!(request["authorization"] == "Bearer s3cr3t", "the secret was not sent");
        found.extend(request["spans"].as_array().context("spans")?.iter().cloned());
    }
    Ok(())
}

/// Spans of a run whose name begins so: name, began, ended, in order.
fn named(spans: &[Value], begin: &str) -> Vec<(String, u64, u64)> {
    let of = spans.iter().filter(|span| text(&span["name"]).starts_with(begin));
    let time = |span: &Value, key: &str| span[key].as_u64().unwrap_or(0);
    let mut found: Vec<_> =
        of.map(|span| (text(&span["name"]), time(span, "start_ns"), time(span, "end_ns"))).collect();
    found.sort();
    found
}

/// What the log says of steps that began, as [`named`] has it.
fn steps(site: &Site, run: &str) -> Result<Vec<(String, u64, u64)>> {
    let rows = ask(
        site,
        &format!(
            "select subject, min(at_us) filter (where kind in ('step_started', 'step_asked')) as began, max(at_us) as ended
               from event where stream = '{run}' and kind like 'step_%' group by subject having began is not null"
        ),
    )?;
    let row = |row: &Value| {
        let key = text(&row["subject"]);
        let step = key.split('/').next().unwrap_or_default();
        Ok((format!("step {step}"), ns(&row["began"])?, ns(&row["ended"])?))
    };
    let mut found = rows.iter().map(row).collect::<Result<Vec<_>>>()?;
    found.sort();
    Ok(found)
}

/// Each attempt of the database is one span with its times and amounts, and there is no other.
fn attempts(site: &Site, run: &str, spans: &[Value]) -> Result<usize> {
    let rows = ask(
        site,
        &format!(
            "select a.attempt_id, a.step_key, a.number, a.status, a.executor, a.cause, a.created_us,
                    json_extract(a.evidence, '$.record.exit_code') as code, json_extract(a.evidence, '$.record.cpu_ms') as cpu_ms,
                    json_extract(a.evidence, '$.record.started_us') as tool_us, json_extract(a.task, '$.memory_bytes') as memory_bytes,
                    (select max(at_us) from event where stream = a.run_id and subject = a.attempt_id) as ended_us
               from attempt a where a.run_id = '{run}'"
        ),
    )?;
    let of = |span: &&Value| span["attributes"]["kentai.attempt"].is_string();
    let mut spans: BTreeMap<String, &Value> =
        spans.iter().filter(of).map(|span| (text(&span["attributes"]["kentai.attempt"]), span)).collect();
    for row in &rows {
        let span = spans.remove(&text(&row["attempt_id"])).with_context(|| format!("no span of {row}"))?;
        let said = &span["attributes"];
        let times = (span["start_ns"].as_u64(), span["end_ns"].as_u64());
        ensure!(times == (Some(ns(&row["created_us"])?), Some(ns(&row["ended_us"])?)), "{span}\n{row}");
        for (key, column) in [
            ("kentai.status", "status"),
            ("kentai.executor", "executor"),
            ("kentai.attempt.number", "number"),
            ("kentai.exit_code", "code"),
            ("kentai.cpu_ms", "cpu_ms"),
            ("kentai.memory_bytes", "memory_bytes"),
        ] {
            ensure!(said[key] == row[column], "{key} is {}, and {column} is {}", said[key], row[column]);
        }
        ensure!(said["kentai.run"] == run && text(&row["step_key"]).starts_with(&text(&said["kentai.step"])), "{span}");
        let failed = row["status"] == "failed";
        ensure!((span["status"] == "STATUS_CODE_ERROR") == failed, "{span}");
        ensure!(!failed || said["kentai.cause"] == row["cause"], "{span}");
        let began = span["events"].as_array().context("events")?.iter().find(|event| event["name"] == "tool_started");
        ensure!(began.map(|event| event["ns"].as_u64()) == Some(Some(ns(&row["tool_us"])?)), "{span}");
    }
    ensure!(spans.is_empty(), "of nothing: {spans:?}");
    Ok(rows.len())
}

/// One trace with one root, every other span beneath a span of it.
fn is_one_tree(spans: &[&Value]) -> Result<()> {
    let ids: BTreeMap<String, &Value> = spans.iter().map(|span| (text(&span["id"]), *span)).collect();
    ensure!(ids.len() == spans.len(), "an id twice");
    let roots = spans.iter().filter(|span| span["parent"] == "").count();
    ensure!(roots == 1, "{roots} roots");
    for span in spans.iter().filter(|span| span["parent"] != "") {
        let parent = ids.get(&text(&span["parent"])).with_context(|| format!("no parent of {span}"))?;
        ensure!(parent["trace"] == span["trace"], "{span} beneath {parent}");
        let level = |span: &Value| text(&span["name"]).split(' ').next().unwrap_or_default().to_owned();
        ensure!(["run step", "step attempt"].contains(&&*format!("{} {}", level(parent), level(span))), "{span}");
    }
    Ok(())
}

#[tokio::test]
async fn a_collector_is_told_of_a_run_what_the_database_says_and_nobodys_name() -> Result<()> {
    let Some(mut collector) = Receiver::start("collector.py", &[NEVER, "200"]).await? else { return Ok(()) };
    let site = site("traced", collector.port, WORKFLOW)?;
    let (code, told) = run(&site, &[("OTEL_EXPORTER_OTLP_COMPRESSION", "gzip")])?;
    ensure!(code == 0, "ended with {code}:\n{told}");
    let mut spans = Vec::new();
    spans_until(&mut collector, &mut spans, "run traced").await?;
    collector.no_more().await?;
    let run = text(&ask(&site, "select run_id from run")?[0]["run_id"]);
    ensure!(attempts(&site, &run, &spans)? == 5, "one was tried twice");
    ensure!(named(&spans, "step ") == steps(&site, &run)?, "{:?}\n{:?}", named(&spans, "step "), steps(&site, &run)?);
    let times = ask(
        &site,
        "select min(at_us) filter (where kind = 'run_started') as began, max(at_us) as ended from event where kind like 'run_%'",
    )?;
    let whole = ("run traced".to_owned(), ns(&times[0]["began"])?, ns(&times[0]["ended"])?);
    ensure!(named(&spans, "run ") == [whole]);
    is_one_tree(&spans.iter().collect::<Vec<_>>())
}

/// `kentai serve`; killed when it is dropped before its end.
struct Server {
    child: Child,
    told: BufReader<ChildStderr>,
}

impl Server {
    fn start(site: &Site) -> Result<Self> {
        let mut child = site.command(["serve", "--executor", "process"])?.stderr(Stdio::piped()).spawn()?;
        let mut server = Self { told: BufReader::new(child.stderr.take().context("piped")?), child };
        let mut line = String::new();
        while !line.contains("listens on") {
            line.clear();
            ensure!(server.told.read_line(&mut line)? > 0, "it ended before it listened");
        }
        Ok(server)
    }

    /// Asks it to end, as a service manager does.
    fn stop(mut self) -> Result<()> {
        kill_process(Pid::from_child(&self.child), Signal::TERM)?;
        let mut rest = String::new();
        self.told.read_to_string(&mut rest)?;
        ensure!(self.child.wait()?.success(), "it said {rest}");
        Ok(())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn get(site: &Site, path: &str, header: &str) -> Result<String> {
    let socket = site.path().join("run/kentai.sock").to_string_lossy().into_owned();
    let url = format!("http://site{path}");
    tool("curl", &["--silent", "--unix-socket", &socket, "--header", header, &url], Path::new("/"))
}

#[tokio::test]
async fn the_next_engine_goes_on_with_a_runs_trace_and_requests_stand_in_their_callers() -> Result<()> {
    let Some(mut collector) = Receiver::start("collector.py", &[NEVER, "200"]).await? else { return Ok(()) };
    let site = site("asking", collector.port, ASKING)?;
    let server = Server::start(&site)?;
    let (code, _, told) = site.run(["submit", "traced.yaml", "--sheet", "sheet.csv"])?;
    ensure!(code == 0, "{told}");
    let mut spans = Vec::new();
    spans_until(&mut collector, &mut spans, "step measure").await?;
    let run = text(&ask(&site, "select run_id from run")?[0]["run_id"]);
    let path = format!("/api/v1/runs/{run}");
    get(&site, &path, "traceparent: 00-11111111111111111111111111111111-00f067aa0ba902b7-00")?;
    get(&site, "/HG-SECRET-77", "traceparent: HG-SECRET-77")?;
    get(&site, &path, &format!("traceparent: 00-{PARENT}-00f067aa0ba902b7-01"))?;
    server.stop()?;
    let server = Server::start(&site)?;
    let (code, _, told) = site.run(["approve", &run, "--reason", "SECRET"])?;
    ensure!(code == 0, "{told}");
    spans_until(&mut collector, &mut spans, "run asking").await?;
    server.stop()?;

    let of_run: Vec<&Value> = spans.iter().filter(|span| span["kind"] == "SPAN_KIND_INTERNAL").collect();
    let of_run_owned: Vec<Value> = of_run.iter().map(|span| (*span).clone()).collect();
    ensure!(attempts(&site, &run, &of_run_owned)? == 1);
    ensure!(named(&of_run_owned, "step ") == steps(&site, &run)?, "{of_run:?}");
    is_one_tree(&of_run)?;

    let requests: Vec<&Value> = spans.iter().filter(|span| span["kind"] == "SPAN_KIND_SERVER").collect();
    let theirs: Vec<&&Value> = requests.iter().filter(|span| span["trace"] == PARENT).collect();
    ensure!(theirs.len() == 1, "{requests:?}");
    let said = &theirs[0]["attributes"];
    ensure!(theirs[0]["parent"] == "00f067aa0ba902b7" && theirs[0]["remote"] == true, "{}", theirs[0]);
    ensure!(said["http.route"] == "/api/v1/runs/{id}" && said["http.response.status_code"] == 200, "{said}");
    ensure!(!requests.iter().any(|span| span["trace"] == "1".repeat(32)), "its caller does not trace it");
    ensure!(requests.iter().any(|span| span["attributes"]["http.response.status_code"] == 404 && span["parent"] == ""));
    Ok(())
}

#[tokio::test]
async fn a_collector_that_is_away_or_hangs_or_refuses_costs_no_run_and_no_stop() -> Result<()> {
    // Longer than any test is let run: whoever waited for it would never come back.
    let patient = [("OTEL_EXPORTER_OTLP_TIMEOUT", "86400000")];
    let away = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
    let (code, told) = run(&site("away", away, WORKFLOW)?, &patient)?;
    ensure!(code == 0 && told.contains("did not take") | told.contains("takes nothing"), "{code}: {told}");
    for answer in ["hang", "500", "503"] {
        let Some(mut collector) = Receiver::start("collector.py", &[NEVER, answer]).await? else { return Ok(()) };
        let (code, told) = run(&site(&format!("at-{answer}"), collector.port, WORKFLOW)?, &patient)?;
        ensure!(code == 0 && told.contains("did not take") | told.contains("takes nothing"), "{code}: {told}");
        ensure!(!told.contains("s3cr3t"), "{told}");
        ensure!(collector.next().await?["found"] == Value::Array(Vec::new()));
    }
    // A socket that nobody accepts from.
    let deaf = TcpListener::bind("127.0.0.1:0")?;
    let (code, told) = run(&site("deaf", deaf.local_addr()?.port(), WORKFLOW)?, &patient)?;
    ensure!(code == 0 && told.contains("did not take"), "{code}: {told}");
    Ok(())
}

#[tokio::test]
async fn what_a_collector_does_not_take_is_counted_where_the_site_is_watched() -> Result<()> {
    let Some(mut collector) = Receiver::start("collector.py", &[NEVER, "500"]).await? else { return Ok(()) };
    let site = site("counted", collector.port, ASKING)?;
    let server = Server::start(&site)?;
    // The second lot leaves when it is known what became of the first.
    let mut lost = 0;
    for _ in 0..2 {
        get(&site, "/api/v1/runs", "accept: application/json")?;
        let request = collector.next().await?;
        if lost == 0 {
            lost = request["spans"].as_array().context("spans")?.len();
        }
    }
    let told = get(&site, "/metrics", "accept: text/plain")?;
    let count = |outcome: &str| {
        let name = format!("kentai_trace_spans_total{{outcome=\"{outcome}\"}} ");
        told.lines().find_map(|line| line.strip_prefix(&name)?.parse::<usize>().ok())
    };
    ensure!(count("refused").is_some_and(|refused| refused >= lost && lost > 0), "{told}");
    ensure!((count("sent"), count("queue_full"), count("unreachable")) == (Some(0), Some(0), Some(0)), "{told}");
    server.stop()
}
