//! Why an order line, a specimen, a lane or a delivery stands where it stands: read from rows alone, so that it is quick and needs no
//! engine. What a run itself waits for is the run's own answer.

mod delivery;
pub(super) mod things;

use kentai_workflows::diagnostic::Language;
use schemars::JsonSchema;
use serde::Serialize;

use super::access::{Refused, is_outsider, missing, see};
use super::inside::{Inner, inside};
use crate::clock::Micros;
use crate::people::permission::{Action, Principal};
use crate::scheduler::Hold;
use crate::scheduler::center::why::{EMERGENCY, assay_id};
use crate::specimen::record::{self, Kind};
use crate::specimen::sentence::Because;
use crate::state::consent::Status;
use crate::state::order::Stage;
use crate::store::read::Reader;
use crate::store::rows::center::{OrderLine, Participant, Record};
use crate::view::time;

/// An answer to `why`.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct WhyView {
    /// `order_line O…`
    pub about: String,
    /// Where it stands.
    pub status: String,
    /// In one sentence.
    pub said: String,
    /// The reason with its values.
    #[serde(flatten)]
    pub because: Option<Because>,
    /// Who must act.
    pub owner: Option<String>,
    /// What may be done.
    pub offered: Vec<String>,
    /// By when something must happen.
    pub due: Option<String>,
    /// That time is over.
    pub stuck: bool,
}

/// Why something of the center stands where it stands. None: it is nothing of the center's (perhaps a run).
///
/// # Errors
/// When they may not see it, or the database cannot be read.
pub async fn why(
    reader: &Reader,
    who: &Principal,
    thing: &str,
    now: Micros,
    language: Language,
) -> Result<Option<Vec<WhyView>>, Refused> {
    match found(reader, who, thing, now, language).await {
        // Whoever is from outside is not even told of what kind it is: what is not there has none.
        Err(Refused::NotFound(_)) if is_outsider(who) => Ok(None),
        other => other,
    }
}

async fn found(
    reader: &Reader,
    who: &Principal,
    thing: &str,
    now: Micros,
    language: Language,
) -> Result<Option<Vec<WhyView>>, Refused> {
    if let Some(row) = reader.order_line(thing).await? {
        see(who, &[Action::ReadSpecimen], Some(&row.institution), missing("order line", thing))?;
        return Ok(Some(vec![of_order(reader, who, &row, now, language).await?]));
    }
    if let Some(row) = reader.record(Kind::Specimen.word(), thing).await? {
        return Ok(Some(of_specimen(reader, who, row, now, language).await?));
    }
    if let Some(row) = reader.record(Kind::LaneLibrary.word(), thing).await? {
        see(who, &[Action::ReadSpecimen], Some(&row.owner), missing("lane", thing))?;
        return Ok(Some(vec![of_lane(thing, &row.status, &row.document, language)]));
    }
    if let Some(row) = reader.delivery(thing).await? {
        inside(reader, who, Inner::Delivery, Some(thing)).await?;
        if let Some(record) = reader.record(Kind::Delivery.word(), thing).await? {
            return Ok(Some(vec![delivery::at_receiver(&record, now, language)?]));
        }
        let run = reader.run(row.run_id.as_str()).await?.map(|run| run.order_line_id).unwrap_or_default();
        let order = reader.order_line(&run).await?;
        let mut answer = match order {
            Some(order) => of_order(reader, who, &order, now, language).await?,
            None => plain(String::new(), row.status.clone(), format!("{} at {}", row.status, row.target)),
        };
        answer.about = format!("delivery {thing} to {}", row.target);
        answer.status = row.status;
        return Ok(Some(vec![answer]));
    }
    if let Some(view) = things::thing(reader, who, thing, language).await? {
        return Ok(Some(vec![view]));
    }
    of_barcode(reader, who, thing, now, language).await
}

