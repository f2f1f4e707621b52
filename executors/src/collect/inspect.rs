//! One order looked at: each declared output found, opened, checked and hashed; nothing moves yet.

use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use kentai_engine::port::collect::{Expected, Made, Order, Refused};
use kentai_engine::store::artifact::{ArtifactStore, Incoming, seal};
use rustix::fs::{FileType, Mode, OFlags, ResolveFlags, Stat};
use rustix::io::Errno;

use super::{examine, find, note, tree};
use crate::attempt::{WORK, open_directory};
use crate::witness::listing::Listing;

/// One artifact of an order.
#[derive(Clone, Debug)]
pub(super) struct Item {
    /// What the engine is told.
    pub made: Made,
    /// Where it lies beneath `work/`.
    pub path: PathBuf,
    /// Where to take it from; `None` when it is in the store already.
    pub place: Option<Place>,
}

/// A file that still lies in an attempt's directory.
#[derive(Clone, Debug)]
pub(super) struct Place {
    directory: Arc<OwnedFd>,
    identity: (u64, u64),
}

impl Item {
    /// The item as the store adopts it.
    pub(super) fn incoming(&self) -> Option<Incoming> {
        let place = self.place.as_ref()?;
        Some(Incoming {
            directory: place.directory.clone(),
            path: self.path.clone(),
            identity: place.identity,
            sha256: self.made.sha256.clone(),
            dir: self.made.dir,
        })
    }
}

/// Finds everything that an order expects, or finishes from an earlier collection's note.
pub(super) fn inspect(store: &ArtifactStore, order: &Order) -> Result<Vec<Item>, Refused> {
    let Some(expected) = order.outputs.as_deref().filter(|outputs| !outputs.is_empty()) else {
        return Ok(Vec::new());
    };
    let work = open_work(&order.directory);
    if let Some(noted) = note::read(store, order) {
        let again = noted.into_iter().map(|item| roll_forward(store, work.as_ref().ok(), expected, item));
        if let Some(items) = again.collect::<Option<Vec<Item>>>() {
            return Ok(items);
        }
    }
    let work = work.map_err(|error| refuse(&expected[0], Path::new(WORK), error))?;
    let mut items = Vec::new();
    for output in expected {
        items.extend(take(store, &work, output)?);
    }
    as_listed(&order.directory, &items)?;
    Ok(items)
}

/// Where the tool ran on another machine, its witness listed what it left: what is seen here must be that.
fn as_listed(directory: &Path, items: &[Item]) -> Result<(), Refused> {
    let Some(listing) = Listing::read(directory) else { return Ok(()) };
    let other = |item: &&Item| {
        let listed = listing.files.get(&item.path);
        !item.made.dir
            && listed.is_some_and(|listed| (listed.size, &listed.sha256) != (item.made.size, &item.made.sha256))
    };
    match items.iter().find(other) {
        None => Ok(()),
        Some(item) => Err(Refused::Bad {
            output: item.made.output.clone(),
            reason: format!(
                "`{}` is not here what its job left there (its SHA-256 differs): the shared directory lost or changed it",
                item.path.display()
            ),
        }),
    }
}

/// An item of a note: in the store, or still in its place with the same bytes.
fn roll_forward(
    store: &ArtifactStore,
    work: Option<&Arc<OwnedFd>>,
    expected: &[Expected],
    noted: Item,
) -> Option<Item> {
    if store.contains(&noted.made.sha256, noted.made.dir) {
        return Some(noted);
    }
    let output = expected.iter().find(|output| output.name == noted.made.output)?;
    let found = one(store, work?, output, &noted.path, noted.made.index).ok()?;
    (found.made == noted.made).then_some(found)
}

fn open_work(directory: &Path) -> rustix::io::Result<Arc<OwnedFd>> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    rustix::fs::openat(open_directory(directory)?, WORK, flags, Mode::empty()).map(Arc::new)
}

fn take(store: &ArtifactStore, work: &Arc<OwnedFd>, output: &Expected) -> Result<Vec<Item>, Refused> {
    let paths = find::find(work, output).map_err(|reason| bad(output, reason))?;
    let mut items = Vec::with_capacity(paths.len());
    for (index, path) in paths.iter().enumerate() {
        match one(store, work, output, path, index) {
            Ok(item) => items.push(item),
            Err(Wrong::Missing) if output.optional && !output.glob => {}
            Err(Wrong::Missing) => return Err(bad(output, format!("`{}` is missing", path.display()))),
            Err(Wrong::Bad(reason)) => return Err(bad(output, format!("`{}` {reason}", path.display()))),
            Err(Wrong::Disk(error)) => return Err(refuse(output, path, error)),
        }
    }
    if output.glob && items.is_empty() && !output.optional {
        return Err(bad(output, format!("nothing matches `{}`", output.path)));
    }
    Ok(items)
}

