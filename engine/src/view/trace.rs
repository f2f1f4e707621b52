//! What happened, as intervals of time: one for each run, step and attempt that ended, from the log as it grows. For whoever draws traces.
//!
//! It leaves the house, so it is made of few things: ids that this program made, words of the workflow and of the site file (step, workflow,
//! executor), causes, times and amounts. It has no specimen, no participant, no person, no file, no command, no reason in a sentence, and
//! no part of a step's key behind its step: what a step is done once for each of is named by a sample sheet.
//! It knows no protocol of traces.

mod track;

use std::collections::HashMap;

use serde::Deserialize;

use super::AttemptView;
use crate::clock::Micros;
use crate::id::{AttemptId, RunId};
use crate::scheduler::Parent;
use crate::store::Error;
use crate::store::read::Reader;
use crate::store::rows;
use track::{Ended, Track, Which};

/// Runs whose beginning is remembered. Beyond it all are forgotten; one is read again when something of it happens.
const RUNS_MAX: usize = 4096;

/// Something that ended.
#[derive(Clone, Debug, PartialEq)]
pub struct Interval {
    /// Of this run.
    pub run: RunId,
    /// What it was.
    pub thing: Thing,
    /// When it began.
    pub began_us: Micros,
    /// When it ended.
    pub ended_us: Micros,
    /// The status that it ended in, as stored.
    pub status: &'static str,
    /// It ended as nobody wanted.
    pub failed: bool,
    /// Why an attempt, or a step by its last attempt, failed; a word of [`crate::state::attempt::Cause`].
    pub cause: Option<&'static str>,
    /// What happened meanwhile: words and times, in order.
    pub marks: Vec<(&'static str, Micros)>,
}

/// What an interval is of.
#[derive(Clone, Debug, PartialEq)]
pub enum Thing {
    /// A run, from its start or its reopening to its end.
    Run {
        /// Times that it was reopened before.
        opened: u32,
        /// The workflow's id and version.
        workflow: (String, String),
        /// The run that called it.
        parent: Option<RunId>,
    },
    /// A step, from its first start to its end.
    Step {
        /// Which: see [`Step`].
        step: Step,
        /// Times that its run was reopened before it ended.
        opened: u32,
    },
    /// One try of a step.
    Attempt {
        /// Its id.
        id: AttemptId,
        /// Of this step.
        step: Step,
        /// Who tried, and what came of it.
        facts: Box<Facts>,
    },
}

/// A step, without its key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// As the workflow names it.
    pub name: String,
    /// Which of the run's steps, by when something was first said of each: from 1. The same however often the log is read.
    pub nth: u32,
    /// Times that a person had it done again before.
    pub round: u32,
}

/// What is known of an attempt. What its evidence does not say is absent.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Facts {
    /// Of this step and round, from 1.
    pub number: i64,
    /// The executor's name.
    pub executor: String,
    /// The tool's exit code.
    pub exit_code: Option<i64>,
    /// The signal that ended it.
    pub signal: Option<i32>,
    /// Cores it was given.
    pub cpus: Option<u32>,
    /// Memory it was given; zero: no limit.
    pub memory_bytes: Option<u64>,
    /// Processor time that it used.
    pub cpu_ms: Option<u64>,
    /// Largest resident set.
    pub max_rss_bytes: Option<u64>,
    /// When the tool itself began and ended, as its witness saw it.
    pub tool_us: Option<(Micros, Micros)>,
}

/// Reads the log on from where it stood.
pub struct Follower {
    reader: Reader,
    after: i64,
    runs: HashMap<RunId, Track>,
}

impl Follower {
    /// Events after the one numbered `after` are told of ([`crate::scheduler::tally::Counts::after`]).
    #[must_use]
    pub fn new(reader: Reader, after: i64) -> Self {
        Self { reader, after, runs: HashMap::new() }
    }

    /// Reads at most `limit` events, and gives what ended by them. None: there was nothing to read.
    ///
    /// # Errors
    /// When the database cannot be read: then nothing was taken, and the same can be asked again.
    pub async fn next(&mut self, limit: i64) -> Result<Option<Vec<Interval>>, Error> {
        let events = self.reader.log_after(self.after, limit).await?;
        let Some(last) = events.last().map(|event| event.seq) else { return Ok(None) };
        match self.intervals(&events).await {
            Ok(found) => {
                self.after = last;
                Ok(Some(found))
            }
            Err(error) => {
                // What was taken halfway would be taken twice.
                self.runs.clear();
                Err(error)
            }
        }
    }

    async fn intervals(&mut self, events: &[rows::Event]) -> Result<Vec<Interval>, Error> {
        let mut found = Vec::new();
        for event in events.iter().filter(|event| track::is_of_a_run(event)) {
            let run = RunId::from(event.stream.as_str());
            let Some(ended) = self.track(event).await?.take(event) else { continue };
            if ended.which == Which::Run {
                self.runs.remove(&run);
            }
            found.extend(self.interval(run, ended, event.at_us).await?);
        }
        Ok(found)
    }

    /// What is known of the event's run. Of one that began before this engine, or was forgotten, everything before the event is read.
    async fn track(&mut self, event: &rows::Event) -> Result<&mut Track, Error> {
        let run = RunId::from(event.stream.as_str());
        if !self.runs.contains_key(&run) {
            let mut track = Track::default();
            if event.n > 1 {
                let before = self.reader.events(run.as_str()).await?;
                before.iter().filter(|earlier| earlier.n < event.n).for_each(|earlier| _ = track.take(earlier));
            }
            if self.runs.len() >= RUNS_MAX {
                self.runs.clear();
            }
            self.runs.insert(run.clone(), track);
        }
        Ok(self.runs.entry(run).or_default())
    }

    async fn interval(&self, run: RunId, ended: Ended, ended_us: Micros) -> Result<Option<Interval>, Error> {
        let Ended { which, opened, began_us, status, failed, cause, marks } = ended;
        let (thing, began_us) = match which {
            Which::Run => {
                let Some(row) = self.reader.run(run.as_str()).await? else { return Ok(None) };
                let parent = serde_json::from_str::<Parent>(&row.parent).ok().map(|parent| RunId::from(parent.run));
                (Thing::Run { opened, workflow: workflow(&row), parent }, began_us)
            }
            Which::Step(step) => (Thing::Step { step, opened }, began_us),
            Which::Attempt(id) => {
                let Some(row) = self.reader.attempt(id.as_str()).await? else { return Ok(None) };
                let Some(step) = self.runs.get(&run).and_then(|track| track.step(row.step_key.as_str())) else {
                    return Ok(None);
                };
                (Thing::Attempt { id, step, facts: Box::new(facts(&row)) }, began_us)
            }
        };
        Ok(Some(Interval { run, thing, began_us, ended_us, status, failed, cause, marks }))
    }
}

/// The part of a stored plan that says what was run.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Planned {
    workflow: String,
    version: String,
}

fn workflow(row: &rows::Run) -> (String, String) {
    let planned: Planned = serde_json::from_str(&row.plan).unwrap_or_default();
    (planned.workflow, planned.version)
}

fn facts(row: &rows::Attempt) -> Facts {
    let view = AttemptView::of(row, None);
    Facts {
        number: view.number,
        executor: view.executor,
        exit_code: view.exit_code,
        signal: view.signal,
        cpus: view.cpus,
        memory_bytes: view.memory_bytes,
        cpu_ms: view.cpu_ms,
        max_rss_bytes: view.max_rss_bytes,
        tool_us: AttemptView::span(row),
    }
}
