//! The loop, and the only place with effects: receive, decide, commit, act.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use kentai_workflows::workflow::Workflow;
use tokio::sync::{Semaphore, broadcast, mpsc, watch};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::handle::{Handle, Message, Pulse, Refusal, Request, Submitted, Told};
use super::house::{Effect, House};
use super::{Actor, Options, work};
use crate::clock;
use crate::id::RunId;
use crate::port::collect::Order;
use crate::port::executor::{Report, Stop};
use crate::store::artifact::ArtifactStore;
use crate::store::pool::Pool;
use crate::store::read::Reader;
use crate::store::writer::{Change, Table, Writer, next_epoch};
use crate::store::{self};

/// Messages that may wait for the loop.
const INBOX: usize = 1024;
/// What a slow watcher may be behind.
const TOLD: usize = 4096;
/// Exited attempts taken in together: one sync pays for all of them.
const COLLECT_BATCH: usize = 64;
/// Gates read, specimens checked and packages carried at once: they are disk-bound.
const WORKS_AT_ONCE: usize = 2;
/// Between two looks at what executors hold.
const RECONCILE: Duration = Duration::from_secs(30);
/// Between two tries to write when the disk is full.
const STORE_AGAIN: Duration = Duration::from_secs(2);

/// Why an engine cannot start or had to stop.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "each variant's message says it")]
pub enum Error {
    #[error("another engine is running on {site}")]
    Locked { site: String },
    #[error("prepare the site's directory {site}")]
    Site { site: String, source: std::io::Error },
    #[error(transparent)]
    Store(#[from] store::Error),
}

/// A running engine.
pub struct Running {
    /// The way in.
    pub handle: Handle,
    token: CancellationToken,
    task: tokio::task::JoinHandle<Result<(), Error>>,
}

impl Running {
    /// Closes the door, lets what runs run on (the next engine adopts it), and comes back when everything is written.
    ///
    /// # Errors
    /// Whatever ended the engine before.
    pub async fn stop(self) -> Result<(), Error> {
        self.token.cancel();
        self.task.await.unwrap_or(Ok(()))
    }

