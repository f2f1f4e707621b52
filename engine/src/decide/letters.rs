//! When a letter that was not taken is tried again, and when it is given up.
//!
//! What may pass is tried for about three days, which spans a weekend. What was refused is tried more slowly and for about a day: a
//! person has to mend something, and should hear of it on the same day. What is gone (HTTP 410) is given up at once, as Standard
//! Webhooks asks. A receiver that says how long to wait is left alone so long, within the longest wait.

use crate::clock::Micros;
use crate::port::messenger::Error;
use crate::specimen::record::{Letter, LetterState};

/// The wait after the first failure that may pass.
const FIRST_S: u64 = 5;
/// By how much each wait is longer than the one before.
const FACTOR: u64 = 3;
/// No wait is longer.
const WAIT_S_MAX: u64 = 6 * 3600;
/// Tries in all: eight waits that grow (five hours together), and twelve of six hours.
pub const TRIES_MAX: u32 = 21;
/// The wait after the first refusal.
const REFUSED_FIRST_S: u64 = 3600;
/// Refusals in all: waits of one, three, six and six hours.
pub const REFUSALS_MAX: u32 = 5;

const SECOND_US: i64 = 1_000_000;

/// What to do with a letter that was not taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Next {
    /// Try again then.
    At(Micros),
    /// Give it up; in words, why.
    GiveUp(String),
}

/// Decides after a failed try. `letter` counts this try already; `unit` in 0..1 spreads the wait over its last quarter, so that
/// receivers that come back are not asked by everybody at once.
#[must_use]
pub fn after(letter: &Letter, failure: &Error, now: Micros, unit: f64) -> Next {
    let (wait_s, wanted_s) = match failure {
        Error::Gone { reason } => return Next::GiveUp(reason.clone()),
        Error::Refused { reason } if letter.refusals >= REFUSALS_MAX => {
            return Next::GiveUp(format!("refused {} times: {reason}", letter.refusals));
        }
        Error::Passing { reason, .. } | Error::Refused { reason } if letter.tries >= TRIES_MAX => {
            return Next::GiveUp(format!("tried {} times: {reason}", letter.tries));
        }
        Error::Refused { .. } => (grown_s(REFUSED_FIRST_S, letter.refusals), 0),
        Error::Passing { wait_s, .. } => (grown_s(FIRST_S, letter.tries), wait_s.unwrap_or(0)),
    };
    let wait_us = micros(wait_s);
    let spread_us = wait_us - share(wait_us / 4, unit);
    Next::At(now.saturating_add(spread_us.max(micros(wanted_s.min(WAIT_S_MAX)))))
}

/// The letters that are due, by their places; those that are on their way are the caller's to leave out.
#[must_use]
pub fn due(letters: &[Letter], now: Micros) -> Vec<usize> {
    let is_due = |letter: &Letter| letter.state == LetterState::Due && letter.next_us <= now;
    letters.iter().enumerate().filter(|(_, letter)| is_due(letter)).map(|(place, _)| place).collect()
}

/// The same for the same try of the same letter, so that it can be told beforehand; 0..1.
#[must_use]
pub fn spread(notice: &str, place: usize, tries: u32) -> f64 {
    let text = format!("{notice}/{place}/{tries}");
    let sum = text.bytes().fold(0_u32, |sum, byte| sum.wrapping_mul(31).wrapping_add(byte.into()));
    f64::from(sum % 1000) / 1000.0
}

fn grown_s(first_s: u64, times: u32) -> u64 {
    let factor = FACTOR.saturating_pow(times.saturating_sub(1));
    first_s.saturating_mul(factor).min(WAIT_S_MAX)
}

fn micros(seconds: u64) -> i64 {
    i64::try_from(seconds).unwrap_or(i64::MAX).saturating_mul(SECOND_US)
}

#[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, reason = "a part of a wait, in microseconds")]
fn share(of_us: i64, unit: f64) -> i64 {
    (of_us as f64 * unit.clamp(0.0, 1.0)) as i64
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR_S: u64 = 3600;

    fn passing(wait_s: Option<u64>) -> Error {
        Error::Passing { reason: "busy".into(), wait_s }
    }

    fn refused() -> Error {
        Error::Refused { reason: "401".into() }
    }

    fn tried(tries: u32, refusals: u32) -> Letter {
        Letter { tries, refusals, ..Letter::new("webhook", "https://a.example/", 0) }
    }

    fn waits(failure: &Error, unit: f64) -> Vec<u64> {
        let refusals = u32::from(matches!(failure, Error::Refused { .. }));
        let mut waits = Vec::new();
        for n in 1.. {
            match after(&tried(n, n * refusals), failure, 0, unit) {
                Next::At(at) => waits.push(u64::try_from(at / SECOND_US).expect("later")),
                Next::GiveUp(_) => return waits,
            }
        }
        waits
    }

    #[test]
    fn what_may_pass_is_tried_over_a_weekend() {
        let waits = waits(&passing(None), 0.0);
        assert_eq!(waits[..9], [5, 15, 45, 135, 405, 1215, 3645, 10935, 6 * HOUR_S]);
        assert_eq!(waits.len(), 20);
        let days = waits.iter().sum::<u64>() / HOUR_S;
        assert!((66..80).contains(&days), "{days} hours");
    }

    #[test]
    fn what_is_refused_is_tried_slowly_and_for_a_day() {
        assert_eq!(waits(&refused(), 0.0), [HOUR_S, 3 * HOUR_S, 6 * HOUR_S, 6 * HOUR_S]);
    }

    #[test]
    fn what_is_gone_is_given_up_at_once() {
        let gone = Error::Gone { reason: "410".into() };
        assert_eq!(after(&tried(1, 0), &gone, 0, 0.0), Next::GiveUp("410".into()));
    }

    #[test]
    fn the_spread_shortens_a_wait_by_a_quarter_at_most() {
        for (full, short) in waits(&passing(None), 0.0).into_iter().zip(waits(&passing(None), 1.0)) {
            assert!(short <= full && short >= full / 4 * 3, "{full} {short}");
        }
    }

    #[test]
    fn a_receiver_that_says_how_long_is_left_alone_so_long_but_not_for_ever() {
        let at = |wait_s| after(&tried(1, 0), &passing(Some(wait_s)), 0, 0.0);
        assert_eq!(at(120), Next::At(micros(120)));
        assert_eq!(at(1), Next::At(micros(FIRST_S)));
        assert_eq!(at(u64::MAX), Next::At(micros(WAIT_S_MAX)));
    }

    #[test]
    fn only_what_is_to_be_sent_and_whose_time_has_come_is_due() {
        let letter = |state, next_us| Letter { state, next_us, ..tried(0, 0) };
        let letters = [
            letter(LetterState::Due, 9),
            letter(LetterState::Due, 10),
            letter(LetterState::Due, 11),
            letter(LetterState::Taken, 0),
            letter(LetterState::Dead, 0),
            letter(LetterState::Dropped, 0),
        ];
        assert_eq!(due(&letters, 10), [0, 1]);
    }
}
