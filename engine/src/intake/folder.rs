//! When a run folder is whole, said exactly once.
//!
//! A marker is never enough: markers are there *and* nothing changes for `settle` *and* the instrument says that the run ended
//! well *and* the sheet is valid. Whatever is missing is a [`Wait`] with its values. A folder that changes afterwards is a
//! deviation, not a second run.
//!
//! [`judge`] is the whole decision, a function of the stored state and one look at the disk. It does not know specimens: rows
//! of unknown ones stay in the [`Arrival`] and come out as [`Omission`]s.
//!
//! Changes that keep size and modification time cannot be seen by looking at a listing; the checksums of what is taken in can.

mod arrival;
mod inspect;
mod observation;
mod rules;
mod wait;

pub use arrival::{Arrival, Omission};
pub use observation::{Extent, FileSeen, Observation, Trouble, is_foreign, is_partial};
pub use rules::{CompletionRule, Rules};
pub use wait::Wait;

use serde::{Deserialize, Serialize};

use self::inspect::{End, Inspected};
use super::words::Words;
use crate::clock::Micros;

/// A folder that is being watched.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Watch {
    /// Nothing has changed since.
    pub since: Micros,
    /// Of everything that counts; empty when the last look could not see all of it.
    pub fingerprint: String,
    /// How much there is.
    #[serde(default)]
    pub extent: Extent,
    /// Why it is not complete yet, the first the most telling.
    #[serde(default)]
    pub waits: Vec<Wait>,
}

/// What is known of a run folder; stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum FolderState {
    /// There, and a marker is still missing: the instrument is at work.
    Seen(Watch),
    /// All markers are there; it is watched until nothing changes any more and nothing is missing.
    Settling(Watch),
    /// Whole. Said once.
    Complete {
        /// When it was said.
        at: Micros,
        /// Of what was whole.
        fingerprint: String,
    },
    /// The instrument says that the run failed. Nothing of it starts unless the folder gets a better status.
    Failed {
        /// When it was said.
        at: Micros,
        /// Of what was there.
        fingerprint: String,
        /// What the instrument says.
        reason: Words,
    },
    /// The run was ended before its last cycle. Nothing of it starts unless the folder gets a better status.
    StoppedEarly {
        /// When it was said.
        at: Micros,
        /// Of what was there.
        fingerprint: String,
        /// What the instrument says.
        reason: Words,
    },
    /// It was complete and is another now: a deviation. Said once, however often it changes.
    Changed {
        /// When the first change was seen.
        at: Micros,
        /// Of what was whole.
        complete: String,
        /// Of what was there at the last look.
        fingerprint: String,
    },
}

impl FolderState {
    /// The state, as stored.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::Seen(_) => "seen",
            Self::Settling(_) => "settling",
            Self::Complete { .. } => "complete",
            Self::Failed { .. } => "failed",
            Self::StoppedEarly { .. } => "stopped_early",
            Self::Changed { .. } => "changed",
        }
    }

    /// Does the next look need the contents of documents? For whole folders the listing is enough.
    #[must_use]
    pub fn needs_documents(&self) -> bool {
        !matches!(self, Self::Complete { .. } | Self::Changed { .. })
    }

    /// Why it is where it is, in one sentence.
    #[must_use]
    pub fn why(&self) -> Words {
        match self {
            Self::Seen(watch) | Self::Settling(watch) => {
                watch.waits.first().map_or_else(|| Words::new("is being looked at", "確認中です"), |wait| wait.words())
            }
            Self::Complete { .. } => Words::new("is complete", "完了しています"),
            Self::Failed { reason, .. } | Self::StoppedEarly { reason, .. } => reason.clone(),
            Self::Changed { .. } => Words::new(
                "changed after it was complete: what was taken in is not what lies there now",
                "完了後に内容が変わりました。取り込んだ内容と現在の内容が一致しません",
            ),
        }
    }
}

/// What a look made known, to be said once.
#[derive(Clone, Debug, PartialEq)]
pub enum Said {
    /// The folder is whole: this is what arrived.
    Complete(Box<Arrival>),
    /// The run failed.
    Failed(Words),
    /// The run was stopped early.
    StoppedEarly(Words),
    /// A complete folder changed: a deviation.
    Changed {
        /// Of what was whole.
        complete: String,
        /// Of what is there.
        fingerprint: String,
        /// How much is there.
        extent: Extent,
    },
}

/// The outcome of one look.
#[derive(Clone, Debug, PartialEq)]
pub struct Judged {
    /// To be stored in the same transaction as what `said` leads to.
    pub state: FolderState,
    /// Nothing, or something that no later look says again.
    pub said: Option<Said>,
}

impl Judged {
    fn silent(state: FolderState) -> Self {
        Self { state, said: None }
    }
}

