//! A delivery at its receiver: from the offer to the receipt, or to its end. What comes before (packing, carrying) is a step's work.

use super::{Illegal, words};

words!(
    /// Where a delivery stands.
    Status {
        /// The receiver may have it.
        Offered = "offered",
        /// The receiver has some of its bytes.
        Pulling = "pulling",
        /// All bytes are at the receiver.
        Delivered = "delivered",
        /// The receiver took some of its files in.
        PartlyAcknowledged = "partly_acknowledged",
        /// The receiver took all of its files in.
        Acknowledged = "acknowledged",
        /// The receiver answered for every file, and would not have some of them.
        Refused = "refused",
        /// Its time is over.
        Expired = "expired",
        /// A newer one took its place.
        Superseded = "superseded",
        /// It was called back.
        Recalled = "recalled",
        /// The copies here are gone, as two people decided after every file had been acknowledged.
        Retired = "retired",
    }
);

words!(
    /// What happens to a delivery.
    Event {
        /// The receiver began to fetch it.
        PullBegan = "pull_began",
        /// The last byte of the last file was fetched, or carried.
        Delivered = "delivered",
        /// A receipt for some of its files.
        PartlyAcknowledged = "partly_acknowledged",
        /// The receipt for the last of its files.
        Acknowledged = "acknowledged",
        /// A receipt with another checksum than ours: an alarm, and the file is still to be had.
        Mismatched = "mismatched",
        /// Every file is answered for, and some are refused.
        Refused = "refused",
        /// Its time is over.
        Expired = "expired",
        /// A newer one takes its place.
        Superseded = "superseded",
        /// It is called back.
        Recalled = "recalled",
        /// It is offered again: for longer, or to another key.
        Reoffered = "reoffered",
        /// Two people decided that the copies here go.
        Retired = "retired",
    }
);

impl Status {
    /// May the receiver fetch it?
    #[must_use]
    pub fn is_open(self) -> bool {
        match self {
            Self::Offered
            | Self::Pulling
            | Self::Delivered
            | Self::PartlyAcknowledged
            | Self::Acknowledged
            | Self::Refused => true,
            Self::Expired | Self::Superseded | Self::Recalled | Self::Retired => false,
        }
    }

    /// Does the receiver still owe an answer for some of its files? Who refused has answered.
    #[must_use]
    pub fn waits_for_receipt(self) -> bool {
        match self {
            Self::Offered | Self::Pulling | Self::Delivered | Self::PartlyAcknowledged => true,
            Self::Acknowledged | Self::Refused | Self::Expired | Self::Superseded | Self::Recalled | Self::Retired => {
                false
            }
        }
    }

    /// The status after `event`. Every pair is written out; the page `docs/state-machines.md` has the same table.
    ///
    /// # Errors
    /// [`Illegal`] when the pair is not allowed.
    pub fn next(self, event: Event) -> Result<Self, Illegal> {
        use Event as E;
        use Status as S;
        match (self, event) {
            (S::Offered | S::Pulling, E::PullBegan) => Ok(S::Pulling),
            (S::Offered | S::Pulling, E::Delivered) => Ok(S::Delivered),
            (S::Offered | S::Pulling | S::Delivered | S::PartlyAcknowledged | S::Refused, E::PartlyAcknowledged)
            | (S::Acknowledged, E::Mismatched) => Ok(S::PartlyAcknowledged),
            (
                S::Offered
                | S::Pulling
                | S::Delivered
                | S::PartlyAcknowledged
                | S::Acknowledged
                | S::Refused,
                E::Acknowledged,
            ) => Ok(S::Acknowledged),
            (S::Offered | S::Pulling | S::Delivered | S::PartlyAcknowledged | S::Refused, E::Mismatched)
            // An end is acknowledged too: it is written down, and stays an end.
            | (
                S::Expired | S::Superseded | S::Recalled | S::Retired,
                E::PartlyAcknowledged | E::Acknowledged | E::Mismatched | E::Refused,
            ) => Ok(self),
            (
                S::Offered | S::Pulling | S::Delivered | S::PartlyAcknowledged | S::Acknowledged | S::Refused,
                E::Refused,
            ) => Ok(S::Refused),
            (S::Offered | S::Pulling | S::Delivered | S::PartlyAcknowledged | S::Refused, E::Expired) => Ok(S::Expired),
            (
                S::Offered
                | S::Pulling
                | S::Delivered
                | S::PartlyAcknowledged
                | S::Acknowledged
                | S::Refused
                | S::Expired
                | S::Retired,
                E::Superseded,
            ) => Ok(S::Superseded),
            (
                S::Offered
                | S::Pulling
                | S::Delivered
                | S::PartlyAcknowledged
                | S::Acknowledged
                | S::Refused
                | S::Expired
                | S::Superseded
                | S::Retired,
                E::Recalled,
            ) => Ok(S::Recalled),
            (
                S::Offered | S::Pulling | S::Delivered | S::PartlyAcknowledged | S::Refused | S::Expired,
                E::Reoffered,
            ) => Ok(S::Offered),
            // Acknowledged, and what came after that or a little before it. That every file was accepted is the guard's to know.
            (S::Acknowledged | S::Superseded | S::Expired, E::Retired) => Ok(S::Retired),
            (S::Delivered | S::PartlyAcknowledged | S::Acknowledged | S::Refused, E::PullBegan | E::Delivered)
            | (S::Acknowledged, E::PartlyAcknowledged | E::Expired | E::Reoffered)
            | (S::Expired, E::PullBegan | E::Delivered | E::Expired)
            | (S::Superseded, E::PullBegan | E::Delivered | E::Expired | E::Superseded | E::Reoffered)
            | (S::Recalled, E::PullBegan | E::Delivered | E::Expired | E::Superseded | E::Recalled | E::Reoffered)
            | (S::Retired, E::PullBegan | E::Delivered | E::Expired | E::Reoffered | E::Retired)
            | (
                S::Offered | S::Pulling | S::Delivered | S::PartlyAcknowledged | S::Refused | S::Recalled,
                E::Retired,
            ) => Err(Illegal { machine: "delivery", status: self.word(), event: event.word() }),
        }
    }
}
