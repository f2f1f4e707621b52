//! A withdrawal: a case with steps, never a delete.

use super::{Illegal, words};

words!(
    /// Where a withdrawal case stands.
    Status {
        /// The notice is on record, with its scope.
        Recorded = "recorded",
        /// Nothing new starts, what ran was ended.
        Stopped = "stopped",
        /// Everything of the participant is listed, receivers are told.
        Listed = "listed",
        /// Nothing of the participant can be read.
        Sealed = "sealed",
        /// Only the scope is narrower; receivers are told.
        Notified = "notified",
        /// Decided, destroyed or kept, answered.
        Closed = "closed",
    }
);

words!(
    /// What happens to a withdrawal case.
    Event {
        /// Runs were ended.
        Stopped = "stopped",
        /// The impact list is complete.
        Listed = "listed",
        /// Outputs are out of reach.
        Sealed = "sealed",
        /// Receivers were told of the narrower scope.
        Notified = "notified",
        /// Everything is decided and answered.
        Closed = "closed",
    }
);

impl Status {
    /// The status after `event`. Every pair is written out; the page `docs/state-machines.md` has the same table.
    ///
    /// # Errors
    /// [`Illegal`] when the pair is not allowed.
    pub fn next(self, event: Event) -> Result<Self, Illegal> {
        use Event as E;
        use Status as S;
        match (self, event) {
            (S::Recorded, E::Stopped) => Ok(S::Stopped),
            (S::Recorded, E::Notified) => Ok(S::Notified),
            (S::Stopped, E::Listed) => Ok(S::Listed),
            (S::Listed, E::Sealed) => Ok(S::Sealed),
            (S::Sealed | S::Notified, E::Closed) => Ok(S::Closed),
            (S::Recorded, E::Listed | E::Sealed | E::Closed)
            | (S::Stopped, E::Stopped | E::Sealed | E::Notified | E::Closed)
            | (S::Listed, E::Stopped | E::Listed | E::Notified | E::Closed)
            | (S::Sealed, E::Stopped | E::Listed | E::Sealed | E::Notified)
            | (S::Notified, E::Stopped | E::Listed | E::Sealed | E::Notified)
            | (S::Closed, E::Stopped | E::Listed | E::Sealed | E::Notified | E::Closed) => {
                Err(Illegal { machine: "withdrawal", status: self.word(), event: event.word() })
            }
        }
    }
}