/// Judges one look at a folder, given what was known before.
#[must_use]
pub fn judge(before: Option<&FolderState>, rules: &Rules, observation: &Observation) -> Judged {
    match before {
        None => watched(None, rules, observation),
        Some(FolderState::Seen(watch) | FolderState::Settling(watch)) => watched(Some(watch), rules, observation),
        Some(FolderState::Complete { at, fingerprint }) => after_complete(*at, fingerprint, rules, observation),
        Some(FolderState::Changed { at, complete, fingerprint }) => {
            let now = if observation.trouble.is_none() { rules.fingerprint(observation) } else { fingerprint.clone() };
            Judged::silent(FolderState::Changed { at: *at, complete: complete.clone(), fingerprint: now })
        }
        Some(
            ended @ (FolderState::Failed { at, fingerprint, reason }
            | FolderState::StoppedEarly { at, fingerprint, reason }),
        ) => after_end(ended, (*at, fingerprint, reason), rules, observation),
    }
}

fn after_complete(at: Micros, complete: &str, rules: &Rules, observation: &Observation) -> Judged {
    let same = FolderState::Complete { at, fingerprint: complete.to_owned() };
    // A look that could not see everything says nothing about what it did not see.
    if observation.trouble.is_some() {
        return Judged::silent(same);
    }
    let fingerprint = rules.fingerprint(observation);
    if fingerprint == complete {
        return Judged::silent(same);
    }
    let complete = complete.to_owned();
    let state =
        FolderState::Changed { at: observation.ended, complete: complete.clone(), fingerprint: fingerprint.clone() };
    Judged { state, said: Some(Said::Changed { complete, fingerprint, extent: rules.extent(observation) }) }
}

/// A run that ended badly stays so, in silence, until its status is another one.
fn after_end(
    ended: &FolderState,
    (at, fingerprint, reason): (Micros, &str, &Words),
    rules: &Rules,
    observation: &Observation,
) -> Judged {
    if observation.trouble.is_some() {
        return Judged::silent(ended.clone());
    }
    let now = rules.fingerprint(observation);
    if now == fingerprint {
        return Judged::silent(ended.clone());
    }
    match inspect::inspect(rules, observation).end {
        Some(end) if end.reason() == reason => Judged::silent(end.state(at, now)),
        _ => watched(None, rules, observation),
    }
}

fn watched(before: Option<&Watch>, rules: &Rules, observation: &Observation) -> Judged {
    let extent = rules.extent(observation);
    if let Some(trouble) = &observation.trouble {
        let waits = vec![Wait::Unseen { trouble: trouble.clone() }];
        let watch = Watch { since: observation.ended, fingerprint: String::new(), extent, waits };
        return Judged::silent(FolderState::Seen(watch));
    }
    let fingerprint = rules.fingerprint(observation);
    let unchanged_since = before
        // A clock that was set back proves nothing; the wait begins again.
        .filter(|watch| watch.fingerprint == fingerprint && watch.since <= observation.began)
        .map(|watch| watch.since);
    let since = unchanged_since.unwrap_or(observation.ended);
    let settled = unchanged_since.is_some_and(|since| observation.began - since >= rules.settle_us());
    let mut inspected = inspect::inspect(rules, observation);
    if let Some(end) = inspected.end.take().filter(|_| settled) {
        return Judged { state: end.clone().state(observation.ended, fingerprint), said: Some(end.said()) };
    }
    if !settled {
        inspected.waits.push(not_settled(before, &extent, unchanged_since.is_some(), since, rules));
    }
    concluded(inspected, Watch { since, fingerprint, extent, waits: Vec::new() }, rules, observation)
}

fn not_settled(before: Option<&Watch>, extent: &Extent, unchanged: bool, since: Micros, rules: &Rules) -> Wait {
    match before {
        Some(watch) if !unchanged => {
            let (files_before, bytes_before) = (watch.extent.files, watch.extent.bytes);
            Wait::Changing { files_before, bytes_before, now: extent.clone() }
        }
        _ => Wait::Settle { until: since.saturating_add(rules.settle_us()), settle_s: rules.settle_s },
    }
}

fn concluded(inspected: Inspected, watch: Watch, rules: &Rules, observation: &Observation) -> Judged {
    let Inspected { waits, markers, found, .. } = inspected;
    match found {
        Some(found) if waits.is_empty() => {
            let fingerprint = watch.fingerprint;
            let arrival = Arrival::new(*found, &fingerprint, rules, observation);
            let state = FolderState::Complete { at: observation.ended, fingerprint };
            Judged { state, said: Some(Said::Complete(Box::new(arrival))) }
        }
        _ => {
            let watch = Watch { waits, ..watch };
            Judged::silent(if markers { FolderState::Settling(watch) } else { FolderState::Seen(watch) })
        }
    }
}

impl End {
    fn state(self, at: Micros, fingerprint: String) -> FolderState {
        match self {
            Self::Failed(reason) => FolderState::Failed { at, fingerprint, reason },
            Self::StoppedEarly(reason) => FolderState::StoppedEarly { at, fingerprint, reason },
        }
    }

    fn said(self) -> Said {
        match self {
            Self::Failed(reason) => Said::Failed(reason),
            Self::StoppedEarly(reason) => Said::StoppedEarly(reason),
        }
    }

    fn reason(&self) -> &Words {
        match self {
            Self::Failed(reason) | Self::StoppedEarly(reason) => reason,
        }
    }
}

#[cfg(test)]
mod tests;
