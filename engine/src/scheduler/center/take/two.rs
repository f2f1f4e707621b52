//! What needs a second person, what rests, and the emergency stop.

use serde_json::json;

use super::{EMERGENCY, changed, may_happen};
use crate::id::fresh;
use crate::people::four_eyes::{self, NotSecond};
use crate::people::record::Person;
use crate::scheduler::Actor;
use crate::scheduler::center::desk::{By, HeldOrder};
use crate::scheduler::center::order::stage;
use crate::scheduler::center::request::{Answer, Request};
use crate::scheduler::handle::Refusal;
use crate::scheduler::live::Hold;
use crate::scheduler::service::Service;
use crate::specimen::record::{Kind, Proposal, Schedule};
use crate::state::order::{Event, Stage};

/// Opened again, an order line stands no further than it had come.
fn reopening(order: &HeldOrder) -> Result<Event, Refusal> {
    let had_been = |stage: Stage| order.doc.since.contains_key(stage.word());
    Ok(Event::reopening(stage(order)?, had_been))
}

impl Service {
    /// What needs two people waits for the second.
    pub(in crate::scheduler::center) async fn propose(
        &mut self,
        request: &Request,
        what: &str,
        reason: &str,
        by: &By,
    ) -> Result<Answer, Refusal> {
        if reason.trim().is_empty() {
            return Err(Refusal::Bad("this needs a reason".into()));
        }
        if let Request::Reopen { order_line, .. } = request {
            let order = self.desk.order(order_line).await?;
            may_happen(&order, reopening(&order)?)?;
        }
        let id = fresh("z");
        let doc = Proposal {
            request: serde_json::to_value(request).unwrap_or_default(),
            proposed_by: by.name.clone(),
            reason: reason.into(),
            until_us: self.desk.now.saturating_add(four_eyes::WAIT_US),
        };
        let body = json!({ "document": doc });
        let mut held = self.desk.new_record(Kind::Proposal, &id, "proposed", doc);
        self.desk.record(&mut held, "proposed", by, &body);
        Ok(Answer {
            said: format!("{what} is proposed; another person confirms: `kentai confirm {id}`"),
            proposal: Some(id),
            ..Answer::default()
        })
    }

    /// Is this a second person? Another one, in time, and not an account that the first one made.
    pub(in crate::scheduler) async fn second(&self, first: &str, by: &By, until_us: i64) -> Result<(), Refusal> {
        // People of the machine that only `kentai.yaml` names have no account here.
        let person = self.desk.find::<Person>(Kind::Person, &by.name).await?;
        let made_by = person.map(|held| held.doc.made_by).unwrap_or_default();
        four_eyes::second(first, &by.name, &made_by, until_us, self.desk.now).map_err(|why| match why {
            NotSecond::Late => Refusal::State(format!("{why}")),
            NotSecond::Same | NotSecond::Made => Refusal::NotAllowed(format!("{}: {why}", by.name)),
        })
    }

    pub(super) async fn confirm(&mut self, id: &str, actor: &Actor, by: &By) -> Result<Answer, Refusal> {
        let mut held = self.desk.get::<Proposal>(Kind::Proposal, id).await?;
        if held.row.status != "proposed" {
            return Err(Refusal::State(format!("proposal {id} is {}", held.row.status)));
        }
        self.second(&held.doc.proposed_by, by, held.doc.until_us).await?;
        let request: Request = serde_json::from_value(held.doc.request.clone())
            .map_err(|error| Refusal::Bad(format!("proposal {id} cannot be read: {error}")))?;
        let second = self.permitted(&request, actor).await?;
        held.row.status = "confirmed".into();
        self.desk.record(&mut held, "confirmed", by, &json!({}));
        match request {
            Request::Reopen { order_line, reason } => {
                let mut order = self.desk.order(&order_line).await?;
                let body = json!({ "reason": reason, "proposed_by": held.doc.proposed_by, "proposal": id });
                let event = reopening(&order)?;
                self.desk.move_order(&mut order, event, &second, body).await?;
                Ok(changed(&order))
            }
            Request::Report { order_line, reason, .. } => {
                self.release_confirmed(&order_line, (&held.doc.proposed_by, &reason), actor, &second).await
            }
            Request::Retire { delivery, reason, .. } => {
                self.retire_confirmed(&delivery, (&held.doc.proposed_by, &reason), &second).await
            }
            _ => Err(Refusal::Bad(format!("proposal {id} is about something that needs no second person"))),
        }
    }

    pub(super) async fn schedule(
        &mut self,
        id: &str,
        looked: Option<i64>,
        paused: Option<bool>,
        (reason, by): (&str, &By),
    ) -> Result<Answer, Refusal> {
        let mut held = match self.desk.find::<Schedule>(Kind::Schedule, id).await? {
            Some(held) => held,
            None => self.desk.new_record(Kind::Schedule, id, "running", Schedule::default()),
        };
        if let Some(at) = looked {
            held.doc.looked_us = at;
        }
        if let Some(paused) = paused {
            // The times of a rest are not missed but skipped.
            held.doc.looked_us = if paused { held.doc.looked_us } else { self.desk.now };
            held.row.status = if paused { "paused".into() } else { "running".into() };
            held.doc.moved_by.clone_from(&by.name);
            reason.trim().clone_into(&mut held.doc.reason);
        }
        let mut body = json!({ "looked_us": looked, "paused": paused });
        if !reason.trim().is_empty() {
            body["reason"] = reason.into();
        }
        self.desk.record(&mut held, "schedule_moved", by, &body);
        Ok(Answer { said: format!("schedule {id} is {}", held.row.status), ..Answer::default() })
    }

    /// The emergency stop: what runs goes on, nothing new starts anywhere.
    pub(super) async fn stop_all(&mut self, reason: Option<&str>, by: &By) -> Result<Answer, Refusal> {
        if reason.is_some_and(|reason| reason.trim().is_empty()) {
            return Err(Refusal::Bad("the emergency stop needs a reason".into()));
        }
        let hold = reason.map(|reason| Hold { by: by.name.clone(), reason: reason.into(), since_us: self.desk.now });
        let status = if hold.is_some() { "stopped" } else { "running" };
        let mut held = match self.desk.find::<serde_json::Value>(Kind::Schedule, EMERGENCY).await? {
            Some(held) => held,
            None => self.desk.new_record(Kind::Schedule, EMERGENCY, "running", json!({})),
        };
        status.clone_into(&mut held.row.status);
        held.doc = json!({ "stop": hold });
        let event = if hold.is_some() { "everything_stopped" } else { "everything_resumed" };
        self.desk.record(&mut held, event, by, &json!({ "reason": reason }));
        self.house.stopped = hold;
        Ok(Answer { said: format!("the site is {status}"), ..Answer::default() })
    }
}
