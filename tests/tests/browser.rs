//! The page in a real browser: a site of its own, `kentai serve` on a free port, and the programs of `tests/browser` (Chromium, axe).
//!
//! Each program says what is wrong and its figures; both are printed. `KENTAI_TEST_BROWSER=0` goes without.

mod fill;

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::{Context as _, Result, ensure};
use kentai_tests::demo::{Demo, demo_site};
use kentai_tests::{Site, browser, root, tool};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

/// Limits have tests of their own; a crawl asks more often than people do.
const CONFIG: &str = "serve:
- listen: \"127.0.0.1:0\"
  limits: { requests_per_second: 100000, burst: 100000, connections_per_address: 4000 }
targets:
  outbox: { kind: directory, path: ../outbox }
people:
- { user: root, name: ops-01, roles: [operator, reviewer, releaser, withdrawal_officer, auditor, admin] }
";
const PASSWORD: &str = "correct horse battery";

/// A site with its server, and where its page is.
struct Served {
    site: Site,
    server: Child,
    url: String,
    modules: PathBuf,
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = kill_process(Pid::from_child(&self.server), Signal::TERM);
        let _ = self.server.wait();
    }
}

impl Served {
    /// None where there is no browser and somebody said so.
    fn open(name: &str) -> Result<Option<Self>> {
        let Some(modules) = browser()? else { return Ok(None) };
        let user = tool("id", &["-un"], &root())?;
        let site = Site::new(name, &CONFIG.replace("user: root", &format!("user: {}", user.trim())))?;
        std::fs::create_dir_all(site.directory.path().join("outbox"))?;
        let log = std::fs::File::create(site.directory.path().join("server.log"))?;
        let mut server =
            site.command(["serve", "--json", "--executor", "process"])?.stdout(Stdio::piped()).stderr(log).spawn()?;
        let said = serde_json::Deserializer::from_reader(server.stdout.take().context("a pipe")?);
        let told: Value = said.into_iter().next().context("serve says where it listens")??;
        let url = told["pages"][0].as_str().context("an address of the page")?.to_owned();
        let served = Self { site, server, url, modules };
        let roles = "operator,reviewer,releaser,withdrawal_officer,auditor";
        served.kentai(&["admin", "user", "add", "everybody", "--roles", roles])?;
        fill::password(&served.site, "everybody", PASSWORD)?;
        Ok(Some(served))
    }

    fn kentai(&self, arguments: &[&str]) -> Result<String> {
        let (code, told, error) = self.site.run(arguments)?;
        ensure!(code == 0, "kentai {}: {code}\n{told}{error}", arguments.join(" "));
        Ok(told)
    }

    /// Runs one program for the person who may do everything.
    fn program(&self, name: &str, environment: &[(&str, String)]) -> Result<Value> {
        let people = json!({ "everything": ["everybody", PASSWORD] });
        program(&self.modules, &self.url, &people, name, environment)
    }
}

/// Runs one program, gives its figures; what it prints is shown, and its failure is ours. `people`: role → [name, password].
fn program(modules: &Path, url: &str, people: &Value, name: &str, environment: &[(&str, String)]) -> Result<Value> {
    let folder = root().join("tests/browser");
    let output = Command::new("node")
        .arg(folder.join(name))
        .env("KENTAI_TEST_BROWSER", modules)
        .env("FONTCONFIG_FILE", folder.join("fonts.conf"))
        .env("KENTAI_URL", url)
        .env("KENTAI_PEOPLE", people.to_string())
        .envs(environment.iter().map(|(name, value)| (*name, value.as_str())))
        .stdin(Stdio::null())
        .output()
        .context("run node (scripts/test installs it)")?;
    let (said, failed) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    let figures = said.lines().last().unwrap_or_default();
    eprintln!("{name}: {figures}");
    ensure!(output.status.success(), "{name}: {}\n{said}{failed}", output.status);
    serde_json::from_str(figures).with_context(|| format!("{name} says {said}"))
}

#[test]
fn every_page_says_what_it_is_fits_and_passes_axe_in_both_languages_and_themes() -> Result<()> {
    let Some(modules) = browser()? else { return Ok(()) };
    let (demo, url) = served_demo()?;
    let roles = "operator,reviewer,releaser,withdrawal_officer,auditor,admin";
    demo.done(&["admin", "user", "add", "everybody", "--roles", roles])?;
    demo.password("everybody", PASSWORD)?;
    let people = json!({ "everything": ["everybody", PASSWORD] });
    // For people to look at; git ignores it.
    let pictures = root().join("target/pages").display().to_string();
    program(&modules, &url, &people, "pages.mjs", &[("KENTAI_PICTURES", pictures)]).map(drop)
}

