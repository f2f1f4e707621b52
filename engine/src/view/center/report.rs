//! Reports over everything: the tracked items of each order line, what nobody expected or nobody brought, and how long things took.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::access::{Refused, part};
use crate::clock::Micros;
use crate::people::permission::{Action, Principal};
use crate::specimen::expectation::Targets;
use crate::specimen::record::{Assay, Item, Kind, OrderLine, Specimen};
use crate::state::order::Stage;
use crate::store::read::{OrderFilter, Reader, RecordFilter};
use crate::store::rows::center as rows;
use crate::view::{document, time};

/// Rows read at once.
const PAGE: i64 = 1_000;
const DAY_US: f64 = 86_400e6;

/// The seven tracked items of one order line.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Progress {
    /// Specimen.
    pub specimen: String,
    /// As on the tube.
    pub barcode: String,
    /// Order line.
    pub order_line: String,
    /// Whose it is.
    pub institution: String,
    /// Program.
    pub program: String,
    /// `wgs_30x@1`
    pub assay: String,
    /// 1: `unknown`, `given`, `partial`, `refused`, `withdrawn`, `expired`.
    pub consent: String,
    /// 2: where the specimen, or what is left of it, is.
    pub specimen_status: String,
    /// 3: `expected`, `accepted`, `rejected`, `missing`.
    pub send_receive: String,
    /// 4: `pending`, `counting`, `passed`, `waived`, `failed`.
    pub qc: String,
    /// 5: `pending`, `ready`, `running`, `failed`, `in_review`, and from there on the stage.
    pub analysis: String,
    /// 6: the data center's word: `unknown`, `missing`, `partial`, `complete`.
    pub clinical_information: String,
    /// 7: the data center's word: `pending`, `returned`.
    pub report_return: String,
}

/// Something that nobody expected, or that nobody brought. Shown, never dropped.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Omission {
    /// `specimen_without_order`, `data_without_specimen`, `order_without_consent`, `order_without_data`, `extra_item`, `missing_item`.
    pub kind: String,
    /// `kind id`
    pub thing: String,
    /// Whose it is; may be empty.
    pub institution: String,
    /// In English.
    pub en: String,
    /// In Japanese.
    pub ja: String,
    /// Since when.
    pub since: String,
}

/// How long a gate took, over everything that passed it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Turnaround {
    /// `wgs_30x@1`
    pub assay: String,
    /// `arrival`, `accession`, `lab`, `sequencing`, `analysis`, `delivery`, `receipt`, `total`.
    pub gate: String,
    /// How many passed it.
    pub count: usize,
    /// Days, the middle one.
    pub median_days: f64,
    /// Days; three quarters took no longer.
    pub p75_days: f64,
    /// Days; nine tenths took no longer.
    pub p90_days: f64,
    /// Days that the assay allows.
    pub target_days: f64,
    /// Of 1: in the target.
    pub share_in_target: f64,
    /// Days that did not count, of all together.
    pub paused_days: f64,
}

async fn lines(reader: &Reader, who: &Principal) -> Result<Vec<rows::OrderLine>, Refused> {
    let Some(institution) = part(who, &[Action::ReadReport], None)?.institution() else { return Ok(Vec::new()) };
    let mut all: Vec<rows::OrderLine> = Vec::new();
    loop {
        let after = all.last().map(|row| row.order_line_id.clone());
        let filter = OrderFilter { institution: institution.clone(), after, limit: PAGE, ..OrderFilter::default() };
        let page = reader.order_lines(&filter).await?;
        let last = page.len() < usize::try_from(PAGE).unwrap_or(usize::MAX);
        all.extend(page);
        if last {
            return Ok(all);
        }
    }
}

async fn records(
    reader: &Reader,
    who: &Principal,
    kind: Kind,
    status: Option<&str>,
) -> Result<Vec<rows::Record>, Refused> {
    let Some(owner) = part(who, &[Action::ReadReport], None)?.institution() else { return Ok(Vec::new()) };
    let mut all: Vec<rows::Record> = Vec::new();
    loop {
        let after = all.last().map(|row| row.record_id.clone());
        let kind = kind.word().to_owned();
        let filter = RecordFilter { kind, status: status.map(str::to_owned), owner: owner.clone(), after, limit: PAGE };
        let page = reader.records(&filter).await?;
        let last = page.len() < usize::try_from(PAGE).unwrap_or(usize::MAX);
        all.extend(page);
        if last {
            return Ok(all);
        }
    }
}

