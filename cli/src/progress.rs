//! A line per running step on a terminal, a plain line per change otherwise, nothing when quiet.

use std::collections::HashMap;
use std::io::IsTerminal as _;
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use kentai_engine::scheduler::handle::{Handle, Told};
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;

use crate::output::Output;

/// Lines on the terminal at once; the rest is counted.
const LINES: usize = 12;

/// The watcher, while it watches.
pub(crate) struct Progress {
    task: Option<tokio::task::JoinHandle<()>>,
}

impl Progress {
    /// Starts to watch.
    pub(crate) fn start(handle: &Handle, output: Output) -> Self {
        if output.quiet {
            return Self { task: None };
        }
        let news = handle.listen();
        let terminal = std::io::stderr().is_terminal();
        Self { task: Some(tokio::spawn(if terminal { Box::pin(lines(news)) as std::pin::Pin<Box<dyn Future<Output = ()> + Send>> } else { Box::pin(plain(news, output)) })) }
    }

    /// Stops watching.
    pub(crate) async fn end(self) {
        if let Some(task) = self.task {
            // What was told before the end is still to be said.
            tokio::task::yield_now().await;
            task.abort();
            let _ = task.await;
        }
    }
}

fn words(kind: &str) -> Option<&'static str> {
    Some(match kind {
        "step_started" => "started",
        "step_succeeded" => "done",
        "step_failed" => "FAILED",
        "step_asked" => "waits for a person",
        "step_again" => "will be tried again",
        "step_canceled" => "canceled",
        "run_succeeded" => "all done",
        "run_failed" => "FAILED",
        "run_canceled" => "canceled",
        _ => return None,
    })
}

async fn next(news: &mut Receiver<Told>) -> Option<Told> {
    loop {
        match news.recv().await {
            Ok(told) => return Some(told),
            // Too slow: the oldest lines are lost, the database has them all.
            Err(RecvError::Lagged(_)) => {}
            Err(RecvError::Closed) => return None,
        }
    }
}

async fn plain(mut news: Receiver<Told>, output: Output) {
    while let Some(told) = next(&mut news).await {
        if let Some(words) = words(&told.kind) {
            output.say(format!("{} {} {words}", told.specimen, told.subject).replace("  ", " "));
        }
    }
}

async fn lines(mut news: Receiver<Told>) {
    let all = MultiProgress::new();
    let style = ProgressStyle::with_template("{spinner} {elapsed:>5} {msg}").unwrap_or_else(|_| ProgressStyle::default_spinner());
    let mut bars: HashMap<(String, String), ProgressBar> = HashMap::new();
    while let Some(told) = next(&mut news).await {
        let key = (told.run.to_string(), told.subject.clone());
        match told.kind.as_str() {
            "step_started" if bars.len() < LINES => {
                let bar = all.add(ProgressBar::new_spinner().with_style(style.clone()).with_message(format!("{} {}", told.specimen, told.subject)));
                bar.enable_steady_tick(Duration::from_millis(200));
                bars.insert(key, bar);
            }
            kind => {
                let Some(words) = words(kind) else { continue };
                if let Some(bar) = bars.remove(&key) {
                    bar.finish_and_clear();
                }
                let _ = all.println(format!("{} {} {words}", told.specimen, told.subject));
            }
        }
    }
}
