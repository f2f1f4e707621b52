//! One thing that a withdrawal is about: two people decide.

use super::{Illegal, words};

words!(
    /// Where one thing of a withdrawal stands.
    Status {
        /// It is of the participant.
        Listed = "listed",
        /// One person said what becomes of it.
        Proposed = "proposed",
        /// A second person agreed; it is to be done.
        Confirmed = "confirmed",
        /// It was done, with a certificate.
        Done = "done",
    }
);

words!(
    /// What happens to one thing of a withdrawal.
    Event {
        /// One person says what becomes of it.
        Proposed = "proposed",
        /// A second person agrees.
        Confirmed = "confirmed",
        /// It was done.
        Done = "done",
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
            (S::Listed | S::Proposed, E::Proposed) => Ok(S::Proposed),
            (S::Proposed, E::Confirmed) => Ok(S::Confirmed),
            (S::Confirmed, E::Done) => Ok(S::Done),
            (S::Listed, E::Confirmed | E::Done)
            | (S::Proposed, E::Done)
            | (S::Confirmed, E::Proposed | E::Confirmed)
            | (S::Done, E::Proposed | E::Confirmed | E::Done) => {
                Err(Illegal { machine: "case item", status: self.word(), event: event.word() })
            }
        }
    }
}
