//! One attempt from submission to report: look, submit once, wait, look on disk.
//!
//! A failed look changes nothing. A job that is not seen was either never accepted, or forgotten, or lost with the controller's state:
//! it takes several answered looks over a time that no request outlives before any of it is believed, and then the disk says which.

use std::collections::HashSet;
use std::io;
use std::sync::{Mutex, PoisonError};

use kentai_engine::port::executor::{Obstacle, Report, Task};
use tokio::time::Instant;

use super::answer::{self, Row, State, Submitted};
use super::controller::Sight;
use super::desk::{SUBMISSIONS_MAX, Submission};
use super::keeper::End;
use super::{Placed, SlurmExecutor, ending, launch, plain};
use crate::attempt::{self, Prepared, Traces, WORK};
use crate::witness::listing::Listing;
use crate::witness::marker;

/// Answered looks that do not see a job before it counts as unseen.
const SIGHTINGS: u32 = 3;
/// Looks in a row that were not answered before a step says so.
const AWAY_AFTER: u32 = 3;

/// How a wait for the job ended.
enum Waited {
    /// All its jobs have ended.
    Ended(Vec<Row>),
    /// Nobody knows of it.
    Unseen,
    /// Something to tell.
    Tell(Report),
}

/// What came of one submission.
enum Asked {
    /// Slurm has the job.
    Done,
    /// Perhaps; asked for then.
    InDoubt(Instant),
    /// It has not, for a reason that a person can mend.
    Refused(String),
    /// It has not, and this is to be told.
    Told(Report),
}

impl SlurmExecutor {
    pub(super) async fn run_or_adopt(&self, task: &Task) -> Report {
        if !plain(&task.attempt) {
            return Report::Quarantine(format!("`{}` cannot name a job", task.attempt));
        }
        match self.follow(task).await {
            Ok(report) => report,
            Err(error) => Report::Unreachable(format!("cannot use the attempt's directory: {error}")),
        }
    }

    async fn follow(&self, task: &Task) -> io::Result<Report> {
        let (other, mut traces) = self.look_at(task).await?;
        if other {
            return Ok(Report::Quarantine("another task lies in the attempt's directory".to_owned()));
        }
        let mut submission = self.read_desk(task).await?;
        // A first submission needs no look: nobody ever asked for a job of this name.
        let fresh = submission.begun == 0 && !traces.started && traces.fenced.is_none();
        let mut submit = fresh;
        loop {
            if submit && let Some(report) = self.submit(task, &mut submission).await? {
                return Ok(report);
            }
            match self.wait(task).await {
                Waited::Tell(report) => return Ok(report),
                Waited::Ended(rows) => return Box::pin(self.ended(task, rows)).await,
                Waited::Unseen => {}
            }
            let known = match self.controller.accounted(&task.attempt).await {
                Ok(rows) => rows,
                Err(error) => return Ok(Report::Unreachable(error.to_string())),
            };
            if known.iter().any(|row| !row.state.is_end()) {
                // Accounting lags behind; the controller's word is the newer one.
                tracing::debug!(attempt = task.attempt, "accounting shows a job that its controller does not");
            }
            (_, traces) = self.look_at(task).await?;
            if traces.started || traces.fenced.is_some() || submission.begun >= SUBMISSIONS_MAX || !known.is_empty() {
                let rows = known.into_iter().filter(|row| row.state.is_end()).collect();
                return Box::pin(self.ended(task, rows)).await;
            }
            // Never accepted, or lost before it started: the marker lets one job run, however many come.
            submit = true;
        }
    }

    async fn look_at(&self, task: &Task) -> io::Result<(bool, Traces)> {
        let (directory, digest, nonce) = (task.directory.clone(), task.digest.clone(), task.nonce.clone());
        self.on_disk(move || Ok((attempt::holds_other(&directory, &digest, &nonce)?, Traces::read_shared(&directory)?)))
            .await
    }

