//! The content-addressed files of a site: one immutable file (or directory) per SHA-256.
//!
//! Layout: `artifacts/sha256/ab/<hex>` for files, `artifacts/tree/ab/<hex>/` for directories (named by the SHA-256 of
//! their manifest), `artifacts/incoming/` for copies under way, `artifacts/collecting/` for the collector's notes.
//! It does not know attempts, formats or the database; whoever adopts has opened, checked and hashed the files.

mod adopt;
pub mod digest;
pub mod encrypted;
mod import;
mod sealed;

use std::fs::{DirBuilder, File};
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustix::fs::{CWD, Mode, OFlags};

pub use self::adopt::{Incoming, remove_all, seal};
pub use self::import::Imported;

/// The artifact files of one site. Cheap to clone.
#[derive(Clone, Debug)]
pub struct ArtifactStore {
    root: PathBuf,
    handle: Arc<OwnedFd>,
    /// The file system knows hard links.
    links: bool,
}

impl ArtifactStore {
    /// Opens the store beneath `site_dir`, making its directories when they are not there.
    ///
    /// # Errors
    /// When a directory cannot be made or opened.
    pub fn open(site_dir: &Path) -> io::Result<Self> {
        let root = std::path::absolute(site_dir)?.join("artifacts");
        // `tree/ff` is made last: where it lies, all the others do, and 512 system calls are saved.
        if !root.join("tree/ff").is_dir() {
            make_directories(&root)?;
        }
        let handle = Arc::new(open_directory(&root)?);
        let links = knows_links(&root);
        let store = Self { root, handle, links };
        store.sweep_incoming();
        Ok(store)
    }

    /// Are files taken in by a second name? Then an interrupted collection finds them where they were, and needs no note.
    #[must_use]
    pub fn takes_by_link(&self) -> bool {
        self.links
    }

    /// Where the artifact with this digest lies, or would lie.
    #[must_use]
    pub fn path_of(&self, sha256: &str, dir: bool) -> PathBuf {
        self.root.join(relative(sha256, dir))
    }

    /// Is it here?
    #[must_use]
    pub fn contains(&self, sha256: &str, dir: bool) -> bool {
        is_digest(sha256)
            && self
                .path_of(sha256, dir)
                .symlink_metadata()
                .is_ok_and(|found| if dir { found.is_dir() } else { found.is_file() })
    }

    /// Opens a file artifact for reading.
    ///
    /// # Errors
    /// `InvalidInput` when `sha256` is not a digest, else whatever opening gave (`NotFound`, …).
    pub fn open_read(&self, sha256: &str) -> io::Result<File> {
        if !is_digest(sha256) {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "not a lowercase SHA-256"));
        }
        let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NOFOLLOW;
        let file = rustix::fs::openat(&self.handle, relative(sha256, false), flags, Mode::empty())?;
        Ok(File::from(file))
    }

    /// Where the collector keeps its roll-forward notes: inside the store, out of every tool's reach.
    #[must_use]
    pub fn notes(&self) -> PathBuf {
        self.root.join("collecting")
    }

    /// Makes everything written to the store's file system so far durable.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn sync(&self) -> io::Result<()> {
        Ok(rustix::fs::syncfs(&self.handle)?)
    }
}

/// Lowercase hex of a digest.
#[must_use]
pub fn hex(digest: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut text = String::with_capacity(digest.len() * 2);
    for byte in digest {
        text.push(char::from(DIGITS[usize::from(byte >> 4)]));
        text.push(char::from(DIGITS[usize::from(byte & 15)]));
    }
    text
}

fn is_digest(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

fn fan(sha256: &str) -> &str {
    sha256.get(..2).unwrap_or("00")
}

fn relative(sha256: &str, dir: bool) -> String {
    format!("{}/{}/{sha256}", if dir { "tree" } else { "sha256" }, fan(sha256))
}

fn open_directory(path: &Path) -> io::Result<OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    Ok(rustix::fs::openat(CWD, path, flags, Mode::empty())?)
}

/// Tried once per start: some file systems (FAT, some network ones) have no hard links.
fn knows_links(root: &Path) -> bool {
    let (one, other) = (root.join("incoming/.link-1"), root.join("incoming/.link-2"));
    remove_all(&other);
    let known = std::fs::write(&one, "").and_then(|()| std::fs::hard_link(&one, &other)).is_ok();
    remove_all(&one);
    remove_all(&other);
    known
}

fn make_directories(root: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true).mode(0o755);
    for name in ["incoming", "collecting"] {
        builder.create(root.join(name))?;
    }
    for kind in ["sha256", "tree"] {
        for fan in 0..=255_u8 {
            builder.create(root.join(kind).join(format!("{fan:02x}")))?;
        }
    }
    Ok(rustix::fs::syncfs(open_directory(root)?)?)
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    #[test]
    fn a_store_opens_twice_and_reads_what_was_imported() {
        let site = tempfile::tempdir().expect("a temporary directory");
        let store = ArtifactStore::open(site.path()).expect("first open");
        let made = store.import_bytes(b"hello\n").expect("import");
        assert_eq!(made.sha256, "5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03");
        let again = ArtifactStore::open(site.path()).expect("second open");
        assert!(again.contains(&made.sha256, false));
        let mut text = String::new();
        again.open_read(&made.sha256).expect("there").read_to_string(&mut text).expect("text");
        assert_eq!(text, "hello\n");
    }

    #[test]
    fn a_name_that_is_no_digest_is_never_opened() {
        let site = tempfile::tempdir().expect("a temporary directory");
        let store = ArtifactStore::open(site.path()).expect("open");
        for name in ["", "../../etc/passwd", "ABCD", "あ"] {
            assert!(store.open_read(name).is_err());
            assert!(!store.contains(name, false));
        }
    }
}
