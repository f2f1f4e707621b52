//! What a collected attempt leaves: intermediate files, which may be a hundred times its outputs.

use std::os::unix::fs::MetadataExt;
use std::path::Path;

use kentai_engine::store::artifact::remove_all;

use crate::attempt::{SECRETS, WORK};

/// Smaller files are left to retention: freeing an inode costs the file system more than the space is worth.
const SMALL: u64 = 64 * 1024;

/// Removes directories and big files beneath `work/`, and secrets.
pub(super) fn clear(directory: &Path) {
    let secrets = directory.join(SECRETS);
    if secrets.symlink_metadata().is_ok() {
        remove_all(&secrets);
    }
    let Ok(entries) = std::fs::read_dir(directory.join(WORK)) else { return };
    for entry in entries.flatten() {
        let Ok(found) = entry.metadata() else { continue };
        // A second name is the artifact's own: it takes no space.
        let worth = found.is_dir() || (found.nlink() == 1 && found.len() > SMALL);
        if worth {
            remove_all(&entry.path());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn big_intermediates_go_and_artifacts_stay() {
        let attempt = tempfile::tempdir().expect("a temporary directory");
        let work = attempt.path().join(WORK);
        std::fs::create_dir_all(work.join("sort/deep")).expect("made");
        let big = vec![0; usize::try_from(SMALL).expect("small") + 1];
        std::fs::write(work.join("unsorted.bam"), &big).expect("written");
        std::fs::write(work.join("artifact.bam"), &big).expect("written");
        std::fs::hard_link(work.join("artifact.bam"), attempt.path().join("store")).expect("linked");
        clear(attempt.path());
        assert!(!work.join("unsorted.bam").exists() && !work.join("sort").exists());
        assert!(work.join("artifact.bam").exists());
    }
}
