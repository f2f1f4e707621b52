//! What the steps of workflows ask for, what they are granted, what they use, and what to ask for instead.
//!
//! Out of stored attempts that came to their end well; of those that failed nobody knows what they would have needed.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::may_see;
use crate::people::permission::Principal;
use crate::store::read::Reader;
use crate::store::rows::quality::ResourcesUsed;
use crate::view::center::access::Refused;

/// Attempts that are looked at, the newest.
pub const ATTEMPTS: i64 = 5_000;
/// Fewer attempts of a step say little about what it needs.
pub const ATTEMPTS_MIN: i64 = 3;
/// Memory over what was used at most, so that a larger specimen still fits.
const ROOM_PERCENT: i64 = 25;
/// Suggestions of memory are whole multiples of this.
const STEP_BYTES: i64 = 1 << 30;
/// A suggestion of fewer processors makes no tool take longer than by this, as far as can be told.
const LONGER_PERCENT: i64 = 25;
/// Fewer processors are worth a change where at least so much of their time is saved.
const SAVED_PERCENT: i64 = 25;
/// More processors are suggested to tools that use so much more than they asked for.
const BEYOND_PERCENT: i64 = 25;

/// What one step of a workflow asked for, was granted and used.
///
/// Processors in use are an average: the processor time of an attempt over the time that it took. It is not how many were busy at once, and
/// not how many the tool has threads for. A tool that works on one core for most of its time and on eight for a short part has an average
/// of little more than one, and takes longer on fewer than eight. So what is suggested is not the average, but the fewest with which such a
/// tool takes at most a quarter longer: one that is always on one core or on all that it asked for, which is the tool that loses most. A
/// tool that waits for disks or the network has a lower average than it has need of cores, and that cannot be seen here: try a suggestion
/// on a few specimens.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Waste {
    /// Workflow.
    pub workflow: String,
    /// Step.
    pub step: String,
    /// Attempts that were looked at.
    pub attempts: i64,
    /// Memory asked for, bytes; the most of them. 0: it asks for none, and has no limit.
    pub asked: i64,
    /// Memory granted, bytes; the most of them. None where nobody says: then it is what was asked for.
    #[serde(default)]
    pub granted: Option<i64>,
    /// Memory used at most, bytes, of one process.
    pub used: i64,
    /// What lay idle: bytes granted (or asked for) and not used, times seconds.
    #[schemars(range(min = 0))]
    pub idle_byte_s: i128,
    /// Memory to ask for instead, bytes; none: it is about right, or little is known.
    pub suggested: Option<i64>,
    /// Processors asked for; the most of them.
    #[serde(default)]
    pub cpus_asked: i64,
    /// Processors granted; the most of them. None where nobody says: then it is what was asked for.
    #[serde(default)]
    pub cpus_granted: Option<i64>,
    /// Processors in use on average, thousandths, of the attempt that used most. 0: nobody says.
    #[serde(default)]
    pub cpus_used_milli: i64,
    /// What lay idle: seconds of processors granted (or asked for) and not used.
    #[serde(default)]
    pub idle_cpu_s: i64,
    /// Processors to ask for instead; none: it is about right, or little is known.
    #[serde(default)]
    pub cpus_suggested: Option<i64>,
}

/// What steps asked for against what they used; whose memory lay idle most first.
///
/// # Errors
/// When they may not, or the database cannot be read.
pub async fn waste(reader: &Reader, who: &Principal) -> Result<Vec<Waste>, Refused> {
    may_see(who)?;
    let rows = reader.resources_used(ATTEMPTS).await?;
    let mut all: Vec<Waste> = rows.iter().map(wasted).filter(|one| one.says_memory() || one.says_cpus()).collect();
    all.sort_by(|one, other| {
        other
            .idle_byte_s
            .cmp(&one.idle_byte_s)
            .then_with(|| (&one.workflow, &one.step).cmp(&(&other.workflow, &other.step)))
    });
    Ok(all)
}

impl Waste {
    /// Is it known what memory it has, and what it used?
    #[must_use]
    pub fn says_memory(&self) -> bool {
        self.asked > 0 && self.used > 0
    }

    /// Is it known what processors it has, and what it used?
    #[must_use]
    pub fn says_cpus(&self) -> bool {
        self.cpus_asked > 0 && self.cpus_used_milli > 0
    }
}

fn wasted(row: &ResourcesUsed) -> Waste {
    Waste {
        workflow: row.workflow_id.clone(),
        step: row.step.clone(),
        attempts: row.count,
        asked: row.asked_most,
        granted: row.granted_most,
        used: row.used_most,
        idle_byte_s: idle_byte_s(row),
        suggested: memory(row).filter(|_| row.count >= ATTEMPTS_MIN),
        cpus_asked: row.cpus_asked_most,
        cpus_granted: row.cpus_granted_most,
        cpus_used_milli: row.cores_used_milli,
        idle_cpu_s: row.idle_core_ms / 1_000,
        cpus_suggested: cpus(row.cpus_asked_most, row.cores_used_milli).filter(|_| row.count >= ATTEMPTS_MIN),
    }
}

fn idle_byte_s(row: &ResourcesUsed) -> i128 {
    if row.asked_most == 0 || row.used_most == 0 {
        return 0;
    }
    let held = i128::from(row.held_mib_ms) * (1 << 20);
    let used = i128::from(row.used_most) * i128::from(row.took_us / 1_000);
    (held - used).max(0) / 1_000
}

