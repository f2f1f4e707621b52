//! Closing what belongs to a withdrawn participant: artifacts out of reach, readable names gone, scratch and logs closed. May be done
//! again: what is closed stays closed.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use crate::store::artifact::ArtifactStore;

pub(in crate::scheduler) struct Work {
    pub(in crate::scheduler) artifacts: ArtifactStore,
    pub(in crate::scheduler) site: PathBuf,
    pub(in crate::scheduler) case: String,
    /// Specimen and run.
    pub(in crate::scheduler) runs: Vec<(String, String)>,
    pub(in crate::scheduler) attempts: Vec<String>,
    /// SHA-256, and whether it is a directory.
    pub(in crate::scheduler) files: Vec<(String, bool)>,
}

/// What was closed.
pub(in crate::scheduler) struct Sealed {
    pub(in crate::scheduler) files: Vec<(String, bool)>,
    /// Something could not be closed: it is tried again.
    pub(in crate::scheduler) problem: Option<String>,
}

impl Work {
    /// Closes everything that it can; one thing that cannot be closed keeps no other open. Blocking.
    pub(in crate::scheduler) fn done(self) -> Sealed {
        let mut sealed = Sealed { files: Vec::new(), problem: None };
        let mut note = |what: &str, result: std::io::Result<()>| {
            if let Err(error) = result {
                sealed.problem.get_or_insert(format!("{what}: {error}"));
                return false;
            }
            true
        };
        for (sha256, dir) in self.files {
            if note(&sha256, self.artifacts.seal(&sha256, dir)) {
                sealed.files.push((sha256, dir));
            }
        }
        for (specimen, run) in &self.runs {
            note("links", remove(&self.site.join("samples").join(specimen).join(run)));
            note("logs", close(&self.site.join("logs").join(run)));
        }
        for attempt in &self.attempts {
            note("scratch", close(&self.site.join("attempts").join(attempt)));
        }
        sealed
    }
}

fn remove(path: &Path) -> std::io::Result<()> {
    match std::fs::remove_dir_all(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Nobody but the engine's own user (and root) gets past the directory. A scratch directory that belongs to the tools' user becomes
/// ours, or that user could open it again.
fn close(path: &Path) -> std::io::Result<()> {
    let Ok(found) = path.symlink_metadata() else { return Ok(()) };
    if !found.is_dir() {
        return Ok(());
    }
    let (uid, gid) = (rustix::process::geteuid(), rustix::process::getegid());
    let _ = rustix::fs::chown(path, Some(uid), Some(gid));
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o000))
}
