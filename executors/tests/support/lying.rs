//! A Slurm that is a story: commands answered from a seed, with latencies, errors and lies, and jobs that keep to the witness's protocol on
//! a real directory. A second of it is a millisecond here.

use std::collections::{BTreeMap, HashMap};
use std::ffi::OsString;
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use kentai_engine::exit_record::{EXIT_RECORD, ExitRecord, START_MARKER, TASK_FILE};
use kentai_engine::port::BoxFuture;
use kentai_executors::slurm::{Call, Commands, Pace, Said};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use tokio::time::Instant;

/// So much of the story's time.
pub(crate) fn millis(count: u64) -> Duration {
    Duration::from_micros(count)
}

/// Slurm's times in it.
pub(crate) fn pace() -> Pace {
    let real = Pace::default();
    Pace {
        between: real.between / 1000,
        between_max: real.between_max / 1000,
        settled: real.settled / 1000,
        refused: real.refused / 1000,
        disk: real.disk / 1000,
    }
}

/// How often, in a thousand, something of this kind goes wrong.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Lies {
    /// A submission is not taken, and `sbatch` knows.
    pub refused_connection: u32,
    /// A submission is taken, and `sbatch` says that it timed out.
    pub taken_but_timed_out: u32,
    /// It is not taken, and `sbatch` says that it timed out.
    pub lost_and_timed_out: u32,
    /// `squeue` fails.
    pub look_fails: u32,
    /// `squeue` leaves a job out.
    pub look_omits: u32,
    /// The controller dies at a look, forgets what is young, and gives out numbers again.
    pub amnesia: u32,
    /// A job's node fails; its processes go on, and write their record late.
    pub node_fails: u32,
    /// Somebody cancels a job.
    pub canceled: u32,
    /// A job is preempted.
    pub preempted: u32,
    /// A job is held before it starts, and released later.
    pub held: u32,
}

impl Lies {
    pub(crate) const MANY: Self = Self {
        refused_connection: 60,
        taken_but_timed_out: 120,
        lost_and_timed_out: 60,
        look_fails: 120,
        look_omits: 50,
        amnesia: 15,
        node_fails: 60,
        canceled: 60,
        preempted: 40,
        held: 40,
    };
}

/// One job.
#[derive(Clone, Debug)]
struct Job {
    id: u32,
    name: String,
    /// Whole cores of two threads.
    granted: u32,
    directory: PathBuf,
    submitted: Instant,
    begins: Instant,
    ends: Instant,
    fate: Fate,
    stage: Stage,
    reason: &'static str,
    /// The controller has forgotten it; its processes go on as they do.
    forgotten: bool,
    /// Its tool was started by it.
    started: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    Well,
    NodeFails,
    Canceled,
    Preempted,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Pending,
    Running,
    Ended(&'static str),
}

struct World {
    random: StdRng,
    lies: Lies,
    jobs: Vec<Job>,
    next: u32,
    /// Starts of tools, by attempt: what no engine can see.
    starts: BTreeMap<String, u32>,
    looks: Vec<Instant>,
    longest_call: usize,
    records_late: Vec<(Instant, PathBuf)>,
}

/// The story; clones tell the same one.
#[derive(Clone)]
pub(crate) struct Lying {
    world: Arc<Mutex<World>>,
}

impl Lying {
    pub(crate) fn new(seed: u64, lies: Lies) -> Self {
        let world = World {
            random: StdRng::seed_from_u64(seed),
            lies,
            jobs: Vec::new(),
            next: 1,
            starts: BTreeMap::new(),
            looks: Vec::new(),
            longest_call: 0,
            records_late: Vec::new(),
        };
        Self { world: Arc::new(Mutex::new(world)) }
    }

    fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().expect("nobody panicked in it")
    }

    /// Lets everything happen that has not yet, whoever still looks.
    pub(crate) fn run_out(&self) {
        let mut world = self.world();
        for job in &mut world.jobs {
            job.reason = "None";
            if job.begins > Instant::now() {
                job.begins = Instant::now();
            }
        }
        world.pass(Instant::now() + millis(1000 * (1_000_000)));
    }

