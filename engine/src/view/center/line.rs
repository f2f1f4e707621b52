//! Order lines as everybody sees them.

use kentai_workflows::value::Value;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::access::{Refused, is_outsider, missing, part, see};
use crate::clock::Micros;
use crate::people::permission::{Action, Principal};
use crate::scheduler::Hold;
use crate::specimen::expectation::{self, Targets};
use crate::state::order::Stage;
use crate::store::read::{OrderFilter, Reader};
use crate::store::rows::center::OrderLine;
use crate::view::{HoldView, Page, document, time};

const PRIORITIES: [&str; 3] = ["routine", "urgent", "stat"];

/// What must happen next.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ExpectedView {
    /// By whom: `reception`, `lab`, `reviewer` …
    pub owner: String,
    /// By when; later than that it is stuck.
    pub due: String,
}

/// One order line: a specimen and an assay version.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct OrderLineView {
    /// Its id.
    pub id: String,
    /// Specimen.
    pub specimen: String,
    /// Participant's record.
    pub participant: String,
    /// Whose it is.
    pub institution: String,
    /// Program.
    pub program: String,
    /// `wgs_30x@1`
    pub assay: String,
    /// Where it stands; coarse for people from outside: `announced`, `received`, `in_progress`, `needs_sender`, `delivered`, `ended`.
    pub stage: String,
    /// Top-ups and the like open another round.
    pub round: i64,
    /// `routine`, `urgent`, `stat`.
    pub priority: String,
    /// Set while somebody paused it.
    pub held: Option<HoldView>,
    /// The run of this round.
    pub run: Option<String>,
    /// What must happen next; absent at an end and while it is held.
    pub expected: Option<ExpectedView>,
    /// When the whole order is due.
    pub due: String,
    /// What is behind it; null for people from outside.
    pub document: Value,
    /// When it was ordered.
    pub created: String,
    /// When it last moved.
    pub updated: String,
}

impl OrderLineView {
    pub(super) fn of(row: &OrderLine, outside: bool) -> Self {
        let hold: Option<Hold> = serde_json::from_str(&row.hold).unwrap_or_default();
        let hold = hold.map(|hold| HoldView { by: hold.by, reason: hold.reason, since: time(hold.since_us) });
        let view = Self {
            id: row.order_line_id.clone(),
            specimen: row.specimen_id.clone(),
            participant: row.participant_id.clone(),
            institution: row.institution.clone(),
            program: row.program.clone(),
            assay: format!("{}@{}", row.assay, row.assay_version),
            stage: row.stage.clone(),
            round: row.round,
            priority: usize::try_from(row.priority)
                .ok()
                .and_then(|at| PRIORITIES.get(at))
                .unwrap_or(&"stat")
                .to_string(),
            held: hold,
            run: Some(row.run_id.clone()).filter(|run| !run.is_empty()),
            expected: expected(row),
            due: time(row.due_us),
            document: document("an order line", &row.document).unwrap_or_default(),
            created: time(row.created_us),
            updated: time(row.updated_us),
        };
        if outside { view.coarse() } else { view }
    }

    /// What people from outside see: nothing of the center's own work.
    fn coarse(self) -> Self {
        let stage = Stage::parse(&self.stage).map_or("in_progress", coarse).to_owned();
        Self { stage, round: 0, held: None, run: None, expected: None, document: Value::Null, ..self }
    }
}

/// Stages as people from outside see them.
pub(super) fn coarse(stage: Stage) -> &'static str {
    match stage {
        Stage::Expected => "announced",
        Stage::Received => "received",
        Stage::Rejected | Stage::AwaitingMaterial => "needs_sender",
        Stage::Accessioned
        | Stage::InLab
        | Stage::Sequencing
        | Stage::Sequenced
        | Stage::SequenceQcFailed
        | Stage::AwaitingTopUp
        | Stage::Ready
        | Stage::Analyzing
        | Stage::AnalysisFailed
        | Stage::AnalysisQcFailed
        | Stage::ReleaseReview
        | Stage::Released
        | Stage::Offered
        | Stage::Refused
        | Stage::Recalled => "in_progress",
        Stage::Delivered | Stage::Acknowledged | Stage::Archived => "delivered",
        Stage::ClosedFailed | Stage::Withdrawn | Stage::Canceled => "ended",
    }
}

