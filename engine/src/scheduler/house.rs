//! Everything the loop knows, and the ledger in which a turn's changes gather until they are committed.
//!
//! No I/O: what must happen outside is an [`Effect`], carried out by `service` after the commit.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use kentai_workflows::value::Value;

use super::handle::Submit;
use super::handle::Told;
use super::live::{Hold, LiveAttempt, LiveRun, text};
use super::post::Reach;
use super::work;
use super::{Options, Places};
use crate::clock::Micros;
use crate::decide::choose::Books;
use crate::id::{AttemptId, RunId};
use crate::port::collect::Order;
use crate::port::executor::{Executor, Stop};
use crate::state::{attempt, run, step};
use crate::store::artifact::ArtifactStore;
use crate::store::rows;
use crate::store::writer::{Change, Table};

/// What must happen outside, after the commit. Each is idempotent under its ids.
pub(super) enum Effect {
    /// Start the attempt, or adopt it.
    Run(AttemptId),
    /// Ask an executor whether it answers, after so many milliseconds.
    Look(String, u64),
    /// Decide again whether to, after so many milliseconds.
    Again(AttemptId, u64),
    /// End what runs.
    Stop(AttemptId, Stop),
    /// End it and make sure that nothing of it is left (the executor was out of reach while it was canceled).
    End(AttemptId, u64),
    /// Take outputs (or only the log) in; after so many milliseconds.
    Collect(Order, u64),
    /// Remove the container of a terminal attempt from its executor.
    Forget(AttemptId, Arc<dyn Executor>),
    /// Read a gate's values.
    Gate(RunId, usize, work::gate::Work),
    /// Check a specimen at the door.
    Receive(RunId, usize, work::receive::Work),
    /// Make a parcel a package.
    Pack(RunId, usize, Box<work::pack::Work>),
    /// Carry a package.
    Carry(RunId, usize, Box<work::carry::Work>),
    /// Link outputs into `samples/`.
    Link(work::links::Work),
    /// Read what an order line's run says of the person.
    Measure(String, RunId, work::measure::Work),
    /// Get the run of an order line's round ready.
    Prepare(String, i64, Box<Submit>),
    /// Close what belongs to a withdrawn participant.
    Seal(Box<work::seal::Work>),
    /// Destroy a thing of a case that two people decided about: item and SHA-256.
    Destroy(String, String),
    /// Destroy the copies of a delivery that two people decided about.
    Retire(Box<work::retire::Work>),
    /// Put a message into the outbox.
    Post(work::post::Work),
    /// Take a letter to its receiver.
    Letter(Box<work::letter::Work>),
    /// Look again at what a case has to close, when what still ran has ended.
    SealAgain(String),
    /// Answer a request.
    Reply(Box<dyn FnOnce() + Send + Sync>),
}

/// One turn's changes.
#[derive(Default)]
pub(super) struct Ledger {
    pub(super) change: Change,
    pub(super) effects: Vec<Effect>,
    pub(super) told: Vec<Told>,
    runs: BTreeSet<RunId>,
    attempts: BTreeSet<AttemptId>,
}

impl Ledger {
    /// Runs that something happened to in this turn.
    pub(super) fn touched(&self) -> BTreeSet<RunId> {
        self.runs.clone()
    }
}

pub(super) struct House {
    pub(super) options: Arc<Options>,
    pub(super) places: Places,
    pub(super) artifacts: ArtifactStore,
    pub(super) epoch: i64,
    // Boxed: a map has room for up to twice as many.
    pub(super) runs: HashMap<RunId, Box<LiveRun>>,
    pub(super) attempts: HashMap<AttemptId, Box<LiveAttempt>>,
    pub(super) books: Books,
    /// Executors that a person drained.
    pub(super) drained: BTreeMap<String, Hold>,
    /// What is known of each executor's answers.
    pub(super) reach: BTreeMap<String, Reach>,
    /// Open runs that are not loaded, in the order in which they may start: (−priority, created, id).
    pub(super) queue: BTreeSet<(i64, Micros, RunId)>,
    pub(super) ledger: Ledger,
    /// The emergency stop: nothing starts.
    pub(super) stopped: Option<Hold>,
    pub(super) now: Micros,
}

impl House {
    pub(super) fn new(options: Arc<Options>, artifacts: ArtifactStore, epoch: i64) -> Self {
        Self {
            places: Places::new(&options.directory),
            books: Books::new(
                options.resources,
                options.slots,
                options.executors.iter().map(|post| (post.caps, post.elsewhere)),
            ),
            drained: BTreeMap::new(),
            reach: BTreeMap::new(),
            now: options.clock.now(),
            options,
            artifacts,
            epoch,
            runs: HashMap::new(),
            attempts: HashMap::new(),
            queue: BTreeSet::new(),
            ledger: Ledger::default(),
            stopped: None,
        }
    }

    /// A loaded run. Every caller got the id from a loaded run in this same turn.
    pub(super) fn run(&self, id: &RunId) -> &LiveRun {
        self.runs.get(id).expect("runs are unloaded only between turns, and only when nothing refers to them")
    }

    pub(super) fn run_mut(&mut self, id: &RunId) -> &mut LiveRun {
        self.runs.get_mut(id).expect("runs are unloaded only between turns, and only when nothing refers to them")
    }

