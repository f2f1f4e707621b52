//! A center with a past: specimens of several hospitals, months of them, made only by asking the engine as people and instruments do,
//! with virtual time. The same seed gives the same center.
//!
//! It writes no row and knows no table.

use std::collections::BTreeMap;

use anyhow::{Result, ensure};
use futures_util::future::join_all;
use kentai_engine::clock::Clock;
use kentai_engine::scheduler::Actor;
use kentai_engine::scheduler::center::request::Request;
use kentai_engine::scheduler::handle::Handle;
use kentai_engine::specimen::import::{Row, Table};
use kentai_engine::specimen::record::Assay;

use crate::house::{operator, person};

/// Rows of one table, requests at once.
const CHUNK: usize = 500;
const HOUR_US: i64 = 3_600_000_000;
const HOSPITALS: usize = 8;

/// What is to be made.
#[derive(Clone, Copy, Debug)]
pub struct Seed {
    /// Specimens.
    pub specimens: usize,
    /// The same number gives the same center.
    pub number: u64,
}

/// A small generator of numbers (SplitMix64): the same everywhere, for ever.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % sides
    }
}

/// How far a specimen comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Fate {
    Expected,
    WithoutConsent,
    Received,
    Accessioned,
    Short,
    ToppedUp,
    Ready,
}

struct One {
    hospital: usize,
    barcode: String,
    pseudonym: String,
    fate: Fate,
}

/// Fills a center.
///
/// # Errors
/// When the engine refuses anything that a center would ask.
pub async fn fill(handle: &Handle, clock: &Clock, seed: Seed) -> Result<()> {
    let who = operator();
    found(handle, &who).await?;
    let mut dice = Dice(seed.number);
    let ones: Vec<One> = (0..seed.specimens).map(|number| one(number, &mut dice)).collect();
    for chunk in ones.chunks(CHUNK) {
        clock.advance(2 * HOUR_US);
        announce(handle, &who, chunk).await?;
        clock.advance(2 * HOUR_US);
        consents(handle, &who, chunk).await?;
        clock.advance(2 * HOUR_US);
        arrivals(handle, &who, chunk).await?;
        clock.advance(4 * HOUR_US);
        data(handle, &who, chunk).await?;
    }
    Ok(())
}

fn one(number: usize, dice: &mut Dice) -> One {
    let fate = match dice.roll(100) {
        0..8 => Fate::Expected,
        8..11 => Fate::WithoutConsent,
        11..16 => Fate::Received,
        16..24 => Fate::Accessioned,
        24..29 => Fate::Short,
        29..33 => Fate::ToppedUp,
        _ => Fate::Ready,
    };
    let hospital = usize::try_from(dice.roll(HOSPITALS as u64)).unwrap_or(0);
    One { hospital, barcode: format!("T-{number:07}"), pseudonym: format!("P{number:07}"), fate }
}

fn row(cells: &[(&str, &str)]) -> Row {
    cells.iter().map(|(column, text)| ((*column).to_owned(), (*text).to_owned())).collect::<BTreeMap<_, _>>()
}

async fn import(handle: &Handle, who: &Actor, table: Table, rows: Vec<Row>, institution: &str) -> Result<()> {
    if rows.is_empty() {
        return Ok(());
    }
    let request =
        Request::Import { table, rows, dry_run: false, source: "seed".into(), institution: institution.to_owned() };
    let answer = handle.center(request, who).await?;
    ensure!(answer.problems.is_empty(), "{:?}", answer.problems);
    Ok(())
}

async fn found(handle: &Handle, who: &Actor) -> Result<()> {
    let hospitals = (0..HOSPITALS).map(|number| {
        row(&[("code", &format!("H{number}")), ("name", &format!("Hospital {number}")), ("role", "sender")])
    });
    import(handle, who, Table::Institutions, hospitals.collect(), "").await?;
    import(handle, who, Table::Programs, vec![row(&[("code", "rare"), ("name", "Rare diseases")])], "").await?;
    let assay = Assay { reads_ordered: 600_000_000, reads_percent: 100.0, ..Assay::default() };
    let request = Request::Assay { name: "wgs_30x".into(), version: "1".into(), assay: Box::new(assay) };
    handle.center(request, who).await?;
    Ok(())
}

