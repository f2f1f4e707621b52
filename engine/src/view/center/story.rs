//! The story of one specimen and one assay, from its shipment to its accession at the data center: chapters in the order of the log, and
//! the runs, judgments and deliveries that they tell of. It says nothing in words: a page does.
//!
//! Everything is found by the ids of the specimen and of what it reaches. A run with very many attempts is told by its gates alone, so
//! that a page of a specimen costs the same whatever a workflow scatters over.

mod chapter;
mod proof;
mod told;

use std::collections::BTreeSet;

use serde::Serialize;

pub use chapter::{Chapter, EventTold};
pub use proof::{EventProof, Proof, events, proof};
pub use told::{DeliveryTold, PackedFile, RunTold};

use super::access::{Refused, is_outsider, missing};
use super::line::OrderLineView;
use super::record::{RecordView, SpecimenStory, told as event_told};
use crate::id::RunId;
use crate::people::permission::{Action, Principal, permit};
use crate::specimen::expectation::Targets;
use crate::specimen::record::{self, Kind};
use crate::state::order::Stage;
use crate::store::read::{Reader, RunFilter};
use crate::view::{RunView, document};

/// Runs beside the story that come with it.
const OTHER_RUNS: i64 = 50;
/// What people from outside are told of an order line.
const COARSE: [&str; 7] = ["received", "rejected", "delivered", "acknowledged", "canceled", "withdrawn", "given_up"];

/// One specimen and one assay.
#[derive(Clone, Debug, Serialize)]
pub struct Story {
    /// The specimen with everything that reaches it.
    pub known: SpecimenStory,
    /// The order line that it is the story of; none: nothing was ordered.
    pub line: Option<OrderLineView>,
    /// It is told to somebody from outside: coarsely.
    pub outside: bool,
    /// The institution in people's words; its code when nobody said.
    pub sender: String,
    /// Tubes of its shipment.
    pub tubes: i64,
    /// What the assay allows in days; none when it was never described, and for people from outside.
    pub targets: Option<Targets>,
    /// What was agreed to, oldest first; not for people from outside.
    pub consents: Vec<RecordView>,
    /// In the order of the log.
    pub chapters: Vec<Chapter>,
    /// Of every round, oldest first.
    pub runs: Vec<RunTold>,
    /// Of every round, oldest first.
    pub deliveries: Vec<DeliveryTold>,
    /// Runs over this specimen that the story does not tell of, newest first.
    pub other_runs: Vec<RunView>,
}

/// The story of a specimen; of the order line that is asked for, else of one that is not at its end, else of the newest.
///
/// # Errors
/// When it is not there or they may not see it.
pub async fn story(reader: &Reader, who: &Principal, id: &str, order_line: Option<&str>) -> Result<Story, Refused> {
    let known = super::record::specimen(reader, who, id).await?;
    let outside = is_outsider(who);
    let line = chosen(&known, order_line)?;
    let line_id = line.as_ref().map(|line| line.id.clone()).unwrap_or_default();
    let consents = consents(reader, &known, outside).await?;
    let streams = streams(&known, &line_id, &consents);
    let events = reader.events_of(&streams).await?;
    let mut events: Vec<_> = events.iter().map(|row| EventTold::new(row.at_us, event_told(row, outside))).collect();
    if outside {
        let theirs = |event: &EventTold| {
            let told = &event.told;
            !told.of.starts_with("order_line:") || told.n == 1 || COARSE.contains(&told.kind.as_str())
        };
        events.retain(theirs);
    }
    events.sort_by_key(|event| event.told.seq);
    let chapters = chapter::chapters(events, &line_id);
    let institution = reader.record(Kind::Institution.word(), &known.specimen.institution).await?;
    let institution: Option<record::Institution> =
        institution.map(|row| document("an institution", &row.document)).transpose()?;
    let shipment = known.records.iter().find(|one| one.kind == Kind::Item.word()).map(|item| item.parent.clone());
    let tubes = match shipment.filter(|shipment| !shipment.is_empty()) {
        Some(shipment) => reader.count_of(Kind::Item.word(), &shipment).await?,
        None => 0,
    };
    let inside = !outside && permit(who, Action::ReadRun, None).is_ok();
    let (runs, deliveries, other_runs) =
        if inside { work(reader, &known, line.as_ref(), &chapters).await? } else { Default::default() };
    let targets = match &line {
        Some(line) if !outside => targets(reader, &line.assay).await?,
        _ => None,
    };
    Ok(Story {
        outside,
        sender: institution.map(|doc| doc.name).unwrap_or_else(|| known.specimen.institution.clone()),
        tubes,
        targets,
        consents,
        chapters,
        runs,
        deliveries,
        other_runs,
        line,
        known,
    })
}

