//! Lists that people narrow: order lines by what is wrong with them, specimens by where they stand, records from the newest on, and what
//! lies on an instrument run's lanes.

use std::collections::BTreeMap;

use serde::Serialize;

use super::access::{Refused, is_outsider, part};
use super::board::SOON_US;
use super::line::{OrderLineView, coarse};
use super::record::{RecordView, actions, record, records};
use super::trouble;
use crate::clock::Micros;
use crate::people::permission::{Action, Principal};
use crate::specimen::record::Kind;
use crate::state::order::Stage;
use crate::store::read::{LineFilter, Listing, Reader, RecordFilter, SpecimenFilter};
use crate::store::rows::center::OrderLine;
use crate::view::Page;

/// Lanes of an instrument run that are shown.
const LANES_MAX: i64 = 2_000;
/// Institutions, programs and assays that a list may be narrowed by.
const CHOICES_MAX: i64 = 200;

/// How order lines are wanted.
#[derive(Clone, Debug, Default)]
pub struct LineWish {
    /// Only this stage.
    pub stage: Option<String>,
    /// Only this institution's.
    pub institution: Option<String>,
    /// Only this assay, with its version or without.
    pub assay: Option<String>,
    /// Only whose expectation has lapsed.
    pub stuck: bool,
    /// Only whose whole time is over, while it counts.
    pub late: bool,
    /// Only whose whole time is over within [`SOON_US`], and not yet.
    pub soon: bool,
    /// Only what is late, due soon or stuck: what the board counts as trouble. The other wishes of this kind are not looked at then.
    pub trouble: bool,
    /// Only what somebody paused.
    pub held: bool,
    /// Where the page before ended.
    pub after: Option<String>,
    /// At most so many.
    pub limit: i64,
}

fn stage(word: Option<&str>, who: &Principal) -> Result<(), Refused> {
    let Some(word) = word else { return Ok(()) };
    if Stage::parse(word).is_none() {
        let words: Vec<&str> = Stage::ALL.iter().map(|stage| stage.word()).collect();
        return Err(Refused::Bad(format!("`{}` is no stage; one of {}", word.escape_debug(), words.join(", "))));
    }
    if is_outsider(who) {
        return Err(Refused::NotAllowed(format!("{} may not do this: stages are the center's own", who.name)));
    }
    Ok(())
}

/// Order lines: the longest stuck or late first, else by id. What is in trouble comes as [`trouble::worst`] has it.
///
/// # Errors
/// When they may not see order lines, or the database cannot be read.
pub async fn lines(
    reader: &Reader,
    who: &Principal,
    wish: LineWish,
    now: Micros,
) -> Result<Page<OrderLineView>, Refused> {
    stage(wish.stage.as_deref(), who)?;
    let outside = is_outsider(who);
    if outside && (wish.stuck || wish.late || wish.soon || wish.trouble || wish.held) {
        return Err(Refused::NotAllowed(format!("{} may not do this: it is about the center's own work", who.name)));
    }
    let part = part(who, &[Action::ReadSpecimen], wish.institution.as_deref())?;
    let Some(institution) = part.institution() else { return Ok(Page { items: Vec::new(), next: None }) };
    if wish.trouble {
        return trouble::all(reader, LineWish { institution, ..wish }, now).await;
    }
    let mut filter = LineFilter {
        stage: wish.stage,
        institution,
        assay: wish.assay,
        stuck: wish.stuck,
        late: wish.late || wish.soon,
        held: wish.held,
        // What is due soon is late then; it begins behind what is late already.
        now_us: if wish.soon { now.saturating_add(SOON_US) } else { now },
        after: (if wish.soon { now } else { Micros::MIN }, String::new()),
        limit: wish.limit,
    };
    let listing = filter.listing();
    if let Some(after) = &wish.after {
        let bad = || Refused::Bad(format!("`{}` is no place in this list", after.escape_debug()));
        filter.after = match listing {
            Listing::Id => (Micros::MIN, after.clone()),
            Listing::Lapsed | Listing::Due => {
                let (time, id) = after.split_once('-').ok_or_else(bad)?;
                (time.parse().map_err(|_| bad())?, id.to_owned())
            }
        };
    }
    let rows = reader.lines_listed(&filter).await?;
    let key = |row: &OrderLine| match listing {
        Listing::Lapsed => format!("{}-{}", row.expect_us, row.order_line_id),
        Listing::Due => format!("{}-{}", row.due_us, row.order_line_id),
        Listing::Id => row.order_line_id.clone(),
    };
    let full = i64::try_from(rows.len()).is_ok_and(|len| len >= filter.limit);
    let next = rows.last().filter(|_| full).map(key);
    Ok(Page { items: rows.iter().map(|row| OrderLineView::of(row, outside)).collect(), next })
}

