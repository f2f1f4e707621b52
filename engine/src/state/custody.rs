//! The leftover of a specimen, and who has it.

use super::{Illegal, words};

words!(
    /// Where a leftover is.
    Status {
        /// The lab has it.
        InLab = "in_lab",
        /// Packed for the biobank.
        Packed = "packed",
        /// A courier has it.
        InTransit = "in_transit",
        /// The biobank has it, with its number.
        InBiobank = "in_biobank",
        /// Gone, with a receipt.
        Destroyed = "destroyed",
        /// Back at the institution.
        Returned = "returned",
        /// Used up.
        Exhausted = "exhausted",
        /// Nobody knows: a deviation.
        Lost = "lost",
    }
);

words!(
    /// What happens to a leftover.
    Event {
        /// It was packed.
        Packed = "packed",
        /// It stays in the lab.
        Unpacked = "unpacked",
        /// A courier took it.
        HandedOver = "handed_over",
        /// The biobank took it in.
        Arrived = "arrived",
        /// It was destroyed.
        Destroyed = "destroyed",
        /// It was returned.
        Returned = "returned",
        /// It was used up.
        Exhausted = "exhausted",
        /// It cannot be found.
        Lost = "lost",
        /// It was found.
        Found = "found",
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
            (S::InLab, E::Packed) => Ok(S::Packed),
            (S::InLab | S::Packed | S::InBiobank, E::Destroyed) => Ok(S::Destroyed),
            (S::InLab | S::InTransit | S::InBiobank, E::Returned) => Ok(S::Returned),
            (S::InLab | S::InBiobank, E::Exhausted) => Ok(S::Exhausted),
            (S::InLab | S::Packed | S::InTransit | S::InBiobank, E::Lost) => Ok(S::Lost),
            (S::Packed, E::Unpacked) => Ok(S::InLab),
            (S::Lost, E::Found) => Ok(S::InLab),
            (S::Packed, E::HandedOver) => Ok(S::InTransit),
            (S::InTransit, E::Arrived) => Ok(S::InBiobank),
            (S::InLab, E::Unpacked | E::HandedOver | E::Arrived | E::Found)
            | (S::Packed, E::Packed | E::Arrived | E::Returned | E::Exhausted | E::Found)
            | (S::InTransit, E::Packed | E::Unpacked | E::HandedOver | E::Destroyed | E::Exhausted | E::Found)
            | (S::InBiobank, E::Packed | E::Unpacked | E::HandedOver | E::Arrived | E::Found)
            | (
                S::Destroyed,
                E::Packed
                | E::Unpacked
                | E::HandedOver
                | E::Arrived
                | E::Destroyed
                | E::Returned
                | E::Exhausted
                | E::Lost
                | E::Found,
            )
            | (
                S::Returned,
                E::Packed
                | E::Unpacked
                | E::HandedOver
                | E::Arrived
                | E::Destroyed
                | E::Returned
                | E::Exhausted
                | E::Lost
                | E::Found,
            )
            | (
                S::Exhausted,
                E::Packed
                | E::Unpacked
                | E::HandedOver
                | E::Arrived
                | E::Destroyed
                | E::Returned
                | E::Exhausted
                | E::Lost
                | E::Found,
            )
            | (
                S::Lost,
                E::Packed
                | E::Unpacked
                | E::HandedOver
                | E::Arrived
                | E::Destroyed
                | E::Returned
                | E::Exhausted
                | E::Lost,
            ) => Err(Illegal { machine: "custody", status: self.word(), event: event.word() }),
        }
    }
}
