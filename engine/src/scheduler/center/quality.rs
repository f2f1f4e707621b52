//! Quality questions of an order line: measured values against the assay's criteria, and the fork with its six ways out.

mod person;
#[cfg(test)]
mod tests;

use serde_json::json;

use super::desk::{By, Held, HeldOrder};
use super::order::stage;
use super::request::Answer;
use crate::id::{RunId, fresh};
use crate::qc::verdict::{Evaluation, Verdict};
use crate::scheduler::handle::Refusal;
use crate::scheduler::service::Service;
use crate::specimen::record::{Decision, Kind, Specimen, WorkRequest};
use crate::state::order::{Event, Stage};
use crate::state::work_request;

/// What stands for the evaluation while nothing was measured.
const UNMEASURED: &str = "nothing_measured";

/// A decision on quality, as asked.
pub(in crate::scheduler) struct Wish<'a> {
    pub(in crate::scheduler) way: &'a str,
    pub(in crate::scheduler) code: &'a str,
    pub(in crate::scheduler) reason: &'a str,
}

/// Nothing is released over somebody's head: who holds it said why, and who lets it go on has read it.
pub(in crate::scheduler) fn not_held(order: &HeldOrder) -> Result<(), Refusal> {
    if order.row.hold == "null" {
        return Ok(());
    }
    let id = &order.row.order_line_id;
    Err(Refusal::State(format!(
        "order line {id} is held: `kentai why {id}` says why; `kentai order resume {id}` first"
    )))
}

impl Service {
    /// Lets missed or missing values pass; the second pair of eyes still has to agree.
    async fn waive(&mut self, mut order: HeldOrder, wish: &Wish<'_>, by: &By) -> Result<Answer, Refusal> {
        let decision = self.keep_decision(&order, wish, by).await?;
        let newest = self.newest_evaluation(&order).await?;
        order.doc.values_waived = newest.map_or(UNMEASURED.to_owned(), |held| held.row.record_id);
        order.doc.decided_by.push(by.name.clone());
        let body = json!({ "decision": decision, "reason": wish.reason, "evaluation": order.doc.values_waived });
        self.desk.record_order(&mut order, "criteria_waived", by, &body);
        let id = &order.row.order_line_id;
        Ok(Answer {
            said: format!("order line {id}: its values were let pass; it waits for a releaser"),
            changed: vec![format!("order_line {id}"), format!("decision {decision}")],
            ..Answer::default()
        })
    }

    /// One of the six ways out of a fork.
    pub(in crate::scheduler) async fn decide_way(
        &mut self,
        id: &str,
        wish: &Wish<'_>,
        by: &By,
    ) -> Result<Answer, Refusal> {
        if wish.reason.trim().is_empty() {
            return Err(Refusal::Bad("a decision needs a reason".into()));
        }
        let mut order = self.desk.order(id).await?;
        let at = stage(&order)?;
        let sequence = matches!(at, Stage::SequenceQcFailed | Stage::AwaitingTopUp);
        if wish.way == "release" && at == Stage::ReleaseReview {
            return self.waive(order, wish, by).await;
        }
        let event = match wish.way {
            "top_up" => Event::TopUpRequested,
            "re_prep" => Event::RePrepRequested,
            "re_extract" => Event::ReExtractRequested,
            "new_material" => Event::MaterialRequested,
            "release" if sequence => Event::SequenceQcWaived,
            "release" => Event::AnalysisQcWaived,
            "give_up" => Event::GivenUp,
            other => {
                return Err(Refusal::Bad(format!(
                    "`{other}` is no way out; there are: top_up, re_prep, re_extract, new_material, release, give_up"
                )));
            }
        };
        let decision = self.keep_decision(&order, wish, by).await?;
        let body = json!({ "way": wish.way, "code": wish.code, "reason": wish.reason, "decision": decision });
        if event == Event::AnalysisQcWaived {
            return Err(Refusal::State(format!(
                "the gate that holds it is a step of run {}: `kentai qc decide {} STEP --verdict release`",
                order.row.run_id, order.row.run_id
            )));
        }
        self.desk.move_order(&mut order, event, by, body).await?;
        order.doc.decided_by.push(by.name.clone());
        let mut answer =
            Answer { changed: vec![format!("order_line {id}"), format!("decision {decision}")], ..Answer::default() };
        match wish.way {
            "release" => {
                order.doc.waived.clone_from(&decision);
                self.desk.record_order(&mut order, "shortfall_waived", by, &json!({ "decision": decision }));
            }
            "give_up" => {
                let notice = self.failure_report(&order, wish.reason, by).await?;
                answer.changed.push(format!("notice {notice}"));
            }
            way => answer.changed.push(format!("work_request {}", self.ask_bench(&order, way, wish.reason, by))),
        }
        self.desk.record_order(&mut order, "decided", by, &json!({ "way": wish.way }));
        answer.said = format!("order line {id} is {}", order.row.stage);
        Ok(answer)
    }

