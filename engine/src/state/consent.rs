//! A participant's consent. Never back from a withdrawal: a new consent is a new participant entry.

use super::{Illegal, words};

words!(
    /// What is in force for a participant.
    Status {
        /// Nothing is recorded.
        Unknown = "unknown",
        /// Everything that was asked for.
        Given = "given",
        /// Some uses only.
        Partial = "partial",
        /// Taken back.
        Withdrawn = "withdrawn",
        /// Never given.
        Refused = "refused",
        /// Its time is over.
        Expired = "expired",
    }
);

words!(
    /// What happens to a consent.
    Event {
        /// A form that covers what was asked for.
        Given = "given",
        /// Fewer uses are covered.
        Narrowed = "narrowed",
        /// All of it is taken back.
        Withdrawn = "withdrawn",
        /// It was refused.
        Refused = "refused",
        /// Its time is over.
        Expired = "expired",
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
            (S::Unknown | S::Given | S::Partial | S::Expired, E::Given) => Ok(S::Given),
            (S::Unknown | S::Given | S::Partial | S::Expired, E::Narrowed) => Ok(S::Partial),
            (S::Unknown | S::Given | S::Partial | S::Refused | S::Expired, E::Withdrawn) => Ok(S::Withdrawn),
            (S::Unknown | S::Given | S::Partial, E::Refused) => Ok(S::Refused),
            (S::Given | S::Partial, E::Expired) => Ok(S::Expired),
            (S::Unknown, E::Expired)
            | (S::Withdrawn, E::Given | E::Narrowed | E::Withdrawn | E::Refused | E::Expired)
            | (S::Refused, E::Given | E::Narrowed | E::Refused | E::Expired)
            | (S::Expired, E::Refused | E::Expired) => {
                Err(Illegal { machine: "consent", status: self.word(), event: event.word() })
            }
        }
    }
}

impl Status {
    /// It may cover a use: which ones, its scopes say.
    #[must_use]
    pub fn is_in_force(self) -> bool {
        matches!(self, Self::Given | Self::Partial)
    }
}
