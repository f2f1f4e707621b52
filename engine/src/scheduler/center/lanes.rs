//! Data from the instrument: lanes arrive, count, and are judged.

use serde_json::json;

use super::desk::{By, HeldOrder};
use super::order::stage;
use super::request::Answer;
use crate::scheduler::handle::Refusal;
use crate::scheduler::service::Service;
use crate::specimen::record::{Deviation, InstrumentRun, Kind, LaneLibrary, Library};
use crate::state::instrument_run;
use crate::state::order::{Event, Stage};

impl Service {
    /// The bench has begun.
    pub(in crate::scheduler) async fn lab_started(&mut self, specimen: &str, by: &By) -> Result<(), Refusal> {
        for mut order in self.desk.orders_of(specimen).await? {
            if stage(&order)? == Stage::Accessioned {
                self.desk.move_order(&mut order, Event::LabStarted, by, json!({})).await?;
            }
        }
        Ok(())
    }

    /// The specimen that a sample sheet's name means: a specimen, a library, or a barcode.
    pub(in crate::scheduler) async fn specimen_of_sample(
        &self,
        sample: &str,
    ) -> Result<Option<(String, String)>, Refusal> {
        use crate::specimen::record::Specimen;
        if let Some(found) = self.desk.find::<Specimen>(Kind::Specimen, sample).await? {
            return Ok(Some((found.row.record_id, found.row.owner)));
        }
        if let Some(found) = self.desk.find::<Library>(Kind::Library, sample).await? {
            return Ok(Some((found.row.specimen_id, found.row.owner)));
        }
        Ok(self.by_barcode(sample, "").await?.map(|found| (found.row.record_id, found.row.owner)))
    }

    /// One sample's data on one lane. None: it was here.
    pub(in crate::scheduler) async fn lane_arrived(
        &mut self,
        run: &str,
        doc: LaneLibrary,
        by: &By,
    ) -> Result<Option<String>, Refusal> {
        let Some((id, specimen)) = self.take_lane(run, doc, by).await? else { return Ok(None) };
        self.specimen_sequenced(&specimen, run, by).await?;
        Ok(Some(id))
    }

    /// A lane is kept: its id, and its specimen or an empty text. What belongs to no specimen is listed, never dropped. None: it was here.
    pub(in crate::scheduler) async fn take_lane(
        &mut self,
        run: &str,
        doc: LaneLibrary,
        by: &By,
    ) -> Result<Option<(String, String)>, Refusal> {
        let id = format!("{run}/{}/{}", doc.lane, doc.sample);
        if self.desk.find::<LaneLibrary>(Kind::LaneLibrary, &id).await?.is_some() {
            return Ok(None);
        }
        if self.desk.find::<InstrumentRun>(Kind::InstrumentRun, run).await?.is_none() {
            let doc = InstrumentRun { folder: run.into(), ..InstrumentRun::default() };
            let mut held = self.desk.new_record(Kind::InstrumentRun, run, instrument_run::Status::Complete.word(), doc);
            self.desk.record(&mut held, "instrument_run_imported", by, &json!({}));
        }
        let owner = self.specimen_of_sample(&doc.sample).await?;
        let status = if owner.is_some() { "known" } else { "unknown_specimen" };
        let body = json!({ "document": doc });
        let mut held = self.desk.new_record(Kind::LaneLibrary, &id, status, doc);
        if let Some((specimen, institution)) = &owner {
            held.row.parent.clone_from(specimen);
            held.row.specimen_id.clone_from(specimen);
            held.row.owner.clone_from(institution);
        }
        self.desk.record(&mut held, "lane_arrived", by, &body);
        Ok(Some((id, owner.map(|(specimen, _)| specimen).unwrap_or_default())))
    }

    /// Lanes of a specimen are here: what was ordered of it hears of them once, however many they are.
    pub(in crate::scheduler) async fn specimen_sequenced(
        &mut self,
        specimen: &str,
        run: &str,
        by: &By,
    ) -> Result<(), Refusal> {
        if specimen.is_empty() {
            return Ok(());
        }
        for order in self.desk.orders_of(specimen).await? {
            self.data_arrived(order, run, by).await?;
        }
        Ok(())
    }

