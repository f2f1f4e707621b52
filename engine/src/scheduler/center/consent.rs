//! Consent: records are appended, the participant's row says what is in force, and every change of it moves the epoch on.

use serde_json::json;

use super::desk::{By, HeldParticipant, document, unknown};
use super::order::{NEVER, stage};
use super::request::Answer;
use crate::id::fresh;
use crate::scheduler::handle::Refusal;
use crate::scheduler::live::text;
use crate::scheduler::service::Service;
use crate::specimen::record::{Consent, Kind, Program};
use crate::state::consent::{Event, Status};

impl Service {
    /// A participant's consent, as one request brings it.
    pub(in crate::scheduler) async fn record_consent(
        &mut self,
        (program, pseudonym): (&str, &str),
        mut consent: Consent,
        status: &str,
        by: &By,
    ) -> Result<Answer, Refusal> {
        let mut participant = self.participant_named(program, pseudonym).await?;
        consent.recorded_by.clone_from(&by.name);
        if consent.effective_us == 0 {
            consent.effective_us = self.desk.now;
        }
        match self.add_consent(&mut participant, consent, status, by).await? {
            Some(id) => Ok(Answer {
                said: format!("consent {id} of {pseudonym} is {}", participant.row.consent),
                changed: vec![format!("consent {id}"), format!("participant {}", participant.row.participant_id)],
                ..Answer::default()
            }),
            None => Ok(Answer { said: "this consent is on record".into(), unchanged: 1, ..Answer::default() }),
        }
    }

    pub(in crate::scheduler) async fn participant_named(
        &self,
        program: &str,
        pseudonym: &str,
    ) -> Result<HeldParticipant, Refusal> {
        self.participant_by_name(program, pseudonym).await?.ok_or_else(|| unknown("participant", pseudonym))
    }

    /// Appends a record. None: the same one is here. What is older than a withdrawal cannot undo it.
    pub(in crate::scheduler) async fn add_consent(
        &mut self,
        participant: &mut HeldParticipant,
        consent: Consent,
        status: &str,
        by: &By,
    ) -> Result<Option<String>, Refusal> {
        let wanted = match status {
            "given" => Event::Given,
            "partial" => Event::Narrowed,
            "refused" => Event::Refused,
            other => return Err(Refusal::Bad(format!("`{other}` is none of: given, partial, refused"))),
        };
        self.check_document(participant, &consent).await?;
        let id = participant.row.participant_id.clone();
        let known = self.desk.records_of::<Consent>(Kind::Consent, &id).await?;
        let same = |held: &super::desk::Held<Consent>| held.row.status == status && same_consent(&held.doc, &consent);
        if known.iter().any(same) {
            return Ok(None);
        }
        let withdrawn =
            known.iter().filter(|held| held.row.status == "withdrawn").map(|held| held.doc.effective_us).max();
        if let Some(at) = withdrawn {
            if consent.effective_us <= at {
                return Err(Refusal::State(format!(
                    "a consent of {} is older than the withdrawal of {}: it cannot undo it",
                    day(consent.effective_us),
                    day(at)
                )));
            }
            return Err(Refusal::State(format!(
                "{} has withdrawn on {}: a new consent needs a new participant entry and a new order",
                participant.row.pseudonym,
                day(at)
            )));
        }
        let record = fresh("c");
        let terms = (consent.scopes.clone(), consent.expires_us.unwrap_or(NEVER));
        let body = json!({ "document": consent, "status": status });
        let mut held = self.desk.new_record(Kind::Consent, &record, status, consent);
        held.row.parent.clone_from(&id);
        held.row.owner.clone_from(&participant.row.institution);
        self.desk.record(&mut held, "consent_recorded", by, &body);
        self.set_consent(participant, wanted, terms, by)?;
        self.consent_changed(&id).await?;
        Ok(Some(record))
    }

    /// A program may say which forms count.
    async fn check_document(&self, participant: &HeldParticipant, consent: &Consent) -> Result<(), Refusal> {
        let Some(program) = self.desk.find::<Program>(Kind::Program, &participant.row.program).await? else {
            return Ok(());
        };
        let forms = &program.doc.consent_documents;
        let with_version = format!("{}@{}", consent.document, consent.document_version);
        if forms.is_empty() || forms.contains(&consent.document) || forms.contains(&with_version) {
            return Ok(());
        }
        Err(Refusal::State(format!(
            "program {} knows no form {with_version}; it knows: {}",
            program.row.record_id,
            forms.join(", ")
        )))
    }

    /// What is in force (uses, and when they end), and one epoch on.
    pub(in crate::scheduler) fn set_consent(
        &mut self,
        participant: &mut HeldParticipant,
        event: Event,
        (scopes, expires_us): (Vec<String>, i64),
        by: &By,
    ) -> Result<(), Refusal> {
        let status = Status::parse(&participant.row.consent).unwrap_or(Status::Unknown);
        let next = status
            .next(event)
            .map_err(|illegal| Refusal::State(format!("the consent of {}: {illegal}", participant.row.pseudonym)))?;
        next.word().clone_into(&mut participant.row.consent);
        participant.row.scopes = text(&scopes);
        participant.row.expires_us = expires_us;
        participant.row.consent_epoch += 1;
        self.consent_ends = self.consent_ends.min(expires_us);
        let body = json!({ "consent": next.word(), "scopes": scopes, "epoch": participant.row.consent_epoch });
        self.desk.record_participant(participant, "consent_in_force", by, &body);
        Ok(())
    }

    /// Runs that are loaded learn at once what is in force; others learn it when they are loaded.
    pub(in crate::scheduler) async fn consent_changed(&mut self, participant: &str) -> Result<(), Refusal> {
        let row = self.desk.participant(participant).await?.row;
        for run in self.house.runs.values_mut().filter(|run| run.row.participant_id == participant) {
            let wanted = run.consent.as_ref().map_or("sequencing", |consent| consent.wanted.as_str());
            run.consent = Some(super::standing(&row, wanted));
        }
        for order in self.desk.orders_of_participant(participant).await? {
            if !stage(&order)?.is_end() {
                self.wake_order(&order.row.order_line_id);
            }
        }
        Ok(())
    }

    /// What the participant allows, for manifests and guards.
    pub(in crate::scheduler) fn scopes(participant: &HeldParticipant) -> Vec<String> {
        document("scopes", &participant.row.scopes).unwrap_or_default()
    }
}

fn same_consent(one: &Consent, other: &Consent) -> bool {
    one.document == other.document
        && one.document_version == other.document_version
        && one.scopes == other.scopes
        && one.evidence == other.evidence
        && one.expires_us == other.expires_us
}

/// `2026-11-25`
pub(in crate::scheduler) fn day(at: i64) -> String {
    jiff::Timestamp::from_microsecond(at).map(|at| at.strftime("%Y-%m-%d").to_string()).unwrap_or_default()
}