    /// Comes back when the engine ends by itself, which it does only for an error.
    ///
    /// # Errors
    /// That error.
    pub async fn ended(&mut self) -> Result<(), Error> {
        (&mut self.task).await.unwrap_or(Ok(()))
    }
}

pub(super) struct Service {
    pub(super) house: House,
    pub(super) reader: Reader,
    pub(super) workflows: HashMap<String, Arc<Workflow>>,
    writer: Writer,
    pool: Pool,
    inbox: mpsc::Receiver<Message>,
    sender: mpsc::Sender<Message>,
    collector: mpsc::UnboundedSender<Order>,
    linker: mpsc::UnboundedSender<work::links::Work>,
    works: Arc<Semaphore>,
    tracker: TaskTracker,
    token: CancellationToken,
    pulse: watch::Sender<Pulse>,
    told: broadcast::Sender<Told>,
    /// Held as long as the engine lives: a second one is refused.
    _lock: std::fs::File,
}

/// Starts an engine on a site: takes its lock, brings the database up to date, recovers, and runs.
///
/// # Errors
/// When another engine runs, or the site cannot be used.
pub async fn start(options: Options) -> Result<Running, Error> {
    let lock = prepare_site(&options.directory)?;
    let artifacts = ArtifactStore::open(&options.directory)
        .map_err(|source| Error::Site { site: options.directory.display().to_string(), source })?;
    let pool = Pool::open(&options.directory.join("kentai.db")).await?;
    let epoch = next_epoch(&pool).await?;
    let (writer, _) = Writer::start(pool.clone());
    let reader = Reader::new(pool.clone());
    let options = Arc::new(options);
    let (sender, inbox) = mpsc::channel(INBOX);
    // Quiet is known only after the first turn.
    let (pulse, felt) = watch::channel(Pulse { active: 1, ..Pulse::default() });
    let (told, _) = broadcast::channel(TOLD);
    let token = CancellationToken::new();
    let tracker = TaskTracker::new();
    let handle = Handle { inbox: sender.clone(), options: Arc::clone(&options), reader: reader.clone(), pulse: felt, told: told.clone() };
    let service = Service {
        house: House::new(Arc::clone(&options), artifacts, epoch),
        reader,
        workflows: HashMap::new(),
        writer,
        pool,
        inbox,
        collector: spawn_collector(&tracker, &options, sender.clone()),
        linker: spawn_linker(&tracker),
        sender,
        works: Arc::new(Semaphore::new(WORKS_AT_ONCE)),
        tracker,
        token: token.clone(),
        pulse,
        told,
        _lock: lock,
    };
    let task = tokio::spawn(service.run());
    Ok(Running { handle, token, task })
}

fn prepare_site(directory: &Path) -> Result<std::fs::File, Error> {
    let at = |source| Error::Site { site: directory.display().to_string(), source };
    for name in ["artifacts", "attempts", "samples", "logs", "locks", "deliveries", "run"] {
        std::fs::create_dir_all(directory.join(name)).map_err(at)?;
    }
    let path: PathBuf = directory.join("run/engine.lock");
    let lock = std::fs::File::options().create(true).append(true).open(path).map_err(at)?;
    match rustix::fs::flock(&lock, rustix::fs::FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(lock),
        Err(_) => Err(Error::Locked { site: directory.display().to_string() }),
    }
}

fn spawn_collector(tracker: &TaskTracker, options: &Arc<Options>, sender: mpsc::Sender<Message>) -> mpsc::UnboundedSender<Order> {
    let (queue, mut orders) = mpsc::unbounded_channel::<Order>();
    let options = Arc::clone(options);
    tracker.spawn(async move {
        let mut batch = Vec::new();
        while orders.recv_many(&mut batch, COLLECT_BATCH).await > 0 {
            let (orders, collect) = (std::mem::take(&mut batch), Arc::clone(&options.collect));
            let Ok(collected) = tokio::task::spawn_blocking(move || collect(orders)).await else { continue };
            if sender.send(Message::Collected(collected)).await.is_err() {
                break;
            }
        }
    });
    queue
}

fn spawn_linker(tracker: &TaskTracker) -> mpsc::UnboundedSender<work::links::Work> {
    let (queue, mut works) = mpsc::unbounded_channel::<work::links::Work>();
    tracker.spawn(async move {
        let mut batch = Vec::new();
        while works.recv_many(&mut batch, COLLECT_BATCH).await > 0 {
            let batch = std::mem::take(&mut batch);
            let linked = tokio::task::spawn_blocking(move || batch.iter().map(work::links::Work::done).filter_map(Result::err).last());
            if let Ok(Some(error)) = linked.await {
                tracing::warn!(%error, "cannot link outputs into samples/");
            }
        }
    });
    queue
}

impl Service {
    async fn run(mut self) -> Result<(), Error> {
        let result = self.turns().await;
        if let Err(error) = &result {
            tracing::error!(%error, "the engine stops");
        }
        self.token.cancel();
        // The queues end when their senders are gone; tasks see the token.
        let Self { collector, linker, tracker, inbox, pool, .. } = self;
        drop((collector, linker, inbox));
        tracker.close();
        tracker.wait().await;
        pool.close().await;
        result
    }

    async fn turns(&mut self) -> Result<(), Error> {
        self.recover().await?;
        let mut messages = Vec::new();
        let mut look_again = tokio::time::interval(RECONCILE);
        look_again.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            self.fill_window().await?;
            self.house.start_ready();
            self.commit().await?;
            self.house.unload();
            let alarm = self.alarm();
            let mut reconcile = false;
            tokio::select! {
                _ = self.inbox.recv_many(&mut messages, INBOX) => {}
                () = alarm => {}
                _ = look_again.tick() => reconcile = true,
                () = self.token.cancelled() => return Ok(()),
            }
            self.house.now = clock::now();
            for message in messages.drain(..) {
                self.take(message).await?;
            }
            self.house.expire_asks();
            if reconcile {
                self.reconcile().await;
            }
        }
    }

