//! How often a place is looked at: one pass per interval, and less and less often while the place cannot be reached.

use std::time::Duration;

/// A file server that is away for a night is asked a hundred times, not ten thousand.
const LONGEST: Duration = Duration::from_secs(600);
/// No interval, however it is written, makes a pass follow a pass without a pause.
const SHORTEST: Duration = Duration::from_secs(1);

/// The pace of one place.
#[derive(Clone, Debug)]
pub struct Pace {
    every: Duration,
    failures: u32,
}

impl Pace {
    /// One pass per `every`; at least a second.
    #[must_use]
    pub fn new(every: Duration) -> Self {
        Self { every: every.max(SHORTEST), failures: 0 }
    }

    /// How long to wait after a pass that `reached` the place or did not, and that took `took`: a pass that takes longer than the
    /// interval is followed by a pause as long as itself.
    #[must_use]
    pub fn wait(&mut self, reached: bool, took: Duration) -> Duration {
        self.failures = if reached { 0 } else { self.failures.saturating_add(1) };
        if reached {
            let rest = self.every.saturating_sub(took);
            return if rest.is_zero() { took.min(LONGEST.max(self.every)) } else { rest.max(SHORTEST) };
        }
        let factor = 2_u32.saturating_pow(self.failures.min(16));
        self.every.saturating_mul(factor).min(LONGEST.max(self.every))
    }

    /// Is this the first failure in a row? Only that one is worth a line in the log.
    #[must_use]
    pub fn newly_failing(&self) -> bool {
        self.failures == 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unbounded_polling() {
        let mut pace = Pace::new(Duration::ZERO);
        assert!((0..1_000).all(|_| pace.wait(true, Duration::ZERO) >= SHORTEST));
        let mut pace = Pace::new(Duration::from_secs(60));
        let waits: Vec<u64> = (0..6).map(|_| pace.wait(false, Duration::ZERO).as_secs()).collect();
        assert_eq!(waits, [120, 240, 480, 600, 600, 600]);
        assert_eq!(pace.wait(true, Duration::ZERO).as_secs(), 60);
    }

    #[test]
    fn a_pass_that_takes_longer_than_the_interval_is_followed_by_a_pause() {
        let mut pace = Pace::new(Duration::from_secs(60));
        assert_eq!(pace.wait(true, Duration::from_secs(45)).as_secs(), 15);
        assert_eq!(pace.wait(true, Duration::from_secs(90)).as_secs(), 90);
    }

    #[test]
    fn only_the_first_failure_in_a_row_is_news() {
        let mut pace = Pace::new(Duration::from_secs(60));
        let news: Vec<bool> = [false, false, true, false]
            .into_iter()
            .map(|reached| {
                let _ = pace.wait(reached, Duration::ZERO);
                pace.newly_failing()
            })
            .collect();
        assert_eq!(news, [true, false, false, true]);
    }
}
