//! Reception: what was sent becomes what is here. Barcodes are matched by their normalized key and kept byte for byte.

use serde_json::json;

use super::desk::{By, Held};
use super::order::stage;
use super::request::Answer;
use crate::id::fresh;
use crate::scheduler::handle::Refusal;
use crate::scheduler::service::Service;
use crate::specimen::barcode;
use crate::specimen::record::{Item, Kind, Shipment, Specimen};
use crate::state::order::{Event, Stage};
use crate::state::shipment_item::{self, Event as ItemEvent};
use crate::state::{Happens, custody, parcel};

/// Names of items by institution and normalized barcode.
pub const ITEM: &str = "item";
/// Names of specimens by institution and normalized barcode.
pub const BARCODE: &str = "barcode";

/// Names of specimens by institution and barcode without leading zeros. The first one of several has it.
pub const NEAR: &str = "near_barcode";

/// What a barcode is looked up by when it may have lost its zeros.
#[must_use]
pub fn near_name(institution: &str, text: &str) -> String {
    format!("{institution}/{}", barcode::bare(text))
}

/// What a barcode is looked up by: unique per institution.
#[must_use]
pub fn barcode_name(institution: &str, text: &str) -> String {
    format!("{institution}/{}", barcode::normalized(text))
}

/// A scan: barcode, whose, and what the receiver saw.
pub(in crate::scheduler) struct Scan<'a> {
    pub(in crate::scheduler) barcode: &'a str,
    pub(in crate::scheduler) institution: &'a str,
    pub(in crate::scheduler) condition: &'a str,
    pub(in crate::scheduler) note: &'a str,
    /// Set: the tube is not accepted, and this becomes of it.
    pub(in crate::scheduler) disposition: Option<&'a str>,
}

impl Service {
    /// The specimen with this barcode. Several institutions may have the same one: then the institution must be named.
    pub(in crate::scheduler) async fn by_barcode(
        &self,
        text: &str,
        institution: &str,
    ) -> Result<Option<Held<Specimen>>, Refusal> {
        let mut found = Vec::new();
        let institutions =
            if institution.is_empty() { self.institutions().await? } else { vec![institution.to_owned()] };
        for institution in institutions {
            if let Some(id) = self.desk.named(BARCODE, &barcode_name(&institution, text)).await? {
                found.push(id);
            }
        }
        match found.as_slice() {
            [] => Ok(None),
            [id] => self.desk.find(Kind::Specimen, id).await,
            _ => Err(Refusal::State(format!("several institutions have a barcode `{text}`: name one (--institution)"))),
        }
    }

    async fn institutions(&self) -> Result<Vec<String>, Refusal> {
        let filter = crate::store::read::RecordFilter {
            kind: Kind::Institution.word().into(),
            limit: 10_000,
            ..Default::default()
        };
        Ok(self.reader.records(&filter).await?.into_iter().map(|row| row.record_id).collect())
    }

    /// A tube was scanned: it is what was announced, or it is extra, and then it is kept as an omission and never dropped.
    pub(in crate::scheduler) async fn scan(&mut self, scan: Scan<'_>, by: &By) -> Result<Answer, Refusal> {
        if scan.barcode.trim().is_empty() {
            return Err(Refusal::Bad("the barcode is empty".into()));
        }
        let Some(mut specimen) = self.by_barcode(scan.barcode, scan.institution).await? else {
            return self.scan_extra(&scan, by).await;
        };
        let item = self.desk.named(ITEM, &barcode_name(&specimen.row.owner, scan.barcode)).await?;
        let mut answer = Answer { changed: vec![format!("specimen {}", specimen.row.record_id)], ..Answer::default() };
        if let Some(id) = item {
            let mut item = self.desk.get::<Item>(Kind::Item, &id).await?;
            if ItemEvent::Received.after(&item.row.status).is_none_or(|next| next.is_err()) {
                let status = &item.row.status;
                return Err(Refusal::State(format!(
                    "barcode `{}` was scanned already: it is {status}",
                    item.doc.barcode
                )));
            }
            self.fill_item(&mut item, &scan, by).await?;
        }
        if specimen.doc.custody.is_empty() {
            custody::Status::InLab.word().clone_into(&mut specimen.doc.custody);
            let now = custody::Status::InLab.word();
            self.desk.record(&mut specimen, "custody_moved", by, &json!({ "now": now }));
        }
        for mut order in self.desk.orders_of(&specimen.row.record_id).await? {
            if stage(&order)? != Stage::Expected {
                continue;
            }
            let body = json!({ "barcode": scan.barcode, "condition": condition(&scan), "note": scan.note });
            self.desk.move_order(&mut order, Event::Received, by, body).await?;
            if let Some(disposition) = scan.disposition {
                let body = json!({ "condition": condition(&scan), "disposition": disposition, "reason": scan.note });
                self.desk.move_order(&mut order, Event::Rejected, by, body).await?;
            }
            answer.changed.push(format!("order_line {}", order.row.order_line_id));
        }
        if specimen.doc.barcode != scan.barcode {
            answer.notes.push(format!("scanned as `{}`, announced as `{}`", scan.barcode, specimen.doc.barcode));
        }
        let what = if scan.disposition.is_some() { "rejected" } else { "received" };
        answer.said = format!("specimen {} is {what}", specimen.row.record_id);
        Ok(answer)
    }

