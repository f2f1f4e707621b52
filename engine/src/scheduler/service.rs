//! The loop, and the only place with effects: receive, decide, commit, act.

use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use kentai_workflows::workflow::Workflow;
use tokio::sync::{Semaphore, broadcast, mpsc, watch};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::center::desk::Desk;
use super::center::notices::Bag;
use super::handle::{Handle, Message, Pulse, Told};
use super::house::House;
use super::once::Askings;
use super::queues::{spawn_collector, spawn_linker};
use super::start::TURN;
use super::tally::{self, Tally};
use super::underway::{Mark, Underway};
use super::{Options, work};
use crate::id::RunId;
use crate::port::collect::Order;
use crate::store::artifact::ArtifactStore;
use crate::store::chain::seal;
use crate::store::pool::Pool;
use crate::store::read::Reader;
use crate::store::writer::{Change, Writer, next_epoch};
use crate::store::{self};

/// Messages that may wait for the loop.
const INBOX: usize = 1024;
/// What a slow watcher may be behind.
const TOLD: usize = 4096;
/// Gates read and specimens checked at once: they are disk-bound.
const WORKS_AT_ONCE: usize = 2;
/// Packages carried at once to one target. A target that hangs keeps nobody from another, nor from a gate.
const CARRIED_AT_ONCE: usize = 2;
/// How often, and after what pause, the site's lock is tried.
const LOCK_TRIES: u32 = 50;
const LOCK_AGAIN: Duration = Duration::from_millis(20);
/// Between two looks at what executors hold.
const RECONCILE: Duration = Duration::from_secs(30);
/// Between two looks at directories of attempts that ended long ago.
const RETENTION: Duration = Duration::from_secs(3600);
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
    #[error("the site's key {path} cannot be used, so nothing is done with it: {reason}")]
    Key { path: String, reason: String },
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
    /// Records of this turn.
    pub(super) desk: Desk,
    /// The newest number that was issued, by letter.
    pub(super) issued: HashMap<char, u64>,
    /// Order lines that something changed for.
    pub(super) woken: BTreeSet<String>,
    /// When the next consent ends by itself; in the past: to be looked up.
    pub(super) consent_ends: i64,
    /// When the next offer ends; in the past: to be looked up.
    pub(super) delivery_ends: i64,
    /// When the next receipt is late that something follows for; in the past: to be looked up.
    pub(super) receipts_due: i64,
    /// Letters that wait for their time.
    pub(super) bag: Bag,
    /// Order lines whose run is being got ready.
    pub(super) preparing: BTreeSet<String>,
    /// What was read of the loaded runs of order lines; more files, or others, are read anew.
    pub(super) measured: HashMap<RunId, work::measure::Work>,
    /// Signs the audit log.
    /// None: a verb of somebody who may not read the site's key; then nothing is signed.
    pub(super) signer: Option<crate::audit::checkpoint::Secret>,
    /// Events since the newest signed checkpoint.
    pub(super) unsigned: i64,
    pub(super) writer: Writer,
    pub(super) pool: Pool,
    pub(super) inbox: mpsc::Receiver<Message>,
    pub(super) sender: mpsc::Sender<Message>,
    pub(super) collector: mpsc::UnboundedSender<(Order, Mark)>,
    pub(super) linker: mpsc::UnboundedSender<(work::links::Work, Mark)>,
    pub(super) underway: Underway,
    /// What is asked under keys.
    pub(super) askings: Askings,
    /// What was committed, by kind.
    pub(super) tally: Tally,
    pub(super) works: Arc<Semaphore>,
    /// By target.
    pub(super) carriers: HashMap<String, Arc<Semaphore>>,
    pub(super) tracker: TaskTracker,
    pub(super) token: CancellationToken,
    pub(super) pulse: watch::Sender<Pulse>,
    pub(super) told: broadcast::Sender<Told>,
    /// Held as long as the engine lives: a second one is refused.
    pub(super) _lock: std::fs::File,
}

