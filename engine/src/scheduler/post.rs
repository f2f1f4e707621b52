//! An executor of the site, with what the site says of it; and how it stands. It does not know what a step is.

use std::collections::BTreeSet;
use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Options;
use crate::clock::Micros;
use crate::decide::admit::Request;
use crate::decide::choose::Caps;
use crate::port::executor::Executor;

/// An executor at its post.
#[derive(Clone)]
pub struct Post {
    /// The executor itself.
    pub executor: Arc<dyn Executor>,
    /// Steps that ask for labels go only where all of them are.
    pub labels: BTreeSet<String>,
    /// It takes only steps that ask for labels.
    pub only_labelled: bool,
    /// What it may have at once of its own.
    pub caps: Caps,
    /// Its tools run on other machines: what this one has does not bound them.
    pub elsewhere: bool,
}

impl Post {
    /// Without labels or caps, on this machine.
    #[must_use]
    pub fn plain(executor: Arc<dyn Executor>) -> Self {
        Self { executor, labels: BTreeSet::new(), only_labelled: false, caps: Caps::default(), elsewhere: false }
    }

    /// The site's name for it.
    #[must_use]
    pub fn name(&self) -> &str {
        self.executor.name()
    }
}

impl Options {
    /// Steps run as plain processes, whatever image they name: so the first executor says for all.
    #[must_use]
    pub fn images_ignored(&self) -> bool {
        self.executors.first().is_some_and(|first| !first.executor.needs_image())
    }

    /// The most memory and disk, in bytes, that any executor ever gives to a step with these labels; zero: no limit.
    pub(super) fn most(&self, labels: &[String]) -> (u64, u64) {
        let least = |one: u64, other: u64| if one == 0 || other == 0 { one.max(other) } else { one.min(other) };
        let each = self.executors.iter().take(if self.chosen { 1 } else { usize::MAX });
        let takes = |post: &&Post| self.chosen || labels.iter().all(|label| post.labels.contains(label));
        let most = each.filter(takes).map(|post| {
            let site = if post.elsewhere { Request::default() } else { self.resources };
            (least(site.memory_bytes, post.caps.resources.memory_bytes), site.disk_bytes)
        });
        // Zero is without limit, and so more than any number.
        let more = |one: u64, other: u64| if one == 0 || other == 0 { 0 } else { one.max(other) };
        let all = most.reduce(|one, other| (more(one.0, other.0), more(one.1, other.1)));
        all.unwrap_or((self.resources.memory_bytes, self.resources.disk_bytes))
    }

    /// Which executor has this name.
    pub(super) fn post(&self, name: &str) -> Option<usize> {
        self.executors.iter().position(|post| post.name() == name)
    }

    /// Is there a choice between executors at all? Where there is none, one that is away is waited for as it is.
    pub(super) fn has_choice(&self) -> bool {
        self.executors.len() > 1 && !self.chosen
    }
}

/// What became known when an executor was asked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Reach {
    /// It answered last.
    pub(super) heard_us: Option<Micros>,
    /// It did not answer last.
    pub(super) failed_us: Option<Micros>,
    /// It does not answer.
    pub(super) away: Option<Away>,
    /// A look at it is on its way.
    pub(super) looked_for: bool,
}

/// An executor that does not answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Away {
    /// Since when.
    pub(super) since_us: Micros,
    /// What was said.
    pub(super) reason: String,
    /// Times that it was asked since.
    pub(super) asked: u32,
}

/// How an executor stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "ExecutorStanding")]
pub struct Standing {
    /// The site's name for it.
    pub name: String,
    /// `docker`, `process` …
    pub kind: String,
    /// Its labels.
    pub labels: BTreeSet<String>,
    /// It takes only steps that ask for labels.
    pub only_labelled: bool,
    /// Its tools run on other machines.
    pub elsewhere: bool,
    /// Tools that it may run at once; zero: as many as the site.
    pub steps_max: usize,
    /// Cores that it may have at once; zero: no cap of its own.
    pub cpus_max: u32,
    /// Bytes that it may have at once; zero: no cap of its own.
    pub memory_bytes_max: u64,
    /// Tools that it runs.
    pub running: usize,
    /// Steps that wait for it before any other.
    pub waiting: usize,
    /// Somebody chose another for every step: it is only asked for what it still holds.
    pub idle: bool,
    /// It answered last, microseconds.
    pub heard_us: Option<Micros>,
    /// It did not answer last, microseconds.
    pub failed_us: Option<Micros>,
    /// It does not answer since then, microseconds.
    pub away_since_us: Option<Micros>,
    /// What was said when it did not answer.
    pub away_because: String,
    /// Who drained it.
    pub drained_by: Option<String>,
    /// Why.
    pub drained_because: String,
    /// Since when, microseconds.
    pub drained_since_us: Option<Micros>,
}
