//! What needs two people: the second is another one, in time.

use crate::clock::Micros;

/// Why a yes does not count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotSecond {
    /// They proposed it themselves.
    #[error("the same person proposed it: another one confirms")]
    Same,
    /// It was proposed too long ago.
    #[error("it was proposed too long ago: propose it again")]
    Late,
}

/// Is `by` a second person for what `proposed_by` proposed, which holds until `until_us`?
///
/// # Errors
/// Why not.
pub fn second(proposed_by: &str, by: &str, until_us: Micros, now: Micros) -> Result<(), NotSecond> {
    if proposed_by == by {
        Err(NotSecond::Same)
    } else if until_us < now {
        Err(NotSecond::Late)
    } else {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_person_is_another_one_in_time() {
        assert_eq!(second("a", "b", 10, 10), Ok(()));
        assert_eq!(second("a", "a", 10, 10), Err(NotSecond::Same));
        assert_eq!(second("a", "b", 10, 11), Err(NotSecond::Late));
    }
}
