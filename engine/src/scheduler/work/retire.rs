//! Destroying the copies that a site kept of a delivery, after two people decided it: files under all their names, encrypted forms with
//! their data keys first. May be done again: what is gone is gone. It does not know why.

use std::fs::File;
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use crate::specimen::record::Fate;
use crate::store::artifact::{ArtifactStore, digest};

pub(in crate::scheduler) struct Work {
    pub(in crate::scheduler) artifacts: ArtifactStore,
    /// `samples/<specimen>` of the site.
    pub(in crate::scheduler) links: PathBuf,
    pub(in crate::scheduler) retirement: String,
    pub(in crate::scheduler) files: Vec<Going>,
}

/// A file that is to go, or to stay.
pub(in crate::scheduler) struct Going {
    pub(in crate::scheduler) sha256: String,
    pub(in crate::scheduler) size: u64,
    pub(in crate::scheduler) fate: Fate,
    /// Directories of attempts that made it. Whoever made it second, or where the file system knows no hard links, has a copy there.
    pub(in crate::scheduler) scratch: Vec<PathBuf>,
}

/// By SHA-256, how it went or why it did not.
pub(in crate::scheduler) type Done = Vec<(String, Result<String, String>)>;

impl Work {
    /// Destroys what it can; one file that resists keeps no other. Blocking.
    pub(in crate::scheduler) fn done(&self) -> Done {
        let one = |going: &Going| {
            let went = self.destroy(going).map_err(|error| error.to_string());
            (going.sha256.clone(), went)
        };
        self.files.iter().map(one).collect()
    }

    fn destroy(&self, going: &Going) -> io::Result<String> {
        let sha256 = going.sha256.as_str();
        match going.fate {
            Fate::Kept => Ok("kept".into()),
            Fate::EncryptedFormDestroyed => {
                self.artifacts.forget_encrypted(sha256)?;
                Ok("data key and encrypted bytes truncated, names removed, directory synced".into())
            }
            Fate::Destroyed => {
                // Out of reach first, its encrypted form with it; then the bytes.
                self.artifacts.seal(sha256, false)?;
                let how = self.artifacts.destroy_sealed(sha256)?;
                let copies =
                    going.scratch.iter().try_fold(0, |sum, place| Ok::<_, io::Error>(sum + going.sweep(place)?))?;
                unlink(&self.links, sha256);
                Ok(if copies > 0 { format!("{how}; the same of {copies} copies of attempts") } else { how })
            }
        }
    }
}

impl Going {
    /// Truncates and removes what has the same content beneath a directory; gives how many there were.
    fn sweep(&self, place: &Path) -> io::Result<usize> {
        let entries = match std::fs::read_dir(place) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(0),
            Err(error) => return Err(error),
        };
        let mut count = 0;
        for entry in entries {
            let (path, found) = entry.and_then(|entry| Ok((entry.path(), entry.metadata()?)))?;
            if found.is_dir() {
                count += self.sweep(&path)?;
            } else if found.is_file() && found.len() == self.size && self.size > 0 {
                // Tools leave files that not even their owner may write.
                std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600))?;
                let same = digest::digests(&mut File::open(&path)?)?.sha256 == self.sha256;
                if same {
                    let copy = File::options().write(true).open(&path)?;
                    copy.set_len(0)?;
                    copy.sync_all()?;
                    std::fs::remove_file(&path)?;
                    count += 1;
                }
            }
        }
        Ok(count)
    }
}

/// Readable names that lead to what is gone. Only people go by them: one that cannot be removed is no reason to stop.
fn unlink(links: &Path, sha256: &str) {
    for run in std::fs::read_dir(links).into_iter().flatten().flatten() {
        for link in std::fs::read_dir(run.path()).into_iter().flatten().flatten() {
            let leads =
                std::fs::read_link(link.path()).is_ok_and(|to| to.file_name().is_some_and(|name| name == sha256));
            if leads {
                let _ = std::fs::remove_file(link.path());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::handoff::crypt4gh::key::SecretKey;

    #[test]
    fn what_goes_is_gone_with_its_encrypted_form_and_its_links_and_may_go_again() {
        let site = tempfile::tempdir().expect("a temporary directory");
        let store = ArtifactStore::open(site.path()).expect("a store");
        let (all, form) = (store.import_bytes(b"reads").expect("made"), store.import_bytes(b"calls").expect("made"));
        let mut random = |bytes: &mut [u8]| bytes.fill(7);
        let (own, theirs) = (SecretKey::new(&[1; 32]), SecretKey::new(&[2; 32]).public());
        for made in [&all, &form] {
            store.encrypt(&made.sha256, &own, &theirs, &mut random).expect("encrypted");
        }
        let links = site.path().join("samples/S1");
        std::fs::create_dir_all(links.join("r1")).expect("made");
        for (name, made) in [("all", &all), ("form", &form)] {
            std::os::unix::fs::symlink(store.path_of(&made.sha256, false), links.join("r1").join(name))
                .expect("linked");
        }
        let scratch = site.path().join("attempts/a1/work");
        std::fs::create_dir_all(&scratch).expect("made");
        std::fs::write(scratch.join("copy"), b"reads").expect("written");
        std::fs::write(scratch.join("other"), b"READS").expect("written");
        let going = |made: &crate::store::artifact::Imported, fate| Going {
            sha256: made.sha256.clone(),
            size: 5,
            fate,
            scratch: vec![site.path().join("attempts/a1"), site.path().join("attempts/none")],
        };
        let files = vec![going(&all, Fate::Destroyed), going(&form, Fate::EncryptedFormDestroyed)];
        let work = Work { artifacts: store.clone(), links: links.clone(), retirement: "y1".into(), files };
        for _ in 0..2 {
            assert!(work.done().iter().all(|(_, went)| went.is_ok()), "{:?}", work.done());
        }
        assert!(!store.contains(&all.sha256, false) && !store.is_sealed(&all.sha256));
        assert!(store.contains(&form.sha256, false));
        assert!(!store.encrypted_path(&all.sha256).exists() && !store.encrypted_path(&form.sha256).exists());
        assert!(!scratch.join("copy").exists() && scratch.join("other").exists());
        assert!(links.join("r1/all").symlink_metadata().is_err() && links.join("r1/form").exists());
    }
}
