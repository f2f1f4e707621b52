//! Records as everybody sees them: one, a list, everything of a specimen, of a participant, of a withdrawal.

use kentai_workflows::value::Value;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::access::{Refused, is_outsider, missing, part, see};
use super::line::OrderLineView;
use crate::people::permission::{Action, Principal};
use crate::specimen::record::Kind;
use crate::store::read::{Reader, RecordFilter};
use crate::store::rows;
use crate::store::rows::center::{Participant, Record};
use crate::view::{Page, document, time};

/// What identifies a participant by name.
const PSEUDONYM: &str = "pseudonym";

/// One record.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RecordView {
    /// What it is: `shipment`, `item`, `work_request` …
    pub kind: String,
    /// Its id.
    pub id: String,
    /// What it belongs to; may be empty.
    pub parent: String,
    /// The specimen that it reaches; may be empty.
    pub specimen: String,
    /// Whose it is; empty: the center's.
    pub institution: String,
    /// Where it stands.
    pub status: String,
    /// What it says; times are microseconds since the epoch.
    pub document: Value,
    /// When it was made.
    pub created: String,
    /// When it last changed.
    pub updated: String,
}

impl RecordView {
    pub(super) fn of(row: &Record) -> Self {
        Self {
            kind: row.kind.clone(),
            id: row.record_id.clone(),
            parent: row.parent.clone(),
            specimen: row.specimen_id.clone(),
            institution: row.owner.clone(),
            status: row.status.clone(),
            document: document("a record", &row.document).unwrap_or_default(),
            created: time(row.created_us),
            updated: time(row.updated_us),
        }
    }
}

/// A pseudonym and what is in force.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ParticipantView {
    /// The record's id.
    pub id: String,
    /// Program.
    pub program: String,
    /// Issued outside: never a name.
    pub pseudonym: String,
    /// Who announced them.
    pub institution: String,
    /// `unknown`, `given`, `partial`, `refused`, `withdrawn`, `expired`.
    pub consent: String,
    /// Uses that are covered.
    pub scopes: Vec<String>,
    /// Changes with every change of consent.
    pub consent_epoch: i64,
    /// More about them.
    pub document: Value,
    /// When they were announced.
    pub created: String,
    /// When something last changed.
    pub updated: String,
}

impl ParticipantView {
    fn of(row: &Participant) -> Self {
        Self {
            id: row.participant_id.clone(),
            program: row.program.clone(),
            pseudonym: row.pseudonym.clone(),
            institution: row.institution.clone(),
            consent: row.consent.clone(),
            scopes: document("scopes", &row.scopes).unwrap_or_default(),
            consent_epoch: row.consent_epoch,
            document: document("a participant", &row.document).unwrap_or_default(),
            created: time(row.created_us),
            updated: time(row.updated_us),
        }
    }
}

/// A participant with every consent that was recorded, oldest first.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ParticipantDetail {
    /// What is in force.
    pub participant: ParticipantView,
    /// What was recorded.
    pub consents: Vec<RecordView>,
}

/// Everything of a specimen, as it stands.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SpecimenStory {
    /// The specimen.
    pub specimen: RecordView,
    /// Whose it is.
    pub participant: Option<ParticipantView>,
    /// What was ordered.
    pub order_lines: Vec<OrderLineView>,
    /// Every other record that reaches it; only its item for people from outside.
    pub records: Vec<RecordView>,
}

/// A withdrawal with everything that is to be decided and answered.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CaseDetail {
    /// The case.
    pub case: RecordView,
    /// Things.
    pub items: Vec<RecordView>,
    /// Messages.
    pub notices: Vec<RecordView>,
}

/// Something that happened to a specimen.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct HistoryView {
    /// Number in the whole log.
    pub seq: i64,
    /// To what: `specimen:S…`, `order_line:O…`, a run's id.
    pub of: String,
    /// Number within that.
    pub n: i64,
    /// When.
    pub at: String,
    /// What.
    pub kind: String,
    /// A person, or `engine`; empty for people from outside.
    pub actor: String,
    /// The role that allowed it.
    pub role: String,
    /// More about it; null for people from outside.
    pub body: Value,
}

/// Who may see a record of this kind; none: not here.
pub(super) fn actions(kind: Kind) -> Option<&'static [Action]> {
    Some(match kind {
        // Secrets and sign-in have doors of their own.
        Kind::Person | Kind::Identity | Kind::Token | Kind::Session => return None,
        Kind::Specimen | Kind::Item | Kind::Shipment | Kind::Consent => &[Action::ReadSpecimen],
        Kind::Case | Kind::CaseItem | Kind::Notice => {
            &[Action::ReadWithdrawn, Action::WithdrawalDecide, Action::ReadAudit]
        }
        Kind::Checkpoint => &[Action::ReadAudit],
        Kind::Delivery | Kind::Retirement => &[Action::ReadRun],
        Kind::Institution | Kind::Program | Kind::Assay => &[Action::ReadSite, Action::Configure],
        Kind::Library
        | Kind::InstrumentRun
        | Kind::LaneLibrary
        | Kind::WorkRequest
        | Kind::Deviation
        | Kind::Custody
        | Kind::Transfer
        | Kind::Decision
        | Kind::Evaluation
        | Kind::Schedule
        | Kind::Executor
        | Kind::Proposal => &[Action::ReadSite],
    })
}

fn known(word: &str) -> Result<(Kind, &'static [Action]), Refused> {
    let kind = Kind::parse(word).and_then(|kind| actions(kind).map(|actions| (kind, actions)));
    kind.ok_or_else(|| missing("kind of record", &word.escape_debug().to_string()))
}

