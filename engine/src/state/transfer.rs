//! A transfer of leftovers to a biobank: what goes together, with its manifest and its receipts.

use super::{Illegal, words};

words!(
    /// Where a transfer to a biobank stands.
    Status {
        /// Being packed.
        Open = "open",
        /// A courier has it.
        Sent = "sent",
        /// Everything of it was taken in.
        Arrived = "arrived",
    }
);

words!(
    /// What happens to a transfer to a biobank.
    Event {
        /// A specimen was put in.
        Packed = "packed",
        /// A specimen was taken out again.
        Unpacked = "unpacked",
        /// A specimen of it went to the courier.
        HandedOver = "handed_over",
        /// A specimen of it was taken in, and others are under way.
        Arrived = "arrived",
        /// The last specimen of it was taken in.
        Completed = "completed",
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
            (S::Open, E::Packed) => Ok(S::Open),
            (S::Open, E::Unpacked) => Ok(S::Open),
            (S::Open | S::Sent, E::HandedOver) => Ok(S::Sent),
            (S::Sent, E::Arrived) => Ok(S::Sent),
            (S::Sent, E::Completed) => Ok(S::Arrived),
            (S::Open, E::Arrived | E::Completed)
            | (S::Sent, E::Packed | E::Unpacked)
            | (S::Arrived, E::Packed | E::Unpacked | E::HandedOver | E::Arrived | E::Completed) => {
                Err(Illegal { machine: "transfer", status: self.word(), event: event.word() })
            }
        }
    }
}
