//! How many requests somebody may make: a bucket of tokens for each name, filled at a steady rate. Times come in.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// Names that are remembered at most (a few hundred bytes each). Somebody whose bucket is full again needs none.
const NAMES_MAX: usize = 10_000;
/// When there are as many, so many are forgotten at once: looking at all of them for each new name would be work that a crowd sets us.
const NAMES_FORGOTTEN: usize = 1_000;

/// The buckets of one door.
#[derive(Debug)]
pub(crate) struct Buckets {
    per_second: f64,
    burst: f64,
    all: Mutex<HashMap<String, Bucket>>,
}

#[derive(Clone, Copy, Debug)]
struct Bucket {
    tokens: f64,
    seen: Instant,
}

impl Buckets {
    /// `burst` requests at once, `per_second` on the long run; both at least 1.
    pub(super) fn new(per_second: u32, burst: u32) -> Self {
        let (per_second, burst) = (f64::from(per_second.max(1)), f64::from(burst.max(1)));
        Self { per_second, burst, all: Mutex::new(HashMap::new()) }
    }

    fn all(&self) -> MutexGuard<'_, HashMap<String, Bucket>> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One request of this name; refused with how long to wait until one is allowed.
    pub(crate) fn take(&self, name: &str, now: Instant) -> Result<(), Duration> {
        let mut all = self.all();
        let tokens = self.tokens(all.get(name), now);
        if tokens < 1.0 {
            return Err(self.wait(tokens));
        }
        if !all.contains_key(name) && all.len() >= NAMES_MAX {
            self.forget(&mut all, now);
        }
        all.insert(name.to_owned(), Bucket { tokens: tokens - 1.0, seen: now });
        Ok(())
    }

    fn wait(&self, tokens: f64) -> Duration {
        Duration::from_secs_f64((1.0 - tokens) / self.per_second)
    }

    fn tokens(&self, bucket: Option<&Bucket>, now: Instant) -> f64 {
        bucket.map_or(self.burst, |bucket| {
            let passed = now.saturating_duration_since(bucket.seen).as_secs_f64();
            (bucket.tokens + passed * self.per_second).min(self.burst)
        })
    }

    /// Makes room: whoever has a full bucket again loses nothing; else those who were not seen for longest.
    fn forget(&self, all: &mut HashMap<String, Bucket>, now: Instant) {
        all.retain(|_, bucket| self.tokens(Some(bucket), now) < self.burst);
        let too_many = (all.len() + NAMES_FORGOTTEN).saturating_sub(NAMES_MAX);
        if too_many > 0 {
            let mut by_age: Vec<(Instant, String)> =
                all.iter().map(|(name, bucket)| (bucket.seen, name.clone())).collect();
            by_age.sort_unstable();
            for (_, name) in by_age.into_iter().take(too_many) {
                all.remove(&name);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_and_then_a_steady_rate_for_each() {
        let (buckets, now) = (Buckets::new(2, 3), Instant::now());
        for _ in 0..3 {
            assert_eq!(buckets.take("a", now), Ok(()));
        }
        assert_eq!(buckets.take("a", now), Err(Duration::from_millis(500)));
        assert_eq!(buckets.take("b", now), Ok(()), "others are not concerned");
        let later = now + Duration::from_millis(500);
        assert_eq!(buckets.take("a", later), Ok(()));
        assert!(buckets.take("a", later).is_err());
        // However long nobody came: no more than a burst.
        let much_later = now + Duration::from_secs(3_600);
        assert_eq!((0..10).filter(|_| buckets.take("a", much_later).is_ok()).count(), 3);
    }

    #[test]
    fn names_without_end_take_no_memory_without_end() {
        let (buckets, now) = (Buckets::new(1, 2), Instant::now());
        for number in 0..2 * NAMES_MAX {
            assert!(buckets.take(&format!("n{number}"), now).is_ok());
            assert!(buckets.all().len() <= NAMES_MAX);
        }
        // Whoever came last is known as before.
        let later = now + Duration::from_millis(1);
        assert!(buckets.take("busy", later).is_ok() && buckets.take("busy", later).is_ok());
        for number in 0..NAMES_MAX / 2 {
            assert!(buckets.take(&format!("m{number}"), later).is_ok());
        }
        assert!(buckets.take("busy", later).is_err());
        // Whoever could ask as much as at first is forgotten before anybody else.
        for number in 0..=NAMES_FORGOTTEN {
            assert!(buckets.take(&format!("last{number}"), now + Duration::from_secs(60)).is_ok());
        }
        assert!(buckets.all().len() <= NAMES_FORGOTTEN + 1);
    }
}
