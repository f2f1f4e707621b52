//! `executors:` hands of the site: what kind each is, which steps it takes, and how much at once. It does not know how one is built.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use kentai_executors::slurm::Runtime;
use serde::{Deserialize, Serialize};

use super::Size;

/// What this version knows.
const KINDS: [&str; 4] = ["docker", "process", "slurm", "pretend"];

/// Kinds whose tools run on other machines: what this machine has does not bound them.
const ELSEWHERE: [&str; 1] = ["slurm"];

/// One of `executors:`
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Executor {
    /// Its name at this site.
    pub name: String,
    /// `docker`, `process`, `slurm`, or `pretend`: a demonstration, which runs nothing.
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
    /// Slurm: the place (of `places:`) that every node sees under the same path; the site lies in it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shared: Option<String>,
    /// Slurm: `sbatch --partition`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub partition: Option<String>,
    /// Slurm: `sbatch --account`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// Slurm: `sbatch --qos`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub qos: Option<String>,
    /// Slurm: `sbatch --constraint`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub constraint: Option<String>,
    /// Slurm: more arguments of `sbatch`, each `--option=value`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub arguments: Vec<String>,
    /// Slurm: environment modules that a job loads first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub modules: Vec<String>,
    /// Slurm: what runs containers on the nodes: `podman`, `docker`, `apptainer`, `singularity`, or `none`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub runtime: Option<String>,
    /// Slurm with apptainer: the folder of image files.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub images: Option<PathBuf>,
    /// Slurm: the folder of its commands, where they are not in PATH.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commands: Option<PathBuf>,
    /// Slurm: variables of its commands and of jobs (`SLURM_CONF`, `CONTAINERS_CONF`).
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub environment: BTreeMap<String, String>,
    /// Slurm: accounting is on, and `sacct` knows what the controller has forgotten.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub accounting: bool,
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
            shared: None,
            partition: None,
            account: None,
            qos: None,
            constraint: None,
            arguments: Vec::new(),
            modules: Vec::new(),
            runtime: None,
            images: None,
            commands: None,
            environment: BTreeMap::new(),
            accounting: false,
        }
    }

    /// Those of a site that names none.
    pub(super) fn defaults() -> Vec<Self> {
        vec![Self::plain("docker"), Self::plain("process")]
    }

    /// Do its tools run on other machines?
    pub(crate) fn is_elsewhere(&self) -> bool {
        ELSEWHERE.contains(&self.kind.as_str())
    }

    /// Does it run images? Else plain processes.
    pub(crate) fn runs_images(&self) -> bool {
        let without = self.runtime.as_deref().is_none_or(|runtime| runtime == "none");
        self.kind != "process" && !(self.kind == "slurm" && without)
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
        self.check_slurm()?;
        if let Some(label) = self.labels.iter().find(|label| !is_label(label)) {
            return Err(format!("executor `{name}`: `labels: [{label}]`: use a-z, 0-9 and `_`, a letter first"));
        }
        if self.only_labelled && self.labels.is_empty() {
            return Err(format!("executor `{name}`: `only_labelled` without `labels` would take no step; name labels"));
        }
        Ok(())
    }
}

impl Executor {
    /// What only Slurm has, and what it must have.
    fn check_slurm(&self) -> Result<(), String> {
        let name = &self.name;
        let own = [
            ("shared", self.shared.is_some()),
            ("partition", self.partition.is_some()),
            ("account", self.account.is_some()),
            ("qos", self.qos.is_some()),
            ("constraint", self.constraint.is_some()),
            ("arguments", !self.arguments.is_empty()),
            ("modules", !self.modules.is_empty()),
            ("runtime", self.runtime.is_some()),
            ("images", self.images.is_some()),
            ("commands", self.commands.is_some()),
            ("environment", !self.environment.is_empty()),
            ("accounting", self.accounting),
        ];
        if self.kind != "slurm" {
            return match own.iter().find(|(_, given)| *given) {
                Some((key, _)) => {
                    Err(format!("executor `{name}`: `{key}` is for the kind slurm; this one is `{}`", self.kind))
                }
                None => Ok(()),
            };
        }
        if self.shared.is_none() {
            return Err(format!(
                "executor `{name}`: name with `shared:` the place (of `places:`) that every node sees under the same path"
            ));
        }
        let runtime = self.runtime.as_deref().unwrap_or("none");
        if Runtime::parse(runtime).is_none() {
            return Err(format!(
                "executor `{name}`: `runtime: {runtime}`: use podman, docker, apptainer, singularity or none"
            ));
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
