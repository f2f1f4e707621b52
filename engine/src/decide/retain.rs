//! May the copies that a site keeps of a delivery go? Only when nothing stands against it, and each thing that does is said.
//!
//! Pure. Who looked the facts up, and what goes then, is known elsewhere.

use std::fmt;

use crate::clock::Micros;
use crate::state::delivery::Status;

/// No rule may ask for fewer: the receiver's copy alone is one disk away from none.
pub const COPIES_MIN: u32 = 2;

/// When the copies of a target's deliveries may go. Without one, never.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rule {
    /// So long after the newest receipt.
    pub after_receipt_us: Micros,
    /// So many copies must be known elsewhere: the receiver's and those in archives.
    pub copies: u32,
}

/// What is known of one delivery.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Facts {
    /// The target.
    pub target: String,
    /// What the site says of it.
    pub rule: Option<Rule>,
    /// Where the delivery stands.
    pub status: Status,
    /// Payload files.
    pub files: usize,
    /// Those that the receiver accepted.
    pub accepted: usize,
    /// Paths of which the receiver has other bytes.
    pub mismatched: Vec<String>,
    /// The newest receipt.
    pub answered_us: Option<Micros>,
    /// Copies that the receiver keeps of every file; one where it says nothing.
    pub receiver_copies: u32,
    /// Copies in archives.
    pub archives: usize,
    /// What is held, by whom and why.
    pub holds: Vec<String>,
    /// A withdrawal that is not at its end, or consent that is gone.
    pub withdrawal: Option<String>,
    /// Open deviations about it.
    pub disputes: Vec<String>,
    /// What still needs the same bytes.
    pub users: Vec<String>,
}

/// Something that stands against it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Against {
    /// Nobody said that copies may ever go.
    NoRule {
        /// The target.
        target: String,
    },
    /// They went before.
    Retired,
    /// Its status is none in which copies go.
    Stands(Status),
    /// The receiver did not accept every file.
    NotAcknowledged {
        /// Files that it accepted.
        accepted: usize,
        /// All.
        files: usize,
    },
    /// The receiver has other bytes.
    Mismatched(Vec<String>),
    /// No receipt says when.
    NoReceipt,
    /// The time after the receipt is not over.
    NotYet {
        /// Until then.
        until_us: Micros,
    },
    /// Too few copies are known elsewhere.
    Copies {
        /// Known.
        known: u64,
        /// Wanted.
        wanted: u32,
    },
    /// Somebody holds it.
    Held(String),
    /// Consent was taken back: that is another way, with a case.
    Withdrawn(String),
    /// A deviation about it is open.
    Disputed(String),
    /// Something else needs it.
    Used(String),
}

/// Everything that stands against it; nothing: they may go.
#[must_use]
pub fn against(facts: &Facts, now: Micros) -> Vec<Against> {
    if facts.status == Status::Retired {
        return vec![Against::Retired];
    }
    let mut against = Vec::new();
    if facts.rule.is_none() {
        against.push(Against::NoRule { target: facts.target.clone() });
    }
    if facts.accepted < facts.files || facts.files == 0 {
        against.push(Against::NotAcknowledged { accepted: facts.accepted, files: facts.files });
    }
    // Whatever is still under way has a file that is not accepted, and that was said; what has none is said here.
    let under_way = facts.status.is_open() && facts.accepted < facts.files;
    if !under_way && !matches!(facts.status, Status::Acknowledged | Status::Superseded | Status::Expired) {
        against.push(Against::Stands(facts.status));
    }
    if !facts.mismatched.is_empty() {
        against.push(Against::Mismatched(facts.mismatched.clone()));
    }
    let rule = facts.rule.unwrap_or_default();
    match facts.answered_us.map(|at| at.saturating_add(rule.after_receipt_us)) {
        None => against.push(Against::NoReceipt),
        Some(until_us) if now < until_us => against.push(Against::NotYet { until_us }),
        Some(_) => {}
    }
    let known = u64::from(facts.receiver_copies) + facts.archives as u64;
    let wanted = rule.copies.max(COPIES_MIN);
    if known < u64::from(wanted) {
        against.push(Against::Copies { known, wanted });
    }
    against.extend(facts.holds.iter().cloned().map(Against::Held));
    against.extend(facts.withdrawal.iter().cloned().map(Against::Withdrawn));
    against.extend(facts.disputes.iter().cloned().map(Against::Disputed));
    against.extend(facts.users.iter().cloned().map(Against::Used));
    against
}

impl fmt::Display for Against {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoRule { target } => {
                write!(f, "copies for `{target}` are kept for ever: its target has no `retain:` in kentai.yaml")
            }
            Self::Retired => write!(f, "its copies here went before"),
            Self::Stands(status) => write!(f, "it is {status}"),
            Self::NotAcknowledged { accepted, files } => {
                write!(f, "the receiver acknowledged {accepted} of {files} files")
            }
            Self::Mismatched(paths) => write!(f, "the receiver has other bytes than were sent: {}", paths.join(", ")),
            Self::NoReceipt => write!(f, "there is no receipt"),
            Self::NotYet { until_us } => {
                let until = jiff::Timestamp::from_microsecond(*until_us).unwrap_or(jiff::Timestamp::MAX);
                write!(f, "the time after the receipt is not over until {until}")
            }
            Self::Copies { known, wanted } => write!(
                f,
                "{known} of {wanted} copies elsewhere are known: no archive copy is written down (`kentai handoff archived`), and the \
                 receiver names no further one"
            ),
            Self::Held(what) => write!(f, "{what}"),
            Self::Withdrawn(what) => write!(f, "{what}: what becomes of the files is decided there"),
            Self::Disputed(what) => write!(f, "deviation {what} about it is open"),
            Self::Used(what) => write!(f, "{what} needs the same file"),
        }
    }
}

#[cfg(test)]
mod tests;
