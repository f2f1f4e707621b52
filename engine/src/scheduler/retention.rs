//! Retention of attempt directories: what an ended attempt left goes after the site's time. Logs, artifacts and rows stay.

use std::path::PathBuf;

use super::service::Service;
use crate::state::attempt;
use crate::store::artifact::remove_all;
use crate::store::read::Reader;

/// Directories looked at per turn: an hour later the next ones come.
const LOOKED_AT: usize = 20_000;

impl Service {
    /// Removes what is old enough, beside the loop.
    pub(super) fn sweep_attempts(&self) {
        let keep_s = self.house.options.keep_attempts_s;
        if keep_s == 0 || self.house.options.drain {
            return;
        }
        let before_us =
            self.house.options.clock.now() - i64::try_from(keep_s).unwrap_or(i64::MAX / 2_000_000) * 1_000_000;
        let directory = self.house.options.directory.join("attempts");
        let (reader, token) = (self.reader.clone(), self.token.clone());
        self.tracker.spawn(async move {
            tokio::select! {
                () = sweep(directory, before_us, &reader) => {}
                () = token.cancelled() => {}
            }
        });
    }
}

async fn sweep(directory: PathBuf, before_us: i64, reader: &Reader) {
    let names = directory.clone();
    let listed = tokio::task::spawn_blocking(move || {
        let entries = std::fs::read_dir(names).into_iter().flatten().flatten();
        entries.filter_map(|entry| entry.file_name().into_string().ok()).take(LOOKED_AT).collect::<Vec<_>>()
    });
    let mut removed = 0;
    for name in listed.await.unwrap_or_default() {
        // A directory that the database does not know is left alone: a person must look.
        let Ok(Some(row)) = reader.attempt(&name).await else { continue };
        let ended = attempt::Status::parse(&row.status).is_some_and(attempt::Status::is_end);
        // Quarantine is evidence.
        if ended && row.updated_us < before_us && row.status != attempt::Status::Quarantined.word() {
            let path = directory.join(&name);
            let _ = tokio::task::spawn_blocking(move || remove_all(&path)).await;
            removed += 1;
        }
    }
    if removed > 0 {
        tracing::info!(removed, "removed directories of attempts that ended long ago");
    }
}