    /// New data for an order line: it is sequenced (again), and its reads are summed over all lanes.
    async fn data_arrived(&mut self, mut order: HeldOrder, run: &str, by: &By) -> Result<(), Refusal> {
        let at = stage(&order)?;
        let waits = matches!(
            at,
            Stage::Accessioned | Stage::InLab | Stage::Sequencing | Stage::AwaitingTopUp | Stage::SequenceQcFailed
        );
        if matches!(at, Stage::Accessioned) {
            self.desk.move_order(&mut order, Event::LabStarted, by, json!({})).await?;
        }
        if waits && at != Stage::SequenceQcFailed {
            self.desk.move_order(&mut order, Event::Sequenced, by, json!({ "instrument_run": run })).await?;
        }
        if at == Stage::AwaitingTopUp {
            self.desk.fulfill(&order, run, by).await?;
        }
        if at == Stage::SequenceQcFailed {
            // Nobody asked for it yet, and it is here: it counts as the top-up that it is.
            let body = json!({ "reason": "more data arrived", "instrument_run": run });
            self.desk.move_order(&mut order, Event::TopUpRequested, by, body).await?;
            self.desk.move_order(&mut order, Event::Sequenced, by, json!({ "instrument_run": run })).await?;
        }
        self.desk.judge_reads(&mut order, by).await
    }

    /// The two answers about a lane. Reads are summed anew.
    pub(in crate::scheduler) async fn answer_lane(
        &mut self,
        id: &str,
        (counts, r#use): (bool, bool),
        reason: &str,
        by: &By,
    ) -> Result<Answer, Refusal> {
        let mut lane = self.desk.get::<LaneLibrary>(Kind::LaneLibrary, id).await?;
        let excluded = lane.doc.use_downstream && !r#use;
        lane.doc.counts_toward_order = counts;
        lane.doc.use_downstream = r#use;
        lane.doc.decided_by.clone_from(&by.name);
        reason.clone_into(&mut lane.doc.reason);
        let body = json!({ "counts": counts, "use": r#use, "reason": reason });
        self.desk.record(&mut lane, "lane_answered", by, &body);
        let mut answer = Answer {
            said: format!("lane {id}: recorded"),
            changed: vec![format!("lane_library {id}")],
            ..Answer::default()
        };
        for mut order in self.desk.orders_of(&lane.row.parent).await? {
            self.desk.judge_reads(&mut order, by).await?;
            answer.changed.push(format!("order_line {}", order.row.order_line_id));
            if excluded {
                self.used_before(&order, id, reason, by, &mut answer).await?;
            }
        }
        Ok(answer)
    }

    /// A lane was taken out after an analysis had taken it in: what did not leave yet waits for people, and what left is a deviation.
    async fn used_before(
        &mut self,
        order: &HeldOrder,
        lane: &str,
        reason: &str,
        by: &By,
        answer: &mut Answer,
    ) -> Result<(), Refusal> {
        let at = stage(order)?;
        if !at.is_past_ready() && at != Stage::Refused && at != Stage::Recalled {
            return Ok(());
        }
        let id = &order.row.order_line_id;
        let doc = Deviation {
            about: format!("order_line {id}"),
            description: format!("lane {lane} was taken out after run {} had used it: {reason}", order.row.run_id),
            severity: "critical".into(),
            ..Deviation::default()
        };
        answer.changed.extend(self.deviation(&order.row.specimen_id, doc, by).changed);
        let inside = matches!(at, Stage::Analyzing | Stage::AnalysisQcFailed | Stage::ReleaseReview | Stage::Released);
        if inside && order.row.hold == "null" {
            let why = format!("lane {lane}, which its run used, was taken out: {reason}");
            self.hold_order(id, &why, by).await?;
            answer.notes.push(format!("order line {id} is held: its run used this lane; re-analyze, or resume it"));
        } else {
            answer.notes.push(format!("order line {id} is {at}: what left the building was made with this lane"));
        }
        Ok(())
    }
}
