//! Deviations as people of the center see them, the newest first.

use serde::{Deserialize, Serialize};

use super::access::{Refused, is_outsider, missing};
use super::capacity;
use crate::people::permission::Principal;
use crate::specimen::record::{Deviation, Kind};
use crate::store::read::Reader;
use crate::store::rows::center::Record;
use crate::view::{Page, document, time};

/// Something that was not as it should be.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeviationView {
    /// Its id.
    pub id: String,
    /// Nobody has dealt with it yet.
    pub open: bool,
    /// `minor`, `major`, `critical`.
    pub severity: String,
    /// What it is about.
    pub about: String,
    /// The specimen that it reaches; may be empty.
    pub specimen: String,
    /// In words.
    pub description: String,
    /// What was done; empty while it is open.
    pub action: String,
    /// Who closed it; empty while it is open.
    pub closed_by: String,
    /// When it was written down.
    pub created: String,
    /// When it last changed.
    pub updated: String,
}

impl DeviationView {
    fn of(row: &Record) -> Result<Self, Refused> {
        let Deviation { about, description, severity, action, closed_by } = document("a deviation", &row.document)?;
        Ok(Self {
            id: row.record_id.clone(),
            open: row.status != "closed",
            severity,
            about,
            specimen: row.specimen_id.clone(),
            description,
            action,
            closed_by,
            created: time(row.created_us),
            updated: time(row.updated_us),
        })
    }
}

/// Deviations are for people of the center.
///
/// # Errors
/// When they may not see them.
pub fn may_see(who: &Principal) -> Result<(), Refused> {
    capacity::may_see(who)
}

/// Deviations, the newest first: those of this status, before this one, at most `limit`.
///
/// # Errors
/// When they may not see them, or the database cannot be read.
pub async fn deviations(
    reader: &Reader,
    who: &Principal,
    status: Option<&str>,
    before: Option<&str>,
    limit: i64,
) -> Result<Page<DeviationView>, Refused> {
    may_see(who)?;
    let rows = reader.newest_first(Kind::Deviation.word(), status, before, limit).await?;
    let items = rows.iter().map(DeviationView::of).collect::<Result<_, _>>()?;
    Ok(Page::new(items, limit, |one: &DeviationView| one.id.clone()))
}

/// One deviation.
///
/// # Errors
/// When they may not see it, it is not there, or the database cannot be read.
pub async fn deviation(reader: &Reader, who: &Principal, id: &str) -> Result<DeviationView, Refused> {
    // To people from outside it is not there, whether it is or not.
    if is_outsider(who) {
        return Err(missing(Kind::Deviation.word(), &id.escape_debug().to_string()));
    }
    may_see(who)?;
    let row = reader.record(Kind::Deviation.word(), id).await?;
    row.as_ref().map_or_else(|| Err(missing(Kind::Deviation.word(), &id.escape_debug().to_string())), DeviationView::of)
}