/// Records of a kind, by id.
///
/// # Errors
/// When there is no such kind or they may not see it.
pub async fn records(reader: &Reader, who: &Principal, filter: RecordFilter) -> Result<Page<RecordView>, Refused> {
    let (_, actions) = known(&filter.kind)?;
    let Some(owner) = part(who, actions, filter.owner.as_deref())?.institution() else {
        return Ok(Page { items: Vec::new(), next: None });
    };
    let limit = filter.limit;
    let rows = reader.records(&RecordFilter { owner, ..filter }).await?;
    Ok(Page::new(rows.iter().map(RecordView::of).collect(), limit, |record: &RecordView| record.id.clone()))
}

/// One record.
///
/// # Errors
/// When it is not there or they may not see it.
pub async fn record(reader: &Reader, who: &Principal, kind: &str, id: &str) -> Result<RecordView, Refused> {
    let (kind, actions) = known(kind)?;
    let row = reader.record(kind.word(), id).await?;
    let gone = || missing(kind.word(), id);
    see(who, actions, row.as_ref().map(|row| row.owner.as_str()), gone())?;
    row.as_ref().map(RecordView::of).ok_or_else(gone)
}

/// Everything of a specimen.
///
/// # Errors
/// When it is not there or they may not see it.
pub async fn specimen(reader: &Reader, who: &Principal, id: &str) -> Result<SpecimenStory, Refused> {
    let specimen = record(reader, who, Kind::Specimen.word(), id).await?;
    let outside = is_outsider(who);
    let participant = reader.participant(&specimen.parent).await?;
    let orders = reader.orders_of_specimen(id).await?;
    let about = reader.records_about(id).await?;
    let shown = |row: &&Record| row.kind != Kind::Specimen.word() && (!outside || row.kind == Kind::Item.word());
    Ok(SpecimenStory {
        participant: participant.as_ref().map(ParticipantView::of),
        order_lines: orders.iter().map(|row| OrderLineView::of(row, outside)).collect(),
        records: about.iter().filter(shown).map(RecordView::of).collect(),
        specimen,
    })
}

/// What happened to a specimen, in the log's order: to itself, its order lines, its records and its runs.
///
/// # Errors
/// When it is not there or they may not see it.
pub async fn history(reader: &Reader, who: &Principal, id: &str) -> Result<Page<HistoryView>, Refused> {
    record(reader, who, Kind::Specimen.word(), id).await?;
    let outside = is_outsider(who);
    let mut streams = vec![format!("specimen:{id}")];
    for order in reader.orders_of_specimen(id).await? {
        streams.push(format!("order_line:{}", order.order_line_id));
        if !outside {
            let doc: crate::specimen::record::OrderLine = document("an order line", &order.document)?;
            streams.extend(doc.earlier_runs.into_iter().chain([order.run_id]).filter(|run| !run.is_empty()));
        }
    }
    for about in reader.records_about(id).await? {
        let shown = if outside { about.kind == Kind::Item.word() } else { about.kind != Kind::Specimen.word() };
        if shown {
            streams.push(format!("{}:{}", about.kind, about.record_id));
        }
    }
    let mut events = Vec::new();
    for stream in streams {
        events.extend(reader.stream(&stream).await?.iter().map(|row| told(row, outside)));
    }
    events.sort_by_key(|event| event.seq);
    if outside {
        // The center's own steps between arrival and hand-off are not told to people from outside.
        let coarse = ["received", "rejected", "delivered", "acknowledged", "canceled", "withdrawn", "given_up"];
        let is_theirs = |event: &HistoryView| {
            !event.of.starts_with("order_line:") || event.n == 1 || coarse.contains(&event.kind.as_str())
        };
        events.retain(is_theirs);
    }
    Ok(Page { items: events, next: None })
}

pub(super) fn told(row: &rows::Event, outside: bool) -> HistoryView {
    let body = if outside { Value::Null } else { document("an event", &row.body).unwrap_or_default() };
    let only_inside = |text: &str| if outside { String::new() } else { text.to_owned() };
    HistoryView {
        seq: row.seq,
        of: row.stream.clone(),
        n: row.n,
        at: time(row.at_us),
        kind: row.kind.clone(),
        actor: only_inside(&row.actor),
        role: only_inside(&row.role),
        body,
    }
}

/// A participant with every consent.
///
/// # Errors
/// When they are not there or may not be seen.
pub async fn participant(
    reader: &Reader,
    who: &Principal,
    program: &str,
    pseudonym: &str,
) -> Result<ParticipantDetail, Refused> {
    let row = match reader.named(PSEUDONYM, &format!("{program}/{pseudonym}")).await? {
        Some(id) => reader.participant(&id).await?,
        None => None,
    };
    let gone = || missing("participant", pseudonym);
    see(who, &[Action::ReadSpecimen], row.as_ref().map(|row| row.institution.as_str()), gone())?;
    let row = row.ok_or_else(gone)?;
    let mut consents = reader.records_of(Kind::Consent.word(), &row.participant_id).await?;
    consents.sort_by_key(|consent| consent.created_us);
    Ok(ParticipantDetail {
        participant: ParticipantView::of(&row),
        consents: consents.iter().map(RecordView::of).collect(),
    })
}

/// A withdrawal with everything that is to be decided and answered.
///
/// # Errors
/// When it is not there or they may not see it.
pub async fn case(reader: &Reader, who: &Principal, id: &str) -> Result<CaseDetail, Refused> {
    let case = record(reader, who, Kind::Case.word(), id).await?;
    let of = async |kind: Kind| -> Result<Vec<RecordView>, Refused> {
        Ok(reader.records_of(kind.word(), id).await?.iter().map(RecordView::of).collect())
    };
    Ok(CaseDetail { items: of(Kind::CaseItem).await?, notices: of(Kind::Notice).await?, case })
}
