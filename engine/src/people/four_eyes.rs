//! What needs two people: the second is another one, in time.

use std::collections::BTreeSet;

use crate::clock::Micros;

/// How long a proposal waits for its second person: a week.
pub const WAIT_US: Micros = 7 * 86_400 * 1_000_000;

/// Why a yes does not count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotSecond {
    /// They proposed it themselves.
    #[error("the same person proposed it: another person confirms")]
    Same,
    /// The proposer made the other one's account, or gave it its password or roles: that is one person with two names.
    #[error("the one who proposed it made this account: another person confirms")]
    Made,
    /// It was proposed too long ago.
    #[error("it was proposed too long ago: propose it again")]
    Late,
}

/// Is `by` a second person for what `proposed_by` proposed, which holds until `until_us`? `made_by` are those who made the account of
/// `by`, or gave it its password, codes or roles.
///
/// # Errors
/// Why not.
pub fn second(
    proposed_by: &str,
    by: &str,
    made_by: &BTreeSet<String>,
    until_us: Micros,
    now: Micros,
) -> Result<(), NotSecond> {
    if proposed_by == by {
        Err(NotSecond::Same)
    } else if made_by.contains(proposed_by) {
        Err(NotSecond::Made)
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
        let nobody = BTreeSet::new();
        assert_eq!(second("a", "b", &nobody, 10, 10), Ok(()));
        assert_eq!(second("a", "a", &nobody, 10, 10), Err(NotSecond::Same));
        assert_eq!(second("a", "b", &nobody, 10, 11), Err(NotSecond::Late));
        assert_eq!(second("a", "b", &BTreeSet::from(["a".to_owned()]), 10, 10), Err(NotSecond::Made));
    }
}