fn memory(row: &ResourcesUsed) -> Option<i64> {
    if row.asked_most == 0 || row.used_most == 0 {
        return None;
    }
    let wanted = row.used_most.saturating_mul(100 + ROOM_PERCENT) / 100;
    let wanted = (wanted.saturating_add(STEP_BYTES - 1) / STEP_BYTES).max(1).saturating_mul(STEP_BYTES);
    // A gibibyte more or less is not worth a change of a workflow.
    ((row.asked_most - wanted).abs() >= STEP_BYTES).then_some(wanted)
}

/// Processors to ask for instead of `asked`, of which `milli` thousandths were in use on average.
fn cpus(asked: i64, milli: i64) -> Option<i64> {
    if asked < 1 || milli < 1 {
        return None;
    }
    if milli > asked.saturating_mul(10 * (100 + BEYOND_PERCENT)) {
        // Nothing holds it to what it asked for; others on its machine pay. A little over a whole core is its shell.
        return Some(((milli + 899) / 1_000).max(asked + 1));
    }
    let fits = |fewer: &i64| time_on(*fewer, asked, milli) * 100 <= 1_000 * i128::from(100 + LONGER_PERCENT) * SCALE;
    let fewest = (1..asked).find(fits)?;
    let (before, after) = (1_000 * SCALE * i128::from(asked), time_on(fewest, asked, milli) * i128::from(fewest));
    (after * 100 <= before * i128::from(100 - SAVED_PERCENT)).then_some(fewest)
}

/// Divisions lose little against it.
const SCALE: i128 = 1_000_000;

/// How long a tool takes on `fewer` cores that took 1,000 × [`SCALE`] on `asked`, with `milli` of them in use on average, if it is always on
/// one or on all of them (Amdahl's law). Of all tools with that average it loses most.
fn time_on(fewer: i64, asked: i64, milli: i64) -> i128 {
    let (fewer, asked) = (i128::from(fewer), i128::from(asked));
    let work = i128::from(milli).clamp(1_000, 1_000 * asked) * SCALE;
    // work = alone + together, 1,000 × SCALE = alone + together / asked.
    let together = (work - 1_000 * SCALE) * asked / (asked - 1).max(1);
    work - together + together / fewer
}

#[cfg(test)]
mod tests {
    use super::*;

    const GIB: i64 = 1 << 30;

    fn row(count: i64, asked: i64, used: i64) -> ResourcesUsed {
        ResourcesUsed {
            workflow_id: "wgs".into(),
            step: "align".into(),
            count,
            asked_most: asked,
            granted_most: None,
            used_most: used,
            took_us: 2_000_000,
            held_mib_ms: (asked >> 20) * 2_000,
            cpus_asked_most: 8,
            cpus_granted_most: None,
            cores_used_milli: 1_500,
            idle_core_ms: 13_000,
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
        let unlimited = wasted(&row(3, 0, GIB));
        assert_eq!((unlimited.suggested, unlimited.idle_byte_s, unlimited.says_memory()), (None, 0, false));
    }

    #[test]
    fn what_was_granted_lies_idle_too() {
        let granted =
            ResourcesUsed { granted_most: Some(8 * GIB), held_mib_ms: 8 * 1024 * 2_000, ..row(3, 4 * GIB, GIB) };
        assert_eq!(wasted(&granted).idle_byte_s, i128::from(7 * GIB) * 2);
    }

    #[test]
    fn fewer_processors_are_suggested_where_most_lie_idle() {
        assert_eq!(cpus(2, 1_000), Some(1), "one core all the time");
        assert_eq!(cpus(2, 1_020), Some(1), "its shell is no second core");
        assert_eq!(cpus(2, 300), Some(1), "it waits");
        assert_eq!(cpus(8, 1_100), Some(1));
        assert_eq!(
            cpus(8, 2_000),
            Some(3),
            "a quarter longer at most, if six sevenths of its work are alone on a core"
        );
        assert_eq!(cpus(16, 3_000), Some(6));
        assert_eq!(cpus(8, 5_500), None, "it may be on all eight for much of its time");
        assert_eq!(cpus(8, 7_900), None);
        assert_eq!(cpus(1, 1_000), None);
        assert_eq!(cpus(1, 200), None, "there is nothing less");
        assert_eq!(cpus(2, 8_100), Some(8), "nothing held it");
        assert_eq!(cpus(2, 2_100), None);
        assert_eq!((cpus(0, 900), cpus(4, 0)), (None, None), "nobody says");
        let told = |count| wasted(&row(count, GIB, GIB)).cpus_suggested;
        assert_eq!((told(2), told(3)), (None, Some(2)));
    }

    #[test]
    fn no_tool_of_that_average_takes_longer_than_is_said() {
        // A tool's time on 0 to 8 … cores at once, in parts of its whole: tenths on one, on `some` and on all of them.
        for asked in 2..=32_i64 {
            for some in 1..=asked {
                for (on_some, on_all) in (0..=10_i64).flat_map(|one| (0..=10 - one).map(move |other| (one, other))) {
                    let alone = 10 - on_some - on_all;
                    let milli = 100 * (alone + on_some * some + on_all * asked);
                    let Some(fewer) = cpus(asked, milli) else { continue };
                    // Each part takes longer as far as it has to share.
                    let part = |tenths: i64, cores: i64| tenths as f64 * (cores as f64 / fewer as f64).max(1.0);
                    let took = part(alone, 1) + part(on_some, some) + part(on_all, asked);
                    assert!(took <= 12.5 + 1e-3, "{asked} asked, {milli} in use, {fewer} suggested: {took}");
                    assert!(took * fewer as f64 <= 7.5 * asked as f64 + 1e-3, "{asked}, {milli}, {fewer}: {took}");
                }
            }
        }
    }
}
