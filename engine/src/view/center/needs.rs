//! What needs a person: one list of everything that goes on by itself no more, the longest waiting first, each with who may act.
//!
//! The list holds what is needed to sort and count it, and is gathered once for all readers; the sentence of what is shown is said then, in
//! the reader's language.

mod said;

use std::collections::BTreeSet;

use super::access::Refused;
use super::proposal::roles_of;
use crate::clock::Micros;
use crate::people::permission::{Action, Principal, permit};
use crate::people::role::Role;
use crate::qc::verdict::Evaluation;
use crate::specimen::record::{CaseItem, Delivery, Deviation, Kind as Record, OrderLine, Proposal};
use crate::state::words;
use crate::state::{case_item, order::Stage};
use crate::store::read::{Reader, RecordFilter};
use crate::store::rows::center::Record as Row;
use crate::store::rows::detail::Detail;
use crate::view::document;

/// Things of one kind that are gathered at most: more than that nobody looks through, and the list says that it ends.
pub const MOST: i64 = 5_000;

words!(
    /// What is wanted of a person.
    Kind {
        /// A releaser's yes before something leaves.
        Release = "release",
        /// An answer to a workflow's question.
        Approval = "approval",
        /// A decision about a gate that holds.
        QcHold = "qc_hold",
        /// To let go what a workflow holds.
        Hold = "hold",
        /// A way out of too few reads.
        Reads = "reads",
        /// What becomes of a tube that was not accepted.
        Rejected = "rejected",
        /// What becomes of a run that failed.
        RunFailed = "run_failed",
        /// To look who it is: sex or fingerprint do not match.
        Identity = "identity",
        /// To deal with what was not as it should be.
        Deviation = "deviation",
        /// To deal with a receiver's refusal.
        ReceiptRefused = "receipt_refused",
        /// To ask a receiver that has not answered in time.
        ReceiptLate = "receipt_late",
        /// What becomes of what was called back.
        Recalled = "recalled",
        /// To decide or confirm what a withdrawal is about.
        Withdrawal = "withdrawal",
        /// The second person's yes.
        Proposal = "proposal",
    }
);

/// What it is about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum About {
    /// An order line, and its specimen.
    OrderLine(String, String),
    /// A step of a run, and the run's specimen.
    Step(String, String, String),
    /// A run, and its specimen.
    Run(String, String),
    /// A delivery.
    Delivery(String),
    /// A case of withdrawal.
    Case(String),
    /// A deviation, and the specimen that it reaches, if any.
    Deviation(String, String),
    /// A proposal, and the order line that it is about, if any.
    Proposal(String, String),
    /// A proposal to let the copies of a delivery go, and the delivery.
    Retirement(String, String),
}

/// One thing that needs a person.
#[derive(Clone, Debug, PartialEq)]
pub struct Need {
    /// What is wanted.
    pub kind: Kind,
    /// What it is about.
    pub about: About,
    /// Since when.
    pub since_us: Micros,
    /// One of these roles may act.
    pub roles: Vec<String>,
    /// People who may not, because they were the first.
    pub not_by: Vec<String>,
    /// What the sentence is made of, where it is known already.
    known: Known,
}

#[derive(Clone, Debug, PartialEq)]
enum Known {
    /// It is read when it is said.
    Nothing,
    Step(Box<Detail>),
    /// Things to decide, to confirm, to be done.
    Case(usize, usize, usize),
    Deviation(String),
    Delivery(Box<Delivery>, String),
    Proposal(String, String),
}

/// Everything that needs a person.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Needs {
    /// The longest waiting first.
    pub items: Vec<Need>,
}

impl Need {
    /// Do they see it? What is of a withdrawal only those do who may see withdrawals.
    #[must_use]
    pub fn is_for(&self, who: &Principal) -> bool {
        let officers = [Action::ReadWithdrawn, Action::WithdrawalDecide, Action::ReadAudit];
        self.kind != Kind::Withdrawal || officers.iter().any(|action| permit(who, *action, None).is_ok())
    }

    /// May they act? The engine asks again when they do.
    #[must_use]
    pub fn may(&self, who: &Principal) -> bool {
        let role = self.roles.iter().filter_map(|role| Role::parse(role)).any(|role| who.roles.contains(&role));
        role && !self.not_by.contains(&who.name)
    }