    async fn fill_item(&mut self, item: &mut Held<Item>, scan: &Scan<'_>, by: &By) -> Result<(), Refusal> {
        let now = self.desk.now;
        item.doc.received_us = Some(now);
        item.doc.received_by.clone_from(&by.name);
        item.doc.condition = condition(scan).to_owned();
        scan.note.clone_into(&mut item.doc.note);
        if item.doc.barcode != scan.barcode {
            scan.barcode.clone_into(&mut item.doc.scanned);
        }
        let event = match scan.disposition {
            Some(disposition) => {
                disposition.clone_into(&mut item.doc.disposition);
                item.go(ItemEvent::Rejected)?;
                "item_rejected"
            }
            None => {
                item.go(ItemEvent::Received)?;
                "item_received"
            }
        };
        let body = json!({ "condition": item.doc.condition, "scanned": scan.barcode });
        self.desk.record(item, event, by, &body);
        let mut shipment = self.desk.get::<Shipment>(Kind::Shipment, &item.row.parent).await?;
        shipment.go(parcel::Event::Received)?;
        if shipment.doc.received_us.is_none() {
            shipment.doc.received_us = Some(now);
            self.desk.record(&mut shipment, "shipment_received", by, &json!({}));
        }
        Ok(())
    }

    async fn scan_extra(&mut self, scan: &Scan<'_>, by: &By) -> Result<Answer, Refusal> {
        let name = barcode_name(scan.institution, scan.barcode);
        if let Some(id) = self.desk.named(ITEM, &name).await? {
            return Ok(Answer { said: format!("item {id} is extra, as before"), unchanged: 1, ..Answer::default() });
        }
        let near = self.near_miss(scan).await?;
        let id = fresh("i");
        let doc = Item {
            barcode: scan.barcode.into(),
            condition: condition(scan).into(),
            note: scan.note.into(),
            received_us: Some(self.desk.now),
            received_by: by.name.clone(),
            disposition: scan.disposition.unwrap_or_default().into(),
            ..Item::default()
        };
        let mut item = self.desk.new_record(Kind::Item, &id, shipment_item::Status::Extra.word(), doc);
        scan.institution.clone_into(&mut item.row.owner);
        if scan.disposition.is_some() {
            item.go(ItemEvent::Rejected)?;
        }
        self.desk.name(ITEM, &name, &id);
        self.desk.record(&mut item, "item_extra", by, &json!({ "barcode": scan.barcode, "near": near }));
        let mut notes =
            vec!["nobody announced it: it stays listed under `report omissions` until it has an order".to_owned()];
        notes.extend(near.map(|near| format!("nearly `{near}`: is a leading zero missing?")));
        Ok(Answer {
            said: format!("barcode `{}` is extra", scan.barcode),
            changed: vec![format!("item {id}")],
            notes,
            ..Answer::default()
        })
    }

    /// A barcode that differs only by leading zeros is shown, never matched.
    async fn near_miss(&self, scan: &Scan<'_>) -> Result<Option<String>, Refusal> {
        let institutions = match scan.institution {
            "" => self.institutions().await?,
            one => vec![one.to_owned()],
        };
        for institution in institutions {
            if let Some(id) = self.desk.named(NEAR, &near_name(&institution, scan.barcode)).await? {
                let near = self.desk.find::<Specimen>(Kind::Specimen, &id).await?;
                return Ok(near.map(|found| found.doc.barcode));
            }
        }
        Ok(None)
    }

    /// The last tube was looked for: what was not scanned is missing.
    pub(in crate::scheduler) async fn close_shipment(&mut self, id: &str, by: &By) -> Result<Answer, Refusal> {
        let mut shipment = self.desk.get::<Shipment>(Kind::Shipment, id).await?;
        let mut missing = Vec::new();
        for mut item in self.desk.records_of::<Item>(Kind::Item, id).await? {
            if item.row.status == shipment_item::Status::Expected.word() {
                item.go(ItemEvent::Missed)?;
                self.desk.record(&mut item, "item_missing", by, &json!({}));
                missing.push(item.doc.barcode.clone());
            }
        }
        shipment.doc.closed_us = Some(self.desk.now);
        let closed = if missing.is_empty() { parcel::Event::ClosedWhole } else { parcel::Event::ClosedShort };
        shipment.go(closed)?;
        self.desk.record(&mut shipment, "shipment_closed", by, &json!({ "missing": missing }));
        let said = if missing.is_empty() {
            format!("shipment {id} is complete")
        } else {
            format!("shipment {id}: {} missing: {}", missing.len(), missing.join(", "))
        };
        Ok(Answer { said, changed: vec![format!("shipment {id}")], ..Answer::default() })
    }

    /// Identity matched with the order; nothing goes on without consent.
    pub(in crate::scheduler) async fn accession(&mut self, id: &str, by: &By) -> Result<Answer, Refusal> {
        let specimen = self.desk.get::<Specimen>(Kind::Specimen, id).await?;
        let orders = self.desk.orders_of(id).await?;
        if orders.is_empty() {
            return Err(Refusal::State(format!(
                "specimen {id} has no order: import one (`specimen import --table shipment`)"
            )));
        }
        let mut answer = Answer { said: format!("specimen {id} is accessioned"), ..Answer::default() };
        for mut order in orders {
            if stage(&order)? == Stage::Expected {
                let barcode = &specimen.doc.barcode;
                return Err(Refusal::State(format!("specimen {id} has not arrived: scan `{barcode}` first")));
            }
            let assay = self.desk.assay(&order).await?;
            let wanted = if assay.consent_use.is_empty() { "sequencing" } else { &assay.consent_use };
            self.desk.consent_covers(&order.row.participant_id, wanted).await?;
            self.desk.move_order(&mut order, Event::Accessioned, by, json!({})).await?;
            answer.changed.push(format!("order_line {}", order.row.order_line_id));
        }
        Ok(answer)
    }
}

fn condition<'a>(scan: &Scan<'a>) -> &'a str {
    if scan.condition.is_empty() { "good" } else { scan.condition }
}
