//! Measured values, judged: by the assay's criteria, and by what they say of the person. A sex or a fingerprint that does not match opens
//! a deviation of the specimen and is part of the verdict, whether somebody brought the values or a run made them.

use serde_json::json;

use crate::id::{RunId, fresh};
use crate::qc::finding::{Finding, Rules, find, find_in_files};
use crate::qc::sex;
use crate::qc::verdict::{Evaluation, Subject, Value, Verdict, evaluate};
use crate::scheduler::center::desk::{By, HeldOrder};
use crate::scheduler::center::order::stage;
use crate::scheduler::center::request::Answer;
use crate::scheduler::handle::Refusal;
use crate::scheduler::service::Service;
use crate::specimen::record::{Assay, Deviation, Kind, Participant, Specimen};

fn rules(assay: &Assay) -> Rules {
    let own = &assay.sex_rectangles;
    Rules {
        rectangles: if own.is_empty() { sex::usual() } else { own.clone() },
        mismatch_warns: assay.sex_mismatch_warns,
        limits: assay.identity_limits.unwrap_or_default(),
    }
}

impl Service {
    /// Values that were measured elsewhere, judged by the assay's criteria and limits as they stand.
    pub(in crate::scheduler) async fn measured(
        &mut self,
        id: &str,
        values: &[Value],
        by: &By,
    ) -> Result<Answer, Refusal> {
        let order = self.desk.order(id).await?;
        let assay = self.desk.assay(&order).await?;
        let participant = self.desk.participant(&order.row.participant_id).await?;
        let found = find(values, &participant.doc.sex, &rules(&assay));
        if assay.criteria.is_none() && found.is_empty() {
            let (assay, version) = (&order.row.assay, &order.row.assay_version);
            return Err(Refusal::State(format!("assay {assay}@{version} has no criteria")));
        }
        self.keep_evaluation(&order, &assay, &participant.doc, (values, found), by).await
    }

    /// What files of its run say of the person, in one evaluation with the values that were brought before. Written down once: a run is
    /// read again after a restart.
    pub(in crate::scheduler) async fn on_measured(
        &mut self,
        id: &str,
        run: &RunId,
        files: &[Vec<Value>],
    ) -> Result<(), Refusal> {
        self.desk.now = self.house.now;
        let Some(order) = self.desk.find_order(id).await? else { return Ok(()) };
        // An earlier round's run says nothing any more.
        if order.row.run_id != run.as_str() || stage(&order)?.is_end() {
            return Ok(());
        }
        let assay = self.desk.assay(&order).await?;
        let participant = self.desk.participant(&order.row.participant_id).await?;
        let (values, found) = find_in_files(files, &participant.doc.sex, &rules(&assay));
        if values.is_empty() || self.is_written_down(&order, &values).await? {
            return Ok(());
        }
        let newest = self.newest_evaluation(&order).await?;
        let mut all = newest.map(|held| held.doc.values).unwrap_or_default();
        all.retain(|earlier| values.iter().all(|value| value.metric != earlier.metric));
        all.extend(values);
        self.keep_evaluation(&order, &assay, &participant.doc, (&all, found), &By::engine()).await.map(drop)
    }

    async fn is_written_down(&self, order: &HeldOrder, values: &[Value]) -> Result<bool, Refusal> {
        let all = self.desk.records_of::<Evaluation>(Kind::Evaluation, &order.row.order_line_id).await?;
        // By the file: numbers that were stored and read again may differ in their last digit.
        let is_same =
            |one: &Value, other: &Value| one.metric == other.metric && one.source_sha256 == other.source_sha256;
        let holds = |held: &Evaluation, value: &Value| held.values.iter().any(|other| is_same(other, value));
        Ok(all.iter().any(|held| values.iter().all(|value| holds(&held.doc, value))))
    }

