//! From a ready order line to its run, and from what the run does back to the order line's stage.

mod said;

use std::collections::{BTreeMap, BTreeSet};

use kentai_workflows::plan::{self, Priority};
use kentai_workflows::value::{FileValue, Map, Value};
use serde_json::json;
use sha2::Digest;

use self::said::Said;
use super::desk::{By, HeldOrder};
use super::order::stage;
use crate::id::RunId;
use crate::scheduler::handle::{Refusal, Submit};
use crate::scheduler::house::Effect;
use crate::scheduler::service::Service;
use crate::scheduler::submit::Ready;
use crate::scheduler::{Actor, submit, work};
use crate::specimen::record::{Assay, Consent, Kind, LaneLibrary, Participant, Specimen};
use crate::state::order::{Event, Stage};

/// Order lines that are looked at again at once, at most: the rest follows.
const AT_ONCE: i64 = 1_000;

impl Service {
    /// Something changed for this order line: it is looked at before the turn ends.
    pub(in crate::scheduler) fn wake_order(&mut self, id: &str) {
        self.woken.insert(id.to_owned());
    }

    /// Order lines that wait for nothing but a start; after a start of the engine, and now and then.
    pub(in crate::scheduler) async fn wake_ready(&mut self) -> Result<(), Refusal> {
        let filter = crate::store::read::OrderFilter {
            stage: Some(Stage::Ready.word().into()),
            limit: AT_ONCE,
            ..Default::default()
        };
        for row in self.reader.order_lines(&filter).await? {
            self.woken.insert(row.order_line_id);
        }
        Ok(())
    }

    /// Looks at every order line for which something changed. One that cannot be read stops no other.
    pub(in crate::scheduler) async fn consider_woken(&mut self) {
        if self.house.options.drain {
            // The next engine looks at them when it starts; kept here they would let the loop go round for ever.
            self.woken.clear();
            return;
        }
        self.desk.now = self.house.now;
        for id in std::mem::take(&mut self.woken) {
            match self.consider(&id).await {
                Ok(()) => self.desk.keep(),
                Err(error) => {
                    self.desk.sweep();
                    tracing::error!(order_line = id, %error, "cannot look whether it may start");
                }
            }
        }
    }

    async fn consider(&mut self, id: &str) -> Result<(), Refusal> {
        let Some(order) = self.desk.find_order(id).await? else { return Ok(()) };
        if stage(&order)? != Stage::Ready || self.preparing.contains(id) || self.blocked(&order).await?.is_some() {
            return Ok(());
        }
        let assay = self.desk.assay(&order).await?;
        if assay.workflow.is_empty() {
            return Ok(());
        }
        match self.submission_of(&order, &assay).await {
            Ok(submit) => {
                self.preparing.insert(id.to_owned());
                self.house.effect(Effect::Prepare(id.to_owned(), order.row.round, Box::new(submit)));
                Ok(())
            }
            Err(refusal) => self.not_started(order, &refusal.to_string()),
        }
    }

    fn not_started(&mut self, mut order: HeldOrder, reason: &str) -> Result<(), Refusal> {
        // Said once, not at every look.
        if order.doc.reason != reason {
            reason.clone_into(&mut order.doc.reason);
            self.desk.record_order(&mut order, "analysis_not_started", &By::engine(), &json!({ "reason": reason }));
        }
        Ok(())
    }

    /// What keeps a ready order line from starting, in one sentence.
    pub(in crate::scheduler) async fn blocked(&self, order: &HeldOrder) -> Result<Option<String>, Refusal> {
        if let Some(stop) = &self.house.stopped {
            return Ok(Some(format!("the site was stopped by {}: {}", stop.by, stop.reason)));
        }
        if order.row.hold != "null" {
            return Ok(Some("it is held".into()));
        }
        let assay = self.desk.assay(order).await?;
        let wanted = if assay.consent_use.is_empty() { "sequencing" } else { &assay.consent_use };
        match self.desk.consent_covers(&order.row.participant_id, wanted).await {
            Ok(()) => {}
            Err(Refusal::State(reason)) => return Ok(Some(reason)),
            Err(other) => return Err(other),
        }
        if assay.family && order.doc.singleton_by.is_empty() {
            return self.family_missing(order).await;
        }
        Ok(None)
    }

    async fn family_missing(&self, order: &HeldOrder) -> Result<Option<String>, Refusal> {
        let participant = self.desk.participant(&order.row.participant_id).await?;
        if participant.doc.family.is_empty() {
            return Ok(None);
        }
        let mut missing = Vec::new();
        for member in self.reader.family(&order.row.program, &participant.doc.family).await? {
            let mut ready = false;
            for other in self.desk.orders_of_participant(&member.participant_id).await? {
                let at = stage(&other)?;
                ready |= other.row.assay == order.row.assay && (at == Stage::Ready || at.is_past_ready());
            }
            if !ready {
                missing.push(member.pseudonym);
            }
        }
        Ok((!missing.is_empty()).then(|| format!("waits for its family: {}", missing.join(", "))))
    }

