//! What a check must know of a site: names and limits, filled by whoever read `kentai.yaml`.

use std::collections::{BTreeMap, BTreeSet};

/// The site as the checker sees it. `Site::default()` knows nothing and therefore refuses nothing.
#[derive(Clone, Debug, Default)]
pub struct Site {
    /// Hand-off targets by name; `None`: not known, so any name passes.
    pub targets: Option<BTreeSet<String>>,
    /// Those of them that have no key to encrypt for; `None`: not known.
    pub plain_targets: Option<BTreeSet<String>>,
    /// Roles that at least one person has; `None`: not known.
    pub roles: Option<BTreeSet<String>>,
    /// Registered reference bundles (`NAME@VERSION`) with their roles → absolute file paths; `None`: not known.
    pub references: Option<BTreeMap<String, Bundle>>,
    /// Named places; `None`: not known.
    pub places: Option<BTreeSet<String>>,
    /// Secrets by name; `None`: not known.
    pub secrets: Option<BTreeSet<String>>,
    /// Its executors, in its order; `None`: not known, and the three limits hold for every step.
    pub executors: Option<Vec<Executor>>,
    /// The largest request that the site can ever fulfil; zero: not known.
    pub cpus: u32,
    /// Bytes; zero: not known.
    pub memory_bytes: u64,
    /// Bytes; zero: not known.
    pub disk_bytes: u64,
    /// Seconds; zero: not known.
    pub timeout_s_max: u64,
    /// May steps ask for a network?
    pub network_allowed: bool,
    /// The executor at hand runs plain processes: a step need not name an image.
    pub images_ignored: bool,
    /// Image references (tags) that are locked at this site → digest or image id.
    pub locked_images: BTreeMap<String, String>,
}

/// An executor of the site: which steps it takes, and what it can ever give to one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Executor {
    /// The site's name for it.
    pub name: String,
    /// Its labels.
    pub labels: BTreeSet<String>,
    /// Takes only steps that ask for labels.
    pub only_labelled: bool,
    /// Somebody chose it for every step, whatever labels they ask for.
    pub all: bool,
    /// Runs images; else plain processes.
    pub images: bool,
    /// Cores; zero: any number.
    pub cpus: u32,
    /// Bytes; zero: any.
    pub memory_bytes: u64,
    /// Bytes; zero: any.
    pub disk_bytes: u64,
}

impl Executor {
    /// Does it take steps that ask for these labels?
    #[must_use]
    pub fn takes(&self, labels: &[String]) -> bool {
        self.all
            || (labels.iter().all(|label| self.labels.contains(label)) && !(labels.is_empty() && self.only_labelled))
    }
}

/// A registered reference bundle.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Bundle {
    /// Absolute directory.
    pub directory: String,
    /// Role (`fasta`, `bwa`, `known_sites` …) → file name inside the directory.
    pub roles: BTreeMap<String, String>,
}