    /// The last look before something leaves: what a run measured is read as soon as it is made, but a person may be faster, or an engine
    /// may have ended in between.
    ///
    /// It is read within the turn, against the custom of the loop: a few small files, and only when somebody approves.
    pub(super) async fn person_is_known(&self, order: &HeldOrder, run: &RunId) -> Result<(), Refusal> {
        let work =
            self.house.runs.get(run).map(|run| crate::scheduler::work::measure::Work::of(run)).unwrap_or_default();
        if work.is_empty() {
            return Ok(());
        }
        let files = tokio::task::spawn_blocking(move || work.done()).await.unwrap_or_default();
        let assay = self.desk.assay(order).await?;
        let participant = self.desk.participant(&order.row.participant_id).await?;
        let (values, found) = find_in_files(&files, &participant.doc.sex, &rules(&assay));
        // What is written down is looked at with everything else that is.
        if values.is_empty() || self.is_written_down(order, &values).await? {
            return Ok(());
        }
        match found.iter().find(|found| matches!(found.verdict, Verdict::Fail | Verdict::NotMeasured)) {
            Some(found) => Err(Refusal::State(format!("order line {}: {}", order.row.order_line_id, found.said))),
            None => Ok(()),
        }
    }

    async fn keep_evaluation(
        &mut self,
        order: &HeldOrder,
        assay: &Assay,
        participant: &Participant,
        (values, mut found): (&[Value], Vec<Finding>),
        by: &By,
    ) -> Result<Answer, Refusal> {
        let subject = self.subject(order, participant).await?;
        let criteria = assay.criteria.clone().unwrap_or_default();
        let evaluation = evaluate(&criteria, &subject, values).map_err(|error| Refusal::Bad(error.to_string()))?;
        let mut changed = self.open_deviations(order, &found, by).await?;
        // Other values hide no mismatch: what was found stands until it is looked at anew.
        for earlier in self.newest_evaluation(order).await?.map(|held| held.doc.findings).unwrap_or_default() {
            if found.iter().all(|one| one.about != earlier.about) {
                found.push(earlier);
            }
        }
        let evaluation = evaluation.with(found);
        let verdict = evaluation.verdict;
        let mut notes = said(&evaluation);
        if verdict == Verdict::NotMeasured {
            notes.push("a criterion has no value: it blocks the release unless somebody waives it".into());
        }
        let record = fresh("e");
        let body = json!({ "verdict": verdict, "evaluation": evaluation });
        let mut held = self.desk.new_record(Kind::Evaluation, &record, verdict.word(), evaluation);
        held.row.parent.clone_from(&order.row.order_line_id);
        held.row.specimen_id.clone_from(&order.row.specimen_id);
        held.row.owner.clone_from(&order.row.institution);
        self.desk.record(&mut held, "values_judged", by, &body);
        changed.insert(0, format!("evaluation {record}"));
        let said = format!("order line {}: {verdict}", order.row.order_line_id);
        Ok(Answer { said, changed, notes, ..Answer::default() })
    }

    /// One for each mismatch, unless it is open already.
    async fn open_deviations(&mut self, order: &HeldOrder, found: &[Finding], by: &By) -> Result<Vec<String>, Refusal> {
        let (about, specimen) = (format!("order_line {}", order.row.order_line_id), &order.row.specimen_id);
        let known = self.desk.records_of::<Deviation>(Kind::Deviation, specimen).await?;
        let mut opened = Vec::new();
        for finding in found.iter().filter(|finding| !finding.severity.is_empty()) {
            let is_same = |doc: &Deviation| doc.about == about && doc.description == finding.said;
            if known.iter().any(|held| held.row.status == "open" && is_same(&held.doc)) {
                continue;
            }
            let (about, description) = (about.clone(), finding.said.clone());
            let doc = Deviation { about, description, severity: finding.severity.clone(), ..Deviation::default() };
            opened.extend(self.deviation(specimen, doc, by).changed);
        }
        Ok(opened)
    }

    async fn subject(&self, order: &HeldOrder, participant: &Participant) -> Result<Subject, Refusal> {
        let specimen = self.desk.get::<Specimen>(Kind::Specimen, &order.row.specimen_id).await?;
        Ok(Subject {
            sample_type: specimen.doc.specimen_type,
            assay: order.row.assay.clone(),
            family_role: participant.family_role.clone(),
        })
    }
}

/// What a person should hear of the person: everything found that is no pass.
fn said(evaluation: &Evaluation) -> Vec<String> {
    let bad = evaluation.findings.iter().filter(|finding| finding.verdict != Verdict::Pass);
    bad.map(|finding| finding.said.clone()).collect()
}
