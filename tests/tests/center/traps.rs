//! Traps that other centers fell into, each with the name that it got there.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Result, ensure};
use kentai_engine::id::RunId;
use kentai_engine::intake::folder::Rules;
use kentai_engine::port::courier::{Courier, Entry, Package, Piece};
use kentai_engine::qc::criteria::{Applies, Behavior, Comparator, Criteria, Criterion, Unknown};
use kentai_engine::qc::metric::Unit;
use kentai_engine::qc::verdict::Value;
use kentai_engine::scheduler::center::request::Request;
use kentai_engine::scheduler::handle::Refusal;
use kentai_engine::specimen::record::Assay;
use kentai_executors::courier::directory::DirectoryCourier;
use kentai_executors::intake::{Pace, Place, pass};
use kentai_tests::house::{Act, operator, person};

use super::desk::{Center, officer, short};

fn decide(order: &str, way: &str) -> Request {
    Request::Decide { order_line: order.into(), way: way.into(), code: String::new(), reason: "because".into() }
}

/// An order line whose assay has criteria on coverage, at its review.
async fn reviewed() -> Result<(Center, String, RunId)> {
    let center = Center::open(&short()).await?;
    let coverage = Criterion {
        metric: "mean_autosome_coverage".into(),
        unit: Unit::Depth,
        comparator: Comparator::AtLeast,
        pass: 30.0,
        warn: None,
        applies_to: Applies::default(),
        behavior: Behavior::Hold,
        unknown: Unknown::default(),
    };
    let criteria = Criteria { id: "wgs".into(), version: "1".into(), criteria: vec![coverage], ..Criteria::default() };
    let assay = Assay { workflow: "test".into(), criteria: Some(criteria), ..Assay::default() };
    center.assay("2", assay).await?;
    center.house.hands.plan("a", [Act::Make(vec![("m.json", "{\"q\": 35}".into())])]);
    let (specimen, order) = center.bring("T1", "P1").await?;
    center.lane("EXTERNAL", "1", &specimen, "0").await?;
    center.until_stage(&order, "release_review").await?;
    let run = RunId::from(center.run(&order)?);
    Ok((center, order, run))
}

async fn approve(center: &Center, run: &RunId) -> Result<(), Refusal> {
    center.release(run, "review").await
}

fn coverage(value: f64, unit: Unit) -> Vec<Value> {
    let (tool, tool_version, source_sha256) = Default::default();
    vec![Value { metric: "mean_autosome_coverage".into(), value: Some(value), unit, tool, tool_version, source_sha256 }]
}

#[tokio::test]
async fn trigger_on_one_marker_file_work_starts_on_incomplete_data() -> Result<()> {
    let center = Center::open(&short()).await?;
    let disk = tempfile::tempdir()?;
    let folder = disk.path().join("20261101_A01234_0042_AHK7TWDSX7");
    std::fs::create_dir(&folder)?;
    std::fs::write(folder.join("CopyComplete.txt"), "")?;
    let place = Arc::new(Place::new(disk.path(), Rules { settle_s: 0, ..Rules::default() }));
    for _ in 0..5 {
        pass("novaseq", &place, center.house.handle()).await.map_err(anyhow::Error::msg)?;
    }
    let status = center.house.sql("select status from record where kind = 'instrument_run'")?;
    ensure!(status != "complete", "one marker was enough");
    ensure!(center.house.sql("select count(*) from record where kind = 'lane_library'")? == "0");
    Ok(())
}

#[tokio::test]
async fn threshold_shortfall_silent() -> Result<()> {
    let center = Center::open(&short()).await?;
    let (specimen, order) = center.bring("T1", "P1").await?;
    center.lane("RUN1", "1", &specimen, "594600000").await?;
    ensure!(center.stage(&order)? == "sequence_qc_failed");
    // Somebody is expected to act, by a time; after it the order line is on the list of what is stuck.
    let due = center.house.sql(&format!("select expect_us from order_line where order_line_id = '{order}'"))?;
    let due: i64 = due.parse()?;
    let stuck = center.house.handle().reader().stuck(due, None, 10).await?;
    ensure!(stuck.iter().any(|row| row.order_line_id == order), "it stops in silence");
    Ok(())
}

#[tokio::test]
async fn top_up_forgotten_by_automation_or_by_summary() -> Result<()> {
    let center = Center::open(&short()).await?;
    let (specimen, order) = center.bring("T1", "P1").await?;
    center.lane("RUN1", "1", &specimen, "594600000").await?;
    center.ask(decide(&order, "top_up"), &person("tanaka", "reviewer")).await?;
    ensure!(
        center.house.sql("select status from record where kind = 'work_request'")? == "requested",
        "nobody is asked"
    );
    center.house.hands.plan("a", [Act::Wait]);
    center.lane("RUN2", "3", &specimen, "5400000").await?;
    center.until_stage(&order, "analyzing").await?;
    ensure!(center.house.sql("select status from record where kind = 'work_request'")? == "fulfilled");
    let reads = center.house.sql("select json_extract(document, '$.reads') from order_line")?;
    ensure!(reads == "600000000", "the reads of both are {reads}");
    Ok(())
}

