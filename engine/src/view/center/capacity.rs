//! What the site has and what becomes of it: failures by cause, memory asked against used, growth of the store, what open attempts took.
//!
//! Each is counted over the last days or the newest attempts; whoever shows it keeps it for a moment.

use serde::{Deserialize, Serialize};

use super::access::Refused;
use crate::clock::Micros;
use crate::people::permission::{Action, Principal, permit};
use crate::store::read::{FailureFilter, Reader};
use crate::store::rows::quality::{FailureCount, MemoryUsed};
use crate::view::{Page, time};

use super::access::is_outsider;

/// Attempts whose memory is looked at, the newest.
pub const ATTEMPTS: i64 = 5_000;
/// Fewer attempts of a step say little about what it needs.
pub const ATTEMPTS_MIN: i64 = 3;
/// Over what was used at most, so that a larger specimen still fits.
const ROOM_PERCENT: i64 = 25;
/// Suggestions are whole multiples of this.
const STEP_BYTES: i64 = 1 << 30;
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

/// Memory of one step of a workflow.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Waste {
    /// Workflow.
    pub workflow: String,
    /// Step.
    pub step: String,
    /// Attempts that were looked at.
    pub attempts: i64,
    /// Asked for, bytes; the most of them.
    pub asked: i64,
    /// Used at most, bytes, of one process.
    pub used: i64,
    /// What lay idle: bytes asked for and not used, times seconds.
    pub idle_byte_s: i128,
    /// What to ask for instead, bytes; none: it is about right, or little is known.
    pub suggested: Option<i64>,
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

/// Memory asked against used, what lay idle most first.
///
/// # Errors
/// When they may not, or the database cannot be read.
pub async fn waste(reader: &Reader, who: &Principal) -> Result<Vec<Waste>, Refused> {
    may_see(who)?;
    let rows = reader.memory_used(ATTEMPTS).await?;
    let mut all: Vec<Waste> = rows.iter().filter(|row| row.asked_most > 0 && row.used_most > 0).map(wasted).collect();
    all.sort_by(|one, other| {
        other
            .idle_byte_s
            .cmp(&one.idle_byte_s)
            .then_with(|| (&one.workflow, &one.step).cmp(&(&other.workflow, &other.step)))
    });
    Ok(all)
}

fn wasted(row: &MemoryUsed) -> Waste {
    let wanted = row.used_most.saturating_mul(100 + ROOM_PERCENT) / 100;
    let wanted = (wanted.saturating_add(STEP_BYTES - 1) / STEP_BYTES).max(1).saturating_mul(STEP_BYTES);
    // A gibibyte more or less is not worth a change of a workflow.
    let worth = (row.asked_most - wanted).abs() >= STEP_BYTES && row.count >= ATTEMPTS_MIN;
    let idle = i128::from((row.asked_most - row.used_most).max(0)) * i128::from(row.took_us / 1_000_000);
    Waste {
        workflow: row.workflow_id.clone(),
        step: row.step.clone(),
        attempts: row.count,
        asked: row.asked_most,
        used: row.used_most,
        idle_byte_s: idle,
        suggested: worth.then_some(wanted),
    }
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

    const GIB: i64 = 1 << 30;

    fn row(count: i64, asked: i64, used: i64) -> MemoryUsed {
        let (workflow_id, step) = ("wgs".into(), "align".into());
        MemoryUsed {
            workflow_id,
            step,
            count,
            asked_least: asked,
            asked_most: asked,
            used_most: used,
            took_us: 2_000_000,
        }
    }

    #[test]
    fn a_setting_is_suggested_with_room_and_only_where_it_is_worth_it() {
        let told = |count, asked, used| wasted(&row(count, asked, used)).suggested;
        assert_eq!(told(40, 64 * GIB, 18 * GIB), Some(23 * GIB));
        assert_eq!(told(40, 24 * GIB, 18 * GIB), Some(23 * GIB));
        assert_eq!(told(40, 23 * GIB, 18 * GIB), None);
        assert_eq!(told(2, 64 * GIB, 18 * GIB), None, "two attempts say little");
        assert_eq!(told(40, 16 * GIB, 15 * GIB), Some(19 * GIB), "what is close to its limit is given more");
        assert_eq!(wasted(&row(3, 4 * GIB, GIB)).idle_byte_s, i128::from(3 * GIB) * 2);
    }

    #[test]
    fn a_forecast_needs_growth() {
        let growth = Growth { days: 10, bytes: 1_000, files: 0 };
        assert_eq!(growth.days_until(2_000, growth.bytes), Some(20));
        assert_eq!(growth.days_until(2_000, growth.files), None);
    }
}
