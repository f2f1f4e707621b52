//! `executors:` hands of the site: what kind each is, which steps it takes, and how much at once. It does not know how one is built.

use std::collections::BTreeSet;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::Size;

/// What this version knows.
const KINDS: [&str; 3] = ["docker", "process", "pretend"];

/// One of `executors:`
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Executor {
    /// Its name at this site.
    pub name: String,
    /// `docker`, `process`, or `pretend`: a demonstration, which runs nothing.
    pub kind: String,
    /// Steps that ask for labels go only where all of them are.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub labels: Vec<String>,
    /// Takes only steps that ask for labels.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub only_labelled: bool,
    /// What it may have at once, besides the site's limits.
    #[serde(default, skip_serializing_if = "Caps::is_none")]
    pub caps: Caps,
    /// Docker's socket.
    #[serde(default = "docker_socket")]
    pub socket: PathBuf,
}

/// `caps:` of an executor; zero: no cap of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Caps {
    /// Tools at once.
    pub steps: usize,
    /// Cores.
    pub cpus: u32,
    /// Memory.
    pub memory: Size,
}

impl Caps {
    const NONE: Self = Self { steps: 0, cpus: 0, memory: Size(0) };

    fn is_none(&self) -> bool {
        *self == Self::NONE
    }
}

impl Default for Caps {
    fn default() -> Self {
        Self::NONE
    }
}

fn docker_socket() -> PathBuf {
    PathBuf::from("/var/run/docker.sock")
}

impl Executor {
    /// One of this kind, named after it.
    fn plain(kind: &str) -> Self {
        Self {
            name: kind.into(),
            kind: kind.into(),
            labels: Vec::new(),
            only_labelled: false,
            caps: Caps::default(),
            socket: docker_socket(),
        }
    }

    /// Those of a site that names none.
    pub(super) fn defaults() -> Vec<Self> {
        vec![Self::plain("docker"), Self::plain("process")]
    }

    /// What the types cannot say of one.
    fn check(&self) -> Result<(), String> {
        let name = &self.name;
        if name.is_empty() {
            return Err("`executors`: each needs a `name`".into());
        }
        if !KINDS.contains(&self.kind.as_str()) {
            let (last, others) = KINDS.split_last().expect("some kinds are known");
            return Err(format!(
                "executor `{name}`: this version knows the kinds {} and {last}, not `{}`",
                others.join(", "),
                self.kind
            ));
        }
        if let Some(label) = self.labels.iter().find(|label| !is_label(label)) {
            return Err(format!("executor `{name}`: `labels: [{label}]`: use a-z, 0-9 and `_`, a letter first"));
        }
        if self.only_labelled && self.labels.is_empty() {
            return Err(format!("executor `{name}`: `only_labelled` without `labels` would take no step; name labels"));
        }
        Ok(())
    }
}

/// What a workflow may ask for: an id of the language.
fn is_label(label: &str) -> bool {
    label.starts_with(|first: char| first.is_ascii_lowercase())
        && label.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
}

/// What the types cannot say of all of them.
pub(super) fn check(executors: &[Executor]) -> Result<(), String> {
    let mut seen = BTreeSet::new();
    for executor in executors {
        executor.check()?;
        // Attempts are kept with the name of their executor: two of one name would be asked for each other's.
        if !seen.insert(executor.name.as_str()) {
            return Err(format!("executor `{}`: another one has this name; give each its own", executor.name));
        }
    }
    Ok(())
}
