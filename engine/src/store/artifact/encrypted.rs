//! Encrypted bodies: an artifact as Crypt4GH, encrypted once for whoever gets it. Beside the body lies its data key in a header that only
//! the site's own key opens; a recipient's header is made from that one, and the body is not touched.
//!
//! Layout: `artifacts/crypt4gh/ab/<hex of the plain file>` and `….header`. It makes no random byte, and keeps nothing of a recipient.

use std::fs::{DirBuilder, File, OpenOptions, Permissions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use super::digest::{self, Digesting, Digests};
use super::{ArtifactStore, fan, is_digest, open_directory, remove_all};
use crate::handoff::crypt4gh::key::{DataKey, PublicKey, SecretKey};
use crate::handoff::crypt4gh::{Nonce, header, stream};

const CHUNK: usize = 1 << 20;

/// Fresh bytes from a cryptographically secure generator, for keys and nonces.
pub type Random<'a> = &'a mut dyn FnMut(&mut [u8]);

/// Why an artifact cannot be encrypted.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "each variant's message says it")]
pub enum Error {
    #[error(transparent)]
    Io(#[from] io::Error),
    #[error("the data key of an encrypted file cannot be opened with this site's key: {0}")]
    Header(#[from] header::Error),
}

/// An artifact as one recipient gets it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Encrypted {
    /// Only the recipient opens it. Another call makes another one: stored, and served with the body, it is the same file every time.
    pub header: Vec<u8>,
    /// Of the header and the body behind it.
    pub whole: Digests,
}

impl ArtifactStore {
    /// Where an artifact's encrypted body lies, or would lie.
    #[must_use]
    pub fn encrypted_path(&self, sha256: &str) -> PathBuf {
        self.root.join("crypt4gh").join(fan(sha256)).join(sha256)
    }

    /// Encrypts an artifact for a recipient. The body is made unless that was done before, and digested behind the recipient's header as it
    /// is made; one that is there is read.
    ///
    /// The data key is on the disk before the first byte that it encrypts; a body that a crash cut off is encrypted anew, with the same key
    /// and other nonces.
    ///
    /// # Errors
    /// When the disk refuses, the stored key is of another site, or everybody could open the new header.
    pub fn encrypt(
        &self,
        sha256: &str,
        site: &SecretKey,
        recipient: &PublicKey,
        random: Random<'_>,
    ) -> Result<Encrypted, Error> {
        if !is_digest(sha256) {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "not a lowercase SHA-256").into());
        }
        let place = self.encrypted_path(sha256);
        let directory = place.parent().unwrap_or(&self.root).to_owned();
        let own = own_header(&place, &directory, site, random)?;
        let opened = header::open(&own, site, None)?;
        let header = reissue(&own, site, recipient, random)?;
        // A header that opens has one at least.
        let key = opened.data_keys.first().filter(|_| !self.has_encrypted(sha256, &place));
        let Some(key) = key else {
            let whole = digest::digests(&mut header.as_slice().chain(File::open(&place)?))?;
            return Ok(Encrypted { header, whole });
        };
        let whole = self.encrypt_body(sha256, &place, key, &header, random)?;
        rustix::fs::fsync(open_directory(&directory)?).map_err(io::Error::from)?;
        // Closed meanwhile, by a withdrawal: its name goes first, so one of the two of us sees the other.
        if !self.contains(sha256, false) {
            self.forget_encrypted(sha256)?;
            return Err(io::Error::new(io::ErrorKind::NotFound, "it was closed while it was encrypted").into());
        }
        Ok(Encrypted { header, whole })
    }

    fn has_encrypted(&self, sha256: &str, place: &Path) -> bool {
        place.symlink_metadata().is_ok() && self.contains(sha256, false)
    }

    fn encrypt_body(
        &self,
        sha256: &str,
        place: &Path,
        key: &DataKey,
        header: &[u8],
        random: Random<'_>,
    ) -> io::Result<Digests> {
        let mut plain = self.open_read(sha256)?;
        let partial = place.with_extension("partial");
        remove_all(&partial);
        let body = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&partial)?;
        let mut sealing = stream::Sealing::new(Digesting::new(body, header), key, || nonce(random));
        copy(&mut plain, &mut sealing)?;
        let (body, whole) = sealing.finish()?.finish()?;
        body.set_permissions(Permissions::from_mode(0o400))?;
        body.sync_all()?;
        std::fs::rename(&partial, place)?;
        Ok(whole)
    }

    /// Takes an artifact's encrypted form away for good, its data key first: without it the rest is noise. Again: nothing.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn forget_encrypted(&self, sha256: &str) -> io::Result<()> {
        let place = self.encrypted_path(sha256);
        for path in [header_path(&place), place.clone(), place.with_extension("partial")] {
            match File::options().write(true).open(&path) {
                Ok(file) => {
                    file.set_len(0)?;
                    file.sync_all()?;
                }
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {}
                Err(error) => return Err(error),
            }
            std::fs::remove_file(&path)?;
        }
        match open_directory(place.parent().unwrap_or(&self.root)) {
            Ok(directory) => Ok(rustix::fs::fsync(directory)?),
            Err(_) => Ok(()),
        }
    }
}

