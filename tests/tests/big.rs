//! The center with a history: the same seed tells the same story, every stage and everything that needs a person is in it, what its log
//! says is what its API says, and it goes on when somebody presses a button.
//!
//! Oracles: SQLite's own program, and a fold over the exported log by the table of docs/state-machines.md, without the engine.

mod admin;
mod buttons;
mod withdrawal;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use kentai_tests::demo::{Demo, NOW, SEED, demo_site, tell};
use kentai_tests::{invariants, kentai, root, tool};
use serde_json::Value;

const SPECIMENS: usize = 60;
/// Reached and left in one and the same turn: no order line ever rests there.
const NEVER_RESTS: &str = "sequenced";

/// Event → stage before → stage after, of order lines, as people read it.
type Table = BTreeMap<String, BTreeMap<String, String>>;

fn table() -> Result<(Vec<String>, Table)> {
    let page = fs::read_to_string(root().join("docs/state-machines.md"))?;
    let part = page.split("## order line").nth(1).and_then(|rest| rest.split("\n## ").next()).context("the table")?;
    let cells = |line: &str| -> Vec<String> {
        line.trim_matches('|').split('|').map(|cell| cell.trim().trim_matches('*').to_owned()).collect()
    };
    let mut rows = part.lines().filter(|line| line.starts_with('|')).map(cells);
    let stages: Vec<String> = rows.next().context("a head")?.into_iter().skip(1).collect();
    let mut table = Table::new();
    for row in rows.skip(1) {
        let after = stages.iter().cloned().zip(row.iter().skip(1).cloned()).filter(|(_, after)| after != "–");
        table.insert(row[0].clone(), after.collect());
    }
    Ok((stages, table))
}

/// The lines of an export that are events.
fn exported(demo: &Demo) -> Result<Vec<Value>> {
    let file = demo.directory.path().join("audit.jsonl");
    let name = file.to_string_lossy().into_owned();
    demo.done(&["admin", "audit", "export", &name])?;
    let said = demo.done(&["admin", "audit", "verify", &name])?;
    ensure!(!said.is_empty(), "verified in silence");
    let lines = fs::read_to_string(&file)?;
    let events = lines.lines().map(serde_json::from_str::<Value>).collect::<Result<Vec<_>, _>>()?;
    Ok(events.into_iter().filter(|line| line.get("stream").is_some()).collect())
}

/// Stages of all order lines, told again from their events.
fn folded(events: &[Value]) -> Result<BTreeMap<String, String>> {
    let (_, table) = table()?;
    let mut stages = BTreeMap::new();
    for event in events {
        let text = |field: &str| event[field].as_str().unwrap_or_default();
        let Some(order) = text("stream").strip_prefix("order_line:") else { continue };
        let stage = stages.entry(order.to_owned()).or_insert_with(|| "expected".to_owned());
        if let Some(row) = table.get(text("kind")) {
            let after = row.get(stage).with_context(|| format!("{order}: {} while {stage}", text("kind")))?;
            stage.clone_from(after);
        }
    }
    Ok(stages)
}

fn counted(stages: impl Iterator<Item = String>) -> BTreeMap<String, i64> {
    let mut counts = BTreeMap::new();
    stages.for_each(|stage| *counts.entry(stage).or_insert(0) += 1);
    counts
}

#[test]
fn what_the_log_says_is_what_the_api_says() -> Result<()> {
    let mut demo = demo_site(SPECIMENS)?;
    invariants::check(&demo.path())?;
    let events = exported(&demo)?;
    let wanted = counted(folded(&events)?.into_values());
    demo.serve(18_431)?;
    let told = demo.get("/api/v1/stages")?;
    let told = told.as_array().context("a list")?.iter().filter_map(|one| {
        Some((one["stage"].as_str()?.to_owned(), one["count"].as_i64()?)).filter(|(_, count)| *count > 0)
    });
    ensure!(told.collect::<BTreeMap<_, _>>() == wanted, "the API says otherwise than the log: {wanted:?}");
    let (stages, _) = table()?;
    let missing: Vec<_> = stages.iter().filter(|stage| !wanted.contains_key(*stage) && *stage != NEVER_RESTS).collect();
    ensure!(missing.is_empty(), "nobody is in {missing:?}");
    Ok(())
}