/// How specimens are wanted.
#[derive(Clone, Debug, Default)]
pub struct SpecimenWish {
    /// Only with an order line in this stage.
    pub stage: Option<String>,
    /// Only this institution's.
    pub institution: Option<String>,
    /// Only this program's.
    pub program: Option<String>,
    /// Only ids that begin so.
    pub begins: String,
    /// Where the page before ended.
    pub after: Option<String>,
    /// At most so many.
    pub limit: i64,
}

/// A specimen with what was ordered for it.
#[derive(Clone, Debug, Serialize)]
pub struct SpecimenLine {
    /// The specimen.
    pub specimen: RecordView,
    /// By id.
    pub order_lines: Vec<OrderLineView>,
}

/// Specimens by id.
///
/// # Errors
/// When they may not see specimens, or the database cannot be read.
pub async fn specimens(reader: &Reader, who: &Principal, wish: SpecimenWish) -> Result<Page<SpecimenLine>, Refused> {
    stage(wish.stage.as_deref(), who)?;
    let part = part(who, &[Action::ReadSpecimen], wish.institution.as_deref())?;
    let Some(institution) = part.institution() else { return Ok(Page { items: Vec::new(), next: None }) };
    let SpecimenWish { stage, program, begins, after, limit, .. } = wish;
    let rows = reader.specimens_listed(&SpecimenFilter { stage, institution, program, begins, after, limit }).await?;
    let views = rows.iter().map(RecordView::of).collect();
    let lines = with_lines(reader, views, is_outsider(who)).await?;
    Ok(Page::new(lines, limit, |line: &SpecimenLine| line.specimen.id.clone()))
}

/// Each with its order lines.
async fn with_lines(reader: &Reader, specimens: Vec<RecordView>, outside: bool) -> Result<Vec<SpecimenLine>, Refused> {
    let ids: Vec<String> = specimens.iter().map(|one| one.id.clone()).collect();
    let mut lines: BTreeMap<String, Vec<OrderLineView>> = BTreeMap::new();
    for row in reader.orders_of_specimens(&ids).await? {
        lines.entry(row.specimen_id.clone()).or_default().push(OrderLineView::of(&row, outside));
    }
    let line =
        |specimen: RecordView| SpecimenLine { order_lines: lines.remove(&specimen.id).unwrap_or_default(), specimen };
    Ok(specimens.into_iter().map(line).collect())
}

/// Records of a kind, the last id first.
///
/// # Errors
/// When there is no such kind, they may not see it, or the database cannot be read.
pub async fn records_back(reader: &Reader, who: &Principal, filter: RecordFilter) -> Result<Page<RecordView>, Refused> {
    let kind = Kind::parse(&filter.kind).and_then(actions);
    let actions = kind.ok_or_else(|| super::missing("kind of record", &filter.kind.escape_debug().to_string()))?;
    let Some(owner) = part(who, actions, filter.owner.as_deref())?.institution() else {
        return Ok(Page { items: Vec::new(), next: None });
    };
    let (status, after) = (filter.status.as_deref(), filter.after.as_deref());
    let rows = reader.records_back(&filter.kind, status, owner.as_deref(), after, filter.limit).await?;
    Ok(Page::new(rows.iter().map(RecordView::of).collect(), filter.limit, |record: &RecordView| record.id.clone()))
}

