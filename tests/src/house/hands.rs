//! Hands that do as a test says, and see what they are asked: which task, when, and how much ran at once.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use kentai_engine::exit_record::ExitRecord;
use kentai_engine::port::executor::{Evidence, Obstacle, Report, Task};
use kentai_executors::scripted::{Call, ScriptedExecutor, exited};
use tokio::sync::watch;

/// What one attempt does.
#[derive(Clone, Debug)]
pub enum Act {
    /// Makes every declared output and ends well.
    Well,
    /// Makes every declared output but this one and ends well.
    Without(&'static str),
    /// Makes these files beneath `work/` and ends well.
    Make(Vec<(&'static str, String)>),
    /// Ends with this exit code.
    Exit(i32),
    /// The kernel kills it for lack of memory, and its shell says 0.
    OutOfMemory,
    /// Its witness ends it at its time limit.
    Timeout,
    /// It never starts: node, daemon, disk.
    NotStarted,
    /// It never starts: no image.
    NoImage,
    /// It is gone without a record.
    Lost,
    /// Its exit record is another attempt's.
    Foreign,
    /// Runs until the test ends it.
    Wait,
}

/// A task that was started.
#[derive(Clone, Debug)]
pub struct Seen {
    /// As it was given.
    pub task: Task,
}

#[derive(Default)]
struct State {
    plans: HashMap<String, VecDeque<Act>>,
    seen: Vec<Seen>,
    waiting: Vec<Task>,
    most: (usize, u32, u64),
}

/// The hands of a house. Clones share everything.
#[derive(Clone)]
pub struct Hands {
    executor: ScriptedExecutor,
    state: Arc<Mutex<State>>,
    changed: watch::Sender<u64>,
}

impl Default for Hands {
    fn default() -> Self {
        Self::new()
    }
}

impl Hands {
    /// Hands with which every attempt ends well, unless told otherwise.
    #[must_use]
    pub fn new() -> Self {
        let state: Arc<Mutex<State>> = Arc::default();
        let (changed, _) = watch::channel(0);
        let (inner, bell) = (Arc::clone(&state), changed.clone());
        let executor = ScriptedExecutor::new(move |task| {
            let report = begin(&mut lock(&inner), task);
            bell.send_modify(|count| *count += 1);
            report
        });
        Self { executor, state, changed }
    }

    /// The executor itself.
    #[must_use]
    pub fn executor(&self) -> ScriptedExecutor {
        self.executor.clone()
    }

    /// What the next attempts of a step do, in order; after them they end well. `step` is a key (`trim/L001`) or a step (`trim`).
    pub fn plan(&self, step: &str, acts: impl IntoIterator<Item = Act>) {
        lock(&self.state).plans.entry(step.to_owned()).or_default().extend(acts);
    }

    /// Every task that was started, in order.
    #[must_use]
    pub fn seen(&self) -> Vec<Seen> {
        lock(&self.state).seen.clone()
    }

    /// Tasks of one step that were started, in order.
    #[must_use]
    pub fn of(&self, step: &str) -> Vec<Task> {
        self.seen().into_iter().map(|seen| seen.task).filter(|task| task.step == step).collect()
    }

    /// Steps in the order in which they were started.
    #[must_use]
    pub fn order(&self) -> Vec<String> {
        self.seen().into_iter().map(|seen| seen.task.step).collect()
    }

    /// Steps that run now.
    #[must_use]
    pub fn running(&self) -> Vec<String> {
        let stopped: Vec<String> = self.calls(|call| match call {
            Call::Stopped(attempt, _) => Some(attempt),
            _ => None,
        });
        let state = lock(&self.state);
        let running = state.waiting.iter().filter(|task| !stopped.contains(&task.attempt));
        running.map(|task| task.step.clone()).collect()
    }

    /// Calls of one kind.
    fn calls(&self, kind: impl Fn(Call) -> Option<String>) -> Vec<String> {
        self.executor.calls().into_iter().filter_map(kind).collect()
    }

    /// The most that ran at once: tools, cores, bytes.
    #[must_use]
    pub fn most(&self) -> (usize, u32, u64) {
        lock(&self.state).most
    }

    /// Ends a running attempt of this step (the oldest) as told.
    ///
    /// # Panics
    /// When none runs.
    pub fn finish(&self, step: &str, act: &Act) {
        let task = {
            let mut state = lock(&self.state);
            let at = state.waiting.iter().position(|task| task.step == step);
            let at = at.unwrap_or_else(|| panic!("no attempt of {step} runs"));
            state.waiting.remove(at)
        };
        if let Some(report) = carry_out(act, &task) {
            self.executor.report(&task.attempt, report);
        }
        self.changed.send_modify(|count| *count += 1);
    }

    /// How often each attempt was started.
    #[must_use]
    pub fn starts(&self) -> BTreeMap<String, usize> {
        let mut starts = BTreeMap::new();
        let started = self.calls(|call| match call {
            Call::Started(attempt) => Some(attempt),
            _ => None,
        });
        for attempt in started {
            *starts.entry(attempt).or_insert(0) += 1;
        }
        starts
    }

    /// Changes whenever an attempt is started or ended by the test.
    #[must_use]
    pub fn changed(&self) -> watch::Receiver<u64> {
        self.changed.subscribe()
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

fn begin(state: &mut State, task: &Task) -> Option<Report> {
    state.seen.push(Seen { task: task.clone() });
    let step = task.step.split('/').next().unwrap_or_default();
    let act = [task.step.as_str(), step]
        .into_iter()
        .find_map(|name| state.plans.get_mut(name)?.pop_front())
        .unwrap_or(Act::Well);
    let running = state.waiting.iter().chain([task]);
    let now = running.fold((0, 0, 0), |sum, task| (sum.0 + 1, sum.1 + task.cpus, sum.2 + task.memory_bytes));
    state.most = (state.most.0.max(now.0), state.most.1.max(now.1), state.most.2.max(now.2));
    if matches!(act, Act::Wait) {
        state.waiting.push(task.clone());
        return None;
    }
    carry_out(&act, task)
}

/// Does what an attempt does, on disk too; gives its report.
fn carry_out(act: &Act, task: &Task) -> Option<Report> {
    Some(match act {
        Act::Well => made(task, ""),
        Act::Without(output) => made(task, output),
        Act::Make(files) => {
            std::fs::create_dir_all(task.directory.join("work")).expect("the attempt's directory is ours");
            for (name, text) in files {
                write(&task.directory.join("work").join(name), text);
            }
            exited(task, 0)
        }
        Act::Exit(code) => exited(task, *code),
        Act::OutOfMemory => with(task, |record| record.oom_kills = 1),
        Act::Timeout => with(task, |record| {
            record.timed_out = true;
            record.exit_code = None;
            record.signal = Some(15);
        }),
        Act::NotStarted => Report::NotStarted(Obstacle::Infrastructure, "the node is down".into()),
        Act::NoImage => Report::NotStarted(Obstacle::Image, "no such image".into()),
        Act::Lost => Report::Lost("gone".into()),
        Act::Foreign => with(task, |record| record.nonce = "another's".into()),
        Act::Wait => return None,
    })
}

fn made(task: &Task, without: &str) -> Report {
    for (name, path) in &task.env {
        let Some(output) = name.strip_prefix("out_").filter(|output| *output != without) else { continue };
        // A pattern names no file: tests that have one say what is made.
        if !path.contains('*') {
            write(std::path::Path::new(path), &format!("{} {output} of {}\n", task.step, task.attempt));
        }
    }
    exited(task, 0)
}

fn write(path: &std::path::Path, text: &str) {
    let directory = path.parent().expect("outputs lie in a directory");
    std::fs::create_dir_all(directory)
        .and_then(|()| std::fs::write(path, text))
        .expect("the attempt's directory is ours");
}

fn with(task: &Task, change: impl FnOnce(&mut ExitRecord)) -> Report {
    let mut record = ExitRecord {
        attempt: task.attempt.clone(),
        nonce: task.nonce.clone(),
        exit_code: Some(0),
        started_us: 1,
        ended_us: 2,
        ..ExitRecord::default()
    };
    change(&mut record);
    Report::Exited(Evidence { record: Some(record), ..Evidence::default() })
}
