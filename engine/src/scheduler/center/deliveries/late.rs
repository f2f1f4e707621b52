//! Receipts that are not there in time: what the workflow's author wants then is done once for each offer. It knows no workflow; what
//! is wanted lies in the delivery's record, so the next engine does it as well as this one.

use serde_json::json;

use super::micros;
use crate::scheduler::center::desk::{By, Held};
use crate::scheduler::center::notices::Wish;
use crate::scheduler::center::order::NEVER;
use crate::scheduler::handle::Refusal;
use crate::scheduler::service::Service;
use crate::specimen::record::{Delivery, Deviation, IfLate, Kind};
use crate::state::delivery::{Event, Status};

/// Late receipts that are acted on in one turn.
const AT_ONCE: i64 = 100;

impl Service {
    /// Takes note of when a receipt is due.
    pub(super) fn expect_receipt(&mut self, held: &Held<Delivery>) {
        let due = held.doc.receipt_due_us.filter(|_| held.doc.if_late.is_some());
        self.receipts_due = self.receipts_due.min(due.unwrap_or(NEVER));
    }

    /// Offered again: the receiver has as long as for the first offer, and is told again when that is over.
    pub(super) fn receipt_anew(&self, held: &mut Held<Delivery>) {
        let Some(due) = held.doc.receipt_due_us else { return };
        let within = match held.doc.receipt_within_us {
            // A record of an earlier version: its first offer says how long.
            0 => (due - held.row.created_us).max(micros(0)),
            within => within,
        };
        held.doc.receipt_within_us = within;
        held.doc.receipt_due_us = Some(self.desk.now.saturating_add(within));
        held.doc.late_us = None;
    }

    /// Does what is wanted of receipts that are late by now.
    pub(in crate::scheduler) async fn late_receipts(&mut self) -> Result<(), Refusal> {
        if self.receipts_due > self.house.now {
            return Ok(());
        }
        self.desk.now = self.house.now;
        let late = self.reader.receipts_late(self.house.now, AT_ONCE).await?;
        let full = i64::try_from(late.len()).is_ok_and(|count| count == AT_ONCE);
        for id in late {
            match self.receipt_is_late(&id).await {
                Ok(()) => self.desk.keep(),
                Err(error) => {
                    self.desk.sweep();
                    tracing::error!(delivery = id, %error, "its receipt is late, and that cannot be written down");
                }
            }
        }
        let next = self.reader.receipt_due_after(self.house.now).await?;
        self.receipts_due = if full { self.house.now } else { next.unwrap_or(NEVER) };
        Ok(())
    }

    async fn receipt_is_late(&mut self, id: &str) -> Result<(), Refusal> {
        let mut held = self.desk.get::<Delivery>(Kind::Delivery, id).await?;
        // Answered or offered again in this same turn.
        let waits = Status::parse(&held.row.status).is_some_and(Status::waits_for_receipt);
        let is_late = held.doc.receipt_due_us.is_some_and(|due| due <= self.desk.now) && held.doc.late_us.is_none();
        let (Some(wanted), true) = (held.doc.if_late, waits && is_late) else { return Ok(()) };
        held.doc.late_us = Some(self.desk.now);
        let body = json!({ "due_us": held.doc.receipt_due_us, "if_late": wanted, "target": held.row.owner });
        self.desk.record(&mut held, "receipt_late", &By::engine(), &body);
        self.tell_that_late(&held);
        match wanted {
            IfLate::Notify => Ok(()),
            IfLate::Hold => self.hold_for_receipt(&held).await,
            IfLate::Fail => self.fail_for_receipt(&mut held),
        }
    }

    /// Written whether or not somebody subscribes: the workflow asks for it, and the signed file can be carried.
    fn tell_that_late(&mut self, held: &Held<Delivery>) {
        let (to, id) = (held.row.owner.as_str(), held.row.record_id.as_str());
        let body = json!({
            "delivery": id, "specimen": held.row.specimen_id, "status": held.row.status,
            "due_us": held.doc.receipt_due_us, "owner": to,
        });
        self.notice(Wish { to, subject: "receipt.late", about: id, body, answer: false }, &By::engine());
    }

    /// A line that is held, at its end, or at another run already has nothing to be held for.
    async fn hold_for_receipt(&mut self, held: &Held<Delivery>) -> Result<(), Refusal> {
        if held.doc.order_line.is_empty() {
            return Ok(());
        }
        let order = self.desk.order(&held.doc.order_line).await?;
        if order.row.run_id != held.row.parent {
            return Ok(());
        }
        let reason = format!("the receipt of delivery {} is late; owner: {}", held.row.record_id, held.row.owner);
        match self.hold_order(&held.doc.order_line, &reason, &By::engine()).await {
            Ok(_) | Err(Refusal::State(_)) => Ok(()),
            Err(error) => Err(error),
        }
    }

    fn fail_for_receipt(&mut self, held: &mut Held<Delivery>) -> Result<(), Refusal> {
        let (to, id) = (held.row.owner.clone(), held.row.record_id.clone());
        let doc = Deviation {
            about: format!("delivery {id}"),
            description: format!("{to} did not say in time that the delivery arrived; the offer is over"),
            severity: "major".into(),
            ..Deviation::default()
        };
        self.deviation(&held.row.specimen_id, doc, &By::engine());
        held.go(Event::Expired)?;
        held.doc.reason = "its receipt was late".into();
        self.desk.record(held, Event::Expired.word(), &By::engine(), &json!({ "reason": held.doc.reason }));
        self.feed(held);
        Ok(())
    }
}
