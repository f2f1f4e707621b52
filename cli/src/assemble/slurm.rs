//! A Slurm executor from its lines in the site file; what they say of directories is looked at here. It does not talk to Slurm.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use kentai_executors::slurm::{Options, Pace, Programs, Runtime, SlurmExecutor};

use crate::config::Executor;
use crate::site::Site;

/// Builds it, or says what is wrong with its lines.
pub(super) fn executor(site: &Site, executor: &Executor, binary: &Path) -> Result<SlurmExecutor, String> {
    let name = executor.shared.as_deref().unwrap_or_default();
    let place = site.config.places.get(name).ok_or_else(|| {
        format!("`shared: {name}`: there is no such place; name it under `places:` with the path that every node sees")
    })?;
    let path = site.directory.join(&place.path).canonicalize();
    let path = path.map_err(|error| format!("place `{name}`: {} cannot be read: {error}", place.path.display()))?;
    // Inputs are read from where they lie, and attempts are written beneath: a node that does not see them could do nothing.
    if !site.directory.starts_with(&path) {
        return Err(format!(
            "the site {} does not lie in the place `{name}` ({}), which is all that nodes see; move the site there, or correct `places:`",
            site.directory.display(),
            path.display()
        ));
    }
    let tasks = &site.config.tasks;
    let options = Options {
        name: executor.name.clone(),
        site: site.config.site.clone(),
        attempts: site.directory.join("attempts"),
        binary: binary.to_owned(),
        partition: executor.partition.clone(),
        account: executor.account.clone(),
        qos: executor.qos.clone(),
        constraint: executor.constraint.clone(),
        arguments: executor.arguments.clone(),
        modules: executor.modules.clone(),
        runtime: executor.runtime.as_deref().and_then(Runtime::parse).unwrap_or(Runtime::None),
        images: executor.images.clone(),
        user: (tasks.uid, tasks.gid),
        pids_limit: tasks.pids,
        tmpfs_bytes: tasks.tmp.0,
        umask: tasks.umask(),
        visibility: Duration::from_secs(place.visibility_wait.0),
        accounting: executor.accounting,
        pace: Pace::default(),
    };
    let programs = Programs { directory: executor.commands.clone(), environment: executor.environment.clone() };
    SlurmExecutor::new(options, Arc::new(programs)).map_err(|error| error.to_string())
}
