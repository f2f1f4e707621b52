//! An instrument run, as its folder shows it.

use super::{Illegal, words};

words!(
    /// Where an instrument run's folder stands.
    Status {
        /// A folder was found.
        Seen = "seen",
        /// Its markers are there; its files must stand still.
        Settling = "settling",
        /// Whole, good, taken in once.
        Complete = "complete",
        /// The instrument says that it failed.
        Failed = "failed",
        /// It was ended before its last cycle.
        StoppedEarly = "stopped_early",
        /// Complete, and different afterwards: a deviation.
        Changed = "changed",
        /// Set aside by a person.
        Quarantined = "quarantined",
    }
);

words!(
    /// What happens to an instrument run's folder.
    Event {
        /// Everything that is needed is there.
        Settling = "settling",
        /// Something changed again.
        Moved = "moved",
        /// Nothing changed for long enough.
        Completed = "completed",
        /// The instrument says that it failed.
        Failed = "failed",
        /// It was ended before its last cycle.
        StoppedEarly = "stopped_early",
        /// It is not what it was when it was complete.
        Changed = "changed",
        /// A person sets it aside.
        Quarantined = "quarantined",
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
            (S::Seen | S::Failed | S::StoppedEarly, E::Settling) => Ok(S::Settling),
            (S::Seen | S::Settling | S::StoppedEarly, E::Failed) => Ok(S::Failed),
            (S::Seen | S::Settling | S::Failed, E::StoppedEarly) => Ok(S::StoppedEarly),
            (S::Seen | S::Settling | S::Complete | S::Failed | S::StoppedEarly | S::Changed, E::Quarantined) => {
                Ok(S::Quarantined)
            }
            (S::Settling | S::Failed | S::StoppedEarly, E::Moved) => Ok(S::Seen),
            (S::Settling, E::Completed) => Ok(S::Complete),
            (S::Complete, E::Changed) => Ok(S::Changed),
            (S::Seen, E::Moved | E::Completed | E::Changed)
            | (S::Settling, E::Settling | E::Changed)
            | (S::Complete, E::Settling | E::Moved | E::Completed | E::Failed | E::StoppedEarly)
            | (S::Failed, E::Completed | E::Failed | E::Changed)
            | (S::StoppedEarly, E::Completed | E::StoppedEarly | E::Changed)
            | (S::Changed, E::Settling | E::Moved | E::Completed | E::Failed | E::StoppedEarly | E::Changed)
            | (
                S::Quarantined,
                E::Settling | E::Moved | E::Completed | E::Failed | E::StoppedEarly | E::Changed | E::Quarantined,
            ) => Err(Illegal { machine: "instrument run", status: self.word(), event: event.word() }),
        }
    }
}