/// The header that only the site opens: the one that lies there, or a new one with a new data key.
fn own_header(place: &Path, directory: &Path, site: &SecretKey, random: Random<'_>) -> Result<Vec<u8>, Error> {
    DirBuilder::new().recursive(true).mode(0o700).create(directory)?;
    let path = header_path(place);
    match std::fs::read(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        other => return Ok(other?),
    }
    let mut key = [0; 32];
    random(&mut key);
    let header = header_for(&DataKey::new(&key), &site.public(), random)?;
    write_whole(&path, &header)?;
    rustix::fs::fsync(open_directory(directory)?).map_err(io::Error::from)?;
    Ok(header)
}

/// The header for a recipient, made from one that this site opens.
fn reissue(
    header: &[u8],
    site: &SecretKey,
    recipient: &PublicKey,
    random: Random<'_>,
) -> Result<Vec<u8>, header::Error> {
    let sender = sender(random);
    header::reissue(header, site, recipient, &sender, || nonce(random))
}

fn header_for(key: &DataKey, recipient: &PublicKey, random: Random<'_>) -> Result<Vec<u8>, header::Error> {
    let sender = sender(random);
    Ok(header::header_for(key, recipient, &sender, || nonce(random))?)
}

/// Used for one header and forgotten.
fn sender(random: Random<'_>) -> SecretKey {
    let mut secret = [0; 32];
    random(&mut secret);
    SecretKey::new(&secret)
}

fn nonce(random: Random<'_>) -> Nonce {
    let mut nonce = Nonce::default();
    random(&mut nonce);
    nonce
}

fn header_path(place: &Path) -> PathBuf {
    place.with_extension("header")
}

fn write_whole(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let partial = path.with_extension("header-new");
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&partial)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    std::fs::rename(&partial, path)
}

