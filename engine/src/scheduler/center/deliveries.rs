//! Deliveries at their receivers: offered, fetched, acknowledged, refused, called back, over. It knows no bytes and no network.

use serde_json::{Value, json};

use super::desk::{By, Held, unknown};
use super::notices::Wish;
use super::order::{NEVER, stage};
use super::request::Answer;
use crate::clock::Micros;
use crate::handoff::offer::FileStatus;
use crate::handoff::receipt::{Outcome, Receipt, Said};
use crate::handoff::sshsig;
use crate::scheduler::delivery::Given;
use crate::scheduler::handle::Refusal;
use crate::scheduler::service::Service;
use crate::specimen::record::{Delivery, Deviation, FileState, Kind, Received};
use crate::state::delivery::{Event, Status};
use crate::state::order;
use crate::store::rows::{self, PackageFile};

/// Receipts that are remembered of one delivery; a receiver has one for each file at most.
const RECEIPTS_MAX: usize = 10_000;
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
    fn feed(&mut self, held: &Held<Delivery>) {
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
            let all = held.doc.files.keys().all(|file| held.doc.sent.contains(file));
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

    /// A receipt: all of it counts, or nothing. The same again is answered and changes nothing.
    pub(super) async fn receipt(&mut self, id: &str, receipt: &Receipt, by: &By) -> Result<Answer, Refusal> {
        let mut held = self.desk.get::<Delivery>(Kind::Delivery, id).await?;
        let bad = |error: crate::handoff::receipt::Wrong| Refusal::Bad(error.to_string());
        let digest = receipt.digest(id).map_err(bad)?;
        if let Some(known) = held.doc.receipts.get(receipt.id()) {
            if known.digest == digest {
                return Ok(about(&held, true));
            }
            return Err(Refusal::State(format!(
                "receipt `{}` of this delivery said something else before",
                receipt.id()
            )));
        }
        if held.doc.receipts.len() >= RECEIPTS_MAX {
            return Err(Refusal::State(format!("delivery {id} has {RECEIPTS_MAX} receipts: no more are taken")));
        }
        let key = self.house.options.targets.get(&held.row.owner).and_then(|target| target.receipt_key);
        let signed_by = match (key, receipt.signature()) {
            (None, None) => String::new(),
            (key, _) => sshsig::line(&receipt.verify(id, key.as_ref()).map_err(bad)?),
        };
        let packed = self.reader.package_files(id).await?;
        let mut mismatched = Vec::new();
        for said in receipt.files() {
            let Some(file) = packed.iter().find(|file| file.path == said.path) else {
                return Err(Refusal::Bad(format!("delivery {id} has no file `{}`", said.path.escape_debug())));
            };
            // Tag files are covered by the package's name; what is said of them is compared, and not kept.
            let state = file_state(said, file);
            if state.status == FileStatus::Mismatch {
                mismatched.push(format!("{} ({})", said.path, state.reason));
            }
            if let Some(place) = held.doc.files.get_mut(&said.path) {
                *place = state;
            }
        }
        let received = Received { digest: digest.clone(), at_us: self.desk.now, by: by.name.clone(), signed_by };
        held.doc.receipts.insert(receipt.id().to_owned(), received);
        let event = outcome(&held.doc, !mismatched.is_empty());
        held.go(event)?;
        let statement = receipt.statement(id).map_err(bad)?;
        let body = json!({ "receipt": receipt.id(), "sha256": digest, "statement": statement, "signature": receipt.signature() });
        self.desk.record(&mut held, event.word(), by, &body);
        self.after_receipt(&held, event, &mismatched, by).await?;
        Ok(about(&held, false))
    }

    async fn after_receipt(
        &mut self,
        held: &Held<Delivery>,
        event: Event,
        mismatched: &[String],
        by: &By,
    ) -> Result<(), Refusal> {
        let id = &held.row.record_id;
        if !mismatched.is_empty() {
            let doc = Deviation {
                about: format!("delivery {id}"),
                description: format!(
                    "{} received other bytes than were sent: {}",
                    held.row.owner,
                    mismatched.join(", ")
                ),
                severity: "major".into(),
                ..Deviation::default()
            };
            if self.is_subscribed(&held.row.owner) {
                let body = json!({ "delivery": id, "specimen": held.row.specimen_id, "files": mismatched });
                let wish = Wish { to: &held.row.owner, subject: "receipt.mismatch", about: id, body, answer: false };
                self.notice(wish, &By::engine());
            }
            self.deviation(&held.row.specimen_id, doc, &By::engine());
        }
        self.keep_accession(held, by).await?;
        match event {
            Event::Acknowledged if self.all_acknowledged(held).await? => {
                self.tell_order(held, order::Event::Acknowledged, by, "").await
            }
            Event::Refused => {
                let refused = held.doc.files.iter().filter(|(_, file)| file.status == FileStatus::Refused);
                let said: Vec<String> = refused.map(|(path, file)| format!("{path}: {}", file.reason)).collect();
                self.tell_order(held, order::Event::Refused, by, &said.join(", ")).await
            }
            _ => Ok(()),
        }
    }

    /// The receiver's own name of the sample stays with the order line.
    async fn keep_accession(&mut self, held: &Held<Delivery>, by: &By) -> Result<(), Refusal> {
        let told = held.doc.files.values().find(|file| !file.accession.is_empty());
        let (Some(file), false) = (told, held.doc.order_line.is_empty()) else { return Ok(()) };
        let mut order = self.desk.order(&held.doc.order_line).await?;
        if order.doc.accession != file.accession {
            order.doc.accession.clone_from(&file.accession);
            let body = json!({ "accession": file.accession, "delivery": held.row.record_id });
            self.desk.record_order(&mut order, "external_said", by, &body);
        }
        Ok(())
    }

    /// Every delivery of the order line that still stands.
    async fn all_acknowledged(&self, held: &Held<Delivery>) -> Result<bool, Refusal> {
        for other in self.desk.records_of::<Delivery>(Kind::Delivery, &held.row.parent).await? {
            let counts = other.doc.order_line == held.doc.order_line && is_open(&other);
            if counts && other.row.status != Status::Acknowledged.word() {
                return Ok(false);
            }
        }
        Ok(true)
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
        self.call_back(&mut held, reason, by)?;
        self.tell_order(&held, order::Event::Recalled, by, reason).await?;
        Ok(about(&held, false))
    }

    fn call_back(&mut self, held: &mut Held<Delivery>, reason: &str, by: &By) -> Result<(), Refusal> {
        held.go(Event::Recalled)?;
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
                    self.call_back(&mut held, reason, by)?;
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
        for file in held.doc.files.values_mut().filter(|file| file.status != FileStatus::Accepted) {
            *file = FileState::default();
        }
        let body = json!({ "reason": reason, "expires_us": held.doc.expires_us });
        self.desk.record(&mut held, Event::Reoffered.word(), by, &body);
        self.feed(&held);
        self.delivery_ends = self.delivery_ends.min(held.doc.expires_us.unwrap_or(NEVER));
        self.tell_order(&held, order::Event::Reoffered, by, reason).await?;
        Ok(about(&held, false))
    }

    /// A receipt that does not count is written down all the same.
    pub(super) async fn receipt_refused(&mut self, id: &str, said: &str, by: &By) -> Result<Answer, Refusal> {
        let mut held = self.desk.get::<Delivery>(Kind::Delivery, id).await?;
        let said: String = said.chars().take(500).collect();
        self.desk.record(&mut held, "receipt_not_taken", by, &json!({ "why": said }));
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

/// Nothing is believed: the receiver's checksums are compared with those of the bytes that were sent.
fn file_state(said: &Said, file: &PackageFile) -> FileState {
    match &said.outcome {
        Outcome::Refused { reason, text } => FileState {
            status: FileStatus::Refused,
            reason: reason.word().to_owned(),
            text: text.clone().unwrap_or_default(),
            ..FileState::default()
        },
        Outcome::Accepted { sha256, plain_sha256, accession } => {
            let plain = if file.artifact.is_empty() { &file.sha256 } else { &file.artifact };
            let wrong = if *sha256 != file.sha256 {
                Some("sha256")
            } else if plain_sha256.as_ref().is_some_and(|told| told != plain) {
                Some("plain_sha256")
            } else {
                None
            };
            FileState {
                status: if wrong.is_some() { FileStatus::Mismatch } else { FileStatus::Accepted },
                reason: wrong.unwrap_or_default().to_owned(),
                text: String::new(),
                accession: accession.clone().unwrap_or_default(),
                sha256: sha256.clone(),
                plain_sha256: plain_sha256.clone().unwrap_or_default(),
            }
        }
    }
}

/// What a receipt amounts to for the whole delivery.
fn outcome(doc: &Delivery, mismatched: bool) -> Event {
    let count = |status: FileStatus| doc.files.values().filter(|file| file.status == status).count();
    let (accepted, refused) = (count(FileStatus::Accepted), count(FileStatus::Refused));
    if mismatched {
        Event::Mismatched
    } else if accepted == doc.files.len() {
        Event::Acknowledged
    } else if refused > 0 && accepted + refused == doc.files.len() {
        Event::Refused
    } else {
        Event::PartlyAcknowledged
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