/// Starts an engine on a site: takes its lock, brings the database up to date, recovers, and runs.
///
/// # Errors
/// When another engine runs, or the site cannot be used.
pub async fn start(options: Options) -> Result<Running, Error> {
    prepare_site(&options.directory)?;
    let lock = take_site(&options.directory).await?;
    let signer = super::center::audit::key_for(&options)?;
    let artifacts = ArtifactStore::open(&options.directory)
        .map_err(|source| Error::Site { site: options.directory.display().to_string(), source })?;
    let pool = Pool::open(&options.directory.join("kentai.db")).await?;
    let epoch = next_epoch(&pool).await?;
    seal(&pool).await?;
    let (writer, _) = Writer::start(pool.clone(), epoch);
    let reader = Reader::new(pool.clone());
    let unsigned = super::center::audit::unsigned(&reader).await?;
    let (log_began, _) = reader.head().await?;
    let options = Arc::new(options);
    let (sender, inbox) = mpsc::channel(INBOX);
    // Quiet is known only after the first turn.
    let (pulse, felt) = watch::channel(Pulse { active: 1, ..Pulse::default() });
    let (told, _) = broadcast::channel(TOLD);
    let token = CancellationToken::new();
    let tracker = TaskTracker::new();
    let underway = Underway::default();
    let handle = Handle {
        inbox: sender.clone(),
        options: Arc::clone(&options),
        reader: reader.clone(),
        pulse: felt,
        told: told.clone(),
        artifacts: artifacts.clone(),
        signer: signer.clone(),
        underway: underway.clone(),
        tally: Tally::after(log_began),
        once: None,
    };
    let service = Service {
        house: House::new(Arc::clone(&options), artifacts, epoch),
        desk: Desk::new(reader.clone()),
        issued: HashMap::new(),
        woken: BTreeSet::new(),
        consent_ends: i64::MIN,
        delivery_ends: i64::MIN,
        receipts_due: i64::MIN,
        bag: Bag::new(options.drain),
        preparing: BTreeSet::new(),
        measured: HashMap::new(),
        reader,
        workflows: HashMap::new(),
        signer,
        unsigned,
        writer,
        pool,
        inbox,
        collector: spawn_collector(&tracker, &options, sender.clone()),
        linker: spawn_linker(&tracker),
        underway,
        askings: Askings::default(),
        tally: handle.tally.clone(),
        sender,
        works: Arc::new(Semaphore::new(WORKS_AT_ONCE)),
        carriers: carriers(&options),
        tracker,
        token: token.clone(),
        pulse,
        told,
        _lock: lock,
    };
    let task = tokio::spawn(service.run());
    Ok(Running { handle, token, task })
}

fn carriers(options: &Options) -> HashMap<String, Arc<Semaphore>> {
    let carriers = |name: &String| (name.clone(), Arc::new(Semaphore::new(CARRIED_AT_ONCE)));
    options.targets.keys().map(carriers).collect()
}

fn prepare_site(directory: &Path) -> Result<(), Error> {
    for name in ["artifacts", "attempts", "samples", "logs", "locks", "deliveries", "run"] {
        std::fs::create_dir_all(directory.join(name))
            .map_err(|source| Error::Site { site: directory.display().to_string(), source })?;
    }
    Ok(())
}

