//! A Slurm whose every answer a test writes, and what a node would leave on disk: for what the real one does too rarely to wait for.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use kentai_engine::exit_record::START_MARKER;
use kentai_engine::port::BoxFuture;
use kentai_engine::port::executor::{Executor, Report, Task};
use kentai_executors::slurm::{Call, Commands, Options, Pace, Said, SlurmExecutor};
use sha2::{Digest, Sha256};
use tokio::sync::Notify;

use super::house::House;
use super::lying::record;
use super::slurm::options;

/// What a call comes to.
pub(crate) enum Says {
    /// This, at once.
    Now(Said),
    /// This, after some of the story's time.
    After(Duration, Said),
    /// This, once the story has come so far.
    Once(Arc<Notify>, Said),
    /// Nothing: whoever asked is gone before it is answered.
    Never,
}

/// A program that went well and printed this.
pub(crate) fn printed(out: &str) -> Says {
    Says::Now(Said { code: Some(0), out: out.into(), err: String::new() })
}

/// A program that failed and said this.
pub(crate) fn failed(err: &str) -> Says {
    Says::Now(Said { code: Some(1), out: String::new(), err: err.into() })
}

/// `sbatch` does not know whether it was heard.
pub(crate) fn in_doubt() -> Says {
    failed("sbatch: error: Batch job submission failed: Socket timed out on send/recv operation")
}

type Answers = dyn FnMut(&Call, usize) -> Says + Send;

/// What was asked.
#[derive(Default)]
struct Asked {
    calls: Vec<(Instant, Call)>,
    submitting: usize,
    most_submitting: usize,
}

/// The story; clones tell the same one.
#[derive(Clone)]
pub(crate) struct Told {
    answers: Arc<Mutex<Answers>>,
    asked: Arc<Mutex<Asked>>,
}

impl Told {
    /// Answers each call; the number counts the earlier calls of the same program.
    pub(crate) fn new(answers: impl FnMut(&Call, usize) -> Says + Send + 'static) -> Self {
        Self { answers: Arc::new(Mutex::new(answers)), asked: Arc::default() }
    }

    fn asked(&self) -> MutexGuard<'_, Asked> {
        self.asked.lock().expect("nobody panicked in it")
    }

    /// The arguments of each call of a program.
    pub(crate) fn calls(&self, program: &str) -> Vec<Vec<String>> {
        let text = |call: &Call| call.args.iter().map(|arg| arg.to_string_lossy().into_owned()).collect();
        self.asked().calls.iter().filter(|(_, call)| call.program == program).map(|(_, call)| text(call)).collect()
    }

    /// When a program was called.
    pub(crate) fn times(&self, program: &str) -> Vec<Instant> {
        self.asked().calls.iter().filter(|(_, call)| call.program == program).map(|(at, _)| *at).collect()
    }

    /// The most submissions that waited for an answer at one time.
    pub(crate) fn most_submitting(&self) -> usize {
        self.asked().most_submitting
    }
}

impl Commands for Told {
    fn call(&self, call: Call) -> BoxFuture<'_, io::Result<Said>> {
        Box::pin(async move {
            let submits = call.program == "sbatch";
            let earlier = {
                let mut asked = self.asked();
                let earlier = asked.calls.iter().filter(|(_, other)| other.program == call.program).count();
                asked.calls.push((Instant::now(), call.clone()));
                asked.submitting += usize::from(submits);
                asked.most_submitting = asked.most_submitting.max(asked.submitting);
                earlier
            };
            let says = self.answers.lock().expect("nobody panicked in it")(&call, earlier);
            let said = match says {
                Says::Now(said) => said,
                Says::After(latency, said) => {
                    tokio::time::sleep(latency).await;
                    said
                }
                Says::Once(far, said) => {
                    far.notified().await;
                    said
                }
                Says::Never => std::future::pending().await,
            };
            self.asked().submitting -= usize::from(submits);
            Ok(said)
        })
    }
}

/// Slurm's times in such a story: everything that is waited for is over soon, and nothing is looked at without end.
pub(crate) fn quick() -> Pace {
    let short = Duration::from_millis(2);
    Pace { between: short, between_max: short, settled: short, refused: short, disk: short }
}

/// A new engine's executor, which knows nothing but what lies on disk.
pub(crate) fn hands(house: &House, told: &Told, change: impl FnOnce(&mut Options)) -> SlurmExecutor {
    let binary = house.path("program");
    if !binary.exists() {
        std::fs::write(&binary, "nobody runs it").expect("written");
    }
    let mut options = Options {
        binary,
        pace: quick(),
        visibility: Duration::from_millis(50),
        ..options(&house.site, house.directory.path())
    };
    change(&mut options);
    SlurmExecutor::new(options, Arc::new(told.clone())).expect("an executor")
}

/// Asks until it is decided, as the engine does.
pub(crate) async fn to_the_end(hands: &SlurmExecutor, task: &Task) -> Report {
    loop {
        match hands.run(task).await {
            Report::Waits(_) | Report::Unreachable(_) => {}
            decided => return decided,
        }
    }
}

/// The name of an attempt's job.
pub(crate) fn job(house: &House, task: &Task) -> String {
    format!("kentai-{}-{}", house.site, task.attempt)
}

/// A line of `squeue`.
pub(crate) fn line(id: u32, state: &str, job: &str) -> String {
    format!("{id}|{state}|2026-11-26T12:00:00|n1|1|None|{job}\n")
}

/// A witness on a node starts the tool.
pub(crate) fn starts(task: &Task) {
    std::fs::write(task.directory.join(START_MARKER), "7 1 of-another-machine\n").expect("written");
}

/// It ends well, and leaves these files beneath `work/` as listed, whether they are seen here or not.
pub(crate) fn ends(task: &Task, files: &[(&str, &str)]) {
    let listed = |(name, text): &(&str, &str)| {
        let sum = Sha256::digest(text).iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        format!("\"{name}\":{{\"size\":{},\"sha256\":\"{sum}\"}}", text.len())
    };
    let files = files.iter().map(listed).collect::<Vec<_>>().join(",");
    std::fs::write(task.directory.join("outputs.json"), format!("{{\"files\":{{{files}}}}}")).expect("written");
    record(&task.directory);
}

/// A house and one task of it.
pub(crate) fn setting() -> (House, Task, String) {
    let house = House::process();
    let task = house.shell("true");
    let name = job(&house, &task);
    (house, task, name)
}

/// The job runs and ends well within one look.
pub(crate) fn runs(task: &Task, name: &str) -> Says {
    starts(task);
    ends(task, &[]);
    printed(&line(7, "COMPLETED", name))
}
