//! A shipment's manifest: participants, specimens, items and order lines, all of a row or none.

use std::collections::BTreeMap;

use serde_json::json;

use super::{Source, Tally, code};
use crate::scheduler::center::desk::{By, Held, HeldOrder, HeldParticipant};
use crate::scheduler::center::order::{NEVER, assay_id, stage};
use crate::scheduler::center::reception::{BARCODE, ITEM, NEAR, barcode_name, near_name};
use crate::scheduler::handle::Refusal;
use crate::scheduler::service::Service;
use crate::specimen::barcode;
use crate::specimen::import::Cells;
use crate::specimen::record::{Assay, Item, Kind, OrderLine, Participant, Program, Shipment, Specimen};
use crate::state::order::{Event, Stage};
use crate::state::{parcel, shipment_item};
use crate::store::rows::center as rows;

const SEXES: &[&str] = &["male", "female", "other", "unknown"];
const PRIORITIES: &[&str] = &["routine", "urgent", "stat"];
/// Names of participants: program and pseudonym.
const PSEUDONYM: &str = "pseudonym";
/// Names of order lines: specimen and assay version. The intent: the same order twice is one.
const ORDER: &str = "order";

impl Service {
    pub(super) async fn shipment_row(
        &mut self,
        cells: &mut Cells<'_>,
        source: &Source<'_>,
        by: &By,
        tally: &mut Tally,
    ) -> Result<(), Refusal> {
        let shipment = code(cells, "shipment");
        let program = cells.needed("program");
        let pseudonym = cells.needed("pseudonym");
        let barcode = cells.raw("barcode").to_owned();
        let priority = cells.word("priority", PRIORITIES, "routine");
        let sex = cells.word("sex", SEXES, "unknown");
        let sent = cells.moment("sent");
        if barcode::normalized(&barcode).is_empty() {
            cells.wrong("barcode", "I001", "it is empty", "空です");
        }
        if self.desk.find::<Program>(Kind::Program, &program).await?.is_none() && !program.is_empty() {
            cells.wrong(
                "program",
                "I010",
                &format!("there is no program `{program}`: import `programs` first"),
                &format!("プログラム「{program}」がありません。先に programs を取り込んでください"),
            );
        }
        let assay = self.newest_assay(cells).await?;
        let participant = self.participant_of(&program, &pseudonym, source, cells, &sex, by, tally).await?;
        let name = barcode_name(source.institution, &barcode);
        let known = self.desk.named(BARCODE, &name).await?;
        let specimen = match known {
            Some(id) => self.known_specimen(&id, &barcode, &participant, cells, tally).await?,
            None => Some(self.new_specimen(&name, &barcode, &participant, source, cells, by).await?),
        };
        let Some(specimen) = specimen else { return Ok(()) };
        self.shipment_item(&shipment, &specimen, sent, cells, by).await?;
        if let Some((assay, version)) = assay {
            self.order_of(&specimen, &participant, (&assay, &version), &priority, cells, by, tally).await?;
        }
        Ok(())
    }

    /// `wgs_30x` or `wgs_30x@2`; without a version the newest.
    async fn newest_assay(&self, cells: &mut Cells<'_>) -> Result<Option<(String, String)>, Refusal> {
        let text = cells.text("assay");
        if text.is_empty() {
            return Ok(None);
        }
        if let Some((name, version)) = text.split_once('@')
            && self.desk.find::<Assay>(Kind::Assay, &text).await?.is_some()
        {
            return Ok(Some((name.to_owned(), version.to_owned())));
        }
        let mut versions = self.desk.records_of::<Assay>(Kind::Assay, &text).await?;
        versions.sort_by_key(|held| held.row.created_us);
        let version = |id: &str| id.split_once('@').map(|(_, version)| version.to_owned());
        let newest = versions.pop().and_then(|held| version(&held.row.record_id));
        if newest.is_none() {
            let en = format!("there is no assay `{text}`: define it first (`assay define`)");
            cells.wrong("assay", "I011", &en, &format!("検査項目「{text}」がありません。先に定義してください"));
        }
        Ok(newest.map(|version| (text, version)))
    }