fn chosen(known: &SpecimenStory, wanted: Option<&str>) -> Result<Option<OrderLineView>, Refused> {
    if let Some(wanted) = wanted {
        let found = known.order_lines.iter().find(|line| line.id == wanted).cloned();
        return found.map(Some).ok_or_else(|| missing("order line", &wanted.escape_debug().to_string()));
    }
    let open = |line: &&OrderLineView| Stage::parse(&line.stage).is_some_and(|stage| !stage.is_end());
    let open = known.order_lines.iter().rev().find(open);
    Ok(open.or(known.order_lines.last()).cloned())
}

async fn consents(reader: &Reader, known: &SpecimenStory, outside: bool) -> Result<Vec<RecordView>, Refused> {
    if outside {
        return Ok(Vec::new());
    }
    let mut found = reader.records_of(Kind::Consent.word(), &known.specimen.parent).await?;
    found.sort_by_key(|row| row.created_us);
    Ok(found.iter().map(RecordView::of).collect())
}

/// What reaches this order line; what is another order line's belongs to its own story.
fn streams(known: &SpecimenStory, line: &str, consents: &[RecordView]) -> Vec<String> {
    let mut streams = vec![format!("specimen:{}", known.specimen.id)];
    if !line.is_empty() {
        streams.push(format!("order_line:{line}"));
    }
    let lines: BTreeSet<&str> = known.order_lines.iter().map(|line| line.id.as_str()).collect();
    for record in &known.records {
        let of = match record.kind.as_str() {
            "delivery" => record.document["order_line"].as_str().unwrap_or_default(),
            _ => record.parent.as_str(),
        };
        if of == line || !lines.contains(of) {
            streams.push(format!("{}:{}", record.kind, record.id));
        }
    }
    streams.extend(consents.iter().map(|consent| format!("consent:{}", consent.id)));
    streams
}

type Work = (Vec<RunTold>, Vec<DeliveryTold>, Vec<RunView>);

async fn work(
    reader: &Reader,
    known: &SpecimenStory,
    line: Option<&OrderLineView>,
    chapters: &[Chapter],
) -> Result<Work, Refused> {
    let mut ids: Vec<RunId> = Vec::new();
    let started = chapters.iter().flat_map(|chapter| &chapter.events).filter(|event| event.kind == "analysis_started");
    for run in started.filter_map(|event| event.body["run"].as_str()).chain(line.and_then(|line| line.run.as_deref())) {
        let run = RunId::from(run);
        if !ids.contains(&run) {
            ids.push(run);
        }
    }
    let (mut runs, mut deliveries) = (Vec::new(), Vec::new());
    for id in &ids {
        runs.extend(told::run(reader, id).await?);
        deliveries.extend(told::deliveries(reader, id).await?);
    }
    let filter = RunFilter { specimen: Some(known.specimen.id.clone()), limit: OTHER_RUNS, ..RunFilter::default() };
    let mut others = crate::view::runs(reader, &filter).await?.items;
    others.retain(|run| !ids.contains(&run.id));
    Ok((runs, deliveries, others))
}

async fn targets(reader: &Reader, assay: &str) -> Result<Option<Targets>, Refused> {
    let Some(row) = reader.record(Kind::Assay.word(), assay).await? else { return Ok(None) };
    let assay: record::Assay = document("an assay", &row.document)?;
    Ok(Some(assay.targets))
}
