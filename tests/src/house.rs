//! A whole house on a temporary directory with scripted hands: the real engine, the real store, collector and courier, and an
//! executor that does as a test says.
//!
//! It waits for the engine's pulse and for what the hands see, never for the clock. It does not know what a test is about.

mod check;
mod engines;
mod hands;
mod shapes;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use kentai_engine::clock::Clock;
use kentai_engine::decide::admit::Request;
use kentai_engine::decide::retry::Budgets;
use kentai_engine::id::RunId;
use kentai_engine::port::collect::Collect;
use kentai_engine::port::courier::Courier;
use kentai_engine::scheduler::handle::{Answer, AnswerKind, Handle, Refusal, Submit, Submitted};
use kentai_engine::scheduler::{Options, Post, Running, Subscriber, Target, start};
use kentai_engine::store::artifact::ArtifactStore;
use kentai_engine::store::pool::Pool;
use kentai_engine::store::read::Reader;
use kentai_engine::store::rows;
use kentai_executors::collect::Collector;
use kentai_executors::courier::directory::DirectoryCourier;
use kentai_workflows::plan::Specimen;
use kentai_workflows::site::Site;

pub use hands::{Act, Hands, Seen};
pub use shapes::{file, lanes, operator, person, sha256, specimen, workflow};

use crate::tool;

/// Nothing in these tests takes so long; the limit only turns a hang into a failure.
const PATIENCE: Duration = Duration::from_secs(30);

/// What a house is like before it is opened.
pub struct Plan {
    /// Tools at once.
    pub slots: usize,
    /// The resource book.
    pub resources: Request,
    /// Escalation of memory stops here.
    pub memory_max: u64,
    /// What the site pays for.
    pub budgets: Budgets,
    /// The target `outbox` needs this consent.
    pub consent_use: Option<String>,
    /// Beside `outbox`.
    pub targets: BTreeMap<String, Target>,
    /// Instead of the directory courier of `outbox`.
    pub courier: Option<Arc<dyn Courier>>,
    /// Instead of the hands.
    pub executors: Option<Vec<Post>>,
    /// The first takes every step.
    pub chosen: bool,
    /// Who gets notices.
    pub subscribers: Vec<Subscriber>,
    /// Whose time it goes by.
    pub clock: Clock,
    /// Start nothing, only answer.
    pub drain: bool,
    /// What stands before the collector.
    pub collect: Option<Box<dyn Fn(Collect) -> Collect + Send + Sync>>,
}

impl Default for Plan {
    fn default() -> Self {
        Self {
            slots: 4,
            resources: Request::default(),
            memory_max: 0,
            budgets: Budgets { infrastructure: 1, preempted: 1, image: 1, lost: 1 },
            consent_use: None,
            targets: BTreeMap::new(),
            courier: None,
            executors: None,
            chosen: false,
            subscribers: Vec::new(),
            clock: Clock::Machine,
            drain: false,
            collect: None,
        }
    }
}

/// A house with an engine in it, or without one between two engines.
pub struct House {
    /// The site's and everything beside it.
    pub directory: tempfile::TempDir,
    /// The hands; the same for every engine.
    pub hands: Hands,
    /// Other workflows, by the name that `call` uses: path and text.
    pub called: BTreeMap<String, (String, String)>,
    /// May be changed while no engine runs.
    pub plan: Plan,
    running: Option<Running>,
}

impl House {
    /// A house with its engine running.
    ///
    /// # Errors
    /// When it cannot start.
    pub async fn open() -> Result<Self> {
        Self::with(Plan::default()).await
    }

    /// A house built to this plan, its engine running.
    ///
    /// # Errors
    /// When it cannot start.
    pub async fn with(plan: Plan) -> Result<Self> {
        let directory = tempfile::tempdir()?;
        std::fs::create_dir(directory.path().join("outbox"))?;
        let mut house = Self { directory, hands: Hands::new(), called: BTreeMap::new(), plan, running: None };
        house.start().await?;
        Ok(house)
    }

    /// The site's directory.
    #[must_use]
    pub fn site(&self) -> PathBuf {
        self.directory.path().join("site")
    }

    /// Where `outbox` delivers to.
    #[must_use]
    pub fn outbox(&self) -> PathBuf {
        self.directory.path().join("outbox")
    }

