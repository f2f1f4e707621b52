//! What one person proposed about an order line or a delivery and another must confirm.

use super::access::Refused;
use crate::clock::Micros;
use crate::specimen::record::{Kind, Proposal};
use crate::store::read::{Reader, RecordFilter};
use crate::view::document;

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
