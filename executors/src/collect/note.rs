//! The roll-forward note: what was found for an attempt, written before anything of it moves.
//!
//! It lies in the store, not in the attempt's directory: there a tool could write one and claim any artifact.

use std::fs::File;
use std::io::{self, Write};
use std::path::PathBuf;

use kentai_engine::port::collect::{Made, Order};
use kentai_engine::store::artifact::{ArtifactStore, remove_all};
use serde::{Deserialize, Serialize};

use super::inspect::Item;

/// A note as it lies on disk; fields are only added.
#[derive(Serialize, Deserialize)]
struct Note {
    attempt: String,
    directory: PathBuf,
    found: Vec<Found>,
}

#[derive(Serialize, Deserialize)]
struct Found {
    path: PathBuf,
    made: Made,
}

/// Writes the note of an order, whole; gives its path. The caller makes it durable.
pub(super) fn write(store: &ArtifactStore, order: &Order, items: &[Item]) -> io::Result<PathBuf> {
    let found = items.iter().map(|item| Found { path: item.path.clone(), made: item.made.clone() });
    let note = Note { attempt: order.attempt.clone(), directory: order.directory.clone(), found: found.collect() };
    let path = place(store, &order.attempt);
    let temporary = path.with_extension("new");
    File::create(&temporary)?.write_all(&serde_json::to_vec(&note)?)?;
    std::fs::rename(temporary, &path)?;
    Ok(path)
}

/// What an earlier collection of this very attempt found.
pub(super) fn read(store: &ArtifactStore, order: &Order) -> Option<Vec<Item>> {
    let note: Note = serde_json::from_slice(&std::fs::read(place(store, &order.attempt)).ok()?).ok()?;
    let same = note.attempt == order.attempt && note.directory == order.directory;
    let items = note.found.into_iter().map(|found| Item { made: found.made, path: found.path, place: None });
    same.then(|| items.collect())
}

/// Removes the notes of attempts whose directories are gone: nobody will collect them again.
pub(super) fn sweep(store: &ArtifactStore) {
    let Ok(entries) = store.notes().read_dir() else { return };
    for entry in entries.flatten() {
        let note = std::fs::read(entry.path()).ok().and_then(|text| serde_json::from_slice::<Note>(&text).ok());
        if note.is_some_and(|note| !note.directory.exists()) {
            remove_all(&entry.path());
        }
    }
}

fn place(store: &ArtifactStore, attempt: &str) -> PathBuf {
    // Attempt ids are `[a-z0-9-]`; anything else must not choose a path.
    let plain: String = attempt.chars().map(|c| if c.is_ascii_alphanumeric() || c == '-' { c } else { '_' }).collect();
    store.notes().join(format!("{plain}.json"))
}