    fn options(&self) -> Result<Options> {
        let outbox = self.plan.courier.clone();
        let outbox = outbox.unwrap_or_else(|| Arc::new(DirectoryCourier::new("outbox", self.outbox())));
        let target = Target { consent_use: self.plan.consent_use.clone(), ..Target::carried(outbox) };
        let collect = Collector::new(ArtifactStore::open(&self.site())?).into_collect();
        let executors = self.plan.executors.clone();
        Ok(Options {
            site: "house".into(),
            directory: self.site(),
            executors: executors.unwrap_or_else(|| vec![Post::plain(Arc::new(self.hands.executor()))]),
            chosen: self.plan.chosen,
            collect: self.plan.collect.as_ref().map_or_else(|| Arc::clone(&collect), |wrap| wrap(Arc::clone(&collect))),
            targets: self.plan.targets.clone().into_iter().chain([("outbox".to_owned(), target)]).collect(),
            subscribers: self.plan.subscribers.clone(),
            facts: Arc::new(Site::default),
            resources: self.plan.resources,
            slots: self.plan.slots,
            memory_max_per_step: self.plan.memory_max,
            timeout_max_s: 0,
            budgets: self.plan.budgets,
            keep_attempts_s: 0,
            clock: self.plan.clock.clone(),
            drain: self.plan.drain,
        })
    }

    /// Starts the engine.
    ///
    /// # Errors
    /// When it cannot start.
    pub async fn start(&mut self) -> Result<()> {
        std::fs::create_dir_all(self.site())?;
        self.running = Some(start(self.options()?).await?);
        Ok(())
    }

    /// Ends the engine; what was under way is lost but for what is stored.
    ///
    /// # Errors
    /// What ended it before.
    pub async fn stop(&mut self) -> Result<()> {
        match self.running.take() {
            Some(running) => Ok(running.stop().await?),
            None => Ok(()),
        }
    }

    /// Asks (or changes) the database through SQLite's own program.
    ///
    /// # Errors
    /// When it refuses.
    pub fn sql(&self, sql: &str) -> Result<String> {
        let database = self.site().join("kentai.db").to_string_lossy().into_owned();
        Ok(tool("sqlite3", &["-cmd", ".timeout 10000", &database, sql], Path::new("/"))?.trim().to_owned())
    }

    /// The way in.
    ///
    /// # Panics
    /// When no engine runs.
    #[must_use]
    pub fn handle(&self) -> &Handle {
        &self.running.as_ref().expect("an engine runs").handle
    }

    /// A submission of this workflow for these specimens.
    #[must_use]
    pub fn request(&self, source: &str, specimens: &[Specimen]) -> Submit {
        Submit {
            path: "test.yaml".into(),
            source: source.to_owned(),
            called: self.called.clone(),
            specimens: specimens.iter().map(|specimen| (specimen.clone(), String::new())).collect(),
            params: BTreeMap::new(),
        }
    }

    /// Submits a workflow for many specimens.
    ///
    /// # Errors
    /// When it is refused; every mistake is said.
    pub async fn submit_all(&self, source: &str, specimens: &[Specimen]) -> Result<Submitted> {
        match self.handle().submit(self.request(source, specimens), &operator()).await {
            Err(Refusal::Check { diagnostics, .. }) => {
                let said: Vec<String> =
                    diagnostics.iter().map(|found| format!("{}: {}", found.code, found.message.en)).collect();
                bail!("the workflow has mistakes:\n{}\n{source}", said.join("\n"))
            }
            other => Ok(other?),
        }
    }

    /// Submits a workflow for one specimen.
    ///
    /// # Errors
    /// When it is refused.
    pub async fn submit(&self, source: &str, specimen: &Specimen) -> Result<RunId> {
        let submitted = self.submit_all(source, std::slice::from_ref(specimen)).await?;
        submitted.runs.first().cloned().context("a submission has a run")
    }

    /// Waits, looking again whenever the engine commits or the hands see something.
    ///
    /// # Errors
    /// When it does not become true.
    pub async fn until(&self, what: &str, mut holds: impl AsyncFnMut(&Self) -> Result<bool>) -> Result<()> {
        let mut pulse = self.handle().pulse();
        let (mut hands, mut calls) = (self.hands.changed(), self.hands.executor().called());
        let look = async {
            loop {
                pulse.mark_unchanged();
                hands.mark_unchanged();
                calls.mark_unchanged();
                if holds(self).await? {
                    return Ok::<(), anyhow::Error>(());
                }
                tokio::select! {
                    felt = pulse.changed() => felt.with_context(|| format!("the engine ended before: {what}"))?,
                    felt = hands.changed() => felt?,
                    felt = calls.changed() => felt?,
                }
            }
        };
        match tokio::time::timeout(PATIENCE, look).await {
            Ok(result) => result,
            Err(_) => bail!("waited too long for: {what}\n{}", self.describe()),
        }
    }

