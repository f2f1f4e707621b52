//! What goes over much is counted for all readers, and kept for a moment. It knows no page.
//!
//! A count that takes next to nothing is made again whenever something was committed since: whoever decided something sees it decided.
//! A count that costs is shown as it is while a newer one is made; it may take a tenth of the time. None is shown that is older
//! than five minutes.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::App;
use crate::error::Problem;

/// Less is not worth keeping an old one.
const CHEAP: Duration = Duration::from_millis(15);
/// Nothing that was committed changes it, and still it changes: ages, the disk.
const SETTLED: Duration = Duration::from_secs(30);
const OLDEST: Duration = Duration::from_secs(300);
/// Of the time, the part that counting may take: one in so many.
const REST: u32 = 10;
/// Counts that are kept of one kind: filters make kinds of their own.
const KEYS_MAX: usize = 64;

struct Slot<T> {
    value: Arc<T>,
    commits: u64,
    made: Instant,
    took: Duration,
    busy: bool,
}

/// Counts of one kind, by what they were asked with.
pub(super) struct Kept<T> {
    slots: Arc<Mutex<HashMap<String, Slot<T>>>>,
}

impl<T> Default for Kept<T> {
    fn default() -> Self {
        Self { slots: Arc::default() }
    }
}

impl<T> Clone for Kept<T> {
    fn clone(&self) -> Self {
        Self { slots: Arc::clone(&self.slots) }
    }
}

enum Found<T> {
    Good(Arc<T>),
    /// To be shown, while the caller has a newer one made.
    Old(Arc<T>),
    Nothing,
}

impl<T: Send + Sync + 'static> Kept<T> {
    /// The count of `key`; `make` makes it.
    pub(super) async fn get<F>(
        &self,
        app: &App,
        key: &str,
        make: impl FnOnce(App) -> F + Send + 'static,
    ) -> Result<Arc<T>, Problem>
    where
        F: Future<Output = Result<T, Problem>> + Send,
    {
        let commits = app.engine.pulse().borrow().commits;
        match self.find(key, commits) {
            Found::Good(value) => Ok(value),
            Found::Nothing => self.make(app.clone(), key.to_owned(), commits, make).await,
            Found::Old(value) => {
                let (kept, app, key) = (self.clone(), app.clone(), key.to_owned());
                tokio::spawn(async move {
                    if kept.make(app, key.clone(), commits, make).await.is_err() {
                        // Whoever comes next tries again.
                        kept.with(|slots| slots.get_mut(&key).into_iter().for_each(|slot| slot.busy = false));
                    }
                });
                Ok(value)
            }
        }
    }

    fn find(&self, key: &str, commits: u64) -> Found<T> {
        self.with(|slots| {
            let Some(slot) = slots.get_mut(key) else { return Found::Nothing };
            let age = slot.made.elapsed();
            if slot.commits == commits && age < SETTLED {
                return Found::Good(Arc::clone(&slot.value));
            }
            if slot.took < CHEAP || age > OLDEST {
                return Found::Nothing;
            }
            if slot.busy || age < slot.took * REST {
                return Found::Good(Arc::clone(&slot.value));
            }
            slot.busy = true;
            Found::Old(Arc::clone(&slot.value))
        })
    }

    async fn make<F>(&self, app: App, key: String, commits: u64, make: impl FnOnce(App) -> F) -> Result<Arc<T>, Problem>
    where
        F: Future<Output = Result<T, Problem>> + Send,
    {
        let began = Instant::now();
        let value = Arc::new(make(app).await?);
        let made = Instant::now();
        let slot = Slot { value: Arc::clone(&value), commits, made, took: began.elapsed(), busy: false };
        self.with(|slots| {
            if slots.len() >= KEYS_MAX {
                slots.clear();
            }
            slots.insert(key, slot);
        });
        Ok(value)
    }

    fn with<R>(&self, what: impl FnOnce(&mut HashMap<String, Slot<T>>) -> R) -> R {
        // Nothing panics while it is held; and what is kept is whole whatever happened.
        what(&mut self.slots.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn put(kept: &Kept<u8>, commits: u64, age: Duration, took: Duration) {
        let made = Instant::now().checked_sub(age).expect("the machine runs that long");
        let slot = Slot { value: Arc::new(1), commits, made, took, busy: false };
        kept.with(|slots| slots.insert("k".into(), slot));
    }

    #[test]
    fn what_costs_nothing_is_counted_anew_after_a_commit_and_what_costs_is_shown() {
        let kept = Kept::default();
        let (long, second) = (Duration::from_millis(400), Duration::from_secs(1));
        put(&kept, 7, second, Duration::ZERO);
        assert!(matches!(kept.find("k", 7), Found::Good(_)));
        assert!(matches!(kept.find("k", 8), Found::Nothing));
        put(&kept, 7, second, long);
        assert!(matches!(kept.find("k", 8), Found::Good(_)), "counting may take a tenth of the time");
        put(&kept, 7, second * 5, long);
        assert!(matches!(kept.find("k", 8), Found::Old(_)));
        assert!(matches!(kept.find("k", 8), Found::Good(_)), "one counts, nobody else");
        assert!(matches!(kept.find("other", 7), Found::Nothing));
    }

    #[test]
    fn nothing_old_is_shown() {
        let kept = Kept::default();
        put(&kept, 7, OLDEST + Duration::from_secs(1), Duration::from_millis(400));
        assert!(matches!(kept.find("k", 8), Found::Nothing));
    }
}
