//! What one person proposed and another must confirm: about an order line, or about a delivery's copies.

use serde::Serialize;

use super::access::{Refused, missing};
use super::board;
use crate::clock::Micros;
use crate::people::permission::{Action, Principal};
use crate::specimen::record::{Kind, Proposal};
use crate::store::read::{Reader, RecordFilter};
use crate::store::rows::center::Record;
use crate::view::{document, time};

/// Proposals that are looked through: there are few at a time, and each holds for a week.
const MOST: i64 = 5_000;

/// One that waits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenProposal {
    /// Its id.
    pub id: String,
    /// What was proposed, and why: `reopen: …`, `released: …`.
    pub what: String,
    /// By whom.
    pub proposed_by: String,
}

/// Proposals about an order line that still hold at `now`. For people of the center: whoever shows them asks `board::may_see`.
///
/// # Errors
/// When the database cannot be read.
pub async fn proposals_about(reader: &Reader, order_line: &str, now: Micros) -> Result<Vec<OpenProposal>, Refused> {
    open(reader, ("order_line", order_line), now).await
}

/// Proposals about a delivery that still hold at `now`. For people of the center.
///
/// # Errors
/// When the database cannot be read.
pub async fn proposals_about_delivery(
    reader: &Reader,
    delivery: &str,
    now: Micros,
) -> Result<Vec<OpenProposal>, Refused> {
    open(reader, ("delivery", delivery), now).await
}

async fn open(reader: &Reader, about: (&str, &str), now: Micros) -> Result<Vec<OpenProposal>, Refused> {
    let (kind, status) = (Kind::Proposal.word().into(), Some("proposed".into()));
    let filter = RecordFilter { kind, status, limit: MOST, ..RecordFilter::default() };
    let mut all = Vec::new();
    for row in reader.records(&filter).await? {
        let doc: Proposal = document("a proposal", &row.document)?;
        let word = |name: &str| doc.request.get(name).and_then(serde_json::Value::as_str);
        if word(about.0) != Some(about.1) || doc.until_us < now {
            continue;
        }
        let what = word("event").or(word("request")).unwrap_or_default();
        let what = format!("{what}: {}", doc.reason);
        all.push(OpenProposal { id: row.record_id, what, proposed_by: doc.proposed_by });
    }
    Ok(all)
}

/// What a proposal is about.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Subject {
    /// An order line, and its specimen.
    OrderLine(String, String),
    /// A delivery.
    Delivery(String),
    /// Neither.
    #[default]
    Other,
}

/// A proposal.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ProposalView {
    /// Its id.
    pub id: String,
    /// What is to be done: the request's word, or that of the stage that is reported: `reopen`, `released`, `retire`.
    pub what: String,
    /// About what.
    pub subject: Subject,
    /// Why.
    pub reason: String,
    /// By whom.
    pub proposed_by: String,
    /// Since when.
    pub since: String,
    /// Until when it holds.
    pub until: String,
    /// It waits: nobody confirmed it, and its time is not over.
    pub open: bool,
    /// `proposed`, `confirmed`.
    pub status: String,
    /// One of these roles may confirm it.
    pub roles: Vec<String>,
    /// How it and its subject stand: who confirms was shown exactly this.
    pub standing: String,
}

/// What needs the second person's yes: to be one at all, and to do what is proposed.
fn roles(what: &str) -> Vec<String> {
    let own = match what {
        "report" => Action::Release,
        "retire" => Action::Retire,
        "reopen" => Action::Reopen,
        _ => Action::Confirm,
    };
    let both = Action::Confirm.roles().iter().filter(|role| own.roles().contains(role));
    both.map(|role| role.word().to_owned()).collect()
}

/// The roles of which one is needed to confirm what somebody proposed.
pub(super) fn roles_of(doc: &Proposal) -> Vec<String> {
    roles(doc.request.get("request").and_then(|word| word.as_str()).unwrap_or_default())
}

/// Proposals that still hold at `now`, the oldest first.
///
/// # Errors
/// When they may not see the whole center, or the database cannot be read.
pub async fn proposals(reader: &Reader, who: &Principal, now: Micros) -> Result<Vec<ProposalView>, Refused> {
    board::may_see(who)?;
    let (kind, status) = (Kind::Proposal.word().into(), Some("proposed".into()));
    let filter = RecordFilter { kind, status, limit: MOST, ..RecordFilter::default() };
    let mut all = Vec::new();
    for row in reader.records(&filter).await? {
        let view = of(reader, &row, now).await?;
        if view.open {
            all.push(view);
        }
    }
    Ok(all)
}

/// One proposal, whether it still holds or not.
///
/// # Errors
/// When it is not there, they may not see it, or the database cannot be read.
pub async fn proposal(reader: &Reader, who: &Principal, id: &str, now: Micros) -> Result<ProposalView, Refused> {
    board::may_see(who)?;
    let row = reader.record(Kind::Proposal.word(), id).await?.ok_or_else(|| missing("proposal", id))?;
    of(reader, &row, now).await
}

async fn of(reader: &Reader, row: &Record, now: Micros) -> Result<ProposalView, Refused> {
    let doc: Proposal = document("a proposal", &row.document)?;
    let word = |name: &str| doc.request.get(name).and_then(serde_json::Value::as_str).map(str::to_owned);
    let (mut subject, mut stands) = (Subject::Other, 0);
    if let Some(id) = word("order_line") {
        let line = reader.order_line(&id).await?;
        stands = line.as_ref().map_or(0, |line| line.version);
        subject = Subject::OrderLine(id, line.map(|line| line.specimen_id).unwrap_or_default());
    } else if let Some(id) = word("delivery") {
        stands = reader.record(Kind::Delivery.word(), &id).await?.map_or(0, |delivery| delivery.version);
        subject = Subject::Delivery(id);
    }
    Ok(ProposalView {
        id: row.record_id.clone(),
        what: word("event").or(word("request")).unwrap_or_default(),
        subject,
        since: time(row.created_us),
        until: time(doc.until_us),
        open: row.status == "proposed" && doc.until_us >= now,
        status: row.status.clone(),
        roles: roles_of(&doc),
        standing: format!("{}/{stands}", row.version),
        reason: doc.reason,
        proposed_by: doc.proposed_by,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_person_may_do_what_the_first_one_proposed() {
        assert_eq!(roles("report"), ["releaser"]);
        assert_eq!(roles("retire"), ["operator", "releaser"]);
        assert_eq!(roles("reopen"), ["operator", "reviewer", "releaser"]);
    }
}