#[test]
fn everything_that_needs_a_person_is_there() -> Result<()> {
    let demo = demo_site(SPECIMENS)?;
    let of_record = |kind: &str, more: &str| format!("select count(*) from record where kind = '{kind}' and {more}");
    let of_line = |more: &str| format!("select count(*) from order_line where {more}");
    let now = "1795048920000000";
    let wanted = [
        (
            "a release that needs its second person",
            "select count(*) from step where status = 'awaiting_person' and json_array_length(detail, '$.answers') = 1".to_owned(),
        ),
        (
            "a gate that holds for contamination",
            "select count(*) from step where status = 'awaiting_person' and json_extract(detail, '$.ask.kind') = 'qc' and detail like '%contamination%'".to_owned(),
        ),
        ("a sex that does not match", of_record("deviation", "status = 'open' and document like '%sex%'")),
        ("a value that failed", of_record("evaluation", "status = 'fail'")),
        ("a withdrawal with open decisions", of_record("case", "status = 'sealed'")),
        ("a thing that waits for its second person", of_record("case_item", "status = 'proposed'")),
        ("a run that failed", of_line("stage = 'analysis_failed'")),
        ("a refused receipt", of_record("delivery", "status = 'refused'")),
        ("a receipt that is late", of_record("delivery", &format!("status = 'partly_acknowledged' and json_extract(document, '$.receipt_due_us') < {now}"))),
        ("material that is waited for", of_line("stage = 'awaiting_material'")),
        ("a top-up that is waited for", of_line("stage = 'awaiting_top_up'")),
        ("a reopening that waits for its second person", of_record("proposal", "status = 'proposed'")),
        ("a held order line", of_line("hold <> 'null'")),
        ("an order line that is late", of_line(&format!("due_us < {now} and stage = 'in_lab'"))),
        ("a family that is not whole", of_line("stage = 'ready' and assay = 'wgs_trio'")),
        ("a run folder that grows", of_record("instrument_run", "status = 'seen'")),
        ("a run folder that failed", of_record("instrument_run", "status = 'failed'")),
        ("data of nobody", of_record("lane_library", "status = 'unknown_specimen'")),
        ("an open deviation", of_record("deviation", "status = 'open'")),
        ("a leftover on its way", of_record("custody", "status = 'in_transit'")),
        ("a tool that runs", "select count(*) from step where step = 'align' and status = 'running' or step = 'call' and status = 'running'".to_owned()),
        ("an attempt that ran out of memory", "select count(*) from attempt where cause = 'out_of_memory'".to_owned()),
        ("a node that was down", "select count(*) from attempt where cause = 'infrastructure'".to_owned()),
    ];
    let mut missing = Vec::new();
    for (what, sql) in wanted {
        if demo.sql(&sql)? == "0" {
            missing.push(what);
        }
    }
    ensure!(missing.is_empty(), "there is none of: {missing:#?}");
    let stuck = demo.sql(&format!("select group_concat(distinct stage) from order_line where expect_us < {now}"))?;
    for stage in [
        "expected",
        "received",
        "in_lab",
        "sequencing",
        "sequence_qc_failed",
        "ready",
        "released",
        "offered",
        "delivered",
    ] {
        ensure!(stuck.split(',').any(|one| one == stage), "nothing is stuck in {stage}: {stuck}");
    }
    // A specimen on two lanes of one folder is judged when both are there.
    let early =
        demo.sql("select count(*) from event where kind = 'top_up_requested' and body like '%more data arrived%'")?;
    let lanes = demo.sql("select count(*) from record where kind = 'lane_library' and record_id like '%/2/%'")?;
    ensure!(
        early == "0" && lanes != "0",
        "{early} were judged before all of their lanes were taken in; {lanes} second lanes"
    );
    let trend = demo.done(&["qc", "trend", "mean_autosome_coverage", "--assay", "control_n02@1"])?;
    for rule in ["1-3s", "2-2s", "R-4s", "10-x"] {
        ensure!(trend.contains(rule), "no {rule} in\n{trend}");
    }
    Ok(())
}

/// What a story is without what chance gives (ids of runs and records, keys, salts): every event of order lines and specimens, and those
/// of each order line's runs, by the order line.
fn story(site: &Path) -> Result<BTreeSet<String>> {
    let database = site.join("kentai.db").to_string_lossy().into_owned();
    let own = "select stream || ' ' || n || ' ' || at_us || ' ' || kind || ' ' || actor || ' ' || role from event
        where stream like 'order_line:%' or stream like 'specimen:%' or stream like 'shipment:%' or stream like 'library:%'";
    // Within a moment the steps of a run come as they come.
    let runs = "select order_line_id || ' ' || at_us || ' ' || kind || ' ' || replace(subject, run_id, '') || ' ' || actor || ' ' || count(*)
        from event join run on stream = run_id group by order_line_id, at_us, kind, replace(subject, run_id, ''), actor";
    let values = "select order_line.order_line_id || ' ' || json_extract(record.document, '$.values') from record
        join order_line on order_line_id = parent where kind = 'evaluation'";
    let mut all = BTreeSet::new();
    for sql in [own, runs, values] {
        all.extend(tool("sqlite3", &[&database, sql], Path::new("/"))?.lines().map(str::to_owned));
    }
    ensure!(all.len() > 1_000, "a story of {} lines", all.len());
    Ok(all)
}

