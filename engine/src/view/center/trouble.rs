//! Order lines that are late, near their time, or stuck, the worst first, each with its reason: a few rows by index.

use std::collections::BTreeSet;

use kentai_workflows::diagnostic::Language;

use super::access::Refused;
use super::board::{SOON_US, may_see};
use super::line::OrderLineView;
use super::why;
use crate::clock::Micros;
use crate::people::permission::Principal;
use crate::specimen::sentence::Because;
use crate::store::read::Reader;
use crate::store::rows::center::OrderLine;

const DAY_US: Micros = 86_400_000_000;

/// Why an order line is among them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Worry {
    /// The whole order's time is over.
    Late,
    /// It is over within a day.
    Today,
    /// What had to happen next did not.
    Stuck,
    /// The whole order is due within [`SOON_US`].
    Soon,
}

/// One of them.
#[derive(Clone, Debug, PartialEq)]
pub struct Trouble {
    /// The order line.
    pub line: OrderLineView,
    /// Why it is here.
    pub worry: Worry,
    /// When its time was or is over, microseconds.
    pub at_us: Micros,
    /// Why it stands where it stands.
    pub said: String,
    /// The reason with its values.
    pub because: Because,
    /// Who must act, in the reader's language; empty at an end.
    pub owner: String,
    /// What is done about it first, in the reader's language; empty when only waiting helps.
    pub next: String,
}

/// The worst `limit` of them at `now`.
///
/// # Errors
/// When they may not see the site, or the database cannot be read.
pub async fn worst(
    reader: &Reader,
    who: &Principal,
    now: Micros,
    limit: usize,
    language: Language,
) -> Result<Vec<Trouble>, Refused> {
    may_see(who)?;
    let most = i64::try_from(limit).unwrap_or(i64::MAX);
    let mut rows: Vec<(Worry, Micros, OrderLine)> = Vec::new();
    for row in reader.due(now + SOON_US, most).await? {
        let worry = match row.due_us - now {
            left if left <= 0 => Worry::Late,
            left if left <= DAY_US => Worry::Today,
            _ => Worry::Soon,
        };
        rows.push((worry, row.due_us, row));
    }
    let seen: BTreeSet<String> = rows.iter().map(|(.., row)| row.order_line_id.clone()).collect();
    for row in reader.stuck(now, None, most + i64::try_from(seen.len()).unwrap_or(0)).await? {
        if !seen.contains(&row.order_line_id) {
            rows.push((Worry::Stuck, row.expect_us, row));
        }
    }
    rows.sort_by(|one, other| (one.0, one.1, &one.2.order_line_id).cmp(&(other.0, other.1, &other.2.order_line_id)));
    rows.truncate(limit);
    let mut all = Vec::with_capacity(rows.len());
    for (worry, at_us, row) in rows {
        let because = why::reason(reader, &row, now).await?;
        let pick = |(en, ja): (&'static str, &'static str)| match language {
            Language::En => en,
            Language::Ja => ja,
        };
        all.push(Trouble {
            line: OrderLineView::of(&row, false),
            worry,
            at_us,
            said: because.sentence(language),
            owner: because.owner().map(|owner| pick(owner.words())).unwrap_or_default().to_owned(),
            next: because.offered().first().copied().map(pick).unwrap_or_default().to_owned(),
            because,
        });
    }
    Ok(all)
}
