//! What becomes of an order line of the demonstration: how far it comes, and what people must still do about it.

/// The end of an order line's story, as of now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Fate {
    /// Announced, on its way.
    Expected,
    /// Announced long ago: stuck.
    ExpectedLate,
    /// Here, and nobody knows of a consent.
    WithoutConsent,
    /// Here since this morning.
    Received,
    /// Not accepted; what becomes of the order is open.
    Rejected,
    /// Accepted, waits for the bench.
    Accessioned,
    /// At the bench.
    InLab,
    /// At the bench for too long: stuck.
    InLabLate,
    /// On an instrument.
    Sequencing,
    /// The instrument has been at it for too long: stuck.
    SequencingLate,
    /// Too few reads, nobody decided.
    Short,
    /// Too few reads, nobody decided for days: stuck.
    ShortLate,
    /// More reads were asked for.
    AwaitingTopUp,
    /// New material was asked for.
    AwaitingMaterial,
    /// Ready, and somebody holds it.
    Held,
    /// Ready, and waits for the rest of its family.
    ReadyForFamily,
    /// The one of the family that is not there yet.
    FamilyInLab,
    /// Its run is going on.
    Analyzing,
    /// Its run failed.
    AnalysisFailed,
    /// Its gate holds: contamination.
    Contaminated,
    /// Its sex is not the declared one.
    Identity,
    /// Nobody has released it.
    Review,
    /// One of two has released it.
    SecondReleaser,
    /// Released, and nothing hands it off.
    Released,
    /// Its receiver has not fetched it.
    Offered,
    /// Its receiver has not fetched it for weeks: stuck.
    OfferedLate,
    /// Fetched, no receipt yet.
    Delivered,
    /// Fetched, some files without a receipt for weeks: stuck.
    ReceiptLate,
    /// Its receiver refused two files.
    Refused,
    /// Its receiver has it.
    Acknowledged,
    /// Over.
    Archived,
    /// Over; more reads were needed on the way.
    ToppedUp,
    /// Over; a step ran out of memory on the way.
    Retried,
    /// Over; a reviewer let a value pass on the way.
    Overridden,
    /// Called back.
    Recalled,
    /// Given up.
    GivenUp,
    /// Consent was taken back; decisions are open.
    Withdrawn,
    /// Consent was taken back; everything is decided.
    WithdrawnClosed,
    /// Canceled.
    Canceled,
    /// Canceled; somebody wants it back, and a second person is asked.
    ReopenProposed,
}

use Fate as F;

/// Once each, whatever else there is. Families stand together.
pub(super) const CAST: [Fate; 44] = [
    F::ReadyForFamily,
    F::ReadyForFamily,
    F::FamilyInLab,
    F::Expected,
    F::ExpectedLate,
    F::WithoutConsent,
    F::Received,
    F::Rejected,
    F::Accessioned,
    F::InLab,
    F::InLabLate,
    F::Sequencing,
    F::SequencingLate,
    F::Short,
    F::ShortLate,
    F::AwaitingTopUp,
    F::AwaitingMaterial,
    F::Held,
    F::Analyzing,
    F::Analyzing,
    F::AnalysisFailed,
    F::Contaminated,
    F::Identity,
    F::Review,
    F::SecondReleaser,
    F::Released,
    F::Offered,
    F::OfferedLate,
    F::Delivered,
    F::ReceiptLate,
    F::Refused,
    F::Acknowledged,
    F::Archived,
    F::Archived,
    F::Archived,
    F::ToppedUp,
    F::Retried,
    F::Overridden,
    F::Recalled,
    F::GivenUp,
    F::Withdrawn,
    F::WithdrawnClosed,
    F::Canceled,
    F::ReopenProposed,
];

/// How often beside the cast, of the weights.
const MASS: [(Fate, u64); 27] = [
    (F::Archived, 520),
    (F::ToppedUp, 24),
    (F::Retried, 16),
    (F::Overridden, 12),
    (F::Acknowledged, 120),
    (F::Expected, 60),
    (F::Received, 6),
    (F::Accessioned, 14),
    (F::InLab, 58),
    (F::InLabLate, 4),
    (F::Sequencing, 34),
    (F::Short, 5),
    (F::AwaitingTopUp, 8),
    (F::AwaitingMaterial, 8),
    (F::Held, 2),
    (F::Analyzing, 26),
    (F::AnalysisFailed, 3),
    (F::Contaminated, 2),
    (F::Review, 6),
    (F::Released, 6),
    (F::Offered, 12),
    (F::Delivered, 18),
    (F::Refused, 2),
    (F::Rejected, 8),
    (F::GivenUp, 8),
    (F::Canceled, 8),
    (F::WithdrawnClosed, 2),
];

impl Fate {
    /// The fate that a number stands for.
    pub(super) fn of(number: u64) -> Self {
        let mut left = number % MASS.iter().map(|(_, weight)| weight).sum::<u64>();
        for (fate, weight) in MASS {
            if left < weight {
                return fate;
            }
            left -= weight;
        }
        Self::Archived
    }

    /// Days since its data came, from and to; none: no data.
    pub(super) fn data_age(self) -> Option<(f64, f64)> {
        Some(match self {
            F::Analyzing => (0.0, 0.2),
            F::AnalysisFailed | F::Contaminated | F::Short | F::Identity => (1.2, 1.6),
            F::Review => (1.2, 2.8),
            F::SecondReleaser | F::Held => (2.4, 3.0),
            F::Offered => (3.0, 7.0),
            F::ReadyForFamily | F::ShortLate => (4.5, 6.5),
            F::Delivered | F::Refused | F::AwaitingTopUp | F::Withdrawn | F::Released => (5.0, 8.0),
            F::AwaitingMaterial => (8.0, 20.0),
            F::Recalled => (12.0, 20.0),
            F::Acknowledged => (10.0, 34.0),
            F::OfferedLate | F::ReceiptLate => (19.0, 24.0),
            F::GivenUp => (15.0, 60.0),
            F::WithdrawnClosed => (40.0, 60.0),
            F::Archived | F::Retried | F::Overridden => (40.0, 100.0),
            F::ToppedUp => (50.0, 100.0),
            _ => return None,
        })
    }

    /// The reads of its first data are too few.
    pub(super) fn is_short(self) -> bool {
        matches!(self, F::Short | F::ShortLate | F::AwaitingTopUp | F::AwaitingMaterial | F::ToppedUp | F::GivenUp)
    }

    /// Its family is waited for.
    pub(super) fn is_of_family(self) -> bool {
        matches!(self, F::ReadyForFamily | F::FamilyInLab)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn families_of_the_cast_are_whole() {
        assert!(CAST[..3].iter().all(|fate| fate.is_of_family()) && !CAST[3..].iter().any(|fate| fate.is_of_family()));
        assert!(MASS.iter().all(|(fate, _)| CAST.contains(fate)));
        assert_eq!(Fate::of(0), Fate::Archived);
    }
}
