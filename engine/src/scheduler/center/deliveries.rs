//! Deliveries at their receivers: offered, fetched, acknowledged, refused, called back, over. It knows no bytes and no network.

mod late;
mod receipts;

use serde_json::{Value, json};

use super::desk::{By, Held, unknown};
use super::notices::Wish;
use super::order::{NEVER, stage};
use super::request::Answer;
use crate::clock::Micros;
use crate::handoff::offer::FileStatus;
use crate::scheduler::delivery::Given;
use crate::scheduler::handle::Refusal;
use crate::scheduler::service::Service;
use crate::specimen::record::{Delivery, FileState, Kind};
use crate::state::consent;
use crate::state::delivery::{Event, Status};
use crate::state::order;
use crate::store::rows;

/// Deliveries whose time is over that are written down in one turn.
const AT_ONCE: i64 = 100;
const SECOND_US: Micros = 1_000_000;

impl Service {
    /// A run gave something to a receiver: from now on it is a delivery.
    pub(in crate::scheduler) async fn given(&mut self, given: Given) -> Result<(), Refusal> {
        self.desk.now = self.house.now;
        if self.desk.find::<Delivery>(Kind::Delivery, &given.delivery).await?.is_some() {
            return Ok(());
        }
        let supersedes = self.supersede(&given).await?;
        let target = self.house.options.targets.get(&given.target);
        let keep_us = target.map_or(0, |target| micros(target.keep_s));
        let doc = Delivery {
            pull: given.status == Status::Offered.word(),
            step: given.step,
            participant: given.participant,
            order_line: given.order_line,
            consent_use: target.and_then(|target| target.consent_use.clone()).unwrap_or_default(),
            expires_us: (keep_us > 0).then(|| self.desk.now.saturating_add(keep_us)),
            receipt_due_us: given.receipt_within_s.map(|within| self.desk.now.saturating_add(micros(within))),
            receipt_within_us: given.receipt_within_s.map_or(0, micros),
            if_late: given.if_late,
            supersedes,
            files: given.files.into_iter().map(|path| (path, FileState::default())).collect(),
            ..Delivery::default()
        };
        let body =
            json!({ "target": given.target, "run": given.run, "files": doc.files.len(), "expires_us": doc.expires_us });
        let mut held = self.desk.new_record(Kind::Delivery, &given.delivery, Status::Offered.word(), doc);
        held.row.parent = given.run.to_string();
        held.row.specimen_id.clone_from(&given.specimen);
        held.row.owner.clone_from(&given.target);
        self.desk.record(&mut held, "offered", &By::engine(), &body);
        if given.status == Status::Delivered.word() {
            held.go(Event::Delivered)?;
            self.desk.record(&mut held, Event::Delivered.word(), &By::engine(), &json!({ "target": given.target }));
        }
        self.feed(&held);
        self.delivery_ends = self.delivery_ends.min(held.doc.expires_us.unwrap_or(NEVER));
        self.expect_receipt(&held);
        // It was under way when consent was taken back: nothing could hold it any more.
        let participant = self.desk.find_participant(&held.doc.participant).await?;
        if participant.is_some_and(|participant| participant.row.consent == consent::Status::Withdrawn.word()) {
            self.call_back(&mut held, "consent was withdrawn", &By::engine()).await?;
        }
        Ok(())
    }

    /// What the same step gave to the same target for the same order line (or specimen) before makes way.
    async fn supersede(&mut self, given: &Given) -> Result<String, Refusal> {
        let mut newest = String::new();
        for row in self.reader.deliveries_to(&given.target, &given.specimen).await? {
            let Some(mut held) = self.desk.find::<Delivery>(Kind::Delivery, &row).await? else { continue };
            let same = held.doc.step == given.step
                && held.doc.order_line == given.order_line
                && held.row.record_id != given.delivery;
            if same && held.go(Event::Superseded).is_ok() {
                let body = json!({ "by": given.delivery });
                self.desk.record(&mut held, Event::Superseded.word(), &By::engine(), &body);
                self.feed(&held);
                newest.clone_from(&held.row.record_id);
            }
        }
        Ok(newest)
    }

