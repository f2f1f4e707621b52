//! The pull directory: settings, what is known of each delivery, packages under way and whole, and the lock. It knows no network.
//!
//! `pull.json`, `token`, `feed.json`, `deliveries/ID.json`, `packages/FOLDER`, `packages/.FOLDER.partial`, `progress/ID`, `plain/FOLDER`,
//! `receipts/ID.RECEIPT.json`, `recalled/`, `replaced/`.

use std::fs::{DirBuilder, File};
use std::io::{self, Read as _, Write as _};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, flock};
use serde::Serialize;
use serde::de::DeserializeOwned;
use zeroize::Zeroizing;

use super::settings::{NAME, Settings, VERSION};
use super::state::{Seen, State};
use super::{Failure, beneath};
use crate::exit::Exit;
use crate::whole_file;

/// Where it is when nobody says otherwise.
pub(crate) const DEFAULT: &str = "kentai-pull";
/// A state lists the files of its package.
const STATE_BYTES_MAX: u64 = 256 << 20;

const FOLDERS: [&str; 7] = ["deliveries", PACKAGES, PROGRESS, PLAIN, RECEIPTS, RECALLED, REPLACED];
pub(super) const PACKAGES: &str = "packages";
pub(super) const PROGRESS: &str = "progress";
pub(super) const PLAIN: &str = "plain";
const RECEIPTS: &str = "receipts";
pub(super) const RECALLED: &str = "recalled";
pub(super) const REPLACED: &str = "replaced";
const FEED: &str = "feed.json";
const TOKEN: &str = "token";
const LOCK: &str = "lock";

/// A pull directory that is open.
pub(crate) struct Directory {
    path: PathBuf,
    root: OwnedFd,
}