/// What can be wrong with one file.
pub(super) enum Wrong {
    /// Not there.
    Missing,
    /// The tool's fault, as the end of a sentence about the file.
    Bad(String),
    /// Perhaps ours.
    Disk(Errno),
}

impl From<Errno> for Wrong {
    fn from(error: Errno) -> Self {
        match error {
            Errno::NOENT => Self::Missing,
            other => Self::Disk(other),
        }
    }
}

fn one(
    store: &ArtifactStore,
    work: &Arc<OwnedFd>,
    output: &Expected,
    path: &Path,
    index: usize,
) -> Result<Item, Wrong> {
    let name = path.file_name().and_then(|name| name.to_str());
    let name = name.ok_or_else(|| Wrong::Bad("has a name that is not UTF-8".to_owned()))?.to_owned();
    let file = open_beneath(work, path)?;
    let found = rustix::fs::fstat(&file)?;
    let hashed = if output.dir {
        expect(&found, FileType::Directory, "is not a directory")?;
        tree::hash(store, &file)?
    } else {
        expect(&found, FileType::RegularFile, "is not a plain file")?;
        if found.st_size == 0 {
            return Err(Wrong::Bad("is empty".to_owned()));
        }
        let file = File::from(file);
        let hashed = examine::examine(&file, output.format.as_deref())?;
        // The one second name that is allowed is the artifact's, from an interrupted collection of this very file.
        if store.identity_of(&hashed.sha256) != Some((found.st_dev, found.st_ino)) {
            plain(&found)?;
        }
        sealed(&file, &found)?;
        hashed
    };
    let made = Made {
        output: output.name.clone(),
        index,
        list: output.glob,
        name,
        sha256: hashed.sha256,
        size: hashed.size,
        dir: output.dir,
    };
    let place = Place { directory: work.clone(), identity: (found.st_dev, found.st_ino) };
    Ok(Item { made, path: path.to_owned(), place: Some(place) })
}

/// A plain file with one name: what has another name could be changed through it later.
pub(super) fn plain(found: &Stat) -> Result<(), Wrong> {
    expect(found, FileType::RegularFile, "is not a plain file")?;
    if found.st_nlink == 1 { Ok(()) } else { Err(Wrong::Bad("has a second name (a hard link)".to_owned())) }
}

fn expect(found: &Stat, wanted: FileType, otherwise: &str) -> Result<(), Wrong> {
    if FileType::from_raw_mode(found.st_mode) == wanted { Ok(()) } else { Err(Wrong::Bad(otherwise.to_owned())) }
}

/// Makes a file read-only and ours.
pub(super) fn sealed(file: &File, found: &Stat) -> Result<(), Wrong> {
    seal(file, found).map_err(|error| Wrong::Disk(Errno::from_io_error(&error).unwrap_or(Errno::IO)))
}

fn open_beneath(work: &OwnedFd, path: &Path) -> Result<OwnedFd, Wrong> {
    // NONBLOCK: opening a pipe would wait for its other end.
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_MAGICLINKS;
    Ok(rustix::fs::openat2(work, path, flags, Mode::empty(), resolve)?)
}

fn bad(output: &Expected, reason: String) -> Refused {
    Refused::Bad { output: output.name.clone(), reason }
}

/// Tells the tool's faults from ours by the system's error.
fn refuse(output: &Expected, path: &Path, error: impl Into<Errno>) -> Refused {
    let error = error.into();
    let path = path.display();
    match error {
        Errno::NOENT => bad(output, format!("`{path}` is missing")),
        Errno::NOTDIR => bad(output, format!("`{path}` lies behind something that is not a directory")),
        Errno::LOOP => bad(output, format!("`{path}` is or lies behind a symbolic link")),
        Errno::XDEV => bad(output, format!("`{path}` leads out of the attempt's directory")),
        Errno::ACCESS | Errno::PERM => bad(output, format!("`{path}` cannot be read: {error}")),
        Errno::NAMETOOLONG | Errno::NXIO => bad(output, format!("`{path}` cannot be opened: {error}")),
        _ => Refused::Disk(format!("`{path}`: {}", io::Error::from(error))),
    }
}
