//! What the machine says: whether executors answer, and how much room the site's file systems have. The limits are the doctor's.

use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use kentai_engine::port::executor::Executor;
use kentai_engine::scheduler::Post;
use tokio::task::JoinSet;

/// An executor that is silent for longer is not waited for by whoever reads a page.
const PING_TIME_MAX: Duration = Duration::from_secs(2);
/// Parts of the site's directory; each may lie on a file system of its own.
const PARTS: [&str; 5] = [".", "artifacts", "attempts", "deliveries", "logs"];
/// Free space below which a genome does not fit any more.
const DISK_LOW: u64 = 50 << 30;
/// Free space below which nothing useful fits.
const DISK_NONE: u64 = 1 << 30;
/// As for disk space, in files.
const INODES_LOW: u64 = 100_000;
/// As for disk space, in files.
const INODES_NONE: u64 = 5_000;

/// An executor.
pub(crate) struct Hands {
    pub(crate) name: String,
    pub(crate) kind: &'static str,
    pub(crate) reachable: bool,
    /// Its version, or why it cannot be reached.
    pub(crate) said: String,
}

/// A file system.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Disk {
    /// What of the site lies on it.
    pub(crate) parts: Vec<&'static str>,
    pub(crate) free: u64,
    pub(crate) all: u64,
    pub(crate) inodes_free: u64,
    pub(crate) inodes: u64,
}

/// How much is left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Low {
    Enough,
    Little,
    None,
}

impl Disk {
    pub(crate) fn low(&self) -> Low {
        low(self.free, DISK_LOW, DISK_NONE)
    }

    pub(crate) fn inodes_low(&self) -> Low {
        low(self.inodes_free, INODES_LOW, INODES_NONE)
    }
}

fn low(free: u64, little: u64, none: u64) -> Low {
    match free {
        free if free < none => Low::None,
        free if free < little => Low::Little,
        _ => Low::Enough,
    }
}

/// All at once, told in the site's order.
pub(crate) async fn ping(executors: &[Post]) -> Vec<Hands> {
    let mut pings = JoinSet::new();
    for (place, executor) in executors.iter().map(|post| Arc::clone(&post.executor)).enumerate() {
        pings.spawn(async move { (place, one(executor.as_ref()).await) });
    }
    let mut all = pings.join_all().await;
    all.sort_by_key(|(place, _)| *place);
    all.into_iter().map(|(_, hands)| hands).collect()
}

async fn one(executor: &dyn Executor) -> Hands {
    let (reachable, said) = match tokio::time::timeout(PING_TIME_MAX, executor.ping()).await {
        Ok(Ok(version)) => (true, version),
        Ok(Err(error)) => (false, error.to_string()),
        Err(_) => (false, "it does not answer".to_owned()),
    };
    Hands { name: executor.name().to_owned(), kind: executor.kind(), reachable, said }
}

/// Each file system once. What cannot be looked at is left out: a part that nobody needed yet is not there.
pub(crate) fn disks(directory: &Path) -> Vec<Disk> {
    let mut found: Vec<(u64, Disk)> = Vec::new();
    for part in PARTS {
        let path = directory.join(part);
        let Ok(facts) = std::fs::metadata(&path) else { continue };
        if let Some((_, disk)) = found.iter_mut().find(|(device, _)| *device == facts.dev()) {
            disk.parts.push(part);
            continue;
        }
        let Ok(room) = rustix::fs::statvfs(&path) else { continue };
        let disk = Disk {
            parts: vec![part],
            free: room.f_bavail.saturating_mul(room.f_frsize),
            all: room.f_blocks.saturating_mul(room.f_frsize),
            inodes_free: room.f_favail,
            inodes: room.f_files,
        };
        found.push((facts.dev(), disk));
    }
    for (_, disk) in &mut found {
        // The directory itself stands for what has no part of its own.
        disk.parts.retain(|part| *part != ".");
        if disk.parts.is_empty() {
            disk.parts.push("kentai.db");
        }
    }
    found.into_iter().map(|(_, disk)| disk).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_system_is_told_once_with_what_lies_on_it() {
        let site = tempfile::tempdir().expect("a temporary directory");
        for part in ["artifacts", "logs"] {
            std::fs::create_dir(site.path().join(part)).expect("made");
        }
        let found = disks(site.path());
        assert_eq!(found.len(), 1, "{found:?}");
        assert_eq!(found[0].parts, ["artifacts", "logs"]);
        assert!(found[0].all >= found[0].free);
        assert!(disks(&site.path().join("nowhere")).is_empty());
    }

    #[test]
    fn the_limits_are_the_doctors() {
        let disk = |free, inodes_free| Disk { parts: Vec::new(), free, all: u64::MAX, inodes_free, inodes: u64::MAX };
        assert_eq!((disk(1 << 40, 4_999).low(), disk(1 << 40, 4_999).inodes_low()), (Low::Enough, Low::None));
        assert_eq!((disk(2 << 30, 99_999).low(), disk(2 << 30, 99_999).inodes_low()), (Low::Little, Low::Little));
        assert_eq!(disk(1, 0).low(), Low::None);
    }
}
