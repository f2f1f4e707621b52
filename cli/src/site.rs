//! A site's directory and what lies in it beyond the engine's own: reference bundles and image locks.

use std::collections::BTreeMap;
use std::io;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use kentai_workflows::site::{Bundle, Site as Facts};
use serde::Deserialize;

use crate::config::{Config, Origin};

/// An opened site: its directory and its settings.
#[derive(Clone, Debug)]
pub(crate) struct Site {
    /// Absolute.
    pub directory: PathBuf,
    pub config: Config,
    pub origin: Origin,
}

/// Why a site cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("there is no site at {0}; make one with `kentai init {0}`, or run a workflow with `kentai run`")]
    Missing(PathBuf),
    #[error("make the site's directory {path}")]
    Make { path: PathBuf, source: io::Error },
    #[error(transparent)]
    Config(#[from] crate::config::Error),
}

/// What an executor can ever give to one step: its own caps, and this machine's bounds for what runs on it.
fn could_take(
    executor: &crate::config::Executor,
    (cpus, memory_bytes, disk_bytes): (u32, u64, u64),
) -> kentai_workflows::site::Executor {
    let least = |cap: u64, machine: u64| match (cap, machine, executor.is_elsewhere()) {
        (cap, _, true) | (cap, 0, false) => cap,
        (0, machine, false) => machine,
        (cap, machine, false) => cap.min(machine),
    };
    kentai_workflows::site::Executor {
        name: executor.name.clone(),
        labels: executor.labels.iter().cloned().collect(),
        only_labelled: executor.only_labelled,
        all: false,
        images: executor.runs_images(),
        cpus: u32::try_from(least(executor.caps.cpus.into(), cpus.into())).unwrap_or(u32::MAX),
        memory_bytes: least(executor.caps.memory.0, memory_bytes),
        disk_bytes: least(0, disk_bytes),
    }
}

/// Where a site is when nobody says.
pub(crate) const DEFAULT: &str = "./.kentai";

impl Site {
    /// Opens the site at `directory`, which must be there.
    pub(crate) fn open(directory: &Path) -> Result<Self, Error> {
        if !directory.is_dir() {
            return Err(Error::Missing(directory.to_owned()));
        }
        Self::load(directory)
    }

    /// Opens the site at `directory` when one is there.
    pub(crate) fn open_if_any(directory: &Path) -> Result<Option<Self>, Error> {
        if directory.is_dir() { Self::load(directory).map(Some) } else { Ok(None) }
    }

    /// Opens the site at `directory`, making it when it is not there.
    pub(crate) fn open_or_make(directory: &Path) -> Result<Self, Error> {
        // What is in it is personal data even without a name.
        let made = std::fs::DirBuilder::new().recursive(true).mode(0o700).create(directory);
        made.map_err(|source| Error::Make { path: directory.to_owned(), source })?;
        Self::load(directory)
    }

    fn load(directory: &Path) -> Result<Self, Error> {
        let directory =
            directory.canonicalize().map_err(|source| Error::Make { path: directory.to_owned(), source })?;
        let (config, origin) = Config::load(&directory)?;
        Ok(Self { directory, config, origin })
    }

    /// The executor that says whether steps have images: the wished one by name or kind, which takes them all, else the first.
    pub(crate) fn executor(&self, wish: Option<&str>) -> Option<&crate::config::Executor> {
        let fits = |executor: &&crate::config::Executor| {
            wish.is_none_or(|wish| executor.name == wish || executor.kind == wish)
        };
        self.config.executors.iter().find(fits)
    }

    /// The engine's socket.
    pub(crate) fn socket(&self) -> PathBuf {
        self.directory.join("run/kentai.sock")
    }

    /// The database.
    pub(crate) fn database(&self) -> PathBuf {
        self.directory.join("kentai.db")
    }

    /// Reference bundles, one directory `NAME@VERSION` each.
    pub(crate) fn references(&self) -> PathBuf {
        self.directory.join("references")
    }

