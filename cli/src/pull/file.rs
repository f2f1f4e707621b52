//! One file on its way: its pieces side by side, each written where it belongs as it comes in, and continued after every cut.
//!
//! Only what is missing is asked for, with the checksum that was offered as a condition: bytes of two files are never mixed. It knows no
//! package.

use std::fs::File;
use std::io;
use std::os::fd::{AsFd as _, OwnedFd};
use std::os::unix::fs::FileExt as _;
use std::sync::{Arc, Mutex, PoisonError};

use kentai_engine::audit::hex;
use kentai_engine::handoff::offer::Entry;
use kentai_engine::handoff::receipt::Reason;
use reqwest::Response;
use sha2::{Digest as _, Sha256};
use tokio::sync::Semaphore;
use tokio::task::{JoinSet, block_in_place};

use super::backoff::Backoff;
use super::http::{Center, Trouble};
use super::journal::Journal;
use super::measure::{self, Measure, Measured};
use super::meter::Meter;
use super::{Failure, beneath};

/// What all files of a package share.
pub(super) struct Run {
    pub center: Arc<Center>,
    /// Requests at a time.
    pub limit: Semaphore,
    pub meter: Meter,
    /// Tries without a new byte before a file is given up.
    pub tries: u32,
    /// A file is asked for in pieces of so many bytes.
    pub piece_bytes: u64,
    /// The package's folder, under way.
    pub partial: OwnedFd,
    /// Journals of its files.
    pub progress: OwnedFd,
}

/// A file, whole and with the checksums that were offered.
pub(super) async fn fetch(run: &Arc<Run>, entry: &Entry) -> Result<Measured, Trouble> {
    let mut one_stream = false;
    let mut wrong = 0;
    loop {
        let fetching = Arc::new(Fetching::open(run, entry, one_stream)?);
        match pieces(&fetching).await {
            Err(Trouble::NoRanges(_)) if !one_stream => {
                fetching.reset()?;
                one_stream = true;
                continue;
            }
            other => other?,
        }
        let measured = block_in_place(|| fetching.measured())?;
        if (measured.sha256.as_str(), measured.md5.as_str()) == (&entry.sha256, &entry.md5) {
            return Ok(measured);
        }
        // What came is of no use, and what it was made of is not known: from the beginning, once.
        fetching.reset()?;
        wrong += 1;
        if wrong > 1 {
            let path = &entry.path;
            let message = format!(
                "`{path}`: its bytes came twice and have sha256 {} and md5 {}; {} and {} were offered",
                measured.sha256, measured.md5, entry.sha256, entry.md5
            );
            return Err(Trouble::Here(Failure::wrong(Reason::Checksum, Some(path), message)));
        }
        tracing::warn!(path = entry.path, "came with a wrong checksum, and is fetched once more");
    }
}

async fn pieces(fetching: &Arc<Fetching>) -> Result<(), Trouble> {
    let mut tasks = JoinSet::new();
    // Counted before: the head of a loop would hold the lock for as long as the loop lasts.
    let count = fetching.journal().count();
    for number in 0..count {
        if fetching.journal().missing(number).is_empty() {
            continue;
        }
        let fetching = Arc::clone(fetching);
        tasks.spawn(async move { fetching.piece(number).await });
    }
    // The first one that is of no use ends the others: dropping them keeps what they have written.
    while let Some(ended) = tasks.join_next().await {
        ended.map_err(|error| Trouble::Silent(format!("a part was not fetched: {error}")))??;
    }
    Ok(())
}

struct Fetching {
    run: Arc<Run>,
    entry: Entry,
    file: File,
    journal: Mutex<Journal>,
    /// While its bytes come in their order from the first one on.
    measure: Mutex<Option<Measure>>,
    /// The center gives only whole files.
    one_stream: bool,
}

impl Fetching {
    fn open(run: &Arc<Run>, entry: &Entry, one_stream: bool) -> Result<Self, Trouble> {
        let disk = |error: io::Error| Trouble::Here(Failure::disk(&entry.path, &error));
        let file = beneath::make_file(run.partial.as_fd(), &entry.path).map_err(disk)?;
        let have = file.metadata().map_err(disk)?.len();
        // Longer than it may be: other bytes, or somebody else's.
        let have = if have > entry.size { 0 } else { have };
        let name = hex(&Sha256::digest(&entry.path));
        let journal = beneath::make_file(run.progress.as_fd(), &name).map_err(disk)?;
        let piece_bytes = if one_stream { entry.size } else { run.piece_bytes };
        let journal = Journal::open(journal, entry, piece_bytes, have).map_err(disk)?;
        if journal.bytes() == 0 {
            file.set_len(0).map_err(disk)?;
        }
        run.meter.had(journal.bytes());
        let is_fresh = journal.bytes() == 0 && journal.count() < 2;
        Ok(Self {
            run: Arc::clone(run),
            entry: entry.clone(),
            file,
            journal: Mutex::new(journal),
            measure: Mutex::new(is_fresh.then(Measure::default)),
            one_stream,
        })
    }

