//! Start, crash in the middle of a start, and the 30 s reconcile: one path.
//!
//! Open attempts are asked for again under their own ids (a launch is idempotent), works are done again, and whatever an executor
//! holds that no open attempt owns is ended when its attempt is at its end, and left for a person when nobody knows it.

use std::collections::BTreeMap;
use std::sync::Arc;

use kentai_workflows::check::check;
use kentai_workflows::site::Site;
use kentai_workflows::value::Value;
use kentai_workflows::workflow::{StepKind, Workflow};
use serde_json::json;

use super::absent::Absent;
use super::advance::ENGINE;
use super::center::order::assay_id;
use super::center::take::EMERGENCY;
use super::center::{self, Standing};
use super::handle::Message;
use super::house::{Effect, House};
use super::live::{LiveAttempt, LiveRun};
use super::service::Service;
use super::{Error, delivery, live, start, work};
use crate::id::{AttemptId, RunId};
use crate::port::executor::{Executor, Held, Stop};
use crate::specimen::record::{Assay, Kind};
use crate::state::{attempt, step};
use crate::store::read::RecordFilter;
use crate::store::{self, rows};

impl Service {
    /// Everything that was open when the last engine ended.
    pub(super) async fn recover(&mut self) -> Result<(), Error> {
        for id in self.reader.open_runs().await? {
            if let Some(row) = self.reader.run(&id).await? {
                self.house.queue.insert((-row.priority, row.created_us, row.run_id));
            }
        }
        self.recover_center().await?;
        if self.house.options.drain {
            return Ok(());
        }
        let open = self.reader.open_attempts().await?;
        let found = open.len();
        for (number, run) in open.into_iter().map(|row| row.run_id).enumerate() {
            self.load(&run).await?;
            if (number + 1) % start::TURN == 0 {
                self.commit().await?;
            }
        }
        if found > 0 {
            tracing::info!(attempts = found, "asked again for the attempts that were open");
        }
        Ok(())
    }

    /// Who was drained stays so.
    async fn recover_drains(&mut self) -> Result<(), store::Error> {
        let drained = RecordFilter {
            kind: Kind::Executor.word().into(),
            status: Some("drained".into()),
            limit: i64::MAX,
            ..RecordFilter::default()
        };
        for row in self.reader.records(&drained).await? {
            let document: serde_json::Value = serde_json::from_str(&row.document).unwrap_or_default();
            match serde_json::from_value(document["drain"].clone()) {
                Ok(hold) => drop(self.house.drained.insert(row.record_id, hold)),
                Err(error) => tracing::error!(executor = row.record_id, %error, "its drain cannot be read"),
            }
        }
        Ok(())
    }

    /// The emergency stop outlives the engine; so does what a withdrawal has still to close.
    async fn recover_center(&mut self) -> Result<(), store::Error> {
        if let Some(row) = self.reader.record(Kind::Schedule.word(), EMERGENCY).await? {
            let document: serde_json::Value = serde_json::from_str(&row.document).unwrap_or_default();
            self.house.stopped = serde_json::from_value(document["stop"].clone()).unwrap_or_default();
        }
        self.recover_drains().await?;
        let listed = RecordFilter {
            kind: Kind::Case.word().into(),
            status: Some("listed".into()),
            limit: i64::MAX,
            ..RecordFilter::default()
        };
        let confirmed = RecordFilter {
            kind: Kind::CaseItem.word().into(),
            status: Some("confirmed".into()),
            limit: i64::MAX,
            ..RecordFilter::default()
        };
        for row in self.reader.records(&confirmed).await? {
            let document: serde_json::Value = serde_json::from_str(&row.document).unwrap_or_default();
            let sha256 = document["sha256"].as_str().unwrap_or_default().to_owned();
            self.house.effect(Effect::Destroy(row.record_id, sha256));
        }
        self.recover_retirements().await?;
        self.recover_notices().await?;
        for case in self.reader.records(&listed).await? {
            self.house.effect(Effect::SealAgain(case.record_id));
        }
        Ok(())
    }

