//! The center: requests about records, one transaction each, over the same loop as the runs.
//!
//! [`request`] is what can be asked; `desk` holds what a turn reads and changes; one file per matter decides. It knows no files but the
//! sealed ones, and no time but the turn's.

pub(super) mod analysis;
pub mod audit;
pub(super) mod consent;
mod custody;
mod deliveries;
pub(super) mod desk;
mod expiry;
pub mod folders;
mod keys;
pub(super) mod lanes;
pub(super) mod notices;
pub(super) mod order;
pub mod people;
pub(super) mod quality;
pub(super) mod reception;
pub mod request;
pub mod retire;
pub(super) mod tables;
pub(super) mod take;
pub mod why;
pub(super) mod withdrawal;

use crate::store::rows::center::{ConsentGuard, Participant};

pub(super) use self::keys::{crypt4gh_key, links_key};
pub(crate) use self::order::consent_in_force;

/// What a run knows of its participant's consent, as of an epoch.
#[derive(Clone, Debug)]
pub(super) struct Standing {
    pub(super) guard: ConsentGuard,
    pub(super) row: Participant,
    /// The use that the work needs.
    pub(super) wanted: String,
}

/// What is in force for a participant.
pub(super) fn standing(row: &Participant, wanted: &str) -> Standing {
    let guard = ConsentGuard { participant_id: row.participant_id.clone(), consent_epoch: row.consent_epoch };
    Standing { guard, row: row.clone(), wanted: wanted.to_owned() }
}

impl Standing {
    /// May this use begin now?
    ///
    /// # Errors
    /// The reason, in one sentence.
    pub(super) fn allows(&self, wanted: &str, now: i64) -> Result<(), String> {
        order::consent_in_force(&self.row, wanted, now)
    }
}