    /// The run that an order line asks for: the assay's workflow over every lane that may be used.
    async fn submission_of(&self, order: &HeldOrder, assay: &Assay) -> Result<Submit, Refusal> {
        let (name, version) = assay.workflow.split_once('@').unwrap_or((&assay.workflow, ""));
        let mut known = self.reader.registered_workflows().await?;
        known.retain(|row| row.workflow_id == name && (version.is_empty() || row.version == version));
        let Some(workflow) = known.into_iter().next() else {
            return Err(Refusal::State(format!("workflow {} is not registered at this site", assay.workflow)));
        };
        let specimen = self.plan_specimen(order).await?;
        let stamp = format!("{}/{}", order.row.order_line_id, order.row.round);
        Ok(Submit {
            path: workflow.path,
            source: workflow.source,
            called: serde_json::from_str(&workflow.called).unwrap_or_default(),
            specimens: vec![(specimen, stamp)],
            params: assay.params.clone(),
        })
    }

    async fn plan_specimen(&self, order: &HeldOrder) -> Result<plan::Specimen, Refusal> {
        let specimen = self.desk.get::<Specimen>(Kind::Specimen, &order.row.specimen_id).await?;
        let participant = self.desk.participant(&order.row.participant_id).await?;
        let lanes = self.desk.records_of::<LaneLibrary>(Kind::LaneLibrary, &order.row.specimen_id).await?;
        let usable: Vec<_> = lanes.iter().filter(|lane| lane.doc.use_downstream && lane.doc.files.len() >= 2).collect();
        let mut values = Map::new();
        values.insert("sex".into(), Value::from(sex(&participant.doc)));
        values.insert("lanes".into(), lane_values(&usable));
        let consents = self.desk.records_of::<Consent>(Kind::Consent, &order.row.participant_id).await?;
        let newest = consents.iter().max_by_key(|held| held.doc.effective_us);
        Ok(plan::Specimen {
            id: specimen.row.record_id,
            values,
            participant: Some(participant.row.pseudonym.clone()),
            barcode: Some(specimen.doc.barcode),
            consent: newest
                .map(|held| plan::Consent { record: held.row.record_id.clone(), scopes: Self::scopes(&participant) }),
            priority: match order.row.priority {
                0 => Priority::Routine,
                1 => Priority::Urgent,
                _ => Priority::Stat,
            },
            checksums: Vec::new(),
        })
    }

    /// The run is ready to be stored; what was true when it was asked for is looked at again.
    pub(in crate::scheduler) async fn on_prepared(
        &mut self,
        id: &str,
        round: i64,
        result: Result<Ready, Refusal>,
    ) -> Result<(), Refusal> {
        self.preparing.remove(id);
        let mut order = self.desk.order(id).await?;
        if stage(&order)? != Stage::Ready || order.row.round != round || self.blocked(&order).await?.is_some() {
            return Ok(());
        }
        let mut ready = match result {
            Ok(ready) => ready,
            Err(refusal) => return self.not_started(order, &told(&refusal)),
        };
        let participant = self.desk.participant(&order.row.participant_id).await?;
        for (run, _) in &mut ready.runs {
            run.order_line_id = id.to_owned();
            run.participant_id.clone_from(&order.row.participant_id);
        }
        self.house.ledger.change.guard(super::standing(&participant.row, "").guard);
        let submitted = self.store_ready(ready).await?;
        let Some(run) = submitted.runs.first() else {
            return self.not_started(order, "its workflow made no run");
        };
        order.row.run_id = run.to_string();
        order.doc.reason.clear();
        self.desk.move_order(&mut order, Event::AnalysisStarted, &By::engine(), json!({ "run": run })).await
    }

    /// What the turn's runs did is what their order lines hear.
    pub(in crate::scheduler) async fn observe(&mut self) {
        self.desk.now = self.house.now;
        let touched: BTreeSet<RunId> = self.house.ledger.touched();
        if !touched.is_empty() {
            self.measured.retain(|run, _| self.house.runs.contains_key(run));
        }
        for id in touched {
            let Some(run) = self.house.runs.get(&id) else { continue };
            let order = run.row.order_line_id.clone();
            if order.is_empty() {
                continue;
            }
            let (said, work) = (Said::of(run), work::measure::Work::of(run));
            if !work.is_empty() && self.measured.get(&id) != Some(&work) {
                self.measured.insert(id.clone(), work.clone());
                self.house.effect(Effect::Measure(order.clone(), id.clone(), work));
            }
            match self.hear(&order, &id, &said).await {
                Ok(()) => self.desk.keep(),
                Err(error) => {
                    self.desk.sweep();
                    tracing::error!(order_line = order, run = %id, %error, "what the run did cannot be written down");
                }
            }
        }
    }