    #[expect(clippy::too_many_arguments, reason = "the cells of one row")]
    async fn participant_of(
        &mut self,
        program: &str,
        pseudonym: &str,
        source: &Source<'_>,
        cells: &mut Cells<'_>,
        sex: &str,
        by: &By,
        tally: &mut Tally,
    ) -> Result<HeldParticipant, Refusal> {
        if let Some(known) = self.participant_by_name(program, pseudonym).await? {
            if known.row.institution != source.institution {
                cells.wrong(
                    "pseudonym",
                    "I012",
                    "another institution announced this pseudonym",
                    "この仮名は別の施設が登録しています",
                );
            }
            return Ok(known);
        }
        let row = rows::Participant {
            participant_id: crate::id::fresh("p"),
            program: program.into(),
            pseudonym: pseudonym.into(),
            institution: source.institution.into(),
            consent: "unknown".into(),
            scopes: "[]".into(),
            consent_epoch: 1,
            family: cells.text("family"),
            document: String::new(),
            events: 0,
            created_us: self.desk.now,
            updated_us: self.desk.now,
            version: 0,
            expires_us: NEVER,
        };
        let doc = Participant {
            sex: sex.into(),
            disease: cells.text("disease"),
            family: cells.text("family"),
            family_role: cells.text("family_role"),
            case: String::new(),
        };
        let mut held = HeldParticipant { row, doc };
        let body = json!({ "program": program, "pseudonym": pseudonym, "institution": source.institution, "document": held.doc });
        self.desk.name(PSEUDONYM, &format!("{program}/{pseudonym}"), &held.row.participant_id);
        self.desk.record_participant(&mut held, "participant_registered", by, &body);
        tally.changed("participant", &held.row.participant_id);
        Ok(held)
    }

    /// The participant with this pseudonym in this program.
    pub(in crate::scheduler) async fn participant_by_name(
        &self,
        program: &str,
        pseudonym: &str,
    ) -> Result<Option<HeldParticipant>, Refusal> {
        match self.desk.named(PSEUDONYM, &format!("{program}/{pseudonym}")).await? {
            Some(id) => self.desk.find_participant(&id).await,
            None => Ok(None),
        }
    }

    async fn known_specimen(
        &mut self,
        id: &str,
        barcode: &str,
        participant: &HeldParticipant,
        cells: &mut Cells<'_>,
        tally: &mut Tally,
    ) -> Result<Option<Held<Specimen>>, Refusal> {
        let known = self.desk.get::<Specimen>(Kind::Specimen, id).await?;
        if known.row.parent != participant.row.participant_id {
            let en = format!("barcode `{}` belongs to another participant's specimen {id}", known.doc.barcode);
            let ja = format!("バーコード「{}」は別の参加者の検体 {id} のものです", known.doc.barcode);
            cells.wrong("barcode", "I013", &en, &ja);
            return Ok(None);
        }
        if known.doc.barcode != barcode {
            let en = format!(
                "the same barcode is announced as `{}` already; written differently it is not taken",
                known.doc.barcode
            );
            let ja = format!(
                "同じバーコードが「{}」として登録済みです。表記の異なるものは取り込みません",
                known.doc.barcode
            );
            cells.wrong("barcode", "I014", &en, &ja);
            return Ok(None);
        }
        tally.answer.unchanged += 1;
        Ok(Some(known))
    }