/// Takes the site's lock. Tried for a second: an engine that was killed between the fork and the exec of a witness leaves a
/// child that holds the lock until its exec closes it (seen once in some hundred kills on a busy machine).
async fn take_site(directory: &Path) -> Result<std::fs::File, Error> {
    let at = |source| Error::Site { site: directory.display().to_string(), source };
    let path: PathBuf = directory.join("run/engine.lock");
    let lock = std::fs::File::options().create(true).append(true).open(path).map_err(at)?;
    for _ in 0..LOCK_TRIES {
        if rustix::fs::flock(&lock, rustix::fs::FlockOperation::NonBlockingLockExclusive).is_ok() {
            return Ok(lock);
        }
        tokio::time::sleep(LOCK_AGAIN).await;
    }
    Err(Error::Locked { site: directory.display().to_string() })
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
        let mut tidy_up = tokio::time::interval(RETENTION);
        tidy_up.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut look_again = tokio::time::interval(RECONCILE);
        look_again.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            let result = self.expire_consents().await;
            self.own_doing("looking for consent that ended", result)?;
            // Before offers end: what ends at the same moment, or ended while no engine ran, is late all the same.
            let result = self.late_receipts().await;
            self.own_doing("looking for receipts that are late", result)?;
            let result = self.expire_deliveries().await;
            self.own_doing("looking for offers that ended", result)?;
            let result = self.send_due().await;
            self.own_doing("sending letters", result)?;
            // Not in short-circuit: both are done.
            let more = self.fill_window().await? | self.house.start_ready();
            self.consider_woken().await;
            self.commit().await?;
            self.sign_when_due().await?;
            self.house.unload();
            // What moved in this turn may let an order line start: nothing else would wake the loop for it.
            if !self.woken.is_empty() {
                continue;
            }
            let alarm = self.alarm();
            let mut reconcile = false;
            tokio::select! {
                _ = self.inbox.recv_many(&mut messages, TURN) => {}
                () = alarm => {}
                // The next turn goes on where this one stopped, and hears whoever spoke meanwhile.
                () = std::future::ready(()), if more => {}
                _ = look_again.tick() => reconcile = true,
                _ = tidy_up.tick() => self.sweep_attempts(),
                () = self.token.cancelled() => {
                    self.sign_at_the_end().await;
                    return Ok(());
                }
            }
            self.house.now = self.house.options.clock.now();
            for message in messages.drain(..) {
                self.take(message).await?;
            }
            self.house.expire_asks();
            if reconcile {
                self.ask_held();
                let result = self.wake_ready().await;
                self.own_doing("looking at ready order lines", result)?;
            }
        }
    }

    /// Says how the engine is.
    fn beat(&self, written: bool) {
        let active =
            self.house.queue.len() + self.house.runs.values().filter(|run| super::recovery::is_active(run)).count();
        let (tools, letters) = (self.house.books.running(), self.bag.len());
        // Who only asked something changed nothing, and wakes nobody: a page that is asked for because of the pulse would ask again.
        self.pulse.send_if_modified(|pulse| {
            let now = Pulse { commits: pulse.commits + u64::from(written), active, tools, letters };
            std::mem::replace(pulse, now) != now
        });
    }

    /// Sleeps until the next moment at which something may happen by itself.
    fn alarm(&self) -> impl Future<Output = ()> + use<> {
        let clock = &self.house.options.clock;
        let wait = |at: i64| Duration::from_micros(u64::try_from(at - clock.now()).unwrap_or(0));
        // Time that somebody else moves on is looked at now and then.
        let most = if clock.is_machine() { Duration::MAX } else { Duration::from_millis(5) };
        let ends = Some(self.consent_ends.min(self.delivery_ends).min(self.receipts_due)).filter(|at| *at < i64::MAX);
        let wait =
            self.house.next_alarm().into_iter().chain(ends).chain(self.bag.next()).min().map(|at| wait(at).min(most));
        async move {
            match wait {
                Some(wait) => tokio::time::sleep(wait + Duration::from_millis(1)).await,
                None => std::future::pending().await,
            }
        }
    }

    /// Makes the turn's changes durable, then acts. Tries for ever when the disk is full: nothing is lost, nothing half-done.
    pub(super) async fn commit(&mut self) -> Result<(), Error> {
        self.observe().await;
        let (from_desk, moved) = self.desk.close(&mut self.house.ledger.change);
        self.woken.extend(moved);
        self.house.ledger.told.extend(from_desk);
        let (change, effects, told) = self.house.close_turn();
        let written = !change.is_empty();
        if written {
            self.unsigned += i64::try_from(change.events().len()).unwrap_or(i64::MAX);
            let noted = tally::note(change.events());
            Self::write(&self.writer, &self.token, change).await?;
            self.tally.add(noted);
            self.askings.committed();
            for one in told {
                // Nobody may be listening.
                let _ = self.told.send(one);
            }
        }
        // Before anybody is answered: who was answered may rely on what the pulse says.
        self.beat(written);
        for effect in effects {
            self.act(effect);
        }
        Ok(())
    }

    async fn write(writer: &Writer, token: &CancellationToken, change: Change) -> Result<(), Error> {
        let change = Arc::new(change);
        loop {
            match writer.commit(Arc::clone(&change)).await {
                Ok(()) => return Ok(()),
                Err(error) if error.is_passing() => {
                    tracing::error!(
                        error = &error as &dyn std::error::Error,
                        "cannot write the database; everything waits and nothing is lost"
                    );
                    tokio::select! {
                        () = tokio::time::sleep(STORE_AGAIN) => {}
                        () = token.cancelled() => return Err(error.into()),
                    }
                }
                Err(error) => return Err(error.into()),
            }
        }
    }
}
