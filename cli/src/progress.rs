//! A line per running step on a terminal, a plain line per change otherwise, nothing when quiet.

use std::collections::HashMap;
use std::io::IsTerminal as _;
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use kentai_engine::scheduler::handle::{Handle, Told};
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use tokio_util::sync::CancellationToken;

use crate::output::Output;

/// Lines on the terminal at once; the rest is counted.
const LINES: usize = 12;

/// The watcher, while it watches.
pub(crate) struct Progress {
    task: Option<tokio::task::JoinHandle<()>>,
    end: CancellationToken,
}

impl Progress {
    /// Starts to watch.
    pub(crate) fn start(handle: &Handle, output: Output) -> Self {
        if output.quiet {
            return Self { task: None, end: CancellationToken::new() };
        }
        let news = News { told: handle.listen(), end: CancellationToken::new() };
        let end = news.end.clone();
        let task =
            if std::io::stderr().is_terminal() { tokio::spawn(lines(news)) } else { tokio::spawn(plain(news, output)) };
        Self { task: Some(task), end }
    }

    /// Stops watching, once everything that was told is said.
    pub(crate) async fn end(self) {
        self.end.cancel();
        if let Some(task) = self.task {
            let _ = task.await;
        }
    }
}

/// What is told, until the end.
struct News {
    told: Receiver<Told>,
    end: CancellationToken,
}

impl News {
    async fn next(&mut self) -> Option<Told> {
        loop {
            let heard = tokio::select! {
                biased;
                heard = self.told.recv() => heard,
                () = self.end.cancelled() => return None,
            };
            match heard {
                Ok(told) => return Some(told),
                // Too slow: the oldest lines are lost, the database has them all.
                Err(RecvError::Lagged(_)) => {}
                Err(RecvError::Closed) => return None,
            }
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

async fn plain(mut news: News, output: Output) {
    while let Some(told) = news.next().await {
        if let Some(words) = words(&told.kind) {
            output.say(format!("{} {} {words}", told.specimen, told.subject).replace("  ", " "));
        }
    }
}

async fn lines(mut news: News) {
    let all = MultiProgress::new();
    let style = ProgressStyle::with_template("{spinner} {elapsed:>5} {msg}")
        .unwrap_or_else(|_| ProgressStyle::default_spinner());
    let mut bars: HashMap<(String, String), ProgressBar> = HashMap::new();
    while let Some(told) = news.next().await {
        let key = (told.run.to_string(), told.subject.clone());
        match told.kind.as_str() {
            "step_started" if bars.len() < LINES => {
                let bar = all.add(
                    ProgressBar::new_spinner()
                        .with_style(style.clone())
                        .with_message(format!("{} {}", told.specimen, told.subject)),
                );
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
