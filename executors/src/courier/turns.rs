//! Whose turn it is: carriers of one folder follow each other, and only so many packages are under way to one target.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{OwnedMutexGuard, OwnedSemaphorePermit, Semaphore};

/// Packages at once to one target; it bounds connections, and with the parts of each the memory.
const AT_ONCE: usize = 4;

/// The turns of one target.
pub(super) struct Turns {
    at_once: Arc<Semaphore>,
    folders: Mutex<HashMap<String, Arc<tokio::sync::Mutex<()>>>>,
}

/// Held while a package is carried.
pub(super) struct Turn {
    _folder: OwnedMutexGuard<()>,
    /// None when the target is being taken down, and nothing has to be bounded any more.
    _place: Option<OwnedSemaphorePermit>,
}

impl Turns {
    pub(super) fn new() -> Self {
        Self { at_once: Arc::new(Semaphore::new(AT_ONCE)), folders: Mutex::default() }
    }

    /// Waits until nobody else carries into this folder and there is room.
    pub(super) async fn take(&self, folder: &str) -> Turn {
        let folder = {
            let mut folders = self.folders.lock().unwrap_or_else(PoisonError::into_inner);
            // What nobody holds is forgotten, so that the map stays as small as what is under way.
            folders.retain(|_, held| Arc::strong_count(held) > 1);
            Arc::clone(folders.entry(folder.to_owned()).or_default())
        };
        // The folder first: who waits for another carrier takes no place away.
        let folder = folder.lock_owned().await;
        Turn { _folder: folder, _place: Arc::clone(&self.at_once).acquire_owned().await.ok() }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    #[tokio::test]
    async fn one_folder_one_carrier_and_a_target_takes_only_so_many() {
        let turns = Turns::new();
        let first = turns.take("a").await;
        assert!(turns.take("a").now_or_never().is_none(), "the same folder waits");
        let others = [turns.take("b").await, turns.take("c").await, turns.take("d").await];
        assert!(turns.take("e").now_or_never().is_none(), "a fifth one waits");
        drop(first);
        assert!(turns.take("a").now_or_never().is_some());
        drop(others);
        assert!(turns.take("e").now_or_never().is_some());
        assert_eq!(turns.folders.lock().expect("whole").len(), 1, "folders that nobody holds are forgotten");
    }
}
