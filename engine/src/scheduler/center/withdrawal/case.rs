//! Steps 5 to 8: two people decide about each thing, what is to go goes with a certificate, everybody answers, the case closes.

use serde_json::json;

use crate::scheduler::center::desk::{By, unknown};
use crate::scheduler::center::request::Answer;
use crate::scheduler::handle::Refusal;
use crate::scheduler::service::Service;
use crate::specimen::record::{Case, CaseItem, Certificate, Kind, Notice};

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
        if item.row.status == "done" {
            return Err(Refusal::State(format!("item {id} is done")));
        }
        decision.clone_into(&mut item.doc.decision);
        reference.clone_into(&mut item.doc.reference);
        item.doc.proposed_by.clone_from(&by.name);
        item.doc.confirmed_by.clear();
        item.row.status = "proposed".into();
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

    /// Step 5, the second person; step 6 follows at once.
    pub(in crate::scheduler) async fn case_confirm(&mut self, id: &str, by: &By) -> Result<Answer, Refusal> {
        let mut item = self.desk.get::<CaseItem>(Kind::CaseItem, id).await?;
        if item.row.status != "proposed" {
            return Err(Refusal::State(format!("item {id} is {}: nothing is proposed", item.row.status)));
        }
        if item.doc.proposed_by == by.name {
            return Err(Refusal::NotAllowed(format!("{} proposed it: another person confirms", by.name)));
        }
        item.doc.confirmed_by.clone_from(&by.name);
        let mut method = "kept, with an ethics reference".to_owned();
        if item.doc.decision == "destroy" && item.doc.thing == "artifact" {
            let gone = self.house.artifacts.destroy_sealed(&item.doc.sha256);
            method =
                gone.map_err(|error| Refusal::Unreachable(format!("cannot destroy {}: {error}", item.doc.sha256)))?;
        } else if item.doc.decision == "destroy" {
            method = "destroyed outside, as recorded".into();
        } else if item.doc.decision == "stub" {
            method = "only its name and checksum stay".into();
        }
        let certificate = Certificate {
            sha256: item.doc.sha256.clone(),
            method,
            at_us: self.desk.now,
            by: vec![item.doc.proposed_by.clone(), by.name.clone()],
        };
        let body = json!({ "decision": item.doc.decision, "certificate": certificate });
        item.doc.certificate = Some(certificate);
        item.row.status = "done".into();
        self.desk.record(&mut item, "case_item_done", by, &body);
        Ok(Answer {
            said: format!("item {id}: {} is done", item.doc.decision),
            changed: vec![format!("case_item {id}")],
            ..Answer::default()
        })
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
        notice.row.status = "answered".into();
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
        let items = self.desk.records_of::<CaseItem>(Kind::CaseItem, id).await?;
        let notices = self.desk.records_of::<Notice>(Kind::Notice, id).await?;
        let open = items.iter().filter(|item| item.row.status != "done").count();
        let unanswered = notices.iter().filter(|notice| notice.row.status != "answered").count();
        if open + unanswered > 0 {
            return Err(Refusal::State(format!(
                "case {id}: {open} thing(s) without a decision, {unanswered} notice(s) without an answer"
            )));
        }
        case.row.status = "closed".into();
        self.desk.record(&mut case, "case_closed", by, &json!({ "items": items.len(), "notices": notices.len() }));
        Ok(Answer { said: format!("case {id} is closed"), changed: vec![format!("case {id}")], ..Answer::default() })
    }
}
