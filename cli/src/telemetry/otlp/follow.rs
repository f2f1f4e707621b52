//! Reads the log on as it grows, and makes spans of what ended. It learns from the engine's pulse that there is something, as everybody who
//! watches does; the loop knows nothing of it.

use std::time::{Duration, Instant};

use kentai_engine::scheduler::handle::Pulse;
use kentai_engine::view::trace::Follower;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::export::Outlet;

/// What happens within this time is read together.
const TOGETHER: Duration = Duration::from_millis(200);
/// Events that are read at once.
const EVENTS: i64 = 1000;
/// At the stop it is read on for so long.
const LAST_MAX: Duration = Duration::from_secs(1);

/// Until the engine ends, or it is asked to end; then once more. Nothing that reads the database is broken off.
pub(super) async fn follow(mut log: Follower, mut pulse: watch::Receiver<Pulse>, to: Outlet, token: CancellationToken) {
    loop {
        read_on(&mut log, &to, None).await;
        let has_more = tokio::select! {
            changed = pulse.changed() => changed.is_ok(),
            () = token.cancelled() => break,
        };
        if !has_more {
            return;
        }
        tokio::select! {
            () = tokio::time::sleep(TOGETHER) => {}
            () = token.cancelled() => break,
        }
        pulse.borrow_and_update();
    }
    read_on(&mut log, &to, Some(Instant::now() + LAST_MAX)).await;
}

async fn read_on(log: &mut Follower, to: &Outlet, until: Option<Instant>) {
    while until.is_none_or(|until| Instant::now() < until) {
        match log.next(EVENTS).await {
            Ok(Some(found)) => found.iter().for_each(|one| to.interval(one)),
            Ok(None) => return,
            Err(error) => {
                // The next pulse tries again, from the same event.
                tracing::warn!(%error, "the log cannot be read for traces");
                return;
            }
        }
    }
}
