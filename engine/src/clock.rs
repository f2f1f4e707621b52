//! The clock. Everything pure gets its time from here as a value.

use std::time::{SystemTime, UNIX_EPOCH};

/// Microseconds since the epoch, UTC.
pub type Micros = i64;

/// Now.
#[must_use]
pub fn now() -> Micros {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_micros()).unwrap_or(i64::MAX)
}