    /// The order line, run or record that it is about, as one key: the same thing has the same.
    #[must_use]
    pub fn key(&self) -> String {
        match &self.about {
            About::OrderLine(id, _)
            | About::Run(id, _)
            | About::Delivery(id)
            | About::Case(id)
            | About::Deviation(id, _)
            | About::Proposal(id, _)
            | About::Retirement(id, _) => format!("{}-{id}", self.kind),
            About::Step(run, step, _) => format!("{}-{run}-{step}", self.kind),
        }
    }
}

/// Stages in which nothing goes on by itself, and what is wanted there.
const STAGES: [(Stage, Kind, Action); 7] = [
    (Stage::Rejected, Kind::Rejected, Action::QcDecide),
    (Stage::SequenceQcFailed, Kind::Reads, Action::QcDecide),
    (Stage::AnalysisFailed, Kind::RunFailed, Action::Retry),
    (Stage::AnalysisQcFailed, Kind::QcHold, Action::QcDecide),
    (Stage::ReleaseReview, Kind::Release, Action::Release),
    (Stage::Refused, Kind::ReceiptRefused, Action::HandOff),
    (Stage::Recalled, Kind::Recalled, Action::HandOff),
];

fn roles(action: Action) -> Vec<String> {
    action.roles().iter().map(|role| role.word().to_owned()).collect()
}

/// Gathers everything that needs a person. For all readers alike: whoever shows it asks `board::may_see` and [`Need::is_for`].
///
/// # Errors
/// When the database cannot be read.
pub async fn gather(reader: &Reader, now: Micros) -> Result<Needs, Refused> {
    let mut items = Vec::new();
    // What has a question of its own is not listed twice.
    let mut asked = BTreeSet::new();
    steps(reader, &mut items, &mut asked).await?;
    deliveries(reader, now, &mut items, &mut asked).await?;
    for (stage, kind, action) in STAGES {
        for row in reader.needy_orders(stage.word(), MOST).await? {
            if !asked.contains(&row.order_line_id) {
                let about = About::OrderLine(row.order_line_id, row.specimen_id);
                items.push(need(kind, about, row.since_us, roles(action), Known::Nothing));
            }
        }
    }
    for row in reader.needy_runs(MOST).await? {
        let about = About::Run(row.run_id, row.specimen_id);
        items.push(need(Kind::RunFailed, about, row.updated_us, roles(Action::Retry), Known::Nothing));
    }
    deviations(reader, &mut items).await?;
    cases(reader, &mut items).await?;
    proposals(reader, now, &mut items).await?;
    items.sort_by(|one, other| (one.since_us, &one.about).cmp(&(other.since_us, &other.about)));
    Ok(Needs { items })
}

fn need(kind: Kind, about: About, since_us: Micros, roles: Vec<String>, known: Known) -> Need {
    Need { kind, about, since_us, roles, not_by: Vec::new(), known }
}

async fn steps(reader: &Reader, items: &mut Vec<Need>, asked: &mut BTreeSet<String>) -> Result<(), Refused> {
    for row in reader.needy_steps(MOST).await? {
        let detail: Detail = document("a step's detail", &row.detail)?;
        let Some(ask) = &detail.ask else { continue };
        let releases = ask.roles.iter().any(|role| role == Role::Releaser.word());
        let kind = match ask.kind.as_str() {
            "qc" => Kind::QcHold,
            "approve" if releases => Kind::Release,
            "approve" => Kind::Approval,
            _ => Kind::Hold,
        };
        let roles = if ask.roles.is_empty() { roles(Action::RunControl) } else { ask.roles.clone() };
        let since_us = if ask.asked_us > 0 { ask.asked_us } else { row.updated_us };
        let not_by = detail.answers.iter().map(|answer| answer.person.clone()).collect();
        let about = About::Step(row.run_id, row.step_key, row.specimen_id);
        if !row.order_line_id.is_empty() {
            asked.insert(row.order_line_id);
        }
        items.push(Need { not_by, ..need(kind, about, since_us, roles, Known::Step(Box::new(detail))) });
    }
    Ok(())
}

async fn records(reader: &Reader, kind: Record, status: &str) -> Result<Vec<Row>, Refused> {
    let filter =
        RecordFilter { kind: kind.word().into(), status: Some(status.into()), limit: MOST, ..RecordFilter::default() };
    Ok(reader.records(&filter).await?)
}

