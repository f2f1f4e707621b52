//! What moves an order line without moving its stage, and what goes beside it: hold, custody, deviations, the receiver's word.

use serde_json::json;

use super::{actor_of, changed};
use crate::id::fresh;
use crate::scheduler::Actor;
use crate::scheduler::center::desk::By;
use crate::scheduler::center::order::{NEVER, stage};
use crate::scheduler::center::request::Answer;
use crate::scheduler::handle::Refusal;
use crate::scheduler::live::{Hold, text};
use crate::scheduler::service::Service;
use crate::specimen::record::{Deviation, Kind};
use crate::state::order::Event;

impl Service {
    pub(in crate::scheduler) async fn hold_order(
        &mut self,
        id: &str,
        reason: &str,
        by: &By,
    ) -> Result<Answer, Refusal> {
        if reason.trim().is_empty() {
            return Err(Refusal::Bad("a hold needs a reason".into()));
        }
        let mut order = self.desk.order(id).await?;
        if stage(&order)?.is_end() {
            return Err(Refusal::State(format!("order line {id} is {}: it is at its end", order.row.stage)));
        }
        if order.row.hold != "null" {
            return Err(Refusal::State(format!("order line {id} is held already")));
        }
        let hold = Hold { by: by.name.clone(), reason: reason.into(), since_us: self.desk.now };
        order.row.hold = text(&hold);
        order.row.expect_us = NEVER;
        self.desk.record_order(&mut order, "held", by, &json!({ "reason": reason }));
        if let Some(run) = self.run_of_order(&order).await? {
            let _ = self.house.hold(&run, &actor_of(by), reason);
        }
        Ok(Answer { said: format!("order line {id} is held"), ..changed(&order) })
    }

    pub(super) async fn resume_order(&mut self, id: &str, by: &By) -> Result<Answer, Refusal> {
        let mut order = self.desk.order(id).await?;
        if order.row.hold == "null" {
            return Err(Refusal::State(format!("order line {id} is not held")));
        }
        order.row.hold = "null".into();
        let at = stage(&order)?;
        order.doc.since.insert(at.word().into(), self.desk.now);
        self.desk.expect(&mut order, at).await?;
        self.desk.record_order(&mut order, "resumed", by, &json!({}));
        if let Some(run) = self.run_of_order(&order).await? {
            let _ = self.house.resume(&run, &actor_of(by));
        }
        self.wake_order(id);
        Ok(Answer { said: format!("order line {id} goes on"), ..changed(&order) })
    }

    pub(super) async fn cancel_order(
        &mut self,
        id: &str,
        reason: &str,
        actor: &Actor,
        by: &By,
    ) -> Result<Answer, Refusal> {
        if reason.trim().is_empty() {
            return Err(Refusal::Bad("canceling needs a reason".into()));
        }
        let mut order = self.desk.order(id).await?;
        self.desk.move_order(&mut order, Event::Canceled, by, json!({ "reason": reason })).await?;
        if let Some(run) = self.run_of_order(&order).await? {
            let _ = self.house.cancel(&run, actor, reason);
        }
        Ok(changed(&order))
    }

    pub(super) async fn singleton(&mut self, id: &str, reason: &str, by: &By) -> Result<Answer, Refusal> {
        if reason.trim().is_empty() {
            return Err(Refusal::Bad("this needs a reason".into()));
        }
        let mut order = self.desk.order(id).await?;
        order.doc.singleton_by.clone_from(&by.name);
        self.desk.record_order(&mut order, "family_not_awaited", by, &json!({ "reason": reason }));
        self.wake_order(id);
        Ok(changed(&order))
    }

    pub(super) async fn external(
        &mut self,
        id: &str,
        (clinical, report, accession): (&str, &str, &str),
        by: &By,
    ) -> Result<Answer, Refusal> {
        let mut order = self.desk.order(id).await?;
        for (value, place) in [
            (clinical, &mut order.doc.clinical_information),
            (report, &mut order.doc.report_return),
            (accession, &mut order.doc.accession),
        ] {
            if !value.is_empty() {
                value.clone_into(place);
            }
        }
        let body = json!({ "clinical_information": clinical, "report_return": report, "accession": accession });
        self.desk.record_order(&mut order, "external_said", by, &body);
        Ok(changed(&order))
    }

    /// Something was not as it should be.
    pub(in crate::scheduler) fn deviation(&mut self, specimen: &str, doc: Deviation, by: &By) -> Answer {
        let id = fresh("d");
        let body = json!({ "document": doc });
        let mut held = self.desk.new_record(Kind::Deviation, &id, "open", doc);
        specimen.clone_into(&mut held.row.parent);
        specimen.clone_into(&mut held.row.specimen_id);
        self.desk.record(&mut held, "deviation_opened", by, &body);
        Answer {
            said: format!("deviation {id} is open"),
            changed: vec![format!("deviation {id}")],
            ..Answer::default()
        }
    }

    pub(super) async fn close_deviation(&mut self, id: &str, action: &str, by: &By) -> Result<Answer, Refusal> {
        let mut held = self.desk.get::<Deviation>(Kind::Deviation, id).await?;
        if held.row.status == "closed" {
            return Err(Refusal::State(format!("deviation {id} is closed")));
        }
        action.clone_into(&mut held.doc.action);
        held.doc.closed_by.clone_from(&by.name);
        held.row.status = "closed".into();
        self.desk.record(&mut held, "deviation_closed", by, &json!({ "action": action }));
        Ok(Answer {
            said: format!("deviation {id} is closed"),
            changed: vec![format!("deviation {id}")],
            ..Answer::default()
        })
    }
}
