//! Watching a place: pass after pass, each look handed to the engine, until it is told to stop. It decides nothing.

use std::sync::Arc;
use std::time::{Duration, Instant};

use kentai_engine::clock;
use kentai_engine::scheduler::center::folders::{Look, needs_documents};
use kentai_engine::scheduler::handle::Handle;
use tokio_util::sync::CancellationToken;

use super::{Pace, Place};

/// Looks that may wait for the engine: the scan stops there.
const AHEAD: usize = 4;

/// Watches `place`, known as `name`, one pass per `every`.
pub async fn watch(name: String, place: Place, every: Duration, handle: Handle, token: CancellationToken) {
    let place = Arc::new(place);
    let mut pace = Pace::new(every);
    loop {
        let began = Instant::now();
        let reached = pass(&name, &place, &handle).await;
        let wait = pace.wait(reached.is_ok(), began.elapsed());
        if let Err(reason) = reached
            && pace.newly_failing()
        {
            tracing::warn!(place = name, reason, "cannot look for run folders; asked again, less and less often");
        }
        tokio::select! {
            () = tokio::time::sleep(wait) => {}
            () = token.cancelled() => return,
        }
    }
}

/// One pass over all folders of the place.
///
/// # Errors
/// When the place, or the engine, cannot be reached.
pub async fn pass(name: &str, place: &Arc<Place>, handle: &Handle) -> Result<usize, String> {
    let known = handle.folders(name).await.map_err(|error| error.to_string())?;
    let (looks, mut seen) = tokio::sync::mpsc::channel(AHEAD);
    let scanned = Arc::clone(place);
    let scan = tokio::task::spawn_blocking(move || {
        scanned.scan(
            |folder| needs_documents(known.get(folder)),
            clock::now,
            |observation| drop(looks.blocking_send(observation)),
        )
    });
    while let Some(observation) = seen.recv().await {
        let look =
            Look { place: name.to_owned(), path: place.path().to_owned(), rules: place.rules().clone(), observation };
        handle.look(look).await.map_err(|refusal| refusal.to_string())?;
    }
    match scan.await {
        Ok(result) => result.map_err(|error| error.to_string()),
        Err(panic) => Err(panic.to_string()),
    }
}
