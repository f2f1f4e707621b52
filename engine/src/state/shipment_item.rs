//! One tube of a shipment.

use super::{Illegal, words};

words!(
    /// Where one tube of a shipment stands.
    Status {
        /// Announced, not seen.
        Expected = "expected",
        /// Scanned and good.
        Accepted = "accepted",
        /// Scanned and not good.
        Rejected = "rejected",
        /// Not in the parcel.
        Missing = "missing",
        /// In the parcel, and nobody announced it.
        Extra = "extra",
    }
);

words!(
    /// What happens to one tube of a shipment.
    Event {
        /// It was scanned.
        Received = "received",
        /// It is not accepted.
        Rejected = "rejected",
        /// The parcel was closed without it.
        Missed = "missed",
        /// Its order came after it.
        Announced = "announced",
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
            (S::Expected | S::Missing, E::Received) => Ok(S::Accepted),
            (S::Extra, E::Announced) => Ok(S::Accepted),
            (S::Expected | S::Missing | S::Extra, E::Rejected) => Ok(S::Rejected),
            (S::Expected, E::Missed) => Ok(S::Missing),
            (S::Expected, E::Announced)
            | (S::Accepted, E::Received | E::Rejected | E::Missed | E::Announced)
            | (S::Rejected, E::Received | E::Rejected | E::Missed | E::Announced)
            | (S::Missing, E::Missed | E::Announced)
            | (S::Extra, E::Received | E::Missed) => {
                Err(Illegal { machine: "shipment item", status: self.word(), event: event.word() })
            }
        }
    }
}
