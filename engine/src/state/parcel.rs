//! A shipment: what an institution sent in one parcel. Each tube has a machine of its own.

use super::{Illegal, words};

words!(
    /// Where a shipment stands.
    Status {
        /// Announced.
        Sent = "sent",
        /// Its first tube was scanned.
        Received = "received",
        /// Looked through: nothing is missing.
        Complete = "complete",
        /// Looked through: tubes are missing.
        Incomplete = "incomplete",
    }
);

words!(
    /// What happens to a shipment.
    Event {
        /// A tube of it was scanned.
        Received = "received",
        /// It was looked through, and nothing is missing.
        ClosedWhole = "closed_whole",
        /// It was looked through, and tubes are missing.
        ClosedShort = "closed_short",
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
            (S::Sent | S::Received, E::Received) => Ok(S::Received),
            (S::Sent | S::Received | S::Complete | S::Incomplete, E::ClosedWhole) => Ok(S::Complete),
            (S::Complete, E::Received) => Ok(S::Complete),
            (S::Sent | S::Received | S::Complete | S::Incomplete, E::ClosedShort) => Ok(S::Incomplete),
            (S::Incomplete, E::Received) => Ok(S::Incomplete),
        }
    }
}
