//! Requests as the loop takes them: load what they are about, let the house decide, answer after the commit.

use super::Actor;
use super::handle::{Refusal, Reply, Request, Submitted};
use super::house::Effect;
use super::service::{Error, Service};
use super::submit::Ready;
use crate::id::RunId;
use crate::specimen::record::{Kind, Specimen};
use crate::store::rows;
use crate::store::writer::Table;

impl Service {
    pub(super) fn reply<T: Send + Sync + 'static>(&mut self, reply: Reply<T>, result: Result<T, Refusal>) {
        // Nobody is answered before the commit; who has gone away needs no answer.
        self.house.effect(Effect::Reply(Box::new(move || drop(reply.send(result)))));
    }

    pub(super) async fn load_by(&mut self, run: &RunId) -> Result<RunId, Refusal> {
        let id = match self.reader.run(run.as_str()).await? {
            Some(row) => row.run_id,
            None => return Err(Refusal::NotFound(format!("there is no run `{run}`"))),
        };
        if self.load(&id).await? {
            Ok(id)
        } else {
            Err(Refusal::State(format!("run {id} cannot be read by this version")))
        }
    }

    pub(super) async fn about(&mut self, run: &RunId, actor: &Actor, request: Request) -> Result<String, Refusal> {
        let id = self.load_by(run).await?;
        // Who may answer, the question itself says.
        match request {
            Request::Answer { .. } => actor.reaches(request.action())?,
            _ => actor.may("do this", request.action())?,
        }
        match request {
            Request::Cancel { reason } => {
                self.load_children_of(&id).await?;
                self.house.cancel(&id, actor, &reason)?;
                Ok(format!("run {id} is {}", self.house.run(&id).status))
            }
            Request::Hold { reason } => {
                self.load_children_of(&id).await?;
                self.house.hold(&id, actor, &reason).map(|()| format!("run {id} is held"))
            }
            Request::Resume => {
                self.load_children_of(&id).await?;
                self.house.resume(&id, actor).map(|()| format!("run {id} goes on"))
            }
            Request::Retry { from } => {
                let steps = self.house.retry(&id, from.as_deref(), actor)?;
                Ok(format!("run {id}: {steps} step(s) will be done again"))
            }
            Request::Answer { step, answer, shown } => {
                if let Some(shown) = shown {
                    self.house.still_asked(&id, &step, &answer, &shown)?;
                }
                if answer.verdict == "approve" {
                    self.may_leave(&id).await?;
                }
                self.another_person(&id, actor).await?;
                self.house.answer(&id, &step, actor, &answer)?;
                Ok(format!("run {id}: recorded `{}` by {}", answer.verdict, actor.name))
            }
        }
    }

    pub(super) async fn load_children_of(&mut self, id: &RunId) -> Result<(), Refusal> {
        let children: Vec<String> =
            self.house.run(id).steps.iter().filter_map(|step| step.detail.child.clone()).collect();
        for child in children {
            let child = RunId::from(child);
            if self.load(&child).await? {
                Box::pin(self.load_children_of(&child)).await?;
            }
        }
        Ok(())
    }

    /// Stores a submission, unless the same came first: the loop is the only writer, so this look is the last word.
    pub(super) async fn take_submission(&mut self, ready: Ready, reply: Reply<Submitted>) -> Result<(), Error> {
        let result = self.store_ready(ready).await;
        self.done(reply, result);
        // Queued runs are loaded from the database: they must be there before the window is filled.
        self.commit().await
    }

    /// Puts a submission into the turn's change; nothing of it when a participant has withdrawn.
    pub(super) async fn store_ready(&mut self, mut ready: Ready) -> Result<Submitted, Refusal> {
        for (row, _) in &mut ready.runs {
            self.link_participant(row).await?;
        }
        let mut submitted = Submitted {
            submission: ready.submission.submission_id.clone(),
            existed: ready.existed,
            new_runs: 0,
            runs: ready.known,
        };
        if !ready.existed {
            match self.reader.submission_by_intent(&ready.submission.intent).await? {
                Some(earlier) => {
                    submitted.submission = earlier.submission_id;
                    submitted.existed = true;
                }
                None => self.store_submission(&ready.submission, &ready.workflows, &ready.specimens),
            }
        }
        for (row, steps) in ready.runs {
            let earlier = self.reader.run_by_intent(&row.intent).await?;
            match earlier {
                // Made since this submission was got ready: the answer names the run that is there.
                Some(earlier) => rename(&mut submitted.runs, &row.run_id, earlier.run_id),
                None if submitted.existed => submitted.runs.retain(|run| *run != row.run_id),
                None => {
                    submitted.new_runs += 1;
                    self.store_run(&row, &steps);
                }
            }
        }
        Ok(submitted)
    }

    /// A sheet's specimen that the center knows has a participant: what the center knows of consent counts, whatever the sheet says.
    async fn link_participant(&mut self, row: &mut rows::Run) -> Result<(), Refusal> {
        if !row.participant_id.is_empty() {
            return Ok(());
        }
        let found = match self.desk.find::<Specimen>(Kind::Specimen, &row.specimen_id).await? {
            Some(specimen) => self.reader.participant(&specimen.row.parent).await?,
            None => self.participant_of_sheet(&row.plan).await?,
        };
        let Some(participant) = found else { return Ok(()) };
        if matches!(participant.consent.as_str(), "withdrawn" | "refused" | "expired") {
            let (pseudonym, consent) = (&participant.pseudonym, &participant.consent);
            return Err(Refusal::State(format!("the consent of {pseudonym} is {consent}: nothing is started")));
        }
        row.participant_id = participant.participant_id;
        Ok(())
    }

    async fn participant_of_sheet(
        &self,
        plan: &str,
    ) -> Result<Option<crate::store::rows::center::Participant>, Refusal> {
        let told: serde_json::Value = serde_json::from_str(plan).unwrap_or_default();
        let Some(pseudonym) = told["specimen"]["participant"].as_str() else { return Ok(None) };
        let mut found = self.reader.participants_named(pseudonym).await?;
        Ok(if found.len() == 1 { found.pop() } else { None })
    }

    fn store_submission(
        &mut self,
        submission: &rows::Submission,
        workflows: &[rows::Workflow],
        specimens: &[rows::Specimen],
    ) {
        let change = &mut self.house.ledger.change;
        workflows.iter().for_each(|row| change.put(Table::Workflow, row));
        specimens.iter().for_each(|row| change.put(Table::Specimen, row));
        change.put(Table::Submission, submission);
    }

    fn store_run(&mut self, row: &rows::Run, steps: &[rows::Step]) {
        let change = &mut self.house.ledger.change;
        change.put(Table::Run, row);
        steps.iter().for_each(|step| change.put(Table::Step, step));
        change.event(rows::Event {
            seq: 0,
            stream: row.run_id.to_string(),
            n: 1,
            at_us: row.created_us,
            kind: "run_submitted".into(),
            subject: String::new(),
            actor: row.submitted_by.clone(),
            role: String::new(),
            body: "{}".into(),
            hash: String::new(),
        });
        self.house.queue.insert((-row.priority, row.created_us, row.run_id.clone()));
    }
}

fn rename(runs: &mut [RunId], from: &RunId, to: RunId) {
    if let Some(run) = runs.iter_mut().find(|run| *run == from) {
        *run = to;
    }
}