    async fn new_specimen(
        &mut self,
        name: &str,
        barcode: &str,
        participant: &HeldParticipant,
        source: &Source<'_>,
        cells: &mut Cells<'_>,
        by: &By,
    ) -> Result<Held<Specimen>, Refusal> {
        let id = self.issue('S', Kind::Specimen).await?;
        let replaces = self.replaced(cells, source, participant).await?;
        let doc = Specimen {
            barcode: barcode.to_owned(),
            program: participant.row.program.clone(),
            specimen_type: cells.text("specimen_type"),
            amount: cells.text("amount"),
            collected: cells.text("collected"),
            sprec: cells.text("sprec"),
            replaces,
            custody: String::new(),
            transfer: String::new(),
        };
        let mut held = self.desk.new_record(Kind::Specimen, &id, "registered", doc);
        held.row.parent.clone_from(&participant.row.participant_id);
        held.row.specimen_id.clone_from(&id);
        source.institution.clone_into(&mut held.row.owner);
        self.desk.name(BARCODE, name, &id);
        let near = near_name(source.institution, barcode);
        if self.desk.named(NEAR, &near).await?.is_none() {
            self.desk.name(NEAR, &near, &id);
        }
        let body = json!({ "document": held.doc, "participant": participant.row.participant_id });
        self.desk.record(&mut held, "specimen_registered", by, &body);
        Ok(held)
    }

    /// New material stands in for an earlier specimen of the same participant.
    async fn replaced(
        &mut self,
        cells: &mut Cells<'_>,
        source: &Source<'_>,
        participant: &HeldParticipant,
    ) -> Result<String, Refusal> {
        let text = cells.text("replaces");
        if text.is_empty() {
            return Ok(text);
        }
        let earlier = match self.desk.find::<Specimen>(Kind::Specimen, &text).await? {
            Some(found) => Some(found),
            None => self.by_barcode(&text, source.institution).await?,
        };
        match earlier {
            Some(found) if found.row.parent == participant.row.participant_id => Ok(found.row.record_id),
            _ => {
                let en = format!("this participant has no specimen `{text}`");
                cells.wrong("replaces", "I015", &en, &format!("この参加者に検体「{text}」はありません"));
                Ok(String::new())
            }
        }
    }

    async fn shipment_item(
        &mut self,
        shipment: &str,
        specimen: &Held<Specimen>,
        sent: Option<i64>,
        cells: &Cells<'_>,
        by: &By,
    ) -> Result<(), Refusal> {
        if self.desk.find::<Shipment>(Kind::Shipment, shipment).await?.is_none() {
            let doc = Shipment { tracking: cells.text("tracking"), sent_us: sent, ..Shipment::default() };
            let mut held = self.desk.new_record(Kind::Shipment, shipment, parcel::Status::Sent.word(), doc);
            held.row.owner.clone_from(&specimen.row.owner);
            let body = json!({ "document": held.doc });
            self.desk.record(&mut held, "shipment_announced", by, &body);
        }
        let name = barcode_name(&specimen.row.owner, &specimen.doc.barcode);
        if let Some(id) = self.desk.named(ITEM, &name).await? {
            return self.announced_late(&id, shipment, specimen, by).await;
        }
        let id = format!("{shipment}/{}", specimen.row.record_id);
        let doc = Item { barcode: specimen.doc.barcode.clone(), ..Item::default() };
        let mut held = self.desk.new_record(Kind::Item, &id, shipment_item::Status::Expected.word(), doc);
        shipment.clone_into(&mut held.row.parent);
        held.row.specimen_id.clone_from(&specimen.row.record_id);
        held.row.owner.clone_from(&specimen.row.owner);
        self.desk.name(ITEM, &name, &id);
        self.desk.record(&mut held, "item_expected", by, &json!({ "barcode": specimen.doc.barcode }));
        Ok(())
    }

