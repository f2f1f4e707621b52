//! The site's own keys: 32 random bytes each in a file that only its owner reads, and beside it the public half for everybody.
//!
//! A key that was there once and is not any more is no reason for a new one: a new audit key would look like a forged log, and with a
//! new key for encrypted files nobody could open those that are there.

use std::fs;
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};

use crate::audit::checkpoint;
use crate::audit::{hex, unhex};
use crate::handoff::crypt4gh::key::SecretKey;
use crate::scheduler::service::Error;

/// One of the site's keys.
pub(in crate::scheduler) struct Key {
    /// Its files beneath `secrets/`: `NAME.key` and `NAME.pub`.
    name: &'static str,
    /// The public half of a secret one.
    public: fn(&[u8; 32]) -> [u8; 32],
}

/// Signs the audit log, notices and packages (Ed25519).
pub(in crate::scheduler) const AUDIT: Key =
    Key { name: "audit", public: |secret| *checkpoint::Secret::from_bytes(secret).public().bytes() };

/// Opens the data keys of encrypted files (X25519).
const CRYPT4GH: Key = Key { name: "crypt4gh", public: |secret| SecretKey::new(secret).public().0 };

/// Signs links that count for minutes (HMAC-SHA-256). Its public half is only there to tell one key from another.
const LINKS: Key =
    Key { name: "links", public: |secret| Sha256::digest([b"kentai links: ", &secret[..]].concat()).into() };

/// The site's key for links; made when the site has none yet.
pub(in crate::scheduler) fn links_key(site: &Path) -> Result<[u8; 32], Error> {
    LINKS.secret(site)
}

/// The site's key for encrypted files; made when the site has none yet.
pub(in crate::scheduler) fn crypt4gh_key(site: &Path) -> Result<SecretKey, Error> {
    Ok(SecretKey::new(&CRYPT4GH.secret(site)?))
}

impl Key {
    /// Where its public half lies: 64 hexadecimal digits.
    pub(in crate::scheduler) fn public(&self, site: &Path) -> PathBuf {
        site.join(format!("secrets/{}.pub", self.name))
    }

    /// The key; made when the site has none yet.
    pub(in crate::scheduler) fn secret(&self, site: &Path) -> Result<[u8; 32], Error> {
        let path = site.join(format!("secrets/{}.key", self.name));
        let bad = |reason: String| Error::Key { path: path.display().to_string(), reason };
        let key = match fs::read_to_string(&path) {
            Ok(text) => {
                let key = unhex(text.trim_end_matches('\n'));
                key.ok_or_else(|| bad("this is no key: 64 hexadecimal digits".into()))?
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound && !self.public(site).exists() => {
                // A full disk is the site's trouble, and it passes: the key is made at the next start.
                make(site, &path).map_err(|source| Error::Site { site: site.display().to_string(), source })?
            }
            Err(error) => return Err(bad(error.to_string())),
        };
        let mode = fs::metadata(&path).map_err(|error| bad(error.to_string()))?.permissions().mode();
        if mode & 0o077 != 0 {
            return Err(bad("others may read it: chmod 600".into()));
        }
        let public = hex(&(self.public)(&key));
        match fs::read_to_string(self.public(site)) {
            Ok(text) if text.trim_end_matches('\n') == public => Ok(key),
            Ok(_) => Err(bad(format!("{}.pub beside it belongs to another key", self.name))),
            // The power went between the two files.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                write(&self.public(site), &public, 0o644).map_err(|error| bad(error.to_string()))?;
                Ok(key)
            }
            Err(error) => Err(bad(error.to_string())),
        }
    }
}

fn make(site: &Path, path: &Path) -> io::Result<[u8; 32]> {
    fs::DirBuilder::new().recursive(true).mode(0o700).create(site.join("secrets"))?;
    let bytes: [u8; 32] = super::people::random()?;
    write(path, &hex(&bytes), 0o600)?;
    Ok(bytes)
}

/// Whole or not at all, and on the disk.
fn write(path: &Path, text: &str, mode: u32) -> io::Result<()> {
    let beside = path.with_extension("new");
    let _ = fs::remove_file(&beside);
    let mut file = fs::File::options().write(true).create_new(true).mode(mode).open(&beside)?;
    file.write_all(format!("{text}\n").as_bytes())?;
    file.sync_all()?;
    fs::rename(&beside, path)?;
    path.parent().map_or(Ok(()), |directory| fs::File::open(directory)?.sync_all())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_site_has_one_key_that_only_its_owner_reads() {
        let site = tempfile::tempdir().expect("a directory");
        let first = AUDIT.secret(site.path()).expect("made");
        assert_eq!(AUDIT.secret(site.path()).expect("there"), first);
        let path = site.path().join("secrets/audit.key");
        assert_eq!(fs::metadata(&path).expect("there").permissions().mode() & 0o777, 0o600);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).expect("ours");
        assert!(AUDIT.secret(site.path()).is_err());
    }

    #[test]
    fn a_key_that_was_lost_or_changed_is_not_made_anew() {
        let site = tempfile::tempdir().expect("a directory");
        AUDIT.secret(site.path()).expect("made");
        let path = site.path().join("secrets/audit.key");
        fs::remove_file(&path).expect("ours");
        assert!(AUDIT.secret(site.path()).is_err());
        for text in [crate::audit::hex(&[1; 32]), "rubbish".into(), String::new()] {
            write(&path, &text, 0o600).expect("ours");
            assert!(AUDIT.secret(site.path()).is_err(), "{text}");
        }
    }
}