    /// Nothing leaves the building on criteria that were missed or not measured, wherever its data came from, unless somebody decided
    /// that it may.
    pub(in crate::scheduler) async fn may_leave(&self, run: &RunId) -> Result<(), Refusal> {
        let order_line = self.house.run(run).row.order_line_id.clone();
        if order_line.is_empty() {
            return Ok(());
        }
        let order = self.desk.order(&order_line).await?;
        not_held(&order)?;
        self.person_is_known(&order, run).await?;
        self.criteria_met(&order).await
    }

    async fn newest_evaluation(&self, order: &HeldOrder) -> Result<Option<Held<Evaluation>>, Refusal> {
        let found = self.desk.records_of::<Evaluation>(Kind::Evaluation, &order.row.order_line_id).await?;
        Ok(found.into_iter().max_by_key(|held| (held.row.created_us, held.row.record_id.clone())))
    }

    /// The newest values of this order line are good, or somebody let them pass.
    pub(in crate::scheduler) async fn criteria_met(&self, order: &HeldOrder) -> Result<(), Refusal> {
        let assay = self.desk.assay(order).await?;
        let id = &order.row.order_line_id;
        let newest = self.newest_evaluation(order).await?;
        let criteria = assay.criteria.filter(|criteria| !criteria.criteria.is_empty());
        // Without criteria nothing has to be measured; what was found of the person counts all the same.
        if criteria.is_none() && newest.as_ref().is_none_or(|newest| newest.doc.findings.is_empty()) {
            return Ok(());
        }
        let about = newest.as_ref().map_or(UNMEASURED, |held| held.row.record_id.as_str());
        // What was let pass is this evaluation, and no later one.
        if order.doc.values_waived == about {
            return Ok(());
        }
        let offered = format!("offered: `kentai qc decide {id} --verdict release --reason …` by a reviewer");
        let Some(newest) = newest else {
            let name = criteria.map(|criteria| format!("{}@{}", criteria.id, criteria.version)).unwrap_or_default();
            return Err(Refusal::State(format!("order line {id}: nothing was measured against {name}; {offered}")));
        };
        match newest.doc.verdict {
            Verdict::Pass | Verdict::Warn => Ok(()),
            Verdict::NotMeasured | Verdict::Fail => {
                Err(Refusal::State(format!("order line {id}: {}; {offered}", newest.doc.deciding().join("; "))))
            }
        }
    }

    /// Append-only: what it supersedes stays.
    async fn keep_decision(&mut self, order: &HeldOrder, wish: &Wish<'_>, by: &By) -> Result<String, Refusal> {
        let order_line = &order.row.order_line_id;
        let earlier = self.desk.records_of::<Decision>(Kind::Decision, order_line).await?;
        // Of the same question: another round asks another one.
        let same = |held: &&Held<Decision>| held.doc.stage == order.row.stage && held.doc.round == order.row.round;
        let newest = earlier.iter().filter(same).max_by_key(|held| (held.row.created_us, held.row.record_id.clone()));
        let id = fresh("q");
        let doc = Decision {
            subject: format!("order_line {order_line}"),
            stage: order.row.stage.clone(),
            round: order.row.round,
            way: wish.way.to_owned(),
            code: wish.code.to_owned(),
            reason: wish.reason.to_owned(),
            person: by.name.clone(),
            role: by.role.clone(),
            at_us: self.desk.now,
            reads: order.doc.reads,
            reads_ordered: order.doc.reads_ordered,
            evaluation: self.newest_evaluation(order).await?.map(|held| held.row.record_id).unwrap_or_default(),
            supersedes: newest.map(|held| held.row.record_id.clone()),
        };
        let body = json!({ "document": doc });
        let mut held = self.desk.new_record(Kind::Decision, &id, wish.way, doc);
        order_line.clone_into(&mut held.row.parent);
        held.row.specimen_id.clone_from(&order.row.specimen_id);
        held.row.owner.clone_from(&order.row.institution);
        self.desk.record(&mut held, "quality_decided", by, &body);
        Ok(id)
    }

    fn ask_bench(&mut self, order: &HeldOrder, wish: &str, reason: &str, by: &By) -> String {
        let id = fresh("w");
        let doc = WorkRequest {
            wish: wish.into(),
            order_line: order.row.order_line_id.clone(),
            reason: reason.into(),
            requested_by: by.name.clone(),
            reads_missing: order.doc.reads_needed.saturating_sub(order.doc.reads),
            fulfilled_by: String::new(),
        };
        let body = json!({ "document": doc });
        let mut held = self.desk.new_record(Kind::WorkRequest, &id, work_request::Status::Requested.word(), doc);
        held.row.parent.clone_from(&order.row.order_line_id);
        held.row.specimen_id.clone_from(&order.row.specimen_id);
        held.row.owner.clone_from(&order.row.institution);
        self.desk.record(&mut held, "work_requested", by, &body);
        id
    }

    async fn failure_report(&mut self, order: &HeldOrder, reason: &str, by: &By) -> Result<String, Refusal> {
        let specimen = self.desk.get::<Specimen>(Kind::Specimen, &order.row.specimen_id).await?;
        let body = json!({
            "report": "failure", "order_line": order.row.order_line_id, "barcode": specimen.doc.barcode,
            "requisition": order.doc.requisition, "assay": order.row.assay, "reason": reason,
        });
        Ok(self.notify(&order.row.institution, "failure_report", &order.row.order_line_id, body, by))
    }
}
