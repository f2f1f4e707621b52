//! The leftover's way: who has it, and the transfers by which several leftovers go to a biobank together.

use kentai_workflows::plan::is_id;
use serde_json::json;

use super::desk::{By, Held};
use super::request::Answer;
use crate::id::fresh;
use crate::scheduler::handle::Refusal;
use crate::scheduler::service::Service;
use crate::specimen::record::{Custody, Deviation, Kind, Specimen, Transfer, TransferItem};
use crate::state::custody::{self, Event};
use crate::state::transfer;

impl Service {
    /// A leftover moves, by itself or in a transfer.
    pub(in crate::scheduler) async fn move_custody(
        &mut self,
        id: &str,
        word: &str,
        mut doc: Custody,
        by: &By,
    ) -> Result<Answer, Refusal> {
        let mut specimen = self.desk.get::<Specimen>(Kind::Specimen, id).await?;
        let event = Event::parse(word).ok_or_else(|| {
            let known: Vec<&str> = Event::ALL.iter().map(|event| event.word()).collect();
            Refusal::Bad(format!("`{word}` is none of: {}", known.join(", ")))
        })?;
        let status = custody::Status::parse(&specimen.doc.custody).unwrap_or(custody::Status::InLab);
        let next = status.next(event).map_err(|illegal| Refusal::State(format!("specimen {id}: {illegal}")))?;
        let transfer = self.in_transfer(&mut specimen, event, &mut doc, by).await?;
        next.word().clone_into(&mut specimen.doc.custody);
        let body = json!({ "event": word, "now": next.word(), "document": doc });
        self.desk.record(&mut specimen, "custody_moved", by, &body);
        let mut step = self.desk.new_record(Kind::Custody, &fresh("u"), next.word(), doc);
        id.clone_into(&mut step.row.parent);
        id.clone_into(&mut step.row.specimen_id);
        step.row.owner.clone_from(&specimen.row.owner);
        let body = json!({ "document": step.doc });
        self.desk.record(&mut step, "custody_recorded", by, &body);
        if next == custody::Status::Lost {
            let doc = Deviation {
                about: format!("specimen {id}"),
                description: "the leftover was lost".into(),
                severity: "major".into(),
                ..Deviation::default()
            };
            self.deviation(id, doc, by);
        }
        let mut changed = vec![format!("specimen {id}")];
        changed.extend(transfer);
        Ok(Answer { said: format!("specimen {id}: the leftover is {next}"), changed, ..Answer::default() })
    }

    /// What the step is for the transfer that the specimen goes with; none when it goes with none.
    async fn in_transfer(
        &mut self,
        specimen: &mut Held<Specimen>,
        event: Event,
        doc: &mut Custody,
        by: &By,
    ) -> Result<Option<String>, Refusal> {
        if doc.transfer.is_empty() {
            doc.transfer.clone_from(&specimen.doc.transfer);
        }
        let (id, name) = (specimen.row.record_id.clone(), doc.transfer.clone());
        if name.is_empty() {
            return Ok(None);
        }
        if event == Event::Packed {
            let mut held = self.transfer_to_pack(&name, &doc.holder).await?;
            held.go(transfer::Event::Packed)?;
            let Specimen { barcode, specimen_type, amount, .. } = specimen.doc.clone();
            let packed_us = self.desk.now;
            held.doc.items.insert(id, TransferItem { barcode, specimen_type, amount, packed_us, ..Default::default() });
            specimen.doc.transfer.clone_from(&name);
            self.desk.record(&mut held, "transfer_packed", by, &json!({ "specimen": specimen.row.record_id }));
            return Ok(Some(format!("transfer {name}")));
        }
        let mut held = self.desk.get::<Transfer>(Kind::Transfer, &name).await?;
        let Some(item) = held.doc.items.get_mut(&id) else {
            return Err(Refusal::State(format!("specimen {id} is not in transfer {name}")));
        };
        let now = self.desk.now;
        let happened = match event {
            Event::Unpacked => {
                held.doc.items.remove(&id);
                specimen.doc.transfer.clear();
                transfer::Event::Unpacked
            }
            Event::HandedOver => {
                item.handed_over_us = Some(now);
                transfer::Event::HandedOver
            }
            Event::Arrived if doc.accession.is_empty() || doc.receipt.is_empty() => {
                return Err(Refusal::Bad(format!(
                    "what arrives with transfer {name} has the biobank's number and its receipt (--accession, --receipt)"
                )));
            }
            Event::Arrived | Event::Returned | Event::Lost => {
                item.ended_us = Some(now);
                event.word().clone_into(&mut item.how);
                item.accession.clone_from(&doc.accession);
                item.receipt.clone_from(&doc.receipt);
                let all = held.doc.items.values().all(|item| item.ended_us.is_some());
                if all { transfer::Event::Completed } else { transfer::Event::Arrived }
            }
            // Later ways of a leftover are its own.
            Event::Packed | Event::Destroyed | Event::Exhausted | Event::Found => return Ok(None),
        };
        held.go(happened)?;
        let body = json!({ "specimen": id, "event": event.word(), "accession": doc.accession, "receipt": doc.receipt });
        self.desk.record(&mut held, "transfer_moved", by, &body);
        Ok(Some(format!("transfer {name}")))
    }

    async fn transfer_to_pack(&self, name: &str, to: &str) -> Result<Held<Transfer>, Refusal> {
        if let Some(held) = self.desk.find::<Transfer>(Kind::Transfer, name).await? {
            return Ok(held);
        }
        if !is_id(name) {
            return Err(Refusal::Bad("a transfer's name is letters, digits, `.`, `_` and `-`, at most 64".into()));
        }
        let doc = Transfer { to: to.to_owned(), ..Transfer::default() };
        Ok(self.desk.new_record(Kind::Transfer, name, transfer::Status::Open.word(), doc))
    }
}
