//! One request: who may, what follows, and nothing of it when it is refused.

mod axes;
mod drain;
mod two;

use serde_json::json;

use super::desk::{By, HeldOrder, unknown};
use super::reception::Scan;
use super::request::{Answer, Request};
use super::tables::Source;
use super::withdrawal;
use super::{deliveries, quality};
use crate::people::permission::{self, Denied, Owner};
use crate::scheduler::Actor;
use crate::scheduler::handle::Refusal;
use crate::scheduler::service::Service;
use crate::specimen::check_character;
use crate::specimen::record::{Custody, Deviation, Kind, Specimen};
use crate::state::order::Event;

impl Service {
    /// Takes a request: all of it, or nothing.
    pub(in crate::scheduler) async fn take_center(
        &mut self,
        request: Request,
        actor: &Actor,
    ) -> Result<Answer, Refusal> {
        self.desk.now = self.house.now;
        let result = self.granted(request, actor).await;
        match &result {
            Ok(_) => self.desk.keep(),
            Err(_) => self.desk.sweep(),
        }
        result
    }

    async fn granted(&mut self, request: Request, actor: &Actor) -> Result<Answer, Refusal> {
        // Nobody is anybody before they are signed in; and a wrong try is granted, to be written down.
        match request {
            Request::SignIn(attempt) => return self.sign_in(attempt).await,
            Request::OpenLink(opening) => return self.open_link(opening).await,
            Request::Arrive(arrival) => return self.arrive(arrival).await,
            Request::TurnAway(turned) => return Ok(self.turn_away(&turned)),
            // One's own account is everybody's own matter.
            Request::Own(own) => return self.own(own, actor).await,
            // Whoever shows a session may end it, whatever else they may.
            Request::SignOut(session) => {
                let by = By { name: actor.name.clone(), role: String::new() };
                return self.sign_out(&session, &by).await;
            }
            _ => {}
        }
        let by = self.permitted(&request, actor).await?;
        self.carry_out(request, actor, &by).await
    }

    /// Who may: the role that allows it. What is foreign does not exist.
    async fn permitted(&self, request: &Request, actor: &Actor) -> Result<By, Refusal> {
        let owner = self.owner_of(request).await?;
        // To somebody from outside what is not there and what is not theirs are one thing.
        if owner.is_none() && (actor.institution.is_some() || actor.data_center.is_some()) && request.names_a_thing() {
            return Err(self.as_if_unknown(request));
        }
        let owner = owner.as_ref().map(Whose::borrowed);
        match permission::permit(&actor.principal(), request.action(), owner.as_ref()) {
            Ok(role) => Ok(By { name: actor.name.clone(), role: role.word().into() }),
            Err(Denied::Unknown) => Err(self.as_if_unknown(request)),
            Err(Denied::NotAllowed { needs }) => {
                actor.reaches(request.action())?;
                let needs: Vec<&str> = needs.iter().map(|role| role.word()).collect();
                Err(Refusal::NotAllowed(format!(
                    "{} may not do this: it needs the role {}",
                    actor.name,
                    needs.join(" or ")
                )))
            }
        }
    }

    /// Whose the thing is that a request is about; none when it is about nothing that is there.
    async fn owner_of(&self, request: &Request) -> Result<Option<Whose>, Refusal> {
        if let Some(delivery) = request.delivery() {
            return Ok(self.receiver_of(delivery).await?.map(Whose::DataCenter));
        }
        let institution = match request {
            Request::Report { order_line, .. }
            | Request::Hold { order_line, .. }
            | Request::Resume { order_line }
            | Request::Cancel { order_line, .. }
            | Request::Reopen { order_line, .. }
            | Request::Singleton { order_line, .. }
            | Request::Decide { order_line, .. }
            | Request::Measured { order_line, .. }
            | Request::External { order_line, .. } => {
                self.desk.find_order(order_line).await?.map(|found| found.row.institution)
            }
            Request::Accession { specimen } | Request::Custody { specimen, .. } => {
                self.desk.find::<Specimen>(Kind::Specimen, specimen).await?.map(|found| found.row.owner)
            }
            Request::Import { institution, .. } if !institution.is_empty() => Some(institution.clone()),
            _ => None,
        };
        Ok(institution.filter(|institution| !institution.is_empty()).map(Whose::Institution))
    }

    fn as_if_unknown(&self, request: &Request) -> Refusal {
        if let Some(delivery) = request.delivery() {
            return deliveries::no_delivery(delivery);
        }
        match request {
            Request::Report { order_line, .. }
            | Request::Hold { order_line, .. }
            | Request::Resume { order_line }
            | Request::Cancel { order_line, .. }
            | Request::Reopen { order_line, .. }
            | Request::Singleton { order_line, .. }
            | Request::Decide { order_line, .. }
            | Request::Measured { order_line, .. }
            | Request::External { order_line, .. } => unknown("order line", order_line),
            Request::Accession { specimen } | Request::Custody { specimen, .. } => unknown("specimen", specimen),
            Request::Import { institution, .. } => unknown("institution", institution),
            _ => Refusal::NotFound("there is no such thing".into()),
        }
    }

