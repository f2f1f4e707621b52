//! Hands that do as they are told: the executor of the engine's own tests. It runs nothing and keeps what it is asked.
//!
//! Like real hands it starts each attempt once: the first `run` takes the script's next report for that attempt, later
//! ones give the same again.

use std::collections::{BTreeMap, VecDeque};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use kentai_engine::exit_record::ExitRecord;
use kentai_engine::port::BoxFuture;
use kentai_engine::port::executor::{Error, Evidence, Executor, Held, Report, Stop, Task};
use tokio::sync::{Notify, watch};

/// What a script says to one attempt.
type Script = dyn Fn(&Task) -> Option<Report> + Send + Sync;

/// An executor whose reports a test writes. Clones share everything.
#[derive(Clone)]
pub struct ScriptedExecutor {
    name: String,
    images: bool,
    script: Arc<Script>,
    state: Arc<Mutex<State>>,
    changed: Arc<Notify>,
    called: watch::Sender<usize>,
}

#[derive(Default)]
struct State {
    calls: Vec<Call>,
    attempts: BTreeMap<String, Attempt>,
    once: VecDeque<Report>,
    unreachable: bool,
}

#[derive(Default)]
struct Attempt {
    report: Option<Report>,
    forgotten: bool,
}

/// One call that was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Call {
    /// The attempt's tool was started.
    Started(String),
    /// `run` was called again for an attempt that was started before.
    Adopted(String),
    /// `stop` was called.
    Stopped(String, Stop),
    /// `forget` was called.
    Forgot(String),
}

impl ScriptedExecutor {
    /// Hands that ask the script once per attempt; without an answer the attempt runs until [`Self::report`] or a stop.
    #[must_use]
    pub fn new(script: impl Fn(&Task) -> Option<Report> + Send + Sync + 'static) -> Self {
        Self {
            name: "scripted".to_owned(),
            images: false,
            script: Arc::new(script),
            state: Arc::default(),
            changed: Arc::default(),
            called: watch::Sender::default(),
        }
    }

    /// The same under another name.
    #[must_use]
    pub fn named(mut self, name: &str) -> Self {
        name.clone_into(&mut self.name);
        self
    }

    /// The same, saying that they run images.
    #[must_use]
    pub fn with_images(mut self) -> Self {
        self.images = true;
        self
    }

    /// Hands with which every attempt ends well at once.
    #[must_use]
    pub fn always_well() -> Self {
        Self::new(|task| Some(exited(task, 0)))
    }

    /// Ends a running attempt.
    pub fn report(&self, attempt: &str, report: Report) {
        self.state().attempts.entry(attempt.to_owned()).or_default().report = Some(report);
        self.changed.notify_waiters();
    }

    /// Gives this report to the next `run`, whatever attempt it is for, without starting or ending anything.
    pub fn report_once(&self, report: Report) {
        self.state().once.push_back(report);
    }

    /// Makes every call fail as if the daemon were gone, until it is called with false.
    pub fn set_unreachable(&self, unreachable: bool) {
        self.state().unreachable = unreachable;
        self.changed.notify_waiters();
    }

    /// Every call so far, in order.
    #[must_use]
    pub fn calls(&self) -> Vec<Call> {
        self.state().calls.clone()
    }

    /// Changes with every call, for a test that waits for one: how many there were.
    #[must_use]
    pub fn called(&self) -> watch::Receiver<usize> {
        self.called.subscribe()
    }

    fn keep(&self, state: &mut State, call: Call) {
        state.calls.push(call);
        self.called.send_replace(state.calls.len());
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // A test that panicked elsewhere must not hide its own message behind a poisoned lock.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The report that can be given now, if any.
    fn answer(&self, task: &Task, known: &mut bool) -> Option<Report> {
        let mut state = self.state();
        if state.unreachable {
            return Some(Report::Unreachable("scripted".to_owned()));
        }
        if let Some(report) = state.once.pop_front() {
            return Some(report);
        }
        if !*known {
            *known = true;
            if state.attempts.contains_key(&task.attempt) {
                self.keep(&mut state, Call::Adopted(task.attempt.clone()));
            } else {
                self.keep(&mut state, Call::Started(task.attempt.clone()));
                let report = (self.script)(task);
                state.attempts.insert(task.attempt.clone(), Attempt { report, forgotten: false });
            }
        }
        state.attempts.get(&task.attempt)?.report.clone()
    }

    fn reachable(&self) -> Result<MutexGuard<'_, State>, Error> {
        let state = self.state();
        if state.unreachable {
            return Err(Error::Unreachable { executor: self.name.clone(), reason: "scripted".to_owned() });
        }
        Ok(state)
    }
}

