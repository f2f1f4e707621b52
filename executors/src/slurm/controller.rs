//! Talking to Slurm's controller: at most one look a second whatever the number of jobs, few submissions at once, and nothing believed
//! that was not said. It does not know tasks.

use std::collections::HashMap;
use std::ffi::OsString;
use std::hash::{BuildHasher, RandomState};
use std::sync::{Arc, Mutex as Lock, PoisonError};
use std::time::Duration;

use kentai_engine::port::executor::Error;
use tokio::sync::{Mutex, Semaphore};
use tokio::time::Instant;

use super::Pace;
use super::answer::{self, Row, Rows, Submitted};
use super::commands::{Call, Commands, Said};

/// Submissions at once: one that hangs holds up no other, and more make all of it slower: with four, jobs came in crowds, and Slurm's own
/// processes on their nodes cost a quarter more of the processor (`scripts/bench slurm`: 1.2 to 1.4 of a loop's time, with two 1.1).
const SUBMISSIONS: usize = 2;
/// Slurm's programs give up after 10 to 20 s themselves; `sbatch` waits longer while a queue is full.
const PATIENCE: Duration = Duration::from_secs(60);
/// Bytes of an error that are shown.
const SHOWN: usize = 400;

/// What the last answered look saw, and how it stands since.
#[derive(Clone, Debug)]
pub(super) struct Sight {
    /// Counts the looks that were answered.
    pub number: u64,
    /// When the answer was asked for.
    pub asked: Instant,
    /// Jobs of this site by attempt.
    rows: Arc<Rows>,
    /// Looks since that were not answered, and what was said.
    pub away: Option<(u32, String)>,
}

impl Sight {
    /// The jobs of an attempt.
    pub(super) fn of(&self, attempt: &str) -> &[Row] {
        self.rows.get(attempt).map_or(&[], Vec::as_slice)
    }

    /// All.
    pub(super) fn all(&self) -> &HashMap<String, Vec<Row>> {
        &self.rows
    }
}

/// The controller as this site's engine sees it.
pub(super) struct Controller {
    commands: Arc<dyn Commands>,
    /// The executor's name, for errors.
    name: String,
    prefix: String,
    user: String,
    /// `sacct` answers here: what the controller has forgotten is asked there.
    accounting: bool,
    sight: Lock<Sight>,
    looking: Mutex<Looking>,
    pace: Pace,
    submissions: Semaphore,
}

#[derive(Debug)]
struct Looking {
    next: Option<Instant>,
    misses: u32,
    jitter: RandomState,
}

impl Controller {
    pub(super) fn new(commands: Arc<dyn Commands>, name: &str, prefix: String, accounting: bool, pace: Pace) -> Self {
        Self {
            commands,
            name: name.to_owned(),
            prefix,
            user: rustix::process::getuid().as_raw().to_string(),
            accounting,
            sight: Lock::new(Sight { number: 0, asked: Instant::now(), rows: Arc::default(), away: None }),
            looking: Mutex::new(Looking { next: None, misses: 0, jitter: RandomState::new() }),
            pace,
            submissions: Semaphore::new(SUBMISSIONS),
        }
    }

    /// The job's name of an attempt.
    pub(super) fn job(&self, attempt: &str) -> String {
        format!("{}{attempt}", self.prefix)
    }

