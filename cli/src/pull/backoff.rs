//! How long to wait before the next try, and when to give up. It knows no clock: who waits, waits elsewhere.

use std::time::Duration;

use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};

/// Before the second try.
const FIRST: Duration = Duration::from_millis(250);
/// Between two tries of our own choice.
const MOST: Duration = Duration::from_secs(60);
/// A center may ask for more, but not for ever.
const ASKED_MOST: Duration = Duration::from_secs(15 * 60);

/// Tries without progress.
pub(super) struct Backoff {
    most: u32,
    failed: u32,
}

impl Backoff {
    /// At most so many tries without progress.
    pub(super) fn new(most: u32) -> Self {
        Self { most, failed: 0 }
    }

    /// Something came in: the tries begin anew.
    pub(super) fn progress(&mut self) {
        self.failed = 0;
    }

    /// A try failed: how long to wait, unless it was the last one. The center's own wish goes before ours.
    pub(super) fn failed(&mut self, asked: Option<Duration>) -> Option<Duration> {
        self.failed += 1;
        if self.failed >= self.most {
            return None;
        }
        let ours = FIRST.saturating_mul(1 << (self.failed - 1).min(16)).min(MOST);
        // Many clients that were cut at once must not all come back at once.
        let spread = ours.mul_f64(StdRng::from_os_rng().random_range(0.75..1.25));
        Some(asked.map_or(spread, |asked| asked.min(ASKED_MOST)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_up_to_a_limit_and_end() {
        let mut backoff = Backoff::new(12);
        let waits: Vec<Duration> = std::iter::from_fn(|| backoff.failed(None)).collect();
        assert_eq!(waits.len(), 11);
        assert!(waits[0] < Duration::from_millis(320) && waits[10] <= MOST.mul_f64(1.25), "{waits:?}");
        backoff.progress();
        assert_eq!(backoff.failed(Some(Duration::from_secs(3))), Some(Duration::from_secs(3)));
        assert_eq!(backoff.failed(Some(Duration::MAX)), Some(ASKED_MOST));
    }
}