impl std::fmt::Debug for ScriptedExecutor {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("ScriptedExecutor").field("calls", &self.calls()).finish_non_exhaustive()
    }
}

impl Executor for ScriptedExecutor {
    fn name(&self) -> &str {
        &self.name
    }

    fn kind(&self) -> &'static str {
        "scripted"
    }

    fn needs_image(&self) -> bool {
        self.images
    }

    fn root(&self, directory: &Path) -> PathBuf {
        directory.to_owned()
    }

    fn run<'a>(&'a self, task: &'a Task) -> BoxFuture<'a, Report> {
        Box::pin(async move {
            let mut known = false;
            loop {
                let mut changed = std::pin::pin!(self.changed.notified());
                // Listening begins before looking, so that no change in between is missed.
                changed.as_mut().enable();
                if let Some(report) = self.answer(task, &mut known) {
                    return report;
                }
                changed.await;
            }
        })
    }

    fn stop<'a>(&'a self, task: &'a Task, how: Stop) -> BoxFuture<'a, Result<(), Error>> {
        Box::pin(async move {
            let mut state = self.reachable()?;
            self.keep(&mut state, Call::Stopped(task.attempt.clone(), how));
            let attempt = state.attempts.entry(task.attempt.clone()).or_default();
            if attempt.report.is_none() {
                attempt.report = Some(stopped(task));
            }
            drop(state);
            self.changed.notify_waiters();
            Ok(())
        })
    }

    fn held(&self) -> BoxFuture<'_, Result<Vec<Held>, Error>> {
        Box::pin(async {
            let state = self.reachable()?;
            let held = state.attempts.iter().filter(|(_, attempt)| !attempt.forgotten);
            Ok(held.map(|(id, attempt)| Held { attempt: id.clone(), running: attempt.report.is_none() }).collect())
        })
    }

    fn forget<'a>(&'a self, attempt: &'a str) -> BoxFuture<'a, Result<(), Error>> {
        Box::pin(async move {
            let mut state = self.reachable()?;
            self.keep(&mut state, Call::Forgot(attempt.to_owned()));
            if let Some(known) = state.attempts.get_mut(attempt) {
                known.forgotten = true;
            }
            Ok(())
        })
    }

    fn resolve<'a>(&'a self, image: &'a str) -> BoxFuture<'a, Result<String, Error>> {
        Box::pin(async move { self.reachable().map(|_| image.to_owned()) })
    }

    fn ping(&self) -> BoxFuture<'_, Result<String, Error>> {
        Box::pin(async { self.reachable().map(|_| "scripted".to_owned()) })
    }
}

/// A report of a tool that ended with this exit code, with a record that fits the task.
#[must_use]
pub fn exited(task: &Task, exit_code: i32) -> Report {
    let record = ExitRecord { exit_code: Some(exit_code), ..record(task) };
    Report::Exited(Evidence { record: Some(record), executor_exit_code: Some(exit_code.into()), ..Evidence::default() })
}

/// A report of a tool that was asked to end and did.
#[must_use]
pub fn stopped(task: &Task) -> Report {
    let record = ExitRecord { signal: Some(15), stopped: true, ..record(task) };
    Report::Exited(Evidence { record: Some(record), executor_exit_code: Some(143), ..Evidence::default() })
}

fn record(task: &Task) -> ExitRecord {
    ExitRecord {
        attempt: task.attempt.clone(),
        nonce: task.nonce.clone(),
        started_us: 1,
        ended_us: 2,
        ..ExitRecord::default()
    }
}
