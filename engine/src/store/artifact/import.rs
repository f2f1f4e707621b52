//! Copying bytes from outside into the store: samples of a sheet, reference files, documents the engine writes.
//!
//! It does not know what they mean.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use rustix::fs::Mode;
use sha2::{Digest, Sha256};

use super::{ArtifactStore, fan, hex, open_directory, remove_all};

/// Copies under way are named by process and number, so two never meet.
static NEXT: AtomicU64 = AtomicU64::new(0);

/// A copy this old was left by a process that died.
const STALE: Duration = Duration::from_secs(24 * 3600);

/// What came into the store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Imported {
    /// Lowercase hex.
    pub sha256: String,
    /// Bytes.
    pub size: u64,
}

impl ArtifactStore {
    /// Copies a file from anywhere into the store, durably, and leaves the original alone.
    ///
    /// # Errors
    /// When it cannot be read or the store's disk refuses.
    pub fn import_copy(&self, path: &Path) -> io::Result<Imported> {
        self.import(File::open(path)?)
    }

    /// Puts bytes into the store, durably.
    ///
    /// # Errors
    /// When the store's disk refuses.
    pub fn import_bytes(&self, bytes: &[u8]) -> io::Result<Imported> {
        self.import(bytes)
    }

    /// Copies everything a reader gives into the store, durably.
    ///
    /// # Errors
    /// When it cannot be read or the store's disk refuses.
    pub fn import(&self, source: impl Read) -> io::Result<Imported> {
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let temporary = self.root.join("incoming").join(format!("{}-{number}", std::process::id()));
        let made = self.import_through(source, &temporary);
        if made.is_err() {
            remove_all(&temporary);
        }
        made
    }

    fn import_through(&self, mut source: impl Read, temporary: &Path) -> io::Result<Imported> {
        let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(temporary)?;
        let made = copy_hashed(&mut source, &mut file)?;
        if self.contains(&made.sha256, false) {
            std::fs::remove_file(temporary)?;
            return Ok(made);
        }
        rustix::fs::fchmod(&file, Mode::from_raw_mode(0o444))?;
        file.sync_all()?;
        std::fs::rename(temporary, self.path_of(&made.sha256, false))?;
        rustix::fs::fsync(open_directory(&self.root.join("sha256").join(fan(&made.sha256)))?)?;
        Ok(made)
    }

    pub(super) fn sweep_incoming(&self) {
        let Ok(entries) = self.root.join("incoming").read_dir() else {
            return;
        };
        for entry in entries.flatten() {
            let age = entry.metadata().ok().and_then(|found| found.modified().ok()?.elapsed().ok());
            if age.is_some_and(|age| age > STALE) {
                remove_all(&entry.path());
            }
        }
    }
}

fn copy_hashed(source: &mut impl Read, target: &mut File) -> io::Result<Imported> {
    let mut hasher = Sha256::new();
    let mut buffer = vec![0; 256 * 1024];
    let mut size = 0;
    loop {
        let count = match source.read(&mut buffer) {
            Ok(0) => break,
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        hasher.update(&buffer[..count]);
        target.write_all(&buffer[..count])?;
        size += count as u64;
    }
    Ok(Imported { sha256: hex(&hasher.finalize()), size })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_imported_twice_is_kept_once_and_nothing_is_left_under_way() {
        let site = tempfile::tempdir().expect("a temporary directory");
        let store = ArtifactStore::open(site.path()).expect("open");
        let outside = site.path().join("outside");
        std::fs::write(&outside, "reads").expect("write");
        let first = store.import_copy(&outside).expect("first");
        let second = store.import_copy(&outside).expect("second");
        assert_eq!(first, second);
        assert_eq!(first.size, 5);
        assert!(outside.exists());
        assert_eq!(site.path().join("artifacts/incoming").read_dir().expect("there").count(), 0);
    }
}
