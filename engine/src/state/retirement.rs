//! The end of a delivery's copies here: two people decided, then it is done.

use super::{Illegal, words};

words!(
    /// Where it stands.
    Status {
        /// Two people decided; the bytes are being destroyed.
        Confirmed = "confirmed",
        /// They are gone, with a certificate.
        Done = "done",
    }
);

words!(
    /// What happens to it.
    Event {
        /// The bytes are gone.
        Done = "done",
    }
);

impl Status {
    /// The status after `event`. Every pair is written out; the page `docs/state-machines.md` has the same table.
    ///
    /// # Errors
    /// [`Illegal`] when the pair is not allowed.
    pub fn next(self, event: Event) -> Result<Self, Illegal> {
        match (self, event) {
            (Self::Confirmed, Event::Done) => Ok(Self::Done),
            (Self::Done, Event::Done) => {
                Err(Illegal { machine: "retirement", status: self.word(), event: event.word() })
            }
        }
    }
}