#[test]
fn the_same_seed_tells_the_same_story_and_another_one_another() -> Result<()> {
    let demo = demo_site(SPECIMENS)?;
    let told = story(&demo.path())?;
    let again = demo.directory.path().join("again");
    tell(&again, SPECIMENS, SEED)?;
    let again = story(&again)?;
    let different: Vec<_> = told.symmetric_difference(&again).take(10).collect();
    ensure!(different.is_empty(), "the same seed told another story: {different:#?}");
    let other = demo.directory.path().join("other");
    tell(&other, SPECIMENS, SEED + 1)?;
    ensure!(story(&other)? != told, "another seed told the same story");
    Ok(())
}

fn stage(demo: &Demo, order: &str) -> Result<String> {
    demo.sql(&format!("select stage from order_line where order_line_id = '{order}'"))
}

#[test]
fn it_goes_on_when_somebody_presses_a_button() -> Result<()> {
    let mut demo = demo_site(SPECIMENS)?;
    let at_work = "select count(*) || ' ' || (select count(*) from attempt where status = 'launching') from order_line where stage = 'analyzing'";
    let left = demo.sql(at_work)?;
    demo.serve(18_432)?;
    // Each: whose it is, the verb with ORDER and RUN in it, and where the order line then goes.
    let presses: [(&str, &[&str], &str); 8] = [
        (
            "stage = 'release_review' and (select json_array_length(detail, '$.answers') from step where step.run_id = order_line.run_id and step = 'release') = 1",
            &["approve", "RUN", "release", "--reason", "seen"],
            "offered",
        ),
        (
            "stage = 'analysis_qc_failed'",
            &["qc", "decide", "RUN", "release_ok", "--verdict", "release", "--reason", "a relative"],
            "release_review",
        ),
        ("stage = 'analysis_failed'", &["retry", "RUN"], "release_review"),
        (
            "stage = 'sequence_qc_failed'",
            &["qc", "decide", "ORDER", "--verdict", "top_up", "--reason", "volume is left"],
            "awaiting_top_up",
        ),
        ("stage = 'ready' and hold <> 'null'", &["order", "resume", "ORDER"], "release_review"),
        ("stage = 'acknowledged'", &["order", "report", "ORDER", "archived"], "archived"),
        ("stage = 'refused'", &["order", "report", "ORDER", "reoffered", "--reason", "asked again"], "offered"),
        (
            "stage = 'rejected'",
            &["qc", "decide", "ORDER", "--verdict", "new_material", "--reason", "it leaked"],
            "awaiting_material",
        ),
    ];
    for (whose, verb, then) in presses {
        let found = demo
            .sql(&format!("select order_line_id || ' ' || run_id from order_line where {whose} order by 1 limit 1"))?;
        let (order, run) = found.split_once(' ').unwrap_or((&found, ""));
        ensure!(!order.is_empty(), "nobody is where {whose}");
        let verb: Vec<&str> = verb
            .iter()
            .map(|word| match *word {
                "ORDER" => order,
                "RUN" => run,
                other => other,
            })
            .collect();
        demo.done(&verb)?;
        demo.until(&format!("{order} to be {then} after {verb:?}"), |demo| Ok(stage(demo, order)? == then))?;
    }
    // Everybody who was left at work still is.
    let still = demo.sql(at_work)?;
    ensure!(still == left && !left.starts_with('0'), "{left} were analyzed, and now {still}");
    Ok(())
}

#[test]
fn a_site_with_something_in_it_is_left_alone_and_a_story_too_small_is_refused() -> Result<()> {
    let place = tempfile::tempdir()?;
    fs::write(place.path().join("mine"), "mine")?;
    let demo = |arguments: &[&str]| -> Result<i32> {
        let ended = std::process::Command::new(kentai()?).args(arguments).current_dir(place.path()).output()?;
        Ok(ended.status.code().unwrap_or(-1))
    };
    ensure!(demo(&["demo", "--big", "--dir", ".", "--now", NOW])? == 6, "it took a directory that is somebody's");
    ensure!(demo(&["demo", "--big", "--dir", "new", "--specimens", "10"])? == 2, "one of each of ten");
    ensure!(demo(&["demo", "--big", "--dir", "new", "--now", "yesterday"])? == 2, "yesterday is no time");
    ensure!(fs::read_dir(place.path())?.count() == 1, "something was made");
    Ok(())
}

/// What a site costs to tell; with `KENTAI_TEST_SPECIMENS=4182` the size of the pictures, with 100000 the real thing.
#[test]
fn a_larger_center_takes_longer_in_proportion() -> Result<()> {
    let Some(wanted) = std::env::var("KENTAI_TEST_SPECIMENS").ok().and_then(|text| text.parse::<usize>().ok()) else {
        return Ok(());
    };
    let place = tempfile::tempdir()?;
    for specimens in [wanted / 4, wanted] {
        let (began, site) = (Instant::now(), place.path().join(specimens.to_string()));
        tell(&site, specimens, SEED)?;
        let seconds = began.elapsed().as_secs_f64();
        eprintln!("{specimens} specimens: {seconds:.0} s, {:.1} ms each", seconds * 1e3 / specimens as f64);
    }
    Ok(())
}