    /// Starts of tools by attempt.
    pub(crate) fn starts(&self) -> BTreeMap<String, u32> {
        self.world().starts.clone()
    }

    /// The shortest time between two looks.
    pub(crate) fn closest_looks(&self) -> Option<Duration> {
        self.world().looks.windows(2).map(|pair| pair[1] - pair[0]).min()
    }

    /// Bytes of the longest call.
    pub(crate) fn longest_call(&self) -> usize {
        self.world().longest_call
    }

    fn answer(&self, call: &Call) -> (Duration, Said) {
        // When it was asked, not when this story has caught up with it.
        let asked = Instant::now();
        let mut world = self.world();
        if call.program == "squeue" {
            world.looks.push(asked);
        }
        world.pass(asked);
        let length = call.args.iter().map(|arg| arg.len() + 1).sum();
        world.longest_call = world.longest_call.max(length);
        let latency = millis(world.random.random_range(5..400));
        match call.program {
            "sbatch" => world.sbatch(&call.args, latency),
            "squeue" => world.squeue(latency),
            "scancel" => (latency, world.scancel(&call.args)),
            "scontrol" => (latency, Said { code: Some(1), err: "Invalid job id specified".into(), ..Said::default() }),
            other => (latency, Said { code: Some(1), err: format!("{other}: not in this story"), ..Said::default() }),
        }
    }
}

impl Commands for Lying {
    fn call(&self, call: Call) -> BoxFuture<'_, io::Result<Said>> {
        Box::pin(async move {
            let (latency, said) = self.answer(&call);
            tokio::time::sleep(latency).await;
            Ok(said)
        })
    }
}

impl World {
    fn chance(&mut self, in_a_thousand: u32) -> bool {
        self.random.random_range(0..1000) < in_a_thousand
    }

    fn sbatch(&mut self, args: &[OsString], latency: Duration) -> (Duration, Said) {
        let failed = |words: &str| Said {
            code: Some(1),
            out: String::new(),
            err: format!("sbatch: error: Batch job submission failed: {words}"),
        };
        let timed_out = "Socket timed out on send/recv operation";
        if self.chance(self.lies.refused_connection) {
            return (millis(9000), failed("Unable to contact slurm controller (connect failure)"));
        }
        if self.chance(self.lies.lost_and_timed_out) {
            return (millis(10000), failed(timed_out));
        }
        let doubtful = self.chance(self.lies.taken_but_timed_out);
        let word = |name: &str| {
            args.iter()
                .filter_map(|arg| arg.to_str())
                .find_map(|arg| arg.strip_prefix(name))
                .unwrap_or_default()
                .to_owned()
        };
        let now = Instant::now();
        let begins = now + millis(self.random.random_range(0..20_000));
        let ends = begins + millis(self.random.random_range(1..30_000));
        let (node_fails, canceled, preempted, held) =
            (self.lies.node_fails, self.lies.canceled, self.lies.preempted, self.lies.held);
        let fate = match self.random.random_range(0..1000) {
            at if at < node_fails => Fate::NodeFails,
            at if at < node_fails + canceled => Fate::Canceled,
            at if at < node_fails + canceled + preempted => Fate::Preempted,
            _ => Fate::Well,
        };
        let is_held = self.chance(held);
        let later = millis(1000 * (if is_held { 60 } else { 0 }));
        let id = self.next;
        self.next += 1;
        self.jobs.push(Job {
            id,
            name: word("--job-name="),
            granted: granted(word("--cpus-per-task=").parse().expect("processors")),
            directory: args.last().expect("the directory").into(),
            submitted: now,
            begins: begins + later,
            ends: ends + later,
            fate,
            stage: Stage::Pending,
            reason: if is_held { "JobHeldAdmin" } else { "None" },
            forgotten: false,
            started: false,
        });
        if doubtful {
            return (millis(10000), failed(timed_out));
        }
        (latency, Said { code: Some(0), out: format!("{id}\n"), err: String::new() })
    }

