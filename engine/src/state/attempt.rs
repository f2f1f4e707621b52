//! One try of one step.

use super::{Illegal, words};

words!(
    /// Where an attempt stands.
    Status {
        /// Intent is stored; nothing was asked of an executor.
        Planned = "planned",
        /// An engine (by epoch) has taken it.
        Claimed = "claimed",
        /// The executor is being asked; whether something was started is to be found out there.
        Launching = "launching",
        /// It was seen running.
        Running = "running",
        /// The tool has ended.
        Exited = "exited",
        /// Its outputs are being taken in.
        Collecting = "collecting",
        /// Its outputs are the step's outputs, for ever.
        Committed = "committed",
        /// It ended without outputs, with a cause and evidence.
        Failed = "failed",
        /// Somebody asked for its end.
        Canceling = "canceling",
        /// It ended because somebody asked.
        Canceled = "canceled",
        /// What the executor holds contradicts what we know: a person must look.
        Quarantined = "quarantined",
    }
);

words!(
    /// What can happen to an attempt.
    Event {
        /// An engine takes it.
        Claimed = "attempt_claimed",
        /// The executor is asked.
        Launching = "attempt_launching",
        /// Seen running.
        Running = "attempt_running",
        /// The tool ended, the record is read.
        Exited = "attempt_exited",
        /// Taking in begins.
        Collecting = "attempt_collecting",
        /// Outputs are durable.
        Committed = "attempt_committed",
        /// A cause was found.
        Failed = "attempt_failed",
        /// Its end was asked for.
        Canceling = "attempt_canceling",
        /// It ended by request.
        Canceled = "attempt_canceled",
        /// Contradiction.
        Quarantined = "attempt_quarantined",
    }
);

words!(
    /// Why an attempt failed; decided by evidence, never by words in a log.
    Cause {
        /// The tool ended with a code or signal of its own.
        Tool = "tool",
        /// A proven out-of-memory kill.
        OutOfMemory = "out_of_memory",
        /// The witness ended it at its time limit.
        Timeout = "timeout",
        /// A declared output is missing, empty or broken.
        BadOutput = "bad_output",
        /// Node, daemon, disk: ours, not the workflow's.
        Infrastructure = "infrastructure",
        /// Taken away by the scheduler of the cluster.
        Preempted = "preempted",
        /// The image is not here or not the locked one.
        Image = "image",
        /// It was started, is gone and left no record.
        Lost = "lost",
        /// Against a rule of the site or the workflow.
        Policy = "policy",
        /// Consent does not cover the use.
        Consent = "consent",
    }
);

impl Status {
    /// Nothing can follow.
    #[must_use]
    pub fn is_end(self) -> bool {
        matches!(self, Self::Committed | Self::Failed | Self::Canceled | Self::Quarantined)
    }

    /// The status after `event`.
    ///
    /// # Errors
    /// [`Illegal`] when the pair is not allowed.
    pub fn next(self, event: Event) -> Result<Self, Illegal> {
        use Event as E;
        use Status as S;
        let illegal = Err(Illegal { machine: "attempt", status: self.word(), event: event.word() });
        match (self, event) {
            (S::Planned, E::Claimed) => Ok(S::Claimed),
            // A new engine claims what an earlier one left: same attempt, new epoch.
            (S::Claimed | S::Launching, E::Claimed) => Ok(self),
            (S::Claimed, E::Launching) => Ok(S::Launching),
            (S::Launching, E::Running) => Ok(S::Running),
            (S::Launching | S::Running | S::Canceling, E::Exited) => Ok(S::Exited),
            (S::Exited, E::Collecting) => Ok(S::Collecting),
            (S::Collecting, E::Committed) => Ok(S::Committed),
            (
                S::Planned | S::Claimed | S::Launching | S::Running | S::Exited | S::Collecting | S::Canceling,
                E::Failed,
            ) => Ok(S::Failed),
            (S::Planned | S::Claimed | S::Launching | S::Running, E::Canceling) => Ok(S::Canceling),
            (S::Planned | S::Claimed | S::Launching | S::Canceling | S::Exited | S::Collecting, E::Canceled) => {
                Ok(S::Canceled)
            }
            (S::Launching | S::Running | S::Canceling | S::Exited | S::Collecting, E::Quarantined) => {
                Ok(S::Quarantined)
            }
            (S::Planned, E::Launching | E::Running | E::Exited | E::Collecting | E::Committed | E::Quarantined)
            | (S::Claimed, E::Running | E::Exited | E::Collecting | E::Committed | E::Quarantined)
            | (S::Launching, E::Launching | E::Collecting | E::Committed)
            | (S::Running, E::Claimed | E::Launching | E::Running | E::Collecting | E::Committed | E::Canceled)
            | (S::Exited, E::Claimed | E::Launching | E::Running | E::Exited | E::Committed | E::Canceling)
            | (S::Collecting, E::Claimed | E::Launching | E::Running | E::Exited | E::Collecting | E::Canceling)
            | (S::Canceling, E::Claimed | E::Launching | E::Running | E::Collecting | E::Committed | E::Canceling)
            | (S::Committed | S::Failed | S::Canceled | S::Quarantined, _) => illegal,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_plain_way_ends_committed() {
        let way = [Event::Claimed, Event::Launching, Event::Exited, Event::Collecting, Event::Committed];
        let end = way.into_iter().try_fold(Status::Planned, Status::next);
        assert_eq!(end, Ok(Status::Committed));
    }

    #[test]
    fn nothing_follows_an_end() {
        for status in Status::ALL.iter().filter(|status| status.is_end()) {
            for event in Event::ALL {
                assert!(status.next(*event).is_err(), "{status} took {event}");
            }
        }
    }

    #[test]
    fn only_a_collecting_attempt_can_be_committed() {
        for status in Status::ALL {
            assert_eq!(status.next(Event::Committed).is_ok(), *status == Status::Collecting, "{status}");
        }
    }
}