    fn journal(&self) -> std::sync::MutexGuard<'_, Journal> {
        self.journal.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn disk(&self, error: &io::Error) -> Trouble {
        Trouble::Here(Failure::disk(&self.entry.path, error))
    }

    /// Forgets what is here.
    fn reset(&self) -> Result<(), Trouble> {
        let mut journal = self.journal();
        self.run.meter.lost(journal.bytes());
        let cleared = journal.reset().and_then(|()| self.file.set_len(0));
        let fresh = (journal.count() < 2).then(Measure::default);
        *self.measure.lock().unwrap_or_else(PoisonError::into_inner) = fresh;
        cleared.map_err(|error| self.disk(&error))
    }

    /// One piece, to its end.
    async fn piece(&self, number: usize) -> Result<(), Trouble> {
        let mut backoff = Backoff::new(self.run.tries);
        loop {
            if self.one_stream {
                // Nothing can be continued, and beginning anew is no progress.
                self.reset()?;
            }
            let before = self.journal().missing(number).start;
            let trouble = match self.attempt(number).await {
                Err(trouble @ (Trouble::Silent(_) | Trouble::Busy { .. })) => trouble,
                other => return other,
            };
            if !self.one_stream && self.journal().missing(number).start > before {
                backoff.progress();
            }
            let asked = if let Trouble::Busy { after, .. } = &trouble { *after } else { None };
            let Some(wait) = backoff.failed(asked) else { return Err(trouble) };
            tracing::info!(path = self.entry.path, trouble = %trouble, wait_ms = wait.as_millis(), "goes on after a cut");
            tokio::time::sleep(wait).await;
        }
    }

    async fn attempt(&self, number: usize) -> Result<(), Trouble> {
        let permit = self.run.limit.acquire().await;
        permit.as_ref().map_err(|error| Trouble::Silent(error.to_string()))?;
        let missing = self.journal().missing(number);
        let is_whole = missing == (0..self.entry.size);
        let mut response = self.run.center.open(&self.entry, (!is_whole).then_some(&missing)).await?;
        let mut at = missing.start;
        while let Some(bytes) = self.chunk(&mut response).await? {
            if bytes.len() as u64 > missing.end - at {
                return Err(Trouble::Odd(format!("`{}`: more bytes are sent than were offered", self.entry.path)));
            }
            block_in_place(|| self.write(number, at, &bytes)).map_err(|error| self.disk(&error))?;
            at += bytes.len() as u64;
            self.run.meter.add(bytes.len() as u64);
        }
        if at < missing.end {
            return Err(Trouble::Silent(format!("`{}`: {} bytes did not come", self.entry.path, missing.end - at)));
        }
        let synced = block_in_place(|| self.file.sync_data()).and_then(|()| self.journal().synced(number, at));
        synced.map_err(|error| self.disk(&error))
    }

    async fn chunk(
        &self,
        response: &mut Response,
    ) -> Result<Option<impl AsRef<[u8]> + std::ops::Deref<Target = [u8]>>, Trouble> {
        response.chunk().await.map_err(|error| Trouble::Silent(format!("`{}` was cut: {error}", self.entry.path)))
    }

    fn write(&self, number: usize, at: u64, bytes: &[u8]) -> io::Result<()> {
        self.file.write_all_at(bytes, at)?;
        let mut measure = self.measure.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(measure) = measure.as_mut().filter(|measure| measure.bytes() == at) {
            measure.push(bytes);
        }
        drop(measure);
        self.journal().written(number, at + bytes.len() as u64)
    }

    /// From what passed, if all of it did; else from what lies there.
    fn measured(&self) -> Result<Measured, Trouble> {
        let passed = self.measure.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(measure) = passed.filter(|measure| measure.bytes() == self.entry.size) {
            return Ok(measure.finish());
        }
        let read = beneath::file(self.run.partial.as_fd(), &self.entry.path).and_then(|file| measure::file(&file));
        read.map_err(|error| self.disk(&error))
    }
}