async fn of_specimen(
    reader: &Reader,
    who: &Principal,
    row: Record,
    now: Micros,
    language: Language,
) -> Result<Vec<WhyView>, Refused> {
    let id = &row.record_id;
    see(who, &[Action::ReadSpecimen], Some(&row.owner), missing("specimen", id))?;
    let orders = reader.orders_of_specimen(id).await?;
    if orders.is_empty() {
        let said = match language {
            Language::En => "nobody ordered anything for it; owner: institution; offered: order",
            Language::Ja => "依頼がありません。担当: 依頼施設。選択肢: 依頼",
        };
        return Ok(vec![plain(format!("specimen {id}"), row.status, said.to_owned())]);
    }
    let mut all = Vec::new();
    for order in orders {
        all.push(of_order(reader, who, &order, now, language).await?);
    }
    Ok(all)
}

async fn of_barcode(
    reader: &Reader,
    who: &Principal,
    text: &str,
    now: Micros,
    language: Language,
) -> Result<Option<Vec<WhyView>>, Refused> {
    let (specimens, extra) = things::barcode(reader, who, text).await?;
    let mut all = Vec::new();
    for id in specimens {
        if let Some(row) = reader.record(Kind::Specimen.word(), &id).await? {
            all.extend(of_specimen(reader, who, row, now, language).await?);
        }
    }
    for row in extra {
        see(who, &[Action::ReadSpecimen], Some(&row.owner), missing("barcode", text))?;
        all.push(things::of_extra(&row, language));
    }
    Ok((!all.is_empty()).then_some(all))
}

fn plain(about: String, status: String, said: String) -> WhyView {
    WhyView { about, status, said, because: None, owner: None, offered: Vec::new(), due: None, stuck: false }
}

