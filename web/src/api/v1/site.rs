//! The site and its engine.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use kentai_engine::port::executor::Executor;
use kentai_engine::scheduler::Post;
use schemars::JsonSchema;
use serde::Serialize;
use tokio::task::JoinSet;

use crate::App;
use crate::openapi::Description;

/// An executor that is silent for longer is not reachable, whatever it does.
const PING_TIME_MAX: Duration = Duration::from_secs(5);

#[derive(Serialize, JsonSchema)]
pub(super) struct Site {
    /// What the site calls itself.
    name: String,
    /// Of this program.
    version: &'static str,
    /// Commits since the engine's start.
    commits: u64,
    /// Runs that can do something by themselves.
    active: usize,
    /// Tools that run.
    tools: usize,
    /// In the site's order.
    executors: Vec<Hands>,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Executor")]
struct Hands {
    /// What the site calls it.
    name: String,
    /// `docker`, `process` …
    kind: &'static str,
    /// It answers.
    reachable: bool,
    /// Its version, or why it cannot be reached.
    said: String,
}

/// The operation about the site.
pub(super) fn describe(to: &mut Description) {
    to.noun("site", "The site, its engine, and who is signed in to its page.");
    to.get("/site", "getSite", "Name, version, what runs, and whether the executors answer").gives::<Site>("The site.");
    super::changes::describe(to);
    super::sign_in_links::describe(to);
}

/// `GET /site`
pub(super) async fn show(State(app): State<App>) -> Json<Site> {
    let options = app.engine.options();
    let pulse = *app.engine.pulse().borrow();
    Json(Site {
        name: options.site.clone(),
        version: env!("CARGO_PKG_VERSION"),
        commits: pulse.commits,
        active: pulse.active,
        tools: pulse.tools,
        executors: ping(&options.executors).await,
    })
}

/// All at once, told in the site's order.
async fn ping(executors: &[Post]) -> Vec<Hands> {
    let mut pings = JoinSet::new();
    for (place, executor) in executors.iter().map(|post| Arc::clone(&post.executor)).enumerate() {
        pings.spawn(async move { (place, one(executor.as_ref()).await) });
    }
    let mut all = pings.join_all().await;
    all.sort_by_key(|(place, _)| *place);
    all.into_iter().map(|(_, hands)| hands).collect()
}

async fn one(executor: &dyn Executor) -> Hands {
    let (reachable, said) = match tokio::time::timeout(PING_TIME_MAX, executor.ping()).await {
        Ok(Ok(version)) => (true, version),
        Ok(Err(error)) => (false, error.to_string()),
        Err(_) => (false, "it does not answer".to_owned()),
    };
    Hands { name: executor.name().to_owned(), kind: executor.kind(), reachable, said }
}
