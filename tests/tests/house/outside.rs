//! The world is out of order: executors, disks, the database, panics. The house waits, says for what, and loses nothing.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use anyhow::{Result, ensure};
use kentai_engine::port::BoxFuture;
use kentai_engine::port::collect::{Collected, Refused};
use kentai_engine::port::executor::{Error, Executor, Held, Report, Stop, Task};
use kentai_engine::scheduler::Post;
use kentai_engine::store::read::RunFilter;
use kentai_executors::scripted::ScriptedExecutor;
use kentai_tests::house::{Act, House, Plan, operator, specimen, workflow};
use kentai_tests::tool;

const TWO: &str = "  a:
    outputs: { o: { path: o.txt } }
    script: x
  b:
    inputs: { a: \"${{ steps.a.o }}\" }
    outputs: { o: { path: o.txt, keep: true } }
    script: x
";

#[tokio::test]
async fn an_executor_that_is_out_of_reach_is_waited_for_by_name_and_spends_no_attempt() -> Result<()> {
    let house = House::open().await?;
    house.hands.executor().set_unreachable(true);
    let run = house.submit(&workflow(TWO), &specimen("S1")).await?;
    let said = "waits for executor `scripted`: scripted";
    house.until("a wait", async |house| Ok(house.why(&run, Some("a")).await?.contains(said))).await?;
    house.hands.executor().set_unreachable(false);
    ensure!(house.end(&run).await? == "succeeded", "{}", house.why(&run, None).await?);
    ensure!(house.attempts(&run, "a").await?.len() == 1, "it spent an attempt");
    house.check().await
}

#[tokio::test]
async fn an_executor_that_goes_away_while_a_tool_runs_is_asked_again_and_the_tool_is_not_started_again() -> Result<()> {
    let mut house = House::open().await?;
    house.hands.plan("a", [Act::Wait]);
    let run = house.submit(&workflow(TWO), &specimen("S1")).await?;
    house.until("the tool", async |house| Ok(house.hands.running() == ["a"])).await?;
    house.hands.executor().set_unreachable(true);
    house.until("a wait", async |house| Ok(house.why(&run, Some("a")).await?.contains("waits for executor"))).await?;
    house.stop().await?;
    house.hands.executor().set_unreachable(false);
    house.start().await?;
    house.hands.finish("a", &Act::Well);
    ensure!(house.end(&run).await? == "succeeded", "{}", house.why(&run, None).await?);
    house.check().await
}

/// A house whose collector is first asked what `before` says: false refuses with a full disk, and a panic is a panic.
async fn with_collector(before: impl Fn() -> bool + Send + Sync + Clone + 'static) -> Result<House> {
    let plan = Plan {
        collect: Some(Box::new(move |collect| {
            let before = before.clone();
            Arc::new(move |orders| {
                if before() {
                    return collect(orders);
                }
                let full =
                    |attempt| Collected { attempt, outcome: Err(Refused::Disk("No space left".into())), log_bytes: 0 };
                orders.into_iter().map(|order| full(order.attempt)).collect()
            })
        })),
        ..Plan::default()
    };
    House::with(plan).await
}

#[tokio::test]
async fn a_full_disk_keeps_outputs_waiting_and_they_are_taken_in_when_there_is_room() -> Result<()> {
    let room = Arc::new(AtomicBool::new(false));
    let look = Arc::clone(&room);
    let house = with_collector(move || look.load(Ordering::SeqCst)).await?;
    let run = house.submit(&workflow(TWO), &specimen("S1")).await?;
    house.until("a wait", async |house| Ok(house.why(&run, Some("a")).await?.contains("No space left"))).await?;
    ensure!(house.handle().pulse().borrow().tools == 0, "a tool that has ended takes a slot");
    room.store(true, Ordering::SeqCst);
    ensure!(house.end(&run).await? == "succeeded", "{}", house.why(&run, None).await?);
    ensure!(house.attempts(&run, "a").await?.len() == 1, "it spent an attempt");
    house.check().await
}

#[tokio::test]
async fn a_collector_that_panics_is_asked_again_and_no_run_hangs() -> Result<()> {
    let calls = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&calls);
    let house = with_collector(move || {
        assert!(count.fetch_add(1, Ordering::SeqCst) > 0, "the first time, on purpose");
        true
    })
    .await?;
    let run = house.submit(&workflow(TWO), &specimen("S1")).await?;
    ensure!(house.end(&run).await? == "succeeded", "{}", house.why(&run, None).await?);
    house.check().await
}

/// Hands whose list of what they hold never comes, and whose first attempt panics when it is told to.
struct Deaf {
    hands: ScriptedExecutor,
    asked: Arc<AtomicBool>,
    panics: AtomicBool,
}

impl Executor for Deaf {
    fn name(&self) -> &str {
        "deaf"
    }

    fn kind(&self) -> &'static str {
        "scripted"
    }

    fn needs_image(&self) -> bool {
        false
    }

    fn root(&self, directory: &Path) -> PathBuf {
        directory.to_owned()
    }

    fn run<'a>(&'a self, task: &'a Task) -> BoxFuture<'a, Report> {
        assert!(!self.panics.swap(false, Ordering::SeqCst), "on purpose");
        self.hands.run(task)
    }

    fn stop<'a>(&'a self, task: &'a Task, how: Stop) -> BoxFuture<'a, Result<(), Error>> {
        self.hands.stop(task, how)
    }

    fn held(&self) -> BoxFuture<'_, Result<Vec<Held>, Error>> {
        self.asked.store(true, Ordering::SeqCst);
        Box::pin(std::future::pending())
    }

    fn forget<'a>(&'a self, attempt: &'a str) -> BoxFuture<'a, Result<(), Error>> {
        self.hands.forget(attempt)
    }

    fn resolve<'a>(&'a self, image: &'a str) -> BoxFuture<'a, Result<String, Error>> {
        self.hands.resolve(image)
    }

    fn ping(&self) -> BoxFuture<'_, Result<String, Error>> {
        self.hands.ping()
    }
}