#[tokio::test]
async fn qc_skipped_because_data_is_external() -> Result<()> {
    let (center, order, run) = reviewed().await?;
    let refused = approve(&center, &run).await;
    ensure!(matches!(&refused, Err(Refusal::State(why)) if why.contains("nothing was measured")), "{refused:?}");
    center.ask(Request::Measured { order_line: order.clone(), values: Vec::new() }, &operator()).await?;
    let refused = approve(&center, &run).await;
    ensure!(matches!(&refused, Err(Refusal::State(why)) if why.contains("not measured")), "{refused:?}");
    center.ask(decide(&order, "release"), &person("tanaka", "reviewer")).await?;
    // What is measured after somebody let the gap pass is a question of its own.
    center
        .ask(Request::Measured { order_line: order.clone(), values: coverage(3.0, Unit::Depth) }, &operator())
        .await?;
    let refused = approve(&center, &run).await;
    ensure!(matches!(&refused, Err(Refusal::State(why)) if why.contains("3 x, wanted >= 30 x")), "{refused:?}");
    center.ask(decide(&order, "release"), &person("tanaka", "reviewer")).await?;
    approve(&center, &run).await?;
    center.until_stage(&order, "delivered").await
}

#[tokio::test]
async fn units_mixed_in_a_comparison() -> Result<()> {
    let (center, order, run) = reviewed().await?;
    let wrong = Request::Measured { order_line: order.clone(), values: coverage(31.0, Unit::GigaBases) };
    let refusal = center.refused(wrong, &operator()).await?;
    ensure!(refusal.to_string().contains("`Gb` and `x` measure different things"), "{refusal}");
    center.ask(Request::Measured { order_line: order, values: coverage(31.0, Unit::Depth) }, &operator()).await?;
    approve(&center, &run).await?;
    Ok(())
}

#[tokio::test]
async fn failed_sample_delivered_anyway() -> Result<()> {
    let (center, order, run) = reviewed().await?;
    center.ask(Request::Measured { order_line: order, values: coverage(29.7, Unit::Depth) }, &operator()).await?;
    let refused = approve(&center, &run).await;
    ensure!(
        matches!(&refused, Err(Refusal::State(why)) if why.contains("29.7 x, wanted >= 30 x (1.0 % short)")),
        "{refused:?}"
    );
    ensure!(std::fs::read_dir(center.house.outbox())?.count() == 0);
    Ok(())
}

#[tokio::test]
async fn one_failing_item_floods_the_log() -> Result<()> {
    let center = Center::open(&short()).await?;
    center.assay("2", Assay { workflow: "nowhere".into(), ..Assay::default() }).await?;
    let (specimen, order) = center.bring("T1", "P1").await?;
    center.lane("RUN1", "1", &specimen, "10").await?;
    let said = "select count(*) from event where kind = 'analysis_not_started'";
    center.house.until("the reason", async |house| Ok(house.sql(said)? == "1")).await?;
    for number in 0..20 {
        // Whatever happens to it wakes it again.
        center.ask(Request::Singleton { order_line: order.clone(), reason: format!("{number}") }, &operator()).await?;
    }
    ensure!(center.house.sql(said)? == "1", "it is said at every look");
    ensure!(center.stage(&order)? == "ready");
    Ok(())
}

#[tokio::test]
async fn retry_waits_forever_lost_job_kept_as_running() -> Result<()> {
    let center = Center::open(&short()).await?;
    let (specimen, order) = center.bring("T1", "P1").await?;
    center.house.hands.plan("a", [Act::Lost, Act::Lost, Act::Lost]);
    center.lane("RUN1", "1", &specimen, "600000000").await?;
    center.until_stage(&order, "analysis_failed").await?;
    let run = center.run(&order)?;
    ensure!(center.house.sql(&format!("select status from run where run_id = '{run}'"))? == "failed");
    ensure!(center.house.sql("select count(*) from attempt where status not in ('failed', 'quarantined')")? == "0");
    Ok(())
}

#[tokio::test]
async fn wrong_identifiers_inside_files() -> Result<()> {
    let center = Center::open(&short()).await?;
    center.house.hands.plan("a", [Act::Make(vec![("m.json", "{\"q\": 35}".into())])]);
    let (specimen, order) = center.bring("ＡＢ－１", "P1").await?;
    center.lane("RUN1", "1", "AB1", "600000000").await?;
    center.until_stage(&order, "release_review").await?;
    let run = RunId::from(center.run(&order)?);
    approve(&center, &run).await?;
    center.until_stage(&order, "delivered").await?;
    let package = std::fs::read_dir(center.house.outbox())?.next().expect("a package")?.path();
    let said = find(&package, "delivery.json")?;
    let document: serde_json::Value = serde_json::from_str(&said)?;
    ensure!(document["specimen"]["id"] == *specimen || document["specimen"] == *specimen, "{said}");
    ensure!(said.contains("ＡＢ－１"), "the barcode was rewritten: {said}");
    Ok(())
}

