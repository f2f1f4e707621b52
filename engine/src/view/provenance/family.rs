//! A run, the runs that it called, and those that called it, loaded up to one moment.

use std::collections::BTreeMap;
use std::sync::Arc;

use kentai_workflows::check::check;
use kentai_workflows::plan::Plan;
use kentai_workflows::site::Site;
use kentai_workflows::workflow::{StepKind, Workflow};
use serde::Deserialize;
use serde_json::Value;

use super::{Error, NOBODY};
use crate::clock::Micros;
use crate::id::RunId;
use crate::scheduler::Parent;
use crate::store::read::Reader;
use crate::store::rows;
use crate::view::document;

/// Everything that is stored of one run, as it stood at that moment.
pub(super) struct Member {
    pub(super) row: rows::Run,
    pub(super) plan: Plan,
    pub(super) workflow: Arc<Workflow>,
    /// As the workflow names them → what ran.
    pub(super) images: BTreeMap<String, String>,
    /// Begun by then.
    pub(super) attempts: Vec<rows::Attempt>,
    /// Until then.
    pub(super) events: Vec<Event>,
    /// Until then.
    pub(super) decisions: Vec<rows::Decision>,
    /// Before its steps' ids: empty for the run itself, `sub/` for one that its step `sub` called.
    pub(super) steps: String,
    /// Before its steps' keys: `sub/L001/`.
    pub(super) keys: String,
}

/// A stored event, its document read.
pub(super) struct Event {
    pub(super) at_us: Micros,
    pub(super) kind: String,
    pub(super) subject: String,
    pub(super) body: Value,
}

/// The run first, then those that it called, callers before called.
pub(super) struct Family {
    pub(super) members: Vec<Member>,
    /// Those that called it: what they received and made it may have been given.
    pub(super) above: Vec<Member>,
}

impl Family {
    pub(super) async fn load(reader: &Reader, run: &RunId, until_us: Micros) -> Result<Self, Error> {
        let row = reader.run(run.as_str()).await?.ok_or_else(|| Error::NoRun(run.clone()))?;
        let mut above = Vec::new();
        let mut parent: Option<Parent> = document("a parent", &row.parent)?;
        while let Some(caller) = parent.take() {
            let id = RunId::from(caller.run.as_str());
            let row = reader.run(id.as_str()).await?.ok_or(Error::NoRun(id))?;
            parent = document("a parent", &row.parent)?;
            above.push(Member::load(reader, row, until_us).await?);
        }
        let mut members = vec![Member::load(reader, row, until_us).await?];
        let mut next = 0;
        while let Some(caller) = members.get(next) {
            let called = called(reader, caller, until_us).await?;
            members.extend(called);
            next += 1;
        }
        Ok(Self { members, above })
    }

    pub(super) fn main(&self) -> &Member {
        &self.members[0]
    }

    /// Everybody whose files may have been used.
    pub(super) fn everybody(&self) -> impl Iterator<Item = &Member> {
        self.members.iter().chain(&self.above)
    }
}

/// The runs that one run called, earlier rounds too.
async fn called(reader: &Reader, caller: &Member, until_us: Micros) -> Result<Vec<Member>, Error> {
    let mut found = Vec::new();
    for step in reader.steps(caller.row.run_id.as_str()).await? {
        let calls = caller.workflow.step(&step.step).is_some_and(|step| matches!(step.kind, StepKind::Call(_)));
        if !calls {
            continue;
        }
        let parent = Parent { run: caller.row.run_id.to_string(), step: step.step_key.to_string() };
        let parent = serde_json::to_string(&parent).expect("two texts are JSON");
        let mut rows = reader.children(&parent).await?;
        rows.retain(|row| row.created_us <= until_us);
        rows.sort_by(|one, other| (one.created_us, &one.run_id).cmp(&(other.created_us, &other.run_id)));
        for row in rows {
            let mut member = Member::load(reader, row, until_us).await?;
            member.steps = format!("{}{}/", caller.steps, step.step);
            member.keys = format!("{}{}/", caller.keys, step.step_key);
            found.push(member);
        }
    }
    Ok(found)
}

impl Member {
    async fn load(reader: &Reader, row: rows::Run, until_us: Micros) -> Result<Self, Error> {
        let id = row.run_id.as_str();
        let plan: Plan = document("a plan", &row.plan)?;
        let submission = reader.submission(row.submission_id.as_str()).await?;
        let images = submission.map_or_else(|| "{}".to_owned(), |submission| submission.images);
        let mut attempts = reader.attempts(id).await?;
        attempts.retain(|attempt| attempt.created_us <= until_us);
        let mut decisions = reader.decisions(id).await?;
        decisions.retain(|decision| decision.at_us <= until_us);
        let stored = reader.events(id).await?;
        let events = stored.into_iter().filter(|event| event.at_us <= until_us).map(|event| Event {
            at_us: event.at_us,
            body: serde_json::from_str(&event.body).unwrap_or_default(),
            kind: event.kind,
            subject: event.subject,
        });
        Ok(Self {
            workflow: workflow(reader, &row).await?,
            images: document("images", &images)?,
            events: events.collect(),
            plan,
            attempts,
            decisions,
            row,
            steps: String::new(),
            keys: String::new(),
        })
    }

    /// Who asked for it; nobody when it was a rule of the center.
    pub(super) fn submitter(&self) -> Option<&str> {
        Some(self.row.submitted_by.as_str()).filter(|name| !NOBODY.contains(name))
    }

    /// When its first step started.
    pub(super) fn started_us(&self) -> Micros {
        let started = self.events.iter().find(|event| event.kind == "run_started");
        started.map_or(self.row.created_us, |event| event.at_us)
    }

    /// Events of one kind with their documents read.
    pub(super) fn told<'a, T: Deserialize<'a>>(&'a self, kind: &str, field: &str) -> Vec<(&'a Event, T)> {
        let of_kind = self.events.iter().filter(|event| event.kind == kind);
        of_kind.filter_map(|event| Some((event, T::deserialize(event.body.get(field)?).ok()?))).collect()
    }
}

/// The checked workflow of a run, from the text that its plan was made of.
async fn workflow(reader: &Reader, row: &rows::Run) -> Result<Arc<Workflow>, Error> {
    let unreadable = |reason: String| Error::Workflow { run: row.run_id.clone(), reason };
    let stored = reader.workflow(&row.digest).await?.ok_or_else(|| unreadable("its text is not stored".into()))?;
    let called: BTreeMap<String, (String, String)> = document("called workflows", &stored.called)?;
    let load = |name: &str| {
        let (path, text) = called.get(name).ok_or_else(|| format!("`{name}` is not stored"))?;
        Ok((path.clone(), text.clone().into_bytes()))
    };
    // It was checked against its site when it was submitted: here only its own words count.
    let anywhere = Site { network_allowed: true, images_ignored: true, ..Site::default() };
    let checked = check(&stored.path, stored.source.as_bytes(), &anywhere, &load);
    let first = checked.diagnostics.first().map(|found| found.message.en.clone()).unwrap_or_default();
    checked.workflow.ok_or_else(|| unreadable(first))
}