    /// A tube that nobody had announced, and now its manifest is here: it is extra no more. What was announced before stays as it is.
    async fn announced_late(
        &mut self,
        item: &str,
        shipment: &str,
        specimen: &Held<Specimen>,
        by: &By,
    ) -> Result<(), Refusal> {
        let mut held = self.desk.get::<Item>(Kind::Item, item).await?;
        if !held.row.parent.is_empty() {
            return Ok(());
        }
        if held.row.status == shipment_item::Status::Extra.word() {
            held.go(shipment_item::Event::Announced)?;
        }
        shipment.clone_into(&mut held.row.parent);
        held.row.specimen_id.clone_from(&specimen.row.record_id);
        self.desk.record(&mut held, "item_announced", by, &json!({ "barcode": specimen.doc.barcode }));
        Ok(())
    }

    #[expect(clippy::too_many_arguments, reason = "the cells of one row")]
    async fn order_of(
        &mut self,
        specimen: &Held<Specimen>,
        participant: &HeldParticipant,
        (assay, version): (&str, &str),
        priority: &str,
        cells: &Cells<'_>,
        by: &By,
        tally: &mut Tally,
    ) -> Result<(), Refusal> {
        let name = format!("{}/{assay}", specimen.row.record_id);
        if self.desk.named(ORDER, &name).await?.is_some() {
            return Ok(());
        }
        let id = self.issue('O', Kind::Item).await?;
        let definition = self.desk.get::<Assay>(Kind::Assay, &assay_id(assay, version)).await?.doc;
        let item = self.item_of(specimen).await?;
        let arrived = item.as_ref().is_some_and(|item| item.doc.received_us.is_some());
        let row = rows::OrderLine {
            order_line_id: id.clone(),
            specimen_id: specimen.row.record_id.clone(),
            participant_id: participant.row.participant_id.clone(),
            institution: specimen.row.owner.clone(),
            program: participant.row.program.clone(),
            assay: assay.into(),
            assay_version: version.into(),
            stage: if arrived { Stage::Received.word().into() } else { Stage::Expected.word().into() },
            round: 1,
            priority: i64::try_from(PRIORITIES.iter().position(|word| *word == priority).unwrap_or(0)).unwrap_or(0),
            hold: "null".into(),
            run_id: String::new(),
            expect_us: NEVER,
            due_us: self.desk.now.saturating_add(definition.targets.total_us()),
            document: String::new(),
            events: 0,
            created_us: self.desk.now,
            updated_us: self.desk.now,
            version: 0,
        };
        #[expect(
            clippy::cast_precision_loss,
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "reads"
        )]
        let needed = (definition.reads_ordered as f64 * definition.reads_percent / 100.0).ceil() as u64;
        let doc = OrderLine {
            requisition: cells.text("requisition"),
            reads_ordered: definition.reads_ordered,
            reads_needed: needed,
            since: BTreeMap::from([(row.stage.clone(), self.desk.now)]),
            ..OrderLine::default()
        };
        let mut order = HeldOrder { row, doc };
        let at = stage(&order)?;
        self.desk.expect(&mut order, at).await?;
        self.desk.name(ORDER, &name, &id);
        let body =
            json!({ "assay": assay_id(assay, version), "priority": priority, "requisition": order.doc.requisition });
        self.desk.record_order(&mut order, "ordered", by, &body);
        tally.changed("order_line", &id);
        // The tube was here before its order, and was not accepted: so is the order.
        if let Some(item) = item.filter(|item| item.row.status == shipment_item::Status::Rejected.word()) {
            let Item { condition, disposition, note, .. } = item.doc;
            let body = json!({ "condition": condition, "disposition": disposition, "reason": note });
            self.desk.move_order(&mut order, Event::Rejected, by, body).await?;
        }
        Ok(())
    }

    /// The tube, if it was announced or is here.
    async fn item_of(&self, specimen: &Held<Specimen>) -> Result<Option<Held<Item>>, Refusal> {
        let name = barcode_name(&specimen.row.owner, &specimen.doc.barcode);
        match self.desk.named(ITEM, &name).await? {
            Some(id) => self.desk.find::<Item>(Kind::Item, &id).await,
            None => Ok(None),
        }
    }
}
