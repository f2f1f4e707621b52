//! The bag: which notices have letters that wait, and which letters are on their way. Rebuilt from the records at every start; a notice
//! in it that is not stored is passed over when its time comes.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use tokio::sync::Semaphore;

use crate::clock::Micros;
use crate::specimen::record::{Letter, LetterState};

/// Letters at once to one address: a receiver that hangs keeps nobody from another.
const AT_ONCE: usize = 2;

/// See the module.
#[derive(Default)]
pub(in crate::scheduler) struct Bag {
    /// Nothing is sent here: a verb on a site without an engine.
    closed: bool,
    waiting: BTreeSet<(Micros, String)>,
    times: HashMap<String, Micros>,
    out: HashSet<(String, usize)>,
    turns: HashMap<(String, String), Arc<Semaphore>>,
}

impl Bag {
    /// An empty one; a closed one stays empty.
    pub(in crate::scheduler) fn new(closed: bool) -> Self {
        Self { closed, ..Self::default() }
    }

    /// Takes note of where a notice's letters stand.
    pub(in crate::scheduler) fn note(&mut self, notice: &str, letters: &[Letter]) {
        if let Some(at) = self.times.remove(notice) {
            self.waiting.remove(&(at, notice.to_owned()));
        }
        let waits =
            |(place, letter): &(usize, &Letter)| letter.state == LetterState::Due && !self.is_out(notice, *place);
        let next = letters.iter().enumerate().filter(waits).map(|(_, letter)| letter.next_us).min();
        if let Some(at) = next.filter(|_| !self.closed) {
            self.times.insert(notice.to_owned(), at);
            self.waiting.insert((at, notice.to_owned()));
        }
    }

    /// When the next letter is to be sent.
    pub(in crate::scheduler) fn next(&self) -> Option<Micros> {
        self.waiting.first().map(|(at, _)| *at)
    }

    /// Notices with a letter whose time has come, the longest waiting first; they are noted anew afterwards.
    pub(super) fn take_due(&mut self, now: Micros, most: usize) -> Vec<String> {
        let mut due = Vec::new();
        while due.len() < most && self.next().is_some_and(|at| at <= now) {
            let Some((_, notice)) = self.waiting.pop_first() else { break };
            self.times.remove(&notice);
            due.push(notice);
        }
        due
    }

    /// Notices that wait, and letters that are on their way.
    pub(in crate::scheduler) fn len(&self) -> usize {
        self.waiting.len() + self.out.len()
    }

    /// A letter leaves.
    pub(super) fn leaves(&mut self, notice: &str, place: usize) {
        self.out.insert((notice.to_owned(), place));
    }

    /// Somebody said what became of it.
    pub(super) fn is_back(&mut self, notice: &str, place: usize) {
        self.out.remove(&(notice.to_owned(), place));
    }

    /// It is on its way now.
    pub(super) fn is_out(&self, notice: &str, place: usize) -> bool {
        self.out.contains(&(notice.to_owned(), place))
    }

    /// Whose turn it is at an address.
    pub(super) fn turn(&mut self, letter: &Letter) -> Arc<Semaphore> {
        let address = (letter.channel.clone(), letter.address.clone());
        Arc::clone(self.turns.entry(address).or_insert_with(|| Arc::new(Semaphore::new(AT_ONCE))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn letter(next_us: Micros) -> Letter {
        Letter::new("webhook", "https://a.example/", next_us)
    }

    #[test]
    fn what_is_on_its_way_is_not_sent_a_second_time() {
        let mut bag = Bag::new(false);
        let letters = [letter(5), letter(9)];
        bag.note("n1", &letters);
        assert_eq!(bag.next(), Some(5));
        assert_eq!(bag.take_due(5, 10), ["n1"]);
        bag.leaves("n1", 0);
        bag.note("n1", &letters);
        assert_eq!(bag.next(), Some(9));
        bag.is_back("n1", 0);
        bag.note("n1", &letters);
        assert_eq!(bag.next(), Some(5));
    }

    #[test]
    fn the_longest_waiting_is_first_and_no_more_than_asked_for() {
        let mut bag = Bag::new(false);
        for (id, at) in [("n3", 3), ("n1", 1), ("n2", 2), ("n9", 9)] {
            bag.note(id, &[letter(at)]);
        }
        assert_eq!(bag.take_due(5, 2), ["n1", "n2"]);
        assert_eq!(bag.take_due(5, 9), ["n3"]);
        assert_eq!(bag.next(), Some(9));
    }

    #[test]
    fn a_closed_bag_and_letters_that_are_done_wait_for_nothing() {
        let mut closed = Bag::new(true);
        closed.note("n1", &[letter(1)]);
        let mut bag = Bag::new(false);
        bag.note("n1", &[letter(1)]);
        bag.note("n1", &[Letter { state: LetterState::Dead, ..letter(1) }]);
        assert_eq!((closed.next(), bag.next()), (None, None));
    }
}
