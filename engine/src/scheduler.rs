//! The one loop: requests and reports come in, events and statuses are committed, and only then anything happens outside.
//!
//! `service` is the loop and the only place with effects; `house` is everything it knows, changed by pure steps (`advance`,
//! `start`, `report`, `command`); [`handle`] is the way in. It knows executors, the collector and couriers by their ports only.

mod absent;
mod advance;
pub mod center;
mod command;
mod delivery;
mod effects;
pub mod handle;
mod house;
mod keep;
mod live;
mod messages;
pub mod once;
mod placing;
pub mod post;
pub mod queue;
mod queues;
mod recovery;
pub mod registered;
mod release;
mod render;
mod report;
mod requests;
mod retention;
mod scope;
mod service;
pub mod sheet;
mod start;
mod submit;
pub mod tally;
mod underway;
pub mod why;
mod work;
mod worked;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use kentai_workflows::site::Site;

use crate::audit::checkpoint::Public;
use crate::clock::Clock;
use crate::decide::admit::Request;
use crate::decide::retain::Rule;
use crate::decide::retry::Budgets;
use crate::handoff::crypt4gh::key::PublicKey;
use crate::people::permission::{Action, Principal, PrincipalKind, permit};
use crate::people::role::Role;
use crate::port::collect::Collect;
use crate::port::courier::Courier;
use crate::port::messenger::Messenger;

pub(crate) use center::consent_in_force;
pub use live::{Hold, Parent};
pub use post::Post;
pub use service::{Error, Running, start};
pub(crate) use work::carry::entry;

/// Everything the engine is given when it starts.
pub struct Options {
    /// Site name: in every container name and label.
    pub site: String,
    /// The site's directory.
    pub directory: PathBuf,
    /// Hands, in the site's order: a step goes to the first that may take it and has room. Whether steps have images at all is the
    /// first one's to say.
    pub executors: Vec<Post>,
    /// Somebody chose the first for every step; the others are only asked for what they still hold.
    pub chosen: bool,
    /// Takes outputs in.
    pub collect: Collect,
    /// Hand-off targets by name.
    pub targets: BTreeMap<String, Target>,
    /// Who gets notices beside their signed file.
    pub subscribers: Vec<Subscriber>,
    /// What the checker must know, read anew for each submission (references may have been added).
    pub facts: Arc<dyn Fn() -> Site + Send + Sync>,
    /// What this machine's executors may take at once, all together; zero: no limit.
    pub resources: Request,
    /// Tools at once, everywhere.
    pub slots: usize,
    /// Escalation stops here, bytes; zero: no limit.
    pub memory_max_per_step: u64,
    /// Escalation stops here, seconds; zero: no limit.
    pub timeout_max_s: u64,
    /// Attempts that the site pays for.
    pub budgets: Budgets,
    /// Seconds that directories of ended attempts are kept; zero: for ever.
    pub keep_attempts_s: u64,
    /// Whose time it goes by.
    pub clock: Clock,
    /// Start nothing: only answer requests (a verb on a site where no engine runs).
    pub drain: bool,
}

/// Where a hand-off goes.
#[derive(Clone)]
pub struct Target {
    /// How it gets there.
    pub way: Way,
    /// Consent scope that the target's use needs.
    pub consent_use: Option<String>,
    /// Whose key files are encrypted for (Crypt4GH); none: they leave plain.
    pub recipient: Option<PublicKey>,
    /// Seconds that a delivery is offered; zero: without end.
    pub keep_s: u64,
    /// The receiver's key: only receipts that it signed count. None: a signature is not asked for.
    pub receipt_key: Option<Public>,
    /// When the copies here of what it has may go; none: never.
    pub retain: Option<Rule>,
}

/// How a package gets to its target.
#[derive(Clone)]
pub enum Way {
    /// We carry it.
    Push(Arc<dyn Courier>),
    /// The receiver fetches it.
    Pull,
}

/// Somebody outside who gets notices.
#[derive(Clone)]
pub struct Subscriber {
    /// Whose notices: a target, an institution, `biobank`; [`Subscriber::EVERYBODY`].
    pub to: String,
    /// `webhook`, `mail`.
    pub channel: String,
    /// Where to: kept and shown, so that no secret may be in it.
    pub address: String,
    /// Who takes letters there; none for an engine that starts nothing.
    pub messenger: Option<Arc<dyn Messenger>>,
}

