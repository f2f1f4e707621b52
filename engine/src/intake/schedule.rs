//! Times of the day at which something starts: a cron line in a time zone, and what to do about times that were missed.
//!
//! Five fields (minute, hour, day of month, month, day of week) by the wall clock of the zone. When the clock is put forward, a
//! fixed time that does not exist comes once at the first moment after the gap; when it is put back, a fixed time comes once, at its first
//! passing, while `*` and `*/n` follow the hours as they really pass. What is started is not known here.

mod line;

pub use line::BadLine;

use cron::Cron;
use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};

use crate::clock::Micros;
use crate::state::words;

/// Missed times that are looked at: a line of every minute has that many in a week.
const LOOKED_AT_MAX: usize = 10_080;

words! {
    /// What to do with times that passed while nobody looked.
    IfMissed {
        /// Nothing: only a time that is due now counts.
        Skip = "skip",
        /// Start once, for the latest of them.
        Once = "run_once",
        /// Start for each of them, up to a cap.
        All = "run_all",
    }
}

/// A schedule that can be trusted to be readable.
#[derive(Clone, Debug)]
pub struct Schedule {
    cron: Cron,
    zone: TimeZone,
    if_missed: IfMissed,
    paused: bool,
    /// How late a time may be looked at and still not be missed.
    grace_us: i64,
    /// Starts at one look, for `run_all`.
    most: usize,
}

/// One time that has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment {
    /// When it was due.
    pub at: Micros,
    /// Nobody looked in time.
    pub late: bool,
}

impl Moment {
    /// The same for every engine that looks: the idempotency key of what starts.
    #[must_use]
    pub fn key(&self, schedule: &str) -> String {
        format!("schedule/{schedule}/{}", self.at)
    }
}

impl Schedule {
    /// A schedule by `line` in `zone` (an IANA name). Not paused; a minute of grace; at most 24 missed times at one look.
    ///
    /// # Errors
    /// The place of the mistake and what is wrong there.
    pub fn new(line: &str, zone: &str, if_missed: IfMissed) -> Result<Self, BadLine> {
        let cron = line::parse(line)?;
        let zone = TimeZone::get(zone).map_err(|_| BadLine::zone(zone))?;
        Ok(Self { cron, zone, if_missed, paused: false, grace_us: 60_000_000, most: 24 })
    }

    /// The same, paused or not. A paused schedule has no times; those of a pause are not missed but skipped.
    #[must_use]
    pub fn paused(self, paused: bool) -> Self {
        Self { paused, ..self }
    }

    /// The same with another cap for `run_all`; from 1 to a week of minutes.
    #[must_use]
    pub fn at_most(self, most: usize) -> Self {
        Self { most: most.clamp(1, LOOKED_AT_MAX), ..self }
    }

    /// The same with another grace, in seconds: how long after its time a look still counts as in time.
    #[must_use]
    pub fn with_grace(self, seconds: u32) -> Self {
        Self { grace_us: i64::from(seconds) * 1_000_000, ..self }
    }

    /// The first time after `after`; `None` when none comes, or while paused.
    #[must_use]
    pub fn next(&self, after: Micros) -> Option<Micros> {
        if self.paused {
            return None;
        }
        let after = Timestamp::from_microsecond(after).ok()?.to_zoned(self.zone.clone());
        self.following(&after).map(|next| next.timestamp().as_microsecond())
    }

    /// Times after `last` and not after `now`, oldest first, as the rule for missed ones wants them. `last` is the `now` of the look
    /// before; after a pause, whoever resumes sets it to that moment.
    #[must_use]
    pub fn due(&self, last: Micros, now: Micros) -> Vec<Moment> {
        if self.paused || now <= last {
            return Vec::new();
        }
        let passed = self.passed(last, now);
        let Some(latest) = passed.last().copied() else { return Vec::new() };
        match self.if_missed {
            IfMissed::Skip => passed.into_iter().filter(|moment| !moment.late).collect(),
            IfMissed::Once => vec![latest],
            IfMissed::All => {
                let skipped = passed.len().saturating_sub(self.most);
                passed.into_iter().skip(skipped).collect()
            }
        }
    }

    /// All times after `last` up to `now`; of very many the latest.
    fn passed(&self, last: Micros, now: Micros) -> Vec<Moment> {
        let (Ok(last), Ok(end)) = (Timestamp::from_microsecond(last), Timestamp::from_microsecond(now)) else {
            return Vec::new();
        };
        // No line has more times than minutes. A frequent one has enough of them in this while, and the rest is not looked at;
        // a rare one has few in all.
        let horizon = jiff::SignedDuration::from_mins(i64::try_from(LOOKED_AT_MAX).unwrap_or(i64::MAX));
        let recent = last.max(end.saturating_sub(horizon).unwrap_or(last));
        let mut moments = self.between(recent, end, now);
        if moments.len() < self.wanted() && recent > last {
            moments = self.between(last, end, now);
        }
        moments
    }

    fn wanted(&self) -> usize {
        if self.if_missed == IfMissed::All { self.most } else { 1 }
    }

    fn between(&self, from: Timestamp, end: Timestamp, now: Micros) -> Vec<Moment> {
        let mut moments = std::collections::VecDeque::new();
        let mut at = from.to_zoned(self.zone.clone());
        while let Some(next) = self.following(&at).filter(|next| next.timestamp() <= end) {
            if moments.len() == LOOKED_AT_MAX {
                moments.pop_front();
            }
            let due = next.timestamp().as_microsecond();
            moments.push_back(Moment { at: due, late: now - due > self.grace_us });
            at = next;
        }
        moments.into()
    }

    fn following(&self, after: &Zoned) -> Option<Zoned> {
        let next = self.cron.find_next_occurrence(after, false).ok()?;
        // Whatever the crate answers, time must go on: a loop over its answers ends.
        (next.timestamp() > after.timestamp()).then_some(next)
    }
}

#[cfg(test)]
mod tests;