    async fn carry_out(&mut self, request: Request, actor: &Actor, by: &By) -> Result<Answer, Refusal> {
        match request {
            Request::Import { table, rows, dry_run, institution, .. } => {
                self.import(table, &rows, &Source { institution: &institution, dry_run }, by).await
            }
            Request::Assay { name, version, assay } => self.assay_version(&name, &version, *assay, by).await,
            Request::Receive { barcode, institution, condition, note } => {
                let scan = Scan {
                    barcode: &barcode,
                    institution: &institution,
                    condition: &condition,
                    note: &note,
                    disposition: None,
                };
                self.scan(scan, by).await
            }
            Request::Reject { barcode, institution, condition, disposition, note } => {
                let disposition = Some(disposition.as_str());
                let scan = Scan {
                    barcode: &barcode,
                    institution: &institution,
                    condition: &condition,
                    note: &note,
                    disposition,
                };
                self.scan(scan, by).await
            }
            Request::CloseShipment { shipment } => self.close_shipment(&shipment, by).await,
            Request::Accession { specimen } => self.accession(&specimen, by).await,
            Request::Report { order_line, event, reason } => {
                self.report_stage(&order_line, &event, &reason, actor, by).await
            }
            Request::Hold { order_line, reason } => self.hold_order(&order_line, &reason, by).await,
            Request::Resume { order_line } => self.resume_order(&order_line, by).await,
            Request::Cancel { order_line, reason } => self.cancel_order(&order_line, &reason, actor, by).await,
            Request::Reopen { order_line, reason } => {
                let again = Request::Reopen { order_line: order_line.clone(), reason: reason.clone() };
                self.propose(&again, &format!("reopen order line {order_line}"), &reason, by).await
            }
            Request::Singleton { order_line, reason } => self.singleton(&order_line, &reason, by).await,
            Request::Lane { lane_library, counts, r#use, reason } => {
                self.answer_lane(&lane_library, (counts, r#use), &reason, by).await
            }
            Request::Decide { order_line, way, code, reason } => {
                let wish = quality::Wish { way: &way, code: &code, reason: &reason };
                let answer = self.decide_way(&order_line, &wish, by).await?;
                self.wake_order(&order_line);
                Ok(answer)
            }
            Request::Measured { order_line, values } => self.measured(&order_line, &values, by).await,
            Request::Consent { program, pseudonym, consent, status } => {
                self.record_consent((&program, &pseudonym), consent, &status, by).await
            }
            Request::Withdraw { program, pseudonym, scopes, evidence, noticed_us, reason } => {
                let wish = withdrawal::Wish { scopes: &scopes, evidence: &evidence, noticed_us, reason: &reason };
                self.withdraw((&program, &pseudonym), &wish, by).await
            }
            other => self.carry_out_case(other, actor, by).await,
        }
    }

    async fn carry_out_case(&mut self, request: Request, actor: &Actor, by: &By) -> Result<Answer, Refusal> {
        match request {
            Request::CaseDecide { item, decision, reference, reason } => {
                self.case_decide(&item, (&decision, &reference, &reason), by).await
            }
            Request::CaseConfirm { item } => self.case_confirm(&item, by).await,
            Request::NoticeAnswered { notice, receipt } => self.notice_answered(&notice, &receipt, by).await,
            Request::NoticeAgain { notice } => self.notice_again(&notice, actor, by).await,
            Request::NoticeTest { to } => self.notice_test(&to, by),
            Request::CaseClose { case } => self.case_close(&case, by).await,
            Request::Custody { specimen, event, holder, transfer, accession, receipt } => {
                let doc = Custody { holder, transfer, accession, receipt };
                self.move_custody(&specimen, &event, doc, by).await
            }
            Request::Deviation { specimen, about, description, severity } => {
                let doc = Deviation { about, description, severity, ..Deviation::default() };
                Ok(self.deviation(&specimen, doc, by))
            }
            Request::DeviationClose { deviation, action } => self.close_deviation(&deviation, &action, by).await,
            Request::External { order_line, clinical_information, report_return, accession } => {
                self.external(&order_line, (&clinical_information, &report_return, &accession), by).await
            }
            Request::Receipt { delivery, receipt } => self.receipt(&delivery, &receipt, by).await,
            Request::ReceiptRefused { delivery, why } => self.receipt_refused(&delivery, &why, by).await,
            Request::Fetched { delivery, path, whole } => self.fetched(&delivery, &path, whole, by).await,
            Request::Recall { delivery, reason } => self.recall(&delivery, &reason, by).await,
            Request::Reoffer { delivery, days, reason } => self.reoffer(&delivery, days, &reason, by).await,
            Request::Archived { delivery, place, note } => self.archived(&delivery, &place, &note, by).await,
            Request::Retire { delivery, reason, dry_run } => self.retire(&delivery, &reason, dry_run, by).await,
            Request::Confirm { proposal } => self.confirm(&proposal, actor, by).await,
            Request::Schedule { schedule, looked_us, paused, reason } => {
                self.schedule(&schedule, looked_us, paused, (&reason, by)).await
            }
            Request::StopAll { reason } => self.stop_all(Some(&reason), by).await,
            Request::ResumeAll => self.stop_all(None, by).await,
            Request::DrainExecutor { executor, reason } => self.drain_executor(&executor, Some(&reason), by).await,
            Request::ResumeExecutor { executor } => self.drain_executor(&executor, None, by).await,
            other => self.carry_out_people(other, by).await,
        }
    }

    /// A new id of the center: a letter, a number, a check character.
    pub(in crate::scheduler) async fn issue(&mut self, letter: char, _kind: Kind) -> Result<String, Refusal> {
        let mut number = match self.issued.get(&letter) {
            Some(last) => last + 1,
            None => self.reader.last_number(letter).await? + 1,
        };
        while check_character::has_twin(&check_character::issue(letter, number)) {
            number += 1;
        }
        self.issued.insert(letter, number);
        Ok(check_character::issue(letter, number))
    }

    async fn report_stage(
        &mut self,
        id: &str,
        word: &str,
        reason: &str,
        actor: &Actor,
        by: &By,
    ) -> Result<Answer, Refusal> {
        /// What people and a LIMS may say; the rest is the engine's, or has a request of its own.
        const REPORTED: &[Event] = &[
            Event::LabStarted,
            Event::SequencingStarted,
            Event::Sequenced,
            Event::Replaced,
            Event::AnalysisRetried,
            Event::ReviewRejected,
            Event::ReanalysisRequested,
            Event::Released,
            Event::Offered,
            Event::Acknowledged,
            Event::Refused,
            Event::Reoffered,
            Event::Archived,
            Event::Recalled,
            Event::GivenUp,
        ];
        let event = Event::parse(word).filter(|event| REPORTED.contains(event)).ok_or_else(|| {
            let known: Vec<&str> = REPORTED.iter().map(|event| event.word()).collect();
            Refusal::Bad(format!("`{word}` cannot be reported; these can: {}", known.join(", ")))
        })?;
        let mut order = self.desk.order(id).await?;
        // A refusal comes before a proposal: nobody confirms what cannot be.
        may_happen(&order, event)?;
        if event == Event::Released {
            self.may_release(&order, actor)?;
            quality::not_held(&order)?;
            self.criteria_met(&order).await?;
            if order.doc.decided_by.is_empty() {
                let again = Request::Report { order_line: id.into(), event: word.into(), reason: reason.into() };
                return self.propose(&again, &format!("the release of order line {id}"), reason, by).await;
            }
        }
        let body = json!({ "reason": reason });
        self.desk.move_order(&mut order, event, by, body).await?;
        if event == Event::Sequenced {
            self.desk.judge_reads(&mut order, by).await?;
        }
        self.wake_order(id);
        Ok(changed(&order))
    }

    /// The second yes of a release that nobody else had decided about.
    pub(super) async fn release_confirmed(
        &mut self,
        id: &str,
        (first, reason): (&str, &str),
        actor: &Actor,
        by: &By,
    ) -> Result<Answer, Refusal> {
        let mut order = self.desk.order(id).await?;
        self.may_release(&order, actor)?;
        quality::not_held(&order)?;
        self.criteria_met(&order).await?;
        let body = json!({ "reason": reason, "proposed_by": first });
        self.desk.move_order(&mut order, Event::Released, by, body).await?;
        self.wake_order(id);
        Ok(changed(&order))
    }

    /// The second pair of eyes: a releaser, and nobody who decided a quality question of this round.
    fn may_release(&self, order: &HeldOrder, actor: &Actor) -> Result<(), Refusal> {
        if !actor.roles.contains("releaser") {
            return Err(Refusal::NotAllowed(format!("{} may not do this: it needs the role releaser", actor.name)));
        }
        if order.doc.decided_by.contains(&actor.name) {
            return Err(Refusal::NotAllowed(format!(
                "{} decided its quality question: another person releases",
                actor.name
            )));
        }
        Ok(())
    }
}

/// Whose a thing is.
enum Whose {
    /// It came from there.
    Institution(String),
    /// It is for them.
    DataCenter(String),
}

impl Whose {
    fn borrowed(&self) -> Owner<'_> {
        match self {
            Self::Institution(institution) => Owner { institution: Some(institution), data_center: None },
            Self::DataCenter(center) => Owner { institution: None, data_center: Some(center) },
        }
    }
}

/// The record that says whether the site is stopped.
pub const EMERGENCY: &str = "emergency-stop";

fn may_happen(order: &HeldOrder, event: Event) -> Result<(), Refusal> {
    let at = super::order::stage(order)?;
    at.next(event).map(drop).map_err(|_| {
        let refusal = crate::state::order::refusal(at, event);
        Refusal::State(format!("order line {}: {} ({})", order.row.order_line_id, refusal.en, refusal.code))
    })
}

fn changed(order: &HeldOrder) -> Answer {
    let id = &order.row.order_line_id;
    Answer {
        said: format!("order line {id} is {}", order.row.stage),
        changed: vec![format!("order_line {id}")],
        ..Answer::default()
    }
}

fn actor_of(by: &By) -> Actor {
    Actor { name: by.name.clone(), ..Actor::default() }
}
