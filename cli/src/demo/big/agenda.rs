//! What is still to happen, in the order of its time; what has the same time keeps the order in which it was put down.

use std::collections::BTreeMap;

use kentai_engine::port::executor::{Report, Task};

/// Something that somebody does.
#[derive(Debug)]
pub(super) enum Act {
    /// The center's rules change: the assay's second version.
    SecondVersion,
    /// A parcel is announced; its participants' consent is recorded; it is closed.
    Announce(usize),
    Consent(usize),
    CloseShipment(usize),
    /// A tube is scanned; its identity is matched; it is prepared; it goes onto an instrument.
    Arrive(usize),
    Accession(usize),
    Prepare(usize),
    Load(usize),
    /// A run folder is there; it is whole.
    Folder(usize),
    Whole(usize),
    /// An attempt ends.
    End(Box<Ended>),
    /// Values are brought.
    Measure(usize),
    /// A releaser says yes, the first or the second.
    Approve(usize, usize),
    /// A way out is decided.
    Decide(usize, &'static str),
    /// A reviewer lets a gate's value pass.
    PassGate(usize),
    /// A failed run is tried again.
    Retry(usize),
    /// Two people release what no workflow hands off.
    ReleaseByHand(usize),
    /// A receiver fetches, and says what it got.
    Fetch(usize),
    Acknowledge(usize),
    /// What is over is archived; its leftover goes to the biobank.
    Archive(usize),
    Leftover(usize),
    /// An order line is held, canceled, wanted back, called back; consent is taken back, and what follows from it is decided.
    Hold(usize),
    Cancel(usize),
    WantBack(usize),
    CallBack(usize),
    Withdraw(usize),
    DecideCase(usize),
    CloseCase(usize),
    /// A tube that nobody announced; a run folder that is never whole, and another look at it; something that was not as it should be.
    Extra(usize),
    Odd(usize),
    OddAgain(usize),
    Deviation(usize),
}

/// An attempt, how it ends, what it measured and what it said.
#[derive(Debug)]
pub(super) struct Ended {
    pub(super) task: Task,
    pub(super) report: Report,
    pub(super) values: Vec<(&'static str, f64)>,
    pub(super) said: String,
}

/// What is still to happen.
#[derive(Debug, Default)]
pub(super) struct Agenda {
    acts: BTreeMap<(i64, u64), Act>,
    count: u64,
}

impl Agenda {
    /// Puts something down.
    pub(super) fn put(&mut self, at: i64, act: Act) {
        self.count += 1;
        self.acts.insert((at, self.count), act);
    }

    /// When the next thing happens.
    pub(super) fn next(&self) -> Option<i64> {
        self.acts.first_key_value().map(|((at, _), _)| *at)
    }

    /// Takes everything that happens until then.
    pub(super) fn until(&mut self, end: i64) -> Vec<Act> {
        let later = self.acts.split_off(&(end + 1, 0));
        std::mem::replace(&mut self.acts, later).into_values().collect()
    }
}

/// The grid of a story's time: what happened long ago is told in larger steps.
pub(super) fn step_end(at: i64, now: i64) -> i64 {
    const MINUTE: i64 = 60_000_000;
    let steps = [(15 * 24 * 60, 360), (36 * 60, 60), (0, 10)];
    let age = (now - at).max(0) / MINUTE;
    let step = steps.iter().find(|(from, _)| age >= *from).map_or(10, |(_, step)| *step) * MINUTE;
    ((at.div_euclid(step) + 1) * step).min(now)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_first_is_told_first_and_nothing_twice() {
        let mut agenda = Agenda::default();
        agenda.put(20, Act::Hold(2));
        agenda.put(10, Act::Hold(1));
        agenda.put(10, Act::Cancel(1));
        assert_eq!(agenda.next(), Some(10));
        let told = agenda.until(10);
        assert!(matches!(told.as_slice(), [Act::Hold(1), Act::Cancel(1)]), "{told:?}");
        assert!(matches!(agenda.until(20).as_slice(), [Act::Hold(2)]) && agenda.next().is_none());
    }

    #[test]
    fn a_step_ends_after_what_it_tells_and_never_after_now() {
        let now = 1_764_000_000_000_000;
        for back in [0, 1, 59_000_000, 3_600_000_000, 86_400_000_000, 40 * 86_400_000_000] {
            let (at, end) = (now - back, step_end(now - back, now));
            assert!(end >= at && end <= now, "{back}: {end}");
        }
    }
}