#[test]
fn without_javascript_every_page_says_the_same() -> Result<()> {
    let Some(served) = Served::open("plain")? else { return Ok(()) };
    fill::ordinary(&served)?;
    served.program("plain.mjs", &[]).map(drop)
}

#[test]
fn what_changes_is_seen_without_reloading_over_one_stream_for_many_tabs() -> Result<()> {
    let Some(served) = Served::open("live")? else { return Ok(()) };
    let run = fill::ordinary(&served)?;
    let program = kentai_tests::kentai()?.display().to_string();
    let site = served.site.path().display().to_string();
    let change = json!([program, "--site", site, "hold", run, "--reason", "to be seen"]).to_string();
    let tabs = std::env::var("KENTAI_TABS").unwrap_or_else(|_| "60".into());
    let more = [("KENTAI_CHANGE", change), ("KENTAI_PATH", "/runs".to_owned()), ("KENTAI_TABS", tabs)];
    served.program("live.mjs", &more).map(drop)
}

#[test]
fn whatever_people_and_files_say_stays_text() -> Result<()> {
    let Some(served) = Served::open("hostile")? else { return Ok(()) };
    let kept = fill::hostile(&served)?;
    eprintln!("{kept}");
    served.program("hostile.mjs", &[]).map(drop)
}

/// The demonstration, served; sixty order lines show everything.
fn served_demo() -> Result<(Demo, String)> {
    let mut demo = demo_site(60)?;
    let port = std::net::TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port();
    demo.serve(port)?;
    Ok((demo, format!("http://127.0.0.1:{port}")))
}

#[test]
fn a_stuck_specimen_a_hold_a_release_by_two_people_and_a_token_by_keyboard_alone() -> Result<()> {
    let Some(modules) = browser()? else { return Ok(()) };
    let (demo, url) = served_demo()?;
    let of = |name: &str| json!([name, "insecure-demo"]);
    let people = json!({
        "operator": of("ops-01"), "reviewer": of("rev-01"), "releaser": of("rel-01"), "second releaser": of("rel-02"),
        "administrator": of("adm-01"),
    });
    demo.done(&["admin", "user", "add", "script-01", "--service", "--roles", "operator"])?;
    let made = demo.done(&["admin", "token", "new", "script-01", "--label", "the old script", "--json"])?;
    let made: Value = serde_json::from_str(&made)?;
    let token = made["changed"][0].as_str().and_then(|said| said.strip_prefix("token ")).context("a token")?.to_owned();
    let tasks = [
        ("KENTAI_TASKS", json!(["stuck", "decide", "release", "token"]).to_string()),
        ("KENTAI_ABOUT", json!({ "token": token, "service": "script-01" }).to_string()),
    ];
    let said = program(&modules, &url, &people, "keys.mjs", &tasks)?;
    let run_of = |task: &str| Some(said["done"][task].as_str()?.rsplit('/').next()?.to_owned());
    let status = demo.sql(&format!("select status from record where kind = 'token' and record_id = '{token}'"))?;
    ensure!(status == "revoked", "the token is {status}");
    // Let pass, it waits for its release; released, it is on its way out.
    let wanted = [
        ("decide", "qc release", &["release_review"][..]),
        ("release", "approve approve,approve approve", &["released", "offered", "delivered"]),
    ];
    for (task, wanted, stages) in wanted {
        let run = run_of(task).context("a run")?;
        let answers = format!("select kind || ' ' || verdict from decision where run_id = '{run}' and at_us > ");
        let since = "(select max(at_us) from decision) - 600000000";
        let found = demo.sql(&format!("{answers}{since}"))?;
        ensure!(found.lines().collect::<Vec<_>>().join(",") == wanted, "{task}: {run} has {found}");
        let moved = format!("select stage from order_line where run_id = '{run}'");
        demo.until("the order line to move on", |demo| Ok(stages.contains(&demo.sql(&moved)?.as_str())))?;
    }
    Ok(())
}

#[test]
fn a_log_is_followed_by_keyboard_alone_while_its_tool_writes() -> Result<()> {
    let Some(served) = Served::open("log")? else { return Ok(()) };
    let (run, pipe) = fill::talking(&served)?;
    let about = json!({ "log": run, "first": fill::FIRST_WORDS, "then": fill::LAST_WORDS, "go": pipe });
    let people = json!({ "operator": ["everybody", PASSWORD] });
    let tasks = [("KENTAI_TASKS", json!(["log"]).to_string()), ("KENTAI_ABOUT", about.to_string())];
    program(&served.modules, &served.url, &people, "keys.mjs", &tasks).map(drop)
}