    /// Says how the engine is.
    fn beat(&self) {
        let active = self.house.queue.len() + self.house.runs.values().filter(|run| super::recovery::is_active(run)).count();
        let tools = self.house.book.running();
        self.pulse.send_modify(|pulse| *pulse = Pulse { commits: pulse.commits + 1, active, tools });
    }

    /// Sleeps until the next moment at which something may happen by itself.
    fn alarm(&self) -> impl Future<Output = ()> + use<> {
        let wait = self.house.next_alarm().map(|at| Duration::from_micros(u64::try_from(at - clock::now()).unwrap_or(0)));
        async move {
            match wait {
                Some(wait) => tokio::time::sleep(wait + Duration::from_millis(1)).await,
                None => std::future::pending().await,
            }
        }
    }

    async fn take(&mut self, message: Message) -> Result<(), Error> {
        match message {
            Message::Submitted(ready, reply) => self.take_submission(*ready, reply).await?,
            Message::About(run, actor, request, reply) => {
                let result = self.about(&run, &actor, request).await;
                self.reply(reply, result);
            }
            Message::Why(run, step, reply) => {
                let result = match self.load_by(&run).await {
                    Ok(id) => Ok(self.house.why(&id, step.as_deref())),
                    Err(refusal) => Err(refusal),
                };
                self.reply(reply, result);
            }
            Message::Report(id, report) => self.house.on_report(&id, report),
            Message::Collected(all) => all.into_iter().for_each(|collected| self.house.on_collected(collected)),
            Message::Received(run, index, result) => self.house.on_received(&run, index, result),
            Message::Gate(run, index, result) => self.house.on_gate(&run, index, result),
            Message::Carried(run, index, work, result) => self.house.on_carried(&run, index, work, result),
        }
        Ok(())
    }

