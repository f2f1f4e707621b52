//! Steps 5 to 8: two people decide about each thing, what is to go goes with a certificate, everybody answers, the case closes.

use serde_json::json;

use crate::people::four_eyes;
use crate::scheduler::center::desk::{By, unknown};
use crate::scheduler::center::request::Answer;
use crate::scheduler::handle::Refusal;
use crate::scheduler::house::Effect;
use crate::scheduler::service::Service;
use crate::specimen::record::{Case, CaseItem, Certificate, Kind, LetterState, Notice};
use crate::state::case_item::{Event, Status};
use crate::state::{notice, withdrawal};

impl Service {
    /// Step 5, the first person.
    pub(in crate::scheduler) async fn case_decide(
        &mut self,
        id: &str,
        (decision, reference, reason): (&str, &str, &str),
        by: &By,
    ) -> Result<Answer, Refusal> {
        let mut item = self.desk.get::<CaseItem>(Kind::CaseItem, id).await?;
        match (decision, reference) {
            ("destroy" | "stub", _) => {}
            ("keep", "") => return Err(Refusal::Bad("what is kept needs its ethics reference (--reference)".into())),
            ("keep", _) => {}
            (other, _) => return Err(Refusal::Bad(format!("`{other}` is none of: destroy, keep, stub"))),
        }
        if decision == "destroy" && !item.doc.shared_with.is_empty() {
            return Err(Refusal::State(format!(
                "it is also made from {}: it is not destroyed by this case; decide `stub` or `keep`",
                item.doc.shared_with.join(", ")
            )));
        }
        item.go(Event::Proposed)?;
        decision.clone_into(&mut item.doc.decision);
        reference.clone_into(&mut item.doc.reference);
        item.doc.proposed_by.clone_from(&by.name);
        item.doc.confirmed_by.clear();
        item.doc.until_us = self.desk.now.saturating_add(four_eyes::WAIT_US);
        self.desk.record(
            &mut item,
            "case_item_proposed",
            by,
            &json!({ "decision": decision, "reference": reference, "reason": reason }),
        );
        Ok(Answer {
            said: format!("item {id}: {decision} is proposed; another person confirms"),
            changed: vec![format!("case_item {id}")],
            ..Answer::default()
        })
    }

    /// Step 5, the second person: on record first. What is to be destroyed is destroyed after the commit, and then it is done.
    pub(in crate::scheduler) async fn case_confirm(&mut self, id: &str, by: &By) -> Result<Answer, Refusal> {
        let mut item = self.desk.get::<CaseItem>(Kind::CaseItem, id).await?;
        item.go(Event::Confirmed)?;
        self.second(&item.doc.proposed_by, by, item.doc.until_us).await?;
        item.doc.confirmed_by.clone_from(&by.name);
        let body = json!({ "decision": item.doc.decision });
        self.desk.record(&mut item, "case_item_confirmed", by, &body);
        let method = match (item.doc.decision.as_str(), item.doc.thing.as_str()) {
            ("destroy", "artifact") => {
                self.house.effect(Effect::Destroy(id.to_owned(), item.doc.sha256.clone()));
                let said = format!("item {id}: it is being destroyed");
                return Ok(Answer { said, changed: vec![format!("case_item {id}")], ..Answer::default() });
            }
            ("destroy", _) => "destroyed outside, as recorded",
            ("stub", _) => "only its name and checksum stay",
            _ => "kept, with an ethics reference",
        };
        self.case_item_done(id, method, by).await
    }

    /// Step 6: it was done; the certificate says how, when and by whom.
    pub(in crate::scheduler) async fn case_item_done(
        &mut self,
        id: &str,
        how: &str,
        by: &By,
    ) -> Result<Answer, Refusal> {
        let mut item = self.desk.get::<CaseItem>(Kind::CaseItem, id).await?;
        if item.row.status == Status::Done.word() {
            return Ok(Answer { said: format!("item {id} is {}", item.row.status), unchanged: 1, ..Answer::default() });
        }
        let certificate = Certificate {
            sha256: item.doc.sha256.clone(),
            method: how.to_owned(),
            at_us: self.desk.now,
            by: vec![item.doc.proposed_by.clone(), item.doc.confirmed_by.clone()],
        };
        let body = json!({ "decision": item.doc.decision, "certificate": certificate });
        item.doc.certificate = Some(certificate);
        item.go(Event::Done)?;
        self.desk.record(&mut item, "case_item_done", by, &body);
        let said = format!("item {id}: {} is done", item.doc.decision);
        Ok(Answer { said, changed: vec![format!("case_item {id}")], ..Answer::default() })
    }

    /// Step 7: somebody outside answered.
    pub(in crate::scheduler) async fn notice_answered(
        &mut self,
        id: &str,
        receipt: &str,
        by: &By,
    ) -> Result<Answer, Refusal> {
        if receipt.trim().is_empty() {
            return Err(Refusal::Bad("an answer needs its reference (--receipt)".into()));
        }
        let mut notice = self.desk.find::<Notice>(Kind::Notice, id).await?.ok_or_else(|| unknown("notice", id))?;
        receipt.clone_into(&mut notice.doc.receipt);
        notice.go(notice::Event::Answered)?;
        for letter in notice.doc.letters.iter_mut().filter(|letter| letter.state != LetterState::Taken) {
            letter.state = LetterState::Dropped;
        }
        self.bag.note(id, &notice.doc.letters);
        self.desk.record(&mut notice, "notice_answered", by, &json!({ "receipt": receipt }));
        Ok(Answer {
            said: format!("notice {id} is answered"),
            changed: vec![format!("notice {id}")],
            ..Answer::default()
        })
    }

    /// Step 8: everything is decided and answered; the audit stays.
    pub(in crate::scheduler) async fn case_close(&mut self, id: &str, by: &By) -> Result<Answer, Refusal> {
        let mut case = self.desk.get::<Case>(Kind::Case, id).await?;
        case.go(withdrawal::Event::Closed)?;
        let items = self.desk.records_of::<CaseItem>(Kind::CaseItem, id).await?;
        let notices = self.desk.records_of::<Notice>(Kind::Notice, id).await?;
        let open = items.iter().filter(|item| item.row.status != Status::Done.word()).count();
        let unanswered =
            notices.iter().filter(|held| held.doc.answer && held.row.status != notice::Status::Answered.word()).count();
        if open + unanswered > 0 {
            return Err(Refusal::State(format!(
                "case {id}: {open} thing(s) without a decision, {unanswered} notice(s) without an answer"
            )));
        }
        self.desk.record(&mut case, "case_closed", by, &json!({ "items": items.len(), "notices": notices.len() }));
        Ok(Answer { said: format!("case {id} is closed"), changed: vec![format!("case {id}")], ..Answer::default() })
    }
}