impl Subscriber {
    /// Stands for whomever a notice is for.
    pub const EVERYBODY: &'static str = "*";
}

/// Who asks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Actor {
    /// Name, as decisions and audit show it.
    pub name: String,
    /// Roles of the site file, or of the person's record.
    pub roles: BTreeSet<String>,
    /// The institution that they belong to, when they are not of the center.
    pub institution: Option<String>,
    /// The data center that they belong to.
    pub data_center: Option<String>,
    /// What a token may do at most; none: whatever the roles allow.
    pub scopes: Option<BTreeSet<String>>,
}

impl Target {
    /// Carried by this courier as it is, for whatever use.
    #[must_use]
    pub fn carried(courier: Arc<dyn Courier>) -> Self {
        Self { way: Way::Push(courier), ..Self::pulled() }
    }

    /// Fetched by the receiver, as it is, for whatever use, without end.
    #[must_use]
    pub fn pulled() -> Self {
        Self { way: Way::Pull, consent_use: None, recipient: None, keep_s: 0, receipt_key: None, retain: None }
    }
}

impl Actor {
    /// As the permission table sees them. A role that is not known gives nothing.
    #[must_use]
    pub fn principal(&self) -> Principal {
        Principal {
            name: self.name.clone(),
            kind: PrincipalKind::Person,
            roles: self.roles.iter().filter_map(|role| Role::parse(role)).collect(),
            institution: self.institution.clone(),
            data_center: self.data_center.clone(),
            scopes: self.scopes.clone(),
        }
    }

    /// Whatever the roles allow: does the token by which they act reach so far?
    ///
    /// # Errors
    /// When it does not.
    pub(crate) fn reaches(&self, action: Action) -> Result<(), handle::Refusal> {
        if self.scopes.as_ref().is_none_or(|scopes| scopes.contains(action.word())) {
            return Ok(());
        }
        Err(handle::Refusal::NotAllowed(format!("the token of {} does not reach so far as `{action}`", self.name)))
    }

    /// Do their roles allow it? The table in `people::permission` says so, and nothing else.
    ///
    /// # Errors
    /// When they do not, or the token by which they act does not reach so far.
    pub(crate) fn may(&self, what: &str, action: Action) -> Result<(), handle::Refusal> {
        self.reaches(action)?;
        permit(&self.principal(), action, None).map(drop).map_err(|_| {
            let needs: Vec<&str> = action.roles().iter().map(|role| role.word()).collect();
            let needs = needs.join(" or ");
            let name = &self.name;
            handle::Refusal::NotAllowed(format!(
                "{name} may not {what}: it needs the role {needs} (`people:` in kentai.yaml)"
            ))
        })
    }

    /// Has at least one of `roles`.
    #[must_use]
    pub fn has_any(&self, roles: &[String]) -> bool {
        roles.iter().any(|role| self.roles.contains(role))
    }
}

/// Places of a site's directory.
#[derive(Clone, Debug)]
pub struct Places {
    root: PathBuf,
}

impl Places {
    /// Of the site at `root` (absolute).
    #[must_use]
    pub fn new(root: &Path) -> Self {
        Self { root: root.to_owned() }
    }

    /// The database.
    #[must_use]
    pub fn database(&self) -> PathBuf {
        self.root.join("kentai.db")
    }

    /// One attempt's directory.
    #[must_use]
    pub fn attempt(&self, attempt: &str) -> PathBuf {
        self.root.join("attempts").join(attempt)
    }

    /// Where the log of an attempt is kept: `logs/<run>/<step>.<number>.log`; an item's `/` becomes `@`.
    #[must_use]
    pub fn log(&self, run: &str, step: &str, round: i64, number: i64) -> PathBuf {
        let again = if round > 0 { format!("r{round}.") } else { String::new() };
        self.root.join("logs").join(run).join(format!("{}.{again}{number}.log", step.replace('/', "@")))
    }

    /// The readable view by sample.
    #[must_use]
    pub fn samples(&self) -> PathBuf {
        self.root.join("samples")
    }
}