    async fn read_desk(&self, task: &Task) -> io::Result<Submission> {
        let (desk, attempt) = (self.desk.clone(), task.attempt.clone());
        self.on_disk(move || desk.read(&attempt)).await
    }

    async fn keep(&self, task: &Task, submission: &Submission) -> io::Result<()> {
        let (desk, attempt, submission) = (self.desk.clone(), task.attempt.clone(), submission.clone());
        self.on_disk(move || desk.write(&attempt, &submission)).await
    }

    /// Submits until Slurm has the job, or may have it; a report when that is all there is to say for now.
    async fn submit(&self, task: &Task, submission: &mut Submission) -> io::Result<Option<Report>> {
        let Some(_turn) = Turn::take(&self.submitting, &task.attempt) else {
            // Another call does it; its job is waited for.
            return Ok(None);
        };
        let kept = self.read_desk(task).await?;
        if kept != *submission {
            // Another call has submitted it since this one looked: its job is waited for.
            *submission = kept;
            return Ok(None);
        }
        loop {
            let asked = {
                // Ten thousand that wait here must be cheap; and what a crash leaves in doubt is at most what is at the desk.
                let Ok(_place) = self.at_desk.acquire().await else { return Ok(None) };
                Box::pin(self.submit_once(task, submission)).await?
            };
            match asked {
                Asked::Done => return Ok(None),
                Asked::Told(report) => return Ok(Some(report)),
                Asked::InDoubt(since) => {
                    self.settle(since).await;
                    return Ok(None);
                }
                Asked::Refused(words) => {
                    if let Some(report) = self.tell(&task.attempt, Some(words)) {
                        return Ok(Some(report));
                    }
                    if self.stopped_meanwhile(task).await {
                        return self.never(task).await.map(Some);
                    }
                }
            }
        }
    }

    async fn submit_once(&self, task: &Task, submission: &mut Submission) -> io::Result<Asked> {
        let placed = match self.put_in_place(task).await {
            Ok(placed) => placed,
            Err(report) => return Ok(Asked::Told(report)),
        };
        // Kept before it is asked for: whoever comes after a crash looks for a job of this name first.
        submission.begun += 1;
        self.keep(task, submission).await?;
        let since = Instant::now();
        let asked = match self.controller.submit(self.words(&placed, task)).await {
            Submitted::As(id) => {
                // Shown and not kept: a number is given out again, a name is not.
                tracing::debug!(attempt = task.attempt, id, "submitted");
                return Ok(Asked::Done);
            }
            Submitted::Unknown(words) => {
                let attempt = &task.attempt;
                tracing::warn!(attempt, words, "a submission may have been accepted; it is looked for by name");
                return Ok(Asked::InDoubt(since));
            }
            Submitted::Not(words) => Asked::Told(Report::Unreachable(away(&words))),
            Submitted::Refused(words) => Asked::Refused(format!(
                "Slurm refuses its job: {words}; correct the executor in kentai.yaml, or the step's resources"
            )),
        };
        // None of the tries that may have been accepted, however often it comes: the next call need not look for it.
        submission.begun -= 1;
        self.keep(task, submission).await?;
        Ok(asked)
    }

    /// Everything that the job needs on disk, before anybody is asked for it.
    async fn put_in_place(&self, task: &Task) -> Result<Placed, Report> {
        if self.needs_image_but_has_none(task) {
            return Err(Report::NotStarted(Obstacle::Image, "a container needs an image".to_owned()));
        }
        let placed = self.place().await.cloned().map_err(|error| match error.kind() {
            io::ErrorKind::StorageFull => full(&error),
            _ => Report::Unreachable(format!("cannot put the program where nodes see it: {error}")),
        })?;
        match self.prepare(&placed, task).await {
            Ok(Prepared::Ready) => Ok(placed),
            Ok(Prepared::Other) => Err(Report::Quarantine("another task lies in the attempt's directory".to_owned())),
            Err(error) if error.kind() == io::ErrorKind::StorageFull => Err(full(&error)),
            Err(error) => {
                let text = format!("cannot make the attempt's directory: {error}");
                Err(Report::NotStarted(Obstacle::Infrastructure, text))
            }
        }
    }