    /// What was seen last.
    pub(super) fn last(&self) -> Sight {
        self.sight.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Waits for a look newer than the one seen: another answer, or a failure more. Whoever comes first looks for all.
    pub(super) async fn newer(&self, than: &Sight) -> Sight {
        let misses = |sight: &Sight| sight.away.as_ref().map_or(0, |(count, _)| *count);
        let mut looking = self.looking.lock().await;
        let last = self.last();
        if last.number > than.number || misses(&last) != misses(than) {
            return last;
        }
        if let Some(next) = looking.next {
            tokio::time::sleep_until(next).await;
        }
        self.look(&mut looking).await
    }

    /// A look that was asked for after this call.
    pub(super) async fn now(&self) -> Sight {
        let called = Instant::now();
        let mut looking = self.looking.lock().await;
        let last = self.last();
        if last.number > 0 && last.away.is_none() && last.asked >= called {
            return last;
        }
        if let Some(next) = looking.next {
            tokio::time::sleep_until(next).await;
        }
        self.look(&mut looking).await
    }

    async fn look(&self, looking: &mut Looking) -> Sight {
        let asked = Instant::now();
        let args = ["-h", "-t", "all", "-u", &self.user, "-o", answer::SQUEUE_FORMAT];
        let said = self.call("squeue", args.map(OsString::from).to_vec()).await;
        let mut sight = self.last();
        match said {
            Ok(said) if said.code == Some(0) => {
                looking.misses = 0;
                let rows = Arc::new(answer::squeue(&said.out, &self.prefix));
                sight = Sight { number: sight.number + 1, asked, rows, away: None };
            }
            Ok(said) => {
                looking.misses += 1;
                sight.away = Some((looking.misses, shown(&answer::words(&said.err))));
            }
            Err(error) => {
                looking.misses += 1;
                sight.away = Some((looking.misses, format!("squeue cannot be called: {error}")));
            }
        }
        looking.next = Some(asked + self.pause(looking));
        *self.sight.lock().unwrap_or_else(PoisonError::into_inner) = sight.clone();
        sight
    }

    /// Submits a job; `args` are those of `sbatch`.
    pub(super) async fn submit(&self, args: Vec<OsString>) -> Submitted {
        let Ok(_turn) = self.submissions.acquire().await else { return Submitted::Not("the engine ends".into()) };
        match self.call("sbatch", args).await {
            Ok(said) => match answer::submitted(&said) {
                Submitted::Refused(words) => Submitted::Refused(shown(&words)),
                Submitted::Unknown(words) => Submitted::Unknown(shown(&words)),
                other => other,
            },
            Err(error) => Submitted::Not(format!("sbatch cannot be called: {error}")),
        }
    }

    /// Sends a signal to an attempt's running jobs (to the script alone, which passes it on), and takes those that wait out of the queue.
    pub(super) async fn ask_to_end(&self, attempt: &str) -> Result<(), Error> {
        let job = self.job(attempt);
        let running = ["--batch", "--signal=TERM", "--state=RUNNING"];
        self.cancel(&job, &running).await?;
        self.cancel(&job, &["--state=PENDING"]).await?;
        self.cancel(&job, &["--state=SUSPENDED"]).await
    }

    /// Cancels an attempt's jobs: SIGTERM, and SIGKILL after the cluster's own wait.
    pub(super) async fn kill(&self, attempt: &str) -> Result<(), Error> {
        self.cancel(&self.job(attempt), &[]).await
    }

    /// By name: a number may be another job's by now.
    async fn cancel(&self, job: &str, how: &[&str]) -> Result<(), Error> {
        let mut args: Vec<OsString> = how.iter().map(OsString::from).collect();
        args.push(format!("--user={}", self.user).into());
        args.push(format!("--name={job}").into());
        // Nothing to cancel is success; so is what has ended already.
        self.asked("scancel", args).await.map(drop)
    }

    /// What accounting knows of an attempt whose jobs the controller has forgotten; nothing where there is none.
    pub(super) async fn accounted(&self, attempt: &str) -> Result<Vec<Row>, Error> {
        if !self.accounting {
            return Ok(Vec::new());
        }
        let name = format!("--name={}", self.job(attempt));
        let format = format!("--format={}", answer::SACCT_FORMAT);
        let args = ["-n", "-P", "-X", "-S", "now-30days", &name, &format];
        let said = self.asked("sacct", args.map(OsString::from).to_vec()).await?;
        Ok(answer::sacct(&said.out, &self.prefix).remove(attempt).unwrap_or_default())
    }

    /// The exit code (`<code>:<signal>`) of this very job; none when the controller has forgotten it, or means another by the number.
    pub(super) async fn exit_code(&self, attempt: &str, row: &Row) -> Option<String> {
        let args = ["-o", "show", "job", &row.id].map(OsString::from).to_vec();
        let said = self.asked("scontrol", args).await.ok()?;
        let field = |name: &str| said.out.split_ascii_whitespace().find_map(|word| word.strip_prefix(name));
        let same = field("JobName=") == Some(&self.job(attempt)) && field("SubmitTime=") == Some(&row.submitted);
        same.then(|| field("ExitCode=").map(str::to_owned)).flatten()
    }

    /// Does the controller answer? At once, unlike every other question.
    pub(super) async fn ping(&self) -> Result<(), Error> {
        let said =
            self.call("scontrol", vec!["ping".into()]).await.map_err(|error| self.no_program("scontrol", &error))?;
        if said.out.contains("is UP") {
            return Ok(());
        }
        let words = answer::words(&format!("{}\n{}", said.out, said.err));
        Err(self.unreachable(format!("its controller does not answer: {}", shown(&words))))
    }

    /// Its version.
    pub(super) async fn version(&self) -> Result<String, Error> {
        Ok(self.asked("sinfo", vec!["--version".into()]).await?.out.trim().to_owned())
    }

    /// The partitions that there are, the default one with a star; each with whether it is up.
    pub(super) async fn partitions(&self) -> Result<Vec<(String, bool)>, Error> {
        let said = self.asked("sinfo", ["-h", "-o", "%P|%a"].map(OsString::from).to_vec()).await?;
        let lines = said.out.lines().filter_map(|line| line.split_once('|'));
        Ok(lines.map(|(name, state)| (name.to_owned(), state == "up")).collect())
    }

    /// Another program of the center (a container runtime), called in the same way.
    pub(super) async fn asked(&self, program: &'static str, args: Vec<OsString>) -> Result<Said, Error> {
        match self.call(program, args).await {
            Ok(said) if said.code == Some(0) => Ok(said),
            Ok(said) => Err(self.unreachable(format!("{program}: {}", shown(&answer::words(&said.err))))),
            Err(error) => Err(self.no_program(program, &error)),
        }
    }

    async fn call(&self, program: &'static str, args: Vec<OsString>) -> std::io::Result<Said> {
        self.commands.call(Call { program, args, patience: PATIENCE }).await
    }

    fn no_program(&self, program: &str, error: &std::io::Error) -> Error {
        self.unreachable(format!(
            "{program} cannot be called ({error}); install Slurm's client programs, or name their folder in `commands:`"
        ))
    }

    /// Doubles with every miss, and is never quite the same: engines that lost one controller must not come back as one.
    fn pause(&self, looking: &Looking) -> Duration {
        if looking.misses == 0 {
            return self.pace.between;
        }
        // Never sooner than after a look that was answered, whatever the two say.
        let longest = self.pace.between_max.max(self.pace.between);
        let pause = self.pace.between.saturating_mul(1 << looking.misses.min(5)).min(longest);
        pause + pause.mul_f64((looking.jitter.hash_one(looking.misses) % 256) as f64 / 1024.0)
    }

    pub(super) fn unreachable(&self, reason: String) -> Error {
        Error::Unreachable { executor: self.name.clone(), reason }
    }
}

fn shown(words: &str) -> String {
    match words.char_indices().nth(SHOWN) {
        Some((at, _)) => format!("{}…", &words[..at]),
        None => words.to_owned(),
    }
}