    /// Everything about open runs, for people who read a failure.
    fn describe(&self) -> String {
        let steps = "select run_id, step_key, status, detail from step where status not in ('succeeded', 'skipped')";
        let runs = "select run_id, status, hold, version from run";
        [runs, steps].map(|sql| self.sql(sql).unwrap_or_default()).join("\n")
    }

    /// Waits until every run is at its end or waits for people.
    ///
    /// # Errors
    /// When the house does not come to rest.
    pub async fn rest(&self) -> Result<()> {
        self.until("rest", async |house| Ok(house.handle().pulse().borrow().active == 0)).await
    }

    /// Waits for a run's end; gives its status.
    ///
    /// # Errors
    /// When it does not end.
    pub async fn end(&self, run: &RunId) -> Result<String> {
        let ended = ["succeeded", "failed", "canceled"];
        self.until(&format!("the end of {run}"), async |house| {
            Ok(ended.contains(&house.run(run).await?.status.as_str()))
        })
        .await?;
        Ok(self.run(run).await?.status)
    }

    /// Waits until a step has this status.
    ///
    /// # Errors
    /// When it never has.
    pub async fn step_is(&self, run: &RunId, key: &str, status: &str) -> Result<()> {
        let what = format!("{key} to be {status}");
        self.until(&what, async |house| Ok(house.step(run, key).await.is_ok_and(|step| step.status == status))).await
    }

    /// A run's row.
    ///
    /// # Errors
    /// When there is none.
    pub async fn run(&self, run: &RunId) -> Result<rows::Run> {
        self.handle().reader().run(run.as_str()).await?.context("no such run")
    }

    /// A step's row.
    ///
    /// # Errors
    /// When there is none.
    pub async fn step(&self, run: &RunId, key: &str) -> Result<rows::Step> {
        let steps = self.handle().reader().steps(run.as_str()).await?;
        steps.into_iter().find(|step| step.step_key.as_str() == key).with_context(|| format!("no step {key}"))
    }

    /// Attempts of one step, oldest first.
    ///
    /// # Errors
    /// When they cannot be read.
    pub async fn attempts(&self, run: &RunId, key: &str) -> Result<Vec<rows::Attempt>> {
        let mut attempts = self.handle().reader().attempts(run.as_str()).await?;
        attempts.retain(|attempt| attempt.step_key.as_str() == key);
        Ok(attempts)
    }

    /// Everything that `why` says about a run (or one step), in one text.
    ///
    /// # Errors
    /// When there is no such run.
    pub async fn why(&self, run: &RunId, step: Option<&str>) -> Result<String> {
        let because = self.handle().why(run, step).await?;
        let lines = because.iter().map(|one| format!("{} {}: {} [{}]", one.step, one.status, one.reason, one.next));
        Ok(lines.collect::<Vec<_>>().join("\n"))
    }

    /// Answers a question as `name`, who has `role`.
    ///
    /// # Errors
    /// When the engine refuses.
    pub async fn answer(
        &self,
        run: &RunId,
        step: &str,
        who: (&str, &str),
        kind: AnswerKind,
        verdict: &str,
    ) -> Result<String, Refusal> {
        let answer = Answer { kind, verdict: verdict.into(), reason: "seen".into() };
        self.handle().answer(run, step, &person(who.0, who.1), answer).await
    }

    /// The text of a file output that a step made.
    ///
    /// # Errors
    /// When it made none.
    pub async fn output(&self, run: &RunId, key: &str, name: &str) -> Result<String> {
        let step = self.step(run, key).await?;
        let outputs: serde_json::Value = serde_json::from_str(&step.outputs)?;
        let path =
            outputs[name]["$file"]["path"].as_str().with_context(|| format!("{key} made no {name}: {outputs}"))?;
        Ok(std::fs::read_to_string(path)?)
    }

    /// Every invariant of every run, and that no attempt was started twice; ends the engine.
    ///
    /// # Errors
    /// The first that does not hold.
    pub async fn check(mut self) -> Result<()> {
        // Read from a house that stands still: several queries of a moving one see several moments.
        let site = self.site();
        self.stop().await?;
        let reader = Reader::new(Pool::open_read_only(&site.join("kentai.db")).await?);
        check::every_run(&reader, &site).await?;
        for (attempt, times) in self.hands.starts() {
            ensure!(times == 1, "{attempt} was started {times} times");
        }
        Ok(())
    }
}