    /// Waits until a person may have changed what was refused; true when its end was asked for instead.
    async fn stopped_meanwhile(&self, task: &Task) -> bool {
        let again = Instant::now() + self.options.pace.refused;
        while Instant::now() < again {
            if attempt::stop_requested(&task.directory) {
                return true;
            }
            self.controller.newer(&self.controller.last()).await;
        }
        false
    }

    /// Its end was asked for before Slurm had it.
    async fn never(&self, task: &Task) -> io::Result<Report> {
        let words = "its end was asked for before it was submitted";
        if self.fence(task, words.to_owned()).await? {
            return Ok(Report::NotStarted(Obstacle::Infrastructure, words.to_owned()));
        }
        Ok(Report::Waits(None))
    }

    async fn prepare(&self, placed: &Placed, task: &Task) -> io::Result<Prepared> {
        let (options, desk, placed, task) = (self.options.clone(), self.desk.clone(), placed.clone(), task.clone());
        let job = self.controller.job(&task.attempt);
        self.on_disk(move || launch::prepare(&options, &desk, &placed, &job, &task)).await
    }

    fn needs_image_but_has_none(&self, task: &Task) -> bool {
        self.options.has_keeper() && task.image.is_none()
    }

    /// Waits until a request that was sent can have no effect any more that a look would not show.
    async fn settle(&self, asked: Instant) {
        tokio::time::sleep_until(asked + self.options.pace.settled).await;
    }

    /// Waits for the end of all jobs of the attempt, or for something to tell.
    async fn wait(&self, task: &Task) -> Waited {
        let mut sight = self.controller.last();
        let (mut unseen, mut since) = (0, None::<Instant>);
        loop {
            sight = self.controller.newer(&sight).await;
            if let Some(report) = self.tell_of(task, &sight) {
                return Waited::Tell(report);
            }
            if sight.away.is_some() {
                continue;
            }
            let rows = sight.of(&task.attempt);
            if rows.is_empty() && Turn::is_taken(&self.submitting, &task.attempt) {
                // Another call is still submitting it: that nobody sees it yet says nothing.
                (unseen, since) = (0, None);
                continue;
            }
            if rows.is_empty() {
                unseen += 1;
                let first = *since.get_or_insert(sight.asked);
                if unseen >= SIGHTINGS && sight.asked.duration_since(first) >= self.options.pace.settled {
                    return Waited::Unseen;
                }
                continue;
            }
            (unseen, since) = (0, None);
            if rows.iter().all(|row| row.state.is_end()) {
                return Waited::Ended(rows.to_vec());
            }
        }
    }

    /// What a look gives to tell: a controller that is away, a job that waits for a person, or that this is over.
    fn tell_of(&self, task: &Task, sight: &Sight) -> Option<Report> {
        let reason = match &sight.away {
            Some((misses, words)) if *misses >= AWAY_AFTER => Some(away(words)),
            // Not yet worth a word, and no reason to take one back.
            Some(_) => return None,
            None => {
                let waits = sight.of(&task.attempt).iter().filter(|row| row.state == State::Pending);
                waits.filter_map(answer::mended_by_a_person).next()
            }
        };
        self.tell(&task.attempt, reason)
    }

