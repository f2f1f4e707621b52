//! What starts by itself: the triggers of registered workflows. Run folders are watched, schedules come due. They only ask the engine;
//! what is asked twice happens once there.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::time::Duration;

use kentai_engine::clock;
use kentai_engine::intake::folder::Rules;
use kentai_engine::scheduler::Actor;
use kentai_engine::scheduler::center::request::Request;
use kentai_engine::scheduler::handle::Handle;
use kentai_engine::scheduler::registered::{Scheduled, newest, schedules, triggers};
use kentai_executors::intake::{Place, watch};
use kentai_workflows::workflow::Trigger;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::command::run::refused;
use crate::site::Site;

/// Between two looks at what is registered, and at the clock.
const LOOK: Duration = Duration::from_secs(10);
/// Who asks, in the audit log.
const ACTOR: &str = "trigger";

/// The triggers of a site, while it is served.
pub(crate) struct Triggers {
    token: CancellationToken,
    tracker: TaskTracker,
}

impl Triggers {
    /// Begins to look.
    pub(crate) fn start(site: &Site, handle: &Handle) -> Self {
        let (token, tracker) = (CancellationToken::new(), TaskTracker::new());
        let places =
            site.config.places.iter().map(|(name, place)| (name.clone(), settled(&site.directory.join(&place.path))));
        let looker = Looker {
            places: places.collect(),
            handle: handle.clone(),
            token: token.clone(),
            tracker: tracker.clone(),
            watched: BTreeSet::new(),
        };
        tracker.spawn(looker.run());
        Self { token, tracker }
    }

    /// Looks no more.
    pub(crate) async fn end(self) {
        self.token.cancel();
        self.tracker.close();
        self.tracker.wait().await;
    }
}

struct Looker {
    places: BTreeMap<String, PathBuf>,
    handle: Handle,
    token: CancellationToken,
    tracker: TaskTracker,
    watched: BTreeSet<String>,
}

impl Looker {
    async fn run(mut self) {
        loop {
            if let Err(error) = self.look().await {
                tracing::warn!(%error, "cannot look at the triggers of registered workflows");
            }
            tokio::select! {
                () = tokio::time::sleep(LOOK) => {}
                () = self.token.cancelled() => return,
            }
        }
    }

    async fn look(&mut self) -> anyhow::Result<()> {
        for workflow in newest(self.handle.reader().registered_workflows().await?) {
            for trigger in triggers(&workflow) {
                if let Trigger::RunFolder { root, ready_when, settle_s, every_s } = trigger {
                    self.watch(&root, ready_when, settle_s, every_s);
                }
            }
        }
        for one in schedules(self.handle.reader()).await? {
            self.due(one).await?;
        }
        Ok(())
    }

    /// One watcher per place, whatever many workflows want of it.
    fn watch(&mut self, root: &str, markers: Vec<String>, settle_s: u64, every_s: u64) {
        let Some(path) = self.places.get(root) else {
            if self.watched.insert(root.to_owned()) {
                tracing::warn!(
                    place = root,
                    "a workflow wants this place to be watched; add it under `places:` in kentai.yaml"
                );
            }
            return;
        };
        if !self.watched.insert(root.to_owned()) {
            return;
        }
        let defaults = Rules::default();
        let markers = if markers.is_empty() { defaults.markers.clone() } else { markers };
        let rules = Rules { markers, settle_s, ..defaults };
        let place = Place::new(path, rules);
        let every = Duration::from_secs(every_s);
        self.tracker.spawn(watch(root.to_owned(), place, every, self.handle.clone(), self.token.clone()));
    }

    async fn due(&self, one: Scheduled) -> anyhow::Result<()> {
        let now = clock::now();
        let Some(looked) = one.looked_us else { return self.looked(&one.id, now).await };
        let moments = one.schedule.due(looked, now);
        if moments.is_empty() {
            return Ok(());
        }
        for moment in moments {
            match submit(&self.handle, &one, &moment.key(&one.id)).await {
                Ok(()) => {}
                Err(error) => tracing::error!(schedule = one.id, %error, "what was due could not be started"),
            }
        }
        // After the submissions: cut in between, they are asked for again and found.
        self.looked(&one.id, now).await
    }

    async fn looked(&self, id: &str, now: i64) -> anyhow::Result<()> {
        let request =
            Request::Schedule { schedule: id.to_owned(), looked_us: Some(now), paused: None, reason: String::new() };
        self.handle.center(request, &actor()).await?;
        Ok(())
    }
}

/// Submits what a schedule runs; `key` makes the same moment the same run.
async fn submit(handle: &Handle, one: &Scheduled, key: &str) -> anyhow::Result<()> {
    let submit = one.submission(handle.reader(), key).await.map_err(refused)?;
    handle.submit(submit, &actor()).await?;
    Ok(())
}

/// Paths are kept and shown: without a way up in them, when the place is there.
fn settled(path: &std::path::Path) -> PathBuf {
    path.canonicalize().unwrap_or_else(|_| path.to_owned())
}

fn actor() -> Actor {
    Actor { name: ACTOR.into(), roles: BTreeSet::from(["operator".to_owned()]), ..Actor::default() }
}
