//! One concrete step of a run.

use super::{Illegal, words};

words!(
    /// Where a step stands.
    Status {
        /// Something it needs is not finished.
        Waiting = "waiting",
        /// Everything it needs is there; it waits for its turn.
        Ready = "ready",
        /// It is being done.
        Running = "running",
        /// A named person must act.
        AwaitingPerson = "awaiting_person",
        /// Done; outputs are there.
        Succeeded = "succeeded",
        /// Given up.
        Failed = "failed",
        /// Its `when` was false.
        Skipped = "skipped",
        /// The run was canceled.
        Canceled = "canceled",
    }
);

words!(
    /// What can happen to a step.
    Event {
        /// Everything it needs is there.
        Ready = "step_ready",
        /// An attempt, a reading or a hand-off begins.
        Started = "step_started",
        /// The attempt is over, another will follow.
        Again = "step_again",
        /// A person is asked.
        Asked = "step_asked",
        /// Done.
        Succeeded = "step_succeeded",
        /// Given up.
        Failed = "step_failed",
        /// `when` was false.
        Skipped = "step_skipped",
        /// The run ends by request.
        Canceled = "step_canceled",
        /// A person asked for the step to be done again.
        Reset = "step_reset",
        /// A list became known: items were added (the group waits for them).
        FannedOut = "step_fanned_out",
    }
);

impl Status {
    /// Nothing follows but a person's `retry`.
    #[must_use]
    pub fn is_end(self) -> bool {
        matches!(self, Self::Succeeded | Self::Failed | Self::Skipped | Self::Canceled)
    }

    /// Whoever needs it may go on.
    #[must_use]
    pub fn is_satisfied(self) -> bool {
        matches!(self, Self::Succeeded | Self::Skipped)
    }

    /// The status after `event`.
    ///
    /// # Errors
    /// [`Illegal`] when the pair is not allowed.
    pub fn next(self, event: Event) -> Result<Self, Illegal> {
        use Event as E;
        use Status as S;
        match (self, event) {
            // From a person's hands back into the order: `hold_before` was let go.
            (S::Waiting | S::AwaitingPerson, E::Ready) => Ok(S::Ready),
            (S::Waiting | S::Ready, E::FannedOut) => Ok(S::Waiting),
            (S::Ready, E::Started) => Ok(S::Running),
            (S::Running, E::Again) => Ok(S::Ready),
            (S::Ready | S::Running, E::Asked) => Ok(S::AwaitingPerson),
            (S::Waiting | S::Ready | S::Running | S::AwaitingPerson, E::Succeeded) => Ok(S::Succeeded),
            (S::Waiting | S::Ready | S::Running | S::AwaitingPerson, E::Failed) => Ok(S::Failed),
            (S::Ready | S::Waiting, E::Skipped) => Ok(S::Skipped),
            (S::Waiting | S::Ready | S::Running | S::AwaitingPerson, E::Canceled) => Ok(S::Canceled),
            // What is ready or asked about rests on what is made again: it waits again.
            (S::Succeeded | S::Failed | S::Skipped | S::Canceled | S::Ready | S::AwaitingPerson, E::Reset) => {
                Ok(S::Waiting)
            }
            (S::Waiting, E::Started | E::Again | E::Asked | E::Reset)
            | (S::Ready, E::Ready | E::Again)
            | (S::Running, E::Ready | E::Started | E::Skipped | E::Reset | E::FannedOut)
            | (S::AwaitingPerson, E::Started | E::Again | E::Asked | E::Skipped | E::FannedOut)
            | (
                S::Succeeded | S::Failed | S::Skipped | S::Canceled,
                E::Ready
                | E::Started
                | E::Again
                | E::Asked
                | E::Succeeded
                | E::Failed
                | E::Skipped
                | E::Canceled
                | E::FannedOut,
            ) => Err(Illegal { machine: "step", status: self.word(), event: event.word() }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ended_step_moves_only_by_a_persons_retry() {
        for status in Status::ALL.iter().filter(|status| status.is_end()) {
            for event in Event::ALL {
                assert_eq!(status.next(*event).is_ok(), *event == Event::Reset, "{status} and {event}");
            }
        }
    }

    #[test]
    fn a_running_step_is_never_started_again() {
        assert!(Status::Running.next(Event::Started).is_err());
    }
}