    /// What is in force for the participant of a run, and the use that its work needs.
    async fn standing(&self, run: &rows::Run) -> Result<Option<Standing>, store::Error> {
        if run.participant_id.is_empty() {
            return Ok(None);
        }
        let Some(participant) = self.reader.participant(&run.participant_id).await? else { return Ok(None) };
        let order = self.reader.order_line(&run.order_line_id).await?;
        let wanted = match order {
            Some(order) => {
                let id = assay_id(&order.assay, &order.assay_version);
                let row = self.reader.record(Kind::Assay.word(), &id).await?;
                let assay: Option<Assay> = row.and_then(|row| serde_json::from_str(&row.document).ok());
                assay.map(|assay| assay.consent_use).unwrap_or_default()
            }
            None => String::new(),
        };
        let wanted = if wanted.is_empty() { "sequencing" } else { &wanted };
        Ok(Some(center::standing(&participant, wanted)))
    }

    /// Loads a run with its open attempts, unless it is loaded. False when there is none, or it cannot be understood.
    pub(super) async fn load(&mut self, id: &RunId) -> Result<bool, store::Error> {
        if self.house.runs.contains_key(id) {
            return Ok(true);
        }
        let Some(row) = self.reader.run(id.as_str()).await? else { return Ok(false) };
        self.house.queue.remove(&(-row.priority, row.created_us, id.clone()));
        let (live, open) = match self.revive(row).await {
            Ok(Some(revived)) => revived,
            Ok(None) => return Ok(false),
            // One run that cannot be understood never stops the others.
            Err(error @ store::Error::Unknown { .. }) => {
                tracing::error!(run = %id, %error, "the run cannot be read; it stays as it is");
                return Ok(false);
            }
            Err(error) => return Err(error),
        };
        self.house.runs.insert(id.clone(), Box::new(live));
        open.into_iter().for_each(|attempt| self.house.readopt(attempt));
        self.house.redo_works(id);
        self.load_children(id).await?;
        if !self.house.run(id).status.is_end() {
            self.house.advance_all(id);
        }
        Ok(true)
    }

    /// Runs that a loaded run called: those at their end tell it so now.
    async fn load_children(&mut self, id: &RunId) -> Result<(), store::Error> {
        let running = |step: &&super::live::LiveStep| step.status == step::Status::Running;
        let children: Vec<String> =
            self.house.run(id).steps.iter().filter(running).filter_map(|step| step.detail.child.clone()).collect();
        for child in children {
            let child = RunId::from(child);
            if Box::pin(self.load(&child)).await? && self.house.run(&child).status.is_end() {
                self.house.tell_parent(&child);
            }
        }
        Ok(())
    }

    async fn revive(&mut self, row: rows::Run) -> Result<Option<(LiveRun, Vec<LiveAttempt>)>, store::Error> {
        let Some(workflow) = self.workflow(&row.digest).await? else {
            tracing::error!(run = %row.run_id, workflow = row.digest, "the run's workflow cannot be read by this version; the run stays as it is");
            return Ok(None);
        };
        let steps = self.reader.steps(row.run_id.as_str()).await?;
        let images = match self.reader.submission(row.submission_id.as_str()).await? {
            Some(submission) => serde_json::from_str(&submission.images).unwrap_or_default(),
            None => BTreeMap::new(),
        };
        let consent = self.standing(&row).await?;
        let mut live = LiveRun::load(row, steps, workflow, Arc::new(images))?;
        live.consent = consent;
        refill(&mut live);
        if live.steps.iter().any(|step| step.detail.delivery.is_some()) {
            for row in self.reader.deliveries_of(live.id.as_str()).await? {
                live.parcels.insert(row.delivery_id.to_string(), live::parcel(&row)?);
            }
        }
        let open = self.open_attempts(&live).await?;
        Ok(Some((live, open)))
    }