/// The seven tracked items, one row for each order line, by id.
///
/// # Errors
/// When they may not see reports, or the database cannot be read.
pub async fn progress(reader: &Reader, who: &Principal) -> Result<Vec<Progress>, Refused> {
    let mut all = Vec::new();
    for row in lines(reader, who).await? {
        let doc: OrderLine = document("an order line", &row.document)?;
        let consent = reader.participant(&row.participant_id).await?.map(|found| found.consent);
        let about = reader.records_about(&row.specimen_id).await?;
        let find = |kind: Kind| about.iter().find(|record| record.kind == kind.word());
        let specimen: Specimen = match find(Kind::Specimen) {
            Some(record) => document("a specimen", &record.document)?,
            None => Specimen::default(),
        };
        let (qc, analysis) = Stage::parse(&row.stage).map_or(("pending", "pending"), |stage| words(stage, &doc.waived));
        let or = |text: &str, otherwise: &str| if text.is_empty() { otherwise.to_owned() } else { text.to_owned() };
        all.push(Progress {
            barcode: specimen.barcode,
            order_line: row.order_line_id,
            institution: row.institution,
            program: row.program,
            assay: format!("{}@{}", row.assay, row.assay_version),
            consent: consent.unwrap_or_else(|| "unknown".into()),
            specimen_status: or(&specimen.custody, "in_lab"),
            send_receive: find(Kind::Item).map_or_else(|| "unknown".into(), |item| item.status.clone()),
            qc: qc.to_owned(),
            analysis: analysis.to_owned(),
            clinical_information: or(&doc.clinical_information, "unknown"),
            report_return: or(&doc.report_return, "pending"),
            specimen: row.specimen_id,
        });
    }
    Ok(all)
}

/// Quality and analysis, as a stage says them.
fn words(stage: Stage, waived: &str) -> (&'static str, &'static str) {
    let passed = if waived.is_empty() { "passed" } else { "waived" };
    match stage {
        Stage::Expected
        | Stage::Received
        | Stage::Rejected
        | Stage::Accessioned
        | Stage::InLab
        | Stage::Sequencing
        | Stage::AwaitingMaterial => ("pending", "pending"),
        Stage::Sequenced => ("counting", "pending"),
        Stage::SequenceQcFailed | Stage::AwaitingTopUp => ("failed", "pending"),
        Stage::Ready => (passed, "ready"),
        Stage::Analyzing => (passed, "running"),
        Stage::AnalysisFailed => (passed, "failed"),
        Stage::AnalysisQcFailed => ("failed", "failed"),
        Stage::ReleaseReview => (passed, "in_review"),
        Stage::ClosedFailed => ("failed", stage.word()),
        Stage::Withdrawn | Stage::Canceled => ("pending", stage.word()),
        Stage::Released
        | Stage::Offered
        | Stage::Delivered
        | Stage::Acknowledged
        | Stage::Refused
        | Stage::Archived
        | Stage::Recalled => (passed, stage.word()),
    }
}

/// What nobody expected, or nobody brought, at `now`.
///
/// # Errors
/// When they may not see reports, or the database cannot be read.
pub async fn omissions(reader: &Reader, who: &Principal, now: Micros) -> Result<Vec<Omission>, Refused> {
    let mut all = Vec::new();
    for row in records(reader, who, Kind::Specimen, None).await? {
        if reader.orders_of_specimen(&row.record_id).await?.is_empty() {
            let en = "nothing was ordered for this specimen".to_owned();
            all.push(omission("specimen_without_order", &row, en, "この検体には依頼がありません".into()));
        }
    }
    for row in records(reader, who, Kind::LaneLibrary, Some("unknown_specimen")).await? {
        let en = "this data belongs to no specimen that is known".to_owned();
        all.push(omission("data_without_specimen", &row, en, "このデータに対応する検体がありません".into()));
    }
    for (status, kind) in [("extra", "extra_item"), ("missing", "missing_item")] {
        for row in records(reader, who, Kind::Item, Some(status)).await? {
            let item: Item = document("an item", &row.document)?;
            let (en, ja) = if status == "extra" {
                (format!("nobody announced `{}`", item.barcode), format!("「{}」は予告されていません", item.barcode))
            } else {
                (
                    format!("`{}` was announced and did not come", item.barcode),
                    format!("「{}」が届いていません", item.barcode),
                )
            };
            all.push(omission(kind, &row, en, ja));
        }
    }
    for row in lines(reader, who).await? {
        all.extend(of_line(reader, &row, now).await?);
    }
    Ok(all)
}

fn omission(kind: &str, row: &rows::Record, en: String, ja: String) -> Omission {
    Omission {
        kind: kind.to_owned(),
        thing: format!("{} {}", row.kind, row.record_id),
        institution: row.owner.clone(),
        en,
        ja,
        since: time(row.created_us),
    }
}

async fn of_line(reader: &Reader, row: &rows::OrderLine, now: Micros) -> Result<Option<Omission>, Refused> {
    let Some(stage) = Stage::parse(&row.stage).filter(|stage| !stage.is_end()) else { return Ok(None) };
    let participant = reader.participant(&row.participant_id).await?;
    let consent = participant.as_ref().map_or("unknown", |found| found.consent.as_str());
    let (kind, en, ja) = if !matches!(consent, "given" | "partial") {
        let en = format!("it is ordered, and consent is {consent}");
        ("order_without_consent", en, format!("依頼がありますが、同意は {consent} です"))
    } else if matches!(stage, Stage::InLab | Stage::Sequencing | Stage::AwaitingTopUp) && row.expect_us <= now {
        let en = format!("it is {stage}, and its data is late");
        ("order_without_data", en, format!("{stage} のまま、データが期限までに届いていません"))
    } else {
        return Ok(None);
    };
    Ok(Some(Omission {
        kind: kind.into(),
        thing: format!("order_line {}", row.order_line_id),
        institution: row.institution.clone(),
        en,
        ja,
        since: time(row.updated_us),
    }))
}