    /// Every job of it has ended (or is known to nobody): the disk says how, as soon as it is seen whole.
    async fn ended(&self, task: &Task, mut rows: Vec<Row>) -> io::Result<Report> {
        let until = Instant::now() + self.options.visibility;
        loop {
            let (directory, desk, attempt) = (task.directory.clone(), self.desk.clone(), task.attempt.clone());
            let (traces, whole) = self
                .on_disk(move || {
                    let traces = Traces::read_shared(&directory)?;
                    let was = desk.was_whole(&attempt);
                    let whole = traces.record.is_some() && (was || is_whole(&directory));
                    if whole && !was {
                        desk.mark_whole(&attempt)?;
                    }
                    Ok((traces, whole))
                })
                .await?;
            let end = End::read(&self.desk.file(&task.attempt, "end"));
            let over = Instant::now() >= until;
            if whole || (over && traces.started) {
                if traces.record.is_some() && !whole {
                    return Ok(Report::Lost(
                        "what its job wrote did not become visible here in time; look at `visibility_wait:`".to_owned(),
                    ));
                }
                if traces.record.is_none() {
                    self.add_exit_codes(task, &mut rows).await;
                }
                return Ok(ending::report(&rows, traces, end.as_ref(), None));
            }
            if over {
                self.add_exit_codes(task, &mut rows).await;
                let said = attempt::witness_error(&task.directory);
                let report = ending::report(&rows, Traces::default(), end.as_ref(), said.as_deref());
                let words = match &report {
                    Report::NotStarted(_, words) => words.clone(),
                    other => format!("{other:?}"),
                };
                if traces.fenced.is_some() || self.fence(task, words).await? {
                    return Ok(report);
                }
                // A job that nobody sees came first after all.
                return Ok(Report::Waits(None));
            }
            tokio::time::sleep(self.options.pace.disk).await;
        }
    }

    async fn add_exit_codes(&self, task: &Task, rows: &mut [Row]) {
        for row in rows.iter_mut().filter(|row| row.state == State::Failed && row.exit.is_none()) {
            row.exit = self.controller.exit_code(&task.attempt, row).await;
        }
    }

    /// Makes sure that no job which comes late starts the tool; false when one has.
    async fn fence(&self, task: &Task, words: String) -> io::Result<bool> {
        let directory = task.directory.clone();
        self.on_disk(move || match attempt::open_directory(&directory) {
            Ok(handle) => marker::fence(&handle, &words),
            // Without a directory no witness can have been called.
            Err(rustix::io::Errno::NOENT) => Ok(true),
            Err(error) => Err(error.into()),
        })
        .await
    }
}

/// An attempt that is being submitted.
struct Turn<'a> {
    all: &'a Mutex<HashSet<String>>,
    attempt: &'a str,
}

impl<'a> Turn<'a> {
    fn take(all: &'a Mutex<HashSet<String>>, attempt: &'a str) -> Option<Self> {
        let taken = all.lock().unwrap_or_else(PoisonError::into_inner).insert(attempt.to_owned());
        taken.then_some(Self { all, attempt })
    }

    fn is_taken(all: &Mutex<HashSet<String>>, attempt: &str) -> bool {
        all.lock().unwrap_or_else(PoisonError::into_inner).contains(attempt)
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.all.lock().unwrap_or_else(PoisonError::into_inner).remove(self.attempt);
    }
}

/// Is everything that the witness listed seen here, as long as it was? Small files are read: what a cache still holds of them may be
/// older than their size. The collector compares the hashes of all that it takes.
fn is_whole(directory: &std::path::Path) -> bool {
    const SMALL: u64 = 1 << 20;
    let Some(listing) = Listing::read(directory) else {
        // A record without a listing: the tool never ran, or the listing could not be made.
        return true;
    };
    listing.files.iter().all(|(path, listed)| {
        let path = directory.join(WORK).join(path);
        let found = std::fs::symlink_metadata(&path);
        let sized = found.is_ok_and(|found| found.is_file() && found.len() == listed.size);
        sized && (listed.size > SMALL || std::fs::read(&path).is_ok_and(|bytes| super::sha256(&bytes) == listed.sha256))
    })
}

fn away(words: &str) -> String {
    format!("Slurm's controller does not answer ({words}); jobs go on, and nothing is decided until it does")
}

fn full(error: &io::Error) -> Report {
    Report::Unreachable(format!("the disk of the site is full ({error}); free some space"))
}