    /// The receiver is told that something changed: in their feed, and by a letter where they subscribed to one.
    pub(super) fn feed(&mut self, held: &Held<Delivery>) {
        let (to, id, status) = (held.row.owner.clone(), held.row.record_id.clone(), held.row.status.as_str());
        // What we carried tells of itself; what is fetched has to be told of.
        let subject = match status {
            "offered" => "sample.offered".to_owned(),
            _ => format!("delivery.{status}"),
        };
        if self.is_subscribed(&to) {
            let body = json!({
                "delivery": id, "specimen": held.row.specimen_id, "status": status, "reason": held.doc.reason,
                "expires_us": held.doc.expires_us, "supersedes": held.doc.supersedes,
            });
            self.notice(Wish { to: &to, subject: &subject, about: &id, body, answer: false }, &By::engine());
        }
        let row = rows::Feed {
            seq: 0,
            target: held.row.owner.clone(),
            delivery_id: held.row.record_id.as_str().into(),
            change: held.row.status.clone(),
            at_us: self.desk.now,
        };
        self.desk.tell(row);
    }

    /// Bytes went to the receiver: the first of a delivery, or the last of a file.
    pub(super) async fn fetched(&mut self, id: &str, path: &str, whole: bool, by: &By) -> Result<Answer, Refusal> {
        let mut held = self.desk.get::<Delivery>(Kind::Delivery, id).await?;
        let before = held.clone();
        if held.row.status == Status::Offered.word() {
            held.go(Event::PullBegan)?;
            self.desk.record(&mut held, Event::PullBegan.word(), by, &json!({ "path": path }));
        }
        if whole && held.doc.files.contains_key(path) && held.doc.sent.insert(path.to_owned()) {
            // Who has the payload has the data; tag files may come first or last.
            let all = held.doc.payload().all(|(file, _)| held.doc.sent.contains(file));
            if all && held.row.status == Status::Pulling.word() {
                held.go(Event::Delivered)?;
                let body = json!({ "files": held.doc.files.len() });
                self.desk.record(&mut held, Event::Delivered.word(), by, &body);
                self.tell_order(&held, order::Event::Delivered, by, "").await?;
            } else {
                self.desk.record(&mut held, "file_sent", by, &json!({ "path": path }));
            }
        }
        Ok(about(&held, before.row.events == held.row.events))
    }

    /// The order line hears it, where it is one that can.
    async fn tell_order(
        &mut self,
        held: &Held<Delivery>,
        event: order::Event,
        by: &By,
        reason: &str,
    ) -> Result<(), Refusal> {
        if held.doc.order_line.is_empty() {
            return Ok(());
        }
        let mut order = self.desk.order(&held.doc.order_line).await?;
        // A receipt says that it arrived, whoever counted the bytes.
        let arrived = event == order::Event::Acknowledged && stage(&order)? == order::Stage::Offered;
        if order.row.run_id != held.row.parent {
            return Ok(());
        }
        let body = json!({ "delivery": held.row.record_id, "target": held.row.owner, "reason": reason });
        for event in arrived.then_some(order::Event::Delivered).into_iter().chain([event]) {
            if stage(&order)?.next(event).is_ok() {
                self.desk.move_order(&mut order, event, by, body.clone()).await?;
            }
        }
        Ok(())
    }

    /// Back from its receiver: nothing more is sent, and they are told.
    pub(super) async fn recall(&mut self, id: &str, reason: &str, by: &By) -> Result<Answer, Refusal> {
        if reason.trim().is_empty() {
            return Err(Refusal::Bad("a recall needs a reason: the receiver reads it".into()));
        }
        let mut held = self.desk.get::<Delivery>(Kind::Delivery, id).await?;
        self.call_back(&mut held, reason, by).await?;
        self.tell_order(&held, order::Event::Recalled, by, reason).await?;
        Ok(about(&held, false))
    }

    async fn call_back(&mut self, held: &mut Held<Delivery>, reason: &str, by: &By) -> Result<(), Refusal> {
        held.go(Event::Recalled)?;
        // Before they are told of the recall: that letter is not called back.
        self.call_letters_back(&held.row.record_id, reason, by).await?;
        reason.clone_into(&mut held.doc.reason);
        self.desk.record(held, Event::Recalled.word(), by, &json!({ "reason": reason }));
        self.feed(held);
        Ok(())
    }

