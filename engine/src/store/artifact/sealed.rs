//! Sealing: an artifact of a withdrawn participant leaves its name and loses every right. Only the withdrawal role opens it, by name.

use std::fs::{File, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};

use super::{ArtifactStore, is_digest, remove_all};

impl ArtifactStore {
    /// Takes an artifact out of everybody's reach, under all its names: the rights are the file's, not the name's. Again: nothing.
    ///
    /// # Errors
    /// When the disk refuses; then it is still where it was.
    pub fn seal(&self, sha256: &str, dir: bool) -> io::Result<()> {
        if !is_digest(sha256) {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "not a lowercase SHA-256"));
        }
        let from = self.path_of(sha256, dir);
        let to = self.sealed_path(sha256);
        let found = match from.symlink_metadata() {
            Ok(found) => found,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return self.forget_encrypted(sha256),
            Err(error) => return Err(error),
        };
        std::fs::DirBuilder::new().recursive(true).mode(0o700).create(self.root.join("sealed"))?;
        if found.is_dir() {
            close_tree(&from)?;
        } else {
            std::fs::set_permissions(&from, Permissions::from_mode(0o000))?;
        }
        // The same content was sealed before, and made again since.
        remove_all(&to);
        std::fs::rename(&from, &to)?;
        File::open(self.root.join("sealed"))?.sync_all()?;
        // What was encrypted from it can be made again, should it ever be opened; until then nobody has it.
        self.forget_encrypted(sha256)
    }

    /// Is it sealed?
    #[must_use]
    pub fn is_sealed(&self, sha256: &str) -> bool {
        is_digest(sha256) && self.sealed_path(sha256).symlink_metadata().is_ok()
    }

    /// Opens a sealed file: for the withdrawal role only, which is the caller's business.
    ///
    /// # Errors
    /// When it is not there, or the engine's user may not.
    pub fn open_sealed(&self, sha256: &str) -> io::Result<File> {
        if !is_digest(sha256) {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "not a lowercase SHA-256"));
        }
        File::open(self.sealed_path(sha256))
    }

    /// Removes a sealed artifact for good and says how. Again: it is gone.
    ///
    /// # Errors
    /// When the disk refuses, or it is not sealed but still in use.
    pub fn destroy_sealed(&self, sha256: &str) -> io::Result<String> {
        let path = self.sealed_path(sha256);
        match path.symlink_metadata() {
            Ok(found) if found.is_file() => {
                // Every name of the file, scratch included, loses its content.
                std::fs::set_permissions(&path, Permissions::from_mode(0o600))?;
                let file = File::options().write(true).open(&path)?;
                file.set_len(0)?;
                file.sync_all()?;
                std::fs::remove_file(&path)?;
            }
            Ok(_) => remove_all(&path),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                if self.contains(sha256, false) || self.contains(sha256, true) {
                    return Err(io::Error::other("it is not sealed"));
                }
                return Ok("it was gone already".into());
            }
            Err(error) => return Err(error),
        }
        File::open(self.root.join("sealed"))?.sync_all()?;
        Ok("content truncated under all its names, name removed, directory synced".into())
    }

    fn sealed_path(&self, sha256: &str) -> PathBuf {
        self.root.join("sealed").join(sha256)
    }
}

fn close_tree(path: &Path) -> io::Result<()> {
    for entry in std::fs::read_dir(path)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            close_tree(&entry.path())?;
        } else if entry.file_type()?.is_file() {
            std::fs::set_permissions(entry.path(), Permissions::from_mode(0o000))?;
        }
    }
    std::fs::set_permissions(path, Permissions::from_mode(0o000))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sealed_has_no_name_and_no_rights_and_may_be_destroyed() {
        let site = tempfile::tempdir().expect("a temporary directory");
        let store = ArtifactStore::open(site.path()).expect("open");
        let made = store.import_bytes(b"genome\n").expect("import");
        let other_name = site.path().join("scratch");
        std::fs::hard_link(store.path_of(&made.sha256, false), &other_name).expect("a second name");
        store.seal(&made.sha256, false).and_then(|()| store.seal(&made.sha256, false)).expect("sealed twice");
        assert!(!store.contains(&made.sha256, false) && store.is_sealed(&made.sha256));
        assert_eq!(other_name.metadata().expect("there").permissions().mode() & 0o777, 0);
        store.destroy_sealed(&made.sha256).expect("destroyed");
        assert_eq!(other_name.metadata().expect("there").len(), 0);
        assert!(store.destroy_sealed(&made.sha256).is_ok_and(|how| how.contains("already")));
    }

    #[test]
    fn the_encrypted_form_goes_with_the_name() {
        use crate::handoff::crypt4gh::key::SecretKey;

        let site = tempfile::tempdir().expect("a temporary directory");
        let store = ArtifactStore::open(site.path()).expect("open");
        let made = store.import_bytes(b"genome\n").expect("import");
        let mut random = |bytes: &mut [u8]| bytes.fill(7);
        let (own, theirs) = (SecretKey::new(&[1; 32]), SecretKey::new(&[2; 32]).public());
        store.encrypt(&made.sha256, &own, &theirs, &mut random).expect("encrypted");
        assert!(store.encrypted_path(&made.sha256).exists());
        store.seal(&made.sha256, false).expect("sealed");
        assert!(!store.encrypted_path(&made.sha256).exists());
        // Somebody was just about to encrypt it.
        assert!(store.encrypt(&made.sha256, &own, &theirs, &mut random).is_err());
        assert!(!store.encrypted_path(&made.sha256).exists());
    }

    #[test]
    fn what_is_in_use_is_never_destroyed() {
        let site = tempfile::tempdir().expect("a temporary directory");
        let store = ArtifactStore::open(site.path()).expect("open");
        let made = store.import_bytes(b"another's\n").expect("import");
        assert!(store.destroy_sealed(&made.sha256).is_err());
        assert!(store.contains(&made.sha256, false));
    }
}
