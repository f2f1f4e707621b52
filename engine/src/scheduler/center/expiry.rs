//! Consent that ends by itself. The guard reads the clock at every start; here it is also written down, and everybody who waits for it
//! learns why.

use super::desk::{By, HeldParticipant};
use super::order::NEVER;
use crate::scheduler::handle::Refusal;
use crate::scheduler::service::Service;
use crate::state::consent::Event;

/// Ended consents that are written down in one turn.
const AT_ONCE: i64 = 100;

impl Service {
    /// Writes down what has ended by now.
    pub(in crate::scheduler) async fn expire_consents(&mut self) -> Result<(), Refusal> {
        if self.consent_ends > self.house.now {
            return Ok(());
        }
        self.desk.now = self.house.now;
        let ended = self.reader.consents_ended(self.house.now, AT_ONCE).await?;
        let full = i64::try_from(ended.len()).is_ok_and(|count| count == AT_ONCE);
        for row in ended {
            let mut participant = self.desk.participant(&row.participant_id).await?;
            match self.expire(&mut participant).await {
                Ok(()) => self.desk.keep(),
                Err(error) => {
                    self.desk.sweep();
                    tracing::error!(participant = row.participant_id, %error, "its consent ended, and that cannot be written down");
                }
            }
        }
        // What was written is not stored before the turn ends: then the next one looks again.
        let next = self.reader.consent_ends_after(self.house.now).await?;
        self.consent_ends = if full { self.house.now } else { next.unwrap_or(NEVER) };
        Ok(())
    }

    async fn expire(&mut self, participant: &mut HeldParticipant) -> Result<(), Refusal> {
        // Renewed or taken back in this same turn.
        if participant.row.expires_us > self.desk.now {
            return Ok(());
        }
        self.set_consent(participant, Event::Expired, (Vec::new(), NEVER), &By::engine())?;
        self.consent_changed(&participant.row.participant_id.clone()).await
    }
}