    /// Everything of these runs that consent does not cover any more.
    pub(super) async fn call_back_all(
        &mut self,
        runs: &[rows::Run],
        covered: impl Fn(&str) -> bool,
        reason: &str,
        by: &By,
    ) -> Result<usize, Refusal> {
        let mut count = 0;
        for run in runs {
            for mut held in self.desk.records_of::<Delivery>(Kind::Delivery, run.run_id.as_str()).await? {
                let over = held.row.status == Status::Recalled.word() || covered(&held.doc.consent_use);
                if !over {
                    self.call_back(&mut held, reason, by).await?;
                    count += 1;
                }
            }
        }
        Ok(count)
    }

    /// Offered again: for so many days more.
    pub(super) async fn reoffer(&mut self, id: &str, days: u32, reason: &str, by: &By) -> Result<Answer, Refusal> {
        let mut held = self.desk.get::<Delivery>(Kind::Delivery, id).await?;
        let target = self.house.options.targets.get(&held.row.owner);
        let keep_us = match days {
            0 => target.map_or(0, |target| micros(target.keep_s)),
            days => micros(u64::from(days) * 86_400),
        };
        held.go(Event::Reoffered)?;
        held.doc.expires_us = (keep_us > 0).then(|| self.desk.now.saturating_add(keep_us));
        held.doc.sent.clear();
        self.receipt_anew(&mut held);
        for file in held.doc.files.values_mut().filter(|file| file.status != FileStatus::Accepted) {
            *file = FileState::default();
        }
        let body = json!({
            "reason": reason, "expires_us": held.doc.expires_us, "receipt_due_us": held.doc.receipt_due_us,
        });
        self.desk.record(&mut held, Event::Reoffered.word(), by, &body);
        self.feed(&held);
        self.delivery_ends = self.delivery_ends.min(held.doc.expires_us.unwrap_or(NEVER));
        self.expect_receipt(&held);
        self.tell_order(&held, order::Event::Reoffered, by, reason).await?;
        Ok(about(&held, false))
    }

    /// Writes down whose time is over.
    pub(in crate::scheduler) async fn expire_deliveries(&mut self) -> Result<(), Refusal> {
        if self.delivery_ends > self.house.now {
            return Ok(());
        }
        self.desk.now = self.house.now;
        let over = self.reader.deliveries_over(self.house.now, AT_ONCE).await?;
        let full = i64::try_from(over.len()).is_ok_and(|count| count == AT_ONCE);
        for id in over {
            let mut held = self.desk.get::<Delivery>(Kind::Delivery, &id).await?;
            let still = held.doc.expires_us.is_some_and(|at| at <= self.desk.now);
            if still && held.go(Event::Expired).is_ok() {
                self.desk.record(&mut held, Event::Expired.word(), &By::engine(), &Value::Null);
                self.feed(&held);
            }
            self.desk.keep();
        }
        let next = self.reader.delivery_ends_after(self.house.now).await?;
        self.delivery_ends = if full { self.house.now } else { next.unwrap_or(NEVER) };
        Ok(())
    }

    /// Whose a delivery is: its target; none when there is no such delivery.
    pub(super) async fn receiver_of(&self, delivery: &str) -> Result<Option<String>, Refusal> {
        Ok(self.desk.find::<Delivery>(Kind::Delivery, delivery).await?.map(|held| held.row.owner))
    }
}

fn is_open(held: &Held<Delivery>) -> bool {
    Status::parse(&held.row.status).is_some_and(Status::is_open)
}

fn micros(seconds: u64) -> Micros {
    i64::try_from(seconds).unwrap_or(i64::MAX).saturating_mul(SECOND_US)
}

fn about(held: &Held<Delivery>, unchanged: bool) -> Answer {
    let id = &held.row.record_id;
    let changed = if unchanged { Vec::new() } else { vec![format!("delivery {id}")] };
    let said = format!("delivery {id} is {}", held.row.status);
    Answer { said, changed, unchanged: usize::from(unchanged), ..Answer::default() }
}

/// A receiver's request about what is not theirs, or not there.
pub(super) fn no_delivery(id: &str) -> Refusal {
    unknown("delivery", id)
}
