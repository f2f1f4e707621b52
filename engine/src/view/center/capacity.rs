//! What the site has and what becomes of it: failures by cause, what steps asked for against what they used, growth of the store, what open
//! attempts took.
//!
//! Each is counted over the last days or the newest attempts; whoever shows it keeps it for a moment.

mod waste;

use serde::{Deserialize, Serialize};

use super::access::Refused;
use crate::clock::Micros;
use crate::people::permission::{Action, Principal, permit};
use crate::store::read::{FailureFilter, Reader};
use crate::store::rows::quality::FailureCount;
use crate::view::{Page, time};

use super::access::is_outsider;

pub use waste::{ATTEMPTS, ATTEMPTS_MIN, Waste, waste};

const DAY_US: i64 = 86_400_000_000;
/// Days by which the store's growth is told.
pub const GROWTH_DAYS: i64 = 14;

/// Failures of one cause in one step of a workflow.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Failures {
    /// `tool`, `out_of_memory` …
    pub cause: String,
    /// Workflow.
    pub workflow: String,
    /// Step.
    pub step: String,
    /// Attempts, of the last 30 days.
    pub count: i64,
    /// Of those, of the last 7 days.
    pub week: i64,
    /// Runs.
    pub runs: i64,
    /// When the newest failed.
    pub newest: String,
}

/// One attempt that failed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FailedAttempt {
    /// Attempt.
    pub attempt: String,
    /// Run.
    pub run: String,
    /// Step, with its item.
    pub step: String,
    /// Of the step, from 1.
    pub number: i64,
    /// Executor.
    pub executor: String,
    /// Cause.
    pub cause: String,
    /// When.
    pub at: String,
    /// Specimen.
    pub specimen: String,
    /// `germline_wgs 3`
    pub workflow: String,
}

/// How the store grew.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Growth {
    /// Days that it is told of.
    pub days: i64,
    /// Bytes of those days.
    pub bytes: i64,
    /// Files of those days.
    pub files: i64,
}

/// What open attempts of an executor have.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Taken {
    /// Executor.
    pub executor: String,
    /// Attempts that are claimed, starting or running.
    pub running: i64,
    /// Attempts that are at another place of their way.
    pub other: i64,
    /// Cores of all of them.
    pub cpus: i64,
    /// Memory of all of them, bytes.
    pub memory_bytes: i64,
}

/// The site's own state is for people of the center.
///
/// # Errors
/// When they may not.
pub fn may_see(who: &Principal) -> Result<(), Refused> {
    if !is_outsider(who) && permit(who, Action::ReadSite, None).is_ok() {
        return Ok(());
    }
    Err(Refused::NotAllowed(format!("{} may not do this: it is for people of the center", who.name)))
}

/// Failures of the last 30 days, the most first.
///
/// # Errors
/// When they may not, or the database cannot be read.
pub async fn failures(reader: &Reader, who: &Principal, now: Micros) -> Result<Vec<Failures>, Refused> {
    may_see(who)?;
    let rows = reader.failure_counts(now - 30 * DAY_US, now - 7 * DAY_US).await?;
    let mut all: Vec<Failures> = rows.into_iter().map(counted).collect();
    all.sort_by(|one, other| {
        let by_count = other.count.cmp(&one.count);
        by_count.then_with(|| (&one.cause, &one.workflow, &one.step).cmp(&(&other.cause, &other.workflow, &other.step)))
    });
    Ok(all)
}

fn counted(row: FailureCount) -> Failures {
    Failures {
        cause: row.cause,
        workflow: row.workflow_id,
        step: row.step,
        count: row.count,
        week: row.newer,
        runs: row.runs,
        newest: time(row.newest_us),
    }
}

/// Attempts that failed, the newest first. `after` is the `next` of an earlier page.
///
/// # Errors
/// When they may not, `after` is no place of a page, or the database cannot be read.
pub async fn failed_attempts(
    reader: &Reader,
    who: &Principal,
    filter: FailureFilter,
    after: Option<&str>,
) -> Result<Page<FailedAttempt>, Refused> {
    may_see(who)?;
    let place = |text: &str| {
        let parts = text.split_once('/').and_then(|(at, id)| Some((at.parse().ok()?, id.to_owned())));
        parts.ok_or_else(|| Refused::Bad(format!("`{}` is not where a page ended", text.escape_debug())))
    };
    let after = after.map(place).transpose()?;
    let limit = filter.limit;
    let rows = reader.failures(&FailureFilter { after, ..filter }).await?;
    let full = i64::try_from(rows.len()).is_ok_and(|len| len >= limit);
    let next = rows.last().filter(|_| full).map(|row| format!("{}/{}", row.updated_us, row.attempt_id));
    let one = |row: crate::store::rows::quality::FailedAttempt| FailedAttempt {
        attempt: row.attempt_id,
        run: row.run_id,
        step: row.step_key,
        number: row.number,
        executor: row.executor,
        cause: row.cause,
        at: time(row.updated_us),
        specimen: row.specimen_id,
        workflow: format!("{} {}", row.workflow_id, row.workflow_version),
    };
    Ok(Page { items: rows.into_iter().map(one).collect(), next })
}

/// How the store grew in the last days.
///
/// # Errors
/// When they may not, or the database cannot be read.
pub async fn growth(reader: &Reader, who: &Principal, now: Micros) -> Result<Growth, Refused> {
    may_see(who)?;
    let rows = reader.grown(now - GROWTH_DAYS * DAY_US).await?;
    // A store that is younger than that grew in fewer days.
    let oldest = rows.first().map_or(GROWTH_DAYS, |row| (now / DAY_US - row.day + 1).clamp(1, GROWTH_DAYS));
    let (bytes, files) = (rows.iter().map(|row| row.bytes).sum(), rows.iter().map(|row| row.files).sum());
    Ok(Growth { days: oldest, bytes, files })
}

impl Growth {
    /// Days until so much more has come; none while nothing comes.
    #[must_use]
    pub fn days_until(self, free: u64, came: i64) -> Option<i64> {
        let came = u128::try_from(came).ok().filter(|came| *came > 0)?;
        let days = u128::from(free) * u128::try_from(self.days.max(1)).ok()? / came;
        Some(i64::try_from(days).unwrap_or(i64::MAX))
    }
}

/// What open attempts have asked for, by executor.
///
/// # Errors
/// When they may not, or the database cannot be read.
pub async fn taken(reader: &Reader, who: &Principal) -> Result<Vec<Taken>, Refused> {
    may_see(who)?;
    let mut all: Vec<Taken> = Vec::new();
    for row in reader.taken().await? {
        if all.last().is_none_or(|last| last.executor != row.executor) {
            all.push(Taken { executor: row.executor.clone(), ..Taken::default() });
        }
        let Some(last) = all.last_mut() else { continue };
        match row.status.as_str() {
            "claimed" | "launching" | "running" => last.running += row.count,
            _ => last.other += row.count,
        }
        last.cpus += row.cpus;
        last.memory_bytes += row.memory_bytes;
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_forecast_needs_growth() {
        let growth = Growth { days: 10, bytes: 1_000, files: 0 };
        assert_eq!(growth.days_until(2_000, growth.bytes), Some(20));
        assert_eq!(growth.days_until(2_000, growth.files), None);
    }
}