async fn deaf(panics: bool) -> Result<(House, Arc<AtomicBool>)> {
    let mut house = House::open().await?;
    house.stop().await?;
    let asked = Arc::new(AtomicBool::new(false));
    let deaf = Deaf { hands: house.hands.executor(), asked: Arc::clone(&asked), panics: AtomicBool::new(panics) };
    house.plan.executors = Some(vec![Post::plain(Arc::new(deaf))]);
    house.start().await?;
    Ok((house, asked))
}

#[tokio::test]
async fn an_executor_that_does_not_answer_what_it_holds_keeps_nobody_waiting() -> Result<()> {
    let (house, asked) = deaf(false).await?;
    while !asked.load(Ordering::SeqCst) {
        tokio::task::yield_now().await;
    }
    let run = house.submit(&workflow(TWO), &specimen("S1")).await?;
    ensure!(house.end(&run).await? == "succeeded", "{}", house.why(&run, None).await?);
    house.check().await
}

#[tokio::test]
async fn an_executor_that_panics_is_asked_again() -> Result<()> {
    let (house, _) = deaf(true).await?;
    let run = house.submit(&workflow(TWO), &specimen("S1")).await?;
    ensure!(house.end(&run).await? == "succeeded", "{}", house.why(&run, None).await?);
    house.check().await
}

#[tokio::test]
async fn what_an_executor_holds_of_an_attempt_at_its_end_is_ended_and_what_nobody_knows_is_left_alone() -> Result<()> {
    let mut house = House::open().await?;
    let run = house.submit(&workflow(TWO), &specimen("S1")).await?;
    ensure!(house.end(&run).await? == "succeeded");
    let executor = house.hands.executor();
    let mut stranger = house.hands.of("a").remove(0);
    stranger.attempt = "r0stranger-1".into();
    // Its answer never comes: it runs.
    let hands = executor.clone();
    house.hands.plan("stranger", [Act::Wait]);
    stranger.step = "stranger".into();
    let running = tokio::spawn(async move { hands.run(&stranger).await });
    house.until("the stranger", async |house| Ok(house.hands.running() == ["stranger"])).await?;
    house.stop().await?;
    house.start().await?;
    let forgotten = kentai_executors::scripted::Call::Forgot(house.hands.of("a")[0].attempt.clone());
    house.until("what is left of an ended attempt to go", async |_| Ok(executor.calls().contains(&forgotten))).await?;
    ensure!(house.hands.running() == ["stranger"], "what nobody knows was ended");
    running.abort();
    house.check().await
}

/// A small file system of its own; unmounted at the end.
struct Small(tempfile::TempDir);

impl Small {
    fn mount() -> Result<Self> {
        let place = tempfile::tempdir()?;
        let path = place.path().to_string_lossy().into_owned();
        tool("mount", &["-t", "tmpfs", "-o", "size=16m", "tmpfs", &path], Path::new("/"))?;
        Ok(Self(place))
    }

    /// Takes all the room there is.
    fn fill(&self) {
        let filler = self.0.path().join("filler");
        let zeros = vec![0_u8; 1 << 16];
        if let Ok(mut file) = std::fs::File::create(filler) {
            while std::io::Write::write_all(&mut file, &zeros).is_ok() {}
        }
    }
}

impl Drop for Small {
    fn drop(&mut self) {
        let _ = std::process::Command::new("umount").arg("-l").arg(self.0.path()).status();
    }
}

#[tokio::test]
async fn a_database_that_cannot_be_written_is_waited_for_and_nothing_is_lost() -> Result<()> {
    let small = Small::mount()?;
    let mut house = House::open().await?;
    house.stop().await?;
    std::fs::remove_dir_all(house.site())?;
    std::os::unix::fs::symlink(small.0.path(), house.site())?;
    house.start().await?;
    house.hands.plan("a", [Act::Wait]);
    let run = house.submit(&workflow(TWO), &specimen("S1")).await?;
    house.until("the tool", async |house| Ok(house.hands.running() == ["a"])).await?;
    small.fill();
    let commits = house.handle().pulse().borrow().commits;
    // A failure needs no room of its own, only the database's.
    house.hands.finish("a", &Act::Lost);
    let reader = house.handle().reader().clone();
    let who = operator();
    // No answer is the answer: as long as anybody likes, here for a moment.
    let held = house.handle().hold(&run, &who, "x");
    let waited = tokio::time::timeout(std::time::Duration::from_millis(300), held).await;
    ensure!(waited.is_err(), "somebody was answered about what is not stored: {waited:?}");
    ensure!(house.handle().pulse().borrow().commits == commits, "a commit on a full disk");
    ensure!(reader.runs(&RunFilter { limit: 9, ..RunFilter::default() }).await?.len() == 1, "nothing can be read");
    std::fs::remove_file(small.0.path().join("filler"))?;
    house.until("the hold", async |house| Ok(house.run(&run).await?.hold.contains("suzuki"))).await?;
    house.handle().resume(&run, &who).await?;
    ensure!(house.end(&run).await? == "succeeded", "{}", house.why(&run, None).await?);
    ensure!(house.hands.order() == ["a", "a", "b"], "{:?}", house.hands.order());
    house.check().await
}
