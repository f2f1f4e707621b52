//! Hands of a demonstration: they run nothing. Whoever tells a story ends each attempt when and as the story wants it; where nobody
//! tells one, what an earlier engine left running stays as it is, and what is new ends well after a moment.
//!
//! The files that an attempt is said to have made are written here, tiny and the same for the same specimen. What a run is, and what its
//! values mean, is not known.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use kentai_engine::exit_record::{ExitRecord, LOG_FILE, START_MARKER};
use kentai_engine::port::BoxFuture;
use kentai_engine::port::executor::{Error, Evidence, Executor, Held, Obstacle, Report, Stop, Task};
use tokio::sync::watch;

/// How long what nobody tells of takes.
const MOMENT: Duration = Duration::from_millis(500);
/// Shards of a list that a tool makes.
const SHARDS: usize = 4;

/// Values that every check of a demonstration is content with; a JSON output holds them.
pub const GOOD_VALUES: [(&str, f64); 4] =
    [("q30", 0.93), ("depth", 32.6), ("contamination", 0.003), ("insert_size", 431.0)];

/// Hands that run nothing. Clones share everything.
#[derive(Clone)]
pub struct PretendExecutor {
    name: String,
    told: bool,
    state: Arc<Mutex<State>>,
    changed: watch::Sender<u64>,
}

#[derive(Default)]
struct State {
    /// Started, not forgotten.
    attempts: BTreeMap<String, watch::Sender<Option<Report>>>,
    /// Started since somebody asked.
    begun: Vec<Task>,
    /// Started, not ended.
    open: usize,
}

impl PretendExecutor {
    /// Hands whose attempts end when they are told to.
    #[must_use]
    pub fn told(name: impl Into<String>) -> Self {
        Self { name: name.into(), told: true, state: Arc::default(), changed: watch::Sender::new(0) }
    }

    /// Hands that nobody tells anything.
    #[must_use]
    pub fn alone(name: impl Into<String>) -> Self {
        Self { told: false, ..Self::told(name) }
    }

    /// What was started since the last call.
    #[must_use]
    pub fn begun(&self) -> Vec<Task> {
        std::mem::take(&mut self.state().begun)
    }

    /// Attempts that were started and have not ended.
    #[must_use]
    pub fn open(&self) -> usize {
        self.state().open
    }

    /// Changes whenever an attempt is started or ended.
    #[must_use]
    pub fn changed(&self) -> watch::Receiver<u64> {
        self.changed.subscribe()
    }

    /// Ends an attempt; one that has ended stays as it is.
    pub fn end(&self, attempt: &str, report: Report) {
        {
            let mut state = self.state();
            let Some(end) = state.attempts.get(attempt) else { return };
            if !end.send_if_modified(|said| said.is_none() && said.replace(report).is_none()) {
                return;
            }
            state.open -= 1;
        }
        self.changed.send_modify(|count| *count += 1);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn begin(&self, task: &Task) -> watch::Receiver<Option<Report>> {
        let (end, begun) = {
            let mut state = self.state();
            match state.attempts.get(&task.attempt) {
                Some(end) => (end.subscribe(), false),
                None => {
                    let (end, ended) = watch::channel(None);
                    state.attempts.insert(task.attempt.clone(), end);
                    state.open += 1;
                    if self.told {
                        state.begun.push(task.clone());
                    }
                    (ended, true)
                }
            }
        };
        if begun {
            self.changed.send_modify(|count| *count += 1);
        }
        end
    }
}

impl std::fmt::Debug for PretendExecutor {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("PretendExecutor").field("name", &self.name).field("open", &self.open()).finish()
    }
}

impl Executor for PretendExecutor {
    fn name(&self) -> &str {
        &self.name
    }