    async fn open_attempts(&mut self, run: &LiveRun) -> Result<Vec<LiveAttempt>, store::Error> {
        let mut open = Vec::new();
        for row in self.reader.attempts(run.id.as_str()).await? {
            let ended = attempt::Status::parse(&row.status).is_some_and(attempt::Status::is_end);
            if let Some(index) = run.index(row.step_key.as_str()).filter(|_| !ended) {
                let hands = self.house.hands(&row.executor);
                open.push(LiveAttempt::load(row, index, hands)?);
            }
        }
        Ok(open)
    }

    /// A workflow from its stored text.
    async fn workflow(&mut self, digest: &str) -> Result<Option<Arc<Workflow>>, store::Error> {
        if let Some(known) = self.workflows.get(digest) {
            return Ok(Some(Arc::clone(known)));
        }
        let Some(row) = self.reader.workflow(digest).await? else { return Ok(None) };
        let called: BTreeMap<String, (String, String)> = serde_json::from_str(&row.called).unwrap_or_default();
        let load = |name: &str| {
            let (path, text) = called.get(name).ok_or("it was not kept")?;
            Ok((path.clone(), text.clone().into_bytes()))
        };
        let checked = check(
            &row.path,
            row.source.as_bytes(),
            &Site { network_allowed: true, images_ignored: true, ..Site::default() },
            &load,
        );
        if let Some(workflow) = &checked.workflow {
            self.workflows.insert(digest.to_owned(), Arc::clone(workflow));
        }
        Ok(checked.workflow)
    }

    /// Asks every executor what it holds, beside the loop: one that does not answer keeps nobody waiting.
    pub(super) fn ask_held(&self) {
        if self.house.options.drain {
            return;
        }
        for post in &self.house.options.executors {
            let hands = Arc::clone(&post.executor);
            self.spawn(async move {
                let held = hands.held().await.map_err(|error| {
                    tracing::warn!(executor = hands.name(), %error, "cannot ask what it holds");
                    error.to_string()
                });
                Some(Message::Held(hands, held))
            });
        }
    }

    /// Ends what no open attempt owns. What was asked before an attempt opened is no matter: only ended attempts are touched.
    pub(super) async fn reconcile(&mut self, hands: &Arc<dyn Executor>, held: Vec<Held>) {
        self.house.heard(hands.name());
        for held in held {
            let id = AttemptId::from(held.attempt.as_str());
            if self.house.attempts.contains_key(&id) {
                continue;
            }
            match self.reader.attempt(id.as_str()).await {
                Ok(Some(row)) if attempt::Status::parse(&row.status).is_some_and(attempt::Status::is_end) => {
                    self.end_leftover(hands, &row, held.running);
                }
                Ok(Some(_)) | Err(_) => {}
                Ok(None) => {
                    tracing::warn!(attempt = %id, executor = hands.name(), "holds an attempt that this site does not know; left alone");
                }
            }
        }
    }

    fn end_leftover(&self, hands: &Arc<dyn Executor>, row: &rows::Attempt, running: bool) {
        let Ok(task) = serde_json::from_str(&row.task) else { return };
        let (hands, id) = (Arc::clone(hands), row.attempt_id.clone());
        if running {
            tracing::warn!(attempt = %id, "still ran although it is at its end; ended");
            self.spawn(async move {
                let _ = hands.stop(&task, Stop::Kill).await;
                None
            });
        } else if row.status != "quarantined" {
            self.spawn(async move {
                let _ = hands.forget(id.as_str()).await;
                None
            });
        }
    }

    /// Loads runs until enough of them can do something, as many as one turn takes: enough of each priority class, or a full window of
    /// routine runs would keep an urgent one out until one of them ends. True when there are more to load.
    pub(super) async fn fill_window(&mut self) -> Result<bool, store::Error> {
        if self.house.options.drain {
            return Ok(false);
        }
        let window = start::WINDOW.max(2 * self.house.options.slots);
        let active = self.house.runs.values().filter(|run| is_active(run));
        let mut active: Vec<i64> = active.map(|run| run.row.priority).collect();
        for _ in 0..start::TURN {
            let Some(next) = self.house.queue.first().cloned() else { return Ok(false) };
            let priority = -next.0;
            if active.iter().filter(|other| **other >= priority).count() >= window {
                return Ok(false);
            }
            if self.load(&next.2).await? {
                active.push(priority);
            }
            // Also when it could not be loaded: it would be the first for ever.
            self.house.queue.remove(&next);
        }
        Ok(true)
    }
}

