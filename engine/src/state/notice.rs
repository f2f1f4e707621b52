//! A message to somebody outside: on its way, taken, answered, or given up.

use super::{Illegal, words};

words!(
    /// Where a notice stands.
    Status {
        /// Somebody outside must answer it; its letters may still be on their way.
        Pending = "pending",
        /// It needs no answer, and is on its way.
        Sending = "sending",
        /// It needs no answer, and whoever was to have it has it.
        Sent = "sent",
        /// A letter of it was given up: a person must look.
        Undelivered = "undelivered",
        /// Somebody outside answered.
        Answered = "answered",
        /// What it spoke of was called back before all of its letters had left.
        CalledBack = "called_back",
    }
);

words!(
    /// What happens to a notice.
    Event {
        /// The last of its letters was taken.
        Taken = "taken",
        /// A letter was given up.
        GivenUp = "given_up",
        /// It is sent again, and needs no answer.
        SentAgain = "sent_again",
        /// It is sent again, and must be answered.
        AskedAgain = "asked_again",
        /// Somebody outside answered.
        Answered = "answered",
        /// What it speaks of is called back: its letters that wait are not sent any more.
        CalledBack = "called_back",
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
            // What must be answered is not done when it was taken.
            (S::Pending, E::Taken) => Ok(S::Pending),
            (S::Sending, E::Taken) => Ok(S::Sent),
            // A letter that was on its way arrived all the same.
            (S::CalledBack, E::Taken) => Ok(S::CalledBack),
            (S::Sending | S::Undelivered, E::CalledBack) => Ok(S::CalledBack),
            (S::Pending | S::Sending | S::Undelivered, E::GivenUp) => Ok(S::Undelivered),
            (S::Sending | S::Sent | S::Undelivered, E::SentAgain) => Ok(S::Sending),
            (S::Pending | S::Undelivered, E::AskedAgain) => Ok(S::Pending),
            // An answer may come by any way, and be put right later.
            (S::Pending | S::Sending | S::Sent | S::Undelivered | S::Answered | S::CalledBack, E::Answered) => {
                Ok(S::Answered)
            }
            // What waits for an answer is about something else than an offer.
            (S::Pending, E::SentAgain | E::CalledBack)
            | (S::Sending, E::AskedAgain)
            | (S::Sent, E::Taken | E::GivenUp | E::AskedAgain | E::CalledBack)
            | (S::Undelivered, E::Taken)
            | (S::Answered, E::Taken | E::GivenUp | E::SentAgain | E::AskedAgain | E::CalledBack)
            | (S::CalledBack, E::GivenUp | E::SentAgain | E::AskedAgain | E::CalledBack) => {
                Err(Illegal { machine: "notice", status: self.word(), event: event.word() })
            }
        }
    }
}