    /// What the checker must know.
    pub(crate) fn facts(&self) -> Facts {
        let config = &self.config;
        let machine = Machine::look();
        let (cpus, memory_bytes) =
            (or(config.limits.cpus, machine.cpus), or(config.limits.memory.0, machine.memory_bytes));
        let (disk_bytes, this_machine) = (config.limits.disk.0, (cpus, memory_bytes, config.limits.disk.0));
        let roles = config.people.iter().flat_map(|person| person.roles.iter().cloned());
        Facts {
            targets: Some(config.targets.keys().cloned().collect()),
            plain_targets: Some(
                config.targets.iter().filter(|(_, to)| to.recipient.is_none()).map(|(to, _)| to.clone()).collect(),
            ),
            roles: (!config.people.is_empty()).then(|| roles.collect()),
            references: Some(self.bundles()),
            places: Some(config.places.keys().cloned().collect()),
            secrets: Some(config.secrets.keys().cloned().collect()),
            executors: Some(config.executors.iter().map(|executor| could_take(executor, this_machine)).collect()),
            cpus,
            memory_bytes,
            disk_bytes,
            timeout_s_max: config.limits.timeout_max.0,
            network_allowed: config.tasks.network == "allowed",
            images_ignored: self.executor(None).is_some_and(|executor| !executor.runs_images()),
            locked_images: self.locked_images(),
        }
    }

    /// Registered bundles; a directory without a readable `bundle.json` is none.
    pub(crate) fn bundles(&self) -> BTreeMap<String, Bundle> {
        let Ok(entries) = std::fs::read_dir(self.references()) else { return BTreeMap::new() };
        entries
            .filter_map(Result::ok)
            .filter_map(|entry| {
                // Names with a dot in front are bundles in the making.
                let name = entry.file_name().into_string().ok().filter(|name| !name.starts_with('.'))?;
                let document = BundleFile::read(&entry.path()).ok()?;
                let roles = document.files.into_iter().filter_map(|file| Some((file.role?, file.name))).collect();
                Some((name, Bundle { directory: entry.path().to_string_lossy().into_owned(), roles }))
            })
            .collect()
    }

    /// `locks/images.json`: image as written → digest or image id.
    pub(crate) fn locked_images(&self) -> BTreeMap<String, String> {
        let text = std::fs::read_to_string(self.directory.join("locks/images.json")).unwrap_or_default();
        serde_json::from_str(&text).unwrap_or_default()
    }
}

/// `bundle.json`
#[derive(Clone, Debug, Deserialize, serde::Serialize)]
pub(crate) struct BundleFile {
    pub name: String,
    pub version: String,
    pub files: Vec<BundleEntry>,
}

/// One file of a bundle.
#[derive(Clone, Debug, Deserialize, serde::Serialize)]
pub(crate) struct BundleEntry {
    pub name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    pub size: u64,
    pub sha256: String,
}

impl BundleFile {
    /// Reads the one in `directory`.
    pub(crate) fn read(directory: &Path) -> io::Result<Self> {
        let text = std::fs::read_to_string(directory.join("bundle.json"))?;
        serde_json::from_str(&text).map_err(io::Error::other)
    }
}

/// What this machine has.
pub(crate) struct Machine {
    pub cpus: u32,
    /// Nine tenths of the memory: the rest is the engine's and the kernel's.
    pub memory_bytes: u64,
}

impl Machine {
    pub(crate) fn look() -> Self {
        let cpus = std::thread::available_parallelism().map_or(1, |n| u32::try_from(n.get()).unwrap_or(u32::MAX));
        let meminfo = std::fs::read_to_string("/proc/meminfo").unwrap_or_default();
        let kib = meminfo
            .lines()
            .find_map(|line| line.strip_prefix("MemTotal:")?.trim().strip_suffix("kB")?.trim().parse::<u64>().ok());
        Self { cpus, memory_bytes: kib.unwrap_or(0) * 1024 / 10 * 9 }
    }
}

/// `wish`, or `otherwise` when it is zero.
pub(crate) fn or<T: PartialEq + Default>(wish: T, otherwise: T) -> T {
    if wish == T::default() { otherwise } else { wish }
}