fn copy(from: &mut impl Read, to: &mut impl Write) -> io::Result<()> {
    let mut buffer = vec![0; CHUNK];
    loop {
        match from.read(&mut buffer) {
            Ok(0) => return Ok(()),
            Ok(count) => to.write_all(&buffer[..count])?,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::handoff::crypt4gh::body::Expect;

    fn counted() -> impl FnMut(&mut [u8]) {
        let mut next = 0_u8;
        move |bytes| {
            for byte in bytes {
                next = next.wrapping_add(1);
                *byte = next;
            }
        }
    }

    fn opened(store: &ArtifactStore, sha256: &str, header: &[u8], reader: &SecretKey) -> Vec<u8> {
        let body = File::open(store.encrypted_path(sha256)).expect("a body");
        let size = store.open_read(sha256).and_then(|plain| plain.metadata()).expect("the plain file").len();
        let mut plain = Vec::new();
        let mut opening =
            stream::Opening::new(header.chain(body), reader, None, Expect::PlainBytes(size)).expect("it opens");
        opening.read_to_end(&mut plain).expect("it decrypts");
        plain
    }

    /// The header for the site itself, which lies beside the body.
    fn own(store: &ArtifactStore, sha256: &str) -> Vec<u8> {
        std::fs::read(header_path(&store.encrypted_path(sha256))).expect("a header")
    }

    fn them() -> PublicKey {
        SecretKey::new(&[2; 32]).public()
    }

    #[test]
    fn encrypted_once_for_whoever_gets_it() {
        let directory = tempfile::tempdir().expect("a directory");
        let store = ArtifactStore::open(directory.path()).expect("a store");
        // Of several chunks: digests are made in two threads.
        let plain: Vec<u8> = (0..3_000_000_u32).map(|number| number.to_le_bytes()[(number % 3) as usize]).collect();
        let made = store.import_bytes(&plain).expect("an artifact");
        let (site, one, other) = (SecretKey::new(&[1; 32]), SecretKey::new(&[2; 32]), SecretKey::new(&[3; 32]));
        let mut random = counted();
        let first = store.encrypt(&made.sha256, &site, &one.public(), &mut random).expect("encrypted");
        let body = std::fs::read(store.encrypted_path(&made.sha256)).expect("a body");
        let data_key = own(&store, &made.sha256);
        let second = store.encrypt(&made.sha256, &site, &other.public(), &mut random).expect("again");
        assert_ne!(first.header, second.header);
        assert_eq!(std::fs::read(store.encrypted_path(&made.sha256)).expect("a body"), body);
        assert_eq!(own(&store, &made.sha256), data_key);
        for (encrypted, reader) in [(&first, &one), (&second, &other), (&first, &one)] {
            assert!(opened(&store, &made.sha256, &encrypted.header, reader) == plain);
            // As a receiver reads it, in one piece.
            let file = [encrypted.header.as_slice(), &body].concat();
            let whole = digest::digests(&mut file.as_slice()).expect("memory");
            assert_eq!((&encrypted.whole, file.len() as u64), (&whole, whole.size));
        }
    }

    #[test]
    fn a_body_that_was_cut_off_is_made_anew_with_the_key_that_was_kept() {
        let directory = tempfile::tempdir().expect("a directory");
        let store = ArtifactStore::open(directory.path()).expect("a store");
        let made = store.import_bytes(b"reads").expect("an artifact");
        let site = SecretKey::new(&[1; 32]);
        let mut random = counted();
        let first = store.encrypt(&made.sha256, &site, &them(), &mut random).expect("encrypted");
        let (place, data_key) = (store.encrypted_path(&made.sha256), own(&store, &made.sha256));
        std::fs::rename(&place, place.with_extension("partial")).expect("as after a crash");
        let again = store.encrypt(&made.sha256, &site, &them(), &mut random).expect("again");
        assert_ne!(again.whole, first.whole);
        assert_eq!(own(&store, &made.sha256), data_key);
        assert_eq!(opened(&store, &made.sha256, &data_key, &site), b"reads");
    }

    #[test]
    fn forgotten_is_forgotten() {
        let directory = tempfile::tempdir().expect("a directory");
        let store = ArtifactStore::open(directory.path()).expect("a store");
        let made = store.import_bytes(b"reads").expect("an artifact");
        let site = SecretKey::new(&[1; 32]);
        store.encrypt(&made.sha256, &site, &them(), &mut counted()).expect("encrypted");
        let place = store.encrypted_path(&made.sha256);
        std::fs::hard_link(&place, directory.path().join("another name")).expect("linked");
        store.forget_encrypted(&made.sha256).expect("forgotten");
        store.forget_encrypted(&made.sha256).expect("forgotten before");
        assert!(!place.exists() && !header_path(&place).exists());
        assert_eq!(std::fs::read(directory.path().join("another name")).expect("there"), b"");
    }

    #[test]
    fn what_is_closed_while_it_is_encrypted_leaves_nothing_encrypted() {
        let directory = tempfile::tempdir().expect("a directory");
        let store = ArtifactStore::open(directory.path()).expect("a store");
        let made = store.import_bytes(&vec![7; 200_000]).expect("an artifact");
        let (mut random, mut asked) = (counted(), 0);
        // A key; a sender and a nonce for each of two headers; then a nonce for each segment.
        let mut while_it_is_encrypted = |bytes: &mut [u8]| {
            asked += 1;
            if asked == 7 {
                // The first thing that sealing does; the rest of it finds nothing yet.
                std::fs::rename(store.path_of(&made.sha256, false), directory.path().join("sealed")).expect("renamed");
            }
            random(bytes);
        };
        let site = SecretKey::new(&[1; 32]);
        let refused = store.encrypt(&made.sha256, &site, &them(), &mut while_it_is_encrypted);
        assert!(matches!(&refused, Err(Error::Io(error)) if error.to_string().contains("closed")), "{refused:?}");
        let place = store.encrypted_path(&made.sha256);
        assert!(!place.exists() && !header_path(&place).exists());
    }

    #[test]
    fn another_sites_key_opens_nothing_and_changes_nothing() {
        let directory = tempfile::tempdir().expect("a directory");
        let store = ArtifactStore::open(directory.path()).expect("a store");
        let made = store.import_bytes(b"reads").expect("an artifact");
        let mut random = counted();
        store.encrypt(&made.sha256, &SecretKey::new(&[1; 32]), &them(), &mut random).expect("encrypted");
        let data_key = own(&store, &made.sha256);
        let other = store.encrypt(&made.sha256, &SecretKey::new(&[3; 32]), &them(), &mut random);
        assert!(matches!(other, Err(Error::Header(_))), "{other:?}");
        assert_eq!(own(&store, &made.sha256), data_key);
    }
}
