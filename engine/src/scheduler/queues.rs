//! Two queues beside the loop: outputs are taken in and links are made a batch at a time.

use std::sync::Arc;

use tokio::sync::mpsc;
use tokio_util::task::TaskTracker;

use super::handle::Message;
use super::underway::Mark;
use super::{Options, work};
use crate::port::collect::{Collected, Order, Refused};

/// Exited attempts taken in together: one sync pays for all of them.
const COLLECT_BATCH: usize = 64;

pub(super) fn spawn_collector(
    tracker: &TaskTracker,
    options: &Arc<Options>,
    sender: mpsc::Sender<Message>,
) -> mpsc::UnboundedSender<(Order, Mark)> {
    let (queue, mut orders) = mpsc::unbounded_channel::<(Order, Mark)>();
    let options = Arc::clone(options);
    tracker.spawn(async move {
        let mut batch = Vec::new();
        while orders.recv_many(&mut batch, COLLECT_BATCH).await > 0 {
            // The marks go when the answer is on its way.
            let (orders, _marks): (Vec<_>, Vec<_>) = std::mem::take(&mut batch).into_iter().unzip();
            let collect = Arc::clone(&options.collect);
            let attempts: Vec<_> = orders.iter().map(|order| order.attempt.clone()).collect();
            let collected = tokio::task::spawn_blocking(move || collect(orders)).await.unwrap_or_else(|panic| {
                tracing::error!(%panic, "taking outputs in broke off; it is tried again");
                attempts.into_iter().map(broke_off).collect()
            });
            if sender.send(Message::Collected(collected)).await.is_err() {
                break;
            }
        }
    });
    queue
}

fn broke_off(attempt: String) -> Collected {
    Collected { attempt, outcome: Err(Refused::Disk("taking them in broke off".into())), log_bytes: 0 }
}

pub(super) fn spawn_linker(tracker: &TaskTracker) -> mpsc::UnboundedSender<(work::links::Work, Mark)> {
    let (queue, mut works) = mpsc::unbounded_channel::<(work::links::Work, Mark)>();
    tracker.spawn(async move {
        let mut batch = Vec::new();
        while works.recv_many(&mut batch, COLLECT_BATCH).await > 0 {
            let batch = std::mem::take(&mut batch);
            let linked = tokio::task::spawn_blocking(move || {
                // All of them are tried; one error is enough to say that some are missing.
                batch.iter().filter_map(|(work, _mark)| work.done().err()).fold(None, |_, error| Some(error))
            });
            if let Ok(Some(error)) = linked.await {
                tracing::warn!(%error, "cannot link outputs into samples/");
            }
        }
    });
    queue
}