fn expected(row: &OrderLine) -> Option<ExpectedView> {
    if row.expect_us == Micros::MAX {
        return None;
    }
    Some(ExpectedView { owner: owner_of(Stage::parse(&row.stage)?)?, due: time(row.expect_us) })
}

/// Who must act in a stage; none at an end.
pub(super) fn owner_of(stage: Stage) -> Option<String> {
    // Who it is does not depend on the days of the target.
    let owner = expectation::of(stage, 0, &Targets::default())?.owner;
    Some(serde_json::to_value(owner).ok()?.as_str()?.to_owned())
}

/// Order lines, by id.
///
/// # Errors
/// When they may not see order lines, or the database cannot be read.
pub async fn order_lines(
    reader: &Reader,
    who: &Principal,
    filter: OrderFilter,
) -> Result<Page<OrderLineView>, Refused> {
    let stage = filter.stage.as_deref();
    if let Some(word) = stage.filter(|word| Stage::parse(word).is_none()) {
        let words: Vec<&str> = Stage::ALL.iter().map(|stage| stage.word()).collect();
        return Err(Refused::Bad(format!("`{}` is no stage; one of {}", word.escape_debug(), words.join(", "))));
    }
    let part = part(who, &[Action::ReadSpecimen], filter.institution.as_deref())?;
    if stage.is_some() && is_outsider(who) {
        return Err(Refused::NotAllowed(format!("{} may not do this: stages are the center's own", who.name)));
    }
    let Some(institution) = part.institution() else { return Ok(Page { items: Vec::new(), next: None }) };
    let limit = filter.limit;
    let rows = reader.order_lines(&OrderFilter { institution, ..filter }).await?;
    let views = rows.iter().map(|row| OrderLineView::of(row, is_outsider(who))).collect();
    Ok(Page::new(views, limit, |line: &OrderLineView| line.id.clone()))
}

/// One order line.
///
/// # Errors
/// When it is not there or they may not see it.
pub async fn order_line(reader: &Reader, who: &Principal, id: &str) -> Result<OrderLineView, Refused> {
    let row = reader.order_line(id).await?;
    see(who, &[Action::ReadSpecimen], row.as_ref().map(|row| row.institution.as_str()), missing("order line", id))?;
    let row = row.ok_or_else(|| missing("order line", id))?;
    Ok(OrderLineView::of(&row, is_outsider(who)))
}

/// Order lines whose expectation had lapsed at `now`, the longest ago first. `after` is the `next` of an earlier page.
///
/// # Errors
/// When they may not see the site, `after` is no place of a page, or the database cannot be read.
pub async fn stuck(
    reader: &Reader,
    who: &Principal,
    now: Micros,
    (after, limit): (Option<&str>, i64),
) -> Result<Page<OrderLineView>, Refused> {
    let part = part(who, &[Action::ReadSite], None)?;
    let after = match after {
        Some(text) => {
            let place = text.split_once('-').and_then(|(at, id)| Some((at.parse().ok()?, id)));
            place.ok_or_else(|| Refused::Bad(format!("`{}` is no place in this list", text.escape_debug())))?
        }
        None => (Micros::MIN, ""),
    };
    let Some(institution) = part.institution() else { return Ok(Page { items: Vec::new(), next: None }) };
    let rows = reader.stuck_after(now, institution.as_deref(), after, limit).await?;
    let full = i64::try_from(rows.len()).is_ok_and(|len| len >= limit);
    let next = rows.last().filter(|_| full).map(|row| format!("{}-{}", row.expect_us, row.order_line_id));
    Ok(Page { items: rows.iter().map(|row| OrderLineView::of(row, is_outsider(who))).collect(), next })
}

/// How many order lines stand in each stage; stages without any are left out.
///
/// # Errors
/// When they may not see the site, or the database cannot be read.
pub async fn stages(reader: &Reader, who: &Principal) -> Result<Vec<(String, i64)>, Refused> {
    if is_outsider(who) {
        return Err(Refused::NotAllowed(format!("{} may not do this: it is about the whole center", who.name)));
    }
    part(who, &[Action::ReadSite], None)?;
    Ok(reader.stage_counts().await?.into_iter().map(|row| (row.stage, row.count)).collect())
}