    fn squeue(&mut self, latency: Duration) -> (Duration, Said) {
        if self.chance(self.lies.amnesia) {
            let young = Instant::now();
            let forgets = |job: &&mut Job| young - job.submitted < millis(5000);
            for job in self.jobs.iter_mut().filter(forgets) {
                job.forgotten = true;
            }
            self.next = self.jobs.iter().filter(|job| !job.forgotten).map(|job| job.id + 1).max().unwrap_or(1);
        }
        if self.chance(self.lies.look_fails) {
            let err = "slurm_load_jobs error: Socket timed out on send/recv operation".to_owned();
            return (millis(10000), Said { code: Some(1), out: String::new(), err });
        }
        let omits = self.lies.look_omits;
        let mut out = String::new();
        for at in 0..self.jobs.len() {
            let omitted = self.chance(omits);
            let job = &self.jobs[at];
            if job.forgotten || omitted {
                continue;
            }
            let state = match job.stage {
                Stage::Pending => "PENDING",
                Stage::Running => "RUNNING",
                Stage::Ended(state) => state,
            };
            out += &format!("{}|{state}|then|n1|{}|{}|{}\n", job.id, job.granted, job.reason, job.name);
        }
        (latency, Said { code: Some(0), out, err: String::new() })
    }

    fn scancel(&mut self, args: &[OsString]) -> Said {
        let name =
            args.iter().filter_map(|arg| arg.to_str()).find_map(|arg| arg.strip_prefix("--name=")).unwrap_or_default();
        for job in self.jobs.iter_mut().filter(|job| job.name == name && !matches!(job.stage, Stage::Ended(_))) {
            job.stage = Stage::Ended("CANCELLED");
        }
        Said { code: Some(0), ..Said::default() }
    }

    /// What happens until `now`.
    fn pass(&mut self, now: Instant) {
        let late: Vec<PathBuf> = {
            let (due, kept) = std::mem::take(&mut self.records_late).into_iter().partition(|(at, _)| *at <= now);
            self.records_late = kept;
            let due: Vec<(Instant, PathBuf)> = due;
            due.into_iter().map(|(_, directory)| directory).collect()
        };
        for directory in late {
            record(&directory);
        }
        for at in 0..self.jobs.len() {
            let job = &mut self.jobs[at];
            if job.stage == Stage::Pending && job.begins <= now {
                job.reason = "None";
                job.stage = Stage::Running;
                // The witness's part: made exclusively, or another came first.
                let marker =
                    std::fs::OpenOptions::new().write(true).create_new(true).open(job.directory.join(START_MARKER));
                if marker.is_err() {
                    job.stage = Stage::Ended("FAILED");
                    continue;
                }
                job.started = true;
                *self.starts.entry(job.name.clone()).or_default() += 1;
            }
            let job = &mut self.jobs[at];
            if job.stage == Stage::Running && job.ends <= now {
                let (state, writes) = match job.fate {
                    Fate::Well => ("COMPLETED", true),
                    Fate::NodeFails => ("NODE_FAIL", false),
                    Fate::Canceled => ("CANCELLED", false),
                    Fate::Preempted => ("PREEMPTED", false),
                };
                job.stage = Stage::Ended(state);
                if writes {
                    record(&job.directory);
                }
                if job.fate == Fate::NodeFails {
                    let ends = job.ends + millis(90000);
                    let directory = job.directory.clone();
                    self.records_late.push((ends, directory));
                }
            }
        }
    }
}

/// What a job has that asks for so many processors.
pub(crate) fn granted(asked: u32) -> u32 {
    asked.next_multiple_of(2)
}

/// The witness's record, as it would write it.
pub(crate) fn record(directory: &std::path::Path) {
    let Ok(task) = std::fs::read(directory.join(TASK_FILE)) else { return };
    let task: HashMap<String, serde_json::Value> = serde_json::from_slice(&task).expect("a task file");
    let text = |name: &str| task[name].as_str().expect("a text").to_owned();
    let record = ExitRecord {
        attempt: text("attempt"),
        nonce: text("nonce"),
        exit_code: Some(0),
        started_us: 1,
        ended_us: 2,
        ..ExitRecord::default()
    };
    let temporary = directory.join("record.new");
    std::fs::write(&temporary, serde_json::to_vec(&record).expect("text")).expect("written");
    std::fs::rename(temporary, directory.join(EXIT_RECORD)).expect("renamed");
}