async fn deliveries(
    reader: &Reader,
    now: Micros,
    items: &mut Vec<Need>,
    asked: &mut BTreeSet<String>,
) -> Result<(), Refused> {
    let refused =
        records(reader, Record::Delivery, "refused").await?.into_iter().map(|row| (Kind::ReceiptRefused, row));
    let late = reader.receipts_due(now, MOST).await?.into_iter().map(|row| (Kind::ReceiptLate, row));
    for (kind, row) in refused.chain(late) {
        let doc: Delivery = document("a delivery", &row.document)?;
        let since_us = doc.receipt_due_us.filter(|_| kind == Kind::ReceiptLate).unwrap_or(row.updated_us);
        if !doc.order_line.is_empty() {
            asked.insert(doc.order_line.clone());
        }
        let known = Known::Delivery(Box::new(doc), row.owner);
        items.push(need(kind, About::Delivery(row.record_id), since_us, roles(Action::HandOff), known));
    }
    Ok(())
}

async fn deviations(reader: &Reader, items: &mut Vec<Need>) -> Result<(), Refused> {
    let mut doubted = BTreeSet::new();
    for row in records(reader, Record::Deviation, "open").await? {
        let doc: Deviation = document("a deviation", &row.document)?;
        let undecided = undecided(reader, &doc).await?;
        let known = Known::Deviation(doc.description);
        let (kind, action, about) = match undecided {
            // Two findings about one order line are one decision.
            Some(order) if !doubted.insert(order.clone()) => continue,
            // Who it is, is decided about the order line; then there is a deviation left to close.
            Some(order) => (Kind::Identity, Action::QcDecide, About::OrderLine(order, row.specimen_id)),
            None => (Kind::Deviation, Action::Deviation, About::Deviation(row.record_id, row.specimen_id)),
        };
        items.push(need(kind, about, row.created_us, roles(action), known));
    }
    Ok(())
}

/// Did values that were judged open it, and did nobody let them pass? Then it is about who the person is: of which order line.
async fn undecided(reader: &Reader, doc: &Deviation) -> Result<Option<String>, Refused> {
    let Some(order) = doc.about.strip_prefix("order_line ") else { return Ok(None) };
    let Some(row) = reader.order_line(order).await? else { return Ok(None) };
    let line: OrderLine = document("an order line", &row.document)?;
    for row in reader.records_of(Record::Evaluation.word(), order).await? {
        let evaluation: Evaluation = document("an evaluation", &row.document)?;
        if evaluation.findings.iter().any(|finding| finding.said == doc.description) {
            return Ok((line.values_waived != row.record_id).then(|| order.to_owned()));
        }
    }
    Ok(None)
}

async fn cases(reader: &Reader, items: &mut Vec<Need>) -> Result<(), Refused> {
    for status in ["sealed", "notified"] {
        for row in records(reader, Record::Case, status).await? {
            let things = reader.records_of(Record::CaseItem.word(), &row.record_id).await?;
            let count = |status: case_item::Status| things.iter().filter(|one| one.status == status.word()).count();
            let [listed, proposed, confirmed] =
                [case_item::Status::Listed, case_item::Status::Proposed, case_item::Status::Confirmed].map(count);
            if listed + proposed + confirmed == 0 {
                continue;
            }
            let proposed_by = |one: &Row| Some(document::<CaseItem>("an item", &one.document).ok()?.proposed_by);
            let first: BTreeSet<String> = things.iter().filter_map(proposed_by).filter(|who| !who.is_empty()).collect();
            let known = Known::Case(listed, proposed, confirmed);
            let roles = roles(Action::WithdrawalDecide);
            let need = need(Kind::Withdrawal, About::Case(row.record_id), row.updated_us, roles, known);
            // Only where all that is left is to confirm what one person proposed does that person have nothing to do.
            let not_by = if listed + confirmed == 0 && first.len() == 1 { first } else { BTreeSet::new() };
            items.push(Need { not_by: not_by.into_iter().collect(), ..need });
        }
    }
    Ok(())
}

async fn proposals(reader: &Reader, now: Micros, items: &mut Vec<Need>) -> Result<(), Refused> {
    for row in records(reader, Record::Proposal, "proposed").await? {
        let doc: Proposal = document("a proposal", &row.document)?;
        if doc.until_us < now {
            continue;
        }
        let word = |name: &str| doc.request.get(name).and_then(|word| word.as_str()).unwrap_or_default().to_owned();
        let about = match word("request").as_str() {
            "retire" => About::Retirement(row.record_id, word("delivery")),
            _ => About::Proposal(row.record_id, word("order_line")),
        };
        let may = roles_of(&doc);
        let known = Known::Proposal(doc.proposed_by.clone(), doc.reason);
        let need = need(Kind::Proposal, about, row.created_us, may, known);
        items.push(Need { not_by: vec![doc.proposed_by], ..need });
    }
    Ok(())
}