    /// Appends an event to a run's history.
    pub(super) fn record(&mut self, id: &RunId, kind: &str, subject: &str, actor: &str, body: &Value) {
        let now = self.now;
        let run = self.run_mut(id);
        run.row.events += 1;
        run.dirty = true;
        let row = rows::Event {
            seq: 0,
            stream: id.to_string(),
            n: run.row.events,
            at_us: now,
            kind: kind.to_owned(),
            subject: subject.to_owned(),
            actor: actor.to_owned(),
            role: String::new(),
            hash: String::new(),
            body: if body.is_null() { "{}".to_owned() } else { text(body) },
        };
        let told = Told {
            run: id.clone(),
            specimen: run.plan.specimen.id.clone(),
            kind: row.kind.clone(),
            subject: row.subject.clone(),
        };
        self.ledger.told.push(told);
        self.ledger.change.event(row);
        self.ledger.runs.insert(id.clone());
    }

    /// Moves a run on. An illegal move is our own mistake: it is logged and nothing changes.
    pub(super) fn move_run(&mut self, id: &RunId, event: run::Event, actor: &str, body: &Value) -> bool {
        match self.run(id).status.next(event) {
            Ok(status) => {
                self.run_mut(id).status = status;
                self.record(id, event.word(), "", actor, body);
                true
            }
            Err(illegal) => {
                tracing::error!(run = %id, %illegal, "a move was refused");
                false
            }
        }
    }

    /// Moves a step on.
    pub(super) fn move_step(
        &mut self,
        id: &RunId,
        index: usize,
        event: step::Event,
        actor: &str,
        body: &Value,
    ) -> bool {
        let step = &self.run(id).steps[index];
        let key = step.planned.key.clone();
        match step.status.next(event) {
            Ok(status) => {
                self.guard_consent(id, event);
                let step = &mut self.run_mut(id).steps[index];
                step.status = status;
                step.dirty = true;
                self.record(id, event.word(), &key, actor, body);
                true
            }
            Err(illegal) => {
                tracing::error!(run = %id, step = key, %illegal, "a move was refused");
                false
            }
        }
    }

    /// Whatever begins or opens rests on the participant's consent as it is known here: the transaction refuses it for any other.
    fn guard_consent(&mut self, id: &RunId, event: step::Event) {
        if matches!(event, step::Event::Started | step::Event::Succeeded | step::Event::Asked)
            && let Some(consent) = &self.run(id).consent
        {
            let guard = consent.guard.clone();
            self.ledger.change.guard(guard);
        }
    }

    /// Nothing of a withdrawn participant gets a grace: what runs is killed.
    pub(super) fn hurry(&mut self, id: &RunId) {
        let attempts: Vec<AttemptId> = self.run(id).steps.iter().filter_map(|step| step.attempt.clone()).collect();
        for attempt in attempts {
            self.effect(Effect::Stop(attempt, Stop::Kill));
        }
    }

    /// Marks a step's document as changed.
    pub(super) fn touch_step(&mut self, id: &RunId, index: usize) {
        let run = self.run_mut(id);
        run.steps[index].dirty = true;
        run.dirty = true;
        self.ledger.runs.insert(id.clone());
    }

    /// Moves an attempt on.
    pub(super) fn move_attempt(&mut self, id: &AttemptId, event: attempt::Event, actor: &str, body: &Value) -> bool {
        let Some(live) = self.attempts.get_mut(id) else { return false };
        match live.status.next(event) {
            Ok(status) => {
                live.status = status;
                live.dirty = true;
                let run = live.run.clone();
                self.ledger.attempts.insert(id.clone());
                self.record(&run, event.word(), id.as_str(), actor, body);
                true
            }
            Err(illegal) => {
                tracing::error!(attempt = %id, %illegal, "a move was refused");
                false
            }
        }
    }

    /// Gives the book back what a finished tool had.
    pub(super) fn release(&mut self, id: &AttemptId) {
        if let Some(live) = self.attempts.get_mut(id)
            && std::mem::replace(&mut live.in_book, false)
        {
            let (at, request) = (self.options.post(&live.row.executor), live.request);
            self.books.give_back(at, request);
        }
    }

    /// The attempt is over for the loop: forget it after its last row was written.
    pub(super) fn let_go(&mut self, id: &AttemptId) {
        self.release(id);
        if let Some(live) = self.attempts.get(id) {
            let (run, step) = (live.run.clone(), live.step);
            let run = self.run_mut(&run);
            run.busy = run.busy.saturating_sub(1);
            if run.steps[step].attempt.as_ref() == Some(id) {
                run.steps[step].attempt = None;
            }
        }
    }

    /// Closes the turn: every changed row goes into the change; terminal attempts leave.
    pub(super) fn close_turn(&mut self) -> (Change, Vec<Effect>, Vec<Told>) {
        let mut ledger = std::mem::take(&mut self.ledger);
        for id in &ledger.runs {
            self.put_run(id, &mut ledger.change);
        }
        for id in &ledger.attempts {
            let Some(live) = self.attempts.get_mut(id) else { continue };
            if live.dirty {
                ledger.change.put(Table::Attempt, &live.next_row(self.now));
            }
            if live.status.is_end() {
                self.attempts.remove(id);
            }
        }
        (ledger.change, ledger.effects, ledger.told)
    }

    fn put_run(&mut self, id: &RunId, change: &mut Change) {
        let now = self.now;
        let Some(run) = self.runs.get_mut(id) else { return };
        for step in &mut run.steps {
            if step.dirty {
                change.put(Table::Step, &step.next_row(id, now));
            }
        }
        run.row.status = run.status.word().to_owned();
        run.row.hold = text(&run.hold);
        run.row.steps_left = run.count_left();
        run.row.updated_us = now;
        run.row.version += 1;
        run.dirty = false;
        change.put(Table::Run, &run.row);
        run.row.plan = String::new();
    }

    /// Does something outside after the commit.
    pub(super) fn effect(&mut self, effect: Effect) {
        self.ledger.effects.push(effect);
    }
}