    async fn hear(&mut self, order: &str, run: &RunId, said: &Said) -> Result<(), Refusal> {
        let mut order = self.desk.order(order).await?;
        // An earlier round's run says nothing any more.
        if order.row.run_id != run.as_str() {
            return Ok(());
        }
        let by = By::engine();
        while let Some(event) = said.next(stage(&order)?) {
            let body = json!({ "run": run, "step": said.step, "reason": said.reason, "by": said.person });
            if let Some(person) = said.person.as_ref().filter(|_| event == Event::AnalysisQcWaived) {
                order.doc.decided_by.push(person.clone());
            }
            self.desk.move_order(&mut order, event, &by, body).await?;
        }
        Ok(())
    }

    /// The open run of an order line, loaded.
    pub(in crate::scheduler) async fn run_of_order(&mut self, order: &HeldOrder) -> Result<Option<RunId>, Refusal> {
        if order.row.run_id.is_empty() {
            return Ok(None);
        }
        let id = RunId::from(order.row.run_id.as_str());
        if !self.load(&id).await? {
            return Ok(None);
        }
        self.load_children_of(&id).await?;
        Ok(Some(id))
    }

    /// Gets a run ready beside the loop: images may have to be asked for.
    pub(in crate::scheduler) async fn prepare_run(
        submit: Submit,
        options: std::sync::Arc<crate::scheduler::Options>,
        reader: crate::store::read::Reader,
    ) -> Result<Ready, Refusal> {
        let engine = Actor {
            name: crate::scheduler::advance::ENGINE.into(),
            roles: BTreeSet::from(["operator".to_owned()]),
            ..Actor::default()
        };
        let submit = tokio::task::spawn_blocking(move || promise(submit))
            .await
            .unwrap_or_else(|panic| Err(Refusal::State(format!("its files could not be read: {panic}"))))?;
        submit::prepare(submit, &engine, &options, &reader).await
    }
}

/// No sheet promises checksums for a run folder's files: what they are now is what the door will look for, so that a file that changes
/// between here and there is found.
fn promise(mut submit: Submit) -> Result<Submit, Refusal> {
    for (specimen, _) in &mut submit.specimens {
        let lanes = specimen.values.get("lanes").and_then(Value::as_array).into_iter().flatten();
        let files = lanes.filter_map(Value::as_object).flat_map(|lane| lane.values().filter_map(FileValue::of));
        for path in files.filter_map(|file| file.path) {
            let hex = sha256(&path).map_err(|error| Refusal::State(format!("cannot read {path}: {error}")))?;
            specimen.checksums.push(plan::Promised { path, algorithm: "sha256".into(), hex });
        }
    }
    Ok(submit)
}

fn sha256(path: &str) -> std::io::Result<String> {
    const AT_ONCE: usize = 1 << 20;
    let (mut hash, mut file) = (sha2::Sha256::new(), std::fs::File::open(path)?);
    let mut buffer = vec![0; AT_ONCE];
    loop {
        match std::io::Read::read(&mut file, &mut buffer)? {
            0 => break,
            count => hash.update(&buffer[..count]),
        }
    }
    Ok(crate::store::artifact::hex(&hash.finalize()))
}

fn told(refusal: &Refusal) -> String {
    match refusal {
        Refusal::Check { diagnostics, .. } => diagnostics
            .first()
            .map_or_else(|| refusal.to_string(), |found| format!("{}: {}", found.code, found.message.en)),
        other => other.to_string(),
    }
}

fn sex(participant: &Participant) -> &str {
    match participant.sex.as_str() {
        "male" | "female" => &participant.sex,
        _ => "unknown",
    }
}

/// `L001` while every lane number is there once; else with the instrument run before it.
fn lane_values(lanes: &[&super::desk::Held<LaneLibrary>]) -> Value {
    let mut counts: BTreeMap<u32, usize> = BTreeMap::new();
    for lane in lanes {
        *counts.entry(lane.doc.lane).or_default() += 1;
    }
    let file = |path: &str| {
        let name = path.rsplit('/').next().unwrap_or(path).to_owned();
        let file = FileValue { name, path: Some(path.to_owned()), sha256: None, size: None, bundle: None, dir: false };
        file.to_value()
    };
    let item = |lane: &&super::desk::Held<LaneLibrary>| {
        let run = lane.row.record_id.split('/').next().unwrap_or_default();
        let number = format!("L{:03}", lane.doc.lane);
        let id = if counts[&lane.doc.lane] == 1 { number } else { format!("{run}_{number}") };
        let mate = |wanted: u32| lane.doc.files.iter().find(|(mate, _)| *mate == wanted).map(|(_, path)| file(path));
        let mut item = Map::new();
        item.insert("id".into(), Value::from(id));
        item.insert("r1".into(), mate(1).unwrap_or(Value::Null));
        item.insert("r2".into(), mate(2).unwrap_or(Value::Null));
        Value::Object(item)
    };
    Value::Array(lanes.iter().map(item).collect())
}