/// Nobody else works in the directory while this lives.
pub(crate) struct Lock(#[expect(dead_code, reason = "closing it is what ends the lock")] File);

impl Directory {
    /// Makes one where there is none. Genomes will lie in it: it is nobody else's.
    pub(crate) fn make(path: &Path) -> Result<Self, Failure> {
        let fail = |error: io::Error| Failure::disk(&format!("make the pull directory {}", path.display()), &error);
        DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(fail)?;
        Self::opened(path)
    }

    /// Opens one that `pull login` made.
    pub(crate) fn open(path: &Path) -> Result<Self, Failure> {
        if !path.join(NAME).is_file() {
            let message =
                format!("there is no pull directory {0}: `kentai pull login ADDRESS --directory {0}`", path.display());
            return Err(Failure::new(Exit::NotFound, message));
        }
        Self::opened(path)
    }

    fn opened(path: &Path) -> Result<Self, Failure> {
        let fail = |error: io::Error| Failure::disk(&format!("open the pull directory {}", path.display()), &error);
        let path = path.canonicalize().map_err(fail)?;
        let root = OwnedFd::from(File::open(&path).map_err(fail)?);
        for folder in FOLDERS {
            beneath::make_directory(root.as_fd(), folder).map_err(fail)?;
        }
        Ok(Self { path, root })
    }

    /// Its own handle.
    pub(super) fn root(&self) -> BorrowedFd<'_> {
        self.root.as_fd()
    }

    /// A folder of its own, opened.
    pub(super) fn folder(&self, name: &str) -> Result<OwnedFd, Failure> {
        beneath::directory(self.root(), name).map_err(|error| Failure::disk(&self.place(name), &error))
    }

    /// For messages.
    pub(crate) fn place(&self, path: &str) -> String {
        self.path.join(path).display().to_string()
    }

    /// Takes the lock; two that pull into one directory would write over each other.
    pub(crate) fn lock(&self) -> Result<Lock, Failure> {
        let fail = |error: io::Error| Failure::disk(&self.place(LOCK), &error);
        let file = beneath::make_file(self.root(), LOCK).map_err(fail)?;
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => Ok(Lock(file)),
            Err(rustix::io::Errno::WOULDBLOCK) => {
                let message = format!(
                    "another `kentai pull` works in {}: wait for it, or end it; what it has done is kept",
                    self.path.display()
                );
                Err(Failure::new(Exit::State, message))
            }
            Err(error) => Err(fail(error.into())),
        }
    }

    /// `pull.json`.
    pub(crate) fn settings(&self) -> Result<Settings, Failure> {
        let settings: Settings = self.read(NAME)?.unwrap_or_default();
        if settings.kentai_pull > VERSION {
            let message = format!("{} is of a newer kentai: use that one", self.place(NAME));
            return Err(Failure::new(Exit::State, message));
        }
        Ok(settings)
    }

    /// Writes `pull.json`.
    pub(crate) fn save_settings(&self, settings: &Settings) -> Result<(), Failure> {
        self.write(NAME, &Settings { kentai_pull: VERSION, ..settings.clone() })
    }

    /// How far the feed was read.
    pub(crate) fn seen(&self) -> Result<Seen, Failure> {
        Ok(self.read(FEED)?.unwrap_or_default())
    }

    /// Writes it. The states of what was seen are written before.
    pub(crate) fn save_seen(&self, seen: &Seen) -> Result<(), Failure> {
        self.write(FEED, seen)
    }

    /// A delivery that is known here.
    pub(crate) fn state(&self, delivery: &str) -> Result<Option<State>, Failure> {
        // A name from a person: what is not one part of a path is not known.
        let odd = delivery.is_empty() || delivery.starts_with('.') || delivery.contains(['/', '\0']);
        if odd { Ok(None) } else { self.read(&format!("deliveries/{delivery}.json")) }
    }

    /// All deliveries, by id.
    pub(crate) fn states(&self) -> Result<Vec<State>, Failure> {
        let folder = self.folder("deliveries")?;
        let mut names = Vec::new();
        let listed = beneath::visit(folder.as_fd(), &mut |_, _, path, _| {
            names.extend(path.strip_suffix(".json").filter(|name| !name.starts_with('.')).map(str::to_owned));
            Ok(())
        });
        listed.map_err(|error| Failure::disk(&self.place("deliveries"), &error))?;
        names.iter().map(|name| self.state(name)).filter_map(Result::transpose).collect()
    }

    /// Writes what is known of a delivery.
    pub(crate) fn save(&self, state: &State) -> Result<(), Failure> {
        self.write(&format!("deliveries/{}.json", state.offer.delivery), state)
    }

    /// Keeps what was sent and what was answered.
    pub(crate) fn save_receipt(&self, delivery: &str, id: &str, document: &impl Serialize) -> Result<String, Failure> {
        let name = format!("{RECEIPTS}/{delivery}.{id}.json");
        self.write(&name, document)?;
        Ok(self.place(&name))
    }

    /// A receipt as it was kept, and where.
    pub(crate) fn receipt(&self, delivery: &str, id: &str) -> Result<(String, serde_json::Value), Failure> {
        let name = format!("{RECEIPTS}/{delivery}.{id}.json");
        let place = self.place(&name);
        let lost = || Failure::new(Exit::CheckFailed, format!("{place}: it is gone; acknowledge again"));
        Ok((place.clone(), self.read(&name)?.ok_or_else(lost)?))
    }

    /// The token, when there is one. A file that others can read is refused: it would be theirs too.
    pub(crate) fn token(&self) -> Result<Option<Zeroizing<String>>, Failure> {
        let fail = |error: io::Error| Failure::disk(&self.place(TOKEN), &error);
        let file = match beneath::file(self.root(), TOKEN) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(fail(error)),
        };
        if file.metadata().map_err(fail)?.permissions().mode() & 0o077 != 0 {
            let message =
                format!("{0} can be read by others: chmod 600 {0}, and ask for a new token", self.place(TOKEN));
            return Err(Failure::new(Exit::NotAllowed, message));
        }
        let mut text = Zeroizing::new(String::with_capacity(4096));
        file.take(4096).read_to_string(&mut text).map_err(fail)?;
        Ok(Some(Zeroizing::new(text.trim().to_owned())))
    }

    /// Keeps the token, for nobody but us.
    pub(crate) fn save_token(&self, token: &str) -> Result<(), Failure> {
        let fail = |error: io::Error| Failure::disk(&self.place(TOKEN), &error);
        let mut file = tempfile::NamedTempFile::new_in(&self.path).map_err(fail)?;
        file.write_all(token.as_bytes()).and_then(|()| file.as_file().sync_all()).map_err(fail)?;
        file.persist(self.path.join(TOKEN)).map_err(|error| fail(error.error))?;
        rustix::fs::fsync(&self.root).map_err(|error| fail(error.into()))
    }

    fn read<T: DeserializeOwned>(&self, name: &str) -> Result<Option<T>, Failure> {
        let fail = |error: io::Error| Failure::disk(&self.place(name), &error);
        let file = match beneath::file(self.root(), name) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(fail(error)),
        };
        let mut text = String::new();
        file.take(STATE_BYTES_MAX).read_to_string(&mut text).map_err(fail)?;
        let read = serde_json::from_str(&text).map_err(|error| {
            let remedy = "it was not written by this program; put back what was there before";
            Failure::new(Exit::State, format!("{}: {error}: {remedy}", self.place(name)))
        });
        read.map(Some)
    }

    fn write(&self, name: &str, document: &impl Serialize) -> Result<(), Failure> {
        let fail = |error: io::Error| Failure::disk(&self.place(name), &error);
        let mut text = serde_json::to_vec_pretty(document).map_err(|error| fail(error.into()))?;
        text.push(b'\n');
        whole_file::replace(&self.path.join(name), &text).map_err(fail)
    }
}