    fn kind(&self) -> &'static str {
        "pretend"
    }

    fn needs_image(&self) -> bool {
        true
    }

    fn root(&self, directory: &Path) -> PathBuf {
        directory.to_owned()
    }

    fn run<'a>(&'a self, task: &'a Task) -> BoxFuture<'a, Report> {
        Box::pin(async move {
            let left_running = task.directory.join(START_MARKER).exists();
            let mut end = self.begin(task);
            if let Err(error) = prepare(task) {
                self.end(&task.attempt, Report::NotStarted(Obstacle::Infrastructure, error.to_string()));
            } else if !self.told && !left_running {
                tokio::time::sleep(MOMENT).await;
                self.end(&task.attempt, ended_well(task));
            }
            let said = end.wait_for(Option::is_some).await.ok().and_then(|said| said.clone());
            said.unwrap_or_else(|| Report::Lost("nobody tells of it any more".into()))
        })
    }

    fn stop<'a>(&'a self, task: &'a Task, _how: Stop) -> BoxFuture<'a, Result<(), Error>> {
        Box::pin(async move {
            let record = ExitRecord { signal: Some(15), stopped: true, ..record(task) };
            self.end(&task.attempt, Report::Exited(Evidence { record: Some(record), ..Evidence::default() }));
            Ok(())
        })
    }

    fn held(&self) -> BoxFuture<'_, Result<Vec<Held>, Error>> {
        Box::pin(async {
            let state = self.state();
            let held = state.attempts.iter();
            Ok(held.map(|(id, end)| Held { attempt: id.clone(), running: end.borrow().is_none() }).collect())
        })
    }

    fn forget<'a>(&'a self, attempt: &'a str) -> BoxFuture<'a, Result<(), Error>> {
        Box::pin(async move {
            self.state().attempts.remove(attempt);
            Ok(())
        })
    }

    fn resolve<'a>(&'a self, image: &'a str) -> BoxFuture<'a, Result<String, Error>> {
        Box::pin(async move { Ok(image.to_owned()) })
    }

    fn ping(&self) -> BoxFuture<'_, Result<String, Error>> {
        Box::pin(async { Ok("runs nothing: a demonstration".to_owned()) })
    }
}

/// The attempt's directory, and the mark that it was started.
fn prepare(task: &Task) -> io::Result<()> {
    std::fs::create_dir_all(task.directory.join("work"))?;
    std::fs::write(task.directory.join(START_MARKER), "")
}

fn ended_well(task: &Task) -> Report {
    match write_outputs(task, &GOOD_VALUES, &format!("{}: nothing was run\n", task.step)) {
        Ok(()) => Report::Exited(Evidence { record: Some(record(task)), ..Evidence::default() }),
        Err(error) => Report::Lost(error.to_string()),
    }
}

/// The record of a tool that ended well at no time at all; whoever knows more fills it in.
#[must_use]
pub fn record(task: &Task) -> ExitRecord {
    ExitRecord { attempt: task.attempt.clone(), nonce: task.nonce.clone(), exit_code: Some(0), ..ExitRecord::default() }
}

/// Writes every output that a task promises, and what the tool said: values into JSON, a line about itself into anything else.
///
/// # Errors
/// When the attempt's directory cannot be written.
pub fn write_outputs(task: &Task, values: &[(&str, f64)], said: &str) -> io::Result<()> {
    for (name, path) in &task.env {
        let Some(output) = name.strip_prefix("out_") else { continue };
        let specimen = task.env.get("specimen_id").map_or("", String::as_str);
        if let Some((before, after)) = path.split_once('*') {
            for shard in 1..=SHARDS {
                let path = format!("{before}{shard:02}{after}");
                write(&task.directory.join("work").join(path), &format!("{specimen} {} {shard}\n", task.step))?;
            }
        } else if path.ends_with(".json") {
            let values: BTreeMap<&str, f64> = values.iter().copied().collect();
            let document = serde_json::json!({ "specimen": specimen, "step": task.step, "values": values });
            write(&task.directory.join("work").join(path), &format!("{document}\n"))?;
        } else {
            write(&task.directory.join("work").join(path), &format!("{specimen} {} {output}\n", task.step))?;
        }
    }
    std::fs::write(task.directory.join(LOG_FILE), said)
}

fn write(path: &Path, text: &str) -> io::Result<()> {
    if let Some(directory) = path.parent() {
        std::fs::create_dir_all(directory)?;
    }
    std::fs::write(path, text)
}
