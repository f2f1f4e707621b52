//! The clock. Everything pure gets its time from here as a value.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

/// Microseconds since the epoch, UTC.
pub type Micros = i64;

/// Whose time an engine goes by.
#[derive(Clone, Debug, Default)]
pub enum Clock {
    /// The machine's.
    #[default]
    Machine,
    /// Somebody's who replays months in minutes. It only goes on.
    Virtual(Arc<AtomicI64>),
}

impl Clock {
    /// A clock that stands at `at`.
    #[must_use]
    pub fn standing_at(at: Micros) -> Self {
        Self::Virtual(Arc::new(AtomicI64::new(at)))
    }

    /// Now.
    #[must_use]
    pub fn now(&self) -> Micros {
        match self {
            Self::Machine => now(),
            Self::Virtual(at) => at.load(Ordering::SeqCst),
        }
    }

    /// Lets time go on; the machine's does so by itself.
    pub fn advance(&self, by: Micros) {
        if let Self::Virtual(at) = self {
            at.fetch_add(by.max(0), Ordering::SeqCst);
        }
    }

    /// Goes by itself.
    #[must_use]
    pub fn is_machine(&self) -> bool {
        matches!(self, Self::Machine)
    }
}

/// Now, by the machine.
#[must_use]
pub fn now() -> Micros {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_micros()).unwrap_or(i64::MAX)
}
