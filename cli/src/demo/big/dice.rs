//! Chance that is the same everywhere and for ever (SplitMix64): the same seed and the same question give the same answer, whatever was
//! asked before.

/// A generator of numbers.
#[derive(Clone, Debug)]
pub(super) struct Dice(u64);

impl Dice {
    /// The dice of a question: a seed, whom it is about, and what.
    pub(super) fn of(seed: u64, number: u64, what: &str) -> Self {
        let spread = what
            .bytes()
            .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
        let mut dice = Self(seed ^ spread ^ number.wrapping_mul(0xd6e8_feb8_6659_fd93));
        dice.next();
        dice
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A whole number below `sides`.
    pub(super) fn below(&mut self, sides: u64) -> u64 {
        self.next() % sides.max(1)
    }

    /// A place in a list of so many.
    pub(super) fn place(&mut self, length: usize) -> usize {
        usize::try_from(self.below(length as u64)).unwrap_or(0)
    }

    /// One of a list that is not empty.
    pub(super) fn one_of<T: Copy>(&mut self, list: &[T]) -> T {
        list[self.place(list.len())]
    }

    /// From 0 to 1.
    #[expect(clippy::cast_precision_loss, reason = "of 53 bits, none is lost")]
    pub(super) fn share(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Between two numbers.
    pub(super) fn between(&mut self, from: f64, to: f64) -> f64 {
        from + (to - from) * self.share()
    }

    /// About a mean, as measured values lie (a sum of twelve, minus six).
    pub(super) fn about(&mut self, mean: f64, deviation: f64) -> f64 {
        let sum: f64 = (0..12).map(|_| self.share()).sum();
        mean + deviation * (sum - 6.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_question_has_the_same_answer_and_another_one_another() {
        let ask = |seed, number, what| Dice::of(seed, number, what).below(1 << 40);
        assert_eq!(ask(7, 3, "sex"), ask(7, 3, "sex"));
        assert_ne!(ask(7, 3, "sex"), ask(8, 3, "sex"));
        assert_ne!(ask(7, 3, "sex"), ask(7, 4, "sex"));
        assert_ne!(ask(7, 3, "sex"), ask(7, 3, "reads"));
        let mut dice = Dice::of(1, 1, "");
        assert!((0..1000).all(|_| dice.between(2.0, 3.0) < 3.0));
    }
}
