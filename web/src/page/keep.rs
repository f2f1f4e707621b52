//! What goes over everything is counted once for all readers, and never for one request: the line, what needs a person, the queue, how long
//! things took.
//!
//! A small center is counted anew whenever something was committed since: whoever decided something sees it decided. The count of a large one
//! is shown as it is, with its age, while the next is made; who listens for `board` hears when it is there. It knows no page.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use kentai_engine::people::permission::Principal;
use kentai_engine::people::role::Role;
use kentai_engine::scheduler::queue::{Durations, Waiting, Waits, durations};
use kentai_engine::scheduler::registered::schedules;
use kentai_engine::view::center::board::{self, Board};
use kentai_engine::view::center::needs::{self, Needs};
use kentai_engine::view::center::quality::{self, Watched};
use kentai_engine::view::center::report::{self, Turnaround, Window};
use tokio::sync::{Mutex, watch};
use tokio::time::Instant;

use crate::App;
use crate::error::Problem;

/// A center with no more order lines than that is counted while its reader waits: some milliseconds.
const SMALL: i64 = 5_000;
/// Ages and lapses change by themselves: no count is older.
const OLDEST_US: i64 = 60_000_000;
/// A page waits so long for the first count of what is not its own matter.
const FIRST: Duration = Duration::from_millis(250);
/// Of the time, the part that counting may take: one in so many.
const REST: u32 = 10;
const DAY_US: i64 = 86_400_000_000;
/// Turnaround is shown over so many days, and so many weeks.
pub(crate) const DAYS: i64 = 30;
pub(crate) const WEEKS: i64 = 13;

/// The first page's numbers.
#[derive(Debug)]
pub(crate) struct Today {
    pub(crate) board: Board,
    pub(crate) needs: Needs,
    pub(crate) queue: Vec<Waiting>,
}

/// How long things took.
#[derive(Debug)]
pub(crate) struct Turnarounds {
    /// Of the last [`DAYS`] days.
    pub(crate) month: Vec<Turnaround>,
    /// Of each of the last [`WEEKS`] weeks, the newest first: until when, and what.
    pub(crate) weeks: Vec<(i64, Vec<Turnaround>)>,
    /// Order lines that were gone through.
    lines: i64,
}

/// A count, and how it came about.
#[derive(Debug)]
pub(crate) struct Counted<T> {
    pub(crate) value: T,
    /// Microseconds since the epoch: its age.
    pub(crate) at_us: i64,
    commits: u64,
    took: Duration,
    made: Instant,
}

/// How much was counted, to know what counting it again costs.
pub(crate) trait Size {
    /// It may be counted while somebody waits.
    fn is_small(&self) -> bool;
}

impl Size for Today {
    fn is_small(&self) -> bool {
        self.board.total() <= SMALL
    }
}

impl Size for Turnarounds {
    fn is_small(&self) -> bool {
        self.lines <= SMALL
    }
}

type Counting<T> = Pin<Box<dyn Future<Output = Result<T, Problem>> + Send>>;

/// Keeps one count.
pub(crate) struct Keep<T> {
    count: fn(App, i64) -> Counting<T>,
    newest: watch::Sender<Option<Arc<Counted<T>>>>,
    /// One counts, the others wait for it.
    turn: Mutex<()>,
    busy: AtomicBool,
}

impl<T: Send + Sync + 'static> Keep<T> {
    fn new(count: fn(App, i64) -> Counting<T>) -> Self {
        Self { count, newest: watch::Sender::new(None), turn: Mutex::new(()), busy: AtomicBool::new(false) }
    }

    /// Tells when there is a newer one.
    pub(crate) fn newer(&self) -> watch::Receiver<Option<Arc<Counted<T>>>> {
        self.newest.subscribe()
    }

    fn known(&self) -> Option<Arc<Counted<T>>> {
        self.newest.borrow().clone()
    }

    async fn count(&self, app: &App) -> Result<Arc<Counted<T>>, Problem> {
        let _turn = self.turn.lock().await;
        let (commits, now) = stand(app);
        if let Some(known) = self.known().filter(|known| known.holds(commits, now)) {
            return Ok(known);
        }
        let began = Instant::now();
        let value = (self.count)(app.clone(), now).await?;
        let counted = Counted { value, at_us: now, commits, took: began.elapsed(), made: Instant::now() };
        let counted = Arc::new(counted);
        self.newest.send_replace(Some(Arc::clone(&counted)));
        Ok(counted)
    }
}

/// How far the site is, and when.
fn stand(app: &App) -> (u64, i64) {
    let commits = app.engine.pulse().borrow().commits;
    (commits, app.engine.options().clock.now())
}

impl<T> Counted<T> {
    fn holds(&self, commits: u64, now: i64) -> bool {
        self.commits == commits && (now - self.at_us).abs() < OLDEST_US
    }
}