fn find(directory: &Path, name: &str) -> Result<String> {
    for entry in std::fs::read_dir(directory)? {
        let path = entry?.path();
        if path.is_dir() {
            if let Ok(found) = find(&path, name) {
                return Ok(found);
            }
        } else if path.file_name().is_some_and(|found| found == name) {
            return Ok(std::fs::read_to_string(path)?);
        }
    }
    anyhow::bail!("there is no {name} in {}", directory.display())
}

#[tokio::test]
async fn consent_withdrawn_but_only_a_warning() -> Result<()> {
    let center = Center::open(&short()).await?;
    let (specimen, order) = center.bring("T1", "P1").await?;
    let withdraw = Request::Withdraw {
        program: "rare".into(),
        pseudonym: "P1".into(),
        scopes: Vec::new(),
        evidence: "letter".into(),
        noticed_us: None,
        reason: String::new(),
    };
    center.ask(withdraw, &officer("sato")).await?;
    center.lane("RUN1", "1", &specimen, "600000000").await?;
    ensure!(center.stage(&order)? == "withdrawn" && center.run(&order)?.is_empty(), "it went on");
    // Nor by a sheet that says otherwise.
    let mut sheet = kentai_tests::house::specimen("S1");
    sheet.participant = Some("P1".into());
    let submit = center.house.request(&short(), &[sheet]);
    let refused = center.house.handle().submit(submit, &operator()).await;
    ensure!(matches!(&refused, Err(Refusal::State(why)) if why.contains("withdrawn")), "{refused:?}");
    Ok(())
}

#[tokio::test]
async fn cleanup_without_verifying_archive() -> Result<()> {
    let center = Center::open(&short()).await?;
    center.house.hands.plan("a", [Act::Make(vec![("m.json", "{\"q\": 35}".into())])]);
    let (specimen, order) = center.bring("T1", "P1").await?;
    center.lane("RUN1", "1", &specimen, "600000000").await?;
    center.until_stage(&order, "release_review").await?;
    approve(&center, &RunId::from(center.run(&order)?)).await?;
    center.until_stage(&order, "delivered").await?;
    let report =
        |event: &str| Request::Report { order_line: order.clone(), event: event.into(), reason: String::new() };
    let refusal = center.refused(report("archived"), &operator()).await?;
    ensure!(matches!(refusal, Refusal::State(_)), "it was archived without the receiver's receipt");
    center.ask(report("acknowledged"), &operator()).await?;
    center.ask(report("archived"), &operator()).await?;
    center.house.check().await
}

#[tokio::test]
async fn sex_mismatch_hard_fails_transplants() -> Result<()> {
    // The donor's sex in the blood of a recipient: the assay says whether that stops anything.
    let donor = (1.0, 0.01);
    let found = |warns| kentai_engine::qc::sex::judge(donor, &kentai_engine::qc::sex::usual(), "male", warns).verdict;
    ensure!(found(true).word() == "warn" && found(false).word() == "fail");
    Ok(())
}

#[tokio::test]
async fn resume_with_a_different_key() -> Result<()> {
    // The same delivery asked for again with other bytes is refused by name, and what lies there stays as it was.
    let place = tempfile::tempdir()?;
    let courier = DirectoryCourier::new("outbox", place.path());
    let package = |text: &str| -> Result<Package> {
        let path = place.path().join(format!("source-{}", text.len()));
        std::fs::write(&path, text)?;
        let sha256 = kentai_tests::house::sha256(text.as_bytes());
        let manifest = format!("{sha256}  data/S1.vcf\n");
        let entry = |path: &str, text: &str, piece| Entry {
            path: path.into(),
            size: text.len() as u64,
            sha256: kentai_tests::house::sha256(text.as_bytes()),
            md5: String::new(),
            pieces: vec![piece],
        };
        let file = Piece::File { path, size: text.len() as u64, artifact: sha256.clone() };
        let entries = vec![
            entry("data/S1.vcf", text, file),
            entry("manifest-sha256.txt", &manifest, Piece::Bytes(manifest.as_bytes().into())),
        ];
        Ok(Package { delivery: "d1".into(), folder: "S1-d1".into(), entries })
    };
    courier.carry(&package("first")?).await?;
    courier.carry(&package("first")?).await?;
    let refused = courier.carry(&package("another")?).await;
    ensure!(refused.is_err(), "another content went into the same delivery");
    let lies = std::fs::read_to_string(place.path().join("S1-d1/data/S1.vcf"))?;
    ensure!(lies == "first", "it was changed: {lies}");
    Ok(())
}

#[tokio::test]
async fn unbounded_polling() -> Result<()> {
    let mut pace = Pace::new(Duration::ZERO);
    ensure!(pace.wait(true, Duration::ZERO) >= Duration::from_secs(1), "a pass follows a pass without a pause");
    let waits: Vec<Duration> = (0..8).map(|_| pace.wait(false, Duration::ZERO)).collect();
    ensure!(waits.windows(2).all(|pair| pair[0] <= pair[1]) && waits[7] > waits[0], "{waits:?}");
    Ok(())
}
