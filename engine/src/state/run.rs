//! One execution of a plan. *Held* is a separate axis and not a status.

use super::{Illegal, words};

words!(
    /// Where a run stands.
    Status {
        /// Stored, not begun.
        Queued = "queued",
        /// Some step may be done.
        Running = "running",
        /// Nothing new starts; what runs is being ended.
        Canceling = "canceling",
        /// Every step is satisfied.
        Succeeded = "succeeded",
        /// A step was given up.
        Failed = "failed",
        /// Ended by request.
        Canceled = "canceled",
    }
);

words!(
    /// What can happen to a run.
    Event {
        /// The first step may start.
        Started = "run_started",
        /// Every step is satisfied.
        Succeeded = "run_succeeded",
        /// A step was given up and nothing else runs.
        Failed = "run_failed",
        /// Somebody asked for its end.
        Canceling = "run_canceling",
        /// Nothing of it runs any more.
        Canceled = "run_canceled",
        /// A person asked for another try.
        Reopened = "run_reopened",
        /// A person paused it (axis).
        Held = "run_held",
        /// A person let it go on (axis).
        Resumed = "run_resumed",
    }
);

impl Status {
    /// Nothing follows but a person's `retry`.
    #[must_use]
    pub fn is_end(self) -> bool {
        matches!(self, Self::Succeeded | Self::Failed | Self::Canceled)
    }

    /// The status after `event`.
    ///
    /// # Errors
    /// [`Illegal`] when the pair is not allowed.
    pub fn next(self, event: Event) -> Result<Self, Illegal> {
        use Event as E;
        use Status as S;
        match (self, event) {
            (S::Queued, E::Started) => Ok(S::Running),
            (S::Running, E::Succeeded) => Ok(S::Succeeded),
            (S::Running, E::Failed) => Ok(S::Failed),
            (S::Queued | S::Running, E::Canceling) => Ok(S::Canceling),
            (S::Canceling, E::Canceled) => Ok(S::Canceled),
            (S::Failed | S::Canceled | S::Succeeded, E::Reopened) => Ok(S::Running),
            (S::Queued | S::Running, E::Held | E::Resumed) => Ok(self),
            (S::Queued, E::Succeeded | E::Failed | E::Canceled | E::Reopened)
            | (S::Running, E::Started | E::Canceled | E::Reopened)
            | (
                S::Canceling,
                E::Started | E::Succeeded | E::Failed | E::Canceling | E::Reopened | E::Held | E::Resumed,
            )
            | (
                S::Succeeded | S::Failed | S::Canceled,
                E::Started | E::Succeeded | E::Failed | E::Canceling | E::Canceled | E::Held | E::Resumed,
            ) => Err(Illegal { machine: "run", status: self.word(), event: event.word() }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_canceling_run_can_only_end_canceled() {
        for event in Event::ALL {
            assert_eq!(Status::Canceling.next(*event).is_ok(), *event == Event::Canceled, "{event}");
        }
    }
}
