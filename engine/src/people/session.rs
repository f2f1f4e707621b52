//! Sessions: somebody is signed in for a working day, and locked out after too many tries.

use super::record::{Person, Session};
use super::secret::Shown;
use super::token::ACTIVE;
use crate::clock::Micros;

/// What a session's secret begins with.
pub const PREFIX: &str = "ks";
/// How long a session lasts: a shift.
pub const LASTS_US: Micros = 12 * 3600 * 1_000_000;
/// Wrong tries in a row that lock a name.
pub const FAILURES_MAX: u32 = 5;
/// For how long.
pub const LOCKED_US: Micros = 15 * 60 * 1_000_000;

/// Does this session count now?
#[must_use]
pub fn counts(session: &Session, status: &str, shown: &Shown<'_>, now: Micros) -> bool {
    let known = shown.is(&session.sha256);
    known && status == ACTIVE && now < session.until_us
}

/// May they try at all?
#[must_use]
pub fn is_locked(person: &Person, now: Micros) -> bool {
    now < person.locked_until_us
}

/// A try that was wrong.
pub fn failed(person: &mut Person, now: Micros) {
    person.failures += 1;
    if person.failures >= FAILURES_MAX {
        person.failures = 0;
        person.locked_until_us = now.saturating_add(LOCKED_US);
    }
}

/// A try that was right.
pub fn succeeded(person: &mut Person) {
    person.failures = 0;
    person.locked_until_us = 0;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn five_wrong_tries_lock_for_a_quarter_of_an_hour() {
        let mut person = Person::default();
        for _ in 0..4 {
            failed(&mut person, 10);
            assert!(!is_locked(&person, 10));
        }
        failed(&mut person, 10);
        assert!(is_locked(&person, 10 + LOCKED_US - 1));
        assert!(!is_locked(&person, 10 + LOCKED_US));
    }

    #[test]
    fn a_right_try_forgets_the_wrong_ones() {
        let mut person = Person::default();
        for _ in 0..10 {
            for _ in 0..4 {
                failed(&mut person, 10);
            }
            succeeded(&mut person);
        }
        assert!(!is_locked(&person, 10));
    }
}
