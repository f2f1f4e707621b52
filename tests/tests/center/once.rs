//! What is asked for twice happens once; a table is taken whole or not at all; what is somebody else's does not exist.

use anyhow::{Result, ensure};
use futures_util::future::join_all;
use kentai_engine::scheduler::center::request::Request;
use kentai_engine::scheduler::handle::Refusal;
use kentai_engine::specimen::import::Table;
use kentai_tests::house::{operator, person};

use super::desk::{Center, row, short};

fn shipment(barcode: &str, pseudonym: &str) -> Request {
    let cells =
        [("shipment", "SH1"), ("barcode", barcode), ("pseudonym", pseudonym), ("program", "rare"), ("assay", "wgs")];
    Request::Import {
        table: Table::Shipment,
        rows: vec![row(&cells)],
        dry_run: false,
        source: String::new(),
        institution: "H1".into(),
    }
}

#[tokio::test]
async fn a_thousand_identical_orders_at_once_are_one_order_line_and_one_run() -> Result<()> {
    let center = Center::open(&short()).await?;
    let (handle, who) = (center.house.handle(), operator());
    let answers = join_all((0..1000).map(|_| handle.center(shipment("T1", "P1"), &who))).await;
    for answer in answers {
        ensure!(answer?.problems.is_empty());
    }
    ensure!(center.house.sql("select count(*) from order_line")? == "1");
    center.consent("P1", &["sequencing", "research"]).await?;
    center.receive("T1").await?;
    let specimen = center.house.sql("select specimen_id from order_line")?;
    center.accession(&specimen).await?;
    let order = center.house.sql("select order_line_id from order_line")?;
    let lane = [("instrument_run", "R1"), ("lane", "1"), ("sample", specimen.as_str()), ("reads", "600000000")];
    let lane = Request::Import {
        table: Table::Lanes,
        rows: vec![row(&lane)],
        dry_run: false,
        source: String::new(),
        institution: String::new(),
    };
    for answer in join_all((0..1000).map(|_| handle.center(lane.clone(), &who))).await {
        answer?;
    }
    center.until_stage(&order, "analysis_failed").await?;
    ensure!(
        center.house.sql("select count(*) from run")? == "1",
        "{} runs",
        center.house.sql("select count(*) from run")?
    );
    center.house.check().await
}

#[tokio::test]
async fn a_table_with_one_wrong_cell_is_not_taken_and_every_wrong_cell_is_named() -> Result<()> {
    let center = Center::open(&short()).await?;
    center.announce("T1", "P1").await?;
    let before = center.house.sql("select count(*) from event")?;
    let good =
        row(&[("shipment", "SH2"), ("barcode", "T2"), ("pseudonym", "P2"), ("program", "rare"), ("assay", "wgs")]);
    let wrong =
        row(&[("shipment", "S H"), ("barcode", "t1"), ("pseudonym", "P3"), ("program", "none"), ("assay", "wes")]);
    let request = Request::Import {
        table: Table::Shipment,
        rows: vec![good, wrong],
        dry_run: false,
        source: String::new(),
        institution: "H1".into(),
    };
    let answer = center.house.handle().center(request, &operator()).await?;
    let named: Vec<_> =
        answer.problems.iter().map(|found| (found.row, found.column.as_str(), found.code.as_str())).collect();
    for wanted in [(3, "shipment", "I008"), (3, "program", "I010"), (3, "assay", "I011"), (3, "barcode", "I013")] {
        ensure!(named.contains(&wanted), "{wanted:?} is not in {named:?}");
    }
    ensure!(center.house.sql("select count(*) from event")? == before, "half of it was taken");
    Ok(())
}

#[tokio::test]
async fn what_is_foreign_is_refused_word_for_word_as_what_is_not_there() -> Result<()> {
    let center = Center::open(&short()).await?;
    let (specimen, order) = center.bring("T1", "P1").await?;
    let mut stranger = person("other", "institution");
    stranger.institution = Some("H2".into());
    for make in [
        (|id: &str| Request::Hold { order_line: id.into(), reason: "x".into() }) as fn(&str) -> Request,
        |id| Request::Cancel { order_line: id.into(), reason: "x".into() },
        |id| Request::Decide { order_line: id.into(), way: "release".into(), code: String::new(), reason: "x".into() },
    ] {
        let foreign = center.refused(make(&order), &stranger).await?.to_string();
        let missing = center.refused(make("O99999999X"), &stranger).await?.to_string();
        ensure!(foreign == missing.replace("O99999999X", &order), "{foreign} is not {missing}");
    }
    let mut own = person("own", "institution");
    own.institution = Some("H1".into());
    let refusal = center.refused(Request::Accession { specimen }, &own).await?;
    ensure!(matches!(refusal, Refusal::NotAllowed(_)), "{refusal}");
    Ok(())
}

#[tokio::test]
async fn a_barcode_that_lacks_a_zero_is_extra_and_its_neighbor_is_named() -> Result<()> {
    let center = Center::open(&short()).await?;
    let (_, order) = center.announce("00123", "P1").await?;
    let answer = center.receive("0123").await?;
    ensure!(answer.notes.iter().any(|note| note.contains("`00123`")), "{answer:?}");
    ensure!(center.stage(&order)? == "expected", "it was matched without its zero");
    ensure!(center.house.sql("select status from record where kind = 'item' and specimen_id = ''")? == "extra");
    Ok(())
}
