//! A center with months of history: everything that a page may have to show, made only by asking the engine as people, instruments and
//! receivers do, with a virtual clock and hands that run nothing. The same seed and the same end give the same center.
//!
//! It writes no row and knows no table; what it knows of the engine is its door.

mod agenda;
mod beside;
mod dice;
mod fate;
mod folder;
mod founding;
mod hear;
mod perform;
mod plan;
mod replay;
mod values;
mod workflows;

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context as _, Result};
use kentai_engine::clock::Clock;
use kentai_engine::port::executor::Executor;
use kentai_executors::pretend::PretendExecutor;

use self::plan::{HISTORY, plan};
use self::replay::Replay;
use crate::assemble;
use crate::site::Site;

/// Fewer cannot hold one of each.
pub(crate) const SPECIMENS_MIN: usize = fate::CAST.len();

/// What is wanted.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wish {
    /// Order lines of patients; control tubes come beside.
    pub(crate) specimens: usize,
    /// The same number gives the same center.
    pub(crate) seed: u64,
    /// The end of the story, microseconds.
    pub(crate) now: i64,
    /// Where `kentai serve` is to listen.
    pub(crate) port: u16,
}

/// Somebody who can sign in.
pub(crate) struct Person {
    pub(crate) name: &'static str,
    pub(crate) roles: String,
}

/// Everybody who can sign in, and their one password.
pub(crate) fn people() -> (Vec<Person>, &'static str) {
    let people = founding::PEOPLE.iter().map(|(name, roles, _)| Person { name, roles: roles.join(", ") });
    (people.collect(), founding::PASSWORD)
}

/// Fills a new site of this name; gives how many order lines it has.
pub(crate) async fn fill(directory: &Path, name: &str, wish: Wish, said: impl FnMut(f64)) -> Result<usize> {
    for part in ["locks", perform::PLACE, "archive"] {
        std::fs::create_dir_all(directory.join(part)).with_context(|| format!("make {part}/"))?;
    }
    std::fs::write(directory.join("kentai.yaml"), founding::site_file(name, wish.port)).context("write kentai.yaml")?;
    founding::lock(directory)?;
    let site = Site::open(directory)?;
    let clock = Clock::standing_at(wish.now - HISTORY);
    let hands = PretendExecutor::told("node-1");
    let running = assemble::story(&site, clock.clone(), Arc::new(hands.clone()) as Arc<dyn Executor>).await?;
    let sequencers = site.directory.join(perform::PLACE);
    let told = async {
        founding::found(&running.handle).await?;
        let plan = plan(wish.seed, wish.specimens, wish.now);
        let lines = plan.lines.len();
        let parts = (running.handle.clone(), hands, clock);
        Replay::new(parts, (wish.seed, wish.now), sequencers, plan).tell(said).await?;
        Ok(lines)
    };
    let told = told.await;
    running.stop().await?;
    told
}