async fn announce(handle: &Handle, who: &Actor, ones: &[One]) -> Result<()> {
    for hospital in 0..HOSPITALS {
        let code = format!("H{hospital}");
        let ours: Vec<&One> = ones.iter().filter(|one| one.hospital == hospital).collect();
        let Some(first) = ours.first() else { continue };
        let shipment = format!("SH-{}", first.barcode);
        let rows = ours.iter().map(|one| {
            row(&[
                ("shipment", &shipment),
                ("barcode", &one.barcode),
                ("pseudonym", &one.pseudonym),
                ("program", "rare"),
                ("assay", "wgs_30x"),
            ])
        });
        import(handle, who, Table::Shipment, rows.collect(), &code).await?;
    }
    Ok(())
}

async fn consents(handle: &Handle, who: &Actor, ones: &[One]) -> Result<()> {
    let given = ones.iter().filter(|one| one.fate != Fate::WithoutConsent).map(|one| {
        row(&[
            ("pseudonym", &one.pseudonym),
            ("program", "rare"),
            ("document", "form"),
            ("version", "3"),
            ("scopes", "sequencing research_domestic"),
        ])
    });
    import(handle, who, Table::Consents, given.collect(), "").await
}

async fn all(handle: &Handle, who: &Actor, requests: Vec<Request>) -> Result<()> {
    for answer in join_all(requests.into_iter().map(|request| handle.center(request, who))).await {
        answer?;
    }
    Ok(())
}

async fn specimens(handle: &Handle, ones: &[&One]) -> Result<Vec<String>> {
    let mut found = Vec::with_capacity(ones.len());
    for one in ones {
        let name = kentai_engine::specimen::barcode::normalized(&one.barcode);
        let id = handle.reader().named("barcode", &format!("H{}/{name}", one.hospital)).await?;
        found.push(id.unwrap_or_default());
    }
    Ok(found)
}

async fn arrivals(handle: &Handle, who: &Actor, ones: &[One]) -> Result<()> {
    let arrived = ones.iter().filter(|one| one.fate != Fate::Expected);
    let scans = arrived.map(|one| Request::Receive {
        barcode: one.barcode.clone(),
        institution: format!("H{}", one.hospital),
        condition: String::new(),
        note: String::new(),
    });
    all(handle, who, scans.collect()).await?;
    let further: Vec<&One> = ones.iter().filter(|one| one.fate >= Fate::Accessioned).collect();
    let ids = specimens(handle, &further).await?;
    all(handle, who, ids.into_iter().map(|specimen| Request::Accession { specimen }).collect()).await
}

async fn data(handle: &Handle, who: &Actor, ones: &[One]) -> Result<()> {
    let sequenced: Vec<&One> = ones.iter().filter(|one| one.fate >= Fate::Short).collect();
    let Some(first) = sequenced.first() else { return Ok(()) };
    let ids = specimens(handle, &sequenced).await?;
    let run = format!("R-{}", first.barcode);
    let lanes = sequenced.iter().zip(&ids).map(|(one, id)| {
        let reads = if one.fate == Fate::Ready { "640000000" } else { "594600000" };
        row(&[("instrument_run", &run), ("lane", "1"), ("sample", id), ("reads", reads)])
    });
    import(handle, who, Table::Lanes, lanes.collect(), "").await?;
    let short: Vec<&One> = ones.iter().filter(|one| one.fate == Fate::ToppedUp).collect();
    let reviewer = person("tanaka", "reviewer");
    for id in specimens(handle, &short).await? {
        for order in handle.reader().orders_of_specimen(&id).await? {
            let request = Request::Decide {
                order_line: order.order_line_id,
                way: "top_up".into(),
                code: "reads".into(),
                reason: "0.9 % short".into(),
            };
            handle.center(request, &reviewer).await?;
        }
    }
    Ok(())
}