pub(super) fn is_active(run: &LiveRun) -> bool {
    run.hold.is_none() && !run.status.is_end() && (run.busy > 0 || run.steps.iter().any(House::startable))
}

/// What `receive` found out about files, put back into the specimen's values.
fn refill(run: &mut LiveRun) {
    let found: Vec<_> = run
        .steps
        .iter()
        .filter(|step| step.status == step::Status::Succeeded)
        .filter_map(|step| step.outputs.get("files").and_then(Value::as_object).cloned())
        .collect();
    for found in found {
        for (_, value) in &mut run.plan.specimen.values {
            work::receive::fill(value, &found);
        }
    }
}

impl House {
    /// An open attempt of an earlier engine: ours now, asked for again under its own id.
    fn readopt(&mut self, mut live: LiveAttempt) {
        let (id, run, index) = (live.row.attempt_id.clone(), live.run.clone(), live.step);
        live.row.epoch = self.epoch;
        live.in_book = true;
        let at = self.options.post(&live.row.executor);
        self.books.force(at, live.request);
        let canceling = live.status == attempt::Status::Canceling;
        self.attempts.insert(id.clone(), Box::new(live));
        let owner = self.run_mut(&run);
        owner.busy += 1;
        owner.steps[index].attempt = Some(id.clone());
        if canceling {
            self.effect(Effect::End(id, 0));
        } else {
            if !self.options.drain {
                self.move_attempt(&id, attempt::Event::Claimed, ENGINE, &json!({ "epoch": self.epoch }));
            }
            self.effect(Effect::Run(id));
        }
    }

    /// The executor that an attempt was given to: no other may have it.
    fn hands(&self, name: &str) -> Arc<dyn Executor> {
        match self.options.post(name) {
            Some(at) => Arc::clone(&self.options.executors[at].executor),
            None => Arc::new(Absent { name: name.to_owned() }),
        }
    }

    /// Works that were under way: each may be done again.
    fn redo_works(&mut self, id: &RunId) {
        if self.run(id).status.is_end() {
            return;
        }
        for index in 0..self.run(id).steps.len() {
            let step = &self.run(id).steps[index];
            if step.status != step::Status::Running || step.attempt.is_some() {
                continue;
            }
            if let Err(reason) = self.redo_work(id, index) {
                self.fail_step(id, index, attempt::Cause::Policy, &reason);
            }
        }
    }

    fn redo_work(&mut self, id: &RunId, index: usize) -> Result<(), String> {
        let run = self.run(id);
        let effect = match &run.definition(index).kind {
            StepKind::Receive(_) => Effect::Receive(id.clone(), index, work::receive::Work::of(run, index)),
            StepKind::Gate(_) => Effect::Gate(id.clone(), index, work::gate::Work::of(run, index)?),
            StepKind::Handoff(_) => Effect::Pack(id.clone(), index, Box::new(delivery::again(self, id, index)?)),
            StepKind::Call(_) => {
                self.run_mut(id).busy += 1;
                return Ok(());
            }
            // A tool step is running exactly as long as its attempt is open: both change in one transaction.
            StepKind::Tool(_) | StepKind::Approve(_) => return Err("it is running without an attempt".into()),
        };
        self.run_mut(id).busy += 1;
        self.effect(effect);
        Ok(())
    }

    /// Runs at their end leave; everything about them is stored.
    pub(super) fn unload(&mut self) {
        let keep: Vec<RunId> = self.attempts.values().map(|live| live.run.clone()).collect();
        let drain = self.options.drain;
        if !drain {
            self.runs.retain(|id, live| !live.status.is_end() || live.busy > 0 || keep.contains(id));
            return;
        }
        // Without an engine nothing is kept: every request loads what it is about.
        self.runs.clear();
        self.attempts.clear();
    }
}
