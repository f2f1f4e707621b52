//! Another attempt, or not. Budgets are per cause; what the site is to blame for never spends the workflow's.

use std::collections::BTreeMap;

use kentai_workflows::workflow::{Retry, RetryCause};

use crate::state::attempt::Cause;

/// The site's own budgets: extra attempts per cause, none of them counted against the workflow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budgets {
    /// Node, daemon, disk.
    pub infrastructure: u32,
    /// Taken away by a cluster.
    pub preempted: u32,
    /// Image not to be had.
    pub image: u32,
    /// Gone without a record.
    pub lost: u32,
}

impl Default for Budgets {
    fn default() -> Self {
        Self { infrastructure: 5, preempted: 10, image: 3, lost: 2 }
    }
}

/// What to do after a failed attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Next {
    /// Try again after so many milliseconds.
    After(u64),
    /// Give up; in words, what was used up.
    GiveUp(String),
}

/// Causes that the site pays for.
const SITE: [Cause; 4] = [Cause::Infrastructure, Cause::Preempted, Cause::Image, Cause::Lost];

/// Decides after a failure with `cause` and, when the tool ended by itself, `exit_code`. `failures` holds this round's failures by
/// cause, this one included. `unit` in 0..1 spreads the wait.
#[must_use]
pub fn decide(
    retry: &Retry,
    budgets: &Budgets,
    failures: &BTreeMap<String, u32>,
    cause: Cause,
    exit_code: Option<i32>,
    unit: f64,
) -> Next {
    let count = |cause: Cause| failures.get(cause.word()).copied().unwrap_or(0);
    let budget = match cause {
        Cause::Infrastructure => Some(budgets.infrastructure),
        Cause::Preempted => Some(budgets.preempted),
        Cause::Image => Some(budgets.image),
        Cause::Lost => Some(budgets.lost),
        Cause::Tool | Cause::OutOfMemory | Cause::Timeout | Cause::BadOutput | Cause::Policy | Cause::Consent => None,
    };
    if let Some(budget) = budget {
        let used = count(cause);
        return if used <= budget {
            Next::After(site_wait_ms(used))
        } else {
            Next::GiveUp(format!("the site's budget of {budget} more attempts after {cause} failures is used up"))
        };
    }
    if !wanted(retry, cause, exit_code) {
        return Next::GiveUp(format!("the workflow asks for no other attempt after {cause}"));
    }
    let site: u32 = SITE.into_iter().map(count).sum();
    let own = failures.values().sum::<u32>() - site;
    if own < retry.attempts {
        Next::After(own_wait_ms(retry, own, unit))
    } else {
        Next::GiveUp(format!("all {} attempts of the workflow are used up", retry.attempts))
    }
}

fn wanted(retry: &Retry, cause: Cause, exit_code: Option<i32>) -> bool {
    let named = |wish: RetryCause| retry.causes.contains(&wish);
    match cause {
        Cause::Tool => {
            let code = exit_code.is_some_and(|code| retry.exit_codes.contains(&code));
            code || (named(RetryCause::Tool) && retry.exit_codes.is_empty())
        }
        Cause::OutOfMemory => named(RetryCause::OutOfMemory),
        Cause::Timeout => named(RetryCause::Timeout),
        Cause::BadOutput => named(RetryCause::BadOutput),
        Cause::Infrastructure | Cause::Preempted | Cause::Image | Cause::Lost | Cause::Policy | Cause::Consent => false,
    }
}

/// 1 s, 2 s, 4 s … at most five minutes: the site's troubles pass by themselves or need a person.
fn site_wait_ms(used: u32) -> u64 {
    (1_000_u64 << used.saturating_sub(1).min(20)).min(300_000)
}

#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "milliseconds of waits"
)]
fn own_wait_ms(retry: &Retry, own: u32, unit: f64) -> u64 {
    let factor = retry.wait_factor.powi(i32::try_from(own.saturating_sub(1)).unwrap_or(i32::MAX));
    let full = (retry.wait_first_ms as f64 * factor).min(retry.wait_max_ms as f64);
    let spread = if retry.jitter { 0.5 + unit.clamp(0.0, 1.0) / 2.0 } else { 1.0 };
    (full * spread) as u64
}

/// `base` grown by `factor` once per failure of a kind, clamped by the site (zero: no clamp).
#[must_use]
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "bytes and seconds, clamped"
)]
pub fn escalate(base: u64, factor: Option<f64>, times: u32, max: u64) -> u64 {
    let grown = base as f64 * factor.unwrap_or(1.0).powi(i32::try_from(times).unwrap_or(i32::MAX));
    let grown = grown.min(u64::MAX as f64) as u64;
    if max > 0 { grown.min(max.max(base)) } else { grown }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn retry(attempts: u32, causes: &[RetryCause], exit_codes: &[i32]) -> Retry {
        Retry {
            attempts,
            causes: causes.to_vec(),
            exit_codes: exit_codes.to_vec(),
            wait_first_ms: 100,
            wait_factor: 2.0,
            wait_max_ms: 250,
            jitter: false,
            escalate_memory: None,
            escalate_timeout: None,
            escalate_disk: None,
        }
    }

    fn failures(list: &[(Cause, u32)]) -> BTreeMap<String, u32> {
        list.iter().map(|(cause, n)| (cause.word().to_owned(), *n)).collect()
    }

    #[test]
    fn a_preempted_attempt_does_not_use_up_a_retry() {
        let retry = retry(2, &[RetryCause::Tool], &[]);
        let so_far = failures(&[(Cause::Preempted, 7), (Cause::Tool, 1)]);
        assert_eq!(decide(&retry, &Budgets::default(), &so_far, Cause::Tool, Some(1), 0.0), Next::After(100));
    }

    #[test]
    fn the_sites_budget_ends() {
        let so_far = failures(&[(Cause::Lost, 3)]);
        let next = decide(&retry(9, &[], &[]), &Budgets::default(), &so_far, Cause::Lost, None, 0.0);
        assert!(matches!(next, Next::GiveUp(_)));
    }

    #[test]
    fn only_the_named_exit_codes_are_tried_again() {
        let retry = retry(3, &[RetryCause::OutOfMemory], &[75]);
        let so_far = failures(&[(Cause::Tool, 1)]);
        let with = |code| decide(&retry, &Budgets::default(), &so_far, Cause::Tool, Some(code), 0.0);
        assert_eq!(with(75), Next::After(100));
        assert!(matches!(with(1), Next::GiveUp(_)));
    }

    #[test]
    fn waits_grow_to_their_limit() {
        let retry = retry(9, &[RetryCause::Timeout], &[]);
        let wait =
            |n| decide(&retry, &Budgets::default(), &failures(&[(Cause::Timeout, n)]), Cause::Timeout, None, 0.0);
        assert_eq!([wait(1), wait(2), wait(3)], [Next::After(100), Next::After(200), Next::After(250)]);
    }

    #[test]
    fn escalation_is_clamped_by_the_site() {
        assert_eq!(escalate(100, Some(1.5), 2, 0), 225);
        assert_eq!(escalate(100, Some(1.5), 2, 200), 200);
        assert_eq!(escalate(100, None, 2, 200), 100);
    }
}
