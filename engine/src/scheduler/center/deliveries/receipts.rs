//! Receipts: what a receiver says of each file, held against what was sent. It believes nothing that it can compute.

use serde_json::json;

use super::{about, is_open};
use crate::handoff::offer::FileStatus;
use crate::handoff::receipt::{Outcome, Receipt, Said};
use crate::handoff::sshsig;
use crate::scheduler::center::desk::{By, Held};
use crate::scheduler::center::notices::Wish;
use crate::scheduler::center::request::Answer;
use crate::scheduler::handle::Refusal;
use crate::scheduler::service::Service;
use crate::specimen::record::{Delivery, Deviation, FileState, Kind, Received};
use crate::state::delivery::{Event, Status};
use crate::state::order;
use crate::store::rows::PackageFile;

/// Receipts that are remembered of one delivery; a receiver has one for each file at most.
const RECEIPTS_MAX: usize = 10_000;

impl Service {
    /// A receipt: all of it counts, or nothing. The same again is answered and changes nothing.
    pub(in crate::scheduler::center) async fn receipt(
        &mut self,
        id: &str,
        receipt: &Receipt,
        by: &By,
    ) -> Result<Answer, Refusal> {
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
            let state = file_state(said, receipt.copies(), file);
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

    /// A receipt that does not count is written down all the same.
    pub(in crate::scheduler::center) async fn receipt_refused(
        &mut self,
        id: &str,
        said: &str,
        by: &By,
    ) -> Result<Answer, Refusal> {
        let mut held = self.desk.get::<Delivery>(Kind::Delivery, id).await?;
        let said: String = said.chars().take(500).collect();
        self.desk.record(&mut held, "receipt_not_taken", by, &json!({ "why": said }));
        Ok(about(&held, false))
    }
}

/// Nothing is believed: the receiver's checksums are compared with those of the bytes that were sent.
fn file_state(said: &Said, copies: Option<u32>, file: &PackageFile) -> FileState {
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
                copies: copies.filter(|_| wrong.is_none()),
            }
        }
    }
}

/// What a receipt amounts to for the whole delivery.
fn outcome(doc: &Delivery, mismatched: bool) -> Event {
    let count = |status: FileStatus| doc.payload().filter(|(_, file)| file.status == status).count();
    let (all, accepted, refused) = (doc.payload().count(), count(FileStatus::Accepted), count(FileStatus::Refused));
    if mismatched {
        Event::Mismatched
    } else if accepted == all {
        Event::Acknowledged
    } else if refused > 0 && accepted + refused == all {
        Event::Refused
    } else {
        Event::PartlyAcknowledged
    }
}
