//! Registered workflows as triggers start them: what a stored text says of its triggers, and the submission that one of them makes.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use kentai_workflows::check::check;
use kentai_workflows::plan::Specimen;
use kentai_workflows::workflow::{Trigger, Workflow};

use super::handle::{Refusal, Submit};
use crate::clock::Micros;
use crate::intake::schedule::{IfMissed, Schedule};
use crate::specimen::record;
use crate::store::read::Reader;
use crate::store::rows;
use crate::store::{self};

/// A schedule of a registered workflow.
#[derive(Clone, Debug)]
pub struct Scheduled {
    /// `workflow/1`
    pub id: String,
    /// When.
    pub schedule: Schedule,
    /// As written.
    pub cron: String,
    /// As written.
    pub timezone: String,
    /// Which specimen it runs over.
    pub specimen: Option<String>,
    /// What it runs.
    pub workflow: rows::Workflow,
    /// Looked at until then; none: never.
    pub looked_us: Option<Micros>,
    /// It rests.
    pub paused: bool,
    /// Who let it rest or go on last; empty: nobody yet.
    pub moved_by: String,
    /// Why.
    pub reason: String,
}

impl Scheduled {
    /// What it runs. The same key is the same submission.
    ///
    /// # Errors
    /// When it names no specimen, nobody knows the specimen, or the database cannot be read.
    pub async fn submission(&self, reader: &Reader, key: &str) -> Result<Submit, Refusal> {
        let Some(name) = &self.specimen else {
            return Err(Refusal::State(format!("schedule {} names no specimen", self.id)));
        };
        submission(reader, &self.workflow, name, key, BTreeMap::new()).await
    }

    /// The key of a start by hand.
    #[must_use]
    pub fn by_hand(&self, now: Micros) -> String {
        format!("schedule/{}/by-hand/{now}", self.id)
    }
}

/// The schedules of the newest registered version of every workflow.
///
/// # Errors
/// When the database cannot be read.
pub async fn schedules(reader: &Reader) -> Result<Vec<Scheduled>, store::Error> {
    let mut found = Vec::new();
    for workflow in newest(reader.registered_workflows().await?) {
        for (trigger, number) in triggers(&workflow).into_iter().zip(1..) {
            let Trigger::Schedule { cron, timezone, if_missed, specimen } = trigger else { continue };
            let id = format!("{}/{number}", workflow.workflow_id);
            let missed = IfMissed::parse(&if_missed).unwrap_or(IfMissed::Once);
            let Ok(schedule) = Schedule::new(&cron, &timezone, missed) else { continue };
            let row = reader.record(record::Kind::Schedule.word(), &id).await?;
            let paused = row.as_ref().is_some_and(|row| row.status == "paused");
            let known = row.and_then(|row| serde_json::from_str::<record::Schedule>(&row.document).ok());
            let looked_us = known.as_ref().map(|known| known.looked_us);
            let (moved_by, reason) = known.map(|known| (known.moved_by, known.reason)).unwrap_or_default();
            let (schedule, workflow) = (schedule.paused(paused), workflow.clone());
            found.push(Scheduled {
                id,
                schedule,
                cron,
                timezone,
                specimen,
                workflow,
                looked_us,
                paused,
                moved_by,
                reason,
            });
        }
    }
    Ok(found)
}

/// Of each workflow the version that was registered last; `rows` are the newest first.
#[must_use]
pub fn newest(rows: Vec<rows::Workflow>) -> Vec<rows::Workflow> {
    let mut seen = BTreeSet::new();
    rows.into_iter().filter(|row| seen.insert(row.workflow_id.clone())).collect()
}

/// What a stored workflow says of triggers. Its text was checked when it was registered.
#[must_use]
pub fn triggers(row: &rows::Workflow) -> Vec<Trigger> {
    definition(row).map(|workflow| workflow.triggers.clone()).unwrap_or_default()
}

/// A stored workflow, read again; none when this version finds mistakes in it.
#[must_use]
pub fn definition(row: &rows::Workflow) -> Option<Arc<Workflow>> {
    let called: BTreeMap<String, (String, String)> = serde_json::from_str(&row.called).unwrap_or_default();
    let load = |name: &str| {
        let (path, text) = called.get(name).ok_or("it was not kept")?;
        Ok((path.clone(), text.clone().into_bytes()))
    };
    let site = kentai_workflows::site::Site { network_allowed: true, images_ignored: true, ..Default::default() };
    check(&row.path, row.source.as_bytes(), &site, &load).workflow
}

/// A specimen that is known here, as its sheet brought it.
///
/// # Errors
/// When nobody knows it, or the database cannot be read.
pub async fn specimen_of(reader: &Reader, id: &str) -> Result<Specimen, Refusal> {
    let Some(row) = reader.specimen(id).await? else {
        let name = id.escape_debug();
        return Err(Refusal::NotFound(format!(
            "there is no specimen `{name}`: import a sheet that has it (`kentai specimen import`)"
        )));
    };
    serde_json::from_str(&row.document)
        .map_err(|error| Refusal::State(format!("specimen {} cannot be read: {error}", row.specimen_id)))
}

/// A run of a registered workflow over a specimen that is known here. The same key is the same submission.
///
/// # Errors
/// When nobody knows the specimen, or the database cannot be read.
pub async fn submission(
    reader: &Reader,
    workflow: &rows::Workflow,
    specimen: &str,
    key: &str,
    params: BTreeMap<String, String>,
) -> Result<Submit, Refusal> {
    let specimen = specimen_of(reader, specimen).await?;
    Ok(Submit {
        path: workflow.path.clone(),
        source: workflow.source.clone(),
        called: serde_json::from_str(&workflow.called).unwrap_or_default(),
        specimens: vec![(specimen, key.to_owned())],
        params,
    })
}

/// What the `api` trigger of a registered workflow starts: `name` is a workflow, or a version of it (`workflow@version`).
///
/// # Errors
/// When there is no such workflow, it has no such trigger, nobody knows the specimen, or the database cannot be read.
pub async fn by_request(
    reader: &Reader,
    name: &str,
    specimen: &str,
    key: &str,
    params: BTreeMap<String, String>,
) -> Result<Submit, Refusal> {
    let named =
        |row: &rows::Workflow| row.workflow_id == name || format!("{}@{}", row.workflow_id, row.version) == name;
    let Some(workflow) = reader.registered_workflows().await?.into_iter().find(named) else {
        return Err(Refusal::NotFound(format!("there is no registered workflow `{}`", name.escape_debug())));
    };
    if !triggers(&workflow).iter().any(|trigger| matches!(trigger, Trigger::Api)) {
        let (id, version) = (&workflow.workflow_id, &workflow.version);
        return Err(Refusal::State(format!(
            "workflow {id}@{version} is not started by requests: it has no `api` under `triggers:`"
        )));
    }
    submission(reader, &workflow, specimen, &format!("api/{}/{key}", workflow.workflow_id), params).await
}