/// An instrument run with what lies on its lanes.
#[derive(Clone, Debug, Serialize)]
pub struct InstrumentRunDetail {
    /// The run.
    pub run: RecordView,
    /// By lane and sample.
    pub lanes: Vec<RecordView>,
    /// Whose data it is, with what was ordered.
    pub specimens: Vec<SpecimenLine>,
}

/// One instrument run.
///
/// # Errors
/// When it is not there or they may not see it.
pub async fn instrument_run(reader: &Reader, who: &Principal, id: &str) -> Result<InstrumentRunDetail, Refused> {
    let run = record(reader, who, Kind::InstrumentRun.word(), id).await?;
    let rows = reader.records_beginning(Kind::LaneLibrary.word(), &format!("{id}/"), LANES_MAX).await?;
    let lanes: Vec<RecordView> = rows.iter().map(RecordView::of).collect();
    let mut specimens = Vec::new();
    let mut ids: Vec<&str> = lanes.iter().map(|lane| lane.specimen.as_str()).filter(|id| !id.is_empty()).collect();
    ids.sort_unstable();
    ids.dedup();
    for id in ids {
        specimens.extend(reader.record(Kind::Specimen.word(), id).await?.as_ref().map(RecordView::of));
    }
    Ok(InstrumentRunDetail { specimens: with_lines(reader, specimens, is_outsider(who)).await?, run, lanes })
}

/// A shipment with its tubes.
#[derive(Clone, Debug, Serialize)]
pub struct ShipmentDetail {
    /// The shipment.
    pub shipment: RecordView,
    /// Its tubes, by id.
    pub items: Vec<RecordView>,
    /// By specimen.
    pub specimens: Vec<SpecimenLine>,
}

/// One shipment.
///
/// # Errors
/// When it is not there or they may not see it.
pub async fn shipment(reader: &Reader, who: &Principal, id: &str) -> Result<ShipmentDetail, Refused> {
    let shipment = record(reader, who, Kind::Shipment.word(), id).await?;
    let rows = reader.records_of(Kind::Item.word(), id).await?;
    let items: Vec<RecordView> = rows.iter().map(RecordView::of).collect();
    let ids: Vec<String> = items.iter().map(|item| item.specimen.clone()).filter(|id| !id.is_empty()).collect();
    let mut lines: BTreeMap<String, Vec<OrderLineView>> = BTreeMap::new();
    for row in reader.orders_of_specimens(&ids).await? {
        lines.entry(row.specimen_id.clone()).or_default().push(OrderLineView::of(&row, is_outsider(who)));
    }
    let line = |item: &RecordView| SpecimenLine {
        specimen: RecordView { id: item.specimen.clone(), ..item.clone() },
        order_lines: lines.get(&item.specimen).cloned().unwrap_or_default(),
    };
    let specimens = items.iter().filter(|item| !item.specimen.is_empty()).map(line).collect();
    Ok(ShipmentDetail { shipment, items, specimens })
}

/// Ids of the records of a kind that a list may be narrowed by; of institutions only those that send.
///
/// # Errors
/// When they may not see them.
pub async fn choices(reader: &Reader, who: &Principal, kind: Kind) -> Result<Vec<(String, String)>, Refused> {
    if is_outsider(who) {
        return Ok(Vec::new());
    }
    let filter = RecordFilter { kind: kind.word().into(), limit: CHOICES_MAX, ..RecordFilter::default() };
    let found = match records(reader, who, filter).await {
        // A list is shown all the same.
        Err(Refused::NotAllowed(_)) => return Ok(Vec::new()),
        other => other?.items,
    };
    let named = |record: RecordView| {
        let name = record.document["name"].as_str().unwrap_or_default().to_owned();
        let sends = kind != Kind::Institution || record.document["role"] == "sender";
        sends.then_some((record.id, name))
    };
    Ok(found.into_iter().filter_map(named).collect())
}

/// A stage in the words of people from outside.
#[must_use]
pub fn public(stage: Stage) -> &'static str {
    coarse(stage)
}
