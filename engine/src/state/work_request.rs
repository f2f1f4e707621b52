//! A wish to the bench: top-up, re-prep, re-extraction.

use super::{Illegal, words};

words!(
    /// Where a wish to the bench stands.
    Status {
        /// Asked for.
        Requested = "requested",
        /// The bench said yes.
        Accepted = "accepted",
        /// It is being done.
        InLab = "in_lab",
        /// Its data is here.
        Fulfilled = "fulfilled",
        /// The bench said no.
        Refused = "refused",
        /// Taken back.
        Canceled = "canceled",
    }
);

words!(
    /// What happens to a wish to the bench.
    Event {
        /// The bench says yes.
        Accepted = "accepted",
        /// The bench began.
        Started = "started",
        /// Its data is here.
        Fulfilled = "fulfilled",
        /// The bench says no.
        Refused = "refused",
        /// It was taken back.
        Canceled = "canceled",
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
            (S::Requested, E::Accepted) => Ok(S::Accepted),
            (S::Requested | S::Accepted, E::Started) => Ok(S::InLab),
            (S::Requested | S::Accepted | S::InLab, E::Fulfilled) => Ok(S::Fulfilled),
            (S::Requested | S::Accepted, E::Refused) => Ok(S::Refused),
            (S::Requested | S::Accepted | S::InLab, E::Canceled) => Ok(S::Canceled),
            (S::Accepted, E::Accepted)
            | (S::InLab, E::Accepted | E::Started | E::Refused)
            | (S::Fulfilled, E::Accepted | E::Started | E::Fulfilled | E::Refused | E::Canceled)
            | (S::Refused, E::Accepted | E::Started | E::Fulfilled | E::Refused | E::Canceled)
            | (S::Canceled, E::Accepted | E::Started | E::Fulfilled | E::Refused | E::Canceled) => {
                Err(Illegal { machine: "work request", status: self.word(), event: event.word() })
            }
        }
    }
}