    fn reply<T: Send + 'static>(&mut self, reply: super::handle::Reply<T>, result: Result<T, Refusal>) {
        // Nobody is answered before the commit; who has gone away needs no answer.
        self.house.effect(Effect::Reply(Box::new(move || drop(reply.send(result)))));
    }

    async fn load_by(&mut self, run: &RunId) -> Result<RunId, Refusal> {
        let id = match self.reader.run(run.as_str()).await? {
            Some(row) => row.run_id,
            None => return Err(Refusal::NotFound(format!("there is no run `{run}`"))),
        };
        if self.load(&id).await? { Ok(id) } else { Err(Refusal::State(format!("run {id} cannot be read by this version"))) }
    }

    async fn about(&mut self, run: &RunId, actor: &Actor, request: Request) -> Result<String, Refusal> {
        let id = self.load_by(run).await?;
        if !matches!(request, Request::Answer { .. }) && !actor.roles.contains("operator") {
            return Err(Refusal::NotAllowed(format!("{} may not do this: it needs the role operator (`people:` in kentai.yaml)", actor.name)));
        }
        match request {
            Request::Cancel { reason } => {
                self.load_children_of(&id).await?;
                self.house.cancel(&id, actor, &reason)?;
                Ok(format!("run {id} is {}", self.house.run(&id).status))
            }
            Request::Hold { reason } => self.house.hold(&id, actor, &reason).map(|()| format!("run {id} is held")),
            Request::Resume => self.house.resume(&id, actor).map(|()| format!("run {id} goes on")),
            Request::Retry { from } => {
                let steps = self.house.retry(&id, from.as_deref(), actor)?;
                Ok(format!("run {id}: {steps} step(s) will be done again"))
            }
            Request::Answer { step, answer } => {
                self.house.answer(&id, &step, actor, &answer)?;
                Ok(format!("run {id}: recorded `{}` by {}", answer.verdict, actor.name))
            }
        }
    }

    async fn load_children_of(&mut self, id: &RunId) -> Result<(), Refusal> {
        let children: Vec<String> = self.house.run(id).steps.iter().filter_map(|step| step.detail.child.clone()).collect();
        for child in children {
            let child = RunId::from(child);
            if self.load(&child).await? {
                Box::pin(self.load_children_of(&child)).await?;
            }
        }
        Ok(())
    }

    /// Stores a submission, unless the same came first: the loop is the only writer, so this look is the last word.
    async fn take_submission(&mut self, ready: super::submit::Ready, reply: super::handle::Reply<Submitted>) -> Result<(), Error> {
        let mut submitted =
            Submitted { submission: ready.submission.submission_id.clone(), existed: ready.existed, new_runs: 0, runs: ready.known };
        if !ready.existed {
            if let Some(earlier) = self.reader.submission_by_intent(&ready.submission.intent).await? {
                submitted.submission = earlier.submission_id;
                submitted.existed = true;
                self.reply(reply, Ok(submitted));
                return Ok(());
            }
            self.store_submission(&ready.submission, &ready.workflows, &ready.specimens);
            for (row, steps) in ready.runs {
                if let Some(earlier) = self.reader.run_by_intent(&row.intent).await? {
                    submitted.runs.retain(|run| *run != row.run_id);
                    submitted.runs.push(earlier.run_id);
                    continue;
                }
                submitted.new_runs += 1;
                self.store_run(&row, &steps);
            }
        }
        self.reply(reply, Ok(submitted));
        // Queued runs are loaded from the database: they must be there before the window is filled.
        self.commit().await
    }

    fn store_submission(
        &mut self,
        submission: &store::rows::Submission,
        workflows: &[store::rows::Workflow],
        specimens: &[store::rows::Specimen],
    ) {
        let change = &mut self.house.ledger.change;
        workflows.iter().for_each(|row| change.put(Table::Workflow, row));
        specimens.iter().for_each(|row| change.put(Table::Specimen, row));
        change.put(Table::Submission, submission);
    }

    fn store_run(&mut self, row: &store::rows::Run, steps: &[store::rows::Step]) {
        let change = &mut self.house.ledger.change;
        change.put(Table::Run, row);
        steps.iter().for_each(|step| change.put(Table::Step, step));
        change.put(
            Table::Event,
            &store::rows::Event {
                run_id: row.run_id.clone(),
                n: 1,
                at_us: row.created_us,
                kind: "run_submitted".into(),
                subject: String::new(),
                actor: row.submitted_by.clone(),
                body: "{}".into(),
            },
        );
        self.house.queue.insert((-row.priority, row.created_us, row.run_id.clone()));
    }

    /// Makes the turn's changes durable, then acts. Tries for ever when the disk is full: nothing is lost, nothing half-done.
    pub(super) async fn commit(&mut self) -> Result<(), Error> {
        let (change, effects, told) = self.house.close_turn();
        if !change.is_empty() {
            Self::write(&self.writer, &self.token, change).await?;
            for one in told {
                // Nobody may be listening.
                let _ = self.told.send(one);
            }
        }
        // Before anybody is answered: who was answered may rely on what the pulse says.
        self.beat();
        for effect in effects {
            self.act(effect);
        }
        Ok(())
    }

    async fn write(writer: &Writer, token: &CancellationToken, change: Change) -> Result<(), Error> {
        loop {
            match writer.commit(change.clone()).await {
                Ok(()) => return Ok(()),
                Err(error) if error.is_passing() => {
                    tracing::error!(error = &error as &dyn std::error::Error, "cannot write the database; everything waits and nothing is lost");
                    tokio::select! {
                        () = tokio::time::sleep(STORE_AGAIN) => {}
                        () = token.cancelled() => return Err(error.into()),
                    }
                }
                Err(error) => return Err(error.into()),
            }
        }
    }

    fn act(&mut self, effect: Effect) {
        let drain = self.house.options.drain;
        match effect {
            Effect::Reply(answer) => answer(),
            Effect::Link(work) => drop(self.linker.send(work)),
            // Without an engine nothing is started, ended or taken in: the next engine does it.
            _ if drain => {}
            Effect::Run(id, after_ms) => self.run_attempt(&id, after_ms),
            Effect::Stop(id, how) => self.stop_attempt(&id, how),
            Effect::End(id, after_ms) => self.end_attempt(&id, after_ms),
            Effect::Collect(order, 0) => drop(self.collector.send(order)),
            Effect::Collect(order, after_ms) => {
                let collector = self.collector.clone();
                self.spawn(async move {
                    tokio::time::sleep(Duration::from_millis(after_ms)).await;
                    let _ = collector.send(order);
                    None
                });
            }
            Effect::Forget(id) => {
                for hands in self.house.options.executors.iter().filter(|hands| hands.needs_image()).cloned() {
                    let id = id.clone();
                    self.spawn(async move {
                        // What cannot be removed now is found by the next reconcile.
                        let _ = hands.forget(id.as_str()).await;
                        None
                    });
                }
            }
            Effect::Gate(run, index, work) => self.spawn_work(move || Message::Gate(run, index, work.done())),
            Effect::Receive(run, index, work) => self.spawn_work(move || Message::Received(run, index, work.done())),
            Effect::Carry(run, index, work) => {
                let works = Arc::clone(&self.works);
                self.spawn(async move {
                    let _turn = works.acquire_owned().await.ok()?;
                    let result = work.done().await;
                    Some(Message::Carried(run, index, work, result))
                });
            }
        }
    }

    fn run_attempt(&self, id: &crate::id::AttemptId, after_ms: u64) {
        let Some(live) = self.house.attempts.get(id) else { return };
        let (id, task, hands) = (id.clone(), Arc::clone(&live.task), Arc::clone(&self.house.options.executors[live.executor]));
        self.spawn(async move {
            if after_ms > 0 {
                tokio::time::sleep(Duration::from_millis(after_ms)).await;
            }
            let report = hands.run(&task).await;
            Some(Message::Report(id, report))
        });
    }

    fn stop_attempt(&self, id: &crate::id::AttemptId, how: Stop) {
        let Some(live) = self.house.attempts.get(id) else { return };
        let (task, hands) = (Arc::clone(&live.task), Arc::clone(&self.house.options.executors[live.executor]));
        self.spawn(async move {
            if let Err(error) = hands.stop(&task, how).await {
                tracing::warn!(attempt = task.attempt, %error, "cannot be ended now");
            }
            // The witness kills after the grace; this is for a witness that cannot.
            tokio::time::sleep(Duration::from_secs(task.grace_s + 20)).await;
            let _ = hands.stop(&task, Stop::Kill).await;
            None
        });
    }

    /// For a canceled attempt whose executor was out of reach: ended and gone, or asked again later. Never started.
    fn end_attempt(&self, id: &crate::id::AttemptId, after_ms: u64) {
        let Some(live) = self.house.attempts.get(id) else { return };
        let (id, task, hands) = (id.clone(), Arc::clone(&live.task), Arc::clone(&self.house.options.executors[live.executor]));
        self.spawn(async move {
            tokio::time::sleep(Duration::from_millis(after_ms)).await;
            let report = match hands.stop(&task, Stop::Kill).await {
                Err(error) => Report::Unreachable(error.to_string()),
                Ok(()) => match hands.held().await {
                    Ok(held) if held.iter().any(|held| held.attempt == task.attempt && held.running) => {
                        Report::Unreachable("it is being ended".into())
                    }
                    Ok(_) => Report::Lost("ended by request".into()),
                    Err(error) => Report::Unreachable(error.to_string()),
                },
            };
            Some(Message::Report(id, report))
        });
    }

    fn spawn_work(&self, work: impl FnOnce() -> Message + Send + 'static) {
        let works = Arc::clone(&self.works);
        self.spawn(async move {
            let _turn = works.acquire_owned().await.ok()?;
            tokio::task::spawn_blocking(work).await.ok()
        });
    }

    /// Runs beside the loop until it answers or the engine stops; what is dropped then is found again by recovery.
    fn spawn(&self, task: impl Future<Output = Option<Message>> + Send + 'static) {
        let (sender, token) = (self.sender.clone(), self.token.clone());
        self.tracker.spawn(async move {
            tokio::select! {
                message = task => {
                    if let Some(message) = message {
                        let _ = sender.send(message).await;
                    }
                }
                () = token.cancelled() => {}
            }
        });
    }
}