/// Name, from where, to where, days that the assay allows.
type Gate = (&'static str, Stage, Stage, fn(&Targets) -> f64);

const GATES: &[Gate] = &[
    ("arrival", Stage::Expected, Stage::Received, |targets| targets.arrival),
    ("accession", Stage::Received, Stage::Accessioned, |targets| targets.accession),
    ("lab", Stage::Accessioned, Stage::Sequencing, |targets| targets.lab),
    ("sequencing", Stage::Sequencing, Stage::Sequenced, |targets| targets.sequencing),
    ("analysis", Stage::Sequenced, Stage::Offered, |targets| targets.analysis),
    ("delivery", Stage::Released, Stage::Delivered, |targets| targets.delivery),
    ("receipt", Stage::Delivered, Stage::Acknowledged, |targets| targets.receipt),
    ("total", Stage::Expected, Stage::Acknowledged, |targets| targets.total),
];

/// How long each gate of each assay took; time that does not count is left out and shown beside.
///
/// # Errors
/// When they may not see reports, or the database cannot be read.
pub async fn turnaround(reader: &Reader, who: &Principal) -> Result<Vec<Turnaround>, Refused> {
    let mut taken: BTreeMap<(String, usize), Vec<(f64, f64)>> = BTreeMap::new();
    for row in lines(reader, who).await? {
        let doc: OrderLine = document("an order line", &row.document)?;
        for (at, (_, from, to, _)) in GATES.iter().enumerate() {
            if let Some(days) = days(&row, &doc, *from, *to) {
                taken.entry((format!("{}@{}", row.assay, row.assay_version), at)).or_default().push(days);
            }
        }
    }
    let mut all = Vec::new();
    for ((assay, at), took) in taken {
        let (gate, _, _, target) = GATES[at];
        let known = reader.record(Kind::Assay.word(), &assay).await?;
        let targets = match known {
            Some(row) => document::<Assay>("an assay", &row.document)?.targets,
            None => Targets::default(),
        };
        all.push(summary(&assay, gate, took, target(&targets)));
    }
    Ok(all)
}

/// Days between two stages of the newest round, and days of it that did not count.
#[expect(clippy::cast_precision_loss, reason = "microseconds of a few years")]
fn days(row: &rows::OrderLine, doc: &OrderLine, from: Stage, to: Stage) -> Option<(f64, f64)> {
    let to = *doc.since.get(to.word())?;
    let begun = doc.since.get(from.word()).copied();
    let from = if from == Stage::Expected { begun.unwrap_or(row.created_us) } else { begun? };
    if to < from {
        return None;
    }
    let paused = doc.pauses.iter().map(|pause| (pause.to_us.unwrap_or(to).min(to) - pause.from_us.max(from)).max(0));
    let paused: i64 = paused.sum();
    Some(((to - from - paused) as f64 / DAY_US, paused as f64 / DAY_US))
}

#[expect(clippy::cast_precision_loss, reason = "counts")]
fn summary(assay: &str, gate: &str, took: Vec<(f64, f64)>, target: f64) -> Turnaround {
    let mut days: Vec<f64> = took.iter().map(|(days, _)| *days).collect();
    days.sort_by(f64::total_cmp);
    Turnaround {
        assay: assay.to_owned(),
        gate: gate.to_owned(),
        count: days.len(),
        median_days: percentile(&days, 50),
        p75_days: percentile(&days, 75),
        p90_days: percentile(&days, 90),
        target_days: target,
        share_in_target: days.iter().filter(|days| **days <= target).count() as f64 / days.len().max(1) as f64,
        paused_days: took.iter().map(|(_, paused)| paused).sum(),
    }
}

/// The nearest rank: a value that was there.
fn percentile(sorted: &[f64], percent: usize) -> f64 {
    let rank = (sorted.len() * percent).div_ceil(100).max(1);
    sorted.get(rank - 1).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentile_is_a_value_that_was_there() {
        let days = [1.0, 2.0, 3.0, 4.0];
        let found = [50, 75, 90].map(|percent| percentile(&days, percent));
        assert!(found.iter().zip([2.0, 3.0, 4.0]).all(|(one, other)| one.total_cmp(&other).is_eq()), "{found:?}");
    }

    #[test]
    fn a_share_is_of_all_that_passed_and_pauses_are_shown() {
        let one = summary("wgs@1", "lab", vec![(1.0, 0.0), (5.0, 2.0), (9.0, 0.0), (30.0, 0.0)], 21.0);
        assert_eq!((one.count, (one.share_in_target * 100.0) as i64, one.paused_days as i64), (4, 75, 2));
    }
}
