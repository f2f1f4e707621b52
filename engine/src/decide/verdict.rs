//! From evidence to a verdict on one attempt.
//!
//! Success = record present, nonce matches, code 0, no out-of-memory kill anywhere, no contradiction from the executor (outputs are
//! judged later, by the collector). Words in a log never count.

use crate::port::executor::Evidence;
use crate::state::attempt::Cause;

/// What became of the tool.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The tool ended well: take its outputs in.
    Well,
    /// It failed, with a reason in words.
    Failed(Cause, String),
    /// It ended because somebody asked for its end.
    Stopped,
    /// The evidence contradicts itself.
    Contradiction(String),
}

/// Judges the evidence of an attempt whose task carried `nonce`.
#[must_use]
pub fn judge(evidence: &Evidence, nonce: &str) -> Outcome {
    let Some(record) = &evidence.record else {
        return without_record(evidence);
    };
    if record.nonce != nonce {
        return Outcome::Contradiction("the exit record carries another attempt's nonce".into());
    }
    if evidence.oom_killed || record.oom_kills > 0 {
        return Outcome::Failed(Cause::OutOfMemory, "the kernel killed a process of it for lack of memory".into());
    }
    if record.timed_out {
        return Outcome::Failed(Cause::Timeout, "it was ended at its time limit".into());
    }
    if record.stopped {
        return evidence.executor_cause.map_or(Outcome::Stopped, |cause| Outcome::Failed(cause, said(evidence)));
    }
    if let Some(error) = &record.error {
        return Outcome::Failed(Cause::Tool, format!("it could not be started: {error}"));
    }
    match (record.exit_code, record.signal) {
        (Some(0), _) => match evidence.executor_exit_code {
            Some(code) if code != 0 => {
                Outcome::Failed(Cause::Infrastructure, format!("its record says exit code 0, its executor says {code}"))
            }
            _ => Outcome::Well,
        },
        (Some(code), _) => Outcome::Failed(Cause::Tool, format!("exit code {code}")),
        (None, Some(signal)) => Outcome::Failed(Cause::Tool, format!("ended by signal {signal}")),
        (None, None) => Outcome::Contradiction("the exit record has neither code nor signal".into()),
    }
}

fn without_record(evidence: &Evidence) -> Outcome {
    if evidence.oom_killed {
        return Outcome::Failed(Cause::OutOfMemory, "the kernel killed all of it for lack of memory".into());
    }
    if let Some(cause) = evidence.executor_cause {
        return Outcome::Failed(cause, said(evidence));
    }
    match (&evidence.executor_error, evidence.executor_exit_code) {
        (Some(error), _) => Outcome::Failed(Cause::Infrastructure, error.clone()),
        (None, Some(code)) => {
            Outcome::Failed(Cause::Lost, format!("it ended (executor says {code}) without an exit record"))
        }
        (None, None) => Outcome::Failed(Cause::Lost, "it is gone and left no exit record".into()),
    }
}

/// The executor's words about an end that it made.
fn said(evidence: &Evidence) -> String {
    evidence.executor_error.clone().unwrap_or_else(|| "its executor ended it".into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exit_record::ExitRecord;

    fn with(record: ExitRecord) -> Evidence {
        Evidence { record: Some(ExitRecord { nonce: "n".into(), ..record }), ..Evidence::default() }
    }

    fn cause(evidence: &Evidence) -> Option<Cause> {
        match judge(evidence, "n") {
            Outcome::Failed(cause, _) => Some(cause),
            _ => None,
        }
    }

    #[test]
    fn exit_code_zero_with_an_out_of_memory_kill_is_not_success() {
        let evidence =
            Evidence { oom_killed: true, ..with(ExitRecord { exit_code: Some(0), ..ExitRecord::default() }) };
        assert_eq!(cause(&evidence), Some(Cause::OutOfMemory));
    }

    #[test]
    fn no_record_is_not_success_whatever_the_executor_says() {
        let evidence = Evidence { executor_exit_code: Some(0), ..Evidence::default() };
        assert_eq!(cause(&evidence), Some(Cause::Lost));
    }

    #[test]
    fn a_foreign_nonce_is_a_contradiction() {
        let mut evidence = with(ExitRecord { exit_code: Some(0), ..ExitRecord::default() });
        assert_eq!(judge(&evidence, "n"), Outcome::Well);
        if let Some(record) = &mut evidence.record {
            record.nonce = "m".into();
        }
        assert!(matches!(judge(&evidence, "n"), Outcome::Contradiction(_)));
    }

    #[test]
    fn an_executor_that_contradicts_a_good_record_wins() {
        let evidence = Evidence {
            executor_exit_code: Some(137),
            ..with(ExitRecord { exit_code: Some(0), ..ExitRecord::default() })
        };
        assert_eq!(cause(&evidence), Some(Cause::Infrastructure));
    }

    #[test]
    fn whoever_ended_it_says_why_but_never_makes_a_success_a_failure() {
        let ended = |record| Evidence {
            record,
            executor_cause: Some(Cause::Preempted),
            executor_error: Some("another job came first".into()),
            ..Evidence::default()
        };
        let wanted = Outcome::Failed(Cause::Preempted, "another job came first".into());
        assert_eq!(judge(&ended(None), "n"), wanted);
        let record = |record: ExitRecord| Some(ExitRecord { nonce: "n".into(), ..record });
        let stopped = record(ExitRecord { signal: Some(15), stopped: true, ..ExitRecord::default() });
        assert_eq!(judge(&ended(stopped), "n"), wanted);
        let well = record(ExitRecord { exit_code: Some(0), ..ExitRecord::default() });
        assert_eq!(judge(&ended(well), "n"), Outcome::Well);
    }
}