/// The newest count; the first ever is waited for.
pub(crate) async fn newest<T: Size + Send + Sync + 'static>(
    keep: &Arc<Keep<T>>,
    app: &App,
) -> Result<Arc<Counted<T>>, Problem> {
    let (commits, now) = stand(app);
    let Some(known) = keep.known() else { return keep.count(app).await };
    if known.holds(commits, now) {
        return Ok(known);
    }
    if known.value.is_small() {
        return keep.count(app).await;
    }
    if !keep.busy.swap(true, Ordering::AcqRel) {
        let (keep, app) = (Arc::clone(keep), app.clone());
        let wait = (known.took * REST).saturating_sub(known.made.elapsed());
        tokio::spawn(async move {
            tokio::time::sleep(wait).await;
            // Who comes while it is counted has it made once more: what they came for may not be in it.
            keep.busy.store(false, Ordering::Release);
            drop(keep.count(&app).await);
        });
    }
    Ok(known)
}

/// The same, but nobody waits long for the first: none while it is still being counted, and who listens for `board` hears of it.
pub(crate) async fn soon<T: Size + Send + Sync + 'static>(
    keep: &Arc<Keep<T>>,
    app: &App,
) -> Result<Option<Arc<Counted<T>>>, Problem> {
    if keep.known().is_some() {
        return newest(keep, app).await.map(Some);
    }
    let (own, site) = (Arc::clone(keep), app.clone());
    let first = tokio::spawn(async move {
        let counted = own.count(&site).await;
        site.keeper.today.newest.send_modify(|_| {});
        counted
    });
    match tokio::time::timeout(FIRST, first).await {
        Ok(Ok(counted)) => counted.map(Some),
        Ok(Err(panic)) => Err(Problem::internal(&panic)),
        Err(_) => Ok(None),
    }
}

/// What the charts say in short, and what starts by the clock.
#[derive(Debug)]
pub(crate) struct Watching {
    pub(crate) metrics: Vec<Watched>,
    /// Schedules that go on, and those that rest.
    pub(crate) schedules: (usize, usize),
}

impl Size for Watching {
    fn is_small(&self) -> bool {
        let values: usize = self.metrics.iter().map(|one| one.count).sum();
        i64::try_from(values).is_ok_and(|values| values <= SMALL)
    }
}

/// Everything that is kept.
pub(crate) struct Keeper {
    pub(crate) watching: Arc<Keep<Watching>>,
    pub(crate) today: Arc<Keep<Today>>,
    pub(crate) turnarounds: Arc<Keep<Turnarounds>>,
}

impl Default for Keeper {
    fn default() -> Self {
        let watching = Arc::new(Keep::new(watching));
        Self { watching, today: Arc::new(Keep::new(today)), turnarounds: Arc::new(Keep::new(turnarounds)) }
    }
}

fn today(app: App, now: i64) -> Counting<Today> {
    Box::pin(async move {
        let reader = app.engine.reader();
        let board = board::count(reader, now).await?;
        let needs = needs::gather(reader, now).await?;
        let mut queue = app.engine.queue(Durations::new()).await?;
        // How long things take is read only where somebody waits for them to be over.
        if queue.iter().any(|one| matches!(one.waits, Waits::Resource(_) | Waits::Executor { .. })) {
            queue = app.engine.queue(durations(reader).await?).await?;
        }
        Ok(Today { board, needs, queue })
    })
}

fn watching(app: App, now: i64) -> Counting<Watching> {
    Box::pin(async move {
        // As with turnaround: for everybody of the center.
        let everybody = Principal { roles: vec![Role::Operator], ..Principal::default() };
        let narrow = quality::Narrow::default();
        let metrics = quality::quality(app.engine.reader(), &everybody, now, &narrow).await?;
        let all = schedules(app.engine.reader()).await?;
        let resting = all.iter().filter(|one| one.paused).count();
        Ok(Watching { metrics, schedules: (all.len() - resting, resting) })
    })
}

fn turnarounds(app: App, now: i64) -> Counting<Turnarounds> {
    Box::pin(async move {
        let week = |back: i64| now - (back + 1) * 7 * DAY_US..now - back * 7 * DAY_US;
        let month = std::iter::once(now - DAYS * DAY_US..i64::MAX);
        let windows: Vec<Window> = month.chain((0..WEEKS).map(week)).collect();
        // It is for everybody of the center; people from outside are not shown it.
        let everybody = Principal { roles: vec![Role::Operator], ..Principal::default() };
        let mut told = report::turnaround_in(app.engine.reader(), &everybody, &windows).await?.into_iter();
        let month = told.next().unwrap_or_default();
        let weeks = windows.iter().skip(1).map(|window| window.end).zip(told).collect();
        let lines = app.engine.reader().stage_counts().await?.iter().map(|row| row.count).sum();
        Ok(Turnarounds { month, weeks, lines })
    })
}