fn of_lane(id: &str, status: &str, document: &str, language: Language) -> WhyView {
    let lane: record::LaneLibrary = serde_json::from_str(document).unwrap_or_default();
    let (counts, r#use) = (lane.counts_toward_order, lane.use_downstream);
    let yes = |answer: bool, en: &'static str, ja: &'static str| match (language, answer) {
        (Language::En, true) => en.to_owned(),
        (Language::En, false) => en.replace("counts", "does not count").replace("may", "may not"),
        (Language::Ja, true) => ja.to_owned(),
        (Language::Ja, false) => format!("{ja}(否)"),
    };
    let first = yes(counts, "it counts toward the order", "依頼数に算入");
    let second = yes(r#use, "a workflow may use it", "解析に使用可");
    let reason = if lane.reason.is_empty() { String::new() } else { format!(": {}", lane.reason) };
    let said = format!("{} reads; {first}; {second} ({}{reason})", lane.reads, lane.decided_by);
    plain(format!("lane {id}"), status.to_owned(), said)
}

async fn of_order(
    reader: &Reader,
    who: &Principal,
    row: &OrderLine,
    now: Micros,
    language: Language,
) -> Result<WhyView, Refused> {
    if is_outsider(who) {
        let public = Stage::parse(&row.stage).map_or("at_the_center", Stage::public);
        return Ok(things::outside(row, public, language));
    }
    let because = reason(reader, row, now).await?;
    let late = row.expect_us != Micros::MAX && row.expect_us <= now;
    let mut said = because.say(language);
    if late {
        let hours = (now - row.expect_us) / 3_600_000_000;
        said += &match (language, hours / 24) {
            (Language::En, 0) => format!("; stuck for {hours} h"),
            (Language::En, days) => format!("; stuck for {days} d"),
            (Language::Ja, 0) => format!("。{hours} 時間停滞"),
            (Language::Ja, days) => format!("。{days} 日停滞"),
        };
    }
    let offered = because.offered().iter().map(|(en, ja)| match language {
        Language::En => (*en).to_owned(),
        Language::Ja => (*ja).to_owned(),
    });
    Ok(WhyView {
        about: format!("order_line {}", row.order_line_id),
        status: row.stage.clone(),
        said,
        owner: because.owner().map(|owner| owner.words().0.to_owned()),
        offered: offered.collect(),
        because: Some(because),
        due: (row.expect_us != Micros::MAX).then(|| time(row.expect_us)),
        stuck: late,
    })
}

/// The one rule that does not hold.
pub(super) async fn reason(reader: &Reader, row: &OrderLine, now: Micros) -> Result<Because, Refused> {
    let doc: record::OrderLine = serde_json::from_str(&row.document).unwrap_or_default();
    let since_us = doc.since.get(&row.stage).copied().unwrap_or(row.updated_us);
    let Some(stage) = Stage::parse(&row.stage) else {
        return Ok(Because::Ended { how: row.stage.clone(), reason: "nobody understands this stage".into(), since_us });
    };
    if let Ok(Some(hold)) = serde_json::from_str::<Option<Hold>>(&row.hold) {
        return Ok(Because::Held { by: hold.by, reason: hold.reason, since_us: hold.since_us });
    }
    if let Some(because) = forbidden(reader, row, stage, now).await? {
        return Ok(because);
    }
    let run = row.run_id.clone();
    Ok(match stage {
        Stage::Expected => arrival(reader, &row.specimen_id).await?,
        Stage::Received => Because::WaitsForAccession,
        Stage::Rejected => Because::Rejected { condition: doc.reason },
        Stage::Accessioned | Stage::InLab | Stage::AwaitingTopUp => lab(reader, row).await?,
        Stage::Sequencing => Because::WaitsForInstrument,
        Stage::Sequenced | Stage::SequenceQcFailed => {
            Because::ReadsShort { reads: doc.reads, needed: doc.reads_needed, ordered: doc.reads_ordered }
        }
        Stage::AwaitingMaterial => Because::WaitsForMaterial { since_us },
        Stage::Ready => ready(reader, row, doc).await?,
        Stage::Analyzing => Because::Runs { run, reason: doc.reason },
        Stage::AnalysisFailed => Because::RunFailed { run, reason: doc.reason },
        Stage::AnalysisQcFailed => Because::GateHolds { run, reason: doc.reason },
        Stage::ReleaseReview => Because::WaitsForReview { run },
        Stage::Released => Because::WaitsForHandOff,
        Stage::Offered => Because::WaitsForReceiver { since_us, delivered: false },
        Stage::Delivered => Because::WaitsForReceiver { since_us, delivered: true },
        Stage::Refused => Because::RefusedByReceiver { reason: doc.reason },
        Stage::Recalled => Because::Recalled { reason: doc.reason },
        Stage::Acknowledged | Stage::Archived | Stage::ClosedFailed | Stage::Withdrawn | Stage::Canceled => {
            Because::Ended { how: row.stage.clone(), reason: doc.reason, since_us }
        }
    })
}

/// What stops everything, whatever else is missing: no consent, or the emergency stop.
async fn forbidden(reader: &Reader, row: &OrderLine, stage: Stage, now: Micros) -> Result<Option<Because>, Refused> {
    // Before it has arrived, or when it waits for new material, consent may still come; when it has left, it is too late for the guard.
    let early = matches!(stage, Stage::Expected | Stage::Rejected | Stage::AwaitingMaterial);
    let left =
        matches!(stage, Stage::Offered | Stage::Delivered | Stage::Acknowledged | Stage::Refused | Stage::Recalled);
    if early || left || stage.is_end() {
        return Ok(None);
    }
    if let Some(because) = consent(reader, row, now).await? {
        return Ok(Some(because));
    }
    let started_by_engine = matches!(stage, Stage::Ready | Stage::Analyzing | Stage::Released);
    if started_by_engine && let Some(stop) = reader.record(Kind::Schedule.word(), EMERGENCY).await? {
        let document: serde_json::Value = serde_json::from_str(&stop.document).unwrap_or_default();
        if let Ok(Some(hold)) = serde_json::from_value::<Option<Hold>>(document["stop"].clone()) {
            return Ok(Some(Because::SiteStopped { by: hold.by, reason: hold.reason }));
        }
    }
    Ok(None)
}

async fn arrival(reader: &Reader, specimen: &str) -> Result<Because, Refused> {
    let items = reader.records_about(specimen).await?;
    let shipment =
        items.into_iter().find(|row| row.kind == Kind::Item.word()).map(|row| row.parent).unwrap_or_default();
    let known = reader.record(Kind::Shipment.word(), &shipment).await?;
    let sent_us = known.and_then(|row| serde_json::from_str::<record::Shipment>(&row.document).ok()?.sent_us);
    Ok(Because::WaitsForArrival { shipment, sent_us })
}

async fn assay(reader: &Reader, row: &OrderLine) -> Result<record::Assay, Refused> {
    let known = reader.record(Kind::Assay.word(), &assay_id(&row.assay, &row.assay_version)).await?;
    Ok(known.and_then(|row| serde_json::from_str(&row.document).ok()).unwrap_or_default())
}

/// What consent lacks for this order line's assay.
async fn consent(reader: &Reader, row: &OrderLine, now: Micros) -> Result<Option<Because>, Refused> {
    let wanted = assay(reader, row).await?.consent_use;
    let wanted = if wanted.is_empty() { "sequencing".to_owned() } else { wanted };
    let Some(participant) = reader.participant(&row.participant_id).await? else { return Ok(None) };
    let Participant { pseudonym, mut consent, scopes, expires_us, .. } = participant;
    if expires_us <= now {
        Status::Expired.word().clone_into(&mut consent);
    }
    let covered: Vec<String> = serde_json::from_str(&scopes).unwrap_or_default();
    let in_force = matches!(consent.as_str(), "given" | "partial") && covered.contains(&wanted);
    Ok((!in_force).then_some(Because::NoConsent { pseudonym, consent, wanted, covered }))
}

async fn lab(reader: &Reader, row: &OrderLine) -> Result<Because, Refused> {
    let wishes = reader.records_of(Kind::WorkRequest.word(), &row.order_line_id).await?;
    let open = wishes.into_iter().rfind(|row| !matches!(row.status.as_str(), "fulfilled" | "refused" | "canceled"));
    let wish: Option<record::WorkRequest> = open.and_then(|row| serde_json::from_str(&row.document).ok());
    Ok(match wish {
        Some(wish) => Because::WaitsForLab { reads_missing: wish.reads_missing, wish: Some(wish.wish) },
        None => Because::WaitsForLab { wish: None, reads_missing: 0 },
    })
}

async fn ready(reader: &Reader, row: &OrderLine, doc: record::OrderLine) -> Result<Because, Refused> {
    let assay = assay(reader, row).await?;
    if assay.family && doc.singleton_by.is_empty() {
        let missing = family(reader, row).await?;
        if !missing.is_empty() {
            return Ok(Because::FamilyIncomplete { missing });
        }
    }
    Ok(match () {
        () if assay.workflow.is_empty() => Because::NoWorkflow,
        () if !doc.reason.is_empty() => Because::NotStarted { reason: doc.reason },
        () => Because::WaitsForEngine,
    })
}

async fn family(reader: &Reader, row: &OrderLine) -> Result<Vec<String>, Refused> {
    let Some(participant) = reader.participant(&row.participant_id).await? else { return Ok(Vec::new()) };
    let mut missing = Vec::new();
    for member in reader.family(&participant.program, &participant.family).await? {
        let orders = reader.orders_of_participant(&member.participant_id).await?;
        let is_ready = |order: &OrderLine| {
            let at = Stage::parse(&order.stage);
            order.assay == row.assay && at.is_some_and(|at| at == Stage::Ready || at.is_past_ready())
        };
        if !orders.iter().any(is_ready) {
            missing.push(member.pseudonym);
        }
    }
    Ok(missing)
}
